"""What DNS says of an organisation: gathered from a real name server, and from one that fails in every way there is."""

import json
import struct
import subprocess

import pytest

from tests.support import dns
from tests.support.dns import A, AAAA, ANSWERED, SRV, TRUNCATED, NameServer
from tests.support.lab import BIN
from tests.support.nameserver import RealNameServer

TOOL = BIN.parent / "tests" / "support" / "dns_tool"
IM, HOME, RECORD = "im.corp.example", "imhome1.corp.example", "_rvp._tcp.corp.example"
GOOD = [f"{RECORD}. SRV 0 0 80 {IM}.", f"{IM}. A 192.0.2.10", f"{HOME}. A 192.0.2.11"]
ROUTERS = "servers:\n" + "".join(f"  - {{ name: r{n}, host: {IM}, hosts-users: false, dn: CN={n} }}\n" for n in (1, 2)) + \
    f"  - {{ name: imhome1, host: {HOME} }}\n"


def census(mail=("corp.example",), im=(IM,)) -> str:
    return "census: { im-domains: {%s}, mail-domains: {%s} }\n" % (", ".join(f'"{name}": 1' for name in im),
                                                                  ", ".join(f'"{name}": 1' for name in mail))


class Gathered:
    def __init__(self, text: str):
        lines = [json.loads(line) for line in text.splitlines()]
        self.gather = lines[0]
        self.answers = {(line["name"], line["kind"], line["resolver"]): line for line in lines if line["type"] == "answer"}
        self.findings = [line for line in lines if line["type"] == "finding"]
        self.rules = sorted({finding["rule"] for finding in self.findings})

    def of(self, name: str, kind: str = "SRV", resolver: int = 0) -> dict:
        return self.answers[name, kind, resolver]

    def state(self, name: str, kind: str = "SRV", resolver: int = 0) -> str:
        return self.of(name, kind, resolver)["state"]

    def finding(self, rule: str) -> dict:
        [found] = [finding for finding in self.findings if finding["rule"] == rule]
        return found


@pytest.fixture
def gather(tmp_path):
    """Gathers facts from name servers and judges them."""

    def run(servers, *facts: str, timeout: int = 1, status: int = 0) -> Gathered:
        paths = []
        for number, text in enumerate(facts or [census()]):
            paths.append(tmp_path / f"facts-{number}.yaml")
            paths[-1].write_text(text)
        addresses = [server if isinstance(server, str) else server.address for server in servers]
        done = subprocess.run([TOOL, str(timeout), ",".join(addresses), *paths], capture_output=True, text=True, timeout=120)
        assert done.returncode == status, done.stdout + done.stderr
        return Gathered(done.stdout) if status == 0 else done.stderr

    return run


@pytest.fixture(scope="module")
def real_server():
    """Starts a name server for a zone example with these lines; several tests that need the same one share it."""
    running = {}

    def start(lines) -> RealNameServer:
        key = tuple(lines)
        if key not in running:
            running[key] = RealNameServer({"example": list(lines)}).__enter__()
        return running[key]

    yield start
    for server in running.values():
        server.__exit__()


# ---- every rule fires on a real server, and is silent on a sound one ----


def without(*lines):
    return [line for line in GOOD if line not in lines]


FIRES = {
    "dns-srv-missing": (without(GOOD[0]), {}),
    "dns-srv-mislabeled": (without(GOOD[0]) + [f"_rvp_tcp.corp.example. SRV 0 0 80 {IM}."], {}),
    "dns-srv-null": (without(GOOD[0]) + [f"{RECORD}. SRV 0 0 0 ."], {}),
    "dns-srv-target-ip": (without(GOOD[0]) + [f"{RECORD}. SRV 0 0 80 192.0.2.10."], {}),
    "dns-srv-target-stale": (without(GOOD[0]) + [f"{RECORD}. SRV 0 0 80 old.corp.example.", "old.corp.example. A 192.0.2.99"], {}),
    "dns-srv-target-no-address": (without(GOOD[1]), {}),
    "dns-srv-target-cname": (without(GOOD[1]) + [f"{IM}. CNAME host.corp.example.", "host.corp.example. A 192.0.2.10"], {}),
    "dns-srv-port": (without(GOOD[0]) + [f"{RECORD}. SRV 0 0 8080 {IM}."], {}),
    "dns-im-domain-no-address": (without(GOOD[2]), {}),
    "dns-router-address-missing": (GOOD, {"more": ROUTERS}),
    "dns-home-round-robin": (GOOD + [f"{HOME}. A 192.0.2.12"], {}),
    "dns-address-private": (without(GOOD[1]) + [f"{IM}. A 10.0.0.1"], {"more": "external: true\n"}),
    "dns-im-prefix": (["_rvp._tcp.b.example. SRV 0 0 80 im.corp.example."] + GOOD, {"mail": ("b.example",)}),
    "dns-lookup-failed": (GOOD, {"mail": ("corp.example", "elsewhere.test")}),
}


@pytest.mark.parametrize("rule", FIRES)
def test_rule_fires(gather, real_server, rule):
    lines, options = FIRES[rule]
    got = gather([real_server(lines)], options.get("more", "") + census(options.get("mail", ("corp.example",))))
    assert got.rules == [rule], got.findings


def test_sound_zone_has_no_findings(gather, real_server):
    got = gather([real_server(GOOD)], "external: true\n" + census())
    assert got.findings == []
    assert got.of(RECORD)["records"] == [f"0 0 80 {IM}"]
    assert got.state(f"_rvp._tcp.{IM}") == "NXDOMAIN"
    assert got.state(IM, "AAAA") == "no data"


def test_resolvers_differ(gather, real_server):
    sound, other = real_server(GOOD), real_server(without(GOOD[0]))
    got = gather([sound, other])
    assert got.rules == ["dns-resolvers-differ"] and got.finding("dns-resolvers-differ")["subject"] == RECORD
    assert sound.address in got.findings[0]["message"] and other.address in got.findings[0]["message"]
    assert gather([sound, sound]).findings == []


def test_remedy_is_a_record_and_a_question_that_shows_it(gather, real_server):
    server = real_server(without(GOOD[0]))
    remedy = gather([server]).finding("dns-srv-missing")["remedy"]
    assert f"{RECORD}. 3600 IN SRV 0 0 80 {IM}." in remedy and f"dig @127.0.0.1 -p {server.port} SRV {RECORD}" in remedy
    record = remedy.split("publish ")[1].split(" (dig")[0]
    assert gather([real_server([*without(GOOD[0]), record])]).findings == []  # what it says mends it


def test_traps_are_silent(gather, real_server):
    """A mail domain that is the IM domain needs no record; several routers have several addresses; a home may be elsewhere."""
    same = real_server(["corp.example. A 192.0.2.10", f"{HOME}. A 192.0.2.11"])
    assert gather([same], f"servers:\n  - {{ name: r, host: corp.example, hosts-users: false }}\n  - {{ name: h, host: {HOME} }}\n"
                  + census(im=("corp.example",))).rules == ["dns-im-prefix"]
    assert gather([real_server(GOOD + [f"{IM}. A 192.0.2.12"])], ROUTERS + census()).findings == []
    child = real_server(GOOD + [f"_rvp._tcp.child.corp.example. SRV 0 0 80 {IM}."])
    assert gather([child], census(("corp.example", "child.corp.example"))).findings == []


def test_aliases_and_wildcards(gather, real_server):
    good_alias = [f"{RECORD}. CNAME _rvp._tcp.b.example.", f"_rvp._tcp.b.example. SRV 0 0 80 {IM}."] + without(GOOD[0])
    got = gather([real_server(good_alias)])
    assert got.findings == [] and got.of(RECORD)["aliases"] == ["_rvp._tcp.b.example"]
    wildcard = ["*.corp.example. CNAME www.b.example.", "www.b.example. A 192.0.2.80"] + without(GOOD[0])
    got = gather([real_server(wildcard)])
    assert got.rules == ["dns-srv-mislabeled"] and "alias of www.b.example" in got.findings[0]["message"]


def test_alias_into_a_foreign_zone_is_unknown(gather, real_server):
    """The server does not follow it, so nobody knows what is there."""
    got = gather([real_server([f"{RECORD}. CNAME x.elsewhere.test."] + without(GOOD[0]))])
    assert got.state(RECORD) == "failed" and got.rules == ["dns-lookup-failed"]


def test_delegation_is_not_an_empty_answer(gather, real_server):
    lines = GOOD + ["sub.example. NS ns.sub.example.", "ns.sub.example. A 192.0.2.1"]
    got = gather([real_server(lines)], census(("sub.example",)))
    assert "referral" in got.of("_rvp._tcp.sub.example")["trouble"]
    assert "dns-srv-missing" not in got.rules


def test_internationalised_domain(gather, real_server):
    got = gather([real_server(GOOD + [f"_rvp._tcp.xn--bcher-kva.example. SRV 0 0 80 {IM}."])], census(("corp.example", "bücher.example")))
    assert got.findings == [] and got.state("_rvp._tcp.xn--bcher-kva.example") == "found"


# ---- servers that fail ----


SOUND = {RECORD: [(0, 0, 80, IM)], IM: ["192.0.2.10"], HOME: ["192.0.2.11"]}


@pytest.mark.parametrize("answer, words", [(dns.SERVFAIL, "SERVFAIL"), (dns.REFUSED, "REFUSED"), (dns.NOTIMP, "NOTIMP"),
                                           (dns.SILENCE, "no answer within 1 second"), (11, "error code")])
def test_failures_are_unknown_and_never_missing(gather, answer, words):
    with NameServer(SOUND | {RECORD: answer}) as server:
        got = gather([server])
    assert got.state(RECORD) == "failed" and words in got.of(RECORD)["trouble"]
    assert got.rules == ["dns-lookup-failed"] and got.findings[0]["severity"] == "error"


def lost_first(rows):
    return lambda query: None if query.number == 1 else query.reply(rows)


def test_lost_query_is_asked_again(gather):
    with NameServer({name: lost_first(rows) for name, rows in SOUND.items()}) as server:
        got = gather([server])
    assert got.findings == [] and got.of(RECORD)["retried"] and got.state(IM, "A") == "found"


def cut(query):
    return query.reply(SOUND[RECORD]) if query.is_tcp else query.reply(flags=ANSWERED | TRUNCATED)


def test_truncated_answer_comes_by_tcp(gather):
    with NameServer(SOUND | {RECORD: cut}) as server:
        got = gather([server])
        assert [query.is_tcp for query in server.queries if query.name == RECORD] == [False, True]
    assert got.findings == [] and got.of(RECORD)["records"] == [f"0 0 80 {IM}"]


@pytest.mark.parametrize("by_tcp, words", [(None, "truncated, and by TCP: "), (TRUNCATED, "truncated, and by TCP: truncated again")])
def test_truncated_answer_that_tcp_does_not_mend(gather, by_tcp, words):
    def answer(query):
        return query.reply(flags=ANSWERED | TRUNCATED) if by_tcp or not query.is_tcp else None

    with NameServer(SOUND | {RECORD: answer}) as server:
        got = gather([server])
    assert words in got.of(RECORD)["trouble"] and got.rules == ["dns-lookup-failed"]


def garbled(change):
    return lambda query: change(query.reply(SOUND[RECORD]))


@pytest.mark.parametrize("change", [
    lambda answer: answer[:-3],                                            # ends in the middle of a record
    lambda answer: answer[:6] + struct.pack(">H", 7) + answer[8:],         # says that there are more records
    lambda answer: answer[:-len(IM) - 2] + b"\xff" * (len(IM) + 2),        # a pointer that leads out of the message
    lambda answer: answer.replace(b"\xc0\x0c", b"\xc0\xff", 1),          # the same in front of the record
], ids=["cut", "count", "pointer", "owner"])
def test_malformed_answers(gather, change):
    with NameServer(SOUND | {RECORD: garbled(change)}) as server:
        got = gather([server])
    assert got.of(RECORD)["trouble"] == "a malformed answer" and got.rules == ["dns-lookup-failed"]


def test_records_of_other_names_are_not_taken(gather):
    def answer(query):
        return query.reply(SOUND[RECORD]).replace(b"\xc0\x0c", b"\x01x\x00", 1)

    with NameServer(SOUND | {RECORD: answer}) as server:
        got = gather([server])
    assert got.state(RECORD) == "no data" and got.rules == ["dns-srv-missing"]


def test_alias_loop_ends(gather):
    with NameServer(SOUND | {RECORD: [("CNAME", RECORD)]}) as server:
        got = gather([server])
    assert got.state(RECORD) == "no data" and len(got.of(RECORD)["aliases"]) == 16
    assert got.rules == ["dns-srv-mislabeled"]


# ---- how often is asked ----

MANY = tuple(f"d{number}.example" for number in range(50))


def test_dead_servers_cost_one_timeout_in_all(gather):
    """Both see the first questions, each twice, and nothing of the rounds that follow."""
    with NameServer({}, dns.SILENCE) as one, NameServer({}, dns.SILENCE) as two, NameServer(SOUND) as live:
        got = gather([one, live, two], census(MANY))
        first_round = len(MANY) + 1 + 2 * 2  # SRV of all domains, A and AAAA of two hosts
        for dead in (one, two):
            assert len(dead.queries) == 2 * first_round
            assert {query.kind for query in dead.queries} == {SRV, A, AAAA}
        later = {query.name for query in live.queries} - {query.name for query in one.queries}
        assert "d7.example" in later and "_rvp_tcp.d7.example" in later  # rounds went on without them
    assert got.gather["rounds"] == 2
    failed = [finding for finding in got.findings if finding["rule"] == "dns-lookup-failed"]
    assert [(finding["subject"], finding["severity"]) for finding in failed] == [(one.address, "warning"), (two.address, "warning")]
    assert got.rules == ["dns-im-prefix", "dns-lookup-failed", "dns-srv-missing"]
    assert sum(finding["rule"] == "dns-srv-missing" for finding in got.findings) == len(MANY)


def test_nobody_answers(gather):
    with NameServer({}, dns.SILENCE) as one, NameServer({}, dns.SILENCE) as two:
        got = gather([one, two], census(MANY))
    assert got.gather["rounds"] == 1
    assert [(finding["rule"], finding["severity"]) for finding in got.findings if finding["severity"] != "info"] == [("dns-lookup-failed", "error")] * 2


def test_nobody_listens(gather):
    with NameServer({}) as gone:
        pass
    got = gather([gone])
    assert got.rules == ["dns-lookup-failed"] and "no name server listens there" in got.findings[0]["message"]


def test_every_name_is_asked_for_once(gather):
    """Also when more names come later: what is known is not asked for again."""
    with NameServer(SOUND | {"_rvp._tcp.b.example": [(0, 0, 80, IM)]}) as server:
        got = gather([server], census(), census(("corp.example", "b.example")))
        asked = [(query.name, query.kind) for query in server.queries]
    assert len(asked) == len(set(asked)) == got.gather["asks"]
    assert got.state("_rvp._tcp.b.example") == "found" and got.rules == []


def test_dead_server_stays_dead_when_more_names_come(gather):
    with NameServer({}, dns.SILENCE) as dead:
        got = gather([dead], census(), census(("corp.example", "b.example")))
        assert "_rvp._tcp.b.example" not in dead.asked
    assert got.state("_rvp._tcp.b.example") == "failed"


def test_many_domains_at_once(gather):
    """More than fit in flight, and none is lost."""
    domains = tuple(f"m{number}.example" for number in range(700))
    with NameServer({f"_rvp._tcp.{name}": [(0, 0, 80, IM)] for name in domains} | SOUND) as server:
        got = gather([server], census(domains), timeout=30)
    assert all(got.state(f"_rvp._tcp.{name}") == "found" for name in domains)
    assert got.rules == ["dns-im-prefix"]


@pytest.mark.parametrize("server", ["127.0.0.1:99999", "127.0.0.1:0", "ns.example", "127.0.0.1:x", "127.0.0.1:", "[::1", "300.0.0.1"])
def test_servers_that_are_no_addresses(gather, server):
    assert server in gather([server], status=2)
