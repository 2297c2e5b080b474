"""Models of columns: fit, measured, kept, and asked of other tables and of sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import mgrkit
from mgrkit.classifiers import Classifier, load_bundle
from mgrkit.classifiers.filling import MEDIANS
from mgrkit.commands.compare import Asked, compare
from mgrkit.commands.evaluate import evaluate
from mgrkit.commands.train import TrainSettings, train
from mgrkit.commands.vote import vote
from mgrkit.errors import UsageError
from mgrkit.inputs.columns import TableChoice
from tests.datasets.made_tables import GENRES, rows, write
from tests.tracks.made_fma import make_fma

FEW = {"trees": 20}
MFCC = TableChoice(("mfcc",))
MOODS = TableChoice(("mood*",))


def moods(path: Path) -> Path:
    """Four columns of no feature set, with gaps, in rows of which a third is in each part."""
    draw = np.random.default_rng(3)
    centres = draw.normal(0, 2, (len(GENRES), 4))
    made: list[dict[str, object]] = []
    for row in rows():
        place = GENRES.index(str(row["genre"]))
        song = {name: row[name] for name in ("path", "genre", "group")}
        song["split"] = ("train", "train", "valid", "test")[int(str(row["path"])[-7])]
        values = draw.normal(centres[place], 0.2)
        song |= {f"mood{k}": "" if draw.random() < 0.2 else v for k, v in enumerate(values)}
        made.append(song)
    return write(path, made)


@pytest.mark.parametrize("classifier", ["svm", "random_forest", "logistic_regression"])
def test_every_classifier_of_features_learns_from_columns_with_gaps(
    tmp_path: Path, classifier: str
) -> None:
    table, out = moods(tmp_path / "moods.csv"), tmp_path / "m.safetensors"
    trained = train(classifier, table, out, TrainSettings(choice=MOODS))
    bundle = load_bundle(out)
    assert (bundle.eats, bundle.task.columns) == (
        "features:table",
        ("mood0", "mood1", "mood2", "mood3"),
    )
    assert bundle.task.frontend is None
    assert trained.bundle.metrics["accuracy"] > 0.8
    assert trained.bundle.calibration["method"] != "none"
    found = evaluate(str(out), table)
    assert found["accuracy"] > 0.8
    assert any("missing values" in note for note in found["notes"])


def test_medians_are_those_of_train_alone(tmp_path: Path) -> None:
    table, out = moods(tmp_path / "moods.csv"), tmp_path / "m.safetensors"
    train("svm", table, out, TrainSettings(choice=MOODS))
    lines = [line.split(",") for line in table.read_text().splitlines()]
    train_rows = [line[4:] for line in lines if line[3] == "train"]
    every = [line[4:] for line in lines[1:]]

    def medians(of: list[list[str]]) -> list[float]:
        values = np.array([[float(v or "nan") for v in row] for row in of], np.float32)
        return [float(m) for m in np.nanmedian(values, axis=0)]

    kept = load_bundle(out).state[MEDIANS].tolist()
    assert kept == medians(train_rows)
    assert kept != medians(every)


def test_a_fold_is_filled_and_scaled_by_what_it_is_fit_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each fit sees values of its own train part only, whatever the others hold."""
    table, out = moods(tmp_path / "moods.csv"), tmp_path / "m.safetensors"
    seen: list[tuple[Any, Any]] = []
    fit: Callable[..., None] = __import__("mgrkit_classical.svm", fromlist=["SVM"]).SVM.fit

    def watched(self: Classifier, given: Any, valid: Any, run: Any) -> None:
        fit(self, given, valid, run)
        seen.append((np.array(given.x), self.state()))

    monkeypatch.setattr("mgrkit_classical.svm.SVM.fit", watched)
    train("svm", table, out, TrainSettings(choice=MOODS))
    assert len(seen) == 6  # five folds, then all of train
    for x, state in seen:
        assert np.isfinite(x).all()
        assert np.allclose(state["centre"], x.mean(0, dtype=np.float64))
    fills = set()
    for x, _ in seen:
        values, counts = np.unique(x[:, 0], return_counts=True)
        fill = values[counts.argmax()]
        rest = x[x[:, 0] != fill, 0]
        # It may be a value that is there, too: of an odd number the one in the middle.
        assert fill in (np.median(rest), np.median([*rest, fill]))
        fills.add(float(fill))
    assert len(fills) > 2


def test_a_model_remembers_its_columns_and_says_which_are_missing(tmp_path: Path) -> None:
    table, out = moods(tmp_path / "moods.csv"), tmp_path / "m.safetensors"
    train("random_forest", table, out, TrainSettings(parameters=FEW, choice=MOODS))
    cut = tmp_path / "cut.csv"
    lines = table.read_text().replace("mood1", "other").replace("mood3", "mood33")
    cut.write_text(lines)
    with pytest.raises(UsageError, match=r"cut.csv lacks 2 of 4 columns: mood1, mood3 \(did you"):
        evaluate(str(out), cut)


def test_a_model_of_columns_that_no_set_gives_refuses_sound_and_says_what_it_needs(
    tmp_path: Path,
) -> None:
    table, out = moods(tmp_path / "moods.csv"), tmp_path / "m.safetensors"
    train("random_forest", table, out, TrainSettings(parameters=FEW, choice=MOODS))
    (tmp_path / "in" / "blues").mkdir(parents=True)
    sound = tmp_path / "in" / "blues" / "a.wav"
    soundfile.write(sound, np.sin(np.arange(88_200) / 20) / 3, 22_050)
    what = r"on 4 columns of a table \(mood0, mood1, mood2, mood3\), which sound does not give"
    with pytest.raises(UsageError, match=rf"m was trained {what} \(give a table that has them"):
        mgrkit.load(out).predict(sound)
    with pytest.raises(UsageError, match=what):
        evaluate(str(out), tmp_path / "in")


def test_columns_of_a_set_are_computed_of_sound(tmp_path: Path) -> None:
    table, out = write(tmp_path / "t.csv", rows()), tmp_path / "m.safetensors"
    train("svm", table, out, TrainSettings(choice=MFCC))
    assert load_bundle(out).eats == "features:gtzan57"
    assert len(load_bundle(out).task.columns) == 40
    sound = tmp_path / "a.wav"
    soundfile.write(sound, np.sin(np.arange(88_200) / 20) / 3, 22_050)
    assert mgrkit.load(out).predict(sound)["genre"] in GENRES
    assert evaluate(str(out), table)["accuracy"] > 0.8


def test_a_whole_set_that_was_chosen_as_columns_fills_gaps_when_it_is_judged(
    tmp_path: Path,
) -> None:
    table, out = write(tmp_path / "t.csv", rows()), tmp_path / "m.safetensors"
    train("svm", table, out, TrainSettings(choice=TableChoice(("*",))))
    assert len(load_bundle(out).task.columns) == 57
    gaps = [{**row, "tempo": ""} for row in rows()]
    found = evaluate(str(out), write(tmp_path / "gaps.csv", gaps))
    plain = evaluate(str(out), table)
    assert found["tracks"] == plain["tracks"]


def test_columns_are_compared_and_voted_on_as_others(tmp_path: Path) -> None:
    table = moods(tmp_path / "moods.csv")
    asked = Asked(
        ["svm", "random_forest"], 1, parameters={"random_forest": FEW}, votes=["svm+random_forest"],
        choice=MOODS,
    )  # fmt: skip
    found = compare([table], tmp_path / "out", asked)
    assert [row["accuracy"] > 0.8 for row in found.as_json()["rows"]] == [True] * 3
    for name in ("svm", "random_forest"):
        settings = TrainSettings(parameters=FEW if name != "svm" else {}, choice=MOODS)
        train(name, table, tmp_path / f"{name}.safetensors", settings)
    out = tmp_path / "vote.safetensors"
    vote([str(tmp_path / "svm.safetensors"), str(tmp_path / "random_forest.safetensors")], out)
    assert evaluate(str(out), table)["accuracy"] > 0.8


def test_of_sound_only_the_columns_that_are_chosen_are_learnt_from(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for number in range(8):
        genre = GENRES[number % 2]
        path = tmp_path / "in" / genre / f"{number} {'xyzw'[number // 2] * 3}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        tone = np.sin(np.arange(44_100) * (number % 2 + 1) / 20) / 3
        soundfile.write(path, tone + draw.normal(0, 0.01, len(tone)), 22_050)
    out = tmp_path / "m.safetensors"
    settings = TrainSettings(parameters=FEW, split="random", choice=MFCC)
    train("random_forest", tmp_path / "in", out, settings)
    assert len(load_bundle(out).task.columns) == 40
    assert mgrkit.load(out).predict(path)["genre"] in GENRES


def test_fma_s_table_of_features_trains_on_its_official_split(tmp_path: Path) -> None:
    make_fma(tmp_path, 1200, features=1200)
    out = tmp_path / "m.safetensors"
    settings = TrainSettings(parameters=FEW, choice=TableChoice(("mfcc", "chroma")))
    trained = train("random_forest", tmp_path / "features.csv", out, settings)
    assert trained.bundle.metrics["split"].startswith("published split")
    assert all(trained.counts[part] for part in ("train", "valid", "test"))
    found = evaluate(str(out), tmp_path / "features.csv")
    assert found["tracks"] == trained.counts["test"]
    assert "published part test" in found["split"]


def test_gtzan_s_table_trains_on_its_mfcc(data: Path, tmp_path: Path) -> None:
    table, out = data / "gtzan" / "features_30_sec.csv", tmp_path / "m.safetensors"
    trained = train("svm", table, out, TrainSettings(choice=MFCC))
    assert (trained.counts["train"], trained.counts["valid"]) == (443, 197)
    assert 0.4 < trained.bundle.metrics["accuracy"] < 0.55
    song = mgrkit.load(out).predict(data / "songs" / "vibe_ace.ogg")
    assert song["genre"] in trained.bundle.task.labels


def keyed(path: Path) -> Path:
    """A number, and a key by genre, of which one is in valid alone and one in test alone."""
    draw = np.random.default_rng(3)
    made: list[dict[str, object]] = []
    for row in rows():
        place, song = GENRES.index(str(row["genre"])), int(str(row["path"])[-5])
        part = ("train", "train", "valid", "test")[int(str(row["path"])[-7])]
        odd = song == 0 and part != "train"
        made.append(
            {
                **{name: row[name] for name in ("path", "genre", "group")},
                "split": part,
                "energy": draw.normal(place),
                "key": f"only {part}" if odd else "CDEF"[place] if song else "",
            }
        )
    return write(path, made)


@pytest.mark.parametrize("classifier", ["svm", "random_forest", "knn"])
def test_a_category_that_train_lacks_counts_for_nothing(tmp_path: Path, classifier: str) -> None:
    table, out = keyed(tmp_path / "keyed.csv"), tmp_path / "m.safetensors"
    train(classifier, table, out, TrainSettings(choice=TableChoice(("energy", "key"))))
    bundle = load_bundle(out)
    columns = ("key=C", "key=D", "key=E", "key=F", "key=only test", "key=only valid")
    assert bundle.task.columns == ("energy", *columns)
    assert np.isnan(bundle.state[MEDIANS][-2:]).all()
    found = evaluate(str(out), table)
    assert found["accuracy"] > 0.7
    other = tmp_path / "other.csv"
    other.write_text(table.read_text().replace("only test", "never met"))
    assert evaluate(str(out), other)["accuracy"] == found["accuracy"]
    other.write_text(table.read_text().replace("only test", ""))
    assert evaluate(str(out), other)["accuracy"] == found["accuracy"]
    model = mgrkit.load(str(out)).only
    here, none = np.array([[0, 0, 0, 0, 0, 1, 1], [0] * 7], np.float32)
    assert np.array_equal(*(model.of_tracks(x[None], np.zeros(1, int)) for x in (here, none)))
