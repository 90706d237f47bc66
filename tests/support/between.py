"""A proxy that understands LDAP well enough to do something between the requests of a client: edit behind its back, cut, signal."""

import ctypes
import os
import socket
import threading
from collections.abc import Callable

SEARCH, MODIFY = 0x63, 0x66
COUNTED = {SEARCH: "search", MODIFY: "modify"}


def _length(data: bytes, at: int) -> tuple[int, int] | None:
    """Length of a BER element whose length begins at `at`, and where its contents begin; None: not all there yet."""
    if len(data) <= at:
        return None
    first = data[at]
    if first < 128:
        return first, at + 1
    end = at + 1 + (first & 127)
    return (int.from_bytes(data[at + 1:end], "big"), end) if len(data) >= end else None


def _take_message(data: bytes) -> tuple[bytes, bytes]:
    """The first whole message, or nothing, and the rest."""
    found = _length(data, 1)
    if not found or len(data) < found[1] + found[0]:
        return b"", data
    end = found[1] + found[0]
    return data[:end], data[end:]


def _operation(message: bytes) -> int:
    """The tag of the operation: after the outer sequence and the message id."""
    _, at = _length(message, 1)
    size, at = _length(message, at + 1)
    return message[at + size]


class Cut(Exception):
    """Raised by a hook: the connection ends here, the request is not passed on."""


def _enter_network(pid: int):
    """Takes this thread, and it only, into the network of a process."""
    fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(fd)


class Between:
    """Listens on a port of its own. before("modify", n, hook) calls hook() before the n-th modify of all connections is passed on;
    n = 0 is each. `counts` says how many requests of a kind there were. `network`: a process in whose network it is to be."""

    def __init__(self, port: int, host: str = "127.0.0.1", network: int | None = None):
        self._target, self._network = (host, port), network
        self._hooks: list[tuple[str, int, Callable[[], object]]] = []
        self.counts = {"search": 0, "modify": 0}
        self.failure: Exception | None = None
        self._links: list[socket.socket] = []
        self._is_ready = threading.Event()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        assert self._is_ready.wait(20)
        return self

    def __exit__(self, *_):
        self.cut()
        self._listener.close()

    def before(self, kind: str, number: int, hook: Callable[[], object]):
        self._hooks.append((kind, number, hook))

    def cut(self):
        """Ends all connections."""
        for link in [self._listener, *self._links]:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        if self._network:
            _enter_network(self._network)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ldap://127.0.0.1:{self._listener.getsockname()[1]}"
        self._is_ready.set()
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:  # the server is down for the moment
                client.close()
                continue
            self._links += [client, server]
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answers, args=(server, client), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket):
        data = b""
        try:
            while chunk := client.recv(65536):
                data += chunk
                message, data = _take_message(data)
                while message:
                    self._look(COUNTED.get(_operation(message)))
                    server.sendall(message)
                    message, data = _take_message(data)
        except (OSError, Cut):
            pass
        except Exception as error:  # a hook that fails must fail the test, not hang it
            self.failure = error
        finally:
            self._end(client, server)

    def _look(self, kind: str | None):
        if not kind:
            return
        self.counts[kind] += 1
        for wanted, number, hook in self._hooks:
            if wanted == kind and number in (0, self.counts[kind]):
                hook()

    def _answers(self, server: socket.socket, client: socket.socket):
        try:
            while chunk := server.recv(65536):
                client.sendall(chunk)
        except OSError:
            pass
        finally:
            self._end(client, server)

    @staticmethod
    def _end(*links: socket.socket):
        for link in links:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
