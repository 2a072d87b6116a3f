// The log of a daemon: one line per event on standard error, as text or as JSON.
//
//   2026-11-21T13:48:51.123Z warning session_refused subject=mallory reason="refused: realm" remote=10.0.0.7:4433
//   {"time":"2026-11-21T13:48:51.123Z","level":"warning","event":"session_refused","subject":"mallory",...}
//
// Whatever a peer can put into a line is quoted, has its control characters escaped and is cut at
// `max_value`. A flood of one sort of line is cut, too: of each sort (event and reason) `burst` lines pass
// per `window`; then one line `suppressed` says how many there were.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/host/event.h"
#include "models/host/time.h"

namespace distlab::daemon {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };
std::optional<LogLevel> parse_log_level(std::string_view text);
std::string_view to_string(LogLevel level);

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  size_t burst = 10;
  Duration window = std::chrono::seconds{10};
  size_t sorts = 1'000;  // remembered at once; lines of further sorts share the limit of one
};

class Log {
 public:
  using Write = std::function<void(std::string_view line)>;  // with its newline
  using WallClock = std::function<std::chrono::system_clock::time_point()>;
  using Fields = std::vector<Field>;

  static constexpr size_t max_value = 300;  // bytes of one value

  // Both functions must outlive the log; the defaults are standard error and the system's clock.
  explicit Log(LogSettings settings, Write write = {}, WallClock clock = {});

  bool wants(LogLevel level) const { return level >= settings_.level; }
  // `now` is the monotonic time that the limit goes by; lines with an equal event and sort share one limit.
  void line(Time now, LogLevel level, std::string_view event, const Fields& fields, std::string_view sort = "");
  // Tells of what was suppressed and whose window is over. To be called now and then, and at the end.
  void flush(Time now, bool all = false);

  uint64_t suppressed() const { return suppressed_; }  // lines, ever
  uint64_t lines() const { return lines_; }            // written

 private:
  struct Sort {
    Time window_end;
    size_t passed = 0;
    uint64_t suppressed = 0;
    LogLevel level = LogLevel::info;
  };
  bool admit(Time now, LogLevel level, std::string_view event, std::string_view sort);
  void tell(const std::string& name, Sort& sort);
  void write(LogLevel level, std::string_view event, const Fields& fields);

  const LogSettings settings_;
  const Write write_;
  const WallClock clock_;
  std::map<std::string, Sort, std::less<>> sorts_;  // by "event/sort"
  uint64_t suppressed_ = 0, lines_ = 0;
};

}  // namespace distlab::daemon
