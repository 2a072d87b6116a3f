// Frames: what relays and clients exchange on a QUIC stream (facts relay-distribution.md section 1.2).
// The README of this folder has the whole layout.
//
//   version 1 | type | flags 0 | reserved 0 | length u32 BE | body: one CBOR map of `length` bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "models/host/byte_stream.h"

namespace distlab::mesh {

enum class FrameType : uint8_t {
  connect = 0x01,
  welcome = 0x02,
  disconnect = 0x03,
  ping = 0x04,
  pong = 0x05,
  error = 0x06,
  publish = 0x10,
  subscribe = 0x11,
  unsubscribe = 0x12,
  call = 0x20,
  reply = 0x21,
  advertise = 0x22,
  unadvertise = 0x23,
};

inline constexpr size_t frame_type_end = 0x24;  // beyond the last type
std::string_view to_string(FrameType type);     // "publish"; "?" for what is no type

inline constexpr uint8_t frame_version = 1;
inline constexpr size_t frame_header_size = 8;
inline constexpr size_t default_max_frame = 1024 * 1024;  // bytes with the header

enum class FrameError {
  version,    // not version 1: this is another protocol
  flags,      // flags or reserved byte set: nothing is defined for them
  too_large,  // the header says more than the limit
  type,       // a type this side does not know or does not expect now
  body,       // not the CBOR map that belongs to the type
};
std::string_view to_string(FrameError error);

// A whole frame, header included. Immutable; copies share the bytes, so that a relay can queue one frame
// for many receivers.
class Frame {
 public:
  // `bytes` must begin with a header whose length is that of the rest.
  explicit Frame(std::vector<uint8_t> bytes);

  FrameType type() const { return FrameType((*bytes_)[1]); }
  Bytes bytes() const { return *bytes_; }
  Bytes body() const { return Bytes(*bytes_).subspan(frame_header_size); }
  size_t size() const { return bytes_->size(); }

 private:
  std::shared_ptr<const std::vector<uint8_t>> bytes_;
};

// A buffer that begins with the header of a frame of this type; seal() writes the length of what was
// appended since and makes the frame.
std::vector<uint8_t> begin_frame(FrameType type, size_t body_size_hint);
Frame seal(std::vector<uint8_t> bytes);

// Cuts a stream into frames. Memory grows with the bytes that came, never with a length a header claims.
class FrameReader {
 public:
  explicit FrameReader(size_t max_frame = default_max_frame) : max_frame_(max_frame) {}

  // Frames that were whole before the error are given out. After an error the stream is over: there is no
  // way to find the next frame, and every later push says the same.
  tl::expected<void, FrameError> push(Bytes chunk);
  std::optional<Frame> next();

  size_t buffered() const { return partial_.size(); }  // bytes of an unfinished frame

 private:
  tl::expected<void, FrameError> check_header() const;
  size_t wanted() const;  // bytes of the unfinished frame, or of its header

  const size_t max_frame_;
  std::vector<uint8_t> partial_;
  std::deque<Frame> ready_;
  std::optional<FrameError> error_;
};

}  // namespace distlab::mesh
