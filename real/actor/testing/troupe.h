// A small coordinator for tests: starts real processes of a scenario on loopback addresses, collects their
// events, tells them what to do. All of them die with the test.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "real/actor/command.h"
#include "real/actor/event_codec.h"
#include "real/actor/plan.h"

namespace distlab::actor {

uint16_t free_udp_port();
uint16_t free_tcp_port();

class Troupe {
 public:
  using Limit = std::chrono::nanoseconds;

  // The run begins now.
  Troupe(std::string scenario, std::map<std::string, Ipv4> hosts);
  ~Troupe();
  Troupe(const Troupe&) = delete;
  Troupe& operator=(const Troupe&) = delete;

  // A plan as a coordinator would make it, and a process that plays it. A second start is its next life.
  Plan plan(const std::string& key, Ipv4 address) const;
  void start(const std::string& key, Ipv4 address);
  void start(const std::string& key, const std::vector<uint8_t>& plan);

  bool tell(const std::string& key, const Command& command);
  bool tell_bytes(const std::string& key, const std::string& bytes);
  void signal(const std::string& key, int number);
  void hang_up(const std::string& key);         // closes the control socket
  void stop_listening(const std::string& key);  // closes the event pipe
  // Reads until it holds; false when it does not within the limit.
  bool until(const std::function<bool()>& done, Limit limit = std::chrono::seconds{20});
  // Waits for the end of the process and reads all it has left: its exit code, or minus the signal.
  int end(const std::string& key);

  // Of all lives of the process; an empty kind: any.
  std::vector<results::EventRecord> events(std::string_view host, std::string_view kind) const;
  size_t count(std::string_view host, std::string_view kind) const { return events(host, kind).size(); }
  bool seen(const std::string& key, std::string_view kind, size_t n = 1) {
    return until([&] { return count(key, kind) >= n; });
  }
  size_t incomplete(const std::string& key) const { return processes_.at(key).reader->incomplete(); }
  bool silent(const std::string& key) const { return processes_.at(key).events < 0; }  // its event pipe has ended
  bool ready(const std::string& key) const { return processes_.at(key).ready; }
  const std::vector<Harmed>& harmed() const { return harmed_; }
  const std::optional<Woken>& woken(const std::string& key) const { return processes_.at(key).woken; }
  std::string log(const std::string& key) const;  // what it has written to standard error

 private:
  struct Running {
    pid_t pid = -1;
    int events = -1, control = -1, log = -1;
    uint32_t lives = 0;
    bool ready = false;
    std::optional<Woken> woken;
    std::unique_ptr<EventReader> reader;
  };

  bool read(Limit limit);
  void read_events(Running& from);
  void read_reports(Running& from);

  const std::string scenario_;
  const std::map<std::string, Ipv4> hosts_;
  const std::chrono::nanoseconds origin_;
  std::map<std::string, Running> processes_;
  std::vector<results::EventRecord> events_;
  std::vector<Harmed> harmed_;
};

}  // namespace distlab::actor
