#include "real/ground/run.h"

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "real/actor/event_codec.h"
#include "real/ground/coordinator.h"
#include "real/ground/courier.h"
#include "real/ground/in_order.h"
#include "scenarios/cast/parts.h"

namespace distlab::ground {
namespace {

constexpr int poll_ms = 100;

// The recording side of a run: what comes out of the lab, until its end.
class Listener {
 public:
  Listener(const scenario::Scenario& scenario, const RunOptions& options, const Recorder& recorder)
      : options_(options), recorder_(recorder), in_order_([this](const auto& event) { record(event); }) {
    for (const std::string& name : Processes::sources(cast::parts(scenario, options.seed))) {
      names_.push_back(name);
      readers_.push_back(std::make_unique<actor::EventReader>(name));
    }
  }

  // False: the user wants no more.
  bool listen(int fd) {
    std::array<uint8_t, 64 * 1024> bytes;
    for (;;) {
      pollfd wait{fd, POLLIN, 0};
      const int ready = ::poll(&wait, 1, poll_ms);
      if (ready > 0) {
        const ssize_t size = ::read(fd, bytes.data(), bytes.size());
        if (size == 0) break;
        if (size < 0 && errno != EINTR) break;
        if (size > 0) take(Bytes(bytes.data(), static_cast<size_t>(size)));
      }
      in_order_.release(elapsed());
      if (options_.on_progress && !options_.on_progress(elapsed())) {
        in_order_.release_all();
        return false;
      }
    }
    in_order_.release_all();
    return true;
  }

  // Of the run; zero before it begins.
  Duration elapsed() const { return clock_ ? std::max(clock_->elapsed(), Duration{0}) : Duration{0}; }
  const std::optional<Ending>& ending() const { return ending_; }
  const std::string& error() const { return error_; }

 private:
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
    const bool sound =
        readers_[source]->feed(content, [this](results::EventRecord&& event) { in_order_.add(std::move(event)); });
    if (!sound && error_.empty()) error_ = fmt::format("the events of {} make no sense", names_[source]);
  }

  void record(const results::EventRecord& event) {
    if (recorder_ && !options_.quiet_kinds.contains(event.kind)) recorder_(event);
  }

  const RunOptions& options_;
  const Recorder& recorder_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<actor::EventReader>> readers_;
  MessageReader messages_;
  InOrder in_order_;
  std::optional<Clock> clock_;
  std::optional<Ending> ending_;
  std::string error_;
};

RunResult result_of(const Ending& ending) {
  RunResult result;
  result.elapsed = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(ending.elapsed_s));
  result.packets = ending.packets;
  if (ending.measured > 0) {
    result.lateness = results::ClockLateness{ending.late_p50_ns, ending.late_p99_ns, ending.late_max_ns};
  }
  return result;
}

}  // namespace

tl::expected<RunResult, std::string> run(const scenario::Scenario& scenario, const RunOptions& options,
                                         const MakeWan& make_wan, const Recorder& recorder) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return lab::failure("pipe2", errno);
  lab::Fd from_lab(pipe[0]), to_us(pipe[1]);
  ::fcntl(to_us.get(), F_SETFL, O_NONBLOCK);
  auto running = lab::enter([&](lab::Lab& lab) {
    from_lab.reset();
    const std::unique_ptr<Wan> wan = make_wan();
    return coordinate(lab, *wan,
                      {.scenario = scenario,
                       .text = options.text,
                       .seed = options.seed,
                       .quiet_kinds = options.quiet_kinds,
                       .qlog_directory = options.qlog_directory,
                       .actor_program = options.actor_program},
                      to_us.get());
  });
  if (!running) return tl::unexpected(running.error());
  to_us.reset();
  Listener listener(scenario, options, recorder);
  if (!listener.listen(from_lab.get())) {
    running->kill();
    running->wait();
    RunResult result;
    result.interrupted = true;
    result.elapsed = listener.elapsed();
    return result;
  }
  const int status = running->wait();
  if (!listener.error().empty()) return tl::unexpected(listener.error());
  if (!listener.ending()) return tl::unexpected(fmt::format("the lab ended early, with status {}", status));
  if (!listener.ending()->error.empty()) return tl::unexpected(listener.ending()->error);
  return result_of(*listener.ending());
}

}  // namespace distlab::ground
