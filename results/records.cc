#include "results/records.h"

#include <algorithm>

namespace distlab::results {

namespace {

const Value* find(const EventRecord& event, std::string_view key) {
  for (const auto& [name, value] : event.fields)
    if (name == key) return &value;
  return nullptr;
}

}  // namespace

std::optional<int64_t> int_field(const EventRecord& event, std::string_view key) {
  const Value* value = find(event, key);
  const auto* number = value ? std::get_if<int64_t>(value) : nullptr;
  return number ? std::optional(*number) : std::nullopt;
}

std::string_view text_field(const EventRecord& event, std::string_view key) {
  const Value* value = find(event, key);
  const auto* text = value ? std::get_if<std::string>(value) : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

std::string_view to_string(RunStatus status) {
  switch (status) {
    case RunStatus::running:
      return "running";
    case RunStatus::complete:
      return "complete";
    case RunStatus::incomplete:
      return "incomplete";
    case RunStatus::failed:
      break;
  }
  return "failed";
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass:
      return "pass";
    case Outcome::fail:
      return "fail";
    case Outcome::unknown:
      break;
  }
  return "unknown";
}

std::string label_text(const RunRecord& run) {
  std::string text;
  for (const auto& [path, value] : run.labels) {
    if (!text.empty()) text += ' ';
    text += path.substr(path.find_last_of('.') + 1) + '=' + value;
  }
  return text;
}

Outcome worst(const std::vector<Verdict>& verdicts) {
  const auto any = [&](Outcome outcome) {
    return std::any_of(verdicts.begin(), verdicts.end(), [&](const Verdict& v) { return v.outcome == outcome; });
  };
  if (any(Outcome::fail)) return Outcome::fail;
  return any(Outcome::unknown) ? Outcome::unknown : Outcome::pass;
}

Outcome outcome_of(RunStatus status, const std::vector<Verdict>& verdicts) {
  const Outcome outcome = worst(verdicts);
  return status != RunStatus::complete && outcome == Outcome::pass ? Outcome::unknown : outcome;
}

}  // namespace distlab::results
