#include "models/dist/handshake.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/dist/testing/samples.h"

namespace distlab::dist {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using State = HandshakeState;

std::vector<std::string> steps(Handshake& h) {
  std::vector<std::string> out;
  for (const auto& step : h.take_steps()) out.push_back(std::string(step.step) + ":" + step.status);
  return out;
}

void feed(Handshake& h, std::string_view hex) {
  const auto b = bytes(hex);
  h.on_bytes(b);
}

// Name, status, challenge, reply and ack are these very bytes (erl_dist_protocol, "Distribution
// Handshake"; digests from md5sum).
TEST(Handshake, KnownBytes) {
  Initiator a(initiator_config());
  Acceptor b(acceptor_config());
  const auto name = a.take_output();
  EXPECT_EQ(name, bytes("001b 'N' 0000000d 07df5fbd 11223344 000c 'a@hosta.test'"));
  b.on_bytes(name);
  ASSERT_EQ(b.state(), State::asks_status);
  b.answer_status(Pending::ok);
  const auto challenge = b.take_output();
  EXPECT_EQ(challenge, bytes("0003 'sok' 001f 'N' 0000000d 07df5fbd fffefdfc 55667788 000c 'b@hostb.test'"));
  a.on_bytes(challenge);
  const auto reply = a.take_output();
  EXPECT_EQ(reply, bytes("0015 'r' 01020304 85f10b65e729458be50169cd05ed6229"));
  b.on_bytes(reply);
  const auto ack = b.take_output();
  EXPECT_EQ(ack, bytes("0011 'a' 24d92202cd3724fb37808c885f4e2298"));
  a.on_bytes(ack);
  EXPECT_EQ(a.state(), State::done);
  EXPECT_EQ(b.state(), State::done);
}

// A handshake recorded with an OTP 25.2.3 node (cookie C): its bytes lead to the same replies, and it
// took ours.
TEST(Handshake, RecordedWithARealNode) {
  auto config = initiator_config();
  config.self = "native@127.0.0.2";
  config.peer = "b@127.0.0.1";
  config.creation = 77;
  config.challenge = 12345;
  config.cookie = [](std::string_view) { return std::string("C"); };
  Initiator a(config);
  EXPECT_EQ(a.take_output(), bytes("001f 4e0000000d07df5fbd0000004d0010 6e6174697665403132372e302e302e32"));
  feed(a, "0003736f6b 001e4e0000000d07df7fbd95c0549d3f84cebf000b62403132372e302e302e31");
  EXPECT_EQ(a.take_output(), bytes("001572000030396e808d7ee597ade6a58e9b5ae7c6de5b"));
  feed(a, "001161868031028d3aaa580a176b6146f3eb5a");
  ASSERT_EQ(a.state(), State::done);
  EXPECT_EQ(a.result().peer_flags, otp_25_visible);
  EXPECT_EQ(a.result().flags, default_flags(true));
  EXPECT_EQ(a.result().peer_creation, 0x3f84cebfu);
}

// Both sides come to the same agreement, however the bytes are cut.
TEST(Handshake, BothSidesAgree) {
  for (const size_t chunk : {1, 2, 3, 7, 4096}) {
    auto config = initiator_config();
    config.flags &= ~(flag::published | flag::spawn);
    Initiator a(config);
    Acceptor b(acceptor_config());
    shuttle(a, b, chunk);
    ASSERT_EQ(b.state(), State::asks_status);
    EXPECT_EQ(b.peer(), node_a);
    EXPECT_FALSE(b.peer_visible());
    b.answer_status(Pending::ok);
    shuttle(a, b, chunk);
    ASSERT_EQ(a.state(), State::done);
    ASSERT_EQ(b.state(), State::done);
    EXPECT_EQ(a.result().peer, node_b);
    EXPECT_EQ(a.result().peer_creation, 0x55667788u);
    EXPECT_EQ(b.result().peer, node_a);
    EXPECT_EQ(b.result().peer_creation, 0x11223344u);
    EXPECT_EQ(a.result().flags, config.flags);
    EXPECT_EQ(b.result().flags, config.flags);
    EXPECT_FALSE(a.result().visible());
    EXPECT_EQ(a.received_packets(), 3u);
    EXPECT_EQ(a.sent_packets(), 2u);
    EXPECT_EQ(b.received_packets(), 2u);
    EXPECT_EQ(b.sent_packets(), 3u);
    EXPECT_TRUE(a.take_rest().empty());
  }
}

// The set-up timer is reset where dist_util resets it: at the initiator after the challenge reply
// only, at the acceptor after status and challenge.
TEST(Handshake, TimerIsResetWhereDistUtilResetsIt) {
  Initiator a(initiator_config());
  Acceptor b(acceptor_config());
  EXPECT_FALSE(a.take_timer_reset());
  b.on_bytes(a.take_output());
  EXPECT_FALSE(b.take_timer_reset());
  b.answer_status(Pending::ok);
  EXPECT_TRUE(b.take_timer_reset());
  EXPECT_FALSE(b.take_timer_reset());
  const auto out = b.take_output();
  a.on_bytes(Bytes(out).first(5));  // status
  EXPECT_FALSE(a.take_timer_reset());
  a.on_bytes(Bytes(out).subspan(5));
  EXPECT_TRUE(a.take_timer_reset());
  b.on_bytes(a.take_output());
  EXPECT_FALSE(b.take_timer_reset());
  a.on_bytes(b.take_output());
  EXPECT_FALSE(a.take_timer_reset());
  EXPECT_EQ(a.state(), State::done);
}

// Every step is reported under dist_util's name for it.
TEST(Handshake, StepsAreReported) {
  Initiator a(initiator_config());
  Acceptor b(acceptor_config());
  shuttle(a, b);
  b.answer_status(Pending::ok_pending);
  shuttle(a, b);
  EXPECT_THAT(steps(a), ElementsAre("send_name:" + node_a, "recv_status:ok_simultaneous", "recv_challenge:" + node_b,
                                    "send_challenge_reply:", "recv_challenge_ack:"));
  EXPECT_THAT(steps(b), ElementsAre("recv_name:" + node_a, "send_status:ok_simultaneous",
                                    "send_challenge:", "recv_challenge_reply:", "send_challenge_ack:"));
}

// nok: the initiator waits to be killed and does not even notice that the stream ends (dist_util
// receives nothing there); the acceptor is through with it.
TEST(Handshake, Nok) {
  Initiator a(initiator_config());
  Acceptor b(acceptor_config());
  shuttle(a, b);
  b.answer_status(Pending::nok_pending);
  shuttle(a, b);
  EXPECT_EQ(b.failure().error, HandshakeError::nok);
  EXPECT_EQ(b.failure().log, std::nullopt);
  EXPECT_EQ(a.state(), State::parked);
  a.on_closed();
  EXPECT_EQ(a.state(), State::parked);
  EXPECT_FALSE(a.wants_bytes());
}

// alive answered true: the handshake goes on, and before the ack the acceptor has the old
// connection killed.
TEST(Handshake, AliveAndStillPending) {
  Initiator a(initiator_config());
  Acceptor b(acceptor_config());
  shuttle(a, b);
  b.answer_status(Pending::up_pending);
  EXPECT_FALSE(b.take_timer_reset());
  shuttle(a, b);
  ASSERT_EQ(a.state(), State::asks_pending);
  a.answer_pending(true);
  shuttle(a, b);
  EXPECT_TRUE(b.take_timer_reset());
  ASSERT_EQ(b.state(), State::asks_wait_pending);
  EXPECT_EQ(a.state(), State::receiving);
  b.old_connection_gone();
  shuttle(a, b);
  EXPECT_EQ(a.state(), State::done);
  EXPECT_EQ(b.state(), State::done);
}

// alive answered false: both give up silently, the old connection stays.
TEST(Handshake, AliveButNoLongerPending) {
  Initiator a(initiator_config());
  Acceptor b(acceptor_config());
  shuttle(a, b);
  b.answer_status(Pending::up_pending);
  shuttle(a, b);
  a.answer_pending(false);
  EXPECT_EQ(a.failure().error, HandshakeError::attempt_dropped);
  shuttle(a, b);
  EXPECT_EQ(b.failure().error, HandshakeError::attempt_dropped);
  EXPECT_EQ(b.failure().log, std::nullopt);
}

// An impostor with a bad cookie does not get the old connection killed (facts, "duplicate/half-open").
TEST(Handshake, AliveWithABadCookieLeavesTheOldConnection) {
  auto config = initiator_config();
  config.cookie = [](std::string_view) { return std::string("guess"); };
  Initiator a(config);
  Acceptor b(acceptor_config());
  shuttle(a, b);
  b.answer_status(Pending::up_pending);
  shuttle(a, b);
  a.answer_pending(true);
  shuttle(a, b);
  EXPECT_EQ(b.failure().error, HandshakeError::bad_cookie);
}

// already_pending closes without a status.
TEST(Handshake, AlreadyPendingIsSilent) {
  Initiator a(initiator_config());
  Acceptor b(acceptor_config());
  shuttle(a, b);
  b.answer_status(Pending::already_pending);
  EXPECT_TRUE(b.take_output().empty());
  EXPECT_EQ(b.failure().error, HandshakeError::already_pending);
}

// Cookie mismatch: the acceptor logs, the initiator just sees the stream end (facts section 4).
TEST(Handshake, CookieMismatch) {
  auto config = initiator_config();
  config.cookie = [](std::string_view) { return std::string("other"); };
  Initiator a(config);
  Acceptor b(acceptor_config());
  shuttle(a, b);
  b.answer_status(Pending::ok);
  shuttle(a, b);
  EXPECT_EQ(b.failure().error, HandshakeError::bad_cookie);
  EXPECT_EQ(b.failure().log, "** Connection attempt from node 'a@hosta.test' rejected. Invalid challenge reply. **");
  a.on_closed();
  EXPECT_EQ(a.failure().error, HandshakeError::closed);
  EXPECT_EQ(a.failure().log, std::nullopt);
}

// Cookies are asked for by the peer's name, so that both sides may keep one per peer.
TEST(Handshake, CookiesArePerPeer) {
  auto ca = initiator_config();
  auto cb = acceptor_config();
  ca.cookie = [](std::string_view peer) { return peer == node_b ? "for b" : "x"; };
  cb.cookie = [](std::string_view peer) { return peer == node_a ? "for b" : "y"; };
  Initiator a(ca);
  Acceptor b(cb);
  shuttle(a, b);
  b.answer_status(Pending::ok);
  shuttle(a, b);
  EXPECT_EQ(a.state(), State::done);
}

// A wrong ack is the initiator's to log.
TEST(Handshake, WrongAck) {
  Initiator a(initiator_config());
  Acceptor b(acceptor_config());
  shuttle(a, b);
  b.answer_status(Pending::ok);
  a.on_bytes(b.take_output());
  feed(a, "0011 'a' 00000000000000000000000000000000");
  EXPECT_EQ(a.failure().error, HandshakeError::bad_cookie);
  EXPECT_EQ(a.failure().log, "** Connection attempt to node 'b@hostb.test' cancelled. Invalid challenge ack. **");
}

class MissingFlag : public ::testing::TestWithParam<Flags> {};

// Each mandatory flag: an acceptor refuses a peer without it (status not_allowed), an initiator
// aborts, both with OTP's line.
TEST_P(MissingFlag, IsRefusedByBothRoles) {
  const std::string name = flags_to_names(GetParam()).front();
  auto config = initiator_config();
  config.flags &= ~(GetParam() | flag::mandatory_25_digest);
  Initiator a(config);
  Acceptor b(acceptor_config());
  shuttle(a, b);
  EXPECT_EQ(b.failure().error, HandshakeError::missing_flags);
  EXPECT_EQ(*b.failure().log,
            "** 'b@hostb.test': Connection attempt from node 'a@hosta.test' rejected since it "
            "cannot handle [\"" +
                name + "\"].**");
  EXPECT_EQ(a.failure().error, HandshakeError::not_allowed);
  EXPECT_EQ(a.failure().log, std::nullopt);

  auto lax = acceptor_config();
  lax.flags &= ~(GetParam() | flag::mandatory_25_digest);
  lax.mandatory = 0;
  Initiator c(initiator_config());
  Acceptor d(lax);
  shuttle(c, d);
  d.answer_status(Pending::ok);
  shuttle(c, d);
  EXPECT_EQ(c.failure().error, HandshakeError::missing_flags);
  EXPECT_EQ(*c.failure().log,
            "** 'a@hosta.test': Connection attempt to node 'b@hostb.test' aborted since it "
            "cannot handle [\"" +
                name + "\"].**");
}

INSTANTIATE_TEST_SUITE_P(Mandatory25, MissingFlag,
                         ::testing::Values(flag::extended_references, flag::fun_tags, flag::extended_pids_ports,
                                           flag::new_fun_tags, flag::export_ptr_tag, flag::bit_binaries,
                                           flag::new_floats, flag::utf8_atoms, flag::map_tag, flag::big_creation,
                                           flag::handshake_23));

// The digest alone suffices (facts, "0x4000000 alone suffices for ping").
TEST(Handshake, DigestAloneSuffices) {
  auto config = acceptor_config();
  config.flags = flag::mandatory_25_digest;
  Initiator a(initiator_config());
  Acceptor b(config);
  shuttle(a, b);
  b.answer_status(Pending::ok);
  shuttle(a, b);
  ASSERT_EQ(a.state(), State::done);
  EXPECT_EQ(a.result().flags, mandatory_25 | flag::mandatory_25_digest);
}

// net_kernel:allow/1.
TEST(Handshake, DisallowedNode) {
  auto config = acceptor_config();
  config.allowed = [](std::string_view peer) { return peer != node_a; };
  Initiator a(initiator_config());
  Acceptor b(config);
  shuttle(a, b);
  EXPECT_EQ(b.failure().error, HandshakeError::not_allowed);
  EXPECT_EQ(b.failure().log, "** Connection attempt from disallowed node a@hosta.test ** ");
  EXPECT_EQ(a.failure().error, HandshakeError::not_allowed);
}

// A node without a name gets one (status named:).
TEST(Handshake, ANameIsGiven) {
  auto config = initiator_config();
  config.self = "hosta.test";
  config.flags = (config.flags & ~flag::published) | flag::name_me;
  Initiator a(config);
  Acceptor b(acceptor_config());
  shuttle(a, b);
  ASSERT_EQ(b.state(), State::asks_status);
  ASSERT_TRUE(b.wants_name());
  EXPECT_EQ(b.peer(), "hosta.test");
  b.answer_named("dyn1@hosta.test", 99);
  shuttle(a, b);
  ASSERT_EQ(a.state(), State::done);
  EXPECT_EQ(a.result().given_name, "dyn1@hosta.test");
  EXPECT_EQ(a.result().given_creation, 99u);
  EXPECT_EQ(b.result().peer, "dyn1@hosta.test");
  EXPECT_TRUE((a.result().flags & flag::name_me) != 0);
}

// Names OTP refuses close the stream without a word.
TEST(Handshake, BadNamesAreRefusedSilently) {
  for (const char* name : {"nohost", "@host", "name@", "a@b@c", ""}) {
    auto config = initiator_config();
    config.self = name;
    Initiator a(config);
    Acceptor b(acceptor_config());
    shuttle(a, b);
    EXPECT_EQ(b.failure().error, HandshakeError::invalid_name) << name;
    EXPECT_EQ(b.failure().log, std::nullopt);
    EXPECT_TRUE(b.take_output().empty());
  }
}

// Another name than the dialled one in the challenge: silent, no reply that an impostor could use.
TEST(Handshake, WrongNameInTheChallenge) {
  auto config = acceptor_config();
  config.self = "c@hostb.test";
  Initiator a(initiator_config());
  Acceptor b(config);
  shuttle(a, b);
  b.answer_status(Pending::ok);
  shuttle(a, b);
  EXPECT_EQ(a.failure().error, HandshakeError::invalid_name);
  EXPECT_EQ(a.failure().log, std::nullopt);
}

// Node names travel as Latin-1 and are UTF-8 in here.
TEST(Handshake, NamesTravelAsLatin1) {
  auto config = initiator_config();
  config.self = "m\xc3\xbcller@hosta.test";
  Initiator a(config);
  Acceptor b(acceptor_config());
  const auto out = a.take_output();
  EXPECT_THAT(std::string(out.begin(), out.end()), HasSubstr("m\xfcller@"));
  b.on_bytes(out);
  EXPECT_EQ(b.peer(), config.self);
  config.self = "\xe2\x82\xac@hosta.test";  // no Latin-1 character
  EXPECT_EQ(Initiator(config).failure().error, HandshakeError::crashed);
}

struct Garbage {
  const char* what;
  const char* hex;
  HandshakeError error;
};

// What the acceptor does with a first packet that is none of version 6: silent, unless OTP's process
// crashes on it. The version 5 name ('n') is refused like garbage since OTP 25.
TEST(Handshake, BadFirstPackets) {
  const Garbage rows[] = {
      {"http", "4745 'T / HTTP/1.1' 0d0a", HandshakeError::closed},  // a packet of 0x4745 bytes, never whole
      {"empty packet", "0000", HandshakeError::garbage},
      {"version 5 name", "0013 'n' 0005 07df7fbd 'a@hosta.test'", HandshakeError::garbage},
      {"short name packet", "0005 'N' 00000000", HandshakeError::crashed},
      {"name longer than packet", "0010 'N' 0000000d07df5fbd 00000000 00ff 'a'", HandshakeError::crashed},
      {"status instead of name", "0003 'sok'", HandshakeError::garbage},
  };
  for (const auto& row : rows) {
    Acceptor b(acceptor_config());
    feed(b, row.hex);
    b.on_closed();
    ASSERT_EQ(b.state(), State::failed) << row.what;
    EXPECT_EQ(b.failure().error, row.error) << row.what;
    EXPECT_EQ(b.failure().log.has_value(), row.error == HandshakeError::crashed) << row.what;
    EXPECT_TRUE(b.take_output().empty()) << row.what;
  }
}

// What the initiator does with a bad status or challenge: silent, except for the crash on a name
// nobody asked for.
TEST(Handshake, BadAnswers) {
  const Garbage rows[] = {
      {"unknown status", "0007 'sfoobar'", HandshakeError::garbage},
      {"empty packet", "0000", HandshakeError::garbage},
      {"name not asked for", "0010 'snamed:' 0003 'x@y' 00000001", HandshakeError::crashed},
      {"truncated named", "0008 'snamed:' 00", HandshakeError::crashed},
      {"version 5 challenge", "0003 'sok' 0017 'n' 0005 07df7fbd 01020304 'b@hostb.test'", HandshakeError::garbage},
      {"challenge cut short", "0003 'sok' 0005 'N' 00000000", HandshakeError::garbage},
      {"challenge name too long", "0003 'sok' 0014 'N' 0000000d07df5fbd 00000000 00000000 0009 'b'",
       HandshakeError::garbage},
  };
  for (const auto& row : rows) {
    Initiator a(initiator_config());
    a.take_output();
    feed(a, row.hex);
    ASSERT_EQ(a.state(), State::failed) << row.what;
    EXPECT_EQ(a.failure().error, row.error) << row.what;
    EXPECT_EQ(a.failure().log.has_value(), row.error == HandshakeError::crashed) << row.what;
  }
}

// Bytes behind the handshake are the first of the connection; bytes that come while the owner is
// asked are kept, but not without end.
TEST(Handshake, EarlyBytesAreKept) {
  Initiator a(initiator_config());
  Acceptor b(acceptor_config());
  shuttle(a, b);
  b.answer_status(Pending::ok);
  a.on_bytes(b.take_output());
  b.on_bytes(a.take_output());
  auto ack = b.take_output();
  ack.insert(ack.end(), {0, 0, 0, 0, 9});
  a.on_bytes(ack);
  ASSERT_EQ(a.state(), State::done);
  EXPECT_THAT(a.take_rest(), ElementsAre(0, 0, 0, 0, 9));

  Acceptor c(acceptor_config());
  Initiator d(initiator_config());
  c.on_bytes(d.take_output());
  const std::vector<uint8_t> flood(300'000, 1);
  for (int i = 0; i < 5; ++i) c.on_bytes(flood);
  EXPECT_EQ(c.failure().error, HandshakeError::garbage);
}

}  // namespace
}  // namespace distlab::dist
