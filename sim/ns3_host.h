// Ns3Host: one process on a simulated machine, in virtual time (the contract is in
// models/host/host.h; the shared conformance suite runs against it).
//
// What a kernel does for a process is done here: a frozen process keeps its sockets, whose peers
// see nothing until its buffers are full; a killed process loses its timers and has its sockets
// closed, with a reset where it left data unread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ns3/event-id.h>
#include <ns3/node.h>
#include <ns3/socket.h>

#include "models/host/host.h"
#include "sim/network.h"
#include "sim/timer_queue.h"

namespace distlab::sim {

class Ns3Stream;
class Ns3Listener;
class Ns3Udp;

class Ns3Host final : public Host {
 public:
  using Recorder = std::function<void(Time, const std::string& process, const Event&)>;
  struct Options {
    uint64_t seed = 1;
    std::set<std::string> quiet_kinds;  // kinds nobody keeps: wants() is false for them
  };

  // `machine` is the host name of a machine of the network.
  Ns3Host(Network& network, std::string process, const std::string& machine, Options options, Recorder recorder);
  ~Ns3Host() override;

  Time now() const override;
  TimerId start_timer(Duration delay, std::function<void()> fn) override;
  void cancel_timer(TimerId id) override;
  RandomStream& random(std::string_view stream_name) override;
  void fill_secret(std::span<uint8_t> out) override;
  tl::expected<std::unique_ptr<UdpSocket>, NetError> open_udp(Endpoint local, UdpHandler& handler) override;
  tl::expected<std::unique_ptr<TcpListener>, NetError> listen_tcp(Endpoint local, AcceptHandler accept) override;
  std::unique_ptr<ByteStream> connect_tcp(Endpoint remote, StreamHandler& handler) override;
  void lookup(std::string_view host_name, LookupHandler done) override;
  void record(Event event) override;
  bool wants(std::string_view kind) const override;
  const std::string& name() const override { return process_; }

  // SIGSTOP and SIGCONT. Timers that came due meanwhile run at thaw, in the order they were due.
  void freeze();
  void thaw();
  bool frozen() const { return frozen_; }
  // The process is gone. Destroy the models first; a host that was killed is not used again.
  void kill();

  static constexpr size_t max_sockets = 65'536;

 private:
  friend class Ns3Stream;
  friend class Ns3Listener;
  friend class Ns3Udp;

  // The host keeps its own timers and asks ns-3 for one event at a time: QUIC starts its timers anew with
  // every packet, and what it cancels would fill ns-3's queue.
  void arm();
  void run_due();
  void end_turn();
  bool bind(ns3::Socket& socket, Network::Transport transport, Endpoint local);
  // Sockets that have something to tell, told once the process runs again.
  template <typename Fn>
  void when_running(Fn fn) {
    if (dead_) return;
    if (!frozen_) return fn();
    held_calls_.push_back(std::move(fn));
  }
  size_t sockets_ = 0;

  Network& network_;
  std::string process_;
  std::string machine_;
  ns3::Ptr<ns3::Node> node_;
  Options options_;
  Recorder recorder_;
  std::map<std::string, RandomStream, std::less<>> streams_;
  RandomStream secrets_;
  TimerQueue timers_;
  struct Armed {
    Time at;
    ns3::EventId event;
  };
  std::vector<Armed> armed_;  // in ns-3's queue, the soonest last
  bool in_turn_ = false;      // the loop runs callbacks, and looks for due timers after them
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // a timer may destroy the host
  bool frozen_ = false;
  bool dead_ = false;
  std::vector<std::function<void()>> held_calls_;  // while frozen
};

}  // namespace distlab::sim
