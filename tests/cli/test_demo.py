"""The demo: the whole line, from music to a prediction."""

from __future__ import annotations

import csv
import dataclasses
import re
from collections import Counter
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands import demo
from mgrkit.models.model import Model
from mgrkit.synthetic.music import STYLES
from mgrkit.tracks.splits import PARTS


def recalls(out: str) -> dict[str, float]:
    """Of each style, as the last confusion matrix shows it."""
    rows = [line.split() for line in out.rpartition("recall")[2].splitlines()[1:]]
    return {row[0]: float(row[-2]) for row in rows[: len(STYLES)]}


def test_the_quick_demo_goes_from_music_to_a_prediction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert guarded(app, ["demo", "--quick"]) == 0
    out, err = capfd.readouterr()
    own = [line for line in err.splitlines() if line[:1] in ("#", "$")]
    assert max(map(len, own)) <= 80
    words = [line.split()[2] for line in own if line.startswith("$ mgrkit ")]
    assert words == [
        "augment", "spectrograms", "features", "train", "evaluate", "predict", "predict",
    ]  # fmt: skip
    made = tmp_path / "mgrkit-demo"
    with (made / "audio" / "tracks.csv").open(newline="") as table:
        tracks = list(csv.DictReader(table))
    assert len(tracks) == 60
    assert {track["genre"] for track in tracks} == set(STYLES)
    assert Counter(len(by_artist(tracks, part)) for part in PARTS) == {8: 2, 4: 1}
    assert len(list((made / "noisy").rglob("*.rain_10dB_1.wav"))) == 60
    assert len(list((made / "spectrograms").rglob("*.png"))) == 120
    model = Model(made / "my-forest.safetensors")
    assert len(model.known_artists) == 12  # those of train, and of valid, which was looked at
    assert model.bundle.calibration
    assert "not calibrated" not in err
    assert recalls(out).keys() == set(STYLES)
    assert min(recalls(out).values()) > 0.5
    *verdicts, nearest = [line for line in out.splitlines() if line.startswith("new/")]
    assert sorted(line.partition(":")[0] for line in verdicts) == [f"new/{s}.wav" for s in STYLES]
    assert re.match(r"new/ambient.wav: [a-z]+\?? 0.\d\d \(", nearest)
    assert not set(nearest.split()) & {"ambient", "techno", "waltz"}  # the shipped one knows none
    (picture,) = re.findall(r"^#   (\S+\.png)  ", err, re.MULTILINE)
    assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    assert own[-2:] == ["#   mgrkit predict song.mp3", "#   mgrkit models fetch musicnn"]
    assert Path.cwd() == tmp_path
    assert guarded(app, ["demo", "--quick"]) == 2
    assert "holds something already" in capfd.readouterr().err


def by_artist(tracks: list[dict[str, str]], part: str) -> set[str]:
    """The artists of a part, none of whom is in another."""
    own = {track["group"] for track in tracks if track["split"] == part}
    assert not own & {track["group"] for track in tracks if track["split"] != part}
    return own


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_every_style_is_recalled_by_artists_not_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], seed: int
) -> None:
    demo.make_music(tmp_path / "demo", demo.QUICK, seed)
    monkeypatch.chdir(tmp_path / "demo")
    for step in demo.steps(quick=True):
        if step.words[0] in ("augment", "features", "train", "evaluate"):
            assert guarded(app, [*step.words]) == 0
    out, err = capfd.readouterr()
    assert recalls(out).keys() == set(STYLES)
    assert min(recalls(out).values()) > 0.5
    assert "not calibrated" not in err


def test_another_seed_is_other_music(tmp_path: Path) -> None:
    one_song = dataclasses.replace(demo.QUICK, songs=1, seconds=0.5)
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        demo.make_music(tmp_path / name, one_song, seed)
    for path in ("audio/blues/blues-01.wav", "new/blues.wav", "rain.wav"):
        first, same, other = ((tmp_path / name / path).read_bytes() for name in "abc")
        assert first == same != other


def test_without_torch_the_whole_demo_says_so_before_it_makes_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mgrkit.commands.demo.missing", list)
    assert guarded(app, ["demo"]) == 3
    output = capfd.readouterr().err
    assert "needs torch, not installed here" in output
    assert "mgrkit demo --quick" in output
    assert "pip install torch" in output
    assert not list(tmp_path.iterdir())


@pytest.mark.torch
def test_the_whole_demo_trains_two_and_ends_with_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With shorter music and less training than a person gets to see."""
    monkeypatch.chdir(tmp_path)
    assert demo.FULL.songs % len(demo.FULL.parts) == 0
    short = dataclasses.replace(demo.FULL, songs=len(demo.FULL.parts), seconds=2.0)
    monkeypatch.setattr(demo, "FULL", short)
    monkeypatch.setattr(demo, "EPOCHS", 1)
    assert guarded(app, ["demo", "small"]) == 0
    out, err = capfd.readouterr()
    lines = err.splitlines()
    words = [line.split()[2:] for line in lines if line.startswith("$ mgrkit ")]
    assert [step[0] for step in words] == [
        "augment", "spectrograms", "show", "features", "train", "train", "evaluate", "evaluate",
        "predict", "predict",
    ]  # fmt: skip
    assert [step[1] for step in words if step[0] == "train"] == ["random_forest", "cnn"]
    made = tmp_path / "small"
    forest, cnn = (Model(made / f"my-{name}.safetensors") for name in ("forest", "cnn"))
    assert forest.bundle.metrics["split"] == cnn.bundle.metrics["split"] == "given split"
    assert forest.known_artists == cnn.known_artists
    assert len(forest.known_artists) == 4 * 4
    verdicts = [line.partition(":")[0] for line in out.splitlines() if line.startswith("new/")]
    assert Counter(verdicts) == Counter([*(f"new/{s}.wav" for s in STYLES), "new/ambient.wav"])
    table = out.splitlines()[-4:]
    assert [line.split()[0] for line in table] == ["model", "my-forest", "my-cnn", "8"]
    assert max(map(len, table)) <= 80
    opened = [line.split()[1] for line in lines if line.startswith("#   small/")]
    assert len(opened) == 5
    assert max(len(line) for line in lines if line[:1] in ("#", "$")) <= 80
    for picture in opened:
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    assert Path.cwd() == tmp_path


def test_a_stopped_demo_ends_with_the_code_of_the_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "QUICK", dataclasses.replace(demo.QUICK, songs=2, seconds=1.0))
    monkeypatch.setattr("mgrkit.cli.terminal.console.Console.show", lambda *_, **__: 143)
    assert guarded(app, ["demo", "--quick"]) == 143
