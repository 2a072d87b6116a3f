// The scenario format, key by key. README.md and schema.json are made from these tables.
#include <utility>

#include "scenarios/scalars.h"
#include "scenarios/shape.h"

namespace distlab::scenario {
namespace {

Key required(std::string name, Shape shape, std::string doc) {
  return {std::move(name), std::move(shape), std::move(doc), "", true};
}

Key optional(std::string name, Shape shape, std::string doc, std::string fallback = "") {
  return {std::move(name), std::move(shape), std::move(doc), std::move(fallback), false};
}

Shape list_of(Shape item, size_t min_items = 0, size_t max_items = std::numeric_limits<size_t>::max()) {
  Shape shape;
  shape.kind = Shape::Kind::list;
  shape.parts.push_back(std::move(item));
  shape.min_items = min_items;
  shape.max_items = max_items;
  return shape;
}

Shape object(std::vector<Key> keys) {
  Shape shape;
  shape.kind = Shape::Kind::object;
  shape.keys = std::move(keys);
  return shape;
}

Shape union_of(std::string word, std::vector<Key> common, std::vector<Verb> verbs) {
  Shape shape = object(std::move(common));
  shape.verb_word = std::move(word);
  shape.verbs = std::move(verbs);
  return shape;
}

Shape names(Shape value, std::string (*check)(std::string_view), std::string pattern) {
  Shape shape;
  shape.kind = Shape::Kind::names;
  shape.parts.push_back(std::move(value));
  shape.check_name = check;
  shape.name_pattern = "^" + std::move(pattern) + "$";
  return shape;
}

Shape any_of(std::vector<Shape> parts) {
  Shape shape;
  shape.kind = Shape::Kind::any_of;
  shape.parts = std::move(parts);
  return shape;
}

Shape anything() {
  Shape shape;
  shape.kind = Shape::Kind::anything;
  return shape;
}

Shape with_check(Shape shape, std::string (*check)(std::string_view), std::string pattern) {
  shape.check = check;
  shape.pattern = "^" + std::move(pattern) + "$";
  return shape;
}

constexpr const char* name_pattern = "[A-Za-z][A-Za-z0-9_]*(\\{i(:0[1-9])?\\}[A-Za-z0-9_]*)*";

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

std::string check_cookie(std::string_view text) {
  return text.empty() || text.size() > 255 ? "a cookie is an atom of 1 to 255 characters" : "";
}

std::string check_word(std::string_view text) {
  return text.empty() || text.size() > 255 ? "expected 1 to 255 characters" : "";
}

std::string check_id(std::string_view text) {
  bool valid = !text.empty() && text.size() <= 64;
  for (const char c : text)
    valid =
        valid && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_');
  return valid ? "" : "an id has letters, digits, '-' and '_' (64 at most): '" + std::string(text) + "'";
}

std::string accept(std::string_view /*text*/) {
  return "";
}

Shape cookie() {
  return with_check(text_shape("text"), check_cookie, ".{1,255}");
}
Shape word() {
  return with_check(text_shape("text"), check_word, ".{1,255}");
}
Shape fault_id() {
  return with_check(text_shape("a fault's id"), check_id, "[A-Za-z0-9_-]{1,64}");
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
  return {
      optional("site", node_shape_name(), "Where its machine stands. Required, here or in `node_defaults`."),
      optional("name", erlang_name_shape(),
               "Erlang node name, with a dot in the host. Nodes with the same host share one machine.",
               "KEY@KEY.example"),
      optional("cookie", cookie(), "Its own cookie, shown to every peer without one in `cookies`.", "distlab"),
      optional("cookies", names(cookie(), check_site_or_node, name_pattern),
               "Per peer (a key of `nodes`): the cookie used towards it, as `erlang:set_cookie/2` sets it."),
      optional("carrier", choice_shape("a carrier", {"tcp"}), "How distribution bytes travel.", "tcp"),
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
}

Shape node() {
  std::vector<Key> keys = node_keys();
  keys.push_back(count_key());
  return object(std::move(keys));
}

// ---- workload

Shape node_patterns() {
  return any_of({pattern_shape(), list_of(pattern_shape(), 1)});
}

std::vector<Verb> random_targets() {
  return {
      {required("ring", node_patterns(), "Each node to the next one, the last to the first."), {}},
      {required("random_peers",
                object({required("nodes", node_patterns(), "Who takes part."),
                        required("count", integer_shape(1, 10'000), "Peers of each node; the seed chooses.")}),
                "Each node to some others."),
       {}},
  };
}

Shape some_nodes() {
  return list_of(pattern_shape(), 1);
}

Shape targets() {
  const Shape groups = list_of(union_of("a group of peers", {}, random_targets()), 1);
  std::vector<Verb> verbs = random_targets();
  verbs.push_back({required("all_peers", groups, "Each node to all of its peers in these groups."), {}});
  verbs.push_back({required("one_peer", groups,
                            "Each node to one of its peers in these groups; the seed chooses. An equal list means the "
                            "same peers."),
                   {}});
  return any_of({pair_shape(), list_of(pattern_shape(), 1), union_of("a target", {}, std::move(verbs))});
}

Shape node_or_pair() {
  Shape shape = pattern_shape();
  shape.what = "a node, or a pair as in alice -> bob";
  shape.pattern = "^[A-Za-z*][A-Za-z0-9_*]*( *<?-> *[A-Za-z*][A-Za-z0-9_*]*)?$";
  shape.check = [](std::string_view text) {
    const Shape one = text.find("->") == std::string_view::npos ? pattern_shape() : pair_shape();
    return one.check(text);
  };
  return shape;
}

Shape action() {
  const Key payload = optional("payload", size_shape(), "Size of the message's content, at most 64MiB.", "64B");
  const Key timeout = optional("timeout", timeout_shape(), "After which the caller gives up.", "5s");
  const Key group = required("group", word(), "The `pg` group.");
  return union_of(
      "an action",
      {
          optional("at", time_shape(), "When it happens, once. Drawn for each pair of nodes. This or `from`."),
          optional("from", time_shape(), "When it happens first; then again and again."),
          optional("to", duration_shape(), "Nothing starts at or after it.", "the end of the run"),
          optional("every", duration_shape(), "Time between repetitions. With `from`, this or `rate`."),
          optional("rate", frequency_shape(), "How often it is repeated, for each pair: `10/s`."),
          optional("arrival", choice_shape("how arrivals are spaced", {"periodic", "poisson"}),
                   "Even gaps, or exponentially distributed ones.", "periodic"),
      },
      {
          {required("connect", targets(), "`net_adm:ping/1`."), {}},
          {required("disconnect", targets(), "`erlang:disconnect_node/1`."), {}},
          {required("call", targets(), "`gen_server:call/3` to the peer's echo server."), {payload, timeout}},
          {required("rpc", targets(), "`rpc:call/5` of an echo function."), {payload, timeout}},
          {required("erpc", targets(), "`erpc:call/5` of an echo function."), {payload, timeout}},
          {required("send", targets(), "A one-way numbered message, which the ledger counts."), {payload}},
          {required("bulk", targets(), "One large message, acknowledged when all of it is there."),
           {required("size", size_shape(), "Its size, at most 1GiB."),
            optional("count", integer_shape(1, 1000), "So many at once, one behind another.", "1"),
            optional("timeout", timeout_shape(), "After which the sender gives up.", "infinity")}},
          {required("pg_join", node_patterns(), "A process of the node joins a `pg` group."), {group}},
          {required("pg_leave", node_patterns(), "It leaves again."), {group}},
          {required("monitor", targets(), "Monitors the peer's echo server."), {}},
          {required("link", targets(), "Links to a process at the peer."), {}},
          {required("spawn", targets(), "`spawn_request/5` at the peer."), {timeout}},
          {required("global_register", node_patterns(), "`global:register_name/2` of a process of the node."),
           {required("name", word(), "The name.")}},
          {required("global_sync", node_patterns(), "`global:sync/0`."), {}},
          {required("set_cookie", node_or_pair(), "`erlang:set_cookie/1` of a node, or `/2` of a node towards a peer."),
           {required("cookie", cookie(), "The new cookie.")}},
      });
}

// ---- faults

Shape fault() {
  const Key lasts = optional("for", time_shape(), "Undone after so long.", "stays");
  const Key direction =
      optional("direction", choice_shape("a direction", {"both", "out", "in"}),
               "`out` is away from the site or node; of a path, from the first to the second site.", "both");
  const auto to = [](Shape shape) { return required("to", std::move(shape), "The new value."); };
  const auto done_to_link = [&](std::string name, std::string doc) {
    return Verb{required(std::move(name), link_shape(), std::move(doc)), {direction, lasts}};
  };
  const auto set = [&](std::string name, Shape value, std::string doc) {
    return Verb{required(std::move(name), link_shape(), std::move(doc)), {to(std::move(value)), direction, lasts}};
  };
  return union_of(
      "a fault",
      {
          required("at", time_shape(), "When it is done."),
          optional("id", fault_id(), "What `since:` of an expectation, and `--set faults.ID...`, refer to.", "KIND-N"),
      },
      {
          {required("kill", node_shape_name(), "`SIGKILL`; with `for`, started again after it."), {lasts}},
          {required("start", node_shape_name(), "Starts the process of a node that is not running."), {}},
          {required("freeze", node_shape_name(), "`SIGSTOP`: the process stands still, its machine's kernel goes on."),
           {lasts}},
          {required("thaw", node_shape_name(), "`SIGCONT`."), {}},
          done_to_link("down", "The link loses what is under way and what follows."),
          done_to_link("black_hole", "Packets vanish from now on; those under way still arrive."),
          {required("up", link_shape(), "Ends `down` and `black_hole`."), {direction}},
          done_to_link("hold", "A stall: packets are kept at the far end, none is lost."),
          {required("release", link_shape(), "The kept packets arrive, at once and in order."), {direction}},
          set("delay", duration_shape(), "Changes the delay."),
          set("jitter", duration_shape(), "Changes the jitter."),
          set("loss", ratio_shape(), "Changes the loss."),
          set("rate", rate_shape(), "Changes the rate."),
          set("duplicate", ratio_shape(), "Changes the share of packets that arrive twice."),
          set("reorder", ratio_shape(), "Changes the share of packets that overtake."),
          {required("one_way", one_way_shape(), "Cuts one direction between two sites: a `black_hole` of a path."),
           {lasts}},
          {required("partition", list_of(list_of(node_shape_name(), 1), 2),
                    "Nothing passes between these groups of sites (or nodes, which stand for their sites). Replaces an "
                    "earlier partition."),
           {lasts}},
          {required(
               "heal",
               with_check(
                   boolean_shape(),
                   [](std::string_view text) -> std::string { return text == "true" ? "" : "expected true"; }, "true"),
               "Ends the partition."),
           {}},
      });
}

// ---- expectations

std::vector<Key> window_keys() {
  return {
      optional("after", duration_shape(), "Only what happens from then on.", "the begin of the run"),
      optional("before", duration_shape(), "Only what happens before.", "the end of the run"),
      optional("since", fault_id(), "`after` and `before` count from when this fault was done.",
               "the begin of the run"),
      optional("outside", choice_shape("a word", {"faults"}),
               "Leaves out all that overlaps with a fault or with the longest `net_ticktime` after it."),
  };
}

Shape with_window(std::vector<Key> keys) {
  for (Key& key : window_keys()) keys.push_back(std::move(key));
  return object(std::move(keys));
}

Key between() {
  return optional("between", any_of({pair_shape(), some_nodes()}),
                  "All pairs of these nodes, both ways; or one direction: `alice -> bob`.", "all nodes");
}

Shape node_event() {
  return any_of({
      some_nodes(),
      object({
          optional("at", node_shape_name(), "Who sees it.", "any node"),
          optional("peer", node_shape_name(), "About whom.", "any node"),
          optional("between", some_nodes(), "Instead: each of these about each other one."),
          optional("reason", word(), "Why, as `net_kernel:monitor_nodes` says it.", "any reason"),
      }),
  });
}

Shape occurrence() {
  Shape shape = union_of("an occurrence", window_keys(),
                         {
                             {required("node_up", node_event(), "A node sees another come up."), {}},
                             {required("node_down", node_event(), "A node sees another go down."), {}},
                         });
  return shape;
}

Shape ledger_count() {
  return with_window({
      between(),
      optional("equals", integer_shape(0, std::numeric_limits<int64_t>::max()), "So many. This or `count`."),
      optional("count", comparison_shape(Quantity::count), "How many: `<= 3`."),
  });
}

Shape latency() {
  const Shape limit = comparison_shape(Quantity::duration);
  return with_window({
      between(),
      optional("p50", limit, "The median: `< 150ms`."),
      optional("p90", limit, "The 90th percentile."),
      optional("p95", limit, "The 95th percentile."),
      optional("p99", limit, "The 99th percentile."),
      optional("max", limit, "The largest. At least one of these five."),
  });
}

Shape expectation() {
  const Shape number = comparison_shape(Quantity::count_or_share);
  return union_of(
      "an expectation", {optional("name", word(), "A short name for tables.", "made from the text")},
      {
          {required("connected",
                    object({required("between", some_nodes(), "All pairs of these."),
                            required("by", duration_shape(),
                                     "At this time both sides of each pair hold the other to be up."),
                            optional("since", fault_id(), "`by` counts from when this fault was done.",
                                     "the begin of the run")}),
                    "Nodes are connected at a time."),
           {}},
          {required("never", occurrence(), "It does not happen (between any of the pairs)."), {}},
          {required("eventually", occurrence(), "It happens (between each of the pairs)."), {}},
          {required("detection",
                    object({
                        optional("at", node_shape_name(), "Who detects. With `peer`, or `between` instead."),
                        optional("peer", node_shape_name(), "Whose silence."),
                        optional("between", any_of({pair_shape(), some_nodes()}),
                                 "Each about each other; of `alice -> bob`, alice about bob."),
                        optional("reason", word(), "The reason of its `node_down`.", "net_tick_timeout"),
                        required("within", list_of(duration_shape(), 2, 2),
                                 "The earliest and the latest time after the fault."),
                        optional("since", fault_id(), "Which fault.", "the first one"),
                    }),
                    "How long after a fault a node notices."),
           {}},
          {required("lost_messages", ledger_count(), "Messages of `send` that never arrive."), {}},
          {required("duplicated_messages", ledger_count(), "Messages of `send` that arrive again."), {}},
          {required("reordered_messages", ledger_count(), "Messages of `send` that arrive after a later one."), {}},
          {required("wedged",
                    with_window({between(), required("total", comparison_shape(Quantity::duration),
                                                     "The sum over all pairs: `<= 5s`.")}),
                    "Time in which messages are lost although the node is held to be up."),
           {}},
          {required("call_latency", latency(), "Of `call`, `rpc`, `erpc` and `spawn` that succeed."), {}},
          {required("message_latency", latency(), "Of `send`, one way."), {}},
          {required("setup_time", latency(), "From the dial to `node_up`."), {}},
          {required(
               "calls",
               with_window({between(), optional("ok", number, "Number (`>= 100`) or share (`>= 99%`) that succeed."),
                            optional("timeout", number, "That time out."),
                            optional("nodedown", number, "That end because the peer goes down."),
                            optional("total", comparison_shape(Quantity::count), "How many there are."),
                            optional("results", names(number, accept, ".+"), "By any result, as recorded.")}),
               "What becomes of `call`, `rpc`, `erpc` and `spawn`."),
           {}},
          {required("pings",
                    with_window({between(), optional("pong", number, "Number or share that is answered."),
                                 optional("pang", number, "That fails."),
                                 optional("total", comparison_shape(Quantity::count), "How many there are.")}),
                    "What becomes of `connect`."),
           {}},
          {required("event",
                    with_window({
                        required("kind", choice_shape("a kind of event", event_kinds()), "As recorded."),
                        optional("at", node_shape_name(), "Who recorded it.", "anybody"),
                        optional("subject", word(), "What it is about.", "anything"),
                        optional("fields", names(comparison_shape(Quantity::field), accept, ".+"),
                                 "Field and text, number or comparison; fields ending in `_ns` are durations."),
                        optional("count", comparison_shape(Quantity::count), "How many.", ">= 1"),
                    }),
                    "Any recorded event."),
           {}},
      });
}

std::vector<Key> resolved_keys() {
  return {
      required("name", with_check(text_shape("text"), check_scenario_name, "[a-z0-9_-]+"), "Its short name."),
      optional("summary", text_shape("text"), "What it shows, in a sentence."),
      required("duration", duration_shape(), "How long it runs. 1ms at least."),
      optional("pcap", any_of({boolean_shape(), list_of(pattern_shape(), 1)}),
               "Capture packets: of these nodes' machines, or `true` for all.", "false"),
      required("sites", names(site(), check_site_or_node, name_pattern), "Places with machines."),
      optional("default_path", link_properties(), "Between sites that `paths` does not name."),
      optional("paths", names(link_properties(), check_path_name, "[A-Za-z][A-Za-z0-9_]* *->? *[A-Za-z][A-Za-z0-9_]*"),
               "The wide area between two sites: `home-office` for both directions, `home -> office` for one. What one "
               "leaves out comes from `default_path`."),
      optional("node_defaults", object(node_keys()), "Merged into each node, which may say otherwise."),
      required("nodes", names(node(), check_site_or_node, name_pattern), "Erlang nodes."),
      optional("workload", list_of(action()), "What the nodes do."),
      optional("faults", list_of(fault()), "What happens to them."),
      optional("expect", list_of(expectation()), "What must hold."),
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

const Shape& scenario_shape() {
  static const Shape shape = whole_file();
  return shape;
}

const Shape& resolved_shape() {
  static const Shape shape = object(resolved_keys());
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
                                              "message_sent",
                                              "message_received",
                                              "monitor_down",
                                              "link_exit",
                                              "group_changed",
                                              "global_changed",
                                              "epmd_registered",
                                              "epmd_lookup"};
  return kinds;
}

}  // namespace distlab::scenario
