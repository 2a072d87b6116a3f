// One line of progress on a terminal, rewritten in place; one line per step elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace distlab::cli {

class Progress {
 public:
  Progress(std::string what, size_t total, bool quiet);
  ~Progress();

  void update(size_t done, double under_way);
  void clear();                        // before something else is printed
  void step(const std::string& line);  // a line that stays, where there is no terminal

 private:
  std::string what_;
  size_t total_;
  bool terminal_;
  bool quiet_;
  bool shown_ = false;
  int64_t began_ms_;
  int64_t shown_ms_ = 0;
};

}  // namespace distlab::cli
