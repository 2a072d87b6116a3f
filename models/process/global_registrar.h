// The registrar of global: registers and unregisters names on all known nodes, one at a time, under
// global's lock (global.erl, loop_the_registrar/0 and trans_all_known/1).
#pragma once

#include <deque>
#include <functional>

#include "models/process/global_worker.h"

namespace distlab::process {

class GlobalRegistrar final : public GlobalWorker {
 public:
  explicit GlobalRegistrar(Global& server) : GlobalWorker(server) {}

  void register_name(Term name, const Pid& pid, Term method, std::function<void(bool yes)> done);
  void unregister_name(Term name, std::function<void()> done);

 protected:
  void on_mail() override { next(); }

 private:
  // Runs while all known nodes are locked; calls the given function when it is through.
  using Transaction = std::function<void(const Nodes& nodes, std::function<void()> finished)>;

  void post(Transaction transaction);
  void next();
  void lock_known(int times);
  void again(int times);
  void run(const Nodes& nodes);
  LockId lock_id() const { return {etf::atom("global"), self()}; }

  std::deque<Transaction> queue_;
  bool running_ = false;
};

}  // namespace distlab::process
