#include "real/daemon/daemon.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "real/asio_impl.h"
#include "real/daemon/notify.h"
#include "real/daemon/process_stats.h"

namespace distlab::daemon {
namespace {

using namespace std::chrono_literals;

constexpr Duration lag_interval = 250ms;

double seconds_since_epoch() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

struct Daemon::Signals {
  explicit Signals(real::AsioLoop& loop) : set(loop.impl().io, SIGTERM, SIGINT, SIGHUP) {}
  boost::asio::signal_set set;
};

Daemon::Daemon(Kind kind, const Common& config, DaemonHostOptions options)
    : kind_(kind),
      config_(config),
      log_(config.log),
      events_(log_),
      host_(loop_,
            [&] {
              options.name = config.name;
              options.record = [this](Time now, const Event& event) {
                events_.record(now, event);
                on_event(now, event);
              };
              options.wants = [this](std::string_view kind_of_event) { return events_.wants(kind_of_event); };
              options.on_foreign = [this](Endpoint from, PacketKind foreign, size_t bytes) {
                const bool other = foreign == PacketKind::other_version;
                log(LogLevel::warning, "datagram_refused",
                    {{"reason", std::string(other ? "not QUIC version 1" : "not QUIC")},
                     {"remote", from.to_string()},
                     {"bytes", static_cast<int64_t>(bytes)}},
                    to_string(foreign));
              };
              return std::move(options);
            }()),
      signals_(std::make_unique<Signals>(loop_)),
      lag_timer_(host_),
      stop_timer_(host_) {}

Daemon::~Daemon() = default;

int Daemon::run() {
  started_ = host_.now();
  wait_for_signal();
  if (const auto opened = open(); !opened) {
    fmt::print(stderr, "distlab {}: {}\n", to_string(kind_), opened.error().line);
    return opened.error().code;
  }
  watch_lag();
  log(LogLevel::info, "started",
      {{"name", config_.name},
       {"pid", int64_t{::getpid()}},
       {"control", config_.control.empty() ? "none" : config_.control}});
  loop_.run();
  control_.reset();
  log_.flush(host_.now(), true);
  log(LogLevel::info, "stopped", {{"code", int64_t{exit_code_}}});
  return exit_code_;
}

tl::expected<void, Refusal> Daemon::open() {
  if (config_.control.empty()) return start();
  auto control = ControlServer::open(
      loop_, config_.control,
      [this](const ControlRequest& request, const ControlServer::Reply& reply) { handle(request, reply); });
  if (!control) return tl::unexpected(Refusal{exit_unavailable, control.error()});
  control_ = std::move(*control);  // nobody is answered before the loop runs
  return start();
}

void Daemon::log(LogLevel level, std::string_view event, const Log::Fields& fields, std::string_view sort) {
  log_.line(host_.now(), level, event, fields, sort);
}

void Daemon::ready() {
  notify("READY=1\nSTATUS=running");
}

void Daemon::fail(const std::string& message) {
  log(LogLevel::error, "failed", {{"reason", message}});
  exit_code_ = exit_unavailable;
  loop_.stop();
}

void Daemon::wait_for_signal() {
  signals_->set.async_wait([this](const real::error_code& error, int signal) {
    if (error) return;
    wait_for_signal();
    if (signal != SIGHUP) return stop_asked(signal);
    if (stopping_) return;
    log(LogLevel::info, "reload", {});
    reload();
  });
}

// Of the second such signal we die as the system has it, whatever we are doing.
void Daemon::stop_asked(int signal) {
  boost::system::error_code ignored;
  signals_->set.remove(SIGTERM, ignored);
  signals_->set.remove(SIGINT, ignored);
  stopping_ = true;
  events_.calm();
  notify("STOPPING=1");
  log(LogLevel::info, "stopping", {{"signal", std::string(signal == SIGINT ? "SIGINT" : "SIGTERM")}});
  stop_timer_.start(stop_limit, [this] {
    log(LogLevel::warning, "goodbye_cut_short", {});
    loop_.stop();
  });
  stop([this] { loop_.stop(); });
}

// How late a timer is: so long does whatever is due wait for the loop.
void Daemon::watch_lag() {
  lag_due_ = host_.now() + lag_interval;
  lag_timer_.start(lag_interval, [this] {
    const double lag = std::max(0.0, to_seconds(host_.now() - lag_due_));
    size_t bucket = 0;
    while (bucket < lag_bounds.size() && lag > lag_bounds[bucket]) ++bucket;
    ++lag_[bucket];
    lag_sum_ += lag;
    log_.flush(host_.now());
    watch_lag();
  });
}

void Daemon::handle(const ControlRequest& request, const ControlServer::Reply& reply) {
  const bool reading = request.method == "GET";
  if (reading && request.path == "/metrics") {
    return reply({200, "text/plain; version=0.0.4; charset=utf-8", metrics()});
  }
  if (reading && request.path == "/status") return reply(control_json(full_status()));
  if (serve(request, reply)) return;
  reply(control_error(404, fmt::format("no {} {} here", request.method, request.path)));
}

Json Daemon::full_status() const {
  Json out = status();
  out["kind"] = to_string(kind_);
  out["name"] = config_.name;
  out["pid"] = ::getpid();
  out["uptime_seconds"] = to_seconds(host_.now() - started_);
  out["stopping"] = stopping_;
  const ProcessStats process = process_stats();
  out["process"] = {{"resident_bytes", process.resident_bytes},
                    {"open_files", process.open_files},
                    {"cpu_seconds", process.cpu_seconds}};
  return out;
}

std::string Daemon::metrics() const {
  MetricsText out;
  add_metrics(out);
  events_.add_metrics(out);
  add_common_metrics(out);
  return out.text();
}

void Daemon::add_common_metrics(MetricsText& out) const {
  const DatagramCounters& datagrams = host_.datagrams();
  const auto ways = {std::pair{"in", &datagrams.in}, std::pair{"out", &datagrams.out}};
  out.counter("distlab_quic_datagrams_total", "UDP datagrams, by way and by the kind of their first QUIC packet.");
  for (const auto& [way, counts] : ways) {
    for (size_t i = 0; i < packet_kinds; ++i) {
      out.sample(static_cast<double>((*counts)[i].datagrams), {{"way", way}, {"kind", to_string(PacketKind(i))}});
    }
  }
  out.counter("distlab_quic_datagram_bytes_total", "Their payload.");
  for (const auto& [way, counts] : ways) {
    for (size_t i = 0; i < packet_kinds; ++i) {
      out.sample(static_cast<double>((*counts)[i].bytes), {{"way", way}, {"kind", to_string(PacketKind(i))}});
    }
  }
  out.counter("distlab_quic_datagrams_unsent_total", "Datagrams the kernel did not take, as its buffer was full.",
              static_cast<double>(datagrams.unsent));
  std::vector<MetricsText::Bucket> lag;
  for (size_t i = 0; i < lag_bounds.size(); ++i) lag.push_back({lag_bounds[i], lag_[i]});
  out.histogram("distlab_loop_lag_seconds", "How late the event loop gets to a timer.", lag, lag_.back(), lag_sum_);
  out.counter("distlab_log_lines_total", "Lines logged.", static_cast<double>(log_.lines()));
  out.counter("distlab_log_suppressed_total", "Lines left out because there were too many of their sort.",
              static_cast<double>(log_.suppressed()));
  const ProcessStats process = process_stats();
  out.gauge("process_resident_memory_bytes", "Resident memory.", static_cast<double>(process.resident_bytes));
  out.gauge("process_open_fds", "Open file descriptors.", static_cast<double>(process.open_files));
  out.gauge("process_max_fds", "Limit of open file descriptors.", static_cast<double>(process.max_files));
  out.counter("process_cpu_seconds_total", "Processor time, user and system.", process.cpu_seconds);
  out.gauge("process_start_time_seconds", "When the process started, since 1970.",
            seconds_since_epoch() - to_seconds(host_.now() - started_));
}

}  // namespace distlab::daemon
