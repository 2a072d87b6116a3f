// erpc:call/5 and rpc:call/5, and erlang:spawn_request/5 as they use it (kernel erpc.erl, rpc.erl).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/process/process.h"

namespace distlab::process {

struct RpcOutcome {
  // "ok"; "timeout"; "nodedown" (erpc: {erpc, noconnection}); "notsup"; "exception" (what the
  // function raised), or "error" (any other reason).
  std::string_view result;
  // erpc: what is returned, or {Class, Reason} of what is raised (Reason with its stack as erpc
  // gives it). rpc: what rpc:call/5 returns, {badrpc, _} included.
  Term value;
  Duration elapsed{0};
};

enum class RpcKind { rpc, erpc };

// On the wire: SPAWN_REQUEST, SPAWN_REPLY, and the answer as the reason of PAYLOAD_MONITOR_P_EXIT.
class RpcClient final : public Process {
 public:
  using Done = std::function<void(const RpcOutcome&)>;
  struct Request {
    RpcKind kind = RpcKind::rpc;
    std::string node;  // not this node: the caller applies the function itself then
    std::string module, function;
    std::vector<Term> arguments;
    std::optional<Duration> timeout;
  };
  RpcClient(Request request, Done done) : request_(std::move(request)), done_(std::move(done)) {}

 protected:
  void on_start() override;
  void on_message(const Term&) override {}
  void on_down(const Down& down) override;
  void on_spawn_reply(const Ref& request, const Term& reason) override;

 private:
  struct Raised {
    std::string_view result;
    Term klass, reason;
  };
  Raised classify(const Term& reason) const;
  void returned(Term value);
  void raise(const Raised& raised);
  void finish(std::string_view result, Term value);

  Request request_;
  const Done done_;
  Ref tag_;
  Ref spawn_;
  Time started_{};
};

// {spawn_request, monitor}: tells of the child's pid and of its end.
class SpawnMonitor final : public Process {
 public:
  struct Handlers {
    std::function<void(const Term& pid_or_reason)> replied;
    std::function<void(const Term& reason)> ended;
  };
  SpawnMonitor(std::string node, std::string module, std::string function, std::vector<Term> arguments,
               Handlers handlers)
      : node_(std::move(node)),
        module_(std::move(module)),
        function_(std::move(function)),
        arguments_(std::move(arguments)),
        handlers_(std::move(handlers)) {}

 protected:
  void on_start() override;
  void on_message(const Term&) override {}
  void on_down(const Down& down) override;
  void on_spawn_reply(const Ref& request, const Term& result) override;

 private:
  const std::string node_, module_, function_;
  std::vector<Term> arguments_;
  const Handlers handlers_;
};

}  // namespace distlab::process
