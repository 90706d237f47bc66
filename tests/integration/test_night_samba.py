"""The night in which a home server dies (support/night.py), on two real domain controllers: the values keep the name of the deleted object."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
pytest.register_assert_rewrite("support.night")
from support import night  # noqa: E402
from support.ldif import record, without  # noqa: E402
from support.samba import NOTED  # noqa: E402
from support.servers import BARE, virtual_server  # noqa: E402
from test_accounts_samba import Domain  # noqa: E402

pytestmark = pytest.mark.samba

SECONDS = 600  # thousands of changes take minutes on a slow machine
DOMAIN = "im.sam.example.com"
# What each domain controller counts for itself; the second one has no value where nothing was counted.
OWN = NOTED | {"uSNCreated", "badPwdCount", "badPasswordTime", "lastLogoff"}


def enabled(name: str, parent: str, home) -> str:
    return record(f"CN={name},{parent}", {
        "objectClass": ["top", "person", "organizationalPerson", "user"], "sn": name, "sAMAccountName": name, "userAccountControl": 512,
        "mail": f"{name}@sam.example.com", "msExchIMAddress": f"{name}@{DOMAIN}",
        "msExchIMMetaPhysicalURL": f"http://{DOMAIN}/instmsg/aliases/{name}",
        night.PHYSICAL: f"http://{home.name}/instmsg/local/{DOMAIN}/instmsg/aliases/{name}", night.HOME: home.dn})


class TwoControllers(night.World):
    """The many are homed on NIGHT, a server of their own, whose object is deleted; IM2 homes a few, IM1 nobody."""

    dead, when_cut = "night.sam.example.com", "unreachable"

    def __init__(self, second, folder: Path):
        self.second, self.first = second, second.first
        self.domain = Domain(self.first, folder)
        self.people = f"OU=Night,{self.first.suffix}"
        one, two = [server for server in self.first.servers if server.hosts_users]
        self.left = {"IM2": (two.dn, two.name), "IM1": (one.dn, one.name)}
        text, home = virtual_server(one.dn.split(",", 4)[4], "NIGHT", self.dead, True, BARE)
        self.first.load(text)
        text = record(self.people, {"objectClass": ["top", "organizationalUnit"]})
        text += "".join(enabled(name, self.people, home) for name in night.CROWD)
        self.first.ldbadd(text + "".join(enabled(name, self.people, two) for name in night.CALM))
        self.first.load(f"dn: {home.dn}\nchangetype: delete\n")
        second.replicate_all()
        # Nothing in it names the dead server.
        self.domain.config.write_text(f'directory:\n  uri: [{self.first.ldap}]\n  base: "{self.people}"\n  connect-timeout: 2\n')

    def run(self, *words):
        return self.domain.run(*words, status=None, seconds=SECONDS)

    def dump(self, dc) -> dict:
        return without(dc.dump(self.people), OWN)

    def here(self):
        return self.dump(self.first)

    def there(self):
        return self.dump(self.second)

    def journal(self):
        return self.domain.folder / "night.jsonl"

    def cut(self):
        self.second.cut()

    def mend(self):
        self.second.mend()
        self.second.replicate()


def test_night(samba_pair, tmp_path):
    night.live_through(TwoControllers(samba_pair, tmp_path))
