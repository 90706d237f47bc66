"""Bulk work on a real Active Directory domain controller: plans, journals, selections, and runs that end in the middle."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.between import Between, Cut  # noqa: E402
from support.fault import read_journal  # noqa: E402
from support.ldif import modification, record  # noqa: E402

from test_accounts_samba import BIN, Domain, alias_of, dc, domain  # noqa: E402, F401

pytestmark = pytest.mark.samba

MANY = 60
SECONDS = 120
DOMAIN_USERS = "513"


@pytest.fixture
def crowd(domain: Domain) -> list[dict]:  # noqa: F811
    found = domain.people.of("healthy", "umlaut", "comma", "migrated")[:MANY]
    assert len(found) == MANY
    return found


def file_of(domain: Domain, people: list[dict]) -> Path:  # noqa: F811
    path = domain.folder / "accounts.txt"
    path.write_text("".join(f"{person['sam']}\n" for person in people))
    return path


def outcomes(rows: list[dict]) -> set[str]:
    return {row["outcome"] for row in rows}


def expect_enabled(domain: Domain, people: list[dict]):  # noqa: F811
    for person in people:
        domain.expect_enabled(person["dn"], alias_of(person))


# ---- plans and journals ----


def test_plan_and_journal(domain, crowd):  # noqa: F811
    before, accounts = domain.dump(), file_of(domain, crowd)
    plan, done, undone = (domain.folder / name for name in ("plan", "done", "undone"))
    assert outcomes(domain.rows("imenable", "-n", "--plan", plan, "--list", accounts)) == {"changed"}
    assert domain.dump() == before
    rows = domain.rows("imapply", "--journal", done, plan)
    assert outcomes(rows) == {"changed"} and len(rows) == MANY
    expect_enabled(domain, crowd[::10])
    enabled = domain.dump()
    assert outcomes(domain.rows("imapply", "--no-journal", plan)) == {"unchanged"}
    assert outcomes(domain.rows("imundo", "--journal", undone, done)) == {"changed"}
    assert domain.dump() == before
    assert outcomes(domain.rows("imundo", "--no-journal", done)) == {"unchanged"}
    domain.run("imundo", "--no-journal", undone)
    assert domain.dump() == enabled


def test_plan_and_journal_of_what_somebody_changed_since(domain, crowd):  # noqa: F811
    people = crowd[:3]
    accounts, plan, done = file_of(domain, people), domain.folder / "plan", domain.folder / "done"

    def edit(person, value):
        domain.dc.load(modification(person["dn"], [("replace", "msExchIMAddress", [value])]))

    domain.run("imenable", "-n", "--plan", plan, "--list", accounts)
    edit(people[1], "chosen@im.sam.example.com")
    rows = domain.rows("imapply", "--journal", done, plan, status=1)
    assert [row["outcome"] for row in rows] == ["changed", "conflict", "changed"]
    edit(people[2], "other@im.sam.example.com")
    assert sorted(row["outcome"] for row in domain.rows("imundo", "--no-journal", done, status=1)) == ["changed", "conflict"]
    assert [domain.values(person["dn"]).get("msExchIMAddress") for person in people] == [
        None, ["chosen@im.sam.example.com"], ["other@im.sam.example.com"]]


# ---- selections ----


def chosen(domain, *words, status=0) -> set[str]:  # noqa: F811
    return {row["account"] for row in domain.rows("imenable", "-n", *words, status=status)}


def test_filter_and_all(domain, crowd):  # noqa: F811
    people = crowd[:3]
    where = "(|{})".format("".join(f"(sAMAccountName={person['sam']})" for person in people))
    assert {row["account"] for row in domain.rows("imenable", "--yes", "--filter", where)} == {person["sam"] for person in people}
    expect_enabled(domain, people)
    rows = domain.rows("imdisable", "--yes", "--all")
    assert {row["account"] for row in rows if row["outcome"] == "changed"} == {person["sam"] for person in people}
    found = {row["account"] for row in rows}
    assert {person["sam"] for person in crowd} <= found
    assert not {person["sam"] for person in domain.people.of("computer", "group")} & found
    assert all(domain.values(person["dn"]) == {} for person in people)


@pytest.fixture
def groups(domain, crowd):  # noqa: F811
    """outer has the first of the crowd, and inner, which has the second and outer; inner is the primary group of the third."""
    place = f"OU=Groups,{domain.dc.suffix}"
    outer, inner = f"CN=outer,{place}", f"CN=inner,{place}"
    text = record(place, {"objectClass": ["organizationalUnit"], "ou": "Groups"})
    for name in ("outer", "inner"):
        text += record(f"CN={name},{place}", {"objectClass": ["group"], "sAMAccountName": name, "groupType": -2147483646})
    text += modification(outer, [("add", "member", [crowd[0]["dn"], inner])])
    text += modification(inner, [("add", "member", [crowd[1]["dn"], crowd[2]["dn"], outer])])
    domain.dc.load(text)
    number = int.from_bytes(domain.dc.entry(inner)["objectSid"][0][-4:], "little")
    domain.dc.load(modification(crowd[2]["dn"], [("replace", "primaryGroupID", [str(number)])]))
    yield outer, inner
    domain.dc.load(modification(crowd[2]["dn"], [("replace", "primaryGroupID", [DOMAIN_USERS])]))
    domain.dc.load("".join(f"dn: {dn}\nchangetype: delete\n\n" for dn in (outer, inner, place)))


def test_groups_in_groups_and_primary_groups(domain, crowd, groups):  # noqa: F811
    names = {person["sam"] for person in crowd[:3]}
    assert crowd[2]["dn"].encode() not in domain.dc.entry(groups[1])["member"]
    for group in groups:
        assert chosen(domain, "--group", group) == names
    rows = domain.rows("imenable", "--yes", "--group", groups[0])
    assert {row["account"] for row in rows} == names and outcomes(rows) == {"changed"}
    expect_enabled(domain, crowd[:3])


def test_everybody_is_in_the_domain_users(domain, crowd):  # noqa: F811
    """Nobody is a member by name: it is the primary group of all."""
    found = chosen(domain, "--group", f"CN=Domain Users,CN=Users,{domain.dc.suffix}", status=1)
    assert {person["sam"] for person in crowd} <= found


# ---- what ends in the middle ----


def start(domain, *words) -> subprocess.Popen:  # noqa: F811
    """nsenter becomes the command: signals meet it."""
    return subprocess.Popen(domain.dc.command([BIN / words[0], *words[1:]]), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=dict(os.environ) | domain.dc.environment | domain.environment)


@pytest.mark.parametrize("trouble, number", [("kill", 7), ("kill", 40), ("cut", 25), ("stop", 30)])
def test_run_that_is_disturbed_is_finished_and_taken_back(domain, crowd, trouble, number):  # noqa: F811
    before, accounts = domain.dump(), file_of(domain, crowd)
    journals = [domain.folder / name for name in ("first", "second")]

    def cut():
        raise Cut

    with Between(389, domain.dc.address, domain.dc.network_pid) as proxy:
        config = domain.write_config("proxy.yaml", proxy.url)
        process = start(domain, "imenable", "--config", config, "-D", domain.dc.administrator, "-y", domain.dc.password_file, "-o", "jsonl",
                        "--journal", journals[0], "--list", accounts)
        deeds = {"kill": process.kill, "cut": cut, "stop": lambda: process.send_signal(signal.SIGTERM)}
        proxy.before("modify", number, deeds[trouble])
        out, said = process.communicate(timeout=SECONDS)
        assert proxy.failure is None
    assert process.returncode == {"kill": -signal.SIGKILL, "cut": 0, "stop": 4}[trouble], out + said
    if trouble != "kill":
        reports = [line for line in map(json.loads, out.splitlines()) if line["type"] == "account"]
        assert [line["input"] for line in reports] == [person["sam"] for person in crowd]
    changed = {entry["sAMAccountName"][0].decode() for dn, entry in domain.dump().items() if entry != before[dn]}
    told = {change.account for change in read_journal(journals[0]) if change.outcome in ("changed", None)}
    assert changed and changed <= told
    assert outcomes(domain.rows("imenable", "--journal", journals[1], "--list", accounts)) <= {"changed", "unchanged"}
    expect_enabled(domain, crowd)
    for path in reversed(journals):
        if path.exists():
            domain.run("imundo", "--no-journal", path)
    assert domain.dump() == before
