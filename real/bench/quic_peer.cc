#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "models/host/host.h"
#include "models/quic/credentials.h"
#include "models/quic/socket.h"
#include "real/asio_host.h"
#include "real/bench/host_options.h"
#include "real/bench/peer_process.h"

namespace distlab::bench {
namespace {

constexpr const char* alpn = "bench";
constexpr size_t dialling_at_once = 32;

// Writes to a stream; what it does not take waits here.
class Writer {
 public:
  void write(quic::Connection& connection, quic::StreamId stream, Bytes data) {
    size_t taken = 0;
    if (waiting_.empty()) taken = connection.write(stream, data);
    waiting_.insert(waiting_.end(), data.begin() + static_cast<ptrdiff_t>(taken), data.end());
  }
  void on_writable(quic::Connection& connection, quic::StreamId stream) {
    const size_t taken = connection.write(stream, waiting_);
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(taken));
  }

 private:
  std::vector<uint8_t> waiting_;
};

// One side of a pair at the forwarder.
class Leg final : public quic::ConnectionHandler {
 public:
  explicit Leg(std::unique_ptr<quic::Connection> connection) : connection_(std::move(connection)) {
    connection_->set_handler(*this);
  }
  static void join(Leg& a, Leg& b) {
    a.partner_ = &b;
    b.partner_ = &a;
    a.pass_early();
    b.pass_early();
  }

 private:
  void on_stream_opened(quic::StreamId stream) override {
    stream_ = stream;
    if (partner_ != nullptr) partner_->pass_early();
  }
  void on_stream_data(quic::StreamId, Bytes data, bool) override {
    if (partner_ == nullptr || partner_->stream_ < 0 || !early_.empty()) {
      early_.insert(early_.end(), data.begin(), data.end());
    } else {
      partner_->writer_.write(*partner_->connection_, partner_->stream_, data);
    }
  }
  void on_stream_writable(quic::StreamId stream) override { writer_.on_writable(*connection_, stream); }
  void on_ended(const quic::End&) override {}

  // What came before the partner had a stream.
  void pass_early() {
    if (partner_ == nullptr || partner_->stream_ < 0 || early_.empty()) return;
    partner_->writer_.write(*partner_->connection_, partner_->stream_, std::exchange(early_, {}));
  }

  std::unique_ptr<quic::Connection> connection_;
  Leg* partner_ = nullptr;
  quic::StreamId stream_ = -1;
  Writer writer_;
  std::vector<uint8_t> early_;
};

struct Header {
  uint64_t connection;  // of the sender
  uint64_t number;      // of its messages, from 1
};

class Client;

class Clients {
 public:
  Clients(Host& host, PeerCounts& counts, const PeerSettings& settings);
  ~Clients();
  void dial();
  void arrived(const Header& header, uint64_t& expected);
  void up() {
    --dialling_;
    dial();
  }
  const PeerSettings& settings() const { return settings_; }

 private:
  const PeerSettings settings_;
  PeerCounts& counts_;
  Host& host_;
  size_t dialling_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
};

// One connection of the sending process, on a UDP socket of its own as every mesh client has one.
class Client final : public quic::ConnectionHandler {
 public:
  Client(Host& host, uint16_t port, Clients& owner, size_t number)
      : owner_(owner), number_(number), message_(owner.settings().bytes) {
    socket_ = quic::Socket::open(host, {any_address, 0}).value();
    quic::ClientSettings settings;
    settings.alpn = alpn;
    settings.server_name = "localhost";
    connection_ = socket_->connect({loopback_address, port}, std::move(settings), *this);
  }
  void fill() {
    for (; under_way_ < owner_.settings().window; ++under_way_) {
      const Header header{number_, ++sent_};
      std::memcpy(message_.data(), &header, sizeof header);
      writer_.write(*connection_, stream_, message_);
    }
  }
  void one_arrived() {
    --under_way_;
    fill();
  }

 private:
  void on_connected() override {
    stream_ = connection_->open_stream().value();
    fill();
    owner_.up();
  }
  void on_stream_data(quic::StreamId, Bytes data, bool) override {
    while (!data.empty()) {
      const Bytes piece = data.first(std::min(data.size(), message_.size() - partial_.size()));
      partial_.insert(partial_.end(), piece.begin(), piece.end());
      data = data.subspan(piece.size());
      if (partial_.size() < message_.size()) return;
      Header header{};
      std::memcpy(&header, partial_.data(), sizeof header);
      partial_.clear();
      owner_.arrived(header, expected_);
    }
  }
  void on_stream_writable(quic::StreamId stream) override { writer_.on_writable(*connection_, stream); }
  void on_ended(const quic::End&) override {}

  Clients& owner_;
  const uint64_t number_;
  std::vector<uint8_t> message_, partial_;
  std::unique_ptr<quic::Socket> socket_;
  std::unique_ptr<quic::Connection> connection_;
  quic::StreamId stream_ = -1;
  Writer writer_;
  uint64_t sent_ = 0, under_way_ = 0, expected_ = 1;
};

Clients::Clients(Host& host, PeerCounts& counts, const PeerSettings& settings)
    : settings_(settings), counts_(counts), host_(host) {}

Clients::~Clients() = default;

void Clients::dial() {
  for (; clients_.size() < settings_.connections && dialling_ < dialling_at_once; ++dialling_)
    clients_.push_back(
        std::make_unique<Client>(host_, static_cast<uint16_t>(counts_.port.load()), *this, clients_.size()));
}

void Clients::arrived(const Header& header, uint64_t& expected) {
  if (header.number != expected || header.connection >= clients_.size()) {
    ++counts_.missing;
    return;
  }
  ++expected;
  ++counts_.received;
  clients_[header.connection]->one_arrived();
}

}  // namespace

int run_quic_forwarder(Board& board, const PeerSettings& settings) {
  real::AsioLoop loop;
  real::AsioHost host(loop, host_options("forwarder"));
  quic::Secret secret;
  host.fill_secret(secret);
  auto socket = quic::Socket::open(host, {any_address, 0});
  if (!socket) return 1;
  std::vector<std::unique_ptr<Leg>> legs;
  quic::ServerSettings server;
  server.alpn = alpn;
  server.credentials = quic::ServerCredentials::load(quic::self_signed({"localhost", {"localhost"}}, secret)).value();
  server.max_connections = settings.connections;
  (*socket)->listen(std::move(server), [&](std::unique_ptr<quic::Connection> connection) {
    legs.push_back(std::make_unique<Leg>(std::move(connection)));
    if (legs.size() % 2 == 0) Leg::join(*legs[legs.size() - 2], *legs.back());
  });
  board.peer.port = (*socket)->local().port;
  loop.run();
  return 0;
}

int run_quic_sender(Board& board, const PeerSettings& settings) {
  real::AsioLoop loop;
  real::AsioHost host(loop, host_options("sender"));
  Clients clients(host, board.peer, settings);
  clients.dial();
  loop.run();
  return 0;
}

}  // namespace distlab::bench
