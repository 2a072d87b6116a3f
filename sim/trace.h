// The trace hash: one number for all that was observed in a run (design.md section 10).
//
// It covers virtual times, hosts, event kinds and fields, and the sizes of packets, never their
// contents: ciphertext may differ between runs that are the same in everything that matters.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "models/host/event.h"
#include "models/host/time.h"

namespace distlab::sim {

class TraceHash {
 public:
  TraceHash();
  ~TraceHash();

  void add_event(Time at, std::string_view host, const Event& event);
  void add_packet(Time at, std::string_view machine, uint32_t bytes);
  std::string finish();  // 32 hexadecimal digits; call once

 private:
  void put(std::string_view text);
  void put(uint64_t value);
  void flush();

  struct Digest;
  std::unique_ptr<Digest> digest_;
  std::string buffer_;
};

}  // namespace distlab::sim
