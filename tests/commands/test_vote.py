"""``mgrkit vote``: what is joined, what is refused, and what is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.classifiers import Bundle, load_bundle, save_bundle
from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands.train import TrainSettings, train
from mgrkit.commands.vote import vote
from mgrkit.errors import BundleError, RunError, UsageError
from mgrkit.learning.calibration import Calibration, calibrate
from mgrkit.learning.comparing import difference
from mgrkit.learning.folds import group_folds
from mgrkit.learning.metrics import scores
from mgrkit.learning.voting import RULES, stacked_weights
from mgrkit.learning.voting import vote as by_rule
from mgrkit.models.ballot import Common
from tests.datasets.made_tables import rows, write

NAMES = ("svm", "random_forest", "logistic_regression")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models of one table; ``none`` keeps no predictions, ``other`` is of other tracks."""
    folder = tmp_path_factory.mktemp("vote")
    made = rows(artists=6, songs=3, spread=6.0)
    write(folder / "t.csv", made)
    for name in NAMES:
        parameters = {"trees": 5} if name == "random_forest" else {}
        train(name, folder / "t.csv", path(folder, name), TrainSettings(parameters=parameters))
    save_bundle(path(folder, "none"), replace(load_bundle(path(folder, "svm")), held_out=None))
    others = [{**row, "path": str(row["path"]).replace("-", "_x")} for row in made]
    train("svm", write(folder / "others.csv", others), path(folder, "other"))
    return folder


@pytest.fixture(autouse=True)
def _inside(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "80")


def path(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"


def files(*names: str) -> list[str]:
    return [f"{name}.safetensors" for name in names]


def changed(out: Path, name: str, **fields: Any) -> Path:
    bundle: Bundle = load_bundle(Path(files(name)[0]))
    save_bundle(out, replace(bundle, **fields))
    return out


def test_members_are_kept_as_they_are(tmp_path: Path) -> None:
    made = vote(files("svm", "random_forest"), tmp_path / "v.safetensors")
    bundle = load_bundle(made.path)
    assert list(bundle.members) == ["random_forest", "svm"]
    for name, member in bundle.members.items():
        again = tmp_path / "again.safetensors"
        save_bundle(again, member)
        assert again.read_bytes() == Path(files(name)[0]).read_bytes()
    assert (bundle.classifier, bundle.eats, bundle.parameters) == (
        "vote", "vote", {"rule": "geometric"},
    )  # fmt: skip
    seen = [set(load_bundle(Path(one)).seen) for one in files("svm", "random_forest")]
    assert set(bundle.seen) == seen[0] | seen[1]
    assert bundle.metrics["split"] == "grouped split"
    assert "svm: t.csv: " in bundle.card["data"]
    assert bundle.card["limits"].count("knows these genres only") == 1


def test_seen_is_the_union(tmp_path: Path) -> None:
    made = vote(files("svm", "other"), tmp_path / "v.safetensors")
    seen = [set(load_bundle(Path(one)).seen) for one in files("svm", "other")]
    assert not seen[0] <= seen[1]
    assert set(made.bundle.seen) == seen[0] | seen[1]


def by_hand(rule: str) -> tuple[np.ndarray, np.ndarray, list[str], dict[str, np.ndarray]]:
    """From what the files of the three models keep: the vote's raw answers, y and artists."""
    bundles = {name: load_bundle(Path(files(name)[0])) for name in NAMES}
    kept = {name: one.held_out for name, one in bundles.items()}
    assert all(kept.values())
    ids = list(kept["svm"].ids)  # type: ignore[union-attr]
    answers = {}
    for name, out in kept.items():
        assert out
        order = [out.ids.index(one) for one in ids]
        calibration = Calibration.from_dict(bundles[name].calibration)
        answers[name] = calibration.apply(out.rows(order))
    y, groups = kept["svm"].y, list(kept["svm"].groups)  # type: ignore[union-attr]
    models = np.stack(list(answers.values()))
    if rule != "stacked":
        return by_rule(rule, models), y, groups, answers
    raw = np.zeros_like(models[0])
    for fit, held in group_folds(y, np.array(groups)):
        raw[held] = by_rule(rule, models[:, held], stacked_weights(models[:, fit], y[fit]))
    return raw, y, groups, answers


@pytest.mark.parametrize("rule", RULES)
def test_the_metrics_are_those_of_the_tracks_that_no_member_was_fit_on(
    tmp_path: Path, rule: str
) -> None:
    made = vote(files(*NAMES), tmp_path / "v.safetensors", rule=rule)
    raw, y, groups, answers = by_hand(rule)
    calibration = calibrate(raw, y, np.array(groups), "folds")
    for name, value in calibration.to_dict().items():
        shown = made.bundle.calibration[name]
        assert shown == (value if isinstance(value, str) else pytest.approx(value, abs=1e-4)), name
    measured = scores(calibration.apply(raw), y, groups, made.bundle.task.labels)
    assert measured["accuracy"] == (raw.argmax(1) == y).mean()
    for name in ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "top3", "tracks"):
        assert made.bundle.metrics[name] == pytest.approx(measured[name], abs=1e-6), name
    assert made.bundle.metrics["ece"] == pytest.approx(calibration.ece, abs=1e-4)
    assert made.bundle.metrics["part"] == "folds of train"
    assert made.bundle.metrics["folds"]["accuracy"] == measured["accuracy"]
    right = {name: (one.argmax(1) == y)[None].astype(float) for name, one in answers.items()}
    assert {row["name"]: row["accuracy"] for row in made.members} == {
        name: pytest.approx(one.mean()) for name, one in right.items()
    }
    assert made.gain
    best = max(right.values(), key=np.mean).mean()
    assert right[made.gain["over"]].mean() == best
    paired = difference("vote", made.gain["over"], {**right, "vote": (raw.argmax(1) == y)[None]},
                        groups)  # fmt: skip
    assert (made.gain["difference"], made.gain["low"], made.gain["high"]) == pytest.approx(
        (paired.difference, paired.low, paired.high)
    )
    assert made.notes == ()


def test_stacked_weights_are_kept_by_name(tmp_path: Path) -> None:
    made = vote(files(*NAMES), tmp_path / "v.safetensors", rule="stacked")
    _, y, _, answers = by_hand("stacked")
    names = sorted(NAMES)
    learnt = stacked_weights(np.stack([answers[name] for name in names]), y)
    bundle = load_bundle(made.path)
    assert bundle.state["weights"].dtype == np.float64
    np.testing.assert_allclose(bundle.state["weights"], learnt, atol=1e-3)
    assert [row["weight"] for row in made.members] == bundle.state["weights"].tolist()
    assert [row["name"] for row in made.members] == names
    assert not vote(files("svm", "other"), tmp_path / "w.safetensors").bundle.state


def test_a_track_that_members_know_under_two_genres_does_not_count(tmp_path: Path) -> None:
    bundle = load_bundle(Path("svm.safetensors"))
    assert bundle.held_out
    y = bundle.held_out.y.copy()
    y[:3] = (y[:3] + 1) % 4
    changed(path(tmp_path, "odd"), "svm", held_out=replace(bundle.held_out, y=y))
    members = {"svm": bundle, "odd": load_bundle(path(tmp_path, "odd"))}
    common = Common.of(members, bundle.task.labels)
    assert common
    assert len(common.y) == len(y) - 3


def test_without_common_tracks_it_is_not_measured_and_that_is_said(tmp_path: Path) -> None:
    for other, why in (
        ("none", "no predictions by folds in none"),
        ("other", "no track is common"),
    ):
        made = vote(files("random_forest", other), path(tmp_path, other), rule="mean")
        assert made.notes == (
            f"not calibrated and not measured: {why} (mgrkit train ... --folds 5 keeps some)",
        )
        assert made.gain is None
        assert [row["accuracy"] for row in made.members] == [None, None]
        assert made.bundle.metrics["part"] == "none"
        assert made.bundle.metrics["split"] == "grouped split"
        assert not made.bundle.calibration


def test_stacked_is_refused_without_what_weights_are_learnt_from(tmp_path: Path) -> None:
    out = tmp_path / "v.safetensors"
    with pytest.raises(UsageError) as caught:
        vote(files("random_forest", "none"), out, rule="stacked")
    assert str(caught.value) == (
        "no out-of-fold predictions to learn weights from in none (mgrkit train ... --folds 5 "
        "keeps them; or another --rule)"
    )
    with pytest.raises(UsageError, match="no track that all members predicted without having been"):
        vote(files("random_forest", "other"), out, rule="stacked")
    assert not out.exists()


def test_two_of_one_name_are_told_apart(tmp_path: Path) -> None:
    places = []
    for number, name in enumerate(("my model", "my model", "my model 2", "my model")):
        folder = tmp_path / str(number)
        folder.mkdir()
        places.append(str(changed(path(folder, name), "svm", seed=number)))
    made = vote(places, tmp_path / "v.safetensors")
    seeds = {name: one.seed for name, one in load_bundle(made.path).members.items()}
    assert seeds == {"my model": 0, "my model 2": 1, "my model 2 2": 2, "my model 3": 3}


def test_what_cannot_be_joined_is_named(tmp_path: Path) -> None:
    out = tmp_path / "v.safetensors"
    own = load_bundle(Path("svm.safetensors"))
    vote(files("svm", "other"), path(tmp_path, "both"))
    labels = ("ambient", "blues", "polka", "waltz")
    changed(path(tmp_path, "polka"), "svm", task=replace(own.task, labels=labels))
    changed(path(tmp_path, "gone"), "svm", classifier="gone_one")
    Path("copy.safetensors").write_bytes(Path("svm.safetensors").read_bytes())
    damaged = bytearray(Path("svm.safetensors").read_bytes())
    damaged[-1] ^= 1
    path(tmp_path, "damaged").write_bytes(damaged)
    for models, error, message in (
        (files("svm"), UsageError, "a vote needs two models at least"),
        ([], UsageError, "a vote needs two models at least"),
        (files("svm", "svm"), UsageError, "svm.safetensors is there twice"),
        (files("svm", "copy"), UsageError, "copy.safetensors is there twice"),
        ([*files("svm"), str(path(tmp_path, "both"))], UsageError, "is a vote itself (name its"),
        ([*files("svm"), str(path(tmp_path, "polka"))], UsageError,
         "polka.safetensors and svm know other genres: polka, techno (a vote is of models with"),
        (files("svm", "nowhere"), UsageError, "there is no model nowhere.safetensors"),
        ([*files("svm"), str(path(tmp_path, "gone"))], BundleError,
         "gone.safetensors: the bundle needs the classifier 'gone_one'"),
        ([*files("svm"), str(path(tmp_path, "damaged"))], BundleError, "damaged: its digest"),
    ):  # fmt: skip
        with pytest.raises(error) as caught:
            vote(models, out)
        assert message in str(caught.value)
    with pytest.raises(UsageError, match="--rule must be geometric, mean, majority, stacked, not"):
        vote(files("svm", "other"), out, rule="loud")
    assert not out.exists()


def test_where_it_is_written(tmp_path: Path) -> None:
    both = files("svm", "other")
    out = tmp_path / "v.safetensors"
    first = vote(both, out)
    with pytest.raises(UsageError, match="is there already"):
        vote(both, out)
    assert vote(both, out, rule="mean", replace=True).bundle != first.bundle
    assert load_bundle(out).parameters == {"rule": "mean"}
    with pytest.raises(UsageError, match=r"\.safetensors"):
        vote(both, tmp_path / "v.onnx")
    with pytest.raises((UsageError, RunError)):
        vote(both, tmp_path / "no" / "v.safetensors")


def run(*words: str) -> int:
    return guarded(app, ["vote", *words])


def test_the_command_tells_people_and_scripts(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "v.safetensors")
    assert run(*files(*NAMES), "--out", out, "--rule", "stacked") == 0
    shown, err = capfd.readouterr()
    lines = shown.splitlines()
    assert max(map(len, lines[:-1])) <= 80
    assert lines[0].endswith(" tracks of folds of train")
    assert lines[1].startswith("stacked vote: accuracy 0.")
    assert [line.split(":")[0].strip() for line in lines[3:6]] == sorted(NAMES)
    assert all(", weight " in line for line in lines[3:6])
    assert " points over " in lines[6]
    assert lines[7].startswith(f"wrote {out} (")
    assert err == ""
    assert run(*files(*NAMES), "--out", out, "--replace", "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["bundle"], found["rule"]) == (out, "geometric")
    assert set(found) == {
        "bundle", "rule", "labels", "members", "metrics", "calibration", "gain", "notes",
    }  # fmt: skip
    assert set(found["gain"]) == {"over", "difference", "low", "high"}
    assert run(*files("svm", "none"), "--out", out, "--replace") == 0
    shown, err = capfd.readouterr()
    assert "note: not calibrated and not measured: no predictions by folds in none" in err
    assert "accuracy" not in shown
    assert run(*files("svm", "none"), "--out", out, "--replace", "-q") == 0
    assert capfd.readouterr().err == ""


def test_wrong_calls_are_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "v.safetensors")]
    for words, code in (
        ([*files("svm", "other"), *out, "--rule", "loud"], 2),
        ([*files("svm"), *out], 2),
        ([*files("svm", "svm"), *out], 2),
        ([*files("none", "random_forest"), *out, "--rule", "stacked"], 2),
    ):
        assert run(*words) == code
        shown, err = capfd.readouterr()
        assert (shown, len(err.splitlines())) == ("", 1)


def test_help_fits_eighty_columns() -> None:
    words = [sys.executable, "-m", "mgrkit", "vote", "--help"]
    env = {**os.environ, "COLUMNS": "80"}
    result = subprocess.run(words, capture_output=True, text=True, env=env, check=True)
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "  mgrkit vote " in result.stdout
    assert all(rule in result.stdout for rule in RULES)


def test_a_vote_is_not_written_over_its_member(tmp_path: Path) -> None:
    member = tmp_path / "member.safetensors"
    member.write_bytes(Path("svm.safetensors").read_bytes())
    with pytest.raises(UsageError, match="would be written over by its vote"):
        vote([str(member), "random_forest.safetensors"], member, replace=True)
    assert member.read_bytes() == Path("svm.safetensors").read_bytes()
