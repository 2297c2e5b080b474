"""Which pieces of a song are listened to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from mgrkit.errors import ItemError
from mgrkit.models.excerpts import excerpts

RATE = 1000


class Song:
    """As much of a `Sound` as cutting needs: its samples are the number of their piece."""

    def __init__(self, seconds: float, promised: float) -> None:
        self.rate, self.channels, self.seconds = RATE, 1, seconds
        self.promised_seconds = promised

    def blocks(self) -> Iterator[np.ndarray]:
        for second in range(int(self.seconds)):
            yield np.sin(np.arange(RATE) + second, dtype=np.float32)[None]


def listened(seconds: float, most: float | None = None, promised: float | None = None) -> Any:
    described: list[int] = []

    def extract(samples: np.ndarray) -> np.ndarray:
        described.append(len(samples))
        return np.zeros((1, 1))

    song = Song(seconds, seconds if promised is None else promised)
    found = excerpts(song, {RATE: extract}, most)[RATE]  # type: ignore[arg-type]
    return [piece.start for piece in found], len(described)


@pytest.mark.parametrize(("seconds", "pieces"), [(20, 1), (45, 1), (60, 2), (130, 4), (600, 20)])
def test_a_song_up_to_ten_minutes_is_heard_whole(seconds: int, pieces: int) -> None:
    starts, _ = listened(seconds)
    assert starts == [30.0 * k for k in range(pieces)]


@pytest.mark.parametrize("seconds", [660, 1000, 3600, 10_800])
@pytest.mark.parametrize("promised", [0, None, 30])
def test_of_a_long_song_sixty_seconds_are_spread_over_it(seconds: int, promised: Any) -> None:
    starts, _ = listened(seconds, promised=promised)
    assert len(starts) == 2
    first, second = starts
    assert first < seconds / 2 <= second + 30
    assert second - first >= seconds / 4


@pytest.mark.parametrize("pieces", [21, 22, 23, 27, 29, 31, 40, 62, 64, 67, 100, 191, 200, 360])
def test_the_chosen_lie_within_a_long_song(pieces: int) -> None:
    starts, _ = listened(30 * pieces)
    first, second = (start / 30 for start in starts)
    assert 0 < first < second < pieces - 1
    assert abs(first + 0.5 - pieces / 4) <= pieces / 6
    assert abs(second + 0.5 - pieces * 3 / 4) <= pieces / 6


@pytest.mark.parametrize("most", [90, 300])
@pytest.mark.parametrize("pieces", [29, 30, 31, 91, 100])
def test_any_number_is_spread_evenly(pieces: int, most: float) -> None:
    starts, described = listened(30 * pieces, most)
    count = int(most // 30)
    assert len(set(starts)) == described == count
    gaps = np.diff([0, *[start / 30 + 0.5 for start in starts], pieces])
    assert max(gaps[1:-1]) <= 2.1 * pieces / count
    assert max(gaps[0], gaps[-1]) <= 1.6 * pieces / count


def test_few_samples_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    from mgrkit.models import excerpts as module

    waiting: list[int] = []
    real = module._Spread.thinned

    def counted(self: Any, held: Any, total: int) -> Any:
        kept = real(self, held, total)
        waiting.append(len(kept))
        return kept

    monkeypatch.setattr(module._Spread, "thinned", counted)
    listened(10_800)
    assert max(waiting) <= 3 * 2


def test_the_choice_does_not_depend_on_what_the_header_promises() -> None:
    assert listened(1500, promised=0)[0] == listened(1500)[0]


def test_a_song_known_to_be_long_is_not_described_in_vain() -> None:
    assert listened(3600)[1] == 2


@pytest.mark.parametrize(("most", "pieces"), [(30, 1), (60, 2), (95, 3), (10_000, 10)])
def test_max_seconds_bounds_what_is_heard(most: float, pieces: int) -> None:
    starts, described = listened(300, most)
    assert len(starts) == described == pieces


def test_a_piece_without_features_says_why() -> None:
    def extract(samples: np.ndarray) -> np.ndarray:
        raise ItemError("silent", "nothing to hear")

    found = excerpts(Song(60, 60), {RATE: extract})[RATE]  # type: ignore[arg-type]
    assert [piece.values.reason for piece in found] == ["silent", "silent"]
