"""What is wanted, and whether it is so: one row a bar. A row takes a number from each round of a scenario; the median counts."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.scenarios import Round

MIB = 1024  # in KiB


@dataclass(frozen=True)
class Bar:
    scenario: str
    what: str
    measure: Callable[[Round], float | None]  # None: there was nothing to measure
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    limit: Callable[[Round], float] | None = None  # what the floor has in the place of the command: more is not to be had on this machine

    @property
    def wanted(self) -> str:
        sign, limit = ("<=", self.at_most) if self.at_most is not None else (">=", self.at_least)
        return f"{sign} {limit:g}{self.unit}"

    def is_met_by(self, value: float) -> bool:
        return value <= self.at_most if self.at_most is not None else value >= self.at_least


@dataclass(frozen=True)
class Verdict:
    bar: Bar
    values: list[float]
    limit: float | None = None

    @property
    def median(self) -> float | None:
        return statistics.median(self.values) if self.values else None

    @property
    def word(self) -> str:
        return "not measured" if self.median is None else "met" if self.bar.is_met_by(self.median) else "MISSED"

    def as_json(self) -> dict:
        return {"scenario": self.bar.scenario, "what": self.bar.what, "wanted": self.bar.wanted, "unit": self.bar.unit.strip(),
                "median": self.median, "low": min(self.values, default=None), "high": max(self.values, default=None),
                "floor": self.limit, "values": self.values, "verdict": self.word}


# ---- measures ----


def times(slow: str, fast: str = "imenable") -> Callable[[Round], float | None]:
    """How many times faster."""
    return lambda r: r[slow].each_us / r[fast].each_us if slow in r and fast in r else None


def longer(than: str, who: str = "imenable") -> Callable[[Round], float | None]:
    """How many times longer."""
    return times(who, than)


def longer_than_best(prefix: str, who: str = "imenable") -> Callable[[Round], float | None]:
    """Than the best of those whose names begin so."""
    return lambda r: r[who].each_us / min(sample.each_us for name, sample in r.items() if name.startswith(prefix))


def share_of_journal(r: Round) -> float:
    return (1 - r["imenable without journal"].each_us / r["imenable"].each_us) * 100


def cpu_us(who: str) -> Callable[[Round], float]:
    return lambda r: r[who].cpu_s / r[who].accounts * 1e6


def growth(what: str = "") -> Callable[[Round], float]:
    """Time for ten times the people."""
    def measure(r: Round) -> float:
        small, large = r["small" + what], r["large" + what]
        return large.seconds / small.seconds * 10 * small.accounts / large.accounts

    return measure


def memory(who: str, each: int) -> Callable[[Round], float]:
    """Peak in MiB, without the bytes that may be kept of each account: 64 in the index of addresses, 40 of a row."""
    return lambda r: (r[who].peak_kib - r[who].accounts * each / 1024) / MIB


BARS = (
    Bar("bulk-0", "from CSV at round trip 0: time against the floor, reading and writing", longer("floor"), at_most=1.15),
    Bar("bulk-0", "  faster than ldapmodify with a ready-made LDIF", times("ldapmodify"), " x", at_least=1, limit=times("ldapmodify", "floor")),
    Bar("bulk-0", "  faster than the script", times("script"), " x", at_least=2, limit=times("script", "floor")),
    Bar("bulk-2", "from CSV at 2 ms: faster than ldapmodify", times("ldapmodify"), " x", at_least=14, limit=times("ldapmodify", "floor")),
    Bar("bulk-2", "  faster than the script", times("script"), " x", at_least=28, limit=times("script", "floor")),
    Bar("bulk-20", "from CSV at 20 ms: faster than ldapmodify", times("ldapmodify"), " x", at_least=100, limit=times("ldapmodify", "floor")),
    Bar("bulk-20", "  faster than the script", times("script"), " x", at_least=200, limit=times("script", "floor")),
    Bar("journal", "journal with its fsyncs: share of the run", share_of_journal, " %", at_most=5),
    Bar("bulk-0", "client CPU a person", cpu_us("imenable"), " us", at_most=40, limit=cpu_us("floor")),
    Bar("again-0", "second run, nothing to change: time against the floor's reading", longer("floor, 16 x 50"), at_most=1.15),
    Bar("again-0", "resolving at round trip 0: time against the best way", longer_than_best("floor, "), at_most=1.2),
    Bar("again-2", "resolving at 2 ms: time against the best way", longer_than_best("floor, "), at_most=1.2),
    Bar("audit-0", "imcheck of all accounts at round trip 0: time against the floor's paged scan", longer("floor", "imcheck"), at_most=1.15),
    Bar("audit-0", "  against ldapsearch, which prints them", longer("ldapsearch", "imcheck"), at_most=1),
    Bar("audit-0", "  client CPU an account", cpu_us("imcheck"), " us", at_most=8, limit=cpu_us("floor")),
    Bar("audit-0", "  peak memory, less 64 bytes an account", memory("imcheck", 64), " MiB", at_most=24),
    Bar("audit-20", "imcheck at 20 ms: time against the floor's paged scan", longer("floor", "imcheck"), at_most=1.05),
    Bar("audit-20", "  over 4 connections", longer("floor", "imcheck, 4 connections"), at_most=0.7),
    Bar("export", "imcheck of an export: MB a second", lambda r: r["imcheck"].megabytes / r["imcheck"].seconds, "", at_least=150),
    Bar("growth", "ten times the people (100,000 for 10,000): time", growth(), " x", at_most=11, limit=growth(", floor")),
    Bar("growth", "  peak memory, less 104 bytes a row", memory("large", 104), " MiB", at_most=24),
    Bar("growth", "  judged by imcheck: time", growth(", judged"), " x", at_most=11, limit=growth(", read by the floor")),
    Bar("growth", "  peak memory, less 64 bytes an account", memory("large, judged", 64), " MiB", at_most=24),
    Bar("growth-large", "ten times the people (1,000,000 for 100,000): time", growth(), " x", at_most=11, limit=growth(", floor")),
    Bar("growth-large", "  peak memory, less 104 bytes a row", memory("large", 104), " MiB", at_most=24),
    Bar("growth-large", "  judged by imcheck: time", growth(", judged"), " x", at_most=11, limit=growth(", read by the floor")),
    Bar("growth-large", "  peak memory, less 64 bytes an account", memory("large, judged", 64), " MiB", at_most=24),
    Bar("one", "one person: round trips after the bind", lambda r: r["imenable"].turns, at_most=4),
    Bar("start", "starting (--help)", lambda r: r["imenable --help"].seconds * 1000, " ms", at_most=10),
)


def judge(results: dict[str, list[Round]]) -> list[Verdict]:
    """The bars whose scenario was done."""
    verdicts = []
    for bar in BARS:
        if bar.scenario in results:
            rounds = results[bar.scenario]
            values = [value for r in rounds if (value := bar.measure(r)) is not None]
            verdicts.append(Verdict(bar, values, statistics.median(map(bar.limit, rounds)) if bar.limit else None))
    return verdicts
