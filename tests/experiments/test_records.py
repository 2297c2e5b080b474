"""What an experiment keeps in its folder, so that the same call goes on from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mgrkit.classifiers import Examples
from mgrkit.errors import UsageError
from mgrkit.experiments.records import LOCK, SETTINGS, digest, folder_record, write_record
from mgrkit.files.replacing import replacing


def test_a_folder_is_new_where_nothing_is_but_a_lock(tmp_path: Path) -> None:
    assert folder_record(tmp_path / "none") is None
    assert folder_record(tmp_path) is None
    (tmp_path / LOCK).touch()
    assert folder_record(tmp_path) is None


def test_what_another_process_is_writing_there_does_not_count(tmp_path: Path) -> None:
    with replacing(tmp_path / SETTINGS) as temp:
        temp.write_text("{")
        assert [path.name for path in tmp_path.iterdir()] == [temp.name]
        assert folder_record(tmp_path) is None
        temp.write_text('{"seed": 3}')
    assert folder_record(tmp_path) == {"seed": 3}


@pytest.mark.parametrize("name", [".tmp", ".diary.tmp", "0123456789abcdef.tmp"])
def test_what_is_only_called_alike_is_somebody_s(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match="holds something else"):
        folder_record(tmp_path)


def test_the_record_of_a_folder_is_what_was_written(tmp_path: Path) -> None:
    write_record(tmp_path / SETTINGS, {"seed": 3})
    assert folder_record(tmp_path) == {"seed": 3}


@pytest.mark.parametrize("name", [SETTINGS, "diary.txt"])
@pytest.mark.parametrize("content", ["", "[1]", "{"])
def test_a_folder_of_something_else_is_refused(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    for place in (tmp_path, tmp_path / name):
        with pytest.raises(UsageError, match="holds something else"):
            folder_record(place)


def test_examples_with_other_copies_have_another_digest() -> None:
    n = np.arange(4)
    plain = Examples(n[:, None].astype(np.float32), n % 2, n, n)
    found = {digest(replace(plain, copies=copies)) for copies in (None, n * 0, n % 2)}
    assert len(found) == 3
    assert digest(plain) in found
