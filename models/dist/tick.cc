#include "models/dist/tick.h"

namespace distlab::dist {

// dist_util:send_tick/2 and need_to_tick/4, clause by clause.
TickAction TickCounter::on_tick(const TickStats& stats) {
  const uint32_t now = tick_ + 1;
  const bool read_nothing = stats.received_frames == read_;
  if (read_nothing && ticked_ == now) return TickAction::not_responding;

  const bool idle = stats.sent_frames == write_ && stats.pending_bytes == 0;
  const bool write_tick = idle || (hidden_ && read_nothing);

  // The tick about to be written is counted in advance.
  write_ = stats.sent_frames + (write_tick ? 1 : 0);
  read_ = stats.received_frames;
  if (!read_nothing) ticked_ = now;
  tick_ = now % intensity_;
  return write_tick ? TickAction::write_tick : TickAction::nothing;
}

// dist_util:send_aux_tick/2.
bool TickCounter::on_aux_tick(const TickStats& stats) const {
  return hidden_ || stats.pending_bytes == 0;
}

}  // namespace distlab::dist
