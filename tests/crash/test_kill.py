"""SIGKILL at random moments; 20 kills here, MGRKIT_KILLS of them in a nox session."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.batch import toys
from tests.batch.test_engine import go, table, tree
from tests.crash import harness


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = toys.fill(tmp_path / "in", harness.ITEMS)
    for path in source.iterdir():
        path.write_text(path.read_text() + " slow")
    return source


def test_killed_at_random_moments_it_ends_in_the_same_tree(source: Path, tmp_path: Path) -> None:
    kills = int(os.environ.get("MGRKIT_KILLS", "20"))
    seed = int(os.environ.get("MGRKIT_SEED", "1"))
    out = tmp_path / "out"
    assert harness.torture(harness.ENGINE, source, out, kills, seed) == kills
    go(source, tmp_path / "reference")
    assert tree(out) == tree(tmp_path / "reference")


def test_a_naive_writer_fails_the_same_harness(source: Path, tmp_path: Path) -> None:
    with pytest.raises(harness.BrokenPromiseError):
        harness.torture(harness.NAIVE, source, tmp_path / "out", 20, seed=1)


def test_a_crash_and_a_hang_among_a_thousand_end_as_two_rows(tmp_path: Path) -> None:
    source, out = toys.fill(tmp_path / "in", 1000), tmp_path / "out"
    (source / "00300").write_text("abort")
    (source / "00600").write_text("hang")
    script = harness.ENGINE.replace("Options(16)", "Options(16, timeout=3)")
    command = [sys.executable, "-c", script, str(source), str(out)]
    first = subprocess.run(command, cwd=harness.ROOT, stderr=subprocess.DEVNULL, timeout=60)
    assert first.returncode == -6, "the process was aborted natively"
    second = subprocess.run(command, cwd=harness.ROOT, stderr=subprocess.DEVNULL, timeout=60)
    assert second.returncode == 1
    rows = table(out)
    failures = {row["source"]: row["reason"].partition(":")[0] for row in rows if row["reason"]}
    assert failures == {"00300": "crashed", "00600": "timeout"}
    assert len(tree(out)) == 998 + 1


def test_both_commands_end_in_the_same_tree_however_often_they_are_killed(tmp_path: Path) -> None:
    music = [sys.executable, "examples/make_music.py", str(tmp_path / "audio"), "--songs", "12"]
    subprocess.run(music, cwd=harness.ROOT, stdout=subprocess.DEVNULL, check=True)
    noise = ["--noise", "white", "--noise", "pink", "--snr", "0", "--snr", "20"]

    def commands(name: str) -> list[list[str]]:
        base = [sys.executable, "-m", "mgrkit"]
        noisy, pictures = str(tmp_path / name / "noisy"), str(tmp_path / name / "pictures")
        return [
            [*base, "augment", str(tmp_path / "audio"), noisy, *noise, "-q"],
            [*base, "spectrograms", noisy, pictures, "-q"],
        ]

    rng = random.Random(3)
    for command in commands("killed"):
        for _ in range(3):
            process = subprocess.Popen(command, cwd=harness.ROOT)
            time.sleep(rng.uniform(0.3, 1.2))
            process.kill()
            process.wait()
        subprocess.run(command, cwd=harness.ROOT, check=True)
    for command in commands("whole"):
        subprocess.run(command, cwd=harness.ROOT, check=True)
    for part in ("noisy", "pictures"):
        assert tree(tmp_path / "killed" / part) == tree(tmp_path / "whole" / part)
