// A connection after nodeup, as the run-time system runs it: messages in, messages out, the output
// buffer with its busy limit (+zdbbl), and the counters the tick algorithm reads.
//
// Source: OTP 25.2.3 dist.c (erts_dsig_send, erts_dist_command) and inet_drv.c.
//
// There are two queues in a row, as in OTP: the distribution queue, whose size is held against the
// busy limit, and the socket driver's queue, whose size is `pending_bytes` and which takes another
// frame only while it is below its high watermark. Ticks bypass the first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include <tl/expected.hpp>

#include "models/dist/fragments.h"
#include "models/dist/framing.h"
#include "models/dist/tick.h"

namespace distlab::dist {

struct ChannelConfig {
  ChannelNames names;
  Flags flags = 0;                       // as agreed in the handshake
  size_t busy_limit = 1024 * 1024;       // +zdbbl, in bytes
  size_t frame_limit = size_t{1} << 30;  // longer incoming frames are swallowed, then fatal
  AssemblerLimits assembler = {};
  uint64_t received_packets = 0;  // of the handshake; see TickStats
  uint64_t sent_packets = 0;
};

class Channel {
 public:
  explicit Channel(ChannelConfig config);

  // --- out ---
  // Queues the message. True if the channel is busy after that: the sending process is suspended
  // until resumed() says so. A busy channel still takes messages (signals that cannot wait).
  bool send(const Message& message);
  bool busy() const { return busy_; }
  // True once after the channel stopped being busy: resume the suspended processes.
  bool take_resumed();
  // mf_tick: an empty frame, behind what the driver holds and before what waits in the queue.
  void write_tick();

  // Bytes to write to the stream now, at most `max`, all in one piece; empty if there is nothing.
  // Valid until the next call on the channel. Tell with consumed() how many the stream took.
  //   for (Bytes b; !(b = channel.output()).empty();) { n = stream.write(b); channel.consumed(n); if (n < b.size())
  //   break; }
  Bytes output(size_t max = 256 * 1024);
  void consumed(size_t count);
  bool has_output() const { return !driver_.empty() || !queue_.empty(); }

  // --- in ---
  // The chunk must stay alive until next() has returned nothing.
  void on_bytes(Bytes chunk);
  // The next whole message; nothing: feed more. After a Corruption the connection is over: log its
  // lines and take the node down with reason `killed`.
  std::optional<tl::expected<Message, Corruption>> next();

  // --- what the tick algorithm and the recorder see ---
  TickStats stats() const { return {received_frames_, sent_frames_, driver_bytes_}; }
  size_t queued_bytes() const { return queue_bytes_; }  // held against the busy limit
  uint64_t received_messages() const { return received_messages_; }
  uint64_t sent_messages() const { return sent_messages_; }

 private:
  void hand_over();
  void fill_driver();
  void count_sent(const std::vector<uint8_t>& frame);
  void unbusy();

  ChannelConfig config_;
  Assembler assembler_;
  FrameDecoder decoder_;
  std::deque<std::vector<uint8_t>> queue_;   // whole frames
  std::deque<std::vector<uint8_t>> driver_;  // whole frames; the first may be partly written
  size_t queue_bytes_ = 0;
  size_t driver_bytes_ = 0;
  size_t written_ = 0;  // of driver_.front()
  size_t offered_ = 0;  // by the last output()
  bool driver_busy_ = false;
  bool busy_ = false;
  bool resumed_ = false;
  uint64_t next_sequence_ = 1;
  uint64_t received_frames_, sent_frames_;
  uint64_t received_messages_ = 0, sent_messages_ = 0;
};

}  // namespace distlab::dist
