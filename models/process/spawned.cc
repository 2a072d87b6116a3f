#include "models/process/spawned.h"

#include <optional>
#include <utility>

#include "models/process/runtime.h"

namespace distlab::process {
namespace {

using Kind = Evaluation::Kind;

struct Mfa {
  std::string module, function;
  std::vector<Term> arguments;
};

std::optional<Mfa> parse_mfa(std::span<const Term> terms) {
  const etf::Atom* module = terms[0].as_atom();
  const etf::Atom* function = terms[1].as_atom();
  const auto arguments = terms[2].as_list();
  if (!module || !function || !arguments) return std::nullopt;
  return Mfa{module->text, function->text, {arguments->begin(), arguments->end()}};
}

class PlainProcess final : public Evaluator {
 public:
  using Evaluator::Evaluator;

 protected:
  Term finished(const Evaluation& evaluation) override { return exit_reason(evaluation); }
};

// erpc:execute_call/4: the reason is the answer.
class ErpcCall final : public Evaluator {
 public:
  ErpcCall(Term ref, Mfa mfa)
      : Evaluator(std::move(mfa.module), std::move(mfa.function), std::move(mfa.arguments)), ref_(std::move(ref)) {}

 protected:
  Term finished(const Evaluation& evaluation) override {
    switch (evaluation.kind) {
      case Kind::returned:
        return etf::tuple(ref_, etf::atom("return"), evaluation.value);
      case Kind::thrown:
        return etf::tuple(ref_, etf::atom("throw"), evaluation.value);
      case Kind::exited:
        return etf::tuple(ref_, etf::atom("exit"), evaluation.value);
      case Kind::error:
        break;
    }
    return etf::tuple(ref_, etf::atom("error"), evaluation.value, etf::list(evaluation.stack));
  }

 private:
  const Term ref_;
};

}  // namespace

void Evaluator::on_start() {
  const Evaluation evaluation = runtime().functions().apply(runtime(), module_, function_, arguments_);
  if (evaluation.takes <= Duration{0}) return exit(finished(evaluation));
  start_timer(evaluation.takes, [this, evaluation] { exit(finished(evaluation)); });
}

Term exit_reason(const Evaluation& evaluation) {
  switch (evaluation.kind) {
    case Kind::returned:
      return etf::atom("normal");
    case Kind::thrown:
      return etf::tuple(etf::tuple(etf::atom("nocatch"), evaluation.value), etf::list({}));
    case Kind::exited:
      return evaluation.value;
    case Kind::error:
      break;
  }
  return etf::tuple(evaluation.value, etf::list(evaluation.stack));
}

std::unique_ptr<Process> make_spawned(const std::string& module, const std::string& function,
                                      std::vector<Term> arguments) {
  const std::span<const Term> terms = arguments;
  if (module == "erpc" && function == "execute_call" && arguments.size() == 4) {
    if (auto mfa = parse_mfa(terms.subspan(1))) return std::make_unique<ErpcCall>(arguments[0], std::move(*mfa));
  } else if (module == "erpc" && function == "execute_cast" && arguments.size() == 3) {
    if (auto mfa = parse_mfa(terms)) {
      return std::make_unique<PlainProcess>(std::move(mfa->module), std::move(mfa->function),
                                            std::move(mfa->arguments));
    }
  }
  return std::make_unique<PlainProcess>(module, function, std::move(arguments));
}

}  // namespace distlab::process
