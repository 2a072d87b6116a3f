// The mesh client that talks to a relay: one life of the client process of a node, from its start until
// it dies. It stands where macula_mesh_client stands (facts relay-distribution.md sections 1.4 and 1.5).
//
// The process handles its mailbox in order. Whoever publishes, subscribes or calls puts a message there;
// the relay's frames come through it, too. While the process is held up, by a full QUIC send buffer or by
// a dial that blocks, all of it waits, PING included.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/host/host.h"
#include "models/mesh/client.h"
#include "models/mesh/client_core.h"
#include "models/mesh/client_settings.h"
#include "models/mesh/message.h"
#include "models/mesh/relay_link.h"

namespace distlab::mesh {

// Told from the host's loop.
struct ClientListener {
  std::function<void()> on_connected = {};
  std::function<void(const std::string& reason)> on_disconnected = {};  // and it dials again
  std::function<void(const std::string& reason)> on_died = {};          // the last one
};

class RelayClient final : public Client, private RelayLink::Handler {
 public:
  // Dials at once. Needs at least one relay. Destroying it is the death of the whole node: no word to
  // anybody.
  RelayClient(Host& host, ClientSettings settings, ClientListener listener = {});
  ~RelayClient() override;
  RelayClient(const RelayClient&) = delete;
  RelayClient& operator=(const RelayClient&) = delete;

  // The process dies: QUIC says CONNECTION_CLOSE with code 0, calls end with client_down.
  void kill(const std::string& reason);
  bool alive() const { return state_ != State::dead; }

  // The relay it has a session with, or tries.
  const std::string& relay_name() const { return settings_.relays[relay_].name; }
  bool connected() const override { return state_ == State::up || state_ == State::deaf; }
  size_t mailbox() const override { return mailbox_.size(); }
  void publish(const std::string& topic, Bytes payload) override;
  SubscriptionId subscribe(const std::string& topic, OnPayload on_payload) override;
  void unsubscribe(SubscriptionId id) override;
  void advertise(const std::string& procedure, Procedure run) override;
  void unadvertise(const std::string& procedure) override;
  // A timeout of zero means ClientSettings::call_timeout.
  void call(const std::string& procedure, Json args, Duration timeout, std::function<void(CallResult)> done) override;

  const ClientStats& stats() const { return stats_; }

 private:
  enum class State {
    dialling,  // until WELCOME
    up,
    deaf,     // the connection is gone and the process has not noticed
    waiting,  // to dial again
    dead,
  };
  enum class ItemKind { outgoing, incoming, ping };
  struct Item {
    ItemKind kind;
    std::optional<Frame> frame = {};
    uint64_t number = 0;  // of the call, if it is an outgoing CALL; of the dial, if it is incoming
  };

  // RelayLink::Handler
  void on_link_open() override;
  void on_link_frame(Frame frame) override;
  void on_link_writable() override;
  void on_link_finished(const std::string& reason) override;
  void on_link_failed(const std::string& reason) override;

  // The mailbox.
  bool held_up() const;
  void post(Item item);
  void drain();
  void handle(const Item& item);
  void handle_outgoing(const Item& item);
  void send(const Frame& frame);
  void write_on();
  void forget_outgoing();
  void start_ping_timer();
  void ping_tick();

  // Frames of the relay.
  void handle_incoming(const Frame& frame, uint64_t dial);
  void deliver(const Frame& frame);
  void told(const Welcome& message);
  void told(const Disconnect& message);
  void told(const Ping& message);
  void told(const Pong& message);
  void told(const Error& message);
  void told(mesh::Reply message);  // not Client::Reply
  void told(const Call& message);
  template <typename Unexpected>
  void told(const Unexpected& message);
  void answer(uint64_t session, uint64_t call, CallResult result);

  // The life of the process.
  void dial();
  void failed_to_connect(const std::string& reason);
  void lost(OnLoss policy, const std::string& reason);
  void wait_and_dial();
  void drop_link(const std::string& reason);
  void die(const std::string& reason);
  void send_later(const std::string& topic);
  void subscribe_due();
  void finish_later(CallTable::Done done, CallError error);
  void run_finished();
  void arm_call_timer();

  Host& host_;
  const ClientSettings settings_;
  const ClientListener listener_;
  State state_ = State::waiting;
  ClientStats stats_;

  std::deque<Item> mailbox_;
  size_t mailbox_bytes_ = 0;
  bool draining_ = false;
  std::deque<Frame> outgoing_;  // the process waits for the stream to take these
  size_t written_ = 0;          // of the first of them

  Registrations registrations_;
  CallTable calls_;
  RandomStream& message_ids_;
  PingWatch ping_;
  std::deque<std::pair<Time, std::string>> subscribes_due_;
  std::vector<std::pair<CallTable::Done, CallError>> finished_;
  uint64_t dials_ = 0;
  uint64_t session_ = 0;  // counts WELCOMEs: an answer belongs to the session in which its call came
  size_t answering_ = 0;  // calls of that session

  size_t relay_ = 0;  // which of the list
  int failures_ = 0;  // in a row
  Time dial_started_{};
  std::string last_error_;  // what the relay complained of, before it hangs up
  std::unique_ptr<RelayLink> link_;

  Timer dial_timer_, ping_timer_, call_timer_, subscribe_timer_, finish_timer_, death_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace distlab::mesh
