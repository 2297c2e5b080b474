"""The demo: the whole line, from music to a prediction."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.errors import guarded
from mgrkit.commands import demo
from mgrkit.commands.hashing import HashedSound
from mgrkit.commands.model import Model
from mgrkit.tracks.identity import track_id


def digest(song: Path) -> str:
    with HashedSound(song) as sound:
        for _ in sound.blocks():
            pass
        return sound.digest.hexdigest()


def test_the_quick_demo_goes_from_music_to_a_prediction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert guarded(app, ["demo", "--quick"]) == 0
    out, err = capfd.readouterr()
    words = [line.split()[2] for line in err.splitlines() if line.startswith("$ mgrkit ")]
    assert words == ["augment", "spectrograms", "features", "train", "evaluate", "predict"]
    made = tmp_path / "mgrkit-demo"
    with (made / "audio" / "tracks.csv").open(newline="") as table:
        tracks = list(csv.DictReader(table))
    assert len(tracks) == 40
    assert len({track["group"] for track in tracks}) == 8
    assert len({track["genre"] for track in tracks}) == 4
    assert len(list((made / "noisy").rglob("*.wav"))) == 40
    assert len(list((made / "spectrograms").rglob("*.png"))) == 80
    model = Model(made / "forest.safetensors")
    assert (len(model.seen), len(model.heard)) == (20, 4)
    assert "forest: accuracy" in out
    verdicts = [line for line in out.splitlines() if line.startswith("audio/")]
    assert len(verdicts) == 4
    asked = [made / line.partition(":")[0] for line in verdicts]
    assert not model.seen & {track_id(str(song), digest(song)) for song in asked}
    assert {song.parent.name for song in asked} == {track["genre"] for track in tracks}
    assert Path.cwd() == tmp_path
    assert guarded(app, ["demo", "--quick"]) == 2
    assert "holds something already" in capfd.readouterr().err


@pytest.mark.torch
def test_the_whole_demo_trains_two_and_ends_with_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With shorter music and less training than a person gets to see."""
    monkeypatch.chdir(tmp_path)
    assert demo.FULL.songs % demo.FULL.artists == 0
    short = dataclasses.replace(demo.FULL, songs=demo.FULL.artists, seconds=2.0)
    monkeypatch.setattr(demo, "FULL", short)
    monkeypatch.setattr(demo, "EPOCHS", 1)
    assert guarded(app, ["demo", "small"]) == 0
    out, err = capfd.readouterr()
    lines = err.splitlines()
    words = [line.split()[2:] for line in lines if line.startswith("$ mgrkit ")]
    assert [step[0] for step in words] == [
        "augment", "spectrograms", "show", "features", "train", "train", "evaluate", "evaluate",
        "predict",
    ]  # fmt: skip
    assert [step[1] for step in words if step[0] == "train"] == ["random_forest", "cnn"]
    made = tmp_path / "small"
    forest, cnn = (Model(made / f"{name}.safetensors") for name in ("forest", "cnn"))
    assert forest.bundle.metrics["split"] == cnn.bundle.metrics["split"] == "published split"
    assert forest.heard == cnn.heard
    assert len(forest.heard) == 4 * 4
    asked = [Path(word) for word in words[-1] if word.startswith("audio/")]
    assert {song.parent.name for song in asked} == {"ambient", "blues", "techno", "waltz"}
    table = out.splitlines()[-4:]
    assert [line.split()[0] for line in table] == ["model", "forest", "cnn", "8"]
    assert max(map(len, table)) <= 80
    opened = [line.split()[1] for line in lines if line.startswith("#   small/")]
    assert len(opened) == 5
    for picture in opened:
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    assert Path.cwd() == tmp_path


def test_a_stopped_demo_ends_with_the_code_of_the_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "QUICK", dataclasses.replace(demo.QUICK, songs=2, seconds=1.0))
    monkeypatch.setattr("mgrkit.cli.console.Console.show", lambda *_, **__: 143)
    assert guarded(app, ["demo", "--quick"]) == 143
