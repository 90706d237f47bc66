"""imhome on a real Active Directory domain controller: a deleted server object, whose values the directory keeps."""

import json
import sys
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.ldif import way_back, without  # noqa: E402
from support.samba import NOTED  # noqa: E402
from support.servers import BARE, virtual_server  # noqa: E402
from test_accounts_samba import Domain, alias_of, dc, domain  # noqa: E402, F401

pytestmark = pytest.mark.samba

MANY = 30
HOST = "lost.sam.example.com"


@pytest.fixture
def crowd(domain: Domain) -> list[dict]:  # noqa: F811
    return domain.people.of("healthy", "umlaut", "comma")[:MANY]


@pytest.fixture
def accounts(domain: Domain, crowd) -> Path:  # noqa: F811
    path = domain.folder / "accounts.txt"
    path.write_text("".join(f"{person['sam']}\n" for person in crowd))
    return path


@pytest.fixture
def lost(domain: Domain, accounts):  # noqa: F811
    """People are enabled on a server of their own, whose object is deleted; this is its GUID."""
    services = f"CN=Services,{domain.dc.configuration_dn}"
    before = without(domain.dc.dump(services), NOTED)
    try:
        text, server = virtual_server(domain.homes[0].split(",", 4)[4], "LOST", HOST, True, BARE)
        domain.dc.load(text)
        guid = str(uuid.UUID(bytes_le=domain.dc.entry(server.dn, ("objectGUID",))["objectGUID"][0]))
        domain.run("imenable", "--home", "LOST", "--list", accounts)
        domain.dc.load(f"dn: {server.dn}\nchangetype: delete\n")
        yield guid
    finally:
        domain.dc.load("".join(way_back(before, without(domain.dc.dump(services), NOTED))))


def servers(domain) -> list[dict]:  # noqa: F811
    return json.loads(domain.run("imhome", "-o", "json").stdout)["servers"]


def named(domain, name) -> dict:  # noqa: F811
    return next(server for server in servers(domain) if server["name"] == name)


def drain(domain) -> list[dict]:  # noqa: F811
    return domain.rows("imhome", "--journal", domain.folder / "drained", "--from", HOST, "--to", "IM2", "--yes")


def test_move_and_back(domain, crowd, accounts):  # noqa: F811
    domain.run("imenable", "--home", "IM1", "--list", accounts)
    person, before = crowd[0], domain.dump()
    assert named(domain, "IM1")["users"] == MANY and named(domain, "ROUTER")["kind"] == "router"
    journal = domain.folder / "one"
    assert domain.row("imhome", "--journal", journal, "--to", "IM2", person["sam"])["home"] == "IM2"
    domain.expect_enabled(person["dn"], alias_of(person), 2)
    usn = domain.usn(person["dn"])
    assert domain.row("imhome", "--to", "IM2", person["sam"])["outcome"] == "unchanged" and domain.usn(person["dn"]) == usn
    assert domain.row("imundo", "--no-journal", journal)["outcome"] == "changed"
    assert domain.dump() == before


def test_deleted_server_is_emptied(domain, crowd, lost):  # noqa: F811
    told = named(domain, HOST)
    assert told["users"] == MANY and "DEL:" in told["dn"] and told["remarks"] == ["its object is deleted", f"still homes {MANY} people"]
    shown = domain.row("imhome", crowd[0]["sam"])
    assert shown["agrees"] == "false" and "deleted" in shown["remarks"]
    for name in (HOST, lost, f"<GUID={lost}>", told["dn"]):
        assert len(domain.rows("imhome", "--from", name)) == MANY, name
    preview = [line.split() for line in domain.run("imhome", "-n", "--from", HOST, "--to", "auto").stderr.splitlines()]
    assert all([HOST, name, str(MANY // 2), str(MANY // 2), "-"] in preview for name in ("IM1", "IM2"))
    assert [row["outcome"] for row in drain(domain)] == ["changed"] * MANY
    for person in crowd:
        domain.expect_enabled(person["dn"], alias_of(person), 2)
    assert HOST not in [server["name"] for server in servers(domain)]
    assert domain.rows("imhome", "--from", lost, "--to", "IM2", "--yes") == []


def test_undo_gives_back_even_the_deleted_home(domain, lost):  # noqa: F811
    before = domain.dump()
    drain(domain)
    rows = domain.rows("imundo", "--no-journal", domain.folder / "drained")
    assert {row["outcome"] for row in rows} == {"changed"} and len(rows) == MANY
    assert domain.dump() == before
    assert named(domain, HOST)["users"] == MANY
