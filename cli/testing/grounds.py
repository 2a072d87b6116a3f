"""What the tests of runs on real hosts share: starting them, and reading what they leave in the database.

The programs that use it are called with: DISTLAB TOP [NAME...]
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, TOP = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
AT_ONCE = 8
# Runs beside each other are late, and most tests here do not mind.
LATE = ("--max-lateness", "5000")


class Recorded:
    """What one run left in the database."""

    def __init__(self, db, run):
        self.run = dict(run)
        query = """SELECT e.time_ns, h.text, s.text, k.text, e.fields FROM events e JOIN names h ON h.id = e.host
                   JOIN names s ON s.id = e.subject JOIN names k ON k.id = e.kind WHERE e.run = ? ORDER BY e.n"""
        nodes = json.loads(run["nodes"])

        def short(subject):  # "alice" for "alice@a.example"
            return re.sub(r"[^ >-]+@[^ >-]+", lambda name: nodes.get(name[0], name[0]), subject)

        self.events = [(time_ns / 1e9, host, short(subject), kind, json.loads(fields) if fields else {})
                       for time_ns, host, subject, kind, fields in db.execute(query, (run["id"],))]

    def of(self, *kinds):
        return [event for event in self.events if event[3] in kinds]

    def brief(self, *kinds, fields=("reason", "result", "fault")):
        """Who, about whom, what and why, without times."""
        return [(host, subject, kind, *(values[name] for name in fields if name in values))
                for _, host, subject, kind, values in self.of(*kinds)]

    def missing(self, pair):
        """When the messages were sent that did not arrive."""
        came = {values["seq"] for _, _, subject, _, values in self.of("message_received") if subject == pair}
        return [at for at, _, subject, _, values in self.of("message_sent")
                if subject == pair and values["seq"] not in came]

    def latencies(self, pair, begin=0.0, end=1e9):
        """Milliseconds, of messages that arrived in this time."""
        return [values["latency_ns"] / 1e6 for at, _, subject, _, values in self.of("message_received")
                if subject == pair and begin <= at < end]


class Grounds(unittest.TestCase):
    """Tests of runs; those whose names begin with alone_ measure time and run alone, the others side by side."""

    program = PROGRAM

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="distlab-emu-")
        os.chmod(self.folder, 0o777)  # some runs are an ordinary user's
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        pathlib.Path(self.path(name)).write_text(content)
        return name

    def command(self, scenario, ground, *arguments):
        file = self.write(scenario.split("name: ")[1].split("\n")[0] + ".yaml", scenario)
        return [self.program, "run", file, "--ground", ground, *arguments]

    def start(self, scenario, ground, *arguments):
        return subprocess.Popen(self.command(scenario, ground, *arguments), cwd=self.folder, start_new_session=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run_scenario(self, scenario, ground, *arguments, code=0, prefix=()):
        done = subprocess.run([*prefix, *self.command(scenario, ground, *arguments)], cwd=self.folder,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def record(self, scenario, ground, *arguments, **more):
        """The last run in the database, after running this one."""
        self.run_scenario(scenario, ground, "-q", *LATE, *arguments, **more)
        return self.recorded()[-1]

    def recorded(self, database="distlab-results/distlab.db"):
        db = sqlite3.connect(self.path(database))
        db.row_factory = sqlite3.Row
        with db:
            runs = [Recorded(db, run) for run in db.execute("SELECT * FROM runs ORDER BY id")]
        db.close()
        return runs

    def both(self, scenario, ground="emu", *arguments):
        """The same in virtual time and on real hosts."""
        return self.record(scenario, "sim"), self.record(scenario, ground, *arguments)

    def assert_near(self, times, expected, slack=0.5):
        self.assertEqual(len(times), len(expected), times)
        for at, wanted in zip(times, expected):
            self.assertGreaterEqual(at, wanted - 0.001)
            self.assertLess(at, wanted + slack)

    def assert_faults(self, sim, real):
        """The same faults, in the same order, each done at its time or soon after it."""
        self.assertEqual(real.brief("fault", fields=("fault", "detail", "id")),
                         sim.brief("fault", fields=("fault", "detail", "id")))
        self.assert_near([event[0] for event in real.of("fault")], [event[0] for event in sim.of("fault")])

    def assert_orderly(self, real):
        """Times are of the run, and in order."""
        times = [event[0] for event in real.events]
        self.assertEqual(times, sorted(times))
        self.assertGreaterEqual(times[0], 0)
        self.assertLessEqual(times[-1], real.run["virtual_s"])


def run_one(tests, name):
    result = unittest.TestResult()
    began = time.monotonic()
    tests(name).run(result)
    return name, result, time.monotonic() - began


def main(tests):
    wanted = sys.argv[3:]
    names = [name for name in dir(tests) if re.match("(alone_)?test_", name)]
    names = [name for name in names if not wanted or any(part in name for part in wanted)]
    failed = 0

    def show(name, result, seconds):
        nonlocal failed
        problems = result.failures + result.errors
        failed += bool(problems)
        state = "FAIL" if problems else f"skipped: {result.skipped[0][1]}" if result.skipped else "ok"
        print(f"{name}: {state} ({seconds:.1f} s)", flush=True)
        for _, text in problems:
            print(text, flush=True)

    for name in names:
        if name.startswith("alone_"):
            show(*run_one(tests, name))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in concurrent.futures.as_completed(
                [pool.submit(run_one, tests, name) for name in names if name.startswith("test_")]):
            show(*done.result())
    print(f"{len(names)} tests, {failed} failed")
    sys.exit(1 if failed or not names else 0)
