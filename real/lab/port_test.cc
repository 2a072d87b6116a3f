#include "real/lab/port.h"

#include <cstring>

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "real/lab/testing/net.h"
#include "real/lab/testing/run.h"

namespace distlab::lab {
namespace {

using Kind = Attachment::Kind;

// Two hosts whose packets go through a hub in the test.
struct Pair {
  HostId alice, bob;
  Hub hub;

  Pair(Lab& lab, Kind kind) : alice(*lab.add_host("alice")), bob(*lab.add_host("bob")) {
    Result<std::vector<Port>> ports = lab.attach(
        {{.host = alice, .address = "10.0.1.1", .kind = kind}, {.host = bob, .address = "10.0.2.1", .kind = kind}});
    if (!ports) {
      ADD_FAILURE() << ports.error();
      return;
    }
    for (const Port& port : *ports) {
      EXPECT_EQ(port.kind(), kind == Kind::tun ? Port::Kind::tun : Port::Kind::veth);
    }
    hub.add("10.0.1.1", std::move((*ports)[0]));
    hub.add("10.0.2.1", std::move((*ports)[1]));
  }
};

void datagrams_pass(Lab& lab, Kind kind) {
  Pair pair(lab, kind);
  if (::testing::Test::HasFailure()) return;
  const Fd from = open_socket(lab, pair.alice, SOCK_DGRAM);
  const Fd to = open_socket(lab, pair.bob, SOCK_DGRAM);
  ASSERT_TRUE(bind_to(to, "10.0.2.1", 4000));
  ASSERT_TRUE(connect_to(from, "10.0.2.1", 4000));
  // The second is longer than the mtu and comes in fragments.
  for (const size_t size : {1400U, 3000U}) {
    const std::string text(size, 'x');
    ASSERT_EQ(::send(from.get(), text.data(), text.size(), 0), static_cast<ssize_t>(size));
    std::string got;
    EXPECT_TRUE(pair.hub.carry_until([&] { return !(got = read_some(to)).empty(); }));
    EXPECT_EQ(got, text);
    EXPECT_EQ(pair.hub.wrong_checksums, 0U);
  }
  EXPECT_EQ(pair.hub.packets, 4U);
  EXPECT_EQ(pair.hub.largest, 1500U);
  EXPECT_EQ(pair.hub.unknown, 0U);
}

void streams_pass(Lab& lab, Kind kind) {
  Pair pair(lab, kind);
  if (::testing::Test::HasFailure()) return;
  const Fd listener = open_socket(lab, pair.bob, SOCK_STREAM);
  ASSERT_TRUE(bind_to(listener, "10.0.2.1", 4000));
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  const Fd from = open_socket(lab, pair.alice, SOCK_STREAM);
  ASSERT_TRUE(connect_to(from, "10.0.2.1", 4000));
  Fd to;
  ASSERT_TRUE(pair.hub.carry_until([&] {
    to = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    return static_cast<bool>(to);
  }));
  std::string text;
  for (int i = 0; text.size() < 1'000'000; ++i) text += std::to_string(i);
  size_t sent = 0;
  std::string got;
  EXPECT_TRUE(pair.hub.carry_until([&] {
    const ssize_t written = ::send(from.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (written > 0) sent += static_cast<size_t>(written);
    got += read_some(to);
    return got.size() >= text.size();
  }));
  EXPECT_EQ(got, text);
  EXPECT_EQ(pair.hub.wrong_checksums, 0U);
  EXPECT_LE(pair.hub.largest, 1500U);
  EXPECT_GE(pair.hub.packets, text.size() / 1500);
}

// As most machines have it: the device file is everybody's. In a mount namespace of this process.
bool open_tun_to_everybody() {
  ::umask(0);
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/dev", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", "/dev/shm", "tmpfs", 0, nullptr) == 0 &&
         ::mknod("/dev/shm/tun", S_IFCHR | 0666, ::makedev(10, 200)) == 0 &&
         ::mount("/dev/shm/tun", "/dev/net/tun", nullptr, MS_BIND, nullptr) == 0;
}

// The body with TUN ports, if the kernel gives them; else the error must name the file.
void run_with_tun(User user, void (*body)(Lab&, Kind)) {
  run_as(users().front(), [&] {
    EXPECT_TRUE(::geteuid() != 0 || open_tun_to_everybody()) << std::strerror(errno);
    run_in_lab(user, [&](Lab& lab) {
      const Result<std::vector<Port>> probe =
          lab.attach({{.host = *lab.add_host("probe"), .address = "10.0.9.1", .kind = Kind::tun}});
      if (probe) {
        body(lab, Kind::tun);
      } else {
        EXPECT_THAT(probe.error(), ::testing::HasSubstr("opening /dev/net/tun: "));
        std::printf("no TUN devices here: %s\n", probe.error().c_str());
      }
    });
  });
}

class PortTest : public LabTest {};

// Datagrams between two hosts pass through ports of the kind any user can have, whole and with right
// checksums, fragments too.
TEST_P(PortTest, DatagramsPassThroughVeth) {
  run_in_lab(GetParam(), [](Lab& lab) { datagrams_pass(lab, Kind::veth); });
}

// A megabyte over TCP arrives as it was sent, in packets no larger than the mtu, with right checksums.
TEST_P(PortTest, StreamsPassThroughVeth) {
  run_in_lab(GetParam(), [](Lab& lab) { streams_pass(lab, Kind::veth); });
}

// The same through TUN devices.
TEST_P(PortTest, DatagramsPassThroughTun) {
  run_with_tun(GetParam(), datagrams_pass);
}

// The same through TUN devices.
TEST_P(PortTest, StreamsPassThroughTun) {
  run_with_tun(GetParam(), streams_pass);
}

// What is not told which kind to take takes the one there is.
TEST_P(PortTest, AnyKindIsTaken) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const bool open = ::access("/dev/net/tun", R_OK | W_OK) == 0;
    const Result<std::vector<Port>> ports = lab.attach({{.host = *lab.add_host("alice"), .address = "10.0.1.1"}});
    ASSERT_TRUE(ports) << ports.error();
    EXPECT_EQ(ports->front().kind(), open ? Port::Kind::tun : Port::Kind::veth);
  });
}

INSTANTIATE_TEST_SUITE_P(Users, PortTest, ::testing::ValuesIn(users()), ::testing::PrintToStringParamName());

}  // namespace
}  // namespace distlab::lab
