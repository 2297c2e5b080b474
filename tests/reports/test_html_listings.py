"""Tables of tracks, of whatever columns: what differs is seen, what does not is told once."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from mgrkit.errors import RunError, UsageError
from mgrkit.reports.html import listings
from mgrkit.reports.html.page import Page
from mgrkit.reports.html.sources import Beside, page_of
from tests.reports import made_results as made
from tests.reports.parts import facts, section


def test_a_track_table_shows_what_differs_and_says_what_does_not(tmp_path: Path) -> None:
    page = page_of(made.tracks(tmp_path / "songs.csv", "m"), Beside())
    assert facts(section(page, "Overview")[0]) == {"rows": "24", "same": "m"}
    kinds = {column.title: column.kind for column in page.tracks[0].columns}
    assert kinds == {
        "track": "name", "genre": "choice", "group": "text", "length": "clock",
        "status": "choice", "m": "text",
    }  # fmt: skip
    assert 3 not in page.tracks[0].first
    folder = page_of(made.tracks(tmp_path / "tracks.csv").parent, Beside())
    assert folder.title == "Tracks of tracks.csv"


def test_numbers_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,gain\na,1e-07\nb,2.5\nc,\nd,10\n")
    [_, gain] = page_of(tmp_path / "t.csv", Beside()).tracks[0].columns
    assert list(gain.values) == [1e-07, 2.5, None, 10.0]
    (tmp_path / "t.csv").write_text("path,gain\na,nan\nb,2.5\nc,inf\nd,10\n")  # not in JSON
    [_, gain] = page_of(tmp_path / "t.csv", Beside()).tracks[0].columns
    assert gain.kind == "text"
    (tmp_path / "t.csv").write_text("path,id\na,000002\nb,000010\nc,000140\n")
    [_, identity] = page_of(tmp_path / "t.csv", Beside()).tracks[0].columns
    assert identity.values == ["000002", "000010", "000140"]


def test_a_parquet_is_a_table_too(tmp_path: Path) -> None:
    frame = pl.DataFrame({"path": ["a", "b"], "bpm": [90.5, None], "ok": [True, False]})
    frame.write_parquet(tmp_path / "t.parquet")
    [_, bpm, ok] = page_of(tmp_path / "t.parquet", Beside()).tracks[0].columns
    assert (bpm.title, ok.title) == ("bpm", "ok")
    frame.with_columns(more=pl.Series([[1], [2]])).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(UsageError, match="no texts or numbers"):
        page_of(tmp_path / "t.parquet", Beside())


def shown(page: Page) -> dict[str, bool]:
    """Whether each column of the first table has a place in it."""
    return {column.title: column.shown for column in page.tracks[0].columns}


def test_what_is_known_of_rows_is_seen_and_what_is_not_is_told_once(tmp_path: Path) -> None:
    """Whatever the columns are called: those of duplicates, and any that come to them."""
    heads = ["path", "source", "from", "rate", "nothing", *(f"c{n}" for n in range(12)), "keep"]
    rows = [
        [f"../up/{n}.wav", f"here/{n}.wav", f"here/{n}.flac", "44100", "",
         *(f"{n} {c}" for c in range(12)), "yes" if n % 2 else ""]
        for n in range(4)
    ]  # fmt: skip
    (tmp_path / "t.csv").write_text("\n".join(",".join(cells) for cells in [heads, *rows]))
    page = page_of(tmp_path / "t.csv", Beside())
    overview = section(page, "Overview")[0]
    assert facts(overview) == {"rows": "4", "rate": "44100", "source": "the path"}
    assert [one.more for one in overview.facts] == ["", "with here/ for ../up/", ""]
    there = ["track", "from", *(f"c{n}" for n in range(12)), "keep"]
    assert shown(page) == dict.fromkeys(there, True)
    assert {"yes", ""} == set(page.tracks[0].data["columns"][-1]["labels"])
    one = "\n".join([",".join(heads), ",".join(rows[1])])
    (tmp_path / "t.csv").write_text(one)  # of a single row nothing is the same
    page = page_of(tmp_path / "t.csv", Beside())
    assert facts(section(page, "Overview")[0]) == {"rows": "1"}
    assert {"source", "rate"} < shown(page).keys()


def test_of_pieces_it_is_said_that_the_whole_file_is_shown(tmp_path: Path) -> None:
    for name, is_said in (("a", True), ("b", False)):
        (tmp_path / "t.csv").write_text(f"path,start\na,0\n{name},10\n")
        said = page_of(tmp_path / "t.csv", Beside()).sections[1].text
        assert ("all its sound" in said) == is_said


def test_of_many_columns_all_are_there_and_numbers_wait_to_be_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = ["path", *(f"n{number}" for number in range(98)), "digest", "word"]
    lines = [",".join(heads)]
    for row in range(3):
        numbers = (f"{row}.{n}" for n in range(98))
        lines.append(",".join([f"{row}.wav", *numbers, f"sha256:{row:016}", f"w{row}"]))
    (tmp_path / "t.csv").write_text("\n".join(lines))
    page = page_of(tmp_path / "t.csv", Beside())
    there = shown(page)
    assert len(there) == 101
    assert list(there)[-1] == "digest"
    assert [name for name, is_shown in there.items() if is_shown] == [
        "track", *(f"n{number}" for number in range(18)), "word", "digest",
    ]  # fmt: skip
    assert page.notes == []
    monkeypatch.setattr(listings, "_MOST", 3 * 70)
    page = page_of(tmp_path / "t.csv", Beside())
    assert list(shown(page))[-3:] == ["n67", "word", "digest"]
    assert page.notes == page.lead == ["30 columns are left out: there are 100"]


def test_what_duplicates_prints_is_a_table_by_recording(tmp_path: Path) -> None:
    groups = [
        [{"path": f"{name}.flac", "similarity": 1.0, "keep": True, "duplicate_of": None},
         {"path": f"{name}.mp3", "similarity": 0.99, "keep": False, "duplicate_of": "x"}]
        for name in ("b", "a")
    ]  # fmt: skip
    found = {"groups": groups, "left_out": [{"path": "c.wav", "reason": "silent: so"}], "files": 5}
    page = page_of(made.write(tmp_path / "d.json", found), Beside())
    table = page.tracks[0]
    assert table.names == ["b.flac", "b.mp3", "a.flac", "a.mp3", "c.wav"]
    data = {column["title"]: column for column in table.data["columns"]}
    assert list(data) == ["track", "reason", "similarity", "keep", "duplicate_of", "recording_of"]
    assert data["similarity"]["values"] == [1.0, 0.99, 1.0, 0.99, None]
    assert table.sort == (data["recording_of"]["key"], "ascending")
    lines = tmp_path / "d.jsonl"
    lines.write_text("\n".join(json.dumps(one) for group in groups for one in group))
    assert page_of(lines, Beside()).tracks[0].names == table.names[:4]
    none = made.write(tmp_path / "n.json", {"groups": [], "left_out": []})
    with pytest.raises(RunError, match="holds no duplicates"):
        page_of(none, Beside())
    for bad in ([["a"]], ["a"], [[{"path": 1}]]):
        with pytest.raises(UsageError, match="nothing that can be shown"):
            page_of(made.write(none, {"groups": bad, "left_out": []}), Beside())
