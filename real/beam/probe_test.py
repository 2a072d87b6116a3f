"""The probe inside real nodes: every action of the plan, every event it gives rise to, and how it ends.

The actor is testing/stub_actor.py, the agent testing/stub_agent.py. usage: probe_test.py ERL_LIBS
"""
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "testing"))
from beam import Beam
from etf import Atom
from stub_actor import SECOND, Actor, now_ns
from stub_agent import Agent

LIBRARIES = os.path.abspath(sys.argv.pop(1))
A, B = "a@hosta", "b@hostb"
AB = f"{A}->{B}"
PROBE = ["-pa", f"{LIBRARIES}/distlab_probe/ebin", "-s", "distlab_probe"]
MACULA = ["-proto_dist", "macula", "-no_epmd", "-start_epmd", "false", "-setcookie", "MYSECRET"]
# A server that takes calls and answers none.
DEAF = "begin unregister(echo), register(echo, spawn(fun F() -> receive _ -> F() end end)) end"


class ProbeTest(unittest.TestCase):
    def setUp(self):
        self.agent = Agent()
        self.addCleanup(self.agent.close)

    def node(self, name, *flags, kernel=()):
        """An actor and its node, which has no plan yet."""
        actor = Actor(self)
        settings = [word for setting in ("net_ticktime 120", *kernel) for word in ("-kernel", *setting.split())]
        node = Beam(self, *MACULA, *settings, *PROBE, *flags, "-name", name,
                    env={"ERL_LIBS": LIBRARIES, "DISTLAB_AGENT": self.agent.address, "DISTLAB_PROBE": actor.address})
        actor.hello()
        return actor, node

    def pair(self, actions, *flags, their_actions=(), kernel=(), **plan):
        """Two nodes with one origin, both in the mesh; `actions` are the first's."""
        self.a, self.beam_a = self.node(A, *flags, kernel=kernel)
        self.b, self.beam_b = self.node(B, *flags, kernel=kernel)
        self.origin = now_ns() + SECOND // 2  # later than the workload begins, on a busy machine too
        self.b.start(their_actions, origin=self.origin, join={}, peers=[A.encode()])
        self.a.start(actions, origin=self.origin, join={}, peers=[B.encode()], **plan)

    def alone(self, actions, **plan):
        self.a, self.beam_a = self.node(A)
        self.a.start(actions, **{"origin": now_ns() + SECOND // 2, **plan})

    @staticmethod
    def values(events, field):
        return [event.fields[field] for event in events]


class Channel(ProbeTest):
    # The node introduces itself before it has a plan.
    def test_hello(self):
        actor, node = self.node(A)
        kind, facts = actor.frames[0]
        self.assertEqual(kind, "hello")
        self.assertEqual(facts, {"version": 1, "node": A.encode(), "otp": b"25", "pid": str(node.process.pid).encode()})

    # Times are those of CLOCK_MONOTONIC less the origin, to within what it takes to tell.
    def test_clock(self):
        self.alone([])
        before = now_ns()
        told = int(self.beam_a.eval("distlab_probe_clock:now()"))
        self.assertTrue(before <= told <= now_ns())
        self.beam_a.eval('logger:warning("now")')
        event = self.a.wait_for("log")[0]
        self.assertTrue(before <= self.a.origin + event.time <= now_ns())

    # What was observed before the plan is kept for it; kinds that are quiet are not reported.
    def test_before_the_plan(self):
        actor, node = self.node(A)
        node.eval("pg:join(early, self())")
        node.eval("global:register_name(early, self())")
        time.sleep(0.1)
        self.assertEqual(actor.events, [])
        actor.start(quiet=[b"global_changed"])
        event = actor.wait_for("group_changed")[0]
        self.assertEqual((event.subject, event.fields), ("early", {"group": "early", "members": 1}))
        self.assertLess(event.time, 0)
        actor.finish()
        self.assertEqual(actor.of("global_changed"), [])

    # `finish` is answered when everything has been sent, in order.
    def test_finish(self):
        self.alone([])
        for _ in range(3):
            self.beam_a.eval("[pg:join(crowd, spawn(fun() -> timer:sleep(infinity) end)) || _ <- lists:seq(1, 700)]")
        self.a.finish()
        self.assertEqual(self.values(self.a.of("group_changed"), "members"), list(range(1, 2101)))
        times = [event.time for event in self.a.events]
        self.assertEqual(times, sorted(times))

    # When the actor goes, the node is gone at once, whatever it was doing.
    def test_halts_with_the_actor(self):
        self.alone([])
        self.beam_a.start("timer:sleep(infinity)")
        began = time.monotonic()
        self.a.close()
        self.assertEqual(self.beam_a.process.wait(5), 0)
        self.assertLess(time.monotonic() - began, 1)

    # Without an actor there is no node, and it says why.
    def test_no_actor(self):
        for address, why in [(None, "distlab_probe: DISTLAB_PROBE is not set"), ("nonsense", "not HOST:PORT"),
                             ("127.0.0.1:1", "distlab_probe: no actor at 127.0.0.1:1: connection refused")]:
            env = {"ERL_LIBS": LIBRARIES, **({"DISTLAB_PROBE": address} if address else {})}
            node = Beam(self, *MACULA, *PROBE, "-name", A, env=env)
            self.assertEqual(node.process.wait(10), 1)
            node.reader.join(5)
            self.assertIn(why, node.log())

    # Cookies of the plan are set before anything happens, and one that is set later is told.
    def test_cookies(self):
        self.alone([{"kind": "set_cookie", "to": B, "cookie": "fresh", "at": 0.2},
                    {"kind": "set_cookie", "cookie": "own", "at": 0.3}], cookies=[(B.encode(), b"first")])
        self.assertEqual(self.beam_a.eval(f"erlang:get_cookie('{B}')"), "first")
        self.a.wait(lambda actor: len(actor.cookies) == 2, "cookies")
        self.assertEqual(self.a.cookies, [(B, "fresh"), ("", "own")])
        self.assertEqual(self.beam_a.eval(f"{{erlang:get_cookie('{B}'), erlang:get_cookie()}}"), "{fresh,own}")

    # A mesh that refuses the node is logged, and the workload runs all the same.
    def test_join_refused(self):
        self.agent.refuse = "realm is closed"
        self.alone([{"kind": "connect", "to": B, "at": 0.1}], join={})
        self.assertEqual(self.a.wait_for("ping_done")[0].fields["result"], "pang")
        log = self.a.of("log")[0]
        self.assertEqual(log.fields, {"level": "error", "text": 'macula:join_mesh: {refused,"realm is closed"}'})
        self.assertEqual(self.a.wait_for("connect_failed")[0].fields["reason"], "not_joined")


class Actions(ProbeTest):
    # A ping connects; both sides say who began it and how long it took.
    def test_connect(self):
        self.pair([{"kind": "connect", "to": B, "at": 0.3}])
        ping = self.a.wait_for("ping_done")[0]
        self.assertEqual((ping.subject, ping.fields["result"]), (AB, "pong"))
        self.assertEqual(self.a.wait_for("connect_started")[0].subject, B)
        up, accepted = self.a.wait_for("node_up")[0], self.b.wait_for("node_up")[0]
        self.assertEqual((up.subject, up.fields["direction"]), (B, "out"))
        self.assertEqual((accepted.subject, accepted.fields["direction"]), (A, "in"))
        self.assertTrue(0 < accepted.fields["setup_ns"] < up.fields["setup_ns"] < ping.fields["elapsed_ns"])
        self.assertTrue(0.3 * SECOND <= ping.time - ping.fields["elapsed_ns"] < 0.4 * SECOND)

    # Calls of every kind come at their rhythm until their end, each with a number, its begin and its time.
    def test_calls(self):
        rhythm = {"to": B, "at": 0.5, "period": 0.1, "until": 1.0, "payload": 100}
        self.pair([{"kind": kind, **rhythm} for kind in ("call", "rpc", "erpc", "spawn")])
        done = self.a.wait_for("call_done", 20)
        time.sleep(0.3)
        self.assertEqual(len(self.a.of("call_done")), 20)
        self.assertEqual({call.subject for call in done}, {AB})
        self.assertEqual(set(self.values(done, "result")), {"ok"})
        self.assertEqual(sorted(self.values(done, "id")), list(range(1, 21)))
        starts = sorted(self.values(done, "started_ns"))
        for i, start in enumerate(starts):
            due = round((0.5 + 0.1 * (i // 4)) * SECOND)
            self.assertTrue(due <= start < due + 0.05 * SECOND, (i, start))
        self.assertTrue(all(0 < ns < SECOND for ns in self.values(done, "elapsed_ns")))

    # Each way for a call to fail has its name.
    def test_failing_calls(self):
        kinds = ("call", "rpc", "erpc", "spawn")
        self.pair([{"kind": kind, "to": "nobody@nowhere", "at": 0.2} for kind in kinds] +
                  [{"kind": "call", "to": B, "at": 1.0, "timeout": 0.2},
                   {"kind": "bulk", "to": "nobody@nowhere", "at": 0.2, "payload": 9},
                   {"kind": "call", "to": B, "at": 2.0}, {"kind": "rpc", "to": B, "at": 3.0},
                   {"kind": "erpc", "to": B, "at": 3.0}])
        lost = self.a.wait_for("call_done", 4)
        self.assertEqual(self.values(lost, "result"), ["nodedown"] * 4)
        self.assertEqual(self.values(self.a.wait_for("bulk_done"), "result"), ["nodedown"])
        self.assertIn("no such node: nobody@nowhere", self.values(self.a.wait_for("connect_failed"), "reason"))
        self.beam_b.eval(DEAF)
        late = self.a.wait_for("call_done", 5)[4]
        self.assertEqual(late.fields["result"], "timeout")
        self.assertTrue(0.2 * SECOND <= late.fields["elapsed_ns"] < 0.4 * SECOND)
        self.beam_b.eval("unregister(echo)")
        self.assertEqual(self.a.wait_for("call_done", 6)[5].fields["result"], "noproc")
        empty = "{ok, distlab, Empty} = compile:forms([{attribute, 1, module, distlab}])"
        self.assertIn("module", self.beam_b.eval(f"begin {empty}, code:load_binary(distlab, \"\", Empty) end"))
        self.assertEqual(self.values(self.a.wait_for("call_done", 8)[6:], "result"), ["exception"] * 2)

    # A peer that calls and is silent makes rpc, erpc and spawn time out.
    def test_timeouts(self):
        self.pair([{"kind": "connect", "to": B, "at": 0.1}] +
                  [{"kind": kind, "to": B, "at": 1.0, "timeout": 0.3} for kind in ("rpc", "erpc", "spawn")])
        self.a.wait_for("node_up")
        self.agent.freeze(A, B)
        self.assertEqual(self.values(self.a.wait_for("call_done", 3), "result"), ["timeout"] * 3)

    # The ledger: every message is recorded where it leaves and where it arrives, with its number and the time it took.
    def test_ledger(self):
        send = {"kind": "send", "to": B, "period": 0.05, "until": 1.5, "payload": 64}
        self.pair([{**send, "at": 0.5}, {**send, "at": 0.525}])
        received = self.b.wait_for("message_received", 40)
        sent = self.a.wait_for("message_sent", 40)
        self.assertEqual({event.subject for event in sent + received}, {AB})
        self.assertEqual(self.values(sent, "seq"), list(range(1, 41)))
        self.assertEqual(self.values(received, "seq"), list(range(1, 41)))
        for out, into in zip(sent, received):
            self.assertAlmostEqual(into.time - out.time, into.fields["latency_ns"], delta=1000)
            self.assertTrue(0 < into.fields["latency_ns"] < SECOND)

    # What is sent while the peer is away counts as sent, and never arrives.
    def test_ledger_counts_what_is_lost(self):
        self.pair([{"kind": "send", "to": B, "at": 0.1, "period": 0.1, "until": 0.6},
                   {"kind": "send", "to": B, "at": 1.0}])
        away = self.agent.members.pop(B)
        self.a.wait_for("message_sent", 5)
        self.agent.members[B] = away
        self.assertEqual(self.values(self.b.wait_for("message_received"), "seq"), [6])
        self.assertEqual(self.values(self.a.wait_for("message_sent", 6), "seq"), list(range(1, 7)))

    # What is no message of the ledger, and no request of the sink, is ignored.
    def test_nonsense_is_ignored(self):
        self.alone([])
        for name in ("ledger", "sink", "echo"):
            for term in ("1", "{ledger,x,1,1,0}", "{ledger,1,1,1,0}", "{ledger,x,y,1,0}", "{'$gen_call',1,2}",
                         "{'$gen_cast',x}"):
                self.beam_a.eval(f"{name} ! {term}")
        self.assertIn("timeout", self.beam_a.eval("gen_server:call(sink, {bulk, 1}, 100)"))
        self.assertEqual(self.beam_a.eval("gen_server:call(sink, {bulk, <<1, 2>>}, 1000)"), "{ok,2}")
        self.assertEqual(self.beam_a.eval("gen_server:call(echo, {hi}, 1000)"), "{hi}")
        self.a.finish()
        received = self.a.of("message_received")
        self.assertEqual([(e.subject, e.fields["seq"]) for e in received], [(f"x->{A}", 1)])

    # Large messages are done when the sink has all of them.
    def test_bulk(self):
        self.pair([{"kind": "bulk", "to": B, "at": 0.5, "payload": 4_000_000, "timeout": "infinity"}])
        done = self.a.wait_for("bulk_done")[0]
        self.assertEqual((done.subject, done.fields["bytes"], done.fields["result"]), (AB, 4_000_000, "ok"))
        self.assertGreater(done.fields["elapsed_ns"], 0)

    # Payloads are the bytes native nodes send.
    def test_payload(self):
        self.alone([{"kind": "send", "to": B, "at": 60, "payload": 1000}])
        state, expected = 1, []
        for _ in range(1000):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            expected.append(state >> 56)
        self.assertEqual(self.beam_a.eval("binary_to_list(distlab_probe_payload:of_size(1000)) =:= "
                                          f"{expected}"), "true")

    # Joining and leaving a group shows on both nodes; joining twice is joining once; a node takes its members along.
    def test_groups(self):
        self.pair([{"kind": "connect", "to": B, "at": 0.1},
                   {"kind": "pg_join", "group": "workers", "at": 0.4, "period": 0.1, "until": 0.8},
                   {"kind": "pg_leave", "group": "workers", "at": 1.0},
                   {"kind": "pg_join", "group": "others", "at": 1.2}],
                  their_actions=[{"kind": "pg_join", "group": "workers", "at": 0.6}])
        for actor in (self.a, self.b):
            actor.wait_for("group_changed", 4)
            self.assertEqual([(e.subject, e.fields["members"]) for e in actor.of("group_changed")],
                             [("workers", 1), ("workers", 2), ("workers", 1), ("others", 1)])
        self.beam_a.kill()
        last = self.b.wait_for("group_changed", 5)[4]
        self.assertEqual(last.fields, {"group": "others", "members": 0})

    # A monitor tells why the other side went, and with a period watches anew.
    def test_monitor(self):
        self.pair([{"kind": "monitor", "to": B, "at": 0.2, "period": 0.3}, {"kind": "link", "to": B, "at": 0.2}])
        self.a.wait_for("node_up")
        time.sleep(0.5)
        self.assertEqual(self.a.of("monitor_down") + self.a.of("link_exit"), [])
        self.beam_b.eval("exit(whereis(echo), because)")
        downs = self.a.wait_for("monitor_down", 2)
        self.assertEqual(downs[0].subject, B)
        self.assertEqual(downs[0].fields, {"target": f"echo at {B}", "reason": "because"})
        self.assertEqual(downs[1].fields["reason"], "noproc")
        self.beam_b.kill()
        link = self.a.wait_for("link_exit")[0]
        self.assertEqual((link.subject, link.fields["reason"]), (B, "noconnection"))
        self.assertRegex(link.fields["target"], rf"^<{B}\.\d+\.0>$")

    # A link that cannot be made says so too.
    def test_link_to_nobody(self):
        self.alone([{"kind": "link", "to": "nobody@nowhere", "at": 0.1}])
        self.assertEqual(self.a.wait_for("link_exit")[0].fields,
                         {"target": "timer:sleep at nobody@nowhere", "reason": "noconnection"})

    # Names are registered with global, seen by both, and sync comes back; a name that is taken is refused.
    def test_global(self):
        self.pair([{"kind": "connect", "to": B, "at": 0.1}, {"kind": "global_sync", "at": 0.5},
                   {"kind": "global_register", "group": "leader", "at": 1.0}],
                  their_actions=[{"kind": "global_register", "group": "leader", "at": 2.0}])
        self.b.wait_for("global_changed", 2)
        first = [(e.subject, e.fields["name"], e.fields["action"]) for e in self.a.wait_for("global_changed", 3)]
        self.assertEqual(first[0], (A, "", "synced"))
        self.assertEqual(sorted(first[1:]), [("leader", "leader", "register_yes"), ("leader", "leader", "registered")])
        self.assertEqual(self.values(self.b.of("global_changed"), "action"), ["registered", "register_no"])
        self.beam_a.kill()
        self.assertEqual(self.b.wait_for("global_changed", 3)[2].fields["action"], "unregistered")

    # A disconnect shows on both sides with OTP's reasons.
    def test_disconnect(self):
        self.pair([{"kind": "connect", "to": B, "at": 0.1}, {"kind": "disconnect", "to": B, "at": 0.6}])
        self.assertEqual(self.a.wait_for("node_down")[0].fields, {"reason": "disconnect"})
        self.assertEqual(self.b.wait_for("node_down")[0].fields, {"reason": "connection_closed"})

    # Expressions are evaluated; what they raise, and what takes too long, is told apart.
    def test_eval(self):
        codes = ["X = lists:seq(1, 3), {X, \"text\"}.", "1 + a", "exit(self(), kill), timer:sleep(1000)",
                 "timer:sleep(5000)", "{1,", "lists:duplicate(100000, $a)", "exit(bye)"]
        self.alone([{"kind": "eval", "code": code, "at": 0.1, "timeout": 0.5} for code in codes])
        done = {e.fields["id"]: e for e in self.a.wait_for("eval_done", len(codes))}
        self.assertEqual({e.subject for e in done.values()}, {A})
        results = [(done[i].fields["result"], done[i].fields["value"]) for i in range(len(codes))]
        self.assertEqual(results[:4], [("ok", '{[1,2,3],"text"}'), ("error", "{error,badarith}"),
                                       ("error", "{exit,killed}"), ("timeout", "")])
        self.assertEqual(results[4][0], "error")
        self.assertIn("syntax", results[4][1])
        self.assertEqual(results[5][0], "ok")
        self.assertLessEqual(len(results[5][1]), 1000)
        self.assertEqual(results[6], ("error", "{exit,bye}"))
        self.assertTrue(0.5 * SECOND <= done[3].fields["elapsed_ns"] < SECOND)
        self.assertTrue(0.1 * SECOND <= done[0].fields["started_ns"] < 0.3 * SECOND)


class Schedules(ProbeTest):
    # Beyond the limit of what may be under way, calls and pings end at once.
    def test_overload(self):
        self.pair([{"kind": "connect", "to": B, "at": 0.1},
                   {"kind": "call", "to": B, "at": 0.5, "period": 0.1, "until": 0.9, "timeout": "infinity"},
                   {"kind": "connect", "to": B, "at": 1.0}], max_outstanding=2)
        self.a.wait_for("ping_done")
        self.beam_b.eval(DEAF)
        done = self.a.wait_for("call_done", 2)
        self.assertEqual(self.values(done, "result"), ["overload"] * 2)
        self.assertEqual(self.values(done, "elapsed_ns"), [0, 0])
        self.assertEqual(self.values(self.a.wait_for("ping_done", 2), "result"), ["pong", "pang"])

    # A call whose process is killed is recorded as that, and is not outstanding for ever.
    def test_killed_call(self):
        self.pair([{"kind": "call", "to": B, "at": 0.8, "period": 0.1, "until": 1.1, "timeout": "infinity"}],
                  max_outstanding=1)
        self.beam_b.eval("begin unregister(echo), register(echo, spawn(fun F() -> receive {'$gen_call', {P, _}, _} -> "
                         "exit(P, kill), F() end end)) end")
        self.assertEqual(self.values(self.a.wait_for("call_done", 3), "result"), ["killed"] * 3)

    # What was due before the workload began is left out, and what repeats keeps its rhythm.
    def test_late_plan(self):
        self.alone([{"kind": "eval", "code": "once", "at": 0.5},
                    {"kind": "eval", "code": "again", "at": 0.25, "period": 0.4, "until": 2.5},
                    {"kind": "eval", "code": "over", "at": 0.0, "period": 0.1, "until": 0.9}],
                   origin=now_ns() - SECOND)
        self.a.wait_for("eval_done", 3)
        time.sleep(1)
        done = self.a.of("eval_done")
        self.assertEqual({e.fields["value"] for e in done}, {"again"})
        starts = [e.fields["started_ns"] / SECOND for e in done]
        for due, start in zip(reversed((1.05, 1.45, 1.85, 2.25)), reversed(starts), strict=False):
            self.assertTrue(due <= start < due + 0.1, starts)

    # Fast rhythms keep their rate, though timers are as fine as a millisecond.
    def test_fast_rhythm(self):
        self.alone([{"kind": "eval", "code": "ok", "at": 0.2, "period": 0.0004, "until": 1.2}], quiet=[b"log"])
        self.a.wait(lambda actor: len(actor.of("eval_done")) >= 2400, "2,400 evaluations")
        time.sleep(0.3)
        self.assertLessEqual(len(self.a.of("eval_done")), 2500)

    # Poisson arrivals: the mean of the gaps is the period, and so is their deviation.
    def test_poisson(self):
        self.alone([{"kind": "eval", "code": "ok", "at": 0.2, "period": 0.005, "until": 5.2, "arrival": "poisson"}])
        time.sleep(5.5)
        self.a.finish()
        starts = sorted(e.fields["started_ns"] for e in self.a.of("eval_done"))
        gaps = [b - a for a, b in zip(starts, starts[1:])]
        # 1,000 expected; 5 deviations of a Poisson count are 158.
        self.assertTrue(842 <= len(starts) <= 1158, len(starts))
        self.assertTrue(0.8 < statistics.stdev(gaps) / statistics.mean(gaps) < 1.2)

    # What a frozen process missed is left out.
    def test_frozen(self):
        self.alone([{"kind": "eval", "code": "ok", "at": 0.2, "period": 0.1, "until": 60}])
        self.a.wait_for("eval_done", 2)
        self.beam_a.process.send_signal(signal.SIGSTOP)
        time.sleep(1)
        self.beam_a.process.send_signal(signal.SIGCONT)
        thawed = (now_ns() - self.a.origin)
        time.sleep(0.45)
        self.a.finish()
        late = [e for e in self.a.of("eval_done") if e.fields["started_ns"] >= thawed - 0.02 * SECOND]
        self.assertLessEqual(len(late), 6)
        for event in late[1:]:  # the first was due during the freeze
            self.assertLess((event.fields["started_ns"] - 0.2 * SECOND) % (0.1 * SECOND), 0.05 * SECOND)


class Observers(ProbeTest):
    # A connection that could not be had: what the agent said, or what the handshake failed of.
    def test_connect_failed(self):
        self.pair([{"kind": "connect", "to": "nobody@nowhere", "at": 0.2}, {"kind": "connect", "to": B, "at": 0.4}],
                  cookies=[(B.encode(), b"WRONG")])
        failed = self.a.wait_for("connect_failed", 2)
        self.assertEqual([event.subject for event in failed], ["nobody@nowhere", B])
        self.assertEqual(failed[0].fields["reason"], "no such node: nobody@nowhere")
        self.assertTrue(all(e.fields["elapsed_ns"] > 0 for e in failed))
        log = self.b.wait_for("log")[0]
        self.assertEqual((log.subject, log.fields["level"]), (A, "error"))
        self.assertIn("Invalid challenge reply", log.fields["text"])

    # A silent peer: the reason and the log of OTP, under the peer's name.
    def test_tick_timeout(self):
        self.pair([{"kind": "connect", "to": B, "at": 0.1}],
                  kernel=("net_ticktime 1", "prevent_overlapping_partitions false"))
        self.a.wait_for("node_up")
        time.sleep(0.5)
        self.agent.freeze(A, B)
        downs = self.a.wait_for("node_down") + self.b.wait_for("node_down")
        self.assertIn("net_tick_timeout", self.values(downs, "reason"))
        log = (self.a.of("log") + self.b.of("log"))[0]
        self.assertIn("not responding", log.fields["text"])
        self.assertIn(log.subject, (A, B))

    # A sender that a full connection suspends is told of; what it has missed it sends afterwards.
    def test_busy_dist_port(self):
        self.pair([{"kind": "connect", "to": B, "at": 0.1}, {"kind": "send", "to": B, "at": 0.8, "payload": 16_000_000},
                   {"kind": "send", "to": B, "at": 0.9, "period": 0.05, "until": 1.1}])
        self.a.wait_for("node_up")
        self.agent.freeze(A, B)
        busy = self.a.wait_for("busy_dist_port")[0]
        self.assertEqual(busy.subject, B)
        self.assertGreaterEqual(busy.fields["queued"], 0)
        time.sleep(1)
        self.assertEqual(len(self.a.of("message_sent")), 1)
        self.agent.thaw(A, B)
        self.assertEqual(self.values(self.b.wait_for("message_received", 5), "seq"), [1, 2, 3, 4, 5])

    # A scheduler held up for longer than 20 ms is told of, with how long.
    def test_scheduler_stall(self):
        self.alone([])
        # To collect eight million live elements takes longer, and cannot be interrupted.
        self.beam_a.eval("begin Hoard = lists:seq(1, 8000000), garbage_collect(), length(Hoard) end", timeout=60)
        stalls = self.a.wait_for("scheduler_stall")
        self.assertEqual(stalls[0].subject, A)
        self.assertGreaterEqual(stalls[0].fields["elapsed_ns"], 20_000_000)

    # Warnings and worse are events, at most 2,000 characters each; what is less is not.
    def test_log(self):
        self.alone([])
        self.beam_a.eval('logger:info("quiet"), logger:notice("quiet"), logger:warning("about ~p", [x]), '
                         'logger:error(#{long => lists:duplicate(10000, $x)})')
        logs = self.a.wait_for("log", 2)
        self.assertEqual((logs[0].subject, logs[0].fields), (A, {"level": "warning", "text": "about x"}))
        self.assertEqual(logs[1].fields["level"], "error")
        self.assertLessEqual(len(logs[1].fields["text"]), 2000)

    # Terms are printed as native nodes print them.
    def test_printing(self):
        self.alone([])
        for term, printed in [("{a, 'B c', \"text\", <<\"bin\">>, [1,2|x], 1.5}",
                               "{a,'B c',\"text\",<<\"bin\">>,[1,2|x],1.5}"),
                              ("#{b => [], a => 1}", "#{a => 1,b => []}"), ("net_tick_timeout", "net_tick_timeout")]:
            self.assertEqual(self.beam_a.eval(f"io:format(\"=> ~ts~n\", [distlab_probe_print:term({term})])"), printed)
            self.beam_a.result()
        for term, pattern in [("self()", rf"<{A}\.\d+\.\d+>"), ("[make_ref()]", rf"\[#Ref<{A}(\.\d+){{3}}>\]"),
                              ("hd(erlang:ports())", rf"#Port<{A}\.\d+>"),
                              ("lists:seq(1000, 2000)", r"\[1000,.*\.\.\.")]:
            told = self.beam_a.eval(f"io:format(\"=> ~ts~n\", [distlab_probe_print:term({term})])")
            self.assertRegex(told, f"^{pattern}$")
            self.beam_a.result()


class Unmodified(ProbeTest):
    # The probe serves a node with OTP's own carrier and EPMD alike.
    def test_tcp_distribution(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        epmd = subprocess.Popen(["epmd", "-port", port, "-address", "127.0.0.1"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        self.addCleanup(epmd.wait)
        self.addCleanup(epmd.kill)
        actors, origin = [], now_ns() + SECOND
        names = ["a@127.0.0.1", "b@127.0.0.1"]
        for name in names:
            actor = Actor(self)
            Beam(self, "-start_epmd", "false", "-setcookie", "c", *PROBE, "-name", name,
                 env={"ERL_EPMD_PORT": port, "DISTLAB_PROBE": actor.address})
            actor.hello()
            actors.append(actor)
        actors[1].start(origin=origin)
        actors[0].start([{"kind": "connect", "to": names[1], "at": 0.2}, {"kind": "call", "to": names[1], "at": 0.5},
                         {"kind": "connect", "to": "c@127.0.0.1", "at": 0.5}], origin=origin)
        self.assertEqual(actors[0].wait_for("call_done")[0].fields["result"], "ok")
        up = actors[0].of("node_up")[0]
        self.assertEqual((up.subject, up.fields["direction"]), (names[1], "out"))
        self.assertGreater(up.fields["setup_ns"], 0)
        self.assertEqual(actors[1].wait_for("node_up")[0].fields["direction"], "in")
        self.assertEqual(actors[0].wait_for("connect_failed")[0].subject, "c@127.0.0.1")


if __name__ == "__main__":
    unittest.main()
