#include "real/daemon/log.h"

#include <cerrno>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace distlab::daemon {
namespace {

constexpr std::string_view level_names[] = {"debug", "info", "warning", "error"};

// A line that standard error does not take is lost: there is nobody to tell.
void write_to_stderr(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    line.remove_prefix(static_cast<size_t>(written));
  }
}

// RFC 3339, in UTC, with milliseconds.
std::string timestamp(std::chrono::system_clock::time_point now) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(now);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(ms);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (ms - seconds).count());
}

std::string shortened(const std::string& text) {
  return text.size() <= Log::max_value ? text : text.substr(0, Log::max_value) + "...";
}

// As JSON writes strings: with control characters escaped, and invalid UTF-8 replaced.
std::string quoted(const std::string& text) {
  return nlohmann::json(shortened(text)).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

bool plain(const std::string& text) {
  for (const char c : text) {
    const bool harmless = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          std::string_view("@._-:/+,").find(c) != std::string_view::npos;
    if (!harmless) return false;
  }
  return !text.empty() && text.size() <= Log::max_value;
}

// Durations are told in seconds, whatever the event counts them in.
bool is_duration(std::string_view key) {
  return key.size() > 3 && key.substr(key.size() - 3) == "_ns";
}

std::string value_text(const Field& field, bool json) {
  if (const auto* text = std::get_if<std::string>(&field.value)) {
    return !json && plain(*text) ? *text : quoted(*text);
  }
  if (const auto* number = std::get_if<int64_t>(&field.value)) {
    if (is_duration(field.key)) return fmt::format("{:.6f}", to_seconds(Duration{*number}));
    return std::to_string(*number);
  }
  return fmt::format("{}", std::get<double>(field.value));
}

std::string key_text(const Field& field) {
  if (!is_duration(field.key)) return std::string(field.key);
  return std::string(field.key.substr(0, field.key.size() - 3)) + "_seconds";
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (size_t i = 0; i < std::size(level_names); ++i) {
    if (text == level_names[i]) return LogLevel(i);
  }
  return std::nullopt;
}

std::string_view to_string(LogLevel level) {
  return level_names[size_t(level)];
}

Log::Log(LogSettings settings, Write write, WallClock clock)
    : settings_(settings),
      write_(write ? std::move(write) : write_to_stderr),
      clock_(clock ? std::move(clock) : [] { return std::chrono::system_clock::now(); }) {}

void Log::line(Time now, LogLevel level, std::string_view event, const Fields& fields, std::string_view sort) {
  if (!wants(level) || !admit(now, level, event, sort)) return;
  write(level, event, fields);
}

bool Log::admit(Time now, LogLevel level, std::string_view event, std::string_view sort) {
  std::string name = fmt::format("{}/{}", event, sort);
  auto found = sorts_.find(name);
  if (found == sorts_.end()) {
    if (sorts_.size() >= settings_.sorts) name = "other/";
    found = sorts_.try_emplace(name, Sort{now + settings_.window}).first;
  }
  Sort& mine = found->second;
  if (now >= mine.window_end) {
    tell(found->first, mine);
    mine = {.window_end = now + settings_.window};
  }
  mine.level = std::max(mine.level, level);
  if (mine.passed < settings_.burst) return ++mine.passed, true;
  ++mine.suppressed;
  ++suppressed_;
  return false;
}

void Log::flush(Time now, bool all) {
  for (auto at = sorts_.begin(); at != sorts_.end();) {
    if (!all && now < at->second.window_end) {
      ++at;
      continue;
    }
    tell(at->first, at->second);
    at = sorts_.erase(at);
  }
}

void Log::tell(const std::string& name, Sort& sort) {
  if (sort.suppressed == 0) return;
  const size_t slash = name.find('/');
  Fields fields{{"of", name.substr(0, slash)}};
  if (slash + 1 < name.size()) fields.push_back({"reason", name.substr(slash + 1)});
  fields.push_back({"lines", int64_t(sort.suppressed)});
  sort.suppressed = 0;
  write(sort.level, "suppressed", fields);
}

void Log::write(LogLevel level, std::string_view event, const Fields& fields) {
  ++lines_;
  std::string out;
  if (settings_.format == LogFormat::json) {
    out = fmt::format(R"({{"time":"{}","level":"{}","event":"{}")", timestamp(clock_()), to_string(level), event);
    for (const Field& field : fields) out += fmt::format(R"(,"{}":{})", key_text(field), value_text(field, true));
    out += "}\n";
  } else {
    out = fmt::format("{} {} {}", timestamp(clock_()), to_string(level), event);
    for (const Field& field : fields) out += fmt::format(" {}={}", key_text(field), value_text(field, false));
    out += '\n';
  }
  write_(out);
}

}  // namespace distlab::daemon
