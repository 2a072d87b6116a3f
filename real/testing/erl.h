// A real Erlang node for tests: starts `erl`, evaluates expressions in it, collects what it logs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "real/asio_host.h"

namespace distlab::real {

struct ErlOptions {
  std::string name;  // "beam@beam.test"; empty: a node without distribution
  std::string cookie;
  std::vector<std::string> host_names;  // all at 127.0.0.1
  uint16_t epmd_port = 4369;            // where an EPMD already listens
  std::vector<std::string> kernel;      // "net_ticktime 4", ...
};

// A node that reads expressions from its standard input, one at a time, in one process that lives
// as long as the node: variables stay bound and messages stay in its mailbox from one expression to
// the next. The node ends with this object, or with the test's process.
class Erl {
 public:
  // The loop runs while the node is waited for, so that models on it can answer.
  Erl(AsioLoop& loop, const ErlOptions& options);
  ~Erl();
  Erl(const Erl&) = delete;
  Erl& operator=(const Erl&) = delete;

  // The value as ~0p prints it, or "Class: Reason". Fails the test, and is empty, when nothing came
  // within the limit. The expression ends with a full stop.
  std::string eval(const std::string& expression, Duration limit = std::chrono::seconds{10});
  // In two steps, to do something while the node is busy.
  void start_eval(const std::string& expression);
  std::optional<std::string> result();  // of what was started, once it is there
  // What the node has printed besides, less empty lines: its log.
  const std::string& log();
  void kill();  // SIGKILL

 private:
  void read();

  AsioLoop& loop_;
  std::filesystem::path home_;
  pid_t pid_ = -1;
  int to_ = -1, from_ = -1;
  std::string input_;  // an unfinished line
  std::string log_;
  std::optional<std::string> result_;
};

}  // namespace distlab::real
