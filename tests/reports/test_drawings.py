"""Which drawings a command may write over, and what columns of genres are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgrkit.reports.figures import drawn, drawn_by
from mgrkit.reports.verdicts import COLUMNS, genre_columns

pytest.importorskip("matplotlib")


def test_a_drawing_is_known_by_the_command_that_made_it(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert not drawn_by(path, "mgrkit show")
    with drawn(path, "mgrkit show", (2, 2), 50) as figure:
        figure.add_subplot()
    assert drawn_by(path, "mgrkit show")
    assert not drawn_by(path, "mgrkit evaluate")
    assert not drawn_by(tmp_path, "mgrkit show")


def test_a_genre_that_is_called_as_another_column_is_marked() -> None:
    columns = genre_columns(["jazz", "noise"], COLUMNS)
    assert columns == ["jazz", "noise (genre)"]
    assert not {*columns} & {*COLUMNS}
