// One self-contained HTML page for a run or a family of runs; it opens without a network.
#pragma once

#include <memory>
#include <string>

#include "results/report/data.h"
#include "results/store.h"
#include "results/summary.h"

namespace distlab::results {

// Takes runs one at a time, so that a thousand of them need not be in memory together.
class HtmlReport {
 public:
  explicit HtmlReport(std::string command, ReportLimits limits = {});
  HtmlReport(HtmlReport&&) noexcept;
  HtmlReport& operator=(HtmlReport&&) noexcept;
  ~HtmlReport();

  // All runs appear in the overview. At most max_details appear with timeline and charts: failed
  // ones before unknown before passed, earlier before later.
  void add(const Digest& digest, const std::vector<Verdict>& verdicts);

  std::string html() const;

  static constexpr size_t max_details = 12;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The page for all runs of a family in a store.
StoreResult<std::string> family_report(const Store& store, int64_t family);
// The page for one run.
StoreResult<std::string> run_report(const Store& store, int64_t run);

}  // namespace distlab::results
