// Control messages of the distribution protocol ("Protocol between Connected Nodes",
// erl_dist_protocol), as typed values. A control message is a tuple {Op, ...}; some are followed
// by a second term, the payload.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>

#include "models/etf/term.h"

namespace distlab::dist {

using etf::Pid;
using etf::Ref;
using etf::Term;

// A process as a monitor names it: by pid, or by registered name.
using ProcessName = std::variant<Pid, std::string>;

struct Link { Pid from, to; };                                   // 1
struct Send { Pid to; };                                         // 2  payload: message
struct RegSend { Pid from; std::string to_name; };               // 6  payload: message
struct GroupLeader { Pid from, to; };                            // 7
struct SendSender { Pid from, to; };                             // 22 payload: message
struct MonitorP { Pid from; ProcessName to; Ref ref; };          // 19
struct DemonitorP { Pid from; ProcessName to; Ref ref; };        // 20
// 28 PAYLOAD_MONITOR_P_EXIT (payload: reason), or 21 MONITOR_P_EXIT with the reason inside.
struct MonitorPExit { ProcessName from; Pid to; Ref ref; };
// 24 PAYLOAD_EXIT, or 3 EXIT with the reason inside. The reason travels as payload here.
struct Exit { Pid from, to; };
// 26 PAYLOAD_EXIT2 (exit/2), or 8 EXIT2.
struct Exit2 { Pid from, to; };
struct SpawnRequest {                                            // 29 payload: argument list
  Ref request_id;
  Pid from, group_leader;
  std::string module, function;
  uint8_t arity = 0;
  Term options;  // list of atoms and {monitor, [...]}
};
struct SpawnReply { Ref request_id; Pid to; uint32_t flags = 0; Term result; };  // 31: pid or error atom
struct AliasSend { Pid from; Ref alias; };                       // 33 payload: message
struct UnlinkId { uint64_t id = 0; Pid from, to; };              // 35
struct UnlinkIdAck { uint64_t id = 0; Pid from, to; };           // 36

using Control = std::variant<Link, Send, RegSend, GroupLeader, SendSender, MonitorP, DemonitorP, MonitorPExit, Exit,
                             Exit2, SpawnRequest, SpawnReply, AliasSend, UnlinkId, UnlinkIdAck>;

// One message between nodes: a control message and, where its kind has one, the payload.
struct Message {
  Control control;
  std::optional<Term> payload;
};

// `exit_payload`: the peer has DFLAG_EXIT_PAYLOAD, so reasons travel as payload (24, 26, 28).
struct EncodedMessage {
  std::vector<uint8_t> control;  // with version byte
  std::vector<uint8_t> payload;  // with version byte; empty when there is none
};
EncodedMessage encode(const Message& message, bool exit_payload = true);

// A control tuple (and payload, if one followed) as received. The error is a line for the log.
tl::expected<Message, std::string> decode(const Term& control, std::optional<Term> payload);

}  // namespace distlab::dist
