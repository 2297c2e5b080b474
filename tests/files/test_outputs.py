"""Where a command may write."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgrkit.errors import UsageError
from mgrkit.files.outputs import check_folder, check_output, starts_with


@pytest.mark.parametrize("name", ["a.csv", "A.CSV", "a.b.csv"])
def test_a_name_of_the_kind_in_a_folder_that_is_there_will_do(tmp_path: Path, name: str) -> None:
    check_output(tmp_path / name, ".csv", "--pieces")


@pytest.mark.parametrize("name", ["a.txt", "a", "csv", "a.csv.gz"])
def test_another_kind_is_refused_by_the_name_of_its_option(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_output(tmp_path / name, ".csv", "--pieces")
    assert str(refused.value) == f"--pieces must end in .csv, not {name}"


@pytest.mark.parametrize("check", [check_folder, lambda p, o: check_output(p, ".png", o)])
def test_a_folder_that_is_not_there_is_named(tmp_path: Path, check) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(UsageError) as refused:
            check(folder / "a.png", "--out")
        assert str(refused.value) == f"there is no folder {folder} (make it, or give another --out)"


def test_only_a_file_starts_with_something(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert not starts_with(path, b"path,")
    assert not starts_with(tmp_path, b"")
    path.write_bytes(b"path")
    assert not starts_with(path, b"path,")
    path.write_bytes(b"path,id")
    assert starts_with(path, b"path,")
