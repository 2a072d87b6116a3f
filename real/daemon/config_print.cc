#include <algorithm>

#include <fmt/format.h>

#include "real/daemon/config.h"
#include "scenarios/canonical.h"

namespace distlab::daemon {
namespace {

using scenario::Key;
using scenario::Shape;
using scenario::Value;

// What follows from other keys.
std::string derived(const Key& key, const Value& root) {
  const Value* name = root.get("name");
  if (key.name == "control") return default_control(name == nullptr ? "relay" : name->text);
  if (key.name == "identity" && name != nullptr) return name->text;
  if (key.name == "carrier" && root.get("relays") != nullptr) return "relay";
  return "";
}

// "25s / 10s": of the preset documented, and of macula-3.13.
std::string default_of(const Key& key, bool documented) {
  const size_t slash = key.fallback.find(" / ");
  if (slash == std::string::npos) return key.fallback;
  return documented ? key.fallback.substr(0, slash) : key.fallback.substr(slash + 3);
}

// Some defaults are told in words.
bool valid(const Shape& shape, const std::string& text) {
  if (shape.kind != Shape::Kind::scalar || text.empty() || text.find(' ') != std::string::npos) return false;
  if (!shape.choices.empty()) return true;
  return shape.check == nullptr || shape.check(text).empty();
}

class Printer {
 public:
  explicit Printer(const Value& root)
      : root_(root), documented_(root.get("preset") == nullptr || root.get("preset")->text == "documented") {}

  void print(const Shape& shape, const Value& map, const std::string& indent) {
    for (const Key& key : shape.keys) {
      const Value* value = map.get(key.name);
      if (key.shape.kind == Shape::Kind::object) {
        const bool empty = value == nullptr && !has_defaults(key.shape);
        text_ += fmt::format("{}{}:{}\n", indent, key.name, empty ? " {}" : "");
        print(key.shape, value != nullptr ? *value : Value{}, indent + "  ");
      } else if (key.name == "cookie" && value != nullptr) {
        text_ += fmt::format("{}# cookie: not shown\n", indent);
      } else if (value != nullptr) {
        text_ += fmt::format("{}{}: {}\n", indent, key.name, scenario::flow_text(*value, key.shape));
      } else {
        print_default(key, indent);
      }
    }
  }
  const std::string& text() const { return text_; }

 private:
  bool has_defaults(const Shape& shape) const {
    return std::any_of(shape.keys.begin(), shape.keys.end(),
                       [this](const Key& key) { return valid(key.shape, default_of(key, documented_)); });
  }

  void print_default(const Key& key, const std::string& indent) {
    std::string fallback = derived(key, root_);
    if (fallback.empty()) fallback = default_of(key, documented_);
    if (valid(key.shape, fallback)) {
      text_ += fmt::format("{}{}: {}  # default\n", indent, key.name, fallback);
    } else {
      text_ += fmt::format("{}# {}:{}{}\n", indent, key.name, fallback.empty() ? "" : " ", fallback);
    }
  }

  const Value& root_;
  const bool documented_;
  std::string text_;
};

}  // namespace

std::string print_config(Kind kind, const Value& tree) {
  Printer printer(tree);
  printer.print(config_shape(kind), tree, "");
  return printer.text();
}

}  // namespace distlab::daemon
