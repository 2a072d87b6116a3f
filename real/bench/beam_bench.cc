#include "real/bench/beam_bench.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "models/etf/term.h"
#include "real/bench/process.h"

namespace distlab::bench {
namespace {

using lab::Result;
using std::chrono::steady_clock;

constexpr Duration answer_grace = std::chrono::seconds{60};  // for what is under way when the time is up
constexpr double megabyte = 1e6;

PartTimes since(const PartTimes& before, const PartTimes& after, double share) {
  PartTimes out{};
  for (size_t i = 0; i < out.size(); ++i) out[i] = std::chrono::duration_cast<Duration>((after[i] - before[i]) / share);
  return out;
}

using Floods = std::vector<std::vector<FloodRound>>;

class Bench {
 public:
  explicit Bench(const BeamBenchOptions& options) : options_(options) {}
  Result<BeamBenchResult> run();

 private:
  Result<void> start();
  Result<void> round(size_t number);
  Result<CallRound> calls(BeamPair& pair);
  Result<FloodRound> flood(BeamPair& pair, size_t bytes);
  void now(const std::string& what, double share);
  size_t steps() const { return options_.rounds * options_.ways.size() * (1 + options_.message_bytes.size()); }
  etf::Term nanoseconds(Duration time) const { return etf::Term(int64_t{time.count()}); }

  const BeamBenchOptions& options_;
  std::vector<std::unique_ptr<BeamPair>> pairs_;  // as options_.ways
  BeamBenchResult result_;
  std::string what_;
  double share_ = 0;
  size_t done_ = 0;
  const Patience patience_ = [this]() -> Result<void> {
    if (!options_.on_progress || options_.on_progress(what_, share_)) return {};
    result_.interrupted = true;
    return tl::make_unexpected(std::string("interrupted"));
  };
};

void Bench::now(const std::string& what, double share) {
  what_ = what;
  share_ = share;
}

Result<void> Bench::start() {
  for (const Way way : options_.ways) {
    now(fmt::format("{}, starting", to_string(way)), 0);
    auto pair = BeamPair::start(way, options_.programs, patience_);
    if (!pair) return tl::unexpected(fmt::format("{}: {}", to_string(way), pair.error()));
    pairs_.push_back(std::move(*pair));
    result_.ways.push_back({.way = way, .calls = {}, .floods = Floods(options_.message_bytes.size())});
  }
  return {};
}

// The ways take turns, so that what else the machine does meets them all.
Result<void> Bench::round(size_t number) {
  const auto step = [&](size_t way, const std::string& what) {
    now(fmt::format("{}, {}, round {}", to_string(options_.ways[way]), what, number + 1),
        static_cast<double>(done_++) / static_cast<double>(steps()));
  };
  for (size_t way = 0; way < pairs_.size(); ++way) {
    step(way, "calls");
    auto measured = calls(*pairs_[way]);
    if (!measured) return tl::unexpected(fmt::format("{}, calls: {}", to_string(options_.ways[way]), measured.error()));
    result_.ways[way].calls.push_back(*measured);
  }
  for (size_t size = 0; size < options_.message_bytes.size(); ++size) {
    for (size_t way = 0; way < pairs_.size(); ++way) {
      step(way, fmt::format("messages of {} B", options_.message_bytes[size]));
      auto measured = flood(*pairs_[way], options_.message_bytes[size]);
      if (!measured)
        return tl::unexpected(fmt::format("{}, messages: {}", to_string(options_.ways[way]), measured.error()));
      result_.ways[way].floods[size].push_back(*measured);
    }
  }
  return {};
}

Result<CallRound> Bench::calls(BeamPair& pair) {
  const etf::Term order =
      etf::tuple(etf::atom("calls"), etf::binary(pair.far_name()), etf::Term(int64_t(options_.call_bytes)),
                 nanoseconds(options_.warm_up), nanoseconds(options_.seconds));
  const PartTimes before = pair.cpu();
  const auto answer = pair.ask(order, options_.warm_up + options_.seconds + answer_grace, patience_);
  const PartTimes after = pair.cpu();
  if (!answer) return tl::unexpected(answer.error());
  const auto fields = answer->as_tagged("calls", 3);
  const auto* samples = fields.empty() ? nullptr : fields[2].as<etf::Bits>();
  const auto all = fields.empty() ? std::nullopt : fields[1].as_int();
  if (samples == nullptr || samples->bytes.size() < 8 || !all)
    return tl::make_unexpected("unexpected answer " + answer->to_string());
  std::vector<uint64_t> elapsed(samples->bytes.size() / 8);
  for (size_t i = 0; i < elapsed.size() * 8; ++i) elapsed[i / 8] = elapsed[i / 8] << 8 | samples->bytes[i];
  std::sort(elapsed.begin(), elapsed.end());
  const auto at = [&](double quantile) {
    const auto index = static_cast<size_t>(quantile * static_cast<double>(elapsed.size()));
    return static_cast<double>(elapsed[std::min(index, elapsed.size() - 1)]) * 1e-9;
  };
  const double sum = std::accumulate(elapsed.begin(), elapsed.end(), 0.0) * 1e-9;
  return CallRound{.calls = elapsed.size(),
                   .p50_s = at(0.5),
                   .p99_s = at(0.99),
                   .mean_s = sum / static_cast<double>(elapsed.size()),
                   .cpu_per_call = since(before, after, static_cast<double>(*all))};
}

Result<FloodRound> Bench::flood(BeamPair& pair, size_t bytes) {
  const size_t window = std::max<size_t>(2, options_.window_bytes / bytes);
  const etf::Term order =
      etf::tuple(etf::atom("flood"), etf::binary(pair.far_name()), etf::Term(int64_t(bytes)),
                 etf::Term(int64_t(window)), nanoseconds(options_.warm_up), nanoseconds(options_.seconds));
  const PartTimes before = pair.cpu();
  const Duration busy_before = machine_busy();
  const auto begin = steady_clock::now();
  const auto answer = pair.ask(order, options_.warm_up + options_.seconds + answer_grace, patience_);
  const double wall = to_seconds(steady_clock::now() - begin);
  const double busy = to_seconds(machine_busy() - busy_before);
  const PartTimes after = pair.cpu();
  if (!answer) return tl::unexpected(answer.error());
  const auto fields = answer->as_tagged("flood", 4);
  const auto number = [&](size_t field) {
    return static_cast<double>(fields.empty() ? 0 : fields[field].as_int().value_or(0));
  };
  if (number(1) <= 0 || number(3) <= 0) return tl::make_unexpected("unexpected answer " + answer->to_string());
  const auto size = static_cast<double>(bytes);
  return FloodRound{.bytes_per_s = number(2) * size / (number(3) * 1e-9),
                    .cpu_per_megabyte = since(before, after, number(1) * size / megabyte),
                    .machine_cpu = busy / wall};
}

Result<BeamBenchResult> Bench::run() {
  auto done = start();
  for (size_t i = 0; done && i < options_.rounds; ++i) done = round(i);
  if (!done && !result_.interrupted) return tl::unexpected(done.error());
  return std::move(result_);
}

}  // namespace

tl::expected<BeamBenchResult, std::string> bench_beam(const BeamBenchOptions& options) {
  return Bench(options).run();
}

}  // namespace distlab::bench
