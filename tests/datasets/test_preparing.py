"""Sound and pictures as datasets: what is kept under which key."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgrkit.datasets import describing
from mgrkit.datasets.reading import read_dataset
from mgrkit.files.cache import content_key
from mgrkit.inputs.kinds import input_of
from mgrkit.synthetic.collection import write_collection


def test_a_file_that_cannot_be_hashed_is_left_out_and_kept_under_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a key that says nothing of it, the next such file would get its numbers."""
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    write_collection(tmp_path / "audio", songs=2, artists=2, seconds=1.0)
    failing = sorted((tmp_path / "audio").rglob("*.wav"))[:2]

    def key(path: str) -> str:
        if Path(path) in failing:
            raise OSError(5, "Input/output error")
        return content_key(path)

    monkeypatch.setattr(describing, "content_key", key)
    dataset = read_dataset(tmp_path / "audio", input_of("image", "cnn"))
    names = [tmp_path / "audio" / entry.name for entry in dataset.entries]
    assert not set(names) & set(failing)
    assert dataset.failed == 2
    note = "2 files left out: 2 unreadable"
    assert any(note in text and "input/output error" in text for text in dataset.notes)
    kept = {path.stem for path in (tmp_path / "cache").rglob("*.safetensors")}
    assert kept == {content_key(str(name)) for name in names}


def test_what_a_folder_of_sound_holds_besides_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    write_collection(tmp_path / "audio", songs=2, artists=2, seconds=1.0)
    for name in ("a.xyz", "b.xyz", "notes.txt", ".hidden"):
        (tmp_path / "audio" / name).touch()
    dataset = read_dataset(tmp_path / "audio", input_of("image", "cnn"))
    assert "2 .xyz, 1 .txt, 1 hidden passed over" in dataset.notes
