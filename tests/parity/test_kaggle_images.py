"""Our drawing of the real clips against the public pictures of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from mgrkit.frontend import front_end
from mgrkit.spectrograms import read_foreign, read_picture, render

if TYPE_CHECKING:
    from pathlib import Path

FRONT = front_end("kaggle-images")


def original(data: Path, track: str) -> Path:
    genre, number = track.split(".")
    return data / f"gtzan/images_original/{genre}/{genre}{number}.png"


def test_clips_look_like_their_pictures(data: Path) -> None:
    """Required is an error under 1 of 255; found are 40 clips bit for bit, 4 but for 2 pixels."""
    clips = sorted((data / "gtzan/clips").glob("*.flac"))
    assert len(clips) == 44
    errors = {}
    for clip in clips:
        picture = read_foreign(original(data, clip.stem))
        assert picture.frontend == FRONT
        samples, _ = soundfile.read(clip, dtype="float32")
        drawn = render(samples, FRONT).values
        assert drawn.shape == picture.values.shape == (128, 334)
        errors[clip.stem] = float(np.abs(drawn - picture.values.astype(int)).mean())
    assert max(errors.values()) < 0.001, max(errors.items(), key=lambda item: item[1])


def test_all_public_pictures_have_all_their_bands(data: Path) -> None:
    paths = sorted((data / "gtzan/images_original").rglob("*.png"))
    assert len(paths) == 639
    for path in paths[::4]:
        picture = read_picture(path)
        assert picture.frontend == FRONT, path
        assert picture.values.shape == (128, 334)
        assert (picture.values.min(), picture.values.max() >= 230) == (0, True)
        assert picture.source == ""


def test_recompressed_pictures_are_the_same(data: Path) -> None:
    paths = sorted((data / "gtzan/images_asis").glob("*.png"))
    assert len(paths) == 10
    for path in paths:
        twin = data / "gtzan/images_original" / path.stem.rstrip("0123456789") / path.name
        assert (read_foreign(path).values == read_foreign(twin).values).all()


@pytest.mark.parametrize("seconds", [3.0, 10.0])
def test_a_piece_has_the_pictures_scale_of_time(data: Path, seconds: float) -> None:
    """The beginning of a clip looks like the beginning of its picture, but for its own peak."""
    samples, rate = soundfile.read(data / "gtzan/clips/blues.00006.flac", dtype="float32")
    whole = render(samples, FRONT)
    piece = render(samples[: int(seconds * rate)], FRONT)
    louder = 256 / 80 * 2 * (whole.peak_db - piece.peak_db)
    width = piece.values.shape[1] - 3
    assert piece.values.shape[1] == int((1 + int(seconds * rate) // 512) * 334.8 / 1293)
    lowered = np.maximum(piece.values[:, :width] - louder, 0)
    assert np.abs(lowered - whole.values[:, :width]).mean() < 1
