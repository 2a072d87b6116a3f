// Every limit of RelayLimits, met: who is told, what happens, and that others do not notice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/host/event_kinds.h"
#include "models/mesh/cbor.h"
#include "models/mesh/testing/core_talk.h"

namespace distlab::mesh {
namespace {

using namespace std::chrono_literals;
using testing::CoreTalk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RelayCore::Settings with(const RelayLimits& limits) {
  return {.name = "berlin", .limits = limits};
}

constexpr Ipv4 one_address{0x0a000001}, other_address{0x0a000002};

// Sessions in all, and of one address.
TEST(RelayLimits, Sessions) {
  CoreTalk all(with({.sessions = 2}));
  all.join("a");
  const SessionId b = all.join("b"), c = all.open();
  EXPECT_EQ(all.closing(c), "limit: sessions");
  EXPECT_EQ(all.core.closing(c)->code, CloseCode::limit);
  all.core.on_gone(all.now, c, "closed");
  all.core.on_gone(all.now, b, "closed");
  EXPECT_EQ(all.closing(all.open()), "");
  EXPECT_THAT(all.events(), ElementsAre("session_up a", "session_up b", "session_refused ? limit: sessions",
                                        "session_down b closed"));

  CoreTalk each(with({.sessions_per_address = 1}));
  const SessionId first = each.join("a");
  EXPECT_EQ(each.closing(each.open(one_address)), "limit: sessions_per_address");
  EXPECT_EQ(each.closing(each.open(other_address)), "");
  EXPECT_EQ(each.closing(first), "");
}

// Sessions that have not said CONNECT, in all and of one address; a CONNECT makes room.
TEST(RelayLimits, PendingSessions) {
  CoreTalk all(with({.pending_sessions = 1}));
  const SessionId a = all.open();
  EXPECT_EQ(all.closing(all.open()), "limit: pending_sessions");
  all.say(a, Connect{"r", "a"});
  EXPECT_EQ(all.closing(all.open()), "");

  CoreTalk each(with({.pending_per_address = 1}));
  each.open(one_address);
  EXPECT_EQ(each.closing(each.open(one_address)), "limit: pending_per_address");
  EXPECT_EQ(each.closing(each.open(other_address)), "");
}

// Who connects and says nothing is sent away; who has said CONNECT may be silent.
TEST(RelayLimits, ConnectTimeout) {
  CoreTalk talk;
  const SessionId silent = talk.open(), polite = talk.join("a");
  talk.pass(10s - 1ns);
  EXPECT_EQ(talk.closing(silent), "");
  talk.pass(1ns);
  EXPECT_THAT(talk.hear(silent), ElementsAre("ERROR limit: connect_timeout"));
  EXPECT_EQ(talk.closing(polite), "");
  EXPECT_EQ(talk.core.stats().pending, 0u);
}

// Subscriptions and procedures of a session, and of all: refused with an ERROR, and the session goes on.
TEST(RelayLimits, Registrations) {
  CoreTalk talk(with({.subscriptions = 2, .subscriptions_total = 3, .procedures = 1, .procedures_total = 2}));
  const SessionId a = talk.join("a"), b = talk.join("b"), c = talk.join("c");
  for (const char* topic : {"x", "y", "z"}) {
    talk.say(a, Subscribe{topic});
    talk.say(b, Subscribe{topic});
  }
  EXPECT_THAT(talk.hear(a), ElementsAre("ERROR limit: subscriptions"));
  EXPECT_THAT(talk.hear(b), ElementsAre("ERROR limit: subscriptions_total", "ERROR limit: subscriptions_total"));
  talk.say(a, Unsubscribe{"x"});
  talk.say(b, Subscribe{"z"});
  EXPECT_THAT(talk.hear(b), IsEmpty());
  for (const SessionId id : {a, b, c}) {
    talk.say(id, Advertise{"p"});
    talk.say(id, Advertise{"q"});
  }
  EXPECT_THAT(talk.hear(a), ElementsAre("ERROR limit: procedures"));
  EXPECT_THAT(talk.hear(c), ElementsAre("ERROR limit: procedures_total", "ERROR limit: procedures_total"));
  EXPECT_EQ(talk.core.stats().subscriptions, 3u);
  EXPECT_EQ(talk.core.stats().procedures, 2u);
  EXPECT_EQ(talk.closing(a), "");
}

// Calls under way, of a session and of all: the caller is answered with the limit's name.
TEST(RelayLimits, Calls) {
  CoreTalk talk(with({.calls = 2, .calls_total = 3}));
  const SessionId callee = talk.join("b"), a = talk.join("a"), c = talk.join("c");
  talk.say(callee, Advertise{"p"});
  for (uint64_t id = 1; id <= 3; ++id) talk.say(a, Call{id, "p", nullptr});
  for (uint64_t id = 1; id <= 2; ++id) talk.say(c, Call{id, "p", nullptr});
  EXPECT_THAT(talk.hear(a), ElementsAre("REPLY 3 limit: calls"));
  EXPECT_THAT(talk.hear(c), ElementsAre("REPLY 2 limit: calls_total"));
  EXPECT_THAT(talk.hear(callee), SizeIs(3));
  talk.say(callee, Reply{1, Json()});
  talk.say(c, Call{3, "p", nullptr});
  EXPECT_THAT(talk.hear(callee), ElementsAre("CALL 4 p"));
}

// Calls under way of one session to another: others may still call that one, and the caller others.
TEST(RelayLimits, CallsToOne) {
  CoreTalk talk(with({.calls_to_one = 1}));
  const SessionId callee = talk.join("b"), other = talk.join("o"), a = talk.join("a"), c = talk.join("c");
  talk.say(callee, Advertise{"p"});
  talk.say(other, Advertise{"q"});
  for (uint64_t id = 1; id <= 2; ++id) talk.say(a, Call{id, "p", nullptr});
  talk.say(a, Call{3, "q", nullptr});
  talk.say(c, Call{1, "p", nullptr});
  EXPECT_THAT(talk.hear(a), ElementsAre("REPLY 2 limit: calls_to_one"));
  EXPECT_THAT(talk.hear(callee), SizeIs(2));
  EXPECT_THAT(talk.hear(other), SizeIs(1));
  EXPECT_THAT(talk.hear(c), IsEmpty());
  talk.say(callee, Reply{1, Json()});
  talk.say(a, Call{4, "p", nullptr});
  EXPECT_THAT(talk.hear(callee), ElementsAre("CALL 4 p"));
}

// Names longer than their limits, or empty ones.
TEST(RelayLimits, Names) {
  CoreTalk talk(with({.realm_bytes = 3, .identity_bytes = 3, .topic_bytes = 3, .procedure_bytes = 3}));
  const SessionId realm = talk.open(), identity = talk.open(), nameless = talk.open();
  talk.say(realm, Connect{"long", "a"});
  talk.say(identity, Connect{"r", "long"});
  talk.say(nameless, Connect{"r", ""});
  EXPECT_EQ(talk.closing(realm), "limit: realm_bytes");
  EXPECT_EQ(talk.closing(identity), "limit: identity_bytes");
  EXPECT_EQ(talk.closing(nameless), "limit: identity_bytes");
  const SessionId a = talk.join("a", "abc");
  talk.say(a, Subscribe{"long"});
  talk.say(a, Subscribe{""});
  talk.say(a, Subscribe{"abc"});
  talk.publish(a, "long");
  talk.say(a, Advertise{"long"});
  talk.say(a, Advertise{"abc"});
  EXPECT_THAT(talk.hear(a), ElementsAre("ERROR limit: topic_bytes", "ERROR limit: topic_bytes",
                                        "ERROR limit: topic_bytes", "ERROR limit: procedure_bytes"));
  EXPECT_EQ(talk.core.stats().subscriptions, 1u);
  EXPECT_EQ(talk.core.stats().procedures, 1u);
}

// A session that meets a limit again and again and lives on: one event at once, then one a second.
TEST(RelayLimits, ComplaintsAreTold) {
  CoreTalk talk(with({.procedures = 0, .topic_bytes = 3}));
  const SessionId a = talk.join("a"), b = talk.join("b");
  talk.events();
  for (int i = 0; i < 5; ++i) talk.say(a, Subscribe{"long"});
  talk.say(a, Advertise{"p"});
  talk.say(b, Subscribe{"long"});
  EXPECT_THAT(talk.events(),
              ElementsAre("relay_complained a limit: topic_bytes x1", "relay_complained a limit: procedures x1",
                          "relay_complained b limit: topic_bytes x1"));
  talk.pass(1s);
  EXPECT_THAT(talk.events(), ElementsAre("relay_complained a limit: topic_bytes x4"));
  talk.pass(5s);
  EXPECT_THAT(talk.events(), IsEmpty());
  EXPECT_THAT(talk.hear(a), SizeIs(6)) << "and each is answered";
  using Refusals = decltype(RelayStats::refusals);
  EXPECT_EQ(talk.core.stats().refusals, (Refusals{{{kinds::relay_complained, "limit: procedures"}, 1},
                                                  {{kinds::relay_complained, "limit: topic_bytes"}, 6}}));
}

// Peers that leave before they say who they are, with words of their own: told by what is not theirs to say.
TEST(RelayLimits, AbandonedSessions) {
  CoreTalk talk;
  for (int i = 0; i < 10; ++i) {
    talk.core.on_gone(talk.now, talk.open(), "application 3: words " + std::to_string(i), "application");
  }
  talk.core.on_gone(talk.now, talk.open(), "idle");
  EXPECT_THAT(talk.events(), ElementsAre("session_abandoned  application 3: words 0 x1", "session_abandoned  idle x1"));
  talk.pass(1s);
  EXPECT_THAT(talk.events(), ElementsAre("session_abandoned  application x9"));
  const SessionId late = talk.open();
  talk.pass(10s);
  EXPECT_THAT(talk.events(), ElementsAre("session_refused ? limit: connect_timeout"));
  talk.core.on_gone(talk.now, late, "idle");
  EXPECT_THAT(talk.events(), IsEmpty()) << "it was refused, and that was told";
  EXPECT_EQ((talk.core.stats().refusals.at({kinds::session_abandoned, "application"})), 10u);
}

// An array of half floats, which a relay writes as floats of twice the width.
Frame of_half_floats(FrameType type, uint64_t call_id, const std::string& key, bool with_procedure) {
  auto bytes = begin_frame(type, 0);
  const auto put = [&bytes](const std::string& text) {
    put_cbor_head(bytes, CborMajor::text, text.size());
    bytes.insert(bytes.end(), text.begin(), text.end());
  };
  put_cbor_head(bytes, CborMajor::map, with_procedure ? 3 : 2);
  put("call_id");
  put_cbor_head(bytes, CborMajor::uint, call_id);
  if (with_procedure) put("procedure");
  if (with_procedure) put("p");
  put(key);
  put_cbor_head(bytes, CborMajor::array, 300);
  for (int i = 0; i < 300; ++i) bytes.insert(bytes.end(), {0xf9, 0x3c, 0x00});
  return seal(std::move(bytes));
}

// A call whose arguments grow on the way must not burst the callee's limit; nor an answer the caller's.
TEST(RelayLimits, FramesThatGrow) {
  CoreTalk talk(with({.frame_bytes = 1000}));
  const SessionId callee = talk.join("b"), caller = talk.join("a");
  talk.say(callee, Advertise{"p"});
  const Frame call = of_half_floats(FrameType::call, 1, "args", true);
  ASSERT_LE(call.size(), 1000u);
  talk.say(caller, call);
  EXPECT_THAT(talk.hear(caller), ElementsAre("REPLY 1 limit: frame_bytes"));
  EXPECT_THAT(talk.hear(callee), IsEmpty());
  talk.say(caller, Call{9, "p", nullptr});
  EXPECT_THAT(talk.hear(callee), ElementsAre("CALL 2 p"));
  talk.say(callee, of_half_floats(FrameType::reply, 2, "result", false));
  EXPECT_THAT(talk.hear(caller), ElementsAre("REPLY 9 limit: frame_bytes"));
}

// Of a slow reader's queue: PUBLISH is dropped beyond queued_bytes, told at once and then once a second;
// answers go on, beyond queued_control_bytes the session ends. Others get what is theirs.
TEST(RelayLimits, SlowReader) {
  CoreTalk talk(with({.queued_bytes = 1000, .queued_control_bytes = 500}));
  const SessionId slow = talk.join("s"), quick = talk.join("q"), publisher = talk.join("p");
  talk.say(slow, Subscribe{"x"});
  talk.say(quick, Subscribe{"x"});
  talk.events();
  for (int i = 0; i < 10; ++i) {
    talk.publish(publisher, "x", 300);
    EXPECT_THAT(talk.hear(quick), ElementsAre("PUBLISH x"));
  }
  EXPECT_THAT(talk.events(), ElementsAre("relay_dropped s queue x1"));
  talk.pass(1s);
  EXPECT_THAT(talk.events(), ElementsAre("relay_dropped s queue x7"));
  talk.pass(5s);
  EXPECT_THAT(talk.events(), IsEmpty());
  EXPECT_EQ(talk.core.stats().dropped[size_t(DropReason::queue)].messages, 8u);
  talk.say(slow, Ping{1});
  EXPECT_EQ(talk.closing(slow), "");
  for (uint64_t i = 2; i < 60 && talk.closing(slow).empty(); ++i) talk.say(slow, Ping{i});
  EXPECT_EQ(talk.closing(slow), "limit: queued_control_bytes");
  EXPECT_THAT(talk.hear(slow), ElementsAre("ERROR limit: queued_control_bytes"));
  EXPECT_THAT(talk.events(), ElementsAre("session_down s limit: queued_control_bytes", "relay_dropped s closing x2"));
  EXPECT_EQ(talk.core.stats().queued_bytes, 0u);
}

// All queues together: then PUBLISH is dropped for everybody who does not read at once, and whoever queues
// more than the spare bytes is sent away.
TEST(RelayLimits, AllQueues) {
  CoreTalk talk(with({.queued_total = 1000, .queued_spare_bytes = 100}));
  const SessionId slow = talk.join("s"), other = talk.join("o");
  talk.say(slow, Subscribe{"x"});
  talk.say(other, Subscribe{"y"});
  for (int i = 0; i < 10; ++i) talk.publish(slow, "x", 300);
  EXPECT_LE(talk.core.stats().queued_bytes, 1000u);
  talk.publish(other, "y", 300);
  EXPECT_EQ(talk.core.stats().dropped[size_t(DropReason::queue)].messages, 9u);
  for (uint64_t i = 0; i < 60; ++i) {
    talk.say(other, Ping{i});
    EXPECT_THAT(talk.hear(other), SizeIs(1));  // it reads, and does not notice
  }
  for (uint64_t i = 0; i < 60 && talk.closing(slow).empty(); ++i) talk.say(slow, Ping{i});
  EXPECT_EQ(talk.closing(slow), "limit: queued_total");
}

// Sessions that each call the next and whose queues have no room for one more answer: when the last goes,
// all go, however many they are.
TEST(RelayLimits, AChainOfFullQueues) {
  constexpr size_t length = 20'000, room = 200;
  CoreTalk talk(
      with({.sessions = length, .sessions_per_address = length, .queued_bytes = 0, .queued_control_bytes = room}));
  const auto procedure = [](size_t i) { return "p" + std::to_string(i); };
  std::vector<SessionId> chain;
  for (size_t i = 0; i < length; ++i) {
    chain.push_back(talk.join("n" + std::to_string(i)));
    talk.say(chain.back(), Advertise{procedure(i)});
  }
  const size_t pong = encode(Pong{1}).size();
  for (size_t i = 0; i + 1 < length; ++i) {
    size_t queued = i == 0 ? 0 : encode(Call{i, procedure(i), nullptr}).size();
    talk.say(chain[i], Call{1, procedure(i + 1), nullptr});
    for (; queued + pong <= room; queued += pong) talk.say(chain[i], Ping{1});
    ASSERT_EQ(talk.closing(chain[i]), "");
  }
  talk.core.on_gone(talk.now, chain.back(), "idle");
  for (size_t i = 0; i + 1 < length; ++i) ASSERT_EQ(talk.closing(chain[i]), "limit: queued_control_bytes");
  EXPECT_EQ(talk.core.stats().calls, 0u);
}

}  // namespace
}  // namespace distlab::mesh
