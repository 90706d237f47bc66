"""imenable and imdisable on a real Active Directory domain controller, read back by ldapsearch."""

import csv
import io
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.between import Between  # noqa: E402
from support.lab import plain_dn  # noqa: E402
from support.ldif import modification, record, way_back, without  # noqa: E402
from support.people import PASSWORD  # noqa: E402
from support.samba import NOTED, SambaDC  # noqa: E402
from support.slapd import IM_ATTRIBUTES  # noqa: E402

pytestmark = pytest.mark.samba

BIN = Path(os.environ.get("IMDIR_BIN", ROOT / "build" / "bin")).resolve()
DOMAIN = "im.sam.example.com"


class Domain:
    """The commands, run in the network of the DC with a ticket of the administrator."""

    def __init__(self, dc: SambaDC, folder: Path):
        self.dc, self.folder = dc, folder
        self.people = dc.people
        self.homes = [server.dn for server in dc.servers if server.hosts_users]
        self.base = f"OU=People,{dc.suffix}"
        self.config = self.write_config("imdir.yaml", dc.ldap)
        self.environment = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "none"), "KRB5CCNAME": f"FILE:{folder}/tickets",
                            "LSAN_OPTIONS": f"suppressions={ROOT}/tests/support/leaks:print_suppressions=0"}
        dc.run(["kinit", dc.administrator], stdin=dc.password + "\n", env=self.environment)

    def write_config(self, name: str, uri: str, more: str = "") -> Path:
        path = self.folder / name
        path.write_text(f"directory:\n  uri: [{uri}]\n  base: \"{self.base}\"\nenable: {{ home: IM1 }}\n{more}")
        return path

    def run(self, *words, status: int | None = 0, seconds: float = 120) -> subprocess.CompletedProcess:
        words = [str(word) for word in words]
        options = [] if "--config" in words else ["--config", str(self.config)]
        done = self.dc.run([BIN / words[0], *options, *words[1:]], check=False, env=self.environment, seconds=seconds)
        assert status is None or done.returncode == status, f"status {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def rows(self, *words, status: int | None = 0) -> list[dict]:
        return list(csv.DictReader(io.StringIO(self.run(words[0], "-o", "csv", *words[1:], status=status).stdout)))

    def row(self, *words, status: int | None = 0) -> dict:
        [found] = self.rows(*words, status=status)
        return found

    def values(self, dn: str) -> dict:
        entry = self.dc.entry(dn)
        assert b"msExchIMRecipient" not in entry["objectClass"]
        return {name: [value.decode(errors="replace") for value in entry[name]] for name in IM_ATTRIBUTES if name in entry}

    def expect_enabled(self, dn: str, alias: str, number: int = 1):
        found = self.values(dn)
        home = found.pop("msExchIMVirtualServer")
        assert found == {
            "msExchIMAddress": [f"{alias}@{DOMAIN}"],
            "msExchIMMetaPhysicalURL": [f"http://{DOMAIN}/instmsg/aliases/{alias}"],
            "msExchIMPhysicalURL": [f"http://im{number}.sam.example.com/instmsg/local/{DOMAIN}/instmsg/aliases/{alias}"],
        }
        assert [plain_dn(dn) for dn in home] == [self.homes[number - 1].lower()]

    def usn(self, dn: str) -> int:
        return int(self.dc.entry(dn, ("uSNChanged",))["uSNChanged"][0])

    def dump(self) -> dict:
        return without(self.dc.dump(self.base), NOTED)


@pytest.fixture(scope="module")
def dc():
    # Without strong authentication a proxy can look at what is sent; Kerberos signs and seals all the same.
    with SambaDC("no") as server:
        server.load_people(200)
        login = ["-vv", "-H", server.ldaps, "--tls-ca", server.ca_file, "-D", server.administrator, "-y", server.password_file]
        done = server.run([BIN / "imschema", *login, "--extend", "--yes"], check=False,
                          env={"LSAN_OPTIONS": f"suppressions={ROOT}/tests/support/leaks:print_suppressions=0"})
        assert done.returncode == 0, f"{done.stdout}{done.stderr}{server.log_text()[-3000:]}"
        yield server


@pytest.fixture
def domain(dc, tmp_path):
    """Puts back what the test has left."""
    opened = Domain(dc, tmp_path)
    before = opened.dump()
    yield opened
    dc.load("".join(way_back(before, opened.dump())))


def alias_of(person) -> str:
    return person["alias"] or person["sam"]


def test_four_values_and_back(domain):
    person = domain.people.one("healthy")
    before, all_before = domain.dc.entry(person["dn"]), domain.dump()
    found = domain.row("imenable", person["sam"])
    assert (found["outcome"], found["home"]) == ("changed", "IM1")
    domain.expect_enabled(person["dn"], alias_of(person))
    usn = domain.usn(person["dn"])
    assert usn == int(before["uSNChanged"][0]) + 1 or usn > int(before["uSNChanged"][0])
    assert domain.row("imenable", person["sam"])["outcome"] == "unchanged"
    assert domain.usn(person["dn"]) == usn
    assert domain.row("imdisable", person["sam"])["outcome"] == "changed"
    after = domain.dc.entry(person["dn"])
    assert {name: value for name, value in after.items() if name not in NOTED} == {
        name: value for name, value in before.items() if name not in NOTED}
    assert domain.dump() == all_before
    usn = domain.usn(person["dn"])
    assert domain.row("imdisable", person["sam"])["outcome"] == "unchanged"
    assert domain.usn(person["dn"]) == usn


def test_each_form_of_identity(domain):
    person = domain.people.one("migrated")
    entry = domain.dc.entry(person["dn"])
    sid = "S-1-5-21-" + "-".join(str(int.from_bytes(entry["objectSid"][0][at:at + 4], "little")) for at in range(8, 28, 4)[1:])
    guid = str(uuid.UUID(bytes_le=entry["objectGUID"][0]))
    sam, upn = person["sam"], entry["userPrincipalName"][0].decode()
    domain.run("imenable", sam)
    forms = [sam.upper(), f"SAM\\{sam}", f"sam.example.com\\{sam}", person["dn"], sid, guid, "{" + guid + "}", upn, person["mail"].upper(),
             f"{alias_of(person)}@{DOMAIN}".upper(), f"im:{alias_of(person)}@{DOMAIN}", f"guid:{guid}", f"sid:{sid}", f"dn:{person['dn'].upper()}"]
    found = domain.rows("imenable", *forms)
    assert [(form, line["outcome"], line["account"]) for form, line in zip(forms, found)] == [(form, "unchanged", sam) for form in forms]
    found = domain.rows("imenable", f"OTHER\\{sam}", person["history"], "nobody", "CN=none," + domain.base, status=1)
    assert {line["outcome"] for line in found} == {"not-found"}
    assert "SAM" in found[0]["message"] and "SID history" in found[1]["message"]


@pytest.mark.parametrize("kind", ["umlaut", "comma", "inetorgperson", "no-alias", "computer"])
def test_difficult_names_and_other_objects(domain, kind):
    person = domain.people.one(kind)
    found = domain.row("imenable", f"dn:{person['dn']}", status=None)
    if kind == "computer":  # its name ends in "$", which is a plain alias to nobody but the directory
        assert found["outcome"] in ("changed", "refused")
        return
    assert found["outcome"] == "changed", found
    domain.expect_enabled(person["dn"], alias_of(person))


@pytest.mark.parametrize("kind, reason", [
    ("disabled", "account-disabled"), ("resource", "account-disabled"), ("linked", "account-linked-external"),
    ("sid-history-placeholder", "account-sid-history-placeholder"), ("contact", "account-not-security-principal"),
    ("unsafe-alias", "account-alias-unsafe")])
def test_placeholders_are_refused(domain, kind, reason):
    person = domain.people.one(kind)
    before = domain.dump()
    found = domain.row("imenable", person["sam"] or f"dn:{person['dn']}", status=1)
    assert (found["outcome"], found["reason"]) == ("refused", reason)
    assert domain.dump() == before


def test_allow(domain):
    person = domain.people.one("disabled")
    found = domain.row("imenable", "--allow", "account-disabled", person["sam"])
    assert found["outcome"] == "changed" and "disabled" in found["message"]
    domain.expect_enabled(person["dn"], alias_of(person))


def test_addresses_are_unique_in_any_letter_case(domain):
    one, two = domain.people.of("duplicate")[:2]
    first, second = domain.rows("imenable", one["sam"], two["sam"], status=1)
    assert first["outcome"] == "changed"  # as if one were done after the other
    assert second["reason"] == "account-address-duplicate" and first["dn"] in second["message"]
    found = domain.row("imenable", "--address", f"{alias_of(one)}@{DOMAIN}".upper(), two["sam"], status=1)
    assert found["reason"] == "account-address-duplicate" and one["cn"].split()[0].lower() in found["message"].lower()


def test_password_over_ldaps(domain):
    person = domain.people.one("healthy")
    config = domain.write_config("ldaps.yaml", domain.dc.ldaps)
    login = ["--config", config, "--tls-ca", domain.dc.ca_file, "-D", domain.dc.administrator, "-y", domain.dc.password_file]
    assert domain.row("imenable", *login, person["sam"])["outcome"] == "changed"


def test_global_catalog_is_no_place_to_write(domain):
    done = domain.run("imenable", "-H", f"ldap://{domain.dc.host}:3268", domain.people.one("healthy")["sam"], status=2)
    assert "catalog" in done.stderr and done.stdout == ""


def test_no_right_is_seen_beforehand(domain):
    person = domain.people.one("healthy")
    clerk = {"objectClass": ["user"], "sAMAccountName": "clerk", "unicodePwd": f'"{PASSWORD}"'.encode("utf-16-le"), "userAccountControl": 512}
    domain.dc.load(record(f"CN=Clerk,CN=Users,{domain.dc.suffix}", clerk))
    # The clerk may not look into the configuration of Exchange either.
    home = f"OU=Seen,{domain.dc.suffix}"
    domain.dc.load(record(home, {"objectClass": ["organizationalUnit"], "ou": "Seen"}))
    config = domain.write_config("clerk.yaml", domain.dc.ldap, f'servers:\n  - {{ name: IM1, host: im1.sam.example.com, dn: "{home}" }}\n')
    domain.environment |= {"KRB5CCNAME": f"FILE:{domain.folder}/clerk"}
    domain.dc.run(["kinit", f"clerk@{domain.dc.realm}"], stdin=f"{PASSWORD}\n", env=domain.environment)
    found = domain.row("imenable", "--config", config, person["sam"], status=1)
    assert (found["outcome"], found["reason"]) == ("refused", "account-not-writable")
    assert domain.values(person["dn"]) == {}
    done = domain.run("imenable", "--config", config, "--allow", "account-not-writable", "-o", "json", person["sam"], status=1)
    [forced] = json.loads(done.stdout)["accounts"]
    assert forced["outcome"] == "failed" and forced["ldap"]["code"] == 50


def test_dry_run_and_changes_file(domain):
    people = [*domain.people.of("healthy")[:2], domain.people.one("comma"), domain.people.one("umlaut")]
    names = [person["sam"] for person in people]
    before = domain.dump()
    changes = domain.folder / "changes.ldif"
    domain.run("imenable", "-n", "--changes", changes, *names)
    assert domain.dump() == before
    domain.dc.load(changes.read_text())
    for person in people:
        domain.expect_enabled(person["dn"], alias_of(person))
    assert {line["outcome"] for line in domain.rows("imenable", *names)} == {"unchanged"}
    domain.run("imdisable", "-n", "--changes", changes, *names)
    domain.dc.load(changes.read_text())
    assert domain.dump() == before


def test_foreign_change_is_never_overwritten(domain):
    one, two = domain.people.of("healthy")[:2]
    domain.run("imenable", two["sam"])

    def edit():
        domain.dc.load(modification(one["dn"], [("add", "msExchIMAddress", [f"chosen@{DOMAIN}"])]))
        domain.dc.load(modification(two["dn"], [("replace", "msExchIMPhysicalURL", ["http://somebody.else.example/1"])]))

    with Between(389, domain.dc.address, domain.dc.network_pid) as proxy:
        proxy.before("modify", 1, edit)
        config = domain.write_config("proxy.yaml", proxy.url)
        login = ["--config", config, "-D", domain.dc.administrator, "-y", domain.dc.password_file]
        done = domain.run("imenable", *login, "--home", "IM2", "-o", "json", one["sam"], two["sam"])
        assert proxy.failure is None and proxy.counts["modify"] == 4
    lines = json.loads(done.stdout)["accounts"]
    assert [line["outcome"] for line in lines] == ["changed", "changed"]
    assert ["http://somebody.else.example/1"] in [change["before"] for change in lines[1]["changes"]]
    domain.expect_enabled(one["dn"], "chosen", 2)
    domain.expect_enabled(two["dn"], alias_of(two), 2)


def test_home_that_was_renamed_and_home_that_was_deleted(domain):
    people = domain.people.of("healthy")[:3]
    place = f"OU=Homes,{domain.dc.suffix}"
    old, new = f"CN=old,{place}", f"CN=new,{place}"
    domain.dc.load(record(place, {"objectClass": ["organizationalUnit"], "ou": "Homes"}) + record(old, {"objectClass": ["container"], "cn": "old"}))
    config = domain.write_config("homes.yaml", domain.dc.ldap, f'servers:\n  - {{ name: old, host: old.sam.example.com, dn: "{old}" }}\n')
    names = [person["sam"] for person in people]
    domain.run("imenable", "--config", config, "--home", "old", *names)
    domain.dc.load(f"dn: {old}\nchangetype: modrdn\nnewrdn: CN=new\ndeleteoldrdn: 1\n")
    assert domain.row("imdisable", names[0])["outcome"] == "changed"
    assert domain.values(people[0]["dn"]) == {}
    domain.dc.load(f"dn: {new}\nchangetype: delete\n")
    assert domain.row("imenable", "--home", "IM2", names[1])["outcome"] == "changed"
    domain.expect_enabled(people[1]["dn"], alias_of(people[1]), 2)
    assert domain.row("imdisable", names[2])["outcome"] == "changed"
    assert domain.values(people[2]["dn"]) == {}


def test_home_auto(domain):
    people = [person["sam"] for person in domain.people.of("healthy")[:6]]
    homes = [line["home"] for line in domain.rows("imenable", "--home", "auto", *people)]
    assert homes.count("IM1") == homes.count("IM2") == 3


def test_without_the_static_class_it_takes_two_steps(domain):
    """As where somebody extended the schema and did not attach the class to users; the class goes again with the values."""
    dc, person = domain.dc, domain.people.one("healthy")
    link = [(operation, "auxiliaryClass", ["msExchIMRecipient"]) for operation in ("delete", "add")]
    before = domain.dump()
    dc.load(modification(f"CN=User,{dc.schema_dn}", link[:1]))
    try:
        assert domain.row("imenable", person["sam"])["outcome"] == "changed"
        entry = dc.entry(person["dn"])
        assert b"msExchIMRecipient" in entry["objectClass"] and entry["msExchIMAddress"] == [f"{alias_of(person)}@{DOMAIN}".encode()]
        assert domain.row("imenable", person["sam"])["outcome"] == "unchanged"
        assert domain.row("imdisable", person["sam"])["outcome"] == "changed"
        assert domain.dump() == before
    finally:
        dc.load(modification(f"CN=User,{dc.schema_dn}", link[1:]))
