#include "real/daemon/beam_agent.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "models/host/event_kinds.h"
#include "real/asio_impl.h"
#include "real/daemon/mesh_report.h"
#include "real/daemon/pem_files.h"
#include "real/daemon/translate.h"
#include "scenarios/cast/agent_actor.h"

namespace distlab::daemon {
namespace {

constexpr Duration wait_for_relay = std::chrono::seconds{25};   // the node waits 30 s for our answer
constexpr Duration last_words = std::chrono::milliseconds{50};  // for QUIC's CONNECTION_CLOSE to leave

}  // namespace

// Our standard input, of which only the end matters: then whoever has started us is gone.
struct BeamAgent::Input {
  Input(real::AsioLoop& loop, std::function<void()> told)
      : descriptor(loop.impl().io, ::dup(0)), ended(std::move(told)) {
    read();
  }
  void read() {
    descriptor.async_read_some(boost::asio::buffer(buffer), [this](const boost::system::error_code& error, size_t) {
      if (!error) return read();
      if (error != boost::asio::error::operation_aborted) ended();
    });
  }
  boost::asio::posix::stream_descriptor descriptor;
  std::array<char, 512> buffer{};
  std::function<void()> ended;
};

BeamAgent::BeamAgent(AgentConfig config)
    : Daemon(Kind::agent, config,
             {.name = config.name, .listen = std::nullopt, .hosts = config.hosts, .record = {}, .wants = {}}),
      config_(std::move(config)),
      cookies_(config_.cookie),
      goodbye_(host()) {}

BeamAgent::~BeamAgent() {
  if (!inetrc_path_.empty()) ::unlink(inetrc_path_.c_str());
}

tl::expected<void, Refusal> BeamAgent::check(const AgentConfig& config) {
  if (auto trusted = load_authorities(config.ca); !trusted) return tl::unexpected(Refusal{exit_usage, trusted.error()});
  return {};
}

tl::expected<void, Refusal> BeamAgent::start() {
  if (auto checked = check(config_); !checked) return checked;
  auto served = config_.implementation() == scenario::Implementation::macula ? serve_macula() : serve_unmodified();
  if (!served) return served;
  if (config_.stdio)
    input_ = std::make_unique<Input>(loop(), [this] {
      calm();
      stop([this] { loop().stop(); });
    });
  ready();
  return {};
}

tl::expected<void, Refusal> BeamAgent::serve_unmodified() {
  if (auto entered = enter(); !entered) return tl::unexpected(Refusal{exit_usage, entered.error()});
  gateway::EpmdFrontSettings settings{.node = config_.node().name, .peers = config_.peers, .epmd_port = config_.port};
  epmd_front_ = std::make_unique<gateway::EpmdFront>(host(), std::move(settings));
  if (!epmd_front_->listening())
    return tl::unexpected(
        Refusal{exit_unavailable, config_.port == 0 ? "no port of 127.0.0.1 is free"
                                                    : fmt::format("TCP port {} is taken at 127.0.0.1", config_.port)});
  epmd_front_->serve(*carrier_);
  if (auto written = write_inetrc(); !written) return written;
  log(LogLevel::info, "start_erl_with", {{"command", how_to_start_erl()}});
  tell_where({loopback_address, epmd_front_->epmd_port()});
  return {};
}

// Beside the control socket; without one, whoever starts `erl` has names of his own.
tl::expected<void, Refusal> BeamAgent::write_inetrc() {
  if (config_.control.empty()) return {};
  inetrc_path_ = fmt::format("{}.inetrc", config_.control);
  std::ofstream file(inetrc_path_);
  file << epmd_front_->inetrc();
  if (!file.flush()) return tl::unexpected(Refusal{exit_unavailable, fmt::format("cannot write {}", inetrc_path_)});
  return {};
}

std::string BeamAgent::how_to_start_erl() const {
  return fmt::format(
      "ERL_EPMD_PORT={} ERL_INETRC={} erl -name {} -setcookie ... -start_epmd false "
      "-kernel inet_dist_use_interface '{{127,0,0,1}}'",
      epmd_front_->epmd_port(), inetrc_path_.empty() ? "..." : inetrc_path_, config_.node().name);
}

tl::expected<void, Refusal> BeamAgent::serve_macula() {
  gateway::MaculaFrontSettings settings;
  settings.listen = {loopback_address, config_.port};
  settings.wait_for_relay = wait_for_relay;
  macula_front_ = std::make_unique<gateway::MaculaFront>(host(), static_cast<gateway::MaculaMesh&>(*this), settings);
  if (!macula_front_->listening())
    return tl::unexpected(
        Refusal{exit_unavailable, fmt::format("TCP port {} is taken at 127.0.0.1", settings.listen.port)});
  log(LogLevel::info, "listening", {{"local", macula_front_->local().to_string()}});
  tell_where(macula_front_->local());
  return {};
}

void BeamAgent::tell_where(Endpoint local) {
  if (!config_.stdio) return;
  fmt::print("listening {}\n", local.to_string());
  std::fflush(stdout);
}

tl::expected<void, std::string> BeamAgent::enter() {
  auto trusted = load_authorities(config_.ca);
  if (!trusted) return tl::unexpected(trusted.error());
  mesh::MembershipSettings settings = membership_settings(config_);
  settings.client.credentials = std::move(*trusted);
  membership_ = std::make_unique<mesh::Membership>(host(), std::move(settings));
  carrier_ = std::make_unique<tunnel::RelayCarrier>(host(), tunnel_settings(config_), membership_->slot(),
                                                    [this](std::string_view peer) { return cookies_.of(peer); });
  return {};
}

// What macula:join_mesh/1 leaves out is as our own configuration has it.
tl::expected<carrier::Carrier*, std::string> BeamAgent::join(const gateway::JoinRequest& request) {
  scenario::Node& node = config_.node();
  node.name = request.node;
  if (!request.realm.empty()) node.membership.realm = request.realm;
  node.membership.identity = request.identity.empty() ? request.node : request.identity;
  if (!request.cacertfile.empty()) config_.ca = request.cacertfile;
  if (request.verify)
    node.membership.tls_verify = *request.verify ? scenario::TlsVerify::peer : scenario::TlsVerify::none;
  if (!request.relays.empty()) config_.relays.clear();
  for (const std::string& url : request.relays) {
    const auto relay = parse_relay_url(url);
    if (!relay) return tl::unexpected(fmt::format("not a relay's URL, as in https://relay.example.org:4433: {}", url));
    config_.relays.push_back(*relay);
  }
  if (config_.relays.empty()) return tl::unexpected(std::string("no relays are given"));
  if (node.membership.tls_verify == scenario::TlsVerify::peer && config_.ca.empty())
    return tl::unexpected(std::string("verify_peer needs cacertfile, a file with the authorities to trust"));
  if (!request.cookie.empty()) cookies_.set_own(request.cookie);
  if (auto entered = enter(); !entered) return tl::unexpected(entered.error());
  log(LogLevel::info, "joined", {{"node", request.node}, {"realm", node.membership.realm}});
  return carrier_.get();
}

void BeamAgent::leave() {
  log(LogLevel::info, "left", {{"node", config_.node().name}});
  carrier_.reset();
  membership_.reset();
  relay_.clear();
}

void BeamAgent::set_cookie(const std::string& peer, const std::string& cookie) {
  cookies_.learn(peer, cookie);
}

std::vector<gateway::TunnelLine> BeamAgent::tunnels() {
  return carrier_ ? cast::tunnel_lines(carrier_->tunnel_metrics()) : std::vector<gateway::TunnelLine>{};
}

// The BEAM's connections end with us; the mesh client says CONNECTION_CLOSE.
void BeamAgent::stop(std::function<void()> done) {
  epmd_front_.reset();
  macula_front_.reset();
  if (membership_) membership_->kill_client("shutdown");
  goodbye_.start(last_words, std::move(done));
}

void BeamAgent::reload() {
  log(LogLevel::warning, "reload_skipped", {{"reason", "the cookie is the BEAM's, and the authorities are read once"}});
}

void BeamAgent::on_event(Time, const Event& event) {
  if (event.kind == kinds::mesh_up) relay_ = event.subject;
  if (event.kind == kinds::mesh_down || event.kind == kinds::client_died) relay_.clear();
}

size_t BeamAgent::connections() const {
  return epmd_front_ ? epmd_front_->connections() : macula_front_ ? macula_front_->connections() : 0;
}

Json BeamAgent::status() const {
  const bool there = epmd_front_ ? epmd_front_->registered() : macula_front_ && macula_front_->joined();
  Json out{{"node", config_.node().name},
           {"carrier", "relay"},
           {"implementation", std::string(scenario::to_string(config_.implementation()))},
           {"beam", there},
           {"connections", connections()},
           {"relay", relay_.empty() ? Json() : Json(relay_)},
           {"tunnels", carrier_ ? tunnels_json(carrier_->tunnel_metrics()) : Json::array()}};
  if (epmd_front_) out["start_erl_with"] = how_to_start_erl();
  if (macula_front_) out["agent"] = macula_front_->local().to_string();
  if (!membership_) return out;
  out["realm"] = config_.node().membership.realm;
  out["mesh"] = mesh_json(*membership_);
  return out;
}

void BeamAgent::add_metrics(MetricsText& out) const {
  out.gauge("distlab_agent_connections", "Distribution connections of the BEAM that are carried.",
            static_cast<double>(connections()));
  if (membership_) add_mesh_metrics(out, *membership_, relay_);
  if (carrier_) add_tunnel_metrics(out, *carrier_, events());
}

bool BeamAgent::serve(const ControlRequest& request, const ControlServer::Reply& reply) {
  if (request.method != "GET" || request.path != "/tunnels") return false;
  reply(control_json(carrier_ ? tunnels_json(carrier_->tunnel_metrics()) : Json::array()));
  return true;
}

}  // namespace distlab::daemon
