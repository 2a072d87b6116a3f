"""The program as its users meet it: exit codes, messages, files, interruption, captures.

usage: e2e_test.py DISTLAB TOP
"""
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "testing"))
from leftovers import assert_nobody_left

PROGRAM, TOP = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
QUICKSTART = str(TOP / "scenarios" / "quickstart.yaml")
RELAY_RESTART = str(TOP / "scenarios" / "relay-restart.yaml")
# Two nodes that exchange small messages over TCP.
PLAIN = """
name: plain
duration: 20s
sites: { home: { uplink: { delay: 9ms } }, office: {} }
nodes:
  alice: { site: home,   name: alice@home.example }
  bob:   { site: office, name: bob@office.example }
workload:
  - { at: 1s, connect: alice -> bob }
  - { from: 2s, call: alice -> bob, rate: 10/s, payload: 256B }
"""
MESH = str(TOP / "scenarios" / "bench" / "mesh-100-tcp.yaml")


class EndToEnd(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="distlab-e2e-")
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, content):
        mode = "wb" if isinstance(content, bytes) else "w"
        with open(self.path(name), mode) as file:
            file.write(content)
        return self.path(name)

    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], cwd=self.folder.name, capture_output=True, text=True, timeout=500)

    def statuses(self):
        with sqlite3.connect(self.path("distlab-results/distlab.db")) as db:
            return [row[0] for row in db.execute("SELECT status FROM runs ORDER BY id")]

    def refused(self, *arguments):
        """The one line a mistake earns, with exit code 64."""
        done = self.run_program(*arguments)
        self.assertEqual(done.returncode, 64, done.stderr)
        lines = [line for line in done.stderr.splitlines() if line]
        self.assertTrue(lines and len(lines) <= 21, done.stderr)
        self.assertNotIn("terminate called", done.stderr)
        return lines[0]

    # The first command of the README: it passes, and names a report and a database that exist.
    def test_quickstart(self):
        done = self.run_program("run", QUICKSTART)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        named = dict(line.split(None, 1) for line in done.stdout.splitlines()[-2:])
        self.assertTrue(os.path.exists(self.path(named["report:"])))
        self.assertTrue(os.path.exists(self.path(named["database:"])))
        self.assertEqual(self.statuses(), ["complete"])

    # JSON alone on standard output, JUnit that parses, and the same trace hash for the same seed.
    def test_machine_readable(self):
        hashes = []
        for seed in ("7", "7", "8"):
            done = self.run_program("run", QUICKSTART, "--json", "-", "--junit", "j.xml", "--seed", seed)
            hashes.append(json.loads(done.stdout)["runs"][0]["trace_hash"])
        self.assertEqual(hashes[0], hashes[1])
        self.assertNotEqual(hashes[0], hashes[2])
        self.assertGreater(len(list(xml.parse(self.path("j.xml")).iter("testcase"))), 3)

    # A failed expectation is 1; a determinism check that passes is 0.
    def test_exit_codes(self):
        self.assertEqual(self.run_program("run", QUICKSTART, "--set", "nodes.alice.cookie=other").returncode, 1)
        self.assertEqual(self.run_program("run", QUICKSTART, "--check-determinism").returncode, 0)
        for command in ([], ["run"], ["compare"], ["check"], ["report"], ["bench"]):
            self.assertEqual(self.run_program(*command, "--help").returncode, 0)

    # Every shipped scenario holds with five seeds; those of many runs or nodes with two.
    def test_shipped_scenarios_hold(self):
        files = sorted((TOP / "scenarios").glob("*.yaml"))
        large = [file for file in files if file.stem in ("many-tunnels", "reconnect-window")]
        self.assertEqual(len(large), 2)
        for some, repeat in ([file for file in files if file not in large], "5"), (large, "2"):
            done = self.run_program("run", *map(str, some), "--repeat", repeat)
            self.assertEqual(done.returncode, 0, done.stdout[-3000:])

    # Twenty runs of a relay's restart, each in a process of its own, give one trace: whatever is random
    # in TLS shows nowhere.
    def test_quic_is_deterministic(self):
        hashes = set()
        for _ in range(20):
            done = self.run_program("run", RELAY_RESTART, "-q", "--json", "-")
            hashes.add(tuple(sorted(run["trace_hash"] for run in json.loads(done.stdout)["runs"])))
        self.assertEqual(len(hashes), 1)
        self.assertEqual(len(next(iter(hashes))), 2)

    # `relay` and `agent` are another program's, which takes all its arguments and gives the exit code.
    def test_daemons(self):
        for command in ("relay", "agent"):
            self.assertIn("Examples", self.run_program(command, "--help").stdout)
        shown = self.run_program("relay", "--self-signed", "--set", "limits.calls=7", "--print-config")
        self.assertEqual(shown.returncode, 0)
        self.assertIn("calls: 7", shown.stdout)
        self.assertIn("did you mean", self.refused("relay", "--self-signed", "--set", "limit=7"))

    # Whatever is wrong with a file is said in a line, and nothing crashes.
    def test_bad_scenarios(self):
        text = pathlib.Path(QUICKSTART).read_text()
        bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))
        self.write("b.yaml", "include: a.yaml\n")
        cases = {
            "": "empty",
            "a" * 10_000_000: "4 MiB",
            bomb: "more than",
            text.replace("net_ticktime", "net_tick_time"): "unknown key 'net_tick_time'; did you mean 'net_ticktime'?",
            text.replace("duration: 2m", "duration: -5s"): "must not be negative",
            text.replace("alice -> bob", "alice -> bib"): "unknown node 'bib'; did you mean 'bob'?",
            text.replace("duration: 2m", "duration: [1]"): "duration",
            "include: b.yaml\n": "circle",
        }
        for content, expected in cases.items():
            self.assertIn(expected, self.refused("run", self.write("a.yaml", content)))
        self.assertIn("UTF-8", self.refused("run", self.write("a.yaml", bytes(range(128, 256)))))
        self.refused("run", self.path("none.yaml"))
        self.refused("run", self.folder.name)
        self.assertIn("did you mean", self.refused("run", QUICKSTART, "--set", "nodes.alice.net_tick=1s"))

    # A database that cannot be used is refused, and left as it is.
    def test_bad_databases(self):
        text = self.write("text.db", "hello")
        self.refused("run", QUICKSTART, "--db", text)
        self.assertEqual(pathlib.Path(text).read_text(), "hello")
        self.refused("run", QUICKSTART, "--db", text + "/below.db")
        self.refused("report", "--db", self.path("none.db"))

    # What shall be written where nothing can be is refused before the work is done.
    def test_bad_outputs(self):
        text = self.write("text", "hello")
        for option in ("--html", "--json", "--junit"):
            self.assertIn("text/x: cannot write: Not a directory", self.refused("run", QUICKSTART, option, text + "/x"))
        self.assertIn("Is a directory", self.refused("compare", "1", "2", "--markdown", self.folder.name))
        self.assertIn("Is a directory", self.refused("bench", QUICKSTART, "--json", self.folder.name))
        self.assertFalse(pathlib.Path(self.path("distlab-results")).exists())

    # A full disk fails the run; what was there before stays readable, and the program goes on after.
    def test_full_disk(self):
        self.assertEqual(self.run_program("run", QUICKSTART, "-q").returncode, 0)
        full = subprocess.run(["bash", "-c", f'ulimit -f 200; "{PROGRAM}" run "{QUICKSTART}" -q --repeat 40'],
                              cwd=self.folder.name, capture_output=True, text=True, timeout=120)
        self.assertEqual(full.returncode, 64, full.stderr)
        self.assertEqual(self.statuses()[0], "complete")
        self.assertEqual(self.run_program("run", QUICKSTART, "-q").returncode, 0)

    def start_long_run(self):
        process = subprocess.Popen([PROGRAM, "run", MESH], cwd=self.folder.name, start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if os.path.exists(self.path("distlab-results/distlab.db")) and "running" in self.statuses():
                return process
            time.sleep(0.05)
        self.fail("the run did not start")

    # Ctrl-C ends a run with 130 and keeps what it had, marked incomplete.
    def test_interrupt(self):
        self.assertEqual(self.run_program("run", QUICKSTART, "-q").returncode, 0)
        process = self.start_long_run()
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertIn("interrupted", said)
        self.assertEqual(self.statuses(), ["complete", "incomplete"])

    # kill -9 loses no earlier run and leaves no child; the next run works.
    def test_kill(self):
        self.assertEqual(self.run_program("run", QUICKSTART, "-q").returncode, 0)
        process = self.start_long_run()
        process.kill()
        process.communicate(timeout=60)
        assert_nobody_left(self, process.pid)
        self.assertIn("incomplete", self.run_program("report").stdout)
        self.assertEqual(self.run_program("run", QUICKSTART, "-q").returncode, 0)
        self.assertEqual(self.statuses(), ["complete", "incomplete", "complete"])

    # tshark's own dissectors find EPMD and the distribution handshake in a capture, nothing
    # malformed, and right checksums.
    def test_capture(self):
        tshark = self.captured(self.write("plain.yaml", PLAIN), "home.example")
        self.assertIn("EPMD_PORT2_REQ bob", tshark("epmd"))
        handshake = tshark("erldp")
        for message in ("SEND_NAME alice@home.example", "SEND_CHALLENGE_REPLY", "REG_SEND"):
            self.assertIn(message, handshake)
        self.assertEqual(tshark("_ws.malformed"), "")
        self.assertEqual(tshark("tcp.checksum.status == 0"), "")

    # And QUIC: the client's Initial, whose keys are public, names the relay and the protocol.
    def test_capture_of_quic(self):
        tshark = self.captured(QUICKSTART, "home.example", "-d", "udp.port==4433,quic")
        self.assertIn("Initial", tshark('tls.handshake.extensions_server_name == "berlin.relay.example"'))
        self.assertIn("Initial", tshark('tls.handshake.extensions_alpn_str == "macula"'))
        self.assertIn("Protected Payload", tshark("quic"))
        self.assertEqual(tshark("_ws.malformed"), "")
        self.assertEqual(tshark("udp.checksum.status == 0"), "")

    # qlog, on request: JSON text sequences of both sides of each connection.
    def test_qlog(self):
        self.assertEqual(self.run_program("run", QUICKSTART, "-q", "--qlog", "qlog").returncode, 0)
        files = sorted(pathlib.Path(self.path("qlog")).glob("*.sqlog"))
        self.assertEqual({file.name.split("-")[0] for file in files}, {"alice", "bob", "berlin"})
        records = [json.loads(line) for line in files[0].read_text().split("\x1e") if line.strip()]
        self.assertIn("qlog_version", records[0])
        self.assertIn("transport:packet_sent", {record.get("name") for record in records[1:]})

    def captured(self, scenario, machine, *more):
        """Runs the scenario; what tshark shows of a machine's capture through a filter."""
        self.assertEqual(self.run_program("run", scenario, "-q", "--pcap", "pcap").returncode, 0)

        def tshark(display_filter):
            command = ["tshark", "-r", f"pcap/{machine}.pcap", "-o", "tcp.check_checksum:TRUE", "-o",
                       "udp.check_checksum:TRUE", *more, "-Y", display_filter]
            return subprocess.run(command, cwd=self.folder.name, capture_output=True, text=True, timeout=120).stdout

        return tshark


unittest.main(argv=sys.argv[:1])
