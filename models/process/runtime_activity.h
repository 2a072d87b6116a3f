// Marks that code of the node runs, so that the signals it causes are handled after it.
// Private to this folder.
#pragma once

#include "models/process/runtime.h"

namespace distlab::process {

// The outermost activity of the loop (`at_loop`) handles all signals before it ends; one that was
// opened by a call from outside leaves them to the loop, because nothing may call back from inside
// a call.
class Runtime::Activity {
 public:
  explicit Activity(Runtime& runtime, bool at_loop = false) : runtime_(runtime), at_loop_(at_loop) {
    ++runtime_.active_;
  }
  Activity(const Activity&) = delete;
  Activity& operator=(const Activity&) = delete;
  ~Activity() {
    if (runtime_.active_ == 1) runtime_.finish(at_loop_);
    --runtime_.active_;
  }

 private:
  Runtime& runtime_;
  const bool at_loop_;
};

}  // namespace distlab::process
