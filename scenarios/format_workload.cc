// The entries of `workload`.
#include <utility>

#include "scenarios/format_parts.h"
#include "scenarios/scalars.h"

namespace distlab::scenario::table {
namespace {

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

}  // namespace

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
          {required("eval", node_patterns(), "A BEAM node evaluates Erlang; `eval_done` says what came of it."),
           {required("code", text_shape("Erlang expressions"), "Expressions, as in the shell: `mnesia:start().`"),
            optional("timeout", timeout_shape(), "After which the evaluation is ended.", "1m")}},
      });
}

}  // namespace distlab::scenario::table
