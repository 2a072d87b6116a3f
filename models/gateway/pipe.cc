#include "models/gateway/pipe.h"

#include <optional>
#include <utility>

namespace distlab::gateway {

class Pipe::End final : public StreamHandler {
 public:
  End(Pipe& pipe, std::unique_ptr<ByteStream> end) : stream(std::move(end)), pipe_(pipe) {}

  void on_data(Bytes data) override { pipe_.pass(*this, data); }
  void on_writable() override { pipe_.drain(*other); }
  void on_closed(NetError why) override { pipe_.ended(*this, why); }

  std::unique_ptr<ByteStream> stream;
  End* other = nullptr;
  std::vector<uint8_t> waiting;        // came out here, and the other end has no room for it
  std::optional<NetError> why_closed;  // this end is over

 private:
  Pipe& pipe_;
};

Pipe::Pipe(Host& host, std::unique_ptr<ByteStream> first, std::unique_ptr<ByteStream> second,
           std::vector<uint8_t> early, std::function<void()> over)
    : ends_{std::make_unique<End>(*this, std::move(first)), std::make_unique<End>(*this, std::move(second))},
      over_(std::move(over)),
      end_(host) {
  ends_[0]->other = ends_[1].get();
  ends_[1]->other = ends_[0].get();
  for (const auto& end : ends_) end->stream->set_handler(*end);
  ends_[1]->stream->set_reading(true);
  ends_[0]->waiting = std::move(early);
  drain(*ends_[0]);
}

Pipe::~Pipe() = default;

void Pipe::pass(End& from, Bytes data) {
  if (from.other->why_closed) return;
  const size_t taken = from.waiting.empty() ? from.other->stream->write(data) : 0;
  if (taken == data.size()) return;
  from.waiting.insert(from.waiting.end(), data.begin() + static_cast<ptrdiff_t>(taken), data.end());
  from.stream->set_reading(false);
}

// Whatever `from` could not hand over yet.
void Pipe::drain(End& from) {
  if (from.other->why_closed) return;
  const size_t taken = from.waiting.empty() ? 0 : from.other->stream->write(from.waiting);
  from.waiting.erase(from.waiting.begin(), from.waiting.begin() + static_cast<ptrdiff_t>(taken));
  if (!from.waiting.empty()) {
    if (!from.why_closed) from.stream->set_reading(false);
  } else if (from.why_closed) {
    finish();
  } else {
    from.stream->set_reading(true);
  }
}

void Pipe::ended(End& from, NetError why) {
  from.why_closed = why;
  if (why == NetError::closed && !from.waiting.empty() && !from.other->why_closed) return;  // drain() ends it
  finish();
}

// An orderly end here is one there; anything else is a reset.
void Pipe::finish() {
  for (const auto& end : ends_) {
    if (!end->why_closed) continue;
    End& other = *end->other;
    if (other.why_closed) continue;
    if (*end->why_closed == NetError::closed) {
      other.stream->close();
    } else {
      other.stream->abort();
    }
    other.why_closed = end->why_closed;
  }
  if (!over_) return;
  end_.start(Duration::zero(), [this] { std::exchange(over_, nullptr)(); });
}

}  // namespace distlab::gateway
