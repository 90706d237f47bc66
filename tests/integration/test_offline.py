"""-H ldif:FILE: an export stands in for the directory. What is planned on it is what would be done on the server."""

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.lab import VARIANTS, open_lab
from tests.support.process import short_folder, tool

ADDRESS = re.compile(r"^msExchIMAddress: ", re.M)


def ldapsearch(server, base: str, *words) -> bytes:
    done = subprocess.run(["ldapsearch", "-LLL", "-Q", "-Y", "EXTERNAL", "-H", server.ldapi, "-b", base, *words], capture_output=True, timeout=60, check=True)
    return done.stdout


def schema(server) -> bytes:
    return ldapsearch(server, "cn=Subschema", "-s", "base", "+", "objectClass")


class Exported:
    """A lab and exports of it; the server stays as it was."""

    def __init__(self, variant: str):
        self.folder = short_folder("offline")
        self.lab = open_lab(variant, self.folder, 80)
        server = self.lab.server
        some = [person for person in self.lab.people.of("healthy")][:3]
        self.lab.run("imenable", "--no-journal", *(self.lab.account(person) for person in some), status=None)
        self.search = self.write("search.ldif", ldapsearch(server, server.suffix, "*", "+") + b"\n" + schema(server))
        self.slapcat = self.write("slapcat.ldif", self._slapcat())
        self.zipped = self.write("slapcat.gz", gzip.compress(self.slapcat.read_bytes()))
        self.all = (self.search, self.slapcat, self.zipped)

    def _slapcat(self) -> bytes:
        folder = self.lab.server.folder / "conf"
        return subprocess.run(["/usr/sbin/slapcat", "-n1", "-F", str(folder)], capture_output=True, timeout=60, check=True).stdout

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def offline(self, tool_name: str, export: Path, *words, status: int | None = None):
        return self.lab.run(tool_name, "-H", f"ldif:{export}", *words, status=status)

    def close(self):
        self.lab.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module", params=VARIANTS)
def exported(request):
    found = Exported(request.param)
    yield found
    found.close()


@pytest.fixture(scope="module")
def plain():
    found = Exported("plain")
    yield found
    found.close()


def results(done) -> dict:
    """The report without what must differ: where it was made, and how long it took."""
    report = json.loads(done.stdout)
    report.pop("directory"), report.pop("started"), report["summary"].pop("seconds")
    report["accounts"].sort(key=lambda account: (account.get("dn", ""), account["input"]))
    return report


# ---- the same as on the server ----


def csv_of_everybody(lab) -> str:
    """Everybody by one name or another, and some who do not exist."""
    lines = ["account"]
    for number, person in enumerate(lab.people.manifest):
        forms = [person["sam"] and f"sam:{person['sam']}", person["mail"], f"dn:{person['dn']}"]
        forms = [form for form in forms if form]
        lines.append('"' + forms[number % len(forms)] + '"')
    return "\n".join([*lines, "nobody-at-all", '"dn:cn=nobody,dc=corp,dc=example"', "ghost@corp.example"]) + "\n"


def test_a_table_is_planned_alike(exported):
    lab = exported.lab
    table = lab.file("everybody.csv", csv_of_everybody(lab))
    words = ["--csv", table, "-n", "-o", "json"]
    live = lab.run("imenable", *words, status=1)
    assert results(live)["summary"]["changed"] > 20
    for export in exported.all:
        offline = exported.offline("imenable", export, *words)
        assert offline.returncode == live.returncode, offline.stderr
        assert results(offline) == results(live), export
        assert json.loads(offline.stdout)["directory"] == f"ldif:{export}"


def test_a_condition_is_planned_alike(exported):
    lab = exported.lab
    for words in (["--all"], ["--filter", "(|(cn=*e*)(sn=M*))"], ["--filter", "(&(givenName=*)(!(sn=M*)))"]):
        live = lab.run("imenable", *words, "-n", "-o", "json", status=None)
        offline = exported.offline("imenable", exported.search, *words, "-n", "-o", "json")
        assert results(offline) == results(live), words
    live = lab.run("imdisable", "--all", "-n", "-o", "json", status=None)
    assert results(live)["summary"]["changed"] == 3
    assert results(exported.offline("imdisable", exported.slapcat, "--all", "-n", "-o", "json")) == results(live)


def test_changes_are_what_the_server_would_have_got(exported):
    lab, server = exported.lab, exported.lab.server
    server.snapshot()
    changes = exported.folder / "changes.ldif"
    before = {path: path.read_bytes() for path in exported.all}
    done = exported.offline("imenable", exported.zipped, "--all", "--changes", changes, "-o", "json")
    report = json.loads(done.stdout)
    assert report["dry_run"] is True and report["summary"]["changed"] > 20, done.stderr
    assert not list(exported.folder.glob("**/*.jsonl"))
    assert len(ADDRESS.findall(changes.read_text())) == report["summary"]["changed"]
    tool("ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", server.ldapi, "-f", changes)
    wanted = {dn: lab.im_values(dn) for dn in (person["dn"] for person in lab.people.manifest)}
    server.reset()
    lab.run("imenable", "--all", "--yes", "--no-journal", status=1)
    assert {dn: lab.im_values(dn) for dn in wanted} == wanted
    server.reset()
    assert {path: path.read_bytes() for path in exported.all} == before


def test_a_plan_can_be_applied_to_the_server(plain):
    lab, server = plain.lab, plain.lab.server
    server.snapshot()
    person = lab.people.of("healthy")[5]
    plan = plain.folder / "plan.jsonl"
    plain.offline("imenable", plain.slapcat, lab.account(person), "-n", "--plan", plan, status=0)
    lab.run("imapply", plan, "--no-journal")
    assert lab.is_enabled(person["dn"], person["alias"])
    server.reset()


# ---- what is refused ----


def test_without_something_to_show_nothing_is_done(plain):
    person = plain.lab.account(plain.lab.people.of("healthy")[4])
    done = plain.offline("imenable", plain.search, person, status=2)
    assert "is an export, which is never altered: give --changes FILE" in done.stderr and "--dry-run" in done.stderr
    assert not done.stdout
    plain.offline("imdisable", plain.search, person, status=2)
    plan = plain.folder / "unwanted.jsonl"
    assert "--dry-run" in plain.offline("imenable", plain.search, person, "--plan", plan, status=2).stderr
    assert not plan.exists()


@pytest.mark.parametrize("content, words", [
    (b"", "holds no entry"),
    (b"dn: dc=x\ndc: x\n\nnonsense\n", "4:1: expected"),
    (b"dn: dc=x\ndc: x\n\ndn: cn=a,dc=x\nphoto:< file:///etc/hostname\n", "not followed"),
    (b"dn: dc=x\ndc: x\n\n# search result\nsearch: 2\nresult: 4 Size limit exceeded\n", "not whole"),
    (b"dn: nonsense\ndc: x\n", "is not a DN"),
    (gzip.compress(b"dn: dc=x\ndc: x\n" * 3)[:-9], "ends too early"),
    (gzip.compress(b"dn: dc=x\ndc: x\n")[:-8] + b"\0" * 8, "broken at byte"),
])
def test_a_wrong_export_is_told(plain, content, words):
    path = plain.write("wrong.ldif", content)
    done = plain.offline("imenable", path, "jdoe", "-n")
    assert done.returncode == (3 if words in ("holds no entry", "not whole") else 2)
    assert words in done.stderr and "wrong.ldif" in done.stderr, done.stderr
    assert not done.stdout


def test_a_file_that_is_not_there_is_wrong_input(plain):
    done = plain.offline("imenable", plain.folder / "nowhere.ldif", "jdoe", "-n", status=2)
    assert "cannot read" in done.stderr and "nowhere.ldif" in done.stderr
    assert "no regular file" in plain.offline("imenable", plain.folder, "jdoe", "-n", status=2).stderr
    done = plain.lab.run("imenable", "-H", f"ldif:{plain.search}", "-H", "ldap://127.0.0.1:1", "jdoe", "-n", status=2)
    assert "name no other server beside it" in done.stderr
    assert "name of a file" in plain.lab.run("imenable", "-H", "ldif:", "jdoe", "-n", status=2).stderr


def test_a_base_without_entries_does_not_exist(plain):
    done = plain.offline("imenable", plain.search, "-b", "ou=Nowhere,dc=corp,dc=example", "jdoe", "-n", status=3)
    assert "does not exist" in done.stderr and "export" in done.stderr


def test_a_part_of_an_attribute_is_not_taken_for_the_whole(plain):
    group = b"dn: cn=big,dc=corp,dc=example\nobjectClass: groupOfNames\ncn: big\nmember;range=0-0: cn=x,dc=corp,dc=example\n\n"
    path = plain.write("parts.ldif", plain.search.read_bytes() + b"\n" + group)
    done = plain.offline("imenable", path, "--group", "cn=big,dc=corp,dc=example", "-n", status=3)
    assert "only a part of member" in done.stderr


# ---- what is deduced ----

AD = """
dn: DC=corp,DC=example
changetype: add
objectClass: top
objectClass: domainDNS
dc: corp
objectGUID:: AAAAAAAAAAAAAAAAAAAAAA==

dn: CN=Configuration,DC=corp,DC=example
changetype: add
objectClass: configuration
cn: Configuration

dn: CN=1,CN=IM,CN=Protocols,CN=IM1,CN=Servers,CN=Configuration,DC=corp,DC=example
changetype: add
objectClass: top
objectClass: msExchProtocolCfgIMVirtualServer
cn: 1
msExchIMServerName: im1.corp.example
msExchIMServerHostsUsers: TRUE

dn: CN=2,CN=IM,CN=Protocols,CN=ROUTER,CN=Servers,CN=Configuration,DC=corp,DC=example
changetype: add
objectClass: top
objectClass: msExchProtocolCfgIMVirtualServer
cn: 2
msExchIMServerName: im.corp.example
msExchIMServerHostsUsers: FALSE

dn: CN=Doe\\, Jane,CN=Users,DC=corp,DC=example
changetype: add
objectClass: top
objectClass: person
objectClass: organizationalPerson
objectClass: user
sAMAccountName: jdoe
mailNickname: jdoe
objectGUID:: AQIDBAUGBwgJCgsMDQ4PEA==
objectSid:: AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAA9AEAAA==
userAccountControl: 512

dn: CN=Gone\\0ADEL:4f1e9f0c-0000-4000-8000-0123456789ab,CN=Deleted Objects,DC=corp,DC=example
changetype: add
objectClass: user
sAMAccountName: gone
isDeleted: TRUE
objectGUID:: AgIDBAUGBwgJCgsMDQ4PEA==
"""


def ad_export(folder: Path) -> Path:
    path = folder / "ldifde.ldf"
    path.write_bytes(AD.lstrip().replace("\n", "\r\n").encode())
    return path


def test_what_ldifde_wrote_is_active_directory(plain, tmp_path):
    empty = tmp_path / "empty.yaml"
    empty.write_text("{}\n")
    path = ad_export(tmp_path)
    guid = "04030201-0605-0807-090a-0b0c0d0e0f10"
    for name in ("jdoe", guid, "S-1-5-21-1-2-3-500", "CN=Doe\\, Jane,CN=Users,DC=corp,DC=example"):
        done = plain.offline("imenable", path, "--config", empty, name, "-n", "-o", "json", status=0)
        account, = json.loads(done.stdout)["accounts"]
        assert account["outcome"] == "changed" and account["address"] == "jdoe@im.corp.example" and account["home"] == "IM1"
        assert "objectClass" not in [change["attribute"] for change in account["changes"]]  # users have it statically
    done = plain.offline("imenable", path, "--config", empty, "gone", "-n", "-o", "json", status=1)
    assert json.loads(done.stdout)["accounts"][0]["outcome"] == "not-found"
    done = plain.offline("imenable", path, "--config", empty, "--filter", "(&(objectCategory=*)(sn=x))", "-n", "-v", status=None)
    assert "the export holds no schema" in done.stderr


def test_an_export_without_schema_says_so(plain):
    done = plain.offline("imschema", plain.slapcat, status=2)
    assert "holds no definitions" in done.stderr
    assert "complete" in plain.offline("imschema", plain.search, status=0).stdout
    assert "never altered" in plain.offline("imschema", plain.search, "--extend", "--yes", status=2).stderr


def test_what_the_configuration_of_the_server_defines_is_a_schema(plain):
    folder = plain.lab.server.folder / "conf"
    config = subprocess.run(["/usr/sbin/slapcat", "-n0", "-F", str(folder)], capture_output=True, timeout=60, check=True).stdout
    path = plain.write("both.ldif", plain.slapcat.read_bytes() + b"\n" + config)
    assert "complete" in plain.offline("imschema", path, status=0).stdout
