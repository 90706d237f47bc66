"""The work that is measured. A scenario is done in rounds, in each by all its contenders, so that ratios come from one and the same minute."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.contenders import Programs, Sample, Site, has_ldap3
from tests.bench.directory import Directory

BULK = 20_000
DIRECTORY = 100_000
COUNTED_RTT_MS = 100  # for counting turns: long enough that what is sent in one go stays together
STARTS = 20


@dataclass
class Settings:
    """How much of it."""

    rounds: int = 5
    scale: float = 1  # of all sizes
    large: bool = False
    disk: bool = False

    def size(self, full: int) -> int:
        return max(100, int(full * self.scale))


@dataclass
class Bench:
    """Programs, and directories that stay up as long as they are needed."""

    programs: Programs
    settings: Settings
    directories: dict = field(default_factory=dict)

    def directory(self, accounts: int, folder: Path | None = None) -> Directory:
        key = (accounts, folder)
        if key not in self.directories:
            self.directories[key] = Directory(accounts, folder).fill()
        return self.directories[key]

    def close(self):
        for server in self.directories.values():
            server.close()
        shutil.rmtree(self.programs.folder / "state", ignore_errors=True)


Round = dict[str, Sample]
Work = Callable[[], Sample]


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    run: Callable[[Bench], Iterator[Round]]
    is_wanted: Callable[[Settings], bool] = lambda settings: True


def _in_turn(bench: Bench, contenders: dict[str, Work], rounds: int | None = None) -> Iterator[Round]:
    """Each round begins with the next of them, so that nobody is always first."""
    names = list(contenders)
    for number in range(rounds or bench.settings.rounds):
        shift = number % len(names)
        done = {name: contenders[name]() for name in names[shift:] + names[:shift]}
        yield {name: done[name] for name in names}


def _changing(bench: Bench, server: Directory, work: Work, restored_to: str = "new") -> Work:
    """The same work on a directory that is as it was."""

    def restored():
        server.restore(restored_to)
        shutil.rmtree(bench.programs.folder / "state", ignore_errors=True)
        return work()

    return restored


# ---- bulk changes ----

# People given to the slow contenders, by round trip: they need as long for each, however many there are.
FEW = {0: BULK, 2: 3_000, 20: 500}


def _bulk(bench: Bench, rtt_ms: int, server: Directory, full: int = BULK) -> Iterator[Round]:
    with Site(bench.programs, server, rtt_ms) as site:
        many = site.subset(bench.settings.size(full))
        few = site.subset(min(many.count, bench.settings.size(FEW[rtt_ms])))
        contenders = {
            "floor": lambda: site.floor_changes(many),
            "imenable": lambda: site.imenable(many),
            "floor, only writing": lambda: site.floor_writes(many),
            "ldapmodify": lambda: site.ldapmodify(few),
            "script": lambda: site.script(few, "obvious"),
            "script, 64 in flight": lambda: site.script(few if rtt_ms else many, "pipelined"),
        }
        if has_ldap3():
            tenth = site.subset(max(100, few.count // 10))
            contenders["script with ldap3"] = lambda: site.script(tenth, "with_ldap3")
        yield from _in_turn(bench, {name: _changing(bench, server, work) for name, work in contenders.items()})


def bulk(rtt_ms: int) -> Callable[[Bench], Iterator[Round]]:
    return lambda bench: _bulk(bench, rtt_ms, bench.directory(bench.settings.size(DIRECTORY)))


def disk(bench: Bench) -> Iterator[Round]:
    server = bench.directory(bench.settings.size(DIRECTORY), bench.programs.folder)
    yield from _bulk(bench, 0, server, BULK // 20)


def journal(bench: Bench) -> Iterator[Round]:
    """Short runs and many: the difference is small."""
    server = bench.directory(bench.settings.size(DIRECTORY))
    with Site(bench.programs, server) as site:
        people = site.subset(bench.settings.size(BULK // 4))
        contenders = {"imenable": lambda: site.imenable(people), "imenable without journal": lambda: site.imenable(people, "--no-journal")}
        yield from _in_turn(bench, {name: _changing(bench, server, work) for name, work in contenders.items()}, 4 * bench.settings.rounds)


# ---- reading ----


def again(rtt_ms: int) -> Callable[[Bench], Iterator[Round]]:
    """Everybody is enabled already; the floor's ways to find the same people."""
    def run(bench: Bench) -> Iterator[Round]:
        server = bench.directory(bench.settings.size(DIRECTORY))
        server.restore()
        with Site(bench.programs, server) as near:
            near.imenable(near.subset(bench.settings.size(BULK)))
        with Site(bench.programs, server, rtt_ms) as site:
            people = site.subset(bench.settings.size(BULK))
            contenders = {"imenable": lambda: site.imenable(people, outcome="unchanged")}
            for terms, in_flight in ((50, 16), (20, 32), (100, 16), (200, 8)):
                contenders[f"floor, {in_flight} x {terms}"] = lambda t=terms, m=in_flight: site.floor_reads(people, t, m)
            contenders["floor, scan"] = lambda: site.floor_scan(people)
            yield from _in_turn(bench, contenders)

    return run


def _enabled(bench: Bench) -> Directory:
    """Everybody is enabled."""
    server = bench.directory(bench.settings.size(DIRECTORY))
    if not server.has("enabled"):
        server.restore()
        with Site(bench.programs, server) as site:
            site.imenable(site.subset(server.accounts))
        server.stop()
        server.keep("enabled")
    server.restore("enabled")
    return server


def audit(rtt_ms: int) -> Callable[[Bench], Iterator[Round]]:
    """All accounts of the directory are judged."""
    def run(bench: Bench) -> Iterator[Round]:
        with Site(bench.programs, _enabled(bench), rtt_ms) as site:
            contenders = {"imcheck": site.imcheck, "floor": site.floor_audit, "ldapsearch": site.ldapsearch}
            if rtt_ms:
                contenders["imcheck, 4 connections"] = lambda: site.imcheck("--scan-connections", "4")
            yield from _in_turn(bench, contenders)

    return run


def export(bench: Bench) -> Iterator[Round]:
    """The same from an LDIF export, which lies in memory."""
    server = _enabled(bench)
    path = server.export("enabled.ldif")
    with Site(bench.programs, server) as site:
        for done in _in_turn(bench, {"imcheck": lambda: site.imcheck_export(path)}):
            done["imcheck"].megabytes = path.stat().st_size / 1e6
            yield done


# ---- growth ----


def growth(small: int, large: int, rounds: int | None = None) -> Callable[[Bench], Iterator[Round]]:
    """All people of a directory, in a small and in a large one, are enabled and then judged."""
    def run(bench: Bench) -> Iterator[Round]:
        sizes = {"small": bench.settings.size(small), "large": bench.settings.size(large)}
        sites = {name: Site(bench.programs, bench.directory(size)) for name, size in sizes.items()}
        contenders = {}
        for name, site in sites.items():
            people = site.subset(site.server.accounts)
            contenders[f"{name}, floor"] = _changing(bench, site.server, lambda site=site, people=people: site.floor_changes(people))
            contenders[name] = _changing(bench, site.server, lambda site=site, people=people: site.imenable(people))
            contenders[f"{name}, judged"] = site.imcheck
            contenders[f"{name}, read by the floor"] = site.floor_audit
        for _ in range(rounds or bench.settings.rounds):  # never in another order: only who is enabled can be judged
            yield {name: work() for name, work in contenders.items()}

    return run


# ---- one person, and none ----


def one(bench: Bench) -> Iterator[Round]:
    """One person, with the round trips counted by the proxy."""
    server = bench.directory(bench.settings.size(DIRECTORY))
    with Site(bench.programs, server, COUNTED_RTT_MS) as site:
        person = site.subset(1)

        def counted() -> Sample:
            before = len(site.delay.ended())
            sample = site.imenable(person)
            sample.turns = sum(link["turns"] for link in site.delay.ended(before + 1)[before:])
            return sample

        yield from _in_turn(bench, {"imenable": _changing(bench, server, counted)}, 1)


def start(bench: Bench) -> Iterator[Round]:
    def show_help() -> Sample:
        return bench.programs.measure([bench.programs.imenable, "--help"], 1)[0]

    yield from _in_turn(bench, {"imenable --help": show_help}, STARTS)


SCENARIOS = (
    Scenario("bulk-0", "enabling people from a CSV file, round trip 0", bulk(0)),
    Scenario("bulk-2", "enabling people from a CSV file, round trip 2 ms", bulk(2)),
    Scenario("bulk-20", "enabling people from a CSV file, round trip 20 ms", bulk(20)),
    Scenario("journal", "the same with a journal and without, on the disk of the build", journal),
    Scenario("again-0", "the same file once more, nothing to change, round trip 0", again(0)),
    Scenario("again-2", "the same file once more, nothing to change, round trip 2 ms", again(2)),
    Scenario("audit-0", "judging all accounts, round trip 0", audit(0)),
    Scenario("audit-20", "judging all accounts, round trip 20 ms", audit(20)),
    Scenario("export", "judging all accounts of an LDIF export", export),
    Scenario("growth", "all people of a directory, and of one with ten times as many: enabling, then judging", growth(10_000, 100_000)),
    Scenario("growth-large", "the same with a million", growth(100_000, 1_000_000, 2), lambda s: s.large),
    Scenario("one", "one person", one),
    Scenario("start", "starting", start),
    Scenario("disk-0", "enabling people, the server's database on this disk, each change synced", disk, lambda s: s.disk),
)
