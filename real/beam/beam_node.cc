#include "real/beam/beam_node.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "models/gateway/epmd_front.h"
#include "models/host/event_kinds.h"
#include "real/beam/probe_plan.h"

namespace distlab::beam {
namespace {

constexpr Duration finish_limit = std::chrono::seconds{2};
constexpr Duration boot_limit = std::chrono::seconds{30};  // a BEAM that is not there by then never will be

}  // namespace

BeamNode::BeamNode(real::AsioLoop& loop, Host& host, const cast::Script& script, tunnel::MessageFaults& message_faults,
                   BeamSettings settings, Handlers handlers)
    : loop_(loop),
      host_(host),
      script_(script),
      node_(script.scenario.nodes.at(host.name())),
      settings_(std::move(settings)),
      handlers_(std::move(handlers)),
      standby_(host, {.booted =
                          [this] {
                            standing_by_ = true;
                            starting_.cancel();
                            if (wanted_) start();
                          },
                      .broken = [this](const std::string& why) { fail(why); }}),
      probe_(host, {.hello = [this](const ProbeHello& said) { hello(said); },
                    .ready = [this] { handlers_.ready(); },
                    .event = [this](const ProbeEvent& event) { record(event); },
                    .cookie =
                        [this](const ProbeCookie& set) {
                          if (agent_) agent_->set_cookie(set.peer, set.cookie);
                        },
                    .finished =
                        [this] {
                          if (finished_) std::exchange(finished_, nullptr)();
                        },
                    .broken = [this](const std::string& why) { fail(why); }}),
      limit_(host),
      starting_(host) {
  if (node_.carrier == scenario::CarrierKind::relay)
    agent_ = std::make_unique<cast::AgentActor>(host_, script_, message_faults);
  if (!standby_.listening() || !probe_.listening() || (agent_ && !agent_->listening())) {
    loop_.post([this] { fail("no loopback port is free for the agent"); });
    return;
  }
  starting_.start(boot_limit, [this] { fail("erl has not booted within 30 s"); });
  erl_ = std::make_unique<ErlProcess>(loop_, erl_command(node_, surroundings()),
                                      [this](const std::string& why) { fail(why); });
}

BeamNode::~BeamNode() = default;

ErlSurroundings BeamNode::surroundings() {
  ErlSurroundings out{.applications = settings_.applications,
                      .probe = probe_.local(),
                      .standby = standby_.local(),
                      .inetrc = {},
                      .agent = {}};
  if (!agent_) {
    out.inetrc = gateway::inetrc_of(settings_.hosts);
    out.epmd_port = node_.epmd_port;
  } else if (const gateway::EpmdFront* front = agent_->epmd()) {
    out.inetrc = front->inetrc();
    out.epmd_port = front->epmd_port();
    out.loopback_only = true;
  } else {
    out.agent = agent_->macula()->local();
  }
  return out;
}

void BeamNode::boot() {
  if (agent_) agent_->boot();
  wanted_ = true;
  if (standing_by_) return start();
  if (settings_.punctual)
    handlers_.late(fmt::format("{}'s erl had not booted when the node was to be there", node_.name));
}

void BeamNode::start() {
  starting_.start(boot_limit, [this] { fail("erl has not started its distribution within 30 s"); });
  standby_.start(node_.name);
}

void BeamNode::hello(const ProbeHello& hello) {
  if (hello.node != node_.name) return fail(fmt::format("the probe is of {}, not of {}", hello.node, node_.name));
  starting_.cancel();
  host_.record({kinds::log, node_.name, {{"level", "info"}, {"text", fmt::format("OTP {}", hello.otp)}}});
  there_ = true;
  probe_.send_plan(
      probe_plan(script_.scenario, host_.name(), settings_.actions, settings_.origin, settings_.quiet_kinds));
}

void BeamNode::record(const ProbeEvent& event) {
  // Before the run began there is nothing to tell: the BEAM was booting.
  handlers_.record(run_start + Duration{std::max<int64_t>(0, event.time_ns)}, event.view());
}

void BeamNode::fail(const std::string& why) {
  if (std::exchange(ending_, true)) return;
  handlers_.failed(why);
}

void BeamNode::kill_client() {
  if (agent_) agent_->kill_client();
}

void BeamNode::start_client() {
  if (agent_) agent_->start_client();
}

void BeamNode::finish(std::function<void()> done) {
  if (agent_) agent_->finish();
  ending_ = true;
  starting_.cancel();
  if (!there_) return done();
  finished_ = std::move(done);
  limit_.start(finish_limit, [this] {
    if (finished_) std::exchange(finished_, nullptr)();
  });
  probe_.send_finish();
}

}  // namespace distlab::beam
