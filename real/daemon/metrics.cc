#include "real/daemon/metrics.h"

#include <cassert>
#include <cmath>

#include <fmt/format.h>

namespace distlab::daemon {
namespace {

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

// Whole numbers in full: 16 digits of a byte count would be lost in the shortest form otherwise.
std::string number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == std::floor(value) && std::abs(value) < 1e15) return fmt::format("{:.0f}", value);
  return fmt::format("{}", value);
}

}  // namespace

void MetricsText::family(std::string_view name, std::string_view help, std::string_view type) {
  assert((type == "counter") == name.ends_with("_total"));
  family_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped(help, false), name, type);
}

void MetricsText::sample(double value, const Labels& labels) {
  write("", value, labels);
}

void MetricsText::write(std::string_view suffix, double value, const Labels& labels) {
  text_ += family_;
  text_ += suffix;
  char between = '{';
  for (const auto& [key, label] : labels) {
    text_ += fmt::format("{}{}=\"{}\"", between, key, escaped(label, true));
    between = ',';
  }
  text_ += fmt::format("{} {}\n", labels.empty() ? "" : "}", number(value));
}

void MetricsText::histogram(std::string_view name, std::string_view help, const std::vector<Bucket>& buckets,
                            uint64_t beyond, double sum) {
  family(name, help, "histogram");
  uint64_t count = 0;
  for (const Bucket& bucket : buckets) {
    count += bucket.count;
    write("_bucket", static_cast<double>(count), {{"le", number(bucket.up_to)}});
  }
  count += beyond;
  write("_bucket", static_cast<double>(count), {{"le", "+Inf"}});
  write("_sum", sum, {});
  write("_count", static_cast<double>(count), {});
}

}  // namespace distlab::daemon
