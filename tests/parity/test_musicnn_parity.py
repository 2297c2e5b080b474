"""Our musicnn against the original's tags of clips that we hold."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from mgrkit_pretrained import folding, numpy_network
from mgrkit_pretrained.layout import FRONT_END, TAGS, TENSORS
from mgrkit_pretrained.musicnn import Tags
from safetensors.numpy import load_file

from mgrkit.audio import open_sound, pieces


def clips(data: Path) -> dict[Path, np.ndarray]:
    """Clips whose sound is here, and the original's tags of them, ``(windows, 50)``."""
    rows = defaultdict(list)
    with gzip.open(data / "gtzan/msd_musicnn_tags_train.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            rows[Path(row["path"]).stem].append([float(row[tag]) for tag in TAGS])
    found = sorted((data / "gtzan/clips").glob("*.flac"))
    return {clip: np.array(rows[clip.stem]) for clip in found if clip.stem in rows}


def samples_of(clip: Path) -> np.ndarray:
    """The whole clip as the network's front end wants it."""
    with open_sound(clip) as sound:
        (piece,) = pieces(sound, FRONT_END.rate)
    return piece.samples


def test_the_wheel_gives_the_pinned_weights(
    musicnn_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = load_file(musicnn_weights)
    assert {name: values.shape for name, values in arrays.items()} == TENSORS
    # What says that nine of ten filters may be left out, and that no other one is.
    front = folding.Front(arrays)
    # Of 64 maps each; the second and third are added to those before.
    middle = [one.places for one in numpy_network.Network(arrays)._middle]
    assert [len(kernel) for kernel in front.kernels] == [23, 14, 3, 7, 17]
    assert [len(one.kernel) for one in numpy_network.Network(arrays)._middle] == [20, 61, 63]
    for bound in (3e-9, 9e-3):
        monkeypatch.setattr(folding, "_UNSEEN", bound)
        assert (folding.Front(arrays).live == front.live).all()
        for one, places in zip(numpy_network.Network(arrays)._middle, middle, strict=True):
            assert one.places.tolist() == places.tolist()


def test_tells_the_tags_that_the_original_tells(data: Path, musicnn_weights: Path) -> None:
    """Asked is a correlation of .995 in the median and .95 for each clip."""
    known, embedder = clips(data), Tags(musicnn_weights, "cpu")
    assert len(known) == 19
    correlations = {}
    for clip, wanted in known.items():
        (told,) = embedder.embed([embedder.prepare(samples_of(clip))])
        assert told.shape == wanted.shape, clip.stem
        correlations[clip.stem] = np.corrcoef(told.ravel(), wanted.ravel())[0, 1]
    lowest = min(correlations.items(), key=lambda item: item[1])
    assert lowest[1] >= 0.95, lowest
    assert np.median(list(correlations.values())) >= 0.995
