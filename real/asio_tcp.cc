// TCP of AsioHost.
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include "real/asio_impl.h"

namespace distlab::real {
namespace {

using asio::ip::tcp;
using BindAddressNoPort = asio::detail::socket_option::boolean<IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT>;

constexpr Duration accept_retry = std::chrono::milliseconds{100};

class AsioStream final : public ByteStream {
 public:
  explicit AsioStream(std::shared_ptr<AsioConnection> connection) : connection_(std::move(connection)) {}
  // Closing can throw only for want of memory.
  // NOLINTNEXTLINE(bugprone-exception-escape)
  ~AsioStream() override { connection_->close(); }
  void set_handler(StreamHandler& handler) override { connection_->set_handler(handler); }
  size_t write(Bytes data) override { return connection_->write(data); }
  void set_reading(bool on) override { connection_->set_reading(on); }
  void set_nodelay(bool on) override { connection_->set_nodelay(on); }
  void close() override { connection_->close(); }
  void abort() override { connection_->abort(); }
  Endpoint local() const override { return connection_->local(); }
  Endpoint remote() const override { return connection_->remote(); }

 private:
  std::shared_ptr<AsioConnection> connection_;
};

class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(AsioLoop::Impl& loop, const AsioHostOptions& options, AcceptHandler accept)
      : loop_(loop), options_(options), acceptor_(loop.io), retry_(loop.io), accept_(std::move(accept)) {}

  error_code open(Endpoint local) {
    const auto at = to_asio<tcp::endpoint>(local);
    error_code error;
    acceptor_.open(tcp::v4(), error);
    // As inet_tcp_dist does; without it a restarted node waits out the old connections.
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(at, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    if (!error) local_ = from_asio(acceptor_.local_endpoint(error));
    if (!error) next();
    return error;
  }
  void close() {
    error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel(ignored);
  }
  Endpoint local() const { return local_; }

 private:
  void next() {
    auto connection = std::make_shared<AsioConnection>(loop_, options_.send_buffer, options_.linger);
    acceptor_.async_accept(connection->socket(), [self = shared_from_this(), connection](const error_code& error) {
      if (!self->acceptor_.is_open()) return;
      if (error && error != asio::error::connection_aborted) return self->pause();
      self->next();
      if (error) return;
      connection->accepted();
      const auto accept = self->accept_;  // it may destroy the listener
      accept(std::make_unique<AsioStream>(connection));
    });
  }
  // Out of descriptors or memory: asking again at once would spin.
  void pause() {
    retry_.expires_after(accept_retry);
    retry_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error && self->acceptor_.is_open()) self->next();
    });
  }

  AsioLoop::Impl& loop_;
  const AsioHostOptions& options_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  AcceptHandler accept_;
  Endpoint local_;
};

class AsioListener final : public TcpListener {
 public:
  explicit AsioListener(std::shared_ptr<Acceptor> acceptor) : acceptor_(std::move(acceptor)) {}
  ~AsioListener() override { acceptor_->close(); }
  Endpoint local() const override { return acceptor_->local(); }

 private:
  std::shared_ptr<Acceptor> acceptor_;
};

}  // namespace

// --- Setting up -------------------------------------------------------------------------------

void AsioConnection::connect(Endpoint remote, std::optional<Ipv4> from, StreamHandler& handler) {
  remote_ = remote;
  handler_ = &handler;
  error_code error;
  socket_.open(tcp::v4(), error);
  if (!error && from && remote.address != loopback_address) {
    // The port is chosen at connect, per destination: else 28,000 connections exhaust the ports.
    socket_.set_option(BindAddressNoPort(true), error);
    if (!error) socket_.bind(to_asio<tcp::endpoint>({*from, 0}), error);
  }
  const auto done = [self = shared_from_this()](const error_code& outcome) {
    if (!self->owned_) return;
    if (outcome) return self->end(to_net_error(outcome));
    self->connected();
    self->flush();
    self->want_input();
    self->handler_->on_connected();
  };
  if (error) return asio::post(loop_.io, [done, error] { done(error); });
  socket_.async_connect(to_asio<tcp::endpoint>(remote), done);
}

void AsioConnection::accepted() {
  error_code error;
  remote_ = from_asio(socket_.remote_endpoint(error));
  connected();
}

void AsioConnection::connected() {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  open_ = true;
}

Endpoint AsioConnection::local() const {
  error_code error;
  const auto endpoint = socket_.local_endpoint(error);
  return error ? Endpoint{} : from_asio(endpoint);
}

void AsioConnection::set_handler(StreamHandler& handler) {
  if (!owned_ || told_end_) return;
  handler_ = &handler;
  want_input();
}

// --- Sending ----------------------------------------------------------------------------------

size_t AsioConnection::write(Bytes data) {
  if (!owned_ || told_end_ || write_error_) return 0;
  const size_t taken = std::min(data.size(), send_capacity_ - buffered());
  queued_.insert(queued_.end(), data.begin(), data.begin() + static_cast<ptrdiff_t>(taken));
  if (taken < data.size()) wants_room_ = true;
  flush();
  return taken;
}

void AsioConnection::flush() {
  if (!open_ || write_pending_) return;
  if (written_ == writing_.size()) {
    writing_.clear();
    written_ = 0;
    writing_.swap(queued_);
  }
  if (writing_.empty()) {
    if (!owned_) shut();
    return;
  }
  write_pending_ = true;
  socket_.async_write_some(asio::buffer(writing_.data() + written_, writing_.size() - written_),
                           [self = shared_from_this()](const error_code& error, size_t size) {
                             self->write_pending_ = false;
                             if (self->open_) self->wrote(error, size);
                           });
}

void AsioConnection::wrote(const error_code& error, size_t size) {
  if (error) {
    write_error_ = to_net_error(error);
    if (!owned_) return shut();
    // What the peer sent before may still be read; the reader then meets the end.
    if (!reading_) end(*write_error_);
    return;
  }
  written_ += size;
  flush();
  // A third must be free, as in the kernel (sk_stream_is_writeable).
  if (wants_room_ && handler_ && buffered() * 3 <= send_capacity_ * 2) {
    wants_room_ = false;
    handler_->on_writable();
  }
}

void AsioConnection::set_nodelay(bool on) {
  error_code ignored;
  socket_.set_option(tcp::no_delay(on), ignored);
}

// --- Receiving --------------------------------------------------------------------------------

void AsioConnection::set_reading(bool on) {
  reading_ = on;
  want_input();
  if (!on) watch_for_reset();
}

// Waits for readiness and reads then, so that what is not wanted stays in the kernel.
void AsioConnection::want_input() {
  if (!open_ || !owned_ || told_end_ || !reading_ || !handler_ || read_pending_) return;
  read_pending_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const error_code& error) {
    self->read_pending_ = false;
    if (!error && self->owned_ && self->reading_ && !self->told_end_) self->readable();
  });
}

void AsioConnection::readable() {
  error_code error;
  const size_t size = socket_.read_some(asio::buffer(loop_.input), error);
  if (error == asio::error::would_block) return want_input();
  if (error) return end(write_error_.value_or(to_net_error(error)));
  want_input();
  handler_->on_data(Bytes(loop_.input.data(), size));
}

// With reading off nothing else would notice that the connection is gone.
void AsioConnection::watch_for_reset() {
  if (!open_ || !owned_ || reset_watch_pending_) return;
  reset_watch_pending_ = true;
  socket_.async_wait(tcp::socket::wait_error, [self = shared_from_this()](const error_code& error) {
    self->reset_watch_pending_ = false;
    if (error || !self->owned_ || self->told_end_ || self->reading_) return;
    asio::detail::socket_option::integer<SOL_SOCKET, SO_ERROR> pending;
    error_code ignored;
    self->socket_.get_option(pending, ignored);
    // Without an error it was urgent data, which nobody here uses; watching on would spin.
    if (pending.value() != 0) self->end(to_net_error(error_code(pending.value(), boost::system::system_category())));
  });
}

// --- Ending -----------------------------------------------------------------------------------

void AsioConnection::end(NetError why) {
  if (told_end_) return;
  told_end_ = true;
  if (why != NetError::closed) {
    shut();
  } else {
    write_error_ = why;  // the stream is over for its owner, yet what it wrote goes out
  }
  if (StreamHandler* const handler = std::exchange(handler_, nullptr)) handler->on_closed(why);
}

void AsioConnection::close() {
  if (!owned_) return;
  owned_ = false;
  handler_ = nullptr;
  if (!open_) return shut();
  flush();
  if (!open_) return;
  linger_timer_.expires_after(linger_);
  linger_timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (error || !self->open_) return;
    error_code ignored;
    self->socket_.set_option(tcp::socket::linger(true, 0), ignored);
    self->shut();
  });
}

void AsioConnection::abort() {
  if (!owned_) return;
  owned_ = false;
  handler_ = nullptr;
  error_code ignored;
  if (open_) socket_.set_option(tcp::socket::linger(true, 0), ignored);
  shut();
}

void AsioConnection::shut() {
  open_ = false;
  queued_.clear();
  error_code ignored;
  socket_.close(ignored);
  linger_timer_.cancel(ignored);
}

std::unique_ptr<ByteStream> connect_tcp(AsioLoop::Impl& loop, const AsioHostOptions& options, Endpoint remote,
                                        StreamHandler& handler) {
  auto connection = std::make_shared<AsioConnection>(loop, options.send_buffer, options.linger);
  connection->connect(remote, options.address, handler);
  return std::make_unique<AsioStream>(std::move(connection));
}

tl::expected<std::unique_ptr<TcpListener>, NetError> listen_tcp(AsioLoop::Impl& loop, const AsioHostOptions& options,
                                                                Endpoint local, AcceptHandler accept) {
  auto acceptor = std::make_shared<Acceptor>(loop, options, std::move(accept));
  if (const error_code error = acceptor->open(local)) return tl::unexpected(to_net_error(error));
  return std::make_unique<AsioListener>(std::move(acceptor));
}

}  // namespace distlab::real
