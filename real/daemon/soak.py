"""A relay that stays up while everything around it comes and goes: does it grow?

usage: soak.py DISTLAB_DAEMON HOSTILE_PEERS [--seconds 600] [--agents 8] [--seed 1] [--json FILE] [--no-memory]

Brings up one relay and agents with tunnels between all of them. For the given time agents are killed, stopped, frozen
and started again, tunnels opened and closed, peers pinged, and hostile_peers throws garbage, half handshakes, foreign
realms and limits at the relay. Then all is calm again. Every second the metrics of the relay, and of one agent that
nobody touches, are read.

Judged: resident memory is flat (the median of the last third against that of the middle third); descriptors and all
else that the relay holds are after the calm what they were before; the relay is the same process, has done its work
meanwhile, and its log has not been flooded. Exit code 0: all of it holds; 1: not.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

LISTEN = "127.0.0.7"
SAMPLE = re.compile(r"^(\w+)(\{[^}]*\})? (\S+)$", re.MULTILINE)
# What the relay holds, and by which metric.
HELD = {
    "rss": "process_resident_memory_bytes", "fds": "process_open_fds", "sessions": "distlab_relay_sessions",
    "pending": "distlab_relay_pending_sessions", "connections": "distlab_quic_connections",
    "handshakes": "distlab_quic_handshakes", "tunnel_ends": "distlab_relay_tunnel_ends",
    "subscriptions": "distlab_relay_subscriptions", "procedures": "distlab_relay_procedures",
    "calls": "distlab_relay_calls", "queued": "distlab_relay_queued_bytes",
}
REFUSALS = ("datagram_refused", "quic_failed", "session_abandoned", "session_refused", "session_down",
            "relay_complained")
SERVED = ("distlab_relay_sessions_opened_total", "distlab_relay_publishes_total", "distlab_relay_calls_total")
LINES_PER_SECOND = 20  # of the log: each sort has ten in ten seconds, and there are some twenty sorts
CALM = 90  # seconds until all is as it was: idle_timeout, connect_timeout, and agents that dial and tick again


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """One process, started again as often as need be. Its log goes on in one file."""

    def __init__(self, folder, program, name, *arguments):
        self.name, self.folder = name, folder
        self.control = os.path.join(folder, f"{name}.sock")
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.command = [program, *arguments, "--control", self.control]
        self.process = None
        self.lock = threading.Lock()  # one fault at a time

    def start(self):
        with self.log.open("a") as log:
            environment = dict(os.environ, DISTLAB_COOKIE="crumbs")
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=environment)
        return self

    def end(self, how=signal.SIGKILL):
        """Its exit code."""
        self.process.send_signal(how)
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def ask(self, method, path):
        """The answer's text; None if there is none."""
        connection = UnixConnection(self.control)
        try:
            connection.request(method, path)
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def about(self, what, peer):
        answer = self.ask("POST", f"/{what}?node={urllib.parse.quote(peer.name)}")
        return None if answer is None else json.loads(answer)

    def metrics(self):
        """By name; samples with labels also by name and labels."""
        out = {}
        for name, labels, value in SAMPLE.findall(self.ask("GET", "/metrics") or ""):
            out[name + labels] = float(value)
        return out


def wait_until(done, seconds, what):
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.1)


class Soak:
    def __init__(self, options, folder):
        self.options = options
        self.chance = random.Random(options.seed)
        # Short time-outs: what the dead leave behind must go while we look.
        self.relay = Daemon(folder, options.daemon, "relay", "relay", "--self-signed", "--listen", f"{LISTEN}:0",
                            "--realm", "io.macula", "--set", "idle_timeout=10s", "--set", "keep_alive=3s", "--set",
                            "limits.connect_timeout=5s", "--set", "limits.subscriptions=100", "--set",
                            "limits.procedures=20").start()
        wait_until(lambda: "started" in self.relay.log.read_text(), 20, "the relay starts")
        self.pid = self.relay.process.pid
        self.port = re.search(rf"udp={LISTEN}:(\d+)", self.relay.log.read_text()).group(1)
        self.agents = [Daemon(folder, options.daemon, f"agent{i}@soak.test", "agent", "--name", f"agent{i}@soak.test",
                              "--relay", f"{LISTEN}:{self.port}", "--realm", "io.macula", "--set", "net_ticktime=8s")
                       for i in range(options.agents)]
        self.witness, self.touched = self.agents[0], self.agents[1:]
        self.hostile = None
        self.done = {}
        self.counting = threading.Lock()
        self.samples, self.witnessed = [], []

    def note(self, what):
        with self.counting:
            self.done[what] = self.done.get(what, 0) + 1

    # --- what is done to agents, each in a thread of its own

    def restart(self, how):
        agent = self.chance.choice(self.touched)
        pause = self.chance.uniform(0.2, 3)

        def run():
            with agent.lock:
                if agent.process.poll() is not None:
                    self.note("died by itself")
                elif (code := agent.end(how)) != 0 and how == signal.SIGTERM:
                    self.note(f"ended with {code}")
                time.sleep(pause)
                agent.start()
                # A signal before it listens to signals would be the end of it.
                wait_until(lambda: agent.ask("GET", "/status") is not None, 20, f"{agent.name} starts")
        return run

    def freeze(self):
        agent = self.chance.choice(self.touched)
        pause = self.chance.choice((0.5, 2, 5, 13))  # the last is longer than QUIC waits

        def run():
            with agent.lock:
                agent.process.send_signal(signal.SIGSTOP)
                time.sleep(pause)
                agent.process.send_signal(signal.SIGCONT)
        return run

    def ask_about(self, what):
        one, other = self.chance.sample(self.agents, 2)

        def run():
            answer = one.about(what, other)
            if what == "ping":
                self.note("no answer" if answer is None else str(answer.get("result", answer)))
        return run

    def deed(self):
        """Something to do, drawn by weight."""
        kinds = (("kill", 2, lambda: self.restart(signal.SIGKILL)), ("stop", 1, lambda: self.restart(signal.SIGTERM)),
                 ("freeze", 2, self.freeze), ("ping", 20, lambda: self.ask_about("ping")),
                 ("connect", 10, lambda: self.ask_about("connect")),
                 ("disconnect", 12, lambda: self.ask_about("disconnect")))
        name, _, make = self.chance.choices(kinds, [weight for _, weight, _ in kinds])[0]
        self.note(name)
        act = make()

        def run():
            try:
                act()
            except Exception as error:  # or the pool would keep it to itself
                self.note(f"raised {error!r}")
        return run

    # --- the course

    def mesh_up(self):
        for one in self.agents:
            for other in self.agents:
                if one.name < other.name:
                    one.about("ping", other)

    def sample(self):
        metrics = self.relay.metrics()
        return {key: int(metrics[name]) for key, name in HELD.items()}

    def bring_up(self):
        for agent in self.agents:
            agent.start()
        wait_until(lambda: self.sample()["sessions"] == len(self.agents), 30, "agents have sessions")
        self.baseline = self.settle(full_mesh(len(self.agents)), 60)

    def settle(self, wanted, seconds):
        """The last sample: that with what is wanted, if it comes within these seconds."""
        deadline = time.monotonic() + seconds
        while True:
            self.mesh_up()
            sample = self.sample()
            if time.monotonic() > deadline or all(sample[key] == value for key, value in wanted.items()):
                return sample
            time.sleep(1)

    def stir(self):
        self.hostile = subprocess.Popen([self.options.hostile, LISTEN, self.port, "20"], stdout=subprocess.PIPE,
                                        text=True)
        began, second = time.monotonic(), 0
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            while second < self.options.seconds:
                for _ in range(4):
                    pool.submit(self.deed())
                second += 1
                time.sleep(max(0, began + second - time.monotonic()))
                self.samples.append({"second": second, **self.sample()})
                self.witnessed.append(int(self.witness.metrics()["process_resident_memory_bytes"]))
                if second % max(1, self.options.seconds // 20) == 0:
                    print_row(self.samples[-1], self.witnessed[-1])
        self.hostile.terminate()
        self.done["hostile"] = json.loads(self.hostile.communicate(timeout=20)[0])

    def end(self):
        for daemon in [*self.agents, self.relay]:
            if daemon.process and daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.wait()
        if self.hostile and self.hostile.poll() is None:
            self.hostile.kill()
            self.hostile.wait()

    # --- the verdict

    def run(self):
        self.bring_up()
        print_head()
        print_row({"second": "start", **self.baseline}, 0)
        self.stir()
        wanted = {key: value for key, value in self.baseline.items() if key != "rss"}
        calm = self.settle(wanted, CALM)
        print_row({"second": "calm", **calm}, 0)
        metrics = self.relay.metrics()
        same_process = self.relay.process.poll() is None and self.relay.process.pid == self.pid
        for agent in self.agents:
            if agent.process.poll() is not None:
                self.note("died by itself")
        code = self.relay.end(signal.SIGTERM)
        log = self.relay.log.read_text()
        lines = log.count("\n")
        allowed = LINES_PER_SECOND * (self.options.seconds + CALM)
        judged = [(f"{key} as at the start", calm[key] == value, f"{value}, then {calm[key]}")
                  for key, value in wanted.items()]
        if self.options.memory:
            judged += [self.flat("relay", [sample["rss"] for sample in self.samples]),
                       self.flat("untouched agent", self.witnessed)]
        most = max(sample["fds"] for sample in self.samples)
        bad = [key for key in self.done if key.startswith(("died", "ended", "raised"))]
        judged += [("descriptors never more than 3 more", most <= self.baseline["fds"] + 3, f"at most {most}"),
                   ("the relay stayed up and ended well", same_process and code == 0, f"exit code {code}"),
                   ("agents end only when told, and well", not bad, ", ".join(bad)),
                   ("pings were answered", self.done.get("pong", 0) > 0, f"{self.done.get('pong', 0)} pongs"),
                   ("the log is no flood", lines <= allowed, f"{lines} lines, {allowed} allowed")]
        judged += [(f"{kind} is told", f" {kind} " in log, "") for kind in REFUSALS]
        return {"seconds": self.options.seconds, "agents": len(self.agents), "seed": self.options.seed,
                "done": self.done, "baseline": self.baseline, "calm": calm,
                "refusals": {name: int(value) for name, value in metrics.items()
                             if name.startswith("distlab_relay_refusals_total")},
                "served": {name: int(metrics[name]) for name in SERVED},
                "cpu_seconds": metrics["process_cpu_seconds_total"], "log_lines": lines,
                "judged": [{"what": what, "holds": holds, "figures": figures} for what, holds, figures in judged],
                "samples": self.samples, "witness_rss": self.witnessed}

    def flat(self, whose, values):
        third = len(values) // 3
        middle, last = statistics.median(values[third:2 * third]), statistics.median(values[-third:])
        share, more = (0.05, 1 << 20) if self.options.seconds >= 300 else (0.25, 4 << 20)  # short ones still warm up
        allowed = middle * (1 + share) + more
        return (f"memory of the {whose} is flat", last <= allowed,
                f"{middle / 1024:.0f} KiB, then {last / 1024:.0f}; {allowed / 1024:.0f} allowed")


def full_mesh(agents):
    return {"sessions": agents, "connections": agents, "tunnel_ends": agents * (agents - 1), "pending": 0,
            "handshakes": 0, "calls": 0, "queued": 0}


def print_head():
    print(f"{'second':>7}" + "".join(f"{key:>14}" for key in HELD) + f"{'agent rss':>14}")


def print_row(sample, witness):
    print(f"{sample['second']:>7}" + "".join(f"{sample[key]:>14}" for key in HELD) + f"{witness:>14}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("daemon", type=os.path.abspath)
    parser.add_argument("hostile", type=os.path.abspath)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--agents", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", help="write all figures and samples there")
    parser.add_argument("--no-memory", dest="memory", action="store_false",
                        help="do not judge memory: sanitizers keep what was freed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="distlab-soak-") as folder:
        soak = Soak(options, folder)
        try:
            report = soak.run()
        except Exception:
            print("".join(soak.relay.log.read_text().splitlines(True)[-50:]), file=sys.stderr)
            raise
        finally:
            soak.end()
    for one in report["judged"]:
        figures = f": {one['figures']}" if one["figures"] else ""
        print(f"{'ok' if one['holds'] else 'FAILED':7}{one['what']}{figures}")
    print(json.dumps({key: report[key] for key in ("done", "refusals", "served", "cpu_seconds")}, indent=1))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
    sys.exit(0 if all(one["holds"] for one in report["judged"]) else 1)


main()
