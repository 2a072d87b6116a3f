// What a scenario does to single tunnel messages on their way into the mesh: the n-th towards a peer is
// lost, doubled, swapped with the next one, or damaged (rows F1, F2, F5 of facts relay-distribution.md).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace distlab::tunnel {

enum class Harm { drop, duplicate, swap, corrupt };

class MessageFaults {
 public:
  using Message = std::vector<uint8_t>;
  using Send = std::function<void(const Message&)>;

  // nth: counted from now; 1 is the next message towards the peer.
  void add(const std::string& peer, Harm harm, uint64_t nth);
  // Hands on what becomes of this message: nothing, it, or it and another.
  void pass(const std::string& peer, Message message, const Send& send);

 private:
  struct Pending {
    Harm harm;
    uint64_t left;  // messages until it strikes
  };
  struct Peer {
    std::vector<Pending> pending;
    std::vector<Message> held;  // go after the next one
  };
  std::map<std::string, Peer> peers_;  // only those to whom something is going to happen
};

}  // namespace distlab::tunnel
