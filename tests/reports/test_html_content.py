"""What a source holds counts, whatever it is called, as far as it is whole."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from mgrkit.errors import RunError, UsageError
from mgrkit.reports.html.content import PIPE
from mgrkit.reports.html.sources import Beside, page_of
from tests.reports import made_results as made


def test_a_torn_line_is_passed_over_and_it_is_said(tmp_path: Path) -> None:
    lines = [json.dumps(row) for row in made.predictions(text="m")]
    said = "songs.jsonl: line 25 is cut off or damaged, and passed over"
    (tmp_path / "songs.jsonl").write_text("\n".join(lines)[:-5])
    page = page_of(tmp_path / "songs.jsonl", Beside())
    assert len(page.tracks[0].names) == 24
    assert [note.rpartition("/")[2] for note in page.notes] == [said]
    assert page.notes[0] in page.lead
    # Whoever goes on behind a torn line leaves two that are none.
    (tmp_path / "songs.jsonl").write_text("\n".join([lines[0], '{"pa', "nan", *lines[1:]]))
    [note] = page_of(tmp_path / "songs.jsonl", Beside()).notes
    assert "2 lines are cut off" in note
    (tmp_path / "songs.jsonl").write_text("\n".join(lines))  # the last one is whole
    assert not page_of(tmp_path / "songs.jsonl", Beside()).notes


def test_a_torn_last_row_of_songs_is_passed_over_and_it_is_said(tmp_path: Path) -> None:
    heads = f"{SONGS}\r\n"
    rows = [f'"{n}, one.wav",song,0.0,9.5,jazz,0.7,false,m,,,0.7\r\n' for n in range(3)]
    path = tmp_path / "songs.csv"
    path.write_text(heads + "".join(rows), newline="")
    assert not page_of(path, Beside()).notes
    for cut in (5, 30, 42):
        path.write_text(heads + "".join(rows[:2]) + rows[2][:cut], newline="")
        page = page_of(path, Beside())
        assert [name[0] for name in page.tracks[0].names] == ["0", "1"]
        assert [note.rpartition("/")[2] for note in page.notes] == [
            "songs.csv: the last row is cut off, and passed over"
        ]
    path.write_text(heads + rows[0][:30] + "\r\n" + rows[1], newline="")  # no kill did that
    with pytest.raises(UsageError, match="row 2 is no prediction"):
        page_of(path, Beside())


SONGS = "path,kind,start,seconds,genre,probability,unsure,model,warning,error,jazz"
SONG = "a.wav,song,0.0,9.5,jazz,0.7,false,m,,,0.7"


def test_a_table_put_behind_another_is_read_and_its_head_is_told(tmp_path: Path) -> None:
    """As ``predict --csv >> songs.csv`` did at each call; of songs, tracks and verdicts."""
    verdicts, path = made.verdicts(tmp_path / "v").read_bytes(), tmp_path / "found"
    for table in (f"{SONGS}\n{SONG}\n".encode(), b"path,bpm\na.wav,90\nb.wav,91\n", verdicts):
        path.write_bytes(table)
        names = list(page_of(path, Beside()).tracks[0].names)
        path.write_bytes(2 * table)
        page = page_of(path, Beside())
        assert page.tracks[0].names == [*names, *names]
        [note] = page.notes
        assert note == f"{path}: a row repeats the head, and is passed over"
        assert note in page.lead
    path.write_text("path,bpm\npath,bpm\n")
    with pytest.raises(RunError, match="found has no rows"):
        page_of(path, Beside())


@pytest.mark.parametrize("more", [",blues", ""])
def test_a_table_of_other_columns_behind_another_is_refused(tmp_path: Path, more: str) -> None:
    other = SONGS + more if more else SONGS.replace("jazz", "blues")
    (tmp_path / "found").write_text("\n".join([SONGS, SONG, SONG, other, SONG, ""]))
    with pytest.raises(UsageError, match="from row 4 on it is another table, with other columns"):
        page_of(tmp_path / "found", Beside())
    (tmp_path / "found").write_text(f"{SONGS}\n{SONG}\n{SONG},0.3\n")
    with pytest.raises(UsageError, match="row 3 is no prediction"):
        page_of(tmp_path / "found", Beside())


@pytest.mark.parametrize("form", ["found.txt", "found", "found.csv.gz", "found.json", "stdin"])
def test_what_is_in_a_file_counts_and_not_how_it_is_called(tmp_path: Path, form: str) -> None:
    """A table of tracks, of songs, of verdicts, a Parquet and JSON lines, under any name."""
    songs = f"{SONGS}\r\n{SONG}\r\n".encode()
    pl.DataFrame({"path": ["a", "b"], "bpm": [90.5, None]}).write_parquet(tmp_path / "p")
    rows = "\n".join(map(json.dumps, made.predictions()))
    contents = {
        "Tracks of": made.tracks(tmp_path / "t").read_bytes(), "Genres of": songs,
        "Verdicts of": made.verdicts(tmp_path / "v").read_bytes(),
        "Tracks  of": (tmp_path / "p").read_bytes(), "Genres  of": rows.encode(),
    }  # fmt: skip
    for title, content in contents.items():
        path, piped = tmp_path / form, None
        if form == "stdin":
            path, piped = PIPE, content
        else:
            path.write_bytes(gzip.compress(content) if form.endswith("gz") else content)
        assert page_of(path, Beside(), piped).title == f"{title.replace('  ', ' ')} {form}"


def test_text_in_utf_16_is_told(tmp_path: Path) -> None:
    (tmp_path / "songs.jsonl").write_text('{"path": "a", "error": "x"}', encoding="utf-16")
    with pytest.raises(UsageError, match="is text in UTF-16"):
        page_of(tmp_path / "songs.jsonl", Beside())
