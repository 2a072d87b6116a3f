#include "real/daemon/control_server.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "real/asio_impl.h"
#include "real/daemon/control_socket.h"

namespace distlab::daemon {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::local::stream_protocol;
using boost::system::error_code;

constexpr auto request_time = std::chrono::seconds{10};
constexpr auto response_time = std::chrono::seconds{10};

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const auto digit = [&](size_t at) {
      return at < text.size() ? std::string_view("0123456789abcdef").find(static_cast<char>(text[at] | 0x20))
                              : std::string_view::npos;
    };
    const size_t high = digit(i + 1), low = digit(i + 2);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

}  // namespace

ControlResponse control_json(const nlohmann::json& body) {
  return {200, "application/json", body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

ControlResponse control_error(unsigned status, const std::string& message) {
  ControlResponse response = control_json({{"error", message}});
  response.status = status;
  return response;
}

tl::expected<ControlRequest, std::string> parse_target(std::string method, std::string_view target) {
  ControlRequest out{std::move(method), std::string(target.substr(0, target.find('?'))), {}};
  if (out.path.empty() || out.path.front() != '/') return tl::unexpected(std::string("not a path"));
  size_t at = target.find('?');
  while (at != std::string_view::npos) {
    target.remove_prefix(at + 1);
    at = target.find('&');
    const std::string_view pair = target.substr(0, at);
    const size_t equals = pair.find('=');
    const auto key = decoded(pair.substr(0, equals));
    const auto value = decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (!key || !value) return tl::unexpected(std::string("a broken % in the query"));
    out.query[*key] = *value;
  }
  return out;
}

struct ControlServer::State {
  State(asio::io_context& the_io, ControlSocket socket, Handler the_handler)
      : io(the_io), place(std::move(socket)), acceptor(the_io), handler(std::move(the_handler)) {}

  asio::io_context& io;
  ControlSocket place;
  stream_protocol::acceptor acceptor;
  Handler handler;  // empty once the server is gone
  size_t connections = 0;
};

class ControlServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<State> server, stream_protocol::socket socket)
      : server_(std::move(server)), stream_(std::move(socket)) {
    ++server_->connections;
    parser_.header_limit(max_request);
    parser_.body_limit(max_request);
  }
  ~Session() { --server_->connections; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read() {
    stream_.expires_after(request_time);
    http::async_read(stream_, buffer_, parser_, [self = shared_from_this()](const error_code& error, size_t) {
      if (!error) return self->serve();
      if (error != http::error::end_of_stream &&
          error.category() == http::make_error_code(http::error::bad_method).category()) {
        self->write(control_error(400, error.message()));
      }
    });
  }

 private:
  void serve() {
    const auto& message = parser_.get();
    const auto request = parse_target(std::string(message.method_string()), std::string(message.target()));
    if (!request) return write(control_error(400, request.error()));
    if (!server_->handler) return;
    stream_.expires_never();  // an answer may take as long as a connection's set-up
    server_->handler(*request, [self = shared_from_this()](ControlResponse response) {
      if (self->server_->handler) self->write(std::move(response));
    });
  }

  void write(ControlResponse response) {
    response_.result(response.status);
    response_.set(http::field::content_type, response.type);
    response_.keep_alive(false);
    response_.body() = std::move(response.body);
    response_.prepare_payload();
    stream_.expires_after(response_time);
    http::async_write(stream_, response_, [self = shared_from_this()](const error_code&, size_t) {
      error_code ignored;
      self->stream_.socket().shutdown(stream_protocol::socket::shutdown_both, ignored);
    });
  }

  const std::shared_ptr<State> server_;
  boost::beast::basic_stream<stream_protocol> stream_;
  boost::beast::flat_buffer buffer_{2 * max_request};
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> response_;
};

namespace {

// Connections beyond the limit wait for nothing: they are closed.
template <typename Session, typename State>
void accept_next(const std::shared_ptr<State>& state) {
  state->acceptor.async_accept([state](const error_code& error, stream_protocol::socket socket) {
    if (!state->handler || error == asio::error::operation_aborted) return;
    if (!error && state->connections < ControlServer::max_connections) {
      std::make_shared<Session>(state, std::move(socket))->read();
    }
    accept_next<Session>(state);
  });
}

}  // namespace

tl::expected<std::unique_ptr<ControlServer>, std::string> ControlServer::open(real::AsioLoop& loop,
                                                                              const std::string& path,
                                                                              Handler handler) {
  auto place = ControlSocket::listen(path);
  if (!place) return tl::unexpected(place.error());
  auto state = std::make_shared<State>(loop.impl().io, std::move(*place), std::move(handler));
  error_code error;
  state->acceptor.assign(stream_protocol(), state->place.release(), error);
  if (error) return tl::unexpected(fmt::format("control socket {}: {}", path, error.message()));
  accept_next<Session>(state);
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(state)));
}

ControlServer::ControlServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

ControlServer::~ControlServer() {
  state_->handler = nullptr;
  error_code ignored;
  state_->acceptor.close(ignored);
  state_->place.remove();
}

}  // namespace distlab::daemon
