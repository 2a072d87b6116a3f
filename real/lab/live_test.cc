// Two sites joined by the kernel's own network, as the live ground builds them.
#include <chrono>

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "real/lab/capabilities.h"
#include "real/lab/testing/net.h"
#include "real/lab/testing/run.h"

namespace distlab::lab {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// machine -- site router -- wide area router ==path== wide area router -- site router -- machine
//
// A wide area router belongs to one site; sites whose path has properties of its own are joined by a
// link of their own between these routers. Site s, machine m: 10.s.s.m, s over two bytes.
struct TwoSites {
  static constexpr const char* alice_address = "10.0.1.1";
  static constexpr const char* bob_address = "10.0.2.1";

  HostId alice, home, home_wide, office_wide, office, bob;
  LinkId alice_access, home_uplink, path, office_uplink, bob_access;

  // Not applied yet.
  explicit TwoSites(Lab& lab)
      : alice(host(lab, "alice", Role::machine)),
        home(host(lab, "home", Role::router)),
        home_wide(host(lab, "home.wide", Role::router)),
        office_wide(host(lab, "office.wide", Role::router)),
        office(host(lab, "office", Role::router)),
        bob(host(lab, "bob", Role::machine)),
        alice_access(access(lab, alice, alice_address, home)),
        home_uplink(uplink(lab, home, home_wide, "10.0.1.0/24")),
        path(lab.link({.host = home_wide}, {.host = office_wide})),
        office_uplink(uplink(lab, office, office_wide, "10.0.2.0/24")),
        bob_access(access(lab, bob, bob_address, office)) {
    lab.route(path, Side::a, "10.0.2.0/24");
    lab.route(path, Side::b, "10.0.1.0/24");
  }

 private:
  static HostId host(Lab& lab, const std::string& name, Role role) {
    const Result<HostId> added = lab.add_host(name, role);
    EXPECT_TRUE(added) << added.error();
    return *added;
  }
  static LinkId access(Lab& lab, HostId machine, const std::string& address, HostId site) {
    const LinkId link = lab.link({.host = machine, .address = address}, {.host = site});
    lab.route(link, Side::a, "default");
    lab.route(link, Side::b, address);
    return link;
  }
  static LinkId uplink(Lab& lab, HostId site, HostId wide, const std::string& prefix) {
    const LinkId link = lab.link({.host = site}, {.host = wide});
    lab.route(link, Side::a, "default");
    lab.route(link, Side::b, prefix);
    return link;
  }
};

void apply(Lab& lab) {
  const Result<void> applied = lab.apply();
  ASSERT_TRUE(applied) << applied.error();
}

// What bob hears of `count` datagrams of 1,000 bytes that alice sends at once, and how long it took.
struct Burst {
  size_t arrived = 0;
  std::chrono::duration<double> time{};

  Burst(Lab& lab, const TwoSites& net, size_t count) {
    const Fd from = open_socket(lab, net.alice, SOCK_DGRAM);
    const Fd to = open_socket(lab, net.bob, SOCK_DGRAM);
    EXPECT_TRUE(bind_to(to, TwoSites::bob_address, 4000) && connect_to(from, TwoSites::bob_address, 4000));
    const std::string text(1000, 'x');
    const auto start = std::chrono::steady_clock::now();
    auto last = start;
    const auto look = [&] {
      if (read_some(to).empty()) return;
      ++arrived;
      last = std::chrono::steady_clock::now();
    };
    for (size_t i = 0; i < count; ++i) {
      ::send(from.get(), text.data(), text.size(), 0);
      look();
    }
    // Half a second of silence is the end.
    while (arrived < count && std::chrono::steady_clock::now() < last + 500ms) look();
    time = last - start;
  }
};

class LiveTest : public LabTest {};

// Machines of two sites reach each other through four routers, and see nobody else.
TEST_P(LiveTest, PingsAcrossSites) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const TwoSites net(lab);
    apply(lab);
    EXPECT_TRUE(ping(lab, net.alice, TwoSites::bob_address));
    EXPECT_TRUE(ping(lab, net.bob, TwoSites::alice_address));
    EXPECT_FALSE(ping(lab, net.alice, "10.0.3.1", 50));
  });
}

// A rate holds packets back as long as it must: 100 datagrams of 1,042 bytes at 4 Mbit/s take 0.2 s;
// changed while it runs, it holds for the packets after that; without a rate nothing is held.
TEST_P(LiveTest, RateSlowsDown) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const TwoSites net(lab);
    lab.shape(net.home_uplink, Direction::a_to_b, {.rate_bps = 4'000'000});
    apply(lab);
    const Burst slow(lab, net, 100);
    EXPECT_EQ(slow.arrived, 100U);
    EXPECT_GT(slow.time, 180ms);
    lab.shape(net.home_uplink, Direction::a_to_b, {.rate_bps = 2'000'000});
    apply(lab);
    const Burst slower(lab, net, 100);
    EXPECT_EQ(slower.arrived, 100U);
    EXPECT_GT(slower.time, 380ms);
    lab.shape(net.home_uplink, Direction::a_to_b, {});
    apply(lab);
    const Burst free(lab, net, 100);
    EXPECT_EQ(free.arrived, 100U);
    EXPECT_LT(free.time, slow.time);
  });
}

// A queue keeps as many packets as it says; the rest is lost.
TEST_P(LiveTest, QueueIsCountedInPackets) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const TwoSites net(lab);
    lab.shape(net.home_uplink, Direction::a_to_b, {.rate_bps = 1'000'000, .queue = 20});
    apply(lab);
    const Burst burst(lab, net, 200);
    EXPECT_GE(burst.arrived, 20U);
    EXPECT_LE(burst.arrived, 60U);  // those that left meanwhile too
  });
}

// What is held arrives after it is let go, all of it and in order, whether the link has a rate or not;
// the other direction is not held.
TEST_P(LiveTest, HoldsAndLetsGo) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const TwoSites net(lab);
    apply(lab);
    const Fd from = open_socket(lab, net.alice, SOCK_DGRAM);
    const Fd to = open_socket(lab, net.bob, SOCK_DGRAM);
    ASSERT_TRUE(bind_to(to, TwoSites::bob_address, 4000) && bind_to(from, TwoSites::alice_address, 4000));
    ASSERT_TRUE(connect_to(from, TwoSites::bob_address, 4000) && connect_to(to, TwoSites::alice_address, 4000));
    for (const uint64_t rate : {0ULL, 50'000'000ULL, 0ULL}) {
      lab.shape(net.path, Direction::a_to_b, {.rate_bps = rate, .queue = 1000});
      lab.hold(net.path, Direction::a_to_b, true);
      apply(lab);
      for (char byte = 'a'; byte <= 'z'; ++byte) ASSERT_EQ(::send(from.get(), &byte, 1, 0), 1);
      ASSERT_EQ(::send(to.get(), "x", 1, 0), 1);
      EXPECT_TRUE(becomes_true([&] { return read_some(from) == "x"; }));
      EXPECT_EQ(read_some(to), "");
      lab.hold(net.path, Direction::a_to_b, false);
      apply(lab);
      std::string got;
      EXPECT_TRUE(becomes_true([&] {
        got += read_some(to);
        return got.size() == 26;
      }));
      EXPECT_EQ(got, "abcdefghijklmnopqrstuvwxyz");
    }
  });
}

// A drop works in one direction only; both together are a black hole; taken back, packets pass again.
TEST_P(LiveTest, DropsOneDirectionOnly) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const TwoSites net(lab);
    apply(lab);
    const auto arrives = [&](HostId from, HostId at, const char* address) {
      const Fd sender = open_socket(lab, from, SOCK_DGRAM);
      const Fd receiver = open_socket(lab, at, SOCK_DGRAM);
      EXPECT_TRUE(bind_to(receiver, address, 4000) && connect_to(sender, address, 4000));
      EXPECT_EQ(::send(sender.get(), "x", 1, 0), 1);
      const auto limit = std::chrono::steady_clock::now() + 50ms;
      std::string got;
      while (got.empty() && std::chrono::steady_clock::now() < limit) got = read_some(receiver);
      return !got.empty();
    };
    const auto out = [&] { return arrives(net.alice, net.bob, TwoSites::bob_address); };
    const auto back = [&] { return arrives(net.bob, net.alice, TwoSites::alice_address); };
    EXPECT_TRUE(out() && back());
    lab.drop(net.path, Direction::a_to_b, true);
    apply(lab);
    EXPECT_FALSE(out());
    EXPECT_TRUE(back());
    lab.drop(net.path, Direction::b_to_a, true);
    apply(lab);
    EXPECT_FALSE(out());
    EXPECT_FALSE(back());
    lab.drop(net.path, Direction::a_to_b, false);
    lab.drop(net.path, Direction::b_to_a, false);
    apply(lab);
    EXPECT_TRUE(out() && back());
    // The same between prefixes, at a router on the way.
    const Drop cut{.host = net.office_wide, .source = "10.0.1.0/24", .destination = "10.0.2.0/24"};
    lab.drop(cut, true);
    apply(lab);
    EXPECT_FALSE(out());
    EXPECT_TRUE(back());
    lab.drop(cut, false);
    apply(lab);
    EXPECT_TRUE(out() && back());
  });
}

// A link taken down at either end carries nothing, and is whole again afterwards, routes and all.
TEST_P(LiveTest, LinkGoesDownAndUp) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const TwoSites net(lab);
    lab.shape(net.home_uplink, Direction::a_to_b, {.rate_bps = 10'000'000});
    apply(lab);
    for (const LinkId link : {net.alice_access, net.home_uplink, net.path}) {
      for (const Side side : {Side::a, Side::b}) {
        lab.set_up(link, side, false);
        apply(lab);
        EXPECT_FALSE(ping(lab, net.alice, TwoSites::bob_address, 30));
        lab.set_up(link, side, true);
        apply(lab);
        EXPECT_TRUE(ping(lab, net.alice, TwoSites::bob_address));
        EXPECT_TRUE(ping(lab, net.bob, TwoSites::alice_address));
      }
    }
  });
}

// A delay holds packets back where the kernel has netem; where it has not, the error names the
// command and is the kernel's no, not tc's complaint about our spelling.
TEST_P(LiveTest, DelayOrAnErrorThatNamesIt) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const TwoSites net(lab);
    apply(lab);
    const Shape shape{.rate_bps = 10'000'000, .queue = 50, .delay = 40ms, .jitter = 1ms, .reorder = 0.01};
    lab.shape(net.path, Direction::a_to_b, shape);
    const Result<void> applied = lab.apply();
    if (applied) {
      const auto start = std::chrono::steady_clock::now();
      EXPECT_TRUE(ping(lab, net.alice, TwoSites::bob_address));
      EXPECT_GT(std::chrono::steady_clock::now() - start, 38ms);
    } else {
      EXPECT_THAT(applied.error(), HasSubstr("tc qdisc add dev eth1 root handle 1: netem limit 100000 delay 40000"));
      EXPECT_THAT(applied.error(), HasSubstr("kind is unknown"));
      EXPECT_THAT(applied.error(), HasSubstr("home.wide"));
    }
  });
}

// An error of ip names the command, the host and the kernel's answer.
TEST_P(LiveTest, ErrorNamesWhatWasAttempted) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const TwoSites net(lab);
    apply(lab);
    lab.route(net.path, Side::a, "10.0.2.77/24");
    const Result<void> applied = lab.apply();
    ASSERT_FALSE(applied);
    EXPECT_THAT(applied.error(), HasSubstr("ip route replace 10.0.2.77/24 via 169.254.0.1 dev eth1 onlink: "));
    EXPECT_THAT(applied.error(), HasSubstr("Invalid"));
    EXPECT_THAT(applied.error(), HasSubstr("(in home.wide)"));
  });
}

INSTANTIATE_TEST_SUITE_P(Users, LiveTest, ::testing::ValuesIn(users()), ::testing::PrintToStringParamName());

}  // namespace
}  // namespace distlab::lab
