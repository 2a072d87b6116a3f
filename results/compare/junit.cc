#include "results/junit.h"

#include <fmt/format.h>

#include "results/compare/output.h"
#include "results/compare/words.h"

namespace distlab::results::compare {

namespace {

// All that was tested of a metric, what did not agree first.
std::string reasons(const Comparison& comparison, const Metric& metric, size_t arm) {
  std::string text;
  for (const Decision wanted : {Decision::disagree, Decision::too_few, Decision::agree}) {
    const auto add = [&](const Tested& test, const std::string& about, const std::string& why) {
      if (test.decision == wanted)
        text += fmt::format("{}{}: {}{}", text.empty() ? "" : "\n", to_string(wanted), about.empty() ? "" : about + " ",
                            why);
    };
    for (const Line& line : metric.lines)
      for (const Tested& test : line.tests)
        add(test, line.about, why(metric.metric, test, comparison.margins.at(metric.metric)));
    for (const Tested& test : metric.outcomes) add(test, "", why_share(test, comparison.runs[0], comparison.runs[arm]));
  }
  return text;
}

struct Counts {
  size_t tests = 0, failures = 0, skipped = 0;
};

std::string testcase(const std::string& suite, const Comparison& comparison, const Metric& metric, size_t arm,
                     Counts& counts) {
  const Conclusion conclusion = metric.conclusion();
  const std::string text = xml_escaped(reasons(comparison, metric, arm));
  std::string out = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"0\">", xml_escaped(suite),
                                xml_escaped(metric_name(metric.metric)));
  ++counts.tests;
  if (conclusion.decision == Decision::disagree) {
    ++counts.failures;
    out += fmt::format("<failure message=\"the arms disagree\" type=\"comparison\">{}</failure>", text);
  } else if (conclusion.decision == Decision::too_few) {
    ++counts.skipped;
    out += fmt::format("<skipped message=\"{}\"/><system-out>{}</system-out>", xml_escaped(conclusion_text(conclusion)),
                       text);
  } else {
    out += fmt::format("<system-out>{}</system-out>", text);
  }
  return out + "</testcase>\n";
}

}  // namespace

std::string to_junit(const std::vector<Comparison>& all) {
  std::string suites;
  Counts total;
  for (const Comparison& comparison : all) {
    for (size_t i = 0; i < comparison.versus.size(); ++i) {
      const Versus& versus = comparison.versus[i];
      const std::string name =
          fmt::format("{}{}{} {} against {}", comparison.scenario, comparison.variant.empty() ? "" : " ",
                      comparison.variant, versus.arm, comparison.arms[0]);
      Counts counts;
      std::string cases;
      for (const Metric& metric : versus.metrics) cases += testcase(name, comparison, metric, i + 1, counts);
      if (versus.metrics.empty()) {
        counts = {1, 0, 1};
        cases = fmt::format(
            "    <testcase classname=\"{}\" name=\"comparison\" time=\"0\"><skipped "
            "message=\"there is nothing to compare\"/></testcase>\n",
            xml_escaped(name));
      }
      suites += fmt::format(
          "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">\n{}"
          "  </testsuite>\n",
          xml_escaped(name), counts.tests, counts.failures, counts.skipped, cases);
      total.tests += counts.tests;
      total.failures += counts.failures;
    }
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"distlab\" tests=\"{}\" "
      "failures=\"{}\" errors=\"0\">\n{}</testsuites>\n",
      total.tests, total.failures, suites);
}

}  // namespace distlab::results::compare
