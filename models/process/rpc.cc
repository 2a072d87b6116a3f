#include "models/process/rpc.h"

#include <utility>

namespace distlab::process {
namespace {

Term badrpc(Term reason) {
  return etf::tuple(etf::atom("badrpc"), std::move(reason));
}
Term exit_tuple(Term reason) {
  return etf::tuple(etf::atom("EXIT"), std::move(reason));
}
Term erpc_error(Term reason) {
  return etf::tuple(etf::atom("erpc"), std::move(reason));
}
Term exception(Term reason) {
  return etf::tuple(etf::atom("exception"), std::move(reason));
}

std::string_view result_of(const Term& erpc_reason) {
  if (erpc_reason.is_atom("noconnection")) return "nodedown";
  if (erpc_reason.is_atom("timeout")) return "timeout";
  if (erpc_reason.is_atom("notsup")) return "notsup";
  return "error";
}

// rpc:rpcify_exception/2.
Term rpcify(const Term& klass, const Term& reason) {
  if (klass.is_atom("throw")) return reason.as_tagged("EXIT", 2).empty() ? reason : badrpc(reason);
  if (const auto raised = reason.as_tagged("exception", 3); !raised.empty()) {
    return badrpc(exit_tuple(etf::tuple(raised[1], raised[2])));
  }
  if (const auto raised = reason.as_tagged("exception", 2); !raised.empty()) return badrpc(exit_tuple(raised[1]));
  if (const auto raised = reason.as_tagged("signal", 2); !raised.empty()) return badrpc(exit_tuple(raised[1]));
  if (const auto raised = reason.as_tagged("erpc", 2); !raised.empty()) {
    if (raised[1].is_atom("noconnection")) return badrpc(etf::atom("nodedown"));
    if (raised[1].is_atom("timeout") || raised[1].is_atom("notsup")) return badrpc(raised[1]);
    return badrpc(exit_tuple(raised[1]));
  }
  return badrpc(exit_tuple(reason));
}

}  // namespace

void RpcClient::on_start() {
  started_ = host().now();
  tag_ = make_ref();
  Term arguments = etf::list(std::move(request_.arguments));
  spawn_ = spawn_request(request_.node, "erpc", "execute_call",
                         {tag_, etf::atom(request_.module), etf::atom(request_.function), std::move(arguments)},
                         SpawnReplies::error_only);
  if (!request_.timeout) return;
  start_timer(*request_.timeout, [this] {
    abandon(spawn_);
    raise({"timeout", etf::atom("error"), erpc_error(etf::atom("timeout"))});
  });
}

void RpcClient::on_spawn_reply(const Ref&, const Term& reason) {
  raise({result_of(reason), etf::atom("error"), erpc_error(reason)});
}

void RpcClient::on_down(const Down& down) {
  const auto answer = down.reason.as_tuple(3);
  if (!answer.empty() && answer[0] == Term(tag_) && answer[1].is_atom("return")) return returned(answer[2]);
  raise(classify(down.reason));
}

// erpc:result/4, the clauses for `down`.
RpcClient::Raised RpcClient::classify(const Term& reason) const {
  const auto three = reason.as_tuple(3);
  if (!three.empty() && three[0] == Term(tag_)) {
    if (three[1].is_atom("throw")) return {"exception", etf::atom("throw"), three[2]};
    if (three[1].is_atom("exit")) return {"exception", etf::atom("exit"), exception(three[2])};
    if (three[1].is_atom("error") && !three[2].as_tagged("erpc", 2).empty()) {
      return {"exception", etf::atom("error"), three[2]};
    }
  }
  const auto four = reason.as_tuple(4);
  if (!four.empty() && four[0] == Term(tag_) && four[1].is_atom("error")) {
    return {"exception", etf::atom("error"), etf::tuple(etf::atom("exception"), four[2], four[3])};
  }
  if (reason.is_atom("noconnection")) return {"nodedown", etf::atom("error"), erpc_error(reason)};
  return {"error", etf::atom("exit"), etf::tuple(etf::atom("signal"), reason)};
}

void RpcClient::returned(Term value) {
  const bool looks_bad = request_.kind == RpcKind::rpc && !value.as_tagged("EXIT", 2).empty();
  finish("ok", looks_bad ? badrpc(std::move(value)) : std::move(value));
}

void RpcClient::raise(const Raised& raised) {
  finish(raised.result,
         request_.kind == RpcKind::rpc ? rpcify(raised.klass, raised.reason) : etf::tuple(raised.klass, raised.reason));
}

void RpcClient::finish(std::string_view result, Term value) {
  const RpcOutcome outcome{result, std::move(value), host().now() - started_};
  exit(etf::atom("normal"));
  if (done_) done_(outcome);
}

void SpawnMonitor::on_start() {
  spawn_request(node_, module_, function_, std::move(arguments_), SpawnReplies::yes);
}

void SpawnMonitor::on_spawn_reply(const Ref&, const Term& result) {
  const bool failed = result.as<Pid>() == nullptr;
  if (failed) exit(etf::atom("normal"));
  if (handlers_.replied) handlers_.replied(result);
}

void SpawnMonitor::on_down(const Down& down) {
  exit(etf::atom("normal"));
  if (handlers_.ended) handlers_.ended(down.reason);
}

}  // namespace distlab::process
