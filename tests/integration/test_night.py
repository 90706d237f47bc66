"""The night in which a home server dies: thousands are moved to others in one go, every copy of the directory shows it, the check is
clean, and the next day all of it is taken back."""

import collections
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.lab import BIN, IM_DOMAIN, open_lab, plain_dn  # noqa: E402
from support.ldif import record  # noqa: E402
from support.replicas import PROVIDER, Consumer  # noqa: E402

IS_SANITIZED = b"__asan_init" in (BIN / "imhome").read_bytes()
MANY = 500 if IS_SANITIZED else 5000
STAYING = 20
HOME, PHYSICAL = "msExchIMVirtualServer", "msExchIMPhysicalURL"


def enabled(name: str, parent: str, home: str, host: str) -> str:
    return record(f"cn={name},{parent}", {
        "objectClass": ["top", "person", "organizationalPerson", "user", "msExchIMRecipient"], "cn": name, "sn": name, "sAMAccountName": name,
        "userAccountControl": 512, "objectSid": b"\1\5\0\0\0\0\0\5\x15\0\0\0" + name.encode().rjust(16, b"\0")[-16:],
        "mail": f"{name}@corp.example", "msExchIMAddress": f"{name}@{IM_DOMAIN}",
        "msExchIMMetaPhysicalURL": f"http://{IM_DOMAIN}/instmsg/aliases/{name}",
        PHYSICAL: f"http://{host}/instmsg/local/{IM_DOMAIN}/instmsg/aliases/{name}", HOME: home})


@pytest.fixture
def lab(tmp_path):
    """The many are homed on im1, whose object is deleted; im2 homes a few, im3 nobody. A second server has a copy of it all."""
    lab = open_lab("ad", tmp_path, **PROVIDER)
    try:
        server, parent = lab.server, f"ou=People,{lab.server.suffix}"
        lab.left = {"im2": lab.homes[1], "im3": f"cn=im3,ou=Service,{server.suffix}"}
        server.load(record(lab.left["im3"], {"objectClass": ["top", "container"], "cn": "im3"}))
        lab.crowd = [f"night{number:05}" for number in range(MANY)]
        server.load("".join(enabled(name, parent, lab.homes[0], "im1.corp.example") for name in lab.crowd))
        server.load("".join(enabled(f"calm{number:05}", parent, lab.homes[1], "im2.corp.example") for number in range(STAYING)))
        with Consumer(server) as lab.second:
            lab.config.write_text(configuration(lab))
            server.load(f"dn: {lab.homes[0]}\nchangetype: delete\n")
            lab.second.await_equal()
            yield lab
    finally:
        lab.server.close()


def configuration(lab) -> str:
    """Nothing in it names the dead server."""
    text = f'directory:\n  uri: ["{lab.server.ldapi}"]\n  replicas: ["{lab.second.server.ldapi}"]\n  base: "{lab.base}"\nservers:\n'
    for name, dn in lab.left.items():
        text += f'  - {{ name: {name}, host: {name}.corp.example, dn: "{dn}" }}\n'
    return text + f"  - {{ name: router, host: {IM_DOMAIN}, hosts-users: false }}\n"


def check(lab, *words, status: int) -> tuple[dict, list]:
    """Findings by rule, and the rules that were asked."""
    told = json.loads(lab.run("imcheck", "-o", "json", *words, status=status).stdout)
    found = collections.Counter(finding["rule"] for finding in told["findings"])
    return found, [rule["rule"] for rule in told["rules"] if rule["status"] == "checked"]


def homes(dump: dict) -> collections.Counter:
    """People by home server, whose host the physical URL must name."""
    found = collections.Counter()
    for entry in dump.values():
        if HOME in entry:
            found[plain_dn(entry[HOME][0].decode()), entry[PHYSICAL][0].decode().split("/")[2]] += 1
    return found


def test_night(lab):
    server, copy, journal = lab.server, lab.second.server, lab.folder / "night.jsonl"
    before = server.dump()
    assert copy.dump() == before
    found, _ = check(lab, "--scope", "account,server", status=1)
    assert found["account-home-dangling"] == MANY and found["server-users-orphaned"] == 1

    done = lab.run("imhome", "--from", "im1.corp.example", "--to", "im2,im3", "--yes", "--wait", "--journal", journal, "-o", "json")
    told = json.loads(done.stdout)
    assert (told["summary"]["total"], told["summary"]["changed"]) == (MANY, MANY) and "still homes" not in done.stderr
    [replica] = told["replicas"]
    assert (replica["state"], replica["accounts"], replica["lacking"]) == ("arrived", MANY, 0)

    after = copy.dump()  # there when the command returned, and nothing else was touched
    assert after == server.dump()
    half = (MANY + STAYING) // 2
    assert homes(after) == {(plain_dn(dn), f"{name}.corp.example"): half for name, dn in lab.left.items()}
    kept = {dn: {name: values for name, values in entry.items() if name not in (HOME, PHYSICAL)} for dn, entry in after.items()}
    assert kept == {dn: {name: values for name, values in entry.items() if name not in (HOME, PHYSICAL)} for dn, entry in before.items()}

    found, asked = check(lab, "--scope", "account,server", status=0)
    assert not found["account-home-dangling"] and not found["server-users-orphaned"]
    assert {"account-home-dangling", "account-home-url-mismatch", "server-users-orphaned"} <= set(asked)
    found, asked = check(lab, "--replicas", "--rule", "replication-attr-differs", status=0)
    assert not found and asked == ["replication-attr-differs"]

    done = lab.run("imundo", "--wait", "--no-journal", "-o", "json", journal)
    assert json.loads(done.stdout)["summary"]["changed"] == MANY
    assert json.loads(done.stdout)["replicas"][0]["state"] == "arrived"
    assert copy.dump() == server.dump() == before
