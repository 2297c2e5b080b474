"""fma518 as a feature set: names, the rate of the file, errors, and what the numbers mean."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from mgrkit.errors import ItemError
from mgrkit.features.descriptors.statistics import STATISTICS, statistics
from mgrkit.features.sets.columns import FMA518_COLUMNS, FMA518_FRONT_END, FMA518_STATISTICS
from mgrkit.features.sets.fma518 import fma518
from mgrkit.synthetic import music

RATE = 44_100


def sine(hz: float, rate: int = RATE) -> NDArray[np.float32]:
    tone = 0.3 * np.sin(2 * np.pi * hz * np.arange(2 * rate) / rate)
    return tone.astype(np.float32)


def described(samples: NDArray[np.float32], rate: int = RATE) -> dict[str, float]:
    return dict(zip(FMA518_COLUMNS, fma518(samples, rate)[0].tolist(), strict=True))


def test_columns_are_those_of_the_table() -> None:
    assert len(set(FMA518_COLUMNS)) == 518
    assert FMA518_COLUMNS[::74] == (
        "chroma_cens_kurtosis_01", "chroma_cens_std_03", "chroma_cqt_skew_05",
        "chroma_stft_min_07", "mfcc_mean_05", "mfcc_skew_19", "spectral_contrast_min_04",
    )  # fmt: skip
    assert FMA518_COLUMNS[-1] == "zcr_std_01"
    assert STATISTICS == FMA518_STATISTICS
    # It stands in tables and bundles: another number here makes them foreign.
    assert FMA518_FRONT_END.digest == "5f5fb78eb6b42aa4"


def test_the_layout_loads_nothing_heavy_and_the_numbers_neither_librosa_nor_scipy_signal() -> None:
    code = (
        "import sys, mgrkit.features.sets.columns\n"
        "assert 'numpy' not in sys.modules\n"
        "import numpy as np\n"
        "from mgrkit.features.sets.fma518 import fma518\n"
        "fma518(np.sin(np.arange(9000, dtype=np.float32)), 22050)\n"
        "sys.exit(bool({'scipy.signal', 'scipy.stats', 'librosa', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("samples", "rate", "reason"),
    [
        (np.zeros(9000), RATE, "silent"),
        (np.full(9000, 0.25), RATE, "silent"),
        (np.ones(2047), RATE, "too-short"),
        (np.r_[np.sin(np.arange(9000)), np.nan], RATE, "non-finite"),
        (np.sin(np.arange(9000)), 8000, "rate"),
        (np.sin(np.arange(9000)), 192_000, "rate"),
        (np.sin(np.arange(9000)), 1_000_000, "rate"),
    ],
)
def test_what_cannot_be_described(samples: NDArray[np.float64], rate: int, reason: str) -> None:
    with pytest.raises(ItemError) as caught:
        fma518(samples.astype(np.float32), rate)
    assert caught.value.reason == reason


@pytest.mark.parametrize("length", [2048, 2049, 3071, 50_000])
@pytest.mark.parametrize("rate", [8486, 22_050, 44_100, 96_000, 168_210])
@pytest.mark.filterwarnings("error")
def test_all_numbers_are_finite(length: int, rate: int) -> None:
    samples = np.random.default_rng(length).standard_normal(length) / 10
    assert np.isfinite(fma518(samples.astype(np.float32), rate)).all()


@pytest.mark.parametrize(
    "samples",
    [
        np.where(np.arange(40_000) == 20_000, 0.9, 0.0),
        np.where(np.arange(40_000) < 9000, 0.0, np.sin(np.arange(40_000) / 9)),
        np.where(np.arange(40_000) % 2, 1e9, -1e9),
        1e-4 * np.sin(np.arange(40_000) / 9),
    ],
    ids=["one sample", "silence first", "huge", "quiet"],
)
@pytest.mark.filterwarnings("error")
def test_odd_sound_gives_finite_numbers(samples: NDArray[np.float64]) -> None:
    assert np.isfinite(fma518(samples.astype(np.float32), RATE)).all()


def test_the_input_stays_and_so_does_the_answer() -> None:
    samples = music.render("blues", artist=0, song=0, seconds=4)
    samples.flags.writeable = False
    before = samples.copy()
    first = fma518(samples, 22_050)
    fma518(music.render("techno", artist=0, song=0, seconds=7), RATE)  # leaves things in scratch
    np.testing.assert_array_equal(fma518(samples, 22_050), first)
    np.testing.assert_array_equal(samples, before)
    assert first.shape == (1, 518)
    assert first.dtype == np.float64


def test_threads_do_not_meddle() -> None:
    songs = [music.render(style, artist=0, song=0, seconds=4) for style in ("blues", "waltz")]
    alone = [fma518(song, RATE) for song in songs]
    together: dict[int, list[NDArray[np.float64]]] = {}

    def work(number: int) -> None:
        together[number] = [fma518(songs[number], RATE) for _ in range(4)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(2):
        for found in together[number]:
            np.testing.assert_array_equal(found, alone[number])


@pytest.mark.parametrize("rate", [22_050, 44_100])
def test_hertz_are_those_of_a_sound_played_at_22050(rate: int) -> None:
    numbers = described(sine(2000, rate), rate)
    wanted = 2000 * 22_050 / rate
    assert numbers["spectral_centroid_median_01"] == pytest.approx(wanted, rel=0.02)
    assert numbers["spectral_rolloff_median_01"] == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_the_pitch_of_a_tone_is_that_which_is_heard(rate: int) -> None:
    numbers = described(sine(440, rate), rate)
    classes = [numbers[f"chroma_cqt_median_{k:02d}"] for k in range(1, 13)]
    assert int(np.argmax(classes)) == 9  # C is 0, A is 9
    assert numbers["zcr_median_01"] == pytest.approx(880 / rate, rel=0.02)


def test_what_does_not_change_has_no_skew() -> None:
    flat = statistics(np.full((1, 50), 0.7))
    assert flat.tolist() == [pytest.approx([-3, 0.7, 0.7, 0.7, 0.7, 0, 0], abs=1e-12)]
    ours = dict(zip(STATISTICS, statistics(np.array([[0.0, 0, 0, 4]]))[0], strict=True))
    assert ours == pytest.approx(
        {"kurtosis": -2 / 3, "max": 4, "mean": 1, "median": 0, "min": 0, "skew": 2 / 3**0.5,
         "std": 3**0.5}
    )  # fmt: skip
