// One connection to a peer, from the dial or the accepted stream to its end: what OTP runs in a
// process of its own (dist_util's handshake_we_started/1 or handshake_other_started/1, then
// con_loop/2), together with the port that process owns.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/carrier/carrier.h"
#include "models/dist/channel.h"
#include "models/dist/handshake.h"
#include "models/dist/tick.h"
#include "models/host/host.h"
#include "models/process/distribution.h"

namespace distlab::node {

class NetKernel;

class Connection final : private StreamHandler {
 public:
  Connection(NetKernel& kernel, uint64_t id, std::string peer);                // dials
  Connection(NetKernel& kernel, uint64_t id, std::unique_ptr<ByteStream> in);  // accepted
  ~Connection() override;

  // Begins the work. Apart from the constructor, so that the kernel knows the connection by then.
  void start();

  uint64_t id() const { return id_; }
  const std::string& peer() const { return peer_; }  // accepted: empty until the peer said its name
  bool incoming() const { return incoming_; }
  bool up() const { return channel_.has_value(); }
  bool ended() const { return ended_; }
  dist::Flags flags() const { return flags_; }
  bool visible() const { return (flags_ & dist::flag::published) != 0; }
  Duration setup_time() const { return up_at_ - started_at_; }

  // net_kernel's `tick`. During set-up it stays in the mailbox; all are processed, one after
  // another, once the connection is up (facts otp-distribution.md section 4).
  void tick();
  // {Kernel, pending}: the old connection is gone, and the peer is ours.
  void old_connection_gone();
  // An exit signal: closes without a word to net_kernel.
  void kill();
  // The same, and net_kernel learns of it: nodedown with this reason.
  void exit(std::string_view reason);

  // Only when up.
  process::SendResult send(const dist::Message& message);

 private:
  using Incoming = tl::expected<dist::Message, dist::Corruption>;

  void on_data(Bytes data) override;
  void on_writable() override;
  void on_closed(NetError why) override;

  void dialled(tl::expected<std::unique_ptr<ByteStream>, carrier::DialError> outcome);
  void restart_setup_timer();
  void make_handshake();
  void drive_handshake();
  void write_packets(const std::vector<uint8_t>& packets);
  bool answer_handshake();
  void ask_status(dist::Acceptor& acceptor);
  void record_steps();
  void handshake_failed();
  void handshake_done();
  void connected();
  bool process_tick();
  void receive(Bytes data);
  void take(Incoming message);
  void pump();
  void log(std::string text);

  NetKernel& kernel_;
  Host& host_;
  const uint64_t id_;
  std::string peer_;
  const bool incoming_;
  bool ended_ = false;
  const Time started_at_;
  Time up_at_{};
  Timer setup_timer_;
  std::unique_ptr<carrier::Dial> dial_;
  std::unique_ptr<ByteStream> stream_;
  std::vector<uint8_t> unsent_;  // of the handshake
  std::unique_ptr<dist::Handshake> handshake_;
  dist::Acceptor* acceptor_ = nullptr;  // handshake_, if incoming
  bool old_gone_ = false;               // {Kernel, pending} is in the mailbox
  std::optional<size_t> greeting_;      // handshake done, not yet connected(): bytes read since
  uint32_t queued_ticks_ = 0;
  dist::Flags flags_ = 0;
  std::optional<dist::Channel> channel_;
  std::optional<dist::TickCounter> ticks_;
};

}  // namespace distlab::node
