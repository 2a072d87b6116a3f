#include "models/quic/send_buffer.h"

#include <algorithm>
#include <cassert>

namespace distlab::quic {
namespace {

// Small writes share a chunk, large ones are not cut to pieces; an idle stream holds none.
constexpr size_t smallest_chunk = 1024;
constexpr size_t largest_chunk = 16 * 1024;

}  // namespace

void SendBuffer::append(Bytes data) {
  size_ += data.size();
  unsent_ += data.size();
  while (!data.empty()) {
    if (chunks_.empty() || chunks_.back().filled == chunks_.back().capacity) {
      const size_t capacity = std::clamp(data.size(), smallest_chunk, largest_chunk);
      chunks_.push_back({std::make_unique_for_overwrite<uint8_t[]>(capacity), capacity, 0});
    }
    Chunk& last = chunks_.back();
    const size_t count = std::min(data.size(), last.capacity - last.filled);
    std::copy_n(data.begin(), count, last.bytes.get() + last.filled);
    last.filled += count;
    data = data.subspan(count);
  }
}

SendBuffer::Unsent SendBuffer::unsent() const {
  Unsent result;
  size_t offset = sent_offset_;
  for (size_t i = sent_chunks_; i < chunks_.size() && result.count < max_pieces; ++i, offset = 0) {
    const Bytes piece(chunks_[i].bytes.get() + offset, chunks_[i].filled - offset);
    if (piece.empty()) continue;
    result.pieces[result.count++] = piece;
    result.size += piece.size();
  }
  result.all = result.size == unsent_;
  return result;
}

void SendBuffer::sent(size_t count) {
  assert(count <= unsent_);
  unsent_ -= count;
  while (count > 0) {
    const size_t left = chunks_[sent_chunks_].filled - sent_offset_;
    if (count < left) {
      sent_offset_ += count;
      return;
    }
    count -= left;
    if (chunks_[sent_chunks_].filled < chunks_[sent_chunks_].capacity) {
      sent_offset_ += left;  // the chunk may still be appended to
      assert(count == 0);
      return;
    }
    ++sent_chunks_;
    sent_offset_ = 0;
  }
}

void SendBuffer::acknowledged(size_t count) {
  assert(count <= size_ - unsent_);
  size_ -= count;
  released_ += count;
  while (!chunks_.empty() && released_ >= chunks_.front().filled) {
    released_ -= chunks_.front().filled;
    if (sent_chunks_ > 0) {
      --sent_chunks_;
    } else {
      sent_offset_ = 0;  // the last one, half filled
    }
    chunks_.pop_front();
  }
}

}  // namespace distlab::quic
