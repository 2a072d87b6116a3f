#include "real/ground/run.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "models/host/event_kinds.h"
#include "real/actor/event_codec.h"
#include "real/ground/coordinator.h"
#include "real/ground/courier.h"
#include "real/ground/in_order.h"
#include "scenarios/cast/parts.h"

namespace distlab::ground {
namespace {

constexpr int poll_ms = 100;
constexpr Duration progress_interval = std::chrono::milliseconds{poll_ms};

// The recording side of a run: what comes out of the lab, until its end.
class Listener {
 public:
  Listener(const scenario::Scenario& scenario, const RunOptions& options, const Recorder& recorder)
      : options_(options),
        recorder_(recorder),
        duration_(scenario.duration),
        in_order_([this](const auto& event) { record(event); }) {
    for (const std::string& name : Processes::sources(cast::parts(scenario, options.seed))) {
      names_.push_back(name);
      readers_.push_back(std::make_unique<actor::EventReader>(name));
    }
  }

  // False: the user wants no more.
  bool listen(int fd) {
    auto told = Clock::monotonic();
    while (hear(fd)) {
      in_order_.release(elapsed());
      if (Clock::monotonic() < told + progress_interval) continue;
      told = Clock::monotonic();
      if (options_.on_progress && !options_.on_progress(elapsed())) return false;
    }
    return true;
  }
  // What a lab that has ended left in the pipe.
  void listen_to_the_rest(int fd) {
    while (hear(fd)) {
    }
    in_order_.release_all();
  }

  // Of the run; zero before it begins.
  Duration elapsed() const { return clock_ ? std::max(clock_->elapsed(), Duration{0}) : Duration{0}; }
  const std::optional<Ending>& ending() const { return ending_; }
  const std::string& error() const { return error_; }

 private:
  // Waits for a moment at most. False: nothing will come any more.
  bool hear(int fd) {
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, poll_ms) <= 0) return true;
    const ssize_t size = ::read(fd, buffer_.data(), buffer_.size());
    if (size <= 0) return size < 0 && errno == EINTR;
    take(Bytes(buffer_.data(), static_cast<size_t>(size)));
    return true;
  }

  void take(Bytes bytes) {
    messages_.feed(bytes, [this](MessageKind kind, uint32_t source, Bytes content) {
      if (source >= readers_.size()) return;
      switch (kind) {
        case MessageKind::origin:
          clock_.emplace(std::chrono::nanoseconds(std::stoll(std::string(content.begin(), content.end()))));
          return;
        case MessageKind::events:
          return take_events(source, content);
        case MessageKind::lost_tail:  // its next life writes whole events again
          readers_[source] = std::make_unique<actor::EventReader>(names_[source]);
          return;
        case MessageKind::result:
          ending_ = nlohmann::json::parse(content.begin(), content.end()).get<Ending>();
      }
    });
  }

  void take_events(uint32_t source, Bytes content) {
    const bool sound = readers_[source]->feed(content, [this](results::EventRecord&& event) { add(std::move(event)); });
    if (!sound && error_.empty()) error_ = fmt::format("the events of {} make no sense", names_[source]);
  }

  // What is started for the run before it begins is there from its beginning. What a process does until it hears
  // that the run has ended is not of the run, but for what it says of its end.
  void add(results::EventRecord&& event) {
    if (event.time_ns > duration_.count() && event.kind != kinds::tunnel_metrics) return;
    event.time_ns = std::clamp<int64_t>(event.time_ns, 0, duration_.count());
    in_order_.add(std::move(event));
  }

  void record(const results::EventRecord& event) {
    if (recorder_ && !options_.quiet_kinds.contains(event.kind)) recorder_(event);
  }

  const RunOptions& options_;
  const Recorder& recorder_;
  const Duration duration_;
  std::array<uint8_t, 64 * 1024> buffer_{};
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<actor::EventReader>> readers_;
  MessageReader messages_;
  InOrder in_order_;
  std::optional<Clock> clock_;
  std::optional<Ending> ending_;
  std::string error_;
};

// Of lab::Running::wait.
std::string how(int status) {
  if (status <= 128) return fmt::format("with status {}", status);
  return fmt::format("of signal {} ({})", status - 128, ::strsignal(status - 128));
}

std::optional<results::ClockLateness> recorded(const HowLate& late) {
  if (late.measured == 0) return std::nullopt;
  return results::ClockLateness{late.p50_ns, late.p99_ns, late.max_ns};
}

tl::expected<RunResult, std::string> result_of(const Ending& ending) {
  if (!ending.error.empty() && !ending.too_late) return tl::unexpected(ending.error);
  RunResult result;
  result.too_late = ending.error;
  result.elapsed = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(ending.elapsed_s));
  result.packets = ending.packets;
  result.network_lateness = recorded(ending.network);
  result.wake_lateness = recorded(ending.processes);
  return result;
}

}  // namespace

tl::expected<RunResult, std::string> run(const scenario::Scenario& scenario, const RunOptions& options,
                                         const MakeWan& make_wan, const Recorder& recorder) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return lab::failure("pipe2", errno);
  lab::Fd from_lab(pipe[0]), to_us(pipe[1]);
  ::fcntl(to_us.get(), F_SETFL, O_NONBLOCK);
  const auto body = [&](lab::Lab& lab) {
    from_lab.reset();
    const std::unique_ptr<Wan> wan = make_wan();
    return coordinate(lab, *wan,
                      {.scenario = scenario,
                       .text = options.text,
                       .seed = options.seed,
                       .quiet_kinds = options.quiet_kinds,
                       .qlog_directory = options.qlog_directory,
                       .actor_program = options.actor_program,
                       .runs_at_once = options.runs_at_once},
                      to_us.get());
  };
  auto running = lab::enter(body, options.folders);
  if (!running) return tl::unexpected(running.error());
  to_us.reset();
  Listener listener(scenario, options, recorder);
  const bool wanted = listener.listen(from_lab.get());
  if (!wanted) running->kill();
  const int status = running->wait();
  listener.listen_to_the_rest(from_lab.get());
  if (!wanted) {
    RunResult result;
    result.interrupted = true;
    result.elapsed = std::min(listener.elapsed(), scenario.duration);
    return result;
  }
  if (!listener.error().empty()) return tl::unexpected(listener.error());
  if (!listener.ending()) return tl::unexpected(fmt::format("the coordinator of the run ended early, {}", how(status)));
  return result_of(*listener.ending());
}

}  // namespace distlab::ground
