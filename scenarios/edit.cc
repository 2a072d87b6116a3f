#include "scenarios/edit.h"

#include <optional>
#include <vector>

#include <fmt/format.h>

#include "scenarios/check.h"
#include "scenarios/shape.h"
#include "scenarios/suggest.h"
#include "scenarios/template.h"

namespace distlab::scenario {
namespace {

Parsed<void> fail(std::string message) {
  return tl::unexpected(std::move(message));
}

class Setter {
 public:
  Setter(std::string_view path, const Value& value) : value_(value) {
    for (size_t at = 0; at <= path.size();) {
      const size_t dot = std::min(path.find('.', at), path.size());
      parts_.emplace_back(path.substr(at, dot - at));
      at = dot + 1;
    }
  }

  Parsed<void> set(Value& root) {
    for (const std::string& part : parts_)
      if (part.empty()) return fail("a path is keys with dots between them");
    return below(root, scenario_shape(), 0);
  }

 private:
  // `here` is what parts_[0..i) name; goes on with part i, or puts the value in.
  Parsed<void> below(Value& here, const Shape& shape, size_t i) {
    if (i == parts_.size()) {
      here = value_;
      return {};
    }
    if (here.kind == Value::Kind::null) {
      here.kind = Value::Kind::map;
      here.mark = value_.mark;
    }
    const Shape* part = matching_part(shape, here.kind);
    if (part == nullptr || part->kind == Shape::Kind::scalar) return fail(fmt::format("{} has no parts", path_to(i)));
    if (here.is_list()) return in_list(here, *part, i);
    if (part->kind == Shape::Kind::names) return in_names(here, *part, i);
    return in_object(here, *part, i);
  }

  Parsed<void> in_object(Value& map, const Shape& shape, size_t i) {
    const Key* key = find_key(shape, parts_[i]);
    if (key == nullptr) {
      const std::vector<std::string> valid = all_keys(shape);
      return fail(fmt::format("unknown key '{}'{}", parts_[i], did_you_mean(parts_[i], valid)));
    }
    if (Member* member = map.find(key->name)) return below(member->value, key->shape, i + 1);
    const bool last = i + 1 == parts_.size();
    if (!last && matching_part(key->shape, Value::Kind::map) == nullptr)
      return fail(fmt::format("there is no {} in this file", path_to(i + 1)));
    return add(map, key->name, key->shape, i);
  }

  Parsed<void> in_names(Value& map, const Shape& shape, size_t i) {
    const std::string& name = parts_[i];
    if (Member* member = map.find(name)) return below(member->value, shape.parts[0], i + 1);
    if (name.find('*') != std::string::npos) return in_matching(map, shape, i);
    const bool last = i + 1 == parts_.size();
    if (last || makes(map, name)) {
      const std::string wrong = shape.check_name(name);
      if (!wrong.empty()) return fail(wrong);
      return add(map, name, shape.parts[0], i);
    }
    std::vector<std::string> known;
    for (const Member& member : map.members) known.push_back(member.key);
    return fail(fmt::format("there is no '{}' in {}{}", name, path_to(i), did_you_mean(name, known)));
  }

  Parsed<void> in_matching(Value& map, const Shape& shape, size_t i) {
    bool any = false;
    for (Member& member : map.members) {
      if (!matches(member.key, parts_[i])) continue;
      any = true;
      if (auto done = below(member.value, shape.parts[0], i + 1); !done) return done;
    }
    if (!any) return fail(fmt::format("nothing in {} matches '{}'", path_to(i), parts_[i]));
    return {};
  }

  Parsed<void> in_list(Value& list, const Shape& shape, size_t i) {
    const std::string& part = parts_[i];
    if (part == "*") {
      for (Value& item : list.items)
        if (auto done = below(item, shape.parts[0], i + 1); !done) return done;
      return {};
    }
    const auto position = parse_integer(part, 0, std::numeric_limits<int64_t>::max());
    if (position) {
      const auto n = static_cast<size_t>(*position);
      if (n < list.items.size()) return below(list.items[n], shape.parts[0], i + 1);
      return fail(
          fmt::format("{} has {} entries, counted from 0; there is no {}", path_to(i), list.items.size(), part));
    }
    std::vector<std::string> known;
    for (Value& item : list.items) {
      for (const char* key : {"id", "name"}) {
        const Value* called = item.get(key);
        if (called == nullptr || !called->is_scalar()) continue;
        if (called->text == part) return below(item, shape.parts[0], i + 1);
        known.push_back(called->text);
      }
    }
    return fail(fmt::format("{} has no entry '{}'{}; entries are numbered from 0", path_to(i), part,
                            did_you_mean(part, known)));
  }

  // Puts a member of this name into the map, if all below it can be set.
  Parsed<void> add(Value& map, const std::string& name, const Shape& shape, size_t i) {
    Member member{name, value_.mark, {}};
    auto done = below(member.value, shape, i + 1);
    if (done) map.members.push_back(std::move(member));
    return done;
  }

  std::string path_to(size_t n) const {
    std::string text;
    for (size_t i = 0; i < n; ++i) text += (i == 0 ? "" : ".") + parts_[i];
    return n == 0 ? "the file" : "'" + text + "'";
  }

  const Value& value_;
  std::vector<std::string> parts_;
};

}  // namespace

Parsed<void> set_path(Value& root, std::string_view path, const Value& value) {
  return Setter(path, value).set(root);
}

bool matches(std::string_view text, std::string_view pattern) {
  // The last * seen takes up one character more whenever the rest does not match.
  size_t t = 0, p = 0, star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace distlab::scenario
