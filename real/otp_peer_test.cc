// Our node and a real OTP 25 node in one cluster, over loopback, with our EPMD.
//
// What is proved here is that the native node speaks the protocol as OTP does (facts:
// otp-distribution.md sections 1 and 3); how it behaves under faults is the simulations' matter.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/epmd/server.h"
#include "models/host/event_kinds.h"
#include "models/host/testing/peer.h"
#include "models/node/node.h"
#include "models/process/call.h"
#include "models/process/rpc.h"
#include "real/asio_host.h"
#include "real/testing/erl.h"

namespace distlab::real {
namespace {

using namespace std::chrono_literals;
using etf::atom;
using etf::Pid;
using etf::Term;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string beam = "beam@beam.test";
const std::string native = "native@native.test";

// A process of our node that keeps what it is told.
class Witness final : public process::Process {
 public:
  std::vector<Term> messages;
  std::vector<process::Down> downs;
  std::vector<Term> exits;

  void do_monitor(const process::MonitorTarget& target) { monitor(target); }
  void do_link(const Pid& pid) { link(pid); }
  void do_trap_exit() { trap_exit(true); }
  void do_exit(Term reason) { exit(std::move(reason)); }
  void do_send(const process::Destination& to, Term message) { send(to, std::move(message)); }

 protected:
  void on_message(const Term& message) override { messages.push_back(message); }
  void on_down(const process::Down& down) override { downs.push_back(down); }
  void on_exit_signal(const Pid&, const Term& reason) override { exits.push_back(reason); }
};

class OtpPeer : public testing::Test {
 protected:
  AsioLoop loop_;
  std::vector<std::pair<Time, Event>> events_;
  AsioHost epmd_host_{loop_, options("epmd")};
  AsioHost host_{loop_, options("native")};
  uint16_t epmd_port_ = 0;
  std::unique_ptr<epmd::Server> epmd_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<Erl> erl_;

  AsioHostOptions options(const char* name) {
    AsioHostOptions options;
    options.name = name;
    options.hosts = {{"beam.test", {loopback_address}}, {"native.test", {loopback_address}}};
    options.resolver = false;
    options.record = [this](Time at, const Event& event) { events_.emplace_back(at, event); };
    return options;
  }

  bool run_until(const std::function<bool()>& done, Duration limit = 10s) { return loop_.run_until(done, limit); }

  // On a port that was free a moment ago.
  void start_epmd() {
    for (int tries = 0; tries < 10 && !(epmd_ && epmd_->listening()); ++tries) {
      epmd_port_ = (*epmd_host_.listen_tcp({loopback_address, 0}, [](auto) {}))->local().port;
      epmd_ = std::make_unique<epmd::Server>(epmd_host_,
                                             epmd::ServerOptions{.address = loopback_address, .port = epmd_port_});
    }
    ASSERT_TRUE(epmd_->listening());
  }
  node::NodeConfig native_config() {
    node::NodeConfig config;
    config.net_kernel.name = native;
    config.net_kernel.cookie = "C";
    config.tcp.interface = loopback_address;
    config.tcp.epmd_port = epmd_port_;
    return config;
  }
  void start_native(node::NodeConfig config) {
    std::optional<bool> started;
    node_ = std::make_unique<node::Node>(host_, std::move(config),
                                         [&](const auto& result) { started = result.has_value(); });
    ASSERT_TRUE(run_until([&] { return started.has_value(); }));
    ASSERT_TRUE(*started);
  }
  void start_beam(const std::string& cookie = "C", std::vector<std::string> kernel = {}) {
    erl_ = std::make_unique<Erl>(loop_, ErlOptions{.name = beam,
                                                   .cookie = cookie,
                                                   .host_names = {"beam.test", "native.test"},
                                                   .epmd_port = epmd_port_,
                                                   .kernel = std::move(kernel)});
  }
  void start() {
    start_epmd();
    start_native(native_config());
    start_beam();
  }
  void connect() {
    start();
    ASSERT_EQ(eval("net_adm:ping('native@native.test')."), "pong");
  }

  std::string eval(const std::string& expression) { return erl_->eval(expression); }
  process::Runtime& runtime() { return node_->runtime(); }
  Witness& witness(const std::string& name = {}) {
    Witness* const witness = runtime().spawn<Witness>();
    if (!name.empty()) {
      EXPECT_TRUE(runtime().register_name(name, witness->self()));
    }
    return *witness;
  }
  // A server of theirs that answers a call with its request.
  void start_echo() {
    EXPECT_EQ(eval("register(srv, spawn(fun() -> (fun L() -> receive {'$gen_call', From, Request} -> "
                   "gen:reply(From, Request), L() end end)() end))."),
              "true");
  }
  std::string ping() {
    std::optional<node::Node::Ping> result;
    node_->ping(beam, [&](node::Node::Ping outcome, Duration) { result = outcome; });
    EXPECT_TRUE(run_until([&] { return result.has_value(); }));
    return result == node::Node::Ping::pong ? "pong" : "pang";
  }
  process::CallOutcome call(const std::string& server, Term request, Duration timeout = 5s) {
    std::optional<process::CallOutcome> outcome;
    runtime().spawn<process::CallClient>(process::RemoteName{server, beam}, std::move(request), timeout,
                                         [&](const process::CallOutcome& result) { outcome = result; });
    EXPECT_TRUE(run_until([&] { return outcome.has_value(); }));
    return outcome.value_or(process::CallOutcome{});
  }
  process::RpcOutcome remote(process::RpcKind kind, const char* module, const char* function, std::vector<Term> args) {
    std::optional<process::RpcOutcome> outcome;
    runtime().spawn<process::RpcClient>(process::RpcClient::Request{kind, beam, module, function, std::move(args), 5s},
                                        [&](const process::RpcOutcome& result) { outcome = result; });
    EXPECT_TRUE(run_until([&] { return outcome.has_value(); }));
    return outcome.value_or(process::RpcOutcome{});
  }
  // The field of the last event of a kind; empty when there is none.
  std::string last(std::string_view kind, std::string_view key) const {
    for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
      if (event->second.kind != kind) continue;
      for (const Field& field : event->second.fields) {
        if (field.key == key) return std::get<std::string>(field.value);
      }
    }
    return {};
  }
};

TEST_F(OtpPeer, PingsBothWays) {
  // Each side dials once; each then lists the other as visible.
  start();
  EXPECT_EQ(eval("net_adm:ping('native@native.test')."), "pong");
  EXPECT_EQ(eval("nodes()."), "['native@native.test']");
  EXPECT_THAT(node_->nodes(), ElementsAre(beam));
  EXPECT_EQ(last(kinds::node_up, "direction"), "in");
  EXPECT_EQ(eval("erlang:disconnect_node('native@native.test')."), "true");
  ASSERT_TRUE(run_until([&] { return node_->nodes().empty(); }));
  EXPECT_EQ(last(kinds::node_down, "reason"), "connection_closed");
  EXPECT_EQ(ping(), "pong");
  EXPECT_EQ(last(kinds::node_up, "direction"), "out");
  EXPECT_EQ(eval("nodes()."), "['native@native.test']");
  node_->disconnect(beam);
  ASSERT_TRUE(run_until([&] { return eval("nodes().") == "[]"; }));
  EXPECT_EQ(erl_->log(), "") << "OTP has nothing to complain about";
}

TEST_F(OtpPeer, FindsEachOtherThroughOurEpmd) {
  // OTP's client reads our names; an unknown name is refused on both sides.
  start();
  EXPECT_EQ(eval("{ok, L} = net_adm:names(), lists:sort([N || {N, _} <- L])."), "[\"beam\",\"native\"]");
  EXPECT_EQ(eval("net_adm:ping('nobody@native.test')."), "pang");
  bool connected = true;
  bool told = false;
  node_->connect("nobody@beam.test", [&](bool result) {
    connected = result;
    told = true;
  });
  ASSERT_TRUE(run_until([&] { return told; }));
  EXPECT_FALSE(connected);
  // The registration ends with the node.
  erl_.reset();
  EXPECT_EQ(ping(), "pang");
}

TEST_F(OtpPeer, CallsAGenServerBothWays) {
  // gen_server:call to our echo server, and ours to a server of theirs.
  connect();
  EXPECT_EQ(eval("gen_server:call({echo, 'native@native.test'}, {hello, 7})."), "{hello,7}");
  EXPECT_EQ(eval("gen_server:call({nobody, 'native@native.test'}, x)."),
            "exit: {noproc,{gen_server,call,[{nobody,'native@native.test'},x]}}");
  start_echo();
  const auto outcome = call("srv", etf::tuple(atom("hello"), 7));
  EXPECT_EQ(outcome.result, "ok");
  EXPECT_EQ(outcome.value, etf::tuple(atom("hello"), 7));
  EXPECT_EQ(call("nobody", atom("x")).result, "noproc");
}

TEST_F(OtpPeer, EveryKindOfTermSurvivesTheRoundTrip) {
  // OTP encodes, we decode and encode, OTP finds what it had.
  connect();
  for (const char* term :
       {"{0, 255, 256, -1, 1 bsl 31, -(1 bsl 31), 1 bsl 62, 1 bsl 63, -(1 bsl 64), 1 bsl 3000}", "{1.5, -0.0, 1.0e300}",
        "{'', 'Ünï', true, 'with space'}", "{<<>>, <<1,2,3>>, <<5:3>>, binary:copy(<<7>>, 100000)}",
        "{[], \"text\", [a|b], [1,2,300], lists:seq(1, 70000)}", "#{}", "#{k => {v, [1]}, 1 => 1.0, #{} => []}",
        "{self(), make_ref(), hd(erlang:ports()), fun lists:map/2, fun(X) -> X end}",
        "list_to_tuple(lists:seq(1, 300))", "lists:duplicate(1000, {nested, [[[]]]})"}) {
    EXPECT_EQ(eval(fmt::format("(fun(T) -> gen_server:call({{echo, 'native@native.test'}}, T) =:= T end)({}).", term)),
              "true")
        << term;
  }
}

TEST_F(OtpPeer, RunsFunctionsBothWays) {
  // rpc and erpc, which are spawn requests since OTP 23; unknown functions are refused as OTP does.
  connect();
  EXPECT_EQ(eval("rpc:call('native@native.test', erlang, node, [])."), "'native@native.test'");
  EXPECT_EQ(eval("erpc:call('native@native.test', distlab, echo, [{x, 1}])."), "{x,1}");
  EXPECT_EQ(eval("rpc:call('native@native.test', no, such, [1])."), "{badrpc,{'EXIT',{undef,[{no,such,[1],[]}]}}}");
  EXPECT_EQ(eval("erpc:call('native@native.test', no, such, [1])."), "error: {exception,undef,[{no,such,[1],[]}]}");
  EXPECT_EQ(eval("rpc:call('native@native.test', timer, sleep, [60000], 100)."), "{badrpc,timeout}");

  const Term numbers = etf::list({1, 2, 3});
  for (const auto kind : {process::RpcKind::rpc, process::RpcKind::erpc}) {
    const auto sum = remote(kind, "lists", "sum", {numbers});
    EXPECT_EQ(sum.result, "ok");
    EXPECT_EQ(sum.value, Term(6));
  }
  const Term trace = etf::list({etf::tuple(atom("no"), atom("such"), etf::list({1}), etf::list({}))});
  const auto rpc = remote(process::RpcKind::rpc, "no", "such", {1});
  EXPECT_EQ(rpc.value, etf::tuple(atom("badrpc"), etf::tuple(atom("EXIT"), etf::tuple(atom("undef"), trace))));
  const auto erpc = remote(process::RpcKind::erpc, "no", "such", {1});
  EXPECT_EQ(erpc.result, "exception");
  EXPECT_EQ(erpc.value, etf::tuple(atom("error"), etf::tuple(atom("exception"), atom("undef"), trace)));
}

TEST_F(OtpPeer, MonitorsBothWays) {
  // By name and by pid; DOWN carries the reason, and noproc when there is nobody.
  connect();
  Witness& watched = witness("watched");
  EXPECT_EQ(eval("M = monitor(process, {watched, 'native@native.test'}), "
                 "gen_server:call({echo, 'native@native.test'}, sync)."),
            "sync");
  watched.do_exit(etf::tuple(atom("over"), 7));
  EXPECT_EQ(eval("receive {'DOWN', M, process, O, Why} -> {O, Why} end."), "{{watched,'native@native.test'},{over,7}}");
  EXPECT_EQ(eval("N = monitor(process, {watched, 'native@native.test'}), "
                 "receive {'DOWN', N, process, _, Late} -> Late end."),
            "noproc");

  EXPECT_EQ(eval("register(short, spawn(fun() -> receive {stop, Reason} -> exit(Reason) end end))."), "true");
  Witness& watcher = witness();
  watcher.do_monitor(process::RemoteName{"short", beam});
  watcher.do_monitor(process::RemoteName{"nobody", beam});
  ASSERT_TRUE(run_until([&] { return watcher.downs.size() == 1; }));
  EXPECT_EQ(watcher.downs[0].reason, atom("noproc"));
  watcher.do_send(process::RemoteName{"short", beam}, etf::tuple(atom("stop"), etf::tuple(atom("done"), 1)));
  ASSERT_TRUE(run_until([&] { return watcher.downs.size() == 2; }));
  EXPECT_EQ(watcher.downs[1].reason, etf::tuple(atom("done"), 1));
}

TEST_F(OtpPeer, LinksBothWays) {
  // The exit signal of either side reaches the other with its reason; unlinking is acknowledged, so
  // that nothing comes afterwards.
  connect();
  Witness& ours = witness("ours");
  ours.do_trap_exit();
  EXPECT_EQ(eval("process_flag(trap_exit, true), register(theirs, self()), "
                 "P = erpc:call('native@native.test', erlang, whereis, [ours]), link(P), node(P)."),
            "'native@native.test'");
  EXPECT_EQ(eval("unlink(P), link(P), gen_server:call({echo, 'native@native.test'}, sync)."), "sync");
  ours.do_exit(atom("bye"));
  EXPECT_EQ(eval("receive {'EXIT', P, Why} -> Why end."), "bye");
  EXPECT_EQ(eval("receive Any -> Any after 50 -> nothing end."), "nothing");

  Witness& partner = witness("partner");
  partner.do_trap_exit();
  EXPECT_EQ(eval("Q = erpc:call('native@native.test', erlang, whereis, [partner]), "
                 "spawn(fun() -> link(Q), exit({their, end_}) end), ok."),
            "ok");
  ASSERT_TRUE(run_until([&] { return partner.exits.size() == 1; }));
  EXPECT_EQ(partner.exits[0], etf::tuple(atom("their"), atom("end_")));
}

TEST_F(OtpPeer, SpawnsThereAndHearsOfTheEnd) {
  // {spawn_request, monitor} both ways: the child's node, and the reason of its end.
  connect();
  EXPECT_EQ(eval("{C, R} = spawn_monitor('native@native.test', erlang, exit, [{why, 1}]), "
                 "receive {'DOWN', R, process, C, Reason} -> {node(C), Reason} end."),
            "{'native@native.test',{why,1}}");
  std::optional<Term> child, end;
  runtime().spawn<process::SpawnMonitor>(
      beam, "erlang", "exit", std::vector<Term>{atom("enough")},
      process::SpawnMonitor::Handlers{[&](const Term& pid) { child = pid; }, [&](const Term& why) { end = why; }});
  ASSERT_TRUE(run_until([&] { return child && end; }));
  ASSERT_NE(child->as<Pid>(), nullptr);
  EXPECT_EQ(child->as<Pid>()->node, beam);
  EXPECT_EQ(*end, atom("enough"));
}

TEST_F(OtpPeer, SharesProcessGroups) {
  // pg in both directions: join, leave, and the end of a member or of its node.
  start();
  EXPECT_EQ(eval("{ok, _} = pg:start_link(), ok."), "ok");
  Witness& member = witness();
  process::Pg& pg = *node_->services().pg();
  const Term group = atom("workers");
  pg.join(group, member.self());
  EXPECT_EQ(eval("net_adm:ping('native@native.test')."), "pong");
  EXPECT_EQ(
      eval("W = fun W(N) -> case length(pg:get_members(workers)) of N -> ok; _ -> timer:sleep(5), W(N) end end, W(1)."),
      "ok");
  EXPECT_EQ(eval("pg:join(workers, self()), W(2)."), "ok");
  ASSERT_TRUE(run_until([&] { return pg.members(group).size() == 2; }));
  EXPECT_EQ(eval("pg:leave(workers, self())."), "ok");
  ASSERT_TRUE(run_until([&] { return pg.members(group).size() == 1; }));
  member.do_exit(atom("gone"));
  EXPECT_EQ(eval("W(0)."), "ok");
  EXPECT_EQ(eval("pg:join(workers, [self(), self()]), W(2)."), "ok");
  ASSERT_TRUE(run_until([&] { return pg.members(group).size() == 2; }));
  erl_->kill();
  ASSERT_TRUE(run_until([&] { return pg.members(group).empty(); }));
  EXPECT_EQ(last(kinds::node_down, "reason"), "connection_closed");
}

TEST_F(OtpPeer, SharesGlobalNames) {
  // global:sync returns, names registered on either side are seen by the other, and a name can be
  // taken once.
  connect();
  EXPECT_EQ(eval("global:sync()."), "ok");
  EXPECT_EQ(eval("global:register_name(theirs, self())."), "yes");
  process::Global& global = *node_->services().global();
  ASSERT_TRUE(run_until([&] { return global.whereis_name(atom("theirs")).has_value(); }));
  EXPECT_EQ(global.whereis_name(atom("theirs"))->node, beam);
  Witness& ours = witness();
  std::optional<bool> yes, no;
  global.register_name(atom("ours"), ours.self(), [&](bool answer) { yes = answer; });
  ASSERT_TRUE(run_until([&] { return yes.has_value(); }));
  EXPECT_TRUE(*yes);
  EXPECT_EQ(eval("node(global:whereis_name(ours))."), "'native@native.test'");
  global.register_name(atom("theirs"), ours.self(), [&](bool answer) { no = answer; });
  ASSERT_TRUE(run_until([&] { return no.has_value(); }));
  EXPECT_FALSE(*no);
  EXPECT_EQ(eval("global:send(ours, {hello, 1}), global:unregister_name(theirs)."), "ok");
  EXPECT_TRUE(run_until([&] { return !global.whereis_name(atom("theirs")) && ours.messages.size() == 1; }));
  ours.do_exit(atom("gone"));
  EXPECT_EQ(
      eval("U = fun U() -> case global:whereis_name(ours) of undefined -> ok; _ -> timer:sleep(5), U() end end, U()."),
      "ok");
}

TEST_F(OtpPeer, TicksKeepTheConnectionAndSilenceEndsIt) {
  // Idle for three tick times both stay connected; when our process stands still, OTP gives it up
  // with net_tick_timeout within T +- T/I.
  start_epmd();
  auto config = native_config();
  config.net_kernel.net_ticktime = 1s;
  start_native(std::move(config));
  start_beam("C", {"net_ticktime 1"});
  ASSERT_EQ(eval("net_kernel:monitor_nodes(true, [nodedown_reason]), net_adm:ping('native@native.test')."), "pong");
  loop_.run_for(3s);
  EXPECT_THAT(node_->nodes(), ElementsAre(beam));
  erl_->start_eval(
      "S = erlang:monotonic_time(millisecond), receive {nodedown, _, Info} -> "
      "{Info, erlang:monotonic_time(millisecond) - S < 1700} end.");
  std::optional<std::string> result;
  const Time limit = loop_.now() + 5s;
  while (!(result = erl_->result()) && loop_.now() < limit) continue;  // our loop stands still
  EXPECT_EQ(result, "{[{nodedown_reason,net_tick_timeout}],true}");
  ASSERT_TRUE(run_until([&] { return node_->nodes().empty(); }));
}

TEST_F(OtpPeer, ADifferentCookieIsRefusedAndCanBeCured) {
  // Whoever is dialled notices and logs; the dialler sees pang. set_cookie heals it without restart.
  start_epmd();
  start_native(native_config());
  start_beam("other");
  EXPECT_EQ(eval("net_adm:ping('native@native.test')."), "pang");
  EXPECT_EQ(last(kinds::log, "text"),
            "** Connection attempt from node 'beam@beam.test' rejected. Invalid challenge reply. **");
  EXPECT_EQ(ping(), "pang");
  EXPECT_TRUE(run_until([&] {
    return erl_->log().find(
               "** Connection attempt from node 'native@native.test' rejected. Invalid challenge reply. **") !=
           std::string::npos;
  })) << erl_->log();
  EXPECT_EQ(eval("erlang:set_cookie('native@native.test', 'C')."), "true");
  EXPECT_EQ(ping(), "pong");
}

TEST_F(OtpPeer, CarriesAMegabyteInFragments) {
  // Both ways and intact: messages beyond 64 KiB are cut into fragments on the wire.
  connect();
  EXPECT_EQ(eval("B = << <<(X * X):32>> || X <- lists:seq(1, 262144) >>, byte_size(B)."), "1048576");
  EXPECT_EQ(eval("gen_server:call({echo, 'native@native.test'}, {B, B}) =:= {B, B}."), "true");
  start_echo();
  const Term big = etf::tuple(etf::binary(conformance::pattern(1 << 20)), atom("end"));
  const auto outcome = call("srv", big);
  EXPECT_EQ(outcome.result, "ok");
  EXPECT_TRUE(outcome.value == big);
}

TEST_F(OtpPeer, ConnectsOnceWhenBothDial) {
  // Simultaneous connects end in one connection on both sides, time after time.
  start();
  for (int round = 0; round < 10; ++round) {
    std::optional<node::Node::Ping> ours;
    erl_->start_eval("net_adm:ping('native@native.test').");
    node_->ping(beam, [&](node::Node::Ping outcome, Duration) { ours = outcome; });
    std::optional<std::string> theirs;
    ASSERT_TRUE(run_until([&] {
      if (!theirs) theirs = erl_->result();
      return ours && theirs;
    }));
    EXPECT_EQ(ours, node::Node::Ping::pong);
    EXPECT_EQ(theirs, "pong");
    EXPECT_EQ(eval("erlang:disconnect_node('native@native.test')."), "true");
    ASSERT_TRUE(run_until([&] { return node_->nodes().empty(); }));
  }
}

}  // namespace
}  // namespace distlab::real
