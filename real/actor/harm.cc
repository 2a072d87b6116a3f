#include "real/actor/harm.h"

namespace distlab::actor {

Json harm_to_json(const HarmMessage& harm) {
  return {
      {"id", harm.id}, {"peer", harm.peer}, {"harm", std::string(scenario::to_string(harm.harm))}, {"nth", harm.nth}};
}

HarmMessage read_harm(DocumentReader& in) {
  using scenario::MessageHarm;
  HarmMessage out{in.number("id"), in.text("peer"), MessageHarm::drop, in.number("nth")};
  if (out.nth == 0) in.complain("'nth' counts from 1");
  const std::string name = in.text("harm");
  for (const auto harm :
       {MessageHarm::drop, MessageHarm::duplicate, MessageHarm::swap, MessageHarm::replay, MessageHarm::corrupt}) {
    if (name != scenario::to_string(harm)) continue;
    out.harm = harm;
    return out;
  }
  in.complain("no message can be harmed by '" + mesh::shortened(name) + "'");
  return out;
}

}  // namespace distlab::actor
