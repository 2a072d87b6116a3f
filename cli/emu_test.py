"""The grounds of real hosts as their users meet them: `distlab run --ground emu` and `--ground live`.

usage: emu_test.py DISTLAB TOP [NAME...]

Scenarios are short and run side by side, because most of a run is waiting; only what measures time runs alone.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as xml

PROGRAM, TOP = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
AT_ONCE = 8
# Runs beside each other are late, and most tests here do not mind.
LATE = ("--max-lateness", "5000")

TCP = """
name: tcp
duration: 4s
sites: { home: { uplink: { delay: 9ms } }, office: { uplink: { delay: 4ms } } }
nodes:
  alice: { site: home,   name: alice@home.example }
  bob:   { site: office, name: bob@office.example }
workload:
  - { at: 500ms, connect: alice -> bob }
  - { from: 1s, call: alice -> bob, rate: 10/s, payload: 256B, to: 3500ms }
  - { from: 1s, send: alice <-> bob, rate: 10/s, payload: 100B, to: 3500ms }
expect:
  - connected: { between: [alice, bob], by: 3s }
  - never: { node_down: [alice, bob] }
  - lost_messages: { between: [alice, bob], equals: 0 }
"""
RELAY = """
name: relay
duration: 5s
sites: { home: { uplink: { delay: 9ms } }, office: { uplink: { delay: 4ms } }, hub: {} }
relays: { berlin: { site: hub, boot: 100ms } }
node_defaults: { carrier: relay, relays: [berlin], boot: 400ms }
nodes:
  alice: { site: home,   name: alice@home.example }
  bob:   { site: office, name: bob@office.example }
workload:
  - { at: 1500ms, connect: alice -> bob }
  - { from: 2500ms, call: alice -> bob, rate: 10/s, payload: 256B, to: 4500ms }
  - { from: 2500ms, send: alice <-> bob, rate: 10/s, payload: 100B, to: 4500ms }
expect:
  - connected: { between: [alice, bob], by: 4s }
  - lost_messages: { between: [alice, bob], equals: 0 }
"""
# All faults of processes that have a node on TCP. bob's tick time is too long to notice anything by itself.
NODE_FAULTS = """
name: node-faults
duration: 9s
sites: { here: {} }
node_defaults: { site: here, net_ticktime: 2s, boot: 100ms }
nodes:
  alice: { name: alice@a.example }
  bob:   { name: bob@b.example }
  carol: { name: carol@c.example, autostart: false }
workload:
  - { at: 500ms, connect: alice -> bob }
  - { at: 1750ms, connect: alice -> bob }
  - { at: 2700ms, connect: alice -> bob }
  - { at: 7500ms, connect: alice -> bob }
  - { at: 8500ms, connect: alice -> carol }
  - { from: 3s, send: alice <-> bob, rate: 10/s, to: 3400ms }
faults:
  - { at: 1500ms, kill: bob, for: 700ms }
  - { at: 3500ms, freeze: bob, for: 3500ms }
  - { at: 8s, start: carol }
"""
RELAY_FAULTS = """
name: relay-faults
duration: 10s
sites: { here: {} }
relays: { berlin: { site: here, boot: 100ms } }
node_defaults: { site: here, carrier: relay, relays: [berlin], net_ticktime: 60s, boot: 400ms }
nodes:
  alice: { name: alice@a.example }
  bob:   { name: bob@b.example }
workload:
  - { at: 1s, connect: alice -> bob }
  - { from: 1600ms, send: alice -> bob, every: 200ms, to: 3s, payload: 64B }
  - { from: 6500ms, send: alice -> bob, every: 200ms, to: 8500ms, payload: 64B }
faults:
  - { at: 1500ms, tunnel_message: alice -> bob, harm: drop, nth: 2 }
  - { at: 1500ms, tunnel_message: alice -> bob, harm: duplicate, nth: 4 }
  - { at: 3s, kill_client: bob, for: 500ms }
  - { at: 7s, wedge: berlin, for: 500ms }
  - { at: 8700ms, shutdown: berlin, for: 300ms }
"""
RELAY_KILLED = """
name: relay-killed
duration: 8s
sites: { here: {} }
relays: { berlin: { site: here, boot: 100ms, keeps_reset_key: true } }
node_defaults: { site: here, carrier: relay, relays: [berlin], boot: 400ms, net_ticktime: 60s,
                 mesh: { keep_alive: 500ms } }
nodes:
  alice: { name: alice@a.example }
  bob:   { name: bob@b.example }
workload:
  - { at: 1s, connect: alice -> bob }
faults:
  - { at: 2s, kill: berlin, for: 500ms }
"""
# What a link can suffer without a kernel's netem. Messages say what passed when.
LINK_FAULTS = """
name: link-faults
duration: 12s
sites: { home: {}, office: {}, third: {} }
node_defaults: { net_ticktime: 60s, boot: 100ms, connect_all: false }
nodes:
  alice: { site: home,   name: alice@a.example }
  bob:   { site: office, name: bob@b.example }
  carol: { site: third,  name: carol@c.example }
workload:
  - { at: 500ms, connect: alice -> bob }
  - { at: 500ms, connect: alice -> carol }
  - { from: 1s, send: alice <-> bob, every: 50ms, to: 11s }
  - { from: 1s, send: alice -> carol, every: 50ms, to: 11s }
faults:
  - { at: 1500ms, down: home, for: 300ms }
  - { at: 3s, black_hole: alice, for: 300ms }
  - { at: 4500ms, one_way: home -> office, for: 300ms }
  - { at: 6s, hold: office, for: 300ms }
  - { at: 7500ms, partition: [[home], [office]], for: 300ms }
  - { at: 9s, down: bob, for: 300ms }
"""
SHAPE_FAULTS = """
name: shape-faults
duration: 9s
sites: { home: { uplink: { delay: 5ms } }, office: {} }
node_defaults: { net_ticktime: 60s, boot: 100ms }
nodes:
  alice: { site: home,   name: alice@a.example }
  bob:   { site: office, name: bob@b.example }
workload:
  - { at: 500ms, connect: alice -> bob }
  - { from: 1s, call: alice -> bob, every: 50ms, to: 8s, payload: 1kB }
faults:
  - { at: 2s, delay: home, to: 50ms, for: 1s }
  - { at: 4s, rate: home, to: 100kbit/s, for: 1s }
  - { at: 6s, loss: home, to: 100%, for: 300ms }
"""
HARMS = "".join(f"""
  - {{ at: 1500ms, tunnel_message: {a} -> {b}, harm: {harm}, nth: 2 }}""" for a, b, harm in (
    ("n1", "n2", "drop"), ("n3", "n4", "duplicate"), ("n5", "n6", "replay"), ("n7", "n8", "swap"),
    ("n9", "n10", "corrupt")))
TUNNEL_HARMS = """
name: tunnel-harms
duration: 4s
sites: { here: {} }
relays: { berlin: { site: here, boot: 100ms } }
node_defaults: { site: here, carrier: relay, relays: [berlin], boot: 400ms, connect_all: false }
nodes: { "n{i}": { count: 10, name: "n{i}@n{i}.example" } }
workload:""" + "".join(f"""
  - {{ at: 1s, connect: n{i} -> n{i + 1} }}
  - {{ from: 1600ms, send: n{i} -> n{i + 1}, every: 200ms, to: 3s, payload: 64B }}""" for i in range(1, 10, 2)) + """
faults:""" + HARMS + "\n"


def proc(path):
    try:
        return pathlib.Path("/proc", path).read_bytes()
    except OSError:
        return b""


def parents():
    """The parent of every process."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (stat := proc(entry + "/stat")):
            found[int(entry)] = int(stat[stat.rindex(b")") + 2:].split()[1])
    return found


def descendants(pid):
    tree = collections.defaultdict(list)
    for child, parent in parents().items():
        tree[parent].append(child)
    found, next_ones = [], [pid]
    while next_ones:
        found += (children := [child for one in next_ones for child in tree[one]])
        next_ones = children
    return found


def name_of(pid):
    return proc(f"{pid}/comm").decode().strip()


def identity(pid):
    """Differs from that of any later process with the same number."""
    stat = proc(f"{pid}/stat")
    return (pid, stat[stat.rindex(b")") + 2:].split()[19]) if stat else None


def network_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return None


def wait_for(what, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := what():
            return result
        time.sleep(0.02)
    return None


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
        return [PROGRAM, "run", file, "--ground", ground, *arguments]

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

    # Table, JSON, JUnit and the report's data say what ran; nothing calls it simulated.
    def test_outputs(self):
        done = self.run_scenario(TCP, "emu", *LATE, "--json", "run.json", "--junit", "run.xml", "--html", "run.html")
        self.assertRegex(done.stdout, r"4\.00 s in real time, packets late by .* \(p50\)")
        self.assertNotIn("simulated", done.stdout)
        self.assertNotIn("epmd", done.stdout)
        run, = json.loads(pathlib.Path(self.path("run.json")).read_text())["runs"]
        self.assertEqual((run["ground"], run["status"], run["outcome"]), ("emu", "complete", "pass"))
        self.assertGreater(run["clock_lateness"]["p99_ns"], 0)
        self.assertEqual(run["messages"]["lost"], 0)
        self.assertEqual(run["calls"]["failed"], 0)
        suites = xml.parse(self.path("run.xml")).getroot()
        self.assertEqual((suites.get("failures"), suites.get("errors"), suites.get("tests")), ("0", "0", "3"))
        self.assertIn("emu", [one.get("value") for one in suites.iter("property") if one.get("name") == "ground"])
        page = pathlib.Path(self.path("run.html")).read_text()
        self.assertIn('"ground":"emu"', page.replace('": "', '":"'))

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

    # ---- ends that nobody wished for

    def surroundings(self):
        """What a run must not change outside: interfaces, mounts, files."""
        interfaces = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
        names = sorted(re.findall(r"^\d+: ([^:@]+)", interfaces, re.MULTILINE))
        mounts = sorted(line.split()[4] for line in proc("self/mountinfo").decode().splitlines())
        return names, mounts

    def started(self, process, actors=3):
        """Waits until its run is under way. All its descendants."""
        def under_way():
            found = descendants(process.pid)
            names = [name_of(pid) for pid in found]
            return found if names.count("distlab-actor") >= actors else None
        found = wait_for(under_way)
        self.assertTrue(found, "the run did not start")
        time.sleep(2)  # something is to be recorded
        return descendants(process.pid)

    def coordinator(self, family):
        """The parent of the actors."""
        actor = next(pid for pid in family if name_of(pid) == "distlab-actor")
        return parents()[actor]

    def expect_nothing_left(self, family, networks):
        def gone():
            return not any(identity(pid) in family for pid, _ in family)
        self.assertTrue(wait_for(gone), [name_of(pid) for pid, _ in family])

        # The number of a namespace that is gone may be given to one of a later run.
        youngest = max(int(started) for _, started in family)

        def unheld():
            held = {network_of(entry) for entry in os.listdir("/proc") if entry.isdigit() and
                    int((identity(entry) or (0, youngest + 1))[1]) <= youngest}
            return not networks & held
        self.assertTrue(wait_for(unheld))
        files = {str(path.relative_to(self.folder)) for path in pathlib.Path(self.folder).rglob("*") if path.is_file()}
        allowed = r"[a-z-]+\.yaml|distlab-results/(distlab\.db(-wal|-shm)?|[a-z-]+-\d+\.html)"
        self.assertEqual([name for name in files if not re.fullmatch(allowed, name)], [])

    def watch(self, process):
        family = self.started(process)
        networks = {network_of(pid) for pid in family} - {network_of("self"), None}
        self.assertTrue(networks)
        return family, {identity(pid) for pid in family} - {None}, networks

    # Ctrl-C ends a run with 130; it is incomplete, what it had is kept, and nothing stays.
    def test_interrupt(self):
        for ground, *more in (("emu",), ("live", "--without-netem")):
            before = self.surroundings()
            process = self.start(RELAY.replace("duration: 5s", "duration: 60s"), ground, *more)
            _, family, networks = self.watch(process)
            os.killpg(process.pid, signal.SIGINT)
            out, said = process.communicate(timeout=30)
            self.assertEqual(process.returncode, 130, out + said)
            self.expect_nothing_left(family, networks)
            run = self.recorded()[-1]
            self.assertEqual(run.run["status"], "incomplete")
            self.assertGreater(run.run["virtual_s"], 0.5)
            self.assertTrue(run.of("process_started"))
            self.assertEqual(self.surroundings(), before)

    # kill -9 leaves no process, namespace, mount, interface or file, and a new run starts at once.
    def test_kill(self):
        for ground, *more in (("emu",), ("live", "--without-netem")):
            before = self.surroundings()
            process = self.start(RELAY.replace("duration: 5s", "duration: 60s"), ground, *more)
            _, family, networks = self.watch(process)
            process.kill()
            self.run_scenario(RELAY, ground, "-q", *LATE, *more)
            process.communicate(timeout=30)
            self.expect_nothing_left(family, networks)
            self.assertEqual([run.run["status"] for run in self.recorded()[-2:]], ["incomplete", "complete"])
            self.assertEqual(self.surroundings(), before)

    # When the coordinator dies, the run has failed, says so, and keeps what was recorded.
    def test_coordinator_dies(self):
        process = self.start(RELAY.replace("duration: 5s", "duration: 60s"), "emu")
        pids, family, networks = self.watch(process)
        os.kill(self.coordinator(pids), signal.SIGKILL)
        out, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 70, out + said)
        self.assertIn("the coordinator of the run ended early, of signal 9 (Killed)", said)
        self.expect_nothing_left(family, networks)
        self.expect_failed("signal 9")

    # When a process crashes, the run says which, and of what.
    def test_process_dies(self):
        process = self.start(RELAY.replace("duration: 5s", "duration: 60s"), "emu")
        pids, family, networks = self.watch(process)
        os.kill(next(pid for pid in pids if name_of(pid) == "distlab-actor"), signal.SIGSEGV)
        out, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 70, out + said)
        self.assertRegex(said, r"(alice|bob|berlin) ended of signal 11 \(Segmentation fault\)")
        self.expect_nothing_left(family, networks)
        self.expect_failed("signal 11")

    # Without the program of its processes nothing runs, and it is said which one is missing.
    def test_no_actor(self):
        program = shutil.copy(PROGRAM, self.path("distlab"))
        done = subprocess.run([program, *self.command(TCP, "emu")[1:]], cwd=self.folder, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 70, done.stdout + done.stderr)
        self.assertIn("cannot be started", done.stderr)
        self.assertIn(self.path("distlab-actor"), done.stderr)

    def expect_failed(self, why):
        run = self.recorded()[-1]
        self.assertEqual(run.run["status"], "failed")
        self.assertIn(why, run.run["error"])
        self.assertTrue(run.of("process_started"))
        self.assertTrue(run.of("mesh_up"))

    # ---- beside each other, and as anybody

    # Runs at once do not disturb each other, be they of one program or of two.
    def test_two_at_once(self):
        other = self.start(TCP.replace("name: tcp", "name: other"), "emu", *LATE)
        self.run_scenario(TCP, "emu", *LATE, "--repeat", "2", "-j", "2")
        out, said = other.communicate(timeout=60)
        self.assertEqual(other.returncode, 0, out + said)
        runs = self.recorded()
        self.assertEqual([run.run["status"] for run in runs], ["complete"] * 3)
        for run in runs:
            self.assertGreater(len(run.of("call_done")), 20)

    # As an ordinary user, who may find /dev/net/tun closed, all is the same.
    def test_ordinary_user(self):
        prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        probe = subprocess.run([*prefix, "test", "-x", PROGRAM, "-a", "-x", os.path.dirname(PROGRAM) + "/distlab-actor"],
                               cwd=self.folder)
        if probe.returncode != 0:
            self.skipTest("an ordinary user cannot run the program where it lies")
        done = subprocess.run([*prefix, *self.command(TCP, "emu", *LATE)], cwd=self.folder, capture_output=True,
                              text=True, timeout=60)
        if done.returncode == 64 and "namespaces" in done.stderr:
            self.skipTest("this kernel forbids ordinary users to have namespaces")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for scenario, ground, *more in ((RELAY, "emu"), (TCP, "live", "--without-netem")):
            self.run_scenario(scenario, ground, *LATE, *more, prefix=prefix)
        self.assertEqual([run.run["status"] for run in self.recorded()], ["complete"] * 3)


def run_one(name):
    result = unittest.TestResult()
    began = time.monotonic()
    Grounds(name).run(result)
    return name, result, time.monotonic() - began


def main():
    wanted = sys.argv[3:]
    names = [name for name in dir(Grounds) if re.match("(alone_)?test_", name)]
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
            show(*run_one(name))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in concurrent.futures.as_completed(
                [pool.submit(run_one, name) for name in names if name.startswith("test_")]):
            show(*done.result())
    print(f"{len(names)} tests, {failed} failed")
    sys.exit(1 if failed or not names else 0)


main()
