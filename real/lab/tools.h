// Running ip, tc and nft on lists of commands, in a network namespace each.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "real/lab/fd.h"

namespace distlab::lab {

enum class Tool { ip, tc, nft };

// One process's work. For ip and tc a line is a command without the tool's name; for nft the lines
// together are one transaction.
struct Script {
  Tool tool = Tool::ip;
  int network = -1;   // descriptor of the namespace it runs in; -1: ours
  std::string place;  // of that namespace, for the error
  std::vector<std::string> lines;
};

// Runs all, several at a time, and returns when all have ended. `shared` are descriptors the commands
// name as /proc/self/fd/N. The error is the first script's that failed: the command, where, and what
// the tool said.
Result<void> run_scripts(std::span<const Script> scripts, std::span<const int> shared = {});

// The line a tool's complaint is about, in front of the complaint.
std::string explain(const Script& script, const std::string& complaint);

}  // namespace distlab::lab
