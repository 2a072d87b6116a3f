#include "real/ground/courier.h"

#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include <unistd.h>

namespace distlab::ground {
namespace {

constexpr size_t head = 9;

void put(std::vector<uint8_t>& out, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<uint8_t>(value >> shift));
}

uint32_t get(Bytes bytes) {
  return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}

}  // namespace

Courier::~Courier() {
  if (waiting_) loop_.forget(fd_);
}

void Courier::send(MessageKind kind, uint32_t source, Bytes bytes) {
  std::vector<uint8_t> message;
  message.reserve(head + bytes.size());
  put(message, static_cast<uint32_t>(head - 4 + bytes.size()));
  message.push_back(static_cast<uint8_t>(kind));
  put(message, source);
  message.insert(message.end(), bytes.begin(), bytes.end());
  queue_.push_back(std::move(message));
  if (!waiting_) flush();
}

void Courier::when_empty(std::function<void()> done) {
  if (queue_.empty()) return done();
  empty_ = std::move(done);
}

void Courier::flush() {
  while (!queue_.empty()) {
    const std::vector<uint8_t>& first = queue_.front();
    const ssize_t size = ::write(fd_, first.data() + written_, first.size() - written_);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) return loop_.stop();  // nobody records any more: the process outside is dead, and so are we soon
    written_ += static_cast<size_t>(size);
    if (written_ < first.size()) continue;
    written_ = 0;
    queue_.pop_front();
  }
  const bool rest = !queue_.empty();
  if (rest && !waiting_ && !loop_.watch_writable(fd_, [this] { flush(); })) return loop_.stop();
  if (!rest && waiting_) loop_.forget(fd_);
  waiting_ = rest;
  if (!rest && empty_) std::exchange(empty_, nullptr)();
}

void MessageReader::feed(Bytes bytes, const Sink& sink) {
  rest_.insert(rest_.end(), bytes.begin(), bytes.end());
  size_t at = 0;
  while (rest_.size() - at >= head) {
    const Bytes left = Bytes(rest_).subspan(at);
    const size_t size = get(left);
    assert(size >= head - 4);
    if (left.size() < 4 + size) break;
    sink(static_cast<MessageKind>(left[4]), get(left.subspan(5)), left.subspan(head, size - (head - 4)));
    at += 4 + size;
  }
  rest_.erase(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(at));
}

}  // namespace distlab::ground
