"""One pass over a sound: digest, length, silence, clipping."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.audio.hashing import HashedSound
from mgrkit.audio.measuring import FULL_SCALE, Clipping, Ending, measure
from mgrkit.audio.writing import Writer, quantise
from mgrkit.errors import AudioError
from tests.audio.encoded import tone

RATE = 22_050


def write(path: Path, samples: np.ndarray) -> Path:
    with Writer(path, RATE, len(samples), "PCM_16") as writer:
        writer.write(quantise(samples.astype(np.float32), "PCM_16"))
    return path


def test_a_good_sound(tmp_path: Path) -> None:
    found = measure(write(tmp_path / "a.wav", tone(1.5, RATE, 2)))
    with HashedSound(tmp_path / "a.wav") as sound:
        for _ in sound.blocks():
            pass
    assert (found.seconds, found.rate, found.channels) == (1.5, RATE, 2)
    assert found.digest == sound.digest.hexdigest()
    assert (found.clipped, found.failure, found.silence, found.warning) == (0, None, None, "")


@pytest.mark.parametrize(
    ("length", "counted"), [(0, 0), (1, 0), (2, 0), (3, 1), (4, 2), (1000, 998)]
)
def test_three_samples_in_a_row_at_full_scale_are_clipped(length: int, counted: int) -> None:
    """Two are the top of a wave; the sign does not count, another channel is another sound."""
    sound = np.zeros((2, 5000), np.float32)
    sound[1, 2000 : 2000 + length] = FULL_SCALE
    sound[1, 2000 : 2000 + length : 2] = -1
    sound[0, 1999:2001] = sound[0, 2003] = 1
    for cut in (5000, 2001, 2002, 1, 7):
        clipping = Clipping(2)
        for at in range(0, 5000, cut):
            clipping.push(sound[:, at : at + cut])
        assert clipping.count == counted, cut


def test_what_is_just_below_full_scale_is_not_clipped() -> None:
    clipping = Clipping(1)
    clipping.push(np.full((1, 100), 32766 / 32768, np.float32))
    assert clipping.count == 0
    clipping.push(np.full((1, 100), 32767 / 32768, np.float32))
    assert clipping.count == 98


def test_the_share_is_of_all_samples(tmp_path: Path) -> None:
    sound = tone(1, RATE, 2)
    sound[0, 1000:1102] = 1
    assert measure(write(tmp_path / "a.wav", sound)).clipped == pytest.approx(100 / (2 * RATE))


def test_silence_and_channels_that_cancel(tmp_path: Path) -> None:
    quiet = measure(write(tmp_path / "quiet.wav", np.zeros((1, RATE))))
    assert quiet.silence
    assert quiet.digest
    half = tone(1, RATE)
    apart = measure(write(tmp_path / "apart.wav", np.concatenate([half, -half])))
    assert apart.silence
    assert "cancel each other" in apart.silence.message


def test_what_came_before_a_failure_is_measured(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", tone(20, RATE)[0], RATE)
    whole = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(whole[: len(whole) // 2])
    found = measure(tmp_path / "cut.flac")
    assert found.failure
    assert found.digest == ""
    assert 5 < found.seconds < 15
    assert found.rate == RATE


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    found = measure(tmp_path / "a.wav")
    assert found.failure
    assert found.failure.reason == "not-audio"
    assert (found.rate, found.digest) == (0, "")
    with pytest.raises(AudioError, match="no such file"):
        measure(tmp_path / "none.wav")


@pytest.mark.parametrize("block", [1000, 4096, 100_000])
@pytest.mark.parametrize("level", [1.0, 0.01])
def test_a_sound_ends_where_silence_begins(block: int, level: float) -> None:
    """Whatever its level, in whatever blocks, and in one of two channels; not at a pause."""
    sound = np.zeros((2, 10 * RATE), np.float32)
    sound[0, : 2 * RATE] = sound[1, 3 * RATE : 4 * RATE] = level
    sound[:, 4 * RATE :] = level / 2000
    ending = Ending()
    for start in range(0, sound.shape[1], block):
        ending.push(sound[:, start : start + block], RATE)
    assert 4 <= ending.seconds < 4 + 4096 / RATE
    assert Ending().seconds == 0
