// The bytes of a stream from write() until the peer has acknowledged them.
//
// ngtcp2 keeps pointers into them for retransmission, so a byte never moves: the buffer is a queue
// of chunks that are filled, sent and released in order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "models/host/byte_stream.h"

namespace distlab::quic {

class SendBuffer {
 public:
  static constexpr size_t max_pieces = 4;
  struct Unsent {
    std::array<Bytes, max_pieces> pieces;
    size_t count = 0;
    size_t size = 0;  // of all pieces
    bool all = true;  // nothing is unsent beyond them
  };

  void append(Bytes data);
  Unsent unsent() const;
  void sent(size_t count);
  void acknowledged(size_t count);  // from the front; all of it sent before

  size_t size() const { return size_; }  // not yet acknowledged
  size_t unsent_size() const { return unsent_; }

 private:
  struct Chunk {
    std::unique_ptr<uint8_t[]> bytes;
    size_t capacity = 0;
    size_t filled = 0;
  };

  std::deque<Chunk> chunks_;
  size_t released_ = 0;                       // of the first chunk: acknowledged already
  size_t sent_chunks_ = 0, sent_offset_ = 0;  // the first unsent byte: chunk and offset in it
  size_t size_ = 0, unsent_ = 0;
};

}  // namespace distlab::quic
