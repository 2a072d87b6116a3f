#include "real/bench/emu_capacity.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>

#include "real/bench/board.h"
#include "real/bench/flood.h"
#include "real/bench/process.h"
#include "real/ground/clock.h"
#include "real/ground/loop.h"
#include "real/lab/lab.h"
#include "scenarios/loader.h"

namespace distlab::bench {
namespace {

using std::chrono::milliseconds;
template <typename T>
using Result = tl::expected<T, std::string>;

// Every packet passes four links of ns-3, as between any two sites of a scenario.
constexpr const char* two_sites = R"(
name: emu-capacity
duration: 1h
sites: { west: { uplink: { delay: 5ms } }, east: { uplink: { delay: 5ms } } }
nodes:
  a: { site: west, name: a@a.example }
  b: { site: east, name: b@b.example }
)";
constexpr uint16_t port = 9;
constexpr Duration patience = std::chrono::seconds{10};
constexpr Duration nap = milliseconds{10};
constexpr double growth = 1.5;
constexpr size_t tries = 3;         // of a rate; most of them decide
constexpr double kept_rate = 0.95;  // of what was asked for
constexpr int networks_nice = -10;  // as the coordinator's of a run

// What the lab tells us of one try.
struct Trial {
  FloodCounts flood;
  std::atomic<uint32_t> whole{0};
  int64_t late_p50 = 0, late_p99 = 0, late_max = 0;
  double length = 0, cpu = 0, others_cpu = 0;
  char error[200] = {};
};

Duration own_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto time = [](const timeval& t) {
    return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
  };
  return time(usage.ru_utime) + time(usage.ru_stime);
}

// The inside of the lab.
class Inside {
 public:
  Inside(lab::Lab& lab, Trial& trial, const EmuOptions& options, const scenario::Scenario& scenario, double rate)
      : lab_(lab), trial_(trial), options_(options), scenario_(scenario), rate_(rate) {}

  int run() {
    const int nice = ::getpriority(PRIO_PROCESS, 0);
    ::setpriority(PRIO_PROCESS, 0, std::min(nice, networks_nice));
    auto done = flood(nice - ::getpriority(PRIO_PROCESS, 0));
    if (!done) done.error().copy(trial_.error, sizeof trial_.error - 1);
    trial_.whole = 1;
    return 0;
  }

 private:
  Result<void> flood(int nice) {
    auto loop = ground::Loop::make(ground::Clock(ground::Clock::monotonic()));
    if (!loop) return tl::unexpected(loop.error());
    const auto wan = options_.make_wan(scenario_);
    if (auto built = wan->build(lab_, *loop); !built) return built;
    if (auto opened = open_sockets(*wan); !opened) return opened;
    const auto sink = Process::start([&] { return run_sink(trial_.flood, descriptors(sinks_)); }, nice);
    const auto source = Process::start(
        [&] {
          return run_flood(trial_.flood, {rate_, options_.payload}, descriptors(sources_));
        },
        nice);
    if (!sink || !source) return lab::failure("starting a process", errno);
    Duration cpu_before{0}, busy_before{0}, ours_before{0};
    const auto ours = [&] { return own_cpu() + sink->cpu() + source->cpu(); };
    loop->after(options_.settling, [&] {
      began_ = loop->clock().now();
      cpu_before = own_cpu();
      ours_before = ours();
      busy_before = machine_busy();
      trial_.flood.running = 1;
    });
    loop->after(options_.settling + options_.seconds, [&] {
      trial_.flood.running = 0;
      const double length = trial_.length = to_seconds(loop->clock().now() - began_);
      trial_.cpu = to_seconds(own_cpu() - cpu_before) / length;
      trial_.others_cpu =
          std::max(0.0, to_seconds(machine_busy() - busy_before) - to_seconds(ours() - ours_before)) / length;
    });
    loop->after(options_.settling + options_.seconds + options_.settling, [&] { loop->stop(); });
    loop->run();
    const real::Lateness lateness = wan->lateness();
    trial_.late_p50 = lateness.quantile(0.5).count();
    trial_.late_p99 = lateness.quantile(0.99).count();
    trial_.late_max = lateness.max().count();
    return {};
  }

  Result<void> open_sockets(const ground::Wan& wan) {
    Result<void> result;
    const auto open = [&](const ground::Wan::Machine& here, const ground::Wan::Machine& there) {
      auto entered = lab_.within(here.host, [&] {
        auto sink = open_sink(port);
        auto source = open_source(there.address.to_string(), port);
        if (!sink || !source) {
          result = tl::unexpected(!sink ? sink.error() : source.error());
          return;
        }
        sinks_.push_back(std::move(*sink));
        sources_.push_back(std::move(*source));
      });
      if (!entered) result = entered;
    };
    const auto& a = wan.machines().begin()->second;
    const auto& b = wan.machines().rbegin()->second;
    open(a, b);
    // Flow i is sent by sources_[i] and arrives at sinks_[i].
    if (result) open(b, a);
    if (result) std::reverse(sinks_.begin(), sinks_.end());
    return result;
  }

  static std::vector<int> descriptors(const std::vector<lab::Fd>& sockets) {
    std::vector<int> out;
    for (const lab::Fd& socket : sockets) out.push_back(socket.get());
    return out;
  }

  lab::Lab& lab_;
  Trial& trial_;
  const EmuOptions& options_;
  const scenario::Scenario& scenario_;
  const double rate_;
  std::vector<lab::Fd> sources_, sinks_;
  Time began_{};
};

class EmuBench {
 public:
  explicit EmuBench(const EmuOptions& options) : options_(options) {}

  Result<EmuCapacity> run() {
    auto loaded = scenario::load_text(two_sites, "emu-capacity");
    if (!loaded) return tl::unexpected(loaded.error().front().text());
    scenario_ = std::move(loaded->front().scenario);
    auto done = search();
    result_.interrupted = interrupted_;
    if (!done && !interrupted_) return tl::unexpected(done.error());
    return std::move(result_);
  }

 private:
  // Up by `growth` while it goes, down while it does not; then between the two.
  Result<void> search() {
    double goes = 0, fails = 0;
    for (double rate = options_.first_rate; goes == 0 || fails == 0;) {
      auto good = judge(rate);
      if (!good) return tl::unexpected(good.error());
      (*good ? goes : fails) = rate;
      if (*good && rate >= options_.most) result_.limited_by_generator = true;
      if (*good && result_.limited_by_generator) return {};
      rate = *good ? std::min(rate * growth, options_.most) : rate / growth;
      if (rate < options_.least) return {};  // nothing goes
    }
    for (size_t i = 0; i < options_.refinements; ++i) {
      const double rate = (goes + fails) / 2;
      auto good = judge(rate);
      if (!good) return tl::unexpected(good.error());
      (*good ? goes : fails) = rate;
    }
    return {};
  }

  // True: most tries went well.
  Result<bool> judge(double rate) {
    std::vector<EmuStep> good;
    size_t bad = 0;
    while (good.size() <= tries / 2 && bad <= tries / 2) {
      auto step = attempt(rate);
      if (!step) return tl::unexpected(step.error());
      result_.tries.push_back(*step);
      if (step->in_time) {
        if (step->carried_per_s > result_.peak.carried_per_s) result_.peak = *step;
        good.push_back(*step);
      } else {
        ++bad;
      }
    }
    if (bad > tries / 2) return false;
    std::sort(good.begin(), good.end(), [](const auto& a, const auto& b) { return a.late_p99 < b.late_p99; });
    if (const EmuStep& median = good[good.size() / 2]; median.carried_per_s > result_.best.carried_per_s)
      result_.best = median;
    if (!good.front().offered_enough) result_.limited_by_generator = true;
    return true;
  }

  Result<EmuStep> attempt(double rate) {
    const Shared<Trial> trial;
    auto running = lab::enter([&](lab::Lab& lab) { return Inside(lab, *trial, options_, scenario_, rate).run(); });
    if (!running) return tl::unexpected(running.error());
    const auto end = ground::Clock::monotonic() + options_.seconds + options_.settling * 2 + patience;
    const double share = static_cast<double>(result_.tries.size()) / (static_cast<double>(result_.tries.size()) + 12);
    while (trial->whole == 0 && !ended(*running) && ground::Clock::monotonic() < end) {
      if (options_.on_progress && !options_.on_progress(fmt::format("{:.0f} packets/s", rate), share)) {
        interrupted_ = true;
        return tl::unexpected(std::string("interrupted"));
      }
      std::this_thread::sleep_for(nap);
    }
    const bool whole = trial->whole != 0;
    const bool early = !whole && ended(*running);
    if (!whole) running->kill();  // hopelessly late
    const int status = running->wait();
    if (whole && trial->error[0] != '\0') return tl::unexpected(std::string(trial->error));
    if (early) return tl::unexpected(fmt::format("the lab ended early, with status {}", status));
    return step_of(*trial, rate, whole);
  }

  static bool ended(const lab::Running& running) {
    pollfd wait{running.pidfd(), POLLIN, 0};
    return ::poll(&wait, 1, 0) > 0;
  }

  EmuStep step_of(const Trial& trial, double rate, bool whole) const {
    const double length = std::max(trial.length, 1e-9);
    EmuStep step;
    step.offered_per_s = rate;
    step.sent = trial.flood.sent;
    step.received = trial.flood.received;
    step.duplicates = trial.flood.duplicates;
    step.carried_per_s = static_cast<double>(step.received) / length;
    step.late_p50 = Duration{trial.late_p50};
    step.late_p99 = Duration{trial.late_p99};
    step.late_max = Duration{trial.late_max};
    step.network_cpu = trial.cpu;
    step.others_cpu = trial.others_cpu;
    step.offered_enough = static_cast<double>(step.sent) >= kept_rate * rate * length;
    step.in_time = whole && step.received > 0 && step.received == step.sent && step.duplicates == 0 &&
                   trial.flood.refused == 0 && step.late_p99 <= options_.max_lateness;
    return step;
  }

  const EmuOptions& options_;
  scenario::Scenario scenario_;
  EmuCapacity result_;
  bool interrupted_ = false;
};

}  // namespace

tl::expected<EmuCapacity, std::string> bench_emu(const EmuOptions& options) {
  return EmuBench(options).run();
}

}  // namespace distlab::bench
