// The command lines of `distlab relay` and `distlab agent`.
#pragma once

namespace CLI {
class App;
}

namespace distlab::daemon {

// Each adds itself to the command line and, when chosen, leaves its exit code in `code`.
void add_relay(CLI::App& app, int& code);
void add_agent(CLI::App& app, int& code);

}  // namespace distlab::daemon
