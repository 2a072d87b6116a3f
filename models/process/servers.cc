#include "models/process/servers.h"

#include <functional>
#include <optional>
#include <utility>

#include "models/process/runtime.h"
#include "models/process/spawned.h"

namespace distlab::process {
namespace {

using Kind = Evaluation::Kind;

// rpc:execute_call/3.
Term rpc_result(const Evaluation& evaluation) {
  const auto bad = [](Term reason) {
    return etf::tuple(etf::atom("badrpc"), etf::tuple(etf::atom("EXIT"), std::move(reason)));
  };
  switch (evaluation.kind) {
    case Kind::returned:
    case Kind::thrown:
      return evaluation.value;
    case Kind::exited:
      return bad(evaluation.value);
    case Kind::error:
      break;
  }
  return bad(etf::tuple(evaluation.value, etf::list(evaluation.stack)));
}

// Evaluates a request of rex and sends the result, wrapped by `wrap`, to whom it is due.
class RexCall final : public Evaluator {
 public:
  RexCall(std::string module, std::string function, std::vector<Term> arguments, Destination to,
          std::function<Term(Term)> wrap)
      : Evaluator(std::move(module), std::move(function), std::move(arguments)),
        to_(std::move(to)),
        wrap_(std::move(wrap)) {}

 protected:
  Term finished(const Evaluation& evaluation) override {
    send(to_, wrap_(rpc_result(evaluation)));
    return etf::atom("normal");
  }

 private:
  const Destination to_;
  const std::function<Term(Term)> wrap_;
};

struct RexRequest {
  std::string module, function;
  std::vector<Term> arguments;
};

// {Tag, Module, Function, Arguments, GroupLeader}.
std::optional<RexRequest> parse(std::string_view tag, const Term& term) {
  const auto parts = term.as_tagged(tag, 5);
  if (parts.empty()) return std::nullopt;
  const etf::Atom* module = parts[1].as_atom();
  const etf::Atom* function = parts[2].as_atom();
  const auto arguments = parts[3].as_list();
  if (!module || !function || !arguments) return std::nullopt;
  return RexRequest{module->text, function->text, {arguments->begin(), arguments->end()}};
}

}  // namespace

void RexServer::handle_call(const GenCall& call) {
  auto request = parse("call", call.request);
  if (!request) request = parse("block_call", call.request);
  if (!request) return;  // handle_call(_, _To, S) -> {noreply, S}
  const auto alias = alias_of(call.tag);
  Destination to = alias ? Destination(*alias) : Destination(call.from);
  runtime().spawn<RexCall>(std::move(request->module), std::move(request->function), std::move(request->arguments),
                           std::move(to), [tag = call.tag](Term result) { return etf::tuple(tag, std::move(result)); });
}

void RexServer::handle_cast(const Term& request) {
  const auto parsed = parse("cast", request);
  if (parsed) runtime().spawn(make_spawned(parsed->module, parsed->function, parsed->arguments));
}

void RexServer::handle_info(const Term& message) {
  const auto pair = message.as_tuple(2);
  const Pid* from = pair.empty() ? nullptr : pair[0].as<Pid>();
  if (!from) return;
  if (pair[1].is_atom("features_request")) {
    send(*from, etf::tuple(etf::atom("features_reply"), etf::atom(node()), etf::list({etf::atom("erpc")})));
  } else if (auto request = parse("call", pair[1])) {  // from hidden C nodes
    runtime().spawn<RexCall>(std::move(request->module), std::move(request->function), std::move(request->arguments),
                             *from, [](Term result) { return etf::tuple(etf::atom("rex"), std::move(result)); });
  } else if (const auto broadcast = pair[1].as_tagged("sbcast", 3); !broadcast.empty()) {
    forward(*from, broadcast[1], broadcast[2], true);
  } else if (const auto sent = pair[1].as_tagged("send", 3); !sent.empty()) {
    forward(*from, sent[1], etf::tuple(*from, sent[2]), false);
  }
}

void RexServer::forward(const Pid& from, const Term& name, Term message, bool answer_success) {
  const etf::Atom* atom = name.as_atom();
  const auto answer = [&](Term what) { send(from, etf::tuple(etf::atom("rex"), etf::atom(node()), std::move(what))); };
  if (!atom || !runtime().whereis(atom->text)) return answer(etf::tuple(etf::atom("nonexisting_name"), name));
  send(RemoteName{atom->text, node()}, std::move(message));
  if (answer_success) answer(etf::atom(node()));
}

}  // namespace distlab::process
