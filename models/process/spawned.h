// Processes that evaluate a function for a peer and end: spawn_request, erpc and rpc's servers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/process/functions.h"
#include "models/process/process.h"

namespace distlab::process {

// Evaluates Module:Function(Arguments) and then does what `finished` says.
class Evaluator : public Process {
 public:
  Evaluator(std::string module, std::string function, std::vector<Term> arguments)
      : module_(std::move(module)), function_(std::move(function)), arguments_(std::move(arguments)) {}

 protected:
  void on_start() override;
  void on_message(const Term&) override {}
  // The reason to exit with.
  virtual Term finished(const Evaluation& evaluation) = 0;

 private:
  const std::string module_, function_;
  const std::vector<Term> arguments_;
};

// What a SPAWN_REQUEST starts: erpc:execute_call/4 and execute_cast/3 as erpc.erl has them, any
// other function as a plain process of it.
std::unique_ptr<Process> make_spawned(const std::string& module, const std::string& function,
                                      std::vector<Term> arguments);

// {Reason, Stack} of an uncaught error, {nocatch, Value} of a throw, ... as exit reasons are.
Term exit_reason(const Evaluation& evaluation);

}  // namespace distlab::process
