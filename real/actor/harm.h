// HarmMessage as part of a document: in a command, and in the plan of a process that is started again.
#pragma once

#include "real/actor/command.h"
#include "real/actor/document.h"

namespace distlab::actor {

Json harm_to_json(const HarmMessage& harm);
HarmMessage read_harm(DocumentReader& in);  // complains there

}  // namespace distlab::actor
