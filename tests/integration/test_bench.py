"""What `make bench` measures with works: no times, only that the work is done and counted."""

import functools
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from tests.bench import bars, contenders, scenarios, tables  # noqa: E402
from tests.bench.directory import Directory  # noqa: E402
from tests.support.command import SANITIZERS  # noqa: E402

BUILD = Path(os.environ.get("IMDIR_BIN", ROOT / "build" / "bin")).resolve().parent
PEOPLE = 120
ENABLED = "(msExchIMAddress=*)"


@pytest.fixture(scope="module")
def directory():
    with Directory(PEOPLE, debug="stats") as server:
        yield server.fill()


@pytest.fixture
def site(directory, tmp_path):
    """The directory behind a short round trip, nobody enabled."""
    programs = contenders.Programs(BUILD, tmp_path)
    programs.environment |= {name: os.environ[name] for name in SANITIZERS if name in os.environ}
    directory.restore()
    with contenders.Site(programs, directory, 1) as site:
        yield site


def enabled(site) -> set[str]:
    return {entry["sAMAccountName"][0].decode() for entry in site.server.search(ENABLED).values()}


def test_directory_has_the_people_named(directory):
    found = directory.search("(objectClass=user)", ("sAMAccountName",), f"ou=People,{directory.suffix}")
    assert len(found) == PEOPLE
    people = contenders.Subset(directory, PEOPLE, Path())
    assert sorted(people.names) == sorted(entry["sAMAccountName"][0].decode() for entry in found.values())


@pytest.mark.parametrize("work", ["floor_changes", "floor_writes", "imenable", "ldapmodify"])
def test_contender_enables_the_subset_and_nobody_else(site, work):
    people = site.subset(70)
    sample = getattr(site, work)(people)
    assert enabled(site) == set(people.names)
    assert sample.accounts == 70 and sample.seconds > 0 and sample.peak_kib > 0


@pytest.mark.parametrize("name", ["obvious", "pipelined"])
def test_script_enables_the_subset(site, name):
    people = site.subset(70)
    site.script(people, name)
    assert enabled(site) == set(people.names)


def test_contenders_write_the_same(site):
    """What imenable computes is what the others have been given."""
    people = site.subset(20)
    scripts = ["obvious", "pipelined", *(["with_ldap3"] if contenders.has_ldap3() else [])]
    written = []
    for work in (site.imenable, site.floor_changes, site.ldapmodify, *(functools.partial(site.script, name=name) for name in scripts)):
        site.server.restore()
        work(people)
        entries = site.server.search(ENABLED)
        written.append({dn: {name: values for name, values in entry.items() if name.startswith("msExchIM")} for dn, entry in entries.items()})
    assert len(written[0]) == 20
    assert all(values == written[0] for values in written)


def asked(site, work, condition: str) -> set[tuple]:
    """Which attributes of people with this in the filter a contender asked for: the server's log has those that it knows."""
    before = len(site.server.log_text())
    work()
    lines = [line.split(" ", 1)[1] for line in site.server.log_text()[before:].splitlines()]  # without the time
    walks = {line.split("base=")[0] for line in lines if "scope=2" in line and condition in line}
    return {tuple(sorted(name for line in lines if line.startswith(f"{walk}attr=") for name in line.split("attr=")[1].split())) for walk in walks}


def test_who_is_compared_with_imcheck_reads_the_same(site):
    site.imenable(site.subset(PEOPLE))
    [names] = asked(site, site.imcheck, "(msExchIMAddress=*)")
    assert {"msExchIMAddress", "entryUUID", "adminCount"} <= set(names)
    assert asked(site, site.floor_audit, "(msExchIMAddress=*)") == {names} == asked(site, site.ldapsearch, "(msExchIMAddress=*)")


def test_who_is_compared_with_imenable_reads_the_same(site):
    people = site.subset(PEOPLE)
    site.imenable(people)
    condition = f"(sAMAccountName={people.names[0]})"
    [names] = asked(site, lambda: site.imenable(people, outcome="unchanged"), condition)
    assert {"msExchIMAddress", "entryUUID"} <= set(names)
    assert asked(site, lambda: site.floor_reads(people), condition) == {names}


def test_state_is_restored(site):
    site.floor_writes(site.subset(10))
    assert len(enabled(site)) == 10
    site.server.restore()
    assert not enabled(site)


@pytest.mark.parametrize("terms, in_flight", [(1, 1), (7, 3), (50, 16), (200, 1)])
def test_floor_reads_everybody_once(site, terms, in_flight):
    assert site.floor_reads(site.subset(PEOPLE), terms, in_flight).accounts == PEOPLE


def test_floor_scans_page_by_page(site):
    site.floor_scan(site.subset(10))
    _, result = site._floor("scan", "(objectClass=user)", 1, "-p", 7)
    assert result["entries"] == PEOPLE + 1  # the manager too
    assert result["values"] > result["entries"] and result["bytes"] > result["values"]


def test_contender_that_does_not_do_its_work_is_no_result(site):
    people = site.subset(5)
    people.names.append("nobody.at.all")
    people.count += 1
    with pytest.raises(contenders.BenchError):
        site.floor_changes(people)


# ---- the proxy ----


def floor_turns(site, mode, *options) -> int:
    """Turns of a run of the floor; the round trip is so long that also a busy machine sends in one go what it can."""
    people = site.subset(100)
    with contenders.Site(site.programs, site.server, 200) as far:
        far._floor(mode, people.targets if mode == "write" else people.csv, people.count, *options)
        return far.delay.ended(1)[0]["turns"]


def test_turns_are_round_trips_after_the_bind(site):
    assert floor_turns(site, "read", "-n", "50", "-m", "1") == 2
    assert floor_turns(site, "read", "-n", "20", "-m", "1") == 5
    assert floor_turns(site, "read", "-n", "10", "-m", "10") == 1
    assert floor_turns(site, "write", "-w", "100") == 1
    assert floor_turns(site, "readwrite", "-n", "10", "-m", "10") == 2


def test_round_trip_is_waited_for(site):
    """Not how long exactly: no run can be shorter than its round trips."""
    people = site.subset(10)
    with contenders.Site(site.programs, site.server, 40) as far:
        sample = far.floor_reads(people, 1, 1)
    assert sample.own_seconds >= 10 * 0.040


def test_proxy_carries_large_answers_unchanged(site):
    near = contenders.Site(site.programs, site.server)
    words = ("scan", "(objectClass=*)", 1, "-a", "*")
    assert _without_times(site._floor(*words)[1]) == _without_times(near._floor(*words)[1])
    assert site.delay.ended(1)[0]["server_bytes"] > 100_000


def _without_times(result: dict) -> dict:
    return {name: value for name, value in result.items() if not name.endswith("seconds")}


def test_proxy_passes_a_connection_on_that_the_server_ends(site):
    with subprocess.Popen([site.programs.floor, "-H", site.uri, "-b", "", "scan", "(objectClass=*)"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as floor:
        assert floor.wait(60) == 1  # anonymous: no paging below ""
    assert len(site.delay.ended(1)) == 1


# ---- the stopwatch and the verdicts ----


def test_stopwatch_tells_the_status_and_the_memory(tmp_path):
    stopwatch = BUILD / "tests" / "bench" / "stopwatch"
    done = subprocess.run([stopwatch, tmp_path / "took", "/bin/sh", "-c", "exit 7"])
    took = json.loads((tmp_path / "took").read_text())
    assert done.returncode == took["status"] == 7
    assert 0 < took["peak_kib"] and 0 < took["seconds"]


def _sample(**values):
    return contenders.Sample(**{"accounts": 10, "seconds": 1.0, "cpu_s": 0.0, "server_cpu_s": 0.0, "peak_kib": 1024} | values)


def test_verdict_is_of_the_median():
    bar = bars.Bar("x", "x", bars.longer("floor"), at_most=1.15)
    rounds = [{"floor": _sample(), "imenable": _sample(seconds=s)} for s in (1.1, 9.0, 1.2, 1.1, 1.0)]
    assert bars.Verdict(bar, [bar.measure(r) for r in rounds]).word == "met"
    rounds[0]["imenable"].seconds = 1.2
    assert bars.Verdict(bar, [bar.measure(r) for r in rounds]).word == "MISSED"
    assert bars.Verdict(bar, []).word == "not measured"


def test_ratios_are_of_the_time_for_a_person():
    measure = bars.times("ldapmodify")
    assert measure({"imenable": _sample(accounts=1000), "ldapmodify": _sample(accounts=10, seconds=2.0)}) == pytest.approx(200)


def test_every_bar_belongs_to_a_scenario():
    names = {scenario.name for scenario in scenarios.SCENARIOS}
    assert {bar.scenario for bar in bars.BARS} <= names


def test_whole_scenarios_and_tables(directory, tmp_path):
    """One round of what is quickest, through to the table."""
    programs = contenders.Programs(BUILD, tmp_path)
    bench = scenarios.Bench(programs, types.SimpleNamespace(rounds=1, size=lambda full: min(full, PEOPLE)), {(PEOPLE, None): directory})
    chosen = [scenario for scenario in scenarios.SCENARIOS if scenario.name in ("one", "start", "again-0")]
    results = {scenario.name: list(scenario.run(bench)) for scenario in chosen}
    verdicts = bars.judge(results)
    assert all(v.median > 0 for v in verdicts) and len(verdicts) >= 4
    assert len(tables.of_bars(verdicts).splitlines()) == len(verdicts) + 1
    for scenario in chosen:
        assert tables.of_scenario(scenario, results[scenario.name]).startswith(scenario.title)
