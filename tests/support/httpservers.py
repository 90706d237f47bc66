"""Web servers that answer as a home, a router, or one of the many things that stand in their place, and remember what they were asked."""

import os
import socket
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .process import Daemon, free_port

IIS = "Microsoft-IIS/5.0"
RVP = "RVP-Notifications-Version: 0.2"
PATH = "/instmsg/"
NTLM = ("Negotiate", "NTLM")


@dataclass
class Request:
    method: str
    path: str
    head: str  # as it was sent

    @property
    def host(self) -> str:
        return self.header("host")

    def header(self, name: str) -> str:
        """Empty where there is none."""
        found = [line.partition(":")[2].strip() for line in self.head.splitlines()[1:] if line.partition(":")[0].lower() == name]
        return found[0] if found else ""


def answer(status: int, *headers: str, server: str = IIS, body: str = "") -> bytes:
    """An answer as bytes; `server` "" leaves the header out."""
    lines = [f"HTTP/1.1 {status} x", *([f"Server: {server}"] if server else []), *headers, f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


# ---- behaviours: from a request to the bytes of an answer, or None to close the connection without any ----


def asks_to_log_on(schemes=NTLM, *more: str, server: str = IIS) -> bytes:
    return answer(401, *(f"WWW-Authenticate: {scheme}" for scheme in schemes), *more, server=server)


def healthy(people=(), schemes=NTLM):
    """A home: asks to log on, knows its people only, and answers 501 to what the service has no use for."""
    def behave(request: Request) -> bytes:
        if request.method != "PROPFIND":
            return answer(501, RVP)
        alias = request.path.rpartition("/")[2]
        return answer(404, RVP) if alias and alias not in people else asks_to_log_on(schemes, RVP)
    return behave


def router(homes: dict[str, str], schemes=NTLM):
    """Sends people to where they are homed: alias -> URL."""
    def behave(request: Request) -> bytes:
        if request.method != "PROPFIND":
            return answer(501, RVP)
        alias = request.path.rpartition("/")[2]
        if not alias:
            return asks_to_log_on(schemes, RVP)
        return answer(302, RVP, f"Location: {homes[alias]}") if alias in homes else answer(404, RVP)
    return behave


def always(status: int, *headers: str, server: str = IIS, body: str = "x"):
    return lambda request: answer(status, *headers, server=server, body=body)


def by_method(**behaviours):
    """GET=..., PROPFIND=..."""
    return lambda request: behaviours[request.method](request)


def no_service(request: Request) -> bytes:
    """The web server without instant messaging behind it: nothing of that name."""
    return answer(404)


def broken_script_map(request: Request) -> bytes:
    return answer(500)


def open_directory(request: Request) -> bytes:
    """No script map at all: GET lists the files, and the web server's own WebDAV knows nothing of the rest."""
    return answer(200, body="<html>Index</html>") if request.method == "GET" else answer(404)


def secured(request: Request) -> bytes:
    return answer(403, body="This page must be viewed over a secure channel")


def hardened(request: Request) -> bytes:
    """URLScan: every method but the common ones is a page that is not there."""
    return answer(501, RVP) if request.method in ("GET", "HEAD", "POST") else answer(404)


def garbage(request: Request) -> bytes:
    return b"220 mail.corp.example ESMTP ready\r\n"


def tls_alert(request: Request) -> bytes:
    """What a server that speaks TLS sends back when it reads plain HTTP: fatal, unexpected message."""
    return b"\x15\x03\x01\x00\x02\x02\x0a"


def closes(request: Request) -> None:
    return None


class WebServer:
    """Answers on loopback until the with block ends: on a port of its own, or where it is told. requests lists what came, in its order.

    `behave` returns bytes, None, or a generator of bytes; a generator may wait on `ended`, which is set when the block ends.
    """

    def __init__(self, behave: Callable[[Request], object], address: tuple[str, int] = ("127.0.0.1", 0)):
        self.behave = behave
        self.address = address
        self.requests: list[Request] = []
        self.arrived = threading.Condition()
        self.ended = threading.Event()

    def __enter__(self):
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                outer._talk(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 64

        self._server = Server(self.address, Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _talk(self, connection: socket.socket):
        rest = b""
        while not self.ended.is_set():
            head, rest = self._read_head(connection, rest)
            if head is None or not self._answer(connection, head):
                return

    @staticmethod
    def _read_head(connection, rest: bytes):
        while b"\r\n\r\n" not in rest:
            try:
                more = connection.recv(65536)
            except OSError:
                more = b""
            if not more:
                return None, b""
            rest += more
        head, _, rest = rest.partition(b"\r\n\r\n")
        return head.decode("latin-1"), rest

    def _answer(self, connection, head: str) -> bool:
        method, path, *_ = head.split(" ")
        request = Request(method, path, head)
        with self.arrived:
            self.requests.append(request)
            self.arrived.notify_all()
        said = self.behave(request)
        if said is None:
            return False
        try:
            for piece in [said] if isinstance(said, bytes) else said:
                connection.sendall(piece)
        except OSError:
            return False
        return isinstance(said, bytes) and said.startswith(b"HTTP/")

    def await_request(self, seconds: float = 30) -> bool:
        """True once there was a request."""
        with self.arrived:
            return self.arrived.wait_for(lambda: self.requests or self.ended.is_set(), seconds)


# ---- those that take their time ----


def hangs(server: WebServer, head: bytes = b""):
    """Sends `head` and then nothing, until the test is over."""
    def pieces():
        yield head
        server.ended.wait()
    return pieces()


def without_end(server: WebServer, head: bytes, piece: bytes):
    """Sends pieces until nobody reads them."""
    def pieces():
        yield head
        while not server.ended.is_set():
            yield piece
    return pieces()


class Lighttpd:
    """A real web server of another kind, as its packagers made it, with a page of its own. With root's rights it gives them up."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()

    def __enter__(self):
        root = self.folder / "www"
        root.mkdir()
        (root / "index.html").write_text("<html>Welcome to Corp</html>")
        log = self.folder / "access.log"
        log.touch()
        lines = [f'server.document-root = "{root}"', f"server.port = {self.port}", 'server.bind = "127.0.0.1"', 'server.modules = ("mod_accesslog")',
                 f'accesslog.filename = "{log}"', 'accesslog.format = "%m %U"', 'index-file.names = ("index.html")']
        if os.geteuid() == 0:
            lines.append('server.username = "nobody"')
            for path in (self.folder, root, root / "index.html", log):
                os.chown(path, 65534, 65534)
        configuration = self.folder / "lighttpd.conf"
        configuration.write_text("\n".join(lines) + "\n")
        self.log = log
        self.daemon = Daemon(["/usr/sbin/lighttpd", "-D", "-f", configuration], self.folder / "lighttpd.log")
        self.daemon.await_ready(self._answers, "lighttpd")
        return self

    def __exit__(self, *_):
        self.daemon.end()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def methods(self) -> list[str]:
        """What it was asked, once it has ended: it writes its log late."""
        return [line.split()[0] for line in self.log.read_text().splitlines() if line.strip()]
