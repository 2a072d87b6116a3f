#include "scenarios/loader.h"

#include <utility>

#include <fmt/format.h>

#include "scenarios/builder.h"
#include "scenarios/canonical.h"
#include "scenarios/check.h"
#include "scenarios/document.h"
#include "scenarios/edit.h"
#include "scenarios/include.h"
#include "scenarios/sweep.h"
#include "scenarios/template.h"

namespace distlab::scenario {
namespace {

constexpr size_t max_sweep_values = 10'000'000;  // of all variants together, templates expanded

void set_marks(Value& value, const Mark& mark) {
  value.mark = mark;
  for (Value& item : value.items) set_marks(item, mark);
  for (Member& member : value.members) {
    member.mark = mark;
    set_marks(member.value, mark);
  }
}

class Loader {
 public:
  Loader(std::string_view text, const std::string& name, const Resolver& resolve,
         const std::vector<Override>& overrides)
      : overrides_(overrides), root_(read_with_includes(text, name, resolve, report_)) {}

  Loaded load() {
    if (!root_.is_map()) return failed();
    apply_overrides();
    check_family();
    if (report_.full()) return failed();
    const Sweep sweep(root_, overrides_, report_);
    for (size_t n = 0; n < sweep.size() && !report_.full(); ++n) add_variant(sweep.choice(n));
    if (!report_.empty()) return failed();
    return std::move(variants_);
  }

 private:
  Loaded failed() const { return tl::unexpected(report_.finish()); }

  void apply_overrides() {
    for (const Override& one : overrides_) {
      const auto name = std::make_shared<const std::string>("--set " + one.path);
      const Mark mark{name, 0, 0};
      std::vector<Diagnostic> also_wrong;
      auto value = parse_yaml(one.value, *name, also_wrong);
      if (!value || !also_wrong.empty()) {
        report_.add(mark, "the value is not YAML: " + (value ? also_wrong.front().message : value.error().message));
        continue;
      }
      set_marks(*value, mark);
      if (const auto done = set_path(root_, one.path, *value); !done) report_.add(mark, done.error());
      labels_.emplace_back(one.path, value->is_scalar() ? value->text : flow_text(*value));
    }
  }

  // What only the whole family has: its keys, and the lists of values.
  void check_family() {
    Value family;
    family.kind = Value::Kind::map;
    family.mark = root_.mark;
    Shape shape;
    shape.kind = Shape::Kind::object;
    for (const char* key : {"sweep", "zip"}) {
      shape.keys.push_back(*find_key(scenario_shape(), key));
      if (const Member* member = root_.find(key)) family.members.push_back(*member);
    }
    check(family, shape, report_);
  }

  void add_variant(const Choice& choice) {
    Value tree = root_;
    Variant variant;
    variant.labels = labels_;
    for (const Choice::Setting& setting : choice.settings) {
      if (const auto done = set_path(tree, setting.path, setting.value); !done) {
        report_.add(setting.mark, done.error());
        continue;
      }
      // What is expected of a run does not tell one run from another.
      if (setting.path.substr(0, 7) == "expect.") continue;
      const Value& value = setting.value;
      variant.labels.emplace_back(setting.path, value.is_scalar() ? value.text : flow_text(value));
    }
    variant.canonical = canonical_text(tree);
    for (const char* key : {"sites", "relays", "nodes"})
      if (Member* member = tree.find(key)) expand_templates(member->value, report_);
    values_ += count_values(tree);
    if (values_ > max_sweep_values) {
      report_.add({{root_.mark.place().file, 0, 0},
                   fmt::format("the sweep makes more than {} values altogether", max_sweep_values)});
      return;
    }
    check(tree, resolved_shape(), report_);
    variant.scenario = Builder(tree, report_, actions_).build();
    if (report_.empty()) variants_.push_back(std::move(variant));
  }

  const std::vector<Override>& overrides_;
  Report report_;
  Value root_;
  std::vector<std::pair<std::string, std::string>> labels_;
  std::vector<Variant> variants_;
  size_t values_ = 0;
  size_t actions_ = 0;
};

}  // namespace

std::string Diagnostic::text() const {
  if (place.line == 0) return fmt::format("{}: {}", place.file, message);
  return fmt::format("{}:{}:{}: {}", place.file, place.line, place.column, message);
}

tl::expected<Override, std::string> parse_override(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return tl::unexpected(fmt::format("expected PATH=VALUE, as in nodes.alice.net_ticktime=8s, not '{}'", text));
  return Override{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

Loaded load(const std::string& path, const std::vector<Override>& overrides) {
  const auto text = read_file(path);
  if (!text) return tl::unexpected(std::vector<Diagnostic>{{{path, 0, 0}, "cannot read it: " + text.error()}});
  return load_text(*text, path, read_file, overrides);
}

Loaded load_text(std::string_view text, const std::string& name, const Resolver& resolve,
                 const std::vector<Override>& overrides) {
  return Loader(text, name, resolve, overrides).load();
}

}  // namespace distlab::scenario
