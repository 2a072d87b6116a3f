"""The actor's side of the probe protocol for tests: hands out a plan, collects what is reported."""
import socket
import struct
import threading
import time

import etf
from etf import Atom

SECOND = 1_000_000_000


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def plan(origin, actions=(), **more):
    """Actions are dictionaries with plain keys; times in seconds become nanoseconds."""
    def action(index, given):
        made = {"index": index, "payload": 0, "arrival": "periodic", "timeout": 5.0, **given}
        for key in ("at", "until", "period", "timeout"):
            if isinstance(made.get(key), (int, float)):
                made[key] = round(made[key] * SECOND)
        atoms = ("kind", "arrival", "timeout")
        return {Atom(k): Atom(v) if k in atoms and isinstance(v, str) else v for k, v in made.items()}
    full = {"origin": origin, "quiet": [], "cookies": [], "join": Atom("undefined"), "peers": [],
            "actions": [action(i, a) for i, a in enumerate(actions)], **more}
    return (Atom("plan"), {Atom(k): v for k, v in full.items()})


class Event:
    def __init__(self, term):
        self.time, self.kind, self.subject = term[0], term[1].decode(), term[2].decode()
        self.fields = {k.decode(): v.decode() if isinstance(v, bytes) else v for k, v in term[3]}

    def __repr__(self):
        return f"{self.time / SECOND:.3f} {self.kind} {self.subject} {self.fields}"


class Actor:
    """One per node. Give `address` to the node as DISTLAB_PROBE."""

    def __init__(self, test):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.frames, self.events, self.cookies = [], [], []
        self.changed = threading.Condition()
        self.connection = None
        self.ended = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        test.addCleanup(self.close)

    def _run(self):
        try:
            self.connection, _ = self.listener.accept()
            stream = self.connection.makefile("rb")
            while len(size := stream.read(4)) == 4:
                self._frame(etf.decode(stream.read(struct.unpack(">I", size)[0])))
        except OSError:
            pass
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _frame(self, term):
        with self.changed:
            if isinstance(term, tuple) and term[0] == "events":
                self.events += map(Event, term[1])
            elif isinstance(term, tuple) and term[0] == "cookie":
                self.cookies.append((term[1].decode(), term[2].decode()))
            else:
                self.frames.append(term)
            self.changed.notify_all()

    def send(self, term):
        data = etf.encode(term)
        self.connection.sendall(struct.pack(">I", len(data)) + data)

    def wait(self, condition, what, timeout=20):
        with self.changed:
            if not self.changed.wait_for(lambda: condition(self) or self.ended, timeout) or not condition(self):
                raise AssertionError(f"no {what}; frames {self.frames}, events:\n" +
                                     "\n".join(map(repr, self.events[-50:])))

    def hello(self):
        self.wait(lambda a: a.frames, "hello")
        return self.frames[0]

    def start(self, actions=(), origin=None, **more):
        """Sends the plan and waits until the workload has begun."""
        self.hello()
        self.origin = now_ns() if origin is None else origin
        self.send(plan(self.origin, actions, **more))
        self.wait(lambda a: "ready" in a.frames, "ready")

    def of(self, kind):
        with self.changed:
            return [e for e in self.events if e.kind == kind]

    def wait_for(self, kind, count=1, timeout=20):
        self.wait(lambda a: sum(e.kind == kind for e in a.events) >= count, f"{count} x {kind}", timeout)
        return self.of(kind)

    def finish(self):
        self.send(Atom("finish"))
        self.wait(lambda a: "finished" in a.frames, "finished")

    def close(self):
        self.listener.close()
        if self.connection:
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.connection.close()
