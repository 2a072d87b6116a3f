#include "real/daemon/control_client.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "real/daemon/control_socket.h"

namespace distlab::daemon {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

}  // namespace

tl::expected<ControlResponse, std::string> ask(const std::string& socket_path, const std::string& method,
                                               const std::string& target) {
  const auto fail = [&](const std::string& why) {
    return tl::unexpected(fmt::format("control socket {}: {}", socket_path, why));
  };
  const auto fd = connect_control(socket_path);
  if (!fd) return fail(fd.error());
  asio::io_context io;
  asio::local::stream_protocol::socket socket(io, asio::local::stream_protocol(), *fd);
  http::request<http::empty_body> request(http::string_to_verb(method), target, 11);
  request.set(http::field::host, "localhost");
  error_code error;
  http::write(socket, request, error);
  if (error) return fail(error.message());
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::read(socket, buffer, response, error);
  if (error) return fail("it gave no answer (" + error.message() + ")");
  return ControlResponse{response.result_int(), std::string(response[http::field::content_type]), response.body()};
}

std::string query_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                       c == '-' || c == '.' || c == '@';
    out += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

tl::expected<std::string, std::string> find_daemon(Kind kind) {
  const std::string folder = default_control_folder();
  std::vector<std::string> found, names;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != ".sock") continue;
    const auto status = ask(at->path(), "GET", "/status");
    if (!status) continue;  // a dead one
    const auto json = nlohmann::json::parse(status->body, nullptr, false);
    if (!json.is_object() || json.value("kind", "") != to_string(kind)) continue;
    found.push_back(at->path());
    names.push_back(json.value("name", "?"));
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return tl::unexpected(
        fmt::format("no {0} runs with a control socket in {1}; start one with `distlab {0}`, or say "
                    "where it is with --control",
                    to_string(kind), folder));
  }
  std::sort(names.begin(), names.end());
  return tl::unexpected(fmt::format("several run; which one? --name {}", fmt::join(names, ", --name ")));
}

}  // namespace distlab::daemon
