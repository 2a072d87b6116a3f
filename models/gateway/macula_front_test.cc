// The agent protocol as real/beam/README.md has it, spoken by a stand-in for the BEAM.
#include "models/gateway/macula_front.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/dist/framing.h"
#include "models/etf/codec.h"
#include "models/gateway/testing/plain_carrier.h"
#include "models/host/test_host.h"
#include "models/host/testing/peer.h"

namespace distlab::gateway {
namespace {

using namespace std::chrono_literals;
using conformance::bytes_of;
using conformance::Peer;
using etf::atom;
using etf::binary;
using etf::Term;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint8_t> framed(const Term& term) {
  return dist::framed(etf::encode(term), dist::HeaderSize::two);
}

// One connection of the BEAM to its agent.
struct Line : Peer {
  Line(TestHost& host, Endpoint agent) { stream = host.connect_tcp(agent, *this); }
  void say(const Term& term) { stream->write(framed(term)); }
  // What the agent has said, as terms; what is no frame stays in `data`.
  std::vector<std::string> heard() {
    std::vector<std::string> out;
    dist::FrameDecoder frames(dist::HeaderSize::two);
    frames.feed(data);
    while (const auto frame = frames.next()) {
      const auto term = etf::decode(frame->bytes);
      out.push_back(term ? term->term.to_string() : "?");
    }
    return out;
  }
};

// A machine with an agent; the carrier is plain TCP between machines.
struct Machine : MaculaMesh {
  Machine(TestWorld& world, const std::string& letter, uint32_t number, MaculaFrontSettings settings = {})
      : host(world.add_host(letter, Ipv4{0x0a000000 + number}, {"host" + letter + ".test"})),
        front(host, *this, settings) {}

  tl::expected<carrier::Carrier*, std::string> join(const JoinRequest& request) override {
    if (refusal) return tl::unexpected(*refusal);
    joined.push_back(request.node + " " + request.cookie + " " + request.realm);
    carrier = std::make_unique<gateway::testing::PlainCarrier>(host);
    return carrier.get();
  }
  void leave() override {
    ++left;
    carrier.reset();
  }
  void set_cookie(const std::string& peer, const std::string& cookie) override {
    cookies.push_back(peer + " " + cookie);
  }
  std::vector<TunnelLine> tunnels() override { return lines; }
  std::string relay() override { return relay_name; }

  TestHost& host;
  std::optional<std::string> refusal;
  std::string relay_name = "berlin";
  std::vector<TunnelLine> lines{
      {.id = "t1", .peer = "b@hostb.test", .state = "running", .direction = "out", .bytes_in = 7}};
  std::vector<std::string> joined, cookies;
  int left = 0;
  std::unique_ptr<gateway::testing::PlainCarrier> carrier;
  MaculaFront front;
};

Term join_of(const std::string& letter) {
  return etf::tuple(atom("join"), etf::map({{atom("version"), Term(1)},
                                            {atom("node"), binary(letter + "@host" + letter + ".test")},
                                            {atom("cookie"), binary("c")},
                                            {atom("realm"), binary("r")}}));
}

class MaculaFrontTest : public ::testing::Test {
 protected:
  std::unique_ptr<Line> line(Machine& of) { return std::make_unique<Line>(of.host, of.front.local()); }
  std::unique_ptr<Line> joined(Machine& of, const std::string& letter) {
    auto out = line(of);
    out->say(join_of(letter));
    world_.run_for(1s);
    return out;
  }
  // What the agent answers to this on a connection of its own, and whether it hangs up.
  std::pair<std::vector<std::string>, bool> answer(Machine& of, const Term& term) {
    const auto asking = line(of);
    asking->say(term);
    world_.run_for(1s);
    return {asking->heard(), asking->closed.has_value()};
  }

  TestWorld world_;
  Machine a_{world_, "a", 1}, b_{world_, "b", 2};
};

// The whole way: both join, one dials, the other is told and fetches the tunnel, and bytes pass both ways, also those
// written before the tunnel was there.
TEST_F(MaculaFrontTest, CarriesAConnectionFromOneBeamToAnother) {
  const auto control_a = joined(a_, "a"), control_b = joined(b_, "b");
  EXPECT_THAT(control_a->heard(), ElementsAre("ok"));
  EXPECT_THAT(a_.joined, ElementsAre("a@hosta.test c r"));
  const auto dialling = line(a_);
  dialling->say(etf::tuple(atom("dial"), binary("b@hostb.test"), binary("secret")));
  dialling->stream->write(bytes_of("early "));
  world_.run_for(1s);
  EXPECT_THAT(a_.cookies, ElementsAre("b@hostb.test secret"));
  ASSERT_THAT(dialling->heard(), ElementsAre("ok"));
  ASSERT_THAT(control_b->heard(), ElementsAre("ok", ::testing::StartsWith("{incoming,")));
  const std::string incoming = control_b->heard().back();
  const auto fetching = line(b_);
  fetching->say(etf::tuple(atom("attach"), Term(std::stoll(incoming.substr(incoming.find(',') + 1)))));
  world_.run_for(1s);
  dialling->data.clear();
  dialling->stream->write(bytes_of("name"));
  fetching->stream->write(bytes_of("status"));
  world_.run_for(1s);
  EXPECT_EQ(fetching->text().substr(framed(atom("ok")).size()), "early name");
  EXPECT_EQ(dialling->text(), "status");
  EXPECT_EQ(a_.front.connections(), 1u);
}

// Every dial that cannot succeed is answered with its reason, and the connection ends.
TEST_F(MaculaFrontTest, SaysWhyADialFails) {
  const auto dial = etf::tuple(atom("dial"), binary("nobody@nowhere.test"), binary("c"));
  EXPECT_EQ(answer(a_, dial).first, std::vector<std::string>{"{error,<<\"not joined\">>}"});
  const auto control = joined(a_, "a");
  const auto [said, closed] = answer(a_, dial);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said.front(), ::testing::HasSubstr("nxdomain"));
  EXPECT_TRUE(closed);
  EXPECT_THAT(answer(a_, etf::tuple(atom("attach"), Term(99))).first, ElementsAre("{error,<<\"no such tunnel\">>}"));
}

// With a wait, a join is answered when there is a relay, or when the time is over.
TEST_F(MaculaFrontTest, AnswersAJoinWhenThereIsARelay) {
  Machine patient(world_, "c", 3, {.wait_for_relay = 10s});
  patient.relay_name.clear();
  const auto control = joined(patient, "c");
  world_.run_for(1s);
  EXPECT_THAT(control->heard(), IsEmpty());
  patient.relay_name = "berlin";
  world_.run_for(1s);
  EXPECT_THAT(control->heard(), ElementsAre("ok"));
  Machine hopeless(world_, "d", 4, {.wait_for_relay = 10s});
  hopeless.relay_name.clear();
  const auto waiting = joined(hopeless, "d");
  world_.run_for(8s);
  EXPECT_THAT(waiting->heard(), IsEmpty());
  world_.run_for(2s);
  EXPECT_THAT(waiting->heard(), ElementsAre("ok"));
}

// A tunnel that a peer opens while the join still waits for its answer is announced behind the answer.
TEST_F(MaculaFrontTest, AnswersAJoinBeforeItAnnouncesTunnels) {
  Machine patient(world_, "c", 3, {.wait_for_relay = 10s});
  patient.relay_name.clear();
  const auto control = joined(patient, "c"), control_a = joined(a_, "a");
  const auto dialling = line(a_);
  dialling->say(etf::tuple(atom("dial"), binary("c@hostc.test"), binary("c")));
  world_.run_for(1s);
  EXPECT_THAT(control->heard(), IsEmpty());
  patient.relay_name = "berlin";
  world_.run_for(1s);
  EXPECT_THAT(control->heard(), ElementsAre("ok", ::testing::StartsWith("{incoming,")));
}

// What cannot be joined is refused with the reason, and a second node by the same agent, too.
TEST_F(MaculaFrontTest, SaysWhyItRefusesToJoin) {
  EXPECT_THAT(answer(a_, etf::tuple(atom("join"), etf::map({}))).first,
              ElementsAre("{error,<<\"this agent speaks version 1 of the agent protocol\">>}"));
  a_.refusal = "no relays are given";
  EXPECT_THAT(answer(a_, join_of("a")).first, ElementsAre("{error,<<\"no relays are given\">>}"));
  a_.refusal.reset();
  const auto control = joined(a_, "a");
  EXPECT_THAT(answer(a_, join_of("a")).first, ElementsAre("{error,<<\"this agent serves a node already\">>}"));
  EXPECT_THAT(a_.joined, ::testing::SizeIs(1));
}

// The BEAM's end is the end of its membership, of its tunnels, and of nothing else: it can join again.
TEST_F(MaculaFrontTest, LeavesWhenTheBeamIsGone) {
  auto control_a = joined(a_, "a");
  const auto control_b = joined(b_, "b");
  const auto dialling = line(a_);
  dialling->say(etf::tuple(atom("dial"), binary("b@hostb.test"), binary("c")));
  world_.run_for(1s);
  control_a->stream->abort();
  world_.run_for(1s);
  EXPECT_EQ(a_.left, 1);
  EXPECT_FALSE(a_.front.joined());
  EXPECT_TRUE(dialling->closed.has_value());
  EXPECT_THAT(joined(a_, "a")->heard(), ElementsAre("ok"));
}

// A tunnel that is not fetched in time is closed, so that the peer does not wait for ever.
TEST_F(MaculaFrontTest, DropsATunnelThatIsNotFetched) {
  const auto control_a = joined(a_, "a"), control_b = joined(b_, "b");
  const auto dialling = line(a_);
  dialling->say(etf::tuple(atom("dial"), binary("b@hostb.test"), binary("c")));
  world_.run_for(29s);
  EXPECT_FALSE(dialling->closed);
  world_.run_for(3s);
  EXPECT_EQ(dialling->closed, NetError::closed);
}

// Questions on the control connection are answered in their order.
TEST_F(MaculaFrontTest, TellsOfTunnelsAndOfTheRelay) {
  const auto control = joined(a_, "a");
  control->say(etf::tuple(atom("metrics"), Term(5)));
  control->say(etf::tuple(atom("status"), Term(6)));
  world_.run_for(1s);
  EXPECT_THAT(
      control->heard(),
      ElementsAre("ok", ::testing::AllOf(::testing::StartsWith("{metrics,5,"), ::testing::HasSubstr("bytes_in => 7")),
                  "{status,6,#{connected => true,relay => <<\"berlin\">>}}"));
}

// A node whose own cookie changes says so.
TEST_F(MaculaFrontTest, HearsOfANewCookie) {
  const auto control = joined(a_, "a");
  control->say(etf::tuple(atom("cookie"), binary("other")));
  world_.run_for(1s);
  EXPECT_THAT(a_.cookies, ElementsAre(" other"));
  EXPECT_FALSE(control->closed);
  control->say(etf::tuple(atom("cookie"), atom("none")));
  world_.run_for(1s);
  EXPECT_TRUE(control->closed) << "a cookie is a binary";
}

// More tunnels than a frame or a send buffer holds are told of in parts, and nobody is hung up on for asking.
TEST_F(MaculaFrontTest, TellsOfManyTunnelsInParts) {
  a_.lines.assign(5000, {.id = "t", .peer = "b@hostb.test", .state = "running", .direction = "out"});
  const auto control = joined(a_, "a");
  control->say(etf::tuple(atom("metrics"), Term(5)));
  world_.run_for(10s);
  const std::vector<std::string> heard = control->heard();
  ASSERT_EQ(heard.size(), 1u + 50u);
  EXPECT_FALSE(control->closed);
  EXPECT_GT(control->data.size(), size_t{512} * 1024) << "this would fit into the buffers";
}

// Whatever is not of the protocol, and whoever says nothing, is hung up on; the BEAM that has joined is not disturbed.
TEST_F(MaculaFrontTest, HangsUpOnStrangers) {
  const auto control = joined(a_, "a");
  const auto silent = line(a_), garbage = line(a_);
  garbage->stream->write(bytes_of(std::string("\x00\x03GET / HTTP/1.0\r\n\r\n", 20)));
  world_.run_for(9s);
  EXPECT_TRUE(garbage->closed);
  EXPECT_FALSE(silent->closed);
  world_.run_for(3s);
  EXPECT_TRUE(silent->closed);
  EXPECT_FALSE(control->closed);
  EXPECT_EQ(a_.left, 0);
}

// Each field of a join of another type is named.
TEST_F(MaculaFrontTest, NamesWhatIsWrongWithAJoin) {
  const auto with = [](const char* key, Term value) {
    return etf::map({{atom("version"), Term(1)}, {atom("node"), binary("a@b")}, {atom(key), std::move(value)}});
  };
  EXPECT_EQ(parse_join(with("realm", Term(1))).error(), "realm is no binary");
  EXPECT_EQ(parse_join(with("node", binary("a"))).error(), "no node name");
  EXPECT_EQ(parse_join(with("tls_verify", atom("maybe"))).error(), "tls_verify is none or peer");
  EXPECT_EQ(parse_join(with("relays", binary("x"))).error(), "relays: at most 64");
  EXPECT_EQ(parse_join(with("relays", etf::list({Term(1)}))).error(), "relays is a list of binaries");
  EXPECT_EQ(parse_join(with("tls_verify", atom("peer")))->verify, true);
}

}  // namespace
}  // namespace distlab::gateway
