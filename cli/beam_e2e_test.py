"""Real Erlang nodes in the place of ours, as their users meet them: `distlab run --nodes beam | macula`, mixed
clusters, `distlab erl`.

usage: beam_e2e_test.py DISTLAB TOP [NAME...]
"""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "testing"))
from grounds import Grounds, PROGRAM, main
from ground_scenarios import RELAY, TCP

FAULTS = """
name: beam-faults
duration: 22s
sites: { here: { uplink: { delay: 5ms } }, hub: {} }
relays: { berlin: { site: hub } }
node_defaults: { site: here, carrier: relay, relays: [berlin], net_ticktime: 4s, implementation: beam }
nodes:
  alice: { name: alice@a.example }
  bob:   { name: bob@b.example }
  carol: { name: carol@c.example, implementation: native }
workload:
  - { at: 2s, connect: [alice, bob, carol] }
  - { at: 3s, monitor: alice -> bob }
  - { at: 3s, monitor: carol -> bob }
  - { at: 3s, eval: alice, code: "{1 + 1, node()}." }
  - { at: 3s, eval: bob, code: "error(oops)." }
  - { at: 14s, connect: alice -> bob }
faults:
  - { id: stop, at: 5s, freeze: bob, for: 7s }
  - { id: death, at: 16s, kill: bob }
  - { id: again, at: 18s, start: bob }
"""
MIXED = """
name: mixed-tcp
duration: 6s
sites: { here: {} }
node_defaults: { site: here, carrier: tcp }
nodes:
  alice: { name: alice@a.example }
  bob:   { name: bob@b.example, implementation: beam }
workload:
  - { at: 1s, connect: bob -> alice }
  - { at: 2s, pg_join: [alice, bob], group: g }
  - { from: 2s, to: 4s, call: [alice, bob], rate: 5/s }
  - { from: 2s, to: 4s, rpc: [alice, bob], rate: 5/s }
  - { from: 2s, to: 4s, erpc: [alice, bob], rate: 5/s }
  - { from: 2s, to: 4s, send: [alice, bob], rate: 5/s }
  - { at: 2s, spawn: [alice, bob] }
  - { at: 3s, bulk: alice <-> bob, size: 16MiB }
  - { at: 4s, global_register: bob, name: x }
  - { at: 4500ms, global_sync: [alice, bob] }
expect:
  - calls: { ok: "100%" }
  - lost_messages: { equals: 0 }
  - event: { kind: bulk_done, fields: { result: ok }, count: 2 }
  - event: { kind: global_changed, fields: { action: synced }, count: 2 }
"""


class Beams(Grounds):
    # The same expectations hold whoever plays the nodes, over TCP and both ways over a relay, and the same is recorded:
    # as many messages sent, received, calls answered.
    def check_like_native(self, scenario, nodes):
        native = self.record(scenario, "emu")
        beam = self.record(scenario, "emu", "--nodes", nodes)
        for run in (native, beam):
            self.assertEqual(run.run["status"], "complete")
            self.assertEqual({result for *_, result in run.brief("call_done")}, {"ok"})
        for kind in ("message_sent", "message_received", "call_done", "ping_done"):
            self.assertAlmostEqual(len(beam.of(kind)), len(native.of(kind)), delta=1)
        self.assertEqual(sorted(beam.brief("node_up", fields=("direction",))),
                         sorted(native.brief("node_up", fields=("direction",))))
        up = {run.run["id"]: [values["setup_ns"] / 1e6 for *_, values in run.of("node_up")] for run in (native, beam)}
        self.assertLess(max(up[beam.run["id"]]), 3 * max(up[native.run["id"]]) + 20)
        self.assertIn(("alice", "alice", "log"), beam.brief("log", fields=()))  # it says which OTP it is

    def test_unmodified_over_tcp(self):
        self.check_like_native(TCP, "beam")

    def test_unmodified_over_a_relay(self):
        self.check_like_native(RELAY, "beam")

    def test_macula_over_a_relay(self):
        self.check_like_native(RELAY, "macula")

    # A native node and a BEAM are each other's peers in all that nodes do.
    def test_mixed(self):
        run = self.record(MIXED, "emu")
        self.assertEqual(run.run["status"], "complete")
        self.assertEqual({values["members"] for *_, values in run.of("group_changed")} & {2}, {2})

    # Faults reach the BEAM as they reach a native node: frozen (its agent with it), killed, started again. The others
    # see it with OTP's reasons, and monitors say noconnection.
    def test_faults(self):
        run = self.record(FAULTS, "emu")
        down = run.brief("node_down")
        self.assertIn(("alice", "bob", "node_down", "net_tick_timeout"), down)
        self.assertIn(("carol", "bob", "node_down", "net_tick_timeout"), down)
        times = [at for at, host, peer, *_ in run.of("node_down") if host != "bob" and peer == "bob" and at < 12]
        self.assertEqual(len(times), 2)
        for at in times:
            self.assertTrue(5 + 3 - 0.2 < at < 5 + 5 + 0.5, times)
        self.assertEqual({(host, values["reason"]) for _, host, _, _, values in run.of("monitor_down")},
                         {("alice", "noconnection"), ("carol", "noconnection")})
        ups = [at for at, host, peer, *_ in run.of("node_up") if (host, peer) == ("alice", "bob")]
        self.assertTrue(any(14 < at < 16 for at in ups), f"bob, thawed, is reached again at 14 s: {ups}")
        self.assertEqual(sorted(host for _, host, *_, values in run.of("log") if values["text"].startswith("OTP ")),
                         ["alice", "bob", "bob"])
        evals = {host: (values["result"], values["value"]) for _, host, _, _, values in run.of("eval_done")}
        self.assertEqual(evals["alice"], ("ok", "{2,'alice@a.example'}"))
        self.assertEqual(evals["bob"][0], "error")
        self.assertIn("oops", evals["bob"][1])

    # In virtual time there is no BEAM, and it is said what to do instead; where there is no erl, which package.
    def test_says_what_is_missing(self):
        done = self.run_scenario(RELAY, "sim", "--nodes", "beam", code=64)
        self.assertIn("--ground emu", done.stderr)
        empty = self.path("empty")
        os.mkdir(empty)
        for tool in ("ip", "tc", "nft", "sh", "env"):
            for folder in ("/usr/sbin", "/sbin", "/usr/bin", "/bin"):
                if os.path.exists(f"{folder}/{tool}") and not os.path.exists(f"{empty}/{tool}"):
                    os.symlink(f"{folder}/{tool}", f"{empty}/{tool}")
        done = self.run_scenario(RELAY, "emu", "--nodes", "beam", code=70, prefix=("env", f"PATH={empty}"))
        self.assertIn("erlang-base", done.stderr)

    # kill -9 of distlab leaves no BEAM behind.
    def test_leaves_no_beam(self):
        mark = f"left-{os.getpid()}"  # on the command line of erl
        scenario = RELAY.replace("carrier: relay,", f"carrier: relay, cookie: {mark},")
        scenario = scenario.replace("duration: 5s", "duration: 60s")
        run = self.start(scenario, "emu", "--nodes", "beam")
        self.wait_for_beams(mark, 1)
        os.kill(run.pid, signal.SIGKILL)
        run.communicate()
        self.wait_for_beams(mark, 0)

    def wait_for_beams(self, mark, wanted):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if min(1, self.beams(mark)) == wanted:
                return
            time.sleep(0.1)
        self.fail(f"{self.beams(mark)} BEAMs of {mark}")

    def beams(self, mark):
        count = 0
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
            except OSError:
                continue
            count += b"beam" in words[0] and mark.encode() in words
        return count

    # The documents' three lines: two Erlang shells and a relay, by hand. The agents end with their BEAMs.
    def test_erl_by_hand(self):
        environment = {**os.environ, "XDG_RUNTIME_DIR": self.folder, "HOME": self.folder}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        relay = subprocess.Popen([PROGRAM, "relay", "--self-signed", "--listen", f"127.0.0.1:{port}"], env=environment,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(relay.wait)
        self.addCleanup(relay.terminate)
        join = f'ok = macula:join_mesh(#{{relays => [<<"https://127.0.0.1:{port}">>], realm => <<"io.example">>}})'

        def erl(name, code):
            return subprocess.Popen([PROGRAM, "erl", "-noshell", "-name", name, "-setcookie", "MYSECRET", "-eval",
                                     f"{join}, {code}, halt()."],
                                    env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        first = erl("mynode@myhost", 'receive after 50000 -> ok end')
        self.addCleanup(first.kill)
        ping = 'P = fun P(0) -> pang; P(N) -> case net_adm:ping(mynode@myhost) of pong -> pong; _ -> ' \
               'timer:sleep(200), P(N - 1) end end'
        second = erl("other@place", f'{ping}, io:format("~p ~p ~p~n", [P(50), rpc:call(mynode@myhost, erlang, node, []),'
                                    ' macula_dist_relay:is_relay_mode()])')
        said, _ = second.communicate(timeout=60)
        self.assertEqual(said.strip().splitlines()[-1], "pong mynode@myhost true", said)
        first.kill()
        first.wait()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.agents(port):
            time.sleep(0.1)
        self.assertEqual(self.agents(port), 0)

    def agents(self, port):
        """Daemons of this test: those that have a connection to its relay know its address in their environment."""
        count = 0
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            try:
                words = (path.parent / "cmdline").read_bytes().split(b"\0")
                mine = self.folder.encode() in path.read_bytes()
            except OSError:
                continue
            count += mine and b"--stdio" in words
        return count


if __name__ == "__main__":
    main(Beams)
