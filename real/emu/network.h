// The emu ground's network: the sim ground's, its machines replaced by ports of the lab, run in real time.
//
// ns-3's default simulator is paced by the coordinator's loop (facts ns3-quic.md section 5, "self-paced
// pump"): in every round it runs up to the present moment; between rounds the loop waits for a packet of a
// host or for ns-3's next event. A packet enters at the time it was read, never earlier.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "real/ground/wan.h"
#include "real/lab/lab.h"
#include "scenarios/scenario.h"

namespace distlab::emu {

struct NetworkOptions {
  uint64_t seed = 1;
  std::string pcap_directory{};  // "" for none; one file per machine, <machine>.pcap
  lab::Attachment::Kind ports = lab::Attachment::Kind::any;
};

// The scenario must outlive it. One at a time in a process, as ns-3 has one simulator.
std::unique_ptr<ground::Wan> make_network(const scenario::Scenario& scenario, const NetworkOptions& options);

}  // namespace distlab::emu
