#include "results/junit.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace distlab::results {

namespace {

// Valid UTF-8 only, borrowed from the JSON library: what is not is replaced by U+FFFD.
std::string utf8(const std::string& text) {
  using Json = nlohmann::json;
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

}  // namespace

// Of the control characters XML 1.0 knows but three, and an attribute
// keeps those only as references. U+FFFE and U+FFFF are no characters.
std::string xml_escaped(const std::string& raw) {
  std::string out;
  const std::string text = utf8(raw);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\t' || c == '\n' || c == '\r') {
      out += fmt::format("&#{};", c);
    } else if (c < 0x20 || text.compare(i, 3, "\xef\xbf\xbe") == 0 || text.compare(i, 3, "\xef\xbf\xbf") == 0) {
      out += "\xef\xbf\xbd";
      if (c >= 0x20) i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

namespace {

std::string testcase(const std::string& suite, const Verdict& v) {
  std::string out = fmt::format("    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"0\"",
                                xml_escaped(suite), xml_escaped(v.text), xml_escaped(v.file), v.line);
  if (v.outcome == Outcome::pass)
    return out + fmt::format("><system-out>{}</system-out></testcase>\n", xml_escaped(v.why));
  const bool failed = v.outcome == Outcome::fail;
  const std::string where = v.file.empty() ? "" : fmt::format("{}:{}: ", v.file, v.line);
  return out + (failed ? fmt::format("><failure message=\"{}\" type=\"expectation\">{}</failure></testcase>\n",
                                     xml_escaped(v.why), xml_escaped(where + v.why))
                       : fmt::format("><skipped message=\"unknown: {}\"/></testcase>\n", xml_escaped(v.why)));
}

std::string property(const char* name, const std::string& value) {
  return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, xml_escaped(value));
}

std::string testsuite(const RunSummary& s) {
  const RunRecord& run = s.run;
  const std::string label = label_text(run);
  const std::string name =
      fmt::format("{}{}{} {} seed {}", run.scenario, label.empty() ? "" : " ", label, run.ground, run.seed);
  const auto count = [&](Outcome outcome) {
    return std::count_if(s.verdicts.begin(), s.verdicts.end(), [&](const Verdict& v) { return v.outcome == outcome; });
  };
  const size_t errors = run.status == RunStatus::complete ? 0 : 1;
  std::string out = fmt::format(
      "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\"{} "
      "hostname=\"{}\">\n    <properties>\n",
      xml_escaped(name), s.verdicts.size() + errors, count(Outcome::fail), errors, count(Outcome::unknown),
      run.wall_seconds, run.started_at.empty() ? "" : fmt::format(" timestamp=\"{}\"", xml_escaped(run.started_at)),
      xml_escaped(run.host));
  out += property("run", fmt::to_string(run.id)) + property("seed", fmt::to_string(run.seed)) +
         property("ground", run.ground) + property("commit", run.commit) + property("trace_hash", run.trace_hash) +
         "    </properties>\n";
  for (const Verdict& v : s.verdicts) out += testcase(run.scenario, v);
  if (errors > 0)
    out += fmt::format(
        "    <testcase classname=\"{}\" name=\"the run completes\" time=\"0\"><error message=\"{}: {}\" "
        "type=\"run\"/></testcase>\n",
        xml_escaped(run.scenario), to_string(run.status), xml_escaped(run.error));
  return out + "  </testsuite>\n";
}

}  // namespace

std::string to_junit(const std::vector<RunSummary>& runs) {
  size_t tests = 0, failures = 0, errors = 0;
  std::string suites;
  for (const RunSummary& s : runs) {
    const size_t error = s.run.status == RunStatus::complete ? 0 : 1;
    tests += s.verdicts.size() + error;
    errors += error;
    for (const Verdict& v : s.verdicts) failures += v.outcome == Outcome::fail;
    suites += testsuite(s);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"distlab\" tests=\"{}\" failures=\"{}\" "
      "errors=\"{}\">\n{}</testsuites>\n",
      tests, failures, errors, suites);
}

}  // namespace distlab::results
