"""imdisable on OpenLDAP: the entry is as it was before, and nothing else is touched."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.between import Between  # noqa: E402
from support.lab import IM_DOMAIN, VARIANTS, open_lab  # noqa: E402
from support.ldif import modification, record  # noqa: E402
from support.process import tool  # noqa: E402

PRIVACY = b"\x00\xff\x01list"


@pytest.fixture(scope="module", params=VARIANTS)
def lab(request, tmp_path_factory):
    """Each test takes people of its own."""
    opened = open_lab(request.param, tmp_path_factory.mktemp(request.param))
    opened.unused = iter(opened.people.of("healthy", "umlaut", "comma"))
    yield opened
    opened.server.close()


def rows(done) -> list[dict]:
    return list(csv.DictReader(io.StringIO(done.stdout)))


def entry_text(lab, person) -> str:
    """The entry as ldapsearch prints it, operational attributes left out."""
    return tool("ldapsearch", "-LLL", "-Q", "-Y", "EXTERNAL", "-H", lab.server.ldapi, "-b", person["dn"], "-s", "base").stdout


def give_by_hand(lab, person, *changes):
    classes = [("add", "objectClass", ["msExchIMRecipient"])] if lab.has_class else []
    lab.server.load(modification(person["dn"], [*classes, *(("add", name, [value]) for name, value in changes)]))


def test_restores_the_entry_byte_for_byte_in_one_modify(lab):
    people = [next(lab.unused) for _ in range(5)]
    names = [lab.account(person) for person in people]
    before, texts = lab.server.dump(), [entry_text(lab, person) for person in people]
    lab.run("imenable", *names)
    writes = len(lab.modifies())
    found = rows(lab.run("imdisable", "-o", "csv", *names))
    assert [(line["outcome"], line["address"], line["home"]) for line in found] == [("changed", "", "")] * 5
    assert len(lab.modifies()) == writes + 5
    assert [entry_text(lab, person) for person in people] == texts
    assert lab.server.dump() == before


def test_second_run_writes_nothing(lab):
    name = lab.account(next(lab.unused))
    lab.run("imenable", name)
    lab.run("imdisable", name)
    before = lab.server.dump(operational=True)
    assert rows(lab.run("imdisable", "-o", "csv", name))[0]["outcome"] == "unchanged"
    assert lab.server.dump(operational=True) == before


def test_half_enabled_and_malformed_are_cleared(lab):
    person = next(lab.unused)
    before = entry_text(lab, person)
    give_by_hand(lab, person, ("msExchIMMetaPhysicalURL", "rubbish"), ("msExchIMACL", PRIVACY))
    lab.run("imdisable", lab.account(person))
    assert entry_text(lab, person) == before


def test_privacy_list_is_kept_when_asked(lab):
    person = next(lab.unused)
    before = entry_text(lab, person)
    lab.run("imenable", lab.account(person))
    lab.server.load(modification(person["dn"], [("add", "msExchIMACL", [PRIVACY])]))
    document = json.loads(lab.run("imdisable", "--keep-acl", "-o", "json", lab.account(person)).stdout)
    assert all(change["attribute"] != "msExchIMACL" for change in document["accounts"][0]["changes"])
    entry = lab.server.entry(person["dn"])
    assert entry["msExchIMACL"] == [PRIVACY]
    assert (b"msExchIMRecipient" in entry["objectClass"]) == lab.has_class
    assert not any(name in entry for name in ("msExchIMAddress", "msExchIMPhysicalURL", "msExchIMVirtualServer"))
    assert rows(lab.run("imdisable", "--keep-acl", "-o", "csv", lab.account(person)))[0]["outcome"] == "unchanged"
    document = json.loads(lab.run("imdisable", "-o", "json", lab.account(person)).stdout)
    [change] = [change for change in document["accounts"][0]["changes"] if change["attribute"] == "msExchIMACL"]
    assert change["after"] == [] and list(change["before"][0]) == ["base64"]
    assert entry_text(lab, person) == before


def test_dry_run_and_changes_file(lab):
    person = next(lab.unused)
    before = lab.server.dump()
    lab.run("imenable", lab.account(person))
    enabled = lab.server.dump(operational=True)
    changes = lab.folder / "disable.ldif"
    done = lab.run("imdisable", "-n", "--changes", changes, lab.account(person))
    assert f"msExchIMAddress: {person['alias'] or person['sam']}@{IM_DOMAIN} -> -" in done.stdout
    assert lab.server.dump(operational=True) == enabled
    lab.server.load(changes.read_text())
    assert lab.server.dump() == before


def test_foreign_change_is_read_before_it_is_removed(lab):
    person = next(lab.unused)
    lab.run("imenable", lab.account(person))
    edit = modification(person["dn"], [("replace", "msExchIMPhysicalURL", ["http://somebody.else.example/1"]), ("add", "msExchIMACL", [PRIVACY])])
    with Between(lab.server.port) as proxy:
        proxy.before("modify", 1, lambda: lab.server.load(edit))
        done = lab.run("imdisable", *lab.behind(proxy), "-o", "json", lab.account(person))
        assert proxy.failure is None and proxy.counts["modify"] == 2
    [line] = json.loads(done.stdout)["accounts"]
    before = {change["attribute"]: change["before"] for change in line["changes"]}
    assert before["msExchIMPhysicalURL"] == ["http://somebody.else.example/1"] and "msExchIMACL" in before
    assert lab.im_values(person["dn"]) == {}


def test_nothing_blocks_disabling_and_no_home_is_needed(tmp_path):
    lab = open_lab("ad", tmp_path)
    try:
        people = [lab.people.one(kind) for kind in ("disabled", "linked", "contact", "sid-history-placeholder", "computer", "group")]
        before = lab.server.dump()
        for number, person in enumerate(people):
            give_by_hand(lab, person, ("msExchIMAddress", f"p{number}@nowhere.example"))
        lab.server.load(f"dn: {lab.homes[1]}\nchangetype: delete\n")  # as when a dead server was removed
        path = lab.write_config("nothing.yaml")
        path.write_text(path.read_text().partition("enable:")[0])
        found = rows(lab.run("imdisable", "--config", path, "-o", "csv", *(lab.account(person) for person in people)))
        assert {line["outcome"] for line in found} == {"changed"}
        after = lab.server.dump()
        assert {dn: entry for dn, entry in before.items() if dn in after} == after
    finally:
        lab.server.close()


def test_options_of_enabling_are_not_taken(lab):
    done = lab.run("imdisable", "--home", "im1", "x", status=2)
    assert "--home" in done.stderr and done.stdout == ""


def test_nobody_named_and_not_found(lab):
    assert "no account is named" in lab.run("imdisable", status=2).stderr
    assert rows(lab.run("imdisable", "-o", "csv", "nobody", status=1))[0]["outcome"] == "not-found"


def test_entries_that_hold_somebody_elses_class(lab):
    """Where the class is there without our values, it is removed only if nothing else of it is left."""
    if not lab.has_class:
        person = next(lab.unused)
        before = entry_text(lab, person)
        assert rows(lab.run("imdisable", "-o", "csv", lab.account(person)))[0]["outcome"] == "unchanged"
        assert entry_text(lab, person) == before
        return
    person = next(lab.unused)
    before = entry_text(lab, person)
    lab.server.load(modification(person["dn"], [("add", "objectClass", ["msExchIMRecipient"])]))
    lab.run("imdisable", lab.account(person))
    assert entry_text(lab, person) == before


def test_names_with_a_line_break_or_control_characters(lab):
    parent = f"ou=People,{lab.server.suffix}"
    dn = f"cn=Odd\\0AName,{parent}"
    classes = ["top", "person", "organizationalPerson", *(["inetOrgPerson"] if lab.variant == "plain" else ["user"])]
    name = {"uid": "odd"} if lab.variant == "plain" else {"sAMAccountName": "odd", "userAccountControl": 512}
    lab.server.load(record(dn, {"objectClass": classes, "cn": "Odd\nName", "sn": "Odd"} | name))
    sid = [] if lab.variant == "plain" else ["--allow", "account-not-security-principal"]
    done = lab.run("imenable", "-v", *sid, "odd")
    assert "changed" in done.stdout
    lab.run("imdisable", "odd")
    assert lab.im_values(dn) == {}
