"""A vote as a model: its members' answers of one decoding, by all or by those that can answer."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mgrkit
from mgrkit.classifiers import load_bundle, save_bundle
from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands.predict import PredictSettings, predict
from mgrkit.commands.vote import vote
from mgrkit.errors import BundleError, ItemError, UsageError, WeightsError
from mgrkit.inputs import extracting
from mgrkit.inputs.kinds import Pictures
from mgrkit.learning import voting
from mgrkit.learning.calibration import Calibration
from mgrkit.models import listening
from mgrkit.models.ballot import Ballot
from mgrkit.models.listing import list_models
from mgrkit.models.model import Model
from mgrkit.weights.store import place as place_of
from tests.models import voters
from tests.models.shop import HEAVY, put
from tests.models.test_model import write_song

LIGHT = ("blobs", "near", "waves")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The models of `voters`, votes of some, a long song and a short one."""
    folder = tmp_path_factory.mktemp("voters")
    with voters.plugin(folder):
        put(HEAVY)
        voters.make(folder)
        for rule in voting.RULES:
            join(folder, rule, *LIGHT, rule=rule)
        join(folder, "heavy", "blobs", "near", "far")
        join(folder, "light", "blobs", "near")
        join(folder, "all", "blobs", "proud", "near")
        write_song(folder / "long.wav", 70, song=60)
        write_song(folder / "short.wav", 1, song=61)
        yield folder


@pytest.fixture(autouse=True)
def _here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights are in the cache; a test may take them away."""
    monkeypatch.setenv("MGRKIT_CACHE", str(place / "cache"))
    put(HEAVY)


def join(folder: Path, name: str, *members: str | Path, rule: str = "geometric") -> Path:
    out = folder / f"{name}.safetensors"
    vote([str(folder / f"{one}.safetensors") for one in members], out, rule=rule, replace=True)
    return out


def path(place: Path, name: str) -> Path:
    return place / f"{name}.safetensors"


def by_rule(made: Path, answers: dict[str, list[float]]) -> np.ndarray:
    """What the file says of its members' answers (in the vote's order of labels)."""
    bundle = load_bundle(made)
    rows = np.array([[answers[name]] for name in bundle.members])
    raw = voting.vote(bundle.parameters["rule"], rows, bundle.state.get("weights", ()))
    return Calibration.from_dict(bundle.calibration).apply(raw)[0]


@pytest.mark.parametrize("rule", voting.RULES)
def test_a_vote_is_its_rule_over_what_its_members_say(place: Path, rule: str) -> None:
    """Of the song, and of each piece; at 22,050 and at 8,000 Hz."""
    voted = Model(path(place, rule))
    assert {member.rate for member in voted.members.values()} == {22050, 8000}
    assert voted.calibration.method == "folds"
    found = voted.judged(place / "long.wav")
    alone = {name: Model(path(place, name)).judged(place / "long.wav") for name in LIGHT}
    songs = {name: one["probabilities"] for name, one in alone.items()}
    assert found["probabilities"] == pytest.approx(by_rule(path(place, rule), songs), abs=1e-5)
    assert found["unsure_below"] == voted.bundle.calibration["unsure_below"]
    assert [(one["start"], one["seconds"]) for one in found["pieces"]] == [(0, 30), (30, 30)]
    for number, piece in enumerate(found["pieces"]):
        heard = {name: one["pieces"][number]["probabilities"] for name, one in alone.items()}
        expected = by_rule(path(place, rule), heard)
        assert piece["probabilities"] == pytest.approx(expected, abs=1e-4)
    assert found["warning"] == ""


def test_the_sound_is_opened_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    real = listening.open_sound

    def counting(*asked: Any, **more: Any) -> Any:
        opened.append(asked)
        return real(*asked, **more)

    monkeypatch.setattr(listening, "open_sound", counting)
    Model(path(place, "geometric")).judged(place / "long.wav")
    assert len(opened) == 1


def test_labels_in_another_order_are_the_same_labels(place: Path, tmp_path: Path) -> None:
    for name in LIGHT:
        (tmp_path / f"{name}.safetensors").write_bytes(path(place, name).read_bytes())
    voters.turned(path(place, "near"), tmp_path / "near.safetensors")
    expected = Model(path(place, "stacked")).judged(place / "long.wav")
    for order in (LIGHT, ("near", "blobs", "waves")):
        made = Model(join(tmp_path, "turned", *order, rule="stacked"))
        assert made.labels[0] == ("waltz" if order[0] == "near" else "ambient")
        found = made.judged(place / "long.wav")
        paired = dict(zip(made.labels, found["probabilities"], strict=True))
        labels = Model(path(place, "stacked")).labels
        assert [paired[label] for label in labels] == pytest.approx(
            expected["probabilities"], abs=1e-5
        )
        assert found["unsure_below"] == pytest.approx(expected["unsure_below"], abs=1e-5)


def test_from_python_and_by_the_command_it_is_the_same(place: Path) -> None:
    rows: list[dict[str, Any]] = []
    asked = PredictSettings(str(path(place, "geometric")), timeline=True)
    predict(asked, [place / "long.wav"], rows.append)
    one = mgrkit.load(path(place, "geometric"))
    assert one.predict(place / "long.wav", timeline=True) == rows[0]
    assert rows[0]["model"] == "geometric"
    assert one.bundle.task.labels == one.labels


def test_a_member_that_refuses_is_named_and_the_others_answer(place: Path, tmp_path: Path) -> None:
    bundle = load_bundle(path(place, "all"))
    own = {**bundle.calibration, "unsure_below": 0.99}
    save_bundle(tmp_path / "all.safetensors", replace(bundle, calibration=own))
    whole, others = Model(tmp_path / "all.safetensors"), Model(path(place, "light"))
    assert "proud" not in whole.judged(place / "long.wav")["warning"]
    found, expected = (one.judged(place / "short.wav") for one in (whole, others))
    assert found["warning"] == "proud has no answer: too-short: two seconds at least"
    assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)
    assert found["unsure_below"] == pytest.approx(expected["unsure_below"], abs=1e-5)
    assert len(found["pieces"]) == 1
    assert not whole.predict(place / "short.wav")["unsure"]
    assert whole.judged(place / "long.wav")["unsure_below"] == 0.99


@pytest.mark.parametrize("rule", voting.RULES)
def test_one_member_left_answers_as_it_does_alone(place: Path, tmp_path: Path, rule: str) -> None:
    for name in ("far", "near"):
        (tmp_path / f"{name}.safetensors").write_bytes(path(place, name).read_bytes())
    made = join(tmp_path, "two", "far", "near", rule=rule)
    place_of(HEAVY).unlink()
    found, alone = (Model(one).judged(place / "long.wav") for one in (made, path(place, "near")))
    assert found["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-6)
    assert found["unsure_below"] == alone["unsure_below"]


def test_where_all_refuse_the_first_says_why(place: Path, tmp_path: Path) -> None:
    bundle = load_bundle(path(place, "proud"))
    for seed in (1, 2):
        save_bundle(tmp_path / f"proud{seed}.safetensors", replace(bundle, seed=seed))
    one = Model(join(tmp_path, "both", "proud1", "proud2"))
    with pytest.raises(ItemError, match="two seconds at least") as caught:
        one.predict(place / "short.wav")
    assert caught.value.reason == "too-short"


def test_silence_is_refused_as_ever(place: Path, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "silent.wav"), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes(bytes(2 * 22050 * 3))
    with pytest.raises(ItemError) as caught:
        Model(path(place, "all")).predict(tmp_path / "silent.wav")
    assert caught.value.reason == "silent"


def test_whether_it_is_sure_is_the_votes_own(place: Path, tmp_path: Path) -> None:
    """One member that is always unsure and one that is always sure decide nothing."""
    made = path(place, "geometric")
    for name, least in (("blobs", 1.0), ("near", 0.0)):
        calibration = load_bundle(made).members[name].calibration
        changed = {**calibration, "unsure_below": least}
        made = voters.with_member(made, tmp_path / f"{name}.safetensors", name, calibration=changed)
    best = Model(made).predict(place / "long.wav")["probability"]
    for least in (best - 0.01, best + 0.01):
        bundle = load_bundle(made)
        changed = {**bundle.calibration, "unsure_below": least}
        save_bundle(tmp_path / "x.safetensors", replace(bundle, calibration=changed))
        row = Model(tmp_path / "x.safetensors").predict(place / "long.wav")
        assert row["unsure"] == (least > best)


def test_without_weights_the_others_answer(place: Path) -> None:
    place_of(HEAVY).unlink()
    one, others = Model(path(place, "heavy")), Model(path(place, "light"))
    one.ready()
    assert list(one.absent) == ["far"]
    assert one.answering == ["blobs", "near"]
    found, expected = (each.judged(place / "long.wav") for each in (one, others))
    assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)
    assert found["unsure_below"] == pytest.approx(expected["unsure_below"], abs=1e-5)
    assert found["warning"] == ""
    for piece, other in zip(found["pieces"], expected["pieces"], strict=True):
        assert piece["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)
    put(HEAVY)
    whole = Model(path(place, "heavy"))
    assert whole.judged(place / "long.wav")["probabilities"] != found["probabilities"]
    assert not whole.absent
    assert Model(path(place, "near")).answering == []


def test_without_any_weights_nothing_answers(place: Path, tmp_path: Path) -> None:
    bundle = load_bundle(path(place, "far"))
    for seed in (1, 2):
        save_bundle(tmp_path / f"far{seed}.safetensors", replace(bundle, seed=seed))
    one = Model(join(tmp_path, "both", "far1", "far2"))
    place_of(HEAVY).unlink()
    extracting._loaded.cache_clear()  # as in a new process
    with pytest.raises(WeightsError, match="mgrkit models fetch hum"):
        one.predict(place / "long.wav")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classifier": "gone_one"}, "near: the bundle needs the classifier 'gone_one'"),
        ({"eats": "features:gone"}, "near: no feature set 'gone'"),
        ({"input_digest": "0" * 16}, "near: it was trained on other features than toy-ears"),
        ({"state": {}}, "near: centroid: sums is missing"),
        ({"calibration": {"temperature": 1.0}}, "near: the calibration lacks"),
    ],
)
def test_a_member_that_cannot_answer_is_named(
    place: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    out = tmp_path / "x.safetensors"
    voters.with_member(path(place, "light"), out, "near", **changes)
    with pytest.raises(BundleError) as caught:
        Model(out)
    assert str(caught.value).startswith(f"{out}: member {message}")


@pytest.mark.parametrize(
    ("rule", "weights", "message"),
    [
        ("loud", None, "the rule of the vote is loud, not geometric, mean, majority, stacked"),
        (None, None, "the rule of the vote is None, not"),
        ("geometric", [1.0, 1.0], "the arrays of the vote are not those of its rule"),
        ("majority", [1.0, 1.0], "the arrays of the vote are not those of its rule"),
        ("stacked", None, "the arrays of the vote are not those of its rule"),
        ("stacked", [1.0], "weights of the vote are not a number from 0 for each"),
        ("stacked", [1.0, 1.0, 1.0], "weights of the vote are not a number from 0 for each"),
        ("stacked", [[1.0, 1.0]], "weights of the vote are not a number from 0 for each"),
        ("stacked", [1.0, -0.1], "weights of the vote are not a number from 0 for each"),
        ("stacked", [1.0, float("nan")], "weights of the vote are not a number from 0 for"),
        ("stacked", [1.0, float("inf")], "weights of the vote are not a number from 0 for"),
        ("stacked", [0.0, 0.0], "weights of the vote are not a number from 0 for each"),
        ("stacked", [1, 1], "weights of the vote are not a number from 0 for each"),
    ],
)
def test_rules_and_weights_that_cannot_be(
    place: Path, tmp_path: Path, rule: str | None, weights: Any, message: str
) -> None:
    bundle = load_bundle(path(place, "light"))
    changed = replace(
        bundle,
        parameters={"rule": rule} if rule else {},
        state={} if weights is None else {"weights": np.array(weights)},
    )
    save_bundle(tmp_path / "x.safetensors", changed)
    with pytest.raises(BundleError, match=message):
        Model(tmp_path / "x.safetensors")


def test_the_weights_of_those_that_answer_keep_the_sum_of_all(place: Path) -> None:
    """It is a temperature; and where all weight is another's, they are equals."""
    bundle = load_bundle(path(place, "stacked"))
    rng = np.random.default_rng(0)
    answers = {name: rng.dirichlet(np.ones(4), 5).astype(np.float32) for name in ("blobs", "waves")}
    rows = np.stack(list(answers.values()))
    for given, expected in (([1.0, 2.0, 3.0], [1.5, 4.5]), ([0.0, 2.0, 0.0], [1.0, 1.0])):
        made = replace(bundle, state={"weights": np.array(given)})
        found = Ballot(made).voted(answers)
        np.testing.assert_allclose(found, voting.vote("stacked", rows, expected), atol=1e-6)


def test_an_array_more_than_the_weights_is_refused(place: Path, tmp_path: Path) -> None:
    bundle = load_bundle(path(place, "stacked"))
    save_bundle(
        tmp_path / "x.safetensors", replace(bundle, state={**bundle.state, "w": np.ones(1)})
    )
    with pytest.raises(BundleError, match="arrays of the vote are not those of its rule"):
        Model(tmp_path / "x.safetensors")


def test_a_picture_is_judged_by_the_members_that_take_pictures(place: Path) -> None:
    picture = sorted((place / "pictures").rglob("*.png"))[0]
    one, alone = Model(path(place, "light")), Model(path(place, "blobs"))
    assert one.takes_pictures
    found, expected = one.judged(picture), alone.judged(picture)
    assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-6)
    assert found["unsure_below"] == expected["unsure_below"]
    assert found["warning"] == "near has no answer: picture: it takes toy-ears"
    assert expected["warning"] == ""
    with pytest.raises(ItemError) as caught:
        one.judged(place / "none.png")
    assert caught.value.reason == "missing", "which the member says that it is for"


def test_of_a_folder_a_vote_takes_sound_before_pictures(place: Path) -> None:
    rows: list[dict[str, Any]] = []
    predict(PredictSettings(str(path(place, "light"))), [place / "pictures"], rows.append)
    assert len(rows) == 36
    assert not any("error" in row for row in rows)


def test_kept_rows_of_other_members_are_not_mixed(place: Path, tmp_path: Path) -> None:
    journal, asked = tmp_path / "done.jsonl", PredictSettings(str(path(place, "heavy")))

    def run(*songs: str) -> tuple[list[dict[str, Any]], Any]:
        rows: list[dict[str, Any]] = []
        files = [place / f"{song}.wav" for song in songs]
        return rows, predict(asked, files, rows.append, resume=journal)

    place_of(HEAVY).unlink()
    first, _ = run("long")
    again, summary = run("long", "short")
    assert (again[0], summary.kept) == (first[0], 1)
    put(HEAVY)
    with pytest.raises(UsageError, match="members that answer blobs and near instead of blobs"):
        run("long")
    place_of(HEAVY).unlink()
    assert run("long")[0] == first


def test_a_journal_from_before_there_were_votes_is_gone_on_with(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows do not say below which probability a verdict is unsure."""
    journal, asked = tmp_path / "done.jsonl", PredictSettings(str(path(place, "near")))
    rows: list[dict[str, Any]] = []
    real = Model.judged

    def older(self: Model, *song: Any, **more: Any) -> dict[str, Any]:
        return {k: v for k, v in real(self, *song, **more).items() if k != "unsure_below"}

    with monkeypatch.context() as patch:
        patch.setattr(Model, "judged", older)
        predict(asked, [place / "long.wav"], rows.append, resume=journal)
    assert "unsure_below" not in journal.read_text()
    assert predict(asked, [place / "long.wav"], rows.append, resume=journal).kept == 1
    assert rows[1] == rows[0] == Model(path(place, "near")).predict(place / "long.wav")


def test_a_line_says_which_members_do_not_answer(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["predict", str(place / "long.wav"), "--model", str(path(place, "heavy"))]
    assert guarded(app, words) == 0
    assert capfd.readouterr().err.startswith("predict: 1 done")
    place_of(HEAVY).unlink()
    assert guarded(app, words) == 0
    out, err = capfd.readouterr()
    line = "heavy: without far, whose weights are not here; mgrkit models fetch hum gets them"
    assert err.splitlines()[:-1] == [line]
    assert "long.wav: " in out
    assert guarded(app, [*words, "-q"]) == 0
    assert capfd.readouterr().err == ""


def test_votes_are_listed_and_one_that_lacks_a_classifier_is_broken(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path))
    (tmp_path / "models").mkdir()
    good, bad = (path(tmp_path / "models", name) for name in ("good", "bad"))
    good.write_bytes(path(place, "heavy").read_bytes())
    voters.with_member(good, bad, "near", classifier="gone_one")
    rows = {row["name"]: row for row in list_models()}
    assert (rows["good"]["status"], rows["good"]["eats"], rows["good"]["labels"]) == (
        "ok", "vote", 4,
    )  # fmt: skip
    assert (rows["good"]["weights"], rows["good"]["weights_here"]) == ("hum", False)
    assert rows["good"]["accuracy"] == load_bundle(good).metrics["accuracy"]
    assert rows["bad"]["status"] == "broken"
    assert "'gone_one'" in rows["bad"]["error"]


def test_what_two_members_see_is_drawn_once(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("blobs", "twin"):
        (tmp_path / f"{name}.safetensors").write_bytes(path(place, "blobs").read_bytes())
    drawn: list[int] = []
    real = Pictures.piece

    def counting(self: Pictures, samples: Any, rate: int) -> Any:
        drawn.append(len(samples))
        return real(self, samples, rate)

    bundle = load_bundle(path(place, "blobs"))
    save_bundle(tmp_path / "twin.safetensors", replace(bundle, seed=bundle.seed + 1))
    monkeypatch.setattr(Pictures, "piece", counting)
    vote = Model(join(tmp_path, "both", "blobs", "twin", rule="mean"))
    row = vote.judged(place / "long.wav")
    assert len(drawn) == len(row["pieces"])
