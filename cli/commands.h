// The commands of distlab. Each adds itself to the command line and, when chosen, leaves its exit
// code in `code`.
#pragma once

namespace CLI {
class App;
}

namespace distlab::cli {

void add_run_command(CLI::App& app, int& code);
void add_compare_command(CLI::App& app, int& code);
void add_check_command(CLI::App& app, int& code);
void add_report_command(CLI::App& app, int& code);
void add_bench_command(CLI::App& app, int& code);
void add_bench_real_command(CLI::App& bench, int& code);  // a command of bench
void add_bench_beam_command(CLI::App& bench, int& code);  // a command of bench
void add_daemon_commands(CLI::App& app, int& code);       // relay, agent

}  // namespace distlab::cli
