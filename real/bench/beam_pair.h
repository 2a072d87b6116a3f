// Two BEAMs on this machine and a way from one to the other: everything that runs for one of the ways that are
// compared. The processes die with their handles, and leave no file: what they read is in memory (memfd_create(2)).
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/etf/term.h"
#include "models/host/time.h"
#include "real/bench/beam_link.h"
#include "real/lab/spawn.h"

namespace distlab::bench {

enum class Way {
  tcp,         // OTP's inet_tcp_dist
  tls,         // OTP's inet_tls_dist, both sides verified
  macula,      // carrier macula, agent, relay, agent
  unmodified,  // the same for BEAMs that know nothing of it: the agent plays EPMD and listener
};
inline constexpr std::array all_ways{Way::tcp, Way::tls, Way::macula, Way::unmodified};
std::string_view to_string(Way way);

// Where the programs are.
struct BeamPrograms {
  std::string daemon;        // distlab-daemon
  std::string applications;  // folder with the Erlang applications, macula/ebin and distlab_bench/ebin
};

// The processes of a way, by what they do.
enum class Part { near_beam, near_agent, relay, far_agent, far_beam };
inline constexpr std::array all_parts{Part::near_beam, Part::near_agent, Part::relay, Part::far_agent, Part::far_beam};
std::string_view to_string(Part part);
using PartTimes = std::array<Duration, all_parts.size()>;  // CPU time, in the order of all_parts; 0: there is none

class BeamPair {
 public:
  // The two are connected when it returns. Errors are one line, with what the process that failed printed.
  static lab::Result<std::unique_ptr<BeamPair>> start(Way way, const BeamPrograms& programs, const Patience& patience);

  const std::string& far_name() const { return far_.name; }
  // Of the near node.
  lab::Result<etf::Term> ask(const etf::Term& order, Duration limit, const Patience& patience);
  PartTimes cpu() const;  // since their start

 private:
  // A process and what it has printed.
  struct Running {
    std::optional<lab::Child> child;
    lab::Fd output;
    lab::Fd input;  // its standard input, which it watches
    std::string printed() const;
  };
  struct Node {
    std::string name, host;
    std::string address;  // of its listener, if it has one
    Part beam, agent;
    std::optional<BeamLink> link;
    std::string agent_address = {};
  };

  BeamPair(Way way, BeamPrograms programs);
  bool relayed() const { return way_ == Way::macula || way_ == Way::unmodified; }
  Running& running(Part part) { return running_[static_cast<size_t>(part)]; }
  lab::Result<void> start_relay(const Patience& patience);
  lab::Result<void> start_agent(Node& node, const Node& peer, const Patience& patience);
  lab::Result<void> start_beam(Node& node, const Patience& patience);
  std::vector<std::string> carrier_flags(const Node& node) const;
  lab::Result<void> add_certificate(const Node& node, lab::Command& command);
  lab::Result<void> add_file(const std::string& text, lab::Command& command, std::string& path);
  lab::Result<void> launch(Part part, lab::Command command, bool with_input);
  lab::Result<std::string> await_line(Part part, std::string_view beginning, const Patience& patience);
  Patience watched(const Patience& patience);
  std::string explain(const std::string& error) const;

  const Way way_;
  const BeamPrograms programs_;
  uint16_t port_ = 0;  // both listeners of the ways without agents, each on its address
  std::string relay_;  // HOST:PORT
  Node near_, far_;
  std::array<Running, all_parts.size()> running_;
  std::vector<lab::Fd> files_;  // read while BEAMs start
};

}  // namespace distlab::bench
