// distlab-daemon: the daemons of distlab, without its simulator. `distlab relay` and `distlab agent` run it.
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "real/daemon/commands.h"
#include "real/daemon/exit_codes.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app{"The daemons of distlab", "distlab"};
  app.require_subcommand(1);
  int code = distlab::daemon::exit_ok;
  distlab::daemon::add_relay(app, code);
  distlab::daemon::add_agent(app, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? distlab::daemon::exit_ok : distlab::daemon::exit_usage;
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "distlab: internal error: %s\n", error.what());
  } catch (...) {
    std::fputs("distlab: internal error\n", stderr);
  }
  return distlab::daemon::exit_internal;
}
