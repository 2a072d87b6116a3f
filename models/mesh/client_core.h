// The tables of a mesh client as an engine: who on this node listens to what, offers what and waits for
// what, and the watch over PONGs. RelayClient joins it to a connection.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/host/time.h"
#include "models/mesh/client.h"
#include "models/mesh/frame.h"

namespace distlab::mesh {

// Subscriptions and procedures. A relay knows a topic once, however many on this node listen to it.
class Registrations {
 public:
  struct Subscribed {
    SubscriptionId id;
    bool first;  // of its topic: the relay must be told
  };
  Subscribed subscribe(const std::string& topic, Client::OnPayload on_payload);
  // The topic if this was the last one of it: the relay must be told.
  std::optional<std::string> unsubscribe(SubscriptionId id);
  bool subscribed(const std::string& topic) const { return topics_.count(topic) > 0; }

  // The listener of the topic that comes after this one, in the order in which they subscribed. Walking
  // so, a listener may add and remove others, itself included.
  struct Listener {
    SubscriptionId id;
    std::shared_ptr<const Client::OnPayload> on_payload;
  };
  std::optional<Listener> listener_after(std::string_view topic, SubscriptionId previous) const;
  SubscriptionId last_given() const { return SubscriptionId{last_}; }

  void advertise(const std::string& procedure, Client::Procedure run);
  bool unadvertise(const std::string& procedure);  // false: it was not there
  std::shared_ptr<const Client::Procedure> procedure(std::string_view name) const;

  std::vector<std::string> topics() const;
  std::vector<std::string> procedures() const;

 private:
  std::map<std::string, std::map<SubscriptionId, std::shared_ptr<const Client::OnPayload>>, std::less<>> topics_;
  std::map<SubscriptionId, std::string> by_id_;
  std::map<std::string, std::shared_ptr<const Client::Procedure>, std::less<>> procedures_;
  uint64_t last_ = 0;
};

// The calls this node waits for.
class CallTable {
 public:
  using Done = std::function<void(CallResult)>;

  uint64_t add(Time deadline, Done done);
  std::optional<Done> take(uint64_t id);  // nothing if it is over
  std::optional<Done> expired(Time now);  // one whose deadline has passed
  std::optional<Time> next_deadline() const;
  std::vector<Done> take_all();  // in the order in which they were made
  size_t size() const { return calls_.size(); }

 private:
  struct Pending {
    Time deadline;
    Done done;
  };
  std::map<uint64_t, Pending> calls_;
  std::set<std::pair<Time, uint64_t>> deadlines_;
  uint64_t last_ = 0;
};

// Sees that a relay no longer answers: a PING each interval, dead once the oldest one unanswered is at
// least `timeout` old at a tick. With 30 s and 60 s that is 60 to 90 s after the last sign of life.
class PingWatch {
 public:
  explicit PingWatch(Duration timeout) : timeout_(timeout) {}
  std::optional<uint64_t> tick(Time now);  // the number of the PING to send; nothing: the relay is dead
  void pong(uint64_t id);                  // answers this PING and the ones before it
  size_t unanswered() const { return sent_.size(); }

 private:
  Duration timeout_;
  std::deque<std::pair<uint64_t, Time>> sent_;
  uint64_t last_ = 0;
};

}  // namespace distlab::mesh
