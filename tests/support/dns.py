"""A name server that says what a test wants to hear: SRV records, or one of the ways of saying nothing."""

import socket
import struct
import threading

SRV, IN = 33, 1
NO_ERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
SILENCE = "silence"


def _name(text: str) -> bytes:
    labels = [label for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def _read_name(packet: bytes, at: int) -> tuple[str, int]:
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels), at + 1


class NameServer:
    """Answers on a UDP port of loopback, until the with block ends. records: name -> [(priority, weight, port, target)], a response code,
    or SILENCE; other names do not exist. asked lists the names that were asked for."""

    def __init__(self, records: dict):
        self.records = {name.lower(): value for name, value in records.items()}
        self.asked: list[str] = []

    def __enter__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._socket.sendto(b"", self._socket.getsockname())  # an empty packet ends it
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while True:
            packet, client = self._socket.recvfrom(4096)
            if not packet:
                return
            name, end = _read_name(packet, 12)
            kind, _ = struct.unpack_from(">HH", packet, end)
            self.asked.append(name)
            answer = self.records.get(name.lower(), NXDOMAIN)
            if answer == SILENCE:
                continue
            code, rows = (answer, []) if isinstance(answer, int) else (NO_ERROR, answer if kind == SRV else [])
            reply = packet[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(rows), 0, 0) + packet[12:end + 4]
            for priority, weight, port, target in rows:
                data = struct.pack(">HHH", priority, weight, port) + _name(target)
                reply += b"\xc0\x0c" + struct.pack(">HHIH", SRV, IN, 60, len(data)) + data
            self._socket.sendto(reply, client)
