// The frames that wait for one receiver. With `control_first` whatever is not a PUBLISH overtakes those,
// at frame boundaries.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "models/mesh/frame.h"

namespace distlab::mesh {

class Outbox {
 public:
  explicit Outbox(bool control_first = true) : control_first_(control_first) {}

  void push(Frame frame) {
    bytes_ += frame.size();
    auto& queue = control_first_ && frame.type() != FrameType::publish ? control_ : plain_;
    queue.push_back(std::move(frame));
  }

  // What to send next; empty if nothing waits. Valid until the next call that is not const.
  Bytes front() {
    if (!current_) current_ = pop();
    return current_ ? current_->bytes().subspan(sent_) : Bytes{};
  }
  // So many bytes of front() are sent.
  void consumed(size_t count) {
    bytes_ -= count;
    sent_ += count;
    if (current_ && sent_ == current_->size()) {
      current_.reset();
      sent_ = 0;
    }
  }

  struct Cleared {
    uint64_t messages = 0, bytes = 0;  // PUBLISH frames
  };
  // Forgets all but a frame whose beginning is sent.
  Cleared clear() {
    Cleared out;
    if (sent_ == 0) forget(out, current_);
    while (auto frame = pop()) forget(out, frame);
    return out;
  }

  size_t bytes() const { return bytes_; }

 private:
  std::optional<Frame> pop() {
    auto& queue = control_.empty() ? plain_ : control_;
    if (queue.empty()) return {};
    Frame frame = std::move(queue.front());
    queue.pop_front();
    return frame;
  }
  void forget(Cleared& out, std::optional<Frame>& frame) {
    if (!frame) return;
    bytes_ -= frame->size();
    if (frame->type() == FrameType::publish) {
      ++out.messages;
      out.bytes += frame->size();
    }
    frame.reset();
  }

  bool control_first_;
  std::deque<Frame> control_, plain_;
  std::optional<Frame> current_;
  size_t sent_ = 0;   // of current_
  size_t bytes_ = 0;  // in all, without sent_
};

}  // namespace distlab::mesh
