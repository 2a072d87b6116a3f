// Events written short, for tests.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "results/records.h"

namespace distlab::results {

inline int64_t seconds(double s) {
  return static_cast<int64_t>(std::llround(s * 1e9));
}

inline EventRecord event(double at_s, std::string host, std::string subject, std::string kind,
                         std::vector<std::pair<std::string, Value>> fields = {}) {
  return {seconds(at_s), std::move(host), std::move(subject), std::move(kind), std::move(fields)};
}

inline EventRecord node_up(double at_s, const std::string& host, const std::string& peer, double setup_s = 0.05) {
  return event(at_s, host, peer, "node_up", {{"direction", std::string("out")}, {"setup_ns", seconds(setup_s)}});
}

inline EventRecord node_down(double at_s, const std::string& host, const std::string& peer,
                             const std::string& reason = "net_tick_timeout") {
  return event(at_s, host, peer, "node_down", {{"reason", reason}});
}

inline EventRecord sent(double at_s, const std::string& from, const std::string& to, int64_t seq) {
  return event(at_s, from, from + "->" + to, "message_sent", {{"seq", seq}});
}

inline EventRecord received(double at_s, const std::string& from, const std::string& to, int64_t seq,
                            double latency_s = 0.02) {
  return event(at_s, to, from + "->" + to, "message_received", {{"seq", seq}, {"latency_ns", seconds(latency_s)}});
}

inline EventRecord call_done(double at_s, const std::string& from, const std::string& to, const std::string& result,
                             double elapsed_s) {
  return event(at_s, from, from + "->" + to, "call_done",
               {{"id", int64_t{1}},
                {"result", result},
                {"elapsed_ns", seconds(elapsed_s)},
                {"started_ns", seconds(at_s - elapsed_s)}});
}

inline EventRecord eval_done(double at_s, const std::string& node, const std::string& result, const std::string& value,
                             double elapsed_s) {
  return event(at_s, node, node, "eval_done",
               {{"id", int64_t{1}},
                {"result", result},
                {"value", value},
                {"elapsed_ns", seconds(elapsed_s)},
                {"started_ns", seconds(at_s - elapsed_s)}});
}

inline EventRecord fault(double at_s, const std::string& target, const std::string& what, const std::string& id,
                         std::string detail = "") {
  return event(at_s, "network", target, "fault", {{"fault", what}, {"detail", std::move(detail)}, {"id", id}});
}

}  // namespace distlab::results
