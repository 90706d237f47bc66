"""imenable and imdisable where only a real Active Directory will do: each way to log on, delegated rights, servers that the configuration
partition holds and that go away, a whole workforce. What was written is read with ldapsearch."""

import csv
import io
import json
import os
import uuid
from pathlib import Path

import pytest

from tests.support.between import Between
from tests.support.ldif import line, modification, record, without
from tests.support.samba import NOTED, SambaDC
from tests.support.slapd import IM_ATTRIBUTES

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("IMDIR_BIN", ROOT / "build" / "bin")).resolve()
IM_DOMAIN = f"im.{SambaDC.domain}"
FOUR = {"msExchIMAddress", "msExchIMMetaPhysicalURL", "msExchIMPhysicalURL", "msExchIMVirtualServer"}
REFUSED = {"disabled": "account-disabled", "disabled-no-expiry": "account-disabled", "resource": "account-disabled",
           "linked": "account-linked-external", "sid-history-placeholder": "account-sid-history-placeholder",
           "contact": "account-not-security-principal", "unsafe-alias": "account-alias-unsafe", "duplicate": "account-address-duplicate"}
# The property set "Public Information", to which Exchange adds the instant messaging attributes.
PUBLIC_INFORMATION = "e48d0154-bcf8-11d1-8702-00c04fb96050"
USERS = "bf967aba-0de6-11d0-a285-00aa003049e2"

pytestmark = pytest.mark.samba


class Office:
    """Commands run in the network of the domain controller; over ldaps with a password unless said otherwise."""

    def __init__(self, dc: SambaDC, folder: Path):
        self.dc, self.folder, self.people = dc, folder, dc.people
        self.healthy = [person for person in dc.people.of("healthy") if person["alias"]]
        self.home, self.other = (server.dn for server in dc.servers if server.hosts_users)
        self.environment = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self.login = ["-H", dc.ldaps, "--tls-ca", dc.ca_file, "-D", dc.administrator, "-y", dc.password_file]

    def run(self, tool, *words, status=0, login=None):
        words = [tool, *(self.login if login is None else login), *words]
        done = self.dc.run([BIN / words[0], *words[1:]], check=False, env=self.environment)
        assert done.returncode == status, f"status {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def rows(self, tool, *words, **options):
        return list(csv.DictReader(io.StringIO(self.run(tool, "-o", "csv", *words, **options).stdout)))

    def row(self, *words, **options):
        [found] = self.rows(*words, **options)
        return found

    def relax(self):
        """From here on a proxy can look at what is sent, and Kerberos is accepted inside TLS."""
        text = self.dc.smb_conf.read_text()
        self.dc.smb_conf.write_text(text.replace("require strong auth = yes", "require strong auth = no"))
        self.dc.restart()

    def set_rights(self, dn, action, rights):
        database = self.dc.smb_conf.parent.parent / "private" / "sam.ldb"
        self.dc.run(["samba-tool", "dsacl", "set", "-H", database, "-s", self.dc.smb_conf, f"--action={action}", f"--objectdn={dn}", f"--sddl={rights}"])

    def behind(self, proxy):
        return ["-H", proxy.url, "-D", self.dc.administrator, "-y", self.dc.password_file]

    def write_file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def contents(self):
        """The domain without what changes by itself."""
        return without(self.dc.dump(f"OU=People,{self.dc.suffix}"), NOTED)

    def usn(self, person):
        return self.dc.entry(person["dn"], ("uSNChanged",))["uSNChanged"]

    def expect_enabled(self, person, number=1, alias=None, home=None):
        alias = alias or person["alias"] or person["sam"]
        entry = self.dc.entry(person["dn"])
        assert {name: [value.decode() for value in entry[name]] for name in IM_ATTRIBUTES if name in entry} == {
            "msExchIMAddress": [f"{alias}@{IM_DOMAIN}"],
            "msExchIMMetaPhysicalURL": [f"http://{IM_DOMAIN}/instmsg/aliases/{alias}"],
            "msExchIMPhysicalURL": [f"http://im{number}.{self.dc.domain}/instmsg/local/{IM_DOMAIN}/instmsg/aliases/{alias}"],
            "msExchIMVirtualServer": [home or (self.home, self.other)[number - 1]],
        }


@pytest.fixture
def office(samba_im, tmp_path):
    return Office(samba_im, tmp_path)


# ---- what is written ----


def test_four_values_in_one_modify_and_nothing_else(office):
    person, before = office.healthy[0], office.contents()
    office.relax()
    with Between(389, office.dc.address, office.dc.network_pid) as proxy:
        office.run("imenable", "--home", "IM1", person["sam"], login=office.behind(proxy))
        assert proxy.counts["modify"] == 1 and proxy.failure is None
    office.expect_enabled(person)
    after = office.contents()
    assert [dn for dn in before if after[dn] != before[dn]] == [dn for dn in before if dn.lower() == person["dn"].lower()]
    old, new = (next(entry for dn, entry in everything.items() if dn.lower() == person["dn"].lower()) for everything in (before, after))
    assert {name for name in new if new[name] != old.get(name)} == FOUR


def test_a_whole_workforce_and_back(office):
    """Each is enabled or refused for the reason that goes with its kind; disabling puts everything back."""
    before = office.contents()
    names = office.write_file("people", "".join(f"dn:{person['dn']}\n" for person in office.people.manifest if person["kind"] not in ("computer", "group")))
    kinds = [person["kind"] for person in office.people.manifest if person["kind"] not in ("computer", "group")]
    found = office.rows("imenable", "--home", "auto", "--list", names, status=1)
    crowd = [person for person in office.people.manifest if person["kind"] not in ("computer", "group")]
    firsts = {person["alias"]: person["dn"] for person in reversed(crowd) if person["kind"] == "duplicate"}  # who gets the address
    expected = ["" if person["dn"] in firsts.values() else REFUSED.get(person["kind"], "") for person in crowd]
    assert list(zip(kinds, (row["reason"] for row in found))) == list(zip(kinds, expected))
    assert {row["outcome"] for row in found} == {"changed", "refused"} and len(found) == len(kinds)
    homes = [row["home"] for row in found if row["outcome"] == "changed"]
    assert abs(homes.count("IM1") - homes.count("IM2")) <= 1
    again = office.rows("imenable", "--home", "auto", "--list", names, status=1)
    assert [row["outcome"] for row in again] == ["unchanged" if row["outcome"] == "changed" else "refused" for row in found]
    back = office.rows("imdisable", "--list", names)
    assert [row["outcome"] for row in back] == ["changed" if row["outcome"] == "changed" else "unchanged" for row in found]
    assert office.contents() == before


@pytest.mark.parametrize("way", ["GSSAPI", "GSS-SPNEGO", "GSSAPI inside TLS", "password inside TLS", "password inside StartTLS"])
def test_each_way_to_log_on_writes(office, way):
    dc, person = office.dc, office.healthy[0]
    if way == "GSSAPI inside TLS":
        office.relax()
    office.environment["KRB5CCNAME"] = f"FILE:{office.folder}/tickets"
    dc.run(["kinit", dc.administrator], stdin=dc.password + "\n", env=office.environment)
    tls, password = ["--tls-ca", dc.ca_file], ["-D", dc.administrator, "-y", dc.password_file]
    login = {"GSSAPI": ["-H", dc.ldap, "-Y", "GSSAPI"], "GSS-SPNEGO": ["-H", dc.ldap], "GSSAPI inside TLS": ["-H", dc.ldaps, *tls, "-Y", "GSSAPI"],
             "password inside TLS": ["-H", dc.ldaps, *tls, *password], "password inside StartTLS": ["-H", dc.ldap, "-Z", *tls, *password]}[way]
    assert office.row("imenable", "--home", "IM1", person["sam"], login=login)["outcome"] == "changed"
    office.expect_enabled(person)
    usn = office.usn(person)
    assert office.row("imenable", person["sam"], login=login)["outcome"] == "unchanged"
    assert office.usn(person) == usn


# ---- who is meant ----


def test_a_forced_form_is_no_other(office):
    """One has as name what is a mail address of two."""
    one, two = office.healthy[:2]
    shared = f"second@{office.dc.domain}"
    office.dc.load(modification(two["dn"], [("add", "proxyAddresses", [f"smtp:{shared}"])]))
    office.dc.load(modification(one["dn"], [("replace", "userPrincipalName", [shared])]))
    before = office.contents()
    forms = {f"upn:{shared.upper()}": one, f"mail:{shared.upper()}": two, f"sam:{one['sam'].upper()}": one, f"sam.example.com\\{two['sam']}": two,
             f"sam\\{two['sam']}": two, f"mail:{one['mail']}": one}
    found = office.rows("imenable", "-n", "--home", "IM1", *forms)
    assert [row["account"] for row in found] == [person["sam"] for person in forms.values()]
    assert [row["outcome"] for row in found] == ["changed", "changed"] + ["unchanged"] * 4
    found = office.rows("imenable", "-n", "--home", "IM1", shared, f"im:{shared}", f"CORP\\{two['sam']}", f"upn:{one['mail']}", status=1)
    assert [row["outcome"] for row in found] == ["ambiguous"] + ["not-found"] * 3
    assert all(person["cn"] in found[0]["message"] for person in (one, two)) and "SAM" in found[2]["message"]
    assert office.contents() == before


def test_nobody_visible_is_said(office):
    done = office.run("imenable", "-b", office.dc.configuration_dn, "--home", "IM1", "nobody", status=3)
    assert office.dc.configuration_dn in done.stderr and office.dc.administrator in done.stderr
    assert office.row("imenable", "--home", "IM1", "nobody", status=1)["outcome"] == "not-found"


# ---- rights ----


def clerk_of(office):
    """An account with a password and no rights, and how it logs on."""
    clerk = office.healthy[-1]
    office.dc.set_password(clerk["dn"], "Another.1pass")
    secret = office.write_file("secret", "Another.1pass\n")
    upn = office.dc.entry(clerk["dn"])["userPrincipalName"][0].decode()
    return clerk, ["-H", office.dc.ldaps, "--tls-ca", office.dc.ca_file, "-D", upn, "-y", secret]


def test_rights_on_the_property_set_are_enough(office):
    person, before = office.healthy[0], office.contents()
    clerk, login = clerk_of(office)
    office.set_rights(f"CN=Services,{office.dc.configuration_dn}", "allow", "(A;CI;RPLCLORC;;;AU)")  # as Exchange does
    found = office.row("imenable", "--home", "IM1", person["sam"], login=login, status=1)
    assert (found["outcome"], found["reason"]) == ("refused", "account-not-writable")
    found = office.row("imenable", "-n", "--home", "IM1", person["sam"], login=login, status=1)
    assert (found["outcome"], found["reason"]) == ("refused", "account-not-writable")
    sid = office.dc.entry(clerk["dn"])["objectSid"][0]
    text = "S-1-5-" + "-".join(str(int.from_bytes(sid[at:at + 4], "little")) for at in range(8, 28, 4))
    office.set_rights(f"OU=People,{office.dc.suffix}", "allow", f"(OA;CIIO;WP;{PUBLIC_INFORMATION};{USERS};{text})")
    assert office.row("imenable", "--home", "IM1", person["sam"], login=login)["outcome"] == "changed"
    office.expect_enabled(person)
    assert office.row("imdisable", person["sam"], login=login)["outcome"] == "changed"
    assert office.contents()[dn_as_read(before, person)] == before[dn_as_read(before, person)]


def dn_as_read(everything, person):
    [found] = [dn for dn in everything if dn.lower() == person["dn"].lower()]
    return found


def test_one_attribute_that_may_not_be_written(office):
    """A right that is denied for one attribute is seen before anything is written."""
    person, dc = office.healthy[0], office.dc
    guid = uuid.UUID(bytes_le=dc.entry(f"CN=ms-Exch-IM-Physical-URL,{dc.schema_dn}")["schemaIDGUID"][0])
    office.set_rights(person["dn"], "deny", f"(OD;;WP;{guid};;DA)")
    before = office.contents()
    found = office.row("imenable", "--home", "IM1", person["sam"], status=1)
    assert (found["outcome"], found["reason"]) == ("refused", "account-not-writable")
    assert "msExchIMPhysicalURL" in found["message"]
    assert office.contents() == before


# ---- servers ----


def test_servers_are_found_in_the_configuration_partition(office):
    person = office.healthy[0]
    done = office.run("imenable", person["sam"], status=2)
    assert "IM1" in done.stderr and "IM2" in done.stderr and "ROUTER" not in done.stderr and "--home" in done.stderr
    for name in ("im2", f"IM2.{office.dc.domain}", office.other.lower()):
        assert office.row("imenable", "--home", name, person["sam"])["home"] == "IM2"
        office.expect_enabled(person, 2)
    found = office.row("imenable", "--home", "ROUTER", person["sam"], status=1)
    assert (found["outcome"], found["reason"]) == ("refused", "account-home-not-host")
    assert "IM1" in office.run("imenable", "--home", "IM3", person["sam"], status=2).stderr
    office.run("imenable", "--domain", f"im2.{office.dc.domain}", person["sam"])
    assert office.dc.entry(person["dn"])["msExchIMAddress"][0].decode().endswith(f"@im2.{office.dc.domain}")


def test_a_home_that_was_deleted_is_replaced(office):
    """Its value reads differently from what the server matches; only the GUID in it names it."""
    one, two, three = office.healthy[:3]
    office.run("imenable", "--home", "IM1", one["sam"], two["sam"], three["sam"])
    office.dc.load(f"dn: {office.home}\nchangetype: delete\n")
    assert b"\\0ADEL:" in office.dc.entry(one["dn"])["msExchIMVirtualServer"][0]
    found = office.row("imenable", one["sam"])  # IM2 is the only one left
    assert (found["outcome"], found["home"]) == ("changed", "IM2")
    office.expect_enabled(one, 2)
    office.run("imenable", "--home", "im2", two["sam"])
    office.expect_enabled(two, 2)
    office.run("imdisable", three["sam"])
    assert not FOUR & office.dc.entry(three["dn"]).keys()
    usn = office.usn(one)
    assert office.row("imenable", one["sam"])["outcome"] == "unchanged"
    assert office.usn(one) == usn


def test_somebody_mends_the_deleted_home_first(office):
    person = office.healthy[0]
    office.run("imenable", "--home", "IM1", person["sam"])
    office.dc.load(f"dn: {office.home}\nchangetype: delete\n")
    router = next(server.dn for server in office.dc.servers if not server.hosts_users)
    office.relax()
    with Between(389, office.dc.address, office.dc.network_pid) as proxy:
        proxy.before("modify", 1, lambda: office.dc.load(modification(person["dn"], [("replace", "msExchIMVirtualServer", [router])])))
        done = office.run("imenable", "--home", "IM2", "-o", "json", person["sam"], login=office.behind(proxy))
        assert proxy.counts["modify"] == 2 and proxy.failure is None
    [row] = json.loads(done.stdout)["accounts"]
    [change] = [change for change in row["changes"] if change["attribute"] == "msExchIMVirtualServer"]
    assert (change["before"], change["after"]) == ([router], [office.other])
    office.expect_enabled(person, 2)


def test_a_home_that_was_renamed_is_still_the_home(office):
    """Clients read the new name, the server still matches the old one."""
    dc, (one, two) = office.dc, office.healthy[:2]
    old, new = f"CN=old,CN=Users,{dc.suffix}", f"CN=new,CN=Users,{dc.suffix}"
    dc.load(record(old, {"objectClass": "container", "cn": "old"}))

    def configured(dn, home="old"):
        return ["--config", office.write_file("homes.yaml", f'servers:\n  - {{ name: old, host: im9.{dc.domain}, dn: "{dn}" }}\n'), "--home", home]

    office.run("imenable", *configured(old), one["sam"], two["sam"])
    dc.load(f"dn: {old}\nchangetype: modrdn\nnewrdn: CN=new\ndeleteoldrdn: 1\n")
    office.expect_enabled(one, 9, home=new)
    usn = office.usn(one)
    assert office.row("imenable", *configured(new), one["sam"])["outcome"] == "unchanged"
    assert office.usn(one) == usn
    assert office.row("imenable", *configured(new, "IM2"), one["sam"])["outcome"] == "changed"
    office.expect_enabled(one, 2)
    assert office.row("imdisable", two["sam"])["outcome"] == "changed"
    assert not FOUR & dc.entry(two["dn"]).keys()


# ---- others at work ----


def test_renamed_and_deleted_in_between(office):
    renamed, deleted = office.healthy[:2]

    def interfere():
        office.dc.load(f"{line('dn', renamed['dn'])}changetype: modrdn\nnewrdn: CN=Somebody Else\ndeleteoldrdn: 1\n")
        office.dc.load(f"{line('dn', deleted['dn'])}changetype: delete\n")

    office.relax()
    with Between(389, office.dc.address, office.dc.network_pid) as proxy:
        proxy.before("modify", 1, interfere)
        found = office.rows("imenable", "--home", "IM1", renamed["sam"], deleted["sam"], login=office.behind(proxy), status=1)
        assert proxy.failure is None
    assert [row["outcome"] for row in found] == ["changed", "conflict"]
    assert "deleted" in found[1]["message"]
    [new] = office.dc.search(f"(sAMAccountName={renamed['sam']})")
    assert new.startswith("CN=Somebody Else,")
    office.expect_enabled(renamed | {"dn": new})


def test_somebody_takes_the_same_address_in_other_letters(office):
    """The server tells letters apart in this attribute; people and clients do not."""
    one, two = office.healthy[:2]
    office.dc.load(modification(one["dn"], [("add", "msExchIMAddress", [f"{two['alias']}@{IM_DOMAIN}".upper()])]))
    found = office.row("imenable", "--home", "IM1", "--address", f"{two['alias']}@{IM_DOMAIN}".upper(), two["sam"], status=1)
    assert (found["outcome"], found["reason"]) == ("refused", "account-address-duplicate")
    assert one["cn"] in found["message"]
    assert not FOUR & office.dc.entry(two["dn"]).keys()
