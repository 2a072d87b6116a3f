// Whatever the text: it loads, or there is at least one message and none without words; and what loads
// has a canonical text that loads to the same.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "scenarios/loader.h"

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "scenario_fuzz: %s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace distlab::scenario;
  constexpr size_t longest = 20'000;  // more takes long and shows nothing new
  if (size > longest) return 0;
  // What comes after a line "%%" is the file that includes find, and a third part is an override.
  std::string_view text(reinterpret_cast<const char*>(data), size), included, override_text;
  const auto cut = [](std::string_view& from) {
    const size_t at = from.find("\n%%\n");
    const std::string_view rest = at == std::string_view::npos ? std::string_view() : from.substr(at + 4);
    from = from.substr(0, at);
    return rest;
  };
  included = cut(text);
  override_text = cut(included);
  std::vector<Override> overrides;
  if (const auto parsed = parse_override(override_text)) overrides.push_back(*parsed);
  const auto resolve = [&](const std::string&) -> tl::expected<std::string, std::string> {
    return std::string(included);
  };
  const auto loaded = load_text(text, "f.yaml", resolve, overrides);
  if (!loaded) {
    require(!loaded.error().empty() && loaded.error().size() <= max_diagnostics + 1, "messages are some, not many");
    for (const Diagnostic& one : loaded.error()) require(!one.message.empty(), "a message has words");
    return 0;
  }
  for (const Variant& variant : *loaded) {
    const auto again = load_text(variant.canonical, "f.yaml");
    require(again.has_value(), "the canonical text loads");
    require(again->size() == 1 && again->front().canonical == variant.canonical, "and is canonical");
    if (variant.scenario.workload.size() < 1000) expand_workload(variant.scenario, 1);
    expand_faults(variant.scenario, 1);
    break;  // variants differ in values only
  }
  return 0;
}
