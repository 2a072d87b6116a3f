// What a command shows and writes of the runs it made: table, HTML, JSON, JUnit.
#pragma once

#include <cstdint>
#include <string>

namespace distlab::cli {

struct Outputs {
  std::string html;   // "": beside the database
  std::string json;   // "": none; "-": standard output
  std::string junit;  // "": none
  bool quiet = false;
};

// The value is exit_pass, or why something could not be shown (said on stderr).
int show_outputs(const std::string& database, int64_t family, const Outputs& outputs);

}  // namespace distlab::cli
