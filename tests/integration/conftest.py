"""Servers and commands for the tests, and what holds for all of them: no program may end with a report of a sanitizer.

A server that cannot start fails the test and says why; nothing is skipped."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.support.certs import CertificateAuthority
from tests.support.command import Commands
from tests.support.process import short_folder
from tests.support.samba import SambaDC
from tests.support.samba_second import SecondDC
from tests.support.slapd import PrivateSlapd

LEAKS = Path(__file__).resolve().parents[1] / "support" / "leaks"
REPORTED = 99  # no command's status: a report never passes for "some accounts were refused"


def _add_options(name: str, options: str):
    os.environ[name] = ":".join(text for text in (os.environ.get(name), options) if text)


def pytest_configure(config):
    config.sanitizer_reports = tempfile.TemporaryDirectory(prefix="imdir-reports-")
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        _add_options(name, f"exitcode={REPORTED}:log_path={config.sanitizer_reports.name}/report")
    os.environ.setdefault("LSAN_OPTIONS", f"suppressions={LEAKS}:print_suppressions=0")


def pytest_unconfigure(config):
    config.sanitizer_reports.cleanup()


@pytest.fixture(autouse=True)
def no_sanitizer_report(request):
    """Fails the test during which a program, whoever started it, was found to misuse memory or to rely on undefined behaviour."""
    yield
    found = sorted(Path(request.config.sanitizer_reports.name).iterdir())
    text = "\n".join(path.read_text(errors="replace") for path in found)
    for path in found:
        path.unlink()
    assert not text, text


# ---- servers: the session's own, and as new for each test ----


@pytest.fixture(scope="session")
def ca():
    """One certificate authority for all servers."""
    return CertificateAuthority(short_folder("ca"))


def _slapd_with_people(flavor, ca):
    with PrivateSlapd(flavor, ca=ca) as server:
        server.load_people()
        server.snapshot()
        yield server


@pytest.fixture(scope="session")
def slapd_server(ca):
    yield from _slapd_with_people("ad", ca)


@pytest.fixture(scope="session")
def slapd_plain_server(ca):
    yield from _slapd_with_people("plain", ca)


@pytest.fixture(scope="session")
def samba_server(ca):
    with SambaDC(ca=ca) as server:
        server.load_people()
        server.snapshot()
        yield server


@pytest.fixture(scope="session")
def samba_pair_servers(ca):
    with SambaDC(ca=ca, model="prefork") as first:
        first.load_people(40)
        first.add_im_schema()
        with SecondDC(first, ca) as second:
            second.connect()
            yield second


@pytest.fixture
def slapd(slapd_server):
    """An AD-like slapd with people and servers, without the instant messaging schema."""
    slapd_server.reset()
    return slapd_server


@pytest.fixture
def slapd_plain(slapd_plain_server):
    """OpenLDAP as installed, with people."""
    slapd_plain_server.reset()
    return slapd_plain_server


@pytest.fixture
def samba(samba_server):
    """A Samba domain controller with people and servers, without the instant messaging schema."""
    samba_server.reset()
    return samba_server


@pytest.fixture
def samba_im(samba_server):
    """The same with the instant messaging schema."""
    if not samba_server.has_snapshot("im"):
        samba_server.reset()
        samba_server.add_im_schema()
        samba_server.snapshot("im")
    samba_server.reset("im")
    return samba_server


@pytest.fixture
def samba_pair(samba_pair_servers):
    """Two Samba domain controllers of one domain with people, servers and the instant messaging schema: this is the second, `first` the first.

    They cost half a minute, so that tests share them; what a test has changed is put back."""
    before = samba_pair_servers.contents()
    yield samba_pair_servers
    samba_pair_servers.put_back(before)


@pytest.fixture
def imdir(tmp_path):
    """Runs the commands in a clean environment: imdir("imenable", …)."""
    return Commands(tmp_path)
