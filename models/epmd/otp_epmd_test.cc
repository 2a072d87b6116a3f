// The epmd of OTP 25 as the oracle: the same bytes to it and to our daemon, and the same answers.
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/epmd/codec.h"
#include "models/epmd/server.h"
#include "models/host/test_host.h"
#include "models/host/testing/peer.h"

namespace distlab::epmd {
namespace {

using Raw = std::vector<uint8_t>;

// What a connection has heard since it was last asked.
struct Heard {
  Raw bytes;
  bool closed = false;
};

class Daemon {
 public:
  virtual ~Daemon() = default;
  // Opens the connection if there is none of that name, writes, and listens until the daemon has
  // dealt with it.
  virtual Heard say(const std::string& connection, const Raw& bytes) = 0;
  virtual void hang_up(const std::string& connection) = 0;
};

class OurEpmd : public Daemon {
 public:
  explicit OurEpmd(uint16_t port) : port_(port), server_(epmd_, {.port = port}) {}

  Heard say(const std::string& connection, const Raw& bytes) override {
    auto& peer = peers_[connection];
    if (!peer) {
      peer = std::make_unique<conformance::Peer>();
      peer->stream = node_.connect_tcp({machine, port_}, *peer);
      world_.run_for(std::chrono::seconds(1));
    }
    if (!peer->closed) peer->stream->write(bytes);
    world_.run_for(std::chrono::seconds(1));
    return {std::exchange(peer->data, {}), peer->closed.has_value()};
  }
  void hang_up(const std::string& connection) override {
    peers_.erase(connection);
    world_.run_for(std::chrono::seconds(1));
  }

 private:
  static constexpr Ipv4 machine{0x0a000001};
  TestWorld world_{1};
  TestHost& epmd_ = world_.add_host("epmd", machine);
  TestHost& node_ = world_.add_host("node", machine);
  const uint16_t port_;
  Server server_;
  std::map<std::string, std::unique_ptr<conformance::Peer>> peers_;
};

// A socket that closes itself.
class Socket {
 public:
  Socket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool connect_to(const Socket& from, uint16_t port) {
  const sockaddr_in address = loopback(port);
  return connect(from.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

uint16_t free_port() {
  const Socket probe;
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(probe.fd(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      getsockname(probe.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no free port");
  }
  return ntohs(address.sin_port);
}

class OtpEpmd : public Daemon {
 public:
  explicit OtpEpmd(uint16_t port) : port_(port) {
    std::string program = "epmd", option = "-port", number = std::to_string(port);
    std::array<char*, 4> arguments{program.data(), option.data(), number.data(), nullptr};
    if (posix_spawnp(&process_, "epmd", nullptr, nullptr, arguments.data(), environ) != 0) {
      throw std::runtime_error("cannot start epmd");
    }
    for (int attempt = 0;; ++attempt) {
      const Socket probe;
      if (connect_to(probe, port_)) return;
      if (attempt == 1000) throw std::runtime_error("epmd does not listen");
      poll(nullptr, 0, 10);
    }
  }
  ~OtpEpmd() override {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  OtpEpmd(const OtpEpmd&) = delete;
  OtpEpmd& operator=(const OtpEpmd&) = delete;

  Heard say(const std::string& connection, const Raw& bytes) override {
    auto& socket = sockets_[connection];
    if (!socket) {
      socket = std::make_unique<Socket>();
      if (!connect_to(*socket, port_)) throw std::runtime_error("epmd refuses a connection");
    }
    send(socket->fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    barrier();
    Heard heard;
    std::array<uint8_t, 4096> chunk{};
    for (;;) {
      const ssize_t got = recv(socket->fd(), chunk.data(), chunk.size(), MSG_DONTWAIT);
      if (got < 0 && errno == EAGAIN) return heard;
      if (got <= 0) {
        heard.closed = true;
        return heard;
      }
      heard.bytes.insert(heard.bytes.end(), chunk.begin(), chunk.begin() + got);
    }
  }
  void hang_up(const std::string& connection) override {
    sockets_.erase(connection);
    barrier();
  }

 private:
  // epmd serves one event after the other. Two questions answered one after the other mean that
  // all that had arrived before the first is dealt with: it was in the same round at the latest.
  void barrier() const {
    for (int i = 0; i < 2; ++i) {
      const Socket asker;
      const Raw names = encode(Request(NamesRequest{}));
      if (!connect_to(asker, port_) || send(asker.fd(), names.data(), names.size(), MSG_NOSIGNAL) < 0) {
        throw std::runtime_error("epmd is gone");
      }
      std::array<uint8_t, 4096> answer{};
      while (recv(asker.fd(), answer.data(), answer.size(), 0) > 0) {
      }
    }
  }

  const uint16_t port_;
  pid_t process_ = 0;
  std::map<std::string, std::unique_ptr<Socket>> sockets_;
};

Raw raw(std::string_view text) {
  return {text.begin(), text.end()};
}

Raw framed(std::string_view body) {
  Raw out(2 + body.size());
  out[0] = static_cast<uint8_t>(body.size() >> 8);
  out[1] = static_cast<uint8_t>(body.size());
  std::copy(body.begin(), body.end(), out.begin() + 2);
  return out;
}

Raw alive(const std::string& name, uint16_t highest = 6, const std::string& extra = "") {
  return encode(Request(Alive2Request{.port = 4711, .highest = highest, .name = name, .extra = extra}));
}

std::string show(Heard heard) {
  // The creation is whatever the daemon likes.
  if (heard.bytes.size() >= 4 && heard.bytes[1] == 0 && (heard.bytes[0] == 118 || heard.bytes[0] == 121)) {
    std::fill(heard.bytes.begin() + 2, heard.bytes.end(), uint8_t{0});
  }
  std::string out;
  for (const uint8_t byte : heard.bytes) out += fmt::format("{:02x}", byte);
  return out + (heard.closed ? " closed" : " open");
}

// Everything a node, a tool or a vandal may say: both daemons answer alike, byte for byte, and
// close or keep the same connections. Only the creations are not compared.
TEST(OtpEpmd, AnswersAsOursDoes) {
  struct Step {
    std::string connection;
    Raw bytes;  // empty: hang up
  };
  const std::string extra_in_length = std::string("x\x12\x67M\0\0\6\0\5\0\1", 11) + "e" + std::string("\0\0", 2);
  const std::vector<Step> steps{
      {"names 1", framed("n")},
      {"x", alive("x")},
      {"y", alive("y")},
      {"rival of x", alive("x")},
      {"old rival of x", alive("x", 5)},
      {"rival of x", {}},
      {"names 2", framed("n")},
      {"port of x", framed("zx")},
      {"port of x and a zero", framed(std::string_view("zx\0", 3))},
      {"port of nobody", framed("zq")},
      {"port of nothing", framed("z")},
      {"port of bad UTF-8", framed("z\xff")},
      {"port of 256 characters", framed("z" + std::string(256, 'a'))},
      {"x", {}},
      {"port of x, gone", framed("zx")},
      {"x again", alive("x")},
      {"an old node", alive("old", 5)},
      {"port of the old node", framed("zold")},
      {"with extra", alive("with", 6, "EXTRA")},
      {"port with extra", framed("zwith")},
      {"bad UTF-8", alive("\xff\xfe")},
      {"255 characters", alive(std::string(255, 'a'))},
      {"256 characters", alive(std::string(256, 'a'))},
      {"255 characters of two bytes", alive([] {
         std::string name;
         for (int i = 0; i < 255; ++i) name += "\xc3\xb8";
         return name;
       }())},
      {"no name", alive("")},
      {"a zero in the name", alive(std::string("a\0b", 3))},
      {"more inside the length", framed(extra_in_length + "zz")},
      {"more behind the length",
       [] {
         Raw bytes = alive("f");
         bytes.push_back('z');
         return bytes;
       }()},
      {"in three parts", {0}},
      {"in three parts", {2, 'z'}},
      {"in three parts", {'x'}},
      {"cut off", framed(extra_in_length.substr(0, 12))},
      {"length 0", raw(std::string_view("\0\0", 2))},
      {"length 3057", {0x0b, 0xf1}},
      {"length 3058", {0x0b, 0xf2}},
      {"extra of 1020", alive("g", 6, std::string(1020, 'e'))},
      {"extra of 1021", alive("h", 6, std::string(1021, 'e'))},
      {"port with extra of 1020", framed("zg")},
      {"length 65535", {0xff, 0xff}},
      {"an unknown request", framed("?")},
      {"names with more", framed("nxx")},
      {"y", raw("a registered node has nothing more to say")},
      {"port of y, who talked", framed("zy")},
      {"names 3", framed("n")},
  };
  const uint16_t port = free_port();
  OtpEpmd theirs(port);
  OurEpmd ours(port);
  for (const Step& step : steps) {
    if (step.bytes.empty()) {
      theirs.hang_up(step.connection);
      ours.hang_up(step.connection);
      continue;
    }
    EXPECT_EQ(show(ours.say(step.connection, step.bytes)), show(theirs.say(step.connection, step.bytes)))
        << step.connection;
  }
}

}  // namespace
}  // namespace distlab::epmd
