"""The folder of a training run."""

from __future__ import annotations

from pathlib import Path

from mgrkit.experiments.runfolder import RunFolder


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
