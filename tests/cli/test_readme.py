"""The README's commands run, in its order, and its first two are what they say."""

from __future__ import annotations

import dataclasses
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands import demo
from mgrkit.tracks.splits import PARTS

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def few_epochs(call: list[str]) -> list[str]:
    """One epoch is enough to see that a command is right."""
    networks = ("cnn", "crnn", "vit")
    if call[0] == "compare":
        asked = [n for n in networks if n in call[call.index("--classifiers") + 1].split(",")]
        return [word for n in asked for word in ("--param", f"{n}.epochs=1")]
    if call[0] != "train" or call[1] not in networks or "epochs=1" in call:
        return []
    return ["--param", "epochs=1"]


def have_ears(request: pytest.FixtureRequest) -> bool:
    """Whether the real weights of musicnn can be had."""
    try:
        request.getfixturevalue("ears")
    except pytest.skip.Exception:
        return False
    return True


def commands(block: str) -> list[list[str]]:
    """The words of each command that a person types."""
    return [
        shlex.split(command, comments=True)
        for line in block.splitlines()
        for command in line.split(" && ")
    ]


@pytest.mark.torch
def test_the_commands_and_the_python_of_the_readme_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """In order, each where it is typed: from the first one on, a demo of less music.

    Not run: what installs, and what needs the weights of musicnn where they are not at hand. What
    torchrun is to run in several processes runs in one.
    """
    monkeypatch.chdir(tmp_path)
    little = dataclasses.replace(demo.QUICK, songs=3, seconds=4.0, parts=PARTS)
    monkeypatch.setattr(demo, "QUICK", little)
    try_it, songs, test_it, *examples = blocks("sh")
    assert try_it.rstrip().endswith(" && .venv/bin/mgrkit demo --quick")
    assert test_it.rstrip().endswith(" && .venv/bin/pytest")
    typed = [words for block in (try_it, songs, *examples) for words in commands(block)]
    ears = have_ears(request)
    run = 0
    for program, *call in typed:
        if program == "cd":
            monkeypatch.chdir(call[0])
        if program == "torchrun":  # tests/compute/test_ranks.py has several processes
            program, call = "mgrkit", call[call.index("mgrkit") + 1 :]
        if program.removeprefix(".venv/bin/") != "mgrkit":
            assert program in ("cd", ".", "python3", ".venv/bin/pip")
            continue
        if not ears and ("musicnn" in " ".join(call) or "tags." in " ".join(call)):
            continue
        if "images_original" in call and not Path("images_original").exists():
            shutil.copytree("spectrograms", "images_original")
        call = [re.sub(r"^epochs=\d+$", "epochs=1", word) for word in call]
        assert guarded(app, [*call, *few_epochs(call)]) == 0, call
        run += 1
    assert run >= 25
    for block in blocks("python"):
        subprocess.run([sys.executable, "-c", block], check=True)


def test_ci_runs_the_readme_s_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    extract = re.search(r'"\$\((sed .*)\)"', script)
    assert extract
    command = subprocess.run(
        ["bash", "-c", extract[1]], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout
    assert command == blocks("sh")[2]
