"""What an experiment keeps in its folder, so that the same call goes on from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgrkit.errors import UsageError
from mgrkit.experiments.records import LOCK, SETTINGS, folder_record, write_record


def test_a_folder_is_new_where_nothing_is_but_a_lock(tmp_path: Path) -> None:
    assert folder_record(tmp_path / "none") is None
    assert folder_record(tmp_path) is None
    (tmp_path / LOCK).touch()
    assert folder_record(tmp_path) is None


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
