"""evaluate as a person or a script calls it: --map, --copies and --predictions."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands.train import train
from mgrkit.models.model import Model
from mgrkit.tracks.identity import artist_id
from tests.datasets.made_tables import GENRES, rows, write
from tests.experiments.test_noisy import clean, copies


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    train("svm", write(folder / "t.csv", rows()), folder / "m.safetensors")
    write(folder / "noisy.csv", copies(rows()))
    write(folder / "both.csv", [*clean(rows()), *copies(rows())])
    return folder


@pytest.fixture(autouse=True)
def inside(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "80")


def evaluate(*words: str) -> int:
    return guarded(app, ["evaluate", "m.safetensors", *words])


def test_a_line_for_each_noise_fits_eighty_columns(capfd: pytest.CaptureFixture[str]) -> None:
    made = copies(rows(), [("my recording of the rain", "-5.5"), ("pink", "10.0"), ("pink", "1")])
    found = [{**row, "snr": "loud" if row["snr"] == "1" else row["snr"]} for row in made]
    write(Path("odd.csv"), found)
    assert evaluate("odd.csv") == 0
    out, err = capfd.readouterr()
    assert max(map(len, out.splitlines())) <= 80
    lines = out.splitlines()
    head = next(n for n, line in enumerate(lines) if line.startswith("noise "))
    assert lines[head + 1].startswith("my recording of~  -5.5 dB     ")
    assert lines[head + 2].startswith("pink                10 dB     ")
    assert lines[head + 3].startswith("pink              unknown     ")
    assert len({len(line) for line in lines[head : head + 4]}) == 1
    assert "is no number" in err


def test_copies_are_judged_when_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    assert evaluate("both.csv") == 0
    out, err = capfd.readouterr()
    assert "dB" not in out
    assert "192 noisy copies left out (--copies judges them instead)" in err
    assert evaluate("both.csv", "--copies", "--json") == 0
    result = json.loads(capfd.readouterr().out)
    assert [row["snr"] for row in result["by_noise"]] == [0.0, 10.0, 10.0]
    assert evaluate("t.csv", "--copies") == 2
    assert "t.csv holds no noisy copies" in capfd.readouterr().err


def test_a_genre_that_data_lacks_has_a_dash_and_macro_f1_says_over_how_many(
    capfd: pytest.CaptureFixture[str],
) -> None:
    write(Path("fewer.csv"), [row for row in rows() if row["genre"] != "waltz"])
    assert evaluate("fewer.csv") == 0
    out = capfd.readouterr().out
    assert "over 3 genres, top 3" in out
    assert next(line for line in out.splitlines() if line.startswith("waltz")).split()[-2:] == [
        "-", "-",
    ]  # fmt: skip
    assert evaluate("fewer.csv", "--json") == 0
    result = json.loads(capfd.readouterr().out)
    assert result["macro_f1_genres"] == 3
    assert result["per_genre"]["waltz"] == {
        "precision": None, "recall": None, "f1": None, "tracks": 0,
    }  # fmt: skip


def test_map_takes_pairs_and_a_file_of_them(capfd: pytest.CaptureFixture[str]) -> None:
    theirs = {"blues": "Delta Blues", "techno": "EBM, dark"}
    made = [{**row, "genre": theirs.get(str(row["genre"]), row["genre"])} for row in rows()]
    write(Path("theirs.csv"), made)
    Path("ours.txt").write_text("\ufeff# ours\n EBM, dark = Techno\r\n\n #x\n", encoding="utf-8")
    assert evaluate("theirs.csv", "--map", "delta-blues=Blues", "--map", "ours.txt", "--json") == 0
    result = json.loads(capfd.readouterr().out)
    assert result["labels"] == ["ambient", "Blues", "Techno", "waltz"]
    assert result["tracks"] == 64 - len(Model("m.safetensors").known_tracks)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (["a=blues", "A=waltz"], "--map makes A two genres, blues and waltz"),
        (["a=b", "b=a"], "--map leads from a to b, and from there to a"),
        (["waltz=blus"], "--map: m does not know blus (did you mean blues?)"),
        (["walzt=blues"], "--map: no track of DATA is walzt (did you mean waltz?)"),
        (["waltz"], "--map must be theirs=ours, or a file of such lines, not 'waltz' (No such"),
        (["=blues"], "--map must be theirs=ours, not '=blues'"),
        (["lines.txt"], "lines.txt: a line of --map must be theirs=ours, one = only, not '"),
        (["a=b=c"], "--map must be theirs=ours, one = only, not 'a=b=c'"),
        (["latin.txt"], "not 'latin.txt' (it is not UTF-8)"),
    ],
)
def test_a_map_that_cannot_be_is_one_line(
    asked: list[str], expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("lines.txt").write_text("waltz=blues\nwaltz blues\n")
    Path("latin.txt").write_bytes(b"Fran\xe7ais=blues\n")
    assert evaluate("t.csv", *(word for text in asked for word in ("--map", text))) == 2
    out, err = capfd.readouterr()
    assert expected in err
    assert (len(err.splitlines()), out) == (1, "")


def test_train_and_compare_take_a_map(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["train", "svm", "t.csv", "--out", "merged.safetensors", "--map", "techno=Ambient"]
    assert guarded(app, [*words, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["labels"] == ["ambient", "blues", "waltz"]
    words = ["compare", "t.csv", "--classifiers", "svm", "--seeds", "1", "--out", "o"]
    assert guarded(app, [*words, "--map", "techno=Ambient"]) == 0
    assert "note: tracks counted by --map: techno is ambient (16)" in capfd.readouterr().err
    assert guarded(app, [*words, "--map", "tekno=ambient"]) == 2
    assert "no track of DATA is tekno (did you mean techno?)" in capfd.readouterr().err
    message = "o was made with other settings: --map techno=Ambient instead of"
    for other, was in ((["--map", "waltz=blues"], "waltz=blues"), ([], "none")):
        assert guarded(app, [*words, *other]) == 2
        assert f"{message} {was} (give another --out)" in capfd.readouterr().err
    assert guarded(app, [*words, "--map", "Techno = ambient"]) == 0, "the same tracks"


@pytest.mark.parametrize(("columns", "fits"), [(38, False), (40, True)])
def test_few_columns_hold_all_but_the_matrix(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int, fits: bool
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert evaluate("noisy.csv") == 0
    text = capfd.readouterr().out.split("\n\n", 1)[1]
    assert max(map(len, text.splitlines())) <= columns
    assert "pink, 10 dB: " in text
    assert "  macro F1 " in text
    assert ("waltz     ." in text) == fits
    message = "matrix left out: the terminal is too narrow; --png draws it"
    assert (message in " ".join(text.split())) != fits


def test_what_a_table_holds_cannot_steer_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2Jevil"
    made = copies(rows(), [(evil, "10.0")])
    odd = [{**row, "genre": str(row["genre"]).replace("waltz", f"w{evil}")} for row in made]
    for row in odd[:5]:
        row["genre"] = evil
    write(Path("evil.csv"), odd)
    words = ("evil.csv", "--map", f"w{evil}=waltz", "--part", "all", "--seen")
    assert evaluate(*words) == 0
    out, err = capfd.readouterr()
    assert "\x1b" not in out + err
    assert "\\x1b[2Jevil" in out
    assert "\\x1b[2Jevil" in err
    assert evaluate(*words, "--json") == 0
    assert json.loads(capfd.readouterr().out)["by_noise"][0]["noise"] == evil


def read(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_predictions_are_a_row_a_track(capfd: pytest.CaptureFixture[str]) -> None:
    made = [{**row, "genre": str(row["genre"]).title()} for row in rows()]
    write(Path("titled.csv"), made)
    assert evaluate("titled.csv", "--predictions", "p.csv", "--json") == 0
    out, err = capfd.readouterr()
    found, rows_ = json.loads(out), read("p.csv")
    assert "wrote p.csv" in err
    assert list(rows_[0]) == [
        "path", "id", "noise", "snr", "genre", "predicted", "probability", "unsure",
        "verdict", "artist", "artist_heard", *(genre.title() for genre in GENRES),
    ]  # fmt: skip
    assert len(rows_) == found["tracks"]
    right = sum(row["genre"] == row["predicted"] for row in rows_) / len(rows_)
    assert right == pytest.approx(found["accuracy"])
    paths = {str(row["path"]): row["genre"] for row in made}
    threshold = Model("m.safetensors").calibration.unsure_below
    for row in rows_:
        assert row["genre"] == paths[row["path"]]
        assert row["id"] == f"name:{Path(row['path']).name}"
        shares = {genre.title(): float(row[genre.title()]) for genre in GENRES}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
        assert row["predicted"] == max(shares, key=lambda genre: shares[genre])
        assert float(row["probability"]) == shares[row["predicted"]]
        assert row["unsure"] == str(shares[row["predicted"]] < threshold).lower()
        assert row["verdict"] == ("unsure" if row["unsure"] == "true" else row["predicted"])
        assert (row["noise"], row["snr"]) == ("", "")


def test_predictions_say_whose_track_it_is_and_whether_that_artist_was_heard() -> None:
    odd = [{**row, "group": "" if n % 5 == 0 else row["group"]} for n, row in enumerate(rows())]
    new = [{**row, "path": str(row["path"]).replace(".wav", "-new.wav")} for row in odd]
    for row in new[1:4]:
        row["group"] = "nobody heard"
    write(Path("artists.csv"), new)
    assert evaluate("artists.csv", "--part", "all", "--predictions", "a.csv", "-q") == 0
    known = Model("m.safetensors").known_artists
    found = {row["path"]: row for row in read("a.csv")}
    heard = {(found[str(row["path"])]["artist"] == row["group"]) for row in new}
    assert heard == {True}
    assert {row["artist_heard"] for row in found.values() if row["artist"] == ""} == {""}
    assert found[str(new[1]["path"])]["artist_heard"] == "false"
    both = {row["artist"]: row["artist_heard"] for row in found.values() if row["artist"]}
    for artist, said in both.items():
        assert said == str(artist_id(artist) in known).lower()
    assert set(both.values()) == {"true", "false"}


def test_predictions_of_copies_say_the_noise() -> None:
    assert evaluate("noisy.csv", "--predictions", "n.csv", "--quiet") == 0
    found = {(row["noise"], row["snr"]) for row in read("n.csv")}
    assert found == {("pink", "0.0"), ("pink", "10.0"), ("white", "10.0")}


def test_a_genre_that_is_called_as_a_column_has_one_of_its_own() -> None:
    made = [{**row, "genre": str(row["genre"]).replace("waltz", "noise")} for row in rows()]
    train("svm", write(Path("odd.csv"), made), Path("odd.safetensors"))
    words = ["evaluate", "odd.safetensors", "odd.csv", "--predictions", "o.csv"]
    assert guarded(app, words) == 0
    found = read("o.csv")
    assert list(found[0])[-4:] == ["ambient", "blues", "noise (genre)", "techno"]
    assert {row["noise"] for row in found} == {""}


def test_predictions_replace_their_own_kind_only(capfd: pytest.CaptureFixture[str]) -> None:
    assert evaluate("t.csv", "--predictions", "again.csv") == 0
    first = Path("again.csv").read_bytes()
    assert evaluate("noisy.csv", "--predictions", "again.csv") == 0
    assert Path("again.csv").read_bytes() != first
    foreign = Path("t.csv").read_bytes()
    for path, code, found in (
        ("t.csv", 2, "t.csv was not written by mgrkit evaluate"),
        ("p.txt", 2, "--predictions must end in .csv, not p.txt"),
        ("none/p.csv", 2, "there is no folder none"),
        ("folder.csv", 2, "folder.csv was not written by mgrkit evaluate"),
    ):
        Path("folder.csv").mkdir(exist_ok=True)
        capfd.readouterr()
        assert evaluate("not-read.csv", "--predictions", path) == code
        assert found in capfd.readouterr().err
    assert Path("t.csv").read_bytes() == foreign


def test_predictions_are_whole_or_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert evaluate("t.csv", "--predictions", "whole.csv") == 0
    before = Path("whole.csv").read_bytes()

    def broken(path: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mgrkit.reports.verdicts.as_written", broken)
    there = set(Path().iterdir())
    assert evaluate("noisy.csv", "--predictions", "whole.csv") == 3
    assert Path("whole.csv").read_bytes() == before
    assert set(Path().iterdir()) == there
