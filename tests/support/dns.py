"""A name server that says what a test wants to hear: records, or one of the ways of saying nothing."""

import socket
import struct
import threading
from dataclasses import dataclass

from .process import free_port

A, CNAME, AAAA, SRV, IN = 1, 5, 28, 33, 1
NO_ERROR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 0, 2, 3, 4, 5
SILENCE = "silence"
ANSWERED = 0x8180  # a recursive server's answer
TRUNCATED = 0x0200


def _name(text: str) -> bytes:
    labels = [label for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def _read_name(packet: bytes, at: int) -> tuple[str, int]:
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels), at + 1


@dataclass
class Query:
    """One question as it came in; number counts those for this name and type from 1."""
    packet: bytes
    name: str
    kind: int
    number: int
    is_tcp: bool

    def reply(self, rows=(), code: int = NO_ERROR, flags: int = ANSWERED) -> bytes:
        """rows: (priority, weight, port, target) is an SRV record, "192.0.2.1" an A record, ("CNAME", target) an alias; those of another
        type than was asked for are left out, aliases apart."""
        data = [record for record in map(_record, rows) if record[0] in (self.kind, CNAME)]
        end = _read_name(self.packet, 12)[1] + 4
        answer = self.packet[:2] + struct.pack(">HHHHH", flags | code, 1, len(data), 0, 0) + self.packet[12:end]
        owner = b"\xc0\x0c"
        for kind, rdata in data:
            answer += owner + struct.pack(">HHIH", kind, IN, 60, len(rdata)) + rdata
            owner = rdata if kind == CNAME else owner
        return answer


def _record(row) -> tuple[int, bytes]:
    if isinstance(row, str):
        return (AAAA, socket.inet_pton(socket.AF_INET6, row)) if ":" in row else (A, socket.inet_aton(row))
    if row[0] == "CNAME":
        return CNAME, _name(row[1])
    return SRV, struct.pack(">HHH", *row[:3]) + _name(row[3])


class NameServer:
    """Answers on a UDP and a TCP port of loopback, until the with block ends. records: name -> rows (see Query.reply), a response code,
    SILENCE, or a function of a Query that returns the answer's bytes, or None; other names do not exist, or are what `others` says. asked
    lists the names that were asked for, queries the whole questions."""

    def __init__(self, records: dict, others=NXDOMAIN):
        self.records = {name.lower(): value for name, value in records.items()}
        self.others = others
        self.asked: list[str] = []
        self.queries: list[Query] = []

    def __enter__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        port = free_port()
        self._socket.bind(("127.0.0.1", port))
        self._stream = socket.socket()
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._stream.bind(("127.0.0.1", port))
        self._stream.listen()
        self.address = f"127.0.0.1:{port}"
        self._threads = [threading.Thread(target=serve, daemon=True) for serve in (self._serve, self._serve_streams)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._socket.sendto(b"", self._socket.getsockname())  # an empty packet ends the one, a connection that says nothing the other
        with socket.create_connection(self._stream.getsockname()):
            pass
        for thread in self._threads:
            thread.join()
        self._socket.close()
        self._stream.close()

    def _answer(self, packet: bytes, is_tcp: bool) -> bytes | None:
        name, end = _read_name(packet, 12)
        kind, _ = struct.unpack_from(">HH", packet, end)
        number = 1 + sum(1 for query in self.queries if (query.name.lower(), query.kind) == (name.lower(), kind))
        query = Query(packet, name, kind, number, is_tcp)
        self.asked.append(name)
        self.queries.append(query)
        answer = self.records.get(name.lower(), self.others)
        if callable(answer):
            return answer(query)
        if answer == SILENCE:
            return None
        return query.reply(code=answer) if isinstance(answer, int) else query.reply(answer)

    def _serve(self):
        while True:
            packet, client = self._socket.recvfrom(4096)
            if not packet:
                return
            if answer := self._answer(packet, False):
                self._socket.sendto(answer, client)

    def _serve_streams(self):
        while True:
            client, _ = self._stream.accept()
            with client, client.makefile("rb") as stream:
                size = stream.read(2)
                if not size:
                    return
                answer = self._answer(stream.read(struct.unpack(">H", size)[0]), True)
                if answer:
                    client.sendall(struct.pack(">H", len(answer)) + answer)
                    stream.read(1)  # until the client has read it
