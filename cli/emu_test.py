"""The grounds of real hosts as their users meet them: `distlab run --ground emu` and `--ground live`.

Scenarios are short and run side by side, because most of a run is waiting; only what measures time runs alone.

usage: emu_test.py DISTLAB TOP [NAME...]
"""
import collections
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "testing"))
from grounds import Grounds, LATE, main
from ground_scenarios import (LINK_FAULTS, NODE_FAULTS, RELAY, RELAY_FAULTS, RELAY_KILLED, SHAPE_FAULTS, TCP,
                              TUNNEL_HARMS)


class Runs(Grounds):
    # ---- what a run is

    def check_time(self, scenario):
        sim, emu = self.both(scenario)
        self.assertEqual((emu.run["ground"], emu.run["status"]), ("emu", "complete"))
        self.assertLessEqual(emu.run["clock_p50_ns"], emu.run["clock_p99_ns"])
        self.assertLessEqual(emu.run["clock_p99_ns"], emu.run["clock_max_ns"])
        self.assertGreater(emu.run["clock_max_ns"], 0)
        self.assertEqual(emu.run["virtual_s"], sim.run["virtual_s"])
        self.assertEqual(emu.run["trace_hash"], "")
        self.assert_orderly(emu)
        for what in ("message_received", "message_sent", "node_up", "process_started"):
            self.assertEqual(collections.Counter(emu.brief(what, fields=())),
                             collections.Counter(sim.brief(what, fields=())))
        excess = self.excess(sim, emu)
        for _ in range(2):  # a machine that has other things to do for a moment gets another chance
            if excess >= 3:
                excess = self.excess(sim, self.record(scenario, "emu"))
        self.assertLess(excess, 3)

    def excess(self, sim, emu):
        """How many milliseconds calls or messages take longer than in virtual time. The fastest tenth counts: the
        others measure what else the machine has to do."""
        calls = [[event[4]["elapsed_ns"] / 1e6 for event in run.of("call_done")] for run in (sim, emu)]
        messages = [[sim.latencies(pair), emu.latencies(pair)] for pair in ("alice->bob", "bob->alice")]
        for wanted, seen in (calls, *messages):
            self.assertGreaterEqual(min(seen), min(wanted))
        return max(sorted(seen)[len(seen) // 10] - statistics.median(wanted) for wanted, seen in (calls, *messages))

    # Over TCP, latencies are what the links' delays add up to, never less; the ledger works across processes, and
    # how late the network was is in the database.
    def alone_test_tcp(self):
        self.check_time(TCP)

    # The same through a relay.
    def alone_test_relay(self):
        self.check_time(RELAY)

    # A relay run on the kernel's own network, whose links have no delays to speak of.
    def test_live(self):
        for scenario in (TCP, RELAY):
            live = self.record(scenario, "live", "--without-netem")
            self.assertEqual((live.run["ground"], live.run["status"]), ("live", "complete"))
            self.assertIsNone(live.run["clock_p50_ns"])
            self.assertGreater(live.run["wake_p99_ns"], 0)
            self.assert_orderly(live)
            self.assertGreater(len(live.of("message_received")), 35)

    # What the kernel cannot do is named before anything starts, and no run is recorded.
    def test_live_says_what_it_needs(self):
        done = subprocess.run(self.command(TCP, "live"), cwd=self.folder, capture_output=True, text=True, timeout=60)
        if done.returncode == 0:
            self.skipTest("this kernel has netem")
        self.assertEqual(done.returncode, 64)
        self.assertIn("sites.home.uplink.delay: 9ms", done.stderr)
        self.assertIn("sites.office.uplink.delay: 4ms", done.stderr)
        self.assertIn("netem", done.stderr)
        self.assertIn("--without-netem", done.stderr)
        self.assertFalse(os.path.exists(self.path("distlab-results")))

    # ---- faults, against the sim ground

    def check_node_faults(self, ground):
        sim, real = self.both(NODE_FAULTS, ground)
        self.assert_faults(sim, real)
        self.assert_orderly(real)
        lives = ("process_started", "process_killed", "process_frozen", "process_thawed")
        self.assertEqual(sorted(real.brief(*lives)), sorted(sim.brief(*lives)))
        for process in ("alice", "bob", "carol"):
            mine = [[event[0] for event in run.of(*lives) if event[1] == process] for run in (real, sim)]
            self.assert_near(*mine)
        self.assertEqual(sorted(real.brief("node_down")), sorted(sim.brief("node_down")))
        self.assert_near(sorted(event[0] for event in real.of("node_down")),
                         sorted(event[0] for event in sim.of("node_down")), 1.0)
        self.assertEqual(real.brief("ping_done"), sim.brief("ping_done"))

    # Nodes are killed and started again, frozen and thawed, and started late: their peers see the same, with the same
    # reasons, as in virtual time.
    def test_node_faults(self):
        self.check_node_faults("emu")

    def test_node_faults_live(self):
        self.check_node_faults("live")

    def check_relay_faults(self, ground):
        sim, real = self.both(RELAY_FAULTS, ground)
        self.assert_faults(sim, real)
        for kinds in (("process_started", "process_killed"), ("client_started", "client_died"),
                      ("mesh_up", "mesh_down"), ("session_up", "session_down"), ("node_up", "node_down")):
            self.assertEqual(sorted(real.brief(*kinds)), sorted(sim.brief(*kinds)))
        self.assert_near([event[0] for event in real.of("process_killed")], [8.7])
        for run in (sim, real):  # the second one, those without a client, and those to a relay that does not answer
            lost = run.missing("alice->bob")
            self.assertEqual([round(at, 1) for at in lost if at < 3], [1.8])
            self.assertTrue(any(7 < at < 7.5 for at in lost), lost)
        dropped = [{event[4]["reason"] for event in run.of("relay_dropped")} for run in (sim, real)]
        self.assertEqual(dropped[1], dropped[0])
        self.assertIn("wedged", dropped[1])

    # Messages in a tunnel are harmed, a mesh client dies, a relay does not answer, then leaves in good order.
    def test_relay_faults(self):
        self.check_relay_faults("emu")

    def test_relay_faults_live(self):
        self.check_relay_faults("live")

    # A relay is killed without a word and comes back: its clients learn of it by its reset.
    def test_relay_killed(self):
        sim, emu = self.both(RELAY_KILLED)
        self.assert_faults(sim, emu)
        for kinds in (("process_started", "process_killed"), ("mesh_up", "mesh_down"), ("node_down",)):
            self.assertEqual(sorted(emu.brief(*kinds)), sorted(sim.brief(*kinds)))

    # Every harm a message of a tunnel can come to does to it what it does in virtual time.
    def test_tunnel_harms(self):
        sim, emu = self.both(TUNNEL_HARMS)
        self.assert_faults(sim, emu)
        for pair in ("n1->n2", "n3->n4", "n5->n6", "n7->n8", "n9->n10"):
            got = [[(event[4]["seq"]) for event in run.of("message_received") if event[2] == pair]
                   for run in (sim, emu)]
            self.assertEqual(got[1], got[0], pair)
        self.assertEqual(sorted(emu.brief("decrypt_failed")), sorted(sim.brief("decrypt_failed")))

    def check_link_faults(self, ground):
        sim, real = self.both(LINK_FAULTS, ground)
        self.assert_faults(sim, real)
        self.assertEqual(real.of("node_down"), [])
        # TCP repeats what was lost, so that a cut shows as messages that come late.
        late = {pair: [sorted({round((event[0] - event[4]["latency_ns"] / 1e9) // 1.5) for event in
                               run.of("message_received") if event[2] == pair and event[4]["latency_ns"] > 60e6})
                       for run in (sim, real)]
                for pair in ("alice->bob", "bob->alice", "alice->carol")}
        for pair, (wanted, seen) in late.items():
            self.assertEqual(seen, wanted, pair)
        self.assertEqual(late["alice->carol"][1], [1, 2])  # only what happens to alice's own links
        self.assertEqual(late["alice->bob"][1], [1, 2, 3, 4, 5, 6])
        for pair in late:
            self.assertEqual(real.missing(pair), [])

    # Links go down, swallow packets, are cut one way, are held, and sites parted: traffic stalls then, and on the
    # same pairs as in virtual time.
    def test_link_faults(self):
        self.check_link_faults("emu")

    def test_link_faults_live(self):
        self.check_link_faults("live")

    # Delay, rate and loss change while the run goes on, and change back.
    def test_shape_faults(self):
        sim, emu = self.both(SHAPE_FAULTS)
        self.assert_faults(sim, emu)

        def median(run, begin, end):
            return statistics.median(event[4]["elapsed_ns"] / 1e6 for event in run.of("call_done")
                                     if begin <= event[4]["started_ns"] / 1e9 < end)

        for begin, end in ((1, 1.9), (2.1, 2.9), (3.2, 3.9), (4.5, 4.9), (7, 8)):
            wanted, seen = median(sim, begin, end), median(emu, begin, end)
            self.assertGreater(seen, wanted * 0.8)
            self.assertLess(seen, wanted * 1.3 + 30)
        slow = [max(event[4]["elapsed_ns"] / 1e6 for event in run.of("call_done")
                    if 5.9 <= event[4]["started_ns"] / 1e9 < 6.4) for run in (sim, emu)]
        self.assertGreater(min(slow), 200)

    # What is frozen at the end does not hold up the end, and the others say what they have counted.
    def test_frozen_at_the_end(self):
        scenario = RELAY + "faults:\n  - { at: 4500ms, freeze: bob }\n"
        began = time.monotonic()
        emu = self.record(scenario, "emu")
        self.assertLess(time.monotonic() - began, 5 + 6)
        self.assertEqual([event[1] for event in emu.of("tunnel_metrics")], ["alice"])
        self.assert_orderly(emu)

    # ---- verdicts and outputs

    # An expectation that does not hold is 1.
    def test_failed_expectation(self):
        scenario = TCP.replace("never: { node_down", "never: { node_up")
        done = self.run_scenario(scenario, "emu", *LATE, code=1)
        self.assertIn("FAIL", done.stdout)
        self.assertEqual(self.recorded()[-1].run["status"], "complete")

    # A run that was late is unknown, whatever else it says.
    def test_too_late(self):
        for scenario in (TCP, TCP.replace("never: { node_down", "never: { node_up")):
            done = self.run_scenario(scenario, "emu", "--max-lateness", "0.001", code=2)
            self.assertIn("ran late", done.stderr)
            self.assertNotRegex(done.stdout.splitlines()[0], "pass")
            self.assertEqual(self.recorded()[-1].run["status"], "incomplete")
            self.assertIn("ran late", self.recorded()[-1].run["error"])

    # On the kernel's network only the processes can be late.
    def test_too_late_live(self):
        done = self.run_scenario(TCP, "live", "--without-netem", "--max-lateness", "0.001", code=2)
        self.assertIn("processes were woken late", done.stderr)
        self.assertEqual(self.recorded()[-1].run["status"], "incomplete")

    # Table, JSON, JUnit and the report's data say what ran; nothing calls it simulated.
    def test_outputs(self):
        done = self.run_scenario(TCP, "emu", *LATE, "--json", "run.json", "--junit", "run.xml", "--html", "run.html")
        self.assertRegex(done.stdout, r"4\.00 s in real time; late \(p50 / p99 / most\): packets .*, processes .*\n")
        self.assertNotIn("simulated", done.stdout)
        self.assertNotIn("epmd", done.stdout)
        run, = json.loads(pathlib.Path(self.path("run.json")).read_text())["runs"]
        self.assertEqual((run["ground"], run["status"], run["outcome"]), ("emu", "complete", "pass"))
        for late in ("clock_lateness", "wake_lateness"):
            self.assertGreater(run[late]["p99_ns"], 0)
            self.assertLessEqual(run[late]["p99_ns"], run[late]["max_ns"])
        self.assertEqual(run["messages"]["lost"], 0)
        self.assertEqual(run["calls"]["failed"], 0)
        suites = xml.parse(self.path("run.xml")).getroot()
        self.assertEqual((suites.get("failures"), suites.get("errors"), suites.get("tests")), ("0", "0", "3"))
        self.assertIn("emu", [one.get("value") for one in suites.iter("property") if one.get("name") == "ground"])
        page = pathlib.Path(self.path("run.html")).read_text()
        self.assertIn('"ground":"emu"', page.replace('": "', '":"'))

    # Folders on a file system in memory are not hidden by the run's own.
    def test_files_in_memory(self):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            self.record(RELAY, "emu", "--pcap", folder, "--qlog", folder)
            self.assertEqual(len(list(pathlib.Path(folder).glob("*.pcap"))), 3)
            self.assertGreater(len(list(pathlib.Path(folder).glob("*.sqlog"))), 0)

    # Captures and qlog files are whole, as in virtual time.
    def test_captures(self):
        self.record(RELAY, "emu", "--pcap", "pcap", "--qlog", "qlog")
        files = sorted(pathlib.Path(self.path("qlog")).glob("*.sqlog"))
        self.assertEqual({file.name.split("-")[0] for file in files}, {"alice", "bob", "berlin"})
        for file in files:
            records = [json.loads(line) for line in file.read_text().split("\x1e") if line.strip()]
            self.assertGreater(max(record.get("time", 0) for record in records), 1000, file.name)
        sizes = {file.name: file.stat().st_size for file in pathlib.Path(self.path("pcap")).iterdir()}
        self.assertEqual(set(sizes), {"home.example.pcap", "office.example.pcap", "berlin.relay.example.pcap"})
        self.assertGreater(min(sizes.values()), 10_000)


main(Runs)
