#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/version.h"

namespace distlab::cli {
namespace {

int run(int argc, char** argv) {
  CLI::App app{"distlab: a laboratory for Erlang distribution, on simulated and real networks", "distlab"};
  app.set_version_flag("--version", build_versions() + ", commit " + build_commit());
  app.require_subcommand(1);
  app.footer(
      "First steps:\n"
      "  distlab run scenarios/quickstart.yaml     run a scenario, say what held, write a report\n"
      "  distlab check my.yaml                     find mistakes in a scenario without running it\n"
      "  distlab run FILE --repeat 200             the same with 200 seeds, on all cores\n"
      "  distlab compare FILE --grounds sim,emu    do the grounds agree?\n"
      "  distlab relay --self-signed               a relay on real sockets; distlab agent: a node\n"
      "  distlab COMMAND --help                    all options of a command\n\n"
      "Exit codes: 0 pass, 1 an expectation failed, 2 unknown, 3 not deterministic, 4 grounds disagree,\n"
      "64 usage, 70 internal error, 130 interrupted.");
  int code = exit_pass;
  add_run_command(app, code);
  add_compare_command(app, code);
  add_check_command(app, code);
  add_report_command(app, code);
  add_bench_command(app, code);
  add_daemon_commands(app, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_pass : exit_usage;
  }
  return code;
}

}  // namespace
}  // namespace distlab::cli

int main(int argc, char** argv) {
  try {
    return distlab::cli::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "distlab: internal error: %s\n", error.what());
  } catch (...) {
    std::fputs("distlab: internal error\n", stderr);
  }
  return distlab::cli::exit_internal;
}
