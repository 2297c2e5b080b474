"""Models under conditions: beside the clean sounds, over the same tracks, by all members."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.audio import Writer, open_sound
from mgrkit.augment.asked import axis_of, conditions_of
from mgrkit.augment.conditions import parse_conditions
from mgrkit.classifiers import load_bundle, save_bundle
from mgrkit.commands.evaluate import evaluate, evaluate_under
from mgrkit.commands.spectrograms import SpectrogramsSettings, spectrograms
from mgrkit.commands.train import TrainSettings, train
from mgrkit.commands.vote import vote
from mgrkit.datasets.altering import altered
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import UsageError
from mgrkit.experiments.evaluating import Wanted, look_up
from mgrkit.experiments.robustness import MEASURES, under
from mgrkit.frontend import front_end
from mgrkit.inputs.kinds import input_of
from mgrkit.learning.comparing import difference
from mgrkit.learning.metrics import scores
from mgrkit.models.model import load_model
from mgrkit.synthetic.collection import write_collection
from tests.datasets.made_tables import rows, write
from tests.datasets.test_altering import Odd


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Made music, two models of it and their vote."""
    folder = tmp_path_factory.mktemp("robustness")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MGRKIT_CACHE", str(folder / "cache"))
        write_collection(
            folder / "audio", songs=8, artists=4, seconds=2.0,
            parts=("train", "train", "test", "test"),
        )  # fmt: skip
        for name in ("svm", "random_forest"):
            path = folder / f"{name}.safetensors"
            settings = TrainSettings(parameters={"trees": 20} if name == "random_forest" else {})
            train(name, folder / "audio", path, settings)
        models = [str(folder / f"{one}.safetensors") for one in ("svm", "random_forest")]
        vote(models, folder / "both.safetensors")
        yield folder


@pytest.fixture(autouse=True)
def _here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGRKIT_CACHE", str(place / "cache"))
    monkeypatch.chdir(place)


def judged(model: str, *conditions: str, **wanted: Any) -> dict[str, Any]:
    [result] = evaluate_under(
        [f"{model}.safetensors"], Path("audio"), conditions=conditions, **wanted
    )
    return result


def test_the_clean_row_is_what_plain_evaluate_says() -> None:
    for model in ("svm", "both"):
        plain = evaluate(f"{model}.safetensors", Path("audio"))
        result = judged(model, "gain@-20", "white@10")
        clean = result["under"][0]
        assert {name: result[name] for name in plain} == plain
        for name in ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "ece", "tracks"):
            assert clean[name] == plain[name]
        assert (clean["condition"], clean["failed"], clean["value"]) == ("clean", 0, None)
        for name in MEASURES:
            assert [clean[f"{name}_change{end}"] for end in ("", "_low", "_high")] == [0, 0, 0]
        assert [row["condition"] for row in result["under"]] == ["clean", "gain@-20", "white@10"]


def test_each_member_of_a_vote_hears_the_altered_sound() -> None:
    result = judged("both", "white@0")
    model = load_model("both.safetensors")
    looked = look_up(model, Wanted((Path("audio"),)))
    [condition] = parse_conditions("white@0")
    answers, heard = {}, {}
    for name, (folder, dataset) in looked.datasets.items():
        heard[name] = found = altered(folder, dataset, [condition])["white@0", 1]
        assert (found.x != dataset.x).any()
        answers[name] = model.members[name].of_tracks(found.x, found.tracks)
    probabilities = model.combined(answers)
    told = scores(probabilities, looked.y, looked.dataset.groups(), looked.labels)
    row = result["under"][1]
    for name in ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "ece"):
        assert row[name] == told[name]
    far = [model.members[name].strange_tracks(of.x, of.tracks) for name, of in heard.items()]
    doubts = (probabilities.max(1) < looked.unsure_below) | np.any(far, axis=0)
    assert row["unsure"] == doubts.mean()
    right = [(p.argmax(1) == looked.y)[None] for p in (probabilities, looked.probabilities())]
    paired = difference("a", "b", dict(zip("ab", right, strict=True)), looked.dataset.groups())
    changes = [row[f"accuracy_change{end}"] for end in ("", "_low", "_high")]
    assert changes == [paired.difference, paired.low, paired.high]


def test_levels_matter_to_features_that_hear_them() -> None:
    """GTZAN's 57 hold the level; a model on them is judged by the softer sound."""
    looked = look_up(load_model("svm.safetensors"), Wanted((Path("audio"),)))
    [(folder, dataset)] = looked.datasets.values()
    [softer] = parse_conditions("gain@-20")
    found = altered(folder, dataset, [softer])["gain@-20", 1]
    level = dataset.input.columns.index("rms_mean")
    np.testing.assert_allclose(found.x[:, level], dataset.x[:, level] / 10, rtol=1e-3)


def test_where_tracks_fail_both_sides_are_judged_by_the_others() -> None:
    looked = look_up(load_model("svm.safetensors"), Wanted((Path("audio"),)))
    bad = looked.dataset.entries[3].name
    [result] = under([looked], [Odd(bad, "nan")])
    count = len(looked.dataset.entries)
    clean, row = result["under"]
    assert (clean["tracks"], row["tracks"], row["failed"]) == (count, count - 1, 1)
    assert result["failed"] == 1
    # The others are as they were: over the same tracks nothing changes.
    for name in MEASURES:
        assert row[f"{name}_change"] == 0
    which = [i for i in range(count) if i != 3]
    groups = [looked.dataset.groups()[i] for i in which]
    told = scores(looked.probabilities()[which], np.array(looked.y)[which], groups, looked.labels)
    assert row["accuracy"] == told["accuracy"]
    assert any("1 non-finite" in note and bad in note for note in result["notes"])


def test_a_recipe_that_makes_no_numbers_fails_all_tracks_and_the_others_stand(
    tmp_path: Path,
) -> None:
    pytest.importorskip("audiomentations")
    (tmp_path / "burst.toml").write_text(
        '[[step]]\ntransform = "Gain"\nmin_gain_db = 900.0\nmax_gain_db = 900.0\n'
    )
    result = judged("svm", str(tmp_path / "burst.toml"), "gain@-3")
    _, burst, softer = result["under"]
    assert (burst["condition"], burst["tracks"], burst["accuracy"]) == ("burst", 0, None)
    assert burst["failed"] == result["failed"] == result["tracks"]
    assert softer["tracks"] == result["tracks"]
    assert any("non-finite" in note for note in result["notes"])


def test_models_are_judged_together_and_under_the_same_sounds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    alone = judged("svm", "pink@5", "mp3@64")
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    names = [f"{one}.safetensors" for one in ("random_forest", "svm", "both")]
    three = evaluate_under(names, Path("audio"), conditions=["pink@5", "mp3@64"])
    assert [one["model"] for one in three] == ["random_forest", "svm", "both"]
    assert three[1] == alone
    assert not any("same tracks" in note for note in alone["notes"])


def test_models_that_have_seen_other_tracks_are_said_to_be_judged_by_others(
    tmp_path: Path,
) -> None:
    path = tmp_path / "other.safetensors"
    train("svm", Path("audio"), path, TrainSettings(split="random", seed=3))
    results = evaluate_under(
        ["svm.safetensors", str(path)], Path("audio"), conditions=["gain@-3"], part="all"
    )
    counts = [one["tracks"] for one in results]
    note = f"the models are not judged by the same tracks: svm {counts[0]}, other {counts[1]}"
    assert all(note in one["notes"] for one in results)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        (["wihte@10"], "did you mean white"),
        (["pitch-and-strech"], "did you mean pitch-and-stretch"),
        (["mp3@7"], "mp3 has no bit rate of 7 kbit/s"),
        (["white@10", "white@20,10"], "two conditions are called white@10"),
        (["reverb", "reverb@0.6"], "two conditions are called reverb@0.6"),
        (["white@99"], "out of range"),
        (["no.toml"], "there is no file no.toml"),
        (["gone/rain.wav@10"], "there is no file gone/rain.wav"),
        (["audio/rain.wav"], "'audio/rain.wav' needs numbers behind an @"),
        (["mp3.wav@10"], "mp3.wav is called as the condition mp3 (give the file another name)"),
        (["./white@10"], "./white is called as the condition white"),
        (["audio/rain.wav@10", "more/rain.wav@10"], "rain@10 (each once, files by other names)"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(
    conditions: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("audio/rain.wav", "more/rain.wav", "mp3.wav", "white/rain.wav"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    with pytest.raises(UsageError) as error:
        evaluate_under(["nothing.safetensors"], Path("nowhere"), conditions=conditions)
    assert message in str(error.value)


def test_tables_and_pictures_cannot_be_altered(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", rows())
    with pytest.raises(UsageError, match="--under needs sound; what svm is judged by is gtzan57"):
        evaluate_under(["svm.safetensors"], table, conditions=["gsm"])
    spectrograms(SpectrogramsSettings(front_end()), [Path("audio")], tmp_path / "pictures")
    with pytest.raises(UsageError, match="holds pictures"):
        evaluate_under(["svm.safetensors"], tmp_path / "pictures", conditions=["gsm"])
    drawn = read_dataset(tmp_path / "pictures", input_of("image", "cnn"))
    with pytest.raises(UsageError, match="no sound but mel pictures, which cannot be altered"):
        altered(tmp_path / "pictures", drawn, parse_conditions("gsm"))


def test_a_model_is_there_once() -> None:
    with pytest.raises(UsageError, match="two models are called svm"):
        evaluate_under(["svm.safetensors"] * 2, Path("audio"), conditions=["gsm"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gsm", "gsm.toml is called as the condition gsm (give the recipe another name)"),
        ("white", "white.toml is called as the condition white"),
        ("clean", "a recipe is called clean, as the row of the sounds as they are"),
    ],
)
def test_a_recipe_is_called_as_nothing_else(name: str, message: str, tmp_path: Path) -> None:
    pytest.importorskip("audiomentations")
    (tmp_path / f"{name}.toml").write_text('[[step]]\nnoise = "white"\nsnr = 10\n')
    with pytest.raises(UsageError) as error:
        evaluate_under(["no"], Path("no"), conditions=[str(tmp_path / f"{name}.toml")])
    assert message in str(error.value)


def test_a_recipe_in_a_folder_with_an_at_is_found(tmp_path: Path) -> None:
    pytest.importorskip("audiomentations")
    recipe = tmp_path / "me@work" / "hiss.toml"
    recipe.parent.mkdir()
    recipe.write_text('[[step]]\nnoise = "white"\nsnr = 10\n')
    assert [one.name for one in conditions_of([str(recipe)])] == ["hiss"]


def test_conditions_have_an_axis() -> None:
    names = [one.name for one in conditions_of(["white@10", "mp3@64", "gsm", "reverb"])]
    assert [tuple(axis_of(name)) for name in names] == [
        ("white", 10.0, "dB SNR"), ("mp3", 64.0, "kbit/s"), ("gsm", None, ""),
        ("reverb", 0.6, "s RT60"),
    ]  # fmt: skip


def test_unsure_is_what_predict_calls_so(place: Path, tmp_path: Path) -> None:
    """Below the threshold, unlike all that was learnt, or reaching less high than that."""
    bundle = load_bundle(place / "svm.safetensors")
    save_bundle(tmp_path / "high.safetensors", replace(bundle, bandwidth=9000.0))
    for name in ("svm", "high"):
        path = place / "svm.safetensors" if name == "svm" else tmp_path / "high.safetensors"
        model = load_model(str(path))
        looked = look_up(model, Wanted((Path("audio"),)))
        [result] = under([looked], parse_conditions("gsm"))
        clean, row = result["under"]
        folder, dataset = next(iter(looked.datasets.values()))
        told: dict[str, list[bool]] = {"clean": [], "gsm": []}
        [gsm] = parse_conditions("gsm")
        ready = gsm.ready(tmp_path)
        for file in (dataset.files[n] for n in np.flatnonzero(dataset.places >= 0)):
            told["clean"].append(model.predict(folder / file)["unsure"])
            with open_sound(folder / file) as sound:
                samples = np.concatenate(list(sound.blocks()), axis=1)
                rate = sound.rate
            made = ready.apply(samples, rate, 0, file, 1)
            with Writer(tmp_path / "gsm.wav", rate, len(samples), "FLOAT", "wav") as copy:
                copy.write(made.samples)
            told["gsm"].append(model.predict(tmp_path / "gsm.wav")["unsure"])
        assert clean["unsure"] == np.mean(told["clean"])
        assert row["unsure"] == np.mean(told["gsm"])
    assert row["unsure"] == 1 > clean["unsure"]
