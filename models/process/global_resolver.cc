#include "models/process/global_resolver.h"

#include <utility>

#include "models/process/gen.h"
#include "models/process/global.h"
#include "models/process/rpc.h"
#include "models/process/runtime.h"

namespace distlab::process {
namespace {

Term insert_op(const Term& name, const Pid& pid, const Term& method) {
  return etf::tuple(etf::atom("insert"), etf::tuple(name, pid, method));
}

Term delete_op(const Term& name) {
  return etf::tuple(etf::atom("delete"), name);
}

std::string resolve_function(const Term& method) {
  if (const auto* exported = method.as<etf::Export>()) {
    if (exported->module == "global" && exported->arity == 3) return exported->function;
  } else if (const auto* fun = method.as<etf::Fun>()) {
    if (fun->module == "global" && fun->arity == 3) return "random_exit_name";
  }
  return "";
}

}  // namespace

void GlobalResolver::resolve(const Term& name_list) {
  if (const auto list = name_list.as_list()) {
    for (const Term& entry : *list) {
      const auto parts = entry.as_tuple(3);
      const Pid* pid = parts.empty() ? nullptr : parts[1].as<Pid>();
      if (pid) names_.push_back({parts[0], *pid, parts[2]});
    }
  }
  next();
}

void GlobalResolver::next() {
  while (at_ < names_.size()) {
    const Entry& his = names_[at_++];
    const GlobalName* ours = server_.tables_.find_name(his.name);
    if (!ours) {
      ops_.push_back(insert_op(his.name, his.pid, his.method));
    } else if (ours->pid != his.pid && node() < peer_) {
      return conflict(his);  // goes on from there
    }                        // else it is the same, or the other node will solve the conflict
  }
  send(RemoteName{"global_name_server", node()},
       gen_cast(etf::tuple(etf::atom("exchange_ops"), etf::atom(peer_), Term(my_tag_), etf::list(ops_),
                           etf::list(resolved_))));
  exit(etf::atom("normal"));
}

void GlobalResolver::conflict(const Entry& his) {
  const GlobalName* known = server_.tables_.find_name(his.name);
  const Entry ours{known->name, known->pid, known->method};
  std::vector<Term> arguments = {ours.method, his.name, his.pid, ours.pid};
  if (ours.pid.node == node()) return decide(his, ours, resolve_it(runtime(), arguments).value);
  RpcClient::Request request{RpcKind::rpc, ours.pid.node, "global", "resolve_it", std::move(arguments), std::nullopt};
  Runtime& processes = runtime();
  processes.spawn<RpcClient>(std::move(request), [this, &processes, me = self(), his, ours](const RpcOutcome& outcome) {
    if (processes.alive(me)) decide(his, ours, outcome.value);
  });
}

void GlobalResolver::decide(const Entry& his, const Entry& ours, const Term& decision) {
  if (decision == Term(his.pid)) {
    ops_.push_back(insert_op(his.name, his.pid, his.method));
  } else if (decision == Term(ours.pid)) {
    resolved_.push_back(insert_op(his.name, ours.pid, ours.method));
  } else if (!decision.as_tagged("badrpc", 2).empty()) {
    runtime().log("info", peer_,
                  "global: badrpc " + decision.as_tuple(2)[1].to_string() + " received when conflicting name " +
                      his.name.to_string() + " was found");
    ops_.push_back(insert_op(his.name, his.pid, his.method));
  } else {
    if (!decision.is_atom("none")) {
      runtime().log("info", peer_,
                    "global: Resolve method " + ours.method.to_string() + " for conflicting name " +
                        his.name.to_string() + " returned " + decision.to_string());
    }
    ops_.push_back(delete_op(his.name));
    resolved_.push_back(delete_op(his.name));
  }
  next();
}

Evaluation resolve_it(Runtime& runtime, std::span<const Term> arguments) {
  const Term& name = arguments[1];
  const Pid* first = arguments[2].as<Pid>();
  const Pid* second = arguments[3].as<Pid>();
  const std::string function = resolve_function(arguments[0]);
  Evaluation result;
  if (!first || !second || function.empty()) {  // catch Method(Name, Pid1, Pid2)
    result.value = etf::tuple(etf::atom("EXIT"), etf::tuple(etf::atom("undef"), etf::list({})));
    return result;
  }
  const auto conflict = etf::atom("global_name_conflict");
  if (function == "notify_all_name") {
    runtime.send(*first, etf::tuple(conflict, name, *second));
    runtime.send(*second, etf::tuple(conflict, name, *first));
    result.value = etf::atom("none");
    return result;
  }
  const Pid& lesser = first->node < second->node ? *first : *second;
  const Pid& greater = first->node < second->node ? *second : *first;
  if (function == "random_notify_name") {
    runtime.send(greater, etf::tuple(conflict, name));
  } else {
    runtime.log("info", runtime.node(), "global: Name conflict terminating " + etf::tuple(name, greater).to_string());
    runtime.exit_process(greater, etf::atom("kill"));
  }
  result.value = lesser;
  return result;
}

}  // namespace distlab::process
