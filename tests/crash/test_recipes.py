"""Every recipe that ships: the same bytes for any number of workers, after kills, from its table.

A few kills here, 20 in the nox session that asks for more: each costs seconds, for two processes
import audiomentations.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from mgrkit.augment.recipes import shipped
from tests.commands.recipe_files import music, table, tree
from tests.crash import harness

EACH = [word for name in shipped() for word in ("--recipe", name)]
LONGEST = 3.0
"""Seconds after a run's first line in which a kill falls: what two processes import is most."""


def augment(source: Path, out: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "mgrkit", "augment", str(source), str(out), *words, "-q"]


def run(words: Sequence[str]) -> None:
    subprocess.run(words, cwd=harness.ROOT, check=True)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipes") / "audio"
    music(folder / "one" / "mono.wav")
    music(folder / "two" / "stereo.flac", channels=2)
    return folder


@pytest.fixture(scope="module")
def whole(source: Path) -> Path:
    """Copies by all of them, made by one worker."""
    out = source.parent / "whole"
    run(augment(source, out, *EACH, "--workers", "1"))
    return out


def test_each_of_them_makes_copies(whole: Path) -> None:
    rows = table(whole).values()
    assert {row["recipe"] for row in rows} == set(shipped())
    assert {row["status"] for row in rows} == {"ok"}
    assert len(tree(whole)) == len(rows) + 1 > 2 * len(shipped())


def test_two_workers_make_the_same(source: Path, whole: Path) -> None:
    """So do sixteen, which are killed below."""
    out = source.parent / "with-2"
    run(augment(source, out, *EACH, "--workers", "2"))
    assert tree(out) == tree(whole)


def test_so_does_a_replay_of_the_table(source: Path, whole: Path) -> None:
    out = source.parent / "again"
    run(augment(source, out, "--replay", str(whole / "tracks.csv")))
    assert tree(out) == tree(whole)


def test_so_does_a_run_that_is_killed_again_and_again(source: Path, whole: Path) -> None:
    kills, rng = min(20, int(os.environ.get("MGRKIT_KILLS", "2"))), random.Random(4)
    out, right = source.parent / "killed", tree(whole)
    words = augment(source, out, *EACH, "--workers", "16")
    before: dict[str, int] = {}
    killed = 0
    while killed < kills:
        process = subprocess.Popen(words, cwd=harness.ROOT)
        harness.wait_for_growth(process, out)
        time.sleep(rng.uniform(0, LONGEST))
        killed += process.poll() is None
        process.kill()
        process.wait()
        for path, content in tree(out).items():
            assert content == right[path], "what is there is whole"
        done = harness.finished(out)
        assert before.items() <= done.items(), "nothing that was finished is made again"
        if len(done) == len(right) - 1:  # all is made: so that there is work again
            for path in rng.sample(sorted(done), len(done) // 2):
                (out / path).unlink()
                del done[path]
        before = done
    run(words)
    assert tree(out) == right
