// Length-prefixed packets over a byte stream: {packet,2} in the handshake, {packet,4} after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "models/host/byte_stream.h"

namespace distlab::dist {

enum class HeaderSize : uint8_t { two = 2, four = 4 };

struct Frame {
  Bytes bytes;            // valid until the next call on the decoder; empty if too_long
  bool too_long = false;  // it was longer than the limit: all its bytes came and were thrown away
  bool invalid = false;   // its header says more than the greatest valid length: the stream is over
  uint64_t length = 0;    // as its header said
};

// Cuts a byte stream into frames. A frame that lies whole in one chunk is not copied. Memory grows
// with the bytes that came, never with the length a header claims.
//
//   decoder.feed(chunk);
//   while (auto frame = decoder.next()) ...
class FrameDecoder {
 public:
  static constexpr size_t no_limit = std::numeric_limits<size_t>::max();

  // `limit`: longer frames are swallowed; `max_valid`: longer ones end the stream.
  explicit FrameDecoder(HeaderSize header, size_t limit = no_limit, size_t max_valid = no_limit)
      : header_size_(size_t(header)), limit_(limit), max_valid_(max_valid) {}

  // The chunk must stay alive until next() has returned nothing, and may be fed only then.
  void feed(Bytes chunk);
  std::optional<Frame> next();

  // Bytes fed and not yet given out as a frame; the decoder is empty after it. For the moment when
  // another protocol takes over.
  std::vector<uint8_t> take_rest();

  size_t buffered() const { return buffer_.size(); }  // bytes of an unfinished frame kept here

 private:
  static constexpr size_t max_kept_capacity = 256 * 1024;  // a rare large frame does not keep its memory

  bool fill(size_t wanted);
  std::optional<Frame> swallow();

  size_t header_size_;
  size_t limit_;
  size_t max_valid_;
  Bytes chunk_;
  std::vector<uint8_t> buffer_;  // header and body of a frame that began in an earlier chunk
  bool given_ = false;           // buffer_ holds the frame given out last
  uint64_t swallow_left_ = 0;
  uint64_t swallow_length_ = 0;
};

// Reads the header; `bytes` holds at least that much.
uint64_t read_length(Bytes bytes, HeaderSize header);
// Appends the header for a body of this length (which fits).
void write_length(std::vector<uint8_t>& out, size_t length, HeaderSize header);
std::vector<uint8_t> framed(Bytes body, HeaderSize header);  // header and body

}  // namespace distlab::dist
