// The bridge of a tunnel: what macula_dist_bridge does on either side, between the loopback connection
// to dist_util and the mesh.
//
//   waiting_socket --socket_ready()--> running --client dead--> reconnecting --client alive--> running
//
// Source: facts relay-distribution.md section 1.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/host/host.h"
#include "models/mesh/client.h"
#include "models/tunnel/crypt.h"
#include "models/tunnel/loopback.h"
#include "models/tunnel/message_faults.h"
#include "models/tunnel/reader.h"
#include "models/tunnel/request.h"
#include "models/tunnel/settings.h"

namespace distlab::tunnel {

LoopbackSettings loopback_settings(const TunnelSettings& settings);

enum class BridgeState { waiting_socket, running, reconnecting, stopped };

std::string_view to_string(BridgeState state);

struct TunnelMetrics {
  // As get_tunnel_metrics/0,1 gives them: plaintext, and what was lost may count as sent.
  uint64_t bytes_out = 0, bytes_in = 0, msgs_out = 0, msgs_in = 0;
  // Ours.
  uint64_t accepted = 0;   // bytes dist_util has written
  uint64_t delivered = 0;  // bytes written to dist_util
  uint64_t lost = 0;       // bytes of `accepted` that this side knows it will never send
  uint64_t decrypt_failures = 0;
  size_t mailbox_peak = 0;  // bytes that waited for distribution to read
};

struct BridgeConfig {
  std::string id;
  std::string peer;  // node name, for events
  Direction direction = Direction::out;
  Key key;
  MessageFaults* faults = nullptr;  // may be null; else it outlives the bridge
  // What came while the tunnel was being accepted, in order.
  std::vector<std::vector<uint8_t>> flushed = {};
};

class Bridge final : private StreamHandler, private Reader::Owner {
 public:
  // From the host's loop, once, when the bridge is stopped; may destroy it.
  using Stopped = std::function<void()>;

  // Subscribes with the slot's present client; there must be one. `settings`, `slot` and `host` must
  // outlive the bridge. Destroying it before it has stopped is the node's death: nothing is recorded.
  Bridge(Host& host, const TunnelSettings& settings, mesh::ClientSlot& slot, BridgeConfig config,
         std::unique_ptr<LoopbackEnd> socket, Stopped stopped);
  ~Bridge() override;
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  void socket_ready();  // reading from dist_util begins

  const std::string& id() const { return config_.id; }
  const std::string& peer() const { return config_.peer; }
  Direction direction() const { return config_.direction; }
  BridgeState state() const { return state_; }
  TunnelMetrics metrics() const;
  void record_metrics() const;  // as an event

 private:
  enum class Message { payload, flushed, client_down, reconnect_tick };
  struct Waiting {
    Message message;
    std::vector<uint8_t> bytes = {};
  };

  // StreamHandler
  void on_data(Bytes data) override;
  void on_writable() override;
  void on_closed(NetError why) override;
  // Reader::Owner
  size_t client_mailbox() const override;
  void publish(Bytes chunk) override;
  void lost(size_t bytes, std::string_view reason) override;
  void reader_ended(std::string_view reason) override;

  void subscribe();
  void client_changed(mesh::Client* now);
  void attempt_reconnect();

  void post(Message message, Bytes bytes = {});
  void handle(Message message, Bytes bytes);
  void drain();
  void take_payload(Bytes message);
  void take_flushed(Bytes message);
  void decrypt_failed(size_t bytes);
  void write(Bytes data);

  void enter(BridgeState state, std::string_view reason);
  void record_lost(size_t bytes, std::string_view reason);
  size_t undelivered() const;
  void record_end(std::string_view reason);
  void stop(std::string_view reason);

  Host& host_;
  const TunnelSettings& settings_;
  mesh::ClientSlot& slot_;
  BridgeConfig config_;
  const Topics topics_;
  const Stopped stopped_;
  Cipher cipher_;
  std::unique_ptr<LoopbackEnd> socket_;
  Reader reader_;
  BridgeState state_ = BridgeState::waiting_socket;
  TunnelMetrics metrics_;

  mesh::Client* client_ = nullptr;  // null: dead
  mesh::SubscriptionId subscription_ = mesh::SubscriptionId::none;
  mesh::ClientSlot::Watcher watcher_;
  uint64_t reconnect_attempts_ = 0;

  // The process's mailbox: it fills while the process is blocked in gen_tcp:send.
  std::vector<uint8_t> unsent_;  // of that call
  std::deque<Waiting> mailbox_;
  size_t mailbox_bytes_ = 0;

  Timer down_, reconnect_, burial_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace distlab::tunnel
