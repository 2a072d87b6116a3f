// Prints the scenario format: `scenario_schema` as schema.json, `scenario_schema --markdown` as the
// reference in README.md, `scenario_schema --check FILE...` what is wrong with scenario files.
#include <cstdio>
#include <string>

#include "scenarios/json_schema.h"
#include "scenarios/loader.h"

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode.empty() || mode == "--markdown") {
    std::fputs((mode.empty() ? distlab::scenario::json_schema() : distlab::scenario::reference_markdown()).c_str(),
               stdout);
    return 0;
  }
  if (mode != "--check") return 64;
  int code = 0;
  for (int i = 2; i < argc; ++i) {
    const auto loaded = distlab::scenario::load(argv[i]);
    if (loaded) continue;
    code = 1;
    for (const auto& one : loaded.error()) std::printf("%s\n", one.text().c_str());
  }
  return code;
}
