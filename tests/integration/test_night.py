"""The night in which a home server dies (support/night.py), on two OpenLDAP servers, of which the second follows the first by syncrepl."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
pytest.register_assert_rewrite("support.night")
from support import night  # noqa: E402
from support.lab import IM_DOMAIN, open_lab  # noqa: E402
from support.ldif import record  # noqa: E402
from support.replicas import PROVIDER, Consumer  # noqa: E402


def enabled(name: str, parent: str, home: str, host: str) -> str:
    return record(f"cn={name},{parent}", {
        "objectClass": ["top", "person", "organizationalPerson", "user", "msExchIMRecipient"], "cn": name, "sn": name, "sAMAccountName": name,
        "userAccountControl": 512, "objectSid": b"\1\5\0\0\0\0\0\5\x15\0\0\0" + name.encode().rjust(16, b"\0")[-16:],
        "mail": f"{name}@corp.example", "msExchIMAddress": f"{name}@{IM_DOMAIN}",
        "msExchIMMetaPhysicalURL": f"http://{IM_DOMAIN}/instmsg/aliases/{name}",
        night.PHYSICAL: f"http://{host}/instmsg/local/{IM_DOMAIN}/instmsg/aliases/{name}", night.HOME: home})


class TwoSlapds(night.World):
    """The many are homed on im1, whose object is deleted; im2 homes a few, im3 nobody."""

    dead, when_cut = "im1.corp.example", "lagging"

    def __init__(self, lab):
        self.lab = lab
        server, parent, third = lab.server, f"ou=People,{lab.server.suffix}", f"cn=im3,ou=Service,{lab.server.suffix}"
        self.left = {"im2": (lab.homes[1], "im2.corp.example"), "im3": (third, "im3.corp.example")}
        server.load(record(third, {"objectClass": ["top", "container"], "cn": "im3"}))
        server.load("".join(enabled(name, parent, lab.homes[0], self.dead) for name in night.CROWD))
        server.load("".join(enabled(name, parent, lab.homes[1], "im2.corp.example") for name in night.CALM))

    def follow(self, second: Consumer):
        """Nothing in the configuration names the dead server."""
        self.second = second
        text = f'directory:\n  uri: ["{self.lab.server.ldapi}"]\n  replicas: ["{second.server.ldapi}"]\n  base: "{self.lab.base}"\nservers:\n'
        for name, (dn, host) in self.left.items():
            text += f'  - {{ name: {name}, host: {host}, dn: "{dn}" }}\n'
        self.lab.config.write_text(text + f"  - {{ name: router, host: {IM_DOMAIN}, hosts-users: false }}\n")
        self.lab.server.load(f"dn: {self.lab.homes[0]}\nchangetype: delete\n")
        second.await_equal()

    def run(self, *words):
        return self.lab.run(*words, status=None)

    def here(self):
        return self.lab.server.dump()

    def there(self):
        return self.second.server.dump()

    def journal(self):
        return self.lab.folder / "night.jsonl"

    def cut(self):
        self.second.wire.hold()

    def mend(self):
        self.second.wire.go_on()


@pytest.fixture
def world(tmp_path):
    lab = open_lab("ad", tmp_path, **PROVIDER)
    try:
        made = TwoSlapds(lab)
        with Consumer(lab.server) as second:
            made.follow(second)
            yield made
    finally:
        lab.server.close()


def test_night(world):
    night.live_through(world)
