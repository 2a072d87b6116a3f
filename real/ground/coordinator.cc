#include "real/ground/coordinator.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>

#include "models/host/event_kinds.h"
#include "scenarios/cast/fault_event.h"

namespace distlab::ground {
namespace {

using scenario::FaultKind;

// From when the network is there until the run begins: what starting the first processes takes.
constexpr Duration time_to_start = std::chrono::milliseconds{500};
constexpr Duration time_per_process = std::chrono::milliseconds{25};
// An `erl` boots in 0.15 to 0.2 s of a core, and runs that are started together boot theirs together.
constexpr Duration time_per_beam = std::chrono::milliseconds{250};
constexpr Duration time_per_beam_beside = std::chrono::milliseconds{120};
constexpr Duration soon = std::chrono::seconds{10};  // what starts until then, boots before the run begins
constexpr int coordinators_nice = -10;
constexpr Duration time_to_finish = std::chrono::seconds{5};

HowLate figures(const real::Lateness& lateness) {
  return {.measured = lateness.count(),
          .p50_ns = lateness.quantile(0.5).count(),
          .p99_ns = lateness.quantile(0.99).count(),
          .max_ns = lateness.max().count()};
}

class Coordinator {
 public:
  Coordinator(Loop& loop, lab::Lab& lab, Wan& wan, Processes::Settings settings, int out)
      : scenario_(settings.scenario),
        seed_(settings.seed),
        loop_(loop),
        lab_(lab),
        wan_(wan),
        courier_(loop, out),
        settings_(std::move(settings)) {}

  int run() {
    if (auto built = wan_.build(lab_, loop_); !built) {
      ending_.error = built.error();
      return say_goodbye();
    }
    processes_.emplace(loop_, lab_, wan_, courier_, settings_, [this](const std::string& why) { give_up(why); });
    loop_.set_clock(Clock(Clock::monotonic() + time_to_be_ready()));
    send_text(MessageKind::origin, fmt::format("{}", loop_.clock().origin().count()));
    schedule();
    if (ending_.error.empty()) loop_.run();
    loop_.forget_times();
    ending_.processes = figures(processes_->woken());
    processes_.reset();
    return say_goodbye();
  }

 private:
  Duration time_to_be_ready() const {
    Duration out = time_to_start + static_cast<int64_t>(processes_->parts().size()) * time_per_process;
    for (const cast::Part& part : processes_->parts())
      if (boots_early(part)) out += time_per_beam + (settings_.runs_at_once - 1) * time_per_beam_beside;
    return out;
  }

  // A BEAM boots as long as it boots, and then stands by.
  bool boots_early(const cast::Part& part) const {
    return part.kind == cast::Kind::node && part.autostart && part.start <= soon &&
           scenario_.nodes.at(part.key).implementation != scenario::Implementation::native;
  }

  // What starts with the run is started before it, and waits for its time: EPMDs first, as a node that does
  // not find its own stays away.
  void schedule() {
    processes_->on_late = [this](const std::string& why) { be_too_late(why); };
    processes_->on_ready = [this](const std::string&) { start_when_epmds_are_ready(); };
    for (const cast::Part& part : processes_->parts())
      if (part.kind == cast::Kind::epmd) processes_->start(part.key);
    start_when_epmds_are_ready();
    loop_.at(run_start, [this] {
      if (!started_) be_too_late("the run began before its processes were started");
    });
    for (const scenario::FaultStep& step : scenario::expand_faults(scenario_, seed_))
      loop_.at(run_start + step.at, [this, step] { apply(step); });
    loop_.at(run_start + scenario_.duration, [this] { finish(); });
  }

  void start_when_epmds_are_ready() {
    const auto& parts = processes_->parts();
    const bool ready = std::all_of(parts.begin(), parts.end(), [&](const cast::Part& part) {
      return part.kind != cast::Kind::epmd || processes_->ready(part.key);
    });
    if (!ready || std::exchange(started_, true)) return;
    for (const cast::Part& part : parts) {
      if (!part.autostart || part.kind == cast::Kind::epmd) continue;
      if (part.start <= Duration::zero()) {
        processes_->start(part.key);
      } else if (boots_early(part)) {
        processes_->prepare(part.key);
        loop_.at(run_start + part.start, [this, key = part.key] { processes_->announce(key); });
      } else {
        loop_.at(run_start + part.start, [this, key = part.key] { processes_->start(key); });
      }
    }
    if (loop_.clock().elapsed() > Duration::zero()) be_too_late("the run began before its processes were started");
  }

  void be_too_late(const std::string& why) {
    ending_.too_late = ending_.error.empty();
    give_up(fmt::format("the machine is too slow: {}; is it busy?", why));
  }

  void apply(const scenario::FaultStep& step) {
    const scenario::Fault& fault = scenario_.faults.at(step.fault);
    processes_->record("network", cast::fault_event(scenario_, step));
    if (!fault.process.empty()) {
      apply_to_process(step.kind, fault.process);
    } else if (fault.message) {
      const scenario::TunnelMessage& message = *fault.message;
      processes_->harm(message.from, scenario_.nodes.at(message.to).name, message.harm, message.nth);
    } else if (auto done = wan_.apply(step); !done) {
      give_up(fmt::format("the fault '{}' cannot be done: {}", scenario::to_string(step.kind), done.error()));
    }
  }

  void apply_to_process(FaultKind kind, const std::string& key) {
    switch (kind) {
      case FaultKind::kill:
        return processes_->kill(key);
      case FaultKind::start:
        return processes_->start(key);
      case FaultKind::freeze:
        return processes_->freeze(key);
      case FaultKind::thaw:
        return processes_->thaw(key);
      case FaultKind::kill_client:
        return processes_->tell(key, actor::KillClient{});
      case FaultKind::start_client:
        return processes_->tell(key, actor::StartClient{});
      case FaultKind::shutdown:
        return processes_->shut_down(key);
      default:
        return processes_->tell(key, actor::Wedge{.on = kind == FaultKind::wedge});
    }
  }

  void finish() {
    if (finishing_) return;
    finishing_ = true;
    ending_.elapsed_s = to_seconds(scenario_.duration);
    processes_->finish(time_to_finish, [this] { loop_.stop(); });
  }

  void give_up(const std::string& why) {
    if (ending_.error.empty()) ending_.error = why;
    ending_.elapsed_s = std::clamp(to_seconds(loop_.clock().elapsed()), 0.0, to_seconds(scenario_.duration));
    loop_.stop();
  }

  void send_text(MessageKind kind, const std::string& text) {
    courier_.send(kind, 0, Bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  }

  int say_goodbye() {
    ending_.packets = wan_.packets();
    ending_.network = figures(wan_.lateness());
    send_text(MessageKind::result,
              nlohmann::json(ending_).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    bool sent = false;
    courier_.when_empty([&] {
      sent = true;
      loop_.stop();
    });
    if (!sent) loop_.run();
    return sent ? 0 : 1;
  }

  const scenario::Scenario& scenario_;
  const uint64_t seed_;
  Loop& loop_;
  lab::Lab& lab_;
  Wan& wan_;
  Courier courier_;
  const Processes::Settings settings_;
  std::optional<Processes> processes_;
  Ending ending_;
  bool started_ = false;
  bool finishing_ = false;
};

// Where it is allowed: packets must not wait for a processor that others use. A nice value alone does little, as it
// counts within a session only where there are autogroups (sched(7)).
void come_first(int nice) {
  const sched_param lowest{.sched_priority = 1};
  if (::sched_setscheduler(0, SCHED_RR, &lowest) == 0) return;
  ::setpriority(PRIO_PROCESS, 0, std::min(nice, coordinators_nice));
}

}  // namespace

int coordinate(lab::Lab& lab, Wan& wan, Processes::Settings settings, int out) {
  settings.nice = ::getpriority(PRIO_PROCESS, 0);
  come_first(settings.nice);
  auto loop = Loop::make(Clock(Clock::monotonic()));
  if (!loop) return 1;
  return Coordinator(*loop, lab, wan, std::move(settings), out).run();
}

}  // namespace distlab::ground
