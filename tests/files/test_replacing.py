"""A file that is written aside appears whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from mgrkit.files.replacing import replacing


def test_the_new_file_is_there_at_the_end_of_the_block(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as temp:
        temp.write_text("new")
        assert (temp.parent, path.read_text()) == (tmp_path, "old")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "error", [ValueError(), KeyboardInterrupt(), OSError(errno.ENOSPC, "full")]
)
def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write() -> None:
        with replacing(path) as temp:
            temp.write_text("ne")
            raise error

    with pytest.raises(type(error)):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "a.txt"
    with pytest.raises(FileNotFoundError) as caught, replacing(path) as temp:
        temp.write_text("new")
    assert caught.value.filename == str(path)


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    with replacing(tmp_path / "a") as one, replacing(tmp_path / "a") as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert (tmp_path / "a").read_text() == "one"
