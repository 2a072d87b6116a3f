#include "results/output_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

namespace distlab::results {
namespace {

namespace fs = std::filesystem;

tl::unexpected<StoreError> cannot_write(const std::string& path, int error) {
  return tl::unexpected(
      StoreError{fmt::format("{}: cannot write: {}", path, std::strerror(error != 0 ? error : EIO)), true});
}

fs::path folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

// A rename would put a file in the place of a link or a device.
bool written_through(const std::string& path) {
  std::error_code ignored;
  const fs::file_type type = fs::symlink_status(path, ignored).type();
  return type != fs::file_type::regular && type != fs::file_type::not_found;
}

// 0, or what went wrong.
int write_to(const std::string& path, const std::string& text) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.flush();
  return file ? 0 : (errno != 0 ? errno : EIO);
}

}  // namespace

StoreResult<void> write_file(const std::string& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(folder_of(path), error);
  if (error) return cannot_write(path, error.value());
  if (written_through(path)) {
    const int failed = write_to(path, text);
    return failed == 0 ? StoreResult<void>{} : cannot_write(path, failed);
  }
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  int failed = write_to(temporary, text);
  if (failed == 0 && ::rename(temporary.c_str(), path.c_str()) == 0) return {};
  if (failed == 0) failed = errno;
  ::unlink(temporary.c_str());
  return cannot_write(path, failed);
}

StoreResult<void> can_write(const std::string& path) {
  std::error_code error;
  if (path.empty()) return cannot_write("''", ENOENT);
  if (path.back() == '/' || fs::is_directory(path, error)) return cannot_write(path, EISDIR);
  if (written_through(path) && fs::exists(path, error))
    return ::access(path.c_str(), W_OK) == 0 ? StoreResult<void>{} : cannot_write(path, errno);
  // The nearest folder there is; those below it will be made.
  fs::path folder = fs::absolute(folder_of(path), error);
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  if (!fs::is_directory(folder, error)) return cannot_write(path, ENOTDIR);
  return ::access(folder.c_str(), W_OK | X_OK) == 0 ? StoreResult<void>{} : cannot_write(path, errno);
}

}  // namespace distlab::results
