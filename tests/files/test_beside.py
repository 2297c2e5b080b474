"""A copy beside a file that takes its place, with all that the file had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mgrkit.errors import ItemError
from mgrkit.files import beside as beside_module
from mgrkit.files.beside import Beside, check_replaceable, copy_name, delete_left


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "song.mp3"
    path.write_bytes(b"old")
    return path


def test_it_keeps_mode_and_times_and_attributes(path: Path) -> None:
    path.chmod(0o640)
    os.utime(path, ns=(10**18, 2 * 10**18))
    try:
        os.setxattr(path, "user.rating", b"5")
    except (OSError, AttributeError):
        pytest.skip("no extended attributes here")
    beside = Beside(path)
    beside.copy.write_bytes(b"new")
    beside.take_over(path.stat().st_mtime_ns)
    beside.put()
    status = path.stat()
    assert path.read_bytes() == b"new"
    assert (status.st_mode & 0o7777, status.st_mtime_ns) == (0o640, 2 * 10**18)
    assert os.getxattr(path, "user.rating") == b"5"
    assert [one.name for one in path.parent.iterdir()] == ["song.mp3"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_it_keeps_the_owner(path: Path) -> None:
    os.chown(path, 1234, 2345)
    path.chmod(0o4755)
    beside = Beside(path)
    beside.take_over()
    beside.put()
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (1234, 2345, 0o4755)


def test_an_owner_that_cannot_be_kept_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = Beside(path)
    real = os.stat
    monkeypatch.setattr(os, "stat", lambda p, **k: _Other(real(p, **k)) if p == path else real(p))
    monkeypatch.setattr(os, "chown", lambda *_: (_ for _ in ()).throw(PermissionError()))
    with pytest.raises(ItemError, match="owner: it belongs to another"):
        beside.take_over()
    beside.discard()


class _Other:
    def __init__(self, status: os.stat_result) -> None:
        self._status = status

    def __getattr__(self, name: str) -> object:
        return 4321 if name == "st_uid" else getattr(self._status, name)


def test_the_time_of_change_is_now_unless_it_is_kept(path: Path) -> None:
    os.utime(path, ns=(10**18, 10**18))
    beside = Beside(path)
    beside.take_over()
    beside.put()
    assert path.stat().st_mtime_ns > 10**18


def test_what_a_killed_run_left_is_used_again(path: Path) -> None:
    copy_name(path).write_bytes(b"much longer than the file itself")
    beside = Beside(path)
    assert beside.copy.read_bytes() == b"old"
    beside.discard()
    assert not copy_name(path).exists()


def test_two_runs_do_not_share_a_copy(path: Path) -> None:
    first = Beside(path)
    with pytest.raises(ItemError, match="busy"):
        Beside(path)
    assert first.copy.read_bytes() == b"old"
    first.discard()
    Beside(path).discard()


def test_a_copy_that_another_run_puts_meanwhile_is_not_emptied(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was opened as the copy, and is the song when its lock is had."""
    first = Beside(path)
    first.copy.write_bytes(b"new")
    real = beside_module.lock

    def slow(fd: int) -> bool:
        first.put()
        return real(fd)

    monkeypatch.setattr(beside_module, "lock", slow)
    with pytest.raises(ItemError, match="busy"):
        Beside(path)
    assert path.read_bytes() == b"new"


def test_a_link_in_the_place_of_the_copy_is_not_followed(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "precious"
    other.write_bytes(b"precious")
    copy_name(path).symlink_to(other)
    with pytest.raises(OSError, match="symbolic"):
        Beside(path)
    assert other.read_bytes() == b"precious"


def test_a_file_that_changed_meanwhile_stays(path: Path) -> None:
    status = path.stat()
    beside = Beside(path)
    path.write_bytes(b"newer")
    with pytest.raises(ItemError, match="changed"):
        beside.check_same(status.st_size, status.st_mtime_ns)
    beside.discard()
    assert path.read_bytes() == b"newer"


def test_names_of_255_bytes_have_room_for_a_copy(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 251 + ".mp3")
    path.write_bytes(b"old")
    Beside(path).put()
    assert path.read_bytes() == b"old"


def test_what_must_not_be_replaced(path: Path) -> None:
    check_replaceable(path)
    os.link(path, path.with_name("other.mp3"))
    with pytest.raises(ItemError, match="hard-link: it has 2 names"):
        check_replaceable(path)
    path.with_name("other.mp3").unlink()
    path.chmod(0o444)
    with pytest.raises(ItemError, match="read-only: it may not be written"):
        check_replaceable(path)
    path.chmod(0o644)
    path.parent.chmod(0o555)
    with pytest.raises(ItemError, match="read-only: its folder"):
        check_replaceable(path)
    path.parent.chmod(0o755)


def test_one_that_nobody_holds_any_more_leaves_nothing(path: Path) -> None:
    beside = Beside(path)
    assert beside.copy.exists()
    del beside
    assert [one.name for one in path.parent.iterdir()] == ["song.mp3"]


def test_copies_of_killed_runs_are_deleted_and_nothing_else(path: Path) -> None:
    folder = path.parent
    killed = "import os, sys; from pathlib import Path; from mgrkit.files.beside import Beside; "
    killed += "beside = Beside(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    other = folder / "other.mp3"
    other.write_bytes(b"old")
    subprocess.run([sys.executable, "-c", killed, os.fspath(other)])
    assert copy_name(other).exists()
    running = Beside(path)
    kept = {
        ".0123456789abcdef.tmp", ".0123456789abcdeg.mgrkit.tmp", "0123456789abcdef.mgrkit.tmp",
        ".0123456789abcdef.mgrkit.tmp.mp3",
    }  # fmt: skip
    for name in kept:
        (folder / name).touch()
    link, pipe, hard, inside = (folder / f".{number * 16}.mgrkit.tmp" for number in "1234")
    link.symlink_to(other)
    os.mkfifo(pipe)
    os.link(other, hard)
    inside.mkdir()
    delete_left(folder)
    names = {one.name for one in folder.iterdir()}
    odd = {link.name, pipe.name, hard.name, inside.name}
    assert names == {*kept, *odd, "song.mp3", "other.mp3", copy_name(path).name}
    running.put()
    assert path.read_bytes() == b"old"


def test_a_folder_that_cannot_be_listed_is_left(tmp_path: Path) -> None:
    delete_left(tmp_path / "none")
    (tmp_path / "file").touch()
    delete_left(tmp_path / "file")
    assert os.listdir(tmp_path) == ["file"]
