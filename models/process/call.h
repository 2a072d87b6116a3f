// gen_server:call/3 by a client process of its own.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "models/process/gen.h"

namespace distlab::process {

struct CallOutcome {
  // "ok", "timeout", "noproc", "nodedown" (noconnection, as gen:do_call/4 translates it), or
  // "exit" for any other reason.
  std::string_view result;
  Term value;  // the reply, or the reason gen:do_call/4 exits with
  Duration elapsed{0};
};

// On the wire: MONITOR_P, REG_SEND (or SEND_SENDER), and DEMONITOR_P after the reply or the timeout.
// `done` is called once, from the process, which then ends; not at all if it is killed.
class CallClient final : public Process {
 public:
  using Done = std::function<void(const CallOutcome&)>;
  CallClient(MonitorTarget server, Term request, std::optional<Duration> timeout, Done done)
      : server_(std::move(server)), request_(std::move(request)), timeout_(timeout), done_(std::move(done)) {}

 protected:
  void on_start() override;
  void on_message(const Term& message) override;
  void on_down(const Down& down) override;

 private:
  void finish(std::string_view result, Term value);

  const MonitorTarget server_;
  Term request_;
  const std::optional<Duration> timeout_;
  const Done done_;
  Ref ref_;
  Time started_{};
};

}  // namespace distlab::process
