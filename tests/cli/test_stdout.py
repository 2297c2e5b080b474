"""Standard output is for results, whatever plugins print."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from mgrkit.cli.terminal.stdout import results, results_only
from tests.datasets.made_tables import rows, write


def test_prints_of_all_threads_go_to_stderr_and_results_to_stdout(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert results() is sys.stdout
    with results_only(), results_only():
        thread = threading.Thread(target=print, args=("from a thread",))
        thread.start()
        thread.join()
        print("chatter", flush=True)
        print("{}", file=results())
    print("after")
    shown = capsys.readouterr()
    assert shown.out == "{}\nafter\n"
    assert shown.err == "from a thread\nchatter\n"


def test_stdout_comes_back_after_an_error() -> None:
    before = sys.stdout
    with pytest.raises(KeyError), results_only():
        raise KeyError
    assert sys.stdout is before
    assert results() is before


def test_it_follows_a_stderr_that_is_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with results_only():
        assert sys.stdout.encoding == sys.stderr.encoding
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", None)
            print("nowhere", flush=True)
        print("here")
    assert capsys.readouterr().err == "here\n"


@pytest.mark.parametrize(
    "words", ["doctor --help", "plugins", "plugins --json", "models", "classifiers", "train -h"]
)
@pytest.mark.parametrize(
    ("into", "why"), [(">&-", "stdout is closed"), (">/dev/full", "no space left on device")]
)
def test_what_cannot_be_printed_is_one_sentence(words: str, into: str, why: str) -> None:
    line = f"{sys.executable} -m mgrkit {words} {into}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.stderr == f"mgrkit: the results cannot be printed: {why}\n"
    assert done.returncode == 3


@pytest.mark.parametrize("closed", ["2>&-", "2>&- <&-", "0<&- 2>&-"])
def test_nobody_who_hears_words_is_no_error(tmp_path: Path, closed: str) -> None:
    write(tmp_path / "f.csv", rows(artists=5, songs=3, spread=4.0))
    line = f"{sys.executable} -m mgrkit train svm f.csv --out m.safetensors {closed}"
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "wrote m.safetensors" in done.stdout


NAMES = ("plain.wav", "\u00e4.wav", "\u6f14.wav")


def printed(folder: Path, encoding: str, *words: str) -> str:
    """What the command prints there; it must end with 0."""
    done = subprocess.run(
        [sys.executable, "-m", "mgrkit", *words],
        cwd=folder, env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.decode(encoding)


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names")
    tone = (np.sin(np.arange(2 * 22050) / 20) * 9000).astype("<i2")
    for name in NAMES:
        with wave.open(str(folder / name), "wb") as file:
            file.setparams((1, 2, 22050, 0, "NONE", ""))
            file.writeframes(tone.tobytes())
    return folder


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", {"plain.wav", "\\xe4.wav", "\\u6f14.wav"}),
        ("cp1252", {"plain.wav", "\u00e4.wav", "\\u6f14.wav"}),
        ("utf-8", set(NAMES)),
    ],
)
def test_every_file_has_its_line_whatever_the_encoding_lacks(
    songs: Path, encoding: str, shown: set[str]
) -> None:
    def predicted(*words: str) -> str:
        return printed(songs, encoding, "predict", *NAMES, "--model", "svm", *words)

    assert {line.partition(": ")[0] for line in predicted().splitlines()} == shown
    assert {row["path"] for row in csv.DictReader(io.StringIO(predicted("--csv")))} == shown
    if encoding == "ascii":  # JSON is in every encoding
        assert [one["path"] for one in json.loads(predicted("--json"))] == list(NAMES)
        lines = predicted("--jsonl").splitlines()
        assert {json.loads(line)["path"] for line in lines} == set(NAMES)


def test_genres_and_names_of_models_are_printed_escaped(tmp_path: Path) -> None:
    made = rows(artists=5, songs=3, spread=4.0)
    for row in made:
        row["genre"] = f"\u6f14 {row['genre']}"
    write(tmp_path / "f.csv", made)
    model = "\u00e4.safetensors"
    words = ("train", "svm", "f.csv", "--split", "random", "--out", model)
    assert "wrote \\xe4.safetensors" in printed(tmp_path, "ascii", *words)
    words = ("evaluate", model, "f.csv", "--seen")
    assert "\\u6f14 " in printed(tmp_path, "ascii", *words)
    words = ("compare", "f.csv", "--classifiers", "svm", "--seeds", "1", "--out", "\u00e4")
    assert "wrote \\xe4/compare.csv" in printed(tmp_path, "ascii", *words)
