// The bridge of one tunnel: from the loopback pair into the mesh and back (macula_dist_bridge; seed 002;
// facts relay-distribution.md section 1.4).
//
//   running --client gone--> reconnecting --client there--> running;  stopped: when distribution closes its
//   end, or after reconnect_max_attempts
//
// There is no close message: the other side never learns that this one has stopped.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/host/host.h"
#include "models/mesh/client.h"
#include "models/tunnel/crypt.h"
#include "models/tunnel/loopback.h"
#include "models/tunnel/message_faults.h"
#include "models/tunnel/settings.h"

namespace distlab::tunnel {

// Counters as get_tunnel_metrics/1 gives them, of bytes of distribution; and what really happened.
struct Metrics {
  uint64_t bytes_out = 0, bytes_in = 0;  // out: published, and what was given up after its retries
  uint64_t msgs_out = 0, msgs_in = 0;
  uint64_t accepted = 0;   // bytes taken from distribution
  uint64_t delivered = 0;  // bytes given to it

  bool operator==(const Metrics&) const = default;
};

// Which tunnel: the same on both sides, but for the direction of the topics.
struct Route {
  std::string id;
  std::string peer;  // node name
  std::string send_topic, recv_topic;
};

class Bridge {
 public:
  enum class State { running, reconnecting, stopped };
  using Stopped = std::function<void()>;  // told once, from the host's loop; may destroy the bridge

  // All references must outlive it. Subscribes at once, unless `subscription` is one that was made for it.
  Bridge(Host& host, const TunnelSettings& settings, mesh::ClientSlot& slot, MessageFaults& faults, Route route,
         const Key& key, std::unique_ptr<Loopback> loopback, Stopped stopped);
  ~Bridge();  // silent, as the death of its node
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // A message for this tunnel that came before its bridge did.
  void flush(Bytes message);

  const Route& route() const { return route_; }
  State state() const { return state_; }
  const Metrics& metrics() const { return metrics_; }
  void record_metrics();

 private:
  void subscribe();
  void unsubscribe();
  void client_changed(mesh::Client* client);
  void attempt();
  void reconnected(mesh::Client& client);

  void read_on();
  void publish(std::vector<uint8_t> chunk);
  void retry();
  void lost(std::string_view reason, size_t bytes);

  void arrived(Bytes message);
  void deliver(std::vector<uint8_t> plain);
  void write_on();

  void watch_idle();
  void enter(State state, std::string_view reason);
  void stop(std::string_view reason);

  Host& host_;
  const TunnelSettings& settings_;
  mesh::ClientSlot& slot_;
  MessageFaults& faults_;
  const Route route_;
  Crypt crypt_;
  std::unique_ptr<Loopback> loopback_;
  const Stopped stopped_;

  State state_ = State::running;
  Metrics metrics_;
  mesh::ClientSlot::Watcher watcher_ = 0;
  mesh::Client* client_ = nullptr;  // that it has subscribed with, and monitors
  mesh::SubscriptionId subscription_ = mesh::SubscriptionId::none;
  uint32_t attempts_ = 0;

  std::optional<std::vector<uint8_t>> in_hand_;  // the reader has read it and could not publish it yet
  uint32_t tries_ = 0;                           // of it
  std::deque<std::vector<uint8_t>> inbox_;       // decrypted, and waiting for distribution to read
  size_t inbox_bytes_ = 0;
  size_t inbox_begin_ = 0;  // of its first, that is written

  Timer reconnect_, reader_, idle_, end_;
};

std::string_view to_string(Bridge::State state);

}  // namespace distlab::tunnel
