#include "models/process/gen.h"

#include <utility>

namespace distlab::process {

std::optional<GenCall> as_gen_call(const Term& message) {
  const auto call = message.as_tagged("$gen_call", 3);
  if (call.empty()) return std::nullopt;
  const auto from = call[1].as_tuple(2);
  if (from.empty()) return std::nullopt;
  const Pid* pid = from[0].as<Pid>();
  if (!pid) return std::nullopt;
  return GenCall{*pid, from[1], call[2]};
}

std::optional<Term> as_gen_cast(const Term& message) {
  const auto cast = message.as_tagged("$gen_cast", 2);
  return cast.empty() ? std::nullopt : std::optional(cast[1]);
}

Term gen_call(const Pid& from, Term tag, Term request) {
  return etf::tuple(etf::atom("$gen_call"), etf::tuple(from, std::move(tag)), std::move(request));
}

Term gen_cast(Term request) {
  return etf::tuple(etf::atom("$gen_cast"), std::move(request));
}

Term alias_tag(const Ref& ref) {
  return etf::improper_list({etf::atom("alias")}, ref);
}

std::optional<Ref> alias_of(const Term& tag) {
  const etf::List* list = tag.as<etf::List>();
  if (!list || !list->elements || list->elements->empty()) return std::nullopt;
  const Term& head = list->elements->front();
  if (list->elements->size() == 1 && list->tail && head.is_atom("alias")) {
    const Ref* ref = list->tail->as<Ref>();
    return ref ? std::optional(*ref) : std::nullopt;
  }
  const etf::List* inner = head.as<etf::List>();  // [[alias|Ref]|_]
  return inner && inner->tail ? alias_of(head) : std::nullopt;
}

void Server::on_message(const Term& message) {
  if (const auto call = as_gen_call(message)) return handle_call(*call);
  if (const auto request = as_gen_cast(message)) return handle_cast(*request);
  handle_info(message);
}

void Server::reply(const GenCall& call, Term answer) {
  Term message = etf::tuple(call.tag, std::move(answer));
  if (const auto alias = alias_of(call.tag)) {
    send(*alias, std::move(message));
  } else {
    send(call.from, std::move(message));
  }
}

}  // namespace distlab::process
