#include "real/lab/testing/net.h"

#include <array>
#include <chrono>
#include <span>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace distlab::lab {
namespace {

sockaddr_in endpoint(const std::string& address, uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  EXPECT_EQ(::inet_pton(AF_INET, address.c_str(), &result.sin_addr), 1) << address;
  return result;
}

// RFC 1071; 0xffff over data that has its right checksum in it.
uint32_t sum(std::span<const uint8_t> bytes, uint32_t start = 0) {
  uint32_t total = start;
  for (size_t i = 0; i < bytes.size(); ++i) total += i % 2 == 0 ? bytes[i] << 8U : bytes[i];
  while (total >> 16U != 0) total = (total & 0xffffU) + (total >> 16U);
  return total;
}

bool checksums_right(std::span<const uint8_t> packet) {
  const size_t header = (packet[0] & 0xfU) * size_t{4};
  if (packet.size() < header || sum(packet.first(header)) != 0xffff) return false;
  const std::span<const uint8_t> rest = packet.subspan(header);
  const uint8_t protocol = packet[9];
  // A fragment has only part of what its UDP checksum is over.
  if ((packet[6] & 0x3fU) != 0 || packet[7] != 0) return true;
  if (protocol == IPPROTO_ICMP) return sum(rest) == 0xffff;
  return sum(rest, sum(packet.subspan(12, 8)) + protocol + static_cast<uint32_t>(rest.size())) == 0xffff;
}

std::string destination(std::span<const uint8_t> packet) {
  std::array<char, INET_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET, &packet[16], text.data(), text.size());
}

}  // namespace

Fd open_socket(Lab& lab, HostId host, int type, int protocol) {
  Fd socket;
  const Result<void> done =
      lab.within(host, [&] { socket = Fd(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol)); });
  EXPECT_TRUE(done && socket) << (done ? std::strerror(errno) : done.error());
  return socket;
}

bool bind_to(const Fd& socket, const std::string& address, uint16_t port) {
  const sockaddr_in local = endpoint(address, port);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0;
}

bool connect_to(const Fd& socket, const std::string& address, uint16_t port) {
  const sockaddr_in remote = endpoint(address, port);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&remote), sizeof remote) == 0 ||
         errno == EINPROGRESS;
}

std::string read_some(const Fd& socket) {
  std::string text(65536, '\0');
  const ssize_t length = ::recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT);
  text.resize(length > 0 ? static_cast<size_t>(length) : 0);
  return text;
}

bool ping(Lab& lab, HostId host, const std::string& address, int limit_ms) {
  const Fd socket = open_socket(lab, host, SOCK_RAW, IPPROTO_ICMP);
  if (!connect_to(socket, address, 0)) return false;
  // Echo request 8, identifier and sequence 1; the checksum is the sum's complement.
  const std::array<uint8_t, 8> echo{8, 0, 0xf7, 0xfd, 0, 1, 0, 1};
  if (::send(socket.get(), echo.data(), echo.size(), 0) != static_cast<ssize_t>(echo.size())) return false;
  for (pollfd readable{socket.get(), POLLIN, 0}; ::poll(&readable, 1, limit_ms) == 1;) {
    const std::string answer = read_some(socket);
    if (answer.size() >= 28 && answer[20] == 0) return true;
  }
  return false;
}

bool Hub::carry() {
  size_t carried = 0;
  for (auto& [address, port] : ports_) {
    carried += port.receive([this](std::span<const uint8_t> packet) {
      ++packets;
      largest = std::max(largest, packet.size());
      wrong_checksums += checksums_right(packet) ? 0 : 1;
      const auto to = ports_.find(destination(packet));
      if (to == ports_.end()) {
        ++unknown;
      } else if (!to->second.send(packet)) {
        ++refused;
      }
    });
  }
  return carried > 0;
}

void Hub::wait() {
  std::vector<pollfd> fds;
  for (auto& [address, port] : ports_) fds.push_back({port.fd(), POLLIN, 0});
  ::poll(fds.data(), fds.size(), 1);
}

bool Hub::carry_until(const std::function<bool()>& condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    if (!carry()) wait();
  }
  return true;
}

}  // namespace distlab::lab
