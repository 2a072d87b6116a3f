// A page as a browser draws it, for tests.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "results/testing/temp_dir.h"

namespace distlab::results {

inline size_t occurrences(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

// The page as a browser makes it from the file. A picture goes beside it when DISTLAB_SCREENSHOTS
// names a folder, for a person to look at.
inline std::string dom_of(const std::string& html, const std::string& name) {
  TempDir dir;
  std::ofstream(dir / "page.html") << html;
  const std::string chromium =
      "timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
      "--disable-background-networking --disable-component-update --disable-sync --virtual-time-budget=5000 "
      "--window-size=1320,2600 --hide-scrollbars";
  const auto run = [&](const std::string& profile, const std::string& what) {
    return std::system(fmt::format("{} --user-data-dir={} {} file://{} >{} 2>{}", chromium, dir / profile, what,
                                   dir / "page.html", dir / "out", dir / "err")
                           .c_str());
  };
  EXPECT_EQ(run("profile", "--dump-dom"), 0);
  std::ostringstream dom;
  dom << std::ifstream(dir / "out").rdbuf();
  if (const char* folder = std::getenv("DISTLAB_SCREENSHOTS"))
    for (const char* mode : {"light", "dark"})
      run(std::string("shot-") + mode,
          fmt::format("--screenshot={}/{}-{}.png {}", folder, name, mode,
                      std::string(mode) == "dark" ? "--blink-settings=preferredColorScheme=0" : ""));
  return dom.str();
}

// The page with its scripts and data cut away: what was drawn.
inline std::string drawn(const std::string& dom) {
  std::string out = dom;
  for (size_t at = out.find("<script"); at != std::string::npos; at = out.find("<script"))
    out.erase(at, out.find("</script>", at) + 9 - at);
  return out;
}

// Whether Vega has drawn into the box of this chart: the mark stands in the same tag.
inline bool is_drawn(const std::string& dom, const std::string& chart) {
  const size_t at = dom.find("id=\"" + chart + "\"");
  return at != std::string::npos && dom.find("data-drawn=\"1\"", at) < dom.find('>', at);
}

inline bool chromium_is_there() {
  return std::system("command -v chromium >/dev/null") == 0;
}

}  // namespace distlab::results
