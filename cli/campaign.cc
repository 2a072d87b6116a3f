#include "cli/campaign.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "cli/exit_codes.h"
#include "models/host/time.h"
#include "real/ground/live.h"
#include "real/lab/capabilities.h"
#include "results/store.h"

namespace distlab::cli {
namespace {

constexpr Duration most_apart = std::chrono::seconds{2};  // booting and connecting are over by then

std::string now_text() {
  char text[32];
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

// Real BEAM nodes live in real time only.
void all_native(const Planned& planned, std::set<std::string>& lines) {
  for (const auto& [key, node] : planned.variant.scenario.nodes) {
    if (node.implementation == scenario::Implementation::native) continue;
    lines.insert(
        fmt::format("{}: '{}' is a real BEAM node, which cannot live in virtual time; run it with --ground emu or "
                    "live, or with --nodes native",
                    planned.file, key));
    return;
  }
}

// A line each.
std::set<std::string> obstacles(const std::vector<Planned>& planned, bool without_netem) {
  std::set<std::string> lines;
  const bool simulated =
      std::all_of(planned.begin(), planned.end(), [](const Planned& p) { return p.ground == GroundKind::sim; });
  const lab::Capabilities capabilities = simulated ? lab::Capabilities{} : lab::capabilities();
  for (const Planned& p : planned) {
    if (p.ground == GroundKind::sim) {
      all_native(p, lines);
    } else if (p.ground == GroundKind::live) {
      for (const std::string& line : ground::live_obstacles(p.variant.scenario, {without_netem}, capabilities))
        lines.insert(fmt::format("{}: {}", p.file, line));
    } else if (!capabilities.lab.available) {
      lines.insert(fmt::format("the emu ground needs namespaces: {}", capabilities.lab.reason));
    }
  }
  return lines;
}

}  // namespace

int worse(int a, int b) {
  for (const int code : {exit_internal, exit_usage, exit_nondeterminism, exit_failed, exit_unknown}) {
    if (a == code || b == code) return code;
  }
  return exit_pass;
}

std::string job_name(const Planned& planned) {
  std::string name = fmt::format("{} seed {}", planned.variant.scenario.name, planned.seed);
  if (planned.ground != GroundKind::sim) name += fmt::format(" {}", to_string(planned.ground));
  for (const auto& [key, value] : planned.variant.labels) name += fmt::format(" {}={}", key, value);
  return name;
}

std::optional<GroundKind> parse_ground(const std::string& name) {
  for (const GroundKind ground : {GroundKind::sim, GroundKind::emu, GroundKind::live})
    if (name == to_string(ground)) return ground;
  return std::nullopt;
}

Pace pace_of(uint32_t wanted, std::span<const Planned> runs) {
  const bool simulated = runs.front().ground == GroundKind::sim;
  const uint32_t by_default = simulated ? std::max(1u, std::thread::hardware_concurrency()) : 1;
  Pace pace{.at_once = wanted > 0 ? wanted : by_default};
  if (simulated) return pace;
  pace.at_once = std::min<uint32_t>(pace.at_once, runs.size());
  Duration apart = most_apart;
  for (const Planned& run : runs) apart = std::min<Duration>(apart, run.variant.scenario.duration / pace.at_once);
  pace.apart = std::chrono::duration_cast<std::chrono::milliseconds>(apart);
  return pace;
}

bool no_obstacles(const std::vector<Planned>& planned, bool without_netem) {
  const std::set<std::string> lines = obstacles(planned, without_netem);
  for (const std::string& line : lines) fmt::print(stderr, "distlab: {}\n", line);
  const bool live =
      std::any_of(planned.begin(), planned.end(), [](const Planned& p) { return p.ground == GroundKind::live; });
  if (!lines.empty() && live && !without_netem && !lab::capabilities().netem.available)
    fmt::print(stderr,
               "distlab: with --without-netem it runs on links without delay and loss; the emu ground has them all\n");
  return lines.empty();
}

std::optional<int64_t> open_family(const std::string& database, const std::string& command_line, int& code) {
  std::error_code error;
  const auto folder = std::filesystem::path(database).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) {
    fmt::print(stderr, "distlab: {}: {}\n", folder.string(), error.message());
    code = exit_usage;
    return std::nullopt;
  }
  auto store = results::Store::open(database);
  const auto family = store.and_then([&](results::Store& s) { return s.begin_family(command_line, now_text()); });
  if (family) return *family;
  fmt::print(stderr, "distlab: {}\n", family.error().message);
  code = family.error().is_user_error ? exit_usage : exit_internal;
  return std::nullopt;
}

int account_for(const Planned& planned, const JobOutcome& outcome, Progress& progress) {
  const auto result = from_line(outcome.result);
  if (!result || outcome.signal != 0) {
    if (interrupted()) return exit_pass;
    progress.clear();
    fmt::print(stderr, "distlab: {}: the run died{}; this is a fault of distlab\n", job_name(planned),
               outcome.signal != 0 ? fmt::format(" of signal {}", outcome.signal) : "");
    return exit_internal;
  }
  if (!result->error.empty() && !interrupted()) {
    progress.clear();
    fmt::print(stderr, "distlab: {}: {}\n", job_name(planned), result->error);
  }
  progress.step(fmt::format("{}: {} ({:.1f} s)", job_name(planned), result->outcome, result->wall_seconds));
  return outcome.exit_code;
}

}  // namespace distlab::cli
