// Messages in and out of frames: pass-through (112), distribution header (131 68), and fragments
// (131 69, 131 70), without atom cache.
//
// Source: "Distribution Protocol", erl_dist_protocol; OTP 25.2.3 external.c:erts_prepare_dist_ext
// and dist.c:erts_net_message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "models/dist/control.h"
#include "models/dist/flags.h"
#include "models/etf/codec.h"
#include "models/host/byte_stream.h"

namespace distlab::dist {

// ERTS_DIST_FRAGMENT_SIZE.
inline constexpr size_t fragment_size = 64 * 1024;

// Encodes into whole {packet,4} frames, each with its length in front. One frame, unless the peer
// takes fragments and control and payload together are longer than fragment_size. `sequence` tells
// messages under way at once apart and must not be 0 (ERTS uses the sender's pid).
std::vector<std::vector<uint8_t>> to_frames(const EncodedMessage& message, Flags flags, uint64_t sequence);

// Why a connection dies of what it received.
struct Corruption {
  std::string what;              // short, for the record
  std::vector<std::string> log;  // what OTP logs, in order; may be empty
  // The connection's end as nodedown names it: erts_kill_dist_connection, unless the socket's driver
  // gave up.
  std::string reason = "killed";
  bool warning = false;  // the log's level: a warning, else an error
};

struct AssemblerLimits {
  size_t max_sequences = 4096;         // messages under way at once
  size_t max_bytes = size_t{1} << 30;  // of all of them together
  etf::DecodeLimits terms = {};
};

// What the log lines name.
struct ChannelNames {
  std::string self;
  std::string peer;
  uint32_t channel = 0;  // stands for the port number in the log lines
};

// Puts incoming frames together.
class Assembler {
 public:
  explicit Assembler(ChannelNames names, Flags flags, AssemblerLimits limits = {})
      : names_(std::move(names)), flags_(flags), limits_(limits) {}

  // A message, nothing yet (a tick, or more fragments to come), or the end of the connection.
  tl::expected<std::optional<Message>, Corruption> on_frame(Bytes frame);

  size_t sequences() const { return sequences_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  using Outcome = tl::expected<std::optional<Message>, Corruption>;
  struct Sequence {
    uint64_t next_fragment = 0;
    Term control;
    std::vector<uint8_t> payload;  // behind a version byte
  };

  Outcome on_first_fragment(Bytes frame);
  Outcome on_next_fragment(Bytes frame);
  // `terms`: version byte, control and payload behind each other; `versions`: the payload has a
  // version byte of its own.
  Outcome on_terms(Bytes terms, bool versions);
  Outcome deliver(const Term& control, Bytes payload);
  tl::unexpected<Corruption> corrupt_header(Bytes frame) const;
  tl::unexpected<Corruption> corrupt_term(Bytes rest, std::string what) const;

  ChannelNames names_;
  Flags flags_;
  AssemblerLimits limits_;
  std::map<uint64_t, Sequence> sequences_;
  size_t bytes_ = 0;
};

}  // namespace distlab::dist
