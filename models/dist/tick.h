// The tick algorithm: who writes a tick when, and who is not responding.
//
// Source: dist_util:send_tick/2, need_to_tick/4 and send_aux_tick/2 of OTP 25.2.3. The owner calls
// on_tick() for every `tick` its net_kernel sends to connection processes (each
// net_ticktime / net_tickintensity), including those that piled up while the handshake ran.
#pragma once

#include <cstdint>

namespace distlab::dist {

// inet:getstat(Socket, [recv_cnt, send_cnt, send_pend]) of the connection. Whole frames, handshake
// packets included; a frame counts as sent when it was handed to the socket's driver.
struct TickStats {
  uint64_t received_frames = 0;
  uint64_t sent_frames = 0;
  uint64_t pending_bytes = 0;  // handed over but not yet taken by the stream
};

enum class TickAction {
  nothing,
  write_tick,      // write one empty frame now
  not_responding,  // log, and take the connection down with net_tick_timeout
};

class TickCounter {
 public:
  // `intensity`: net_tickintensity, 4..1000. `hidden`: the connection's type, from the flags agreed.
  TickCounter(uint32_t intensity, bool hidden) : intensity_(intensity), hidden_(hidden) {}

  TickAction on_tick(const TickStats& stats);
  // net_kernel's aux_tick while net_ticktime is being changed: whether to write a tick.
  bool on_aux_tick(const TickStats& stats) const;

 private:
  uint32_t intensity_;
  bool hidden_;
  // #tick{}: con_loop/2 starts with all zeros, so that the handshake's packets count as news.
  uint64_t read_ = 0;
  uint64_t write_ = 0;
  uint32_t tick_ = 0;
  uint32_t ticked_ = 0;
};

}  // namespace distlab::dist
