"""What is not there ends each command alike: 2 for a model or an option, 3 for input, 1 for one
file of several; a reader that goes away ends it with 141."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from mgrkit.cli.app import app
from mgrkit.cli.group import COMMANDS
from mgrkit.cli.terminal.errors import guarded

NOT_THERE = {
    "augment": {
        2: ["audio out --noise none.wav", "audio out --noise none/"],
        3: ["none out", "none.wav out", "audio out --files-from none.txt",
            "audio out --files-from0 none.txt", "audio out --files-from all-gone.txt"],
        1: ["audio out --files-from one-gone.txt"],
    },
    "spectrograms": {
        2: ["audio out --kind none", "audio out --cmap none"],
        3: ["none out", "none.wav out", "audio out --files-from none.txt",
            "audio out --files-from0 none.txt", "audio out --files-from all-gone.txt"],
        1: ["audio out --files-from one-gone.txt"],
    },
    "features": {
        2: ["audio f.csv --set none", "audio f.csv --device none"],
        3: ["none f.csv", "none.wav f.csv", "audio f.csv --files-from none.txt",
            "audio f.csv --files-from0 none.txt", "audio f.csv --files-from all-gone.txt",
            "audio f.csv --set musicnn-tags"],
        1: ["audio f.csv --files-from one-gone.txt"],
    },
    "merge": {2: ["audio", "out audio"], 3: ["none", "none.csv", "out none"]},
    "show": {2: ["audio/a.wav --out none/a.png"], 3: ["none.wav"]},
    "train": {
        2: ["none audio --out m.safetensors", "svm audio --out none/m.safetensors",
            "svm audio --out m.safetensors --set none",
            "svm audio --out m.safetensors --split none",
            "svm audio --out m.safetensors --param none=1"],
        3: ["svm none --out m.safetensors", "svm none.csv --out m.safetensors",
            "svm empty --out m.safetensors", "svm audio --out m.safetensors --set musicnn-tags"],
    },
    "evaluate": {
        2: ["none audio", "none.safetensors audio", "svm audio --part none",
            "svm audio --png none/c.png", "svm audio --predictions none/p.csv",
            "svm audio --map none"],
        3: ["svm none", "svm none.csv", "svm empty", "musicnn audio"],
    },
    "predict": {
        2: ["audio --model none", "audio --model none.safetensors",
            "audio --model svm --resume none/r.jsonl", "--model svm",
            "audio --model svm --csv --pieces none/p.csv"],
        3: ["none.wav --model svm", "none1.wav none2.wav --model svm", "none --model svm",
            "empty --model svm", "--files-from none.txt --model svm",
            "--files-from0 none.txt --model svm", "--files-from all-gone.txt --model svm",
            "audio --model musicnn"],
        1: ["audio/a.wav none.wav --model svm"],
    },
    "tag": {
        2: ["audio --model none", "--model svm", "audio --model svm --map none",
            "audio --model svm --undo-file none/u.jsonl"],
        3: ["none.wav --model svm", "none --model svm", "empty --model svm",
            "--files-from none.txt --model svm", "--files-from0 none.txt --model svm",
            "--files-from all-gone.txt --model svm", "audio --model musicnn",
            "--undo none.jsonl"],
        1: ["audio/a.wav none.wav --model svm"],
    },
    "tune": {
        2: ["none audio --trials 2", "svm audio --trials 2 --space one-gone.txt",
            "svm audio --trials 2 --param none=1", "svm audio --trials 2 --out none/out",
            "svm audio --trials 2 --split none", "svm audio --trials 2 --set none"],
        3: ["svm none --trials 2", "svm none.csv --trials 2", "svm empty --trials 2",
            "svm audio --trials 2 --space none.toml"],
    },
    "vote": {
        2: ["svm none --out v.safetensors", "svm svm --out v.safetensors",
            "svm cnn --out none/v.safetensors", "svm cnn --out v.safetensors --rule none"],
    },
    "compare": {
        2: ["audio --classifiers none", "audio --set none", "audio --split none",
            "audio --part none", "audio --out none/out", "audio --param none.C=1"],
        3: ["none", "none.csv", "audio none", "empty"],
    },
    "data": {
        2: ["import none audio", "import folder audio none.txt", "cite none",
            "check audio none/c.csv", "audit audio --seeds 2",
            "audit audio --inflation none", "split audio none/s.csv", "split audio s.txt",
            "split audio s.csv --split none", "split audio s.csv --ratio 1",
            "convert audio out --to none"],
        3: ["import folder none", "import table none.csv", "import gtzan empty",
            "check none", "check empty", "audit none", "audit none.csv", "audit empty",
            "audit none.csv --inflation svm", "split none s.csv", "split none.csv s.csv",
            "split empty s.csv", "split audio s.csv --keep none.csv", "convert none out",
            "convert none.wav out"],
        1: ["convert audio out --files-from one-gone.txt"],
    },
    "explore": {
        2: ["audio --out none/x", "audio --out x --plots none", "audio --out x --set none"],
        3: ["none --out x", "none.csv --out x", "empty --out x"],
    },
    "report": {
        2: ["empty", "audio/a.wav", "empty --sound none", "audio/a.wav --out none/r.html"],
        3: ["none", "none.csv", "none.jsonl", "none.safetensors"],
    },
    "duplicates": {
        2: ["audio --out none/d.csv", "audio --resume none/d.jsonl"],
        3: ["none", "none.wav", "empty", "audio --files-from none.txt"],
    },
    "demo": {},
    "classifiers": {2: ["none"]},
    "plugins": {2: ["none"]},
    "doctor": {2: ["none"]},
    "models": {2: ["none", "fetch none", "fetch musicnn --weights none.whl"]},
}  # fmt: skip
CALLS = [
    (f"{command} {words}", code)
    for command, codes in NOT_THERE.items()
    for code, calls in codes.items()
    for words in calls
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "audio").mkdir()
    tone = (9000 * np.sin(np.arange(22050) / 20)).astype("<i2")
    with wave.open(str(tmp_path / "audio" / "a.wav"), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes(tone.tobytes())
    (tmp_path / "one-gone.txt").write_text("a.wav\nnone.wav\n")
    (tmp_path / "all-gone.txt").write_text("none1.wav\nnone2.wav\n")
    return tmp_path


def test_every_command_is_here() -> None:
    assert set(NOT_THERE) == set(COMMANDS)


@pytest.mark.parametrize(("call", "code"), CALLS)
def test_what_is_not_there(
    place: Path, capfd: pytest.CaptureFixture[str], call: str, code: int
) -> None:
    assert guarded(app, call.split()) == code
    output = capfd.readouterr().err
    assert "Traceback" not in output
    if code != 1:
        assert output.startswith("mgrkit: ")
        assert output.count("\n") == 1


PRINTING = [
    "--help", "--version", "--show-completion bash", *(f"{name} --help" for name in COMMANDS),
    "plugins", "classifiers", "classifiers svm --json", "models", "models --json", "doctor",
    "augment audio out --json", "spectrograms audio out --json", "features audio f.csv --json",
    "show audio/a.wav --json", "predict audio --model svm", "predict audio --model svm --json",
    "predict audio --model svm --jsonl", "predict audio --model svm --csv",
]  # fmt: skip


@pytest.mark.parametrize("call", PRINTING)
def test_a_reader_that_goes_away_ends_it_quietly(
    place: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")  # bash is named
    reader, writer = os.pipe()
    os.close(reader)
    quiet = ["--quiet"] if "audio" in call else []
    words = [sys.executable, "-m", "mgrkit", *call.split(), *quiet]
    done = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 141
