#include "real/daemon/control_socket.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace distlab::daemon {
namespace {

std::string why() {
  return std::strerror(errno);
}

tl::expected<sockaddr_un, std::string> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return tl::unexpected(
        fmt::format("its path is longer than {} bytes; choose another with --control", sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// Keeps two starting daemons from taking over one dead socket.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder) : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ >= 0) ::flock(fd_, LOCK_EX);
  }
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

// Removes what a dead process left there. The error is why it stays.
tl::expected<void, std::string> clear(const std::string& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) return {};
  if (!S_ISSOCK(there.st_mode)) return tl::unexpected(std::string("there is a file of that name that is no socket"));
  if (const auto alive = connect_control(path)) {
    ::close(*alive);
    return tl::unexpected(std::string("another daemon serves it; give this one another name, or --control"));
  }
  if (errno != ECONNREFUSED) return tl::unexpected(why());
  if (::unlink(path.c_str()) != 0) return tl::unexpected(why());
  return {};
}

}  // namespace

tl::expected<int, std::string> connect_control(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return tl::unexpected(why());
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return tl::unexpected(why());
}

tl::expected<ControlSocket, std::string> ControlSocket::listen(const std::string& path) {
  const auto fail = [&path](const std::string& reason) {
    return tl::unexpected(fmt::format("control socket {}: {}", path, reason));
  };
  const auto address = address_of(path);
  if (!address) return fail(address.error());
  const std::string folder = std::filesystem::absolute(path).parent_path();
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(fmt::format("cannot make {}: {}; choose another with --control", folder, why()));
  }
  const FolderLock lock(folder);
  if (!lock.open()) return fail(why());
  if (const auto cleared = clear(path); !cleared) return fail(cleared.error());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail(why());
  ControlSocket made(path, fd);
  const mode_t before = ::umask(0177);  // never open to others, not for a moment
  const int bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int error = errno;
  ::umask(before);
  errno = error;
  struct stat mine {};
  if (bound != 0 || ::listen(fd, 64) != 0 || ::lstat(path.c_str(), &mine) != 0) return fail(why());
  made.device_ = mine.st_dev;
  made.inode_ = mine.st_ino;
  return made;
}

ControlSocket::~ControlSocket() {
  if (fd_ >= 0) ::close(fd_);
}

void ControlSocket::remove() {
  struct stat there {};
  const bool ours = ::lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ && there.st_ino == inode_;
  if (ours) ::unlink(path_.c_str());
}

}  // namespace distlab::daemon
