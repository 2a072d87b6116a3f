#include "cli/beside.h"

#include <climits>

#include <unistd.h>

namespace distlab::cli {

std::string beside_us(const std::string& name) {
  char path[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0 || length == sizeof path) return name;
  const std::string self(path, static_cast<size_t>(length));
  return self.substr(0, self.rfind('/') + 1) + name;
}

}  // namespace distlab::cli
