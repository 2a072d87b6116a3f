// What a driver does and records, between native nodes in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/host/event_kinds.h"
#include "models/process/testing/cluster.h"
#include "models/workload/workload.h"

namespace distlab::workload {
namespace {

using namespace std::chrono_literals;
using process::Cluster;
using process::Probe;
using process::TestNode;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr process::ServiceOptions without_global{.pg = true, .global = false, .global_options = {}};

struct DriverTest : testing::Test {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");
  TestNode& b = cluster.add("b@hostb.test");
  std::unique_ptr<Driver> driver, peer_driver;

  void SetUp() override { start(without_global); }
  void start(const process::ServiceOptions& services, Options options = {}) {
    a.start_services(services);
    b.start_services(services);
    cluster.run_for(1ms);
    driver = std::make_unique<Driver>(a.runtime(), a.services(), std::move(options));
    peer_driver = std::make_unique<Driver>(b.runtime(), b.services());
  }
  void add(What what, Schedule schedule = {}) { driver->add({schedule, std::move(what)}); }
  static Schedule every(Duration period, std::optional<Duration> end = std::nullopt, Duration start = 0ns) {
    return {start, end, period, Arrival::periodic};
  }
  std::vector<RecordedEvent> events(std::string_view kind, const std::string& host = "a@hosta.test") {
    return cluster.world().events_of(host, kind);
  }
  static std::string text(const RecordedEvent& event, std::string_view key) {
    for (const Field& field : event.event.fields) {
      if (field.key == key && std::holds_alternative<std::string>(field.value))
        return std::get<std::string>(field.value);
    }
    return "";
  }
  static int64_t number(const RecordedEvent& event, std::string_view key) {
    for (const Field& field : event.event.fields) {
      if (field.key == key && std::holds_alternative<int64_t>(field.value)) return std::get<int64_t>(field.value);
    }
    return -1;
  }
  std::vector<std::string> texts(std::string_view kind, std::string_view key) {
    std::vector<std::string> all;
    for (const RecordedEvent& event : events(kind)) all.push_back(text(event, key));
    return all;
  }
};

// A ping connects, and says how long it took.
TEST_F(DriverTest, Connect) {
  add(Connect{b.self()}, {.start = 500ms});
  cluster.run_for(1s);
  const auto done = events(kinds::ping_done);
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].event.subject, "a@hosta.test->b@hostb.test");
  EXPECT_EQ(text(done[0], "result"), "pong");
  EXPECT_EQ(number(done[0], "elapsed_ns"), Duration(4 * Cluster::one_way).count());
  EXPECT_TRUE(a.connected(b.self()));
}

// Nobody there: pang.
TEST_F(DriverTest, Pang) {
  cluster.forbid(a, b);
  add(Connect{b.self()});
  cluster.run_for(1s);
  EXPECT_THAT(texts(kinds::ping_done, "result"), ElementsAre("pang"));
}

// Disconnect takes the connection down.
TEST_F(DriverTest, Disconnect) {
  add(Connect{b.self()});
  add(workload::Disconnect{b.self()}, {.start = 500ms});
  cluster.run_for(1s);
  EXPECT_FALSE(a.connected(b.self()));
}

// Calls of every kind come at their rate until their end, each with an id, its begin and its time.
TEST_F(DriverTest, Calls) {
  ASSERT_TRUE(cluster.connect(a, b));
  const auto start = cluster.world().now();
  driver = std::make_unique<Driver>(a.runtime(), a.services());
  add(Call{b.self(), 100}, every(100ms, 1s));
  add(Rpc{b.self(), 100}, every(100ms, 1s));
  add(Erpc{b.self(), 100}, every(100ms, 1s));
  add(workload::Spawn{b.self()}, every(100ms, 1s));
  cluster.run_for(2s);
  const auto done = events(kinds::call_done);
  ASSERT_THAT(done, SizeIs(40));
  std::set<int64_t> ids;
  for (const RecordedEvent& call : done) {
    EXPECT_EQ(text(call, "result"), "ok");
    EXPECT_EQ(number(call, "elapsed_ns"), Duration(2 * Cluster::one_way).count());
    ids.insert(number(call, "id"));
  }
  EXPECT_EQ(ids.size(), 40u);
  EXPECT_EQ(number(done[0], "started_ns"), (start - run_start).count());
  EXPECT_EQ(number(done[39], "started_ns"), (start - run_start + 900ms).count());
  EXPECT_EQ(driver->outstanding(), 0u);
}

// Calls overlap: each is a process of its own.
TEST_F(DriverTest, CallsAreConcurrent) {
  Probe* silent = b.runtime().spawn<Probe>();
  b.runtime().unregister_name("echo");
  b.runtime().register_name("echo", silent->self());
  add(Call{b.self(), 0, 1s}, every(100ms, 500ms));
  cluster.run_for(500ms);
  EXPECT_EQ(driver->outstanding(), 5u);
  cluster.run_for(5s);
  EXPECT_THAT(texts(kinds::call_done, "result"), ElementsAre("timeout", "timeout", "timeout", "timeout", "timeout"));
}

// While the peer is away calls fail as nodedown; they go on, and succeed when it is back.
TEST_F(DriverTest, CallsGoOn) {
  add(Call{b.self()}, every(100ms));
  cluster.run_for(350ms);
  cluster.cut(a, b);
  cluster.run_for(300ms);
  cluster.forbid(a, b, false);
  cluster.run_for(300ms);
  const auto results = texts(kinds::call_done, "result");
  ASSERT_THAT(results, SizeIs(testing::Ge(9u)));
  EXPECT_EQ(results[3], "ok");
  EXPECT_EQ(results[4], "nodedown");
  EXPECT_EQ(results.back(), "ok");
}

// Beyond the limit of outstanding calls, one is recorded as overload and not made.
TEST_F(DriverTest, Overload) {
  driver = std::make_unique<Driver>(a.runtime(), a.services(), Options{.max_outstanding = 2});
  Probe* silent = b.runtime().spawn<Probe>();
  b.runtime().unregister_name("echo");
  b.runtime().register_name("echo", silent->self());
  add(Call{b.self(), 0, std::nullopt}, every(100ms, 400ms));
  cluster.run_for(1s);
  EXPECT_THAT(texts(kinds::call_done, "result"), ElementsAre("overload", "overload"));
  EXPECT_EQ(driver->outstanding(), 2u);
}

// A client process that is killed counts as killed, not as outstanding for ever.
TEST_F(DriverTest, KilledClient) {
  Probe* killer = b.runtime().spawn<Probe>();
  killer->react = [](Probe& self, const etf::Term& message) {
    if (const auto call = process::as_gen_call(message)) self.exit_other(call->from, etf::atom("kill"));
  };
  b.runtime().unregister_name("echo");
  b.runtime().register_name("echo", killer->self());
  add(Call{b.self()});
  cluster.run_for(100ms);
  EXPECT_THAT(texts(kinds::call_done, "result"), ElementsAre("killed"));
  EXPECT_EQ(driver->outstanding(), 0u);
}

// The ledger: every message is recorded where it leaves and where it arrives, with its number and
// latency; two actions towards one peer share the numbers.
TEST_F(DriverTest, Ledger) {
  ASSERT_TRUE(cluster.connect(a, b));
  add(Send{b.self(), 64}, every(100ms, 1s));
  add(Send{b.self(), 64}, every(100ms, 1s, 50ms));
  cluster.run_for(2s);
  const auto sent = events(kinds::message_sent);
  const auto received = events(kinds::message_received, b.self());
  ASSERT_THAT(sent, SizeIs(20));
  ASSERT_THAT(received, SizeIs(20));
  for (size_t i = 0; i < received.size(); ++i) {
    EXPECT_EQ(sent[i].event.subject, "a@hosta.test->b@hostb.test");
    EXPECT_EQ(received[i].event.subject, sent[i].event.subject);
    EXPECT_EQ(number(sent[i], "seq"), static_cast<int64_t>(i + 1));
    EXPECT_EQ(number(received[i], "seq"), static_cast<int64_t>(i + 1));
    EXPECT_EQ(number(received[i], "latency_ns"), Duration(Cluster::one_way).count());
  }
}

// `!` never fails: what is sent while the peer is away is recorded as sent, and never arrives.
TEST_F(DriverTest, LedgerCountsWhatIsLost) {
  cluster.forbid(a, b);
  add(Send{b.self()}, every(100ms, 500ms));
  cluster.run_for(450ms);
  cluster.forbid(a, b, false);
  cluster.run_for(1s);
  EXPECT_THAT(events(kinds::message_sent), SizeIs(5));
  EXPECT_THAT(events(kinds::message_received, b.self()), IsEmpty());
}

// A sender suspended by a busy connection sends what it has missed when there is room.
TEST_F(DriverTest, LedgerWaitsBehindABusyConnection) {
  ASSERT_TRUE(cluster.connect(a, b));
  a.set_busy(b.self(), true);
  add(Send{b.self()}, every(100ms, 1s));
  cluster.run_for(2s);
  EXPECT_THAT(events(kinds::message_sent), SizeIs(1));
  a.set_busy(b.self(), false);
  cluster.run_for(100ms);
  EXPECT_THAT(events(kinds::message_sent), SizeIs(10));
  EXPECT_THAT(events(kinds::message_received, b.self()), SizeIs(10));
}

// Messages to the ledger and the sink that are none are ignored.
TEST_F(DriverTest, NonsenseIsIgnored) {
  Probe* probe = a.runtime().spawn<Probe>();
  const auto extreme = etf::Term(std::numeric_limits<int64_t>::min());
  for (const char* name : {"ledger", "sink"}) {
    const process::RemoteName to{name, b.self()};
    probe->send(to, etf::Term(1));
    probe->send(to, etf::tuple(etf::atom("ledger"), etf::atom("x"), etf::Term(1), extreme, etf::Term(0)));
    probe->send(to, etf::tuple(etf::atom("ledger"), etf::Term(1), etf::Term(1), etf::Term(1), etf::Term(0)));
    probe->send(to, process::gen_call(probe->self(), etf::Term(1), etf::tuple(etf::atom("bulk"), etf::Term(1))));
  }
  cluster.run_for(100ms);
  EXPECT_THAT(events(kinds::message_received, b.self()), IsEmpty());
  EXPECT_THAT(probe->messages, IsEmpty());
  EXPECT_TRUE(b.runtime().whereis("ledger") && b.runtime().whereis("sink"));
}

// A bulk transfer is done when the sink has all of it; without a connection it fails.
TEST_F(DriverTest, Bulk) {
  add(workload::Bulk{b.self(), 300'000, std::nullopt});
  cluster.run_for(100ms);
  cluster.cut(a, b);
  add(workload::Bulk{b.self(), 10, std::nullopt});
  cluster.run_for(100ms);
  const auto done = events(kinds::bulk_done);
  ASSERT_THAT(done, SizeIs(2));
  EXPECT_EQ(text(done[0], "result"), "ok");
  EXPECT_EQ(number(done[0], "bytes"), 300'000);
  EXPECT_EQ(text(done[1], "result"), "nodedown");
}

// Joining and leaving a group shows at the peer; joining twice is joining once.
TEST_F(DriverTest, Groups) {
  ASSERT_TRUE(cluster.connect(a, b));
  add(PgJoin{"workers"}, every(100ms, 300ms));
  cluster.run_for(500ms);
  EXPECT_THAT(b.services().pg()->members(etf::atom("workers")), SizeIs(1));
  add(PgLeave{"workers"}, {.start = 600ms});
  cluster.run_for(500ms);
  EXPECT_THAT(b.services().pg()->members(etf::atom("workers")), IsEmpty());
}

// A monitor tells of the connection that went; with a period it watches again.
TEST_F(DriverTest, Monitors) {
  add(workload::Monitor{b.self()}, every(200ms));
  cluster.run_for(1s);
  EXPECT_THAT(events(kinds::monitor_down), IsEmpty());
  cluster.cut(a, b);
  cluster.run_for(10ms);
  EXPECT_THAT(texts(kinds::monitor_down, "reason"), ElementsAre("noconnection"));
  EXPECT_THAT(texts(kinds::monitor_down, "target"), ElementsAre("echo at b@hostb.test"));
  cluster.run_for(1s);
  EXPECT_THAT(texts(kinds::monitor_down, "reason"), SizeIs(testing::Ge(5u)));
  cluster.forbid(a, b, false);
  cluster.run_for(1s);
  const auto now = events(kinds::monitor_down).size();
  cluster.run_for(1s);
  EXPECT_THAT(events(kinds::monitor_down), SizeIs(now));
}

// A link to a process at the peer breaks with the connection; one that cannot be made says so.
TEST_F(DriverTest, Links) {
  add(workload::Link{b.self()});
  cluster.run_for(1s);
  EXPECT_THAT(events(kinds::link_exit), IsEmpty());
  cluster.cut(a, b);
  add(workload::Link{b.self()}, {.start = 1500ms});
  cluster.run_for(1s);
  EXPECT_THAT(texts(kinds::link_exit, "reason"), ElementsAre("noconnection", "noconnection"));
  EXPECT_THAT(events(kinds::link_exit)[0].event.subject, b.self());
}

// Names are registered with global, and sync comes back.
TEST(DriverGlobal, RegisterAndSync) {
  Cluster cluster;
  TestNode& a = cluster.add("a@hosta.test");
  TestNode& b = cluster.add("b@hostb.test");
  a.start_services();
  b.start_services();
  cluster.run_for(1ms);
  Driver first(a.runtime(), a.services());
  Driver second(b.runtime(), b.services());
  first.add({{}, Connect{b.self()}});
  first.add({{.start = 10ms}, GlobalSync{}});
  first.add({{.start = 3s}, GlobalRegister{"leader"}});
  second.add({{.start = 4s}, GlobalRegister{"leader"}});
  cluster.run_for(6s);
  std::vector<std::string> actions;
  for (const char* host : {"a@hosta.test", "b@hostb.test"}) {
    for (const auto& event : cluster.world().events_of(host, kinds::global_changed)) {
      actions.push_back(std::get<std::string>(event.event.fields[1].value));
    }
  }
  EXPECT_THAT(actions, ElementsAre("synced", "registered", "register_yes", "registered", "register_no"));
  EXPECT_TRUE(b.services().global()->whereis_name(etf::atom("leader")));
}

// Cookies are handed to whom they belong to.
TEST_F(DriverTest, SetCookie) {
  std::vector<std::string> set;
  Options options;
  options.set_cookie = [&](const std::string& peer, const std::string& cookie) { set.push_back(peer + "=" + cookie); };
  driver = std::make_unique<Driver>(a.runtime(), a.services(), std::move(options));
  add(workload::SetCookie{b.self(), "secret"}, {.start = 10ms});
  cluster.run_for(100ms);
  EXPECT_THAT(set, ElementsAre("b@hostb.test=secret"));
}

// A driver that goes away with calls under way records nothing more, and breaks nothing.
TEST_F(DriverTest, GoneWithCallsUnderWay) {
  add(Call{b.self()}, every(1ms));
  add(Connect{b.self()});
  cluster.run_for(500us);
  driver.reset();
  cluster.run_for(1s);
  EXPECT_THAT(events(kinds::call_done), IsEmpty());
}

}  // namespace
}  // namespace distlab::workload
