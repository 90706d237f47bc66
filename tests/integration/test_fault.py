"""Rounds of trouble on OpenLDAP: killed, cut, stopped, edited behind its back; nothing is lost, and a run again finishes the work.

FAULT_ROUNDS=N plays N rounds, FAULT_SEED=N the one that failed."""

import collections
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.fault import Round, Wire, World, read_journal  # noqa: E402
from support.lab import VARIANTS, open_lab  # noqa: E402
from support.ldif import modification  # noqa: E402

ROUNDS = 12
SEEDS = [int(os.environ["FAULT_SEED"])] if "FAULT_SEED" in os.environ else range(int(os.environ.get("FAULT_ROUNDS", ROUNDS)))


@pytest.fixture(scope="module")
def worlds(request, tmp_path_factory):
    """One of each variant, opened when it is needed; at the end a line that counts."""
    opened, counts = {}, collections.Counter()

    def get(variant: str) -> World:
        if variant not in opened:
            lab = open_lab(variant, tmp_path_factory.mktemp(variant))
            try:
                opened[variant] = World(lab)
            except BaseException:
                lab.server.close()
                raise
        return opened[variant]

    yield get, counts
    for world in opened.values():
        world.lab.server.close()
    rounds = counts.pop("rounds", 0)
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{rounds} of {len(SEEDS)} rounds of trouble went well:", ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))


@pytest.mark.parametrize("seed", SEEDS)
def test_round_of_trouble(worlds, seed):
    get, counts = worlds
    world = get(VARIANTS[seed % len(VARIANTS)])
    played = Round(world, seed)
    try:
        played.play()
    except BaseException:
        print(f"FAULT_SEED={seed}", *played.story, sep="\n")
        world.lab.server.reset()
        raise
    counts["rounds"] += 1
    counts.update(played.fired)


def test_change_whose_answer_was_lost_stays_on_record(worlds):
    """Somebody disables the account before it is read again: it is refused then, and what was written can be taken back all the same."""
    get, _ = worlds
    world = get("ad")
    lab, path = world.lab, world.lab.folder / "lost.jsonl"
    name = next(name for name, image in world.first_image.items() if not image)

    def lose():
        wire.tear(0)
        wire.before("search", wire.counts["search"] + 1, disable)

    def disable():
        lab.server.load(modification(world.dns[name], [("replace", "userAccountControl", ["514"])]))

    with Wire(lab.server.port) as wire:
        wire.before("modify", 1, lose)
        done = lab.run("imenable", *lab.behind(wire), "--journal", path, "-o", "csv", name, status=1)
        assert wire.failure is None
    assert "account-disabled" in done.stdout
    assert world.image()[name] == world.goals["enable1"][name]
    [change] = read_journal(path)
    assert change.outcome is None
    lab.run("imundo", "--no-journal", path)
    lab.server.load(modification(world.dns[name], [("replace", "userAccountControl", ["512"])]))
    assert lab.server.dump() == world.initial
