#include "real/bench/beam_link.h"

#include <algorithm>
#include <chrono>
#include <span>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "models/dist/framing.h"
#include "models/etf/codec.h"

namespace distlab::bench {
namespace {

using lab::failure;
using lab::Result;

constexpr Duration look_around = std::chrono::milliseconds{100};
constexpr size_t max_frame = 64u << 20;  // 8 bytes for each call: far more than there can be
constexpr size_t header = 4;

Time now() {
  return run_start + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

std::string text_of(const etf::Term& term) {
  const auto* bits = term.as<etf::Bits>();
  return bits == nullptr ? term.to_string() : std::string(bits->bytes.begin(), bits->bytes.end());
}

}  // namespace

Result<BeamLink> BeamLink::listen() {
  BeamLink out;
  out.listener_ = lab::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!out.listener_ || ::bind(out.listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(out.listener_.get(), 1) != 0)
    return failure("listening on 127.0.0.1", errno);
  return out;
}

std::string BeamLink::address() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
}

Result<void> BeamLink::await(Duration limit, const Patience& patience) {
  const Time until = now() + limit;
  if (auto ready = readable(listener_.get(), until, patience); !ready) return ready;
  connection_ = lab::Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection_) return failure("accept", errno);
  const auto hello = next(until, patience);
  if (!hello) return tl::unexpected(hello.error());
  if (hello->as_tagged("hello", 3).empty()) return tl::make_unexpected("the node says no hello: " + hello->to_string());
  return {};
}

Result<etf::Term> BeamLink::ask(const etf::Term& order, Duration limit, const Patience& patience) {
  std::vector<uint8_t> bytes;
  const std::vector<uint8_t> body = etf::encode(order);
  dist::write_length(bytes, body.size(), dist::HeaderSize::four);
  bytes.insert(bytes.end(), body.begin(), body.end());
  if (::send(connection_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
    return failure("sending an order", errno);
  auto answer = next(now() + limit, patience);
  if (!answer) return answer;
  if (const auto error = answer->as_tagged("error", 2); !error.empty()) return tl::unexpected(text_of(error[1]));
  return answer;
}

Result<void> BeamLink::readable(int fd, Time until, const Patience& patience) {
  while (true) {
    if (auto going_on = patience(); !going_on) return going_on;
    const Duration left = until - now();
    if (left <= Duration{0}) return tl::make_unexpected(std::string("no answer in time"));
    pollfd poll{fd, POLLIN, 0};
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::min(left, look_around));
    const int ready = ::poll(&poll, 1, static_cast<int>(wait.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return failure("poll", errno);
  }
}

Result<std::vector<uint8_t>> BeamLink::read(size_t size, Time until, const Patience& patience) {
  std::vector<uint8_t> out(size);
  for (size_t have = 0; have < size;) {
    if (auto ready = readable(connection_.get(), until, patience); !ready) return tl::unexpected(ready.error());
    const ssize_t more = ::recv(connection_.get(), out.data() + have, size - have, MSG_DONTWAIT);
    if (more == 0) return tl::make_unexpected(std::string("the node has closed its connection"));
    if (more < 0 && errno != EAGAIN && errno != EINTR) return failure("reading an answer", errno);
    have += static_cast<size_t>(std::max<ssize_t>(more, 0));
  }
  return out;
}

Result<etf::Term> BeamLink::next(Time until, const Patience& patience) {
  const auto length = read(header, until, patience);
  if (!length) return tl::unexpected(length.error());
  const uint64_t size = dist::read_length(*length, dist::HeaderSize::four);
  if (size > max_frame) return tl::make_unexpected(std::string("the node's answer is too long"));
  const auto body = read(size, until, patience);
  if (!body) return tl::unexpected(body.error());
  auto decoded = etf::decode(*body);
  if (!decoded) return tl::unexpected("the node's answer is no term: " + decoded.error().what);
  return std::move(decoded->term);
}

}  // namespace distlab::bench
