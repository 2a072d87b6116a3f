#include "real/daemon/port_holder.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace distlab::daemon {
namespace {

namespace fs = std::filesystem;

// The inodes of all sockets on this port, from /proc/net/udp or tcp: proc(5).
std::set<std::string> sockets_on(Transport transport, uint16_t port) {
  std::set<std::string> inodes;
  for (const char* family : {"", "6"}) {
    std::ifstream table(fmt::format("/proc/net/{}{}", transport == Transport::udp ? "udp" : "tcp", family));
    std::string line;
    std::getline(table, line);  // headings
    while (std::getline(table, line)) {
      std::istringstream words(line);
      std::string slot, local, skipped, inode;
      words >> slot >> local;
      for (int i = 0; i < 7; ++i) words >> skipped;
      words >> inode;
      const size_t colon = local.find(':');
      if (colon == std::string::npos || local.substr(colon + 1) != fmt::format("{:04X}", port)) continue;
      inodes.insert(fmt::format("socket:[{}]", inode));
    }
  }
  return inodes;
}

// "4711 (beam.smp)"; "" when we are not allowed to see whose socket it is.
std::string holder_of(const std::set<std::string>& inodes) {
  std::error_code error;
  for (fs::directory_iterator process("/proc", error), end; !error && process != end; process.increment(error)) {
    const std::string pid = process->path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code hidden;
    for (fs::directory_iterator file(process->path() / "fd", hidden); !hidden && file != end; file.increment(hidden)) {
      std::error_code gone;
      if (inodes.count(fs::read_symlink(file->path(), gone)) == 0) continue;
      std::string name;
      std::getline(std::ifstream(process->path() / "comm") >> std::ws, name);
      return fmt::format("{} ({})", pid, name);
    }
  }
  return "";
}

int bind_error(Transport transport, Endpoint local) {
  const int fd = ::socket(AF_INET, (transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int on = 1;  // as whoever listens in earnest: not refused for what is in TIME_WAIT
  if (transport == Transport::tcp) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(local.port);
  address.sin_addr.s_addr = htonl(local.address.bits);
  const int error = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  ::close(fd);
  return error;
}

}  // namespace

std::optional<std::string> why_not_bindable(Transport transport, Endpoint local) {
  const char* const name = transport == Transport::udp ? "UDP" : "TCP";
  switch (const int error = bind_error(transport, local)) {
    case 0:
      return std::nullopt;
    case EADDRINUSE: {
      const std::string holder = holder_of(sockets_on(transport, local.port));
      if (!holder.empty()) return fmt::format("{} port {} is taken by process {}", name, local.port, holder);
      return fmt::format("{} port {} is taken (as root, `ss -{}lpn sport = :{}` says by whom)", name, local.port,
                         transport == Transport::udp ? 'u' : 't', local.port);
    }
    case EADDRNOTAVAIL:
      return fmt::format("{} is not an address of this machine", local.address.to_string());
    case EACCES:
      return fmt::format("{} port {} needs the capability CAP_NET_BIND_SERVICE", name, local.port);
    default:
      return fmt::format("{} port {}: {}", name, local.port, std::strerror(error));
  }
}

}  // namespace distlab::daemon
