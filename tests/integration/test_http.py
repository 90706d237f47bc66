"""Web servers are asked and judged: by what real servers on loopback answer, and by what they were asked."""

import json
import subprocess
from contextlib import ExitStack

import pytest

from tests.support.command import BIN
from tests.support.httpservers import (NTLM, PATH, RVP, Lighttpd, WebServer, always, answer, asks_to_log_on, broken_script_map, by_method, closes,
                                       garbage, hangs, hardened, healthy, no_service, open_directory, router, secured, tls_alert, without_end)
from tests.support.process import free_port, short_folder

PROBE = BIN.parent / "tests" / "support" / "http_probe"
HOME, HOME2, DOMAIN = "imhome1.corp.example", "imhome2.corp.example", "im.corp.example"
SERVERS = {HOME: "home", HOME2: "home", DOMAIN: "router"}
METHODS = {"PROPFIND", "GET"}


def logical(alias: str) -> str:
    return f"http://{DOMAIN}/instmsg/aliases/{alias}"


def physical(alias: str, host: str = HOME) -> str:
    return f"http://{host}/instmsg/local/{DOMAIN}/instmsg/aliases/{alias}"


class Net:
    """Names that lead to servers of this test, and to nothing else."""

    def __init__(self, imdir, stack):
        self.imdir, self.stack, self.places, self.servers = imdir, stack, {}, {}

    def serve(self, behave, host: str = HOME) -> WebServer:
        """`behave`: of a request, or of the server and a request."""
        server = WebServer(behave)
        if getattr(behave, "wants_server", False):
            server.behave = lambda request: behave(server, request)
        self.stack.enter_context(server)
        self.servers[host] = server
        self.places[host] = f"{server.port} 127.0.0.1"
        return server

    def lines(self, hosts: dict, people=(), timeout: int = 20000) -> list[str]:
        return ([f"timeout {timeout}"] + [f"place {host} {place}" for host, place in self.places.items()] +
                [f"server {host.split('.')[0]} {host} {kind}" for host, kind in SERVERS.items()] +
                [f"ask {host} {roles}" for host, roles in hosts.items()] + [f"person {' '.join(words)}" for words in people])

    def probe(self, hosts: dict | None = None, people=(), timeout: int = 20000, more=(), env=None) -> dict:
        """The facts and the findings."""
        hosts = {host: SERVERS[host] for host in self.places} if hosts is None else hosts
        text = "\n".join([*self.lines(hosts, people, timeout), "go", *more]) + "\n"
        done = subprocess.run([PROBE], input=text, capture_output=True, text=True, timeout=120, env=self.imdir.environment | (env or {}))
        assert done.returncode == 0 and not done.stderr, done.stderr
        told = json.loads(done.stdout)
        told["targets"] = {target["host"]: target for target in told["targets"]}
        told["users"] = {user["account"]: user for user in told["users"]}
        return told


@pytest.fixture
def net(imdir):
    with ExitStack() as stack:
        made = Net(imdir, stack)
        yield made
    for host, server in made.servers.items():
        for request in server.requests:
            assert request.method in METHODS, request
            assert request.path.startswith(PATH) and request.host in (host, host.upper()), request
            for name in ("authorization", "proxy-authorization", "cookie", "rvp-from-principal", "call-back"):
                assert not request.header(name), request
            assert request.header("rvp-notifications-version") == "0.2"
            assert request.header("depth") == ("0" if request.method == "PROPFIND" else "")


def wants_server(function):
    function.wants_server = True
    return function


def rules(told: dict, local: bool = False) -> dict:
    """rule -> severity. All servers of these tests are local, which is said each time."""
    return {finding["rule"]: finding["severity"] for finding in told["findings"] if local or finding["rule"] != "http-probe-local"}


# ---- servers as they should be ----


def test_a_home_and_a_router_as_they_should_be(net):
    home = net.serve(healthy(["anna"]))
    gate = net.serve(router({"anna": physical("anna")}), DOMAIN)
    told = net.probe({HOME: "home", DOMAIN: "router domain"}, [("anna", logical("anna"), physical("anna"))])
    assert rules(told) == {}
    target = told["targets"][HOME]
    assert (target["propfind"]["status"], target["get"]["status"]) == (401, 501)
    assert target["propfind"]["schemes"] == "NTLM, Negotiate" and target["propfind"]["version"] == "0.2"
    assert target["propfind"]["server"] == "Microsoft-IIS/5.0" and target["addresses"] == ["127.0.0.1"]
    user = told["users"]["anna"]
    assert (user["alias"], user["domain"]) == ("anna", DOMAIN)
    assert user["logical"]["location"] == physical("anna") and user["home"]["status"] == 401
    assert user["followed"]["outcome"] == "not-asked"
    assert [(r.method, r.path) for r in home.requests][:1] == [("PROPFIND", PATH)]
    assert sorted((r.method, r.path) for r in home.requests) == [
        ("GET", PATH), ("PROPFIND", PATH), ("PROPFIND", f"/instmsg/local/{DOMAIN}/instmsg/aliases/anna")]
    assert sorted((r.method, r.path) for r in gate.requests) == [("GET", PATH), ("PROPFIND", PATH), ("PROPFIND", "/instmsg/aliases/anna")]


def test_one_server_without_router(net):
    net.serve(healthy(["anna"]))
    url = f"http://{HOME}/instmsg/aliases/anna"
    told = net.probe({HOME: "home domain"}, [("anna", url, url)])
    assert rules(told) == {} and told["users"]["anna"]["home"]["outcome"] == "not-asked"
    assert len(net.servers[HOME].requests) == 3


@pytest.mark.parametrize("schemes, expected, realms", [
    (["NTLM"], "NTLM", [""]),
    (["Negotiate, NTLM"], "NTLM, Negotiate", ["", ""]),
    (["Negotiate", f'Digest qop="auth", realm="{DOMAIN}", nonce="a,b", Basic realm="x"', "NTLM"], "NTLM, Negotiate, Digest, Basic",
     ["", DOMAIN, "x", ""]),
])
def test_every_way_to_log_on_is_seen(net, schemes, expected, realms):
    net.serve(healthy(schemes=schemes), DOMAIN)
    told = net.probe()
    assert told["targets"][DOMAIN]["propfind"]["schemes"] == expected and told["targets"][DOMAIN]["propfind"]["realms"] == realms
    assert rules(told) == {}


# ---- servers as they should not be: which rule speaks, and only that one ----

FAULTS = {
    "no-service": (no_service, {"http-not-rvp": "error"}),
    "web-logon": (lambda request: asks_to_log_on(), {"http-not-rvp": "info"}),
    "multistatus": (always(207), {"http-not-rvp": "error"}),
    "garbage": (garbage, {"http-not-rvp": "error"}),
    "broken-script-map": (broken_script_map, {"http-handler-broken": "error"}),
    "open-directory": (open_directory, {"http-directory-exposed": "error"}),
    "closed-listing": (by_method(GET=always(403), PROPFIND=no_service), {"http-directory-exposed": "error"}),
    "open-beside-service": (by_method(GET=always(200), PROPFIND=healthy()), {"http-directory-exposed": "error"}),
    "secured": (secured, {"http-ssl-required": "error"}),
    "to-https": (always(302, f"Location: https://{HOME}{PATH}"), {"http-ssl-required": "error"}),
    "speaks-tls": (tls_alert, {"http-ssl-required": "error"}),
    "hardened": (hardened, {"http-verb-blocked": "error"}),
    "busy": (always(503), {"http-busy": "warning"}),
    "basic-only": (healthy(schemes=['Basic realm="im"']), {"http-auth-scheme": "error"}),
    "nothing-to-log-on": (healthy(schemes=[]), {"http-auth-scheme": "error"}),
    "realm": (healthy(schemes=['Digest realm="CORP", nonce="1"']), {"http-digest-realm": "warning"}),
    "closes": (closes, {"http-unreachable": "error"}),
    "foreign": (always(200, server="Apache/2.4", body="Welcome"), {"http-not-rvp": "error"}),
    "foreign-500": (always(500, server="Apache/2.4"), {"http-not-rvp": "error"}),
    "in-pieces": (lambda request: (bytes([byte]) for byte in healthy()(request)), {}),
    "logon-open-to-all": (by_method(GET=always(501, RVP), PROPFIND=always(207, RVP)), {}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_its_finding(net, name):
    behave, expected = FAULTS[name]
    net.serve(behave)
    net.serve(healthy(), HOME2)
    told = net.probe()
    assert rules(told) == expected, told
    assert {f["subject"] for f in told["findings"] if f["rule"] != "http-probe-local"} <= {HOME}


def test_the_remedy_shows_the_fault(net):
    """The command that a remedy ends with asks what the probe asked."""
    server = net.serve(broken_script_map)
    told = net.probe()
    command = next(f["remedy"] for f in told["findings"] if f["rule"] == "http-handler-broken").partition("look again: ")[2].split()
    assert command[:2] == ["curl", "-sS"] and command[-1] == f"http://{HOME}{PATH}" and "PROPFIND" in command
    assert server.requests


def test_nobody_listens(net):
    net.places[HOME] = f"{free_port()} 127.0.0.1"
    told = net.probe()
    assert rules(told) == {"http-unreachable": "error"} and told["targets"][HOME]["propfind"]["outcome"] == "refused"
    assert told["targets"][HOME]["get"]["outcome"] == "not-asked"


def test_a_name_without_address_is_no_fault_of_a_server(net):
    net.serve(healthy())
    told = net.probe({HOME: "home", "gone.corp.example": "home", "*.corp.example": "domain", "a/../b": "domain"})
    assert told["targets"]["gone.corp.example"]["propfind"]["outcome"] == "no-address"
    assert told["targets"]["*.corp.example"]["propfind"]["outcome"] == "failed"
    assert told["targets"]["a/../b"]["propfind"]["outcome"] == "failed"
    assert {f["subject"] for f in told["findings"] if f["rule"] == "http-unreachable"} == {"*.corp.example", "a/../b"}


def test_the_web_site_of_a_mail_domain_is_nobodys_fault(net):
    site = net.serve(always(200, server="Apache/2.4"), "corp.example")
    told = net.probe({"corp.example": "mail-domain"})
    assert rules(told, local=True) == {} and [r.method for r in site.requests] == ["PROPFIND"]


def test_own_machine(net):
    net.serve(healthy())
    assert rules(net.probe(), local=True) == {"http-probe-local": "info"}
    net.places[HOME] = "80"
    assert rules(net.probe(), local=True) == {}


def test_a_real_web_server_of_another_kind(net):
    with Lighttpd(short_folder("lighttpd")) as lighttpd:
        net.places[DOMAIN] = f"{lighttpd.port} 127.0.0.1"
        told = net.probe({DOMAIN: "router domain"}, [("anna", logical("anna"), physical("anna"))])
    answered = told["targets"][DOMAIN]["propfind"]
    assert answered["outcome"] == "answered" and answered["server"].startswith("lighttpd/") and "version" not in answered
    assert rules(told) == {"http-not-rvp": "error"}
    assert sorted(lighttpd.methods()) == ["GET", "PROPFIND", "PROPFIND"]


# ---- people ----


def test_a_router_that_sends_people_elsewhere(net):
    first, second = net.serve(healthy(["anna"])), net.serve(healthy(["anna"]), HOME2)
    net.serve(router({"anna": physical("anna", HOME2)}), DOMAIN)
    told = net.probe({HOME: "home", HOME2: "home", DOMAIN: "router"}, [("anna", logical("anna"), physical("anna"))])
    assert rules(told) == {"http-redirect-wrong-home": "error"}
    assert told["users"]["anna"]["followed"]["status"] == 401
    assert sum("aliases/anna" in r.path for r in second.requests) == 1 and sum("aliases/anna" in r.path for r in first.requests) == 1
    finding = next(f for f in told["findings"] if f["rule"] == "http-redirect-wrong-home")
    assert finding["subject"] == "anna" and "imhome anna --to imhome2" in finding["remedy"]


@pytest.mark.parametrize("place", ["http://imhome1/instmsg/aliases/anna", "http://stranger.example/instmsg/aliases/anna", "anywhere", "//x/y",
                                   f"http://{HOME}:8080/instmsg/aliases/anna", f"http://{HOME}/other/anna"])
def test_no_redirect_leads_to_strangers(net, place):
    stranger = net.serve(healthy(["anna"]), "stranger.example")
    dotless = net.serve(healthy(["anna"]), "imhome1")
    home = net.serve(healthy(["anna"]))
    net.serve(router({"anna": place}), DOMAIN)
    told = net.probe({HOME: "home", DOMAIN: "router"}, [("anna", logical("anna"), physical("anna"))])
    assert rules(told) == {"http-redirect-wrong-home": "error"}
    assert told["users"]["anna"]["followed"]["outcome"] == "not-asked"
    assert not stranger.requests and not dotless.requests and len(home.requests) == 3


@pytest.mark.parametrize("url", ["http://stranger.example:8080/instmsg/aliases/anna", "https://stranger.example/instmsg/aliases/anna",
                                 "http://stranger.example/admin?delete=all", "http://stranger.example/instmsg/../admin", "ftp://stranger.example/",
                                 "http://x@stranger.example/instmsg/aliases/anna"])
def test_only_what_a_client_would_ask_for_is_asked(net, url):
    stranger = net.serve(healthy(["anna"]), "stranger.example")
    net.serve(healthy(["anna"]), DOMAIN)
    told = net.probe({DOMAIN: "router"}, [("anna", logical("anna"), url)])
    assert told["users"]["anna"]["home"]["outcome"] == "not-asked" and told["users"]["anna"]["home"]["detail"]
    assert not stranger.requests and rules(told) == {}


def test_a_home_that_does_not_know_a_person(net):
    net.serve(healthy(["bert"]))
    net.serve(router({name: physical(name) for name in ("anna", "bert")}), DOMAIN)
    told = net.probe(people=[(name, logical(name), physical(name)) for name in ("anna", "bert")])
    found = [f for f in told["findings"] if f["rule"] != "http-probe-local"]
    assert [(f["rule"], f["subject"]) for f in found] == [("http-user-unknown", "anna")]


def test_hosts_of_people_are_asked_too(net):
    net.serve(healthy(["anna"]))
    net.serve(router({"anna": physical("anna")}), DOMAIN)
    told = net.probe({}, [("anna", logical("anna"), physical("anna"))])
    assert set(told["targets"]) == {HOME, DOMAIN} and told["targets"][HOME]["roles"] == 1 and told["targets"][DOMAIN]["roles"] == 4


def test_asking_again_asks_only_for_more(net):
    home = net.serve(healthy(["anna", "bert"]))
    net.places["dead.corp.example"] = f"{free_port()} 127.0.0.1"
    person = f"person bert {physical('bert')} {physical('bert')}"
    told = net.probe({HOME: "home", "dead.corp.example": "home"}, [("anna", physical("anna"), physical("anna"))],
                     more=[f"ask {HOME.upper()}. domain", "ask dead.corp.example domain", person, "go", person, "go"])
    assert told["targets"][HOME]["roles"] == 1 + 4 and set(told["users"]) == {"anna", "bert"}
    assert sorted((r.method, r.path.rpartition("/")[2]) for r in home.requests) == [
        ("GET", ""), ("PROPFIND", ""), ("PROPFIND", "anna"), ("PROPFIND", "bert")]
    assert told["targets"]["dead.corp.example"]["propfind"]["outcome"] == "refused"


# ---- servers that take their time, or more than that ----


@wants_server
def hanging(server, request):
    return hangs(server)


@wants_server
def hanging_amid(server, request):
    return hangs(server, b"HTTP/1.1 401 x\r\nServer: Micro")


@wants_server
def hanging_in_body(server, request):
    head = answer(501, RVP) if request.method == "GET" else asks_to_log_on(NTLM, RVP)
    return hangs(server, head.replace(b"Content-Length: 0", b"Content-Length: 1000"))


@wants_server
def endless_headers(server, request):
    return without_end(server, b"HTTP/1.1 401 x\r\n", b"X-More: and more\r\n" * 50)


@wants_server
def endless_line(server, request):
    return without_end(server, b"HTTP/1.1 401 x\r\nX-More: ", b"x" * 8192)


@wants_server
def endless_continue(server, request):
    return without_end(server, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50)


@wants_server
def endless_body(server, request):
    head = (answer(501, RVP) if request.method == "GET" else asks_to_log_on(NTLM, RVP)).replace(b"Content-Length: 0\r\n", b"")
    return without_end(server, head, b"x" * 65536)


@pytest.mark.parametrize("behave, outcome", [(hanging, "timeout"), (hanging_amid, "timeout"), (endless_headers, "malformed"),
                                             (endless_line, "malformed"), (endless_continue, "malformed")])
def test_a_server_without_end_costs_one_request(net, behave, outcome):
    """Its people are told what it told already, and others are served in the meantime."""
    server = net.serve(behave)
    net.serve(healthy(["anna"]), HOME2)
    people = [(f"p{i}", physical(f"p{i}"), physical(f"p{i}")) for i in range(30)]
    told = net.probe(people=[*people, ("anna", physical("anna", HOME2), physical("anna", HOME2))], timeout=400 if outcome == "timeout" else 20000)
    assert told["targets"][HOME]["propfind"]["outcome"] == outcome
    assert told["users"]["p7"]["logical"]["outcome"] == outcome and told["users"]["anna"]["logical"]["status"] == 401
    assert len(server.requests) == 1
    assert rules(told) == ({"http-unreachable": "error"} if outcome == "timeout" else {"http-not-rvp": "error"})


@pytest.mark.parametrize("behave", [hanging_in_body, endless_body])
def test_nobody_waits_for_a_body(net, behave):
    net.serve(behave)
    told = net.probe(timeout=100000)
    assert told["targets"][HOME]["propfind"]["status"] == 401 and rules(told) == {}


def test_all_are_asked_at_once(net):
    """Each server answers only once the other one was asked, too."""
    first, second = WebServer(None), WebServer(None)

    def waits_for(other):
        return lambda request: (other.await_request(), healthy()(request))[1]

    first.behave, second.behave = waits_for(second), waits_for(first)
    for host, server in ((HOME, first), (HOME2, second)):
        net.stack.enter_context(server)
        net.servers[host], net.places[host] = server, f"{server.port} 127.0.0.1"
    told = net.probe()
    assert rules(told) == {} and {t["propfind"]["status"] for t in told["targets"].values()} == {401}


def test_many_people_of_one_server(net):
    names = [f"p{i}" for i in range(200)]
    net.serve(healthy(names))
    told = net.probe(people=[(name, physical(name), physical(name)) for name in names])
    assert {user["logical"]["status"] for user in told["users"].values()} == {401} and rules(told) == {}
    assert len(net.servers[HOME].requests) == 202


def test_a_signal_ends_the_waiting(net):
    server = net.serve(hanging)
    text = "\n".join([*net.lines({HOME: "home"}, timeout=100000), "go"]) + "\n"
    process = subprocess.Popen([PROBE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=net.imdir.environment)
    process.stdin.write(text)
    process.stdin.close()
    assert server.await_request()
    process.terminate()
    told = json.loads(process.stdout.read())
    process.stdout.close()
    assert process.wait(60) == 0
    assert told["stopped"] == 1 and told["targets"][0]["propfind"]["outcome"] == "not-asked" and "stopped" in told["error"]


# ---- what is of the machine, or of the user, has no say ----


def test_neither_proxies_nor_passwords_nor_cookies_of_the_user(net):
    proxy = net.stack.enter_context(WebServer(always(500)))
    net.serve(healthy(["anna"]))
    net.imdir.file(".netrc", f"machine {HOME} login anna password secret\ndefault login anna password secret\n")
    net.imdir.file(".curlrc", f'proxy = "http://127.0.0.1:{proxy.port}"\n')
    address = f"http://127.0.0.1:{proxy.port}"
    told = net.probe(env={"http_proxy": address, "HTTP_PROXY": address, "all_proxy": address, "ALL_PROXY": address, "no_proxy": ""})
    assert rules(told) == {} and not proxy.requests


def test_cookies_are_not_kept(net):
    net.serve(lambda request: healthy(["anna"])(request).replace(b"\r\n", b"\r\nSet-Cookie: a=b; path=/\r\n", 1))
    told = net.probe(people=[("anna", physical("anna"), physical("anna"))])
    assert rules(told) == {} and len(net.servers[HOME].requests) == 3
