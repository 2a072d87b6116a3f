#include "models/process/global_registrar.h"

#include <algorithm>
#include <utility>

#include "models/process/global.h"
#include "models/process/runtime.h"

namespace distlab::process {

void GlobalRegistrar::register_name(Term name, const Pid& pid, Term method, std::function<void(bool)> done) {
  post([this, name = std::move(name), pid, method = std::move(method), done = std::move(done)](
           const Nodes& nodes, const std::function<void()>& finished) {
    const bool taken = server().whereis_name(name).has_value();
    const bool has_another = server().tables_.has_pid(pid);
    if (has_another) runtime().log("error", node(), "global: a process registered under several names");
    if (taken || has_another) {
      done(false);
      return finished();
    }
    multi_call(nodes, etf::tuple(etf::atom("register"), name, pid, method), [done, finished](const Replies&) {
      done(true);
      finished();
    });
  });
}

void GlobalRegistrar::unregister_name(Term name, std::function<void()> done) {
  post([this, name = std::move(name), done = std::move(done)](const Nodes& nodes,
                                                              const std::function<void()>& finished) {
    multi_call(nodes, etf::tuple(etf::atom("unregister"), name), [done, finished](const Replies&) {
      done();
      finished();
    });
  });
}

void GlobalRegistrar::post(Transaction transaction) {
  queue_.push_back(std::move(transaction));
  wake();
}

void GlobalRegistrar::next() {
  if (running_ || queue_.empty()) return;
  running_ = true;
  lock_known(0);
}

// set_lock_known/2: the boss first, then all, and nobody new meanwhile.
void GlobalRegistrar::lock_known(int times) {
  const Nodes known = server().known();
  Nodes nodes = known;
  nodes.insert(nodes.begin(), node());
  const std::string boss = the_boss(nodes);
  set_lock(lock_id(), {boss}, [this, known, nodes, boss, times](bool boss_set) {
    if (!boss_set) return again(times);
    set_lock(lock_id(), nodes, [this, known, nodes, boss, times](bool all_set) {
      if (all_set && without(server().known(), known).empty()) return run(nodes);
      del_lock(lock_id(), {boss}, [this, times] { again(times); });
    });
  });
}

void GlobalRegistrar::again(int times) {
  start_timer(random_sleep(times), [this, times] { lock_known(times + 1); });
}

void GlobalRegistrar::run(const Nodes& nodes) {
  const Transaction transaction = std::move(queue_.front());
  queue_.pop_front();
  transaction(nodes, [this, nodes] {
    delete_global_lock(lock_id(), nodes, [this] {
      running_ = false;
      next();
    });
  });
}

}  // namespace distlab::process
