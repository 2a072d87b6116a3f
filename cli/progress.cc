#include "cli/progress.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace distlab::cli {
namespace {

constexpr int64_t redraw_ms = 100;

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

size_t width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Progress::Progress(std::string what, size_t total, bool quiet)
    : what_(std::move(what)),
      total_(std::max<size_t>(total, 1)),
      terminal_(isatty(STDERR_FILENO) != 0),
      quiet_(quiet),
      began_ms_(now_ms()) {}

Progress::~Progress() {
  clear();
}

void Progress::update(size_t done, double under_way) {
  const int64_t now = now_ms();
  if (quiet_ || !terminal_ || (shown_ && now - shown_ms_ < redraw_ms)) return;
  shown_ms_ = now;
  shown_ = true;
  const double share = std::clamp((static_cast<double>(done) + under_way) / static_cast<double>(total_), 0.0, 1.0);
  constexpr size_t cells = 24;
  const auto filled = static_cast<size_t>(share * cells);
  std::string line =
      fmt::format("{} [{}{}] {:3.0f}%", what_, std::string(filled, '#'), std::string(cells - filled, '.'), share * 100);
  if (total_ > 1) line += fmt::format("  {}/{} runs", done, total_);
  const double seconds = static_cast<double>(now - began_ms_) / 1000;
  line += fmt::format("  {:.0f} s", seconds);
  if (share > 0.02 && share < 1) line += fmt::format(", about {:.0f} s left", seconds / share * (1 - share));
  fmt::print(stderr, "\r\033[K{}", line.substr(0, width() - 1));
  std::fflush(stderr);
}

void Progress::clear() {
  if (!std::exchange(shown_, false)) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
}

void Progress::step(const std::string& line) {
  if (quiet_ || terminal_) return;
  fmt::print(stderr, "{}\n", line);
}

}  // namespace distlab::cli
