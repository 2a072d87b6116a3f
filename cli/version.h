// What was built, from what, with what.
#pragma once

#include <string>

namespace distlab::cli {

std::string build_commit();    // "3f2a91c", with "+" when the tree had changes; "unknown" outside git
std::string build_versions();  // "distlab 0.1.0, ns-3 3.37, gcc 12.2.0"

}  // namespace distlab::cli
