#include "models/dist/framing.h"

#include <algorithm>
#include <cassert>

namespace distlab::dist {

uint64_t read_length(Bytes bytes, HeaderSize header) {
  uint64_t length = 0;
  for (size_t i = 0; i < size_t(header); ++i) length = length << 8 | bytes[i];
  return length;
}

void write_length(std::vector<uint8_t>& out, size_t length, HeaderSize header) {
  const auto size = unsigned(header);
  assert(size == 4 ? length <= 0xffffffff : length <= 0xffff);
  for (unsigned i = size; i-- > 0;) out.push_back(uint8_t(length >> (8 * i)));
}

void FrameDecoder::feed(Bytes chunk) {
  assert(chunk_.empty() && "drain next() before feeding more");
  chunk_ = chunk;
}

// Tops the buffer up from the chunk; true once it holds `wanted` bytes.
bool FrameDecoder::fill(size_t wanted) {
  if (buffer_.size() < wanted) {
    if (wanted <= max_kept_capacity) buffer_.reserve(wanted);
    const size_t count = std::min(wanted - buffer_.size(), chunk_.size());
    buffer_.insert(buffer_.end(), chunk_.begin(), chunk_.begin() + ptrdiff_t(count));
    chunk_ = chunk_.subspan(count);
  }
  return buffer_.size() >= wanted;
}

std::optional<Frame> FrameDecoder::swallow() {
  const uint64_t count = std::min<uint64_t>(swallow_left_, chunk_.size());
  chunk_ = chunk_.subspan(size_t(count));
  swallow_left_ -= count;
  if (swallow_left_ > 0) return std::nullopt;
  return Frame{{}, true, false, swallow_length_};
}

std::optional<Frame> FrameDecoder::next() {
  if (given_) {
    buffer_.clear();
    if (buffer_.capacity() > max_kept_capacity) buffer_.shrink_to_fit();
    given_ = false;
  }
  if (swallow_left_ > 0) return swallow();

  const auto header = HeaderSize(header_size_);
  if (buffer_.empty() && chunk_.size() >= header_size_) {
    const uint64_t length = read_length(chunk_, header);
    if (length <= limit_ && length <= chunk_.size() - header_size_) {
      const Frame frame{chunk_.subspan(header_size_, size_t(length)), false, false, length};
      chunk_ = chunk_.subspan(header_size_ + size_t(length));
      return frame;
    }
  }
  if (!fill(header_size_)) return std::nullopt;
  const uint64_t length = read_length(buffer_, header);
  if (length > max_valid_) {
    buffer_.clear();
    chunk_ = {};
    return Frame{{}, false, true, length};
  }
  if (length > limit_) {
    buffer_.clear();
    swallow_left_ = swallow_length_ = length;
    return swallow();
  }
  if (!fill(header_size_ + size_t(length))) return std::nullopt;
  given_ = true;
  return Frame{Bytes(buffer_).subspan(header_size_), false, false, length};
}

std::vector<uint8_t> FrameDecoder::take_rest() {
  std::vector<uint8_t> rest;
  if (!given_) rest = std::move(buffer_);
  rest.insert(rest.end(), chunk_.begin(), chunk_.end());
  buffer_.clear();
  chunk_ = {};
  given_ = false;
  return rest;
}

std::vector<uint8_t> framed(Bytes body, HeaderSize header) {
  std::vector<uint8_t> out;
  write_length(out, body.size(), header);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

}  // namespace distlab::dist
