#include "models/dist/channel.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace distlab::dist {
namespace {

// inet_drv.c: INET_HIGH_WATERMARK and INET_LOW_WATERMARK.
constexpr size_t driver_high = 8 * 1024;
constexpr size_t driver_low = 4 * 1024;

constexpr size_t length_size = 4;

// dist.c:size_obuf: what a frame of the distribution queue counts. The length is not in it yet; the
// rest is sizeof(ErtsDistOutputBuf) + sizeof(ErlIOVec) + 3 * (sizeof(SysIOVec) + sizeof(ErlDrvBinary*)).
constexpr size_t obuf_overhead = 24 + 32 + 3 * (16 + 8);

size_t queue_size(const std::vector<uint8_t>& frame) {
  return frame.size() - length_size + obuf_overhead;
}

// packet_parser.c: header and body must fit an int, or the socket's driver gives up (emsgsize).
constexpr uint64_t max_packet = 0x7fffffff - length_size;

}  // namespace

Channel::Channel(ChannelConfig config)
    : config_(std::move(config)),
      assembler_(config_.names, config_.flags, config_.assembler),
      decoder_(HeaderSize::four, std::min<uint64_t>(config_.frame_limit, max_packet), max_packet),
      received_frames_(config_.received_packets),
      sent_frames_(config_.sent_packets) {}

// --- out ---

// dist.c:erts_dsig_send, phase SEND.
bool Channel::send(const Message& message) {
  const EncodedMessage encoded = encode_for(message, config_.flags);
  if (encoded.control.empty()) return busy_;
  for (auto& frame : to_frames(encoded, config_.flags, next_sequence_)) {
    queue_bytes_ += queue_size(frame);
    queue_.push_back(std::move(frame));
  }
  ++next_sequence_;
  ++sent_messages_;
  if (queue_bytes_ >= config_.busy_limit) busy_ = true;
  if (!driver_.empty()) fill_driver();
  return busy_;
}

void Channel::write_tick() {
  driver_.emplace_back(length_size);
  count_sent(driver_.back());
}

// inet_drv.c:tcp_sendv: to an empty driver queue a frame goes without any check.
void Channel::count_sent(const std::vector<uint8_t>& frame) {
  const bool queued_behind = driver_bytes_ > 0;
  driver_bytes_ += frame.size();
  if (queued_behind && driver_bytes_ >= driver_high) driver_busy_ = true;
  ++sent_frames_;
}

void Channel::hand_over() {
  queue_bytes_ -= queue_size(queue_.front());
  driver_.push_back(std::move(queue_.front()));
  queue_.pop_front();
  count_sent(driver_.back());
}

// dist.c:erts_dist_command: hands over until the port is busy; suspended processes resume only once
// all that was queued is handed over.
void Channel::fill_driver() {
  while (!driver_busy_ && !queue_.empty()) hand_over();
  unbusy();
}

void Channel::unbusy() {
  if (!busy_ || driver_busy_ || !queue_.empty()) return;
  busy_ = false;
  resumed_ = true;
}

bool Channel::take_resumed() {
  return std::exchange(resumed_, false);
}

Bytes Channel::output(size_t max) {
  if (driver_.empty() && !queue_.empty()) {
    hand_over();
    unbusy();
  }
  if (driver_.empty()) return {};
  const Bytes rest = Bytes(driver_.front()).subspan(written_);
  offered_ = std::min(rest.size(), max);
  return rest.first(offered_);
}

void Channel::consumed(size_t count) {
  assert(count <= offered_);
  const bool stream_full = count < offered_;
  offered_ = 0;
  written_ += count;
  driver_bytes_ -= count;
  if (!driver_.empty() && written_ == driver_.front().size()) {
    driver_.pop_front();
    written_ = 0;
  }
  if (driver_bytes_ <= driver_low) driver_busy_ = false;
  // As long as the stream takes all, frames go out one by one; else they pile up in the driver.
  if (stream_full || !driver_.empty()) fill_driver();
  unbusy();
}

// --- in ---

void Channel::on_bytes(Bytes chunk) {
  decoder_.feed(chunk);
}

std::optional<tl::expected<Message, Corruption>> Channel::next() {
  while (const auto frame = decoder_.next()) {
    if (frame->invalid) return tl::unexpected(Corruption{"impossible packet length", {}, "emsgsize", false});
    ++received_frames_;
    if (frame->too_long) return tl::unexpected(Corruption{"frame longer than the limit", {}, "killed", false});
    auto outcome = assembler_.on_frame(frame->bytes);
    if (!outcome) return tl::unexpected(std::move(outcome.error()));
    if (!*outcome) continue;
    ++received_messages_;
    return std::move(**outcome);
  }
  return std::nullopt;
}

}  // namespace distlab::dist
