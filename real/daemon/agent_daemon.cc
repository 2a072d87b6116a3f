#include "real/daemon/agent_daemon.h"

#include <utility>

#include <fmt/format.h>

#include "models/host/event_kinds.h"
#include "real/daemon/mesh_report.h"
#include "real/daemon/pem_files.h"
#include "real/daemon/port_holder.h"
#include "real/daemon/translate.h"
#include "scenarios/include.h"
#include "scenarios/scalars.h"

namespace distlab::daemon {
namespace {

using namespace std::chrono_literals;

constexpr Duration goodbye_limit = 2s;  // for connections to end
constexpr Duration goodbye_step = 20ms;
constexpr Duration last_words = 50ms;  // for QUIC's CONNECTION_CLOSE to leave

double number(auto value) {
  return static_cast<double>(value);
}

}  // namespace

AgentDaemon::AgentDaemon(AgentConfig config)
    : Daemon(Kind::agent, config,
             {.name = config.name, .listen = std::nullopt, .hosts = config.hosts, .record = {}, .wants = {}}),
      config_(std::move(config)),
      goodbye_(host()) {}

AgentDaemon::~AgentDaemon() = default;

tl::expected<std::shared_ptr<const quic::ClientCredentials>, Refusal> AgentDaemon::check(const AgentConfig& config) {
  auto trusted = load_authorities(config.ca);
  if (!trusted) return tl::unexpected(Refusal{exit_usage, trusted.error()});
  return std::move(*trusted);
}

tl::expected<void, Refusal> AgentDaemon::start() {
  auto trusted = check(config_);
  if (!trusted) return tl::unexpected(trusted.error());
  if (over_relays()) {
    join_mesh(std::move(*trusted));
  } else {
    const Endpoint local{config_.listen, config_.node().listen_port};
    if (const auto why = why_not_bindable(Transport::tcp, local)) {
      return tl::unexpected(Refusal{exit_unavailable, *why});
    }
    serve_epmd();
  }
  node_ = std::make_unique<node::Node>(host(), node_settings(), [this](const auto& up) { node_started(up); });
  return {};
}

// macula:join_mesh/1
void AgentDaemon::join_mesh(std::shared_ptr<const quic::ClientCredentials> trusted) {
  mesh::MembershipSettings settings = membership_settings(config_);
  settings.client.credentials = std::move(trusted);
  membership_ = std::make_unique<mesh::Membership>(host(), std::move(settings));
}

void AgentDaemon::serve_epmd() {
  const uint16_t port = config_.node().epmd_port;
  if (!config_.serve_epmd || why_not_bindable(Transport::tcp, {any_address, port})) return;
  epmd_ = std::make_unique<epmd::Server>(host(), epmd::ServerOptions{.port = port});
  log(LogLevel::info, "epmd_served", {{"port", int64_t{port}}, {"for", "there was none on this machine"}});
}

node::NodeConfig AgentDaemon::node_settings() {
  node::NodeConfig out = node_config(config_);
  if (!membership_) return out;
  out.carrier = [this](Host& on) -> std::unique_ptr<carrier::Carrier> {
    const auto cookie_of = [this](std::string_view peer) { return node_->net_kernel().cookies().of(peer); };
    auto made = std::make_unique<tunnel::RelayCarrier>(on, tunnel_settings(config_), membership_->slot(), cookie_of);
    carrier_ = made.get();
    return made;
  };
  return out;
}

void AgentDaemon::node_started(const tl::expected<void, NetError>& up) {
  if (!up) {
    const bool no_epmd = up.error() == NetError::refused;
    return fail(no_epmd ? fmt::format("no EPMD answers on port {}; start one with `epmd -daemon`, or set serve_epmd",
                                      config_.node().epmd_port)
                : up.error() == NetError::address_in_use
                    ? fmt::format("EPMD knows a node {} already, or TCP port {} is taken", config_.node().name,
                                  config_.node().listen_port)
                    : fmt::format("the node cannot start: {}", to_string(up.error())));
  }
  reachable_ = true;
  ready();
  log(LogLevel::info, "node_started",
      {{"node", config_.node().name}, {"carrier", std::string(over_relays() ? "relay" : "tcp")}});
  for (const std::string& peer : config_.connect) {
    node_->connect(peer, [this, peer](bool connected) {
      if (!connected) log(LogLevel::warning, "not_connected", {{"subject", peer}});
    });
  }
}

// The node disconnects from its peers; when they are gone, the mesh client says CONNECTION_CLOSE.
void AgentDaemon::stop(std::function<void()> done) {
  for (const std::string& peer : node_->nodes()) node_->disconnect(peer);
  for (const std::string& peer : node_->net_kernel().hidden_nodes()) node_->disconnect(peer);
  wait_for_goodbyes(host().now() + goodbye_limit, std::move(done));
}

void AgentDaemon::wait_for_goodbyes(Time until, std::function<void()> done) {
  const bool gone = node_->nodes().empty() && (carrier_ == nullptr || carrier_->tunnels() == 0);
  if (!gone && host().now() < until) {
    return goodbye_.start(goodbye_step, [this, until, done = std::move(done)] { wait_for_goodbyes(until, done); });
  }
  if (membership_) membership_->kill_client("shutdown");
  goodbye_.start(last_words, std::move(done));
}

void AgentDaemon::reload() {
  if (config_.cookie_file.empty()) {
    return log(LogLevel::warning, "reload_skipped", {{"reason", "the cookie does not come from a file"}});
  }
  auto text = scenario::read_file(config_.cookie_file);
  if (text) text = text->substr(0, text->find_first_of("\r\n"));
  if (!text || text->empty() || text->size() > 255) {
    return log(LogLevel::error, "reload_failed",
               {{"file", config_.cookie_file}, {"reason", text ? "no cookie of 1 to 255 characters" : text.error()}});
  }
  node_->set_cookie("", *text);
  log(LogLevel::info, "reloaded", {{"cookie", config_.cookie_file}, {"for", "new connections"}});
}

void AgentDaemon::on_event(Time, const Event& event) {
  if (event.kind == kinds::mesh_up) relay_ = event.subject;
  if (event.kind == kinds::mesh_down) relay_.clear();
}

Json AgentDaemon::status() const {
  Json out{{"node", config_.node().name},
           {"carrier", over_relays() ? "relay" : "tcp"},
           {"reachable", reachable_},
           {"nodes", node_->nodes()},
           {"hidden_nodes", node_->net_kernel().hidden_nodes()},
           {"serves_epmd", epmd_ != nullptr}};
  if (!membership_) return out;
  out["realm"] = config_.node().membership.realm;
  out["relay"] = relay_.empty() ? Json() : Json(relay_);
  out["relays"] = Json::array();
  for (const auto& relay : config_.relays) out["relays"].push_back(relay.name);
  out["tunnels"] = tunnels();
  out["mesh"] = mesh_json(*membership_);
  return out;
}

Json AgentDaemon::tunnels() const {
  return carrier_ == nullptr ? Json::array() : tunnels_json(carrier_->tunnel_metrics());
}

void AgentDaemon::add_metrics(MetricsText& out) const {
  out.gauge("distlab_agent_reachable", "Whether the node listens under its name.", reachable_ ? 1 : 0);
  out.gauge("distlab_agent_nodes", "Nodes connected, as nodes() gives them.", number(node_->nodes().size()));
  out.gauge("distlab_agent_processes", "Processes of the node.",
            node_->running() ? number(node_->runtime().process_count()) : 0);
  if (membership_) add_mesh_metrics(out, *membership_, relay_);
  if (carrier_ != nullptr) add_tunnel_metrics(out, *carrier_, events());
}

bool AgentDaemon::serve(const ControlRequest& request, const ControlServer::Reply& reply) {
  const auto answer = [&reply](const Json& json) {
    reply(control_json(json));
    return true;
  };
  if (request.method == "GET" && request.path == "/nodes") {
    return answer({{"nodes", node_->nodes()}, {"hidden", node_->net_kernel().hidden_nodes()}});
  }
  if (request.method == "GET" && request.path == "/tunnels") return answer(tunnels());
  return request.method == "POST" && serve_peer(request, reply);
}

bool AgentDaemon::serve_peer(const ControlRequest& request, const ControlServer::Reply& reply) {
  const bool known = request.path == "/ping" || request.path == "/connect" || request.path == "/disconnect";
  if (!known) return false;
  const auto query = request.query.find("node");
  const std::string peer = query == request.query.end() ? "" : query->second;
  if (const std::string wrong = scenario::erlang_name_shape().check(peer); !wrong.empty()) {
    reply(control_error(400, wrong));
  } else if (!reachable_) {
    reply(control_error(503, "the node is not up yet"));
  } else if (request.path == "/ping") {
    node_->ping(peer, [reply](node::Node::Ping result, Duration elapsed) {
      reply(control_json(
          {{"result", result == node::Node::Ping::pong ? "pong" : "pang"}, {"seconds", to_seconds(elapsed)}}));
    });
  } else if (request.path == "/connect") {
    node_->connect(peer, [reply](bool connected) { reply(control_json({{"connected", connected}})); });
  } else {
    node_->disconnect(peer);
    reply(control_json({{"connected", false}}));
  }
  return true;
}

}  // namespace distlab::daemon
