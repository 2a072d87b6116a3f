// The actor's end of the probe protocol, against bytes as a probe writes them and against bytes that no probe writes.
#include "real/beam/probe_link.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/etf/codec.h"
#include "models/host/test_host.h"
#include "models/host/testing/peer.h"
#include "real/beam/erl_process.h"
#include "real/beam/probe_plan.h"
#include "scenarios/testing/load.h"

namespace distlab::beam {
namespace {

using namespace std::chrono_literals;
using conformance::Peer;
using etf::atom;
using etf::binary;
using etf::Term;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<uint8_t> framed(const Term& term) {
  return dist::framed(etf::encode(term), dist::HeaderSize::four);
}

Term hello(int version = 1) {
  return etf::tuple(atom("hello"), etf::map({{atom("version"), Term(version)},
                                             {atom("node"), binary("a@b.c")},
                                             {atom("otp"), binary("25")},
                                             {atom("pid"), binary("77")}}));
}

Term event(int64_t time, Term fields) {
  return etf::tuple(Term(time), binary("call_done"), binary("a->b"), std::move(fields));
}

class ProbeLinkTest : public ::testing::Test {
 protected:
  ProbeLinkTest() { probe_.stream = host_.connect_tcp(link_.local(), probe_); }
  void say(const Term& term) {
    probe_.stream->write(framed(term));
    world_.run_for(1s);
  }

  TestWorld world_;
  TestHost& host_ = world_.add_host("a", Ipv4{0x0a000001});
  std::vector<std::string> told_;
  ProbeLink link_{host_,
                  {.hello = [this](const ProbeHello& said) { told_.push_back("hello " + said.node + " " + said.otp); },
                   .ready = [this] { told_.emplace_back("ready"); },
                   .event =
                       [this](const ProbeEvent& event) {
                         const Event view = event.view();
                         told_.push_back(std::to_string(event.time_ns) + " " + std::string(view.kind) + " " +
                                         view.subject + " " + std::string(view.fields.at(0).key));
                       },
                   .cookie = [this](const ProbeCookie& set) { told_.push_back(set.peer + "=" + set.cookie); },
                   .finished = [this] { told_.emplace_back("finished"); },
                   .broken = [this](const std::string& why) { told_.push_back("broken: " + why); }}};
  Peer probe_;
};

// A probe's whole life: each message has its effect, in order, and the end after `finished` is no news.
TEST_F(ProbeLinkTest, TakesWhatAProbeSays) {
  say(hello());
  say(atom("ready"));
  say(etf::tuple(atom("events"), etf::list({event(5, etf::list({etf::tuple(binary("result"), binary("ok"))})),
                                            event(7, etf::list({etf::tuple(binary("elapsed_ns"), Term(3))}))})));
  say(etf::tuple(atom("cookie"), binary(""), binary("new")));
  say(atom("finished"));
  probe_.stream->close();
  world_.run_for(1s);
  EXPECT_THAT(told_, ElementsAre("hello a@b.c 25", "ready", "5 call_done a->b result", "7 call_done a->b elapsed_ns",
                                 "=new", "finished"));
}

// Whatever is not of the protocol ends the link, once, with a line that says what it was.
TEST_F(ProbeLinkTest, SaysWhatIsWrong) {
  for (const Term& wrong :
       {hello(2), atom("hi"), etf::tuple(atom("events"), Term(1)), etf::tuple(atom("events"), etf::list({Term(1)})),
        etf::tuple(atom("events"), etf::list({event(1, Term(1))})),
        etf::tuple(atom("events"), etf::list({event(1, etf::list({etf::tuple(atom("no text"), Term(1))}))}))})
    EXPECT_FALSE(decode_probe(etf::encode(wrong))) << wrong.to_string();
  EXPECT_FALSE(decode_probe({}));
  say(atom("hi"));
  say(atom("ready"));
  EXPECT_THAT(told_, ElementsAre("broken: the probe: not of the probe protocol: hi"));
}

// A frame that says it is larger than any may be ends the link before anything is kept.
TEST_F(ProbeLinkTest, EndsALinkThatClaimsTooMuch) {
  const std::vector<uint8_t> claim{0x7f, 0xff, 0xff, 0xff, 1};
  probe_.stream->write(claim);
  world_.run_for(1s);
  EXPECT_THAT(told_, ElementsAre("broken: the probe sends more than it may"));
}

// A probe that is gone before its time is noticed.
TEST_F(ProbeLinkTest, NoticesThatTheProbeIsGone) {
  say(hello());
  probe_.stream->abort();
  world_.run_for(1s);
  EXPECT_THAT(told_, Contains(HasSubstr("broken: the probe has closed its connection")));
}

constexpr const char* two_beams = R"(name: x
duration: 9s
sites: { s: {} }
relays: { r: { site: s } }
node_defaults: { site: s, carrier: relay, relays: [r], cookie: "se cret", net_ticktime: 8s, net_setuptime: 2500ms }
nodes:
  a: { name: a@a.example, implementation: macula, cookies: { b: other }, hidden: true, connect_all: false }
  b: { name: b@b.example, implementation: beam, dist_buf_busy_limit: 64KiB, listen_port: 9101 }
workload:
  - { from: 1s, to: 4s, call: a -> b, rate: 4/s, payload: 9B, timeout: infinity, arrival: poisson }
  - { at: 2s, eval: a, code: "ok." }
)";

// The plan has the workload in nanoseconds and whom to join; a probe that reads it needs nothing else.
TEST(ProbePlan, SaysWhatToDo) {
  const scenario::Scenario loaded = scenario::load_one(two_beams);
  const std::string plan = probe_plan(loaded, "a", loaded.workload, 5s, {"tick"}).to_string(5000);
  for (const char* part :
       {"origin => 5000000000", "quiet => [<<\"tick\">>]", "cookies => [{<<\"b@b.example\">>,<<\"other\">>}]",
        "peers => [<<\"b@b.example\">>]", "arrival => poisson", "at => 1000000000", "until => 4000000000",
        "period => 250000000", "payload => 9", "timeout => infinity", "to => <<\"b@b.example\">>", "kind => eval",
        "code => <<\"ok.\">>", "timeout => 60000000000", "relays => [<<\"quic://"})
    EXPECT_THAT(plan, HasSubstr(part));
  EXPECT_THAT(probe_plan(loaded, "b", {}, 5s, {}).to_string(5000), HasSubstr("join => undefined"));
}

// What the scenario says of a node is what its erl is told, and a cookie with a blank stays one word.
TEST(ErlCommand, SaysWhatTheScenarioSays) {
  const scenario::Scenario loaded = scenario::load_one(two_beams);
  const ErlCommand a = erl_command(loaded.nodes.at("a"), {.applications = "/apps",
                                                          .probe = {loopback_address, 7},
                                                          .standby = {loopback_address, 6},
                                                          .inetrc = "",
                                                          .agent = {loopback_address, 8}});
  EXPECT_THAT(a.arguments, ::testing::IsSupersetOf({"se cret", "macula", "-no_epmd", "-hidden", "-connect_all",
                                                    "/apps/macula/ebin", "2.500000", "8"}));
  EXPECT_THAT(a.environment, ::testing::IsSupersetOf({"DISTLAB_PROBE=127.0.0.1:7", "DISTLAB_AGENT=127.0.0.1:8"}));
  const ErlCommand b = erl_command(loaded.nodes.at("b"), {.applications = "/apps",
                                                          .probe = {loopback_address, 7},
                                                          .standby = {loopback_address, 6},
                                                          .inetrc = "x",
                                                          .epmd_port = 4370,
                                                          .agent = {},
                                                          .loopback_only = true});
  EXPECT_THAT(b.arguments, ::testing::IsSupersetOf({"+zdbbl", "64", "9101", "{127,0,0,1}"}));
  EXPECT_THAT(b.arguments, Not(Contains("-no_epmd")));
  EXPECT_THAT(b.environment, ::testing::IsSupersetOf({"ERL_EPMD_PORT=4370", "ERL_INETRC=/proc/self/fd/3"}));
}

}  // namespace
}  // namespace distlab::beam
