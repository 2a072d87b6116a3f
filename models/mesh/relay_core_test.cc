// The relay's engine: routing, realms, calls, and who is told what.
#include "models/mesh/relay_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/mesh/testing/core_talk.h"

namespace distlab::mesh {
namespace {

using namespace std::chrono_literals;
using testing::CoreTalk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A CONNECT makes a session, which is recorded, and until then nothing else may be said.
TEST(RelayCore, Connects) {
  CoreTalk talk;
  const SessionId a = talk.open();
  EXPECT_EQ(talk.core.stats().pending, 1u);
  talk.say(a, Connect{"r", "a"});
  EXPECT_THAT(talk.hear(a), ElementsAre("WELCOME"));
  EXPECT_THAT(talk.events(), ElementsAre("session_up a"));
  EXPECT_EQ(talk.core.stats().sessions, 1u);
  EXPECT_EQ(talk.core.stats().pending, 0u);

  const SessionId b = talk.open();
  talk.say(b, Ping{1});
  EXPECT_THAT(talk.hear(b), ElementsAre("ERROR unexpected: not a CONNECT"));
  EXPECT_EQ(talk.core.closing(b)->code, CloseCode::protocol);
  EXPECT_THAT(talk.events(), ElementsAre("session_refused ? unexpected: not a CONNECT"));
}

// A PUBLISH goes as it came to the subscribers of its topic, the publisher's own session among them.
TEST(RelayCore, RoutesPublishes) {
  CoreTalk talk;
  const SessionId a = talk.join("a"), b = talk.join("b"), c = talk.join("c");
  talk.say(a, Subscribe{"x"});
  talk.say(b, Subscribe{"x"});
  talk.say(b, Subscribe{"x"});  // silently once
  talk.say(c, Subscribe{"y"});
  EXPECT_EQ(talk.core.stats().subscriptions, 3u);
  talk.publish(a, "x");
  EXPECT_THAT(talk.hear(a), ElementsAre("PUBLISH x"));
  EXPECT_THAT(talk.hear(b), ElementsAre("PUBLISH x"));
  EXPECT_THAT(talk.hear(c), IsEmpty());
  talk.say(b, Unsubscribe{"x"});
  talk.publish(a, "x");
  EXPECT_THAT(talk.hear(b), IsEmpty());
  EXPECT_EQ(talk.core.stats().subscriptions, 2u);
}

// Realms share neither topics nor procedures nor identities.
TEST(RelayCore, RealmsAreApart) {
  CoreTalk talk;
  const SessionId here = talk.join("a", "one"), there = talk.join("a", "two");
  talk.say(here, Advertise{"p"});
  talk.say(here, Subscribe{"x"});
  talk.say(there, Call{1, "p", nullptr});
  talk.publish(there, "x");
  EXPECT_THAT(talk.hear(there), ElementsAre("REPLY 1 unknown_procedure: nobody advertises it here"));
  EXPECT_THAT(talk.hear(here), IsEmpty());
  EXPECT_EQ(talk.core.stats().sessions, 2u);
}

// A relay may keep realms and identities out; it says which of the two was the reason.
TEST(RelayCore, RefusesRealmsAndIdentities) {
  CoreTalk talk({.name = "berlin", .realms = {"r"}, .identities = {"a"}});
  talk.join("a");
  const SessionId other_realm = talk.open(), other_identity = talk.open();
  talk.say(other_realm, Connect{"q", "a"});
  talk.say(other_identity, Connect{"r", "b"});
  EXPECT_THAT(talk.hear(other_realm), ElementsAre("ERROR refused: realm"));
  EXPECT_THAT(talk.hear(other_identity), ElementsAre("ERROR refused: identity"));
  EXPECT_EQ(talk.core.closing(other_realm)->code, CloseCode::refused);
  EXPECT_THAT(talk.events(),
              ElementsAre("session_up a", "session_refused a refused: realm", "session_refused b refused: identity"));
  EXPECT_EQ(talk.core.stats().refused, 2u);
}

// Of two sessions with one identity the later one lives; the routes of the older are gone with it.
TEST(RelayCore, ReplacesAnIdentity) {
  CoreTalk talk;
  const SessionId old = talk.join("a"), caller = talk.join("c");
  talk.say(old, Advertise{"p"});
  talk.say(old, Subscribe{"x"});
  const SessionId fresh = talk.join("a");
  EXPECT_THAT(talk.hear(old), ElementsAre("DISCONNECT replaced"));
  EXPECT_EQ(talk.core.closing(old)->code, CloseCode::replaced);
  EXPECT_EQ(talk.core.stats().sessions, 2u);
  EXPECT_EQ(talk.core.stats().procedures, 0u);
  EXPECT_EQ(talk.core.stats().subscriptions, 0u);
  talk.core.on_gone(talk.now, old, "closed");
  talk.say(fresh, Advertise{"p"});
  talk.say(caller, Call{1, "p", nullptr});
  EXPECT_THAT(talk.hear(fresh), ElementsAre("CALL 1 p"));
  EXPECT_THAT(talk.events(), ElementsAre("session_up a", "session_up c", "session_down a replaced", "session_up a"));
}

// The same when the identity is alone in its realm, which then goes and comes again.
TEST(RelayCore, ReplacesTheOnlyOneOfARealm) {
  CoreTalk talk;
  const SessionId old = talk.join("a");
  const SessionId fresh = talk.join("a");
  talk.core.on_gone(talk.now, old, "closed");
  talk.say(fresh, Subscribe{"x"});
  talk.publish(fresh, "x");
  EXPECT_THAT(talk.hear(fresh), ElementsAre("PUBLISH x"));
}

// A call goes to whoever advertised first, under a number of the relay's; the answer comes back under the
// caller's. When the first is gone the next is asked.
TEST(RelayCore, RoutesCalls) {
  CoreTalk talk;
  const SessionId first = talk.join("b"), second = talk.join("c"), one = talk.join("x"), two = talk.join("y");
  talk.say(first, Advertise{"p"});
  talk.say(second, Advertise{"p"});
  talk.say(one, Call{7, "p", nullptr});
  talk.say(two, Call{7, "p", nullptr});
  EXPECT_THAT(talk.hear(first), ElementsAre("CALL 1 p", "CALL 2 p"));
  talk.say(first, Reply{2, Json("two")});
  talk.say(first, Reply{1, tl::unexpected(CallError{"busy", "later"})});
  EXPECT_THAT(talk.hear(one), ElementsAre("REPLY 7 busy: later"));
  EXPECT_THAT(talk.hear(two), ElementsAre("REPLY 7 \"two\""));
  EXPECT_EQ(talk.core.stats().calls, 0u);
  talk.say(first, Unadvertise{"p"});
  talk.say(one, Call{8, "p", nullptr});
  EXPECT_THAT(talk.hear(second), ElementsAre("CALL 3 p"));
}

// An answer counts once, from the callee, and as long as somebody waits for it.
TEST(RelayCore, DropsForeignAndLateReplies) {
  CoreTalk talk;
  const SessionId callee = talk.join("b"), caller = talk.join("a"), forger = talk.join("f");
  talk.say(callee, Advertise{"p"});
  talk.say(caller, Call{7, "p", nullptr});
  talk.events();
  talk.say(forger, Reply{1, Json("forged")});
  EXPECT_THAT(talk.hear(caller), IsEmpty());
  talk.say(callee, Reply{1, Json("true")});
  talk.say(callee, Reply{1, Json("again")});
  EXPECT_THAT(talk.hear(caller), ElementsAre("REPLY 7 \"true\""));
  EXPECT_THAT(talk.events(), ElementsAre("relay_dropped f late_reply x1", "relay_dropped b late_reply x1"));
}

// A callee that leaves ends its calls at once, one that is silent when call_lifetime is over.
TEST(RelayCore, EndsCallsOfTheDead) {
  CoreTalk talk;
  const SessionId leaving = talk.join("b"), silent = talk.join("c"), caller = talk.join("a");
  talk.say(leaving, Advertise{"p"});
  talk.say(silent, Advertise{"q"});
  talk.say(caller, Call{1, "p", nullptr});
  talk.say(caller, Call{2, "q", nullptr});
  talk.core.on_gone(talk.now, leaving, "idle");
  EXPECT_THAT(talk.hear(caller), ElementsAre("REPLY 1 callee_gone: its session ended"));
  talk.pass(30s - 1ns);
  EXPECT_THAT(talk.hear(caller), IsEmpty());
  talk.pass(1ns);
  EXPECT_THAT(talk.hear(caller), ElementsAre("REPLY 2 timeout: call_lifetime"));
  EXPECT_EQ(talk.core.stats().calls, 0u);
}

// A caller that leaves is not answered, and a session may call itself and leave.
TEST(RelayCore, ForgetsCallsOfTheGone) {
  CoreTalk talk;
  const SessionId callee = talk.join("b"), caller = talk.join("a");
  talk.say(callee, Advertise{"p"});
  talk.say(caller, Call{1, "p", nullptr});
  talk.say(callee, Call{1, "p", nullptr});
  EXPECT_EQ(talk.core.stats().calls, 2u);
  talk.core.on_gone(talk.now, caller, "idle");
  EXPECT_EQ(talk.core.stats().calls, 1u);
  talk.core.on_gone(talk.now, callee, "idle");
  EXPECT_EQ(talk.core.stats().calls, 0u);
  EXPECT_EQ(talk.core.sessions(), 0u);
}

// Everything a session had goes with it, and whoever leaves with a word is recorded with that word.
TEST(RelayCore, ForgetsASession) {
  CoreTalk talk;
  const SessionId a = talk.join("a");
  talk.say(a, Subscribe{"x"});
  talk.say(a, Advertise{"p"});
  talk.say(a, Disconnect{"bye"});
  EXPECT_THAT(talk.hear(a), IsEmpty());
  EXPECT_EQ(talk.closing(a), "disconnect: bye");
  talk.core.on_gone(talk.now, a, "application 0");
  EXPECT_EQ(talk.core.stats().subscriptions + talk.core.stats().procedures + talk.core.stats().sessions, 0u);
  EXPECT_THAT(talk.events(), ElementsAre("session_up a", "session_down a disconnect: bye"));
  talk.core.on_gone(talk.now, a, "twice");
  talk.say(a, Ping{1});
  EXPECT_EQ(talk.core.sessions(), 0u);
}

// A frame that makes no sense ends the session and says why.
TEST(RelayCore, EndsMalformedSessions) {
  const std::vector<std::pair<Frame, std::string>> bad = {
      {seal(begin_frame(FrameType::ping, 0)), "malformed: body"},
      {seal(begin_frame(FrameType::publish, 0)), "malformed: body"},
      {seal(begin_frame(FrameType(0x77), 0)), "malformed: type"},
      {encode(Connect{"r", "a"}), "unexpected: second CONNECT"},
      {encode(Welcome{"me", 1}), "unexpected: only a relay says this"},
      {encode(Error{"no", "you"}), "unexpected: only a relay says this"},
      {encode(Pong{1}), "unexpected: PONG without a PING"},
  };
  for (const auto& [frame, reason] : bad) {
    CoreTalk talk;
    const SessionId a = talk.join("a");
    talk.say(a, frame);
    EXPECT_EQ(talk.closing(a), reason);
    EXPECT_THAT(talk.hear(a), ElementsAre("ERROR " + reason));
    EXPECT_THAT(talk.events(), ElementsAre("session_up a", "session_down a " + reason));
  }
  CoreTalk talk;
  const SessionId a = talk.join("a");
  talk.core.on_bad_frame(talk.now, a, FrameError::version);
  EXPECT_THAT(talk.hear(a), ElementsAre("ERROR malformed: version"));
}

// Words of a peer are cut before they are recorded.
TEST(RelayCore, CutsLongReasons) {
  CoreTalk talk;
  const SessionId a = talk.join("a");
  talk.say(a, Disconnect{std::string(100'000, 'x')});
  EXPECT_LT(talk.closing(a).size(), 300u);
}

// A relay that stops says so to all, in front of what still waits for them.
TEST(RelayCore, ShutsDown) {
  CoreTalk talk;
  const SessionId a = talk.join("a"), b = talk.join("b"), pending = talk.open();
  talk.say(b, Subscribe{"x"});
  talk.publish(a, "x");
  talk.events();
  talk.core.shutdown(talk.now, "upgrade");
  for (const SessionId id : {a, b, pending}) EXPECT_THAT(talk.hear(id), ElementsAre("DISCONNECT upgrade"));
  EXPECT_EQ(talk.core.closing(a)->code, CloseCode::shutdown);
  EXPECT_THAT(talk.events(), ElementsAre("session_down a shutdown: upgrade", "session_down b shutdown: upgrade",
                                         "relay_dropped b closing x1", "session_refused ? shutdown: upgrade"));
}

// A wedged relay takes everything in and sends nothing, and says what it drops.
TEST(RelayCore, Wedges) {
  CoreTalk talk;
  const SessionId a = talk.join("a");
  talk.say(a, Subscribe{"x"});
  talk.core.set_wedged(true);
  talk.say(a, Ping{1});
  talk.publish(a, "x");
  EXPECT_THAT(talk.hear(a), IsEmpty());
  EXPECT_EQ(talk.core.stats().dropped[size_t(DropReason::wedged)].messages, 2u);
  talk.core.set_wedged(false);
  talk.say(a, Ping{2});
  EXPECT_THAT(talk.hear(a), ElementsAre("PONG 2"));
}

// take_touched() names each session with news once.
TEST(RelayCore, NamesTheTouched) {
  CoreTalk talk;
  const SessionId a = talk.join("a"), b = talk.join("b");
  talk.core.take_touched();
  talk.say(b, Ping{1});
  talk.say(a, Ping{1});
  talk.say(b, Ping{2});
  EXPECT_THAT(talk.core.take_touched(), ElementsAre(b, a));
  EXPECT_THAT(talk.core.take_touched(), IsEmpty());
  talk.say(b, Ping{3});
  EXPECT_THAT(talk.core.take_touched(), ElementsAre(b));
}

}  // namespace
}  // namespace distlab::mesh
