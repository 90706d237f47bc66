"""imschema on a real Active Directory domain controller. What was written is read with ldapsearch and tried with ldapmodify."""

import json

import pytest

from tests.support.command import BIN
from tests.support.ldif import modification, record
from tests.support.samba import SambaDC
from tests.support.slapd import IM_ATTRIBUTES

COMPLETE, ABSENT, CONFLICTING, FAILED = 0, 1, 2, 3
ATTACHMENTS = {"msExchIMRecipient on user", "msExchIMRecipient on group"}
DEFINITIONS = {*IM_ATTRIBUTES, "msExchIMRecipient"} | ATTACHMENTS

pytestmark = pytest.mark.samba


@pytest.fixture(scope="module")
def controller():
    with SambaDC() as dc:
        dc.snapshot("bare")
        yield dc


@pytest.fixture
def dc(controller):
    """A domain without our schema."""
    controller.reset("bare")
    return controller


@pytest.fixture
def imschema(controller, tmp_path):
    """Runs imschema as Administrator over ldaps, in the controller's network."""

    def run(*words, name=controller.administrator, password_file=controller.password_file):
        options = ["-H", controller.ldaps, "--tls-ca", controller.ca_file, "-D", name, "-y", password_file]
        return controller.run(["setsid", "-w", BIN / "imschema", *options, *words], check=False,
                              env={"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)})

    return run


def schema(dc):
    """Everything in the schema partition; the subschema and what changes by itself apart."""
    return {dn: {name: values for name, values in entry.items() if name not in ("uSNChanged", "whenChanged", "schemaInfo", "replUpToDateVector")}
            for dn, entry in dc.dump(base=dc.schema_dn).items() if not dn.startswith("CN=Aggregate,")}


def states(done):
    return {item["name"]: item["state"] for item in json.loads(done.stdout)["definitions"]}


def try_values(dc):
    """Users, their subclasses and groups take the values; the class is not named in the entry. Contacts do not."""
    values = {"msExchIMAddress": "jane_doe@im.corp.example", "msExchIMMetaPhysicalURL": "http://im/instmsg/aliases/jane",
              "msExchIMPhysicalURL": "http://im1/instmsg/local/im/instmsg/aliases/jane", "msExchIMVirtualServer": dc.administrator_dn,
              "msExchIMACL": bytes([7, 0, 0, 0, 3, 0, 0, 0])}
    for kind in ("user", "inetOrgPerson", "group"):
        dn = f"CN=new {kind},CN=Users,{dc.suffix}"
        dc.load(record(dn, {"objectClass": kind, "sAMAccountName": f"new{kind}"}))
        dc.load(modification(dn, [("add", name, [value]) for name, value in values.items()]))
        entry = dc.entry(dn)
        assert entry["msExchIMAddress"] == [b"jane_doe@im.corp.example"] and entry["msExchIMACL"] == [values["msExchIMACL"]]
        assert b"msExchIMRecipient" not in entry["objectClass"]
    dn = f"CN=new contact,CN=Users,{dc.suffix}"
    dc.load(record(dn, {"objectClass": "contact"}))
    with pytest.raises(Exception, match="65"):
        dc.load(modification(dn, [("add", "msExchIMAddress", ["x@y"])]))


def test_absent_extended_complete_twice(imschema, dc):
    before = schema(dc)
    done = imschema("-o", "json")
    assert (done.returncode, done.stderr) == (ABSENT, "")
    assert states(done) == dict.fromkeys(DEFINITIONS, "absent")
    done = imschema("--extend", "-n")
    assert (done.returncode, done.stderr) == (ABSENT, "")
    assert schema(dc) == before

    done = imschema("--extend", "--yes", "-o", "json")
    assert (done.returncode, done.stderr) == (COMPLETE, "")
    assert states(done) == dict.fromkeys(DEFINITIONS, "present")
    after = schema(dc)
    new = set(after) - set(before)
    assert new == {f"CN={name},{dc.schema_dn}" for name in ("ms-Exch-IM-ACL", "ms-Exch-IM-Address", "ms-Exch-IM-Meta-Physical-URL",
                                                             "ms-Exch-IM-Physical-URL", "ms-Exch-IM-Recipient", "ms-Exch-IM-Virtual-Server")}
    changed = {dn for dn in before if after[dn] != before[dn]} - {dc.schema_dn}  # which keeps the table of prefixes
    assert changed == {f"CN=User,{dc.schema_dn}", f"CN=Group,{dc.schema_dn}"}
    address = after[f"CN=ms-Exch-IM-Address,{dc.schema_dn}"]
    assert address["schemaIDGUID"] == [bytes.fromhex("5237bdcbd8b8dc4792eeab488c1af969")]
    assert [address[name] for name in ("attributeID", "attributeSyntax", "oMSyntax", "isSingleValued", "isMemberOfPartialAttributeSet")] == \
           [[b"1.2.840.113556.1.4.7000.102.7038"], [b"2.5.5.5"], [b"19"], [b"TRUE"], [b"TRUE"]]
    try_values(dc)

    assert imschema("--extend", "--yes").returncode == COMPLETE
    assert schema(dc) == after
    assert imschema().returncode == COMPLETE
    dc.restart()
    assert imschema().returncode == COMPLETE


def test_printed_ldif_does_the_same(imschema, dc, tmp_path):
    printed = dc.run([BIN / "imschema", "--ldif", "ad"], env={"HOME": str(tmp_path)})
    dc.load(printed.stdout.replace("DC=X", dc.suffix))
    assert imschema().returncode == COMPLETE
    by_hand = schema(dc)
    try_values(dc)
    dc.reset("bare")
    assert imschema("--extend", "--yes").returncode == COMPLETE
    own = ("objectGUID", "whenCreated", "uSNCreated", "msDS-IntId")  # the last one is drawn by lot
    by_us = schema(dc)
    assert {dn: {k: v for k, v in entry.items() if k not in own} for dn, entry in by_us.items()} == \
           {dn: {k: v for k, v in entry.items() if k not in own} for dn, entry in by_hand.items()}


def test_a_part_is_completed(imschema, dc, tmp_path):
    printed = dc.run([BIN / "imschema", "--ldif", "ad"], env={"HOME": str(tmp_path)}).stdout.replace("DC=X", dc.suffix)
    records = printed.split("\n\n")
    dc.load("\n\n".join(records[1:4]) + "\n")  # behind the comment
    done = imschema("-o", "json")
    assert done.returncode == ABSENT
    assert sorted(states(done).values()) == ["absent"] * 5 + ["present"] * 3
    done = imschema("--extend", "--yes", "-v")
    assert done.returncode == COMPLETE
    assert done.stderr.count("adding attribute") == 2 and done.stderr.count("attaching class") == 2
    try_values(dc)


def test_a_conflict_stops_before_the_first_write(imschema, dc):
    definition = {"objectClass": "attributeSchema", "cn": "ms-Exch-IM-Address", "lDAPDisplayName": "msExchIMAddress", "isSingleValued": "TRUE",
                  "attributeID": "1.3.6.1.4.1.99999.7", "attributeSyntax": "2.5.5.12", "oMSyntax": 64}
    dc.load(record(f"CN=ms-Exch-IM-Address,{dc.schema_dn}", definition))
    before = schema(dc)
    done = imschema("--extend", "--yes", "-o", "json")
    assert done.returncode == CONFLICTING
    conflicts = [item for item in json.loads(done.stdout)["definitions"] if item["state"] == "conflicting"]
    assert [item["name"] for item in conflicts] == ["msExchIMAddress"] and "has OID 1.3.6.1.4.1.99999.7" in conflicts[0]["detail"]
    assert schema(dc) == before


def test_schema_updates_that_are_not_allowed(imschema, dc):
    dc.smb_conf.write_text(dc.smb_conf.read_text().replace("dsdb:schema update allowed = true", "dsdb:schema update allowed = false"))
    dc.restart()
    before = schema(dc)
    done = imschema("--extend", "--yes")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (FAILED, "", 1)
    for part in ("unwillingToPerform", "dsdb:schema update allowed = yes", "smb.conf", dc.administrator):
        assert part in done.stderr
    assert schema(dc) == before


def test_an_account_without_rights(imschema, dc, tmp_path):
    dc.load(record(f"CN=plain,CN=Users,{dc.suffix}", {"objectClass": "user", "sAMAccountName": "plain", "userPrincipalName": f"plain@{dc.realm}",
                                                       "unicodePwd": '"Passw0rd.2"'.encode("utf-16-le"), "userAccountControl": 512}))
    password = tmp_path / "plain"
    password.write_text("Passw0rd.2\n")
    password.chmod(0o600)
    before = schema(dc)
    plain = {"name": f"plain@{dc.realm}", "password_file": password}
    assert imschema(**plain).returncode == ABSENT
    done = imschema("--extend", "--yes", **plain)
    assert (done.returncode, done.stdout) == (FAILED, "")
    for part in ("insufficientAccessRights", f"plain@{dc.realm}", "Schema Admins"):
        assert part in done.stderr
    assert schema(dc) == before


def test_consent_comes_first(imschema, dc):
    done = imschema("--extend")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--yes" in done.stderr
