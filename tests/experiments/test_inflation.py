"""What a random split says too much: on made tracks in which artists are easier than genres."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mgrkit.commands.audit import measure
from mgrkit.errors import UsageError
from mgrkit.experiments.inflation import random_like
from mgrkit.learning.comparing import gap
from mgrkit.tracks.splits import RANDOM, Labelled, make_split
from tests.datasets.made_tables import rows, write


def of_artists(spread: float = 3.0) -> list[dict[str, object]]:
    """Artists differ as much as genres do, and their songs hardly."""
    made = rows(artists=6, songs=6, spread=spread)
    draw = np.random.default_rng(0)
    columns = [name for name in made[0] if isinstance(made[0][name], float)]
    for start in range(0, len(made), 6):
        for row in made[start + 1 : start + 6]:
            row |= {name: made[start][name] + draw.normal(0, 0.1) for name in columns}
    return made


def test_the_gap_is_found_where_artists_are_learnt(tmp_path: Path) -> None:
    said: list[str] = []
    table = write(tmp_path / "t.csv", of_artists())
    found = measure("svm", table, 2, say=said.append)
    assert found.random.split == RANDOM
    assert found.apart.split == "grouped split"
    assert found.gap == pytest.approx(found.random.accuracy - found.apart.accuracy)
    assert found.gap > 0.1
    assert found.low < found.gap < found.high
    assert (len(found.random.seeds), found.part) == (2, "test")
    assert [line[:6] for line in said] == [f"{n} of 4" for n in range(1, 5)]
    assert measure("svm", table, 2) == found, "the same seeds give the same numbers"


def test_no_gap_is_found_where_every_track_is_an_artist(tmp_path: Path) -> None:
    made = [{**row, "group": f"{n}"} for n, row in enumerate(rows(artists=8, songs=8))]
    found = measure("svm", write(tmp_path / "t.csv", made), 2)
    assert found.low <= 0 <= found.high


def test_the_random_split_has_as_many_of_each_genre_in_each_part() -> None:
    tracks = [Labelled(f"{n}", f"genre{n % 3}", f"artist {n // 5}") for n in range(270)]
    split = make_split(tracks, "grouped")
    made = [random_like(tracks, split, seed).parts for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
    counts = [
        Counter((one.genre, part) for one, part in zip(tracks, parts, strict=True))
        for parts in (split.parts, *made)
    ]
    assert counts[0] == counts[1] == counts[3]
    assert len({(t.group, p) for t, p in zip(tracks, made[0], strict=True)}) > 100, "torn"


def test_recordings_stay_whole_in_the_random_split() -> None:
    tracks = [
        Labelled(f"{n}", f"genre{n // 4 % 3}", f"artist {n // 8}", recording=f"song {n // 4}")
        for n in range(240)
    ]
    parts = random_like(tracks, make_split(tracks, "grouped"), 0).parts
    assert len({(t.recording, p) for t, p in zip(tracks, parts, strict=True)}) == 60
    assert len(set(parts)) == 3


def test_tracks_in_no_part_stay_out() -> None:
    parts = ("train", "valid", "")
    tracks = [Labelled(f"{n}", "ab"[n % 2], "", parts[n % 3]) for n in range(60)]
    split = make_split(tracks, "published")
    made = random_like(tracks, split, 0)
    assert [not part for part in made.parts] == [not part for part in split.parts]


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", [{**row, "group": ""} for row in rows()])
    with pytest.raises(UsageError, match="no split that keeps artists apart"):
        measure("svm", table)
    with pytest.raises(UsageError, match="--split random is what it is compared with"):
        measure("svm", table, split="random")
    with pytest.raises(UsageError, match="no --split 'group'"):
        measure("svm", table, split="group")


def test_the_interval_of_a_gap_holds_it_and_knows_few_artists() -> None:
    draw = np.random.default_rng(1)
    held = 0
    for trial in range(200):
        talent = draw.normal(0.6, 0.15, 30).clip(0, 1)
        groups = np.repeat(np.arange(30), 5)
        first, second = (draw.random(150) < talent[groups] for _ in range(2))
        _, low, high = gap(first, groups.tolist(), second, groups.tolist(), trial)
        held += low <= 0 <= high
    assert held >= 180  # of 190 that are expected
    assert gap([1, 1], ["a", "a"], [0, 0], ["a", "a"]) == (1.0, -1.0, 1.0)
    shared = np.array([1, 0] * 10)
    found, low, high = gap(shared, list(range(20)), shared, list(range(20)))
    assert (found, low, high) == (0.0, 0.0, 0.0), "what both share is no chance"
