"""``augment --preset s2`` against its script: librosa.load, clean + 0.3 noise, soundfile.write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.cli.test_commands import mgrkit, table

librosa = pytest.importorskip("librosa")

FRAMES = 220_500
CLIPS = ["blues.00006", "classical.00003", "hiphop.00003", "pop.00002", "rock.00009"]
# librosa imports audioread, which imports modules that Python 3.13 is without.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def their_copy(clean: Path, noise: Path, out: Path) -> Path:
    """Lines of the script, for one file."""
    samples, rate = librosa.load(clean)
    recording, _ = librosa.load(noise)
    out.parent.mkdir(parents=True, exist_ok=True)
    mixed = samples[:FRAMES] + 0.3 * recording[:FRAMES]
    soundfile.write(out, mixed, rate, "PCM_16")
    return out


@pytest.fixture
def originals(data: Path, tmp_path: Path) -> Path:
    """A few clips in the folders of their genres, as 16-bit WAV files."""
    for name in CLIPS:
        samples, rate = soundfile.read(data / f"gtzan/clips/{name}.flac", dtype="int16")
        path = tmp_path / "genres_original" / name.partition(".")[0] / f"{name}.wav"
        path.parent.mkdir(parents=True)
        soundfile.write(path, samples, rate, "PCM_16")
    return tmp_path / "genres_original"


@pytest.fixture
def dance(data: Path) -> Path:
    """46 s in mono at 22,050 Hz."""
    return data / "songs/hungarian_dance_5.ogg"


@pytest.fixture
def stereo(data: Path, tmp_path: Path) -> Path:
    """14 s at 44.1 kHz: a song twice."""
    samples, rate = soundfile.read(data / "songs/flac_44k_stereo.flac", dtype="int16")
    (tmp_path / "stereo").mkdir()
    soundfile.write(tmp_path / "stereo" / "a.wav", np.concatenate([samples, samples]), rate)
    return tmp_path / "stereo" / "a.wav"


@pytest.mark.parametrize("noise", ["dance", "stereo"])
def test_samples_are_within_one_step_of_16_bits(
    originals: Path, tmp_path: Path, noise: str, request: pytest.FixtureRequest
) -> None:
    """The stereo recording is mixed to mono and resampled on the way."""
    out, recording = tmp_path / "genres_noisy", request.getfixturevalue(noise)
    assert mgrkit("augment", originals, out, "--preset", "s2", "--noise", recording, "-q") == 0
    rows = {row["path"]: row for row in table(out)}
    clipped = 0
    for clean in originals.rglob("*.wav"):
        path = clean.relative_to(originals)
        theirs, rate = soundfile.read(their_copy(clean, recording, tmp_path / "ref" / path),
                                      dtype="int16")  # fmt: skip
        ours, our_rate = soundfile.read(out / path, dtype="int16")
        assert (our_rate, ours.shape) == (rate, theirs.shape) == (22_050, (FRAMES,))
        assert np.abs(ours.astype(int) - theirs).max() <= 1
        assert soundfile.info(out / path).subtype == "PCM_16"
        row = rows[path.as_posix()]
        assert (row["parent"], row["mix_gain"], row["offset"]) == (path.as_posix(), "0.3", "0.0")
        full = np.count_nonzero((ours == 32767) | (ours == -32768))
        assert int(row["clipped"]) <= full
        clipped += int(row["clipped"])
    assert clipped or noise != "dance", "hiphop and rock go beyond full scale"


def test_sound_at_another_rate_and_in_stereo(stereo: Path, dance: Path, tmp_path: Path) -> None:
    words = ["--preset", "s2", "--noise", dance, "-q"]
    assert mgrkit("augment", stereo.parent, tmp_path / "out", *words) == 0
    theirs, _ = soundfile.read(their_copy(stereo, dance, tmp_path / "ref.wav"), dtype="int16")
    ours, _ = soundfile.read(tmp_path / "out" / "a.wav", dtype="int16")
    assert ours.shape == theirs.shape == (FRAMES,)
    assert np.abs(ours.astype(int) - theirs).max() <= 1
