// Every way in which a scenario can be wrong, and the line that says so.
#include <filesystem>
#include <fstream>
#include <limits>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/testing/load.h"

namespace distlab::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Case {
  const char* name;
  std::string text;
  std::string error;
};

std::string with(const std::string& more) {
  return three_nodes + more + "\n";
}
std::string action(const std::string& body) {
  return with("workload: [{ " + body + " }]");
}
std::string fault(const std::string& body) {
  return with("faults: [{ " + body + " }]");
}
std::string expect(const std::string& body) {
  return with("faults: [{ at: 1s, id: cut, down: sa }]\nexpect: [{ " + body + " }]");
}
std::string node(const std::string& body) {
  return "name: x\nduration: 9s\nsites: { s: {}, t: {} }\nnodes:\n  n: { site: s }\n  m: { " + body + " }\n";
}

class LoaderError : public testing::TestWithParam<Case> {};

// Each mistake is reported once, where it stands.
TEST_P(LoaderError, SaysWhatAndWhere) {
  EXPECT_THAT(errors_of(GetParam().text), ElementsAre(GetParam().error));
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      // The document.
      {"empty", "", "x.yaml: the file is empty; a scenario is a map"},
      {"comment_only", "# nothing\n", "x.yaml: the file is empty; a scenario is a map"},
      {"list", "- a\n", "x.yaml:1:1: a scenario is a map, not a list"},
      {"text", "hello\n", "x.yaml:1:1: a scenario is a map, not text"},
      {"two_documents", three_nodes + "---\nname: y\n",
       "x.yaml:5:1: a second document begins here; a scenario file holds one"},
      {"syntax", "name: [\n", "x.yaml:2:1: end of sequence flow not found"},
      {"tag", "name: !!int 5\n", "x.yaml:1:7: YAML tags are not used in scenarios"},
      {"key_not_text", "[a]: b\n", "x.yaml:1:1: a key is text, not a list"},
      {"self_alias", "a: &x [*x]\n", "x.yaml:1:8: this alias stands inside the value it stands for"},
      {"unknown_alias", "a: *x\n", "x.yaml:1:4: the referenced anchor is not defined"},
      {"nul", std::string("name: a\nb: \0c\n", 14), "x.yaml:2:4: a NUL byte; a scenario is text"},
      {"not_utf8", "name: a\xff\n", "x.yaml:1:8: not UTF-8 text"},
      {"overlong_utf8", "name: \xc0\xaf\n", "x.yaml:1:7: not UTF-8 text"},
      {"too_large", std::string(max_file_size + 1, ' '),
       "x.yaml: larger than 4 MiB, which is the limit for a scenario"},
      {"duplicate_key", with("duration: 5s"), "x.yaml:5:1: key 'duration' stands here twice (first in line 2)"},
      // Keys.
      {"unknown_key", node("site: s, net_tick_time: 8s"),
       "x.yaml:6:17: unknown key 'net_tick_time'; did you mean 'net_ticktime'?"},
      {"unknown_key_far", with("paths: { sa-sb: { colour: red } }"),
       "x.yaml:5:19: unknown key 'colour' (valid: delay, jitter, loss, rate, queue, duplicate, reorder)"},
      {"unknown_top_key", with("fautls: []"), "x.yaml:5:1: unknown key 'fautls'; did you mean 'faults'?"},
      {"missing_key", "name: x\nsites: { s: {} }\nnodes: { n: { site: s } }\n", "x.yaml:1:1: missing key 'duration'"},
      {"misspelt_is_not_missing", "nmae: x\nduration: 9s\nsites: { s: {} }\nnodes: { n: { site: s } }\n",
       "x.yaml:1:1: unknown key 'nmae'; did you mean 'name'?"},
      // Types and values.
      {"map_expected", with("default_path: fast"), "x.yaml:5:15: expected a map, not text"},
      {"list_expected", with("faults: { at: 1s }"), "x.yaml:5:9: expected a list, not a map"},
      {"null", with("workload:"), "x.yaml:5:1: expected a list, not nothing"},
      {"scalar_expected", node("site: [s]"), "x.yaml:6:14: expected a node, not a list"},
      {"negative", with("default_path: { delay: -5ms }"), "x.yaml:5:24: a duration must not be negative: '-5ms'"},
      {"no_unit", node("site: s, net_ticktime: 60"), "x.yaml:6:31: a duration needs a unit (ns us ms s m h): '60'"},
      {"bad_unit", with("default_path: { rate: 5Mbits }"),
       "x.yaml:5:23: unknown unit 'Mbits' in '5Mbits'; did you mean 'Mbit/s'? (valid: bit/s kbit/s Mbit/s Gbit/s B/s "
       "kB/s "
       "MB/s GB/s KiB/s MiB/s GiB/s)"},
      {"bad_ratio", with("default_path: { loss: 120% }"), "x.yaml:5:23: a ratio is between 0 and 1 (100%): '120%'"},
      {"bad_boolean", node("site: s, hidden: yes"), "x.yaml:6:25: expected true or false, not 'yes'"},
      {"bad_integer", node("site: s, net_tickintensity: 3"), "x.yaml:6:36: must be between 4 and 1000: '3'"},
      {"bad_choice", node("site: s, carrier: tpc"), "x.yaml:6:26: 'tpc' is not a carrier; did you mean 'tcp'?"},
      {"unknown_carrier", node("site: s, carrier: quic"), "x.yaml:6:26: 'quic' is not a carrier (valid: tcp, relay)"},
      {"relay_missing", node("site: s, carrier: relay"),
       "x.yaml:6:3: carrier 'relay' needs 'relays', here or in 'node_defaults'"},
      {"unknown_relay", node("site: s, carrier: relay, relays: [berlin]"), "x.yaml:6:42: unknown relay 'berlin'"},
      {"unknown_tunnel_key", node("site: s, tunnel: { dist_timout: 5s }"),
       "x.yaml:6:27: unknown key 'dist_timout'; did you mean 'dist_timeout'?"},
      {"tiny_period", node("site: s, mesh: { keep_alive: 1ns }"),
       "x.yaml:6:37: 'keep_alive' must be 0s (none) or at least 10ms"},
      {"empty_buffer", node("site: s, tunnel: { chunk_bytes: 0B }"), "x.yaml:6:40: 'chunk_bytes' must be at least 1B"},
      {"bad_mesh_choice", node("site: s, mesh: { on_connection_end: cry }"),
       "x.yaml:6:44: 'cry' is not a reaction (valid: die, reconnect, ignore)"},
      {"unknown_flag", node("site: s, flags: { remove: [FRAGMENT] }"),
       "x.yaml:6:35: 'FRAGMENT' is not a distribution flag; did you mean 'FRAGMENTS'?"},
      {"backward_range", node("site: s, start: 2s..1s"), "x.yaml:6:24: the range '2s..1s' ends before it begins"},
      {"bad_scenario_name", "name: Big Test\nduration: 9s\nsites: { s: {} }\nnodes: { n: { site: s } }\n",
       "x.yaml:1:7: a scenario's name has lower-case letters, digits, '-' and '_': 'Big Test'"},
      {"too_short", "name: x\nduration: 0s\nsites: { s: {} }\nnodes: { n: { site: s } }\n",
       "x.yaml:2:11: a run lasts 1ms at least"},
      // Sites, paths, nodes.
      {"no_nodes", "name: x\nduration: 9s\nsites: { s: {} }\nnodes: {}\n", "x.yaml:4:8: at least one node is needed"},
      {"bad_name", "name: x\nduration: 9s\nsites: { s: {}, s-2: {} }\nnodes: { n: { site: s } }\n",
       "x.yaml:3:17: a name begins with a letter and has letters, digits and '_' (64 at most): 's-2'"},
      {"jitter", with("default_path: { delay: 1ms, jitter: 2ms }"),
       "x.yaml:5:37: jitter 2ms is more than the delay 1ms: packets would arrive before they are sent"},
      {"unknown_site_of_path", with("paths: { sa-sd: {} }"), "x.yaml:5:10: unknown site 'sd'; did you mean 'sa'?"},
      {"bad_path", with("paths: { sa: {} }"),
       "x.yaml:5:10: a path is named by its sites, 'home-office' or 'home -> office', not 'sa'"},
      {"path_to_itself", with("paths: { sa-sa: {} }"), "x.yaml:5:10: a path joins two sites, not 'sa' with itself"},
      {"path_twice", with("paths: { sa-sb: {}, sb-sa: {} }"), "x.yaml:5:21: this path is given twice: 'sb-sa'"},
      {"no_site", node("cookie: x"), "x.yaml:6:3: missing key 'site', here or in 'node_defaults'"},
      {"unknown_site", "name: x\nduration: 9s\nsites: { home: {} }\nnodes: { n: { site: hoem } }\n",
       "x.yaml:4:21: unknown site 'hoem'; did you mean 'home'?"},
      {"short_name", node("site: s, name: alice@home"),
       "x.yaml:6:23: the host of a long node name needs a dot inside, as in alice@home.example: 'alice@home'"},
      {"no_host", node("site: s, name: alice"),
       "x.yaml:6:23: expected a node name like alice@home.example, not 'alice'"},
      {"name_twice", node("site: s, name: n@n.example"), "x.yaml:6:23: 'n@n.example' is the name of 'n' already"},
      {"machine_on_two_sites", node("site: t, name: m@n.example"),
       "x.yaml:6:23: 'n' and 'm' share the machine 'n.example', so they must be on one site"},
      {"node_like_site", "name: x\nduration: 9s\nsites: { s: {} }\nnodes: { s: { site: s } }\n",
       "x.yaml:4:10: 's' is a site too; faults could not tell them apart"},
      {"unknown_cookie_peer", node("site: s, cookies: { x: y }"), "x.yaml:6:28: unknown node 'x'"},
      {"ticktime", node("site: s, net_ticktime: 10ms"), "x.yaml:6:31: 'net_ticktime' must be between 1s and 100000s"},
      {"template_without_count", node("site: s }\n  'k{i}': { site: s"), "x.yaml:7:3: 'k{i}' needs a 'count'"},
      {"count_without_template", node("site: s, count: 3"), "x.yaml:6:17: 'count' needs {i} in the key, as in 'm{i}'"},
      {"template_mistake_once", node("site: s }\n  'k{i}': { count: 50, site: s, coookie: x"),
       "x.yaml:7:33: unknown key 'coookie'; did you mean 'cookie'?"},
      {"template_twice", node("site: s }\n  'k{i}': { count: 2, site: s }\n  'k{i:01}': { count: 2, site: s"),
       "x.yaml:8:3: 'k1' is made by two templates"},
      {"macula_over_tcp", node("site: s, implementation: macula"),
       "x.yaml:6:33: implementation 'macula' has the carrier 'relay' only; 'beam' has both"},
      {"beam_without_flags", node("site: s, implementation: beam, flags: { remove: [SPAWN] }"),
       "x.yaml:6:33: a BEAM announces all its distribution flags; 'flags' is for native nodes"},
      // Workload.
      {"no_verb", action("at: 1s"),
       "x.yaml:5:12: an action is one of: connect, disconnect, call, rpc, erpc, send, bulk, "
       "pg_join, pg_leave, monitor, link, spawn, global_register, global_sync, set_cookie, eval"},
      {"eval_without_beam", action("at: 1s, eval: a, code: ok"),
       "x.yaml:5:28: 'a' is no BEAM, which alone evaluates Erlang: give it 'implementation: beam', or run with --nodes "
       "beam"},
      {"misspelt_verb", action("at: 1s, conect: a -> b"), "x.yaml:5:22: unknown key 'conect'; did you mean 'connect'?"},
      {"two_verbs", action("at: 1s, call: a -> b, send: a -> b"),
       "x.yaml:5:36: an action is one of 'call' and 'send', not both"},
      {"no_time", action("connect: a -> b"), "x.yaml:5:12: missing key 'at' (once) or 'from' (again and again)"},
      {"at_and_rate", action("at: 1s, call: a -> b, rate: 1/s"),
       "x.yaml:5:36: 'rate' has no meaning with 'at', which is once; use 'from'"},
      {"from_alone", action("from: 1s, call: a -> b"), "x.yaml:5:14: 'from' needs 'rate' or 'every'"},
      {"rate_and_every", action("from: 1s, call: a -> b, rate: 1/s, every: 1s"),
       "x.yaml:5:38: 'rate' and 'every' say the same; use one of them"},
      {"backward_window", action("from: 5s, to: 4s, call: a -> b, rate: 1/s"),
       "x.yaml:5:24: 'to' must be after 'from'"},
      {"after_the_end", action("at: 61s, connect: a -> b"), "x.yaml:5:18: 'at: 61s' is after the end of the run (60s)"},
      {"wrong_extra", action("at: 1s, connect: a -> b, payload: 1B"),
       "x.yaml:5:39: 'payload' has no meaning with 'connect'"},
      {"unknown_node", action("at: 1s, connect: a -> alcie"), "x.yaml:5:31: unknown node 'alcie'"},
      {"unknown_glob", action("at: 1s, connect: a -> x*"), "x.yaml:5:31: no node matches 'x*'"},
      {"itself", action("at: 1s, connect: a -> a"), "x.yaml:5:31: 'a -> a' names one node only"},
      {"no_pair", action("at: 1s, connect: a"),
       "x.yaml:5:31: expected a pair of nodes as in 'alice -> bob' or 'alice <-> bob', not 'a'"},
      {"bad_rate", action("from: 1s, call: a -> b, rate: 10"),
       "x.yaml:5:44: expected how often (10/s, 6/m or 1/h), not '10'"},
      {"big_payload", action("at: 1s, call: a -> b, payload: 1GiB"), "x.yaml:5:45: more than 64MiB"},
      {"many_peers", action("at: 1s, connect: { random_peers: { nodes: '*', count: 3 } }"),
       "x.yaml:5:68: each of 3 nodes has 2 others, not 3"},
      {"no_group", action("at: 1s, pg_join: a"), "x.yaml:5:12: missing key 'group'"},
      // Faults.
      {"unknown_link", fault("at: 1s, down: sx"), "x.yaml:5:26: no site or node 'sx'; did you mean 'sa'?"},
      {"unknown_path_end", fault("at: 1s, down: sa-zz"), "x.yaml:5:26: no site or node 'zz'"},
      {"path_inside_site", fault("at: 1s, down: a-sa"), "x.yaml:5:26: there is no path inside the site 'sa'"},
      {"no_meaning", fault("at: 1s, heal: true, for: 2s"), "x.yaml:5:32: 'for' has no meaning with 'heal'"},
      {"no_value", fault("at: 1s, delay: sa"), "x.yaml:5:10: missing key 'to'"},
      {"direction_twice", fault("at: 1s, down: sa -> sb, direction: out"),
       "x.yaml:5:47: 'sa -> sb' has a direction already"},
      {"id_twice", with("faults: [{ at: 1s, id: x, down: sa }, { at: 1s, id: x, down: sa }]"),
       "x.yaml:5:53: two faults have the id 'x'"},
      {"site_in_two_groups", fault("at: 1s, partition: [[sa], [a, sb]]"), "x.yaml:5:38: site 'sa' is in two groups"},
      {"one_group", fault("at: 1s, partition: [[sa]]"), "x.yaml:5:31: expected at least 2 entries"},
      {"neighbours",
       "name: x\nduration: 9s\nsites: { s: {}, t: {} }\nnodes: { a: { site: s }, b: { site: s }, c: { site: t } }\n"
       "faults: [{ at: 1s, one_way: a -> c }]\n",
       "x.yaml:5:29: 'a' is not alone on its site; name the site 's' if you mean 'b' too"},
      // Expectations.
      {"unknown_fault", expect("connected: { between: [a, b], by: 1s, since: cat }"),
       "x.yaml:6:57: no fault has the id 'cat'; did you mean 'cut'?"},
      {"bad_comparison", expect("call_latency: { p99: '< 150' }"),
       "x.yaml:6:33: a duration needs a unit (ns us ms s m h): '150'"},
      {"no_comparison", expect("call_latency: {}"), "x.yaml:6:26: missing one of the keys p50, p90, p95, p99, max"},
      {"no_detector", expect("detection: { within: [1s, 2s] }"),
       "x.yaml:6:23: missing keys 'at' and 'peer', or 'between'"},
      {"three_times", expect("detection: { between: [a, b], within: [1s, 2s, 3s] }"),
       "x.yaml:6:50: expected 2 entries, not 3"},
      {"both_counts", expect("lost_messages: { equals: 0, count: '< 1' }"),
       "x.yaml:6:40: 'equals' and 'count' say the same; use one of them"},
      {"unknown_kind", expect("event: { kind: node_dwon }"),
       "x.yaml:6:27: 'node_dwon' is not a kind of event; did you mean 'node_down'?"},
      {"text_is_not_less", expect("event: { kind: log, fields: { level: '< warning' } }"),
       "x.yaml:6:49: expected a number or duration to compare with, not 'warning'"},
      // What arms may be apart.
      {"margin_of_nothing", with("compare: { call_latencies: { ratio: 2 } }"),
       "x.yaml:5:12: unknown key 'call_latencies'; did you mean 'call_latency'?"},
      {"small_factor", with("compare: { goodput: { ratio: 0.9 } }"),
       "x.yaml:5:30: a factor is between 1 and 1000000: '0.9'"},
      {"factor_with_unit", with("compare: { goodput: { ratio: 110% } }"),
       "x.yaml:5:30: expected a factor (1.25), not '110%'"},
      {"difference_without_unit", with("compare: { call_latency: { difference: 2 } }"),
       "x.yaml:5:40: a duration needs a unit (ns us ms s m h): '2'"},
      {"difference_of_messages", with("compare: { lost_messages: { difference: 2ms } }"),
       "x.yaml:5:41: expected a whole number, not '2ms'"},
      {"unlimited_margin", with("compare: { goodput: { difference: unlimited } }"),
       "x.yaml:5:35: a margin has a limit"},
      {"outcomes_of_messages", with("compare: { lost_messages: { outcomes: 10% } }"),
       "x.yaml:5:29: unknown key 'outcomes' (valid: ratio, difference, distribution)"},
      {"margin_list", with("compare: []"), "x.yaml:5:10: expected a map, not a list"},

      {"empty_window", expect("never: { node_down: {}, after: 5s, before: 4s }"),
       "x.yaml:6:55: 'before' must be later than 'after'"},
      {"between_and_at", expect("never: { node_down: { between: [a, b], at: a } }"),
       "x.yaml:6:51: 'at' has no meaning with 'between'"},
      // Sweeps.
      {"sweep_unknown_path", with("sweep: { nodes.a.net_tick_time: [4s] }"),
       "x.yaml:5:10: unknown key 'net_tick_time'; did you mean 'net_ticktime'?"},
      {"sweep_unknown_name", with("sweep: { nodes.x.net_ticktime: [4s] }"), "x.yaml:5:10: there is no 'x' in 'nodes'"},
      {"sweep_not_list", with("sweep: { duration: 5s }"), "x.yaml:5:20: expected a list, not text"},
      {"sweep_bad_value", with("sweep: { duration: [5s, 6] }"),
       "x.yaml:5:25: a duration needs a unit (ns us ms s m h): '6'"},
      {"sweep_too_many",
       with("sweep: { " +
            [] {
              std::string text;
              for (const char* key : {"nodes.a.net_ticktime", "nodes.b.net_ticktime", "nodes.c.net_ticktime"}) {
                text += std::string(key) + ": [4s";
                for (int i = 0; i < 30; ++i) text += ", 8s";
                text += "], ";
              }
              return text;
            }() +
            "}"),
       "x.yaml:5:1: more than 10000 combinations"},
      {"zip_uneven", with("zip: { nodes.a.cookie: [x, y], nodes.b.cookie: [z] }"),
       "x.yaml:5:32: values that go together must be equally many: 1 here, 2 of 'nodes.a.cookie'"},
      // Includes.
      {"include_missing", with("include: other.yaml"),
       "x.yaml:5:10: cannot read 'other.yaml': No such file or directory"},
      {"include_absolute", with("include: [/etc/passwd]"),
       "x.yaml:5:11: an included file is named relative to this one, not '/etc/passwd'"},
      {"include_self", with("include: ./x.yaml"), "x.yaml:5:10: includes go in a circle: x.yaml -> x.yaml"},
  };
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, LoaderError, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<Case>& one) { return std::string(one.param.name); });

// All mistakes of a file are reported, in the order of the file.
TEST(LoaderErrors, ReportsAll) {
  EXPECT_THAT(
      errors_of("name: x\nduration: soon\nsites: { s: { uplnk: {} } }\nnodes: { n: { site: t } }\nfaults: [{ at: 1s, "
                "kill: m }]\n"),
      ElementsAre(StartsWith("x.yaml:2:11: expected a duration"), StartsWith("x.yaml:3:15: unknown key 'uplnk'"),
                  "x.yaml:4:21: unknown site 't'", "x.yaml:5:26: unknown node 'm'"));
}

// After twenty it only counts.
TEST(LoaderErrors, StopsAtTwenty) {
  std::string text = three_nodes + "faults:\n";
  for (int i = 0; i < 50; ++i) text += "  - { at: 1s, kill: nobody }\n";
  const auto errors = errors_of(text);
  ASSERT_EQ(errors.size(), 21U);
  EXPECT_EQ(errors.back(), "x.yaml: and 30 more");
}

// A circle of includes names all files in it.
TEST(LoaderErrors, IncludeCircle) {
  EXPECT_THAT(errors_of(with("include: a.yaml"), {{"a.yaml", "include: b.yaml\n"}, {"b.yaml", "include: a.yaml\n"}}),
              ElementsAre("b.yaml:1:10: includes go in a circle: x.yaml -> a.yaml -> b.yaml -> a.yaml"));
}

// So does a chain that is too long.
TEST(LoaderErrors, IncludeDepth) {
  Files files;
  for (int i = 0; i < 20; ++i) files[std::to_string(i) + ".yaml"] = "include: " + std::to_string(i + 1) + ".yaml\n";
  EXPECT_THAT(
      errors_of(with("include: 0.yaml"), files),
      ElementsAre("7.yaml:1:10: includes nested more than 8 deep: x.yaml -> 0.yaml -> 1.yaml -> 2.yaml -> 3.yaml -> "
                  "4.yaml -> 5.yaml -> 6.yaml -> 7.yaml -> 8.yaml"));
}

// A mistake in an included file is reported there.
TEST(LoaderErrors, PlaceInIncludedFile) {
  EXPECT_THAT(errors_of(with("include: lib/a.yaml"), {{"lib/a.yaml", "\ndefault_path: { delay: 5 }\n"}}),
              ElementsAre("lib/a.yaml:2:24: a duration needs a unit (ns us ms s m h): '5'"));
}

// Files that include many others end, too.
TEST(LoaderErrors, IncludeBomb) {
  Files files;
  for (int i = 0; i < 5; ++i) {
    std::string& text = files[std::to_string(i) + ".yaml"];
    text = "include: [";
    for (int k = 0; k < 50; ++k) text += std::to_string(i + 1) + ".yaml, ";
    text += "]\n";
  }
  files["5.yaml"] = "{}";
  EXPECT_THAT(errors_of(with("include: 0.yaml"), files), testing::Contains(HasSubstr("more than 100 included files")));
}

// Aliases that stand for aliases that stand for ... are stopped before they fill the memory.
TEST(LoaderErrors, AliasBomb) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) text += (k > 0 ? ", " : "") + before;
    text += "]\n";
  }
  const auto errors = errors_of(text);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_THAT(errors[0], HasSubstr("more than 500000 values, counting what aliases stand for"));
}

// So is nesting, whether written out or made of aliases.
TEST(LoaderErrors, Depth) {
  EXPECT_THAT(errors_of("a: " + std::string(100, '[') + std::string(100, ']')),
              ElementsAre("x.yaml:1:43: nested more than 40 levels deep"));
  EXPECT_THAT(errors_of("a: " + std::string(100'000, '[')).size(), 1U);
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 60; ++i)
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  EXPECT_THAT(errors_of(text), ElementsAre("x.yaml:40:12: nested more than 40 levels deep"));
}

// Templates and sweeps cannot fill the memory either.
TEST(LoaderErrors, Explosions) {
  EXPECT_THAT(
      errors_of("name: x\nduration: 9s\nsites: { s: {} }\nnodes: { 'n{i}': { count: 20000, site: s } }\n"
                "workload: [{ at: 1s, connect: ['*'] }]\n"),
      ElementsAre("x.yaml:3:10: site 's' has 20000 machines, and at most 253 can be in one; spread them over more",
                  "x.yaml:5:31: more than 1000000 actions; use ring, random_peers or fewer nodes"));
  EXPECT_THAT(errors_of("name: x\nduration: 9s\nsites: { s: {} }\nnodes: { 'n{i}': { count: 30000, site: s } }\n"),
              ElementsAre("x.yaml:4:27: must be between 1 and 20000: '30000'"));
}

// What has no address is refused: sites, and machines in one.
TEST(LoaderErrors, Addresses) {
  const auto nodes = [](int count) {
    return fmt::format(
        "name: x\nduration: 9s\nsites: {{ s: {{}} }}\nrelays: {{ r: {{ site: s }} }}\n"
        "nodes: {{ 'n{{i}}': {{ count: {}, site: s }} }}\n",
        count);
  };
  EXPECT_THAT(errors_of(nodes(252)), testing::IsEmpty());
  EXPECT_THAT(
      errors_of(nodes(253)),
      ElementsAre("x.yaml:3:10: site 's' has 254 machines, and at most 253 can be in one; spread them over more"));
  EXPECT_THAT(errors_of("name: x\nduration: 9s\nsites: { 's{i}': { count: 20000 }, 't{i}': { count: 20000 }, "
                        "'u{i}': { count: 20000 }, 'v{i}': { count: 20000 } }\nnodes: { n: { site: s1 } }\n"),
              ElementsAre("x.yaml:3:8: 80000 sites, and at most 65535 can be"));
}

// Overrides are checked like the file, and named as they were given.
TEST(LoaderErrors, Overrides) {
  const auto errors = [](const std::string& path, const std::string& value) {
    return errors_of(three_nodes + "workload: [{ at: 1s, connect: a -> b }]\n", {}, {{path, value}});
  };
  EXPECT_THAT(errors("nodes.a.net_tick_time", "8s"),
              ElementsAre("--set nodes.a.net_tick_time: unknown key 'net_tick_time'; did you mean 'net_ticktime'?"));
  EXPECT_THAT(errors("nodes.d.net_ticktime", "8s"),
              ElementsAre("--set nodes.d.net_ticktime: there is no 'd' in 'nodes'"));
  EXPECT_THAT(errors("nodes.a.net_ticktime", "8"),
              ElementsAre("--set nodes.a.net_ticktime: a duration needs a unit (ns us ms s m h): '8'"));
  EXPECT_THAT(errors("workload.3.at", "8s"),
              ElementsAre("--set workload.3.at: 'workload' has 1 entries, counted from 0; there is no 3"));
  EXPECT_THAT(errors("faults.cut.at", "8s"), ElementsAre("--set faults.cut.at: there is no 'faults' in this file"));
  EXPECT_THAT(errors("duration.x", "8s"), ElementsAre("--set duration.x: 'duration' has no parts"));
  EXPECT_THAT(errors("nodes.z*.cookie", "x"), ElementsAre("--set nodes.z*.cookie: nothing in 'nodes' matches 'z*'"));
  EXPECT_THAT(errors("a..b", "x"), ElementsAre("--set a..b: a path is keys with dots between them"));
  EXPECT_THAT(errors("duration", "[1"), ElementsAre(StartsWith("--set duration: the value is not YAML: ")));
  EXPECT_THAT(errors("duration", ""), ElementsAre("--set duration: expected a duration, not nothing"));
}

// Files that cannot be read get one line each.
TEST(LoaderErrors, Files) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "distlab_scenario_files";
  std::filesystem::create_directories(folder);
  const auto error = [](const std::filesystem::path& path) {
    const auto loaded = load(path.string());
    return loaded || loaded.error().size() != 1 ? "" : loaded.error()[0].text();
  };
  const auto big = folder / "big.yaml";
  std::ofstream(big) << std::string(10'000'000, 'x');
  EXPECT_EQ(error(big), big.string() + ": larger than 4 MiB, which is the limit for a scenario");
  EXPECT_EQ(error(folder / "none.yaml"),
            (folder / "none.yaml").string() + ": cannot read it: No such file or directory");
  EXPECT_EQ(error(folder), folder.string() + ": cannot read it: it is a directory");
  std::ofstream(folder / "main.yaml") << three_nodes << "include: lib.yaml\n";
  std::ofstream(folder / "lib.yaml") << "default_path: { delay: 3ms }\n";
  const auto loaded = load((folder / "main.yaml").string());
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->front().scenario.default_path.delay, std::chrono::milliseconds(3));
  std::filesystem::remove_all(folder);
}

// A good file has no errors: the cases above fail for what they say.
TEST(LoaderErrors, NoneInGoodFiles) {
  EXPECT_THAT(errors_of(three_nodes), IsEmpty());
  EXPECT_THAT(errors_of(small_scenario), IsEmpty());
}

}  // namespace
}  // namespace distlab::scenario
