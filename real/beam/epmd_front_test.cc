// The gateway for an unmodified BEAM, with native nodes in the place of BEAMs: they, too, know nothing but EPMD and
// TCP.
#include "models/gateway/epmd_front.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/node/node.h"
#include "real/asio_host.h"

namespace distlab::gateway {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::string> everybody{"a@one.test", "b@two.test", "c@two.test", "a@three.test"};

// Carries by name: all carriers are on one machine, each node's with a port of its own.
class NamedCarrier final : public carrier::Carrier {
 public:
  NamedCarrier(Host& host, std::map<std::string, uint16_t>& ports) : host_(host), ports_(ports) {}
  void listen(const std::string& name, Accepted accepted, Listening done) override {
    listener_ = *host_.listen_tcp({loopback_address, 0}, std::move(accepted));
    ports_[name] = listener_->local().port;
    done(4);
  }
  std::unique_ptr<carrier::Dial> dial(const std::string& name, std::function<void()>, Dialled done) override {
    return std::make_unique<NamedDial>(host_, ports_.count(name) == 0 ? uint16_t{1} : ports_.at(name), std::move(done));
  }

 private:
  class NamedDial final : public carrier::Dial, private StreamHandler {
   public:
    NamedDial(Host& host, uint16_t port, Dialled done) : done_(std::move(done)) {
      stream_ = host.connect_tcp({loopback_address, port}, *this);
    }

   private:
    void on_connected() override {
      stream_->set_reading(false);
      done_(std::move(stream_));
    }
    void on_data(Bytes) override {}
    void on_closed(NetError why) override { done_(tl::unexpected(carrier::DialError{why, "connect"})); }
    Dialled done_;
    std::unique_ptr<ByteStream> stream_;
  };
  Host& host_;
  std::map<std::string, uint16_t>& ports_;
  std::unique_ptr<TcpListener> listener_;
};

real::AsioHostOptions named(const std::string& name) {
  real::AsioHostOptions out;
  out.name = name;
  return out;
}

// A node with its agent. What an erl reads in ERL_INETRC, the node's host has in its table.
struct Machine {
  Machine(real::AsioLoop& loop, const std::string& name, std::map<std::string, uint16_t>& ports,
          bool carried_at_once = true)
      : agent(loop, named("agent of " + name)),
        carrier(agent, ports),
        front(agent, {.node = name, .peers = everybody}),
        host(loop, options(name, front)) {
    if (carried_at_once) front.serve(carrier);
    node::NodeConfig config;
    config.net_kernel.name = name;
    config.net_kernel.cookie = "c";
    config.tcp.epmd_port = front.epmd_port();
    config.tcp.interface = loopback_address;
    node = std::make_unique<node::Node>(host, std::move(config));
  }
  static real::AsioHostOptions options(const std::string& name, const EpmdFront& front) {
    real::AsioHostOptions out = named(name);
    out.resolver = false;
    for (const auto& [host, address] : front.hosts()) out.hosts[host] = {address};
    return out;
  }
  real::AsioHost agent;
  NamedCarrier carrier;
  EpmdFront front;
  real::AsioHost host;
  std::unique_ptr<node::Node> node;
};

class EpmdFrontTest : public ::testing::Test {
 protected:
  bool ping(Machine& from, const std::string& to) {
    std::optional<node::Node::Ping> result;
    from.node->ping(to, [&](node::Node::Ping what, Duration) { result = what; });
    loop_.run_until([&] { return result.has_value(); }, 10s);
    return result == node::Node::Ping::pong;
  }
  void wait_for(Machine& machine) {
    ASSERT_TRUE(loop_.run_until([&] { return machine.front.registered() && machine.node->running(); }, 10s));
  }

  real::AsioLoop loop_;
  std::map<std::string, uint16_t> ports_;
};

// Nodes with equal names on different hosts, and different ones on one host, are told apart.
TEST_F(EpmdFrontTest, CarriesToWhomTheNodeMeans) {
  Machine a1(loop_, "a@one.test", ports_), b(loop_, "b@two.test", ports_), c(loop_, "c@two.test", ports_),
      a3(loop_, "a@three.test", ports_);
  for (Machine* one : {&a1, &b, &c, &a3}) wait_for(*one);
  EXPECT_TRUE(ping(a1, "a@three.test"));
  EXPECT_THAT(a1.node->nodes(), ElementsAre("a@three.test"));
  EXPECT_TRUE(ping(b, "c@two.test")) << "a peer on the node's own host";
  EXPECT_TRUE(ping(c, "a@one.test"));
  EXPECT_GT(a1.front.connections(), 0u);
}

// Who is not there cannot be reached, and that is known at once; a node that has gone is not there either.
TEST_F(EpmdFrontTest, AnswersForNobodyElse) {
  Machine a(loop_, "a@one.test", ports_);
  wait_for(a);
  EXPECT_FALSE(ping(a, "b@two.test"));
  EXPECT_FALSE(ping(a, "nobody@two.test"));
  EXPECT_FALSE(ping(a, "x@nowhere.test"));
  a.node.reset();
  EXPECT_TRUE(loop_.run_until([&] { return !a.front.registered(); }, 5s));
}

// Before there is a carrier nobody is reached; what the node registered then counts afterwards.
TEST_F(EpmdFrontTest, WaitsForItsCarrier) {
  Machine a(loop_, "a@one.test", ports_, false), b(loop_, "b@two.test", ports_);
  wait_for(a);
  wait_for(b);
  EXPECT_FALSE(ping(a, "b@two.test"));
  EXPECT_FALSE(ping(b, "a@one.test"));
  a.front.serve(a.carrier);
  EXPECT_TRUE(ping(b, "a@one.test"));
}

// The file for ERL_INETRC has every address once: of two entries the second would replace the first.
TEST_F(EpmdFrontTest, WritesTheFileThatErlReads) {
  real::AsioHost host(loop_, named("agent"));
  EpmdFront front(host, {.node = "a@one.test", .peers = everybody});
  EXPECT_EQ(front.inetrc(),
            "{lookup,[file]}.\n{hosts_file,\"\"}.\n{host,{127,0,0,1},[\"one.test\"]}.\n"
            "{host,{127,1,0,1},[\"two.test\"]}.\n{host,{127,1,0,2},[\"three.test\"]}.\n");
  EXPECT_EQ(inetrc_of({{"x", loopback_address}, {"y", loopback_address}}),
            "{lookup,[file]}.\n{hosts_file,\"\"}.\n{host,{127,0,0,1},[\"x\",\"y\"]}.\n");
}

}  // namespace
}  // namespace distlab::gateway
