"""Who is at work in a study's folder, and what is left by those who died there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna")

from mgrkit.errors import RunError, Stopped
from mgrkit.experiments.studyfolder import JOURNAL, StudyFolder, telling
from tests.crash.harness import ROOT

WORKER = """
import sys
from pathlib import Path
from mgrkit.experiments.studyfolder import StudyFolder
folder = StudyFolder(Path(sys.argv[1]), lambda: None)
folder.begin({"seed": 0})
held = getattr(folder, sys.argv[2])() if sys.argv[2:] else None
if held:
    held.__enter__()
print(folder.worker, flush=True)
sys.stdin.read()
"""


def other(path: Path, *words: str) -> tuple[subprocess.Popen[str], str]:
    """Another process at work in the folder, and its lease."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path), *words], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    return process, process.stdout.readline().strip()


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def begun(path: Path, check: Any = lambda: None) -> StudyFolder:
    folder = StudyFolder(path, check)
    folder.begin({"seed": 0})
    return folder


def test_a_lease_ends_with_its_process_and_not_before(tmp_path: Path) -> None:
    process, worker = other(tmp_path / "out")
    folder = begun(tmp_path / "out")
    lease = tmp_path / "out" / ".workers" / worker
    with folder.gate():
        assert folder.at_work(worker)
        assert folder.at_work(folder.worker)
        assert not folder.at_work("0123456789abcdef")
        assert not folder.at_work(None)
    assert lease.exists()
    killed(process)
    with folder.gate():
        assert not folder.at_work(worker)
    assert not lease.exists()
    folder.close()
    assert not list(lease.parent.iterdir())


@pytest.mark.parametrize("held", ["gate", "ending"])
def test_one_process_at_a_time_and_the_next_when_it_dies(tmp_path: Path, held: str) -> None:
    class Waited(Exception):  # noqa: N818
        pass

    waits = []

    def check() -> None:
        waits.append(1)
        if len(waits) == 3:
            raise Waited

    folder = begun(tmp_path / "out", check)
    process, _ = other(tmp_path / "out", held)
    with pytest.raises(Waited), getattr(folder, held)():
        pytest.fail("the other has it")
    killed(process)
    with getattr(folder, held)():
        assert len(waits) == 3
    folder.close()


def test_who_waits_can_be_stopped(tmp_path: Path) -> None:
    def check() -> None:
        raise Stopped("stopped")

    folder = begun(tmp_path / "out", check)
    process, _ = other(tmp_path / "out", "gate")
    with pytest.raises(Stopped), folder.gate():
        pytest.fail("the other has it")
    killed(process)
    folder.close()


@pytest.mark.parametrize("torn", [b'{"op_code":0,"wor', b"x" * 10_000])
def test_what_was_half_written_is_cut_off_before_the_next_line(tmp_path: Path, torn: bytes) -> None:
    folder = begun(tmp_path / "out")
    with folder.gate():
        folder.study("search")
    journal = tmp_path / "out" / JOURNAL
    whole = journal.read_bytes()
    journal.write_bytes(whole + torn)
    again = begun(tmp_path / "out")
    with again.gate():
        study = again.study("search")
        assert journal.read_bytes() == whole + torn, "reading changes nothing"
        study.enqueue_trial({"x": 1})
    assert journal.read_bytes().startswith(whole + b'{"op_code":4')
    for one in (folder, again):
        one.close()


def test_a_process_killed_before_it_wrote_anything_leaves_nothing_in_the_way(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".lock").touch()
    (out / ".0123456789abcdef.tmp").write_text("{")
    folder = begun(out)
    assert sorted(path.name for path in out.iterdir()) == [".lock", ".workers", "settings.json"]
    folder.close()


def test_what_the_system_refuses_is_said_in_one_line(tmp_path: Path) -> None:
    words = "cannot write to .*: Permission denied"
    with pytest.raises(RunError, match=words), telling(tmp_path):
        raise PermissionError(13, "Permission denied")
