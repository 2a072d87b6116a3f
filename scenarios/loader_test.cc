// What the loader makes of good files. What it says about bad ones is in loader_errors_test.cc.
#include "scenarios/loader.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/shape.h"
#include "scenarios/testing/load.h"

namespace distlab::scenario {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

// Defaults are those the reference names.
TEST(Loader, FillsInDefaults) {
  const Scenario scenario = load_one(small_scenario);
  const Node& alice = scenario.nodes.at("alice");
  EXPECT_EQ(alice.name, "alice@alice.example");
  EXPECT_EQ(alice.host(), "alice.example");
  EXPECT_EQ(alice.cookie, "distlab");
  EXPECT_EQ(alice.net_ticktime, 60s);
  EXPECT_EQ(alice.net_tickintensity, 4U);
  EXPECT_EQ(alice.net_setuptime, 7s);
  EXPECT_EQ(alice.dist_buf_busy_limit, 1024U * 1024);
  EXPECT_TRUE(alice.prevent_overlapping_partitions && alice.connect_all && alice.autostart);
  EXPECT_EQ(alice.start, (TimeRange{0s, 0s}));
  EXPECT_EQ(alice.boot, (TimeRange{140ms, 210ms}));
  EXPECT_EQ(scenario.sites.at("home").lan.delay, 50us);
  EXPECT_EQ(scenario.sites.at("home").uplink, LinkProperties{});
}

// Each node parameter arrives where it belongs.
TEST(Loader, ReadsNodes) {
  const Scenario scenario = load_one(R"(
name: nodes
duration: 10s
sites: { home: { lan: { rate: 1Gbit/s } }, office: {} }
node_defaults: { site: home, cookie: all, flags: { remove: [FRAGMENTS] } }
nodes:
  alice: { name: a@one.example, cookie: mine, cookies: { bob: his }, epmd_port: 4370, listen_port: 9100,
           net_ticktime: 8s, net_tickintensity: 10, net_setuptime: 2s, connect_all: false,
           prevent_overlapping_partitions: false, dist_buf_busy_limit: 64KiB, hidden: true,
           flags: { remove: [SPAWN, ALIAS] }, start: 1s..2s, boot: 5ms, autostart: false }
  bob: { name: b@one.example }
  carol: { site: office }
)");
  const Node& alice = scenario.nodes.at("alice");
  EXPECT_EQ(alice.site, "home");
  EXPECT_EQ(alice.host(), "one.example");
  EXPECT_EQ(alice.cookie, "mine");
  EXPECT_THAT(alice.cookies, ElementsAre(Pair("bob", "his")));
  EXPECT_EQ(alice.epmd_port, 4370);
  EXPECT_EQ(alice.listen_port, 9100);
  EXPECT_EQ(alice.net_ticktime, 8s);
  EXPECT_EQ(alice.implementation, Implementation::native);
  EXPECT_EQ(alice.net_tickintensity, 10U);
  EXPECT_EQ(alice.net_setuptime, 2s);
  EXPECT_FALSE(alice.connect_all || alice.prevent_overlapping_partitions || alice.autostart);
  EXPECT_EQ(alice.dist_buf_busy_limit, 65536U);
  EXPECT_TRUE(alice.hidden);
  EXPECT_THAT(alice.removed_flags, ElementsAre("SPAWN", "ALIAS"));
  EXPECT_EQ(alice.start, (TimeRange{1s, 2s}));
  EXPECT_EQ(alice.boot, (TimeRange{5ms, 5ms}));
  EXPECT_EQ(scenario.nodes.at("bob").cookie, "all");
  EXPECT_THAT(scenario.nodes.at("bob").removed_flags, ElementsAre("FRAGMENTS"));
  EXPECT_EQ(scenario.nodes.at("carol").site, "office");
  EXPECT_EQ(scenario.sites.at("home").lan.rate_bps, 1'000'000'000U);
  EXPECT_EQ(scenario.sites.at("home").lan.delay, 50us);
}

// A path is both directions, unless one is given apart; what it leaves out is the default path's.
TEST(Loader, ReadsPaths) {
  const Scenario scenario = load_one(R"(
name: paths
duration: 10s
sites: { a: {}, b: {}, c: {} }
default_path: { delay: 10ms, jitter: 1ms, loss: 1% }
paths:
  b -> a: { delay: 30ms }
  a-b: { delay: 20ms, rate: 1Mbit/s, duplicate: 0.1, reorder: 2%, queue: 7 }
nodes: { x: { site: a } }
)");
  EXPECT_EQ(scenario.default_path.delay, 10ms);
  std::map<std::string, LinkProperties> paths;
  for (const Path& path : scenario.paths) paths[path.from + path.to] = path.properties;
  ASSERT_EQ(paths.size(), 2U);
  const LinkProperties there{20ms, 1ms, 0.01, 1'000'000, 7, 0.1, 0.02}, back{30ms, 1ms, 0.01, 0, 1000, 0, 0};
  EXPECT_EQ(paths["ab"], there);
  EXPECT_EQ(paths["ba"], back);
}

// Templates make numbered sites and nodes; a name written out refines the one that is made.
TEST(Loader, ExpandsTemplates) {
  const Scenario scenario = load_one(R"(
name: templates
duration: 10s
sites: { "s{i}": { count: 12, uplink: { delay: 5ms } } }
nodes:
  "n{i}": { count: 12, site: "s{i}", name: "n{i:03}@h{i}.example", cookies: { "n{i}": "c{i}" } }
  n7: { cookie: other }
pcap: [n1, "n1*"]
)");
  EXPECT_EQ(scenario.sites.size(), 12U);
  EXPECT_EQ(scenario.nodes.size(), 12U);
  EXPECT_EQ(scenario.nodes.at("n7").name, "n007@h7.example");
  EXPECT_EQ(scenario.nodes.at("n7").site, "s7");
  EXPECT_EQ(scenario.nodes.at("n7").cookie, "other");
  EXPECT_EQ(scenario.nodes.at("n12").cookies.at("n12"), "c12");
  EXPECT_THAT(scenario.pcap, ElementsAre("n1", "n10", "n11", "n12"));
}

// Who plays a node, and what only a BEAM does.
TEST(Loader, ReadsBeamNodes) {
  const Scenario scenario = load_one(R"(name: x
duration: 10s
sites: { s: {} }
relays: { r: { site: s } }
node_defaults: { site: s, carrier: relay, relays: [r] }
nodes: { a: { implementation: beam }, b: { implementation: macula }, c: {} }
workload:
  - { at: 1s, eval: [a, b], code: "mnesia:start().", timeout: 9s }
  - { at: 2s, eval: a, code: "ok" }
)");
  EXPECT_EQ(scenario.nodes.at("a").implementation, Implementation::beam);
  EXPECT_EQ(scenario.nodes.at("b").implementation, Implementation::macula);
  EXPECT_EQ(scenario.nodes.at("c").implementation, Implementation::native);
  ASSERT_EQ(scenario.workload.size(), 3U);
  EXPECT_EQ(scenario.workload[1].from, "b");
  EXPECT_EQ(scenario.workload[1].code, "mnesia:start().");
  EXPECT_EQ(scenario.workload[1].timeout, 9s);
  EXPECT_EQ(scenario.workload[2].timeout, 60s);
}

// An action's time, repetition and parameters arrive; pairs, meshes and lists become single actions.
TEST(Loader, ReadsWorkload) {
  const Scenario scenario = load_one(three_nodes + R"(
workload:
  - { at: 1s..2s, connect: a -> b }
  - { from: 5s, to: 9s, call: a -> *, rate: 10/s, payload: 256B, timeout: 2s, arrival: poisson }
  - { from: 5s, send: b <-> c, every: 3s }
  - { at: 1s, connect: [a, b, c] }
  - { at: 1s, rpc: [a, b], timeout: infinity }
  - { at: 1s, bulk: a -> b, size: 4MB, count: 2 }
  - { at: 1s, pg_join: ["*"], group: workers }
  - { at: 1s, set_cookie: a, cookie: x }
  - { at: 1s, set_cookie: a -> b, cookie: y }
)" + "\n");
  std::map<size_t, std::vector<std::string>> pairs;
  std::map<size_t, Action> first;
  for (const Action& action : scenario.workload) {
    pairs[action.entry].push_back(action.from + action.to);
    first.emplace(action.entry, action);
  }
  EXPECT_THAT(pairs[0], ElementsAre("ab"));
  EXPECT_THAT(pairs[1], ElementsAre("ab", "ac"));
  EXPECT_THAT(pairs[2], ElementsAre("bc", "cb"));
  EXPECT_THAT(pairs[3], ElementsAre("ab", "ac", "bc"));  // one side dials
  EXPECT_THAT(pairs[4], ElementsAre("ab", "ba"));
  EXPECT_THAT(pairs[5], ElementsAre("ab", "ab"));
  EXPECT_THAT(pairs[6], ElementsAre("a", "b", "c"));
  EXPECT_THAT(pairs[7], ElementsAre("a"));
  EXPECT_THAT(pairs[8], ElementsAre("ab"));
  EXPECT_EQ(first[0].at, (TimeRange{1s, 2s}));
  EXPECT_FALSE(first[0].period);
  EXPECT_EQ(first[1].kind, ActionKind::call);
  EXPECT_EQ(first[1].until, 9s);
  EXPECT_EQ(first[1].period, 100ms);
  EXPECT_EQ(first[1].payload, 256U);
  EXPECT_EQ(first[1].timeout, 2s);
  EXPECT_EQ(first[1].arrival, Arrival::poisson);
  EXPECT_EQ(first[2].period, 3s);
  EXPECT_EQ(first[2].payload, 64U);
  EXPECT_FALSE(first[4].timeout);
  EXPECT_EQ(first[5].payload, 4'000'000U);
  EXPECT_FALSE(first[5].timeout);
  EXPECT_EQ(first[6].group, "workers");
  EXPECT_EQ(first[8].cookie, "y");
}

// Rings and random peers stay groups until a seed is known.
TEST(Loader, KeepsGroups) {
  const Scenario scenario = load_one(three_nodes + R"(
workload:
  - { at: 1s, connect: { ring: "*" } }
  - { at: 1s, connect: { all_peers: [{ ring: [a, b] }, { random_peers: { nodes: "*", count: 2 } }] } }
  - { at: 1s, connect: { one_peer: [{ ring: "*" }] } }
)" + "\n");
  EXPECT_TRUE(scenario.workload.empty());
  ASSERT_EQ(scenario.group_workload.size(), 3U);
  EXPECT_THAT(scenario.group_workload[0].peers[0].nodes, ElementsAre("a", "b", "c"));
  EXPECT_TRUE(scenario.group_workload[0].all_peers);
  EXPECT_EQ(scenario.group_workload[1].peers[1].shape, PeerGroup::Shape::random_peers);
  EXPECT_EQ(scenario.group_workload[1].peers[1].count, 2U);
  EXPECT_FALSE(scenario.group_workload[2].all_peers);
}

// Faults know their kind, target, direction, value and end.
TEST(Loader, ReadsFaults) {
  const Scenario scenario = load_one(three_nodes + R"(
faults:
  - { at: 1s..2s, kill: a, for: 3s..4s }
  - { at: 1s, id: cut, down: sa }
  - { at: 1s, black_hole: a, direction: out }
  - { at: 1s, hold: sa-sb }
  - { at: 1s, delay: sb -> sa, to: 300ms }
  - { at: 1s, loss: sa-sb, to: 30%, direction: in }
  - { at: 1s, rate: sc, to: 1Mbit/s }
  - { at: 1s, one_way: a -> b }
  - { at: 1s, partition: [[a], [sb, c]], for: 2s }
  - { at: 9s, heal: true }
)" + "\n");
  const auto& faults = scenario.faults;
  ASSERT_EQ(faults.size(), 10U);
  EXPECT_EQ(faults[0].process, "a");
  EXPECT_EQ(faults[0].id, "kill-1");
  EXPECT_EQ(faults[0].lasts, (TimeRange{3s, 4s}));
  EXPECT_EQ(faults[1].id, "cut");
  EXPECT_EQ(faults[1].link->kind, LinkKind::uplink);
  EXPECT_EQ(faults[1].subject(), "sa");
  EXPECT_EQ(faults[2].link->kind, LinkKind::access);
  EXPECT_EQ(faults[2].subject(), "a (out)");
  EXPECT_EQ(faults[3].subject(), "sa-sb");
  EXPECT_EQ(faults[4].duration_value, 300ms);
  EXPECT_EQ(faults[4].subject(), "sb -> sa");
  EXPECT_DOUBLE_EQ(faults[5].ratio_value, 0.3);
  EXPECT_EQ(faults[5].subject(), "sb -> sa");
  EXPECT_EQ(faults[6].rate_value, 1'000'000U);
  EXPECT_EQ(faults[7].kind, FaultKind::black_hole);
  EXPECT_EQ(faults[7].subject(), "sa -> sb");
  EXPECT_THAT(faults[8].groups, ElementsAre(ElementsAre("sa"), ElementsAre("sb", "sc")));
  EXPECT_EQ(faults[8].subject(), "sa|sb sc");
  EXPECT_EQ(faults[9].kind, FaultKind::heal);
}

// Relays, membership, and the constants a node or a relay sets, each in the type its name has.
TEST(Loader, ReadsRelays) {
  const Scenario scenario = load_one(R"(
name: relays
duration: 60s
sites: { s: {}, t: {} }
relay_defaults: { site: s, limits: { sessions: 7 } }
relays:
  berlin: { realms: [r1, r2], keeps_reset_key: true, certificate: expired, idle_timeout: 9s }
  "paris{i}": { count: 2, port: 5000 }
node_defaults: { site: t, carrier: relay, relays: [berlin, paris2] }
nodes:
  a: { realm: r1, identity: me, tls_verify: peer, preset: macula-3.13,
       tunnel: { dist_timeout: 3s, backpressure_hwm: 9, chunk_bytes: 1KiB, recv_timeout_fatal: true },
       mesh: { backoff_jitter: 10%, restart_after: infinity, on_farewell: die } }
  b: {}
faults:
  - { at: 1s, kill: berlin, for: 2s }
  - { at: 1s, shutdown: paris1 }
  - { at: 1s, wedge: berlin, for: 1s }
  - { at: 1s, kill_client: a, for: 5s }
  - { at: 1s, tunnel_message: a -> b, harm: swap, nth: 3 }
  - { at: 1s, down: berlin }
pcap: [berlin, a]
)");
  const Relay& berlin = scenario.relays.at("berlin");
  EXPECT_EQ(berlin.host, "berlin.relay.example");
  EXPECT_EQ(berlin.certificate, Certificate::expired);
  EXPECT_TRUE(berlin.keeps_reset_key);
  EXPECT_THAT(berlin.realms, ElementsAre("r1", "r2"));
  EXPECT_EQ(berlin.limits.at("sessions"), ParameterValue(int64_t{7}));
  EXPECT_EQ(berlin.parameters.at("idle_timeout"), ParameterValue(Duration{9s}));
  EXPECT_EQ(scenario.relays.at("paris2").port, 5000);
  const Membership& a = scenario.nodes.at("a").membership;
  EXPECT_THAT(a.relays, ElementsAre("berlin", "paris2"));
  EXPECT_EQ(a.preset, Preset::macula_3_13);
  EXPECT_EQ(a.tls_verify, TlsVerify::peer);
  EXPECT_EQ(a.tunnel, (Parameters{{"dist_timeout", Duration{3s}},
                                  {"backpressure_hwm", int64_t{9}},
                                  {"chunk_bytes", int64_t{1024}},
                                  {"recv_timeout_fatal", true}}));
  EXPECT_EQ(
      a.mesh,
      (Parameters{{"backoff_jitter", 0.1}, {"restart_after", Duration::max()}, {"on_farewell", std::string("die")}}));
  EXPECT_EQ(scenario.nodes.at("b").membership.identity, "b@b.example");
  const auto& faults = scenario.faults;
  EXPECT_EQ(faults[0].subject(), "berlin");
  EXPECT_EQ(faults[4].subject(), "a -> b");
  EXPECT_EQ(faults[4].message->harm, MessageHarm::swap);
  EXPECT_EQ(faults[5].link->kind, LinkKind::access);
  EXPECT_THAT(scenario.pcap, ElementsAre("berlin", "a"));
  std::vector<FaultKind> undone;
  for (const FaultStep& step : expand_faults(scenario, 1))
    if (step.undo) undone.push_back(step.kind);
  EXPECT_THAT(undone, ElementsAre(FaultKind::unwedge, FaultKind::start, FaultKind::start_client));
}

// A machine is in one place, whoever runs on it.
TEST(Loader, MachinesAreInOnePlace) {
  const auto errors = [](const std::string& site) {
    return errors_of(
        "name: x\nduration: 9s\nsites: { s: {}, t: {} }\nrelays: { r: { site: s, host: a.example } }\n"
        "nodes: { a: { site: " +
        site + " } }\n");
  };
  EXPECT_THAT(errors("s"), ElementsAre());
  EXPECT_THAT(errors("t"), ElementsAre(testing::HasSubstr("'r' and 'a' share the machine 'a.example'")));
}

// A fault that needs a relay, a mesh client or a tunnel says so where there is none.
TEST(Loader, FaultsNeedTheirTarget) {
  for (const auto& [fault, message] : std::vector<std::pair<std::string, std::string>>{
           {"shutdown: a", "unknown relay 'a'"},
           {"kill: ghost", "unknown node 'ghost'"},
           {"kill_client: a", "'a' has no mesh client: its carrier is not 'relay'"},
           {"tunnel_message: a -> b, harm: drop", "'a' has no tunnels: its carrier is not 'relay'"}}) {
    EXPECT_THAT(errors_of(three_nodes + "faults: [{ at: 1s, " + fault + " }]\n"),
                ElementsAre(testing::HasSubstr(message)));
  }
}

// Every expectation becomes what results evaluates; one with several conditions becomes several.
TEST(Loader, ReadsExpectations) {
  const Scenario scenario = load_one(three_nodes + R"(
faults: [{ at: 3s, id: cut, down: sa }]
expect:
  - connected: { between: [a, b], by: 2s, since: cut }
  - never: { node_down: ["*"], before: 3s }
  - { name: seen, eventually: { node_down: { at: a, peer: b, reason: disconnect }, since: cut, after: 1s } }
  - detection: { between: [a, b], within: [1s, 2s] }
  - lost_messages: { between: a -> b, equals: 0 }
  - reordered_messages: { count: "<= 3" }
  - wedged: { total: "< 5s" }
  - call_latency: { p50: "< 100ms", max: "<= 1.5s", outside: faults }
  - calls: { ok: ">= 99%", results: { noproc: 2 } }
  - event: { kind: log, at: a, fields: { level: error, elapsed_ns: "> 2s" } }
)" + "\n");
  const auto& expect = scenario.expect;
  ASSERT_EQ(expect.size(), 13U);
  const auto& connected = std::get<ExpectConnected>(expect[0].what);
  EXPECT_THAT(connected.between, ElementsAre("a", "b"));
  EXPECT_EQ(connected.by, 2s);
  EXPECT_EQ(connected.since, "cut");
  EXPECT_EQ(expect[0].name, "connected");
  EXPECT_EQ(expect[0].text, "connected: {between: [a, b], by: 2s, since: cut}");
  const auto& never = std::get<ExpectNodeEvent>(expect[1].what);
  EXPECT_TRUE(never.never);
  EXPECT_FALSE(never.event.up);
  EXPECT_THAT(never.event.between, ElementsAre("a", "b", "c"));
  EXPECT_EQ(never.window.before, 3s);
  const auto& seen = std::get<ExpectNodeEvent>(expect[2].what);
  EXPECT_EQ(expect[2].name, "seen");
  EXPECT_EQ(seen.event.at + seen.event.peer + seen.event.reason + seen.window.since, "abdisconnectcut");
  const auto &ab = std::get<ExpectDetection>(expect[3].what), &ba = std::get<ExpectDetection>(expect[4].what);
  EXPECT_EQ(ab.at + ab.peer + ba.at + ba.peer, "abba");
  EXPECT_EQ(ab.since, "cut");
  EXPECT_EQ(ab.reason, "net_tick_timeout");
  EXPECT_EQ(ab.high, 2s);
  const auto& lost = std::get<ExpectMetric>(expect[5].what);
  EXPECT_TRUE(lost.one_way);
  EXPECT_EQ(lost.condition.op, Compare::equal);
  EXPECT_EQ(std::get<ExpectMetric>(expect[6].what).condition.op, Compare::less_equal);
  EXPECT_DOUBLE_EQ(std::get<ExpectMetric>(expect[7].what).condition.value, 5);
  const auto &p50 = std::get<ExpectMetric>(expect[8].what), &max = std::get<ExpectMetric>(expect[9].what);
  EXPECT_DOUBLE_EQ(p50.quantile, 0.5);
  EXPECT_DOUBLE_EQ(p50.condition.value, 0.1);
  EXPECT_TRUE(p50.window.outside_faults);
  EXPECT_DOUBLE_EQ(max.condition.value, 1.5);
  EXPECT_EQ(expect[9].text, "call_latency: {max: <= 1.5s, outside: faults}");
  const auto &ok = std::get<ExpectMetric>(expect[10].what), &noproc = std::get<ExpectMetric>(expect[11].what);
  EXPECT_TRUE(ok.share);
  EXPECT_DOUBLE_EQ(ok.condition.value, 0.99);
  EXPECT_EQ(noproc.result, "noproc");
  EXPECT_FALSE(noproc.share);
  const auto& event = std::get<ExpectEvent>(expect[12].what);
  EXPECT_EQ(event.count.op, Compare::greater_equal);
  EXPECT_EQ(event.fields[0].second.operand, "error");
  EXPECT_DOUBLE_EQ(event.fields[1].second.value, 2);
}

// Included maps are merged, the including file wins, and places name the file they came from.
TEST(Loader, Includes) {
  const std::map<std::string, std::string> files{
      {"lib/sites.yaml", "include: [base.yaml]\nsites:\n  a: { uplink: { delay: 2ms } }\n"},
      {"lib/base.yaml", "sites:\n  a: { uplink: { delay: 1ms, loss: 1% } }\n  b: {}\nfaults: [{ at: 1s, down: a }]\n"}};
  const Scenario scenario =
      load_one("name: x\nduration: 9s\ninclude: lib/sites.yaml\nnodes: { n: { site: a } }\n", files);
  EXPECT_EQ(scenario.sites.at("a").uplink.delay, 2ms);
  EXPECT_DOUBLE_EQ(scenario.sites.at("a").uplink.loss, 0.01);
  EXPECT_EQ(scenario.sites.size(), 2U);
  EXPECT_EQ(scenario.faults[0].place.file, "lib/base.yaml");
  EXPECT_EQ(scenario.faults[0].place.line, 4);
}

// A sweep is the product of its lists, the first one changing slowest; zipped lists go together.
TEST(Loader, Sweeps) {
  const auto variants = load_all(three_nodes + R"(
sweep:
  nodes.a.net_ticktime: [4s, 8s]
  default_path.delay: [1ms, 2ms]
zip:
  nodes.b.cookie: [x, y]
  expect.0.connected.by: [1s, 2s]
expect: [{ connected: { between: [a, b], by: 1s } }]
)" + "\n");
  ASSERT_EQ(variants.size(), 8U);
  EXPECT_THAT(variants[0].labels, ElementsAre(Pair("nodes.a.net_ticktime", "4s"), Pair("default_path.delay", "1ms"),
                                              Pair("nodes.b.cookie", "x")));
  EXPECT_EQ(variants[1].scenario.nodes.at("b").cookie, "y");
  EXPECT_EQ(std::get<ExpectConnected>(variants[1].scenario.expect[0].what).by, 2s);
  EXPECT_EQ(variants[2].scenario.default_path.delay, 2ms);
  EXPECT_EQ(variants[7].scenario.nodes.at("a").net_ticktime, 8s);
  EXPECT_NE(variants[0].canonical, variants[1].canonical);
}

// Overrides set values by path, by pattern, by position and by id, and pin what a sweep would vary.
TEST(Loader, Overrides) {
  const auto variants = load_all(three_nodes + R"(
sweep: { duration: [10s, 20s], default_path.delay: [1ms, 2ms] }
faults: [{ at: 3s, id: cut, down: sa }]
workload: [{ at: 1s, connect: a -> b }]
)" + "\n",
                                 {},
                                 {{"duration", "30s"},
                                  {"nodes.*.cookie", "shared"},
                                  {"nodes.a.flags.remove", "[SPAWN]"},
                                  {"faults.cut.at", "5s"},
                                  {"workload.0.at", "2s"},
                                  {"paths.sa-sb", "{ delay: 7ms }"}});
  ASSERT_EQ(variants.size(), 2U);
  const Scenario& scenario = variants[0].scenario;
  EXPECT_EQ(scenario.duration, 30s);
  EXPECT_EQ(scenario.nodes.at("c").cookie, "shared");
  EXPECT_THAT(scenario.nodes.at("a").removed_flags, ElementsAre("SPAWN"));
  EXPECT_EQ(scenario.faults[0].at.low, 5s);
  EXPECT_EQ(scenario.workload[0].at.low, 2s);
  EXPECT_EQ(scenario.paths.size(), 2U);
  EXPECT_EQ(variants[0].labels.front(), (std::pair<std::string, std::string>("duration", "30s")));
}

// A node that a template makes can be set alone.
TEST(Loader, OverridesOneOfATemplate) {
  const std::string text = "name: t\nduration: 9s\nsites: { s: {} }\nnodes: { 'n{i}': { count: 3, site: s } }\n";
  const auto variants = load_all(text, {}, {{"nodes.n2.cookie", "odd"}, {"nodes.n{i}.count", "4"}});
  EXPECT_EQ(variants[0].scenario.nodes.size(), 4U);
  EXPECT_EQ(variants[0].scenario.nodes.at("n2").cookie, "odd");
  EXPECT_EQ(variants[0].scenario.nodes.at("n3").cookie, "distlab");
}

// The canonical text says all that was run: it loads to the same, and does not depend on how the file
// was cut into pieces or ordered.
TEST(Loader, CanonicalText) {
  const std::string whole = three_nodes + "faults: [{ id: 'x', down: sa, at: 1s }]\npcap: true\n";
  const auto first = load_all(whole);
  const auto again = load_all(first[0].canonical);
  EXPECT_EQ(again[0].canonical, first[0].canonical);
  EXPECT_EQ(again[0].scenario.faults[0].id, "x");
  const auto split =
      load_all("pcap: true\ninclude: rest.yaml\nfaults: [{ at: 1s, down: sa, id: x }]\n", {{"rest.yaml", three_nodes}});
  EXPECT_EQ(split[0].canonical, first[0].canonical);
}

// Anchors stand for what they name, with its places.
TEST(Loader, Aliases) {
  const Scenario scenario = load_one(
      "name: x\nduration: 9s\nsites: { a: &s { uplink: { delay: 3ms } }, b: *s }\nnodes: { n: { site: b } }\n");
  EXPECT_EQ(scenario.sites.at("b").uplink.delay, 3ms);
}

// PATH=VALUE splits at the first equals sign.
TEST(Loader, ParsesOverrides) {
  EXPECT_EQ(parse_override("a.b=c=d")->path, "a.b");
  EXPECT_EQ(parse_override("a.b=c=d")->value, "c=d");
  EXPECT_EQ(parse_override("a.b").error(), "expected PATH=VALUE, as in nodes.alice.net_ticktime=8s, not 'a.b'");
  EXPECT_FALSE(parse_override("=x"));
}

// A scenario that says nothing of margins has those the reference names.
TEST(Loader, DefaultMarginsAreThoseOfTheReference) {
  std::string spelled_out = small_scenario + "compare:\n";
  const Key* compare = find_key(resolved_shape(), "compare");
  ASSERT_NE(compare, nullptr);
  for (const Key& metric : compare->shape.keys) {
    spelled_out += "  " + metric.name + ":\n";
    for (const Key& key : metric.shape.keys)
      if (!key.fallback.empty()) spelled_out += "    " + key.name + ": " + key.fallback + "\n";
  }
  const Margins margins = load_one(small_scenario).compare, again = load_one(spelled_out).compare;
  EXPECT_EQ(margins.size(), compare->shape.keys.size());
  for (const auto& [metric, margin] : margins) {
    EXPECT_NE(find_key(compare->shape, to_string(metric)), nullptr) << to_string(metric);
    EXPECT_EQ(margin, again.at(metric)) << to_string(metric);
  }
}

// Who gives a ratio or a difference replaces both; what else is not said stays as it was.
TEST(Loader, ReadsMargins) {
  const Margins margins = load_one(small_scenario +
                                   "compare:\n"
                                   "  call_latency: { ratio: 1.5 }\n"
                                   "  detection_time: { difference: 300ms, outcomes: 25% }\n"
                                   "  goodput: { difference: 2Mbit/s }\n"
                                   "  lost_messages: { ratio: 2, difference: 7, distribution: 0.5 }\n"
                                   "  setup_time: { distribution: 5% }\n")
                              .compare;
  EXPECT_EQ(margins.at(Compared::call_latency), (Margin{1.5, std::nullopt, 0.2, 0.1}));
  EXPECT_EQ(margins.at(Compared::detection_time), (Margin{std::nullopt, 0.3, 0.2, 0.25}));
  EXPECT_EQ(margins.at(Compared::goodput), (Margin{std::nullopt, 2e6, 0.2, 0.1}));
  EXPECT_EQ(margins.at(Compared::lost_messages), (Margin{2, 7, 0.5, 0.1}));
  EXPECT_EQ(margins.at(Compared::setup_time), (Margin{1.25, 0.01, 0.05, 0.1}));
}

}  // namespace
}  // namespace distlab::scenario
