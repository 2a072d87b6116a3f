// From the coordinator, inside the lab, to the process outside that records: events, progress, the result.
//
//   message = size:u32 (of what follows it)  kind:u8  source:u32  bytes
//
// Little-endian. Both ends are ours, so a message that makes no sense is our own bug.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "models/host/byte_stream.h"
#include "real/ground/loop.h"

namespace distlab::ground {

enum class MessageKind : uint8_t {
  origin,     // of the run's clock, in decimal digits (ns); the first message
  events,     // as they came out of the pipe of process number `source`; any piece of them
  lost_tail,  // of that process: the rest of its last event will never come, as it was killed
  result,     // JSON; the last message
};

// Keeps what the pipe does not take, so that the coordinator never waits for the recorder.
class Courier {
 public:
  Courier(Loop& loop, int fd) : loop_(loop), fd_(fd) {}
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  void send(MessageKind kind, uint32_t source, Bytes bytes);
  // Calls `done` when all has left.
  void when_empty(std::function<void()> done);

 private:
  void flush();

  Loop& loop_;
  const int fd_;
  std::deque<std::vector<uint8_t>> queue_;
  size_t written_ = 0;  // of the first
  bool waiting_ = false;
  std::function<void()> empty_;
};

// The other end: puts messages together.
class MessageReader {
 public:
  using Sink = std::function<void(MessageKind kind, uint32_t source, Bytes bytes)>;
  void feed(Bytes bytes, const Sink& sink);

 private:
  std::vector<uint8_t> rest_;
};

}  // namespace distlab::ground
