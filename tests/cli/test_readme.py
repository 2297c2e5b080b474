"""The README's commands run, in its order, and its first two are what they say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.errors import guarded
from tests.cli.test_commands import tone

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


@pytest.mark.torch
def test_the_commands_and_the_python_of_the_readme_run(
    tmp_path: Path, monkeypatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    tone(tmp_path / "rain.wav", seconds=2)
    try_it, songs, test_it, *examples = blocks("sh")
    assert try_it.rstrip().endswith(".venv/bin/mgrkit demo --quick")
    assert songs.splitlines()[1].startswith(".venv/bin/mgrkit predict")
    assert test_it.rstrip().endswith(".venv/bin/pytest")
    examples.insert(0, songs.replace(".venv/bin/", ""))
    script = [sys.executable, os.fspath(ROOT / "examples" / "make_music.py"), "--seconds", "4"]
    subprocess.run(script, check=True, stdout=subprocess.DEVNULL)
    lines = [line.partition("#")[0] for block in examples for line in block.splitlines()]
    calls = [shlex.split(line)[1:] for line in lines if line.startswith("mgrkit ")]
    assert len(calls) >= 16
    if not have_ears(request):
        calls = [call for call in calls if "musicnn" not in " ".join(call) and "tags." not in call]
    for call in calls:
        if "images_original" in call and not Path("images_original").exists():
            shutil.copytree("spectrograms", "images_original")
        call = [re.sub(r"^epochs=\d+$", "epochs=1", word) for word in call]
        assert guarded(app, [*call, *few_epochs(call)]) == 0, call
    for block in blocks("python"):
        subprocess.run([sys.executable, "-c", block], check=True, cwd=tmp_path)


def test_ci_runs_the_readme_s_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    extract = re.search(r'"\$\((sed .*)\)"', script)
    assert extract
    command = subprocess.run(
        ["bash", "-c", extract[1]], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout
    assert command == blocks("sh")[2]
