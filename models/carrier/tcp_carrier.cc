#include "models/carrier/tcp_carrier.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "models/epmd/client.h"
#include "models/host/event_kinds.h"

namespace distlab::carrier {
namespace {

struct NodeName {
  std::string alive;  // before the '@'
  std::string host;
};

// inet_tcp_dist:split_node/3, as splitnode/3 uses it.
std::optional<NodeName> split(const std::string& node_name) {
  const size_t at = node_name.find('@');
  if (at == 0 || at == std::string::npos || at + 1 == node_name.size()) return std::nullopt;
  if (node_name.find('@', at + 1) != std::string::npos) return std::nullopt;
  return NodeName{node_name.substr(0, at), node_name.substr(at + 1)};
}

// net_kernel:create_creation/0: random, and not one of the small ones.
uint32_t random_creation(Host& host) {
  const auto creation = uint32_t(host.random("tcp_carrier creation").next());
  return creation >= 4 ? creation : creation + 4;
}

void log(Host& host, const std::string& node_name, std::string text) {
  host.record({kinds::log, node_name, {{"level", std::string("error")}, {"text", std::move(text)}}});
}

}  // namespace

// inet_tcp_dist:do_setup/7 up to the connected socket.
class TcpCarrier::TcpDial final : public Dial, private StreamHandler {
 public:
  TcpDial(Host& host, const TcpOptions& options, const std::string& node_name, std::function<void()> progress,
          Dialled done)
      : host_(host), options_(options), progress_(std::move(progress)), done_(std::move(done)), failure_(host) {
    const auto name = split(node_name);
    if (!name || !legal_host(node_name, name->host)) {
      fail("name", NetError::not_found);
      return;
    }
    alive_name_ = name->alive;
    host_.lookup(name->host, [this, alive = std::weak_ptr<int>(alive_)](auto found) {
      if (!alive.expired()) looked_up(std::move(found));
    });
  }

 private:
  // inet_tcp_dist:splitnode/3. An address is as good as a long name.
  bool legal_host(const std::string& node_name, const std::string& host_name) {
    const bool dotted = host_name.find('.') != std::string::npos;
    if (dotted == options_.long_names) return true;
    log(host_, node_name,
        fmt::format("** System {} to use fully qualified hostnames **\n** Hostname {} is illegal **",
                    options_.long_names ? "running" : "NOT running", host_name));
    return false;
  }

  void looked_up(tl::expected<std::vector<Ipv4>, NetError> found) {
    if (!found) return fail("address", found.error());
    assert(!found->empty());
    const Ipv4 address = found->front();
    if (options_.erl_epmd_port) return connect({address, *options_.erl_epmd_port});
    port_please_.emplace(host_, Endpoint{address, options_.epmd_port}, alive_name_, [this, address](auto node) {
      if (!node) return fail("epmd", node.error());
      connect({address, node->port});
    });
  }

  // inet_tcp_dist:do_setup_connect/11.
  void connect(Endpoint remote) {
    progress_();
    stream_ = host_.connect_tcp(remote, *this);
  }

  // The outcome never comes from inside dial().
  void fail(const char* step, NetError why) {
    failure_.start(Duration::zero(), [this, step, why] {
      const auto done = std::move(done_);
      done(tl::unexpected(DialError{why, step}));
    });
  }

  void on_connected() override {
    stream_->set_reading(false);
    stream_->set_nodelay(false);  // inet_tcp_dist sets it with nodeup only (f_setopts_pre_nodeup)
    const auto done = std::move(done_);
    done(std::move(stream_));
  }
  void on_data(Bytes) override {}
  void on_closed(NetError why) override { fail("connect", why); }

  Host& host_;
  const TcpOptions& options_;
  std::string alive_name_;
  std::function<void()> progress_;
  Dialled done_;
  Timer failure_;
  std::optional<epmd::PortPlease> port_please_;
  std::unique_ptr<ByteStream> stream_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// erl_epmd's connection, kept for the life of the node.
class TcpCarrier::Registration {
 public:
  Registration(Host& host, const TcpOptions& options, std::string alive_name, uint16_t port, Listening done)
      : host_(host), tolerant_(options.erl_epmd_port.has_value()), done_(std::move(done)) {
    epmd::Alive2Request node;
    node.port = port;
    node.name = std::move(alive_name);
    epmd::Registration::Options to;
    to.epmd.port = options.epmd_port;
    registration_.emplace(host, to, std::move(node), [this](auto outcome) { registered(outcome); });
  }

 private:
  // erl_epmd:handle_call({register, ...}): with -erl_epmd_port any failure will do, as creation -1,
  // which net_kernel:set_node/2 takes as an order to make one up.
  void registered(tl::expected<uint32_t, NetError> outcome) {
    const auto done = std::move(done_);
    if (!outcome && tolerant_) return done(random_creation(host_));
    done(outcome);
  }

  Host& host_;
  const bool tolerant_;
  Listening done_;
  std::optional<epmd::Registration> registration_;
};

TcpCarrier::TcpCarrier(Host& host, TcpOptions options) : host_(host), options_(options) {}

TcpCarrier::~TcpCarrier() = default;

// inet_tcp_dist:gen_listen/3.
void TcpCarrier::listen(const std::string& node_name, Accepted accepted, Listening done) {
  assert(!listener_);
  const auto name = split(node_name);
  if (!name) return done(tl::unexpected(NetError::not_found));
  const auto accept = [accepted = std::move(accepted)](std::unique_ptr<ByteStream> stream) {
    stream->set_reading(false);
    stream->set_nodelay(false);
    accepted(std::move(stream));
  };
  const uint32_t first = options_.erl_epmd_port.value_or(options_.port);
  const uint32_t last = options_.erl_epmd_port ? first : std::max<uint32_t>(first, options_.last_port);
  auto listener = host_.listen_tcp({options_.interface, uint16_t(first)}, accept);
  for (uint32_t port = first + 1; !listener && listener.error() == NetError::address_in_use && port <= last; ++port) {
    listener = host_.listen_tcp({options_.interface, uint16_t(port)}, accept);
  }
  if (!listener) return done(tl::unexpected(listener.error()));
  listener_ = std::move(*listener);
  port_ = listener_->local().port;
  registration_ = std::make_unique<Registration>(host_, options_, name->alive, port_, std::move(done));
}

std::unique_ptr<Dial> TcpCarrier::dial(const std::string& node_name, std::function<void()> progress, Dialled done) {
  return std::make_unique<TcpDial>(host_, options_, node_name, std::move(progress), std::move(done));
}

}  // namespace distlab::carrier
