#include "models/epmd/server.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "models/host/event_kinds.h"

namespace distlab::epmd {

class Server::Connection : public StreamHandler {
 public:
  Connection(Server& server, std::unique_ptr<ByteStream> stream)
      : server_(server), stream_(std::move(stream)), idle_(server.host_), end_(server.host_) {
    stream_->set_handler(*this);
    idle_.start(server_.options_.packet_timeout, [this] { server_.gone(*this); });
  }

  void on_data(Bytes data) override {
    if (answered_) return;  // one request each; a registered node has nothing more to say
    request_.insert(request_.end(), data.begin(), data.end());
    auto request = decode_request(request_);
    if (request && !*request && request_.size() < max_request) return;
    answered_ = true;
    idle_.cancel();
    if (!request || !*request) return leave();
    server_.serve(*this, **request);
  }
  void on_closed(NetError) override { server_.gone(*this); }

  void answer(const std::vector<uint8_t>& bytes, bool keep_open) {
    stream_->write(bytes);  // answers are far smaller than any send buffer
    if (!keep_open) leave();
  }
  // From the loop, since the stream's own callback may be running.
  void leave() {
    end_.start(Duration::zero(), [this] { server_.gone(*this); });
  }

  std::string name;  // that this connection has registered

 private:
  Server& server_;
  std::unique_ptr<ByteStream> stream_;
  Timer idle_, end_;
  std::vector<uint8_t> request_;
  bool answered_ = false;
};

Server::Server(Host& host, ServerOptions options) : host_(host), options_(options) {
  // epmd starts at a random creation; 0 is no creation (epmd_srv.c, do_accept and node_reg2).
  next_creation_ = static_cast<uint32_t>(host_.random("epmd_creation").below(UINT32_MAX)) | 1;
  auto listener = host_.listen_tcp({options_.address, options_.port},
                                   [this](std::unique_ptr<ByteStream> stream) { accept(std::move(stream)); });
  if (listener) listener_ = std::move(*listener);
}

Server::~Server() = default;

void Server::accept(std::unique_ptr<ByteStream> stream) {
  if (connections_.size() >= options_.max_connections) return;  // the stream closes as it goes
  connections_.push_back(std::make_unique<Connection>(*this, std::move(stream)));
}

void Server::serve(Connection& connection, const Request& request) {
  if (const auto* alive = std::get_if<Alive2Request>(&request)) {
    const Alive2Response response = enter(connection, *alive);
    connection.answer(encode(response, alive->highest >= highest_version), response.result == 0);
  } else if (const auto* please = std::get_if<PortPlease2Request>(&request)) {
    const auto found = nodes_.find(please->name);
    connection.answer(
        encode(found == nodes_.end() ? Port2Response{.result = 1, .node = {}} : Port2Response{0, found->second}),
        false);
  } else {
    NamesResponse response{options_.port, {}};
    for (const auto& [name, node] : nodes_) response.nodes.emplace_back(name, node.port);
    connection.answer(encode(response), false);
  }
}

Alive2Response Server::enter(Connection& connection, const Alive2Request& request) {
  const bool entered = nodes_.emplace(request.name, request).second;
  host_.record({kinds::epmd_registered,
                request.name,
                {{"port", int64_t{request.port}}, {"result", std::string(entered ? "ok" : "name_in_use")}}});
  if (!entered) return {.result = 1, .creation = 99};  // as epmd answers a name that is taken
  connection.name = request.name;
  const uint32_t creation = next_creation_++;
  if (next_creation_ < 4) next_creation_ = 4;  // 0 to 3 are for nodes of version 5
  // A node of version 5 knows 1 to 3 only.
  return {.result = 0, .creation = request.highest >= highest_version ? creation : creation % 3 + 1};
}

void Server::gone(Connection& connection) {
  if (!connection.name.empty()) nodes_.erase(connection.name);
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [&](const auto& candidate) { return candidate.get() == &connection; });
  if (found != connections_.end()) connections_.erase(found);
}

}  // namespace distlab::epmd
