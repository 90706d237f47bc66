"""imcheck with name servers and web servers: an organisation of many domains and servers as its clients find it, and one sign-in.

Web servers are asked on port 80, which clients know no other of: each has an address of its own within 127.80.0.0/16."""

import contextlib
import json
import re

import pytest

from tests.support.ldif import record
from tests.support.dns import SILENCE, NameServer
from tests.support.httpservers import WebServer, broken_script_map, hangs, healthy, router
from tests.support.lab import flag_words, open_lab
from tests.support.nameserver import RealNameServer
from tests.support.planted import Planted

DOMAINS, SERVERS = 50, 10
ZONE = "corp.example"
IM = f"im.{ZONE}"
OTHERS = {"im1": SERVERS + 1, "im2": SERVERS + 2}  # that the directory has besides, without anybody homed there


def address(number: int) -> str:
    return f"127.80.0.{number + 1}"


class Site:
    """People of 50 mail domains on 10 home servers, behind a router."""

    def __init__(self, folder):
        self.lab = lab = open_lab("static", folder, count=5)
        suffix = lab.server.suffix
        text, homes = "", []
        for number in range(SERVERS):
            dn = f"cn=h{number},ou=Service,{suffix}"
            text += record(dn, {"objectClass": ["top", "container"], "cn": f"h{number}"})
            homes.append((dn, f"h{number}.{ZONE}"))
        planted = Planted(suffix, homes, "", 0)
        for number in range(DOMAINS):
            entry = planted.healthy(number)
            entry["mail"] = f"person{number}@{self.mail_domain(number)}"
            text += record(planted.dn(entry), entry)
        lab.server.load(text)
        servers = "".join(f'  - {{ name: h{n}, host: h{n}.{ZONE}, dn: "{dn}" }}\n' for n, (dn, _) in enumerate(homes))
        lab.config.write_text(f'directory:\n  uri: ["{lab.server.ldapi}"]\n  base: "ou=People,{suffix}"\n  connect-timeout: 5\n'
                              f"dns: {{ timeout: 2 }}\nservers:\n{servers}  - {{ name: router, host: {IM}, hosts-users: false }}\n")

    @staticmethod
    def mail_domain(number: int) -> str:
        return f"d{number}.{ZONE}"

    def zone(self, *without: str) -> dict:
        lines = [f"h{n} IN A {address(n)}" for n in range(SERVERS)] + [f"im IN A {address(SERVERS)}"]
        lines += [f"{name} IN A {address(n)}" for name, n in OTHERS.items()]
        lines += [f"_rvp._tcp.d{n} IN SRV 0 0 80 {IM}." for n in range(DOMAINS)] + [f"_rvp._tcp.im IN SRV 0 0 80 {IM}."]
        return {ZONE: [line for line in lines if not line.startswith(without or ("#",))]}

    def homes(self) -> dict[str, str]:
        return {f"person{n}": f"http://h{n % SERVERS}.{ZONE}/instmsg/local/{IM}/instmsg/aliases/person{n}" for n in range(DOMAINS)}

    def people_of(self, number: int) -> list[str]:
        return [f"person{n}" for n in range(DOMAINS) if n % SERVERS == number]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("network"))
    yield site
    site.lab.server.close()


@contextlib.contextmanager
def web(site, **other):
    """All web servers; other: behaviours by name, None for one that is not there."""
    with contextlib.ExitStack() as stack:
        running = {}
        for number in range(SERVERS):
            behave = other.get(f"h{number}", healthy(site.people_of(number)))
            if behave:
                running[f"h{number}"] = stack.enter_context(WebServer(behave, (address(number), 80)))
        for name, number in OTHERS.items():
            running[name] = stack.enter_context(WebServer(healthy(), (address(number), 80)))
        running["router"] = stack.enter_context(WebServer(other.get("router", router(site.homes())), (address(SERVERS), 80)))
        yield running


def check(site, *words, status=0) -> dict:
    return json.loads(site.lab.run("imcheck", *words, "-o", "json", status=status).stdout)


def found(result: dict) -> set:
    return {(f["rule"], f.get("account") or f.get("subject")) for f in result["findings"] if f["severity"] != "info"}


def test_a_sound_organisation_has_no_findings(site):
    with RealNameServer(site.zone()) as names, web(site) as servers:
        result = check(site, "--scope", "account,server,dns,http", "--dns-server", names.address)
    assert found(result) == set()
    for server in servers.values():
        assert {request.method for request in server.requests} <= {"PROPFIND", "GET"}
        assert not any(request.header("Authorization") for request in server.requests)


def test_what_is_missing_in_dns_is_found_with_the_record_to_add(site):
    with RealNameServer(site.zone("_rvp._tcp.d7 ", "h3 ")) as names:
        result = check(site, "--scope", "dns", "--dns-server", names.address, status=1)
    assert found(result) == {("dns-srv-missing", "d7.corp.example"), ("dns-im-domain-no-address", "h3.corp.example")}
    srv = next(f for f in result["findings"] if f["rule"] == "dns-srv-missing")
    assert re.search(r"_rvp\._tcp\.d7\.corp\.example\.\s.*IN\s+SRV\s+0 0 80 im\.corp\.example\.", srv["remedy"])
    assert names.address.split(":")[1] in srv["remedy"]  # the dig command asks the same server


def test_two_dead_servers_are_waited_for_together(site):
    """Each of them answers only once the other one was asked: in turn, both would pass their deadline."""
    servers = {}

    def after(name: str, other: str):
        def behave(request):
            servers[other].await_request()
            return healthy(site.people_of(int(name[1:])))(request)
        return behave

    with RealNameServer(site.zone()) as names, web(site, h2=after("h2", "h5"), h5=after("h5", "h2")) as running:
        servers.update(running)
        result = check(site, "--scope", "http", "--dns-server", names.address)
    assert found(result) == set()
    assert next(rule["status"] for rule in result["rules"] if rule["rule"] == "http-unreachable") == "checked"


def test_dead_name_servers_and_web_servers_end_within_one_timeout_each(site):
    """50 mail domains, 10 servers: two of them silent, and one of two name servers. Everything else is judged."""
    servers = {}
    dead = {name: lambda request, name=name: hangs(servers[name]) for name in ("h2", "h5")}
    with RealNameServer(site.zone()) as names, NameServer({}, others=SILENCE) as silent, web(site, **dead) as running:
        servers.update(running)
        result = check(site, "--scope", "account,server,dns,http", "--dns-server", names.address, "--dns-server", silent.address,
                       status=1)
        asked = len(silent.queries)
        names_asked = len({(query.name, query.kind) for query in silent.queries})
    assert {("http-unreachable", f"h{n}.corp.example") for n in (2, 5)} <= found(result)
    assert {rule for rule, _ in found(result)} <= {"http-unreachable", "dns-lookup-failed"}
    assert all(len(servers[name].requests) == 1 for name in dead)  # a second one would wait as long again
    assert asked <= 2 * names_asked  # given up after its first round: tried twice, and never again


def test_a_broken_server_is_found_under_its_rule_only(site):
    with RealNameServer(site.zone()) as names, web(site, h4=broken_script_map):
        result = check(site, "--scope", "http", "--dns-server", names.address, status=1)
    assert found(result) == {("http-handler-broken", "h4.corp.example")}


def test_nothing_is_asked_of_web_servers_unless_it_is_wanted(site):
    with RealNameServer(site.zone()) as names, web(site) as servers:
        check(site, "--scope", "account,dns", "--dns-server", names.address)
    assert not any(server.requests for server in servers.values())


# ---- one person ----


def sign_in(site, names, *words, status) -> str:
    return site.lab.run("imcheck", "person4", "--home", "h4", "--probe", "--scope", "account,dns,http", "--dns-server", names.address, *words,
                        status=status).stdout


def test_one_sign_in_is_told_step_by_step(site):
    with RealNameServer(site.zone()) as names, web(site):
        text = sign_in(site, names, status=0)
    assert "person4 can sign in: yes" in text and "How person4 signs in:" in text
    steps = [line.split()[0] for line in text.splitlines() if line.startswith("  ")]
    assert steps[:5] == ["srv", "address", "router", "redirect", "home"], text
    assert "problem" not in text


def test_a_router_that_sends_elsewhere_is_named(site):
    elsewhere = site.homes() | {"person4": site.homes()["person4"].replace("h4.", "h6.")}
    with RealNameServer(site.zone()) as names, web(site, router=router(elsewhere)):
        text = sign_in(site, names, status=1)
    assert "http-redirect-wrong-home" in text and "h6.corp.example" in text


def test_a_home_that_does_not_know_the_person_is_named(site):
    with RealNameServer(site.zone()) as names, web(site, h4=healthy(["somebody"])):
        text = sign_in(site, names, status=1)
    assert "http-user-unknown" in text
