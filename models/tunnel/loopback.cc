#include "models/tunnel/loopback.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace distlab::tunnel {
namespace {

constexpr size_t dist_side = 0;
constexpr size_t bridge_side = 1;
constexpr size_t dist_read = 64 * 1024;           // the most one on_data of dist_util's end carries
constexpr size_t max_kept_capacity = 256 * 1024;  // a rare burst does not keep its memory

// Nobody else can see them.
constexpr std::array endpoints{Endpoint{loopback_address, 49152}, Endpoint{loopback_address, 49153}};

}  // namespace

class LoopbackEnd::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Host& host, const LoopbackSettings& settings)
      : host_(host),
        capacity_(settings.send_buffer + settings.receive_buffer),
        // Linux wakes a writer once a third of its send buffer is free (sk_stream_write_space).
        wake_below_(capacity_ - settings.send_buffer / 3),
        read_size_{dist_read, std::max<size_t>(settings.bridge_read, 1)} {}
  ~Connection() {
    for (const Side& side : sides_) host_.cancel_timer(side.run);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void set_handler(size_t side, StreamHandler& handler) {
    sides_[side].handler = &handler;
    schedule(side);
  }

  size_t write(size_t side, Bytes data) {
    Side& self = sides_[side];
    Side& peer = sides_[1 - side];
    if (!self.open || self.told) return 0;
    if (!peer.open) return data.size();  // as far as the kernel knows, until it is told
    const size_t taken = std::min(data.size(), capacity_ - std::min(unread(1 - side), capacity_));
    peer.back.insert(peer.back.end(), data.begin(), data.begin() + ptrdiff_t(taken));
    peer.received += taken;
    if (taken < data.size()) self.wants_room = true;
    if (taken > 0 && peer.reading) schedule(1 - side);
    return taken;
  }

  void set_reading(size_t side, bool on) {
    sides_[side].reading = on;
    if (on && (unread(side) > 0 || sides_[side].ended)) schedule(side);
  }

  void close(size_t side, NetError with) {
    Side& self = sides_[side];
    if (!self.open) return;
    self.open = false;
    self.handler = nullptr;
    Side& peer = sides_[1 - side];
    if (!peer.open || peer.ended) return;
    peer.ended = unread(side) > 0 ? NetError::reset : with;
    schedule(1 - side);
  }

  size_t unread(size_t side) const {
    const Side& self = sides_[side];
    return self.front.size() - self.read + self.back.size();
  }
  uint64_t received(size_t side) const { return sides_[side].received; }

 private:
  struct Side {
    StreamHandler* handler = nullptr;
    bool open = true;
    bool reading = true;
    bool wants_room = false;        // its last write was cut short
    bool has_room = false;          // and there is room now
    std::optional<NetError> ended;  // by the peer
    bool told = false;              // of that
    TimerId run = TimerId::none;
    // What the peer has written: read from the front, which nobody changes meanwhile.
    std::vector<uint8_t> front, back;
    size_t read = 0;  // of front
    uint64_t received = 0;

    void forget_read() {
      front.clear();
      if (front.capacity() > max_kept_capacity) front = std::vector<uint8_t>();  // {} would keep it
      read = 0;
    }
  };

  void schedule(size_t side) {
    Side& self = sides_[side];
    if (self.run != TimerId::none || !self.open || self.handler == nullptr) return;
    self.run = host_.start_timer(Duration::zero(), [this, side] { run(side); });
  }

  void run(size_t side) {
    const auto alive = shared_from_this();  // a handler may destroy both ends
    Side& self = sides_[side];
    self.run = TimerId::none;
    if (self.open && std::exchange(self.has_room, false)) self.handler->on_writable();
    deliver(side);
    if (!self.open || self.told || !self.ended) return;
    // The orderly end waits for the reader; a reset does not (models/host/testing/conformance.h).
    if (*self.ended == NetError::closed && (!self.reading || unread(side) > 0)) return;
    self.told = true;
    self.handler->on_closed(*self.ended);
  }

  void deliver(size_t side) {
    Side& self = sides_[side];
    while (self.open && self.reading && unread(side) > 0 && self.ended != NetError::reset) {
      if (self.read == self.front.size()) {
        self.forget_read();
        std::swap(self.front, self.back);
      }
      const size_t size = std::min(read_size_[side], self.front.size() - self.read);
      const Bytes data = Bytes(self.front).subspan(self.read, size);
      self.read += size;
      self.handler->on_data(data);
    }
    if (self.read == self.front.size()) self.forget_read();
    Side& writer = sides_[1 - side];
    if (writer.wants_room && unread(side) <= wake_below_) {
      writer.wants_room = false;
      writer.has_room = true;
      schedule(1 - side);
    }
  }

  Host& host_;
  const size_t capacity_;
  const size_t wake_below_;
  const std::array<size_t, 2> read_size_;
  std::array<Side, 2> sides_;
};

LoopbackEnd::LoopbackEnd(std::shared_ptr<Connection> connection, size_t side)
    : connection_(std::move(connection)), side_(side) {}

LoopbackEnd::~LoopbackEnd() {
  connection_->close(side_, NetError::closed);
}

void LoopbackEnd::set_handler(StreamHandler& handler) {
  connection_->set_handler(side_, handler);
}

size_t LoopbackEnd::write(Bytes data) {
  return connection_->write(side_, data);
}

void LoopbackEnd::set_reading(bool on) {
  connection_->set_reading(side_, on);
}

void LoopbackEnd::close() {
  connection_->close(side_, NetError::closed);
}

void LoopbackEnd::abort() {
  connection_->close(side_, NetError::reset);
}

Endpoint LoopbackEnd::local() const {
  return endpoints[side_];
}

Endpoint LoopbackEnd::remote() const {
  return endpoints[1 - side_];
}

size_t LoopbackEnd::unread() const {
  return connection_->unread(side_);
}

uint64_t LoopbackEnd::received() const {
  return connection_->received(side_);
}

LoopbackPair::LoopbackPair(Host& host, const LoopbackSettings& settings) {
  auto connection = std::make_shared<LoopbackEnd::Connection>(host, settings);
  dist.reset(new LoopbackEnd(connection, dist_side));
  bridge.reset(new LoopbackEnd(std::move(connection), bridge_side));
}

}  // namespace distlab::tunnel
