#include "cli/determinism.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <stdlib.h>

#include "cli/scenario_job.h"

namespace distlab::cli {
namespace {

// The first line in which the files differ, as both have it.
bool first_difference(const std::string& a, const std::string& b, size_t& number, std::string& in_a,
                      std::string& in_b) {
  std::ifstream file_a(a), file_b(b);
  for (number = 1;; ++number) {
    const bool more_a = static_cast<bool>(std::getline(file_a, in_a));
    const bool more_b = static_cast<bool>(std::getline(file_b, in_b));
    if (!more_a && !more_b) return false;
    if (!more_a) in_a = "(no more events)";
    if (!more_b) in_b = "(no more events)";
    if (in_a != in_b) return true;
  }
}

}  // namespace

DeterminismCheck::DeterminismCheck(bool on, size_t runs) {
  if (!on) return;
  std::string pattern = (std::filesystem::temp_directory_path() / "distlab-trace-XXXXXX").string();
  if (mkdtemp(pattern.data()) != nullptr) folder_ = pattern;
  for (auto& hashes : hashes_) hashes.resize(runs);
}

DeterminismCheck::~DeterminismCheck() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::string DeterminismCheck::trace(size_t run, size_t round) const {
  return folder_.empty() ? "" : fmt::format("{}/{}-{}", folder_, run, round);
}

void DeterminismCheck::add(size_t run, size_t round, const JobOutcome& outcome) {
  if (run >= hashes_[0].size()) return;
  if (const auto result = from_line(outcome.result)) hashes_[round][run] = result->trace_hash;
}

bool DeterminismCheck::report(const std::function<std::string(size_t run)>& name, std::FILE* out) const {
  bool same = true;
  for (size_t run = 0; run < hashes_[0].size(); ++run) {
    const std::string &a = hashes_[0][run], &b = hashes_[1][run];
    if (a == b && !a.empty()) continue;
    same = false;
    fmt::print(out, "{}: NOT deterministic: trace hash {} and then {}\n", name(run), a, b);
    size_t number = 0;
    std::string in_a, in_b;
    if (first_difference(trace(run, 0), trace(run, 1), number, in_a, in_b)) {
      fmt::print(out, "  first difference at event {}:\n    {}\n    {}\n", number, in_a, in_b);
    } else {
      fmt::print(out, "  every recorded event is the same; packets differ in time or size\n");
    }
  }
  if (same)
    fmt::print(out, "deterministic: {} run{} gave the same trace hash twice\n", hashes_[0].size(),
               hashes_[0].size() == 1 ? "" : "s");
  return same;
}

}  // namespace distlab::cli
