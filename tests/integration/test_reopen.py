"""A connection that is cut while accounts are written: the next one is protected and logged on as the first one was."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.lab import open_lab  # noqa: E402
from support.proxies import Proxy  # noqa: E402

SOME_ANSWERS = 400  # bytes of answers to changes before the cut, whatever the protection adds


class OneCut(Proxy):
    """Cuts the first connection after so many bytes from the server, and no other one."""

    def __init__(self, port: int, limit: int | None = None):
        self.limit = limit
        super().__init__(("127.0.0.1", port))

    @property
    def cut_after_received(self) -> int | None:
        is_cut = self.limit is None or not self.links or len(self.links[0].received) >= self.limit
        return None if is_cut else self.limit

    @cut_after_received.setter
    def cut_after_received(self, _):
        pass


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = open_lab("ad", tmp_path_factory.mktemp("reopen"), count=200)
    yield lab
    lab.server.close()


def login(lab, way: str) -> tuple[int, callable, list]:
    """The server's port, the URI at a proxy, and options, for a way to log on."""
    server = lab.server
    simple = ["-D", server.manager_dn, "-y", lab.password_file]
    tls = ["--tls-ca", server.ca_file]
    if way == "plain":
        return server.port, lambda proxy: proxy.uri(), simple
    if way == "starttls":
        return server.port, lambda proxy: proxy.uri(), ["-Z", *tls, *simple]
    if way == "ldaps":
        return server.tls_port, lambda proxy: proxy.uri("ldaps"), [*tls, *simple]
    return server.port, lambda proxy: proxy.uri(host="localhost"), ["-Y", way, "-U", server.manager_name, "-y", lab.password_file]


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("way", ["plain", "starttls", "ldaps", "SCRAM-SHA-256", "DIGEST-MD5"])
def test_the_next_connection_is_as_the_first(lab, way, connections):
    port, uri, options = login(lab, way)
    people = lab.people.of("healthy")
    names = [lab.account(person) for person in people]
    enable = ["--window", "4", "--connections", str(connections), "--yes", *names]
    with OneCut(port) as proxy:
        lab.run("imenable", "-H", uri(proxy), *options, "--dry-run", *enable)
        before_changes = len(proxy.links[0].received)
    with OneCut(port, before_changes + SOME_ANSWERS) as proxy:
        done = lab.run("imenable", "-H", uri(proxy), *options, "-vv", *enable)
        assert len(proxy.links) == 1 + connections
    assert "connecting again" in done.stderr and "connected again" in done.stderr
    bound = [line for line in done.stderr.splitlines() if ": bound as " in line]
    assert len(bound) == 1 + connections and len(set(bound)) == 1
    if way in ("starttls", "ldaps"):
        assert done.stderr.count("with TLS") == 1 + connections
    for person, name in zip(people, names):
        assert lab.is_enabled(person["dn"], name), name
    lab.run("imdisable", "--yes", *names)
