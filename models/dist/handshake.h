// The version 6 handshake of the distribution protocol, in both roles, as pure engines: feed bytes,
// drain output, answer what the engine asks.
//
// Source: dist_util:handshake_we_started/1 and handshake_other_started/1 of OTP 25.2.3.
//
// How to drive one: after every call on the engine write take_output() to the stream, restart the
// setup timer (net_setuptime) if take_timer_reset() says so, and look at state(). The engines never
// wait for time; the owner kills them when its timer fires, as dist_util:setup_timer/2 does.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/dist/flags.h"
#include "models/dist/framing.h"
#include "models/host/byte_stream.h"

namespace distlab::dist {

enum class HandshakeState {
  receiving,          // the peer's turn: feed bytes
  asks_pending,       // initiator got status `alive`: is our attempt still pending? -> answer_pending()
  asks_status,        // acceptor knows the peer: what does net_kernel say? -> answer_status()
  asks_wait_pending,  // acceptor, up_pending, cookie good: kill the old connection -> old_connection_gone()
  parked,             // initiator got `nok`: waits to be killed by net_kernel (or by the setup timer)
  done,               // -> result()
  failed,             // -> failure(); close the stream
};

enum class HandshakeError {
  closed,           // the stream ended in the middle
  garbage,          // not the packet this step expects
  invalid_name,     // a node name OTP refuses, or another name than the one we dialled
  not_allowed,      // net_kernel:allow/1, at our side or (by status) at the peer's
  missing_flags,    // mandatory flags are missing
  bad_cookie,       // a digest is wrong
  nok,              // acceptor: we answered nok, our own attempt wins (simultaneous connect)
  attempt_dropped,  // `alive` was answered with false (at either side)
  already_pending,  // acceptor: net_kernel gave no status
  crashed,          // input on which OTP's connection process crashes
};

std::string_view to_string(HandshakeError error);

struct HandshakeFailure {
  HandshakeError error;
  std::string detail;              // for the record, as OTP's exit reason names it: "{recv_status_failed,not_allowed}"
  std::optional<std::string> log;  // what OTP's error logger prints, if it prints anything
};

struct HandshakeResult {
  std::string peer;  // UTF-8
  uint32_t peer_creation = 0;
  Flags flags = 0;       // agreed: the AND of both announcements
  Flags peer_flags = 0;  // as the peer announced them, digest expanded
  bool visible() const { return (flags & flag::published) != 0; }
  // Only after status `named:`: the name and creation the peer gave this node.
  std::string given_name;
  uint32_t given_creation = 0;
};

// One step done, for the record (kinds::handshake_step).
struct HandshakeStep {
  std::string_view step;  // "send_name", "recv_status", "send_challenge", ... as in dist_util
  std::string status;     // the status sent or received, or the peer's name; else empty
};

// auth:get_cookie/1: the cookie for this peer.
using CookieLookup = std::function<std::string(std::string_view peer)>;

// MD5(cookie ++ decimal challenge): dist_util:gen_digest/2.
using Digest = std::array<uint8_t, 16>;
Digest challenge_digest(uint32_t challenge, std::string_view cookie);

// As dist_util:is_node_name/1: exactly one '@' with something at both sides.
bool is_node_name(std::string_view name);

// What both roles have in common.
class Handshake {
 public:
  virtual ~Handshake() = default;
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  // Bytes from the stream, in any portions. Bytes that come while the engine asks its owner are
  // kept (OTP leaves them in the socket): stop reading while !wants_bytes().
  void on_bytes(Bytes bytes);
  // The stream ended. Changes nothing in state parked: OTP does not read there.
  void on_closed();
  bool wants_bytes() const { return state_ == HandshakeState::receiving; }

  std::vector<uint8_t> take_output();
  // Whether dist_util would have called reset_timer/1 since the last call here.
  bool take_timer_reset();
  std::vector<HandshakeStep> take_steps();

  HandshakeState state() const { return state_; }
  const HandshakeResult& result() const;    // state done
  const HandshakeFailure& failure() const;  // state failed
  // State done: what the peer sent behind the handshake; belongs to the {packet,4} channel.
  std::vector<uint8_t> take_rest();
  // {packet,2} packets so far. inet's recv_cnt and send_cnt count them, and so the tick algorithm
  // starts from them (facts otp-distribution.md section 2).
  uint64_t received_packets() const { return received_packets_; }
  uint64_t sent_packets() const { return sent_packets_; }

 protected:
  Handshake() = default;
  virtual void on_packet(Bytes packet) = 0;  // one {packet,2} packet, in state receiving
  void send(std::vector<uint8_t> packet, std::string_view step, std::string status = {});
  void send_status(std::string_view status);
  void received(std::string_view step, std::string status = {});
  void reset_timer() { timer_reset_ = true; }
  void fail(HandshakeError error, std::string detail, std::optional<std::string> log = {});
  // Input on which OTP's connection process crashes; the emulator logs that.
  void crash(std::string_view self, std::string_view reason, std::string_view where);
  void ask(HandshakeState state) { state_ = state; }
  void resume();  // to state receiving, and on with the bytes that were kept
  void finish(HandshakeResult result);

 private:
  static constexpr size_t max_waiting = 1 << 20;

  void drain(Bytes bytes);

  HandshakeState state_ = HandshakeState::receiving;
  FrameDecoder decoder_{HeaderSize::two};
  std::vector<uint8_t> waiting_;  // received while the engine asked its owner, or behind the handshake
  std::vector<uint8_t> output_;
  std::vector<HandshakeStep> steps_;
  bool timer_reset_ = false;
  uint64_t received_packets_ = 0, sent_packets_ = 0;
  HandshakeResult result_;
  std::optional<HandshakeFailure> failure_;
};

struct InitiatorConfig {
  std::string self;  // with flag name_me: the host name only
  std::string peer;
  uint32_t creation = 0;
  Flags flags = 0;  // to announce; see default_flags()
  Flags mandatory = mandatory_25;
  CookieLookup cookie;
  uint32_t challenge = 0;  // random, from the owner
};

// The side that dialled. The name is in the output from the start.
class Initiator : public Handshake {
 public:
  explicit Initiator(InitiatorConfig config);
  // State asks_pending: net_kernel's answer to {is_pending, Node}.
  void answer_pending(bool pending);

 private:
  enum class Expect { status, challenge, ack };
  void on_packet(Bytes packet) override;
  void on_status(Bytes packet);
  void on_named(Bytes rest);
  void on_challenge(Bytes packet);
  void on_ack(Bytes packet);

  InitiatorConfig config_;
  Expect expect_ = Expect::status;
  HandshakeResult pending_;
};

// net_kernel's answer to {accept_pending, MyNode, Node, Type} (dist_util:mark_pending/1).
enum class Pending {
  ok,
  ok_pending,       // simultaneous connect and the peer's attempt wins: status ok_simultaneous
  nok_pending,      // simultaneous connect and our attempt wins: status nok
  up_pending,       // there is a connection already: status alive
  already_pending,  // closes silently
};

struct AcceptorConfig {
  std::string self;
  uint32_t creation = 0;
  Flags flags = 0;
  Flags mandatory = mandatory_25;
  CookieLookup cookie;
  uint32_t challenge = 0;
  // net_kernel:allow/1. Empty: everybody is allowed.
  std::function<bool(std::string_view peer)> allowed;
};

// The side that was dialled.
class Acceptor : public Handshake {
 public:
  explicit Acceptor(AcceptorConfig config);

  // From state asks_status on.
  const std::string& peer() const { return pending_.peer; }  // the host name if wants_name()
  bool peer_visible() const { return (pending_.peer_flags & flag::published) != 0; }
  bool wants_name() const { return (pending_.peer_flags & flag::name_me) != 0; }

  // State asks_status.
  void answer_status(Pending decision);
  void answer_named(std::string name, uint32_t creation);  // only if wants_name()
  // State asks_wait_pending: the old connection is down (net_kernel's {Kernel, pending}).
  void old_connection_gone();

 private:
  enum class Expect { name, alive_answer, reply };
  void on_packet(Bytes packet) override;
  void on_name(Bytes packet);
  void on_alive_answer(Bytes packet);
  void on_reply(Bytes packet);
  void send_challenge();
  void send_ack();

  AcceptorConfig config_;
  Expect expect_ = Expect::name;
  HandshakeResult pending_;
  std::string cookie_;
  bool up_pending_ = false;
  uint32_t peer_challenge_ = 0;
};

}  // namespace distlab::dist
