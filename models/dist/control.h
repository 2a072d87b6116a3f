// Control messages of the distribution protocol ("Protocol between Connected Nodes",
// erl_dist_protocol), as typed values. A control message is a tuple {Op, ...}; some are followed
// by a second term, the payload.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "models/etf/term.h"

namespace distlab::dist {

using etf::Pid;
using etf::Ref;
using etf::Term;

// A process as a monitor names it: by pid, or by registered name.
using ProcessName = std::variant<Pid, std::string>;

struct Link {
  Pid from, to;
};  // 1
struct Send {
  Pid to;
};  // 2  payload: message
struct RegSend {
  Pid from;
  std::string to_name;
};  // 6  payload: message
struct GroupLeader {
  Pid from, to;
};  // 7
struct SendSender {
  Pid from, to;
};  // 22 payload: message
struct MonitorP {
  Pid from;
  ProcessName to;
  Ref ref;
};  // 19
struct DemonitorP {
  Pid from;
  ProcessName to;
  Ref ref;
};  // 20
// 28 PAYLOAD_MONITOR_P_EXIT (payload: reason), or 21 MONITOR_P_EXIT with the reason inside.
struct MonitorPExit {
  ProcessName from;
  Pid to;
  Ref ref;
};
// 24 PAYLOAD_EXIT, or 3 EXIT with the reason inside. The reason travels as payload here.
struct Exit {
  Pid from, to;
};
// 26 PAYLOAD_EXIT2 (exit/2), or 8 EXIT2.
struct Exit2 {
  Pid from, to;
};
struct SpawnRequest {  // 29 payload: argument list
  Ref request_id;
  Pid from, group_leader;
  std::string module, function;
  uint8_t arity = 0;
  Term options;  // list of atoms and {monitor, [...]}
};
struct SpawnReply {
  Ref request_id;
  Pid to;
  uint32_t flags = 0;
  Term result;
};  // 31: pid or error atom
struct AliasSend {
  Pid from;
  Ref alias;
};  // 33 payload: message
struct UnlinkId {
  uint64_t id = 0;
  Pid from, to;
};  // 35; id 0: 4 UNLINK
struct UnlinkIdAck {
  uint64_t id = 0;
  Pid from, to;
};  // 36

using Control = std::variant<Link, Send, RegSend, GroupLeader, SendSender, MonitorP, DemonitorP, MonitorPExit, Exit,
                             Exit2, SpawnRequest, SpawnReply, AliasSend, UnlinkId, UnlinkIdAck>;

// One message between nodes: a control message and, where its kind has one, the payload.
struct Message {
  Control control;
  std::optional<Term> payload;
};

struct EncodedMessage {
  std::vector<uint8_t> control;  // with version byte; empty: this peer is not to be told at all
  std::vector<uint8_t> payload;  // with version byte; empty when there is none
};
// `exit_payload`: the peer has DFLAG_EXIT_PAYLOAD, so reasons travel as payload (24, 26, 28).
EncodedMessage encode(const Message& message, bool exit_payload = true);
// As ERTS encodes for a peer with these flags (erts_dsig_send_*): without SEND_SENDER as SEND,
// without UNLINK_ID as the old UNLINK (4) and no acknowledgement, without DIST_MONITOR and
// DIST_MONITOR_NAME no monitor messages, without EXIT_PAYLOAD reasons inside the control message.
EncodedMessage encode_for(const Message& message, uint64_t flags);

// A control tuple (and payload, if one followed) as received. The error is a line for the log.
// Variants with a trace token are decoded without it; the old UNLINK (4) as UnlinkId with id 0,
// which is not to be acknowledged.
tl::expected<Message, std::string> decode(const Term& control, std::optional<Term> payload);

// The same in two steps, for those who decode the payload only when one is due.
struct DecodedControl {
  Control control;
  bool payload_follows = false;
  std::optional<Term> reason;  // what came inside the control message (3, 8, 21)
};
tl::expected<DecodedControl, std::string> decode_control(const Term& control);

// Whether ERTS accepts the processes named in the message from this peer: senders must be the
// peer's, receivers must be ours (dist.c:erts_net_message).
bool plausible(const Control& control, std::string_view self, std::string_view peer);

}  // namespace distlab::dist
