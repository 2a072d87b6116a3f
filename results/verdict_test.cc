#include "results/verdict.h"

#include <gtest/gtest.h>

#include "results/testing/events.h"

namespace distlab::results {
namespace {

using namespace std::chrono_literals;
using scenario::Compare;
using scenario::Condition;
using scenario::ExpectConnected;
using scenario::ExpectDetection;
using scenario::ExpectEvent;
using scenario::ExpectMetric;
using scenario::ExpectNodeEvent;
using scenario::Metric;

scenario::Scenario three_nodes() {
  scenario::Scenario s;
  s.duration = 60s;
  for (const char* key : {"a", "b", "c"}) {
    scenario::Node node;
    node.name = std::string(key) + "@" + key + ".example";
    node.net_ticktime = 4s;
    s.nodes[key] = node;
  }
  return s;
}

Condition condition(Compare op, double value, std::string text) {
  return {op, value, text, text};
}

// The one verdict on one expectation, as "outcome: why".
std::string judged(scenario::What what, const std::vector<EventRecord>& events, double end_s = 60) {
  scenario::Scenario s = three_nodes();
  scenario::Expectation expectation;
  expectation.name = "it";
  expectation.text = "as written";
  expectation.what = std::move(what);
  expectation.place = {"x.yaml", 12, 5};
  s.expect = {expectation};
  const auto verdicts = evaluate(s, events, seconds(end_s));
  EXPECT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts.at(0).name, "it");
  EXPECT_EQ(verdicts.at(0).text, "as written");
  EXPECT_EQ(verdicts.at(0).file, "x.yaml");
  EXPECT_EQ(verdicts.at(0).line, 12);
  return std::string(to_string(verdicts.at(0).outcome)) + ": " + verdicts.at(0).why;
}

EventRecord up(double at, const std::string& host, const std::string& peer) {
  return node_up(at, host, peer + "@" + peer + ".example", 0.05);
}
EventRecord down(double at, const std::string& host, const std::string& peer,
                 const std::string& reason = "net_tick_timeout") {
  return node_down(at, host, peer + "@" + peer + ".example", reason);
}

const std::vector<EventRecord> cut_at_20 = {up(1, "a", "b"), up(1.02, "b", "a"), fault(20, "home", "down", "cut"),
                                            down(23.94, "a", "b"), down(24.5, "b", "a")};

// connected: every pair, both views, at that time; a fault may be the origin.
TEST(Verdict, Connected) {
  EXPECT_EQ(judged(ExpectConnected{{"a", "b"}, 5s, ""}, cut_at_20),
            "pass: all connected at 5.00 s, the last since 1.02 s");
  EXPECT_EQ(judged(ExpectConnected{{"a", "b"}, 1010ms, ""}, cut_at_20),
            "fail: at 1.01 s for b, a had not been seen up");
  EXPECT_EQ(judged(ExpectConnected{{"a", "b"}, 4s, "cut"}, cut_at_20),
            "fail: at 24.00 s for a, b was down since 23.94 s (net_tick_timeout)");
  EXPECT_EQ(judged(ExpectConnected{{"a", "b", "c"}, 5s, ""}, cut_at_20),
            "fail: at 5.00 s for a, c had not been seen up; 4 of 6 views were down");
  EXPECT_EQ(judged(ExpectConnected{{"a", "b"}, 4s, "nothing"}, cut_at_20), "unknown: the fault nothing was not done");
  EXPECT_EQ(judged(ExpectConnected{{"a", "b"}, 70s, ""}, cut_at_20),
            "unknown: the run ended at 60.00 s, before 70.00 s");
  EXPECT_EQ(judged(ExpectConnected{{"a", "c"}, 5s, ""},
                   {event(3, "a", "c@c.example", "connect_failed", {{"reason", std::string("econnrefused")}})}),
            "fail: at 5.00 s for a, c could not connect, last at 3.00 s (econnrefused); 2 of 2 views were down");
}

ExpectNodeEvent node_event(bool never, scenario::NodeEvent wanted, scenario::Window window = {}) {
  return {never, std::move(wanted), std::move(window)};
}

// never: one sighting breaks it; without a connection there is nothing that could go down.
TEST(Verdict, NeverNodeDown) {
  scenario::NodeEvent any_of_ab;
  any_of_ab.between = {"a", "b"};
  scenario::Window since_cut;
  since_cut.since = "cut";
  EXPECT_EQ(judged(node_event(true, any_of_ab, since_cut), cut_at_20),
            "fail: a saw b down at 23.94 s (net_tick_timeout), 3.94 s after cut; and 1 more");
  scenario::Window first_20;
  first_20.before = 20s;
  EXPECT_EQ(judged(node_event(true, any_of_ab, first_20), cut_at_20), "pass: no node_down from 0 s to 20.00 s");
  scenario::NodeEvent about_c;
  about_c.peer = "c";
  EXPECT_EQ(judged(node_event(true, about_c), cut_at_20), "unknown: none of these nodes ever saw another up");
  scenario::NodeEvent other_reason = any_of_ab;
  other_reason.reason = "disconnect";
  EXPECT_EQ(judged(node_event(true, other_reason), cut_at_20), "pass: no node_down (disconnect) from 0 s to 60.00 s");
}

// eventually: any sighting, or with `between` one by each of the pairs.
TEST(Verdict, EventuallyNodeDown) {
  scenario::NodeEvent by_b;
  by_b.at = "b";
  EXPECT_EQ(judged(node_event(false, by_b), cut_at_20), "pass: b saw a down at 24.50 s (net_tick_timeout)");
  scenario::NodeEvent all;
  all.between = {"a", "b"};
  EXPECT_EQ(judged(node_event(false, all), cut_at_20), "pass: the first: a saw b down at 23.94 s (net_tick_timeout)");
  scenario::Window early;
  early.before = 24s;
  EXPECT_EQ(judged(node_event(false, all, early), cut_at_20), "fail: b did not see a down from 0 s to 24.00 s");
  scenario::NodeEvent up_again;
  up_again.up = true;
  scenario::Window after_cut;
  after_cut.since = "cut";
  EXPECT_EQ(judged(node_event(false, up_again, after_cut), cut_at_20), "fail: no node_up from 20.00 s to 60.00 s");
}

// detection: the first node_down after the fault, within its limits and for its reason.
TEST(Verdict, Detection) {
  const auto detection = [](scenario::Duration low, scenario::Duration high, std::string reason = "net_tick_timeout") {
    return ExpectDetection{"a", "b", std::move(reason), "cut", low, high};
  };
  EXPECT_EQ(judged(detection(3s, 5s), cut_at_20), "pass: a saw b down at 23.94 s (net_tick_timeout), 3.94 s after cut");
  EXPECT_EQ(judged(detection(4s, 5s), cut_at_20),
            "fail: a saw b down at 23.94 s (net_tick_timeout), 3.94 s after cut; expected after 4.00 s to 5.00 s");
  EXPECT_EQ(judged(detection(3s, 5s, "disconnect"), cut_at_20),
            "fail: a saw b down at 23.94 s (net_tick_timeout), 3.94 s after cut; expected for disconnect");
  EXPECT_EQ(judged(detection(3s, 5s), {up(1, "a", "b"), fault(20, "home", "down", "cut")}),
            "fail: a did not see b down in the 40.00 s from cut to the end of the run");
  EXPECT_EQ(judged(detection(3s, 50s), {up(1, "a", "b"), fault(20, "home", "down", "cut")}),
            "unknown: a did not see b down in the 40.00 s from cut to the end of the run");
  EXPECT_EQ(judged(detection(3s, 5s), {fault(20, "home", "down", "cut")}),
            "unknown: a did not hold b to be up when cut was done at 20.00 s");
  EXPECT_EQ(judged(detection(3s, 5s), {up(1, "a", "b")}), "unknown: the fault cut was not done");
}

ExpectMetric metric(Metric what, Condition wanted) {
  ExpectMetric expected;
  expected.metric = what;
  expected.condition = std::move(wanted);
  return expected;
}

const std::vector<EventRecord> calls = {call_done(2.1, "a", "b", "ok", 0.1),   call_done(3.2, "a", "b", "ok", 0.2),
                                        call_done(4.3, "b", "a", "ok", 0.3),   fault(20, "home", "down", "cut"),
                                        call_done(26, "a", "c", "timeout", 5), fault(30, "home", "up", "cut"),
                                        call_done(33, "a", "b", "ok", 1),      call_done(40.4, "a", "b", "ok", 0.4)};

// call_latency: a quantile of the answered calls; calls that touch a fault or its tick time may be left out.
TEST(Verdict, CallLatency) {
  ExpectMetric p50 = metric(Metric::call_latency, condition(Compare::less, 0.35, "< 350ms"));
  p50.quantile = 0.5;
  EXPECT_EQ(judged(p50, calls), "pass: p50 of 5 answered calls is 300 ms; the longest is 1.00 s, a->b at 32.00 s");
  ExpectMetric longest = metric(Metric::call_latency, condition(Compare::less, 0.35, "< 350ms"));
  longest.window.outside_faults = true;
  EXPECT_EQ(judged(longest, calls),
            "fail: the longest of 4 answered calls is 400 ms, a->b at 40.00 s; expected < 350ms");
  longest.window.before = 10s;
  longest.between = {"a", "b"};
  longest.one_way = true;
  EXPECT_EQ(judged(longest, calls), "pass: the longest of 2 answered calls is 200 ms, a->b at 3.00 s");
  longest.between = {"a", "c"};
  EXPECT_EQ(judged(longest, calls), "unknown: there was no answered call from 0 s to 10.00 s, outside of faults");
}

// calls and pings: a number or a share with a result; of no call there is nothing to say.
TEST(Verdict, CallsByResult) {
  ExpectMetric timeouts = metric(Metric::calls, condition(Compare::equal, 0, "0"));
  timeouts.result = "timeout";
  EXPECT_EQ(judged(timeouts, calls), "fail: 1 of 6 calls ended with timeout, the first at 26.00 s (a->c); expected 0");
  timeouts.share = true;
  timeouts.condition = condition(Compare::less, 0.2, "< 20%");
  EXPECT_EQ(judged(timeouts, calls), "pass: 1 of 6 calls ended with timeout (16.7%), the first at 26.00 s (a->c)");
  EXPECT_EQ(judged(timeouts, {}), "unknown: there was no call from 0 s to 60.00 s");
  EXPECT_EQ(judged(metric(Metric::calls, condition(Compare::greater_equal, 10, ">= 10")), {}),
            "fail: 0 calls from 0 s to 60.00 s; expected >= 10");
  EXPECT_EQ(judged(timeouts, {call_done(26, "a@a.example", "c@c.example", "timeout", 5), calls[0]}),
            "fail: 1 of 2 calls ended with timeout (50%), the first at 26.00 s (a->c); expected < 20%");
  ExpectMetric pongs = metric(Metric::pings, condition(Compare::equal, 1, "1"));
  pongs.result = "pong";
  EXPECT_EQ(judged(pongs, {event(2, "a", "a@a.example->b@b.example", "ping_done",
                                 {{"result", std::string("pong")}, {"elapsed_ns", seconds(0.1)}})}),
            "pass: 1 of 1 ping ended with pong");
}

// Messages: lost, duplicated, reordered, wedged and how long they took, of the pairs and the time meant.
TEST(Verdict, Messages) {
  const std::vector<EventRecord> events = {up(0.5, "a", "b"),           sent(1, "a", "b", 1),
                                           received(1.02, "a", "b", 1), received(1.03, "a", "b", 1),
                                           sent(2, "a", "b", 2),        sent(2.01, "a", "b", 3),
                                           received(2.03, "a", "b", 3), received(2.05, "a", "b", 2, 0.05),
                                           sent(10, "a", "b", 4),       sent(12, "a", "b", 5),
                                           sent(13, "a", "b", 6),       received(13.02, "a", "b", 6),
                                           sent(14, "b", "a", 1),       received(14.02, "b", "a", 1)};
  const Condition none = condition(Compare::equal, 0, "0");
  EXPECT_EQ(judged(metric(Metric::lost_messages, none), events),
            "fail: 2 of 7 messages were lost, the first sent at 10.00 s (a->b); expected 0");
  ExpectMetric early = metric(Metric::lost_messages, none);
  early.window.before = 5s;
  EXPECT_EQ(judged(early, events), "pass: 0 of 3 messages were lost");
  ExpectMetric back = metric(Metric::lost_messages, none);
  back.between = {"b", "a"};
  back.one_way = true;
  EXPECT_EQ(judged(back, events), "pass: 0 of 1 message were lost");
  EXPECT_EQ(judged(metric(Metric::duplicated_messages, none), events),
            "fail: 1 of 7 messages was duplicated; expected 0");
  EXPECT_EQ(judged(metric(Metric::reordered_messages, none), events),
            "fail: 1 of 7 messages was reordered; expected 0");
  EXPECT_EQ(judged(metric(Metric::wedged, condition(Compare::less, 2, "< 2s")), events),
            "fail: wedged while up for 3.00 s in all; the longest is a->b from 10.00 s to 13.00 s (2 messages); "
            "expected < 2s");
  EXPECT_EQ(judged(metric(Metric::message_latency, condition(Compare::less, 0.1, "< 100ms")), events),
            "pass: the longest of 5 messages is 50 ms");
  EXPECT_EQ(judged(metric(Metric::wedged, none), {}), "unknown: no message was sent from 0 s to 60.00 s");
}

// setup_time is what the dialling side measured.
TEST(Verdict, SetupTime) {
  ExpectMetric setup = metric(Metric::setup_time, condition(Compare::less, 0.1, "< 100ms"));
  EXPECT_EQ(judged(setup, cut_at_20), "pass: the longest of 2 connections set up is 50 ms, a->b at 1.00 s");
  EXPECT_EQ(judged(setup, {}), "unknown: there was no connection set up from 0 s to 60.00 s");
}

// event: any kind, counted by its fields, host, subject and time.
TEST(Verdict, Events) {
  ExpectEvent failures;
  failures.kind = "connect_failed";
  failures.at = "a";
  failures.subject = "b";
  failures.count = condition(Compare::equal, 1, "1");
  failures.fields = {{"reason", condition(Compare::equal, 0, "econnrefused")},
                     {"elapsed_ns", condition(Compare::greater_equal, 2, "2s")}};
  const auto failed = [](double at, const std::string& host, const std::string& reason, double elapsed) {
    return event(at, host, "b@b.example", "connect_failed", {{"reason", reason}, {"elapsed_ns", seconds(elapsed)}});
  };
  EXPECT_EQ(judged(failures, {failed(5, "a", "econnrefused", 2.5), failed(6, "a", "econnrefused", 1),
                              failed(7, "c", "econnrefused", 3), failed(8, "a", "timeout", 3)}),
            "pass: 1 such event from 0 s to 60.00 s, the first at 5.00 s");
  EXPECT_EQ(judged(failures, {}), "fail: 0 such events from 0 s to 60.00 s");
}

// event: relays, their clients and tunnels are found by who saw it, whom it is about and each field.
TEST(Verdict, EventsOfRelaysAndTunnels) {
  const std::vector<EventRecord> events = {
      event(1, "berlin", "a@a.example", "session_up", {{"realm", std::string("io.macula")}}),
      event(2, "berlin", "eve", "session_refused", {{"reason", std::string("wrong_realm")}}),
      event(20, "a", "berlin", "mesh_down", {{"reason", std::string("ping")}}),
      event(21, "a", "b@b.example", "bridge_state",
            {{"id", std::string("t1")}, {"state", std::string("reconnecting")}}),
      event(22, "a", "b@b.example", "tunnel_lost",
            {{"id", std::string("t1")}, {"reason", std::string("no_client")}, {"bytes", int64_t{1460}}}),
      event(23, "a", "b@b.example", "tunnel_lost", {{"id", std::string("t1")}, {"bytes", int64_t{32}}}),
      event(24, "a", "b@b.example", "tunnel_failed", {{"reason", std::string("timeout")}, {"elapsed_ns", seconds(7)}})};
  const auto count = [&](const std::string& kind, const std::string& at, const std::string& subject,
                         std::vector<std::pair<std::string, Condition>> fields = {}) {
    ExpectEvent expected;
    expected.kind = kind;
    expected.at = at;
    expected.subject = subject;
    expected.count = condition(Compare::equal, 1, "1");
    expected.fields = std::move(fields);
    return judged(expected, events).substr(0, 12);
  };
  const auto is = [](const std::string& text) { return condition(Compare::equal, 0, text); };
  EXPECT_EQ(count("session_up", "berlin", "a", {{"realm", is("io.macula")}}), "pass: 1 such");
  EXPECT_EQ(count("session_up", "berlin", "b"), "fail: 0 such");
  EXPECT_EQ(count("session_up", "a", "a"), "fail: 0 such");
  EXPECT_EQ(count("session_refused", "", "eve", {{"reason", is("wrong_realm")}}), "pass: 1 such");
  EXPECT_EQ(count("session_refused", "", "eve", {{"reason", is("wrong_cookie")}}), "fail: 0 such");
  EXPECT_EQ(count("mesh_down", "a", "berlin", {{"reason", condition(Compare::not_equal, 0, "closed")}}),
            "pass: 1 such");
  EXPECT_EQ(count("bridge_state", "a", "b", {{"state", is("reconnecting")}, {"id", is("t1")}}), "pass: 1 such");
  EXPECT_EQ(count("tunnel_lost", "a", "b"), "fail: 2 such");
  EXPECT_EQ(count("tunnel_lost", "a", "b", {{"bytes", condition(Compare::greater, 1024, "> 1KiB")}}), "pass: 1 such");
  EXPECT_EQ(count("tunnel_lost", "a", "b", {{"reason", is("no_client")}}), "pass: 1 such");
  EXPECT_EQ(count("tunnel_failed", "a", "b", {{"elapsed_ns", condition(Compare::less, 8, "< 8s")}}), "pass: 1 such");
}

// A run that stopped early settles what has happened, and leaves the rest open.
TEST(Verdict, StoppedEarly) {
  scenario::NodeEvent any;
  EXPECT_EQ(judged(node_event(true, any), {up(1, "a", "b")}, 10),
            "unknown: the run stopped at 10.00 s; until then: no node_down from 0 s to 10.00 s");
  EXPECT_EQ(judged(node_event(true, any), cut_at_20, 30),
            "fail: a saw b down at 23.94 s (net_tick_timeout); and 1 more");
  EXPECT_EQ(judged(ExpectDetection{"a", "b", "net_tick_timeout", "cut", 3s, 5s}, cut_at_20, 30),
            "pass: a saw b down at 23.94 s (net_tick_timeout), 3.94 s after cut");
  EXPECT_EQ(judged(ExpectConnected{{"a", "b"}, 5s, ""}, cut_at_20, 30),
            "pass: all connected at 5.00 s, the last since 1.02 s");
}

}  // namespace
}  // namespace distlab::results
