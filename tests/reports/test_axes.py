"""Pictures with axes: what they show, what they are kept apart from, and what is refused."""

from __future__ import annotations

import csv
import itertools
import json
import os
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from mgrkit_neural.curves import write_curves

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.errors import ItemError, RunError, UsageError
from mgrkit.experiments.standings import Comparison, Standing
from mgrkit.frontend import FrontEnd, front_end
from mgrkit.reports.comparison import write_report
from mgrkit.reports.confusion import draw_confusion
from mgrkit.reports.figures import (
    Canvas,
    draw_figure,
    draw_planes,
    drawn,
    mark_frequencies,
    shortened,
)
from mgrkit.spectrograms import Image, levels, read_picture, read_png
from mgrkit.spectrograms.kinds.mel import filters

pytest.importorskip("matplotlib")


def tone(path: Path, seconds: float = 1.0, hz: float = 440.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(22050 * seconds)) / 22050
    sound = 0.3 * np.sin(2 * np.pi * hz * time)
    with wave.open(os.fspath(path), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes((32767 * sound).astype("<i2").tobytes())
    return path


def mgrkit(*words: object) -> int:
    return guarded(app, [str(word) for word in words])


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tone(tmp_path / "audio" / "a.wav")
    tone(tmp_path / "audio" / "b.wav", hz=3000)
    return tmp_path / "audio"


def size(path: Path) -> tuple[int, int]:
    with PIL.Image.open(path) as picture:
        return picture.size


@pytest.mark.parametrize(
    ("words", "pixels"),
    [
        (["--axes"], (1000, 500)),
        (["--axes", "--size", "611x407"], (611, 407)),
        (["--notes", "--kind", "stft", "--cmap", "grey"], (1000, 500)),
        (["--axes", "--front-end", "kaggle-images", "--size", "320x240"], (320, 240)),
    ],
)
def test_pictures_for_people(audio: Path, words: list[str], pixels: tuple[int, int]) -> None:
    assert mgrkit("spectrograms", "audio", "out", *words) == 0
    with Path("out/tracks.csv").open() as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["ok", "ok"]
    for name in ("a", "b"):
        assert size(Path(f"out/{name}.png")) == pixels
        with pytest.raises(ItemError) as caught:
            read_picture(f"out/{name}.png")
        assert caught.value.reason == "for-people"
        with pytest.raises(ItemError, match="not-ours"):
            read_png(f"out/{name}.png")


def test_each_piece_has_one(audio: Path) -> None:
    assert mgrkit("spectrograms", "audio", "out", "--axes", "--piece-seconds", "0.5") == 0
    assert {path.name for path in Path("out").glob("*.png")} == {
        "a.000.png", "a.001.png", "b.000.png", "b.001.png",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ([], ["--axes"], "no --axes instead of --axes, no --size instead of 1000x500"),
        (["--axes"], [], "--axes instead of none, --size 1000x500 instead of none"),
        (["--axes"], ["--notes"], "--axes instead of none, no --notes instead of --notes"),
        (
            ["--axes"],
            ["--axes", "--size", "999x500"],
            "settings: --size 1000x500 instead of 999x500",
        ),
    ],
)
def test_plain_pictures_and_those_do_not_mix(
    audio: Path,
    capfd: pytest.CaptureFixture[str],
    first: list[str],
    second: list[str],
    named: str,
) -> None:
    assert mgrkit("spectrograms", "audio", "out", *first) == 0
    assert mgrkit("spectrograms", "audio", "out", *second) == 2
    assert named in capfd.readouterr().err
    assert mgrkit("spectrograms", "audio", "out", *second, "--replace") == 0


def test_the_same_call_makes_nothing_again_and_the_same_bytes(
    audio: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert mgrkit("spectrograms", "audio", "out", "--axes") == 0
    assert mgrkit("spectrograms", "audio", "out", "--axes", "--size", "1000x500") == 0
    assert "2 kept" in capfd.readouterr().err
    assert mgrkit("spectrograms", "audio", "twin", "--axes", "--workers", 1) == 0
    assert Path("out/a.png").read_bytes() == Path("twin/a.png").read_bytes()


def test_settings_of_plain_pictures_are_as_they_were(audio: Path) -> None:
    """What earlier versions made can be gone on with."""
    assert mgrkit("spectrograms", "audio", "out") == 0
    (journal,) = Path("out/.mgrkit").rglob("0.jsonl")
    first = json.loads(journal.read_text().splitlines()[0])
    assert set(first["run"]) == {
        "command", "kind", "sample-rate", "n-fft", "hop-length", "top-db", "n-mels", "fmin", "fmax",
        "piece-seconds", "cmap", "front-end",
    }  # fmt: skip


@pytest.mark.parametrize("wrong", ["", "1000", "1000x", "0x0", "319x240", "8001x500", "1e3x500"])
def test_sizes_that_cannot_be(audio: Path, capfd: pytest.CaptureFixture[str], wrong: str) -> None:
    assert mgrkit("spectrograms", "audio", "out", "--axes", f"--size={wrong}") == 2
    assert "--size must be" in capfd.readouterr().err
    assert not Path("out").exists()


def test_kaggle_pictures_by_either_spelling(audio: Path) -> None:
    assert mgrkit("spectrograms", "audio", "one", "--kind", "kaggle-images") == 0
    assert mgrkit("spectrograms", "audio", "two", "--front-end", "kaggle-images") == 0
    assert Path("one/a.png").read_bytes() == Path("two/a.png").read_bytes()
    assert read_png("one/a.png").frontend == front_end("kaggle-images")
    assert size(Path("one/a.png")) == (11, 128)


def test_of_kaggle_pictures_nothing_can_be_chosen(
    audio: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert mgrkit("spectrograms", "audio", "out", "--kind", "kaggle-images", "--n-mels", 64) == 2
    assert "--n-mels must be 128 for --kind kaggle-images, not 64" in capfd.readouterr().err


def marks(front: FrontEnd, notes: bool, lines: float = 30) -> dict[str, float]:
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    mark_frequencies(axes, front, notes, lines)
    assert axes.get_ylabel() == ("note" if notes else "Hz")
    names = [label.get_text() for label in axes.get_yticklabels()]
    return dict(zip(names, axes.get_yticks(), strict=True))


def test_frequencies_stand_where_their_bands_are() -> None:
    for name, place in marks(front_end(), notes=False).items():
        if float(name) >= 500:  # below, the transform is too coarse to tell
            strongest = filters(front_end())[:, round(float(name) * 2048 / 22050)].argmax()
            assert place == pytest.approx(strongest, abs=0.7)
    linear = marks(front_end("stft"), notes=False)
    assert linear["1000"] == pytest.approx(1000 * 2048 / 22050)
    assert linear["10000"] == pytest.approx(928.8, abs=0.1)
    assert "20000" not in linear


def test_notes_stand_at_their_frequencies() -> None:
    linear = marks(front_end("stft"), notes=True)
    assert linear["C8"] == pytest.approx(4186.01 * 2048 / 22050, abs=0.01)
    assert set(linear) <= {f"C{octave}" for octave in range(13)}


@pytest.mark.parametrize("notes", [True, False])
@pytest.mark.parametrize("kind", ["mel", "stft"])
@pytest.mark.parametrize("lines", [3, 10, 50])
def test_marks_keep_their_distance(kind: str, notes: bool, lines: int) -> None:
    front = front_end(kind)
    places = sorted(marks(front, notes, lines).values())
    assert places
    assert all(b - a >= front.bands / lines for a, b in itertools.pairwise(places))


def test_the_value_bar_of_kaggle_pictures_tells_real_decibels() -> None:
    image = Image(np.array([[0, 255]], np.uint8), 0.0)
    assert levels(image, front_end()).tolist() == [[-80, 0]]
    assert levels(image, front_end("kaggle-images")).tolist() == [[-40, 0]]


def test_low_is_at_the_bottom_and_early_on_the_left(tmp_path: Path) -> None:
    values = np.zeros((128, 100), np.uint8)
    values[:64, :50] = 255
    path = tmp_path / "a.png"
    image = Image(values, 0.0)
    draw_figure(path, image, front_end(), "a", Canvas(), cmap="grey", seconds=2.0)
    with PIL.Image.open(path) as picture:
        grey = np.asarray(picture.convert("L"))
    assert (grey[400, 200], grey[100, 200], grey[400, 700]) == (255, 0, 0)


def test_names_that_a_font_lacks_or_that_look_like_mathematics(tmp_path: Path) -> None:
    image = Image(np.eye(128, dtype=np.uint8), 0.0)
    for name in ("音楽.wav", "$x_{$.wav", "\udce4.wav", "a\nb.wav", "n" * 999):
        draw_figure(tmp_path / "a.png", image, front_end(), name, Canvas(320, 240), seconds=1.0)
        assert size(tmp_path / "a.png") == (320, 240)


def test_a_users_own_settings_of_matplotlib_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import matplotlib

    image = Image(np.eye(128, dtype=np.uint8), 0.0)
    draw_figure(tmp_path / "a.png", image, front_end(), "a", Canvas(), seconds=1.0)
    with matplotlib.rc_context({"savefig.bbox": "tight", "axes.facecolor": "red", "font.size": 5}):
        draw_figure(tmp_path / "b.png", image, front_end(), "a", Canvas(), seconds=1.0)
        assert matplotlib.rcParams["font.size"] == 5
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def drawn_confusion(folder: Path) -> Path:
    result = {
        "labels": ["blues", "jazz"], "confusion": [[3, 1], [0, 4]], "model": "svm",
        "accuracy": 0.9, "accuracy_low": 0.5, "accuracy_high": 1.0, "tracks": 8, "split": "random",
    }  # fmt: skip
    draw_confusion(result, folder / "confusion.png")
    return folder / "confusion.png"


def drawn_comparison(folder: Path) -> Path:
    rows = tuple(
        Standing(name, accuracy=0.5, low=0.4, high=0.6, ties="a") for name in ("svm", "cnn")
    )
    found = Comparison("valid", "grouped split", 12, 4, 1, rows, (), (), 0)
    return write_report(found, folder)[-1]


def drawn_curves(folder: Path) -> Path:
    history = [
        {"member": 0, "epoch": n, "loss": 1 / n, "accuracy": 1 - 1 / n, "valid_accuracy": 0.5}
        for n in (1, 2, 3)
    ]
    write_curves(folder, history)
    return folder / "curves.png"


@pytest.mark.parametrize("drawn", [drawn_confusion, drawn_comparison, drawn_curves])
def test_no_picture_for_people_is_taken_for_a_spectrogram(
    tmp_path: Path, drawn: Callable[[Path], Path]
) -> None:
    with pytest.raises(ItemError, match="for-people"):
        read_picture(drawn(tmp_path))


@pytest.mark.parametrize("drawn", [drawn_confusion, drawn_comparison, drawn_curves])
def test_an_earlier_picture_stays_when_drawing_fails(
    tmp_path: Path, drawn: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drawn(tmp_path)
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    with pytest.raises((OSError, RunError), match="No space left on device"):
        drawn(tmp_path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("drawn", [drawn_confusion, drawn_comparison, drawn_curves])
def test_no_picture_hangs_on_a_users_own_settings(
    tmp_path: Path, drawn: Callable[[Path], Path]
) -> None:
    import matplotlib

    own = {"savefig.dpi": 50, "axes.facecolor": "red", "font.size": 5, "lines.linewidth": 9}
    plain = drawn(tmp_path).read_bytes()
    with matplotlib.rc_context(own):
        assert drawn(tmp_path).read_bytes() == plain
        assert matplotlib.rcParams["font.size"] == 5


def test_letters_fit() -> None:
    assert shortened("short.wav", 20) == "short.wav"
    assert shortened("folder/much too long.wav", 15) == "...too long.wav"
    assert Canvas(2000, 1000).dpi == 200
    assert Canvas(320, 240).dpi == 72
    assert Canvas(2000, 1000).letters() == Canvas(1000, 500).letters()


def test_the_smallest_picture_has_room_for_the_longest_names_of_three_kinds(
    tmp_path: Path,
) -> None:
    front = front_end("rgb:kaggle-images,chroma-stft,chroma-cens")
    small = Canvas(320, 240)
    with drawn(tmp_path / "p.png", "mgrkit spectrograms", small.inches, small.dpi) as figure:
        axes = figure.add_subplot()
        draw_planes(axes, Image(np.zeros((3, 128, 50), np.uint8)), front, (0, 1, -0.5, 127.5))
        axes.set_xlabel("seconds")
        figure.draw_without_rendering()
        label = axes.yaxis.label.get_window_extent()
    assert label.y0 >= 0
    assert label.y1 <= small.height
    assert label.x0 >= 0
    assert axes.get_ylabel().split() == [
        "red", "kaggle-images", "green", "chroma-stft", "blue", "chroma-cens"
    ]  # fmt: skip


def test_canvas_knows_its_limits() -> None:
    assert Canvas.of("1200x600") == Canvas(1200, 600)
    with pytest.raises(UsageError, match="from 640x480 to 8000x8000 pixels, not 600x600"):
        Canvas.of("600x600", scale=2)
