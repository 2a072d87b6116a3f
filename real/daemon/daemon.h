// What the daemons have in common: the loop, the log, signals, the control socket, the service manager.
//
//   start() ... ready(): READY=1 ... SIGTERM or SIGINT: STOPPING=1, stop(), exit 0; the second one kills
//                                    SIGHUP: reload()
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "real/asio_host.h"
#include "real/daemon/config.h"
#include "real/daemon/control_server.h"
#include "real/daemon/daemon_host.h"
#include "real/daemon/event_log.h"
#include "real/daemon/exit_codes.h"
#include "real/daemon/log.h"
#include "real/daemon/metrics.h"

namespace distlab::daemon {

using Json = nlohmann::json;

class Daemon {
 public:
  // A goodbye takes no longer.
  static constexpr Duration stop_limit = std::chrono::seconds{5};

  virtual ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  int run();  // until it is told to stop; the exit code

 protected:
  Daemon(Kind kind, const Common& config, DaemonHostOptions options);

  virtual tl::expected<void, Refusal> start() = 0;
  virtual void stop(std::function<void()> done) = 0;  // goodbye to all peers
  virtual void reload() = 0;
  virtual void on_event(Time /*now*/, const Event& /*event*/) {}
  virtual Json status() const = 0;  // beside what all daemons tell
  virtual void add_metrics(MetricsText& metrics) const = 0;
  // What only this daemon knows. False: nothing of that name.
  virtual bool serve(const ControlRequest& request, const ControlServer::Reply& reply) = 0;

  void log(LogLevel level, std::string_view event, const Log::Fields& fields, std::string_view sort = "");
  void ready();                           // to be said once, by start() or later: peers can come
  void calm() { events_.calm(); }         // it is about to end: what breaks now is no news
  void fail(const std::string& message);  // stops at once with exit_unavailable: it cannot go on
  const EventLog& events() const { return events_; }
  real::AsioLoop& loop() { return loop_; }
  DaemonHost& host() { return host_; }
  const DaemonHost& host() const { return host_; }

 private:
  struct Signals;

  tl::expected<void, Refusal> open();
  void wait_for_signal();
  void stop_asked(int signal);
  void watch_lag();
  void handle(const ControlRequest& request, const ControlServer::Reply& reply);
  Json full_status() const;
  std::string metrics() const;
  void add_common_metrics(MetricsText& metrics) const;

  const Kind kind_;
  const Common config_;
  Log log_;
  EventLog events_;
  real::AsioLoop loop_;
  DaemonHost host_;
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<ControlServer> control_;
  Timer lag_timer_, stop_timer_;
  Time lag_due_{}, started_{};
  static constexpr std::array lag_bounds{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0};  // seconds
  std::array<uint64_t, lag_bounds.size() + 1> lag_{};
  double lag_sum_ = 0;
  bool stopping_ = false;
  int exit_code_ = exit_ok;
};

}  // namespace distlab::daemon
