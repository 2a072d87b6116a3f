#include "real/bench/flood.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "real/bench/numbering.h"

namespace distlab::bench {
namespace {

using std::chrono::steady_clock;

constexpr auto tick = std::chrono::microseconds{200};
constexpr int receive_buffer = 16 << 20;  // what is lost must be the network's fault, not the sink's
constexpr size_t batch = 64;

sockaddr_in address_of(in_addr_t address, uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = address;
  return out;
}

}  // namespace

int run_flood(FloodCounts& counts, const FloodSettings& settings, const std::vector<int>& sockets) {
  std::vector<uint8_t> packet(std::max<size_t>(settings.payload, sizeof(uint64_t)));
  while (counts.running == 0) std::this_thread::sleep_for(tick);
  const auto began = steady_clock::now();
  for (uint64_t number = 0; counts.running != 0;) {
    const double elapsed = std::chrono::duration<double>(steady_clock::now() - began).count();
    const auto due = static_cast<uint64_t>(elapsed * settings.rate);
    for (; number < due && counts.running != 0; ++number) {
      const uint64_t of_flow = number / sockets.size() + 1;
      std::memcpy(packet.data(), &of_flow, sizeof of_flow);
      const ssize_t sent = ::send(sockets[number % sockets.size()], packet.data(), packet.size(), MSG_NOSIGNAL);
      ++(sent >= 0 ? counts.sent : counts.refused);
    }
    std::this_thread::sleep_for(tick);
  }
  for (;;) ::pause();
}

int run_sink(FloodCounts& counts, const std::vector<int>& sockets) {
  std::vector<pollfd> waits;
  for (const int socket : sockets) waits.push_back({socket, POLLIN, 0});
  std::vector<Numbering> flows(sockets.size());
  std::array<uint64_t, batch> numbers{};
  std::array<iovec, batch> vectors{};
  std::array<mmsghdr, batch> messages{};
  for (size_t i = 0; i < batch; ++i) {
    vectors[i] = {&numbers[i], sizeof numbers[i]};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  while (::poll(waits.data(), waits.size(), -1) > 0) {
    for (size_t flow = 0; flow < sockets.size(); ++flow) {
      const int got = ::recvmmsg(sockets[flow], messages.data(), batch, MSG_DONTWAIT, nullptr);
      for (int i = 0; i < got; ++i) {
        const bool counts_once = flows[flow].arrived(numbers[static_cast<size_t>(i)]).counts;
        ++(counts_once ? counts.received : counts.duplicates);
      }
    }
  }
  return 1;
}

lab::Result<lab::Fd> open_source(const std::string& destination, uint16_t port) {
  lab::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = address_of(::inet_addr(destination.c_str()), port);
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    return lab::failure(fmt::format("opening a UDP socket to {}", destination), errno);
  return socket;
}

lab::Result<lab::Fd> open_sink(uint16_t port) {
  lab::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in here = address_of(INADDR_ANY, port);
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0)
    return lab::failure(fmt::format("opening UDP port {}", port), errno);
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) != 0)
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  return socket;
}

}  // namespace distlab::bench
