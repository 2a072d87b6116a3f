// inet_tcp_dist's way of listening and dialling, through EPMD.
#include "models/carrier/tcp_carrier.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/epmd/server.h"
#include "models/host/event_kinds.h"
#include "models/host/test_host.h"
#include "models/host/testing/peer.h"

namespace distlab::carrier {
namespace {

using namespace std::chrono_literals;
using conformance::Peer;

class TcpCarrierTest : public testing::Test {
 protected:
  using Outcome = tl::expected<std::unique_ptr<ByteStream>, DialError>;

  std::optional<tl::expected<uint32_t, NetError>> listen(TcpCarrier& carrier, const std::string& name) {
    std::optional<tl::expected<uint32_t, NetError>> result;
    carrier.listen(
        name, [this](std::unique_ptr<ByteStream> stream) { accepted_.push_back(std::move(stream)); },
        [&result](auto outcome) { result = outcome; });
    world_.run_until([&] { return result.has_value(); }, 30s);
    return result;
  }
  Outcome dial(TcpCarrier& carrier, const std::string& name) {
    std::optional<Outcome> result;
    progress_.clear();
    const auto dial = carrier.dial(
        name, [&] { progress_.push_back(world_.now()); }, [&result](Outcome outcome) { result = std::move(outcome); });
    EXPECT_FALSE(result) << "from inside dial()";
    EXPECT_TRUE(world_.run_until([&] { return result.has_value(); }, 200s));
    world_.run_for(10ms);
    return std::move(*result);
  }
  static std::string failure(const Outcome& outcome) {
    return outcome ? "none" : outcome.error().step + " " + std::string(to_string(outcome.error().error));
  }

  TestWorld world_{3};
  TestHost& a_ = world_.add_host("a", Ipv4{0x0a000001}, {"hosta.test", "hosta"});
  TestHost& b_ = world_.add_host("b", Ipv4{0x0a000002}, {"hostb.test", "hostb"});
  TestHost& b_epmd_host_ = world_.add_host("epmd_b", Ipv4{0x0a000002});
  TestHost& a_epmd_host_ = world_.add_host("epmd_a", Ipv4{0x0a000001});
  std::vector<std::unique_ptr<ByteStream>> accepted_;
  std::vector<Time> progress_;
};

class WithEpmd : public TcpCarrierTest {
 protected:
  epmd::Server epmd_a_{a_epmd_host_}, epmd_b_{b_epmd_host_};
};

TEST_F(WithEpmd, DialsWhoIsRegistered) {
  // Listening registers the port; dialling finds it and connects; bytes pass both ways.
  TcpCarrier at_a(a_), at_b(b_);
  const auto creation = listen(at_b, "b@hostb.test");
  ASSERT_TRUE(creation && *creation);
  EXPECT_GT(**creation, 0u);
  EXPECT_NE(at_b.port(), 0);
  EXPECT_EQ(epmd_b_.registered(), 1u);

  auto outcome = dial(at_a, "b@hostb.test");
  ASSERT_TRUE(outcome);
  ASSERT_EQ(accepted_.size(), 1u);
  EXPECT_EQ((*outcome)->remote(), (Endpoint{b_.address(), at_b.port()}));
  Peer dialler, acceptor;
  dialler.take(std::move(*outcome));
  acceptor.take(std::move(accepted_[0]));
  dialler.stream->write(conformance::bytes_of("ping"));
  acceptor.stream->write(conformance::bytes_of("pong"));
  world_.run_for(10ms);
  EXPECT_EQ(dialler.text() + acceptor.text(), "") << "reading is off until the owner wants it";
  dialler.stream->set_reading(true);
  acceptor.stream->set_reading(true);
  world_.run_for(10ms);
  EXPECT_EQ(dialler.text() + acceptor.text(), "pongping");
}

TEST_F(WithEpmd, TheTimerIsResetOnceBeforeConnecting) {
  // inet_tcp_dist:do_setup_connect/11 calls reset_timer/1 after lookup and EPMD, nowhere else.
  TcpCarrier at_a(a_), at_b(b_);
  listen(at_b, "b@hostb.test");
  world_.set_lookup_delay(500ms);
  world_.set_default_delay(100ms);
  const Time began = world_.now();
  ASSERT_TRUE(dial(at_a, "b@hostb.test"));
  ASSERT_EQ(progress_.size(), 1u);
  EXPECT_GE(progress_[0] - began, 900ms);  // lookup, TCP to EPMD, question and answer
}

TEST_F(WithEpmd, ANameIsTakenOnce) {
  // A second node of the same name on the machine: address_in_use ("seems to be in use").
  TcpCarrier first(b_), second(b_), other(b_);
  EXPECT_TRUE(*listen(first, "b@hostb.test"));
  EXPECT_EQ(listen(second, "b@hostb.test")->error(), NetError::address_in_use);
  EXPECT_TRUE(*listen(other, "c@hostb.test"));
}

TEST_F(WithEpmd, ANameIsFreeOnceItsNodeIsGone) {
  // The registration lives as long as its connection; the next life has another creation.
  auto carrier = std::make_unique<TcpCarrier>(b_);
  const auto first = listen(*carrier, "b@hostb.test");
  carrier.reset();
  world_.run_for(10ms);
  EXPECT_EQ(epmd_b_.registered(), 0u);
  TcpCarrier again(b_);
  const auto second = listen(again, "b@hostb.test");
  ASSERT_TRUE(*second);
  EXPECT_NE(**first, **second);
}

TEST_F(WithEpmd, PortsAreTakenInOrder) {
  // inet_dist_listen_min and _max: the first free port of the range, then eaddrinuse.
  const TcpOptions range{.port = 9100, .last_port = 9101};
  TcpCarrier first(b_, range), second(b_, range), third(b_, range);
  EXPECT_TRUE(*listen(first, "n1@hostb.test"));
  EXPECT_TRUE(*listen(second, "n2@hostb.test"));
  EXPECT_EQ(first.port(), 9100);
  EXPECT_EQ(second.port(), 9101);
  EXPECT_EQ(listen(third, "n3@hostb.test")->error(), NetError::address_in_use);
}

TEST_F(WithEpmd, FailuresSayWhere) {
  // Unknown host, unregistered name, and a registered port nobody listens on.
  TcpCarrier at_a(a_);
  EXPECT_EQ(failure(dial(at_a, "b@nowhere.test")), "address nxdomain");
  EXPECT_EQ(failure(dial(at_a, "b@hostb.test")).substr(0, 5), "epmd ");
  EXPECT_TRUE(progress_.empty());
  TcpCarrier wrong_port(b_, {.erl_epmd_port = 9100});
  listen(wrong_port, "b@hostb.test");
  TcpCarrier fixed(a_, {.erl_epmd_port = 9101});
  EXPECT_EQ(failure(dial(fixed, "b@hostb.test")), "connect econnrefused");
}

TEST_F(WithEpmd, LongAndShortNames) {
  // inet_tcp_dist:splitnode/3: hosts without a dot are refused under long names, with one under
  // short names, both with OTP's lines; nothing is looked up.
  TcpCarrier at_b(b_);
  listen(at_b, "b@hostb.test");
  TcpCarrier longnames(a_), shortnames(a_, {.long_names = false});
  EXPECT_EQ(failure(dial(longnames, "b@hostb")).substr(0, 5), "name ");
  EXPECT_EQ(failure(dial(shortnames, "b@hostb.test")).substr(0, 5), "name ");
  const auto logs = world_.events_of("a", kinds::log);
  ASSERT_EQ(logs.size(), 2u);
  EXPECT_EQ(std::get<std::string>(logs[0].event.fields[1].value),
            "** System running to use fully qualified hostnames **\n** Hostname hostb is illegal **");
  EXPECT_EQ(std::get<std::string>(logs[1].event.fields[1].value),
            "** System NOT running to use fully qualified hostnames **\n** Hostname hostb.test is illegal **");
  EXPECT_TRUE(dial(shortnames, "b@hostb"));
  EXPECT_TRUE(dial(longnames, "b@10.0.0.2"));
  for (const char* name : {"", "@", "b", "b@", "@hostb.test", "b@c@hostb.test"}) {
    EXPECT_EQ(failure(dial(longnames, name)).substr(0, 5), "name ") << name;
  }
}

TEST_F(TcpCarrierTest, NoEpmdNoNode) {
  // Facts section 1: no EPMD: register/listen error econnrefused.
  TcpCarrier at_b(b_);
  EXPECT_EQ(listen(at_b, "b@hostb.test")->error(), NetError::refused);
}

TEST_F(TcpCarrierTest, AFixedPortNeedsNoEpmd) {
  // Facts section 1: -erl_epmd_port P: own and every peer's port, a missing EPMD is tolerated; the
  // creation is made up, and not a small one.
  TcpCarrier at_a(a_, {.erl_epmd_port = 9100}), at_b(b_, {.erl_epmd_port = 9100});
  const auto creation = listen(at_b, "b@hostb.test");
  ASSERT_TRUE(creation && *creation);
  EXPECT_GE(**creation, 4u);
  EXPECT_EQ(at_b.port(), 9100);
  EXPECT_TRUE(dial(at_a, "b@hostb.test"));
  EXPECT_EQ(accepted_.size(), 1u);
}

TEST_F(WithEpmd, AFixedPortToleratesATakenName) {
  // erl_epmd:handle_call({register, ...}): with -erl_epmd_port any answer of EPMD will do.
  TcpCarrier first(b_), second(b_, {.erl_epmd_port = 9100});
  EXPECT_TRUE(*listen(first, "b@hostb.test"));
  EXPECT_TRUE(*listen(second, "b@hostb.test"));
}

TEST_F(WithEpmd, ADialCanBeGivenUpAtAnyMoment) {
  // Destroying a dial, wherever it is, leaves no callback behind.
  TcpCarrier at_a(a_), at_b(b_);
  listen(at_b, "b@hostb.test");
  world_.set_lookup_delay(3ms);
  for (Duration after{0}; after < 15ms; after += 500us) {
    bool told = false;
    auto dial = at_a.dial(
        "b@hostb.test", [] {}, [&told](auto) { told = true; });
    world_.run_for(after);
    if (told) continue;
    dial.reset();
    world_.run_for(1s);
    EXPECT_FALSE(told);
  }
}

}  // namespace
}  // namespace distlab::carrier
