"""--wait, --replicate and imcheck --replicas on two real domain controllers of one domain, with a wire between them that can be cut."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.ldif import modification, record  # noqa: E402
from test_accounts_samba import Domain, alias_of  # noqa: E402

pytestmark = pytest.mark.samba

DOMAIN = "im.sam.example.com"
ADDRESS = "msExchIMAddress"


@pytest.fixture
def three(samba_pair, tmp_path):
    """Accounts that are not enabled, on neither server."""
    domain = Domain(samba_pair.first, tmp_path)
    domain.second = samba_pair
    domain.crowd = domain.people.of("healthy")[:3]
    domain.names = [person["sam"] for person in domain.crowd]
    assert not any(addresses(domain))
    return domain


def addresses(domain) -> list:
    """On the second server, asked there."""
    return [domain.second.entry(person["dn"]).get(ADDRESS) for person in domain.crowd]


def wanted(domain) -> list:
    return [[f"{alias_of(person)}@{DOMAIN}".encode()] for person in domain.crowd]


def replica_of(done) -> dict:
    [told] = json.loads(done.stdout)["replicas"]
    return told


def differing(domain) -> list:
    done = domain.run("imcheck", "--replicas", "--rule", "replication-attr-differs", "-o", "json", status=None)
    return json.loads(done.stdout)["findings"]


def test_the_other_one_is_found_and_waited_for(three):
    done = three.run("imenable", "--wait", "-o", "json", *three.names)
    told = replica_of(done)
    assert (told["name"], told["uri"], told["state"], told["accounts"]) == (three.second.host, three.second.ldap, "arrived", 3)
    assert addresses(three) == wanted(three)
    assert differing(three) == []


def test_and_the_first_one_from_the_second(three):
    config = three.write_config("second.yaml", three.second.ldap)
    done = three.run("imenable", "--config", config, "--wait", "-o", "json", *three.names)
    assert (replica_of(done)["name"], replica_of(done)["state"]) == (three.dc.host, "arrived")
    assert [three.dc.entry(person["dn"])[ADDRESS] for person in three.crowd] == wanted(three)


def test_samba_fetches_nothing_on_request(three):
    """It says 53; the command says what an administrator does instead, and waits."""
    done = three.run("imenable", "--replicate", "--wait", *three.names)
    how = f"samba-tool drs replicate {three.second.host} {three.dc.host} {three.dc.suffix}"
    assert f"{three.second.host} does not fetch single objects on request" in done.stderr and how in done.stderr
    assert f"{three.second.host}: everything arrived after " in done.stdout
    assert addresses(three) == wanted(three)


def test_a_cut_wire_and_a_mended_one(three):
    three.second.cut()
    config = three.write_config("patience.yaml", three.dc.ldap)
    config.write_text(config.read_text().replace("directory:\n", "directory:\n  connect-timeout: 2\n"))
    told = replica_of(three.run("imenable", "--config", config, "--wait=2", "-o", "json", *three.names, status=1))
    assert (told["state"], told["lacking"]) == ("unreachable", 3) and told["message"]
    three.second.mend()
    three.second.replicate()
    assert addresses(three) == wanted(three)
    assert replica_of(three.run("imdisable", "--wait", "-o", "json", *three.names))["state"] == "arrived"


def test_replication_that_was_turned_off(three):
    three.second.set_inbound(False)
    told = replica_of(three.run("imenable", "--wait=2", "-o", "json", *three.names, status=1))
    assert (told["state"], told["lacking"], sorted(told["missing"])) == ("lagging", 3, sorted(three.names))
    found = differing(three)
    assert {finding["account"] for finding in found} == set(three.names)
    assert {finding["evidence"]["there"] for finding in found} == {""}
    three.second.set_inbound(True)
    three.second.replicate("--sync-forced")
    assert differing(three) == []


def test_what_was_turned_off_is_said_once_it_is_known(three):
    """The first server hears of the option, too: options of a domain controller are replicated."""
    settings = three.second.settings_dn(three.second)
    three.second.set_inbound(False)
    three.dc.ldbmodify(modification(settings, [("replace", "options", ["3"])]))
    try:
        done = three.run("imenable", "--replicate", "--wait=1", *three.names, status=1)
        assert f"{three.second.host} takes nothing from others: its inbound replication is turned off" in done.stderr
        assert "; its inbound replication is turned off" in done.stdout
    finally:
        three.second.set_inbound(True)
        three.dc.ldbmodify(modification(settings, [("replace", "options", ["1"])]))


def test_what_a_test_leaves_is_put_back(three):
    before, left = three.second.contents(), f"OU=Left,{three.dc.suffix}"
    three.run("imenable", "--home", "IM1", *three.names[:2])
    three.dc.load(record(left, {"objectClass": ["top", "organizationalUnit"]}) + record(f"CN=left,{left}", {"objectClass": "user"}))
    three.second.replicate()
    three.second.set_inbound(False)
    three.run("imenable", "--config", three.write_config("second.yaml", three.second.ldap), three.names[2])
    three.second.cut()
    assert three.second.contents() != before and all(addresses(three)) and left in three.second.search()
    three.second.put_back(before)
    assert three.second.contents() == before and not any(addresses(three)) and left not in three.second.search()
    assert replica_of(three.run("imenable", "--wait", "-o", "json", *three.names))["state"] == "arrived"
