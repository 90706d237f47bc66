"""imschema on real servers: what is there, extending it, conflicts, rights, formats and printed LDIF. What was written is read by other means."""

import csv
import io
import json
import os
import pty
import select
import subprocess

import pytest

from tests.support import scripted
from tests.support.command import BIN, ROOT, clean_environment
from tests.support.ldif import record
from tests.support.process import tool
from tests.support.slapd import IM_ATTRIBUTES, PrivateSlapd

COMPLETE, ABSENT, CONFLICTING, FAILED = 0, 1, 2, 3
DEFINITIONS = {*IM_ATTRIBUTES, "msExchIMRecipient"}
OURS = "exchange2000-im"
ADDRESS = ("( 1.2.840.113556.1.4.7000.102.7038 NAME 'msExchIMAddress' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26"
           " SINGLE-VALUE )")


@pytest.fixture
def imschema(tmp_path):
    """Runs imschema in an empty home, without a terminal unless `terminal` answers."""
    env = clean_environment(tmp_path)

    def call(*words, **how):
        how = {"stdout": subprocess.PIPE} | how
        return subprocess.run([BIN / "imschema", *map(str, words)], env=env, cwd=tmp_path, text=True, stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, start_new_session=True, timeout=120, **how)

    def on_terminal(answer, *words):
        """Standard output, status, and what the terminal showed; the answer is typed when a question is there."""
        pid, master = pty.fork()
        if pid == 0:
            os.chdir(tmp_path)
            os.execve(BIN / "imschema", ["imschema", *map(str, words)], env)
        seen = b""
        while select.select([master], [], [], 60)[0]:
            try:
                part = os.read(master, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            seen += part
            if answer and b"[y/N]" in seen:
                os.write(master, answer.encode() + b"\n")
                answer = ""
        _, status = os.waitpid(pid, 0)
        os.close(master)
        return os.waitstatus_to_exitcode(status), seen.decode()

    call.on_terminal = on_terminal
    call.password = tmp_path / "password"
    call.password.write_text(PrivateSlapd.password + "\n")
    call.password.chmod(0o600)
    return call


@pytest.fixture
def slapd():
    with PrivateSlapd("plain", tls=False) as server:
        yield server


def configuration(server):
    return server.dump(operational=True, base="cn=config")


def states(done):
    """State of each definition, from the JSON form."""
    return {item["name"]: item["state"] for item in json.loads(done.stdout)["definitions"]}


def load_schema(server, name, types=(), classes=()):
    values = {"objectClass": "olcSchemaConfig", "cn": name}
    values |= {"olcAttributeTypes": list(types)} if types else {}
    server.load(record(f"cn={name},cn=schema,cn=config", values | ({"olcObjectClasses": list(classes)} if classes else {})))


def try_values(server):
    """A person takes the values, written by ldapmodify."""
    server.load_base()
    server.load(f"""dn: cn=Jane,{server.suffix}
objectClass: inetOrgPerson
objectClass: msExchIMRecipient
cn: Jane
sn: Doe
msExchIMAddress: jane_doe@im.corp.example
msExchIMMetaPhysicalURL: http://im.corp.example/instmsg/aliases/jane%20doe
msExchIMPhysicalURL: http://im1.corp.example/instmsg/local/im.corp.example/instmsg/aliases/jane
msExchIMVirtualServer: cn=im1,{server.suffix}
msExchIMACL:: BwAAAAMAAAA=
msExchIMACL:: AQ==
""")
    found = server.search("(msExchIMAddress=JANE_doe@im.corp.example)")
    assert found[f"cn=Jane,{server.suffix}"]["msExchIMACL"] == [bytes([7, 0, 0, 0, 3, 0, 0, 0]), b"\1"]


# ---- OpenLDAP ----

def test_absent_extended_complete(imschema, slapd):
    before = configuration(slapd)
    done = imschema("-H", slapd.ldapi, "-o", "json")
    assert (done.returncode, done.stderr) == (ABSENT, "")
    assert states(done) == dict.fromkeys(DEFINITIONS, "absent")
    assert configuration(slapd) == before

    done = imschema("-H", slapd.ldapi, "--extend", "--yes", "-o", "json")
    assert (done.returncode, done.stderr) == (COMPLETE, "")
    assert states(done) == dict.fromkeys(DEFINITIONS, "present")
    after = configuration(slapd)
    new = set(after) - set(before)
    assert len(new) == 1 and new.pop().endswith(f"}}{OURS},cn=schema,cn=config")
    assert {dn: after[dn] for dn in before} == before
    try_values(slapd)

    assert imschema("-H", slapd.ldapi, "--extend", "--yes").returncode == COMPLETE
    assert configuration(slapd) == after
    assert imschema("-H", slapd.ldapi).returncode == COMPLETE


def test_a_restarted_server_still_has_it(imschema, slapd):
    assert imschema("-H", slapd.ldapi, "--extend", "--yes").returncode == COMPLETE
    slapd.restart()
    assert imschema("-H", slapd.ldapi).returncode == COMPLETE


def test_part_in_an_entry_of_ours(imschema, slapd):
    load_schema(slapd, OURS, [ADDRESS])
    assert imschema("-H", slapd.ldapi).returncode == ABSENT
    done = imschema("-H", slapd.ldapi, "--extend", "--yes", "-v")
    assert done.returncode == COMPLETE
    assert f"}}{OURS},cn=schema,cn=config" in done.stderr.splitlines()[-1]
    entries = slapd.search(base="cn=schema,cn=config", scope="one", attributes=("olcAttributeTypes",))
    assert [len(entry["olcAttributeTypes"]) for dn, entry in entries.items() if OURS in dn] == [5]
    try_values(slapd)


def test_part_in_an_entry_of_somebody_else(imschema, slapd):
    load_schema(slapd, "theirs", [ADDRESS])
    theirs = {dn: entry for dn, entry in configuration(slapd).items() if "theirs" in dn}
    assert imschema("-H", slapd.ldapi, "--extend", "--yes").returncode == COMPLETE
    after = configuration(slapd)
    assert {dn: after[dn] for dn in theirs} == theirs
    assert [len(entry["olcAttributeTypes"]) for dn, entry in after.items() if OURS in dn] == [4]


def test_definitions_by_other_hands_are_accepted(imschema, slapd):
    slapd.add_im_schema()
    before = configuration(slapd)
    done = imschema("-H", slapd.ldapi, "--extend", "--yes")
    assert (done.returncode, done.stderr) == (COMPLETE, "")
    assert configuration(slapd) == before


@pytest.mark.parametrize("type_, name, detail", [
    ("( 1.2.840.113556.1.4.7000.102.7038 NAME 'somethingElse' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )", "msExchIMAddress",
     "its OID 1.2.840.113556.1.4.7000.102.7038 belongs to somethingElse"),
    ("( 1.3.6.1.4.1.99999.1 NAME 'msExchIMAddress' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 SINGLE-VALUE )", "msExchIMAddress",
     "has OID 1.3.6.1.4.1.99999.1, expected 1.2.840.113556.1.4.7000.102.7038"),
    ("( 1.2.840.113556.1.4.7000.102.7038 NAME 'msExchIMAddress' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )", "msExchIMAddress",
     "is multi-valued, expected single-valued"),
    ("( 1.2.840.113556.1.4.7000.102.7037 NAME 'msExchIMVirtualServer' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 SINGLE-VALUE )",
     "msExchIMVirtualServer", "has syntax 1.3.6.1.4.1.1466.115.121.1.26, expected 1.3.6.1.4.1.1466.115.121.1.12"),
], ids=["oid-taken", "other-oid", "multi-valued", "syntax"])
def test_conflicts_stop_before_the_first_write(imschema, slapd, type_, name, detail):
    load_schema(slapd, "clash", [type_])
    before = configuration(slapd)
    for words in ([], ["--extend", "--yes"], ["--extend", "-n"]):
        done = imschema("-H", slapd.ldapi, "-o", "json", *words)
        assert done.returncode == CONFLICTING
        found = json.loads(done.stdout)
        assert found["state"] == "conflicting"
        assert [(i["name"], i["detail"]) for i in found["definitions"] if i["state"] == "conflicting"] == [(name, detail)]
    assert configuration(slapd) == before
    assert detail in imschema("-H", slapd.ldapi).stdout


def test_every_conflict_is_listed(imschema, slapd):
    load_schema(slapd, "clash", ["( 1.3.6.1.4.1.99999.1 NAME 'msExchIMAddress' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )",
                                 "( 1.2.840.113556.1.4.7000.102.7031 NAME 'other' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )"],
                ["( 1.2.840.113556.1.5.7000.62.7008 NAME 'another' SUP top AUXILIARY )"])
    found = states(imschema("-H", slapd.ldapi, "-o", "json"))
    assert {name for name, state in found.items() if state == "conflicting"} == {"msExchIMAddress", "msExchIMACL", "msExchIMRecipient"}


def test_accounts_without_rights(imschema, slapd):
    slapd.load_base()
    before = configuration(slapd)
    for name in (slapd.manager_dn, slapd.root_dn):
        simple = ["-H", slapd.ldapi, "-D", name, "-y", imschema.password]
        assert imschema(*simple).returncode == ABSENT  # anybody may look
        for words in (["--yes"], ["-n"]):
            done = imschema(*simple, "--extend", *words)
            assert (done.returncode, done.stdout) == (FAILED, "")
            for part in (name, "cn=config", "ldapi:///", "olcRootDN", "imschema --ldif openldap"):
                assert part in done.stderr
    assert configuration(slapd) == before


def test_an_account_that_may_only_read_the_configuration(imschema, slapd):
    slapd.load_base()
    slapd.load(f"""dn: olcDatabase={{0}}config,cn=config
changetype: modify
replace: olcAccess
olcAccess: to * by dn.exact="{slapd.external_dn}" manage by dn.exact="{slapd.manager_dn}" read by * none
""")
    before = configuration(slapd)
    done = imschema("-H", slapd.ldapi, "-D", slapd.manager_dn, "-y", imschema.password, "--extend", "--yes")
    assert (done.returncode, done.stdout) == (FAILED, "")
    for part in ("insufficientAccessRights", slapd.manager_dn, "may not change cn=config", "olcRootDN"):
        assert part in done.stderr
    assert configuration(slapd) == before


def test_the_configurations_own_root_dn(imschema, slapd):
    done = imschema("-H", slapd.ldapi, "-D", slapd.config_dn, "-y", imschema.password, "--extend", "--yes")
    assert (done.returncode, done.stderr) == (COMPLETE, "")


# ---- a domain controller that is not the schema master ----

NC = "CN=Schema,CN=Configuration,DC=corp,DC=example"
SERVERS = "CN=Servers,CN=Site,CN=Sites,CN=Configuration,DC=corp,DC=example"


def windows_like(refuse=None):
    """Answers as a controller of a bare forest whose schema master is dc2; `refuse` answers an add."""
    entries = {
        "": {"objectClass": ["top"], "schemaNamingContext": [NC], "configurationNamingContext": [NC.split(",", 1)[1]],
             "defaultNamingContext": ["DC=corp,DC=example"], "namingContexts": ["DC=corp,DC=example"], "subschemaSubentry": [f"CN=Aggregate,{NC}"],
             "dsServiceName": [f"CN=NTDS Settings,CN={'DC2' if refuse else 'DC1'},{SERVERS}"],
             "supportedCapabilities": ["1.2.840.113556.1.4.800"]},
        NC: {"fSMORoleOwner": [f"CN=NTDS Settings,CN=DC2,{SERVERS}"]},
        f"CN=DC2,{SERVERS}": {"dNSHostName": ["dc2.corp.example"]},
    }
    user = {"cn": ["User"], "lDAPDisplayName": ["user"], "governsID": ["1.2.840.113556.1.5.9"]}

    def answer(request):
        if request.tag == scripted.BIND:
            request.reply(scripted.result(scripted.BIND_DONE))
        elif request.tag == scripted.SEARCH:
            found = [scripted.entry(request.name, entries.get(request.name, {}))]
            if "governsID" in request.attributes:
                found = [scripted.entry(f"CN=User,{NC}", user)]
            elif "attributeSyntax" in request.attributes:
                found = []
            request.reply(*found, scripted.result(scripted.SEARCH_DONE))
        elif request.tag != scripted.UNBIND:
            request.reply(refuse or scripted.result(scripted.MODIFY_DONE, 53, "not asked for"))
    return answer


def test_only_the_schema_master(imschema):
    with scripted.ScriptedServer(windows_like()) as server:
        for words in (["--yes"], ["-n"]):
            done = imschema("-H", server.uri, "-D", "cn=a", "-y", imschema.password, "--extend", *words)
            assert (done.returncode, done.stdout) == (2, ""), done
            assert "not the schema master, nothing was changed: run imschema --extend --uri ldap://dc2.corp.example" in done.stderr
        assert {request.tag for request in server.requests} <= {scripted.BIND, scripted.SEARCH, scripted.UNBIND}


def test_the_master_moved_meanwhile(imschema):
    """Windows answers with a referral; it is told, not followed."""
    referral = scripted.result(0x69, 10, "0000202B: RefErr: DSID-0310082F", referrals=("ldap://dc3.corp.example",))
    with scripted.ScriptedServer(windows_like(referral)) as server:
        done = imschema("-H", server.uri, "-D", "cn=a", "-y", imschema.password, "--extend", "--yes")
        assert (done.returncode, done.stdout) == (FAILED, "")
        assert "CN=ms-Exch-IM-ACL" in done.stderr and "refers to another" in done.stderr
        assert sum(request.tag == 0x68 for request in server.requests) == 1


# ---- consent ----

def test_without_a_terminal_nothing_is_even_connected(imschema):
    done = imschema("-H", "ldap://127.0.0.1:1", "--extend")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--yes" in done.stderr and "connect" not in done.stderr
    assert imschema("-H", "ldap://127.0.0.1:1", "--extend", "--yes").returncode == FAILED
    assert imschema("-H", "ldap://127.0.0.1:1", "--extend", "-n").returncode == FAILED


def test_the_question(imschema, slapd):
    before = configuration(slapd)
    for answer in ("n", "", "maybe"):
        status, seen = imschema.on_terminal(answer or "\n", "-H", slapd.ldapi, "--extend")
        assert status == ABSENT
        assert seen.count("to be added: ") == 6 and seen.index("to be added: class msExchIMRecipient") < seen.index("[y/N]")
    assert configuration(slapd) == before
    status, seen = imschema.on_terminal("y", "-H", slapd.ldapi, "--extend")
    assert status == COMPLETE
    status, seen = imschema.on_terminal("", "-H", slapd.ldapi, "--extend")
    assert status == COMPLETE and "[y/N]" not in seen  # nothing to ask


def test_a_dry_run_only_shows(imschema, slapd):
    before = configuration(slapd)
    done = imschema("-H", slapd.ldapi, "--extend", "-n")
    assert (done.returncode, done.stderr) == (ABSENT, "")
    assert done.stdout.startswith("Dry run: nothing is written.") and done.stdout.count("\nabsent ") == 6
    assert json.loads(imschema("-H", slapd.ldapi, "--extend", "-n", "-o", "json").stdout)["dry_run"] is True
    assert configuration(slapd) == before


# ---- formats ----

def test_formats_say_the_same(imschema, slapd):
    load_schema(slapd, "clash", ["( 1.3.6.1.4.1.99999.1 NAME 'msExchIMAddress' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )"])
    document = json.loads(imschema("-H", slapd.ldapi, "-o", "json").stdout)
    assert [document[key] for key in ("command", "profile", "directory", "state")] == ["imschema", "exchange2000", slapd.ldapi, "conflicting"]
    assert "dry_run" not in document
    definitions = document["definitions"]
    assert all(set(item) - {"detail"} == {"name", "kind", "oid", "state"} for item in definitions)

    lines = [json.loads(line) for line in imschema("-H", slapd.ldapi, "-o", "jsonl").stdout.splitlines()]
    assert [line["type"] for line in lines] == ["run"] + ["definition"] * 6 + ["summary"]
    assert [{key: value for key, value in line.items() if key != "type"} for line in lines[1:-1]] == definitions
    assert lines[-1] == {"type": "summary", "state": "conflicting"}

    rows = list(csv.DictReader(io.StringIO(imschema("-H", slapd.ldapi, "-o", "csv").stdout)))
    assert [{key: value for key, value in row.items() if value} for row in rows] == definitions

    text = imschema("-H", slapd.ldapi).stdout.splitlines()
    assert [line.split()[:4] for line in text[:-1]] == [[item[key] for key in ("state", "kind", "name", "oid")] for item in definitions]
    assert "\x1b" not in "".join(text)
    assert "\x1b[31mconflicting\x1b[0m" in imschema("-H", slapd.ldapi, "--color=always").stdout


# ---- without a server ----

def test_printed_ldif_loads_into_slapd(imschema, slapd):
    printed = imschema("--ldif", "openldap")
    assert (printed.returncode, printed.stderr) == (0, "")
    tool("ldapadd", "-Q", "-Y", "EXTERNAL", "-H", slapd.ldapi, stdin=printed.stdout)
    assert imschema("-H", slapd.ldapi).returncode == COMPLETE
    try_values(slapd)


def test_printed_ldif_is_what_is_written(imschema, slapd):
    with PrivateSlapd("plain", tls=False) as other:
        tool("ldapadd", "-Q", "-Y", "EXTERNAL", "-H", other.ldapi, stdin=imschema("--ldif", "openldap").stdout)
        assert imschema("-H", slapd.ldapi, "--extend", "--yes").returncode == COMPLETE
        assert {dn: entry for dn, entry in slapd.dump(base="cn=config").items() if OURS in dn} == \
               {dn: entry for dn, entry in other.dump(base="cn=config").items() if OURS in dn}


@pytest.mark.parametrize("words, parts", [
    (["stray"], ["\"stray\" is not an option"]),
    (["--ldif", "389"], ["--ldif", "ad", "openldap"]),
    (["--ldif", "ad", "--extend"], ["give one of them"]),
    (["--ldif", "ad", "--check-profile", "x"], ["give one of them"]),
    (["--profile", "nothing"], ["nothing", "exchange2000"]),
    (["--profile", "./nothing.yaml"], ["nothing.yaml"]),
    (["--check-profile", "nothing"], ["nothing"]),
])
def test_mistakes(imschema, words, parts):
    done = imschema("-H", "ldap://127.0.0.1:1", *words)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert all(part in done.stderr for part in parts), done.stderr


def test_profiles_are_explained(imschema, tmp_path):
    done = imschema("--check-profile", ROOT / "schema/exchange2000/profile.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    for part in ("no mistakes", "msExchIMAddress: {address}", "mailNickname", "account-disabled", "msExchIMRecipient"):
        assert part in done.stdout
    site = tmp_path / "site"  # whatever it is called
    site.write_text((ROOT / "schema/exchange2000/profile.yaml").read_text().replace("account-disabled", "account-disable"))
    done = imschema("--check-profile", "site")
    line = next(n for n, text in enumerate(site.read_text().splitlines(), 1) if "account-disable" in text)
    assert done.returncode == 2 and f"site:{line}:5: " in done.stderr and 'did you mean "account-disabled"?' in done.stderr


def test_a_profile_without_definitions(imschema, tmp_path):
    text = (ROOT / "schema/exchange2000/profile.yaml").read_text().replace("name: exchange2000", "name: elsewhere")
    (tmp_path / "elsewhere.yaml").write_text(text)
    done = imschema("--profile", "./elsewhere.yaml", "-H", "ldap://127.0.0.1:1")
    assert done.returncode == 2 and "elsewhere brings no schema definitions" in done.stderr


def test_a_full_disk(imschema, slapd):
    with open("/dev/full", "w") as full:
        for words in (["-H", slapd.ldapi], ["--ldif", "ad"]):
            done = imschema(*words, stdout=full)
            assert done.returncode == 4 and "No space left" in done.stderr
