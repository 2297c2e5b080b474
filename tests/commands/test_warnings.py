"""What is odd about a file that is used nevertheless is told wherever sound is learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.commands.features import FeaturesSettings, features
from mgrkit.datasets.reading import read_dataset
from mgrkit.inputs.kinds import Features
from mgrkit.registry import installed


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Two genres of one FLAC each; behind one there are bytes that no decoder reads."""
    random = np.random.default_rng(0)
    for genre in ("rock", "jazz"):
        path = tmp_path / "music" / genre / f"{genre}.flac"
        path.parent.mkdir(parents=True)
        soundfile.write(path, random.uniform(-0.5, 0.5, 66_150), 22_050)
    with path.open("ab") as file:
        file.write(random.bytes(60_000))
    return tmp_path / "music"


def test_a_dataset_notes_it_also_when_the_cache_holds_the_sound(music: Path) -> None:
    wanted = Features(installed().feature_set("gtzan57"))
    for _ in range(2):
        data = read_dataset(music, wanted)
        assert data.failed == 0
        assert len(data.entries) == 2
        (note,) = (note for note in data.notes if "warning" in note)
        assert note.startswith("1 files with a warning (the first: jazz/jazz.flac: unread-rest: 3 ")


def test_a_table_of_features_counts_it(music: Path, tmp_path: Path) -> None:
    out = tmp_path / "features.csv"
    summary = features(FeaturesSettings.of("gtzan57"), [music], out)
    assert (summary.made, summary.warned, summary.failed) == (2, 1, 0)
    assert out.read_text().count("unread-rest: 3 s were decoded") == 1
