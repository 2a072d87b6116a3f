// The control socket: HTTP/1.1 on a Unix stream socket, one request per connection.
//
// It is for the user whose daemon it is (mode 0600), so nobody proves anything. What a client can make grow
// is bounded all the same: connections, size and time of a request.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "real/asio_host.h"

namespace distlab::daemon {

struct ControlRequest {
  std::string method;                        // "GET", "POST"
  std::string path;                          // "/ping"
  std::map<std::string, std::string> query;  // decoded
};

struct ControlResponse {
  unsigned status = 200;
  std::string type = "application/json";
  std::string body;
};
// What is not UTF-8 in it, as names of peers may be, is replaced.
ControlResponse control_json(const nlohmann::json& body);
ControlResponse control_error(unsigned status, const std::string& message);  // {"error": message}

class ControlServer {
 public:
  static constexpr size_t max_connections = 32;
  static constexpr size_t max_request = 8 * 1024;

  // To be called once, at any time, also from inside the handler; does nothing once the server is gone.
  using Reply = std::function<void(ControlResponse)>;
  using Handler = std::function<void(const ControlRequest&, Reply)>;

  // A socket that nobody serves any more is replaced. The error is one line.
  static tl::expected<std::unique_ptr<ControlServer>, std::string> open(real::AsioLoop& loop, const std::string& path,
                                                                        Handler handler);
  ~ControlServer();  // removes the socket
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  struct State;
  class Session;
  explicit ControlServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// The path and query of a request's target; nothing if it is none.
tl::expected<ControlRequest, std::string> parse_target(std::string method, std::string_view target);

}  // namespace distlab::daemon
