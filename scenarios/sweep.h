// `sweep:` and `zip:`: the family of trees that one file describes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "scenarios/check.h"
#include "scenarios/document.h"
#include "scenarios/loader.h"

namespace distlab::scenario {

// One choice of all that varies: paths and values, in the order of the file.
struct Choice {
  struct Setting {
    std::string path;
    Mark mark;  // of the path
    Value value;
  };
  std::vector<Setting> settings;
};

class Sweep {
 public:
  // Takes `sweep` and `zip` out of the tree. A path that an override sets does not vary any more, nor
  // do those zipped with it.
  Sweep(Value& root, const std::vector<Override>& overrides, Report& report);

  // The number of choices; 1 when nothing varies. At most max_variants: more are in the report.
  size_t size() const { return size_; }
  // The n-th choice: of what the file names first, the value changes slowest.
  Choice choice(size_t n) const;

 private:
  // Paths that vary together.
  struct Dimension {
    struct Path {
      std::string path;
      Mark mark;
      std::vector<Value> values;  // of all paths equally many
    };
    std::vector<Path> paths;
    size_t size() const { return paths.front().values.size(); }
  };

  void add_sweep(const Value& sweep, const std::vector<Override>& overrides);
  void add_zip(const Value& zip, const std::vector<Override>& overrides, Report& report);

  std::vector<Dimension> dimensions_;
  size_t size_ = 1;
};

}  // namespace distlab::scenario
