// The host of a daemon: an AsioHost whose clock knows the date, whose listening sockets have an address,
// whose datagrams are counted, and whose events go where the daemon wants them.
//
// The date: models take the time since `run_start` for the time since the first of January 2026
// (quic::ClientSettings::date_at_start), by which they judge certificates. So this clock begins as far after
// run_start as the machine's date is after that day; from then on it is the steady clock.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "models/host/host.h"
#include "real/asio_host.h"

namespace distlab::daemon {

// What a datagram looks like from outside (RFC 9000 section 17). The fixed bit says nothing: peers may grease
// it (RFC 9287).
enum class PacketKind { initial, zero_rtt, handshake, retry, other_version, short_header, not_quic };
inline constexpr size_t packet_kinds = 7;
std::string_view to_string(PacketKind kind);
PacketKind packet_kind(Bytes datagram);

struct DatagramCounters {
  struct Way {
    uint64_t datagrams = 0, bytes = 0;
  };
  std::array<Way, packet_kinds> in{}, out{};
  uint64_t unsent = 0;  // the kernel's buffer was full
};

struct DaemonHostOptions {
  std::string name;
  std::optional<Ipv4> listen;  // where sockets are that a model opens on any_address
  std::map<std::string, std::vector<Ipv4>> hosts = {};
  std::function<void(Time, const Event&)> record;
  std::function<bool(std::string_view kind)> wants;
  // A datagram came from there that is no QUIC, or none of a version we speak.
  std::function<void(Endpoint from, PacketKind kind, size_t bytes)> on_foreign = {};
};

class DaemonHost final : public Host {
 public:
  DaemonHost(real::AsioLoop& loop, DaemonHostOptions options);
  ~DaemonHost() override;
  DaemonHost(const DaemonHost&) = delete;
  DaemonHost& operator=(const DaemonHost&) = delete;

  const DatagramCounters& datagrams() const { return counters_; }
  // Of the last socket that could not be opened.
  std::optional<NetError> failure() const { return failure_; }
  Endpoint last_udp() const { return last_udp_; }  // the last socket that could

  Time now() const override { return inner_.now() + since_new_year_; }
  TimerId start_timer(Duration delay, std::function<void()> fn) override;
  void cancel_timer(TimerId id) override { inner_.cancel_timer(id); }
  RandomStream& random(std::string_view stream_name) override { return inner_.random(stream_name); }
  void fill_secret(std::span<uint8_t> out) override { inner_.fill_secret(out); }
  tl::expected<std::unique_ptr<UdpSocket>, NetError> open_udp(Endpoint local, UdpHandler& handler) override;
  tl::expected<std::unique_ptr<TcpListener>, NetError> listen_tcp(Endpoint local, AcceptHandler accept) override;
  std::unique_ptr<ByteStream> connect_tcp(Endpoint remote, StreamHandler& handler) override;
  void lookup(std::string_view host_name, LookupHandler done) override;
  void record(Event event) override;
  bool wants(std::string_view kind) const override;
  const std::string& name() const override { return inner_.name(); }

 private:
  class CountedSocket;
  Endpoint placed(Endpoint local) const;

  const DaemonHostOptions options_;
  const Duration since_new_year_;
  DatagramCounters counters_;
  std::optional<NetError> failure_;
  Endpoint last_udp_;
  real::AsioHost inner_;
};

}  // namespace distlab::daemon
