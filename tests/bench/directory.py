"""A directory as large as needed: healthy accounts of some 1.7 kB each, nobody enabled, in a slapd whose database lies in memory."""

import base64
import hashlib
import json
import random
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from tests.support.people import FIRST, LAST, OWN_DOMAIN, ascii_name
from tests.support.ldif import sid_bytes
from tests.support.process import Daemon, SupportError, await_true, tool
from tests.support.servers import virtual_servers
from tests.support.slapd import PrivateSlapd

MEMORY = Path("/dev/shm")
INDEXES = ["objectClass eq", "sAMAccountName,uid eq", "objectGUID,objectSid,entryUUID eq",
           "mail,mailNickname,userPrincipalName,proxyAddresses eq",
           "msExchIMAddress,msExchIMMetaPhysicalURL eq"]
AS_AD = "size.soft=1000 size.hard=1000 size.pr=1000 size.prtotal=unlimited"  # MaxPageSize
PLACES = 50
GIVEN = sorted({ascii_name(name) for name in FIRST})
FAMILY = sorted({ascii_name(name.replace("_", "")) for name in LAST})
SID = sid_bytes(f"{OWN_DOMAIN}-0")[:-4]

PERSON = """dn: %(dn)s
objectClass: top
objectClass: person
objectClass: organizationalPerson
objectClass: user
cn: %(cn)s
sn: %(family)s
givenName: %(given)s
displayName: %(family)s, %(given)s (%(number)d)
sAMAccountName: %(sam)s
sAMAccountType: 805306368
userPrincipalName: %(sam)s@%(domain)s
mail: %(sam)s@%(domain)s
mailNickname: %(sam)s
proxyAddresses: SMTP:%(sam)s@%(domain)s
proxyAddresses: smtp:%(family)s.%(number)d@%(domain)s
proxyAddresses: X400:c=DE;a= ;p=Corp;o=Exchange;s=%(family)s;g=%(given)s;
textEncodedORAddress: c=DE;a= ;p=Corp;o=Exchange;s=%(family)s;g=%(given)s;
legacyExchangeDN: /o=Example Organization/ou=First Administrative Group/cn=Recipients/cn=%(sam)s
objectGUID:: %(guid)s
objectSid:: %(sid)s
objectCategory: cn=Person,cn=Schema,cn=Configuration,%(suffix)s
userAccountControl: 512
primaryGroupID: 513
pwdLastSet: 133485408%(number)09d
lastLogonTimestamp: 133536384%(number)09d
accountExpires: 9223372036854775807
badPwdCount: 0
logonCount: %(number)d
instanceType: 4
whenCreated: 20010203040506.0Z
whenChanged: 20240506070809.0Z
uSNCreated: %(number)d
uSNChanged: %(number)d
title: Engineer
department: Department %(place)d
company: Example Corporation
telephoneNumber: +49 30 555%(number)07d
physicalDeliveryOfficeName: Building %(place)d, room %(number)d
street: Example Street %(place)d
l: Berlin
postalCode: 10115
co: Germany
description: Works in department %(place)d since 2001
memberOf: cn=All staff,ou=Groups,%(suffix)s
memberOf: cn=Department %(place)d,ou=Groups,%(suffix)s

"""


def account_name(number: int) -> str:
    return f"{GIVEN[number % len(GIVEN)]}.{FAMILY[number // len(GIVEN) % len(FAMILY)]}{number}"


def account_dn(number: int, suffix: str) -> str:
    return f"cn={account_name(number)},ou=Place {number % PLACES},ou=People,{suffix}"


def ldif(count: int, suffix: str, domain: str):
    """The places and the people in pieces; always the same for the same arguments."""
    for name, parent in [("People", suffix)] + [(f"Place {n}", f"ou=People,{suffix}") for n in range(PLACES)]:
        yield f"dn: ou={name},{parent}\nobjectClass: top\nobjectClass: organizationalUnit\nou: {name}\n\n"
    for number in range(count):
        name = account_name(number)
        yield PERSON % {
            "dn": account_dn(number, suffix), "cn": name, "sam": name, "given": GIVEN[number % len(GIVEN)].capitalize(),
            "family": FAMILY[number // len(GIVEN) % len(FAMILY)].capitalize(), "number": number, "place": number % PLACES,
            "domain": domain, "suffix": suffix, "guid": base64.b64encode(hashlib.md5(name.encode()).digest()).decode(),
            "sid": base64.b64encode(SID + struct.pack("<I", 2000 + number)).decode()}


def _copy(source: Path, target: Path):
    """slapadd leaves a file as long as the database may become, most of it a hole."""
    tool("cp", "--sparse=auto", source, target)


class Directory(PrivateSlapd):
    """A server with so many accounts. States of the database are kept under names and restored; "new" is the one after loading."""

    def __init__(self, accounts: int, folder: Path | None = None, debug: str = "none"):
        self.accounts, self.in_memory = accounts, folder is None
        super().__init__("ad", tls=False, debug=debug, max_size=(256 << 20) + accounts * (12 << 10),
                         limits=(f'dn.exact="cn={self.manager_name},ou=Service,{self.suffix}" {AS_AD}',))
        self.place = Path(tempfile.mkdtemp(prefix="imdir-bench-", dir=folder or (MEMORY if MEMORY.is_dir() else None)))
        self.database_file = self.place / "current" / "data.mdb"
        self.database_file.parent.mkdir()
        (self.folder / "data").rmdir()
        (self.folder / "data").symlink_to(self.database_file.parent)

    def close(self):
        super().close()
        shutil.rmtree(self.place, ignore_errors=True)

    def fill(self) -> "Directory":
        """Loads schema, servers and people."""
        self.start()
        self.add_im_schema(static=True)
        self.set_config(self.database, olcDbIndex=INDEXES, olcDbNoSync="TRUE" if self.in_memory else "FALSE")
        self.load_base()
        text, self.servers = virtual_servers(self.configuration_dn, self.domain, exchange_classes=True)
        self.load(text)
        self.stop()
        self._add_people()
        self.keep("new")
        return self.start()

    def _add_people(self):
        with subprocess.Popen(["/usr/sbin/slapadd", "-q", "-n1", "-F", self.folder / "conf"], stdin=subprocess.PIPE, text=True) as adding:
            for text in ldif(self.accounts, self.suffix, self.domain):
                adding.stdin.write(text)
        if adding.returncode:
            raise SupportError(f"slapadd ended with status {adding.returncode}")

    def keep(self, name: str):
        """The server must not run."""
        _copy(self.database_file, self.place / f"{name}.mdb")

    def has(self, name: str) -> bool:
        return (self.place / f"{name}.mdb").exists()

    def export(self, name: str) -> Path:
        """All entries as LDIF, beside the database."""
        path = self.place / name
        tool("/usr/sbin/slapcat", "-n1", "-F", self.folder / "conf", "-l", path)
        return path

    def restore(self, name: str = "new"):
        """A server just started, on the database as it was kept."""
        self.kill()
        (self.database_file.parent / "lock.mdb").unlink(missing_ok=True)
        _copy(self.place / f"{name}.mdb", self.database_file)
        self.start()

    def numbers(self, count: int) -> list[int]:
        """Some of the accounts, in no order."""
        return random.Random(1).sample(range(self.accounts), count)

    def cpu_seconds(self) -> float:
        """What the server has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100


class Delay:
    """The server behind a round trip of so many milliseconds."""

    def __init__(self, program: Path, port: int, rtt_ms: float, log: Path):
        log.unlink(missing_ok=True)
        self.log = log
        self._daemon = Daemon([program, "127.0.0.1", str(port), str(rtt_ms)], log)
        self._daemon.await_ready(lambda: "\n" in self.log.read_text(), "the delaying proxy")
        self.uri = f"ldap://127.0.0.1:{self.log.read_text().split()[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._daemon.end()

    def ended(self, count: int = 0) -> list[dict]:
        """The connections that have ended, at least so many."""
        found = lambda: self.log.read_text().splitlines()[1:]  # noqa: E731
        await_true(lambda: len(found()) >= count, "a connection to end")
        return [json.loads(line) for line in found()]
