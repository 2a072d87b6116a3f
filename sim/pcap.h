// A capture file that Wireshark opens: raw IPv4 packets (LINKTYPE_RAW), times in nanoseconds.
// Source: draft-ietf-opsawg-pcap, "PCAP Capture File Format".
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include <ns3/packet.h>
#include <tl/expected.hpp>

#include "models/host/time.h"

namespace distlab::sim {

class PcapWriter {
 public:
  // The error is one line that names the file.
  static tl::expected<PcapWriter, std::string> open(const std::string& path);

  void write(Time at, const ns3::Packet& packet);

 private:
  explicit PcapWriter(std::ofstream file) : file_(std::move(file)) {}
  std::ofstream file_;
  std::vector<uint8_t> buffer_;
};

}  // namespace distlab::sim
