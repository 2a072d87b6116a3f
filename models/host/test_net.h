// The inside of TestWorld: its event queue, and the kernels and links of its machines.
// Tests use test_host.h.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "models/host/test_host.h"

namespace distlab::test_net {

class EventQueue {
 public:
  using Key = std::pair<Time, uint64_t>;

  Time now() const { return now_; }
  Key push(Time at, std::function<void()> fn);
  void erase(Key key) { events_.erase(key); }
  bool due_by(Time limit) const { return !events_.empty() && events_.begin()->first.first <= limit; }
  void run_next();
  void advance_to(Time at);
  void clear() { const auto dying = std::exchange(events_, {}); }

 private:
  Time now_ = run_start;
  uint64_t next_sequence_ = 1;
  std::map<Key, std::function<void()>> events_;
};

// A chunk in the receive buffer. `wire_size` is its size before a hook changed it: what the
// sender's window counts.
struct Received {
  std::vector<uint8_t> bytes;
  size_t wire_size = 0;
};

// One end of a TCP connection, in its machine's kernel.
struct TcpEnd : std::enable_shared_from_this<TcpEnd> {
  enum class State { connecting, accepting, open, closed };

  uint64_t id = 0;
  uint64_t peer = 0;      // 0: not known yet
  uint64_t listener = 0;  // of an end being accepted
  TestHost* process = nullptr;
  Ipv4 machine, far_machine;
  Endpoint local, remote;
  State state = State::connecting;
  bool owned = true;  // not closed by the process
  StreamHandler* handler = nullptr;

  // Sending. Counters are bytes since the start; the send buffer holds unsent + (sent - acked).
  size_t send_capacity = 0, peer_capacity = 0;
  std::deque<uint8_t> unsent;
  uint64_t sent = 0, acked = 0, peer_read = 0;
  uint64_t chunks = 0;
  bool fin_asked = false, fin_sent = false, fin_acked = false;
  bool wants_room = false;
  bool giving_up = false;  // the retransmission limit runs
  Time in_order{};         // what is sent next arrives no earlier

  // Receiving.
  std::deque<Received> received;
  uint64_t arrived = 0, read = 0;
  bool reading = true;
  bool fin_received = false;
  std::optional<NetError> failure;

  bool connect_told = true, close_told = false;
  bool deliver_posted = false, room_posted = false, ack_posted = false;
};

struct Listener {
  uint64_t id = 0;
  TestHost* process = nullptr;
  Ipv4 machine;
  Endpoint local;
  AcceptHandler accept;
  size_t backlog = 0;  // connected, not yet accepted
};

struct UdpEnd {
  uint64_t id = 0;
  TestHost* process = nullptr;
  Ipv4 machine;
  Endpoint local;
  UdpHandler* handler = nullptr;
  std::deque<std::pair<Endpoint, std::vector<uint8_t>>> received;
  size_t received_bytes = 0;
};

struct Packet {
  enum class Kind { syn, syn_ack, ack, data, fin, rst, datagram };

  Kind kind = Kind::data;
  Ipv4 from_machine, to_machine;
  Endpoint from, to;
  uint64_t from_end = 0, to_end = 0;
  std::vector<uint8_t> bytes;
  size_t wire_size = 0;
  uint64_t arrived = 0, read = 0;  // ack
  bool fin_arrived = false;        // ack
};

class Network {
 public:
  Network(EventQueue& queue, TcpSettings& tcp) : queue_(queue), tcp_(tcp) {}

  void add_machine(Ipv4 address);

  struct Link {
    std::optional<Duration> delay;
    bool held = false, black_hole = false;
    std::deque<Packet> waiting;  // held, or lost but to be retransmitted
    TcpHook tcp_hook;
    UdpHook udp_hook;
  };
  Link& link(Ipv4 from, Ipv4 to) { return links_[{from, to}]; }
  void flush(Ipv4 from, Ipv4 to);
  void set_default_delay(Duration delay) { default_delay_ = delay; }

  // What a process asks of its kernel.
  std::shared_ptr<TcpEnd> connect(TestHost& process, Endpoint remote, StreamHandler& handler);
  tl::expected<std::shared_ptr<Listener>, NetError> listen(TestHost& process, Endpoint local, AcceptHandler accept);
  tl::expected<std::shared_ptr<UdpEnd>, NetError> open_udp(TestHost& process, Endpoint local, UdpHandler& handler);
  size_t write(TcpEnd& end, Bytes data);
  void set_reading(TcpEnd& end, bool on);
  void set_handler(TcpEnd& end, StreamHandler& handler);
  void close(TcpEnd& end);
  void abort(TcpEnd& end);
  void close(Listener& listener);
  void close(UdpEnd& socket) { udp_.erase(socket.id); }
  bool send_to(UdpEnd& socket, Endpoint remote, Bytes datagram);
  void process_died(TestHost& process);

 private:
  struct Machine {
    uint16_t next_port = 49152;  // the range IANA gives to ephemeral ports
  };

  Duration delay_of(Ipv4 from, Ipv4 to);
  Ipv4 machine_of(const TestHost& process, Ipv4 address) const;
  tl::expected<Endpoint, NetError> bind(const TestHost& process, Endpoint local, bool udp);
  bool taken(Ipv4 machine, Endpoint local, bool udp) const;
  uint16_t ephemeral_port(Ipv4 machine, bool udp);
  TcpEnd* find(uint64_t id);
  Listener* find_listener(Ipv4 machine, Endpoint local);

  void transmit(TcpEnd& end, Packet packet);
  void send(Packet packet, Time arrival);
  void gate(Packet packet);
  void arrive(Packet& packet);
  void arrive_syn(const Packet& packet);
  void arrive_syn_ack(const Packet& packet);
  void arrive_ack(const Packet& packet);
  void arrive_data(Packet& packet);
  void arrive_fin(const Packet& packet);
  void arrive_rst(const Packet& packet);
  void arrive_datagram(Packet& packet);

  void send_syn(uint64_t id, int attempt);
  void send_rst(const Packet& cause);
  void send_ack(TcpEnd& end);
  void post_ack(TcpEnd& end);
  void hand_over(TcpEnd& end);
  void pump(TcpEnd& end);
  void post_deliver(TcpEnd& end);
  void deliver(TcpEnd& end);
  void post_room(TcpEnd& end);
  void fail(TcpEnd& end, NetError why);
  void forget_if_done(TcpEnd& end);
  void watch_for_give_up(uint64_t id);
  void deliver_datagram(UdpEnd& socket);

  EventQueue& queue_;
  TcpSettings& tcp_;
  Duration default_delay_ = std::chrono::milliseconds{1};
  uint64_t next_id_ = 1;
  std::map<Ipv4, Machine> machines_;
  std::map<std::pair<Ipv4, Ipv4>, Link> links_;
  std::map<uint64_t, std::shared_ptr<TcpEnd>> ends_;
  std::map<uint64_t, std::shared_ptr<Listener>> listeners_;
  std::map<uint64_t, std::shared_ptr<UdpEnd>> udp_;
};

}  // namespace distlab::test_net
