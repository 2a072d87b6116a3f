// The processes of a scenario in the hosts of a lab: started, killed, frozen, told things, and listened to.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/host/event.h"
#include "models/host/event_kinds.h"
#include "real/actor/command.h"
#include "real/actor/plan.h"
#include "real/ground/courier.h"
#include "real/ground/loop.h"
#include "real/ground/wan.h"
#include "real/lab/lab.h"
#include "scenarios/cast/parts.h"
#include "scenarios/scenario.h"

namespace distlab::ground {

class Processes {
 public:
  struct Settings {
    const scenario::Scenario& scenario;
    std::string text;  // of the scenario, for the plans (scenario::Variant::canonical)
    uint64_t seed = 1;
    std::set<std::string> quiet_kinds = {};
    std::string qlog_directory = {};  // "" for none
    std::string actor_program = {};   // distlab-actor
    int nice = 0;                     // of the processes
    uint32_t runs_at_once = 1;        // that share this machine
  };

  // All must outlive it. `broken` is told once of what must not happen: a process that cannot be started,
  // or that ends by itself.
  Processes(Loop& loop, lab::Lab& lab, const Wan& wan, Courier& courier, Settings settings,
            std::function<void(std::string why)> broken);
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  const std::vector<cast::Part>& parts() const { return parts_; }

  // As sim::Process has them; the key is that of a part.
  void start(const std::string& key);
  // The same in two steps: the process runs, and waits for its time; it is recorded as started.
  void prepare(const std::string& key);
  void announce(const std::string& key) { record_life(at(key), kinds::process_started); }
  bool ready(const std::string& key) const;  // it has booted
  std::function<void(const std::string& key)> on_ready;
  std::function<void(const std::string& why)> on_late;  // a process could not keep up with the scenario
  void kill(const std::string& key);
  void freeze(const std::string& key);
  void thaw(const std::string& key);
  void tell(const std::string& key, const actor::Command& command);
  void shut_down(const std::string& key);
  void harm(const std::string& key, const std::string& peer, scenario::MessageHarm harm, uint64_t nth);

  // The run ends: all that are not frozen say what only counts, and when all have, they end. Frozen ones
  // are killed. `done` when nobody is left; who is left after `limit` is broken.
  void finish(Duration limit, std::function<void()> done);
  // How late processes were woken for their timers, of those that have ended by themselves.
  const real::Lateness& woken() const { return woken_; }

  // An event of the ground itself, about one of its processes or about "network".
  void record(std::string_view host, const Event& event);
  // Names of the sources of messages: parts in their order, then "network".
  static std::vector<std::string> sources(const std::vector<cast::Part>& parts);

 private:
  struct Process {
    const cast::Part* part = nullptr;
    uint32_t source = 0;
    uint32_t lives = 0;
    std::optional<lab::Child> child = {};
    lab::Fd events = {}, control = {};
    bool frozen = false;
    bool leaving = false;  // it was asked to end
    bool ready = false;
    bool finished = false;                              // its events have all come
    std::map<uint64_t, actor::HarmMessage> harms = {};  // not done yet
  };
  struct Ends;  // of the channels of a new process

  void record_life(const Process& process, std::string_view kind);

  Process& at(const std::string& key) { return processes_.at(key); }
  lab::Result<void> launch(Process& process);
  lab::Result<void> listen(Process& process);
  actor::Plan plan_of(const Process& process) const;
  bool read_events(Process& process);  // false: there was nothing
  bool read_report(Process& process);  // false: there was none
  void exited(Process& process);
  void bury(Process& process);
  void close_events(Process& process);
  void close_control(Process& process);
  void fail(std::string why);
  void check_finished();
  void dismiss();

  Loop& loop_;
  lab::Lab& lab_;
  const Wan& wan_;
  Courier& courier_;
  const Settings settings_;
  std::function<void(std::string)> broken_;
  const std::vector<cast::Part> parts_;
  std::map<std::string, Process> processes_;
  std::map<std::string, Ipv4> hosts_;
  real::Lateness woken_;
  uint64_t last_harm_ = 0;
  std::function<void()> finished_;  // to be told when nobody is left; set when the run ends
  bool dismissed_ = false;          // all were allowed to end
};

}  // namespace distlab::ground
