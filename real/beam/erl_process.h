// A BEAM as a child of this process: started with what a scenario says of its node, in our process group, so
// that whoever freezes or kills us does it to both.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "models/host/endpoint.h"
#include "real/asio_host.h"
#include "real/lab/spawn.h"
#include "scenarios/scenario.h"

namespace distlab::beam {

struct ErlCommand {
  std::vector<std::string> arguments;    // of `erl`
  std::vector<std::string> environment;  // "NAME=value"
  std::string inetrc;                    // the text of the file ERL_INETRC names; empty: none
};

// How the BEAM reaches the rest of us.
struct ErlSurroundings {
  std::string applications;    // folder with macula/ebin and distlab_probe/ebin
  Endpoint probe;              // where the probe is to connect to
  std::string inetrc;          // see ErlCommand
  uint16_t epmd_port = 0;      // 0: it has none
  Endpoint agent;              // of the carrier macula
  bool loopback_only = false;  // its listener
};

ErlCommand erl_command(const scenario::Node& node, const ErlSurroundings& surroundings);

class ErlProcess {
 public:
  // `ended` is told once, from the loop, with a line that says how and what it printed last. Not when destroyed.
  ErlProcess(real::AsioLoop& loop, const ErlCommand& command, std::function<void(const std::string& why)> ended);
  ~ErlProcess();  // SIGKILL
  ErlProcess(const ErlProcess&) = delete;
  ErlProcess& operator=(const ErlProcess&) = delete;

  int pid() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace distlab::beam
