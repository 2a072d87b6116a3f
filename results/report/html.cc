#include "results/report/html.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "results/report/assets.h"
#include "results/report/page.h"

namespace distlab::results {

using Json = nlohmann::ordered_json;

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// JSON inside <script>: no "<" at all, so neither "</script>" nor "<!--" can end or change it.
std::string script_safe(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

int rank(Outcome outcome) {
  return outcome == Outcome::fail ? 0 : outcome == Outcome::unknown ? 1 : 2;
}

}  // namespace

std::string page_of(const std::string& title, const Json& data, std::string_view script) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{} · distlab</title>\n<style>\n{}</style>\n</head>\n<body>\n<main id=\"page\"></main>\n"
      "<noscript>This report draws itself with JavaScript, which is switched off here.</noscript>\n"
      "<script id=\"data\" type=\"application/json\">{}</script>\n<script>\n{}</script>\n<script>\n{}</script>\n"
      "</body>\n</html>\n",
      escaped(title), report_assets::css(), script_safe(data), report_assets::vega(), script);
}

class HtmlReport::Impl {
 public:
  struct Detail {
    int rank;
    int64_t run;
    Json json;
  };

  std::string command;
  ReportLimits limits;
  std::vector<RunSummary> runs;
  Json overviews = Json::array();
  std::vector<Detail> details;
};

HtmlReport::HtmlReport(std::string command, ReportLimits limits) : impl_(std::make_unique<Impl>()) {
  impl_->command = std::move(command);
  impl_->limits = limits;
}
HtmlReport::HtmlReport(HtmlReport&&) noexcept = default;
HtmlReport& HtmlReport::operator=(HtmlReport&&) noexcept = default;
HtmlReport::~HtmlReport() = default;

void HtmlReport::add(const Digest& digest, const std::vector<Verdict>& verdicts) {
  RunSummary summary = summarize(digest, verdicts);
  impl_->overviews.push_back(report_overview(summary));
  auto& details = impl_->details;
  const int own_rank = rank(summary.outcome);
  impl_->runs.push_back(std::move(summary));
  if (details.size() == max_details) {
    if (own_rank >= details.back().rank) return;
    details.pop_back();
  }
  Json json = report_detail(digest, verdicts, impl_->limits);
  thin_calls(json, impl_->limits.points);
  const auto place = std::find_if(details.begin(), details.end(), [&](const auto& d) { return d.rank > own_rank; });
  details.insert(place, {own_rank, digest.run.id, std::move(json)});
}

std::string HtmlReport::html() const {
  Json details = Json::array();
  for (const auto& detail : impl_->details) {
    details.push_back(detail.json);
    thin_calls(details.back(), std::max<size_t>(500, impl_->limits.points / impl_->details.size()));
  }
  const Json data = {{"command", impl_->command},
                     {"outcome", to_string(worst(impl_->runs))},
                     {"runs", impl_->overviews},
                     {"details", details}};
  return page_of(impl_->runs.empty() ? "no runs" : impl_->runs.front().run.scenario, data, report_assets::script());
}

namespace {

StoreResult<std::string> report_of(const Store& store, const std::vector<RunRecord>& runs, const std::string& command) {
  HtmlReport report(command);
  for (const RunRecord& run : runs) {
    const auto events = store.events(run.id);
    if (!events) return tl::unexpected(events.error());
    const auto verdicts = store.verdicts(run.id);
    if (!verdicts) return tl::unexpected(verdicts.error());
    report.add(digest(run, *events), *verdicts);
  }
  return report.html();
}

StoreError no_such(const Store& store, const char* what, int64_t id) {
  return {fmt::format("{}: there is no {} {}", store.path(), what, id), true};
}

}  // namespace

StoreResult<std::string> family_report(const Store& store, int64_t family) {
  const auto runs = store.family_runs(family);
  if (!runs) return tl::unexpected(runs.error());
  if (runs->empty()) return tl::unexpected(no_such(store, "family", family));
  const auto command = store.family_command(family);
  if (!command) return tl::unexpected(command.error());
  return report_of(store, *runs, *command);
}

StoreResult<std::string> run_report(const Store& store, int64_t id) {
  const auto run = store.run(id);
  if (!run) return tl::unexpected(run.error());
  if (!*run) return tl::unexpected(no_such(store, "run", id));
  const auto command = store.family_command((*run)->family);
  if (!command) return tl::unexpected(command.error());
  return report_of(store, {**run}, *command);
}

}  // namespace distlab::results
