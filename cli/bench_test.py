"""`distlab bench real` as its users meet it: what it reports, exit codes, interruption.

usage: bench_test.py DISTLAB
"""
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "testing"))
from leftovers import assert_interruptible

PROGRAM = os.path.abspath(sys.argv[1])
SMALL = ["--sessions", "4", "--tunnels", "3", "--seconds", "0.2", "--rounds", "1", "--only", "relay"]


class BenchReal(unittest.TestCase):
    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, "bench", *arguments], capture_output=True, text=True, timeout=120)

    # A short benchmark reports a clean ledger and a rate for the relay and both peers; JSON has standard output for
    # itself.
    def test_report(self):
        done = self.run_program("real", *SMALL, "--json", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)["relay"]
        self.assertTrue(report["ledger"]["clean"])
        self.assertEqual(report["ledger"]["sent"], report["ledger"]["received"])
        self.assertEqual((report["sessions"], report["tunnels"]), (4, 3))
        for size in report["sizes"]:
            for who in ("relay", "quic", "udp"):
                self.assertGreater(size[who][0]["messages_per_s"], 0)
        self.assertIn("nothing lost", done.stderr)

    # Mistakes earn 64: too many tunnels, a scenario beside `real`, nothing at all.
    def test_usage(self):
        for arguments in (["real", "--sessions", "4", "--tunnels", "5"], ["a.yaml", "real", *SMALL], [],
                          ["real", "--only", "both"]):
            self.assertEqual(self.run_program(*arguments).returncode, 64, arguments)

    # Ctrl-C and kill -9 leave nobody behind.
    def test_interrupt(self):
        assert_interruptible(self, [PROGRAM, "bench", "real", "--seconds", "60", *SMALL[:4]], "relay, ")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
