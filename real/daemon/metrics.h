// Metrics as Prometheus reads them: text exposition format, version 0.0.4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distlab::daemon {

class MetricsText {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

  // Begins a family: its samples follow. A counter's name ends in _total.
  void counter(std::string_view name, std::string_view help) { family(name, help, "counter"); }
  void gauge(std::string_view name, std::string_view help) { family(name, help, "gauge"); }
  void sample(double value, const Labels& labels = {});
  // A family of one sample.
  void counter(std::string_view name, std::string_view help, double value) { counter(name, help), sample(value); }
  void gauge(std::string_view name, std::string_view help, double value) { gauge(name, help), sample(value); }

  struct Bucket {
    double up_to;
    uint64_t count;  // in this bucket alone
  };
  // `beyond` counts what is above the last bucket.
  void histogram(std::string_view name, std::string_view help, const std::vector<Bucket>& buckets, uint64_t beyond,
                 double sum);

  const std::string& text() const { return text_; }

 private:
  void family(std::string_view name, std::string_view help, std::string_view type);
  void write(std::string_view suffix, double value, const Labels& labels);

  std::string family_;
  std::string text_;
};

}  // namespace distlab::daemon
