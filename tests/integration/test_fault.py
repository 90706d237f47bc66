"""Rounds of trouble on OpenLDAP: killed, cut, stopped, edited behind its back; nothing is lost, and a run again finishes the work.

FAULT_ROUNDS=N plays N rounds, FAULT_SEED=N the one that failed."""

import collections
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.fault import Round, World  # noqa: E402
from support.lab import VARIANTS, open_lab  # noqa: E402

ROUNDS = 12
SEEDS = [int(os.environ["FAULT_SEED"])] if "FAULT_SEED" in os.environ else range(int(os.environ.get("FAULT_ROUNDS", ROUNDS)))


@pytest.fixture(scope="module")
def worlds(request, tmp_path_factory):
    """One of each variant, opened when it is needed; at the end a line that counts."""
    opened, counts = {}, collections.Counter()

    def get(variant: str) -> World:
        if variant not in opened:
            lab = open_lab(variant, tmp_path_factory.mktemp(variant))
            opened[variant] = lab
            opened[variant] = World(lab)
        return opened[variant]

    yield get, counts
    for world in opened.values():
        getattr(world, "lab", world).server.close()
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
