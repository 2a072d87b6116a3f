#include "models/mesh/relay_link.h"

#include <utility>

namespace distlab::mesh {

RelayLink::RelayLink(Host& host, const ClientSettings& settings, const RelayAddress& relay, Handler& handler)
    : host_(host),
      settings_(settings),
      relay_(relay),
      handler_(&handler),
      reader_(settings.frame_bytes),
      failure_(host) {
  host_.lookup(relay_.host_name, [this, alive = std::weak_ptr<int>(alive_)](const auto& addresses) {
    if (!alive.expired() && handler_ != nullptr) looked_up(addresses);
  });
}

RelayLink::~RelayLink() = default;

void RelayLink::looked_up(const tl::expected<std::vector<Ipv4>, NetError>& addresses) {
  if (!addresses) return fail_later("lookup: " + std::string(to_string(addresses.error())));
  auto socket = quic::Socket::open(host_, {any_address, 0});
  if (!socket) return fail_later("socket: " + std::string(to_string(socket.error())));
  socket_ = std::move(*socket);
  quic::ClientSettings quic_settings;
  quic_settings.transport = settings_.transport;
  quic_settings.alpn = settings_.alpn;
  quic_settings.verify = settings_.tls_verify;
  quic_settings.server_name = relay_.host_name;
  quic_settings.credentials = settings_.credentials;
  if (settings_.qlog) quic_settings.qlog = settings_.qlog(relay_);
  connection_ = socket_->connect({addresses->front(), relay_.port}, std::move(quic_settings), *this);
}

void RelayLink::fail_later(std::string reason) {
  failure_.start(Duration::zero(), [this, reason = std::move(reason)] {
    if (handler_ != nullptr) std::exchange(handler_, nullptr)->on_link_failed(reason);
  });
}

size_t RelayLink::write(Bytes bytes) {
  return connection_ && stream_ ? connection_->write(*stream_, bytes) : 0;
}

void RelayLink::close(const std::string& reason) {
  if (std::exchange(handler_, nullptr) != nullptr && connection_) connection_->close(0, reason);
}

void RelayLink::on_connected() {
  if (handler_ == nullptr) return;
  const auto stream = connection_->open_stream();
  if (!stream) return fail_later("stream: " + stream.error());
  stream_ = *stream;
  handler_->on_link_open();
}

void RelayLink::on_stream_data(quic::StreamId stream, Bytes data, bool fin) {
  if (stream != stream_) return;
  const auto taken = reader_.push(data);
  const std::weak_ptr<int> alive = alive_;
  for (auto frame = reader_.next(); frame && handler_ != nullptr; frame = reader_.next()) {
    handler_->on_link_frame(std::move(*frame));
    if (alive.expired()) return;
  }
  if (handler_ == nullptr) return;
  if (!taken) {
    handler_->on_link_finished("malformed: " + std::string(to_string(taken.error())));
  } else if (fin) {
    handler_->on_link_finished("fin");
  }
}

void RelayLink::on_stream_writable(quic::StreamId stream) {
  if (stream == stream_ && handler_ != nullptr) handler_->on_link_writable();
}

void RelayLink::on_stream_reset(quic::StreamId stream, uint64_t) {
  if (stream == stream_ && handler_ != nullptr) handler_->on_link_finished("stream reset");
}

void RelayLink::on_ended(const quic::End& why) {
  if (handler_ != nullptr) std::exchange(handler_, nullptr)->on_link_failed(to_string(why));
}

}  // namespace distlab::mesh
