// The mesh client of a node, as the rest of that node sees it: publish, subscribe, call, advertise.
//
// It stands where macula_mesh_client stands: one process with a mailbox, which may die and be replaced
// by another. RelayClient (relay_client.h) is the one that talks to relays.
//
// Callbacks come from the host's loop only, never from inside a call.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "models/host/byte_stream.h"
#include "models/host/time.h"

namespace distlab::mesh {

using Json = nlohmann::json;

enum class SubscriptionId : uint64_t { none = 0 };

struct CallError {
  // "timeout", "unknown_procedure", "not_connected", "client_down", "limit", or what the callee said.
  std::string code;
  std::string message;
};
using CallResult = tl::expected<Json, CallError>;

class Client {
 public:
  using OnPayload = std::function<void(Bytes payload)>;
  using Reply = std::function<void(CallResult)>;                         // to be called once, at any time
  using Procedure = std::function<void(const Json& args, Reply reply)>;  // runs for each call that arrives

  virtual ~Client() = default;

  virtual bool connected() const = 0;  // a relay has accepted the session, as far as the client knows
  virtual size_t mailbox() const = 0;  // casts and calls that wait for the process
  // At most once, and nobody is told of a loss: a cast, as gen_server:cast/2.
  virtual void publish(const std::string& topic, Bytes payload) = 0;
  virtual SubscriptionId subscribe(const std::string& topic, OnPayload on_payload) = 0;
  virtual void unsubscribe(SubscriptionId id) = 0;  // harmless if it is gone
  virtual void advertise(const std::string& procedure, Procedure run) = 0;
  virtual void unadvertise(const std::string& procedure) = 0;
  // `done` is told once, unless the client is destroyed; with client_down when its process dies.
  virtual void call(const std::string& procedure, Json args, Duration timeout,
                    std::function<void(CallResult)> done) = 0;
};

// Which client process serves this node now: the persistent_term of macula_dist_relay, with
// register_mesh_client/1 and get_mesh_client/0.
class ClientSlot {
 public:
  using Watcher = uint64_t;

  Client* current() const { return client_; }  // null: no client, or the registered one is dead

  // Called at each change, with the new client or null. Not told of the present one.
  Watcher watch(std::function<void(Client*)> changed) {
    watchers_.emplace(++last_, std::move(changed));
    return last_;
  }
  void unwatch(Watcher watcher) { watchers_.erase(watcher); }

  void set(Client* client) {
    client_ = client;
    // A watcher may remove itself and others, or add some, which are not told of this change.
    const auto last = last_;
    for (auto at = watchers_.begin(); at != watchers_.end() && at->first <= last;) {
      const auto key = at->first;
      const auto tell = at->second;
      tell(client);
      at = watchers_.upper_bound(key);
    }
  }

 private:
  Client* client_ = nullptr;
  Watcher last_ = 0;
  std::map<Watcher, std::function<void(Client*)>> watchers_;
};

}  // namespace distlab::mesh
