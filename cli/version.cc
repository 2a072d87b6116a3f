#include "cli/version.h"

#include <fmt/format.h>

#include "cli/build_commit.h"  // made by CMake

namespace distlab::cli {

std::string build_commit() {
  return DISTLAB_COMMIT;
}

std::string build_versions() {
#if defined(__clang__)
  const std::string compiler = fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  const std::string compiler = fmt::format("gcc {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
  return fmt::format("distlab {}, ns-3 3.37, {}", DISTLAB_VERSION, compiler);
}

}  // namespace distlab::cli
