// distlab-actor: one process of a scenario, started by the coordinator of a run with the descriptors of
// actor::Channels. Not for people; without them it says so and exits with 64.
#include "real/actor/runner.h"

int main() {
  return distlab::actor::run_actor({});
}
