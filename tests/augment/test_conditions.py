"""What a person may write for a condition, and what it does to samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.augment import Colour
from mgrkit.augment.conditions import parse_conditions
from mgrkit.errors import UsageError
from tests.augment.mixes import RATE, mixed, tone


def test_each_value_is_a_condition_of_its_own() -> None:
    names = [one.name for one in parse_conditions("white@20,10.5,-0.0")]
    assert names == ["white@20", "white@10.5", "white@0"]
    assert len({one.digest for one in parse_conditions("white@20,10.5,0")}) == 3


@pytest.mark.parametrize("channels", [1, 2])
def test_noise_is_what_augment_mixes(tmp_path: Path, channels: int) -> None:
    sound = tone(50_000, channels=channels)
    [condition] = parse_conditions("pink@7")
    found = condition.ready(tmp_path).apply(sound, RATE, 1, "a/b.wav", 1)
    made, samples, _ = mixed(sound, Colour("pink"), 7)
    assert found.samples.dtype == np.float32
    assert found.samples.tobytes() == samples.astype("f4").tobytes()
    assert (found.rate, found.shift) == (RATE, 0)
    assert abs(made.snr_db - 7) < 0.001
    assert found.drawn == [{"noise": "pink", "snr": made.snr_db, "gain": made.gain}]


def test_recordings_are_mixed_in_and_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "c@fe.wav", tone(30_000, 0.2)[0], RATE)
    sound = tone(50_000)
    first, second = parse_conditions(f"{tmp_path}/c@fe.wav@10,0")
    assert (first.name, second.name) == ("c@fe@10", "c@fe@0")
    (tmp_path / "spool").mkdir()
    found = first.ready(tmp_path / "spool").apply(sound, RATE, 1, "a.wav", 1)
    assert found.samples.shape == sound.shape
    assert found.drawn[0]["recording"] == "c@fe.wav"


def test_gain_changes_the_level_alone(tmp_path: Path) -> None:
    sound = tone(1_000, channels=2)
    [condition] = parse_conditions("gain@-20")
    found = condition.ready(tmp_path).apply(sound, RATE, 1, "a.wav", 1)
    np.testing.assert_allclose(found.samples, sound / 10, rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wihte@10", "did you mean white"),
        ("gian@-20", "did you mean gain"),
        ("", "no condition ''"),
        ("@10", "no condition '@10'"),
        ("white@99", "an SNR of 99 dB is out of range"),
        ("white", "needs numbers behind an @"),
        ("white@", "needs numbers behind an @"),
        ("white@10,", "needs numbers behind an @"),
        ("white@loud", "needs numbers behind an @"),
        ("white@nan", "needs numbers behind an @"),
        ("gain@1e400", "needs numbers behind an @"),
        ("gain@-200", "a gain of -200 dB is out of range"),
        ("mp3@7", "mp3 has no bit rate of 7 kbit/s (8 is nearest)"),
        ("mp3@64,65", "mp3 has no bit rate of 65 kbit/s (64 is nearest)"),
        ("mp3", "needs numbers behind an @"),
        ("pm3@64", "did you mean mp3"),
        ("opus@5", "opus has no bit rate of 5 kbit/s (whole numbers from 6 to 256 kbit/s)"),
        ("opus@24.5", "opus has no bit rate of 24.5 kbit/s"),
        ("aac@1000", "aac has no bit rate of 1000 kbit/s"),
        ("vorbis@11", "vorbis has no quality of 11 (from 0 to 10)"),
        ("vorbis@-1", "vorbis has no quality of -1 (from 0 to 10)"),
        ("gsm@13", "gsm has one bit rate, 13 kbit/s (write gsm alone)"),
        ("gsm@", "needs numbers behind an @"),
        ("reverb@0", "a reverberation time of 0 s is out of range (from 0.1 to 10 s)"),
        ("pitch", "needs numbers behind an @"),
        ("pitch@25", "a shift of 25 semitones is out of range"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_conditions(text)
    assert message in str(error.value)
