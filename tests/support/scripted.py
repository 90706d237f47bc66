"""An LDAP server that answers as a test dictates: what real servers seldom do, and hostile ones may."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

BIND, UNBIND, SEARCH, MODIFY, EXTENDED = 0x60, 0x42, 0x63, 0x66, 0x77
BIND_DONE, SEARCH_ENTRY, SEARCH_DONE, SEARCH_REFERENCE, MODIFY_DONE, EXTENDED_DONE, INTERMEDIATE = 0x61, 0x64, 0x65, 0x73, 0x67, 0x78, 0x79
NOTICE_OF_DISCONNECTION = "1.3.6.1.4.1.1466.20036"


def ber(tag: int, *parts: bytes) -> bytes:
    """One element in BER."""
    contents = b"".join(parts)
    size = len(contents)
    length = bytes([size]) if size < 128 else bytes([0x84]) + size.to_bytes(4, "big")
    return bytes([tag]) + length + contents


def text(value: str | bytes, tag: int = 0x04) -> bytes:
    return ber(tag, value if isinstance(value, bytes) else value.encode())


def number(value: int, tag: int = 0x02) -> bytes:
    return ber(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def result(tag: int, code: int = 0, diagnostic: str = "", referrals: tuple = (), tail: bytes = b"") -> bytes:
    """The end of an operation."""
    more = ber(0xA3, *(text(url) for url in referrals)) if referrals else b""
    return ber(tag, number(code, 0x0A), text(""), text(diagnostic), more, tail)


def entry(dn: str, attributes: dict) -> bytes:
    """A search entry; values are lists of text or bytes."""
    rows = [ber(0x30, text(name), ber(0x31, *(text(value) for value in values))) for name, values in attributes.items()]
    return ber(SEARCH_ENTRY, text(dn), ber(0x30, *rows))


def message(number_of_message: int, operation: bytes, controls: bytes = b"") -> bytes:
    return ber(0x30, number(number_of_message), operation, controls)


def notice(diagnostic: str, oid: str = NOTICE_OF_DISCONNECTION) -> bytes:
    """An unsolicited notification (RFC 4511 section 4.4)."""
    return message(0, result(EXTENDED_DONE, 52, diagnostic, tail=text(oid, 0x8A)))


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """The elements that stand side by side in data."""
    found = []
    while data:
        size, start = data[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[2:start], "big")
        found.append((data[0], data[start:start + size]))
        data = data[start + size:]
    return found


@dataclass
class Request:
    """What a client asked for; name is the base of a search or the DN of a bind or modify."""

    id: int
    tag: int
    name: str
    attributes: list[str]
    parts: list[tuple[int, bytes]] = field(repr=False)  # the elements of the operation
    controls: list[str]
    send: Callable[[bytes], None] = field(repr=False)

    @property
    def scope(self) -> int:
        """Of a search: 0 is the entry, 1 what is just below, 2 everything."""
        return self.parts[1][1][0]

    @property
    def filter(self) -> tuple[int, bytes]:
        """Of a search."""
        return self.parts[6]

    @property
    def changes(self) -> list[tuple[str, str, list[bytes]]]:
        """Of a modify: what is done to which attribute with which values."""
        found = []
        for _, change in elements(self.parts[1][1]):
            (_, kind), (_, row) = elements(change)
            (_, name), (_, values) = elements(row)
            found.append((("add", "delete", "replace")[kind[0]], name.decode(), [value for _, value in elements(values)]))
        return found

    def reply(self, *operations: bytes):
        """Answers with this request's message id."""
        self.send(b"".join(message(self.id, operation) for operation in operations))


class ScriptedServer:
    """Calls script(request) for each request, in a thread; a script that returns "close" ends the connection. Ends with the with block.

    address is one of loopback, on all of which a port (0: any that is free) may be in use once."""

    def __init__(self, script: Callable[[Request], object], address: str = "127.0.0.1", port: int = 0):
        self._script = script
        self._place = (address, port)
        self.requests: list[Request] = []
        self.connected = threading.Event()

    def __enter__(self):
        self._listener = socket.create_server(self._place)
        self.address, self.port = self._listener.getsockname()
        self.uri = f"ldap://{self.address}:{self.port}"
        self._links: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for link in [self._listener, *self._links]:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            link.close()

    def _accept(self):
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self._links.append(link)
            self.connected.set()
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket):
        try:
            with link.makefile("rb") as stream:
                while request := self._read(stream, link):
                    self.requests.append(request)
                    if request.tag == UNBIND or self._script(request) == "close":
                        break
            link.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    @staticmethod
    def _read(stream, link) -> Request | None:
        head = stream.read(2)
        if len(head) < 2 or head[0] != 0x30:  # the end, or not LDAP: a TLS handshake
            stream.read()
            return None
        size = head[1]
        if size & 0x80:
            size = int.from_bytes(stream.read(size & 0x7F), "big")
        (_, number_of_message), (tag, body), *more = elements(stream.read(size))
        parts = elements(body) if tag & 0x20 else []
        name = parts[1 if tag == BIND else 0][1].decode() if parts else ""
        attributes = [value.decode() for _, value in elements(parts[7][1])] if tag == SEARCH else []
        controls = [elements(control)[0][1].decode() for _, control in elements(more[0][1])] if more else []
        return Request(int.from_bytes(number_of_message, "big"), tag, name, attributes, parts, controls, link.sendall)
