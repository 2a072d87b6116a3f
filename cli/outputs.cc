#include "cli/outputs.h"

#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/exit_codes.h"
#include "results/digest.h"
#include "results/json.h"
#include "results/junit.h"
#include "results/output_file.h"
#include "results/report/html.h"
#include "results/store.h"
#include "results/summary.h"
#include "results/table.h"

namespace distlab::cli {
namespace {

int fail(const results::StoreError& error) {
  fmt::print(stderr, "distlab: {}\n", error.message);
  return error.is_user_error ? exit_usage : exit_internal;
}

struct Collected {
  std::vector<results::RunSummary> runs;
  std::string single_table;  // of the only run
  std::string page;
};

// Reads the runs one at a time: a thousand of them need not be in memory together.
results::StoreResult<Collected> collect(const results::Store& store, int64_t family, const results::TableStyle& style) {
  const auto runs = store.family_runs(family);
  if (!runs) return tl::unexpected(runs.error());
  const auto command = store.family_command(family);
  if (!command) return tl::unexpected(command.error());
  Collected out;
  results::HtmlReport report(*command);
  for (const results::RunRecord& run : *runs) {
    const auto events = store.events(run.id);
    if (!events) return tl::unexpected(events.error());
    const auto verdicts = store.verdicts(run.id);
    if (!verdicts) return tl::unexpected(verdicts.error());
    const results::Digest digest = results::digest(run, *events);
    report.add(digest, *verdicts);
    if (runs->size() == 1) out.single_table = results::run_table(digest, *verdicts, style);
    out.runs.push_back(results::summarize(digest, *verdicts));
  }
  out.page = report.html();
  return out;
}

}  // namespace

bool can_write(const std::vector<std::string>& paths) {
  bool all = true;
  for (const std::string& path : paths) {
    if (path.empty() || path == "-") continue;
    const auto writable = results::can_write(path);
    if (!writable) fail(writable.error());
    all = all && writable.has_value();
  }
  return all;
}

JsonOutput::JsonOutput(std::string path) : path_(std::move(path)) {
  if (path_ != "-") return;
  std::fflush(stdout);
  standard_output_ = dup(STDOUT_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
}

JsonOutput::~JsonOutput() {
  if (standard_output_ < 0) return;
  std::fflush(stdout);
  dup2(standard_output_, STDOUT_FILENO);
  close(standard_output_);
}

bool JsonOutput::write(const std::string& text) {
  if (path_.empty()) return true;
  if (path_ != "-") {
    const auto written = results::write_file(path_, text + "\n");
    if (!written) fail(written.error());
    return written.has_value();
  }
  if (std::FILE* const file = fdopen(dup(standard_output_), "w")) {
    const bool printed = std::fputs((text + "\n").c_str(), file) >= 0;
    if (std::fclose(file) == 0 && printed) return true;
  }
  fmt::print(stderr, "distlab: cannot write to standard output\n");
  return false;
}

int show_outputs(const std::string& database, int64_t family, const Outputs& outputs) {
  const auto store = results::Store::open(database, results::OpenMode::existing);
  if (!store) return fail(store.error());
  const results::TableStyle style = results::style_of(STDOUT_FILENO);
  const auto collected = collect(*store, family, style);
  if (!collected) return fail(collected.error());
  if (collected->runs.empty()) return exit_pass;

  const bool json_on_stdout = outputs.json == "-";
  if (!outputs.quiet && !json_on_stdout) {
    fmt::print("{}",
               collected->runs.size() == 1 ? collected->single_table : results::family_table(collected->runs, style));
  }
  std::string html = outputs.html;
  if (html.empty()) {
    const auto folder = std::filesystem::path(database).parent_path();
    html = (folder / fmt::format("{}-{}.html", collected->runs.front().run.scenario, family)).string();
  }
  if (auto written = results::write_file(html, collected->page); !written) return fail(written.error());
  if (json_on_stdout) {
    fmt::print("{}", results::to_json(collected->runs));
  } else if (!outputs.json.empty()) {
    if (auto written = results::write_file(outputs.json, results::to_json(collected->runs)); !written) {
      return fail(written.error());
    }
  }
  if (!outputs.junit.empty()) {
    if (auto written = results::write_file(outputs.junit, results::to_junit(collected->runs)); !written) {
      return fail(written.error());
    }
  }
  if (!outputs.quiet && !json_on_stdout) fmt::print("\nreport:   {}\ndatabase: {}\n", html, database);
  return exit_pass;
}

}  // namespace distlab::cli
