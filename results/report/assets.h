// The parts of the report page that are written in other languages; the build embeds them.
#pragma once

#include <string_view>

namespace distlab::results::report_assets {

std::string_view css();             // report.css
std::string_view script();          // timeline.js, charts.js, tables.js, report.js
std::string_view compare_script();  // util.js, charts.js, tables.js, compare.js
std::string_view vega();            // Debian's libjs-vega, joined by vega_bundle.py

}  // namespace distlab::results::report_assets
