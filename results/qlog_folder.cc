#include "results/qlog_folder.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace distlab::results {

tl::expected<QlogFolder, std::string> QlogFolder::open(const std::string& path) {
  if (path.empty()) return QlogFolder(path);
  const std::string probe = path + "/.probe";
  const bool writable = std::ofstream(probe).good();
  if (!writable) return tl::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  std::error_code ignored;
  std::filesystem::remove(probe, ignored);
  return QlogFolder(path);
}

QlogFolder::Writer QlogFolder::file(const std::string& process, const std::string& peer) {
  if (path_.empty() || files_ >= max_files) return {};
  const std::string name = fmt::format("{}/{}-{}-{}.sqlog", path_, process, peer, ++files_);
  auto out = std::make_shared<std::ofstream>(name, std::ios::binary | std::ios::trunc);
  if (!*out) return {};
  return [out](std::string_view text) { out->write(text.data(), static_cast<std::streamsize>(text.size())); };
}

}  // namespace distlab::results
