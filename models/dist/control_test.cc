#include "models/dist/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "models/dist/flags.h"
#include "models/dist/testing/samples.h"
#include "models/etf/codec.h"

namespace distlab::dist {
namespace {

using namespace testing;
using etf::atom;
using etf::list;
using etf::tuple;
using ::testing::HasSubstr;

const Pid from = pid(node_a, 80);
const Pid to = pid(node_b, 81);
const Ref mref = ref(node_a, 5);

Term term(const std::vector<uint8_t>& encoded) {
  return etf::decode(encoded).value().term;
}

// The control term of a message, as it is encoded for a peer that can do everything.
Term control_of(Control control) {
  return term(encode({std::move(control), std::nullopt}).control);
}

template <typename T>
T decoded(const Term& control, std::optional<Term> payload = {}) {
  auto message = decode(control, std::move(payload));
  EXPECT_TRUE(message) << (message ? "" : message.error());
  if (!message || !std::holds_alternative<T>(message->control)) {
    ADD_FAILURE() << "another kind of message than expected: " << control.to_string();
    return {};
  }
  return std::get<T>(message->control);
}

// The bytes of one control message, in full (erl_ext_dist: 104 small tuple, 97 small integer, 88
// NEW_PID_EXT, 119 SMALL_ATOM_UTF8_EXT, 90 NEWER_REFERENCE_EXT).
TEST(Control, KnownBytes) {
  const auto encoded = encode({MonitorP{from, std::string("net_kernel"), mref}, std::nullopt});
  EXPECT_EQ(encoded.control, bytes("83 6804 6113  58 770c 'a@hosta.test' 00000050 00000000 00000007  770a 'net_kernel'"
                                   "5a 0003 770c 'a@hosta.test' 00000007 00000005 00000002 00000003"));
  EXPECT_TRUE(encoded.payload.empty());
  const auto link = encode({Link{from, to}, std::nullopt});
  EXPECT_EQ(link.control, bytes("83 6803 6101  58 770c 'a@hosta.test' 00000050 00000000 00000007"
                                "58 770c 'b@hostb.test' 00000051 00000000 00000007"));
}

// Wire sequence "ping" of the facts: MONITOR_P, REG_SEND to net_kernel, ALIAS_SEND back, DEMONITOR_P.
TEST(Control, WireSequencePing) {
  EXPECT_EQ(control_of(MonitorP{from, std::string("net_kernel"), mref}), tuple(19, from, atom("net_kernel"), mref));
  const Term tag = etf::improper_list({atom("alias")}, mref);
  const Term call = tuple(atom("$gen_call"), tuple(from, tag), tuple(atom("is_auth"), atom(node_a)));
  const auto sent = encode({RegSend{from, "net_kernel"}, call});
  EXPECT_EQ(term(sent.control), tuple(6, from, atom(""), atom("net_kernel")));
  EXPECT_EQ(term(sent.payload), call);
  const auto reply = decoded<AliasSend>(tuple(33, to, mref), tuple(tag, atom("yes")));
  EXPECT_EQ(reply.from, to);
  EXPECT_EQ(reply.alias, mref);
  const auto demonitor = decoded<DemonitorP>(tuple(20, from, atom("net_kernel"), mref));
  EXPECT_EQ(std::get<std::string>(demonitor.to), "net_kernel");
}

// Wire sequence "rpc/erpc": SPAWN_REQUEST, SPAWN_REPLY, and 28 with the result as reason.
TEST(Control, WireSequenceErpc) {
  const Term arguments = list({mref, atom("erlang"), atom("node"), list({})});
  const auto request = encode(
      {SpawnRequest{mref, from, pid(node_a, 64), "erpc", "execute_call", 4, list({atom("monitor")})}, arguments});
  EXPECT_EQ(term(request.control), tuple(29, mref, from, pid(node_a, 64), tuple(atom("erpc"), atom("execute_call"), 4),
                                         list({atom("monitor")})));
  EXPECT_EQ(term(request.payload), arguments);
  const auto back = decoded<SpawnRequest>(term(request.control), arguments);
  EXPECT_EQ(back.function, "execute_call");
  EXPECT_EQ(back.arity, 4);

  const auto reply = decoded<SpawnReply>(tuple(31, mref, from, 2, to));
  EXPECT_EQ(reply.flags, 2u);
  EXPECT_EQ(*reply.result.as<Pid>(), to);
  EXPECT_TRUE(decoded<SpawnReply>(tuple(31, mref, from, 0, atom("notsup"))).result.is_atom("notsup"));
  EXPECT_EQ(control_of(SpawnReply{mref, from, 2, to}), tuple(31, mref, from, 2, to));

  const auto down = decoded<MonitorPExit>(tuple(28, to, from, mref), tuple(mref, atom("return"), 42));
  EXPECT_EQ(std::get<Pid>(down.from), to);
}

// Wire sequence "DOWN", exits and unlinking, with reasons as payload and inside.
TEST(Control, WireSequenceDownAndExits) {
  const Term reason = atom("killed");
  const struct {
    Control control;
    Term with_payload, inside;
  } rows[] = {
      {MonitorPExit{to, from, mref}, tuple(28, to, from, mref), tuple(21, to, from, mref, reason)},
      {MonitorPExit{std::string("echo"), from, mref}, tuple(28, atom("echo"), from, mref),
       tuple(21, atom("echo"), from, mref, reason)},
      {Exit{from, to}, tuple(24, from, to), tuple(3, from, to, reason)},
      {Exit2{from, to}, tuple(26, from, to), tuple(8, from, to, reason)},
  };
  for (const auto& row : rows) {
    const auto payload = encode({row.control, reason}, true);
    EXPECT_EQ(term(payload.control), row.with_payload);
    EXPECT_EQ(term(payload.payload), reason);
    const auto inside = encode({row.control, reason}, false);
    EXPECT_EQ(term(inside.control), row.inside);
    EXPECT_TRUE(inside.payload.empty());
    for (const auto& message : {decode(row.with_payload, reason), decode(row.inside, std::nullopt)}) {
      ASSERT_TRUE(message);
      EXPECT_EQ(message->control.index(), row.control.index());
      EXPECT_EQ(message->payload, reason);
    }
  }
  EXPECT_EQ(control_of(UnlinkId{12, from, to}), tuple(35, 12, from, to));
  EXPECT_EQ(control_of(UnlinkIdAck{12, to, from}), tuple(36, 12, to, from));
}

// Wire sequence "pg": discover by REG_SEND, casts by SEND_SENDER (what a BEAM sends with).
TEST(Control, WireSequencePg) {
  const auto discover = encode({RegSend{from, "pg"}, tuple(atom("discover"), from)});
  EXPECT_EQ(term(discover.control), tuple(6, from, atom(""), atom("pg")));
  const auto join = decoded<SendSender>(tuple(22, from, to), tuple(atom("join"), from, atom("g"), to));
  EXPECT_EQ(join.to, to);
}

// Every variant with a trace token means the same as the one without.
TEST(Control, TraceTokensAreIgnored) {
  const Term token = tuple(0, 1, 2, from, 3);
  const Term mfa = tuple(atom("m"), atom("f"), 1);
  decoded<Send>(tuple(12, atom(""), to, token), atom("x"));
  decoded<RegSend>(tuple(16, from, atom(""), atom("n"), token), atom("x"));
  decoded<Exit>(tuple(13, from, to, token, atom("r")));
  decoded<Exit2>(tuple(18, from, to, token, atom("r")));
  decoded<SendSender>(tuple(23, from, to, token), atom("x"));
  decoded<Exit>(tuple(25, from, to, token), atom("r"));
  decoded<Exit2>(tuple(27, from, to, token), atom("r"));
  decoded<SpawnRequest>(tuple(30, mref, from, from, mfa, list({}), token), list({}));
  decoded<SpawnReply>(tuple(32, mref, from, 0, to, token));
  decoded<AliasSend>(tuple(34, from, mref, token), atom("x"));
  EXPECT_EQ(decode(tuple(13, from, to, token, atom("r")), {})->payload, atom("r"));
}

// What ERTS calls invalid: unknown ops, wrong arities, wrong kinds of elements.
TEST(Control, InvalidMessages) {
  const Term bad[] = {
      atom("x"),
      list({}),
      tuple(etf::Terms{}),
      tuple(atom("x"), from, to),
      tuple(5, from, to),
      tuple(37, from, to),
      tuple(-1, from, to),
      tuple(1, from),
      tuple(1, from, to, to),
      tuple(1, atom("x"), to),
      tuple(6, from, atom(""), 7),
      tuple(19, from, 7, mref),
      tuple(19, from, to, from),
      tuple(29, mref, from, from, tuple(atom("m"), atom("f")), list({})),
      tuple(29, mref, from, from, tuple(atom("m"), atom("f"), 256), list({})),
      tuple(29, mref, from, from, tuple(atom("m"), atom("f"), -1), list({})),
      tuple(31, mref, from, 1 << 27, to),
      tuple(31, mref, from, -1, to),
      tuple(31, mref, from, 0, 5),
      tuple(35, 0, from, to),
      tuple(35, -1, from, to),
      tuple(35, etf::BigInt{false, {0, 0, 0, 0, 0, 0, 0, 0, 1}}, from, to),
      tuple(35, etf::BigInt{true, {0, 0, 0, 0, 0, 0, 0, 0x80}}, from, to),
  };
  for (const Term& control : bad) {
    const auto message = decode(control, atom("payload"));
    ASSERT_FALSE(message) << control.to_string();
    EXPECT_EQ(message.error(), "Invalid distribution message: " + control.to_string(200));
  }
}

// A payload that the kind has no use for is dropped, a missing one is an error.
TEST(Control, PayloadsGoWithTheirKinds) {
  EXPECT_EQ(decode(tuple(1, from, to), atom("stray"))->payload, std::nullopt);
  const auto message = decode(tuple(22, from, to), std::nullopt);
  ASSERT_FALSE(message);
  EXPECT_THAT(message.error(), HasSubstr("without payload"));
}

// The whole range of unlink ids, which are 64 bits wide.
RC_GTEST_PROP(Control, UnlinkIdsRoundTrip, (uint64_t id)) {
  RC_PRE(id != 0);
  RC_ASSERT(decoded<UnlinkId>(control_of(UnlinkId{id, from, to})).id == id);
  RC_ASSERT(decoded<UnlinkIdAck>(control_of(UnlinkIdAck{id, from, to})).id == id);
}

rc::Gen<std::string> any_atom() {
  return rc::gen::container<std::string>(rc::gen::inRange('a', 'z'));
}

rc::Gen<Pid> any_pid() {
  return rc::gen::construct<Pid>(any_atom(), rc::gen::arbitrary<uint32_t>(), rc::gen::arbitrary<uint32_t>(),
                                 rc::gen::arbitrary<uint32_t>());
}

rc::Gen<Ref> any_ref() {
  return rc::gen::construct<Ref>(any_atom(), rc::gen::arbitrary<uint32_t>(),
                                 rc::gen::container<std::vector<uint32_t>>(3, rc::gen::arbitrary<uint32_t>()));
}

ProcessName any_process() {
  return *rc::gen::arbitrary<bool>() ? ProcessName(*any_pid()) : ProcessName(*any_atom());
}

// Any message of one of the kinds.
Message any_message() {
  const Term reason = int64_t{*rc::gen::arbitrary<int64_t>()};
  switch (*rc::gen::inRange(0, 15)) {
    case 0:
      return {Link{*any_pid(), *any_pid()}, {}};
    case 1:
      return {Send{*any_pid()}, reason};
    case 2:
      return {RegSend{*any_pid(), *any_atom()}, reason};
    case 3:
      return {GroupLeader{*any_pid(), *any_pid()}, {}};
    case 4:
      return {SendSender{*any_pid(), *any_pid()}, reason};
    case 5:
      return {MonitorP{*any_pid(), any_process(), *any_ref()}, {}};
    case 6:
      return {DemonitorP{*any_pid(), any_process(), *any_ref()}, {}};
    case 7:
      return {MonitorPExit{any_process(), *any_pid(), *any_ref()}, reason};
    case 8:
      return {Exit{*any_pid(), *any_pid()}, reason};
    case 9:
      return {Exit2{*any_pid(), *any_pid()}, reason};
    case 10:
      return {SpawnRequest{*any_ref(), *any_pid(), *any_pid(), *any_atom(), *any_atom(), *rc::gen::arbitrary<uint8_t>(),
                           list({reason})},
              list({reason})};
    case 11:
      return {SpawnReply{*any_ref(), *any_pid(), *rc::gen::inRange(0u, 1u << 27), *any_pid()}, {}};
    case 12:
      return {AliasSend{*any_pid(), *any_ref()}, reason};
    case 13:
      return {UnlinkId{*rc::gen::positive<uint64_t>(), *any_pid(), *any_pid()}, {}};
    default:
      return {UnlinkIdAck{*rc::gen::arbitrary<uint64_t>(), *any_pid(), *any_pid()}, {}};
  }
}

// Every message survives encoding and decoding, with and without EXIT_PAYLOAD: encoding what was
// decoded yields the same bytes.
RC_GTEST_PROP(Control, MessagesRoundTrip, (bool exit_payload)) {
  const Message message = any_message();
  const auto encoded = encode(message, exit_payload);
  std::optional<Term> payload;
  if (!encoded.payload.empty()) payload = term(encoded.payload);
  const auto back = decode(term(encoded.control), payload);
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->control.index() == message.control.index());
  RC_ASSERT(back->payload == message.payload);
  const auto again = encode(*back, exit_payload);
  RC_ASSERT(again.control == encoded.control);
  RC_ASSERT(again.payload == encoded.payload);
}

// Towards peers that lack a flag messages are changed or left out as ERTS does (facts, "missing flag").
TEST(Control, MissingFlagsOfThePeer) {
  const uint64_t all = default_flags(true);
  const Message monitor{MonitorP{from, std::string("x"), mref}, {}}, demonitor{DemonitorP{from, to, mref}, {}},
      down{MonitorPExit{to, from, mref}, atom("r")};
  for (const auto& message : {monitor, demonitor, down}) {
    EXPECT_FALSE(encode_for(message, all).control.empty());
    EXPECT_TRUE(encode_for(message, all & ~flag::dist_monitor_name).control.empty());
    EXPECT_TRUE(encode_for(message, all & ~flag::dist_monitor).control.empty());
  }
  EXPECT_EQ(term(encode_for({UnlinkId{9, from, to}, {}}, all & ~flag::unlink_id).control), tuple(4, from, to));
  EXPECT_TRUE(encode_for({UnlinkIdAck{9, from, to}, {}}, all & ~flag::unlink_id).control.empty());
  const auto plain = encode_for({SendSender{from, to}, atom("m")}, all & ~flag::send_sender);
  EXPECT_EQ(term(plain.control), tuple(2, atom(""), to));
  EXPECT_EQ(term(plain.payload), atom("m"));
  EXPECT_EQ(term(encode_for({Exit{from, to}, atom("r")}, all & ~flag::exit_payload).control),
            tuple(3, from, to, atom("r")));
  EXPECT_EQ(decoded<UnlinkId>(tuple(4, from, to)).id, 0u);
}

// A peer may speak only for its own processes and about ours (dist.c:erts_net_message).
TEST(Control, PlausibleSendersAndReceivers) {
  const Pid stranger = pid("c@hostc.test", 1);
  EXPECT_TRUE(plausible(Link{from, to}, node_b, node_a));
  EXPECT_FALSE(plausible(Link{stranger, to}, node_b, node_a));
  EXPECT_FALSE(plausible(Link{from, stranger}, node_b, node_a));
  EXPECT_TRUE(plausible(MonitorP{from, std::string("x"), mref}, node_b, node_a));
  EXPECT_FALSE(plausible(MonitorP{to, std::string("x"), mref}, node_b, node_a));
  EXPECT_TRUE(plausible(MonitorPExit{std::string("x"), to, mref}, node_b, node_a));
  EXPECT_FALSE(plausible(Exit{from, stranger}, node_b, node_a));
  EXPECT_FALSE(plausible(SpawnReply{mref, to, 0, from}, node_b, node_a));  // not our reference
  EXPECT_TRUE(plausible(SpawnReply{ref(node_b, 1), to, 0, from}, node_b, node_a));
  EXPECT_TRUE(plausible(SendSender{stranger, to}, node_b, node_a));
}

}  // namespace
}  // namespace distlab::dist
