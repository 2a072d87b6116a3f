// What a command shows and writes of the runs it made: table, HTML, JSON, JUnit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace distlab::cli {

struct Outputs {
  std::string html;   // "": beside the database
  std::string json;   // "": none; "-": standard output
  std::string junit;  // "": none
  bool quiet = false;
};

// Whether all of these paths can be written, as far as that is known before the work that makes what they shall hold;
// why not is said on stderr. "" and "-" always can.
bool can_write(const std::vector<std::string>& paths);

// The value is exit_pass, or why something could not be shown (said on stderr).
int show_outputs(const std::string& database, int64_t family, const Outputs& outputs);

// Where the JSON of a measurement goes: to a file, or with "-" to standard output; then all else that is printed goes
// to standard error, so that a program can read what is left.
class JsonOutput {
 public:
  explicit JsonOutput(std::string path);  // "": none
  ~JsonOutput();
  JsonOutput(const JsonOutput&) = delete;
  JsonOutput& operator=(const JsonOutput&) = delete;

  bool write(const std::string& text);  // false: it could not be written, which is said on stderr

 private:
  const std::string path_;
  int standard_output_ = -1;
};

}  // namespace distlab::cli
