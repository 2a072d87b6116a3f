"""The application macula between real nodes: joining, connecting, what goes over a connection, and every way it ends.

The agent is testing/stub_agent.py. usage: carrier_test.py ERL_LIBS
"""
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "testing"))
from beam import Beam
from etf import Atom
from stub_agent import Agent

LIBRARIES = os.path.abspath(sys.argv.pop(1))
# As the guide of the mesh has them.
FLAGS = ["-proto_dist", "macula", "-no_epmd", "-start_epmd", "false", "-setcookie", "MYSECRET"]
A, B = "mynode@myhost", "othernode@otherhost"  # names without dots
JOIN = 'macula:join_mesh(#{relays => [<<"https://relay.example:4433">>], realm => <<"io.macula">>, ' \
       'identity => <<"app-1">>, tls_verify => none})'
SOCKETS = "length([P || P <- erlang:ports(), erlang:port_info(P, name) =:= {name, \"tcp_inet\"}])"


def agent_for(test):
    agent = Agent()
    test.addCleanup(agent.close)
    return agent


class CarrierTest(unittest.TestCase):
    def setUp(self):
        self.agent = agent_for(self)

    def node(self, name, *kernel, agent=True, env=None):
        environment = {"ERL_LIBS": LIBRARIES, **(env or {})}
        if agent:
            environment["DISTLAB_AGENT"] = self.agent.address
        extra = [word for setting in kernel for word in ("-kernel", *setting.split())]
        return Beam(self, *FLAGS, "-kernel", "net_ticktime", "120", *extra, "-name", name, env=environment)

    def joined(self, name, *kernel):
        node = self.node(name, *kernel)
        self.assertEqual(node.eval(JOIN), "ok")
        return node

    def pair(self, *kernel):
        """Two connected nodes; each is sent the nodedown of the other."""
        a, b = self.joined(A, *kernel), self.joined(B, *kernel)
        for node in (a, b):
            self.assertEqual(node.eval("net_kernel:monitor_nodes(true, [nodedown_reason])"), "ok")
        self.assertEqual(a.eval(f"net_adm:ping('{B}')"), "pong")
        for node in (a, b):
            self.assertEqual(node.eval("receive {nodeup, _, _} -> up after 5000 -> none end"), "up")
        return a, b

    @staticmethod
    def await_nodedown(node, milliseconds=8000):
        """The result will be {Microseconds, Reason}."""
        node.start("timer:tc(fun() -> receive {nodedown, _, [{nodedown_reason, R}]} -> R "
                   f"after {milliseconds} -> still_up end end)")

    def no_sockets_left(self, node, at_most=0):
        """Sockets of this node, but the control connection, end soon."""
        deadline = time.monotonic() + 5
        while (left := int(node.eval(SOCKETS))) > at_most and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertLessEqual(left, at_most)


class Joining(CarrierTest):
    # A node without a mesh says so at once; with the flags and words of the guide two nodes connect.
    def test_three_lines_to_join(self):
        a, b = self.node(A), self.node(B)
        took, answer = eval_pair(a.eval(f"timer:tc(net_adm, ping, ['{B}'])"))
        self.assertEqual(answer, "pang")
        self.assertLess(int(took), 500_000)
        self.assertEqual(a.eval("macula_dist_relay:is_relay_mode()"), "false")
        self.assertEqual(a.eval("macula_dist_relay:get_mesh_client()"), "undefined")
        self.assertEqual([a.eval(JOIN), b.eval(JOIN)], ["ok", "ok"])
        self.assertEqual(a.eval(f"net_adm:ping('{B}')"), "pong")
        self.assertEqual(b.eval("nodes()"), f"[{A}]")
        self.assertEqual(a.eval("macula_dist_relay:is_relay_mode()"), "true")
        self.assertEqual(a.eval("is_pid(macula_dist_relay:get_mesh_client())"), "true")
        self.assertEqual(a.eval("macula:status()"), "{ok,#{connected => true,relay => <<\"stub\">>}}")

    # What the agent is told is what was asked for, with the node's name and cookie; what was not, is absent.
    def test_the_request(self):
        self.joined(A)
        request = self.agent.members[A][0]
        self.assertEqual(request, {"version": 1, "node": A.encode(), "cookie": b"MYSECRET", "realm": b"io.macula",
                                   "relays": [b"https://relay.example:4433"], "identity": b"app-1",
                                   "tls_verify": "none"})
        b = self.node(B)
        self.assertEqual(b.eval('macula:join_mesh(#{tls_verify => verify_peer, cacertfile => "/ca.pem"})'), "ok")
        self.assertEqual(self.agent.members[B][0], {"version": 1, "node": B.encode(), "cookie": b"MYSECRET",
                                                    "tls_verify": "peer", "cacertfile": b"/ca.pem"})

    # Options that mean nothing are refused by name, and joining twice is.
    def test_wrong_options(self):
        a = self.node(A)
        for options, error in [
                ("#{relay => [<<\"x\">>]}", "{bad_option,{relay,[<<\"x\">>]}}"),
                ("#{relays => []}", "{bad_option,{relays,[]}}"),
                ("#{relays => [x]}", "{bad_option,{relays,[x]}}"), ("#{realm => <<>>}", "{bad_option,{realm,<<>>}}"),
                ("#{tls_verify => yes}", "{bad_option,{tls_verify,yes}}"), ("[]", "{bad_option,[]}")]:
            self.assertEqual(a.eval(f"macula:join_mesh({options})"), f"{{error,{error}}}")
        self.assertEqual(a.eval("macula:leave()"), "{error,not_joined}")
        self.assertEqual(a.eval(JOIN), "ok")
        self.assertEqual(a.eval(JOIN), "{error,already_joined}")
        alone = Beam(self, env={"ERL_LIBS": LIBRARIES, "DISTLAB_AGENT": self.agent.address})
        self.assertEqual(alone.eval(JOIN), "{error,not_alive}")

    # A refusal comes back in the agent's words, and leaves nothing behind.
    def test_refused(self):
        self.agent.refuse = "realm io.macula is not served here"
        a = self.node(A)
        self.assertEqual(a.eval(JOIN), '{error,{refused,"realm io.macula is not served here"}}')
        self.no_sockets_left(a)
        self.assertEqual(a.eval("macula_dist_relay:is_relay_mode()"), "false")
        self.agent.refuse = None
        self.assertEqual(a.eval(JOIN), "ok")

    # An agent that is not there, or no address, is said to be so at once.
    def test_no_agent(self):
        self.agent.close()
        a = self.node(A)
        self.assertEqual(a.eval(JOIN), f'{{error,{{agent_unreachable,"{self.agent.address}",econnrefused}}}}')
        a.eval('os:putenv("DISTLAB_AGENT", "nonsense")')
        self.assertEqual(a.eval(JOIN), '{error,{agent_not_found,"DISTLAB_AGENT is not HOST:PORT: nonsense"}}')
        a.eval('os:unsetenv("DISTLAB_AGENT")')
        self.assertIn("agent_not_found", a.eval(f'begin os:putenv("DISTLAB_DAEMON", "/nowhere/daemon"), {JOIN} end'))
        self.assertEqual(a.eval("macula:join_mesh(#{})"), "{error,{missing_option,relays}}")

    # leave/0 ends the membership and its connections; the node may join again.
    def test_leave(self):
        a, b = self.pair()
        self.assertEqual(a.eval("macula:leave()"), "ok")
        for node in (a, b):
            self.await_nodedown(node)
            self.assertEqual(eval_pair(node.result())[1], "connection_closed")
        self.no_sockets_left(a)
        self.assertEqual(a.eval(f"net_adm:ping('{B}')"), "pang")
        self.assertEqual(a.eval(JOIN), "ok")
        self.assertEqual(a.eval(f"net_adm:ping('{B}')"), "pong")


class OwnAgent(CarrierTest):
    def setUp(self):
        self.daemon = str(HERE / "testing" / "stub_daemon.py")

    def lonely(self, name, **env):
        return self.node(name, agent=False, env={"DISTLAB_DAEMON": self.daemon, **env})

    def pid_of_daemon(self, node):
        return int(node.eval("hd([Pid || P <- erlang:ports(), {os_pid, Pid} <- [erlang:port_info(P, os_pid)], "
                             "filename:basename(element(2, erlang:port_info(P, name))) =:= \"stub_daemon.py\"])"))

    def assert_ends(self, pid):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    if stat.read().rpartition(")")[2].split()[0] == "Z":
                        return
            except OSError:
                return
            time.sleep(0.02)
        self.fail("the agent's program lives on")

    # Without an agent a node starts one of its own, which ends when the node leaves, and when it is killed.
    def test_started_and_ended(self):
        a = self.lonely(A)
        self.assertEqual(a.eval(JOIN), "ok")
        first = self.pid_of_daemon(a)
        self.assertEqual(a.eval("macula:leave()"), "ok")
        self.assert_ends(first)
        self.assertEqual(a.eval(JOIN), "ok")
        second = self.pid_of_daemon(a)
        a.process.send_signal(signal.SIGKILL)
        self.assert_ends(second)

    # Its death is the end of the membership, and is logged.
    def test_dies(self):
        a = self.lonely(A)
        a.eval(JOIN)
        os.kill(self.pid_of_daemon(a), signal.SIGKILL)
        deadline = time.monotonic() + 5
        while a.eval("macula:status()") != "{error,not_joined}" and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(a.eval("macula:leave()"), "{error,not_joined}")
        a.wait_for_log("macula: lost the agent")

    # A program that cannot start says why; one that is none is named.
    def test_fails(self):
        a = self.lonely(A, STUB_DAEMON="fail")
        self.assertEqual(a.eval(JOIN), f'{{error,{{agent_failed,"{self.daemon}: exit status 3 no certificate"}}}}')
        a.eval('os:putenv("DISTLAB_DAEMON", "/nowhere/at/all")')
        self.assertEqual(a.eval(JOIN), '{error,{agent_not_found,"DISTLAB_DAEMON is not a program: /nowhere/at/all"}}')

    # One that never listens is given up, and ended.
    def test_mute(self):
        a = self.lonely(A, STUB_DAEMON="mute")
        a.start(JOIN)
        time.sleep(1)
        children = subprocess.run(["pgrep", "-f", f"^python3 {self.daemon}"], capture_output=True,
                                  text=True).stdout.split()
        self.assertTrue(children)
        self.assertIn("not listening after", a.result())
        for pid in children:
            self.assert_ends(int(pid))


class Connections(CarrierTest):
    # What OTP offers between nodes works: calls, rpc, erpc, monitors, links, groups, global names.
    def test_everything_works(self):
        a, b = self.pair()
        b.eval("register(server, spawn(fun F() -> receive {'$gen_call', From, stop} -> gen_server:reply(From, ok), "
               "exit(stopped); {'$gen_call', From, Q} -> gen_server:reply(From, {answer, Q}), F() end end))")
        self.assertEqual(a.eval(f"gen_server:call({{server, '{B}'}}, hello)"), "{answer,hello}")
        self.assertEqual(a.eval(f"rpc:call('{B}', erlang, node, [])"), B)
        self.assertEqual(a.eval(f"erpc:call('{B}', erlang, node, [])"), B)
        a.eval(f"M = monitor(process, {{server, '{B}'}})")
        a.eval(f"gen_server:call({{server, '{B}'}}, stop)")
        self.assertEqual(a.eval("receive {'DOWN', M, process, Who, Why} -> {Who, Why} after 5000 -> none end"),
                         f"{{{{server,'{B}'}},stopped}}".replace("'", ""))
        a.eval(f"begin process_flag(trap_exit, true), L = spawn_link('{B}', fun() -> exit(bye) end) end")
        self.assertEqual(a.eval("receive {'EXIT', L, Bye} -> Bye after 5000 -> none end"), "bye")
        for node in (a, b):
            node.eval("pg:start(pg)")
        b.eval("pg:join(workers, self())")
        self.assertEqual(a.eval("(fun F(0) -> none; F(N) -> case pg:get_members(workers) of [] -> "
                                "timer:sleep(10), F(N - 1); [P] -> node(P) end end)(300)"), B)
        self.assertEqual(a.eval("global:sync()"), "ok")
        self.assertEqual(a.eval("global:register_name(leader, self())"), "yes")
        self.assertEqual(b.eval("node(global:whereis_name(leader))"), A)

    # Messages of 16 MB arrive whole, both ways.
    def test_large_messages(self):
        a, b = self.pair()
        for node, peer in ((a, B), (b, A)):
            node.eval("begin Big = binary:copy(<<\"0123456789abcdef\">>, 1024 * 1024), ok end")
            self.assertEqual(node.eval(f"erpc:call('{peer}', erlang, md5, [Big]) =:= erlang:md5(Big)"), "true")
            self.assertEqual(node.eval(f"erpc:call('{peer}', erlang, hd, [[Big]]) =:= Big"), "true")

    # Nodes that dial each other at the same moment end up with one connection, every time.
    def test_simultaneous_connects(self):
        a, b = self.pair()
        down = "receive {nodedown, _, _} -> down after 5000 -> none end"
        for _ in range(20):
            a.eval(f"erlang:disconnect_node('{B}')")
            self.assertEqual([a.eval(down), b.eval(down)], ["down", "down"])
            at = int(a.eval("erlang:system_time(millisecond)")) + 20
            for node, peer in ((a, B), (b, A)):
                node.start(f"begin timer:sleep(max(0, {at} - erlang:system_time(millisecond))), "
                           f"net_adm:ping('{peer}') end")
            self.assertEqual([a.result(), b.result()], ["pong", "pong"])
            self.assertEqual([a.eval("nodes()"), b.eval("nodes()")], [f"[{B}]", f"[{A}]"])
            # What the other attempt left: a second nodeup and nodedown at most.
            drain = "(fun F() -> receive {nodeup, _, _} -> F() after 50 -> ok end end)()"
            self.assertEqual([a.eval(drain), b.eval(drain)], ["ok", "ok"])
        self.assertEqual(len(self.agent.tunnels), 1)

    # Twenty nodes that all ping one node at once are all connected to it.
    def test_many_at_once(self):
        hub = self.joined("hub@hub")
        others = [self.node(f"n{i}@h{i}", "connect_all false") for i in range(8)]
        for node in others:
            node.start(f"begin ok = {JOIN}, net_adm:ping('hub@hub') end")
        self.assertEqual({node.result() for node in others}, {"pong"})
        self.assertEqual(hub.eval("length(nodes())"), "8")

    # A connection on which nothing moves any more is given up after the tick time, by both sides.
    def test_tick_timeout(self):
        a, b = self.pair("net_ticktime 4", "prevent_overlapping_partitions false")
        time.sleep(2)  # idle, so that ticks flow
        self.agent.freeze(A, B)
        for node in (a, b):
            self.await_nodedown(node)
        reasons = []
        for node in (a, b):
            elapsed, reason = eval_pair(node.result())
            self.assertTrue(2_500_000 <= int(elapsed) <= 6_000_000, elapsed)
            reasons.append(reason)
        # Who is second may hear of it from the first.
        self.assertLessEqual(set(reasons), {"net_tick_timeout", "connection_closed"})
        self.assertIn("net_tick_timeout", reasons)
        (a, b)[reasons.index("net_tick_timeout")].wait_for_log("not responding")

    # So is one on which the peer has said nothing since the handshake.
    def test_silent_since_the_handshake(self):
        a, b = self.joined(A, "net_ticktime 4"), self.joined(B, "net_ticktime 4")
        b.eval("net_kernel:monitor_nodes(true, [nodedown_reason])")
        handshake = (2 + 15 + len(A)) + (2 + 21)  # send_name and send_challenge_reply, with their lengths
        self.agent.freeze_when_set_up(A, handshake)
        a.start(f"net_adm:ping('{B}')")
        self.assertEqual(b.eval("receive {nodeup, _, _} -> up after 5000 -> none end"), "up")
        self.await_nodedown(b)
        elapsed, reason = eval_pair(b.result())
        self.assertEqual(reason, "net_tick_timeout")
        self.assertTrue(2_500_000 <= int(elapsed) <= 6_000_000, elapsed)
        self.assertEqual(a.result(), "pang")

    # Ticks keep an idle connection up.
    def test_idle(self):
        a, b = self.pair("net_ticktime 1")
        time.sleep(4)
        self.assertEqual([a.eval("nodes()"), b.eval("nodes()")], [f"[{B}]", f"[{A}]"])

    # A node nobody knows: pang at once, in whatever way it is reached, and nothing is left.
    def test_unknown_node(self):
        a = self.joined(A)
        took, answer = eval_pair(a.eval("timer:tc(net_adm, ping, ['nobody@nowhere'])"))
        self.assertEqual(answer, "pang")
        self.assertLess(int(took), 500_000)
        self.assertEqual(a.eval("rpc:call('nobody@nowhere', erlang, node, [])"), "{badrpc,nodedown}")
        self.assertEqual(a.eval("net_adm:ping('nonsense')"), "pang")
        self.no_sockets_left(a, at_most=1)

    # An agent that never answers a dial costs net_setuptime, during which net_kernel serves others.
    def test_dial_without_answer(self):
        a, b = self.pair("net_setuptime 2")
        self.agent.silent = {"dial"}
        a.eval(f"Waiting = spawn(fun() -> receive go -> ok end, Answer = timer:tc(net_adm, ping, ['slow@slow']), "
               "receive {ask, From} -> From ! Answer end end)")
        a.eval("Waiting ! go")
        time.sleep(0.2)
        took, answer = eval_pair(a.eval(f"timer:tc(fun() -> net_kernel:get_net_ticktime(), net_adm:ping('{B}') end)"))
        self.assertEqual(answer, "pong")
        self.assertLess(int(took), 200_000)
        took, answer = eval_pair(a.eval("begin Waiting ! {ask, self()}, receive {T, An} -> {T, An} end end"))
        self.assertEqual(answer, "pang")
        self.assertTrue(1_900_000 < int(took) < 3_000_000, took)
        self.no_sockets_left(a, at_most=2)

    # When the agent dies, both nodes know within a moment, nothing is left, and a new agent can be joined.
    def test_agent_killed(self):
        a, b = self.pair()
        for node in (a, b):
            self.await_nodedown(node)
        time.sleep(0.1)
        self.agent.close()
        for node in (a, b):
            elapsed, reason = eval_pair(node.result())
            self.assertEqual(reason, "connection_closed")
            self.assertLess(int(elapsed), 1_500_000)
            self.no_sockets_left(node)
            self.assertEqual(node.eval("macula_dist_relay:get_tunnel_metrics()"), "[]")
            self.assertEqual(node.eval("macula_dist_relay:is_relay_mode()"), "false")
            node.wait_for_log("macula: lost the agent")
        self.assertEqual(a.eval(f"net_adm:ping('{B}')"), "pang")
        self.agent = agent_for(self)
        for node in (a, b):
            node.eval(f'os:putenv("DISTLAB_AGENT", "{self.agent.address}")')
            self.assertEqual(node.eval(JOIN), "ok")
        self.assertEqual(a.eval(f"net_adm:ping('{B}')"), "pong")

    # The dial carries the cookie that is set for that peer; with the wrong one there is no connection.
    def test_cookies(self):
        a, b = self.joined(A), self.joined(B)
        a.eval(f"erlang:set_cookie('{B}', 'OTHER')")
        self.assertEqual(a.eval(f"net_adm:ping('{B}')"), "pang")
        self.assertEqual(self.agent.dialled[-1], (B, b"OTHER"))
        b.wait_for_log("Invalid challenge reply")
        b.eval(f"erlang:set_cookie('{A}', 'OTHER')")
        self.assertEqual(a.eval(f"net_adm:ping('{B}')"), "pong")
        self.no_sockets_left(a, at_most=2)

    # The agent hears of a new cookie of the node's own, once.
    def test_new_cookie(self):
        a = self.joined(A)
        a.eval("erlang:set_cookie('LATER')")
        a.eval("timer:sleep(3500)")
        self.assertEqual(self.agent.cookies, [(A, b"LATER")])

    # What is no message of the protocol, and tunnels that are none, change nothing.
    def test_nonsense_from_the_agent(self):
        a, b = self.pair()
        for term in [(Atom("no_such_word"), 1), [], 7, (Atom("incoming"), b"x"), (Atom("incoming"), 10**30),
                     (Atom("metrics"), 99, []), (Atom("metrics"), 1, 2), (Atom("status"), 1, {})]:
            self.agent.tell(A, term)
        for _ in range(100):
            self.agent.tell(A, (Atom("incoming"), 12345))
        self.no_sockets_left(a, at_most=2)
        self.assertEqual(a.eval("macula_dist_relay:get_tunnel_metrics() =/= []"), "true")
        self.assertEqual(a.eval("nodes()"), f"[{B}]")
        a.wait_for_log("no message of the protocol")

    # Options of a live connection can be asked for and set, but not those it rests on.
    def test_socket_options(self):
        a, _ = self.pair()
        self.assertEqual(a.eval(f"net_kernel:setopts('{B}', [{{priority, 3}}])"), "ok")
        self.assertEqual(a.eval(f"net_kernel:getopts('{B}', [priority, packet])"), "{ok,[{priority,3},{packet,4}]}")
        self.assertEqual(a.eval(f"net_kernel:setopts('{B}', [{{packet, 2}}])"), "{error,{badopts,[{packet,2}]}}")
        self.assertEqual(a.eval(f"element(2, net_kernel:node_info('{B}', state))"), "up")
        self.assertEqual(a.eval(f"element(4, element(2, net_kernel:node_info('{B}', address)))"), "macula")


class Questions(CarrierTest):
    # Counters of tunnels as the guide shows them, also when they come in parts.
    def test_metrics(self):
        a, b = self.pair()
        c = self.joined("third@thirdhost")
        self.assertEqual(c.eval(f"net_adm:ping('{A}')"), "pong")
        a.eval(f"erpc:call('{B}', erlang, length, [lists:duplicate(100000, x)])")
        self.agent.split_metrics = True
        ours = a.eval(f"[M || {{_, #{{peer := <<\"{B}\">>}} = M}} <- macula_dist_relay:get_tunnel_metrics()]")
        self.assertRegex(ours, r"^\[#\{bytes_in => \d+,bytes_out => \d{5,},direction => <<\"out\">>,msgs_in => \d+,"
                               r"msgs_out => \d+,peer => <<\"othernode@otherhost\">>,state => <<\"running\">>\}\]$")
        self.assertEqual(a.eval("length(macula_dist_relay:get_tunnel_metrics())"), "2")
        a.eval("[{Id, _} | _] = macula_dist_relay:get_tunnel_metrics()")
        self.assertEqual(a.eval("is_map(macula_dist_relay:get_tunnel_metrics(Id))"), "true")
        self.assertEqual(a.eval("macula_dist_relay:get_tunnel_metrics(<<\"none\">>)"), "undefined")
        self.assertIn("direction => <<\"in\">>", b.eval("macula_dist_relay:get_tunnel_metrics()"))

    # A question the agent does not answer ends, while others are answered.
    def test_no_answer(self):
        a, _ = self.pair()
        self.agent.silent = {"metrics"}
        a.eval("Asker = self()")
        a.eval("spawn(fun() -> Asker ! {metrics, timer:tc(macula_dist_relay, get_tunnel_metrics, [])} end)")
        self.assertIn("connected", a.eval("macula:status()"))
        took, answer = eval_pair(a.eval("receive {metrics, Late} -> Late end"))
        self.assertEqual(answer, "[]")
        self.assertTrue(4_500_000 < int(took) < 7_000_000, took)

    # Node names: a port before the @ is one, every other name has the default port; no dots are needed.
    def test_names(self):
        a = self.node(A)
        for name, expected in [("'4433@192.168.1.100'", '{4433,"192.168.1.100"}'), ('"7000@host"', '{7000,"host"}'),
                               ("'test@nanode1.example.com'", '{4433,"nanode1.example.com"}'), ("'0@h'", '{4433,"h"}'),
                               ("'65536@h'", '{4433,"h"}'), ("'12x@h'", '{4433,"h"}'), ("nohost", "false"),
                               ("'a@'", "false"), ("'@h'", "false"), ("'a@b@c'", "false"), ('""', "false")]:
            self.assertEqual(a.eval(f"macula_dist:splitname({name})"), expected, name)
            self.assertEqual(a.eval(f"macula_dist:names({name})"), expected, name)
            usable = "false" if expected == "false" else "true"
            self.assertEqual(a.eval(f"macula_dist:is_node_name({name})"), usable)
            if not name.startswith('"'):
                self.assertEqual(a.eval(f"macula_dist:select({name})"), usable)
        with_port = Beam(self, *FLAGS, "-name", B, "-macula_dist_port", "9000", env={"ERL_LIBS": LIBRARIES})
        self.assertEqual(with_port.eval("macula_dist:splitname('x@y')"), '{9000,"y"}')

    # What else the carrier answers.
    def test_carrier_interface(self):
        a = self.node(A)
        self.assertEqual(a.eval("element(4, macula_dist:address())"), "macula")
        self.assertEqual(a.eval("macula_dist:childspecs()"), "[]")
        self.assertRegex(a.eval("macula_dist:listen(mynode)"),
                         r"^\{ok,\{macula,\{net_address,undefined,.*,macula,inet\},\d+\}\}$")
        self.assertEqual(a.eval("macula_dist:close(macula)"), "ok")

    # The application files list the modules there are.
    def test_application_files(self):
        a = self.node(A)
        for name in ("macula", "distlab_probe"):
            a.eval(f"application:load({name})")
            modules = sorted(path.stem for path in pathlib.Path(LIBRARIES, name, "ebin").glob("*.beam"))
            self.assertEqual(a.eval(f"element(2, application:get_key({name}, modules))"), f"[{','.join(modules)}]")
        self.assertEqual(a.eval("application:get_key(macula, vsn)"), '{ok,"3.13.0"}')

    # connect/3 gives a channel to the peer, which answers the handshake there; anybody may be the registered client.
    def test_relay_interface(self):
        a, b = self.joined(A), self.joined(B)
        a.eval("{ok, Port, Port} = macula_dist_relay:connect(\"othernode\", \"otherhost\", 4433)")
        name = "third@thirdhost"
        a.eval(f"gen_tcp:send(Port, <<\"N\", 16#1070f94:64, 77:32, {len(name)}:16, \"{name}\">>)")
        self.assertEqual(a.eval("gen_tcp:recv(Port, 0, 5000)"), '{ok,"sok"}')
        self.assertEqual(a.eval("macula_dist_relay:connect(\"nobody@nowhere\", \"\", 0)"),
                         '{error,{refused,"no such node: nobody@nowhere"}}')
        self.assertEqual(a.eval("macula_dist_relay:connect(\"nobody\", \"\", 0)"), '{error,{bad_node_name,"nobody@"}}')
        self.assertEqual(a.eval("macula_dist_relay:register_mesh_client(self())"), "ok")
        self.assertEqual(a.eval("macula_dist_relay:get_mesh_client() =:= self()"), "true")

    # The application may be loaded late, and the distribution be started by net_kernel:start/2.
    def test_started_late(self):
        late = Beam(self, "-proto_dist", "macula", "-no_epmd", "-start_epmd", "false", "-setcookie", "MYSECRET",
                    env={"DISTLAB_AGENT": self.agent.address})
        late.eval(f'code:add_patha("{LIBRARIES}/macula/ebin")')
        self.assertRegex(late.eval(f"net_kernel:start('{A}', #{{name_domain => longnames}})"), r"^\{ok,<")
        self.assertEqual(late.eval(JOIN), "ok")
        b = self.joined(B)
        self.assertEqual(b.eval(f"net_adm:ping('{A}')"), "pong")
        late.eval("net_kernel:stop()")
        self.assertRegex(late.eval(f"net_kernel:start('{A}', #{{name_domain => longnames}})"), r"^\{ok,<")
        # The first may still go to the node that has stopped.
        self.assertIn("pong", [b.eval(f"net_adm:ping('{A}')") for _ in range(2)])


def eval_pair(text):
    """"{X,Y}" as two texts."""
    first, _, second = text.strip("{}").partition(",")
    return first, second


if __name__ == "__main__":
    unittest.main()
