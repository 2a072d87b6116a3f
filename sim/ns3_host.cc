#include "sim/ns3_host.h"

#include <algorithm>
#include <cassert>
#include <deque>
#include <utility>

#include <ns3/inet-socket-address.h>
#include <ns3/packet.h>
#include <ns3/simulator.h>
#include <ns3/socket.h>
#include <ns3/tcp-socket-factory.h>
#include <ns3/udp-socket-factory.h>

#include "sim/ns3_stream.h"
#include "sim/ns3_time.h"
#include "sim/traffic.h"

namespace distlab::sim {
namespace {

ns3::InetSocketAddress to_ns3(Endpoint endpoint) {
  return {ns3::Ipv4Address(endpoint.address.bits), endpoint.port};
}

Endpoint local_of(ns3::Socket& socket) {
  ns3::Address address;
  if (socket.GetSockName(address) != 0) return {};
  const auto inet = ns3::InetSocketAddress::ConvertFrom(address);
  return {Ipv4{inet.GetIpv4().Get()}, inet.GetPort()};
}

}  // namespace

// Connections are accepted by the kernel, so also while the process is frozen.
class Ns3Listener final : public TcpListener {
 public:
  Ns3Listener(Ns3Host& host, const ns3::Ptr<ns3::Socket>& socket, AcceptHandler accept)
      : host_(host), socket_(socket), bound_(local()), state_(std::make_shared<State>()) {
    ++host_.sockets_;
    state_->accept = std::move(accept);
    state_->host = &host;
    const auto state = state_;
    using Socket = ns3::Ptr<ns3::Socket>;
    socket_->SetAcceptCallback(ns3::Callback<bool, Socket, const ns3::Address&>(
                                   [state](const Socket&, const ns3::Address&) { return state->open; }),
                               ns3::Callback<void, Socket, const ns3::Address&>(
                                   [state](const Socket& s, const ns3::Address&) { accepted(state, s); }));
  }
  ~Ns3Listener() override {
    state_->open = false;
    socket_->Close();
    host_.network_.unbind(host_.machine_, Network::Transport::tcp, bound_);
    --host_.sockets_;
  }
  Endpoint local() const override { return local_of(*socket_); }

 private:
  struct State {
    AcceptHandler accept;
    Ns3Host* host = nullptr;
    bool open = true;
  };

  static void accepted(const std::shared_ptr<State>& state, const ns3::Ptr<ns3::Socket>& socket) {
    if (!state->open || state->host->sockets_ >= Ns3Host::max_sockets) {
      socket->Close();
      return;
    }
    ns3::Simulator::ScheduleNow([state, socket] {
      if (!state->open) {
        socket->Close();
        return;
      }
      state->host->when_running([state, socket] {
        if (state->open) {
          state->accept(std::make_unique<Ns3Stream>(*state->host, socket));
        } else {
          socket->Close();
        }
      });
    });
  }

  Ns3Host& host_;
  ns3::Ptr<ns3::Socket> socket_;
  Endpoint bound_;
  std::shared_ptr<State> state_;
};

class Ns3Udp final : public UdpSocket {
 public:
  Ns3Udp(Ns3Host& host, const ns3::Ptr<ns3::Socket>& socket, UdpHandler& handler)
      : host_(host), socket_(socket), bound_(local()), alive_(std::make_shared<bool>(true)) {
    ++host_.sockets_;
    socket_->SetRecvCallback(
        ns3::Callback<void, ns3::Ptr<ns3::Socket>>([this, alive = alive_, &handler](ns3::Ptr<ns3::Socket>) {
          if (*alive) host_.when_running([this, alive, &handler] { turn(alive, handler); });
        }));
  }
  ~Ns3Udp() override {
    *alive_ = false;
    socket_->Close();
    host_.network_.unbind(host_.machine_, Network::Transport::udp, bound_);
    --host_.sockets_;
  }
  bool send_to(Endpoint remote, Bytes datagram) override {
    const auto packet = ns3::Create<ns3::Packet>(datagram.data(), static_cast<uint32_t>(datagram.size()));
    if (socket_->SendTo(packet, 0, to_ns3(remote)) < 0) return false;
    if (TrafficLog* const log = host_.network_.traffic_log) {
      const Endpoint from{*host_.network_.address(host_.machine_), bound_.port};
      log->steps.push_back({TrafficLog::Step::Kind::datagram, ns3_now() - run_start, from, remote,
                            static_cast<uint32_t>(datagram.size())});
    }
    return true;
  }
  Endpoint local() const override { return local_of(*socket_); }

 private:
  // What the handler wants done at once is done in the same turn of the loop, without asking ns-3. The
  // network never delivers from inside a send, so nothing of the process is under way here.
  void turn(const std::shared_ptr<bool>& alive, UdpHandler& handler) {
    Ns3Host& host = host_;
    const auto host_alive = host.alive_;
    const bool outermost = !std::exchange(host.in_turn_, true);
    receive(alive, handler);
    if (*host_alive && !host.dead_ && outermost) host.end_turn();
  }

  void receive(const std::shared_ptr<bool>& alive, UdpHandler& handler) {
    while (*alive) {
      ns3::Address from;
      const ns3::Ptr<ns3::Packet> packet = socket_->RecvFrom(from);
      if (!packet) return;
      std::vector<uint8_t> bytes(packet->GetSize());
      packet->CopyData(bytes.data(), packet->GetSize());
      const auto inet = ns3::InetSocketAddress::ConvertFrom(from);
      handler.on_datagram({Ipv4{inet.GetIpv4().Get()}, inet.GetPort()}, bytes);
    }
  }

  Ns3Host& host_;
  ns3::Ptr<ns3::Socket> socket_;
  Endpoint bound_;
  std::shared_ptr<bool> alive_;
};

Ns3Host::Ns3Host(Network& network, std::string process, const std::string& machine, Options options, Recorder recorder)
    : network_(network),
      process_(std::move(process)),
      machine_(machine),
      node_(network.node(machine)),
      options_(std::move(options)),
      recorder_(std::move(recorder)),
      secrets_(options_.seed, process_, "secret") {}

Ns3Host::~Ns3Host() {
  kill();
  *alive_ = false;
}

Time Ns3Host::now() const {
  return ns3_now();
}

TimerId Ns3Host::start_timer(Duration delay, std::function<void()> fn) {
  const TimerId id = timers_.add(now() + std::max(delay, Duration::zero()), std::move(fn));
  arm();
  return id;
}

void Ns3Host::cancel_timer(TimerId id) {
  timers_.cancel(id);
}

// What waits in ns-3 is never taken back but for a kill: a later event that has become idle costs less
// than one that is cancelled and asked for again with every packet.
void Ns3Host::arm() {
  if (in_turn_ || frozen_ || dead_) return;
  const auto at = timers_.next();
  if (!at || (!armed_.empty() && armed_.back().at <= *at)) return;
  assert(*at >= now());
  armed_.push_back({*at, ns3::Simulator::Schedule(ns3_delay(*at - now()), [this] {
                      armed_.pop_back();  // the soonest
                      run_due();
                    })});
}

void Ns3Host::run_due() {
  if (frozen_ || dead_) return;
  const auto alive = alive_;
  in_turn_ = true;
  const Time now = this->now();
  for (auto due = timers_.next(); !frozen_ && due && *due <= now; due = timers_.next()) {
    const auto fn = timers_.take();
    fn();
    if (!*alive || dead_) return;
  }
  in_turn_ = false;
  arm();
}

void Ns3Host::end_turn() {
  in_turn_ = false;
  run_due();
}

RandomStream& Ns3Host::random(std::string_view stream_name) {
  const auto found = streams_.find(stream_name);
  if (found != streams_.end()) return found->second;
  return streams_.emplace(stream_name, RandomStream(options_.seed, process_, stream_name)).first->second;
}

// Secrets are drawn from the seed too: nothing observable depends on them, and a run stays
// repeatable to the last byte of its capture files. They protect nobody in a simulation.
void Ns3Host::fill_secret(std::span<uint8_t> out) {
  secrets_.fill(out);
}

tl::expected<std::unique_ptr<UdpSocket>, NetError> Ns3Host::open_udp(Endpoint local, UdpHandler& handler) {
  if (sockets_ >= max_sockets) return tl::unexpected(NetError::limit);
  const auto socket = ns3::Socket::CreateSocket(node_, ns3::UdpSocketFactory::GetTypeId());
  if (!bind(*socket, Network::Transport::udp, local)) return tl::unexpected(NetError::address_in_use);
  return std::make_unique<Ns3Udp>(*this, socket, handler);
}

tl::expected<std::unique_ptr<TcpListener>, NetError> Ns3Host::listen_tcp(Endpoint local, AcceptHandler accept) {
  if (sockets_ >= max_sockets) return tl::unexpected(NetError::limit);
  const auto socket = ns3::Socket::CreateSocket(node_, ns3::TcpSocketFactory::GetTypeId());
  if (!bind(*socket, Network::Transport::tcp, local) || socket->Listen() != 0) {
    return tl::unexpected(NetError::address_in_use);
  }
  return std::make_unique<Ns3Listener>(*this, socket, std::move(accept));
}

bool Ns3Host::bind(ns3::Socket& socket, Network::Transport transport, Endpoint local) {
  if (socket.Bind(to_ns3(local)) != 0) return false;
  if (network_.bind(machine_, transport, local_of(socket))) return true;
  socket.Close();
  return false;
}

std::unique_ptr<ByteStream> Ns3Host::connect_tcp(Endpoint remote, StreamHandler& handler) {
  return std::make_unique<Ns3Stream>(*this, remote, handler);
}

void Ns3Host::lookup(std::string_view host_name, LookupHandler done) {
  std::optional<Ipv4> address = host_name == "localhost" ? loopback_address : Ipv4::parse(host_name);
  if (!address) address = network_.address(std::string(host_name));
  start_timer(Duration::zero(), [address, done = std::move(done)] {
    if (address) {
      done(std::vector{*address});
    } else {
      done(tl::unexpected(NetError::not_found));
    }
  });
}

void Ns3Host::record(Event event) {
  if (recorder_ && wants(event.kind)) recorder_(now(), process_, event);
}

bool Ns3Host::wants(std::string_view kind) const {
  return options_.quiet_kinds.empty() || !options_.quiet_kinds.contains(std::string(kind));
}

void Ns3Host::freeze() {
  frozen_ = true;
}

void Ns3Host::thaw() {
  if (!std::exchange(frozen_, false)) return;
  const auto alive = alive_;
  // A poll after SIGCONT finds the sockets ready and the timers due; sockets come first, so that a
  // process does not blame its peers for its own absence (facts, OTP: "SIGSTOP").
  in_turn_ = true;
  auto calls = std::exchange(held_calls_, {});
  for (auto next = calls.begin(); next != calls.end() && !frozen_;) {
    (*next++)();
    if (!*alive || dead_) return;
    if (!frozen_) continue;
    // Frozen again by what it heard: the rest goes on waiting, before what has come since.
    held_calls_.insert(held_calls_.begin(), std::make_move_iterator(next), std::make_move_iterator(calls.end()));
  }
  end_turn();
}

void Ns3Host::kill() {
  dead_ = true;
  frozen_ = false;
  for (Armed& armed : armed_) armed.event.Cancel();  // never Remove: slow on the scheduler we use
  armed_.clear();
  timers_.clear();
  held_calls_.clear();
}

}  // namespace distlab::sim
