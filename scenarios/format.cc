// The scenario format, key by key. README.md and schema.json are made from these tables; the parts
// that happen in time are in format_workload.cc, format_faults.cc and format_expect.cc.
#include <utility>

#include "scenarios/format_parts.h"
#include "scenarios/scalars.h"
#include "scenarios/shape.h"

namespace distlab::scenario {
namespace table {
namespace {

std::string check_scenario_name(std::string_view text) {
  for (const char c : text)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
      return "a scenario's name has lower-case letters, digits, '-' and '_': '" + std::string(text) + "'";
  return text.empty() ? "a scenario's name must not be empty" : "";
}

std::string check_path_name(std::string_view text) {
  const auto link = parse_link(text);
  if (!link || link->right.empty() || !check_site_or_node(link->left).empty() ||
      !check_site_or_node(link->right).empty())
    return "a path is named by its sites, 'home-office' or 'home -> office', not '" + std::string(text) + "'";
  return "";
}

Shape link_properties(std::string delay = "0s") {
  return object({
      optional("delay", duration_shape(), "Propagation delay, one way.", std::move(delay)),
      optional("jitter", duration_shape(),
               "Each packet's delay varies uniformly by up to this much either way; order is kept. At most `delay`.",
               "0s"),
      optional("loss", ratio_shape(), "Share of packets lost, each independently.", "0%"),
      optional("rate", rate_shape(), "Bandwidth, per direction.", "unlimited"),
      optional("queue", integer_shape(1, 1'000'000), "Packets that wait for the rate; more are dropped.", "1000"),
      optional("duplicate", ratio_shape(), "Share of packets that arrive twice.", "0%"),
      optional("reorder", ratio_shape(), "Share of packets that skip the delay and so overtake others.", "0%"),
  });
}

Key count_key() {
  return optional("count", integer_shape(1, 20'000),
                  "Makes that many, numbered from 1: the key must contain `{i}`, and `{i}` or `{i:03}` in the values "
                  "below stands for the number.");
}

Shape site() {
  return object({
      optional("uplink", link_properties(), "The link to the wide area; both directions alike."),
      optional("lan", link_properties("50us"), "The link of each machine to the site's router; both directions alike."),
      count_key(),
  });
}

std::vector<Key> node_keys() {
  std::vector<Key> keys{
      optional("site", node_shape_name(), "Where its machine stands. Required, here or in `node_defaults`."),
      optional("name", erlang_name_shape(),
               "Erlang node name, with a dot in the host. Nodes with the same host share one machine.",
               "KEY@KEY.example"),
      optional("cookie", cookie(), "Its own cookie, shown to every peer without one in `cookies`.", "distlab"),
      optional("cookies", names(cookie(), check_site_or_node, name_pattern),
               "Per peer (a key of `nodes`): the cookie used towards it, as `erlang:set_cookie/2` sets it."),
      optional(
          "implementation", choice_shape("an implementation", {"native", "beam", "macula"}),
          "Who plays it: distlab's own node, an unmodified Erlang node, or one with `-proto_dist macula`. The last "
          "two need real hosts (emu or live), and ignore `boot`.",
          "native"),
      optional("carrier", choice_shape("a carrier", {"tcp", "relay"}),
               "How distribution bytes travel: TCP through EPMD, or a tunnel through relays.", "tcp"),
      optional("epmd_port", integer_shape(1, 65535), "`ERL_EPMD_PORT`.", "4369"),
      optional("listen_port", integer_shape(0, 65535), "Port the node listens on; 0: any free one.", "0"),
      optional("net_ticktime", duration_shape(), "`net_ticktime`: a peer silent for so long is down. 1s to 100000s.",
               "60s"),
      optional("net_tickintensity", integer_shape(4, 1000), "`net_tickintensity`: ticks per `net_ticktime`.", "4"),
      optional("net_setuptime", duration_shape(),
               "`net_setuptime`: time for each step of a connection's set-up. 1ms to 120s.", "7s"),
      optional("connect_all", boolean_shape(), "`connect_all`: `false` keeps `global` from connecting everybody.",
               "true"),
      optional("prevent_overlapping_partitions", boolean_shape(), "`prevent_overlapping_partitions`, as OTP 25 has it.",
               "true"),
      optional("dist_buf_busy_limit", size_shape(), "`+zdbbl`: bytes queued for a peer before senders are suspended.",
               "1MiB"),
      optional("hidden", boolean_shape(), "`-hidden`.", "false"),
      optional(
          "flags",
          object({optional("remove", list_of(choice_shape("a distribution flag", flag_names())), "Not announced.")}),
          "Distribution flags, for experiments with peers that lack some."),
      optional("start", time_shape(), "When its process is started.", "0s"),
      optional("boot", time_shape(), "From each start of the process until the node listens.", "140ms..210ms"),
      optional("autostart", boolean_shape(), "`false`: only a `start` fault brings it up.", "true"),
  };
  for (Key& key : membership_keys()) keys.push_back(std::move(key));
  return keys;
}

Shape relay_with_count() {
  Shape shape = relay();
  shape.keys.push_back(count_key());
  return shape;
}

Shape node() {
  std::vector<Key> keys = node_keys();
  keys.push_back(count_key());
  return object(std::move(keys));
}

std::vector<Key> resolved_keys() {
  return {
      required("name", with_check(text_shape("text"), check_scenario_name, "[a-z0-9_-]+"), "Its short name."),
      optional("summary", text_shape("text"), "What it shows, in a sentence."),
      required("duration", duration_shape(), "How long it runs. 1ms at least."),
      optional("pcap", any_of({boolean_shape(), list_of(pattern_shape(), 1)}),
               "Capture packets: of these nodes' machines, or `true` for all.", "false"),
      required("sites", names(site(), check_site_or_node, name_pattern), "Places with machines, at most 253 in each."),
      optional("default_path", link_properties(), "Between sites that `paths` does not name."),
      optional("paths", names(link_properties(), check_path_name, "[A-Za-z][A-Za-z0-9_]* *->? *[A-Za-z][A-Za-z0-9_]*"),
               "The wide area between two sites: `home-office` for both directions, `home -> office` for one. What one "
               "leaves out comes from `default_path`."),
      optional("relay_defaults", relay(), "Merged into each relay, which may say otherwise."),
      optional("relays", names(relay_with_count(), check_site_or_node, name_pattern), "Relays."),
      optional("node_defaults", object(node_keys()), "Merged into each node, which may say otherwise."),
      required("nodes", names(node(), check_site_or_node, name_pattern), "Erlang nodes."),
      optional("workload", list_of(action()), "What the nodes do."),
      optional("faults", list_of(fault()), "What happens to them."),
      optional("expect", list_of(expectation()), "What must hold."),
      optional("compare", margins(), "How far two grounds may be apart and still agree."),
  };
}

Shape whole_file() {
  std::vector<Key> keys = resolved_keys();
  const Shape values = names(list_of(anything(), 1), accept, ".+");
  keys.push_back(
      optional("include", any_of({word(), list_of(word())}),
               "Files to build on, relative to this one. Maps are merged, and this file wins; lists are replaced."));
  keys.push_back(optional("sweep", values, "Dotted paths and the values each takes: a run for every combination."));
  keys.push_back(optional("zip", any_of({values, list_of(values, 1)}),
                          "The same, but the values of one map go together: first with first, second with second."));
  return object(std::move(keys));
}

}  // namespace
}  // namespace table

const Shape& scenario_shape() {
  static const Shape shape = table::whole_file();
  return shape;
}

const Shape& resolved_shape() {
  static const Shape shape = table::object(table::resolved_keys());
  return shape;
}

const std::vector<std::string>& flag_names() {
  static const std::vector<std::string> flags{"PUBLISHED",
                                              "ATOM_CACHE",
                                              "EXTENDED_REFERENCES",
                                              "DIST_MONITOR",
                                              "FUN_TAGS",
                                              "DIST_MONITOR_NAME",
                                              "HIDDEN_ATOM_CACHE",
                                              "NEW_FUN_TAGS",
                                              "EXTENDED_PIDS_PORTS",
                                              "EXPORT_PTR_TAG",
                                              "BIT_BINARIES",
                                              "NEW_FLOATS",
                                              "UNICODE_IO",
                                              "DIST_HDR_ATOM_CACHE",
                                              "SMALL_ATOM_TAGS",
                                              "UTF8_ATOMS",
                                              "MAP_TAG",
                                              "BIG_CREATION",
                                              "SEND_SENDER",
                                              "BIG_SEQTRACE_LABELS",
                                              "EXIT_PAYLOAD",
                                              "FRAGMENTS",
                                              "HANDSHAKE_23",
                                              "UNLINK_ID",
                                              "MANDATORY_25_DIGEST",
                                              "SPAWN",
                                              "NAME_ME",
                                              "V4_NC",
                                              "ALIAS"};
  return flags;
}

const std::vector<std::string>& event_kinds() {
  static const std::vector<std::string> kinds{"process_started",
                                              "process_killed",
                                              "process_frozen",
                                              "process_thawed",
                                              "fault",
                                              "node_up",
                                              "node_down",
                                              "connect_started",
                                              "connect_failed",
                                              "handshake_step",
                                              "log",
                                              "busy_dist_port",
                                              "tick",
                                              "ping_done",
                                              "call_done",
                                              "bulk_done",
                                              "eval_done",
                                              "scheduler_stall",
                                              "message_sent",
                                              "message_received",
                                              "monitor_down",
                                              "link_exit",
                                              "group_changed",
                                              "global_changed",
                                              "epmd_registered",
                                              "epmd_lookup",
                                              "session_up",
                                              "session_down",
                                              "session_refused",
                                              "relay_dropped",
                                              "relay_complained",
                                              "session_abandoned",
                                              "quic_failed",
                                              "quic_refused",
                                              "client_started",
                                              "client_died",
                                              "mesh_up",
                                              "mesh_down",
                                              "mesh_failed",
                                              "tunnel_opened",
                                              "tunnel_failed",
                                              "tunnel_closed",
                                              "bridge_state",
                                              "tunnel_lost",
                                              "decrypt_failed",
                                              "tunnel_metrics"};
  return kinds;
}

}  // namespace distlab::scenario
