// What both command lines share: flags that lie over the file, and commands to a running daemon.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "real/daemon/config.h"
#include "real/daemon/control_server.h"

namespace distlab::daemon {

class CommandLine {
 public:
  CommandLine(CLI::App& app, Kind kind, const std::string& summary, int& code);

  // Flags of the daemon, by the key they stand for.
  void flag(const std::string& name, const std::string& path, const std::string& help);
  void list(const std::string& name, const std::string& path, const std::string& help);
  void toggle(const std::string& name, const std::string& path, const std::string& help);

  // A command to a running daemon: what to ask, and what to print of the answer, which gives the exit code.
  struct Question {
    std::string method, target;
    std::function<int(const ControlResponse&)> print;
  };
  CLI::App* command(const std::string& name, const std::string& help, std::function<Question()> question);

  // `run` is what happens without a command: it starts the daemon with the checked file and flags.
  void on_start(std::function<int(const scenario::Value&, bool check_only)> run);
  CLI::App& app() { return app_; }
  bool json() const { return json_; }

 private:
  int start();
  int ask_daemon(const Question& question) const;

  CLI::App& app_;
  const Kind kind_;
  int& code_;
  std::string config_, control_, name_;
  std::vector<std::string> sets_;
  bool check_ = false, print_ = false, json_ = false;
  struct Given {
    Flag flag;
    std::string text;
    std::vector<std::string> texts;
    bool on = false;
    CLI::Option* option = nullptr;
  };
  std::vector<std::unique_ptr<Given>> given_;
  std::function<int(const scenario::Value&, bool)> run_;
};

int refuse(Kind kind, int code, const std::string& line);  // prints it; gives the code
int refuse(const Wrong& wrong);

}  // namespace distlab::daemon
