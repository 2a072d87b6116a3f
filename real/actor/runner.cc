#include "real/actor/runner.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstring>
#include <exception>
#include <memory>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <unistd.h>

#include "real/actor/control.h"
#include "real/actor/event_pipe.h"
#include "real/actor/plan.h"
#include "real/asio_host.h"
#include "real/beam/beam_node.h"
#include "results/qlog_folder.h"
#include "scenarios/cast/epmd_actor.h"
#include "scenarios/cast/node_actor.h"
#include "scenarios/cast/node_settings.h"
#include "scenarios/cast/parts.h"
#include "scenarios/cast/relay_actor.h"
#include "scenarios/loader.h"

namespace distlab::actor {
namespace {

template <typename T>
using Result = tl::expected<T, std::string>;

void say(const std::string& text) {
  fmt::print(stderr, "distlab actor: {}\n", text);
}

Result<std::vector<uint8_t>> read_all(int fd) {
  ::lseek(fd, 0, SEEK_SET);  // a memory file stands where its writer stopped; a pipe does not mind
  std::vector<uint8_t> out;
  for (;;) {
    const size_t before = out.size();
    out.resize(before + 64 * 1024);
    const ssize_t size = ::read(fd, out.data() + before, out.size() - before);
    out.resize(before + static_cast<size_t>(std::max<ssize_t>(size, 0)));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return tl::unexpected(fmt::format("cannot read the plan: {}", std::strerror(errno)));
    if (size == 0 || out.size() > max_plan_size) return out;
  }
}

// A plan whose words have been understood.
struct Role {
  Plan plan;
  scenario::Scenario scenario;
  cast::Part part;
};

Result<Role> read_role(int fd) {
  const auto bytes = read_all(fd);
  ::close(fd);
  if (!bytes) return tl::unexpected(bytes.error());
  auto plan = decode_plan(*bytes);
  if (!plan) return tl::unexpected(plan.error());
  auto loaded = scenario::load_text(plan->scenario, "plan");
  if (!loaded) return tl::unexpected("bad plan: " + loaded.error().front().text());
  if (loaded->size() != 1) return tl::unexpected(std::string("bad plan: its scenario has variants"));
  scenario::Scenario& scenario = loaded->front().scenario;
  for (cast::Part& part : cast::parts(scenario, plan->seed)) {
    if (part.key == plan->process) return Role{std::move(*plan), std::move(scenario), std::move(part)};
  }
  return tl::unexpected(fmt::format("bad plan: its scenario has no process '{}'", plan->process));
}

// Where the Erlang applications of real/beam are: the build puts them beside the programs' folder.
std::string applications_folder() {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  const std::string self(path.data(), static_cast<size_t>(std::max<ssize_t>(length, 0)));
  return self.substr(0, self.rfind('/') + 1) + "../real/beam";
}

real::AsioHostOptions host_options(const Plan& plan, EventPipe& events) {
  real::AsioHostOptions options;
  options.name = plan.process;
  options.seed = cast::life_seed(plan.seed, plan.life);
  options.address = plan.address;
  for (const auto& [name, address] : plan.hosts) options.hosts[name] = {address};
  options.resolver = false;
  options.record = [&events](Time at, const Event& event) { events.record(at, event); };
  options.wants = [&plan](std::string_view kind) { return !plan.quiet_kinds.contains(std::string(kind)); };
  return options;
}

// When SIGCONT came last, on the clock of AsioLoop: it was no fault of the machine that nothing ran before.
std::atomic<std::chrono::steady_clock::rep> continued{0};

void note_continuation() {
  static_assert(decltype(continued)::is_always_lock_free);
  std::signal(SIGCONT, [](int) { continued = std::chrono::steady_clock::now().time_since_epoch().count(); });
}

constexpr Duration pulse_interval = std::chrono::milliseconds{50};

class Process {
 public:
  Process(Role role, results::QlogFolder qlog, const Channels& channels)
      : plan_(std::move(role.plan)),
        part_(std::move(role.part)),
        scenario_(std::move(role.scenario)),
        certificates_(scenario_, plan_.seed),
        qlog_(std::move(qlog)),
        script_{scenario_, certificates_, plan_.seed, qlog_opener()},
        loop_(std::chrono::steady_clock::time_point(plan_.origin)),
        events_(loop_, channels.events),
        host_(loop_, host_options(plan_, events_)),
        control_(loop_, channels.control,
                 {.command = [this](const Command& command) { std::visit(Do{*this}, command); },
                  .broken = [this](const std::string& why) { fail(why); },
                  .closed = [this] { orphaned(); }}),
        boot_(host_),
        pulse_(host_) {
    loop_.watch_wakes([this](Time ready, Time rang) { woken(ready, rang); });
    pulse();
    for (const HarmMessage& harm : plan_.harms) arm(harm);
    if (is_beam()) start_beam();
    boot_.start(time_to_boot(), [this] { boot(); });
  }

  int run() {
    loop_.run();
    events_.close();
    if (events_.lost()) fail("nobody reads the events");
    return exit_code_;
  }

 private:
  // What a command does.
  struct Do {
    Process& process;
    void operator()(const KillClient&) const {
      if (process.node_) process.node_->kill_client();
      if (process.beam_) process.beam_->kill_client();
    }
    void operator()(const StartClient&) const {
      if (process.node_) process.node_->start_client();
      if (process.beam_) process.beam_->start_client();
    }
    void operator()(const HarmMessage& harm) const { process.arm(harm); }
    void operator()(const Wedge& wedge) const {
      if (process.relay_) process.relay_->wedge(wedge.on);
    }
    void operator()(const Shutdown&) const { process.shut_down(); }
    void operator()(const Finish& finish) const { process.finish(finish.stay); }
  };

  cast::QlogOpener qlog_opener() {
    if (plan_.qlog_directory.empty()) return {};
    // Files of an earlier life stay.
    return [this](const std::string& process, const std::string& peer) {
      return qlog_.file(plan_.life == 0 ? process : fmt::format("{}.{}", process, plan_.life), peer);
    };
  }

  bool is_beam() const {
    return part_.kind == cast::Kind::node &&
           scenario_.nodes.at(part_.key).implementation != scenario::Implementation::native;
  }

  void start_beam() {
    beam::BeamSettings settings{.applications = applications_folder(),
                                .hosts = plan_.hosts,
                                .origin = plan_.origin,
                                .quiet_kinds = plan_.quiet_kinds,
                                .actions = cast::actions(scenario_, plan_.seed)[part_.key],
                                .punctual = host_.now() < run_start};
    beam_ = std::make_unique<beam::BeamNode>(
        loop_, host_, script_, message_faults_, std::move(settings),
        beam::BeamNode::Handlers{.record = [this](Time at, const Event& event) { events_.record(at, event); },
                                 .ready = [this] { control_.report(Ready{}); },
                                 .failed = [this](const std::string& why) { fail(part_.key + ": " + why); },
                                 .late = [this](const std::string& why) { control_.report(Late{why}); }});
  }

  // EPMD is there at once, before the nodes.
  Duration time_to_boot() const {
    if (part_.kind == cast::Kind::epmd) return Duration{0};
    const Duration boot = scenario::boot_time(scenario_, part_.key, plan_.seed, plan_.life);
    return plan_.started + boot - (host_.now() - run_start);
  }

  void boot() {
    if (beam_) return beam_->boot();
    switch (part_.kind) {
      case cast::Kind::epmd:
        epmd_ = std::make_unique<cast::EpmdActor>(host_, part_.port);
        break;
      case cast::Kind::relay:
        relay_ = std::make_unique<cast::RelayActor>(host_, script_);
        break;
      case cast::Kind::node:
        node_ = std::make_unique<cast::NodeActor>(host_, script_, cast::actions(scenario_, plan_.seed)[part_.key],
                                                  message_faults_);
        break;
    }
    control_.report(Ready{});
  }

  void arm(const HarmMessage& harm) {
    tunnel::MessageFault fault = cast::message_fault(harm.harm, harm.nth);
    fault.done = [this, id = harm.id] { control_.report(Harmed{id}); };
    message_faults_.add(harm.peer, std::move(fault));
  }

  // How late the processes of a run are woken says whether its figures are those of the scenario or of the machine. The
  // pulse makes quantiles of it shares of the run's time: a process with few timers of its own that meets one stall of
  // the machine is not late for a twentieth of it.
  void pulse() {
    pulse_.start(pulse_interval, [this] { pulse(); });
  }

  void woken(Time ready, Time rang) {
    if (ready < run_start || finishing_) return;
    const Time resumed = run_start + (std::chrono::nanoseconds(continued) - plan_.origin);
    lateness_.add(rang - std::max(ready, resumed));
  }

  void report_lateness() {
    const real::Lateness lateness = std::exchange(lateness_, {});
    if (lateness.count() > 0) control_.report(Woken{lateness.counts(), lateness.max()});
  }

  void shut_down() {
    if (!relay_) return finish(false);
    if (std::exchange(leaving_, true)) return;
    relay_->shut_down([this] {
      report_lateness();
      end(0);
    });
  }

  void finish(bool stay) {
    boot_.cancel();
    if (std::exchange(finishing_, true)) return;
    report_lateness();
    if (node_) node_->finish();
    const auto done = [this, stay] {
      finished_ = true;
      events_.close();
      if (!stay) end(0);
    };
    if (beam_) {
      beam_->finish(done);
    } else {
      done();
    }
  }

  void fail(const std::string& why) {
    say(why);
    end(exit_internal);
  }

  void orphaned() {
    if (!finished_) return fail("the coordinator is gone");
    end(0);
  }

  void end(int code) {
    exit_code_ = code;
    loop_.stop();
  }

  const Plan plan_;
  const cast::Part part_;
  const scenario::Scenario scenario_;
  const cast::Certificates certificates_;
  results::QlogFolder qlog_;
  const cast::Script script_;
  // In the order of their lives: the actors use the host, and the host records.
  real::AsioLoop loop_;
  EventPipe events_;
  real::AsioHost host_;
  Control control_;
  tunnel::MessageFaults message_faults_;
  Timer boot_, pulse_;
  std::unique_ptr<cast::EpmdActor> epmd_;
  std::unique_ptr<cast::RelayActor> relay_;
  std::unique_ptr<cast::NodeActor> node_;
  std::unique_ptr<beam::BeamNode> beam_;
  real::Lateness lateness_;
  bool leaving_ = false;  // a relay that says goodbye
  bool finishing_ = false;
  bool finished_ = false;  // all is recorded
  int exit_code_ = 0;
};

int refuse(const std::string& why) {
  say(why);
  return exit_bad_plan;
}

int run(const Channels& channels) {
  auto role = read_role(channels.plan);
  if (!role) return refuse(role.error());
  auto qlog = results::QlogFolder::open(role->plan.qlog_directory);
  if (!qlog) return refuse("bad plan: " + qlog.error());
  return Process(std::move(*role), std::move(*qlog), channels).run();
}

}  // namespace

int run_actor(const Channels& channels) {
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  note_continuation();
  try {
    return run(channels);
  } catch (const std::exception& error) {
    say(fmt::format("internal error: {}", error.what()));
    return exit_internal;
  }
}

}  // namespace distlab::actor
