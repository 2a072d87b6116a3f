// Events on their way from a process to the coordinator: records one after the other in a pipe.
//
//   record = size:u32 (of what follows it)  time:i64 (ns since the begin of the run)
//            kind:text8 subject:text32 count:u8 { key:text8 type:u8 value }
//   value  = i64 (type 1) | f64 (type 2) | text32 (type 3)
//   text8, text32 = length:u8 or u32, bytes
//
// Little-endian. Not CBOR, as the other documents are: thousands of these are written in a second, and read by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "models/host/byte_stream.h"
#include "models/host/event.h"
#include "results/records.h"

namespace distlab::actor {

inline constexpr size_t max_event_text = 64 * 1024;  // longer ones are cut
inline constexpr size_t max_event_fields = 32;       // more are left out; no kind has so many
inline constexpr size_t max_event_size = (max_event_fields + 2) * (max_event_text + 300);

// Appends one record.
void encode_event(Time at, const Event& event, std::vector<uint8_t>& out);

// Puts the pieces that come out of a pipe together again. Nothing that arrives can do it harm.
class EventReader {
 public:
  using Sink = std::function<void(results::EventRecord&&)>;

  explicit EventReader(std::string host) : host_(std::move(host)) {}  // the process that writes them

  // False: no actor writes this. Nothing is taken from then on.
  bool feed(Bytes bytes, const Sink& sink);

  uint64_t records() const { return records_; }
  // At the end of the pipe: so many bytes of a record whose end never came, as its writer was killed.
  size_t incomplete() const { return rest_.size(); }

 private:
  size_t take(Bytes bytes, const Sink& sink);

  const std::string host_;
  std::vector<uint8_t> rest_;
  uint64_t records_ = 0;
  bool broken_ = false;
};

}  // namespace distlab::actor
