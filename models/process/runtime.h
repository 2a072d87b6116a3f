// The processes of one node: their table, their names, and the signals between them and those of
// other nodes.
//
// Incoming control messages are handled as erts_net_message (erts/emulator/beam/dist.c) does:
// what is addressed to a process that does not exist is dropped, or answered with noproc where the
// protocol has an answer. Nothing a peer sends can end the runtime; what exceeds a limit is dropped
// and recorded as a log event.
//
// Signals keep their order per pair of processes. A connection that goes down, or cannot be set
// up, fires every monitor of something on that node with noconnection and ends every link to it
// with noconnection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/process/distribution.h"
#include "models/process/functions.h"
#include "models/process/process.h"

namespace distlab::process {

struct Limits {
  size_t processes = 262'144;      // +P of OTP
  size_t mailbox = 100'000;        // messages waiting for one process; OTP knows no such limit
  size_t watchers = 100'000;       // monitors and links others have set on one process, each
  size_t suspended_work = 10'000;  // operations one suspended process may have waiting
};

class Runtime final : public DistributionListener {
 public:
  // Both must outlive the runtime.
  Runtime(Host& host, Distribution& distribution, Limits limits = {});
  ~Runtime() override;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Starts a process; on_start runs from the loop, not inside this call. Nothing when the process
  // limit is reached.
  std::optional<Pid> spawn(std::unique_ptr<Process> process);
  // The same, to keep a handle. The object lives until the process exits: check alive() first.
  template <typename P, typename... Args>
  P* spawn(Args&&... args) {
    auto process = std::make_unique<P>(std::forward<Args>(args)...);
    P* handle = process.get();
    return spawn(std::unique_ptr<Process>(std::move(process))) ? handle : nullptr;
  }

  bool alive(const Pid& pid) const;
  size_t process_count() const { return processes_.size(); }
  // erlang:register/2: false if the name is taken, the process is dead or already has a name.
  bool register_name(const std::string& name, const Pid& pid);
  bool unregister_name(const std::string& name);
  std::optional<Pid> whereis(const std::string& name) const;
  Ref make_ref();

  // What peers may run here by rpc, erpc and spawn_request.
  FunctionTable& functions() { return functions_; }

  // A message from nobody in particular, as from a shell.
  void send(const Destination& to, Term message);
  // exit/2 from nobody in particular.
  void exit_process(const Pid& pid, Term reason);

  Host& host() { return host_; }
  Distribution& distribution() { return distribution_; }
  const std::string& node() const { return distribution_.self(); }
  void log(std::string_view level, const std::string& subject, std::string text);

  // DistributionListener
  void on_message(const std::string& peer, dist::Message message) override;
  void on_node_up(const std::string& peer, bool visible) override;
  void on_node_down(const std::string& peer, std::string_view reason) override;
  void on_connect_failed(const std::string& peer) override;
  void on_resume(const std::string& peer) override;

 private:
  friend class Process;
  class Activity;  // while one exists, code of this node runs

  Process* find(const Pid& pid) const;
  Process* find_number(uint32_t number) const;
  Process* find(const dist::ProcessName& name) const;
  uint64_t number_of(const Ref& ref) const;  // 0: not a reference of ours
  Ref ref_of(uint64_t number) const;
  bool local(const std::string& node_name) const { return node_name == node(); }
  bool reachable(const std::string& peer) const;  // connected, or being connected

  void enqueue(Process& process, Process::Signal signal);
  void make_runnable(Process& process);
  void finish(bool at_loop);  // ends the outermost activity
  void run();
  void resume(Process& process);
  void release(const std::string& peer);  // resumes all that `peer` has suspended
  void suspend(Process& process, const std::string& peer);

  enum class Sent { yes, no, unsupported };
  Sent transmit(Process* sender, const std::string& peer, dist::Message message, SendOptions options = {});

  // The operations of processes, once it is their turn.
  void do_send(Process* from, const Destination& to, Term message, SendOptions options);
  void do_monitor(Process& process, uint64_t number);
  // `caller`: the process itself, which a busy peer suspends once the word is queued (dist.c: erts_dsig_send_demonitor
  // with no_suspend 0); null when the monitor ends by itself.
  void do_demonitor(Process& process, uint64_t number, Process* caller);
  void do_link(Process& process, const Pid& pid);
  void do_unlink(Process& process, const Pid& pid);
  void do_exit_other(Process* from, const Pid& pid, Term reason);
  void do_spawn_request(Process& process, uint64_t number, dist::SpawnRequest request, Term arguments);
  void terminate(Process& process, const Term& reason);
  void tell_watchers(Process& process, const Term& reason);
  void tell_linked(Process& process, const Term& reason);
  void forget_observations(Process& process);

  void deliver(Process* to, Term message);
  void deliver_alias(const Ref& alias, Term message);
  void fire_monitor(Process& process, uint64_t number, Term reason);
  void exit_signal(Process& process, const Pid& from, const Term& reason, bool by_link);
  void spawn_failed(Process& process, uint64_t number, std::string_view reason);
  void connection_lost(const std::string& peer, const std::string& reason);
  void lose_connection(Process& process, const std::string& peer);
  template <typename Action>
  void for_each_process(const Action& action);
  void send_noproc(const dist::MonitorP& message);
  void start_spawned(const dist::SpawnRequest& request, std::unique_ptr<Process> process, bool links, bool monitors);
  void reply_to_spawn(const dist::SpawnRequest& request, uint32_t flags, Term result);

  // One per kind of control message. False: the sender is not who it claims to be, or the payload
  // is missing.
  bool receive(const std::string& peer, dist::Link& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::Send& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::RegSend& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::GroupLeader& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::SendSender& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::MonitorP& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::DemonitorP& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::MonitorPExit& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::Exit& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::Exit2& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::SpawnRequest& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::SpawnReply& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::AliasSend& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::UnlinkId& message, std::optional<Term>& payload);
  bool receive(const std::string& peer, dist::UnlinkIdAck& message, std::optional<Term>& payload);

  Host& host_;
  Distribution& distribution_;
  const Limits limits_;
  FunctionTable functions_;
  Timer run_timer_;
  int active_ = 0;
  uint32_t next_number_;
  uint64_t next_ref_ = 1;
  uint64_t next_unlink_ = 1;
  std::map<uint32_t, std::unique_ptr<Process>> processes_;
  std::vector<std::unique_ptr<Process>> exited_;  // until no handler of theirs can be running
  std::map<std::string, Pid> names_;
  std::map<uint64_t, uint32_t> aliases_;  // reference number -> process number
  std::set<std::string> connecting_;      // peers sent to, with no connection known yet
  std::set<std::string> visible_;         // peers told of by on_node_up as visible
  std::deque<uint32_t> suspended_;        // process numbers, in the order of suspension
  std::deque<uint32_t> run_queue_;
};

}  // namespace distlab::process
