#include "models/process/functions.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "models/process/runtime.h"

namespace distlab::process {
namespace {

using etf::Term;
using Kind = Evaluation::Kind;

Evaluation error(Term reason, const char* module, const char* function, std::span<const Term> arguments) {
  Term frame = etf::tuple(etf::atom(module), etf::atom(function), etf::list({arguments.begin(), arguments.end()}),
                          etf::list({}));
  return {Kind::error, std::move(reason), {std::move(frame)}, {}};
}

Evaluation nodes(Runtime& runtime, std::span<const Term>) {
  etf::Terms names;
  for (const std::string& name : runtime.distribution().visible_nodes()) names.push_back(etf::atom(name));
  return {Kind::returned, etf::list(std::move(names)), {}, {}};
}

Evaluation whereis(Runtime& runtime, std::span<const Term> arguments) {
  const etf::Atom* name = arguments[0].as_atom();
  if (!name) return error(etf::atom("badarg"), "erlang", "whereis", arguments);
  const auto pid = runtime.whereis(name->text);
  return {Kind::returned, pid ? Term(*pid) : etf::atom("undefined"), {}, {}};
}

Evaluation length(Runtime&, std::span<const Term> arguments) {
  const auto list = arguments[0].as_list();
  if (!list) return error(etf::atom("badarg"), "erlang", "length", arguments);
  return {Kind::returned, Term(static_cast<int64_t>(list->size())), {}, {}};
}

Evaluation sleep(Runtime&, std::span<const Term> arguments) {
  constexpr int64_t longest = 0xffffffff;  // receive ... after takes 32 bits of milliseconds
  const auto ms = arguments[0].as_int();
  if (!ms || *ms < 0 || *ms > longest) return error(etf::atom("timeout_value"), "timer", "sleep", arguments);
  return {Kind::returned, etf::atom("ok"), {}, std::chrono::milliseconds(*ms)};
}

}  // namespace

FunctionTable::FunctionTable() {
  add("erlang", "node", 0, [](Runtime& runtime, auto) {
    return Evaluation{Kind::returned, etf::atom(runtime.node()), {}, {}};
  });
  add("erlang", "nodes", 0, nodes);
  add("erlang", "length", 1, length);
  add("erlang", "whereis", 1, whereis);
  add("erlang", "exit", 1, [](Runtime&, auto arguments) { return Evaluation{Kind::exited, arguments[0], {}, {}}; });
  add("erlang", "throw", 1, [](Runtime&, auto arguments) { return Evaluation{Kind::thrown, arguments[0], {}, {}}; });
  add("erlang", "error", 1, [](Runtime&, auto arguments) { return error(arguments[0], "erlang", "error", arguments); });
  add("timer", "sleep", 1, sleep);
  add("distlab", "echo", 1, [](Runtime&, auto arguments) { return Evaluation{Kind::returned, arguments[0], {}, {}}; });
}

void FunctionTable::add(const std::string& module, const std::string& function, uint8_t arity, Function native) {
  functions_[{module, function, arity}] = std::move(native);
}

Evaluation FunctionTable::apply(Runtime& runtime, const std::string& module, const std::string& function,
                                std::span<const Term> arguments) const {
  const auto found = arguments.size() > 255
                         ? functions_.end()
                         : functions_.find({module, function, static_cast<uint8_t>(arguments.size())});
  if (found == functions_.end()) return error(etf::atom("undef"), module.c_str(), function.c_str(), arguments);
  return found->second(runtime, arguments);
}

}  // namespace distlab::process
