#include <fmt/format.h>

#include "real/daemon/config.h"
#include "scenarios/canonical.h"

namespace distlab::daemon {
namespace {

using scenario::Key;
using scenario::Shape;
using scenario::Value;

// "25s / 10s": of the preset documented, and of macula-3.13.
std::string default_of(const Key& key, bool documented) {
  const size_t slash = key.fallback.find(" / ");
  if (slash == std::string::npos) return key.fallback;
  return documented ? key.fallback.substr(0, slash) : key.fallback.substr(slash + 3);
}

bool valid(const Shape& shape, const std::string& text) {
  if (shape.kind != Shape::Kind::scalar || text.empty()) return false;
  if (!shape.choices.empty()) return true;
  return shape.check == nullptr || shape.check(text).empty();
}

void print(const Shape& shape, const Value& map, bool documented, const std::string& indent, std::string& out) {
  for (const Key& key : shape.keys) {
    const Value* value = map.get(key.name);
    if (key.shape.kind == Shape::Kind::object) {
      out += fmt::format("{}{}:\n", indent, key.name);
      print(key.shape, value != nullptr ? *value : Value{}, documented, indent + "  ", out);
    } else if (key.name == "cookie" && value != nullptr) {
      out += fmt::format("{}# cookie: not shown\n", indent);
    } else if (value != nullptr) {
      out += fmt::format("{}{}: {}\n", indent, key.name, scenario::flow_text(*value, key.shape));
    } else if (const std::string fallback = default_of(key, documented); valid(key.shape, fallback)) {
      out += fmt::format("{}{}: {}  # default\n", indent, key.name, fallback);
    } else {
      out += fmt::format("{}# {}:{}{}\n", indent, key.name, fallback.empty() ? "" : " ", fallback);
    }
  }
}

}  // namespace

std::string print_config(Kind kind, const Value& tree) {
  const Value* preset = tree.get("preset");
  std::string out;
  print(config_shape(kind), tree, preset == nullptr || preset->text == "documented", "", out);
  return out;
}

}  // namespace distlab::daemon
