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
    await_request();
  }

  void on_data(Bytes data) override {
    if (leaving_) return;
    if (kept_) {  // a node that has said its name has nothing more to say (do_read)
      server_.forget(*this);
      return leave();
    }
    request_.insert(request_.end(), data.begin(),
                    data.begin() + static_cast<ptrdiff_t>(std::min(data.size(), max_request - request_.size())));
    const auto request = decode_request(request_);
    if (!request) return leave();
    if (!*request) return await_request();
    idle_.cancel();
    server_.serve(*this, **request);
  }
  void on_closed(NetError) override { server_.gone(*this); }

  // epmd_srv.c, conn_open: 127.0.0.0/8 and the machine's own address.
  bool local_peer() const {
    const Ipv4 peer = stream_->remote().address;
    return peer.bits >> 24 == 127 || peer == stream_->local().address;
  }

  void answer(const std::vector<uint8_t>& bytes, bool keep_open) {
    stream_->write(bytes);  // what the send buffer does not take (a megabyte of names) is lost, as in epmd
    kept_ = keep_open;
    if (!keep_open) leave();
  }
  // From the loop, since the stream's own callback may be running.
  void leave() {
    leaving_ = true;
    idle_.cancel();
    end_.start(Duration::zero(), [this] { server_.gone(*this); });
  }

  std::string name;  // that this connection has registered

 private:
  // Anything that arrives counts as activity.
  void await_request() {
    idle_.start(server_.options_.packet_timeout, [this] { server_.gone(*this); });
  }

  Server& server_;
  std::unique_ptr<ByteStream> stream_;
  Timer idle_, end_;
  std::vector<uint8_t> request_;
  bool kept_ = false, leaving_ = false;
};

Server::Server(Host& host, ServerOptions options) : host_(host), options_(std::move(options)) {
  nodes_.assign(options_.known.begin(), options_.known.end());
  // 0 to 3 are creations of nodes of version 5.
  next_creation_ = 4 + static_cast<uint32_t>(host_.random("epmd_creation").below(UINT32_MAX - 3));
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
    if (!connection.local_peer()) return connection.leave();
    // Refused, too, the connection stays: erl_epmd closes it.
    connection.answer(encode(enter(connection, *alive), alive->highest >= highest_version), true);
  } else if (const auto* please = std::get_if<PortPlease2Request>(&request)) {
    const Alive2Request* node = find(please->name);
    connection.answer(encode(node == nullptr ? Port2Response{.result = 1, .node = {}} : Port2Response{0, *node}),
                      false);
  } else {
    NamesResponse response{options_.port, {}};
    for (const Alive2Request& node : nodes_) response.nodes.emplace_back(node.name, node.port);
    connection.answer(encode(response), false);
  }
}

Alive2Response Server::enter(Connection& connection, const Alive2Request& request) {
  const bool possible = valid_name(request.name) && request.extra.size() <= max_extra;
  const std::string result = !possible ? "bad_name" : find(request.name) != nullptr ? "name_in_use" : "ok";
  host_.record({kinds::epmd_registered, request.name, {{"port", int64_t{request.port}}, {"result", result}}});
  if (result != "ok") return {.result = 1, .creation = 99};
  nodes_.push_front(request);
  connection.name = request.name;
  if (options_.changed) options_.changed(request.name, &request);
  const uint32_t creation = next_creation_++;
  if (next_creation_ < 4) next_creation_ = 4;
  // A node of version 5 knows 1 to 3 only.
  return {.result = 0, .creation = request.highest >= highest_version ? creation : creation % 3 + 1};
}

const Alive2Request* Server::find(const std::string& name) const {
  const auto found =
      std::find_if(nodes_.begin(), nodes_.end(), [&](const Alive2Request& node) { return node.name == name; });
  return found == nodes_.end() ? nullptr : &*found;
}

void Server::forget(Connection& connection) {
  if (connection.name.empty()) return;
  if (options_.changed) options_.changed(connection.name, nullptr);
  nodes_.remove_if([&](const Alive2Request& node) { return node.name == connection.name; });
  connection.name.clear();
}

void Server::gone(Connection& connection) {
  forget(connection);
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [&](const auto& candidate) { return candidate.get() == &connection; });
  if (found != connections_.end()) connections_.erase(found);
}

}  // namespace distlab::epmd
