"""The folder of a training run."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgrkit.errors import RunError
from mgrkit.experiments.records import LOCK
from mgrkit.experiments.runfolder import RunFolder
from mgrkit.files.lock import locked


def test_what_a_killed_run_had_half_written_is_deleted_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "m.run"
    with RunFolder(path) as folder:
        folder.begin({"seed": 0}, replace=False)
    (path / "model").mkdir()
    (path / "model" / ".1f2e.tmp").write_bytes(b"half")
    (path / "model" / "metrics.csv").write_text("epoch")
    with RunFolder(path) as folder:
        folder.begin({"seed": 0}, replace=False)
    assert sorted(one.name for one in path.rglob("*") if one.is_file()) == [
        ".lock", "metrics.csv", "settings.json"
    ]  # fmt: skip


def test_one_that_has_just_begun_is_at_work_there_and_nothing_else(tmp_path: Path) -> None:
    """It holds the lock, and its settings are half written."""
    path = tmp_path / "m.run"
    path.mkdir()
    (path / ".0123456789abcdef.tmp").write_text("{")
    busy = pytest.raises(RunError, match="another process is training in")
    with locked(path / LOCK), RunFolder(path) as folder, busy:
        folder.begin({"seed": 0}, replace=False)
    assert (path / ".0123456789abcdef.tmp").exists()
