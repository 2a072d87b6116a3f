#include "scenarios/sweep.h"

#include <algorithm>

#include <fmt/format.h>

namespace distlab::scenario {
namespace {

bool is_set(const std::string& path, const std::vector<Override>& overrides) {
  return std::any_of(overrides.begin(), overrides.end(), [&](const Override& one) { return one.path == path; });
}

}  // namespace

Sweep::Sweep(Value& root, const std::vector<Override>& overrides, Report& report) {
  Mark mark = root.mark;
  if (const Member* sweep = root.find("sweep")) {
    mark = sweep->mark;
    add_sweep(sweep->value, overrides);
  }
  if (const Member* zip = root.find("zip")) {
    if (mark.line == root.mark.line) mark = zip->mark;
    if (zip->value.is_map()) add_zip(zip->value, overrides, report);
    for (const Value& one : zip->value.items) add_zip(one, overrides, report);
  }
  root.erase("sweep");
  root.erase("zip");
  for (const Dimension& dimension : dimensions_) {
    if (!__builtin_mul_overflow(size_, dimension.size(), &size_) && size_ <= max_variants) continue;
    report.add(mark, fmt::format("more than {} combinations", max_variants));
    size_ = 1;
    dimensions_.clear();
    return;
  }
}

void Sweep::add_sweep(const Value& sweep, const std::vector<Override>& overrides) {
  for (const Member& member : sweep.members) {
    if (is_set(member.key, overrides) || member.value.items.empty()) continue;
    dimensions_.push_back({{{member.key, member.mark, member.value.items}}});
  }
}

void Sweep::add_zip(const Value& zip, const std::vector<Override>& overrides, Report& report) {
  Dimension dimension;
  for (const Member& member : zip.members)
    if (is_set(member.key, overrides)) return;
  for (const Member& member : zip.members) {
    if (member.value.items.empty()) continue;
    if (!dimension.paths.empty() && dimension.size() != member.value.items.size()) {
      report.add(member.mark, fmt::format("values that go together must be equally many: {} here, {} of '{}'",
                                          member.value.items.size(), dimension.size(), dimension.paths.front().path));
      return;
    }
    dimension.paths.push_back({member.key, member.mark, member.value.items});
  }
  if (!dimension.paths.empty()) dimensions_.push_back(std::move(dimension));
}

Choice Sweep::choice(size_t n) const {
  std::vector<size_t> positions(dimensions_.size());
  for (size_t d = dimensions_.size(); d-- > 0;) {
    positions[d] = n % dimensions_[d].size();
    n /= dimensions_[d].size();
  }
  Choice choice;
  for (size_t d = 0; d < dimensions_.size(); ++d)
    for (const Dimension::Path& path : dimensions_[d].paths)
      choice.settings.push_back({path.path, path.mark, path.values[positions[d]]});
  return choice;
}

}  // namespace distlab::scenario
