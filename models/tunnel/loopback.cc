#include "models/tunnel/loopback.h"

#include <algorithm>
#include <utility>

namespace distlab::tunnel {
namespace {

// Bytes on their way. What is taken from the front is only moved over now and then.
class Pipe {
 public:
  explicit Pipe(size_t capacity) : capacity_(capacity) {}

  size_t push(Bytes data) {
    const size_t taken = std::min(data.size(), capacity_ - size());
    bytes_.insert(bytes_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(taken));
    return taken;
  }
  std::vector<uint8_t> pop(size_t most) {
    const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(begin_);
    const size_t count = std::min(most, size());
    std::vector<uint8_t> out(begin, begin + static_cast<std::ptrdiff_t>(count));
    begin_ += count;
    if (begin_ == bytes_.size()) {
      clear();
    } else if (begin_ > capacity_) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
      begin_ = 0;
    }
    return out;
  }
  size_t size() const { return bytes_.size() - begin_; }
  bool empty() const { return size() == 0; }
  void clear() {
    bytes_.clear();
    begin_ = 0;
  }

 private:
  const size_t capacity_;
  std::vector<uint8_t> bytes_;
  size_t begin_ = 0;
};

}  // namespace

struct Loopback::State : std::enable_shared_from_this<State> {
  State(Host& on, size_t capacity)
      : host(on), to_bridge(capacity), to_stream(capacity), bridge_timer(on), stream_timer(on) {}

  // One wake-up for all that happens in one moment.
  void wake_bridge() {
    if (bridge_alive && !bridge_timer.running())
      bridge_timer.start(Duration::zero(), [self = weak_from_this()] {
        if (const auto state = self.lock()) state->tell_bridge();
      });
  }
  void wake_stream() {
    if (stream_alive && !stream_timer.running())
      stream_timer.start(Duration::zero(), [self = weak_from_this()] {
        if (const auto state = self.lock()) state->tell_stream();
      });
  }
  void tell_bridge();
  void tell_stream();

  Host& host;
  Pipe to_bridge, to_stream;
  bool bridge_alive = true;     // the Loopback object
  bool stream_alive = true;     // the Stream object, not closed by its owner
  bool bridge_closed = false;   // nothing more will be written to the stream
  bool bridge_blocked = false;  // write() took less than it was given
  bool stream_blocked = false;
  bool reading = false;
  bool told_closed = false;
  StreamHandler* handler = nullptr;
  Listener listener;
  Timer bridge_timer, stream_timer;
};

void Loopback::State::tell_bridge() {
  const Listener tell = listener;  // may be replaced, or its owner destroyed
  if (bridge_blocked && to_stream.empty()) {
    bridge_blocked = false;
    if (tell.on_writable) tell.on_writable();
  }
  if (bridge_alive && (!to_bridge.empty() || !stream_alive) && tell.on_readable) tell.on_readable();
}

void Loopback::State::tell_stream() {
  const auto self = shared_from_this();
  if (stream_alive && reading && handler != nullptr && !to_stream.empty()) {
    const std::vector<uint8_t> data = to_stream.pop(to_stream.size());
    if (bridge_blocked) wake_bridge();
    handler->on_data(data);
  }
  if (stream_alive && handler != nullptr && stream_blocked && to_bridge.empty()) {
    stream_blocked = false;
    handler->on_writable();
  }
  // As over TCP, what was written comes before the end, and the end waits while nobody reads.
  if (stream_alive && handler != nullptr && reading && bridge_closed && to_stream.empty() && !told_closed) {
    told_closed = true;
    handler->on_closed(NetError::closed);
  }
}

class Loopback::Stream final : public ByteStream {
 public:
  explicit Stream(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~Stream() override { Stream::close(); }

  void set_handler(StreamHandler& handler) override {
    state_->handler = &handler;
    state_->wake_stream();
  }
  size_t write(Bytes data) override {
    if (!state_->stream_alive || state_->bridge_closed) return 0;
    const size_t taken = state_->to_bridge.push(data);
    if (taken < data.size()) state_->stream_blocked = true;
    if (taken > 0) state_->wake_bridge();
    return taken;
  }
  void set_reading(bool on) override {
    state_->reading = on;
    if (on) state_->wake_stream();
  }
  void close() override { end(); }
  void abort() override {
    if (state_->stream_alive) state_->to_bridge.clear();
    end();
  }
  Endpoint local() const override { return {loopback_address, 0}; }
  Endpoint remote() const override { return {loopback_address, 0}; }

 private:
  void end() {
    if (!state_->stream_alive) return;
    state_->stream_alive = false;
    state_->handler = nullptr;
    state_->stream_timer.cancel();
    state_->wake_bridge();
  }

  std::shared_ptr<State> state_;
};

Loopback::Loopback(Host& host, size_t capacity) : state_(std::make_shared<State>(host, capacity)) {}

Loopback::~Loopback() {
  close();
  state_->bridge_alive = false;
  state_->listener = {};
  state_->bridge_timer.cancel();
}

std::unique_ptr<ByteStream> Loopback::take_stream() {
  return std::make_unique<Stream>(state_);
}

void Loopback::set_listener(Listener listener) {
  state_->listener = std::move(listener);
  state_->wake_bridge();
}

std::vector<uint8_t> Loopback::read(size_t most) {
  std::vector<uint8_t> data = state_->to_bridge.pop(most);
  if (state_->stream_blocked && state_->to_bridge.empty()) state_->wake_stream();
  return data;
}

bool Loopback::finished() const {
  return !state_->stream_alive && state_->to_bridge.empty();
}

size_t Loopback::write(Bytes data) {
  if (!state_->stream_alive) return data.size();  // as a socket whose peer is gone, until it is noticed
  const size_t taken = state_->to_stream.push(data);
  if (taken < data.size()) state_->bridge_blocked = true;
  if (taken > 0) state_->wake_stream();
  return taken;
}

void Loopback::close() {
  if (state_->bridge_closed) return;
  state_->bridge_closed = true;
  state_->wake_stream();
}

}  // namespace distlab::tunnel
