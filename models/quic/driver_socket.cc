#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "models/quic/driver.h"

namespace distlab::quic {
namespace {

template <size_t Size>
std::array<uint8_t, Size> secret_of(Host& host) {
  std::array<uint8_t, Size> secret{};
  host.fill_secret(secret);
  return secret;
}

std::vector<uint8_t> fresh_reset_key(Host& host) {
  const auto key = secret_of<32>(host);
  return {key.begin(), key.end()};
}

// Each connection draws from a stream of its own, and a peer cannot make the host keep them all.
RandomStream branch(RandomStream& random, const Host& host) {
  return {random.next(), host.name(), "quic connection"};
}

void add(SocketStats& sum, const ConnectionStats& one) {
  sum.packets_sent += one.packets_sent;
  sum.packets_received += one.packets_received;
  sum.packets_lost += one.packets_lost;
  sum.bytes_sent += one.bytes_sent;
  sum.bytes_received += one.bytes_received;
}

}  // namespace

tl::expected<std::unique_ptr<Socket>, NetError> Socket::open(Host& host, Endpoint local) {
  auto socket = std::make_unique<DriverSocket>(host, host.random("quic"));
  if (const auto bound = socket->bind(local); !bound) return tl::unexpected(bound.error());
  return socket;
}

std::string_view to_string(Shortage shortage) {
  switch (shortage) {
    case Shortage::connections:
      return "connections";
    case Shortage::handshakes:
      return "handshakes";
    case Shortage::handshakes_per_address:
      return "handshakes_per_address";
  }
  return "?";
}

// --- Port ---------------------------------------------------------------------------------------

tl::expected<std::unique_ptr<Port>, NetError> Port::open(DriverSocket& socket, Host& host, Endpoint local) {
  std::unique_ptr<Port> port(new Port(socket));
  auto udp = host.open_udp(local, *port);
  if (!udp) return tl::unexpected(udp.error());
  port->udp_ = std::move(*udp);
  port->local_ = port->udp_->local();
  return port;
}

void Port::on_datagram(Endpoint remote, Bytes datagram) {
  socket_.on_packet({local_, remote}, datagram);
}

void Port::on_burst() {
  socket_.begin_burst();
}

void Port::on_burst_end() {
  socket_.end_burst();
}

// --- DriverSocket -------------------------------------------------------------------------------

DriverSocket::DriverSocket(Host& host, RandomStream& random)
    : host_(host),
      random_(random),
      doorkeeper_(branch(random, host), secret_of<32>(host), fresh_reset_key(host)),
      flush_timer_(host) {}

DriverSocket::~DriverSocket() {
  handshaking_.clear();
  assert(live_.empty() && "connections must be destroyed before their socket");
}

tl::expected<void, NetError> DriverSocket::bind(Endpoint local) {
  auto port = Port::open(*this, host_, local);
  if (!port) return tl::unexpected(port.error());
  port_ = std::move(*port);
  return {};
}

std::unique_ptr<Connection> DriverSocket::connect(Endpoint remote, ClientSettings settings,
                                                  ConnectionHandler& handler) {
  const Path path{local(), remote};
  auto connection = std::make_unique<DriverConnection>(*this, path, next_number_++, false);
  const auto date = settings.date_at_start + std::chrono::floor<std::chrono::seconds>(host_.now() - run_start);
  connection->begin(config(settings.transport, path, std::move(settings.qlog)),
                    TlsSession::Client{std::move(settings.alpn), settings.verify, std::move(settings.server_name),
                                       std::move(settings.credentials), date},
                    handler);
  return connection;
}

void DriverSocket::listen(ServerSettings settings, Accepted accepted) {
  if (!settings.reset_key.empty()) doorkeeper_.set_reset_key(settings.reset_key);
  server_ = std::move(settings);
  accepted_ = std::move(accepted);
  listening_ = true;
}

EngineConfig DriverSocket::config(const TransportSettings& transport, Path path, QlogWriter qlog) {
  return {transport, path, branch(random_, host_), std::move(qlog)};
}

// --- Packets ------------------------------------------------------------------------------------

void DriverSocket::on_packet(const Path& path, Bytes datagram) {
  const auto id = Doorkeeper::destination(datagram);
  if (id) {
    if (const auto route = routes_.find(*id); route != routes_.end()) return route->second->receive(path, datagram);
  }
  if (datagram.size() >= reset_token_size && (datagram[0] & 0x80) == 0) {  // its id says nothing: RFC 9000 10.3
    ResetToken token{};
    std::copy_n(datagram.end() - reset_token_size, reset_token_size, token.begin());
    if (const auto found = resets_.find(token); found != resets_.end()) return found->second->receive(path, datagram);
  }
  if (id) {
    const Lingering::Found found = lingering_.packet_for(host_.now(), *id);
    if (found.answer != nullptr) port_->send(found.answer->path.remote, found.answer->close_packet);
    if (found.known) return;
  }
  const auto verdict = doorkeeper_.judge(host_.now(), path.remote, datagram, listening_, server_.validate_address);
  if (const auto* answer = std::get_if<Doorkeeper::Answer>(&verdict); answer != nullptr && !answer->empty()) {
    port_->send(path.remote, *answer);
  } else if (const auto* admission = std::get_if<Admission>(&verdict)) {
    admit(path, datagram, *admission);
  }
}

void DriverSocket::admit(const Path& path, Bytes datagram, const Admission& admission) {
  const Ipv4 client = path.remote.address;
  if (const auto lacking = shortage(client)) {
    if (*lacking == Shortage::connections) port_->send(path.remote, Doorkeeper::refusal(admission));
    return reject({path.remote, *lacking});
  }
  const uint64_t number = next_number_++;
  QlogWriter qlog;
  if (server_.qlog) qlog = server_.qlog(admission.original_id.value_or(admission.first_id).to_hex());
  auto made = std::make_unique<DriverConnection>(*this, path, number, true);
  DriverConnection& connection = *made;
  handshaking_.emplace(number, std::move(made));
  ++handshakes_of_[client];
  const bool begun = connection.begin(config(server_.transport, path, std::move(qlog)),
                                      TlsSession::Server{server_.alpn, server_.credentials}, admission);
  if (!begun) return connection.settle();
  connection.receive(path, datagram);
}

std::optional<Shortage> DriverSocket::shortage(Ipv4 client) const {
  if (live_servers_ >= server_.max_connections) return Shortage::connections;
  if (handshaking_.size() >= server_.max_handshakes) return Shortage::handshakes;
  const auto many = handshakes_of_.find(client);
  if (many == handshakes_of_.end() || many->second < server_.max_handshakes_per_address) return {};
  return Shortage::handshakes_per_address;
}

void DriverSocket::reject(const Rejection& rejection) {
  const auto rejected = server_.rejected;  // it may destroy this socket
  if (rejected) rejected(rejection);
}

std::span<uint8_t> DriverSocket::buffer(size_t size) {
  if (buffer_.size() < size) buffer_.resize(size);
  return buffer_;
}

// --- Connections --------------------------------------------------------------------------------

void DriverSocket::schedule(DriverConnection& connection) {
  connection.scheduled = true;
  scheduled_.push_back(&connection);
  if (!in_burst_ && !flush_timer_.running()) flush_timer_.start(Duration{0}, [this] { run_scheduled(); });
}

// What connections make each other send must come to an end: others want their turn, too.
void DriverSocket::end_burst() {
  constexpr int passes = 4;
  Lifeline::Watch watch(lifeline_);
  for (int i = 0; i < passes && !scheduled_.empty(); ++i) {
    run_scheduled();
    if (watch.gone()) return;
  }
  in_burst_ = false;
  if (!scheduled_.empty() && !flush_timer_.running()) flush_timer_.start(Duration{0}, [this] { run_scheduled(); });
}

void DriverSocket::unschedule(DriverConnection& connection) {
  connection.scheduled = false;
  std::replace(scheduled_.begin(), scheduled_.end(), &connection, static_cast<DriverConnection*>(nullptr));
  std::replace(running_.begin(), running_.end(), &connection, static_cast<DriverConnection*>(nullptr));
}

void DriverSocket::run_scheduled() {
  Lifeline::Watch watch(lifeline_);
  running_.swap(scheduled_);
  for (size_t i = 0; i < running_.size(); ++i) {
    DriverConnection* connection = std::exchange(running_[i], nullptr);
    if (connection == nullptr) continue;
    connection->scheduled = false;
    connection->settle();
    if (watch.gone()) return;
  }
  running_.clear();
}

void DriverSocket::unroute(const ConnectionId& id, const DriverConnection& connection) {
  const auto found = routes_.find(id);
  if (found != routes_.end() && found->second == &connection) routes_.erase(found);
}

void DriverSocket::forget_reset(const ResetToken& token, const DriverConnection& connection) {
  const auto found = resets_.find(token);
  if (found != resets_.end() && found->second == &connection) resets_.erase(found);
}

void DriverSocket::born(const DriverConnection& connection) {
  live_.emplace(connection.number(), &connection);
  if (connection.server()) ++live_servers_;
}

void DriverSocket::died(const DriverConnection& connection, Remains remains, std::span<const ConnectionId> ids) {
  live_.erase(connection.number());
  if (connection.server()) --live_servers_;
  add(ended_, connection.stats());
  lingering_.add(host_.now(), std::move(remains), ids);
}

std::unique_ptr<DriverConnection> DriverSocket::take_handshaking(const DriverConnection& connection) {
  auto node = handshaking_.extract(connection.number());
  if (node.empty()) return nullptr;
  const auto count = handshakes_of_.find(connection.first_address());
  if (--count->second == 0) handshakes_of_.erase(count);
  return std::move(node.mapped());
}

void DriverSocket::hand_over(DriverConnection& connection) {
  auto complete = take_handshaking(connection);
  const Accepted accepted = accepted_;  // listen() may be called again from inside
  accepted(std::move(complete));
}

void DriverSocket::drop(DriverConnection& connection, const End& why) {
  const Endpoint remote = connection.remote();
  const bool handshaking = take_handshaking(connection) != nullptr;
  if (handshaking) reject({remote, why});  // else it was accepted, and its owner does not care
}

SocketStats DriverSocket::stats() const {
  SocketStats sum = ended_;
  sum.connections = live_.size();
  sum.handshakes = handshaking_.size();
  for (const auto& [number, connection] : live_) add(sum, connection->stats());
  return sum;
}

}  // namespace distlab::quic
