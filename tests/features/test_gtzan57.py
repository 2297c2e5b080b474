"""gtzan57 as a feature set: names, errors, and what the numbers mean."""

from __future__ import annotations

import csv
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mgrkit.errors import ItemError, UsageError
from mgrkit.features.descriptors.rhythm import tempo
from mgrkit.features.descriptors.spectral import zero_crossing_rate
from mgrkit.features.sets.columns import GTZAN57_COLUMNS, GTZAN57_FRONT_END
from mgrkit.features.sets.gtzan57 import COLUMNS, FRONT_END, gtzan57
from mgrkit.synthetic import music

RATE = 22050


def sine(hz: float, seconds: float = 3.0) -> NDArray[np.float64]:
    return 0.3 * np.sin(2 * np.pi * hz * np.arange(round(RATE * seconds)) / RATE)


def described(samples: NDArray[np.floating]) -> dict[str, float]:
    return dict(zip(COLUMNS, gtzan57(samples.astype(np.float32))[0], strict=True))


def test_columns_are_those_of_the_kaggle_table(data: Path) -> None:
    with (data / "gtzan" / "features_30_sec.csv").open(newline="") as file:
        header = next(csv.reader(file))
    assert header == ["filename", "length", *COLUMNS, "label"]


def test_the_layout() -> None:
    assert len(set(GTZAN57_COLUMNS)) == 57
    assert GTZAN57_COLUMNS[::8] == (
        "chroma_stft_mean", "rolloff_mean", "tempo", "mfcc4_var", "mfcc8_var", "mfcc12_var",
        "mfcc16_var", "mfcc20_var",
    )  # fmt: skip
    # It stands in tables and bundles: another number here makes them foreign.
    assert GTZAN57_FRONT_END.digest == "372b78a6fc9b02f8"
    assert (COLUMNS, FRONT_END) == (GTZAN57_COLUMNS, GTZAN57_FRONT_END)


def test_the_layout_loads_nothing_heavy() -> None:
    code = "import sys, mgrkit.features.sets.columns; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_neither_scipy_signal_nor_librosa_is_loaded() -> None:
    code = (
        "import sys, numpy as np\n"
        "from mgrkit.features.sets.gtzan57 import gtzan57\n"
        "gtzan57(np.sin(np.arange(9000, dtype=np.float32)))\n"
        "sys.exit(bool({'scipy.signal', 'scipy.stats', 'librosa', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(9000), "silent"),
        (np.full(9000, 0.25), "silent"),
        (np.zeros(0), "too-short"),
        (np.ones(2047), "too-short"),
        (np.r_[np.sin(np.arange(9000)), np.nan], "non-finite"),
        (np.r_[np.sin(np.arange(9000)), -np.inf], "non-finite"),
        (np.r_[np.sin(np.arange(9000)), 1e10], "non-finite"),
    ],
)
def test_what_cannot_be_described(samples: NDArray[np.float64], reason: str) -> None:
    with pytest.raises(ItemError) as caught:
        gtzan57(samples.astype(np.float32))
    assert caught.value.reason == reason


def test_stereo_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="mono"):
        gtzan57(np.ones((2, 9000), np.float32))


@pytest.mark.parametrize("length", [2048, 2049, 3071, 3072, 50_000])
def test_all_numbers_are_finite_also_of_one_window(length: int) -> None:
    samples = np.random.default_rng(length).standard_normal(length)
    assert np.isfinite(list(described(samples / 10).values())).all()


@pytest.mark.parametrize(
    "samples",
    [
        np.where(np.arange(40_000) == 20_000, 0.9, 0.0),
        np.where(np.arange(40_000) < 3000, 0.0, np.sin(np.arange(40_000) / 9)),
        np.where(np.arange(40_000) % 2, 1e9, -1e9),
        1e-4 * np.sin(np.arange(40_000) / 9),
    ],
    ids=["one sample", "silence first", "huge", "quiet"],
)
@pytest.mark.filterwarnings("error")
def test_odd_sound_gives_finite_numbers(samples: NDArray[np.float64]) -> None:
    assert np.isfinite(list(described(samples).values())).all()


def test_the_input_stays_and_so_does_the_answer() -> None:
    samples = music.render("blues", artist=0, song=0, seconds=4)
    samples.flags.writeable = False
    before = samples.copy()
    first = gtzan57(samples)
    gtzan57(music.render("techno", artist=0, song=0, seconds=7))  # leaves other things in scratch
    np.testing.assert_array_equal(gtzan57(samples), first)
    np.testing.assert_array_equal(samples, before)
    assert first.shape == (1, 57)
    assert first.dtype == np.float64


def test_threads_do_not_meddle() -> None:
    songs = [music.render(style, artist=0, song=0, seconds=4) for style in ("blues", "waltz")]
    alone = [gtzan57(song) for song in songs]
    together: dict[int, list[NDArray[np.float64]]] = {}

    def work(number: int) -> None:
        together[number] = [gtzan57(songs[number]) for _ in range(4)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(2):
        for found in together[number]:
            np.testing.assert_array_equal(found, alone[number])


def test_level_changes_level_alone() -> None:
    samples = music.render("blues", artist=0, song=0, seconds=6)
    loud, soft = described(samples), described(samples / 4)
    assert soft["rms_mean"] == pytest.approx(loud["rms_mean"] / 4)
    assert soft["mfcc1_mean"] == pytest.approx(
        loud["mfcc1_mean"] - np.sqrt(128) * 20 * np.log10(4), rel=1e-3
    )
    for same in ("tempo", "chroma_stft_mean", "spectral_centroid_mean", "rolloff_mean"):
        assert soft[same] == pytest.approx(loud[same])


def test_a_tone_lies_where_it_is() -> None:
    numbers = described(sine(1000))
    assert numbers["spectral_centroid_mean"] == pytest.approx(1000, rel=0.02)
    assert numbers["rolloff_mean"] == pytest.approx(1000, rel=0.02)
    assert numbers["zero_crossing_rate_mean"] == pytest.approx(2000 / RATE, rel=0.02)
    assert numbers["rms_mean"] == pytest.approx(0.3 / np.sqrt(2), rel=0.02)


def test_tones_are_harmonic_and_strokes_percussive() -> None:
    tone = described(sine(440))
    strokes = np.zeros(RATE * 3)
    strokes[5000::9000] = 0.9
    clicks = described(strokes)
    assert tone["harmony_var"] > 100 * tone["perceptr_var"]
    assert clicks["perceptr_var"] > 100 * clicks["harmony_var"]


def test_what_is_as_good_as_zero_does_not_cross_it() -> None:
    samples = np.where(np.arange(9000) % 2, 1, -1).astype(np.float32)
    assert zero_crossing_rate(samples, FRONT_END.transform)[8] == 2047 / 2048
    assert not zero_crossing_rate(samples * np.float32(1e-11), FRONT_END.transform).any()


@pytest.mark.parametrize("bpm", [80, 120, 150])
def test_the_tempo_of_a_beat(bpm: int) -> None:
    samples = np.random.default_rng(0).standard_normal(RATE * 15) * 1e-3
    for start in range(4000, len(samples) - 2000, RATE * 60 // bpm):
        samples[start : start + 2000] += np.random.default_rng(start).standard_normal(2000) / 4
    assert described(samples)["tempo"] == pytest.approx(bpm, rel=0.03)


def test_without_an_onset_there_is_no_tempo() -> None:
    assert tempo(np.zeros(100, np.float32), RATE / 512) == 0
