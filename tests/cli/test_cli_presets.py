"""``mgrkit spectrograms --preset`` and ``--presets`` as a person types them."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import PIL.Image
import pytest
import soundfile

from mgrkit.frontend.presets import PRESETS
from mgrkit.spectrograms import read_picture, read_png
from mgrkit.synthetic import music
from tests.cli.test_commands import mgrkit
from tests.cli.test_help import shown

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd

Captured = pytest.CaptureFixture[str]
RATE = 22050
SHAPES = {
    "s0": (128, 1379), "s1": (128, 640), "s2": (270, 370), "s3": (480, 640), "s4": (224, 224),
    "pons": (40, 80), "choi": (96, 1366), "kaggle": (128, 357),
}  # fmt: skip


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with 32 s of made music in ``audio``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "audio").mkdir()
    soundfile.write("audio/a.wav", music.render("blues", artist=0, song=0, seconds=32), RATE)
    return tmp_path / "audio"


def drawn(out: str) -> dict[str, FrontEnd]:
    """The pictures of a run and how they were drawn."""
    with Path(out, "tracks.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["status"] == "ok" for row in rows)
    return {row["path"]: read_png(Path(out, row["path"])).frontend for row in rows}


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_draws_its_pictures(audio: Path, name: str) -> None:
    del audio
    assert mgrkit("spectrograms", "audio", "out", "--preset", name, "-q") == 0
    pictures = drawn("out")
    assert len(pictures) == {"s1": 1, "pons": 8, "choi": 1}.get(name, 1)
    for path in pictures:
        assert read_png(Path("out", path)).values.shape == SHAPES[name]


@pytest.mark.parametrize("name", PRESETS)
def test_the_options_that_are_listed_draw_the_same(
    audio: Path, name: str, capsys: Captured
) -> None:
    del audio
    assert mgrkit("spectrograms", "--presets") == 0
    text = " ".join(capsys.readouterr().out.split())
    of_it = text.partition(f" {name} {PRESETS[name].about.split()[0]}")[2]
    words = shlex.split(of_it.partition("sets: ")[2].partition(" open, ")[0].partition(",")[0])
    assert mgrkit("spectrograms", "--presets", "--json") == 0
    one = next(one for one in json.loads(capsys.readouterr().out) if one["name"] == name)
    if one["piece_seconds"]:
        words += ["--piece-seconds", repr(one["piece_seconds"])]
    assert mgrkit("spectrograms", "audio", "by-hand", *words, "-q") == 0
    # The same settings: nothing is made anew, and nothing is refused.
    assert mgrkit("spectrograms", "audio", "by-hand", "--preset", name) == 0
    assert "kept" in capsys.readouterr().err
    assert set(drawn("by-hand"))


def test_the_list(capsys: Captured) -> None:
    assert mgrkit("spectrograms", "--presets") == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].split() == ["preset", "about"]
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1:] if line[0] != " "] == list(PRESETS)
    text = " ".join(said.out.split())
    for one in PRESETS.values():
        for words in (one.about, f"of: {one.origin}", f"usual: {one.leaves_open}"):
            assert words in text
    assert "--n-mels 40 --log log10, pieces of 80 frames" in text
    assert said.err == ""


def test_the_list_as_json(capsys: Captured) -> None:
    assert mgrkit("spectrograms", "--presets", "--json") == 0
    listed = {one.pop("name"): one for one in json.loads(capsys.readouterr().out)}
    assert list(listed) == list(PRESETS)
    assert listed["pons"] == {
        "origin": PRESETS["pons"].origin,
        "about": PRESETS["pons"].about,
        "options": {
            "kind": "mel", "n-fft": 2048, "hop-length": 1024, "window": "blackmanharris62",
            "n-mels": 40, "log": "log10",
        },
        "frames": 80,
        "piece_seconds": 79 * 1024 / RATE,
        "leaves_open": PRESETS["pons"].leaves_open,
    }  # fmt: skip
    assert listed["s2"]["frames"] is listed["s2"]["piece_seconds"] is None
    assert "size" not in listed["s2"]["options"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--preset pons --n-mels 128",
         "--n-mels 128 contradicts --preset pons, which sets --n-mels 40"),
        ("--preset s2 --axes", "--axes contradicts --preset s2, which sets no --axes"),
        ("--preset s3 --notes", "--notes contradicts --preset s3, which sets no --axes"),
        ("--preset s2 --size 200x150", "--size 200x150 contradicts --preset s2"),
        ("--preset s3 --size 20000x20000",
         "--size 20000x20000 contradicts --preset s3, which sets --size 640x480"),
        ("--preset s2 --cmap grey", "--cmap grey contradicts --preset s2, which sets --cmap magma"),
        ("--preset pons --piece-seconds 3",
         "contradicts --preset pons, which sets pieces of 80 frames, 3.66875 s"),
        ("--preset pons --top-db 60",
         "--top-db belongs to --log db, not to log10 (--preset pons sets --kind mel, "),
        ("--preset pns", "there is no --preset 'pns' (did you mean pons?)"),
        ("--preset s4 --size 1x1", "contradicts --preset s4"),
        ("--kind s2-images --cmap grey", "--cmap must be magma for --kind s2-images"),
        ("--kind mel --floor lowest", "--floor must be top-db or least, not 'lowest'"),
        ("--kind mel --log ln --floor least", "--floor belongs to --log db, not to ln"),
        ("--piece-seconds 0.01",
         "--piece-seconds must be from 0.0929 (the least that can be drawn) to 3600, not 0.01"),
    ],
)  # fmt: skip
def test_what_is_refused(audio: Path, words: str, message: str, capsys: Captured) -> None:
    del audio
    assert mgrkit("spectrograms", "audio", "out", *words.split()) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert "----" not in said.err
    assert len(said.err.splitlines()) == 1
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "words", ["--kind mel", "--preset s2", "SRC", "--workers 2", "--axes", "--fmin 20"]
)
def test_presets_takes_no_option_of_a_run(words: str, capsys: Captured) -> None:
    assert mgrkit("spectrograms", "--presets", *words.split()) == 2
    said = capsys.readouterr()
    assert not said.out
    assert f"--presets takes no {words.split()[0]} (it lists, and draws nothing)" in said.err


def test_what_a_preset_leaves_open_is_free(audio: Path, capsys: Captured) -> None:
    del audio
    words = ["--preset", "pons", "--sample-rate", "44100", "--ref", "1.0", "--cmap", "grey"]
    assert mgrkit("spectrograms", "audio", "out", *words) == 0
    for path, front in drawn("out").items():
        assert (front.sample_rate, front.ref, front.bands) == (44100, "one", 40)
        assert read_png(Path("out", path)).values.shape == (40, 80)
    assert mgrkit("spectrograms", "audio", "out", "--preset", "pons") == 2
    assert "--sample-rate 44100 instead of 22050" in capsys.readouterr().err
    assert mgrkit("spectrograms", "audio", "out", *words, "--n-mels", "40") == 0  # as it sets it


def test_s2_is_400x300_with_15_white_pixels_around(audio: Path) -> None:
    del audio
    assert mgrkit("spectrograms", "audio", "out", "--preset", "s2", "-q") == 0
    with PIL.Image.open("out/a.png") as picture:
        assert picture.size == (400, 300)
        pixels = np.asarray(picture.convert("RGB"))
    inside = pixels[15:285, 15:385]
    assert (pixels.astype(int).sum() - inside.sum()) == 3 * 255 * (400 * 300 - 370 * 270)
    assert not (inside == 255).all(axis=2).any()
    assert np.array_equal(read_picture("out/a.png").values, read_png("out/a.png").values)


def test_the_help_names_the_presets() -> None:
    text = " ".join(shown("spectrograms", "--help").split())
    assert ", ".join(PRESETS) in text
    assert "8x8 to 4096x4096" in text


@pytest.mark.torch
def test_a_network_learns_from_s2s_pictures_and_hears_sound(audio: Path, capsys: Captured) -> None:
    for number in range(8):
        path = audio / ("rock" if number % 2 else "jazz") / f"{number}.wav"
        path.parent.mkdir(exist_ok=True)
        made = music.render("techno" if number % 2 else "waltz", number, song=0, seconds=3)
        soundfile.write(path, made, RATE)
    (audio / "a.wav").unlink()
    assert mgrkit("spectrograms", "audio", "ours", "--preset", "s2", "-q") == 0
    for path in Path("ours").rglob("*.png"):  # as the script leaves them: no word of ours in them
        theirs = "theirs" / path.relative_to("ours")
        theirs.parent.mkdir(parents=True, exist_ok=True)
        with PIL.Image.open(path) as picture:
            PIL.Image.fromarray(np.asarray(picture.convert("RGBA"))).save(theirs)
    small = ["--param", "epochs=2", "--param", "width=2", "--split", "random", "-q"]
    assert mgrkit("train", "cnn", "theirs", "--out", "s2.safetensors", *small) == 0
    capsys.readouterr()
    found = []
    for what in ("audio/rock/1.wav", "ours/rock/1.png", "theirs/rock/1.png"):
        assert mgrkit("predict", what, "--model", "s2.safetensors", "--json", "-q") == 0
        [song] = json.loads(capsys.readouterr().out)
        found.append(song["probabilities"] if "probabilities" in song else song["genres"])
    assert found[0] == found[1] == found[2]
