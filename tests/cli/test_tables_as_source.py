"""SRC and DATA as a table of files, or as a folder with a table from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cli.test_commands import files, mgrkit, table, tone

FEW = """path,genre,artist,status,duplicate_of,mood
high/a.wav,bright,Ann,ok,,glad
high/b.wav,bright,Bob,,,
low/c.wav,dark,Cid,failed,,
low/d.wav,dark,Dan,ok,low/c.wav,
"""
GONE = "low/gone.wav,dark,Eve,,,\n"
SAID = "passed over: 1 duplicate, 1 failed"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with four tones in ``audio``, and tables of them in it and beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    for number, path in enumerate(("high/a", "high/b", "low/c", "low/d"), 1):
        tone(Path(f"audio/{path}.wav"), hz=300 * number)
    Path("audio/some.csv").write_text(FEW + GONE)
    Path("elsewhere.csv").write_text(FEW)
    return tmp_path


def made(command: str, source: str, out: str, *words: str) -> tuple[int, list[dict[str, str]]]:
    """The exit code and the rows of what a command makes."""
    if command != "features":
        return mgrkit(command, source, out, *words), table(Path(out))
    code = mgrkit(command, source, f"{out}.csv", *words)
    return code, pl.read_csv(f"{out}.csv", infer_schema=False).fill_null("").to_dicts()


def columns(rows: list[dict[str, str]]) -> list[tuple[str, ...]]:
    names = ("source", "genre", "group", "mood", "status")
    return sorted(tuple(row[name] for name in names) for row in rows)


OK = [
    ("high/a.wav", "bright", "Ann", "glad", "ok"),
    ("high/b.wav", "bright", "Bob", "", "ok"),
]


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("command", ["augment", "spectrograms", "features"])
def test_the_files_of_its_rows_are_taken(
    command: str, form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if form == "parquet":
        pl.read_csv("audio/some.csv").write_parquet("audio/some.parquet")
    code, rows = made(command, f"audio/some.{form}", "out")
    assert code == 1, "one file is not there"
    assert columns(rows) == [*OK, ("low/gone.wav", "dark", "Eve", "", "failed")]
    assert next(row for row in rows if row["status"] == "failed")["reason"].startswith("missing: ")
    assert SAID in capfd.readouterr().err


@pytest.mark.parametrize("command", ["augment", "spectrograms", "features"])
def test_a_folder_goes_with_a_table_from_elsewhere(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, rows = made(command, "audio", "out", "--table", "elsewhere.csv")
    assert (code, columns(rows)) == (0, OK)
    assert SAID in capfd.readouterr().err
    Path("audio/same.csv").write_text(FEW)
    code, again = made(command, "audio/same.csv", "out", "--json")
    assert json.loads(capfd.readouterr().out)["made"] == 0, "the same files, the same rows"
    assert again == rows


@pytest.mark.parametrize("command", ["augment", "spectrograms", "features"])
def test_of_a_folders_own_table_what_failed_is_passed_over(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("audio/tracks.csv").write_text(FEW.replace("high/b.wav,", "high/other.wav,"))
    code, rows = made(command, "audio", "out")
    assert code == 0
    assert [row["source"] for row in rows] == ["high/a.wav", "high/b.wav"]
    assert [row["genre"] for row in rows] == ["bright", "high"]
    assert SAID in capfd.readouterr().err


def test_a_list_chooses_among_the_rows() -> None:
    Path("list.txt").write_text("high/b.wav\n")
    code, rows = made("augment", "audio/some.csv", "out", "--files-from", "list.txt")
    assert (code, columns(rows)) == (0, OK[1:])


@pytest.mark.parametrize("outside", ["../x.wav", "/x.wav", "high/../../x.wav"])
def test_no_output_is_made_outside_out(outside: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("audio/t.csv").write_text(f"path\nhigh/a.wav\n{outside}\n")
    assert mgrkit("augment", "audio/t.csv", "out") == 2
    assert f"names a file outside its folder: {outside}" in capfd.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("call", "code", "message"),
    [
        ("augment audio out --table none.csv", 3, "there is no table none.csv"),
        ("augment audio out --table list.txt", 2, "--table is no table"),
        ("augment audio/high/a.wav out --table elsewhere.csv", 2, "--table goes with a folder"),
        ("augment audio/some.csv out --table elsewhere.csv", 2, "--table goes with a folder"),
        ("augment empty.csv out", 3, "empty.csv lists no files"),
        ("augment bare.csv out", 2, "bare.csv has no column path, but genre"),
        ("augment wide.csv out", 2, "UTF-16"),
        ("augment latin.csv out", 2, "cannot be read"),
        ("augment broken.parquet out", 3, "cannot read broken.parquet"),
        ("augment gone.csv out", 3, "none of the 1 files of gone.csv is in ."),
        ("augment audio out --table out/tracks.csv", 2, "written over SRC's"),
        ("features audio elsewhere.csv --table elsewhere.csv", 2, "written over SRC's"),
        ("spectrograms --table elsewhere.csv", 2, "--table goes with one SRC"),
        ("predict audio noisy --table elsewhere.csv", 2, "one folder, 2 are given"),
        ("predict audio/high/a.wav --table elsewhere.csv", 2, "one folder, none is given"),
        ("predict bare.csv", 2, "bare.csv has no column path"),
        ("train svm elsewhere.csv --table elsewhere.csv -o m.safetensors", 2,
         "--table goes with a folder"),
        ("evaluate svm elsewhere.csv --table elsewhere.csv", 2, "one folder, none is given"),
        ("compare audio noisy --table elsewhere.csv", 2, "one folder, 2 are given"),
        ("train svm empty.csv -o m.safetensors", 3, "empty.csv lists no files"),
    ],
)  # fmt: skip
def test_what_is_refused(
    call: str, code: int, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("noisy").mkdir()
    Path("list.txt").write_text("high/a.wav\n")
    Path("empty.csv").write_text("path,genre\n")
    Path("gone.csv").write_text("path\nx.wav\n")
    Path("bare.csv").write_text("genre\njazz\n")
    Path("wide.csv").write_text("path\na.wav\n", encoding="utf-16")
    Path("latin.csv").write_text("path\né.wav\n", encoding="latin-1")
    Path("broken.parquet").write_text("words")
    Path("out").mkdir()
    Path("out/tracks.csv").write_text(FEW)
    assert mgrkit(*call.split()) == code
    assert message in capfd.readouterr().err
    assert Path("elsewhere.csv").read_text() == FEW


def predicted(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[list[dict[str, Any]], str]:
    mgrkit("predict", *words, "--model", "svm", "--jsonl")
    out, err = capfd.readouterr()
    return sorted(map(json.loads, out.splitlines()), key=lambda row: row["path"]), err


def test_predict_judges_the_files_of_a_table(capfd: pytest.CaptureFixture[str]) -> None:
    rows, err = predicted(capfd, "audio/some.csv")
    assert [row["path"] for row in rows] == [
        "audio/high/a.wav", "audio/high/b.wav", "audio/low/gone.wav",
    ]  # fmt: skip
    assert "error" in rows[2]
    assert SAID in err
    rows, err = predicted(capfd, "audio", "--table", "elsewhere.csv")
    assert [row["path"] for row in rows] == ["audio/high/a.wav", "audio/high/b.wav"]
    assert SAID in err


@pytest.fixture
def collection() -> str:
    """The text of a table of 16 tones of two genres in ``audio``, each of its own artist."""
    lines = ["path,genre,artist,status,duplicate_of"]
    for number in range(16):
        genre = ("bright", "dark")[number % 2]
        tone(Path(f"audio/{number}.wav"), seconds=1, hz=200 + 1000 * (number % 2) + 10 * number)
        lines.append(f"{number}.wav,{genre},artist {number},,")
    tone(Path("audio/16.wav"), seconds=1)
    lines += ["16.wav,dark,x,failed,", "17.wav,dark,x,,5.wav", "gone.wav,dark,y,,"]
    return "\n".join(lines) + "\n"


def test_train_evaluate_and_compare_take_both(
    collection: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("t.csv").write_text(collection)
    Path("audio/t.csv").write_text(collection)
    assert mgrkit("train", "svm", "audio/t.csv", "-o", "a.safetensors", "--json") == 1
    one = json.loads(capfd.readouterr().out)
    assert mgrkit("train", "svm", "audio", "--table", "t.csv", "-o", "b.safetensors", "--json") == 1
    other = json.loads(capfd.readouterr().out)
    assert sum(one["tracks"].values()) == sum(other["tracks"].values()) == 16
    assert one["metrics"] == other["metrics"]
    assert any("passed over: 1 duplicate, 1 failed" in note for note in other["notes"])
    assert any("1 missing" in note for note in other["notes"])
    call = ["evaluate", "a.safetensors", "audio", "--table", "t.csv", "--json", "--part", "all"]
    assert mgrkit(*call) == 1
    assert json.loads(capfd.readouterr().out)["dropped_as_seen"] > 0
    call = ["compare", "audio", "--table", "t.csv", "--classifiers", "svm", "--seeds", "1"]
    assert mgrkit(*call, "--json") == 1
    assert json.loads(capfd.readouterr().out)["split"] == "grouped split"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0.wav,dark,artist 0,,", "t.csv: 0.wav has two genres, bright and dark"),
        ("0.wav,dark,artist 0,,\n2.wav,dark,artist 0,,", "bright and dark; 1 more like it"),
    ],
)
def test_a_path_of_two_genres_is_refused_where_it_matters(
    collection: str, line: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("audio/t.csv").write_text(f"{collection}{line}\n")
    assert mgrkit("train", "svm", "audio/t.csv", "-o", "m.safetensors") == 2
    assert message in capfd.readouterr().err
    mgrkit("augment", "audio/t.csv", "out")
    assert message in capfd.readouterr().err, "said, where it does not matter"


def test_a_path_of_two_parts_is_refused_and_one_genre_in_two_spellings_is_not(
    collection: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("audio/t.csv").write_text(f"{collection}0.wav,BRIGHT,artist 0,,\n1.wav,Dark,,,\n")
    assert mgrkit("train", "svm", "audio/t.csv", "-o", "m.safetensors") == 1
    assert "of 2 repeated paths the last row counts" in capfd.readouterr().err
    Path("audio/p.csv").write_text("path,genre,split\n0.wav,bright,train\n0.wav,bright,test\n")
    assert mgrkit("train", "svm", "audio/p.csv", "-o", "n.safetensors") == 2
    assert "p.csv: 0.wav has two splits, train and test" in capfd.readouterr().err


def test_of_a_folder_data_what_its_table_says_failed_is_left_out(collection: str) -> None:
    Path("audio/tracks.csv").write_text(collection)
    for path in ("high/a", "high/b", "low/c", "low/d"):
        Path(f"audio/{path}.wav").unlink()
    assert mgrkit("train", "svm", "audio", "-o", "m.safetensors", "--quiet") == 0
    assert not files(Path()) >= {"n.safetensors"}
