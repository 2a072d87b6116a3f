// The message protocol of gen_server (stdlib gen.erl, gen_server.erl), both sides.
#pragma once

#include <optional>

#include "models/process/process.h"

namespace distlab::process {

// {'$gen_call', {Pid, Tag}, Request}.
struct GenCall {
  Pid from;
  Term tag;
  Term request;
};
std::optional<GenCall> as_gen_call(const Term& message);
// The request of {'$gen_cast', Request}.
std::optional<Term> as_gen_cast(const Term& message);

Term gen_call(const Pid& from, Term tag, Term request);
Term gen_cast(Term request);
Term alias_tag(const Ref& ref);  // [alias|Ref]
// The alias inside a tag: [alias|Ref] or [[alias|Ref]|_].
std::optional<Ref> alias_of(const Term& tag);

// A gen_server. What handle_call leaves unanswered stays so, as with {noreply, State}.
class Server : public Process {
 protected:
  virtual void handle_call(const GenCall& /*call*/) {}
  virtual void handle_cast(const Term& /*request*/) {}
  virtual void handle_info(const Term& /*message*/) {}
  void on_message(const Term& message) final;
  void reply(const GenCall& call, Term answer);  // gen:reply/2
};

}  // namespace distlab::process
