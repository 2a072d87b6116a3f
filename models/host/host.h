// Host: the only window through which a model sees the world (design.md section 3).
//
// One Host is the environment of one operating-system process: a node, an EPMD daemon, a relay.
// Several processes may share a machine, and then its address and its ports. Implementations:
// sim::Ns3Host (virtual time), real::AsioHost (real sockets), TestHost (memory).
//
// Single-threaded: callbacks come one at a time, never from inside a call on the Host, in order
// of time and, at equal times, in the order in which they were asked for.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "models/host/byte_stream.h"
#include "models/host/endpoint.h"
#include "models/host/event.h"
#include "models/host/random.h"
#include "models/host/time.h"

namespace distlab {

enum class TimerId : uint64_t { none = 0 };

class UdpSocket {
 public:
  virtual ~UdpSocket() = default;
  // Best effort, as UDP is. False: the send buffer is full and the datagram was dropped.
  virtual bool send_to(Endpoint remote, Bytes datagram) = 0;
  virtual Endpoint local() const = 0;
};

class UdpHandler {
 public:
  virtual ~UdpHandler() = default;
  virtual void on_datagram(Endpoint remote, Bytes datagram) = 0;
  // Around datagrams that were waiting together, even if it was one: what they lead to may wait for the end. A host
  // need not say so, as one whose datagrams come one by one.
  virtual void on_burst() {}
  virtual void on_burst_end() {}
};

// Accepting stops when the listener is destroyed.
class TcpListener {
 public:
  virtual ~TcpListener() = default;
  virtual Endpoint local() const = 0;
};

using AcceptHandler = std::function<void(std::unique_ptr<ByteStream>)>;
// The addresses of a name, first choice first; never empty when it succeeds.
using LookupHandler = std::function<void(tl::expected<std::vector<Ipv4>, NetError>)>;

class Host {
 public:
  virtual ~Host() = default;

  virtual Time now() const = 0;

  // Runs fn once, `delay` from now (a negative delay counts as zero). Prefer the Timer class.
  virtual TimerId start_timer(Duration delay, std::function<void()> fn) = 0;
  virtual void cancel_timer(TimerId id) = 0;  // harmless if it has fired or is `none`

  // All randomness that can shape behaviour. The reference stays valid as long as the host.
  virtual RandomStream& random(std::string_view stream_name) = 0;
  // For keys and nonces only: must not influence timing, sizes or order.
  virtual void fill_secret(std::span<uint8_t> out) = 0;

  // Port 0: any free port. Handlers must outlive what they are given to.
  virtual tl::expected<std::unique_ptr<UdpSocket>, NetError> open_udp(Endpoint local, UdpHandler& handler) = 0;
  virtual tl::expected<std::unique_ptr<TcpListener>, NetError> listen_tcp(Endpoint local, AcceptHandler accept) = 0;
  // The outcome is on_connected or on_closed of the handler. TCP_NODELAY is on.
  virtual std::unique_ptr<ByteStream> connect_tcp(Endpoint remote, StreamHandler& handler) = 0;
  virtual void lookup(std::string_view host_name, LookupHandler done) = 0;

  virtual void record(Event event) = 0;
  // Whether anybody keeps events of a chatty kind (ticks, handshake steps); spares building them.
  virtual bool wants(std::string_view kind) const = 0;

  virtual const std::string& name() const = 0;  // the process's name in the scenario
};

// A timer that its owner can restart and that cancels itself when destroyed.
class Timer {
 public:
  explicit Timer(Host& host) : host_(host) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }

  void start(Duration delay, std::function<void()> fn) {
    cancel();
    fn_ = std::move(fn);
    id_ = host_.start_timer(delay, [this] { fire(); });
  }
  void cancel() {
    if (id_ == TimerId::none) return;
    host_.cancel_timer(std::exchange(id_, TimerId::none));
    fn_ = nullptr;
  }
  bool running() const { return id_ != TimerId::none; }

 private:
  void fire() {
    id_ = TimerId::none;
    const auto run = std::exchange(fn_, nullptr);  // it may destroy or restart this timer
    run();
  }

  Host& host_;
  TimerId id_ = TimerId::none;
  std::function<void()> fn_;
};

}  // namespace distlab
