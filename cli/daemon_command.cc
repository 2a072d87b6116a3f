// `distlab relay` and `distlab agent`: the program distlab-daemon, which stands beside this one and knows
// nothing of simulation, takes over. `distlab erl` and `distlab iex`: the shell that distlab-erl starts.
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/beside.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"

namespace distlab::cli {
namespace {

// Returns only when it fails.
int become(const std::string& name, const std::string& command, std::vector<std::string> arguments) {
  const std::string program = beside_us(name);
  arguments.insert(arguments.begin(), {"distlab", command});
  std::vector<char*> words;
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  ::execv(program.c_str(), words.data());
  fmt::print(stderr, "distlab: cannot run {}: {}\n", program, std::strerror(errno));
  return exit_internal;
}

void add_program(CLI::App& app, int& code, const std::string& program, const std::string& name,
                 const std::string& help) {
  CLI::App* const command = app.add_subcommand(name, help);
  command->set_help_flag();   // the program has its own
  command->prefix_command();  // takes all that follows as it stands
  command->callback([command, program, name, &code] { code = become(program, name, command->remaining()); });
}

}  // namespace

void add_daemon_commands(CLI::App& app, int& code) {
  add_program(app, code, "distlab-daemon", "relay", "Run a relay on real sockets, or ask one that runs");
  add_program(app, code, "distlab-daemon", "agent", "Run a node on real sockets, or ask one that runs");
  add_program(app, code, "distlab-erl", "erl", "An Erlang shell whose distribution goes over relays");
  add_program(app, code, "distlab-erl", "iex", "The same with Elixir's shell");
}

}  // namespace distlab::cli
