"""A TCP proxy that makes the network slow, deaf or broken, and keeps what went through."""

import collections
import socket
import struct
import threading
import time

from .process import await_true


class _Direction:
    """Carries bytes from one socket to the other, each no earlier than `delay` seconds after it came."""

    def __init__(self, link: "_Link", name: str, source: socket.socket, target: socket.socket):
        self._link, self._proxy, self._source, self._target = link, link.proxy, source, target
        self._name, self._record = name, getattr(link, name)
        self._queue: collections.deque = collections.deque()
        self._filled = threading.Semaphore(0)
        for work in (self._read, self._write):
            threading.Thread(target=work, daemon=True).start()

    def _put(self, data: bytes):
        self._queue.append((time.monotonic() + self._proxy.delay, data))
        self._filled.release()

    def _read(self):
        try:
            while data := self._source.recv(65536):
                self._put(data)
        except OSError:
            pass
        self._put(b"")

    def _write(self):
        while True:
            self._filled.acquire()
            due, data = self._queue.popleft()
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            self._proxy.flowing.wait()
            limit = getattr(self._proxy, f"cut_after_{self._name}")
            room = len(data) if limit is None else max(0, limit - len(self._record))
            try:
                if data:
                    self._record += data[:room]
                    self._target.sendall(data[:room])
                else:
                    self._target.shutdown(socket.SHUT_WR)
            except OSError:
                return
            if len(data) > room:
                self._link.cut()
            if not data or len(data) > room:
                return


class _Link:
    """One connection of a client."""

    def __init__(self, proxy: "Proxy", client: socket.socket, server: socket.socket | None):
        self.proxy = proxy
        self.sent, self.received = bytearray(), bytearray()
        self._sockets = [client] + ([server] if server else [])
        proxy.links.append(self)
        if server:
            _Direction(self, "sent", client, server)
            _Direction(self, "received", server, client)

    def cut(self):
        """Resets both sides."""
        for end in self._sockets:
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


class Proxy:
    """Listens on a loopback port of its own and passes on to `target` (host, port); without a target it accepts and never answers.

    delay: seconds each way; may be changed at any time. cut_after_sent, cut_after_received: a connection is reset when so many bytes have passed.
    hold() stops the flow and go_on() lets it run again, connections stay open. cut() resets all connections. refuse() closes the door too,
    accept() opens it again on the same port. links holds one object a connection, with the bytes `sent` and `received`.
    """

    def __init__(self, target: tuple[str, int] | None, delay: float = 0):
        self.target, self.delay = target, delay
        self.cut_after_sent: int | None = None
        self.cut_after_received: int | None = None
        self.links: list[_Link] = []
        self.flowing = threading.Event()
        self.flowing.set()
        self.port = 0
        self._listener: socket.socket | None = None

    def __enter__(self):
        self.accept()
        return self

    def __exit__(self, *_):
        self.refuse()
        self.go_on()

    def uri(self, scheme: str = "ldap", host: str = "127.0.0.1") -> str:
        """Where clients connect to."""
        return f"{scheme}://{host}:{self.port}"

    def accept(self):
        """Opens the door, the first time on a free port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def _serve(self, listener: socket.socket):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target) if self.target else None
            except OSError:
                client.close()
                continue
            _Link(self, client, server)

    def hold(self):
        """Nothing passes from now on."""
        self.flowing.clear()

    def go_on(self):
        """What was held passes."""
        self.flowing.set()

    def cut(self):
        """Resets all connections."""
        for link in self.links:
            link.cut()

    def refuse(self):
        """Resets all connections, and new ones are refused."""
        listener, self._listener = self._listener, None
        if listener:
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        self.cut()

    def await_links(self, count: int = 1):
        """Waits until so many connections have come."""
        await_true(lambda: len(self.links) >= count, f"{count} connections")

    @property
    def sent(self) -> bytes:
        """What all clients sent, in the order of their connections."""
        return b"".join(link.sent for link in self.links)

    @property
    def received(self) -> bytes:
        """What all clients were sent."""
        return b"".join(link.received for link in self.links)
