// Finds out what to do about the names of a node that connects (global.erl, resolver/2 and
// exchange_names/4), and the resolve functions themselves.
#pragma once

#include <string>
#include <vector>

#include "models/process/functions.h"
#include "models/process/process.h"

namespace distlab::process {

class Global;

// Compares the other node's names with ours; where two processes have the same name, the node with
// the smaller name lets the older one's resolve function decide, by rpc at that process's node. Ends
// with a cast {exchange_ops, Node, MyTag, Ops, Resolved} to the name server.
class GlobalResolver final : public Process {
 public:
  GlobalResolver(Global& server, std::string peer, int64_t my_tag)
      : server_(server), peer_(std::move(peer)), my_tag_(my_tag) {}

  void resolve(const Term& name_list);

 protected:
  void on_message(const Term&) override {}

 private:
  struct Entry {
    Term name;
    Pid pid;
    Term method;
  };
  void next();
  void conflict(const Entry& his);
  void decide(const Entry& his, const Entry& ours, const Term& decision);

  Global& server_;
  const std::string peer_;
  const int64_t my_tag_;
  std::vector<Entry> names_;
  size_t at_ = 0;
  etf::Terms ops_, resolved_;
};

// global:resolve_it/4 with the three functions of global: random_exit_name/3 (what names are
// registered with by default; also assumed for a fun of the module global, whose name does not
// travel), random_notify_name/3, notify_all_name/3.
Evaluation resolve_it(Runtime& runtime, std::span<const Term> arguments);

}  // namespace distlab::process
