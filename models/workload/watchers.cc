#include "models/workload/watchers.h"

#include <utility>

#include "models/host/event_kinds.h"

namespace distlab::workload {
namespace {

using etf::Term;

constexpr int64_t longest_sleep_ms = 0xffffffff;  // 49 days, what `after` takes

Term normal() {
  return etf::atom("normal");
}

std::string_view result_of(const Term& reason) {
  return reason.is_atom("noconnection") ? "nodedown" : "error";
}

}  // namespace

void MonitorWatcher::on_down(const process::Down& down) {
  const std::string target = target_.name + " at " + target_.node;
  host().record({kinds::monitor_down, target_.node, {{"target", target}, {"reason", down.reason.to_string()}}});
  exit(normal());
}

void LinkWatcher::on_start() {
  trap_exit(true);
  spawn_request(peer_, "timer", "sleep", {Term(longest_sleep_ms)}, process::SpawnReplies::yes);
}

void LinkWatcher::on_spawn_reply(const etf::Ref&, const Term& result) {
  if (const auto* pid = result.as<etf::Pid>()) return link(*pid);
  finish("timer:sleep at " + peer_, result);
}

void LinkWatcher::on_exit_signal(const etf::Pid& from, const Term& reason) {
  finish(Term(from).to_string(), reason);
}

void LinkWatcher::finish(const std::string& target, const Term& reason) {
  host().record({kinds::link_exit, peer_, {{"target", target}, {"reason", reason.to_string()}}});
  exit(normal());
}

void SpawnClient::on_start() {
  request_ = spawn_request(peer_, "erlang", "node", {}, process::SpawnReplies::yes);
  if (!timeout_) return;
  start_timer(*timeout_, [this] {
    abandon(request_);
    finish("timeout");
  });
}

void SpawnClient::on_spawn_reply(const etf::Ref&, const Term& result) {
  if (!result.as<etf::Pid>()) finish(result_of(result));
}

void SpawnClient::on_down(const process::Down& down) {
  finish(down.reason.is_atom("normal") ? "ok" : result_of(down.reason));
}

void SpawnClient::finish(std::string_view result) {
  exit(normal());
  done_(result);
}

}  // namespace distlab::workload
