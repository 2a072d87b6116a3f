// Processes of the workload that wait for something to end.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "models/process/process.h"

namespace distlab::workload {

// Monitors {Name, Peer}, records monitor_down, and ends.
class MonitorWatcher final : public process::Process {
 public:
  explicit MonitorWatcher(process::RemoteName target) : target_(std::move(target)) {}

 protected:
  void on_start() override { monitor(target_); }
  void on_message(const etf::Term&) override {}
  void on_down(const process::Down& down) override;

 private:
  const process::RemoteName target_;
};

// Spawns a process at the peer that only sleeps, links to it, records link_exit when the link breaks
// or could not be made, and ends.
class LinkWatcher final : public process::Process {
 public:
  explicit LinkWatcher(std::string peer) : peer_(std::move(peer)) {}

 protected:
  void on_start() override;
  void on_message(const etf::Term&) override {}
  void on_spawn_reply(const etf::Ref& request, const etf::Term& result) override;
  void on_exit_signal(const etf::Pid& from, const etf::Term& reason) override;

 private:
  void finish(const std::string& target, const etf::Term& reason);

  const std::string peer_;
};

// spawn_request with monitor: from the request until the child has ended.
class SpawnClient final : public process::Process {
 public:
  using Done = std::function<void(std::string_view result)>;  // "ok", "timeout", "nodedown", "error"
  SpawnClient(std::string peer, std::optional<Duration> timeout, Done done)
      : peer_(std::move(peer)), timeout_(timeout), done_(std::move(done)) {}

 protected:
  void on_start() override;
  void on_message(const etf::Term&) override {}
  void on_spawn_reply(const etf::Ref& request, const etf::Term& result) override;
  void on_down(const process::Down& down) override;

 private:
  void finish(std::string_view result);

  const std::string peer_;
  const std::optional<Duration> timeout_;
  const Done done_;
  etf::Ref request_;
};

// A process to join groups and have names with.
class Member final : public process::Process {
 protected:
  void on_message(const etf::Term&) override {}
};

}  // namespace distlab::workload
