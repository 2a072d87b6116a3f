// The entries of `expect`.
#include <utility>

#include "scenarios/format_parts.h"
#include "scenarios/scalars.h"

namespace distlab::scenario::table {
namespace {

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

}  // namespace

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

}  // namespace distlab::scenario::table
