"""imhome on OpenLDAP: lists, shows, moves one and many, empties a dead server, and is taken back."""

import csv
import io
import json
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.lab import IM_DOMAIN, open_lab, plain_dn  # noqa: E402
from support.ldif import modification, record  # noqa: E402
from test_terminal import Session  # noqa: E402

MANY = 500
HOME = "msExchIMVirtualServer"
PHYSICAL = "msExchIMPhysicalURL"


@pytest.fixture(scope="module", params=("ad", "plain"))
def shared(request, tmp_path_factory):
    opened = open_lab(request.param, tmp_path_factory.mktemp(request.param))
    opened.server.snapshot()
    yield opened
    opened.server.close()


@pytest.fixture
def lab(shared):
    """Four people are enabled on im1; the directory is as new for each test."""
    shared.server.reset()
    shared.four = shared.people.of("healthy", "umlaut")[:4]
    shared.names = [shared.account(person) for person in shared.four]
    shared.run("imenable", *shared.names)
    return shared


def rows(done) -> list[dict]:
    return list(csv.DictReader(io.StringIO(done.stdout)))


def servers(lab, *words) -> dict:
    return {server["name"]: server for server in json.loads(lab.run("imhome", "-o", "json", *words).stdout)["servers"]}


def home_of(lab, person) -> str:
    return plain_dn(lab.im_values(person["dn"])[HOME][0])


def homed(lab, number: int, people=None) -> int:
    return sum(home_of(lab, person) == plain_dn(lab.homes[number - 1]) for person in people or lab.four)


def delete(lab, dn):
    lab.server.load(f"dn: {dn}\nchangetype: delete\n")


# ---- the list ----


def test_servers_are_listed_in_each_format(lab):
    kinds = {"im1": "home", "im2": "home", "ROUTER" if lab.variant == "ad" else "router": "router"}
    found = servers(lab)
    assert {name: server["kind"] for name, server in found.items()} == kinds
    assert found["im1"]["users"] == 4 and found["im2"]["users"] == 0 and found["im1"]["remarks"] == []
    assert plain_dn(found["im1"]["dn"]) == plain_dn(lab.homes[0]) and found["im1"]["host"] == "im1.corp.example"
    router = next(server for server in found.values() if server["kind"] == "router")
    assert router["domains"] == [IM_DOMAIN] and "users" not in router and "capacity" not in router
    lines = [json.loads(line) for line in lab.run("imhome", "-o", "jsonl").stdout.splitlines()]
    assert [line["type"] for line in lines] == ["run", "server", "server", "server"]
    assert [line["name"] for line in lines[1:]] == list(found)
    table = lab.run("imhome", "-o", "csv")
    assert table.stdout.splitlines()[0] == "name,host,kind,domains,users,capacity,remarks"
    assert {row["name"]: row["users"] for row in rows(table)} == {"im1": "4", "im2": "0", router["name"]: ""}
    text = lab.run("imhome").stdout
    assert text.startswith("NAME") and "im1.corp.example" in text


def test_capacity_and_remarks(lab):
    path = lab.write_config("capacity.yaml")
    text = path.read_text().replace('dn: "' + lab.homes[0] + '"', f'dn: "{lab.homes[0]}", capacity: 3, domains: [{IM_DOMAIN}]')
    path.write_text(text.replace('dn: "' + lab.homes[1] + '"', f'dn: "{lab.homes[1]}", capacity: 1'))
    found = servers(lab, "--config", path)
    assert found["im1"]["remarks"] == ["overfull"] and found["im1"]["capacity"] == 3 and found["im1"]["domains"] == [IM_DOMAIN]
    lab.run("imhome", "--config", path, "--to", "im2", lab.names[0])
    found = servers(lab, "--config", path)
    assert found["im1"]["remarks"] == ["full"] and found["im2"]["remarks"] == ["full"]


def test_what_is_left_of_servers_is_listed(lab):
    delete(lab, lab.homes[0])
    found = servers(lab)  # the configuration still names it
    assert found["im1"]["remarks"] == ["no object in the directory", "still homes 4 people"] and found["im1"]["users"] == 4
    path = lab.write_config("without.yaml")
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "im1" not in line))
    lost = next(server for server in servers(lab, "--config", path).values() if server.get("users") == 4)
    assert lost["name"].lower() == "im1" and lost["host"] == "im1.corp.example"
    assert lost["remarks"] == ["it has no object in the directory", "still homes 4 people"]
    person = lab.four[0]
    lab.server.load(modification(person["dn"], [("delete", HOME, [])]))
    found = servers(lab)
    assert found["im1"]["users"] == 3 and "1 more name it in the URL only" in found["im1"]["remarks"]


# ---- where people are ----


def test_people_are_shown_in_each_format(lab):
    off, stranger = lab.people.of("healthy", "umlaut")[4], "nobody"
    lab.server.load(modification(lab.four[1]["dn"], [("replace", PHYSICAL, [f"http://im2.corp.example/instmsg/local/{IM_DOMAIN}/instmsg/aliases/x"])]))
    words = [*lab.names[:2], lab.account(off), stranger]
    before = lab.server.dump(operational=True)
    found = json.loads(lab.run("imhome", "-o", "json", *words, status=1).stdout)["accounts"]
    assert [account.get("agrees") for account in found] == [True, False, None, None]
    assert [account.get("home") for account in found] == ["im1", "im1", None, None]
    assert found[0]["account"] == lab.names[0] and found[0]["remarks"] == [] and plain_dn(found[0]["dn"]) == plain_dn(lab.four[0]["dn"])
    assert PHYSICAL in found[1]["remarks"][0] and found[2]["remarks"] == ["not enabled for IM"] and "account name" in found[3]["remarks"][0]
    lines = [json.loads(line) for line in lab.run("imhome", "-o", "jsonl", *words, status=1).stdout.splitlines()]
    assert [line.pop("type") for line in lines] == ["run"] + ["account"] * 4 and lines[1:] == found
    table = rows(lab.run("imhome", "-o", "csv", *words, status=1))
    assert [row["agrees"] for row in table] == ["true", "false", "", ""] and [row["home"] for row in table] == ["im1", "im1", "", ""]
    assert "agrees" in lab.run("imhome", lab.names[0]).stdout.split()
    assert lab.server.dump(operational=True) == before


def test_people_come_from_each_source(lab):
    listed = lab.file("list.txt", "".join(f"{name}\n" for name in lab.names))
    table = lab.file("table.csv", "account;home;town\n" + "".join(f"{name};;Berlin\n" for name in lab.names))
    for words in (["--list", listed], ["--csv", table], ["--filter", "(msExchIMAddress=*)"], ["--from", "im1"]):
        assert {row["account"] for row in rows(lab.run("imhome", "-o", "csv", *words))} == set(lab.names)


# ---- moving ----


def test_move_changes_two_attributes_and_nothing_else(lab):
    before, person = lab.server.dump(), lab.four[0]
    done = lab.run("imhome", "--to", "im2", "-o", "json", lab.names[0])
    [account] = json.loads(done.stdout)["accounts"]
    assert account["outcome"] == "changed" and account["home"] == "im2" and {c["attribute"] for c in account["changes"]} == {HOME, PHYSICAL}
    after = lab.server.dump()
    changed = {dn for dn in before if before[dn] != after[dn]}
    assert {plain_dn(dn) for dn in changed} == {plain_dn(person["dn"])}
    [dn] = changed
    assert {name for name in before[dn] if before[dn][name] != after[dn][name]} == {HOME, PHYSICAL}
    assert lab.is_enabled(person["dn"], person["alias"] or person["sam"], 2)
    assert len(lab.modifies()) and rows(lab.run("imhome", "--to", "im2", "-o", "csv", lab.names[0]))[0]["outcome"] == "unchanged"
    assert lab.server.dump() == after


def test_who_cannot_be_moved(lab):
    other, half = lab.people.of("healthy", "umlaut")[4:6]
    classes = [("add", "objectClass", ["msExchIMRecipient"])] if lab.has_class else []
    lab.server.load(modification(half["dn"], [*classes, ("add", HOME, [lab.home])]))
    done = rows(lab.run("imhome", "--to", "im2", "-o", "csv", lab.account(other), lab.account(half), "nobody", lab.names[0], status=1))
    assert [row["outcome"] for row in done] == ["refused", "refused", "not-found", "changed"]
    assert [row["reason"] for row in done[:2]] == ["account-not-enabled", "account-attrs-partial"]
    assert "imenable" in done[1]["message"]
    [row] = rows(lab.run("imhome", "--to", "router", "-o", "csv", lab.names[1], status=1))
    assert row["reason"] == "account-home-not-host"
    lab.server.load(modification(lab.four[2]["dn"], [("replace", "msExchIMAddress", ["x@nowhere.example"])]))
    [row] = rows(lab.run("imhome", "--to", "im2", "-o", "csv", lab.names[2], status=1))
    assert row["reason"] == "account-domain-unknown"
    [row] = rows(lab.run("imhome", "--to", "im2", "--allow", "account-domain-unknown", "-o", "csv", lab.names[2]))
    assert row["outcome"] == "changed"


def test_disabled_account_is_moved(lab):
    if lab.variant == "plain":  # OpenLDAP as installed does not tell who is disabled
        return
    lab.server.load(modification(lab.four[0]["dn"], [("replace", "userAccountControl", ["514"])]))
    assert rows(lab.run("imhome", "--to", "im2", "-o", "csv", lab.names[0]))[0]["outcome"] == "changed"


def test_home_column(lab):
    table = lab.file("moves.csv", "account;home;note\n" + "".join(f"{name};{home};n\n" for name, home in zip(lab.names, ("im2", "", "auto", "im1"))))
    found = rows(lab.run("imhome", "-o", "csv", "--csv", table))
    assert [row["outcome"] for row in found] == ["changed", "unchanged", "unchanged", "unchanged"]
    assert "no other home" in found[1]["message"] and homed(lab, 2) == 1
    found = rows(lab.run("imhome", "-o", "csv", "--csv", table, "--to", "im2"))  # --to for those that say nothing
    assert [row["outcome"] for row in found] == ["unchanged", "changed", "unchanged", "unchanged"]
    wrong = lab.file("wrong.csv", f"account,home\n{lab.names[0]},im1\n{lab.names[1]},imx\n")
    before = lab.server.dump()
    assert "wrong.csv:3:" in lab.run("imhome", "--csv", wrong, status=2).stderr and lab.server.dump() == before
    rest = lab.folder / "rest.csv"
    lab.run("imhome", "--csv", wrong, "--skip-bad-rows", "--rejects", rest, status=1)
    assert "imx,refused" in rest.read_text() and len(rest.read_text().splitlines()) == 2


def test_a_target_is_named_by_its_dn(lab):
    one, two = lab.homes[:2]
    for words, moves in ([two], True), ([f"{two},{one}"], False), ([f"im1,{two.replace(',', ', ')}"], False), ([two, "--to", "im1"], False):
        [row] = rows(lab.run("imhome", "-n", "--to", *words, "-o", "csv", lab.names[0]))
        assert (row["outcome"], row["home"]) == (("changed", "im2") if moves else ("unchanged", "im1"))
    assert "both name" in lab.run("imhome", "-n", "--from", "im1", "--to", f"{two},{one}", status=2).stderr


@pytest.mark.parametrize("words", [["--changes", "x.ldif"], ["-n", "--plan", "x.jsonl"], ["--allow", "account-domain-unknown"], ["--wait"], ["--replicate"],
                                   ["--rejects", "x.csv"]])
def test_what_is_about_moving_needs_a_target(lab, words):
    table = lab.file("two.csv", "account\n" + "\n".join(lab.names[:2]) + "\n")
    for whom in ([], lab.names[:1], ["--csv", table], ["--from", "im1"]):
        assert words[-1 if len(words) == 1 else -2] in lab.run("imhome", *words, *whom, status=2).stderr
    assert not list(lab.folder.glob("x.*"))


def test_nobody_on_a_server_is_said(lab):
    for words in (["--from", "im2"], ["--from", "cn=gone,dc=corp,dc=example"], ["--from", "im2", "--to", "im1", "--yes"]):
        assert "nobody is homed on" in lab.run("imhome", *words).stderr
    assert "nobody is chosen by that" in lab.run("imhome", "--filter", "(cn=no such name)").stderr


def test_words_that_make_no_sense(lab):
    before = lab.server.dump()
    for words, mention in ((["--to", "im2"], "--from"), (["--to", "imx", lab.names[0]], "im2"), (["--from", "im1", "--to", "im1", "--yes"], "both"),
                           (["--from", "im1", "--to", "im1.corp.example", "--yes"], "im1"), (["--from", "imx"], "imx"),
                           (["--from", "im1", lab.names[0]], "--from"), (["--to", "im2,router", lab.names[0]], "router"),
                           (["--to", "im2,auto", lab.names[0]], "auto"), (["--to", "im2", "--allow", "account-disabled", lab.names[0]], "blocks moving"),
                           (["--from", "im1", "--to", "im2"], "--yes")):
        done = lab.run("imhome", *words, status=2)
        assert mention in done.stderr and done.stdout == "", words
    assert lab.server.dump() == before


def test_changes_plan_and_journal(lab):
    before, people = lab.server.dump(), lab.names
    plan, journal, changes = (lab.folder / f"{lab.variant}-{name}" for name in ("plan", "journal", "changes"))
    lab.run("imhome", "-n", "--plan", plan, "--changes", changes, "--to", "im2", *people)
    assert lab.server.dump() == before
    lab.run("imapply", "--journal", journal, plan)
    moved = lab.server.dump()
    assert homed(lab, 2) == 4
    assert {row["outcome"] for row in rows(lab.run("imundo", "--no-journal", "-o", "csv", journal))} == {"changed"}
    assert lab.server.dump() == before
    lab.server.load(changes.read_text())
    assert lab.server.dump() == moved
    for path in (plan, journal):
        path.unlink()


# ---- spreading ----


def test_spread_fills_the_emptier_one_and_moves_nobody_twice(lab):
    more = [lab.account(p) for p in lab.people.of("healthy", "umlaut")[4:10]]
    lab.run("imenable", "--home", "im2", *more[:2])
    lab.run("imenable", "--home", "im1", *more[2:])
    found = rows(lab.run("imhome", "--to", "im1,im2", "--yes", "--filter", "(msExchIMAddress=*)", "-o", "csv"))
    assert {row["outcome"] for row in found} == {"unchanged"}
    lab.run("imhome", "--from", "im1", "--to", "auto", "--yes")
    assert servers(lab)["im2"]["users"] == 10


def test_capacity_is_never_exceeded(lab):
    path = lab.write_config("small.yaml")
    path.write_text(path.read_text().replace('dn: "' + lab.homes[1] + '"', f'dn: "{lab.homes[1]}", capacity: 3'))
    done = lab.run("imhome", "--config", path, "--to", "im2", "-o", "csv", *lab.names, status=1)
    assert [row["outcome"] for row in rows(done)] == ["changed"] * 3 + ["refused"] and rows(done)[3]["reason"] == "full"
    assert homed(lab, 2) == 3


# ---- off a server ----


def test_question_shows_where_people_would_go(lab):
    other = lab.people.of("healthy", "umlaut")[4]
    lab.run("imenable", lab.account(other))
    lab.server.load(modification(other["dn"], [("replace", "msExchIMAddress", ["x@nowhere.example"])]))
    ready = lab.server.dump()
    for keys, status in (("n\n", 1), ("y\n", 1)):
        session = Session("imhome", "--config", lab.config, "--from", "im1", "--to", "im2", env={k: v for k, v in os.environ.items() if "SAN" in k}, folder=lab.folder)
        session.expect("[y/N]")
        code, output, errors = session.finish(keys)
        assert code == status
        assert [line.split() for line in errors.splitlines() if line.startswith("im1 ")][0] == ["im1", "im2", "4", "4", "-"]
        assert "cannot be moved: 1, account-domain-unknown" in errors
        assert "4 of 5 accounts would change" in session.seen.replace("\r\n", "\n")
        if keys == "n\n":
            assert lab.server.dump() == ready
    assert homed(lab, 2) == 4 and "im1 still homes 1 person" in errors


def test_dead_server_is_emptied(tmp_path):
    lab = open_lab("ad", tmp_path)
    try:
        server, parent = lab.server, f"ou=People,{lab.server.suffix}"
        crowd = [f"many{number}" for number in range(MANY)]
        server.load("".join(record(f"cn={name},{parent}", {
            "objectClass": ["top", "person", "organizationalPerson", "user", "msExchIMRecipient"], "cn": name, "sn": name, "sAMAccountName": name,
            "userAccountControl": 512, "msExchIMAddress": f"{name}@{IM_DOMAIN}", "msExchIMMetaPhysicalURL": f"http://{IM_DOMAIN}/instmsg/aliases/{name}",
            PHYSICAL: f"http://im1.corp.example/instmsg/local/{IM_DOMAIN}/instmsg/aliases/{name}", HOME: lab.homes[0]}) for name in crowd))
        server.load(f"dn: {lab.homes[0]}\nchangetype: delete\n")
        path = lab.folder / "left.yaml"
        path.write_text("".join(line for line in lab.config.read_text().splitlines(True) if "im1" not in line))
        before, config = server.dump(), ["--config", path]
        for name in ("IM1", "im1.corp.example", lab.homes[0]):
            assert len(rows(lab.run("imhome", *config, "--from", name, "-o", "csv"))) == MANY
        preview = lab.run("imhome", *config, "-n", "--from", "IM1", "--to", "auto")
        assert ["IM1", "im2", str(MANY), str(MANY), "-"] in [line.split() for line in preview.stderr.splitlines()]
        assert server.dump() == before
        journal = lab.folder / "drained.jsonl"
        done = lab.run("imhome", *config, "--from", "IM1", "--to", "im2", "--yes", "--journal", journal, "-o", "json")
        assert json.loads(done.stdout)["summary"]["changed"] == MANY and "still homes" not in done.stderr
        assert servers(lab, *config)["im2"]["users"] == MANY and len(servers(lab, *config)) == 2
        assert "nobody is homed" in lab.run("imhome", *config, "--from", "IM1", status=2).stderr
        assert rows(lab.run("imhome", *config, "--from", lab.homes[0], "--to", "im2", "--yes", "-o", "csv")) == []
        lab.run("imundo", *config, "--no-journal", journal)
        assert server.dump() == before
        assert servers(lab, *config)["IM1"]["users"] == MANY
    finally:
        lab.server.close()


# ---- suspending ----


def test_suspended_state(lab):
    if lab.variant == "plain":
        return
    profile = ROOT / "tests/support/profiles/suspending.yaml"
    person, name = lab.four[0], lab.names[0]
    assert "no suspended state" in lab.run("imdisable", "--suspend", name, status=2).stderr
    lab.run("imenable", "--profile", profile, name)
    enabled = lab.server.dump()
    [account] = json.loads(lab.run("imdisable", "--suspend", "--profile", profile, "-o", "json", name).stdout)["accounts"]
    alias = person["alias"] or person["sam"]
    assert [(c["attribute"], c["after"]) for c in account["changes"]] == [("description", [f"IM of {alias} is suspended"])]
    assert account["address"] == f"{alias}@{IM_DOMAIN}" and account["home"] == "im1"
    assert rows(lab.run("imdisable", "--suspend", "--profile", profile, "-o", "csv", name))[0]["outcome"] == "unchanged"
    off = lab.account(lab.people.of("healthy", "umlaut")[5])
    assert rows(lab.run("imdisable", "--suspend", "--profile", profile, "-o", "csv", off))[0]["outcome"] == "unchanged"
    assert rows(lab.run("imenable", "--profile", profile, "-o", "csv", name))[0]["outcome"] == "changed"
    assert lab.server.dump() == enabled
