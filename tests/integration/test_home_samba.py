"""imhome on a real Active Directory domain controller: a deleted server object, whose values the directory keeps."""

import json
import sys
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from test_accounts_samba import Domain, alias_of, dc  # noqa: E402, F401

pytestmark = pytest.mark.samba

MANY = 30
HOST = "im1.sam.example.com"


@pytest.fixture(scope="module")
def drained(dc, tmp_path_factory):  # noqa: F811
    """People are enabled on IM1, then its object is deleted: the tests go on from there, in their order."""
    domain = Domain(dc, tmp_path_factory.mktemp("homes"))
    domain.crowd = domain.people.of("healthy", "umlaut", "comma")[:MANY]
    accounts = domain.folder / "accounts.txt"
    accounts.write_text("".join(f"{person['sam']}\n" for person in domain.crowd))
    domain.run("imenable", "--list", accounts)
    domain.guid = uuid_of(domain, domain.homes[0])
    return domain


def uuid_of(domain, dn) -> str:
    return str(uuid.UUID(bytes_le=domain.dc.entry(dn, ("objectGUID",))["objectGUID"][0]))


def servers(domain) -> list[dict]:
    return json.loads(domain.run("imhome", "-o", "json").stdout)["servers"]


def named(domain, name) -> dict:
    return next(server for server in servers(domain) if server["name"] == name)


def test_move_and_back(drained):
    person = drained.crowd[0]
    before = drained.dump()
    assert named(drained, "IM1")["users"] == MANY and named(drained, "ROUTER")["kind"] == "router"
    journal = drained.folder / "one"
    assert drained.row("imhome", "--journal", journal, "--to", "IM2", person["sam"])["home"] == "IM2"
    drained.expect_enabled(person["dn"], alias_of(person), 2)
    usn = drained.usn(person["dn"])
    assert drained.row("imhome", "--to", "IM2", person["sam"])["outcome"] == "unchanged" and drained.usn(person["dn"]) == usn
    assert drained.row("imundo", "--no-journal", journal)["outcome"] == "changed"
    assert drained.dump() == before


def test_deleted_server_is_emptied(drained):
    drained.dc.load(f"dn: {drained.homes[0]}\nchangetype: delete\n")
    lost, drained.before = named(drained, HOST), drained.dump()
    assert lost["users"] == MANY and "DEL:" in lost["dn"] and lost["remarks"] == ["its object is deleted", f"still homes {MANY} people"]
    shown = drained.row("imhome", drained.crowd[0]["sam"])
    assert shown["agrees"] == "false" and "deleted" in shown["remarks"]
    for name in (HOST, drained.guid, f"<GUID={drained.guid}>", lost["dn"]):
        assert len(drained.rows("imhome", "--from", name)) == MANY, name
    preview = drained.run("imhome", "-n", "--from", HOST, "--to", "auto")
    assert [HOST, "IM2", str(MANY), str(MANY), "-"] in [line.split() for line in preview.stderr.splitlines()]
    journal = drained.folder / "drained"
    rows = drained.rows("imhome", "--journal", journal, "--from", HOST, "--to", "IM2", "--yes")
    assert [row["outcome"] for row in rows] == ["changed"] * MANY
    for person in drained.crowd:
        drained.expect_enabled(person["dn"], alias_of(person), 2)
    assert HOST not in [server["name"] for server in servers(drained)]
    assert drained.rows("imhome", "--from", drained.guid, "--to", "IM2", "--yes") == []


def test_undo_gives_back_even_the_deleted_home(drained):
    rows = drained.rows("imundo", "--no-journal", drained.folder / "drained")
    assert {row["outcome"] for row in rows} == {"changed"} and len(rows) == MANY
    assert drained.dump() == drained.before
    assert named(drained, HOST)["users"] == MANY
