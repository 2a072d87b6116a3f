// The place of a control socket in the file system: made for its owner alone, taken over from a process that
// is dead, left alone when somebody serves it.
#pragma once

#include <string>
#include <utility>

#include <sys/types.h>
#include <tl/expected.hpp>

namespace distlab::daemon {

class ControlSocket {
 public:
  // A listening socket of mode 0600. The folder is made (0700) if only it is missing.
  static tl::expected<ControlSocket, std::string> listen(const std::string& path);
  ControlSocket(ControlSocket&& other) noexcept
      : path_(std::move(other.path_)),
        fd_(std::exchange(other.fd_, -1)),
        device_(other.device_),
        inode_(other.inode_) {}
  ControlSocket& operator=(ControlSocket&&) = delete;
  ~ControlSocket();

  int release() { return std::exchange(fd_, -1); }  // the caller closes it
  void remove();                                    // the name, if it is still ours

 private:
  ControlSocket(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// A connection to it; the error is one clause. The caller closes it.
tl::expected<int, std::string> connect_control(const std::string& path);

}  // namespace distlab::daemon
