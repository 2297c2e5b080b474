"""The quick demo: the whole line, from music to a prediction."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.errors import guarded
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


def test_without_quick_it_says_what_there_is(capfd: pytest.CaptureFixture[str]) -> None:
    assert guarded(app, ["demo"]) == 2
    assert "mgrkit demo --quick" in capfd.readouterr().err
