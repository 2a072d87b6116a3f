"""distlab compare as its users meet it: arms that agree, disagree, are too few; recorded runs; interruption.

usage: compare_test.py DISTLAB TOP [TEST...]
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

PROGRAM, TOP = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
# A link falls silent; who hears nothing notices by its ticks. {latency} is that of the path, both ways together 2 of it.
SILENCE = """
name: silence
duration: 9s
sites: {{ home: {{ uplink: {{ delay: {latency} }} }}, office: {{}} }}
node_defaults: {{ net_ticktime: 1s, start: 0s..250ms }}
nodes:
  alice: {{ site: home,   name: alice@home.example }}
  bob:   {{ site: office, name: bob@office.example }}
workload:
  - {{ at: 1s, connect: alice -> bob }}
  - {{ from: 2s, call: alice -> bob, rate: 10/s, payload: 256B }}
  - {{ from: 2s, send: alice -> bob, rate: 5/s }}
faults:
  - {{ at: 5s..6s, black_hole: home }}
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="distlab-compare-")
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def scenario(self, latency="9ms", more="", name="silence.yaml"):
        with open(self.path(name), "w") as file:
            file.write(SILENCE.format(latency=latency) + more)
        return self.path(name)

    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, *map(str, arguments)], cwd=self.folder.name, capture_output=True, text=True, timeout=300)

    def record(self, repeat, *arguments, latency="9ms", seed=1):
        done = self.run_program("run", self.scenario(latency), "--repeat", repeat, "--seed", seed, "-q", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)

    def compared(self, code, *arguments):
        """The comparison as JSON; the exit code is `code`."""
        done = self.run_program("compare", *arguments, "--json", "-")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def refused(self, *arguments):
        done = self.run_program("compare", *arguments)
        self.assertEqual(done.returncode, 64, done.stdout + done.stderr)
        self.assertNotIn("terminate called", done.stderr)
        return done.stderr.strip()


class Recorded(Case):
    # Families of other seeds of one scenario agree, with a table, a page, and JUnit.
    def test_families_agree(self):
        self.record(60)
        self.record(60, seed=1001)
        done = self.run_program("compare", "--family", 1, 2, "--junit", "compare.xml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("silence  sim of 2 against sim of 1  agree", done.stdout)
        named = dict(line.split(None, 1) for line in done.stdout.splitlines()[-2:])
        self.assertTrue(os.path.exists(self.path(named["report:"])))
        suites = xml.parse(self.path("compare.xml")).getroot()
        self.assertEqual(suites.get("failures"), "0")
        self.assertEqual([case.get("name") for case in suites.iter("testcase")],
                         ["set-up time", "call latency", "detection time", "lost messages", "duplicated messages", "reordered messages"])

    # Twice the latency disagrees, by its calls and its set-up, and by nothing else.
    def test_latency_disagrees(self):
        self.record(30)
        self.record(30, latency="18ms")
        found = self.compared(4, "--family", 1, 2)
        outcomes = {m["metric"]: m["outcome"] for m in found["comparisons"][0]["versus"][0]["metrics"]}
        self.assertEqual(outcomes["call_latency"], "disagree")
        self.assertEqual(outcomes["setup_time"], "disagree")
        self.assertEqual(outcomes["detection_time"], "agree")

    # Runs by their numbers; the same input gives the same output; two single runs are too few, and it is said how many.
    def test_runs(self):
        self.record(40)
        first, again = self.compared(2, "1-20", "21-40"), self.compared(2, "1-20", "21-40")
        self.assertEqual(first, again)
        self.assertGreater(first["runs_needed"], 20)
        single = self.compared(2, 3, 4)
        self.assertGreaterEqual(single["runs_needed"], 10)
        self.assertEqual(self.compared(0, "1-40", "1-40")["outcome"], "agree")

    # An arm that never notices what the other always does.
    def test_what_never_comes_about(self):
        self.record(12)
        self.record(12, "--set", "nodes.alice.net_ticktime=60s", "--set", "nodes.bob.net_ticktime=60s")
        done = self.run_program("compare", "--family", 1, 2)
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
        self.assertIn("alice sees bob down (net_tick_timeout): in 12 of 12 runs against 0 of 12", done.stdout)

    # The margins are the scenario's, and --set may change them.
    def test_margins(self):
        self.record(30)
        self.scenario("11ms", "compare: { call_latency: { ratio: 1.01 }, setup_time: { ratio: 2 } }\n")
        self.assertEqual(self.run_program("run", self.path("silence.yaml"), "--repeat", 30, "-q").returncode, 0)
        tight = self.compared(4, "--family", 2, 1)  # the first one's margins
        metrics = {m["metric"]: m for m in tight["comparisons"][0]["versus"][0]["metrics"]}
        self.assertEqual(metrics["call_latency"]["margin"], {"ratio": 1.01, "difference": None, "distribution": 0.2, "outcomes": 0.1})
        self.assertEqual(metrics["call_latency"]["outcome"], "disagree")
        self.assertEqual(metrics["setup_time"]["outcome"], "agree")

    # A mistake is one line and exit code 64.
    def test_mistakes(self):
        self.assertIn("compare what?", self.refused())
        self.assertIn("named twice", self.refused(self.scenario(), "--grounds", "sim,sim"))
        self.assertIn("grounds are sim, emu and live", self.refused(self.scenario(), "--grounds", "sim,moon"))
        self.assertIn("one arm alone", self.refused(self.scenario(), "--grounds", "sim"))
        self.assertIn("nodes are native, beam or macula", self.refused(self.scenario(), "--nodes", "natve"))
        self.assertIn("a run is compared with another one", self.refused("7"))
        self.assertIn("one scenario FILE", self.refused(self.scenario(), "7"))
        self.assertIn("leave out", self.refused("7", "--family", "1"))
        self.assertIn("none.yaml", self.refused("none.yaml"))
        self.assertIn("distlab.db", self.refused("1", "2"))
        self.record(1)
        self.assertIn("there is no run 9", self.refused("1", "9"))
        self.assertIn("there is no family 9", self.refused("--family", "9", "1"))
        self.assertIn("of one ground (sim)", self.refused("--family", "1"))
        self.assertIn("no scenario and variant in common", self.both_scenarios())

    def both_scenarios(self):
        with open(self.path("other.yaml"), "w") as file:
            file.write(SILENCE.format(latency="9ms").replace("name: silence", "name: other"))
        self.assertEqual(self.run_program("run", self.path("other.yaml"), "-q").returncode, 0)
        return self.refused("1", "2")


class Grounds(Case):
    """On real hosts; needs namespaces."""

    # sim and emu with a few runs each: all are recorded under one family, and few are too few.
    def test_sim_and_emu(self):
        found = self.compared(2, self.scenario(), "--grounds", "emu,sim", "--repeat", 3, "-j", 3,
                              "--max-lateness", 5000)
        self.assertEqual([arm["name"] for arm in found["comparisons"][0]["arms"]], ["emu", "sim"])
        self.assertEqual([arm["runs"] + arm["left_out"] for arm in found["comparisons"][0]["arms"]], [3, 3])
        with sqlite3.connect(self.path("distlab-results/distlab.db")) as db:
            rows = db.execute("SELECT ground, seed FROM runs ORDER BY ground, seed").fetchall()
        self.assertEqual(rows, [("emu", 1), ("emu", 2), ("emu", 3), ("sim", 1), ("sim", 2), ("sim", 3)])
        self.assertRegex(self.run_program("report").stdout, r"silence +emu +3 +complete")
        again = self.compared(2, "--family", 1)["comparisons"][0]
        self.assertEqual([arm["name"] for arm in again["arms"]], ["sim", "emu"])
        metrics = lambda comparison: [(m["metric"], m["outcome"]) for m in comparison["versus"][0]["metrics"]]
        self.assertEqual(metrics(again), metrics(found["comparisons"][0]))

    # ctrl-C: what was done is whole, and it is said how to compare it.
    def test_interruption(self):
        process = subprocess.Popen([PROGRAM, "compare", self.scenario(), "--repeat", "20"], cwd=self.folder.name,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        database = self.path("distlab-results/distlab.db")
        for _ in range(600):
            time.sleep(0.1)
            if os.path.exists(database):
                with sqlite3.connect(database) as db:
                    if db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'runs'").fetchone()[0] and \
                            db.execute("SELECT count(*) FROM runs WHERE ground = 'emu'").fetchone()[0]:
                        break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn("distlab compare --family 1", errors)
        with sqlite3.connect(database) as db:
            complete = db.execute("SELECT count(*) FROM runs WHERE status = 'complete' AND ground = 'sim'").fetchone()[0]
        self.assertEqual(complete, 20)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
