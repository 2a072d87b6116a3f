#include "real/daemon/daemon_host.h"

#include <utility>

#include <openssl/rand.h>

namespace distlab::daemon {
namespace {

// The seed of all that shapes behaviour: no two daemons, and no two lives of one, act alike.
uint64_t fresh_seed() {
  uint64_t seed = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&seed), sizeof seed) != 1) std::abort();
  return seed;
}

Duration since_new_year() {
  constexpr std::chrono::sys_days new_year{std::chrono::year{2026} / 1 / 1};
  // A machine without a date believes in 1970; a time before run_start would confuse models more.
  return std::max<Duration>(std::chrono::system_clock::now() - new_year, Duration::zero());
}

real::AsioHostOptions inner_options(const DaemonHostOptions& options) {
  real::AsioHostOptions out;
  out.name = options.name;
  out.seed = fresh_seed();
  out.hosts = options.hosts;
  out.join_datagrams = true;
  return out;
}

constexpr std::string_view kind_names[packet_kinds] = {"initial",       "0rtt",  "handshake", "retry",
                                                       "other_version", "short", "not_quic"};

}  // namespace

std::string_view to_string(PacketKind kind) {
  return kind_names[size_t(kind)];
}

PacketKind packet_kind(Bytes datagram) {
  constexpr uint8_t long_header = 0x80;
  constexpr size_t shortest = 21;  // of a short header's packet that means anything, section 10.3
  if (datagram.empty()) return PacketKind::not_quic;
  if ((datagram[0] & long_header) == 0) {
    return datagram.size() >= shortest ? PacketKind::short_header : PacketKind::not_quic;
  }
  if (datagram.size() < 7) return PacketKind::not_quic;
  const uint32_t version =
      uint32_t{datagram[1]} << 24 | uint32_t{datagram[2]} << 16 | uint32_t{datagram[3]} << 8 | uint32_t{datagram[4]};
  if (version != 1) return PacketKind::other_version;
  constexpr PacketKind by_type[] = {PacketKind::initial, PacketKind::zero_rtt, PacketKind::handshake,
                                    PacketKind::retry};
  return by_type[datagram[0] >> 4 & 3];
}

class DaemonHost::CountedSocket final : public UdpSocket, private UdpHandler {
 public:
  CountedSocket(DaemonHost& host, UdpHandler& handler) : host_(host), handler_(handler) {}

  tl::expected<void, NetError> open(Endpoint local) {
    auto opened = host_.inner_.open_udp(local, *this);
    if (!opened) return tl::unexpected(opened.error());
    socket_ = std::move(*opened);
    return {};
  }
  bool send_to(Endpoint remote, Bytes datagram) override {
    auto& way = host_.counters_.out[size_t(packet_kind(datagram))];
    ++way.datagrams;
    way.bytes += datagram.size();
    const bool sent = socket_->send_to(remote, datagram);
    if (!sent) ++host_.counters_.unsent;
    return sent;
  }
  Endpoint local() const override { return socket_->local(); }

 private:
  void on_datagram(Endpoint remote, Bytes datagram) override {
    const PacketKind kind = packet_kind(datagram);
    auto& way = host_.counters_.in[size_t(kind)];
    ++way.datagrams;
    way.bytes += datagram.size();
    const bool foreign = kind == PacketKind::not_quic || kind == PacketKind::other_version;
    if (foreign && host_.options_.on_foreign) host_.options_.on_foreign(remote, kind, datagram.size());
    handler_.on_datagram(remote, datagram);
  }
  void on_burst() override { handler_.on_burst(); }
  void on_burst_end() override { handler_.on_burst_end(); }

  DaemonHost& host_;
  UdpHandler& handler_;
  std::unique_ptr<UdpSocket> socket_;
};

DaemonHost::DaemonHost(real::AsioLoop& loop, DaemonHostOptions options)
    : options_(std::move(options)), since_new_year_(since_new_year()), inner_(loop, inner_options(options_)) {}

DaemonHost::~DaemonHost() = default;

Endpoint DaemonHost::placed(Endpoint local) const {
  return options_.listen && local.address == any_address ? Endpoint{*options_.listen, local.port} : local;
}

TimerId DaemonHost::start_timer(Duration delay, std::function<void()> fn) {
  return inner_.start_timer(delay, std::move(fn));
}

tl::expected<std::unique_ptr<UdpSocket>, NetError> DaemonHost::open_udp(Endpoint local, UdpHandler& handler) {
  auto socket = std::make_unique<CountedSocket>(*this, handler);
  if (const auto opened = socket->open(placed(local)); !opened) {
    failure_ = opened.error();
    return tl::unexpected(opened.error());
  }
  last_udp_ = socket->local();
  return socket;
}

tl::expected<std::unique_ptr<TcpListener>, NetError> DaemonHost::listen_tcp(Endpoint local, AcceptHandler accept) {
  return inner_.listen_tcp(placed(local), std::move(accept));
}

std::unique_ptr<ByteStream> DaemonHost::connect_tcp(Endpoint remote, StreamHandler& handler) {
  return inner_.connect_tcp(remote, handler);
}

void DaemonHost::lookup(std::string_view host_name, LookupHandler done) {
  inner_.lookup(host_name, std::move(done));
}

void DaemonHost::record(Event event) {
  if (options_.record) options_.record(now(), event);
}

bool DaemonHost::wants(std::string_view kind) const {
  return options_.wants && options_.wants(kind);
}

}  // namespace distlab::daemon
