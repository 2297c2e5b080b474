"""What a page is made of: each kind of result is read right, and what is none is refused."""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.classifiers import load_bundle, save_bundle
from mgrkit.errors import BundleError, MgrkitError, RunError, UsageError
from mgrkit.reports.html import scores
from mgrkit.reports.html.comparisons import _heard, comparison_of
from mgrkit.reports.html.content import Content
from mgrkit.reports.html.evaluations import read_verdicts
from mgrkit.reports.html.page import Grid, Matrix, Share, rendered
from mgrkit.reports.html.predictions import from_rows, from_table, with_pieces
from mgrkit.reports.html.sources import Beside, page_of
from tests.reports import made_results as made
from tests.reports.made_results import GENRES
from tests.reports.parts import facts, section


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
    assert run.notes == []
    (tmp_path / "net.safetensors").unlink()
    [note] = page_of(tmp_path / "net.run", Beside()).notes
    assert note.startswith("the model is not here: there is no ")


def test_tracks_of_a_model_are_counted_and_not_their_artists_and_names(tmp_path: Path) -> None:
    path = made.bundle(tmp_path / "model.safetensors", "m")
    seen = ("artist:a", "artist:b", "file:one.wav", "gtzan:blues.00000", "name:x", "sha256:1")
    save_bundle(path, dataclasses.replace(load_bundle(path), seen=seen))
    known = facts(section(page_of(path, Beside()), "Settings and versions")[0])
    assert known["tracks of train and valid"] == "3"


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
    [note] = page.notes
    assert note.startswith("the model is not here: ")
    assert section(page, "Model")[0].texts == [note]
    trials_of = (tmp_path / "tuned" / "trials.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "tuned" / "trials.csv").write_text("\n".join(trials_of[:3]), encoding="utf-8")
    cut = page_of(tmp_path / "tuned", Beside())
    assert "trials.csv has 2 of 6 trials: the others are not shown" in cut.notes[0]
    assert cut.notes[0] in cut.lead
    (tmp_path / "tuned" / "trials.csv").unlink()
    assert "has 0 of 6 trials" in page_of(tmp_path / "tuned", Beside()).notes[0]
    alone = page_of(tmp_path / "tuned" / "tune.json", Beside())
    assert [one.title for one in alone.sections] == ["Result", "Importance", "Notes"]


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
    "huge.json": (f'[{{"path": "a", "seconds": 1{"0" * 400}}}]', UsageError, "is no JSON"),
    "vast.json": ('[{"path": "a", "seconds": 1e400}]', UsageError, "is no JSON"),
    "unsure.json": (
        '[{"path": "a", "genres": [], "seconds": 1, "model": "", "unsure": "yes"}]', UsageError,
        "object 1 is no prediction",
    ),
    "tags.json": (
        '[{"path": "a", "seconds": 1, "model": "", "tags": [{"tag": "x", "value": "nan"}]}]',
        UsageError, "object 1 is no prediction",
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


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a JSON value; of lists the first two."""
    yield at
    if isinstance(value, dict | list):
        names = list(value) if isinstance(value, dict) else range(min(len(value), 2))
        for name in names:
            yield from places(value[name], (*at, name))


@pytest.mark.parametrize("kind", ["predictions", "evaluation", "result", "compare"])
def test_whatever_stands_in_a_field_is_shown_or_refused(tmp_path: Path, kind: str) -> None:
    """No value of a record from elsewhere is more than a line of words."""
    if kind == "compare":
        record = json.loads((made.comparison(tmp_path / "c", "m") / "compare.json").read_text())
    else:
        record = getattr(made, kind)(text="m")
    refused = 0
    for number, at in enumerate(places(record)):
        wrong: Any = [None, "yes", [None], {}, -1e308, True, 10**300][number % 7]
        changed = copy.deepcopy(record)
        for name in at[-1:]:
            functools.reduce(operator.getitem, at[:-1], changed)[name] = wrong
        try:
            rendered(page_of(made.write(tmp_path / "x.json", changed if at else wrong), Beside()))
        except MgrkitError:
            refused += 1
    assert refused > number / 10


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
