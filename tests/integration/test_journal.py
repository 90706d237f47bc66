"""Journals and plans on OpenLDAP: what was there before is on record before it is changed, and can be brought back."""

import json
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.between import Between  # noqa: E402
from support.lab import VARIANTS, open_lab  # noqa: E402
from support.ldif import modification  # noqa: E402


@pytest.fixture(scope="module", params=VARIANTS)
def shared(request, tmp_path_factory):
    opened = open_lab(request.param, tmp_path_factory.mktemp(request.param))
    yield opened
    opened.server.close()


@pytest.fixture
def lab(shared):
    """Nobody is enabled; every test has file names of its own."""
    shared.crowd = shared.people.of("healthy", "umlaut", "comma")
    shared.names = [shared.account(person) for person in shared.crowd]
    shared.run("imdisable", "--no-journal", *shared.names)
    for path in [*shared.folder.glob("*.jsonl"), *journals(shared)]:
        path.unlink()
    return shared


def journals(lab) -> list[Path]:
    return sorted((lab.folder / ".local/state/imdir").glob("*"))


def lines(path) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def outcomes(done) -> list[str]:
    return [json.loads(line)["outcome"] for line in done.stdout.splitlines() if '"type":"account"' in line]


def values(lab) -> dict:
    return {person["dn"]: lab.im_values(person["dn"]) for person in lab.crowd}


def set_address(lab, person, address):
    lab.server.load(modification(person["dn"], [("replace", "msExchIMAddress", [address])]))


# ---- the journal ----


def test_journal_tells_each_change_and_what_became_of_it(lab):
    before = values(lab)
    lab.run("imenable", *lab.names[:3])
    [path] = journals(lab)
    assert path.name.endswith(".jsonl") and "-imenable-" in path.name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    head, *rest, end = lines(path)
    assert (head["type"], head["version"], head["command"], head["profile"]) == ("journal", 1, "imenable", "exchange2000")
    assert head["directory"] == lab.server.ldapi and head["base"] == lab.base and head["identity"]
    assert (end["type"], end["complete"], end["changed"], end["total"]) == ("end", True, 3, 3)
    changes = [line for line in rest if line["type"] == "change"]
    assert {line["id"]: line["outcome"] for line in rest if line["type"] == "result"} == {1: "changed", 2: "changed", 3: "changed"}
    after = values(lab)
    for change, person, name in zip(changes, lab.crowd, lab.names):
        assert change["guid"] and change["input"] == name
        told = {line["attribute"]: line for line in change["attributes"]}
        for attribute in ("msExchIMAddress", "msExchIMMetaPhysicalURL", "msExchIMPhysicalURL"):
            assert told[attribute]["before"] == before[person["dn"]].get(attribute, [])
            assert told[attribute]["after"] == after[person["dn"]][attribute]
    assert len(changes) == 3


def test_run_without_changes_leaves_no_journal(lab):
    lab.run("imenable", "--no-journal", *lab.names)
    assert journals(lab) == []
    lab.run("imenable", *lab.names)
    lab.run("imdisable", "-n", *lab.names)
    assert journals(lab) == []


def test_journal_where_it_is_wanted(lab):
    lab.run("imenable", "--journal", "new/place/a.jsonl", lab.names[0])
    assert len(lines(lab.folder / "new/place/a.jsonl")) == 4
    done = lab.run("imdisable", "--journal", "new/place/a.jsonl", lab.names[0], status=2)
    assert "exists already" in done.stderr
    config = lab.write_config("journal.yaml", more=f"journal: {{ directory: {lab.folder}/kept }}\n")
    lab.run("imdisable", "--config", config, lab.names[0])
    assert len(list((lab.folder / "kept").iterdir())) == 1
    assert journals(lab) == []
    for path in ("new/place/a.jsonl", *(lab.folder / "kept").iterdir()):
        (lab.folder / path).unlink()


def test_options_that_contradict_each_other(lab):
    for words, said in ((("--plan", "p.jsonl"), "--dry-run"), (("--journal", "j.jsonl", "--no-journal"), "contradict")):
        done = lab.run("imenable", *words, lab.names[0], status=2)
        assert said in done.stderr
    assert not list(lab.folder.glob("*.jsonl"))


# ---- undo ----


def test_undo_brings_back_every_value_and_can_be_undone(lab):
    before = lab.server.dump()
    lab.run("imenable", "--journal", "a.jsonl", *lab.names)
    enabled = lab.server.dump()
    assert enabled != before
    done = lab.run("imundo", "--journal", "b.jsonl", "-o", "jsonl", "a.jsonl")
    assert outcomes(done) == ["changed"] * len(lab.names)
    assert lab.server.dump() == before
    assert set(outcomes(lab.run("imundo", "-o", "jsonl", "a.jsonl"))) == {"unchanged"}
    lab.run("imundo", "--journal", "c.jsonl", "b.jsonl")
    assert lab.server.dump() == enabled
    lab.run("imundo", "c.jsonl")
    assert lab.server.dump() == before


def test_undo_leaves_alone_what_somebody_else_changed(lab):
    lab.run("imenable", "--journal", "a.jsonl", *lab.names[:3])
    set_address(lab, lab.crowd[1], "chosen@im.corp.example")
    before = values(lab)
    done = lab.run("imundo", "-o", "jsonl", "a.jsonl", status=1)
    assert outcomes(done) == ["changed", "conflict", "changed"]
    assert "msExchIMAddress" in done.stdout and "a.jsonl:" in done.stdout
    after = values(lab)
    assert after[lab.crowd[1]["dn"]] == before[lab.crowd[1]["dn"]]
    assert not after[lab.crowd[0]["dn"]] and not after[lab.crowd[2]["dn"]]


def test_undo_of_a_dry_run_says_what_it_would_do(lab):
    lab.run("imenable", "--journal", "a.jsonl", *lab.names[:3])
    before = lab.server.dump()
    assert outcomes(lab.run("imundo", "-n", "-o", "jsonl", "a.jsonl")) == ["changed"] * 3
    assert lab.server.dump() == before


def test_changes_that_were_not_made_are_passed_over(lab):
    lab.run("imenable", "--journal", "a.jsonl", *lab.names[:2])
    text = (lab.folder / "a.jsonl").read_text().replace('"id":1,"outcome":"changed"', '"id":1,"outcome":"failed"')
    (lab.folder / "a.jsonl").write_text(text)
    assert outcomes(lab.run("imundo", "-o", "jsonl", "a.jsonl")) == ["changed"]
    assert lab.im_values(lab.crowd[0]["dn"]) and not lab.im_values(lab.crowd[1]["dn"])


@pytest.mark.parametrize("kept, said", [(7, ""), (6, "of each change it is known"), (5, "of 1 changes it is not known")])
def test_what_is_known_of_a_run_that_did_not_end(lab, kept, said):
    lab.run("imenable", "--journal", "a.jsonl", *lab.names[:3])
    path = lab.folder / "a.jsonl"
    told = path.read_text().splitlines(keepends=True)
    told = [told[0], *told[1:4], *sorted(told[4:7]), told[7]]  # each change, each result, the end
    path.write_text("".join(told[:kept + 1]))
    done = lab.run("imundo", "-o", "jsonl", "a.jsonl")
    assert outcomes(done) == ["changed"] * 3 and (said in done.stderr if said else done.stderr == ""), done.stderr


# ---- plans ----


def test_plan_is_carried_out_as_it_was_reviewed(lab):
    before = lab.server.dump()
    planned = lab.run("imenable", "-n", "--plan", "p.jsonl", "-o", "jsonl", *lab.names)
    assert lab.server.dump() == before and journals(lab) == []
    assert stat.S_IMODE((lab.folder / "p.jsonl").stat().st_mode) == 0o600
    assert lines(lab.folder / "p.jsonl")[0]["type"] == "plan"
    done = lab.run("imapply", "--journal", "a.jsonl", "-o", "jsonl", "p.jsonl")
    assert outcomes(done) == outcomes(planned) == ["changed"] * len(lab.names)
    applied = lab.server.dump()
    assert set(outcomes(lab.run("imapply", "-o", "jsonl", "p.jsonl"))) == {"unchanged"}
    assert len(lines(lab.folder / "a.jsonl")) == 2 + 2 * len(lab.names)
    lab.run("imundo", "a.jsonl")
    assert lab.server.dump() == before
    lab.run("imenable", *lab.names)
    assert lab.server.dump() == applied


def test_account_that_changed_since_is_a_conflict(lab):
    lab.run("imenable", "--no-journal", *lab.names[:3])
    lab.run("imdisable", "-n", "--plan", "p.jsonl", *lab.names[:3])
    set_address(lab, lab.crowd[0], "chosen@im.corp.example")
    before = lab.im_values(lab.crowd[0]["dn"])
    done = lab.run("imapply", "-o", "jsonl", "p.jsonl", status=1)
    assert outcomes(done) == ["conflict", "changed", "changed"]
    assert "msExchIMAddress is no longer as the plan says it was" in done.stdout and "p.jsonl:2" in done.stdout
    assert lab.im_values(lab.crowd[0]["dn"]) == before


def test_lines_may_be_taken_out_of_a_plan(lab):
    lab.run("imenable", "-n", "--plan", "p.jsonl", *lab.names[:3])
    text = (lab.folder / "p.jsonl").read_text().splitlines(keepends=True)
    (lab.folder / "q.jsonl").write_text("".join(text[:2] + text[3:]))
    assert outcomes(lab.run("imapply", "-o", "jsonl", "q.jsonl")) == ["changed", "changed"]
    assert not lab.im_values(lab.crowd[1]["dn"])


def test_plan_of_nothing(lab):
    lab.run("imdisable", "-n", "--plan", "p.jsonl", *lab.names[:2])
    assert outcomes(lab.run("imapply", "-o", "jsonl", "p.jsonl")) == []
    assert journals(lab) == []


# ---- what is no journal, no plan, or not of this directory ----


def test_wrong_files(lab):
    lab.run("imenable", "-n", "--plan", "p.jsonl", lab.names[0])
    lab.run("imenable", "--journal", "a.jsonl", lab.names[0])
    lab.file("broken.jsonl", "".join((lab.folder / "p.jsonl").read_text().splitlines(keepends=True)[:-1]))
    before = lab.server.dump()
    for words, said in ((("imapply", "a.jsonl"), "imundo takes back"), (("imundo", "p.jsonl"), "imapply carries it out"),
                        (("imapply", "broken.jsonl"), "is not complete"), (("imapply", "none.jsonl"), "No such file"),
                        (("imundo",), "one journal"), (("imapply", "p.jsonl", "q.jsonl"), "one plan"),
                        (("imundo", lab.config), "no journal of imdir")):
        done = lab.run(*words, status=2)
        assert said in done.stderr, done.stderr
    text = (lab.folder / "a.jsonl").read_text()
    lab.file("elsewhere.jsonl", text.replace(f'"base":"{lab.base}"', '"base":"ou=People,dc=elsewhere"'))
    assert "another directory" in lab.run("imundo", "elsewhere.jsonl", status=2).stderr
    lab.file("profile.jsonl", text.replace('"profile":"exchange2000"', '"profile":"/tmp/somebody.yaml"'))
    assert "--profile" in lab.run("imundo", "profile.jsonl", status=2).stderr
    assert lab.server.dump() == before


@pytest.mark.parametrize("attribute, value, said", [("userPassword", "x", "userPassword is no attribute of the profile"),
                                                    ("objectClass", "simpleSecurityObject", "simpleSecurityObject is no class of the profile")])
def test_a_change_of_something_else_is_found_before_anything_is_written(lab, attribute, value, said):
    lab.run("imenable", "-n", "--plan", "p.jsonl", *lab.names[:3])
    lab.run("imenable", "--journal", "a.jsonl", *lab.names[:3])
    before = lab.server.dump()
    for command, name in (("imapply", "p.jsonl"), ("imundo", "a.jsonl")):
        path = lab.folder / name
        text = path.read_text().splitlines()
        change = json.loads(text[2])
        change["attributes"] = [told for told in change["attributes"] if told["attribute"] != attribute]
        change["attributes"].append({"attribute": attribute, "before": [], "after": [value]})
        path.write_text("\n".join([*text[:2], json.dumps(change), *text[3:]]) + "\n")
        done = lab.run(command, name, status=2)
        assert done.stdout == "" and f"{name}:3: {said}" in done.stderr, done.stderr
    assert lab.server.dump() == before


# ---- what goes wrong ----


@pytest.mark.parametrize("words", [("-n", "--plan"), ("--journal",)])
@pytest.mark.parametrize("path, said", [("there.jsonl", "exists already"), ("there.jsonl/a.jsonl", "cannot be created"), ("-", "is none")])
def test_a_file_that_cannot_be_made_is_told_before_connecting(lab, words, path, said):
    lab.file("there.jsonl", "mine")
    config = lab.write_config("nowhere.yaml", "ldap://127.0.0.1:1")
    done = lab.run("imenable", "--config", config, *words, path, *lab.names, status=2)
    assert said in done.stderr and done.stdout == ""
    assert (lab.folder / "there.jsonl").read_text() == "mine"


@pytest.mark.parametrize("command, words", [
    ("imenable", ["--journal", "new", "--changes", "new"]), ("imenable", ["-n", "--plan", "new", "--changes", "new"]),
    ("imenable", ["--csv", "there", "--rejects", "new", "--changes", "new"]), ("imenable", ["--csv", "there", "--journal", "new", "--rejects", "new"]),
    ("imenable", ["-n", "--csv", "there", "--changes", "./there"]), ("imenable", ["-n", "--list", "link", "--changes", "there"]),
    ("imenable", ["--csv", "other", "--list", "there", "--rejects", "there"]), ("imundo", ["-n", "a.jsonl", "--changes", "a.jsonl"]),
    ("imenable", ["-H", "ldif:there", "--changes", "there"])])
def test_no_file_takes_the_place_of_another(lab, command, words):
    lab.run("imenable", "--journal", "a.jsonl", lab.names[0])
    for name in ("there", "other"):
        lab.file(name, f"account\n{lab.names[1]}\n")
    (lab.folder / "link").unlink(missing_ok=True)
    (lab.folder / "link").symlink_to("there")
    before = {path: path.read_bytes() for path in lab.folder.iterdir() if path.is_file()}
    done = lab.run(command, *words, *(lab.names[:1] if command == "imenable" else []), status=2)
    assert "would take the place of" in done.stderr and done.stdout == "", done.stderr
    assert {path: path.read_bytes() for path in lab.folder.iterdir() if path.is_file()} == before


def test_standard_input_and_output_are_no_such_files(lab):
    done = lab.run("imenable", "--list", "-", "--changes", "-", stdin=f"{lab.names[0]}\n", status=2)
    assert '--changes: a file name is needed, "-" is none' in done.stderr and done.stdout == "", done.stderr


@pytest.mark.parametrize("words", [["--journal", "a b.jsonl"], ["--journal=a b.jsonl"], []])
def test_the_command_that_does_the_rest_does_it(lab, words):
    with Between(lab.server.port) as proxy:
        process = lab.start("imenable", *lab.behind(proxy), *words, "--window", "1", *lab.names)
        proxy.before("modify", 5, process.terminate)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 4 and proxy.failure is None
        again = said.splitlines()[-1].removeprefix("imenable: ")
        done = subprocess.run(["/bin/sh", "-c", again], cwd=lab.folder, env=lab.environment(), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (again, done.stderr)
    assert all(lab.im_values(person["dn"]) for person in lab.crowd)


def test_plan_cannot_be_written_over(lab):
    lab.file("p.jsonl", "mine")
    assert "exists already" in lab.run("imenable", "-n", "--plan", "p.jsonl", lab.names[0], status=2).stderr
    assert (lab.folder / "p.jsonl").read_text() == "mine"


def test_no_room_for_the_journal(lab):
    before = lab.server.dump()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)

    process = lab.start("imenable", "--journal", "a.jsonl", *lab.names, preexec_fn=limit)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and "a.jsonl" in said and "too large" in said
    assert lab.server.dump() == before  # nothing is written whose before-image is not on disk


def changes_on_record(path) -> list[dict]:
    """Those that were or may have been made."""
    found = {}
    for line in lines(path):
        if line["type"] == "change":
            found[line["id"]] = line
        elif line["type"] == "result" and line["outcome"] != "changed":
            found.pop(line["id"], None)
    return list(found.values())


def test_before_images_are_on_disk_before_the_request(lab):
    seen = []

    def look():
        seen.append(len(changes_on_record(lab.folder / "a.jsonl")))

    with Between(lab.server.port) as proxy:
        proxy.before("modify", 0, look)
        lab.run("imenable", *lab.behind(proxy), "--journal", "a.jsonl", *lab.names)
        assert proxy.failure is None
    assert len(seen) >= len(lab.names) and all(count >= number for number, count in enumerate(seen, 1))


def assert_undone(lab, path, before):
    """What differs is on record, and an undo brings it back."""
    changed = {dn for dn, entry in lab.server.dump().items() if entry != before[dn]}
    assert changed <= {change["dn"] for change in changes_on_record(path)}
    lab.run("imundo", path)
    assert lab.server.dump() == before


@pytest.mark.parametrize("number", [1, 2, 9, 20])
def test_killed_in_the_middle(lab, number):
    before = lab.server.dump()
    with Between(lab.server.port) as proxy:
        process = lab.start("imenable", *lab.behind(proxy), "--journal", "a.jsonl", *lab.names)
        proxy.before("modify", number, process.kill)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL and proxy.failure is None
    assert_undone(lab, lab.folder / "a.jsonl", before)


def test_connection_lost_for_good(lab):
    before = lab.server.dump()
    with Between(lab.server.port) as proxy:
        proxy.before("modify", 9, proxy.cut)
        lab.run("imenable", *lab.behind(proxy), "--journal", "a.jsonl", *lab.names, status=4)
        assert proxy.failure is None
    assert_undone(lab, lab.folder / "a.jsonl", before)
