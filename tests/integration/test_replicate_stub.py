"""--replicate with domain controllers in outline (support/controllers.py): what they are asked on the wire, and what is made of each answer.

DC1 has the changes, DC2 is the one with a fault, DC3 is healthy and must get everything whatever became of DC2. The exit status says
that DC2 has not, unless --wait is there to find out."""

import collections
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support import berstub, controllers, scripted  # noqa: E402
from support.command import BIN  # noqa: E402
from support.controllers import PEOPLE, Controllers, guid_of, settings_dn  # noqa: E402
from support.process import await_true  # noqa: E402
from support.scripted import MODIFY, SEARCH  # noqa: E402

MANY = 40
AT_ONCE = 16  # requests in flight
INTERRUPTED = 4
DC1, DC2, DC3 = "127.0.0.1", "127.0.0.2", "127.0.0.3"
NAMES = [f"user{number}" for number in range(MANY)]
SAMBA_SAYS = "00002035: rootdse_modify: unknown attribute to change!\n"


def command(imdir, dcs, *words, timeout: int = 30) -> list:
    config = imdir.file("imdir.yaml", f'directory:\n  uri: ["{dcs.uri}"]\n  base: "{PEOPLE}"\n  timeout: {timeout}\nenable: {{ home: IM1 }}\n')
    return ["--config", config, "-D", "CN=admin", "-y", imdir.file("password", "secret\n"), "--no-journal", "--replicate", *words, *NAMES]


def enable(imdir, *faults, status: int = 0, words: tuple = (), timeout: int = 30,
           vendor: str = "") -> tuple[Controllers, subprocess.CompletedProcess]:
    """Enables everybody on DC1; DC2 and so on have these faults."""
    with Controllers({}, *faults, people=MANY) as dcs:
        if vendor:
            dcs.all[1].root["vendorName"] = [vendor]
        done = imdir("imenable", *command(imdir, dcs, *words, timeout=timeout), status=status)
    assert f"{MANY} changed" in done.stdout or words
    assert not dcs.all[0].fetches
    return dcs, done


def told_of(done, host: str) -> str:
    """The one line about a domain controller."""
    [line] = [line for line in done.stderr.splitlines() if f"imenable: {host} " in line]
    return line


def arrived(dcs: Controllers, number: int) -> int:
    """How many people a domain controller has as DC1 has them."""
    mine, first = (dcs.all[at - 1].entries for at in (number, 1))
    changed = [dn for dn in first if "msExchIMAddress" in first[dn]]
    assert len(changed) == MANY
    return sum(mine[dn] == first[dn] for dn in changed)


def expect_others_served(dcs: Controllers, done):
    assert arrived(dcs, 3) == MANY and len(dcs.all[2].fetches) == MANY
    assert told_of(done, DC3).endswith(f"{DC3} has fetched the changed objects: {MANY}")


# ---- the request ----


def test_the_request_on_the_wire(imdir):
    """MS-ADTS 3.1.1.3.3.18: a modify of the root DSE, source and object with a colon between them; no control comes with it."""
    dcs, done = enable(imdir, {}, {}, words=("-v",))
    wanted = {f"{settings_dn('DC1')}:<GUID={guid_of(number)}>".encode() for number in range(MANY)}
    for one in dcs.all[1:]:
        assert [(request.tag, request.name, request.controls) for request in one.fetches] == [(MODIFY, "", [])] * MANY
        assert {tuple(request.changes[0][:2]) for request in one.fetches} == {("replace", "replicateSingleObject")}
        assert all(len(request.changes) == 1 for request in one.fetches)
        values = [request.changes[0][2] for request in one.fetches]
        assert all(len(value) == 1 for value in values) and {value[0] for value in values} == wanted
    assert arrived(dcs, 2) == MANY
    assert told_of(done, DC2).endswith(f"has fetched the changed objects: {MANY}")
    expect_others_served(dcs, done)


def test_nothing_is_said_of_what_went_well(imdir):
    _, done = enable(imdir, {}, {})
    assert "fetch" not in done.stderr + done.stdout


def test_what_was_fetched_has_arrived(imdir):
    """Nobody replicates here but on request."""
    _, done = enable(imdir, {}, words=("--wait=60", "-o", "json"))
    [replica] = json.loads(done.stdout)["replicas"]
    assert (replica["name"], replica["state"], replica["accounts"], replica["lacking"]) == (DC2, "arrived", MANY, 0)


def test_only_what_was_changed_is_fetched(imdir):
    with Controllers({}, {}, people=MANY) as dcs:
        words = command(imdir, dcs)
        imdir("imenable", *words[:-MANY], *NAMES[:3], status=0)
        assert len(dcs.all[1].fetches) == 3
        imdir("imenable", *words, status=0)
        assert len(dcs.all[1].fetches) == MANY
        imdir("imenable", *words, status=0)
        assert len(dcs.all[1].fetches) == MANY


# ---- answers ----


@pytest.mark.parametrize("fault, asked, fetched, words", [
    ((2, berstub.fails(50, "00002098: SecErr: DSID-03152612, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n")), AT_ONCE + 2, 2,
     ["no right to do this", "insufficientAccessRights 50", "the right DS-Replication-Synchronize on DC=corp,DC=example"]),
    (berstub.fails(32, "0000208D: NameErr: DSID-03100238, problem 2001 (NO_OBJECT), data 0\n"), MANY, 0,
     ["noSuchObject 32", f"perhaps it does not know {DC1} or the container"]),
    ((range(1), berstub.fails(1, "000020D6: SvcErr: DSID-031A0FC0, problem 5012 (DIR_ERROR), data 0\n")), MANY, MANY - 1,
     ["operationsError 1", f"perhaps it does not know {DC1} or the container"]),
    (berstub.fails(53, "00002105: SvcErr: DSID-032601C8, problem 5003 (WILL_NOT_PERFORM), data 0\n"), MANY, 0, ["unwillingToPerform 53"]),
    (berstub.refers("ldap://127.0.0.1:1/"), MANY, 0, ["refers to another server", "referral 10"]),
], ids=["right", "object", "once", "unwilling", "referral"])
def test_refusals(imdir, fault, asked, fetched, words):
    """The first object is named."""
    dcs, done = enable(imdir, {MODIFY: fault}, {}, words=("-v",), status=1)
    line = told_of(done, DC2)
    assert f"{DC2} has fetched {fetched} of {MANY} changed objects: " in line and "fetching <GUID=" in line
    assert all(word in line for word in words), line
    assert len(dcs.all[1].fetches) <= asked and (asked < MANY or len(dcs.all[1].fetches) == MANY)
    assert arrived(dcs, 2) == fetched
    expect_others_served(dcs, done)


@pytest.mark.parametrize("code, text, vendor, how", [
    (53, SAMBA_SAYS, "Samba Team (https://www.samba.org)", "samba-tool drs replicate"),
    (16, "00000057: LdapErr: DSID-0C090A85, comment: Error in attribute conversion operation", "", "repadmin /replicate"),
    (17, "", "", "repadmin /replicate")], ids=["samba", "no-such-attribute", "undefined-type"])
def test_no_such_request_is_known(imdir, code, text, vendor, how):
    """Samba, and Windows 2000."""
    dcs, done = enable(imdir, {MODIFY: berstub.fails(code, text)}, {}, words=("-v",), vendor=vendor, status=1)
    assert told_of(done, DC2).endswith(
        f"{DC2} does not fetch single objects on request; all of them come with: {how} {DC2} {DC1} DC=corp,DC=example")
    assert len(dcs.all[1].fetches) <= AT_ONCE
    expect_others_served(dcs, done)


@pytest.mark.parametrize("code", [berstub.BUSY, berstub.UNAVAILABLE])
def test_busy_at_first(imdir, code):
    """It is asked again for the same objects."""
    fault = berstub.fails(code, "0000200E: SvcErr: DSID-02080490, problem 5001 (BUSY), data 0\n")
    dcs, done = enable(imdir, {MODIFY: (range(20), fault)}, {}, words=("-v",))
    assert told_of(done, DC2).endswith(f"has fetched the changed objects: {MANY}")
    assert arrived(dcs, 2) == MANY and len(dcs.all[1].fetches) == MANY + 20
    expect_others_served(dcs, done)


@pytest.mark.parametrize("fault, words", [
    (berstub.hangs_up, ["the connection to the server was lost"]), (berstub.breaks_off, ["the connection to the server was lost"]),
    (berstub.answers_as(scripted.BIND_DONE), ["makes no sense"])], ids=["between", "within", "nonsense"])
def test_broken_off(imdir, fault, words):
    dcs, done = enable(imdir, {MODIFY: (5, fault)}, {}, words=("-v",), status=1)
    line = told_of(done, DC2)
    assert f"{DC2} has fetched 5 of {MANY} changed objects: " in line and all(word in line for word in words), line
    assert arrived(dcs, 2) == 5
    expect_others_served(dcs, done)


def test_no_answer(imdir):
    dcs, done = enable(imdir, {MODIFY: (3, berstub.is_silent)}, {}, words=("-v",), timeout=1, status=1)
    line = told_of(done, DC2)
    assert f"{DC2} has fetched 3 of {MANY} changed objects: " in line and "did not answer in time" in line
    expect_others_served(dcs, done)


def test_away(imdir):
    """Its fault is that it is not there."""
    with Controllers({}, {}, {}, people=MANY) as dcs:
        dcs.servers[1].__exit__()
        done = imdir("imenable", *command(imdir, dcs, "-v"), status=1)
        assert f"{DC2} has fetched 0 of {MANY} changed objects: " in told_of(done, DC2) and "onnect" in told_of(done, DC2)
        expect_others_served(dcs, done)


def test_who_waits_learns_what_is_missing(imdir):
    _, done = enable(imdir, {MODIFY: (5, berstub.fails(50))}, {}, words=("--wait=1", "-o", "json"), status=1)
    one, two = json.loads(done.stdout)["replicas"]
    assert (one["name"], one["state"], one["lacking"]) == (DC2, "lagging", MANY - 5)
    assert (two["name"], two["state"], two["lacking"]) == (DC3, "arrived", 0)
    assert f"{DC2} has fetched 5 of {MANY}" in done.stderr


def test_who_waits_is_not_told_of_detours(imdir):
    """DC2 refuses, and has everything all the same, as by ordinary replication: that counts, and without --wait nobody has looked."""
    def fetch_and_refuse(request):
        dcs.all[1].fetch(request)
        berstub.fails(53)(request)
    with Controllers({}, {MODIFY: fetch_and_refuse}, people=MANY) as dcs:
        done = imdir("imenable", *command(imdir, dcs, "--wait=60"), status=0)
        assert f"{DC2} has fetched 0 of {MANY}" in done.stderr and "everything arrived" in done.stdout
        done = imdir("imdisable", *command(imdir, dcs), status=1)
        assert f"{DC2} has fetched 0 of {MANY}" in done.stderr


def test_one_that_takes_nothing(imdir):
    """It is not asked; what it does not have is missing all the same."""
    with Controllers({}, {}, {}, people=MANY) as dcs:
        dcs.all[0].entries[settings_dn("DC2")]["options"] = ["3"]
        done = imdir("imenable", *command(imdir, dcs, "-v"), status=1)
        assert told_of(done, DC2).endswith(f"{DC2} takes nothing from others: its inbound replication is turned off")
        assert not dcs.all[1].fetches
        expect_others_served(dcs, done)


def test_side_by_side(imdir):
    """DC2 answers nothing before DC3 has everything."""
    def answer(request):
        await_true(lambda: len(dcs.all[2].fetches) == MANY, "everything on the other one")
        return dcs.all[1].serve(request)
    with Controllers({}, {MODIFY: answer}, {}, people=MANY) as dcs:
        done = imdir("imenable", *command(imdir, dcs, "-v"), status=0)
        assert arrived(dcs, 2) == MANY
        expect_others_served(dcs, done)


def test_a_busy_one_is_waited_for(imdir):
    """The first search is that of its root DSE, then people are asked for."""
    busy = berstub.fails(berstub.BUSY, "0000200E: SvcErr: DSID-02080490, problem 5001 (BUSY), data 0")
    dcs, done = enable(imdir, {SEARCH: (range(2, 10), busy)}, words=("--wait=60", "-o", "json"))
    [replica] = json.loads(done.stdout)["replicas"]
    assert (replica["state"], replica["lacking"]) == ("arrived", 0) and arrived(dcs, 2) == MANY
    dcs, done = enable(imdir, {SEARCH: (2, busy)}, words=("--wait=1", "-o", "json"), status=1)
    [replica] = json.loads(done.stdout)["replicas"]
    assert replica["state"] == "lagging" and "the domain controller is busy" in replica["message"]


def test_an_interrupt_does_not_wait_for_the_answer(imdir):
    """The changes themselves are written, and the report says so."""
    with Controllers({}, {MODIFY: berstub.is_silent}, {}, people=MANY) as dcs:
        words = [str(word) for word in command(imdir, dcs, timeout=3600)]
        process = subprocess.Popen([BIN / "imenable", *words], env=imdir.environment, cwd=imdir.home, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            await_true(lambda: dcs.all[1].fetches and len(dcs.all[2].fetches) == MANY or process.poll() is not None, "the requests")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == INTERRUPTED, out + err
    assert f"{MANY} changed" in out and "while objects were fetched" in err
    assert len(dcs.all[1].fetches) == AT_ONCE


# ---- imcheck --replicas ----


def compare(imdir, dcs, status: int, timeout: int = 30) -> dict:
    config = imdir.file("check.yaml", f'directory:\n  uri: ["{dcs.uri}"]\n  base: "{PEOPLE}"\n  timeout: {timeout}\n')
    done = imdir("imcheck", "--config", config, "-D", "CN=admin", "-y", imdir.file("password", "secret\n"), "--replicas", "-o", "json",
                 "--rule", "replication-attr-differs,replication-scope-partial", "--fail-on", "info", status=status)
    return json.loads(done.stdout)


@pytest.mark.parametrize("code", [berstub.BUSY, berstub.UNAVAILABLE])
def test_a_busy_one_is_compared(imdir, code):
    """The first search of a connection is that of its root DSE; after the first people DC2 is busy for a while."""
    busy = berstub.fails(code, "0000200E: SvcErr: DSID-02080490, problem 5001 (BUSY), data 0")
    with Controllers({}, {SEARCH: (range(10, 40), busy)}, people=MANY) as dcs:
        imdir("imenable", *command(imdir, dcs), status=0)
        name = dcs.all[1].find(f"<GUID={guid_of(7)}>")
        dcs.all[1].entries[name]["msExchIMAddress"] = ["old@corp.example"]
        told = compare(imdir, dcs, status=1)
    [finding] = told["findings"]
    assert finding["account"] == "user7" and finding["evidence"]["there"] == "old@corp.example"


def test_one_that_stays_busy_is_named(imdir):
    """After --timeout seconds; the other one is compared all the same."""
    busy = berstub.fails(berstub.BUSY, "0000200E: SvcErr: DSID-02080490, problem 5001 (BUSY), data 0")
    with Controllers({}, {SEARCH: (10, busy)}, {}, people=MANY) as dcs:
        imdir("imenable", *command(imdir, dcs), status=0)
        del dcs.all[2].entries[dcs.all[2].find(f"<GUID={guid_of(7)}>")]["msExchIMAddress"]
        told = compare(imdir, dcs, status=1, timeout=1)
        asked = collections.Counter(request.name for request in dcs.servers[1].requests if request.tag == SEARCH)
    found = {finding["rule"]: finding for finding in told["findings"]}
    assert (found["replication-attr-differs"]["account"], found["replication-attr-differs"]["subject"]) == ("user7", DC3)
    left_out = found["replication-scope-partial"]
    assert left_out["subject"] == DC2 and "the domain controller is busy [busy 51: 0000200E" in left_out["message"]
    assert max(count for name, count in asked.items() if name.startswith("<GUID=")) > 2


# ---- the stub itself ----


def test_the_stub_searches_as_asked():
    """Base, one level, everything; and, or, not, presence and equality without letter case."""
    ldap = pytest.importorskip("ldap")
    with Controllers({}, people=3) as dcs:
        link = ldap.initialize(dcs.uri)
        link.simple_bind_s("CN=admin", "secret")

        def names(base, scope, where):
            return sorted(dn.split(",")[0] for dn, _ in link.search_s(base, scope, where, ["cn"]))
        assert names(PEOPLE, ldap.SCOPE_ONELEVEL, "(sAMAccountName=USER1)") == ["CN=user1"]
        assert names(PEOPLE, ldap.SCOPE_SUBTREE, "(&(cn=*)(!(cn=user1)))") == ["CN=user0", "CN=user2"]
        assert names(PEOPLE, ldap.SCOPE_SUBTREE, "(|(cn=user0)(cn=user9)(cn~=user1))") == ["CN=user0"]
        assert names(controllers.SUFFIX, ldap.SCOPE_ONELEVEL, "(objectClass=*)") == ["CN=Configuration", "OU=People"]
        assert names(f"<GUID={guid_of(2)}>", ldap.SCOPE_BASE, "(objectClass=user)") == ["CN=user2"]
        assert names(PEOPLE, ldap.SCOPE_BASE, "(objectClass=user)") == []
        with pytest.raises(ldap.NO_SUCH_OBJECT):
            names(f"<GUID={guid_of(3)}>", ldap.SCOPE_BASE, "(objectClass=*)")
