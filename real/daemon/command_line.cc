#include "real/daemon/command_line.h"

#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "real/daemon/control_client.h"
#include "real/daemon/exit_codes.h"

namespace distlab::daemon {

int refuse(Kind kind, int code, const std::string& line) {
  fmt::print(stderr, "distlab {}: {}\n", to_string(kind), line);
  return code;
}

int refuse(const Wrong& wrong) {
  for (const scenario::Diagnostic& one : wrong) fmt::print(stderr, "{}\n", one.text());
  return exit_usage;
}

CommandLine::CommandLine(CLI::App& app, Kind kind, const std::string& summary, int& code)
    : app_(*app.add_subcommand(std::string(to_string(kind)), summary)), kind_(kind), code_(code) {
  app_.require_subcommand(0, 1);
  app_.add_option("-c,--config", config_, "YAML file; flags win over what it says");
  app_.add_option("--set", sets_, "any key of the file: --set limits.sessions=100")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app_.add_flag("--check", check_, "read and verify everything, and exit");
  app_.add_flag("--print-config", print_, "show what holds, with all defaults, as a file; and exit");
  flag("--name", "name", kind == Kind::relay ? "what it calls itself" : "Erlang node name: alice@host.example");
  flag("--control", "control", "Unix socket of the commands below; none: without");
  flag("--log-level", "log.level", "debug, info, warning or error");
  flag("--log-format", "log.format", "text or json");
  app_.callback([this] {
    if (app_.get_subcommands().empty()) code_ = start();
  });
}

void CommandLine::flag(const std::string& name, const std::string& path, const std::string& help) {
  auto given = std::make_unique<Given>();
  given->flag = {name, path, {}, false, false};
  given->option = app_.add_option(name, given->text, help);
  given_.push_back(std::move(given));
}

void CommandLine::list(const std::string& name, const std::string& path, const std::string& help) {
  auto given = std::make_unique<Given>();
  given->flag = {name, path, {}, true, false};
  given->option = app_.add_option(name, given->texts, help + " (may be repeated)")->allow_extra_args(false);
  given_.push_back(std::move(given));
}

void CommandLine::toggle(const std::string& name, const std::string& path, const std::string& help) {
  auto given = std::make_unique<Given>();
  given->flag = {name, path, {}, false, false};
  given->option = app_.add_flag(name, given->on, help);
  given_.push_back(std::move(given));
}

CLI::App* CommandLine::command(const std::string& name, const std::string& help, std::function<Question()> question) {
  CLI::App* const command = app_.add_subcommand(name, help);
  command->fallthrough();  // --name and --control
  command->add_flag("--json", json_, "print the answer as JSON");
  command->callback([this, question = std::move(question)] { code_ = ask_daemon(question()); });
  return command;
}

void CommandLine::on_start(std::function<int(const scenario::Value&, bool)> run) {
  run_ = std::move(run);
}

int CommandLine::start() {
  std::vector<Flag> flags;
  for (const std::string& set : sets_) {
    const auto parsed = scenario::parse_override(set);
    if (!parsed) return refuse(kind_, exit_usage, parsed.error());
    flags.push_back({"--set " + parsed->path, parsed->path, {parsed->value}, false, true});
  }
  for (const auto& given : given_) {
    if (given->option->count() == 0) continue;
    Flag flag = given->flag;
    flag.values = flag.list ? given->texts : std::vector<std::string>{given->on ? "true" : given->text};
    flags.push_back(std::move(flag));
  }
  const auto tree = read_config(kind_, config_, flags);
  if (!tree) return refuse(tree.error());
  if (print_) {
    fmt::print("{}", print_config(kind_, *tree));
    return exit_ok;
  }
  return run_(*tree, check_);
}

int CommandLine::ask_daemon(const Question& question) const {
  std::string socket;
  for (const auto& given : given_) {
    if (given->flag.path == "control" && !given->text.empty()) socket = given->text;
    if (given->flag.path == "name" && !given->text.empty() && socket.empty()) socket = default_control(given->text);
  }
  if (socket.empty()) {
    const auto found = find_daemon(kind_);
    if (!found) return refuse(kind_, exit_unavailable, found.error());
    socket = *found;
  }
  const auto answer = ask(socket, question.method, question.target);
  if (!answer) return refuse(kind_, exit_unavailable, answer.error());
  if (answer->status != 200) {
    const auto json = nlohmann::json::parse(answer->body, nullptr, false);
    const bool says = json.is_object() && json.contains("error") && json["error"].is_string();
    return refuse(kind_, answer->status == 400 || answer->status == 404 ? exit_usage : exit_unavailable,
                  says ? json["error"].get<std::string>() : fmt::format("HTTP status {}", answer->status));
  }
  return question.print(*answer);
}

}  // namespace distlab::daemon
