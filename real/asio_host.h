// AsioHost: Host over the operating system's clock and sockets, on one thread.
//
// An AsioLoop is the event loop and the clock; any number of hosts may share one. Differences to
// virtual time that a user of the class must know:
//  - Freezing, killing and restarting are done to the operating-system process, not here.
//  - close() hands what the kernel does not take at once to the loop; a peer that has not read it
//    after `linger` is reset. A loop that is destroyed earlier drops what is left.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/host/host.h"

namespace distlab::real {

class AsioLoop {
 public:
  AsioLoop();
  // The run began, or begins, at that time: the same clock in several processes.
  explicit AsioLoop(std::chrono::steady_clock::time_point origin);
  ~AsioLoop();
  AsioLoop(const AsioLoop&) = delete;
  AsioLoop& operator=(const AsioLoop&) = delete;

  Time now() const;  // the steady clock, since the origin (else since the loop was made), from run_start
  void run();        // until stop() is called from a callback
  void stop();
  void post(std::function<void()> fn);  // from the loop, behind what is ready to run by now
  // True as soon as `done` holds (asked after every callback and at least every 10 ms); false when
  // the limit has passed. Not from inside a callback.
  bool run_until(const std::function<bool()>& done, Duration limit);
  void run_for(Duration duration);
  // During run(), told of every timer that rang after the loop had waited for it: when it could have rung, had this
  // thread been given a processor at once, and when it did. The loop's own work between the two is not counted.
  void watch_wakes(std::function<void(Time ready, Time rang)> fn);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

struct AsioHostOptions {
  std::string name;   // of the process in the scenario
  uint64_t seed = 1;  // of the random streams
  // Where connections and datagrams come from, except over loopback_address; unset: the kernel's
  // choice.
  std::optional<Ipv4> address;
  // Asked before the system's resolver; with `resolver` off, alone.
  std::map<std::string, std::vector<Ipv4>> hosts;
  bool resolver = true;
  std::function<void(Time, const Event&)> record;    // unset: events are dropped
  std::function<bool(std::string_view kind)> wants;  // unset: all, if there is a `record`
  size_t send_buffer = 256 * 1024;                   // bytes per stream, besides the kernel's
  Duration linger = std::chrono::seconds{60};
  // Datagrams of one size to one peer are handed to the kernel together, and taken from it so (UDP_SEGMENT and UDP_GRO,
  // udp(7)). Not where a network is imitated: it would meet all of them as one.
  bool join_datagrams = false;
};

class AsioHost final : public Host {
 public:
  AsioHost(AsioLoop& loop, AsioHostOptions options);
  ~AsioHost() override;
  AsioHost(const AsioHost&) = delete;
  AsioHost& operator=(const AsioHost&) = delete;

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
  const std::string& name() const override;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace distlab::real
