#include "sim/simulator.h"

#include <ns3/boolean.h>
#include <ns3/global-value.h>
#include <ns3/object-factory.h>
#include <ns3/rng-seed-manager.h>
#include <ns3/simulator.h>

#include "sim/linux_tcp.h"
#include "sim/ns3_time.h"

namespace distlab::sim {

Simulator::Simulator(uint64_t seed) {
  // Our own models use named streams; what ns-3 draws itself still has to follow the seed.
  ns3::RngSeedManager::SetSeed(1);
  ns3::RngSeedManager::SetRun(seed);
  ns3::Simulator::SetScheduler(ns3::ObjectFactory("ns3::PriorityQueueScheduler"));
  configure_tcp_as_linux();
}

Simulator::~Simulator() {
  ns3::Simulator::Destroy();
}

void Simulator::run_until(Time end) {
  ns3::Simulator::Stop(ns3_delay(end - ns3_now()));
  ns3::Simulator::Run();
}

uint64_t Simulator::events() const {
  return ns3::Simulator::GetEventCount();
}

}  // namespace distlab::sim
