"""More results than a server gives at once: limits as on Active Directory, which Samba does not have."""

import json
import re

import pytest

from tests.support.lab import Lab
from tests.support.ldif import record
from tests.support.process import tool
from tests.support.slapd import PrivateSlapd

LIMITS = ("* size.soft=1000 size.hard=1000 size.pr=1000 size.prtotal=unlimited",)
CROWDS = {1: 2010, 2: 1005}  # users by home server: both more than a page, and one page of each would look alike


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with PrivateSlapd("ad", limits=LIMITS, debug="stats") as server:
        server.add_im_schema(static=True)
        server.load_people(30)
        lab = Lab(server, tmp_path_factory.mktemp("paging"), "static")
        text = record(f"ou=Crowd,{lab.base}", {"objectClass": ["top", "organizationalUnit"], "ou": "Crowd"})
        for number, count in CROWDS.items():
            for n in range(count):
                name = f"crowd{number}x{n}"
                text += record(f"cn={name},ou=Crowd,{lab.base}", {
                    "objectClass": ["top", "person", "organizationalPerson", "user"], "cn": name, "sAMAccountName": name,
                    "msExchIMAddress": f"{name}@im.corp.example", "msExchIMVirtualServer": lab.homes[number - 1]})
        server.load(text)
        yield lab


def test_limits_hold(lab):
    """Else the test below would prove nothing."""
    found = tool("ldapsearch", "-x", "-LLL", "-H", lab.server.ldap, "-D", lab.server.manager_dn, "-w", lab.server.password, "-b", lab.base,
                 "(sAMAccountName=crowd*)", "1.1", check=False)
    assert found.returncode == 4 and found.stdout.count("dn:") == 1000


def test_every_page_counts_and_searches_do_not_disturb_each_other(lab):
    """The least loaded home is found by counting the users of both, which OpenLDAP can only page one after the other."""
    config = lab.write_config("limited.yaml", lab.server.ldap)
    person = lab.people.one("healthy")["sam"]
    login = ["-D", lab.server.manager_dn, "-y", lab.password_file]
    done = lab.run("imenable", "--config", config, *login, "-n", "--home", "auto", "-o", "json", person)
    account = json.loads(done.stdout)["accounts"][0]
    assert (account["outcome"], account["home"]) == ("changed", "im2")


def test_a_look_at_some_accounts_takes_no_whole_page(lab):
    """imcheck tries on some accounts what it may see; with pages of 1,000 the server would give 1,000 for that."""
    before = len(lab.server.log_text())
    lab.run("imcheck", "--config", lab.write_config("look.yaml", lab.server.ldap), "-D", lab.server.manager_dn, "-y", lab.password_file,
            "--scope", "account", "-q", status=None)
    counts = [int(count) for count in re.findall(r" nentries=(\d+)", lab.server.log_text()[before:])]
    assert counts.count(20) == 1
