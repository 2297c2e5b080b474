"""A part of a sound: exactly the samples that are asked for, or a named reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.audio import Resampler, open_sound
from mgrkit.augment import Excerpt
from mgrkit.errors import AudioError
from tests.augment.mixes import tone

RATE = 44_100


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """7 s in stereo: several blocks."""
    path = tmp_path_factory.mktemp("excerpts") / "a.wav"
    soundfile.write(path, tone(7 * RATE, channels=2).T, RATE, "PCM_16")
    return path


def taken(path: Path, *asked: object, **more: object) -> tuple[np.ndarray, float]:
    with open_sound(path) as sound:
        part = Excerpt(*asked, **more).of(sound)
        first = np.concatenate(list(part.blocks()), axis=1)
        np.testing.assert_array_equal(first, np.concatenate(list(part.blocks()), axis=1))
        assert (len(first), first.shape[1] / part.rate) == (part.channels, part.seconds)
        return first, part.rate


def whole(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32")[0].T


def test_all_of_it_by_itself(path: Path) -> None:
    samples, rate = taken(path)
    np.testing.assert_array_equal(samples, whole(path))
    assert rate == RATE


@pytest.mark.parametrize(
    ("start", "seconds"), [(0, 2), (1.5, 5.5), (6.2, 0.8), (6.5, None), (0, 7), (1, 1e-9)]
)
def test_a_stretch(path: Path, start: float, seconds: float | None) -> None:
    samples, _ = taken(path, start, seconds)
    first = round(start * RATE)
    last = 7 * RATE if seconds is None else first + max(1, round(seconds * RATE))
    np.testing.assert_array_equal(samples, whole(path)[:, first:last])


def test_mixed_resampled_then_cut(path: Path) -> None:
    samples, rate = taken(path, 2, 3, 22_050, True)
    mono = whole(path).mean(axis=0)
    everything = Resampler(RATE, 22_050).push(mono, last=True)
    assert (rate, samples.shape) == (22_050, (1, 3 * 22_050))
    np.testing.assert_allclose(samples[0], everything[2 * 22_050 : 5 * 22_050], atol=1e-6)
    stereo, _ = taken(path, rate=22_050)
    np.testing.assert_allclose(stereo.mean(axis=0), everything, atol=1e-6)


@pytest.mark.parametrize(
    ("start", "seconds", "message", "hint"),
    [
        (0, 7 + 1 / RATE, "has 7.000000 s, and what is asked for ends at 7.00002 s", "--seconds"),
        (6, 1.5, "ends at 7.5 s", "--seconds"),
        (7, None, "begins at 7 s", "--start"),
        (9, 2, "ends at 11 s", "--start"),
    ],
)
def test_a_sound_that_is_shorter_has_a_reason(
    path: Path, start: float, seconds: float | None, message: str, hint: str
) -> None:
    """Were it by one sample."""
    with pytest.raises(AudioError, match=f"too-short: .*{message}") as failure:
        taken(path, start, seconds)
    assert failure.value.hint == f"a smaller {hint}"


def test_what_lies_behind_is_not_read(path: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.wav"
    cut.write_bytes(path.read_bytes()[: 5 * RATE * 4])
    with pytest.raises(AudioError, match="truncated"):
        taken(cut)
    np.testing.assert_array_equal(taken(cut, 1, 2)[0], whole(path)[:, RATE : 3 * RATE])


def test_channels_that_cancel_each_other_are_no_mono(tmp_path: Path) -> None:
    sound = tone(RATE)
    both = np.concatenate([sound, -sound])
    soundfile.write(tmp_path / "a.wav", both.T, RATE, "FLOAT")
    with pytest.raises(AudioError, match="they cancel each other"):
        taken(tmp_path / "a.wav", mono=True)
