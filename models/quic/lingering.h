// The ids of connections that are no more, for as long as packets to them may still arrive: they
// are answered with the goodbye, or swallowed, and not taken for packets of an unknown connection.
#pragma once

#include <deque>
#include <map>
#include <span>
#include <vector>

#include "models/quic/engine.h"

namespace distlab::quic {

class Lingering {
 public:
  static constexpr size_t max_entries = 4096;  // the oldest go first

  void add(Time now, Remains remains, std::span<const ConnectionId> ids);
  // Whether the packet is for one of them; `answer` is then whose goodbye to send again, if any.
  struct Found {
    bool known = false;
    const Remains* answer = nullptr;
  };
  Found packet_for(Time now, const ConnectionId& id);
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Remains remains;
    Time until;
    std::vector<ConnectionId> ids;
    uint64_t packets = 0;
  };
  void purge(Time now);
  void drop_first();

  std::deque<Entry> entries_;  // in the order of their deaths
  uint64_t first_number_ = 0;  // of the first entry
  std::map<ConnectionId, uint64_t> numbers_;
};

}  // namespace distlab::quic
