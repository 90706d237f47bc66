"""imenable on OpenLDAP: what is written, what is not, and what is said; read back by python-ldap and by OpenLDAP's own tools."""

import csv
import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.between import Between, Cut  # noqa: E402
from support.lab import IM_DOMAIN, VARIANTS, open_lab  # noqa: E402
from support.ldif import modification, record, sid_bytes  # noqa: E402
from support.process import tool  # noqa: E402

EXTERNAL = ("-Q", "-Y", "EXTERNAL")
NAMES = "account dn outcome reason message address home".split()


@pytest.fixture(scope="module", params=VARIANTS)
def shared(request, tmp_path_factory):
    """One server of each kind, as it was loaded."""
    lab = open_lab(request.param, tmp_path_factory.mktemp(request.param))
    yield lab
    lab.server.close()


@pytest.fixture(scope="module")
def shared_ad(tmp_path_factory):
    lab = open_lab("ad", tmp_path_factory.mktemp("ad"), count=200)
    yield lab
    lab.server.close()


class Restored:
    """Puts the people back as they were."""

    def __init__(self, lab):
        self.lab, self.before = lab, lab.server.dump()

    def back(self):
        for dn, entry in self.lab.server.dump().items():
            old = self.before.get(dn)
            if old is None:
                with self.lab.server.connection() as link:
                    link.delete_s(dn)
            elif old != entry:
                changes = [("replace", name, old.get(name, [])) for name in sorted({*old, *entry}) if old.get(name) != entry.get(name)]
                self.lab.server.load(modification(dn, changes))
        for dn in self.before.keys() - self.lab.server.dump().keys():
            self.lab.server.load(record(dn, self.before[dn]))


@pytest.fixture
def lab(shared):
    kept = Restored(shared)
    yield shared
    kept.back()


@pytest.fixture
def ad(shared_ad):
    kept = Restored(shared_ad)
    yield shared_ad
    kept.back()


def rows(done) -> list[dict]:
    return list(csv.DictReader(io.StringIO(done.stdout)))


def row(done) -> dict:
    found = rows(done)
    assert len(found) == 1
    return found[0]


def alias_of(person) -> str:
    return person["alias"] or person["sam"]


# ---- what is written ----


def test_writes_exactly_the_values_in_one_modify(lab):
    person = lab.people.one("healthy")
    before, writes = lab.server.dump(), len(lab.modifies())
    done = lab.run("imenable", lab.account(person))
    assert "changed" in done.stdout and done.stderr == ""
    assert lab.is_enabled(person["dn"], alias_of(person))
    [(dn, attributes)] = lab.modifies()[writes:]
    expected = {"msExchIMAddress", "msExchIMMetaPhysicalURL", "msExchIMPhysicalURL", "msExchIMVirtualServer"}
    assert set(attributes.split()) == expected | ({"objectClass"} if lab.has_class else set())
    after = lab.server.dump()
    changed = [dn for dn in after if after[dn] != before[dn]]
    assert len(changed) == 1
    new, old = after[changed[0]], before[changed[0]]
    assert {name for name in new if new[name] != old.get(name)} == set(attributes.split())
    assert sorted(new["objectClass"]) == sorted(old["objectClass"] + ([b"msExchIMRecipient"] if lab.has_class else []))
    by_tool = tool("ldapsearch", "-LLL", *EXTERNAL, "-o", "ldif_wrap=no", "-H", lab.server.ldapi, "-b", lab.server.suffix,
                   f"(msExchIMAddress={alias_of(person)}@{IM_DOMAIN})", "msExchIMMetaPhysicalURL").stdout
    assert f"msExchIMMetaPhysicalURL: http://{IM_DOMAIN}/instmsg/aliases/{alias_of(person)}\n" in by_tool


def test_second_run_writes_nothing(lab):
    people = [lab.account(person) for person in lab.people.of("healthy", "umlaut", "comma")[:6]]
    lab.run("imenable", *people)
    before, writes = lab.server.dump(operational=True), len(lab.modifies())
    done = lab.run("imenable", "-o", "csv", *people)
    assert {found["outcome"] for found in rows(done)} == {"unchanged"}
    assert len(lab.modifies()) == writes
    assert lab.server.dump(operational=True) == before  # entryCSN and modifyTimestamp too


@pytest.mark.parametrize("kind", ["umlaut", "comma"])
def test_difficult_names(lab, kind):
    person = lab.people.one(kind)
    for name in (f"dn:{person['dn']}", person["dn"].upper(), lab.account(person)):
        assert row(lab.run("imenable", "-o", "csv", name))["outcome"] in ("changed", "unchanged")
    assert lab.is_enabled(person["dn"], alias_of(person))


def test_half_enabled_is_completed_and_foreign_values_stay(lab):
    person = lab.people.one("healthy")
    half = [("add", "msExchIMAddress", [f"chosen@{IM_DOMAIN}"]), ("add", "msExchIMACL", [b"\x00\xff\x01"])]
    lab.server.load(modification(person["dn"], ([("add", "objectClass", ["msExchIMRecipient"])] if lab.has_class else []) + half))
    lab.run("imenable", lab.account(person))
    entry = lab.server.entry(person["dn"])
    assert entry["msExchIMAddress"] == [f"chosen@{IM_DOMAIN}".encode()]
    assert entry["msExchIMMetaPhysicalURL"] == [f"http://{IM_DOMAIN}/instmsg/aliases/chosen".encode()]
    assert entry["msExchIMACL"] == [b"\x00\xff\x01"]


def test_wrong_values_are_replaced_and_letter_case_is_not(lab):
    person = lab.people.one("healthy")
    lab.run("imenable", lab.account(person))
    alias = alias_of(person)
    lab.server.load(modification(person["dn"], [("replace", "msExchIMMetaPhysicalURL", [f"HTTP://{IM_DOMAIN}/instmsg/aliases/{alias}/"])]))
    assert row(lab.run("imenable", "-o", "csv", lab.account(person)))["outcome"] == "unchanged"
    lab.server.load(modification(person["dn"], [("replace", "msExchIMMetaPhysicalURL", ["http://elsewhere.example/x"])]))
    document = json.loads(lab.run("imenable", "-o", "json", lab.account(person)).stdout)
    [change] = document["accounts"][0]["changes"]
    assert change == {"attribute": "msExchIMMetaPhysicalURL", "before": ["http://elsewhere.example/x"],
                      "after": [f"http://{IM_DOMAIN}/instmsg/aliases/{alias}"]}


def test_home_and_domain_and_address_by_option(lab):
    person = lab.people.one("healthy")
    lab.run("imenable", "--home", "im2", "--address", "x.{account}@{domain}", lab.account(person))
    assert lab.is_enabled(person["dn"], f"x.{person['sam']}", number=2)
    lab.run("imenable", lab.account(person))  # what is there and valid stays
    assert lab.is_enabled(person["dn"], f"x.{person['sam']}", number=2)
    lab.run("imenable", "--home", lab.homes[0].upper(), lab.account(person))
    assert lab.is_enabled(person["dn"], f"x.{person['sam']}", number=1)
    lab.run("imenable", "--domain", "im2.corp.example", "--home", "IM2.corp.example", lab.account(person))
    assert lab.server.entry(person["dn"])["msExchIMAddress"] == [f"x.{person['sam']}@im2.corp.example".encode()]


def test_home_auto_spreads(lab):
    people = [lab.account(person) for person in lab.people.of("healthy", "umlaut")[:8]]
    lab.run("imenable", people[0])
    done = lab.run("imenable", "--home", "auto", "-o", "csv", *people)
    homes = [found["home"] for found in rows(done)]
    assert homes.count("im1") == homes.count("im2") == 4


# ---- who is meant ----


def test_each_form_of_identity(ad):
    person = ad.people.one("migrated")
    entry = ad.server.entry(person["dn"])
    sid = "S-1-5-21-" + "-".join(str(int.from_bytes(entry["objectSid"][0][at:at + 4], "little")) for at in range(12, 28, 4))
    guid = str(uuid.UUID(bytes_le=entry["objectGUID"][0]))
    sam, upn, mail = person["sam"], entry["userPrincipalName"][0].decode(), person["mail"]
    ad.server.load(modification(person["dn"], [("add", "proxyAddresses", ["smtp:other.name@corp.example"])]))
    ad.run("imenable", sam)
    address = f"{alias_of(person)}@{IM_DOMAIN}"
    forms = [sam, sam.upper(), f"  {sam} ", person["dn"], sid, guid, "{" + guid.upper() + "}", upn, mail.upper(), "Other.Name@corp.example", address,
             f"corp.example\\{sam}", f"dn:{person['dn']}", f"upn:{upn}", f"mail:{mail}", f"sam:{sam}", f"sid:{sid}", f"guid:{guid}", f"im:{address}"]
    found = rows(ad.run("imenable", "-o", "csv", *forms))
    assert [(form, line["outcome"], line["account"]) for form, line in zip(forms, found)] == [(form, "unchanged", sam) for form in forms]
    lost = rows(ad.run("imenable", "-o", "csv", f"upn:{address}", f"im:{mail}x", f"OTHER\\{sam}", f"mail:{upn}x", "guid:" + guid[:-1] + "f" * 1, status=1))
    assert {line["outcome"] for line in lost[:4]} == {"not-found"}


def test_entry_uuid_where_there_is_no_object_guid(shared_plain):
    person = shared_plain.people.one("healthy")
    text = shared_plain.server.entry(person["dn"], ("entryUUID",))["entryUUID"][0].decode()
    assert row(shared_plain.run("imenable", "-n", "-o", "csv", text))["account"] == person["sam"]


@pytest.fixture(scope="module")
def shared_plain(tmp_path_factory):
    lab = open_lab("plain", tmp_path_factory.mktemp("uuid"), count=20)
    yield lab
    lab.server.close()


def test_sid_history_is_reported_not_used(ad):
    person = ad.people.one("migrated")
    found = row(ad.run("imenable", "-o", "csv", person["history"], status=1))
    assert found["outcome"] == "not-found" and "SID history" in found["message"] and person["cn"].split()[0].lower() in found["message"].lower()


def test_nobody_and_several(ad):
    one, two = ad.people.of("healthy")[:2]
    ad.server.load(modification(two["dn"], [("add", "proxyAddresses", [f"smtp:{one['mail'].upper()}"])]))
    before = ad.server.dump()
    found = rows(ad.run("imenable", "-o", "csv", one["mail"], "nobody", status=1))
    assert [line["outcome"] for line in found] == ["ambiguous", "not-found"]
    assert one["sam"] and all(person["cn"].split()[0] in found[0]["message"] for person in (one, two))
    assert ad.server.dump() == before


def test_what_filters_and_names_could_smuggle_in(ad):
    before = ad.server.dump()
    done = ad.run("imenable", "-o", "csv", "*", "sam:a*", "x)(objectClass=*", "mail:*@corp.example", "\x1b[2J", status=1)
    assert {line["outcome"] for line in rows(done)} == {"not-found"}
    assert "\x1b" not in ad.run("imenable", "\x1b[2J", status=1).stdout
    assert ad.server.dump() == before


def test_the_same_account_twice(ad):
    person = ad.people.one("healthy")
    writes = len(ad.modifies())
    found = rows(ad.run("imenable", "-o", "csv", person["sam"], person["mail"], person["dn"]))
    assert [line["outcome"] for line in found] == ["changed", "unchanged", "unchanged"]
    assert len(ad.modifies()) == writes + 1


# ---- refusals ----

REASONS = {"disabled": "account-disabled", "disabled-no-expiry": "account-disabled", "resource": "account-disabled",
           "linked": "account-linked-external", "sid-history-placeholder": "account-sid-history-placeholder",
           "contact": "account-not-security-principal", "unsafe-alias": "account-alias-unsafe"}


@pytest.mark.parametrize("kind", REASONS)
def test_placeholders_are_refused(ad, kind):
    person = ad.people.one(kind)
    before = ad.server.dump()
    found = row(ad.run("imenable", "-o", "csv", ad.account(person), status=1))
    assert (found["outcome"], found["reason"]) == ("refused", REASONS[kind])
    assert found["message"]
    assert ad.server.dump() == before


@pytest.mark.parametrize("kind", ["migrated", "inetorgperson", "no-alias", "expired", "locked", "must-change", "master-sid-leftover"])
def test_accounts_that_only_look_odd_are_enabled(ad, kind):
    person = ad.people.one(kind)
    assert row(ad.run("imenable", "-o", "csv", ad.account(person)))["outcome"] == "changed"
    assert ad.is_enabled(person["dn"], alias_of(person))


def test_allow_lifts_one_rule_by_name(ad):
    person = ad.people.one("disabled")
    found = row(ad.run("imenable", "-o", "csv", "--allow", "account-disabled", person["sam"]))
    assert found["outcome"] == "changed" and "disabled" in found["message"]
    assert ad.is_enabled(person["dn"], alias_of(person))
    linked = ad.people.one("linked")
    found = row(ad.run("imenable", "-o", "csv", "--allow", "account-disabled", linked["sam"], status=1))
    assert (found["outcome"], found["reason"]) == ("refused", "account-linked-external")
    ad.run("imenable", "--allow", "account-disabled,account-linked-external", linked["sam"])


def test_allow_of_an_unknown_rule(ad):
    done = ad.run("imenable", "--allow", "account-disabld", "x", status=2)
    assert "account-disabled" in done.stderr and done.stdout == ""


def test_an_address_in_use_is_refused(ad):
    one, two = ad.people.of("healthy")[:2]
    ad.run("imenable", one["sam"])
    taken = f"{alias_of(one)}@{IM_DOMAIN}"
    found = row(ad.run("imenable", "-o", "csv", "--address", taken.upper(), two["sam"], status=1))
    assert (found["outcome"], found["reason"]) == ("refused", "account-address-duplicate")
    assert one["cn"].split()[0] in found["message"]


def test_two_of_one_run_with_the_same_alias(ad):
    one, two = ad.people.of("duplicate")[:2]
    assert one["alias"] == two["alias"]
    first, second = rows(ad.run("imenable", "-o", "csv", one["sam"], two["sam"], status=1))
    assert first["outcome"] == "changed"  # as if one were done after the other
    assert (second["outcome"], second["reason"]) == ("refused", "account-address-duplicate")
    assert first["dn"] in second["message"]
    assert ad.im_values(first["dn"]) and not ad.im_values(second["dn"])


def test_a_router_is_no_home(lab):
    done = lab.run("imenable", "--home", IM_DOMAIN, "-o", "csv", lab.account(lab.people.one("healthy")), status=1)
    assert (row(done)["outcome"], row(done)["reason"]) == ("refused", "account-home-not-host")


# ---- usage and input ----


def refused_before_connecting(ad, *words, status=2):
    before = ad.server.dump(operational=True)
    done = ad.run("imenable", *words, status=status)
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1
    assert ad.server.dump(operational=True) == before
    return done.stderr


def test_nobody_named(ad):
    assert "no account is named" in refused_before_connecting(ad)


def test_unknown_home_lists_the_names(ad):
    message = refused_before_connecting(ad, "--home", "im3", ad.people.one("healthy")["sam"])
    assert "im3" in message and "im1" in message and "im2" in message


def test_unknown_domain_lists_the_names(ad):
    message = refused_before_connecting(ad, "--domain", "im.elsewhere.example", ad.people.one("healthy")["sam"])
    assert "im.elsewhere.example" in message and IM_DOMAIN in message


def test_unknown_variables_of_an_address_are_named(ad):
    message = refused_before_connecting(ad, "--address", "{mail-locl}@{domain}", ad.people.one("healthy")["sam"])
    assert "--address" in message and "{mail-locl}" in message and "did you mean {mail-local}" in message


@pytest.mark.parametrize("kind", ["-", "folder", "pipe"])
def test_changes_go_to_a_regular_file_or_nothing_is_written(ad, tmp_path, kind):
    target = "-" if kind == "-" else tmp_path / kind
    if kind == "folder":
        target.mkdir()
    elif kind == "pipe":
        os.mkfifo(target)
    assert str(target) in refused_before_connecting(ad, "--changes", target, ad.people.one("healthy")["sam"])
    assert kind == "-" or not target.is_file()


def test_a_list_in_utf16_is_called_so(ad, tmp_path):
    (tmp_path / "list.txt").write_text("jdoe\r\n", encoding="utf-16")
    message = refused_before_connecting(ad, "--list", tmp_path / "list.txt")
    assert "list.txt:1:1: UTF-16" in message


def test_unclear_home_lists_the_names_and_writes_nothing(ad):
    path = ad.write_config("unclear.yaml")
    path.write_text(path.read_text().replace("enable: { home: im1 }\n", ""))
    before = ad.server.dump()
    done = ad.run("imenable", "--config", path, "-o", "csv", ad.people.one("healthy")["sam"], "nobody", status=2)
    assert "im1" in done.stderr and "im2" in done.stderr and "--home" in done.stderr
    assert [line["outcome"] for line in rows(done)] == ["not-attempted", "not-attempted"]
    assert ad.server.dump() == before


def test_configured_server_that_does_not_exist(ad):
    path = ad.write_config("ghost.yaml", more="  - { name: ghost, host: g.corp.example, dn: \"cn=ghost,dc=corp,dc=example\" }\n")
    message = refused_before_connecting(ad, "--config", path, "x")
    assert "ghost.yaml:" in message and "cn=ghost" in message


def test_list_of_accounts(ad):
    people = ad.people.of("healthy")[:3]
    text = f"# joiners\n\n{people[0]['sam']}\r\n  {people[1]['mail']}  \n\t\n#{people[2]['sam']}\nnobody"
    found = json.loads(ad.run("imenable", "-o", "json", "--list", ad.file("joiners.txt", text), status=1).stdout)["accounts"]
    assert [(line["input"], line["source"], line["outcome"]) for line in found] == [
        (people[0]["sam"], f"{ad.folder}/joiners.txt:3", "changed"), (people[1]["mail"], f"{ad.folder}/joiners.txt:4", "changed"),
        ("nobody", f"{ad.folder}/joiners.txt:7", "not-found")]
    done = ad.run("imenable", "-o", "csv", "--list", "-", stdin=f"{people[0]['sam']}\n")
    assert row(done)["outcome"] == "unchanged"


def test_list_with_mistakes(ad):
    broken = ad.file("broken.txt", b"good\nM\xc3\xbcller\xff\n")
    assert "broken.txt:2:7" in refused_before_connecting(ad, "--list", broken)
    assert "missing.txt" in refused_before_connecting(ad, "--list", ad.folder / "missing.txt")
    assert "empty.txt" in refused_before_connecting(ad, "--list", ad.file("empty.txt", "# nobody\n"))
    assert "wrong.txt:1" in refused_before_connecting(ad, "--list", ad.file("wrong.txt", "sid:hello\n"))
    assert "nul.txt:1:2" in refused_before_connecting(ad, "--list", ad.file("nul.txt", b"a\0b\n"))


def test_nothing_visible_is_no_success(ad):
    done = ad.run("imenable", "-b", "ou=Service,dc=corp,dc=example", "--config", no_base(ad), "jdoe", status=None)
    assert done.returncode in (1, 3)
    done = ad.run("imenable", "-b", ad.server.configuration_dn, "--config", no_base(ad), "jdoe", status=3)
    assert "Configuration" in done.stderr and ad.server.external_dn in done.stderr
    done = ad.run("imenable", "-b", "ou=Nowhere,dc=corp,dc=example", "jdoe", status=3)
    assert "ou=Nowhere" in done.stderr


def no_base(ad) -> Path:
    path = ad.write_config("nobase.yaml")
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "base:" not in line))
    return path


# ---- dry runs and the LDIF of changes ----


def test_dry_run_shows_everything_and_writes_nothing(lab):
    person = lab.people.one("healthy")
    before = lab.server.dump(operational=True)
    done = lab.run("imenable", "-n", lab.account(person), "nobody", status=1)
    for name, values in lab.enabled_values(alias_of(person)).items():
        if name != "class" and name != "msExchIMVirtualServer":
            assert f"{name}: - -> {values[0]}\n" in done.stdout
    assert "objectClass: - -> msExchIMRecipient" in done.stdout or not lab.has_class
    assert "Dry run: 1 changed" in done.stdout
    assert lab.server.dump(operational=True) == before


def test_changes_applied_by_ldapmodify_give_the_same(lab):
    people = lab.people.of("healthy", "umlaut", "comma")[:6]
    names = [lab.account(person) for person in people]
    changes = lab.folder / "changes.ldif"
    before = lab.server.dump()
    lab.run("imenable", "-n", "--changes", changes, *names)
    assert lab.server.dump() == before
    assert stat.S_IMODE(changes.stat().st_mode) == 0o600
    planned = changes.read_bytes()
    lab.server.load(planned.decode())
    by_ldapmodify = lab.server.dump()
    assert all(lab.is_enabled(person["dn"], alias_of(person)) for person in people)
    found = rows(lab.run("imenable", "-o", "csv", *names))
    assert {line["outcome"] for line in found} == {"unchanged"}
    lab.run("imdisable", *names)
    assert lab.server.dump() == before
    lab.run("imenable", "--changes", changes, *names)
    assert sorted(changes.read_bytes().split(b"\n\n")) == sorted(planned.split(b"\n\n"))  # answers may come in another order
    assert lab.server.dump() == by_ldapmodify


def test_changes_file_that_cannot_be_written(ad):
    message = refused_before_connecting(ad, "--changes", ad.folder / "none" / "x.ldif", ad.people.one("healthy")["sam"])
    assert "x.ldif" in message


# ---- results ----


def test_all_formats_say_the_same(ad):
    healthy, disabled = ad.people.one("healthy"), ad.people.one("disabled")
    names = [healthy["sam"], disabled["sam"], "nobody"]
    options = ["imenable", "-n", *names]
    expected = [(names[0], "changed", None), (names[1], "refused", "account-disabled"), (names[2], "not-found", None)]
    document = json.loads(ad.run(*options, "-o", "json", status=1).stdout)
    assert [(line["input"], line["outcome"], line.get("reason")) for line in document["accounts"]] == expected
    assert document["summary"]["total"] == 3 and document["summary"]["refused"] == 1 and document["dry_run"] is True
    assert document["command"] == "imenable" and document["directory"] == ad.server.ldapi and document["started"].endswith("Z")
    assert document["accounts"][0]["changes"][0]["before"] == [] and "changes" not in document["accounts"][1]
    lines = [json.loads(line) for line in ad.run(*options, "-o", "jsonl", status=1).stdout.splitlines()]
    assert [line["type"] for line in lines] == ["run", "account", "account", "account", "summary"]
    assert [(line["input"], line["outcome"], line.get("reason")) for line in lines[1:4]] == expected
    done = ad.run(*options, "-o", "csv", status=1)
    assert done.stdout.splitlines()[0] == ",".join(NAMES)
    assert [(line["account"], line["outcome"], line["reason"] or None) for line in rows(done)] == expected
    text = ad.run(*options, status=1).stdout.splitlines()
    assert [line.split()[:2] for line in text if line.startswith(("changed", "refused", "not-found"))] == [
        ["changed", names[0]], ["refused", names[1]], ["not-found", names[2]]]


def test_standard_output_that_is_full(ad):
    people = [person["sam"] for person in ad.people.of("healthy")[:40]]
    writes = len(ad.modifies())
    with open("/dev/full", "w") as full:
        done = subprocess.run(ad.command("imenable", "nobody", *people), cwd=ad.folder, env=ad.environment(), stdin=subprocess.DEVNULL,
                              stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 4 and "written" in done.stderr
    assert len(ad.modifies()) == writes


# ---- the server says no ----


def test_no_right_to_write(ad):
    person = ad.people.one("healthy")
    reader = f"cn=reader,ou=Service,{ad.server.suffix}"
    ad.server.load(record(reader, {"objectClass": ["top", "person", "organizationalPerson", "user"], "cn": "reader", "sAMAccountName": "reader",
                                   "userPassword": ad.server.password}))
    config = ad.write_config("reader.yaml", ad.server.ldap)
    done = ad.run("imenable", "--config", config, "-D", reader, "-y", ad.password_file, "-o", "json", person["sam"], status=1)
    [line] = json.loads(done.stdout)["accounts"]
    assert line["outcome"] == "failed" and line["ldap"]["code"] == 50 and line["ldap"]["name"] == "insufficientAccessRights"
    assert "right" in line["message"] and "changes" not in line
    assert ad.im_values(person["dn"]) == {}


def test_a_result_that_is_cut_off_stops_before_writing(tmp_path):
    lab = open_lab("ad", tmp_path, count=60, limits=("dn.exact=\"cn=imadmin,ou=Service,dc=corp,dc=example\" size.soft=5 size.hard=5 size.prtotal=5",))
    try:
        people = [person["sam"] for person in lab.people.of("healthy")[:20]]
        before = lab.server.dump()
        config = lab.write_config("limits.yaml", lab.server.ldap)
        login = ["--config", config, "-D", lab.server.manager_dn, "-y", lab.password_file]
        done = lab.run("imenable", *login, "-o", "csv", *people, status=3)
        assert {line["outcome"] for line in rows(done)} == {"not-attempted"}
        assert "limit" in done.stderr
        assert lab.server.dump() == before
    finally:
        lab.server.close()


# ---- somebody else, the connection, the operator ----


def as_somebody_else(lab, dn, changes):
    return lambda: lab.server.load(modification(dn, changes))


def test_foreign_change_is_never_overwritten(lab):
    person = lab.people.one("healthy")
    classes = [("add", "objectClass", ["msExchIMRecipient"])] if lab.has_class else []
    with Between(lab.server.port) as proxy:
        proxy.before("modify", 1, as_somebody_else(lab, person["dn"], [*classes, ("add", "msExchIMAddress", [f"chosen@{IM_DOMAIN}"])]))
        found = row(lab.run("imenable", *lab.behind(proxy), "-o", "csv", lab.account(person)))
        assert proxy.failure is None and proxy.counts["modify"] == 2
    assert (found["outcome"], found["address"]) == ("changed", f"chosen@{IM_DOMAIN}")
    assert lab.is_enabled(person["dn"], "chosen")


def test_foreign_change_of_a_value_to_be_replaced(lab):
    person = lab.people.one("healthy")
    lab.run("imenable", lab.account(person))
    edit = [("replace", "msExchIMPhysicalURL", ["http://somebody.else.example/1"])]
    with Between(lab.server.port) as proxy:
        proxy.before("modify", 1, as_somebody_else(lab, person["dn"], edit))
        done = lab.run("imenable", *lab.behind(proxy), "--home", "im2", "-o", "json", lab.account(person))
        assert proxy.failure is None and proxy.counts["modify"] == 2
    [line] = json.loads(done.stdout)["accounts"]
    [url] = [change for change in line["changes"] if change["attribute"] == "msExchIMPhysicalURL"]
    assert url["before"] == ["http://somebody.else.example/1"]
    assert lab.is_enabled(person["dn"], alias_of(person), number=2)


def test_somebody_who_never_stops(lab):
    person = lab.people.one("healthy")
    lab.run("imenable", lab.account(person))
    count = iter(range(100))
    with Between(lab.server.port) as proxy:
        proxy.before("modify", 0, lambda: lab.server.load(modification(person["dn"], [
            ("replace", "msExchIMPhysicalURL", [f"http://somebody.else.example/{next(count)}"])])))
        found = row(lab.run("imenable", *lab.behind(proxy), "--home", "im2", "-o", "csv", lab.account(person), status=1))
        assert proxy.failure is None and proxy.counts["modify"] == 4
    assert found["outcome"] == "conflict"
    assert lab.server.entry(person["dn"])["msExchIMPhysicalURL"] == [b"http://somebody.else.example/3"]


def test_renamed_and_deleted_in_between(lab):
    renamed, deleted, third = lab.people.of("healthy")[:3]
    new_name = "uid=renamed" if lab.variant == "plain" else "cn=renamed"

    def rename_and_delete():
        with lab.server.connection() as link:
            link.rename_s(renamed["dn"], new_name, delold=0)
            link.delete_s(deleted["dn"])

    with Between(lab.server.port) as proxy:
        proxy.before("modify", 1, rename_and_delete)
        names = [lab.account(person) for person in (renamed, deleted, third)]
        found = rows(lab.run("imenable", *lab.behind(proxy), "-o", "csv", *names, status=1))
        assert proxy.failure is None
    try:
        assert [line["outcome"] for line in found] == ["changed", "conflict", "changed"]
        assert "deleted" in found[1]["message"]
        assert found[0]["dn"].lower().startswith(new_name)
        assert lab.is_enabled(found[0]["dn"], alias_of(renamed))
    finally:
        with lab.server.connection() as link:
            link.rename_s(found[0]["dn"], renamed["dn"].partition(",")[0], delold=1)


def test_connection_lost_in_the_middle(ad):
    people = [person["sam"] for person in ad.people.of("healthy")[:60]]

    def cut():
        raise Cut

    with Between(ad.server.port) as proxy:
        proxy.before("modify", 20, cut)
        done = ad.run("imenable", *ad.behind(proxy), "-o", "csv", *people)
    assert "connecting again" in done.stderr and "connected again" in done.stderr
    assert [line["outcome"] for line in rows(done)] == ["changed"] * 60
    assert all(ad.im_values(line["dn"]) for line in rows(done))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle(ad, number):
    people = [person["sam"] for person in ad.people.of("healthy")[:80]]
    with Between(ad.server.port) as proxy:
        process = ad.start("imenable", *ad.behind(proxy), "-o", "json", *people)
        proxy.before("modify", 10, lambda: process.send_signal(number))
        out, err = process.communicate(timeout=60)
    assert process.returncode == 4 and "stopped" in err
    document = json.loads(out)  # whole, also then
    summary = document["summary"]
    assert summary["total"] == 80 and summary["changed"] >= 10 and summary["not_attempted"] >= 1
    assert summary["changed"] + summary["not_attempted"] == 80  # nothing is unknown
    for line in document["accounts"]:
        assert bool(ad.im_values(line["dn"])) == (line["outcome"] == "changed")
    again = json.loads(ad.run("imenable", "-o", "json", *people).stdout)["summary"]
    assert (again["unchanged"], again["changed"]) == (summary["changed"], summary["not_attempted"])


def test_server_that_is_not_there(ad):
    config = ad.write_config("gone.yaml", "ldap://127.0.0.1:1")
    assert "127.0.0.1:1" in refused_before_connecting(ad, "--config", config, "-D", "cn=x", "-y", ad.password_file, "x", status=3)


# ---- attributes without an equality rule ----


@pytest.fixture(scope="module")
def shared_ruleless(tmp_path_factory):
    """As Microsoft's own schema files for OpenLDAP are: no EQUALITY anywhere."""
    text = (ROOT / "tests/support/schema/im-user.ldif").read_text()
    lab = open_lab("ad", tmp_path_factory.mktemp("ruleless"), schema=re.sub(r" (EQUALITY|SUBSTR|ORDERING) \w+", "", text))
    yield lab
    lab.server.close()


def test_without_equality_rules(shared_ruleless):
    lab = shared_ruleless
    person, other = lab.people.of("healthy")[:2]
    before = lab.server.dump()
    lab.run("imenable", person["sam"])
    assert lab.is_enabled(person["dn"], alias_of(person))
    found = row(lab.run("imenable", "-o", "csv", f"im:{alias_of(person).upper()}@{IM_DOMAIN}"))
    assert (found["outcome"], found["account"]) == ("unchanged", person["sam"])
    found = row(lab.run("imenable", "-o", "csv", "--address", f"{alias_of(person)}@{IM_DOMAIN}", other["sam"], status=1))
    assert found["reason"] == "account-address-duplicate"
    with Between(lab.server.port) as proxy:
        proxy.before("modify", 1, as_somebody_else(lab, person["dn"], [("replace", "msExchIMPhysicalURL", ["http://somebody.else.example/1"])]))
        lab.run("imenable", *lab.behind(proxy), "--home", "im2", person["sam"])
        assert proxy.failure is None and proxy.counts["modify"] == 2
    assert lab.is_enabled(person["dn"], alias_of(person), number=2)
    lab.run("imdisable", person["sam"])
    assert lab.server.dump() == before
