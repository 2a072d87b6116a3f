"""How runs on real hosts end when nobody wished it, what they leave, and runs beside each other.

usage: emu_ends_test.py DISTLAB TOP [NAME...]
"""
import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "testing"))
from grounds import Grounds, LATE, PROGRAM, main
from ground_scenarios import RELAY, TCP


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


class Ends(Grounds):
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
        # Where the programs lie, he may not come.
        for program in (PROGRAM, os.path.dirname(PROGRAM) + "/distlab-actor"):
            os.chmod(shutil.copy(program, self.folder), 0o755)
        self.program = self.path("distlab")
        done = subprocess.run([*prefix, *self.command(TCP, "emu", *LATE)], cwd=self.folder, capture_output=True,
                              text=True, timeout=60)
        if done.returncode == 64 and "namespaces" in done.stderr:
            self.skipTest("this kernel forbids ordinary users to have namespaces")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for scenario, ground, *more in ((RELAY, "emu"), (TCP, "live", "--without-netem")):
            self.run_scenario(scenario, ground, *LATE, *more, prefix=prefix)
        self.assertEqual([run.run["status"] for run in self.recorded()], ["complete"] * 3)


main(Ends)
