"""An agent for tests: joins the BEAMs that connect to it into one mesh, in memory.

It speaks the agent's side of the protocol in macula/README.md and splices what one node dials to
what the other attaches. Runs on a thread of its own; the attributes of Agent and the methods below
`# From tests` may be used from any thread.
"""
import asyncio
import itertools
import socket
import struct
import threading

import etf
from etf import Atom

OK = Atom("ok")


def error(text):
    return (Atom("error"), text.encode())


class Tunnel:
    """Two ends and the bytes that went through; `frozen` keeps both directions from moving."""

    def __init__(self, id, caller, callee):
        self.id, self.caller, self.callee = id, caller, callee
        self.bytes = {caller: 0, callee: 0}  # by who sent them
        self.frames = {caller: 0, callee: 0}
        self.attached = asyncio.get_running_loop().create_future()
        self.frozen = False
        self.writers = []

    def metrics_of(self, node):
        other = self.callee if node == self.caller else self.caller
        return {Atom("id"): b"t%d" % self.id, Atom("peer"): other.encode(), Atom("state"): b"running",
                Atom("direction"): b"out" if node == self.caller else b"in",
                Atom("bytes_out"): self.bytes[node], Atom("bytes_in"): self.bytes[other],
                Atom("msgs_out"): self.frames[node], Atom("msgs_in"): self.frames[other]}


class Agent:
    def __init__(self):
        self.refuse = None  # text: joins are refused so
        self.silent = set()  # of "join", "dial", "metrics": no answer ever comes
        self.members = {}  # node: (request of its join, writer)
        self.tunnels = {}
        self.dialled = []  # (peer, cookie), in order
        self.cookies = []  # (node, cookie) of those that changed, in order
        self.split_metrics = False  # one tunnel per frame
        self._ids = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._writers = set()
        self._ready = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._connection, sock=self._listener, limit=1 << 20))
        self._ready.set()
        self._loop.run_forever()

    # From tests

    def close(self):
        """As when the agent is killed: every connection goes, and nobody listens any more."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def freeze(self, a, b, frozen=True):
        """Nothing moves between the two any more; nobody is told."""
        for tunnel in list(self.tunnels.values()):
            if {tunnel.caller, tunnel.callee} == {a, b}:
                tunnel.frozen = frozen

    def thaw(self, a, b):
        self.freeze(a, b, frozen=False)

    def freeze_when_set_up(self, dialled_by, after_bytes):
        """As freeze, once the caller of a tunnel has sent that many bytes."""
        self.freeze_after = (dialled_by, after_bytes)

    freeze_after = None

    def tell(self, node, term):
        """Sends any term on the control connection of a node."""
        self._loop.call_soon_threadsafe(self._send, self.members[node][1], term)

    def connections(self):
        return len(self._writers)

    # On the loop's thread

    async def _close(self):
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    @staticmethod
    def _send(writer, term):
        data = etf.encode(term)
        writer.write(struct.pack(">H", len(data)) + data)

    @staticmethod
    async def _receive(reader):
        size = struct.unpack(">H", await reader.readexactly(2))[0]
        return etf.decode(await reader.readexactly(size))

    async def _connection(self, reader, writer):
        self._writers.add(writer)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            first = await self._receive(reader)
            await {"join": self._join, "dial": self._dial, "attach": self._attach}[first[0]](first, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _join(self, message, reader, writer):
        request = message[1]
        if "join" in self.silent:
            await reader.read(1)
            return
        if self.refuse is not None:
            self._send(writer, error(self.refuse))
            return
        node = request["node"].decode()
        self.members[node] = (request, writer)
        self._send(writer, OK)
        try:
            while True:
                await self._question(node, await self._receive(reader), writer)
        finally:
            self.members.pop(node, None)
            for tunnel in list(self.tunnels.values()):
                if node in (tunnel.caller, tunnel.callee):
                    for end in tunnel.writers:
                        end.transport.abort()

    async def _question(self, node, question, writer):
        kind, ref = question
        if kind == "cookie":
            self.cookies.append((node, ref))
            return
        if kind in self.silent:
            return
        if kind == "status":
            self._send(writer, (Atom("status"), ref, {Atom("relay"): b"stub", Atom("connected"): True}))
            return
        mine = [t.metrics_of(node) for t in self.tunnels.values() if node in (t.caller, t.callee)]
        while self.split_metrics and len(mine) > 1:
            self._send(writer, (Atom("metrics"), ref, [mine.pop(0)], Atom("more")))
        self._send(writer, (Atom("metrics"), ref, mine))

    async def _dial(self, message, reader, writer):
        peer, cookie = message[1].decode(), message[2]
        self.dialled.append((peer, cookie))
        if "dial" in self.silent:
            await reader.read(1)
            return
        if peer not in self.members:
            self._send(writer, error("no such node: " + peer))
            return
        tunnel = Tunnel(next(self._ids), None, peer)
        self.tunnels[tunnel.id] = tunnel
        try:
            self._send(self.members[peer][1], (Atom("incoming"), tunnel.id))
            far_reader, far_writer, finished = await asyncio.wait_for(tunnel.attached, 30)
            tunnel.writers = [writer, far_writer]
            self._send(far_writer, OK)
            self._send(writer, OK)
            try:
                await self._splice(tunnel, reader, writer, far_reader, far_writer)
            finally:
                if not finished.done():
                    finished.set_result(None)
        finally:
            self.tunnels.pop(tunnel.id, None)

    async def _attach(self, message, reader, writer):
        tunnel = self.tunnels.get(message[1])
        if tunnel is None or tunnel.attached.done():
            self._send(writer, error("no such tunnel"))
            return
        finished = asyncio.get_running_loop().create_future()
        tunnel.attached.set_result((reader, writer, finished))
        await finished

    async def _splice(self, tunnel, reader, writer, far_reader, far_writer):
        # The first message of the handshake says who calls.
        hello = await reader.readexactly(2)
        hello += await reader.readexactly(struct.unpack(">H", hello)[0])
        tunnel.caller = hello[2 + 15:].decode()
        tunnel.bytes = {tunnel.caller: len(hello), tunnel.callee: 0}
        tunnel.frames = {tunnel.caller: 1, tunnel.callee: 0}
        far_writer.write(hello)
        pumps = [asyncio.ensure_future(self._pump(tunnel, tunnel.caller, reader, far_writer)),
                 asyncio.ensure_future(self._pump(tunnel, tunnel.callee, far_reader, writer))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        far_writer.close()
        writer.close()

    async def _pump(self, tunnel, sender, reader, writer):
        while data := await reader.read(1 << 18):
            if self.freeze_after and self.freeze_after[0] == tunnel.caller:
                tunnel.frozen |= tunnel.bytes[tunnel.caller] + (len(data) if sender == tunnel.caller else 0) \
                    > self.freeze_after[1]
            while tunnel.frozen:
                await asyncio.sleep(0.05)
            tunnel.bytes[sender] += len(data)
            tunnel.frames[sender] += 1
            writer.write(data)
            await writer.drain()
