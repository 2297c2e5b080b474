"""What a page is made of: each kind of result is read right, and what is none is refused."""

from __future__ import annotations

import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mgrkit.classifiers import load_bundle, save_bundle
from mgrkit.errors import BundleError, MgrkitError, RunError, UsageError
from mgrkit.reports.html import listings, scores
from mgrkit.reports.html.comparisons import _heard, comparison_of
from mgrkit.reports.html.content import PIPE, Content
from mgrkit.reports.html.evaluations import read_verdicts
from mgrkit.reports.html.page import Facts, Grid, Matrix, Page, Share
from mgrkit.reports.html.predictions import from_rows, from_table, with_pieces
from mgrkit.reports.html.sources import Beside, page_of
from tests.reports import made_results as made
from tests.reports.made_results import GENRES


def section(page: Page, title: str) -> list[Any]:
    return list(next(one.parts for one in page.sections if one.title == title))


def facts(part: Facts) -> dict[str, str]:
    return {one.name: one.value for one in part.facts}


def test_all_forms_of_predictions_say_the_same(tmp_path: Path) -> None:
    rows = made.predictions(text="m")
    songs, ignored = from_rows(rows, tmp_path)
    assert ignored == ["m.txt: m"]
    whole = page_of(made.write(tmp_path / "songs.json", rows), Beside())
    (tmp_path / "songs.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    lines = page_of(tmp_path / "songs.jsonl", Beside())
    assert whole.tracks[0].data == lines.tracks[0].data
    (tmp_path / "one").write_text(json.dumps(rows[0]) + "\n")  # one line, and no suffix
    assert len(page_of(tmp_path / "one", Beside()).tracks[0].names) == 1
    assert facts(section(whole, "Overview")[0])["could not be used"] == "1"
    assert songs[0].pieces[1].start == 30.0
    assert songs[-1].state == "failed"
    assert whole.tracks[0].first == list(range(23))  # no picture of what cannot be used


def test_tables_of_predictions_have_genres_pieces_and_tags(tmp_path: Path) -> None:
    heads = "path,kind,start,seconds,genre,probability,unsure,model,warning,error,jazz,kind (genre)"
    (tmp_path / "songs.csv").write_text(
        f"{heads},tags\r\n"
        "a.wav,song,0.0,9.5,jazz,0.7,false,m,low,,0.7,0.3,sad song 0.41; indie 0.2\r\n"
        "b.wav,song,,,,,,,,bad: b,,,\r\n"
    )
    (tmp_path / "pieces.csv").write_text(
        f"{heads}\r\na.wav,piece,0.0,9.5,jazz,0.8,,m,,,0.8,0.2\r\n"
    )
    songs = with_pieces(
        from_table(Content.of(tmp_path / "songs.csv")), Content.of(tmp_path / "pieces.csv")
    )
    assert [song.genres for song in songs] == [[("jazz", 0.7), ("kind", 0.3)], ()]
    assert songs[0].tags == [("sad song", 0.41), ("indie", 0.2)]
    assert [(song.warning, song.error) for song in songs] == [("low", ""), ("", "bad: b")]
    assert songs[0].pieces[0].probability == 0.8
    page = page_of(tmp_path / "songs.csv", Beside(pieces=tmp_path / "pieces.csv"))
    assert "pieces" in {column.kind for column in page.tracks[0].columns}
    with pytest.raises(UsageError, match=r"holds pieces, not songs.*--pieces"):
        page_of(tmp_path / "pieces.csv", Beside())
    other = (tmp_path / "pieces.csv").read_text().replace("a.wav", "c.wav")
    (tmp_path / "other.csv").write_text(other)
    with pytest.raises(UsageError, match="pieces of none of the songs"):
        page_of(tmp_path / "songs.csv", Beside(pieces=tmp_path / "other.csv"))


def test_a_table_of_verdicts_gives_the_scores_of_the_evaluation(tmp_path: Path) -> None:
    table = read_verdicts(Content.of(made.verdicts(tmp_path / "verdicts.csv")))
    found, printed = table.judged.scores(), made.evaluation()
    same = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "top3", "confusion")
    assert {name: found[name] for name in same} == {name: printed[name] for name in same}
    assert found["ece"] == pytest.approx(printed["ece"])
    page = page_of(
        made.write(tmp_path / "e.json", printed), Beside(predictions=tmp_path / "verdicts.csv")
    )
    hardest = page.tracks[0]
    assert hardest.first[0] == int(np.argmin(table.judged.hardness()))
    [matrix] = section(page, "Confusion")
    assert isinstance(matrix, Matrix)
    assert [list(row) for row in matrix.counts] == printed["confusion"]


def test_the_judged_model_says_its_settings_and_versions(tmp_path: Path) -> None:
    model = str(made.bundle(tmp_path / "mine.safetensors", "m"))
    verdicts = made.verdicts(tmp_path / "verdicts.csv")
    for source in (verdicts, made.write(tmp_path / "e.json", made.evaluation("mine"))):
        page = page_of(source, Beside(model=model))
        assert not any("no settings" in note for note in page.notes)
        known = facts(section(page, "Settings and versions")[0])
        assert (known["classifier"], known["version"]) == ("toy", "m m")
        assert facts(section(page, "Card")[0])["limits"] == "m"
    with pytest.raises(UsageError, match=r"mine\.safetensors is not the model that was judged, o"):
        page_of(made.write(tmp_path / "o.json", made.evaluation("o")), Beside(model=model))
    with pytest.raises(UsageError, match="is not the model that was judged"):
        page_of(verdicts, Beside(model="svm"))  # of ten genres


def test_what_an_evaluation_alone_does_not_know_is_told(tmp_path: Path) -> None:
    source = made.write(tmp_path / "e.json", made.evaluation())
    tracks, settings = page_of(source, Beside()).notes
    assert "no tracks are on the page" in tracks
    assert "--model MODEL" in settings
    verdicts = made.verdicts(tmp_path / "verdicts.csv")
    assert list(page_of(source, Beside(predictions=verdicts)).notes) == [settings]


def test_verdicts_of_another_call_are_refused(tmp_path: Path) -> None:
    path = made.verdicts(tmp_path / "verdicts.csv")
    head, first, *rest = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join([head, *rest]), encoding="utf-8")
    with pytest.raises(UsageError, match="not of the call that printed the JSON"):
        page_of(made.write(tmp_path / "e.json", made.evaluation()), Beside(predictions=path))
    assert first


@pytest.mark.parametrize("folds", [0, 3])
def test_a_comparison_counts_all_seeds_and_takes_votes_anew(tmp_path: Path, folds: int) -> None:
    folder = made.comparison(tmp_path / "compared", "one", folds)
    found = comparison_of(json.loads((folder / "compare.json").read_text()), folder)
    heard = _heard(found, folder)
    assert list(heard) == ["one", "svm", "one+svm"]
    p, y = made.table()
    assert heard["one"].judged.names == made.names()
    counts = np.zeros((3, 3), int)
    order = [sorted(GENRES).index(genre) for genre in GENRES]
    for truth, row in zip(y, p, strict=True):
        counts[order[truth], order[row.argmax()]] += 2  # of two seeds
    assert heard["one"].confusion() == counts.tolist()
    other = made.table(seed=1)[0]
    voted = np.sqrt(p * other)[:, np.argsort(order)]
    voted /= voted.sum(1, keepdims=True)
    assert heard["one+svm"].judged.probabilities == pytest.approx(voted, abs=1e-5)
    page = page_of(folder, Beside())
    assert ("Folds" in [one.title for one in page.sections]) == bool(folds)
    assert len(section(page, "Confusion")) == 3
    runs = section(page, "Settings and versions")[-1]
    assert isinstance(runs, Grid)
    assert len(runs.rows) == 2 * 2 * (folds or 1)


def test_a_comparison_of_other_seeds_and_classifiers_is_left_out(tmp_path: Path) -> None:
    folder = made.comparison(tmp_path / "compared", "one")
    for name in ("c0-2", "knn-0"):  # of an earlier call with more seeds, and of another one
        for suffix in ("json", "csv"):
            text = (folder / "runs" / f"c0-1.{suffix}").read_text(encoding="utf-8")
            text = text if name == "c0-2" else text.replace('"one"', '"knn"')
            (folder / "runs" / f"{name}.{suffix}").write_text(text, encoding="utf-8")
    found = comparison_of(json.loads((folder / "compare.json").read_text()), folder)
    heard = _heard(found, folder)
    assert len(heard["one"].each) == 2
    assert "knn" not in heard


def test_a_model_is_shown_by_what_it_keeps(tmp_path: Path) -> None:
    page = page_of(made.bundle(tmp_path / "model.safetensors", "m"), Beside())
    assert page.title == "Model model"
    assert facts(section(page, "Metrics")[0])["accuracy"] == "0.500"
    assert "Hardest tracks, out of fold" in [one.title for one in page.sections]
    assert facts(section(page, "Settings and versions")[1]) == {"name": "m"}
    run = page_of(made.run(tmp_path / "net.run", "m"), Beside())
    assert [one.title for one in run.sections][:3] == ["Fit model", "Log", "Settings of the run"]
    assert len(section(run, "Fit model")) == 2


@pytest.mark.parametrize("rule", ["geometric", "stacked"])
def test_a_vote_is_shown_by_what_its_members_keep(tmp_path: Path, rule: str) -> None:
    path = made.vote(tmp_path / "vote.safetensors", rule)
    metrics, page = load_bundle(path).metrics, page_of(path, Beside())
    assert page.lead == ["A vote of one, two: 3 genres."]
    figures, gain, _ = section(page, "Metrics")
    assert facts(figures)["accuracy"] == f"{metrics['accuracy']:.3f}"
    [matrix] = section(page, "Confusion, out of fold")
    right = sum(matrix.counts[place][place] for place in range(3))
    assert right / 24 == metrics["accuracy"]
    [members] = section(page, "Members")
    place = members.heads.index("accuracy")
    by_hand = [float((p.argmax(1) == y).mean()) for p, y in map(made.table, (24, 24), (0, 1))]
    assert [row[place].share for row in members.rows] == by_hand
    assert {row[place + 1] for row in members.rows} == {"folds of train"}
    assert ("weight" in members.heads) == (rule == "stacked")
    points = 100 * (metrics["accuracy"] - max(by_hand))
    assert next(iter(facts(gain).values())) == f"{points:+.1f} points"
    hardest = section(page, "Hardest tracks, out of fold")[0]
    assert hardest.names == made.names()
    settings = section(page, "Settings and versions")
    assert "eats" not in facts(settings[0])
    assert "Parameters of two" in [part.heading for part in settings]


def test_a_model_that_keeps_nothing_of_tracks_says_so(tmp_path: Path) -> None:
    path = made.vote(tmp_path / "vote.safetensors", kept=False)
    page = page_of(path, Beside())
    titles = {one.title: one for one in page.sections}
    assert list(titles) == ["Card", "Metrics", "Members", "Settings and versions"]
    assert titles["Metrics"].parts[0].texts == ["It was not measured."]
    assert "there is no confusion matrix here" in titles["Metrics"].text
    assert "do not compare" in titles["Members"].text
    assert "not measured" in facts(titles["Card"].parts[0])["fit"]
    [members] = titles["Members"].parts
    assert {row[members.heads.index("measured on")] for row in members.rows} == {"valid"}
    made.bundle(path)
    save_bundle(path, dataclasses.replace(load_bundle(path), held_out=None))
    metrics = next(one for one in page_of(path, Beside()).sections if one.title == "Metrics")
    assert "there is no confusion matrix here" in metrics.text


def test_a_search_is_shown_with_its_trials_and_without_its_model(tmp_path: Path) -> None:
    page = page_of(made.search(tmp_path / "tuned", "m"), Beside())
    trials = page.tracks[0]
    assert trials.sort == ("accuracy", "descending")
    assert len(trials.names) == 6
    [importance] = section(page, "Importance")
    assert importance.rows[0] == ["m", Share("0.70", 0.7)]
    assert "The model is not here" in section(page, "Model")[0].texts[0]
    alone = page_of(tmp_path / "tuned" / "tune.json", Beside())
    assert [one.title for one in alone.sections] == ["Result", "Importance", "Notes"]


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


BAD: dict[str, tuple[str, type[MgrkitError], str]] = {
    "empty.json": ("", RunError, "is empty"),
    "blank.csv": ("\n", RunError, "is empty"),
    "text.txt": ("hello", UsageError, "nothing that can be shown"),
    "object.json": ('{"a": 1}', UsageError, "nothing that can be shown|object 1 is no prediction"),
    "list.json": ('[{"path": 1}]', UsageError, "object 1 is no prediction"),
    "none.json": ("[]", RunError, "holds no prediction"),
    "cut.json": ('[{"path": "a",\n', UsageError, "is no JSON"),
    "none.txt": ("file,genre\na,b\n", UsageError, "nothing that can be shown"),
    "song.wav": ("RIFF", UsageError, "nothing that can be shown"),
    "odd.txt": ("path;genre\na;b\n", UsageError, "separated by semicolons"),
    "cut.csv.gz": ("\x1f\x8b\x08", RunError, "no whole gzip"),
    "likely.json": (
        '[{"path": "a", "genres": [{"genre": "x", "probability": 2}], "seconds": 1, "model": ""}]',
        UsageError, "object 1 is no prediction",
    ),
    "nan.json": ('[{"path": "a", "error": NaN}]', UsageError, "is no JSON"),
    "deep.json": ("[" * 100_000, UsageError, "is no JSON"),
    "endless.json": (
        '[{"path": "a", "genres": [], "seconds": "inf", "model": ""}]', UsageError,
        "object 1 is no prediction",
    ),
    "journal.jsonl": ('{"run": {"command": "augment"}}\n', UsageError, "nothing that can be shown"),
    "eval.json": (
        '{"confusion": [], "model": "m", "per_genre": {}}', UsageError,
        "not as mgrkit evaluate printed it",
    ),
    "compare.json": ('{"rows": [], "pairs": []}', UsageError, "no record of mgrkit compare"),
    "tune.json": ('{"inner": {}, "importance": {}}', UsageError, "no result of mgrkit tune"),
    "rows.csv": ("file,genre\na,b\n", UsageError, "has no column path, but file, genre"),
    "empty.csv": ("path,genre\n", RunError, "has no rows"),
    "songs.csv": (
        "path,kind,start,seconds,genre,probability,unsure,model,warning,error,x\na,song,0\n",
        UsageError, "row 2 is no prediction",
    ),
    "verdicts.csv": (
        "path,id,noise,snr,genre,predicted,probability,unsure,x\na,b,,,y,x,1,false,1\n",
        UsageError, "no table of verdicts",
    ),
    "model.safetensors": ("no", BundleError, "model.safetensors"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_result_is_refused(tmp_path: Path, name: str) -> None:
    text, kind, message = BAD[name]
    (tmp_path / name).write_text(text, encoding="latin-1")
    with pytest.raises(kind, match=message):
        page_of(tmp_path / name, Beside())


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
    heads = "path,kind,start,seconds,genre,probability,unsure,model,warning,error,jazz\r\n"
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


@pytest.mark.parametrize("form", ["found.txt", "found", "found.csv.gz", "found.json", "stdin"])
def test_what_is_in_a_file_counts_and_not_how_it_is_called(tmp_path: Path, form: str) -> None:
    """A table of tracks, of songs, of verdicts, a Parquet and JSON lines, under any name."""
    songs = b"path,kind,start,seconds,genre,probability,unsure,model,warning,error,jazz\r\n"
    songs += b"a.wav,song,0.0,9.5,jazz,0.7,false,m,,,0.7\r\n"
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


def test_folders_that_are_none_or_not_finished_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no"):
        page_of(tmp_path / "gone", Beside())
    with pytest.raises(UsageError, match=r"nothing that can be shown.*report takes"):
        page_of(tmp_path, Beside())
    for maker, what in (("compare", "compare.json"), ("tune", "tune.json")):
        folder = tmp_path / maker
        folder.mkdir()
        made.write(folder / "settings.json", {"made by": f"mgrkit {maker}"})
        with pytest.raises(UsageError, match=rf"has no {what}.*the same mgrkit {maker} again"):
            page_of(folder, Beside())


@pytest.mark.parametrize(
    ("source", "beside", "option"),
    [
        (made.tracks, Beside(predictions=Path("x.csv")), "--predictions"),
        (made.verdicts, Beside(pieces=Path("x.csv")), "--pieces"),
        (made.bundle, Beside(model="svm"), "--model"),
    ],
)
def test_options_that_do_not_go_with_it_are_refused(
    tmp_path: Path, source: Any, beside: Beside, option: str
) -> None:
    name = "x.safetensors" if source is made.bundle else "x.csv"
    with pytest.raises(UsageError, match=f"{option} goes with"):
        page_of(source(tmp_path / name), beside)


def test_shades_and_titles_of_the_matrix_say_the_shares() -> None:
    rows = Matrix(("a", "b"), ((3, 1), (0, 0))).rows
    first, second = rows[0]["cells"]
    assert (first["shade"], first["hit"], first["text"]) == (8, True, "3")
    assert second["title"] == "a judged b: 1 of 4 (25 %)"
    assert [cell["shade"] for cell in rows[1]["cells"]] == [0, 0]


def test_an_artist_whom_nobody_knows_is_none() -> None:
    p, y = made.table(3)
    judged = scores.Judged(["a", "b", "c"], y, ["artist:muse", "b", "muse"], GENRES, p)
    assert judged.artists() == ["muse", "", "muse"]


def test_the_hardest_are_those_whose_truth_is_least_likely() -> None:
    p, y = made.table()
    judged = scores.Judged(made.names(), y, made.names(), GENRES, p)
    table = scores.hardest(judged, {"artist": made.names()})
    hard = p[np.arange(len(y)), y]
    assert list(table.first) == np.argsort(hard, kind="stable").tolist()
    assert table.sort == ("hard", "ascending")
