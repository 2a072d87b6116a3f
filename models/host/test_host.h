// TestWorld and TestHost: the in-memory ground for unit tests.
//
// A TestWorld is a virtual clock, an ordered queue of events (by time, then by the order in which
// they were asked for), machines by IPv4 address and the network between them. A TestHost is one
// process on a machine; processes of one address share its ports. Everything is deterministic.
//
// TCP is modelled at the level of a kernel's socket layer: handshake, bounded send and receive
// buffers, acknowledgements, FIN, RST. Loss is not modelled by retransmission times: what a black
// hole swallowed arrives when it is lifted, and a SYN is repeated as Linux repeats it.
//
//   TestWorld world;
//   TestHost& a = world.add_host("a", *Ipv4::parse("10.0.0.1"), {"hosta.test"});
//   world.run_for(5s);
//   EXPECT_TRUE(world.run_until([&] { return node.connected(); }, 10s));
//
// Models must be destroyed before the world. Calls from outside (a test body) count as calls of
// the process they are made on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/host/host.h"

namespace distlab {

namespace test_net {
class EventQueue;
class Network;
struct TcpEnd;
}  // namespace test_net

class TestWorld;

struct RecordedEvent {
  Time time;
  std::string host;
  Event event;
};

// One chunk of TCP payload about to leave, as a TcpHook sees it.
struct TcpChunk {
  Endpoint from, to;
  uint64_t index = 0;           // counts the chunks of this direction of this connection, from 0
  std::vector<uint8_t>& bytes;  // may be changed, grown, shrunk or emptied
};
using TcpHook = std::function<void(TcpChunk&)>;

// What becomes of a datagram: lost (nullopt), or delayed by so much more than the path's delay.
using UdpHook = std::function<std::optional<Duration>(Endpoint from, Endpoint to, Bytes datagram)>;

// Applies to connections dialled later. Sizes in bytes.
struct TcpSettings {
  size_t send_buffer = 256 * 1024;     // holds a byte until it is acknowledged, as a kernel does
  size_t receive_buffer = 256 * 1024;  // the window the peer may fill
  size_t chunk = 64 * 1024;            // the most one on_data carries
  bool instant_connect = false;        // the handshake takes no time (data still does)
};

// Linux: net.ipv4.tcp_syn_retries = 6 gives 1+2+4+...+64 s; tcp_retries2 = 15 gives 924.6 s.
inline constexpr Duration tcp_connect_timeout = std::chrono::seconds{127};
inline constexpr Duration tcp_give_up_timeout = std::chrono::milliseconds{924'600};

class TestHost final : public Host {
 public:
  ~TestHost() override;
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

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
  bool wants(std::string_view) const override { return true; }
  const std::string& name() const override { return name_; }

  Ipv4 address() const { return address_; }
  TestWorld& world() { return world_; }

  // SIGSTOP and SIGCONT. While frozen nothing of the process runs; its kernel goes on: data waits
  // in the receive buffers, connections to its listeners complete. What fell due meanwhile runs
  // at thaw, in the order in which it fell due.
  void freeze();
  void thaw();
  bool frozen() const { return frozen_; }

  // SIGKILL: no callback follows; timers and lookups are dropped; the kernel closes the sockets
  // (FIN, or RST where unread data is left). Kill first, then destroy the models of the process
  // (their streams, sockets and listeners are inert by then), then restart(), which asserts that
  // none is left. Random streams go on where they were.
  void kill();
  void restart();
  bool alive() const { return alive_; }

 private:
  friend class TestWorld;
  friend class test_net::Network;
  friend class TestStream;
  friend class TestListener;
  friend class TestUdpSocket;
  TestHost(TestWorld& world, std::string name, Ipv4 address);

  void post(std::function<void()> task);  // runs from the event loop, now; later when frozen
  void run(uint64_t life, std::function<void()> task);
  std::unique_ptr<ByteStream> wrap(std::shared_ptr<test_net::TcpEnd> end);
  void fire(uint64_t id);

  struct PendingTimer {
    std::function<void()> fn;
    std::pair<Time, uint64_t> key;  // in the world's queue
  };

  TestWorld& world_;
  const std::string name_;
  const Ipv4 address_;
  bool alive_ = true;
  bool frozen_ = false;
  uint64_t life_ = 0;   // counts restarts: tasks of an earlier life do not run
  size_t handles_ = 0;  // streams, sockets and listeners the models hold
  uint64_t next_timer_ = 1;
  std::map<uint64_t, PendingTimer> timers_;
  std::vector<std::function<void()>> deferred_;  // fell due while frozen
  std::map<std::string, RandomStream, std::less<>> streams_;
};

class TestWorld {
 public:
  explicit TestWorld(uint64_t seed = 1);
  ~TestWorld();
  TestWorld(const TestWorld&) = delete;
  TestWorld& operator=(const TestWorld&) = delete;

  // A process on the machine with this address (which is made if it is new).
  TestHost& add_host(std::string name, Ipv4 address, const std::vector<std::string>& host_names = {});

  Time now() const;
  uint64_t seed() const { return seed_; }
  // Runs a step of the test's script from the event loop.
  void after(Duration delay, std::function<void()> fn);
  void run_for(Duration duration);
  // True as soon as `done` holds (asked after every event); false when the limit has passed.
  bool run_until(const std::function<bool()>& done, Duration limit);
  // The guard against loops: more events than this in one run_* call throw std::runtime_error.
  void set_max_events(uint64_t limit) { max_events_ = limit; }

  // The network, per ordered pair of machines. Unless set, the delay is 1 ms between machines and
  // none inside one. TCP stays in order when a delay shrinks.
  void set_delay(Ipv4 from, Ipv4 to, Duration one_way);
  void set_default_delay(Duration one_way);
  // What arrives while held waits, and arrives in order at release.
  void hold(Ipv4 from, Ipv4 to);
  void release(Ipv4 from, Ipv4 to);
  // All is lost. When lifted, TCP's data arrives at once (as if retransmitted just then).
  void black_hole(Ipv4 from, Ipv4 to, bool on = true);
  void set_tcp_hook(Ipv4 from, Ipv4 to, TcpHook hook);
  void set_udp_hook(Ipv4 from, Ipv4 to, UdpHook hook);
  TcpSettings& tcp() { return tcp_; }

  // Name lookup. Addresses are found in the order added; an address literal resolves to itself.
  void add_name(const std::string& host_name, Ipv4 address);
  void set_lookup_delay(Duration delay) { lookup_delay_ = delay; }
  void fail_lookup(const std::string& host_name, NetError error);
  void heal_lookup(const std::string& host_name);

  const std::vector<RecordedEvent>& events() const { return events_; }
  // Those of one host and kind; an empty host means all.
  std::vector<RecordedEvent> events_of(std::string_view host, std::string_view kind) const;

 private:
  friend class TestHost;
  friend class TestStream;
  friend class TestListener;
  friend class TestUdpSocket;

  tl::expected<std::vector<Ipv4>, NetError> resolve(const std::string& host_name) const;

  const uint64_t seed_;
  TcpSettings tcp_;
  std::unique_ptr<test_net::EventQueue> queue_;
  std::unique_ptr<test_net::Network> network_;
  std::vector<std::unique_ptr<TestHost>> hosts_;
  std::map<std::string, std::vector<Ipv4>> names_;
  std::map<std::string, NetError> failing_names_;
  Duration lookup_delay_{0};
  uint64_t max_events_ = 20'000'000;
  bool running_ = false;
  std::vector<RecordedEvent> events_;
};

}  // namespace distlab
