"""`distlab bench beam` as its users meet it: what it reports, exit codes, interruption.

usage: bench_beam_test.py DISTLAB
"""
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "testing"))
from leftovers import assert_interruptible

PROGRAM = os.path.abspath(sys.argv[1])
WAYS = ["tcp", "tls", "macula", "unmodified"]
BEAMS = {"near_beam", "far_beam"}
BETWEEN = {"near_agent", "relay", "far_agent"}


class BenchBeam(unittest.TestCase):
    def run_program(self, *arguments, **more):
        return subprocess.run([PROGRAM, "bench", *arguments], capture_output=True, text=True, timeout=180, **more)

    # A quick round measures calls and messages over every way, with the cost of each process, and the ratios of the
    # targets are those of the measurements.
    def test_report(self):
        done = self.run_program("beam", "--quick", "--messages", "20000,300000", "--json", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual([way["way"] for way in report["ways"]], WAYS)
        for way in report["ways"]:
            parts = BEAMS | (BETWEEN if way["way"] in ("macula", "unmodified") else set())
            (calls,) = way["calls"]
            self.assertGreater(calls["calls"], 10)
            self.assertLessEqual(calls["p50_s"], calls["p99_s"])
            self.assertGreater(calls["p50_s"], 1e-6)
            self.assertEqual(set(calls["cpu_per_call_s"]), parts)
            self.assertEqual([messages["bytes"] for messages in way["messages"]], [20000, 300000])
            for messages in way["messages"]:
                (flood,) = messages["rounds"]
                self.assertGreater(flood["bytes_per_s"], 1e5)
                self.assertEqual(set(flood["cpu_per_megabyte_s"]), parts)
        ways = {way["way"]: way for way in report["ways"]}
        added = ways["macula"]["calls"][0]["p50_s"] - ways["tcp"]["calls"][0]["p50_s"]
        self.assertAlmostEqual(report["relay_added_p50_s"], added)
        ratio = min(ours["rounds"][0]["bytes_per_s"] / theirs["rounds"][0]["bytes_per_s"]
                    for ours, theirs in zip(ways["macula"]["messages"], ways["tls"]["messages"]))
        self.assertAlmostEqual(report["relay_goodput_of_tls"], ratio)
        self.assertIn("us above TCP", done.stderr)

    # Mistakes earn 64; without `erl` it is said what is missing, and the code is 69.
    def test_refusals(self):
        for arguments in (["a.yaml", "beam"], ["beam", "--ways", "pigeon"], ["beam", "--messages", "0"]):
            self.assertEqual(self.run_program(*arguments).returncode, 64, arguments)
        done = self.run_program("beam", "--quick", "--ways", "tcp", env={"PATH": "/nowhere"})
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("erlang-base", done.stderr)

    # Ctrl-C and kill -9 leave nobody behind.
    def test_interrupt(self):
        assert_interruptible(self, [PROGRAM, "bench", "beam", "--seconds", "60", "--ways", "macula"], "calls")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
