// What may be sent to a peer that lacks a capability.
#pragma once

#include "models/dist/control.h"
#include "models/dist/flags.h"

namespace distlab::process {

// Turns SEND_SENDER into SEND where the peer knows only that. False: the peer has no word for the
// message, and it is not sent (erts/emulator/beam/dist.c, erts_dsig_send_* and transcode_dist_obuf;
// facts otp-distribution.md section 3, "missing flag"):
//   monitor by name without DIST_MONITOR_NAME  the monitor only watches the connection
//   SPAWN_REQUEST without SPAWN                the spawn fails with notsup
//   alias send without ALIAS                   the message is lost
// A net_kernel applies it also to what was queued before the peer's flags were known.
bool fit_to_peer(dist::Message& message, dist::Flags peer_flags);

}  // namespace distlab::process
