"""A full and a read-only disk, on a small tmpfs; skipped where mounting is not allowed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_commands import files, mgrkit, table, tone
from tests.datasets.made_tables import write
from tests.experiments.toy_tuned import CODE, made
from tests.registry.fakes import installed_site


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    point = tmp_path / "disk"
    point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", os.fspath(point)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    yield point
    subprocess.run(["umount", "-l", point], check=True)


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    for number in range(8):
        tone(tmp_path / "audio" / f"{number}.wav", seconds=6, hz=200 + 100 * number)
    return tmp_path / "audio"


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_a_full_disk_ends_the_run_and_loses_nothing(
    audio: Path, disk: Path, tmp_path: Path, capfd, kind
) -> None:
    words = ["--format", kind, "--workers", 2]
    out = disk / "noisy"
    assert mgrkit("augment", audio, out, *words) == 3
    error = capfd.readouterr().err
    assert "disk is full" in error
    assert "make room, then run the same command again" in error
    there = files(out) - {"tracks.csv"}
    assert 0 < len(there) < 8
    assert not any((out / ".mgrkit" / "tmp").iterdir())
    subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
    assert mgrkit("augment", audio, out, *words) == 0
    assert f"{8 - len(there)} made, {len(there)} kept" in capfd.readouterr().err
    assert mgrkit("augment", audio, tmp_path / "reference", *words) == 0
    for name in files(out):
        assert (out / name).read_bytes() == (tmp_path / "reference" / name).read_bytes()
    assert len(table(out)) == 8


def test_a_search_on_a_full_disk_ends_and_then_goes_on(
    disk: Path, tmp_path: Path, capfd, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("optuna")
    write(tmp_path / "t.csv", made())
    (tmp_path / "site").mkdir()
    words = ["tune", "quick", tmp_path / "t.csv", "--trials", 20, "--outer", 0, "--json", "--out"]
    with installed_site(tmp_path / "site", monkeypatch) as site:
        site.install("toys", CODE)
        room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
        (disk / "filler").write_bytes(bytes(room - 32_768))
        assert mgrkit(*words, disk / "out") == 3
        error = capfd.readouterr().err
        assert "disk is full" in error
        assert "make room, then run the same command again" in error
        before = (disk / "out" / "study.jsonl").read_bytes()
        assert before.count(b"\n") > 20, "in the middle, not at the beginning"
        (disk / "filler").unlink()
        assert mgrkit(*words, disk / "out") == 0
        told = json.loads(capfd.readouterr().out)
        whole = before[: before.rindex(b"\n") + 1]
        assert (disk / "out" / "study.jsonl").read_bytes().startswith(whole)
        assert mgrkit(*words, tmp_path / "reference") == 0
        reference = json.loads(capfd.readouterr().out)
    assert told["inner"] == reference["inner"]
    assert told["parameters"] == reference["parameters"]


def test_a_read_only_disk_is_told(audio: Path, disk: Path, capfd) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert mgrkit("spectrograms", audio, disk / "out") == 3
    assert "read-only" in capfd.readouterr().err.lower()
    assert files(disk) == set()
