"""The daemons as their users meet them: bring-up, commands, signals, refusals, metrics.

usage: daemon_test.py DISTLAB_DAEMON
"""
import datetime
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1))
TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def certificate(folder, name, days=30, key="ed25519"):
    """A self-signed certificate by the openssl program, in files NAME.crt and NAME.key; days may be negative."""
    stem = pathlib.Path(folder) / name
    kind = {"ed25519": ["-newkey", "ed25519"], "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "rsa": ["-newkey", "rsa:2048"]}[key]

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
    openssl("req", "-new", *kind, "-nodes", "-subj", f"/CN={name}", "-keyout", f"{stem}.key", "-out", f"{stem}.csr")
    pathlib.Path(f"{stem}.ext").write_text(f"subjectAltName=DNS:{name}\n")
    openssl("x509", "-req", "-in", f"{stem}.csr", "-signkey", f"{stem}.key", "-days", str(days), "-extfile",
            f"{stem}.ext", "-out", f"{stem}.crt")
    return f"{stem}.crt", f"{stem}.key"


class Daemon:
    """One process, with its log in a file."""

    def __init__(self, test, *arguments, env=None):
        self.log_path = test.path(f"log-{len(test.daemons)}")
        self.log_file = open(self.log_path, "w")
        self.process = subprocess.Popen([PROGRAM, *arguments], cwd=test.folder.name, env=env or test.environment,
                                        stderr=self.log_file, stdout=self.log_file)
        test.daemons.append(self)

    def log(self):
        return pathlib.Path(self.log_path).read_text()

    def wait_for(self, text, seconds=10, count=1):
        deadline = time.monotonic() + seconds
        while self.log().count(text) < count:
            if time.monotonic() > deadline or (self.process.poll() is not None and self.log().count(text) < count):
                raise AssertionError(f"no {text!r} in:\n{self.log()}")
            time.sleep(0.02)
        return self

    def port(self):
        return int(re.search(r"udp=127\.0\.0\.1:(\d+)", self.log()).group(1))

    def tell(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout=10)
        self.log_file.close()
        return code, time.monotonic() - began


class Daemons(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="distlab-daemon-")
        self.addCleanup(self.folder.cleanup)
        self.daemons = []
        self.environment = dict(os.environ, XDG_RUNTIME_DIR=self.folder.name, DISTLAB_COOKIE="crumbs",
                                HOME=self.folder.name)
        self.addCleanup(self.kill_all)

    def kill_all(self):
        for daemon in self.daemons:
            if daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.wait()
            daemon.log_file.close()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, content):
        pathlib.Path(self.path(name)).write_text(content)
        return self.path(name)

    def run_program(self, *arguments, env=None):
        return subprocess.run([PROGRAM, *arguments], cwd=self.folder.name, env=env or self.environment,
                              capture_output=True, text=True, timeout=30)

    def refused(self, *arguments, code=64, env=None):
        """The one line, and the exit code, with which it does not start."""
        done = self.run_program(*arguments, env=env)
        self.assertEqual(done.returncode, code, done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        return lines[0]

    def relay(self, *arguments, name="berlin"):
        credentials = () if "--cert" in arguments else ("--self-signed",)
        return Daemon(self, "relay", "--name", name, "--listen", "127.0.0.1:0", *credentials,
                      *arguments).wait_for(f"distlab/{name}.sock")

    def agent(self, name, relay, *arguments):
        return Daemon(self, "agent", "--name", name, "--relay", f"127.0.0.1:{relay.port()}", *arguments)

    def ask(self, *arguments):
        done = self.run_program(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    # A relay and two agents, brought up by hand, reach each other; every command answers.
    def test_bring_up(self):
        relay = self.relay()
        for name in ("alice@home.test", "bob@office.test"):
            self.agent(name, relay).wait_for("mesh_up")
        self.assertRegex(self.ask("agent", "ping", "bob@office.test", "--name", "alice@home.test"),
                         r"^pong bob@office.test \d+\.\d+ ms\n$")
        self.assertEqual(self.ask("agent", "nodes", "--name", "bob@office.test"), "alice@home.test\n")
        tunnels = json.loads(self.ask("agent", "tunnels", "--json", "--name", "bob@office.test"))
        self.assertEqual([(t["peer"], t["direction"], t["state"]) for t in tunnels],
                         [("alice@home.test", "in", "running")])
        self.assertIn("alice@home.test", self.ask("agent", "tunnels", "--name", "bob@office.test"))
        status = json.loads(self.ask("relay", "status", "--json"))
        self.assertEqual(sorted(s["identity"] for s in status["sessions"]), ["alice@home.test", "bob@office.test"])
        self.assertIn("sessions: 2", self.ask("relay", "status"))
        self.assertEqual(json.loads(self.ask("agent", "status", "--json", "--name", "alice@home.test"))["nodes"],
                         ["bob@office.test"])
        self.ask("agent", "disconnect", "bob@office.test", "--name", "alice@home.test")
        self.assertEqual(self.ask("agent", "connect", "bob@office.test", "--name", "alice@home.test"),
                         "connected to bob@office.test\n")
        pang = self.run_program("agent", "ping", "nobody@office.test", "--name", "alice@home.test")
        self.assertEqual((pang.returncode, pang.stdout[:4]), (1, "pang"))
        for daemon in reversed(self.daemons):  # the relay last, so that all is said
            code, seconds = daemon.stop()
            self.assertEqual(code, 0, daemon.log())
            self.assertLess(seconds, 4)
        self.assertIn('session_down subject=bob@office.test reason="application 0: shutdown"', relay.log())
        self.assertEqual(list(pathlib.Path(self.path("distlab")).iterdir()), [])

    # Two agents over plain TCP; the first is the machine's EPMD, as there is none on that port.
    def test_tcp_and_epmd(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            epmd = str(probe.getsockname()[1])
        for name in ("carol@127.0.0.1", "dave@127.0.0.1"):
            Daemon(self, "agent", "--name", name, "--set", f"epmd_port={epmd}").wait_for("node_started")
        self.assertIn("epmd_served", self.daemons[0].log())
        self.assertNotIn("epmd_served", self.daemons[1].log())
        self.assertIn("pong", self.ask("agent", "ping", "dave@127.0.0.1", "--name", "carol@127.0.0.1"))
        twin = Daemon(self, "agent", "--name", "dave@127.0.0.1", "--control", self.path("twin.sock"), "--set",
                      f"epmd_port={epmd}")
        self.assertEqual(twin.process.wait(timeout=10), 69)
        self.assertIn("EPMD knows a node dave@127.0.0.1 already", twin.log())
        self.daemons[0].stop()
        self.daemons[1].wait_for("node_down")
        none = Daemon(self, "agent", "--name", "erin@127.0.0.1", "--set", f"epmd_port={epmd}", "--set",
                      "serve_epmd=false")
        self.assertEqual(none.process.wait(timeout=10), 69)
        self.assertIn("no EPMD answers", none.log())

    # Agents that verify the relay's certificate: the right authority, the wrong one, the wrong name.
    def test_tls_verify(self):
        crt, key = certificate(self.folder.name, "berlin.test")
        other, _ = certificate(self.folder.name, "other.test")
        relay = self.relay("--cert", crt, "--key", key)
        verify = ("--tls-verify", "peer", "--set", "hosts={berlin.test: 127.0.0.1, paris.test: 127.0.0.1}")

        def agent(name, host, ca):
            return Daemon(self, "agent", "--name", name, "--relay", f"{host}:{relay.port()}", "--ca", ca, *verify)
        agent("a@home.test", "berlin.test", crt).wait_for("mesh_up")
        agent("b@home.test", "berlin.test", other).wait_for("mesh_failed").wait_for("NOT trusted")
        agent("c@home.test", "paris.test", crt).wait_for("mesh_failed").wait_for("does not match")
        pem = self.ask("relay", "certificate")
        self.assertEqual(pem, pathlib.Path(crt).read_text())

    # Keys of every sort that GnuTLS takes.
    def test_keys(self):
        for kind in ("ec", "rsa"):
            crt, key = certificate(self.folder.name, f"{kind}.test", key=kind)
            relay = self.relay("--cert", crt, "--key", key, name=kind)
            self.agent(f"{kind}@home.test", relay).wait_for("mesh_up")

    # SIGHUP: new sessions meet the new certificate, the old sessions stay; a bad one is not taken.
    def test_reload(self):
        crt, key = certificate(self.folder.name, "berlin.test")
        relay = self.relay("--cert", crt, "--key", key)
        first = json.loads(self.ask("relay", "status", "--json"))["certificate"]["sha256"]
        self.agent("early@home.test", relay).wait_for("mesh_up")
        certificate(self.folder.name, "berlin.test")
        relay.tell(signal.SIGHUP)
        relay.wait_for("info reloaded")
        second = json.loads(self.ask("relay", "status", "--json"))["certificate"]["sha256"]
        self.assertNotEqual(first, second)
        Daemon(self, "agent", "--name", "late@home.test", "--relay", f"berlin.test:{relay.port()}", "--ca", crt,
               "--tls-verify", "peer", "--set", "hosts={berlin.test: 127.0.0.1}").wait_for("mesh_up")
        for broken in ("nonsense", ""):
            pathlib.Path(crt).write_text(broken)
            before = relay.log().count("reload_failed")
            relay.tell(signal.SIGHUP)
            relay.wait_for("error reload_failed", count=before + 1)
        self.assertEqual(json.loads(self.ask("relay", "status", "--json"))["certificate"]["sha256"], second)
        self.assertEqual(len(json.loads(self.ask("relay", "status", "--json"))["sessions"]), 2)
        self.assertNotIn("session_down", relay.log())

    # SIGHUP to an agent reads the cookie again: the next connection uses it.
    def test_cookie_reload(self):
        relay = self.relay()
        cookie = self.write("cookie", "wrong\n")
        self.agent("alice@home.test", relay, "--cookie-file", cookie, "--set", "net_setuptime=1s").wait_for("mesh_up")
        self.agent("bob@office.test", relay).wait_for("mesh_up")
        ping = ("agent", "ping", "bob@office.test", "--name", "alice@home.test")
        self.assertEqual(self.run_program(*ping).returncode, 1)
        self.write("cookie", "crumbs\n")
        self.daemons[1].tell(signal.SIGHUP)
        self.daemons[1].wait_for("info reloaded")
        self.assertEqual(self.run_program(*ping).returncode, 0)

    # SIGTERM tells the peers, who know at once; a second signal does not wait.
    def test_signals(self):
        relay = self.relay()
        agent = self.agent("alice@home.test", relay).wait_for("mesh_up")
        code, seconds = relay.stop(signal.SIGINT)
        self.assertEqual(code, 0)
        self.assertLess(seconds, 4)
        agent.wait_for('mesh_down', seconds=2)
        self.assertIn("shutdown", agent.log())
        slow = self.relay("--set", "close_linger=30s", name="slow")
        frozen = self.agent("frozen@home.test", slow).wait_for("mesh_up")
        frozen.tell(signal.SIGSTOP)  # will not acknowledge the goodbye
        slow.tell(signal.SIGTERM)
        slow.wait_for("info stopping")
        code, seconds = slow.stop()
        self.assertEqual(code, -signal.SIGTERM)  # killed by it
        self.assertLess(seconds, 1)
        frozen.tell(signal.SIGCONT)

    # A goodbye that nobody acknowledges ends within the bound all the same, with code 0.
    def test_goodbye_is_bounded(self):
        relay = self.relay("--set", "close_linger=60s")
        agent = self.agent("frozen@home.test", relay).wait_for("mesh_up")
        agent.tell(signal.SIGSTOP)
        code, seconds = relay.stop()
        agent.tell(signal.SIGCONT)
        self.assertEqual(code, 0)
        self.assertLess(seconds, 7)

    # Every reason not to start is one line that names what is wrong.
    def test_refusals(self):
        crt, key = certificate(self.folder.name, "a.test")
        _, other_key = certificate(self.folder.name, "b.test")
        text = self.write("text", "no PEM\n")
        pair = ("--cert", crt, "--key", key)
        self.assertIn("they do not belong together", self.refused("relay", "--cert", crt, "--key", other_key))
        self.assertIn("No such file", self.refused("relay", "--cert", self.path("none"), "--key", key))
        self.assertIn("not a PEM file", self.refused("relay", "--cert", text, "--key", key))
        self.assertIn("needs 'certificate' and 'key'", self.refused("relay"))
        self.assertIn("exclude each other", self.refused("relay", "--self-signed", *pair))
        self.assertIn("ADDRESS:PORT", self.refused("relay", "--self-signed", "--listen", "1.2.3.4.5"))
        self.assertIn("not an address of this machine",
                      self.refused("relay", "--self-signed", "--listen", "192.0.2.1:0", code=69))
        self.assertIn("32 bytes", self.refused("relay", "--self-signed", "--set", f"reset_key={text}"))
        self.assertIn("relay.yaml:2:1: unknown key 'lsiten'; did you mean 'listen'?", self.refused(
            "relay", "--config", self.write("relay.yaml", "name: x\nlsiten: 0.0.0.0:1\nself_signed: true\n")))
        self.assertIn("did you mean 'sessions'?", self.refused("relay", *pair, "--set", "limits.sesions=3"))
        self.assertIn("did you mean 'tls_verify'?", self.refused("agent", "--name", "a@b.c", "--set", "tls_verifi=1"))
        self.assertIn("missing key 'name'", self.refused("agent"))
        self.assertIn("needs 'ca'", self.refused("agent", "--name", "a@b.c", "--relay", "x", "--tls-verify", "peer"))
        self.assertIn("no cookie", self.refused("agent", "--name", "a@b.c", env={"XDG_RUNTIME_DIR": "/tmp"}))
        self.assertIn("cannot make", self.refused("relay", "--self-signed", "--listen", "127.0.0.1:0", code=69,
                                                  env=dict(self.environment, XDG_RUNTIME_DIR="/nowhere")))
        self.assertIn("longer than", self.refused("relay", "--self-signed", "--listen", "127.0.0.1:0", "--control",
                                                  self.path("x" * 120), code=69))
        self.assertNotEqual(self.run_program("relay", "--nonsense").returncode, 0)

    # A port that is taken is named, and so is who has it.
    def test_port_taken(self):
        relay = self.relay()
        line = self.refused("relay", "--self-signed", "--name", "second", "--listen", f"127.0.0.1:{relay.port()}",
                            code=69)
        self.assertIn(f"UDP port {relay.port()} is taken", line)
        self.assertIn(str(relay.process.pid), line)

    # An expired certificate is a warning, not a refusal.
    def test_expired(self):
        crt, key = certificate(self.folder.name, "old.test", days=-1)
        self.relay("--cert", crt, "--key", key).wait_for('warning certificate subject="/CN=old.test" reason="it expired')
        self.assertIn("it expired on", self.ask("relay", "--cert", crt, "--key", key, "--check"))

    # --check opens nothing and says what it found; --print-config gives a file that means the same.
    def test_check_and_print(self):
        crt, key = certificate(self.folder.name, "berlin.test")
        config = self.write("relay.yaml", "name: berlin\ncertificate: berlin.test.crt\nkey: berlin.test.key\n"
                            "limits: { sessions: 20 }\nlog: { format: json }\n")
        self.assertIn("good", self.ask("relay", "--config", config, "--check"))
        printed = self.ask("relay", "--config", config, "--print-config", "--set", "limits.calls=7")
        self.assertIn("  sessions: 20\n", printed)
        self.assertIn("  calls: 7\n", printed)
        self.assertIn("  procedures: 1000  # default\n", printed)
        again = self.ask("relay", "--config", self.write("again.yaml", printed), "--print-config")
        self.assertEqual(again.replace('"', ""), printed.replace("  # default", "").replace('"', ""))
        agent = self.ask("agent", "--name", "a@b.c", "--relay", "x", "--set", "preset=macula-3.13",
                         "--cookie-file", self.write("cookie", "c"), "--print-config")
        self.assertIn("  dist_timeout: 10s  # default\n", agent)
        self.assertIn("carrier: relay  # default\n", agent)
        self.ask("agent", "--config", self.write("agent.yaml", agent), "--check")

    # The control socket: for its owner alone; a dead one is replaced, a live one and a file are not.
    def test_control_socket(self):
        relay = self.relay()
        path = self.path("distlab/berlin.sock")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("distlab")).st_mode), 0o700)
        self.assertIn("another daemon serves it",
                      self.refused("relay", "--name", "berlin", "--self-signed", "--listen", "127.0.0.1:0", code=69))
        relay.process.kill()
        relay.process.wait()
        self.assertTrue(os.path.exists(path))
        self.assertEqual(self.run_program("relay", "status", "--name", "berlin").returncode, 69)
        again = self.relay()
        self.assertIn("name: berlin", self.ask("relay", "status"))
        self.assertEqual(again.stop()[0], 0)
        self.assertFalse(os.path.exists(path))
        self.write("file", "precious")
        self.assertIn("no socket", self.refused("relay", "--self-signed", "--listen", "127.0.0.1:0", "--control",
                                                self.path("file"), code=69))
        self.assertEqual(pathlib.Path(self.path("file")).read_text(), "precious")
        self.assertEqual(self.run_program("relay", "status").returncode, 69)
        bare = Daemon(self, "relay", "--self-signed", "--listen", "127.0.0.1:0", "--name", "bare", "--control", "none")
        bare.wait_for("control=none")
        self.assertEqual(os.listdir(self.path("distlab")), [])
        self.assertFalse(os.path.exists(self.path("none")))
        self.assertEqual(bare.stop()[0], 0)

    def http(self, request):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(15)
            client.connect(self.path("distlab/berlin.sock"))
            answer = b""
            try:
                client.sendall(request)
                while chunk := client.recv(65536):
                    answer += chunk
            except (ConnectionResetError, BrokenPipeError):
                pass  # it does not read what it will not serve
        return answer

    # What is no request, or asks for nothing that exists, is answered or dropped; the relay stays up.
    def test_hostile_control(self):
        relay = self.relay()
        self.assertIn(b" 404 ", self.http(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"))
        self.assertIn(b" 404 ", self.http(b"POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n"))
        self.assertIn(b" 400 ", self.http(b"GET /%zz?%zz HTTP/1.1\r\nHost: x\r\n\r\n"))
        self.assertNotIn(b" 200 ", self.http(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"))
        self.assertNotIn(b" 200 ", self.http(b"\x00\xff" * 1000 + b"\r\n\r\n"))
        self.assertNotIn(b" 200 ", self.http(b"POST /x HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"))
        idle = [socket.socket(socket.AF_UNIX) for _ in range(100)]
        for one in idle:
            one.connect(self.path("distlab/berlin.sock"))
        files = len(os.listdir(f"/proc/{relay.process.pid}/fd"))
        self.assertLess(files, 60)
        for one in idle:
            one.close()
        self.assertIn(b" 200 ", self.http(b"GET /status HTTP/1.0\r\n\r\n"))

    # The metrics parse as Prometheus' text format, and hold what they should.
    def test_metrics(self):
        relay = self.relay("--realm", "io.macula")
        self.agent("alice@home.test", relay).wait_for("mesh_up")
        self.agent("bob@office.test", relay, "--connect", "alice@home.test").wait_for("node_up")
        self.agent("eve@home.test", relay, "--realm", "io.other").wait_for("mesh_failed")
        relay_metrics = check_exposition(self, self.ask("relay", "metrics"))
        self.assertEqual(relay_metrics["distlab_relay_sessions", ()], 2)
        self.assertGreater(relay_metrics["distlab_relay_bytes_total", (("way", "in"),)], 0)
        self.assertGreaterEqual(relay_metrics["distlab_event_reasons_total", (("kind", "session_refused"),
                                                                              ("reason", "refused: realm"))], 1)
        self.assertGreaterEqual(relay_metrics["distlab_relay_refusals_total", (("kind", "session_refused"),
                                                                               ("reason", "refused: realm"))], 1)
        self.assertEqual(relay_metrics["distlab_relay_tunnels", ()], 1)
        self.assertEqual(relay_metrics["distlab_relay_tunnel_ends", ()], 2)
        frames = {dict(labels)["type"]: value for (name, labels), value in relay_metrics.items()
                  if name == "distlab_relay_frames_in_total"}
        self.assertGreaterEqual(frames["connect"], 3)
        self.assertEqual(frames["publish"], relay_metrics["distlab_relay_publishes_total", ()])
        self.assertGreaterEqual(relay_metrics["distlab_relay_deliveries_total", ()], frames["publish"] - 1)
        self.assertEqual(frames["call"], relay_metrics["distlab_relay_calls_total", ()])
        self.assertEqual(relay_metrics["distlab_quic_connections", ()], 2)
        self.assertEqual(relay_metrics["distlab_quic_handshakes", ()], 0)
        self.assertGreater(relay_metrics["distlab_quic_bytes_total", (("way", "in"),)],
                           relay_metrics["distlab_relay_bytes_total", (("way", "in"),)])
        self.assertIn(("distlab_quic_packets_lost_total", ()), relay_metrics)
        self.assertGreater(relay_metrics["distlab_quic_datagrams_total", (("kind", "short"), ("way", "in"))], 0)
        self.assertGreater(relay_metrics["process_resident_memory_bytes", ()], 1e6)
        self.assertAlmostEqual(relay_metrics["process_start_time_seconds", ()], time.time(), delta=120)
        agent_metrics = check_exposition(self, self.ask("agent", "metrics", "--name", "alice@home.test"))
        self.assertEqual(agent_metrics["distlab_tunnels", ()], 1)
        self.assertEqual(agent_metrics["distlab_agent_nodes", ()], 1)
        curl = subprocess.run(["curl", "-si", "--unix-socket", self.path("distlab/berlin.sock"),
                               "http://localhost/metrics"], capture_output=True, text=True)
        self.assertIn("text/plain; version=0.0.4", curl.stdout)

    # Lines of the log: one event each, with a time, as text and as JSON; the level leaves out.
    def test_log(self):
        relay = self.relay("--log-format", "json", "--log-level", "debug")
        text = Daemon(self, "relay", "--self-signed", "--listen", "127.0.0.1:0", "--name", "quiet", "--log-level",
                      "warning")
        deadline = time.monotonic() + 10
        while not os.path.exists(self.path("distlab/quiet.sock")) and time.monotonic() < deadline:
            time.sleep(0.02)
        relay.stop()
        self.assertEqual(text.stop()[0], 0)
        self.assertEqual(text.log(), "")
        lines = [json.loads(line) for line in relay.log().splitlines()]
        self.assertEqual([line["event"] for line in lines], ["listening", "started", "stopping", "stopped"])
        now = datetime.datetime.now(datetime.timezone.utc)
        for line in lines:
            self.assertRegex(line["time"], TIMESTAMP)
            said = datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00"))
            self.assertLess(abs((now - said).total_seconds()), 60)

    # A service manager is told when the daemon is ready and when it stops.
    def test_notify(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(self.path("notify"))
            manager.settimeout(10)
            daemon = Daemon(self, "relay", "--self-signed", "--listen", "127.0.0.1:0",
                            env=dict(self.environment, NOTIFY_SOCKET=self.path("notify")))
            self.assertIn(b"READY=1\n", manager.recv(1000))
            daemon.stop()
            self.assertEqual(manager.recv(1000), b"STOPPING=1")

    # Help that teaches; --help of every command works without anything running.
    def test_help(self):
        for command in ("relay", "agent"):
            self.assertIn("Examples", self.ask(command, "--help"))
        for command in ("relay status", "relay metrics", "agent ping", "agent nodes", "agent tunnels"):
            self.ask(*command.split(), "--help")


def check_exposition(test, text):
    """Prometheus' text format, version 0.0.4, read strictly; the samples by name and labels."""
    test.assertTrue(text.endswith("\n"))
    sample = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? '
                        r'(-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?)|[+-]Inf|NaN)$')
    label = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
    kinds, helped, family, samples = {}, set(), None, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split(" ", 3)[2]
            test.assertGreater(len(line.split(" ", 3)[3]), 5, line)
            test.assertNotIn(family, helped, "a family in two places")
            helped.add(family)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            test.assertEqual(name, family, "TYPE follows HELP of the same family")
            test.assertIn(kind, ("counter", "gauge", "histogram"))
            test.assertEqual(kind == "counter", name.endswith("_total"), line)
            kinds[name] = kind
        else:
            found = sample.match(line)
            test.assertIsNotNone(found, line)
            name, labels = found.group(1), tuple(sorted(label.findall(found.group(2) or "")))
            allowed = [family + s for s in ("_bucket", "_sum", "_count")] if kinds[family] == "histogram" else [family]
            test.assertIn(name, allowed, line)
            test.assertNotIn((name, labels), samples, line)
            samples[name, labels] = float(found.group(3))
    for name, kind in kinds.items():
        if kind != "histogram":
            continue
        buckets = sorted((float(dict(labels)["le"]), value) for (of, labels), value in samples.items()
                         if of == name + "_bucket")
        test.assertEqual([value for _, value in buckets], sorted(value for _, value in buckets))
        test.assertEqual(buckets[-1], (float("inf"), samples[name + "_count", ()]))
    return samples


if __name__ == "__main__":
    unittest.main(verbosity=2)
