"""evaluate --under as a person or a script calls it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.cli.views.robustness import show_under
from mgrkit.commands.train import TrainSettings, train
from mgrkit.spectrograms import read_picture
from mgrkit.synthetic.collection import write_collection
from tests.datasets.made_tables import rows, write


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("under")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MGRKIT_CACHE", str(folder / "cache"))
        write_collection(
            folder / "audio", songs=4, artists=4, seconds=2.0,
            parts=("train", "train", "test", "test"),
        )  # fmt: skip
        train("svm", folder / "audio", folder / "m.safetensors")
        trees = TrainSettings(parameters={"trees": 20})
        train("random_forest", folder / "audio", folder / "other.safetensors", trees)
    write(folder / "t.csv", rows())
    return folder


@pytest.fixture(autouse=True)
def inside(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("MGRKIT_CACHE", str(place / "cache"))
    monkeypatch.setenv("COLUMNS", "80")


def evaluate(*words: str) -> int:
    return guarded(app, ["evaluate", "m.safetensors", *words])


def test_a_table_for_each_model_fits_eighty_columns(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--under", "white@20,-5.5", "--under", "gsm", "--model", "other.safetensors"]
    assert evaluate("audio", *words) == 0
    out, _ = capfd.readouterr()
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if " to " in line and "clean," not in line] == [
        "clean", "white@20", "white@-5.5", "gsm", "clean", "white@20", "white@-5.5", "gsm",
    ]  # fmt: skip
    assert sum(line.startswith(("m, 8 tracks", "other, 8 tracks")) for line in lines) == 2


def test_a_narrow_terminal_folds_the_lines(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert evaluate("audio", "--under", "gsm") == 0
    lines = capfd.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert lines[lines.index("gsm") + 1].startswith("  accuracy ")


def test_csv_json_and_curves_hold_the_same(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table, curves = tmp_path / "c.csv", tmp_path / "c.png"
    words = ["--under", "pink@10,0", "--under", "gsm", "--model", "other.safetensors"]
    files = ["--csv", str(table), "--png", str(curves)]
    before = sorted(Path("audio").rglob("*"))
    assert evaluate("audio", *words, *files, "--json") == 0
    assert sorted(Path("audio").rglob("*")) == before
    out, err = capfd.readouterr()
    assert f"wrote {table}" in err
    models = json.loads(out)["models"]
    assert [one["model"] for one in models] == ["m", "other"]
    with table.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    told = [{"model": one["model"], **row} for one in models for row in one["under"]]
    assert [row["condition"] for row in found] == ["clean", "pink@10", "pink@0", "gsm"] * 2
    assert list(found[0]) == list(told[0])
    for row, expected in zip(found, told, strict=True):
        assert float(row["accuracy_change"]) == pytest.approx(expected["accuracy_change"], abs=1e-6)
        assert (row["value"] or None) == (expected["value"] and f"{expected['value']:.6f}") or (
            expected["value"] == 0
        )
    assert curves.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(Exception, match="for-people"):
        read_picture(curves)
    # Both may be written again, and nothing of somebody else's is.
    assert evaluate("audio", *words, *files, "--quiet") == 0
    (tmp_path / "mine.csv").write_text("a,b\n")
    assert evaluate("audio", *words, "--csv", str(tmp_path / "mine.csv")) == 2
    assert "was not written by mgrkit evaluate --under" in capfd.readouterr().err


def test_what_costs_all_stands_in_its_column(capfd: pytest.CaptureFixture[str]) -> None:
    row = {
        "condition": "clean", "tracks": 2, "failed": 0, "accuracy": 1.0, "accuracy_low": 0.0,
        "accuracy_high": 1.0, "accuracy_change": -1.0, "accuracy_change_low": -1.0,
        "accuracy_change_high": 1.0, "macro_f1": 1.0, "ece": 0.1, "unsure": 1.0,
    }  # fmt: skip
    result = {"model": "m", "tracks": 2, "split": "all", "under": [row, {**row, "condition": "x"}]}
    show_under([result], [], on_stdout=True, quiet=True)
    lines = capfd.readouterr().out.splitlines()
    assert "-100 (-100 to +100)" in lines[-1]
    assert max(map(len, lines)) <= 80
    assert len({line.rindex(" 1.00  0.10") for line in lines[-2:]}) == 1
    assert lines[2].index("F1") == lines[-1].rindex("1.00")


def test_a_recipe_may_be_called_as_a_recording(tmp_path: Path) -> None:
    pytest.importorskip("audiomentations")
    recipe, noise = tmp_path / "rain.toml", tmp_path / "rain.wav"
    recipe.write_text('[[step]]\nnoise = "white"\nsnr = 10\n')
    noise.write_bytes(next(Path("audio").rglob("*.wav")).read_bytes())
    png = tmp_path / "c.png"
    words = ["--under", str(recipe), "--under", f"{noise}@10,20", "--png", str(png)]
    assert evaluate("audio", *words) == 0
    assert png.is_file()


def test_curves_say_what_lines_are_and_leave_room_between_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    figures: list[Figure] = []
    real = Figure.savefig

    def kept(figure: Figure, *place: Any, **how: Any) -> None:
        figures.append(figure)
        real(figure, *place, **how)

    monkeypatch.setattr(Figure, "savefig", kept)
    many = ",".join(map(str, range(20, -20, -1)))
    words = ["--under", f"gain@{many}", "--under", "gsm", "--png", str(tmp_path / "c.png")]
    assert evaluate("audio", *words) == 0
    [figure] = figures
    told = figure.get_supxlabel()
    assert "dashed: clean, bars: 95 %" in " ".join(told.split())
    ticks = figure.axes[0].get_xticks()
    assert 5 <= len(ticks) <= 10
    assert (ticks[0], figure.axes[0].get_xticklabels()[0].get_text()) == (-19, "-19")


def test_failed_tracks_are_said_and_are_an_exit_code(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("audiomentations")
    recipe = tmp_path / "burst.toml"
    recipe.write_text('[[step]]\ntransform = "Gain"\nmin_gain_db = 900.0\nmax_gain_db = 900.0\n')
    png = tmp_path / "c.png"
    assert evaluate("audio", "--under", str(recipe), "--png", str(png)) == 1
    out, err = capfd.readouterr()
    assert "no track could be judged" in out
    assert "8 tracks failed under it" in out
    assert "under burst, 8 of 8 files left out: 8 non-finite" in err
    assert png.is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["audio", "--model", "other.safetensors"], "--model goes with --under"),
        (["audio", "--csv", "c.csv"], "--csv goes with --under"),
        (["audio", "--under", "gsm", "--predictions", "p.csv"], "--predictions goes without"),
        (["audio", "--under", "gsm", "--csv", "c.txt"], "--csv must end in .csv"),
        (["audio", "--under", "gms"], "did you mean gsm?"),
        (["audio", "--under", "mp3@7"], "mp3 has no bit rate of 7 kbit/s (8 is nearest)"),
        (["t.csv", "--under", "gsm"], "--under needs sound"),
    ],
)
def test_wrong_calls_are_refused_in_a_line(
    words: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(*words) == 2
    err = capfd.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
