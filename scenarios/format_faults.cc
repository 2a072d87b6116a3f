// The entries of `faults`.
#include <utility>

#include "scenarios/format_parts.h"
#include "scenarios/scalars.h"

namespace distlab::scenario::table {

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
          {required("kill", node_shape_name(), "`SIGKILL` of a node or relay; with `for`, started again after it."),
           {lasts}},
          {required("start", node_shape_name(), "Starts a process that is not running."), {}},
          {required("freeze", node_shape_name(), "`SIGSTOP`: the process stands still, its machine's kernel goes on."),
           {lasts}},
          {required("thaw", node_shape_name(), "`SIGCONT`."), {}},
          {required("shutdown", node_shape_name(),
                    "A relay says goodbye to its peers and ends; with `for`, started again after it."),
           {lasts}},
          {required("wedge", node_shape_name(), "A relay goes on hearing, and answers nothing."), {lasts}},
          {required("unwedge", node_shape_name(), "Ends `wedge`."), {}},
          {required("kill_client", node_shape_name(),
                    "The mesh client of a node dies, the node lives on; with `for`, a new one is registered after it."),
           {lasts}},
          {required("start_client", node_shape_name(), "Registers a new mesh client, as `register_mesh_client/1`."),
           {}},
          {required("tunnel_message", pair_shape(),
                    "Something happens to one message of the tunnel between two nodes."),
           {required("harm", choice_shape("a harm", {"drop", "duplicate", "swap", "replay", "corrupt"}),
                     "What: `swap` is with the next one of its tunnel, `replay` a second time behind it."),
            optional("nth", integer_shape(1, 1'000'000'000), "Which: 1 is the next one after `at`.", "1")}},
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

}  // namespace distlab::scenario::table
