"""--wait and --replicate on two OpenLDAP servers: what was written arrives, lags behind a held wire, or the second server is away."""

import json
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.lab import IM_DOMAIN, open_lab  # noqa: E402
from support.process import await_true, free_port  # noqa: E402
from support.replicas import PROVIDER, Consumer  # noqa: E402

ADDRESS = "msExchIMAddress"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A lab whose configuration names the second server."""
    lab = open_lab("ad", tmp_path_factory.mktemp("pair"), **PROVIDER)
    try:
        with Consumer(lab.server) as second:
            plain = lab.config.read_text()
            lab.config.write_text(plain.replace("directory:\n", f'directory:\n  replicas: ["{second.server.ldapi}"]\n'))
            lab.alone = lab.file("alone.yaml", plain)
            lab.second = second
            yield lab
    finally:
        lab.server.close()


@pytest.fixture
def lab(pair):
    """Nobody is enabled, and both servers agree."""
    pair.second.wire.go_on()
    pair.second.server.start()
    pair.four = pair.people.of("healthy")[:4]
    pair.names = [pair.account(person) for person in pair.four]
    pair.run("imdisable", "--no-journal", *pair.names)
    pair.second.await_equal()
    return pair


def address_there(lab, person) -> list:
    return lab.second.server.entry(person["dn"]).get(ADDRESS, [])


def replica_of(done) -> dict:
    replicas = json.loads(done.stdout)["replicas"]
    assert len(replicas) == 1
    return replicas[0]


# ---- arriving ----


def test_return_means_that_it_is_there(lab):
    done = lab.run("imenable", "--wait", *lab.names)
    assert all(address_there(lab, person) == [f"{person['alias']}@{IM_DOMAIN}".encode()] for person in lab.four)
    assert f"{lab.second.server.ldapi}: everything arrived after " in done.stdout
    done = lab.run("imdisable", "--wait=60", "-o", "json", *lab.names)
    assert not any(address_there(lab, person) for person in lab.four)
    told = replica_of(done)
    assert (told["name"], told["state"], told["accounts"], told["lacking"], told["missing"]) == (
        lab.second.server.ldapi, "arrived", 4, 0, [])
    assert "message" not in told


def test_lines_of_json(lab):
    done = lab.run("imenable", "--wait", "-o", "jsonl", *lab.names)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["type"] for line in lines] == ["run", *["account"] * 4, "replica", "summary"]
    assert lines[5]["state"] == "arrived"


def test_every_changing_command_waits(lab):
    plan, journal = lab.folder / "plan", lab.folder / "journal"
    for path in (plan, journal):
        path.unlink(missing_ok=True)
    lab.run("imenable", "-n", "--plan", plan, *lab.names)
    assert "everything arrived" in lab.run("imapply", "--wait", "--journal", journal, plan).stdout
    assert "everything arrived" in lab.run("imhome", "--wait", "--to", "im2", *lab.names).stdout
    moved = lab.second.server.entry(lab.four[0]["dn"])["msExchIMPhysicalURL"][0]
    assert moved.startswith(b"http://im2.")
    lab.run("imhome", "--to", "im1", "--no-journal", *lab.names)
    assert "everything arrived" in lab.run("imundo", "--wait", journal).stdout
    assert not any(address_there(lab, person) for person in lab.four)


def test_nothing_written_is_nothing_to_wait_for(lab):
    lab.run("imenable", "--wait", *lab.names)
    lab.second.server.stop()
    done = lab.run("imenable", "--wait", *lab.names)
    assert "arrived" not in done.stdout and "4 unchanged" in done.stdout


def test_it_comes_while_it_is_waited_for(lab):
    """The journal is complete before the waiting begins."""
    journal = lab.folder / "early"
    journal.unlink(missing_ok=True)
    lab.second.wire.hold()
    process = lab.start("imenable", "--wait", "--journal", journal, *lab.names)
    await_true(lambda: journal.exists() and '"type":"end"' in journal.read_text(), "the end of the journal")
    assert process.poll() is None
    assert not any(address_there(lab, person) for person in lab.four)
    lab.second.wire.go_on()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert "everything arrived" in out
    assert all(address_there(lab, person) for person in lab.four)


def test_a_server_that_is_started_again_is_asked_again(lab):
    lab.second.wire.hold()
    before = lab.second.asked()
    process = lab.start("imenable", "--wait", *lab.names)
    await_true(lambda: lab.second.asked() > before, "somebody who asks the second server")
    lab.second.server.kill()
    lab.second.server.start()
    lab.second.wire.cut()
    lab.second.wire.go_on()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert "everything arrived" in out


# ---- not arriving ----


def test_lagging(lab):
    lab.run("imenable", *lab.names[:1])
    lab.second.await_equal()
    lab.second.wire.hold()
    done = lab.run("imdisable", "--wait=1", *lab.names[:1], status=1)
    assert f"lagging after 1.0 s, 1 of 1 changed accounts have not arrived: {lab.names[0]}" in done.stdout
    done = lab.run("imenable", "--wait=1", "-o", "json", *lab.names, status=1)
    told = replica_of(done)
    assert told["state"] == "lagging" and told["accounts"] == 4
    # The first one has there what it had before it was disabled, and has now again.
    assert told["lacking"] == 3 and sorted(told["missing"]) == sorted(lab.names[1:])
    lab.second.wire.go_on()
    lab.second.await_equal()
    assert "everything arrived" in lab.run("imdisable", "--wait", *lab.names).stdout


def test_ten_names_are_enough(lab):
    many = [lab.account(person) for person in lab.people.of("healthy")[:14]]
    lab.second.wire.hold()
    try:
        done = lab.run("imenable", "--wait=1", *many, status=1)
        names = done.stdout.split("have not arrived: ")[1]
        assert "14 of 14" in done.stdout and names.count(",") == 9 and names.rstrip().endswith(" ...")
    finally:
        lab.second.wire.go_on()
        lab.run("imdisable", "--no-journal", *many)


def test_away(lab):
    lab.second.server.stop()
    done = lab.run("imenable", "--wait=30", *lab.names, status=1)
    assert all(lab.is_enabled(person["dn"], person["alias"]) for person in lab.four)
    assert f"{lab.second.server.ldapi}: cannot be asked: " in done.stdout and "4 changed" in done.stdout
    told = replica_of(lab.run("imdisable", "--wait=30", "-o", "json", *lab.names, status=1))
    assert told["state"] == "unreachable" and told["lacking"] == 4 and "cannot connect" in told["message"].lower(), told


def test_csv_has_no_place_for_servers(lab):
    lab.second.wire.hold()
    done = lab.run("imenable", "--wait=1", "-o", "csv", *lab.names, status=1)
    assert len(done.stdout.splitlines()) == 5 and "lagging" not in done.stdout
    assert f"{lab.second.server.ldapi} is lagging: 4 of 4 changed accounts have not arrived" in done.stderr
    lab.second.server.stop()
    done = lab.run("imdisable", "--wait=1", "-o", "csv", *lab.names, status=1)
    assert f"{lab.second.server.ldapi} cannot be asked: " in done.stderr


def test_interrupted_while_waiting(lab):
    """Everything that was written is told, and on record; running the command again would not wait for it."""
    journal = lab.folder / "interrupted"
    journal.unlink(missing_ok=True)
    lab.second.wire.hold()
    process = lab.start("imenable", "--wait", "-o", "json", "--journal", journal, *lab.names)
    await_true(lambda: journal.exists() and '"type":"end"' in journal.read_text(), "the end of the journal")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 4, out + err
    told = json.loads(out)
    assert told["summary"]["changed"] == 4 and [account["outcome"] for account in told["accounts"]] == ["changed"] * 4
    assert "while replicas were waited for" in err and "again" not in err
    lab.second.wire.go_on()
    lab.run("imundo", "--wait", journal)
    assert not any(address_there(lab, person) for person in lab.four)


def test_several_are_waited_for_side_by_side(lab):
    """Each has its own state, in the order of the configuration; the first server by another name has everything at once."""
    dead, itself = free_port(), f"{lab.server.ldapi}/"
    names = [f"ldap://127.0.0.1:{dead}", lab.second.server.ldapi, itself, "ldapi://%2Fnowhere"]
    config = lab.file("several.yaml", lab.config.read_text().replace(f'["{lab.second.server.ldapi}"]', json.dumps(names)))
    lab.second.wire.hold()
    done = lab.run("imenable", "--config", config, "-o", "json", "--wait=2", *lab.names, status=1)
    told = json.loads(done.stdout)["replicas"]
    assert [replica["name"] for replica in told] == names
    assert [replica["state"] for replica in told] == ["unreachable", "lagging", "arrived", "unreachable"]
    assert [replica["lacking"] for replica in told] == [4, 4, 0, 4]


# ---- what is asked for ----


@pytest.mark.parametrize("text", ("0", "-1", "soon", "60s", "86401", "99999999999999999999"))
def test_seconds_are_a_number(lab, text):
    done = lab.run("imenable", f"--wait={text}", *lab.names, status=2)
    assert "--wait takes seconds from 1 to 86400" in done.stderr
    assert not lab.im_values(lab.four[0]["dn"])


def test_the_next_word_is_no_number_of_seconds(lab):
    done = lab.run("imenable", "--wait", "60", lab.names[0], status=1)
    assert "not-found" in done.stdout and "1 changed" in done.stdout


def test_a_dry_run_waits_for_nobody(lab):
    lab.second.server.stop()
    done = lab.run("imenable", "-n", "--wait", "--replicate", *lab.names)
    assert "cannot be asked" not in done.stdout + done.stderr


def test_no_other_server_is_known(lab):
    """And nobody lacks anything."""
    for command, option in (("imenable", "--wait"), ("imdisable", "--replicate")):
        done = lab.run(command, "--config", lab.alone, option, *lab.names)
        assert "no other server is known" in done.stderr and "directory.replicas" in done.stderr
        assert "4 changed" in done.stdout


def test_only_active_directory_fetches(lab):
    """The status says so where it is not waited for, and where there was something to fetch."""
    words = "--replicate: only Active Directory fetches objects on request"
    done = lab.run("imenable", "--replicate", "--wait", *lab.names)
    assert words in done.stderr and "everything arrived" in done.stdout
    done = lab.run("imenable", "--replicate", *lab.names)
    assert words not in done.stderr and "4 unchanged" in done.stdout
    done = lab.run("imdisable", "--replicate", *lab.names, status=1)
    assert words in done.stderr and "4 changed" in done.stdout
