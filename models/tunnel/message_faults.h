// Faults done to single tunnel messages on their way to the mesh: the n-th one to a peer is dropped,
// doubled, altered, or changes places with the next (facts relay-distribution.md section 3.2: F1, F2, F5).
//
// A ground makes one of these for each node and gives it to the node's carrier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/host/byte_stream.h"

namespace distlab::tunnel {

enum class MessageFaultKind {
  drop,
  duplicate,
  swap,     // it waits for the next message of its tunnel, and follows it
  replay,   // it goes out, and a second time behind the next message of its tunnel
  corrupt,  // one bit of it is wrong
};

std::string_view to_string(MessageFaultKind kind);

struct MessageFault {
  MessageFaultKind kind = MessageFaultKind::drop;
  uint64_t nth = 1;                 // counted from add() on: 1 is the next message to that peer
  uint64_t count = 1;               // so many messages from there on
  size_t min_size = 0;              // only messages with at least so many bytes count
  std::function<void()> done = {};  // for each message it was done to; from inside apply()
};

class MessageFaults {
 public:
  using Emit = std::function<void(const std::string& topic, Bytes message)>;

  // For messages to this peer, in whatever tunnel. Several faults may be pending; each counts for itself,
  // and of those that hit the same message the first added is done.
  void add(const std::string& peer, MessageFault fault);
  // Whether messages to this peer must go through apply().
  bool pending(std::string_view peer) const { return peers_.find(peer) != peers_.end(); }
  // Emits what becomes of the message.
  void apply(const std::string& peer, const std::string& topic, Bytes message, const Emit& emit);

 private:
  struct Pending {
    MessageFault fault;
    uint64_t seen = 0;
  };
  struct Peer {
    std::vector<Pending> faults;
    std::map<std::string, std::vector<std::vector<uint8_t>>> held;  // by topic: behind its next message
  };

  static std::optional<MessageFault> hit(Peer& peer, size_t size);

  std::map<std::string, Peer, std::less<>> peers_;
};

}  // namespace distlab::tunnel
