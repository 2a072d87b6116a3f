// The functions of this node that peers can run: {Module, Function, Arity} -> native code.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/etf/term.h"
#include "models/host/time.h"

namespace distlab::process {

class Runtime;

// How an evaluation ended: as try ... catch would see it.
struct Evaluation {
  enum class Kind { returned, thrown, exited, error };
  Kind kind = Kind::returned;
  etf::Term value;               // what was returned or thrown, or the reason
  std::vector<etf::Term> stack;  // of an error, as erpc trims it
  Duration takes{0};             // time until it is known, as with timer:sleep/1
};

using Function = std::function<Evaluation(Runtime&, std::span<const etf::Term> arguments)>;

class FunctionTable {
 public:
  // The functions every node has: erlang:node/0, nodes/0, length/1, exit/1, error/1, throw/1,
  // whereis/1; timer:sleep/1; distlab:echo/1.
  FunctionTable();

  void add(const std::string& module, const std::string& function, uint8_t arity, Function native);
  // Applies; an unknown function is {error, undef} with the call as its stack.
  Evaluation apply(Runtime& runtime, const std::string& module, const std::string& function,
                   std::span<const etf::Term> arguments) const;

 private:
  struct Key {
    std::string module, function;
    uint8_t arity = 0;
    auto operator<=>(const Key&) const = default;
  };
  std::map<Key, Function> functions_;
};

}  // namespace distlab::process
