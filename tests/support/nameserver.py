"""A real name server on loopback: NSD, without rights, in a private folder."""

import signal
import socket
import struct
from pathlib import Path

from .process import Daemon, free_port, short_folder

PROGRAM = "/usr/sbin/nsd"
HEAD = "$ORIGIN {zone}.\n$TTL 60\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n"
CONFIG = """server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  server-count: 1
  refuse-any: no
remote-control:
  control-enable: no
"""


class RealNameServer:
    """Serves zones until the with block ends: name of the zone -> lines of its zone file, without SOA and NS. It answers for nothing else:
    other names are REFUSED."""

    def __init__(self, zones: dict[str, list[str]]):
        self.folder = short_folder("nsd")
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.config = self.folder / "nsd.conf"
        text = CONFIG.format(port=self.port, folder=self.folder)
        for zone, lines in zones.items():
            path = self.folder / f"{zone}.zone"
            path.write_text(HEAD.format(zone=zone) + "\n".join(lines) + "\n")
            text += f'zone:\n  name: "{zone}"\n  zonefile: "{path}"\n'
        self.config.write_text(text)
        self._zone = next(iter(zones))

    def __enter__(self):
        self._daemon = Daemon([PROGRAM, "-d", "-c", self.config], Path(self.folder / "log"))
        self._daemon.await_ready(self._answers, "nsd")
        return self

    def __exit__(self, *_):
        self._daemon.end(signal.SIGTERM)

    def _answers(self) -> bool:
        """The zone is served when its SOA comes back."""
        labels = b"".join(bytes([len(label)]) + label.encode() for label in self._zone.split("."))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            try:
                probe.connect(("127.0.0.1", self.port))
                probe.send(struct.pack(">HHHHHH", 7, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 6, 1))
                answer = probe.recv(512)
            except OSError:
                return False
        return answer[3] & 15 == 0 and answer[7] > 0
