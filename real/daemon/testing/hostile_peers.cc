// Hostile traffic against a relay until SIGTERM: what soak.py stirs it with.
//
// usage: hostile_peers ADDRESS PORT PER_SECOND
//
// Every 1/PER_SECOND somebody does one thing of those below, and a few datagrams of garbage go with it. At the end one
// line of JSON on standard output counts what was done.
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <exception>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "models/host/random.h"
#include "real/asio_impl.h"
#include "real/daemon/testing/peer.h"

namespace distlab::daemon {
namespace {

using namespace std::chrono_literals;
using testing::Machine;
using testing::Peer;

constexpr size_t names = 20;          // identities that come and go
constexpr size_t garbage_a_deed = 5;  // datagrams

class Nobody final : public UdpHandler {
  void on_datagram(Endpoint, Bytes) override {}
};

class HostilePeers {
 public:
  HostilePeers(real::AsioLoop& loop, Endpoint relay, Duration pause)
      : relay_(relay),
        pause_(pause),
        machines_{{{loop, Ipv4{0x7f000042}}, {loop, Ipv4{0x7f000043}}}},
        garbage_(machines_[0].host.open_udp({any_address, 0}, nobody_).value()),
        timer_(machines_[0].host),
        deaf_timer_(machines_[0].host) {
    next();
  }
  std::string report() const {
    std::string out;
    for (const auto& [name, count] : done_) out += fmt::format("{}\"{}\": {}", out.empty() ? "" : ", ", name, count);
    return "{" + out + "}";
  }

 private:
  struct Deed {
    std::string_view name;
    Duration life;  // then it vanishes without a word, if it has not left by itself
    void (HostilePeers::*when_up)(Peer&);
    const char* alpn = "macula";
  };
  // A life of nothing is half a handshake: its first packets leave, and nobody hears the answer.
  static const Deed& deed(RandomStream& chance) {
    static constexpr std::array<Deed, 9> deeds{{
        {"half_open", 0ms, nullptr},
        {"silent", 2s, nullptr},
        {"other_protocol", 2s, nullptr, "other"},
        {"foreign_realm", 2s, &HostilePeers::foreign_realm},
        {"malformed", 2s, &HostilePeers::malformed},
        {"leaves_at_once", 2s, &HostilePeers::leaves},
        {"greedy", 3s, &HostilePeers::greedy},
        {"visitor", 4s, &HostilePeers::visitor},
        {"dies", 3s, &HostilePeers::dies},
    }};
    return deeds[chance.below(deeds.size())];
  }

  void next() {
    timer_.start(pause_, [this] {
      act();
      next();
    });
  }
  void act() {
    throw_garbage();
    Machine& machine = machines_[chance_.below(machines_.size())];
    const Time now = machine.host.now();
    bury(now);
    const Deed& drawn = deed(chance_);
    ++done_[drawn.name];
    auto peer = machine.make(relay_, drawn.alpn);
    if (drawn.when_up != nullptr) peer->when_up = [this, what = drawn.when_up](Peer& up) { (this->*what)(up); };
    living_.emplace(now + drawn.life, std::move(peer));
    deaf_timer_.start(0ms, [this, now] { bury(now); });  // behind the socket's own, which sends what was dialled
  }
  void bury(Time now) { living_.erase(living_.begin(), living_.upper_bound(now)); }
  void throw_garbage() {
    for (size_t i = 0; i < garbage_a_deed; ++i) {
      std::vector<uint8_t> datagram(i == 0 ? 1'300 : 6 + chance_.below(1'400));
      chance_.fill(datagram);
      const auto put = [&datagram](size_t at, std::initializer_list<uint8_t> bytes) {
        std::copy(bytes.begin(), bytes.end(), datagram.begin() + static_cast<ptrdiff_t>(at));
      };
      if (i % 2 == 0) put(0, {0xc3, 0, 0, 0, 1});  // as if of version 1
      // One is a client's first packet (RFC 9000 section 17.2.2) in all but that it does not decrypt: an id of 8 bytes,
      // none of its own, no token, and a length of 1282.
      if (i == 0) put(5, {8}), put(14, {0, 0, 0x45, 0x02});
      garbage_->send_to(relay_, datagram);
    }
  }

  std::string name() { return fmt::format("visitor{}@peer.test", chance_.below(names)); }
  void foreign_realm(Peer& peer) { peer.say(mesh::Connect{"io.foreign", name()}); }
  void malformed(Peer& peer) {
    std::vector<uint8_t> bytes(100);
    chance_.fill(bytes);
    peer.say(bytes);
  }
  void leaves(Peer& peer) { peer.connection->close(0, "never mind"); }
  void greedy(Peer& peer) {
    peer.say(mesh::Connect{"io.macula", name()});
    for (size_t i = 0; i < 50; ++i) peer.say(mesh::Subscribe{fmt::format("{}{}", std::string(i * 30, 'x'), i)});
    for (size_t i = 0; i < 50; ++i) peer.say(mesh::Advertise{fmt::format("p{}", i)});
    for (uint64_t i = 0; i < 100; ++i) peer.say(mesh::Call{i, fmt::format("p{}", i % 60), nullptr});
  }
  // Speaks and says goodbye.
  void visitor(Peer& peer) {
    dies(peer);
    peer.say(mesh::Disconnect{"done"});
  }
  // Speaks, and then is gone without a word.
  void dies(Peer& peer) {
    peer.say(mesh::Connect{"io.macula", name()});
    peer.say(mesh::Subscribe{"square"});
    const std::vector<uint8_t> payload(chance_.below(5'000));
    for (int i = 0; i < 10; ++i) peer.say(mesh::encode(mesh::Publish{"square", payload, {}}).bytes());
  }

  const Endpoint relay_;
  const Duration pause_;
  RandomStream chance_{1, "hostile", "deeds"};
  Nobody nobody_;
  std::array<Machine, 2> machines_;
  std::unique_ptr<UdpSocket> garbage_;
  std::multimap<Time, std::unique_ptr<Peer>> living_;
  std::map<std::string_view, uint64_t> done_;
  Timer timer_, deaf_timer_;
};

unsigned number(std::string_view text) {
  unsigned out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() ? out : 0;
}

int run(const std::vector<std::string>& arguments) {
  const bool complete = arguments.size() == 3;
  const auto address = complete ? Ipv4::parse(arguments[0]) : std::nullopt;
  const unsigned port = complete ? number(arguments[1]) : 0, per_second = complete ? number(arguments[2]) : 0;
  if (!address || port == 0 || port > 65535 || per_second == 0 || per_second > 1'000) {
    fmt::print(stderr, "usage: hostile_peers ADDRESS PORT PER_SECOND (at most 1000)\n");
    return 64;
  }
  real::AsioLoop loop;
  boost::asio::signal_set signals(loop.impl().io, SIGTERM, SIGINT);
  signals.async_wait([&loop](const auto& error, int) {
    if (!error) loop.stop();
  });
  HostilePeers peers(loop, {*address, static_cast<uint16_t>(port)}, Duration{1s} / per_second);
  loop.run();
  fmt::print("{}\n", peers.report());
  return 0;
}

}  // namespace
}  // namespace distlab::daemon

int main(int argc, char** argv) {
  try {
    return distlab::daemon::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    return 70;
  }
}
