#include "models/mesh/frame.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace distlab::mesh {
namespace {

uint32_t length_of(Bytes header) {
  return uint32_t{header[4]} << 24 | uint32_t{header[5]} << 16 | uint32_t{header[6]} << 8 | header[7];
}

}  // namespace

std::string_view to_string(FrameType type) {
  switch (type) {
    case FrameType::connect:
      return "connect";
    case FrameType::welcome:
      return "welcome";
    case FrameType::disconnect:
      return "disconnect";
    case FrameType::ping:
      return "ping";
    case FrameType::pong:
      return "pong";
    case FrameType::error:
      return "error";
    case FrameType::publish:
      return "publish";
    case FrameType::subscribe:
      return "subscribe";
    case FrameType::unsubscribe:
      return "unsubscribe";
    case FrameType::call:
      return "call";
    case FrameType::reply:
      return "reply";
    case FrameType::advertise:
      return "advertise";
    case FrameType::unadvertise:
      return "unadvertise";
  }
  return "?";
}

std::string_view to_string(FrameError error) {
  switch (error) {
    case FrameError::version:
      return "version";
    case FrameError::flags:
      return "flags";
    case FrameError::too_large:
      return "too_large";
    case FrameError::type:
      return "type";
    case FrameError::body:
      return "body";
  }
  return "?";
}

Frame::Frame(std::vector<uint8_t> bytes) : bytes_(std::make_shared<const std::vector<uint8_t>>(std::move(bytes))) {
  assert(bytes_->size() >= frame_header_size && length_of(*bytes_) == bytes_->size() - frame_header_size);
}

std::vector<uint8_t> begin_frame(FrameType type, size_t body_size_hint) {
  std::vector<uint8_t> bytes;
  bytes.reserve(frame_header_size + body_size_hint);
  bytes.resize(frame_header_size);
  bytes[0] = frame_version;
  bytes[1] = uint8_t(type);
  return bytes;
}

Frame seal(std::vector<uint8_t> bytes) {
  const size_t length = bytes.size() - frame_header_size;
  for (size_t i = 0; i < 4; ++i) bytes[4 + i] = uint8_t(length >> (24 - 8 * i));
  return Frame(std::move(bytes));
}

tl::expected<void, FrameError> FrameReader::check_header() const {
  if (partial_[0] != frame_version) return tl::unexpected(FrameError::version);
  if (partial_[2] != 0 || partial_[3] != 0) return tl::unexpected(FrameError::flags);
  if (length_of(partial_) > max_frame_ - frame_header_size) return tl::unexpected(FrameError::too_large);
  return {};
}

size_t FrameReader::wanted() const {
  return partial_.size() < frame_header_size ? frame_header_size : frame_header_size + length_of(partial_);
}

tl::expected<void, FrameError> FrameReader::push(Bytes chunk) {
  while (!error_ && !chunk.empty()) {
    const size_t take = std::min(wanted() - partial_.size(), chunk.size());
    const bool in_header = partial_.size() < frame_header_size;
    partial_.insert(partial_.end(), chunk.begin(), chunk.begin() + ptrdiff_t(take));
    chunk = chunk.subspan(take);
    if (in_header && partial_.size() == frame_header_size) {
      if (const auto checked = check_header(); !checked) error_ = checked.error();
      // Usually the rest of the frame is in the chunk; what a header claims beyond it is not believed.
      partial_.reserve(std::min(wanted(), frame_header_size + chunk.size()));
    }
    if (!error_ && partial_.size() >= frame_header_size && partial_.size() == wanted()) {
      ready_.emplace_back(std::exchange(partial_, {}));
    }
  }
  if (error_) return tl::unexpected(*error_);
  return {};
}

std::optional<Frame> FrameReader::next() {
  if (ready_.empty()) return {};
  Frame frame = std::move(ready_.front());
  ready_.pop_front();
  return frame;
}

}  // namespace distlab::mesh
