"""``mgrkit compare --folds``: every track once, by fits on other artists."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.classifiers import load_bundle
from mgrkit.commands.compare import Asked, compare
from mgrkit.errors import RunError, Stopped, UsageError
from mgrkit.experiments import trials
from mgrkit.experiments.common import Common
from mgrkit.experiments.folding import fold
from mgrkit.experiments.standings import Comparison
from mgrkit.reports.comparison import write_report
from mgrkit.tracks.splits import Labelled, make_split
from tests.datasets.made_tables import rows, write
from tests.experiments.test_noisy import clean, copies
from tests.registry.fakes import installed_site

CODE = """\
from dataclasses import replace
from mgrkit.registry import hookimpl
from tests.testing.toy_specs import GOOD

@hookimpl
def mgrkit_classifiers():
    return [replace(GOOD, name="toy", eats="features:gtzan57", calibrate="valid",
                    factory="tests.testing.toy_classifiers:Centroid")]
"""


def tracks(sizes: dict[str, list[int]], **more: Any) -> list[Labelled]:
    """By genre how many tracks each artist has."""
    return [
        Labelled(f"{genre}-{artist}-{song}", genre, f"{genre} {artist}", **more)
        for genre, of in sizes.items()
        for artist, songs in enumerate(of)
        for song in range(songs)
    ]


def common(labelled: list[Labelled], how: str | None = None) -> Common:
    return Common(tuple(labelled), make_split(labelled, how), {}, {}, (), 0)


EVEN = {"jazz": [3, 2, 2, 1, 4, 1], "folk": [2, 2, 2, 2, 1, 3], "rock": [5, 1, 1, 1, 1, 1]}


@pytest.mark.parametrize("count", [2, 3, 5])
def test_every_track_is_judged_once_and_artists_are_not_divided(count: int) -> None:
    labelled = tracks(EVEN)
    found = fold(common(labelled), count)
    assert [one.number for one in found.folds] == list(range(1, count + 1))
    assert sorted(found.judged.which) == list(range(len(labelled)))
    where = found.parts(common(labelled))
    of_artist: dict[str, set[str]] = {}
    for track, number in zip(labelled, where, strict=True):
        of_artist.setdefault(track.group, set()).add(number)
    assert all(len(folds) == 1 for folds in of_artist.values())
    for one in found.folds:
        assert Counter(one.split.parts) == {
            "test": len(one.judged.which), "train": len(labelled) - len(one.judged.which),
        }  # fmt: skip
        assert f"fold {one.number} of {count}, folded by artist" in one.split.words
    assert found.words == "folded by artist"


def test_the_order_of_tracks_does_not_count() -> None:
    labelled = tracks(EVEN)
    one, other = (fold(common(these), 4) for these in (labelled, labelled[::-1]))
    for a, b in zip(one.folds, other.folds, strict=True):
        assert sorted(a.judged.ids) == sorted(b.judged.ids)


def test_slices_and_duplicates_are_in_the_fold_of_their_recording() -> None:
    labelled = tracks(EVEN)
    labelled[0] = replace(labelled[0], same=("sound:x",))
    labelled[-1] = replace(labelled[-1], same=("sound:x",), genre="jazz")
    labelled += [Labelled(f"slice{n}", "folk", "", recording="a song") for n in range(6)]
    where = fold(common(labelled), 4).parts(common(labelled))
    assert where[0] == where[-7]
    assert len(set(where[-6:])) == 1


def test_a_stated_test_part_is_kept_apart() -> None:
    labelled = tracks(EVEN, by="published", part="train")
    labelled += [
        replace(one, id=f"{part}-{one.id}", group=f"{part} {one.group}", part=part)
        for one in tracks({"jazz": [2, 2], "folk": [1, 1], "rock": [1]})
        for part in ("valid", "test", "")
    ]
    labelled = [replace(one, by="published" if one.part else "") for one in labelled]
    found = fold(common(labelled), 3)
    assert {labelled[place].part for place in found.judged.which} == {"train", "valid"}
    assert not any(
        part for one in found.folds for part, track in zip(one.split.parts, labelled, strict=True)
        if track.part not in ("train", "valid")
    )  # fmt: skip
    assert found.words == "folded by artist, train and valid of the published split"
    assert "kept apart, in the part test: 7 tracks" in found.notes
    assert "left out, in no part of the published split: 7 tracks" in found.notes
    every = fold(common(labelled, "grouped"), 3)
    assert len(every.judged.which) == len(labelled)
    assert every.words == "folded by artist"


def test_unknown_artists_are_said() -> None:
    labelled = [*tracks(EVEN), *(Labelled(f"x{n}", "jazz") for n in range(4))]
    found = fold(common(labelled), 3)
    words = f"folded by artist, artists unknown for 4 of {len(labelled)} tracks"
    assert found.words == words
    assert found.folds[0].split.words.endswith(words)


def test_genres_of_fewer_artists_than_folds_are_named_in_one_line() -> None:
    labelled = tracks({**EVEN, "polka": [2, 3], "tango": [4]})
    found = fold(common(labelled), 5)
    assert found.notes == (
        "fewer artists than folds, so that some folds cannot judge them: polka (2), tango (1)",
        "learnt but never judged, of one artist only: tango, 4 tracks",
    )
    assert "tango" not in found.judged.genres
    assert found.judged.genres.count("polka") == 5
    assert sum("tango" in one.judged.labels for one in found.folds) == 4, "learnt where not held"


def test_of_many_small_genres_the_first_are_named() -> None:
    """As in FMA, whose 161 genres have few artists each."""
    labelled = tracks({**EVEN, **{f"g{n:03}": [1, 1] for n in range(158)}})
    (note,) = fold(common(labelled), 4).notes
    assert note.endswith("g000 (2), g001 (2), g002 (2), g003 (2), g004 (2) and 153 more")


@pytest.mark.parametrize(
    ("sizes", "count", "expected"),
    [
        (EVEN, 19, "--folds 19 is more than the 18 artists there are"),
        ({"jazz": [2], "folk": [3]}, 2, "2 of 2 folds would leave one genre only to learn"),
        ({"jazz": [2], "folk": [3], "rock": [2]}, 3, "none of 3 folds could judge a track"),
    ],
)
def test_folds_that_cannot_be_are_refused(
    sizes: dict[str, list[int]], count: int, expected: str
) -> None:
    with pytest.raises(UsageError, match=expected):
        fold(common(tracks(sizes)), count)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = rows(artists=5, songs=3, spread=5.0)
    return write(tmp_path_factory.mktemp("folding") / "features.csv", made)


@pytest.fixture(scope="module")
def done(table: Path) -> tuple[Path, Comparison]:
    out = table.parent / "out"
    return out, compare([table], out, Asked(("svm", "lda"), seeds=2, folds=4))


def held_in(out: Path, run: str) -> set[str]:
    with (out / "runs" / f"{run}.csv").open(newline="") as file:
        return {row["track"] for row in csv.DictReader(file)}


def test_each_track_is_held_back_once(done: tuple[Path, Comparison]) -> None:
    out, _ = done
    judged: list[str] = []
    for number in range(1, 5):
        bundle = load_bundle(out / f"lda-0-fold{number}.safetensors")
        held = held_in(out, f"lda-0-fold{number}")
        assert not held & set(bundle.seen)
        assert "fold" in str(bundle.metrics["split"])
        judged += held
    assert len(judged) == len(set(judged)) == 60


def test_scaling_reduction_and_calibration_know_nothing_of_the_fold(
    table: Path, tmp_path: Path
) -> None:
    """Whatever numbers its tracks have, the model is the same to the last digit."""
    asked = Asked(("svm", "lda"), folds=3, reduce="pca:6")
    compare([table], tmp_path / "a", asked)
    held = held_in(tmp_path / "a", "lda-0-fold2")
    made = rows(artists=5, songs=3, spread=5.0)
    for row in made:
        if f"name:{Path(str(row['path'])).name}" in held:
            for column in list(row)[3:]:
                row[column] = 100 * float(str(row[column])) + 7
    compare([write(tmp_path / "other.csv", made)], tmp_path / "b", asked)
    for name in ("svm", "lda"):
        one, other = (
            load_bundle(tmp_path / folder / f"{name}-0-fold2.safetensors") for folder in "ab"
        )
        assert one.calibration == other.calibration
        assert one.metrics == other.metrics
        assert one.state.keys() == other.state.keys()
        assert all(np.array_equal(one.state[key], other.state[key]) for key in one.state)
        changed = load_bundle(tmp_path / "b" / f"{name}-0-fold1.safetensors").state
        before = load_bundle(tmp_path / "a" / f"{name}-0-fold1.safetensors").state
        assert not all(np.array_equal(changed[key], before[key]) for key in before)


def test_the_table_is_that_of_the_folds(done: tuple[Path, Comparison]) -> None:
    out, found = done
    assert (found.part, found.folds, found.tracks, found.artists) == ("folds", 4, 60, 20)
    assert found.judged.startswith("4 folds: 60 tracks of 20 artists, folded by artist, 2 seeds")
    for row in found.rows:
        accuracies = []
        for number in range(1, 5):
            right = []
            for seed in (0, 1):
                path = out / "runs" / f"{row.classifier}-{seed}-fold{number}.csv"
                with path.open(newline="") as file:
                    for one in csv.DictReader(file):
                        said = {k[2:]: float(v) for k, v in one.items() if k.startswith("p:")}
                        right.append(max(said, key=lambda g: said[g]) == one["genre"])
            accuracies.append(np.mean(right))
        assert row.folds == pytest.approx(accuracies)
        assert row.accuracy == pytest.approx(np.mean(accuracies))
        assert row.spread.deviation == pytest.approx(np.std(accuracies, ddof=1))
        assert not row.chose
    json.dumps(found.as_json())


def test_files_hold_the_folds(done: tuple[Path, Comparison]) -> None:
    out, found = done
    paths = write_report(found, out)
    with paths[0].open(newline="") as file:
        (line, *_) = list(csv.DictReader(file))
    assert (line["part"], line["folds"]) == ("folds", "4")
    best = found.rows[0]
    assert float(line["folds_deviation"]) == pytest.approx(best.spread.deviation, abs=1e-6)
    text = paths[1].read_text()
    assert "| folds ± |" in text
    assert f"| {' | '.join(f'{value:.3f}' for value in best.folds)} |" in text
    assert "Nadeau and Bengio 2003" in text
    assert "bootstrap" not in text
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_report(found, out)] == before


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The fits that were begun; the fourth of svm is stopped once."""
    names: list[str] = []
    real = trials.fit_model

    def spy(dataset: Any, split: Any, recipe: Any, out: Path, **named: Any) -> Any:
        names.append(out.stem)
        if names.count("svm-0-fold4") == 1 and out.stem == "svm-0-fold4":
            raise Stopped("stopped", code=143)
        return real(dataset, split, recipe, out, **named)

    monkeypatch.setattr(trials, "fit_model", spy)
    return names


def test_a_stopped_comparison_goes_on_at_the_fold(
    table: Path, done: tuple[Path, Comparison], tmp_path: Path, fits: list[str]
) -> None:
    asked = Asked(("svm", "lda"), seeds=2, folds=4)
    with pytest.raises(Stopped, match="stopped after 3 of 16 runs"):
        compare([table], tmp_path / "out", asked)
    fits.clear()
    fits.append("svm-0-fold4")
    lines: list[str] = []
    found = compare([table], tmp_path / "out", asked, say=lines.append)
    assert fits[1] == "svm-0-fold4"
    assert len(fits) == 14
    assert lines[0] == "13 runs to do, 78 fits with those for calibration, 3 are kept"
    assert [(row.accuracy, row.low, row.folds, row.ties) for row in found.rows] == [
        (row.accuracy, row.low, row.folds, row.ties) for row in done[1].rows
    ]
    fits.clear()
    compare([table], tmp_path / "out", asked)
    assert not fits


def test_other_folds_into_the_same_folder_are_refused(
    table: Path, done: tuple[Path, Comparison], fits: list[str]
) -> None:
    for folds, words in ((3, "--folds 4 instead of 3"), (None, "--folds 4 instead of none")):
        with pytest.raises(UsageError, match=f"was made with other settings: {words}"):
            compare([table], done[0], Asked(("svm",), folds=folds))
    assert not fits


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"folds": 1}, "--folds must be from 2 to 100, not 1"),
        ({"folds": 101}, "--folds must be from 2 to 100, not 101"),
        ({"folds": 21}, "--folds 21 is more than the 20 artists there are"),
        ({"part": "valid"}, "--folds judges every track that is folded, not --part valid"),
        ({"part": "test"}, "--folds judges every track that is folded, not --part test"),
        ({"split": "random"}, "--folds keeps artists together, --split random does not"),
        ({"split": "published"}, "no track has a part in a published split"),
    ],
)
def test_a_call_that_contradicts_itself_fits_nothing(
    table: Path, tmp_path: Path, fits: list[str], more: dict[str, Any], expected: str
) -> None:
    with pytest.raises(UsageError, match=expected):
        compare([table], tmp_path / "out", Asked(**({"classifiers": ("svm",), "folds": 4} | more)))
    assert not fits
    assert not (tmp_path / "out").exists()


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "site").mkdir()
    with installed_site(tmp_path / "site", monkeypatch) as site:
        site.install("toys", CODE)
        yield


@pytest.mark.usefixtures("toys")
def test_what_chooses_by_valid_gets_artists_of_its_own_for_it(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[str], Counter[str]]] = []
    real = trials.fit_model

    def spy(dataset: Any, split: Any, *more: Any, **named: Any) -> Any:
        of = [one.group for one, p in zip(dataset.labelled, split.parts, strict=True) if p]
        seen.append((of, Counter(split.parts)))
        by_artist: dict[str, set[str]] = {}
        for one, part in zip(dataset.labelled, split.parts, strict=True):
            by_artist.setdefault(one.group, set()).add(part)
        assert all(len(parts) == 1 for parts in by_artist.values())
        return real(dataset, split, *more, **named)

    monkeypatch.setattr(trials, "fit_model", spy)
    found = compare([table], tmp_path / "out", Asked(("toy", "svm"), folds=3))
    assert found.exit_code == 0
    counts = [count for _, count in seen]
    assert all(count["valid"] >= 6 for count in counts[:3])
    assert all(not count["valid"] for count in counts[3:])
    assert not any(row.chose for row in found.rows)
    assert any(note.startswith("toy: in each fold, a fifth of the artists") for note in found.notes)


def test_copies_are_learnt_with_their_tracks_and_never_judged(tmp_path: Path) -> None:
    made = rows(artists=4, songs=2)
    table = write(tmp_path / "t.csv", [*clean(made), *copies(made)])
    found = compare([table], tmp_path / "out", Asked(("lda",), folds=3))
    assert found.tracks == 32
    for number in (1, 2, 3):
        bundle = load_bundle(tmp_path / "out" / f"lda-0-fold{number}.safetensors")
        assert not held_in(tmp_path / "out", f"lda-0-fold{number}") & set(bundle.seen)


def test_votes_are_of_all_folds(table: Path, done: tuple[Path, Comparison]) -> None:
    asked = Asked(("svm", "lda"), seeds=2, folds=4, votes=["svm+lda"])
    found = compare([table], done[0], asked)
    (row,) = [row for row in found.rows if row.classifier == "svm+lda"]
    assert len(row.folds) == 4
    assert row.low < row.accuracy <= row.high


def test_a_classifier_that_fails_in_one_fold_fails_and_the_others_go_on(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = trials.fit_model

    def fails(dataset: Any, split: Any, recipe: Any, out: Path, **named: Any) -> Any:
        if out.stem == "svm-0-fold2":
            raise RunError("it fell over")
        return real(dataset, split, recipe, out, **named)

    monkeypatch.setattr(trials, "fit_model", fails)
    found = compare([table], tmp_path / "out", Asked(("svm", "lda"), folds=3))
    assert [(row.classifier, row.reason) for row in found.rows] == [
        ("lda", ""),
        ("svm", "it fell over"),
    ]
    assert found.exit_code == 1
    paths = write_report(found, tmp_path / "out")
    with paths[0].open(newline="") as file:
        assert [row["folds"] for row in csv.DictReader(file)] == ["3", "3"]
