#include "sim/simulator.h"

#include <ns3/boolean.h>
#include <ns3/global-value.h>
#include <ns3/object-factory.h>
#include <ns3/priority-queue-scheduler.h>
#include <ns3/rng-seed-manager.h>
#include <ns3/simulator.h>

#include "sim/linux_tcp.h"
#include "sim/ns3_time.h"

namespace distlab::sim {
namespace {

// ns-3 makes its scheduler itself and shows it to nobody; this one tells where it is.
class OpenScheduler : public ns3::PriorityQueueScheduler {
 public:
  static ns3::TypeId GetTypeId() {
    static const ns3::TypeId id = ns3::TypeId("distlab::sim::OpenScheduler")
                                      .SetParent<ns3::PriorityQueueScheduler>()
                                      .AddConstructor<OpenScheduler>();
    return id;
  }
  OpenScheduler() { current = this; }
  ~OpenScheduler() override {
    if (current == this) current = nullptr;
  }

  static inline const OpenScheduler* current = nullptr;
};

}  // namespace

Simulator::Simulator(uint64_t seed, Pace pace) {
  // Our own models use named streams; what ns-3 draws itself still has to follow the seed.
  ns3::RngSeedManager::SetSeed(1);
  ns3::RngSeedManager::SetRun(seed);
  ns3::ObjectFactory scheduler;
  scheduler.SetTypeId(pace == Pace::real ? OpenScheduler::GetTypeId() : ns3::PriorityQueueScheduler::GetTypeId());
  ns3::Simulator::SetScheduler(scheduler);
  configure_tcp_as_linux();
}

Simulator::~Simulator() {
  ns3::Simulator::Destroy();
}

void Simulator::run_until(Time end) {
  ns3::Simulator::Stop(ns3_delay(end - ns3_now()));
  ns3::Simulator::Run();
}

std::optional<Time> Simulator::next() const {
  if (OpenScheduler::current == nullptr || OpenScheduler::current->IsEmpty()) return std::nullopt;
  return run_start + Duration(static_cast<int64_t>(OpenScheduler::current->PeekNext().key.m_ts));
}

uint64_t Simulator::events() const {
  return ns3::Simulator::GetEventCount();
}

}  // namespace distlab::sim
