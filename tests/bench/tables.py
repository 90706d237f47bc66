"""The results as text."""

import statistics

from tests.bench.bars import Verdict
from tests.bench.scenarios import Round, Scenario


def columns(rows: list[list[str]]) -> str:
    """The first column to the left, the others to the right, except a last one of words."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [text.ljust(width) if n in (0, len(row) - 1) else text.rjust(width) for n, (text, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 20 else f"{value:.2f}"


def of_bars(verdicts: list[Verdict]) -> str:
    rows = [["bar", "wanted", "median", "lowest", "highest", "the floor", "rounds", ""]]
    for v in verdicts:
        numbers = [_number(n) for n in (v.median, min(v.values), max(v.values))] if v.values else ["-"] * 3
        numbers.append("" if v.limit is None else _number(v.limit))
        rows.append([v.bar.what, v.bar.wanted, *numbers, str(len(v.values)), v.word])
    return columns(rows)


def of_scenario(scenario: Scenario, rounds: list[Round]) -> str:
    """Medians of each contender, and how its time for a person compares with the first one's, formed round by round."""
    first = next(iter(rounds[0]))
    rows = [["", "people", "us each", f"x {first}", "client CPU", "server CPU", "peak MiB", ""]]
    for name in rounds[0]:
        samples = [r[name] for r in rounds]
        ratios = [r[name].each_us / r[first].each_us for r in rounds]
        each = [statistics.median(values) for values in (
            [s.each_us for s in samples], ratios, [s.cpu_s / s.accounts * 1e6 for s in samples],
            [s.server_cpu_s / s.accounts * 1e6 for s in samples], [s.peak_kib / 1024 for s in samples])]
        note = f"({min(ratios):.2f} to {max(ratios):.2f})" if len(ratios) > 1 and name != first else ""
        rows.append([name, f"{samples[0].accounts:,}", *map(_number, each), note])
    return f"{scenario.title}\n{columns(rows)}"
