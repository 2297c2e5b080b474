"""Training with altered copies: of train alone, beside its sounds, the same in each run."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.augment.altered import Altered
from mgrkit.batch import Options
from mgrkit.classifiers import Examples, load_bundle
from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands.augment import AugmentSettings, augment
from mgrkit.commands.spectrograms import SpectrogramsSettings, spectrograms
from mgrkit.commands.train import TrainSettings, train
from mgrkit.errors import ItemError, RunError, UsageError
from mgrkit.experiments import augmenting, training
from mgrkit.experiments.augmenting import Augmentation
from mgrkit.experiments.copies import COPIES
from mgrkit.experiments.training import Trained
from mgrkit.files.difference import difference
from mgrkit.frontend import front_end
from mgrkit.synthetic.collection import write_collection
from tests.datasets.made_tables import rows, write

PARTS = ("train", "train", "train", "train", "valid", "test")
FAST = TrainSettings(augment=["white@10"], augment_copies=2, parameters={"trees": 3})


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    write_collection(tmp_path / "audio", songs=6, artists=6, seconds=0.8, parts=PARTS)
    return tmp_path / "audio"


@dataclass(frozen=True)
class Noted:
    """Notes what it is done to; some sounds it refuses."""

    name: str = "noted"
    digest: str = "noted-1"
    processes: bool = False
    warnings: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    heard: list[tuple[int, str, int]] = field(default_factory=list)

    def ready(self, folder: Path) -> Noted:
        return self

    def apply(self, samples: Any, rate: int, seed: int, path: str, k: int) -> Altered:
        self.heard.append((seed, path, k))
        if path.endswith(self.refused or "//"):
            raise ItemError("silent", "nothing is left of it")
        factor = np.float32(1 + 0.1 * k)
        return Altered(samples[:, ::-1] * factor, rate, [])


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Noted:
    condition = Noted()
    monkeypatch.setattr(augmenting, "conditions_of", lambda texts: [condition])
    return condition


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Examples, Examples]]:
    """Train and valid of each fit."""
    fits: list[tuple[Examples, Examples]] = []
    real = training.fit_classifier

    def fit(make: Any, spec: Any, labels: Any, train: Any, valid: Any, *others: Any) -> Any:
        fits.append((train, valid))
        return real(make, spec, labels, train, valid, *others)

    monkeypatch.setattr(training, "fit_classifier", fit)
    return fits


def forest(audio: Path, out: Path, settings: TrainSettings = FAST) -> Trained:
    return train("random_forest", audio, out, settings, replace=True)


def test_copies_are_of_the_recordings_of_train_alone(
    audio: Path, tmp_path: Path, noted: Noted
) -> None:
    made = forest(audio, tmp_path / "m.safetensors")
    paths = {path for _, path, _ in noted.heard}
    every = {p.relative_to(audio).as_posix() for p in audio.rglob("*.wav")}
    assert paths == {path for path in every if path[-6:-4] in ("01", "02", "03", "04")}
    assert len(paths) == made.counts["train"]
    assert sorted(noted.heard) == sorted((0, path, k) for path in paths for k in (1, 2))


def test_they_stand_behind_the_sounds_with_their_tracks_genres_and_artists(
    audio: Path, tmp_path: Path, noted: Noted, given: list[tuple[Examples, Examples]]
) -> None:
    forest(audio, tmp_path / "plain.safetensors", replace(FAST, augment=(), augment_copies=None))
    forest(audio, tmp_path / "m.safetensors")
    (plain, plain_valid), (train, valid) = given
    count = len(plain)
    assert plain.copies is None
    assert train.copies is not None
    assert train.copies.tolist() == [0] * count + [1] * count + [2] * count
    for name in ("x", "y", "tracks", "groups"):
        assert np.array_equal(getattr(train, name)[:count], getattr(plain, name))
        assert np.array_equal(getattr(valid, name), getattr(plain_valid, name))
    assert valid.copies is None
    for name in ("y", "tracks", "groups"):
        assert np.array_equal(getattr(train, name), np.tile(getattr(plain, name), 3))
    blocks = train.x.reshape(3, count, -1)
    assert not np.array_equal(blocks[0], blocks[1])
    assert not np.array_equal(blocks[1], blocks[2])


def test_no_copy_is_among_the_ids_or_the_held_out_tracks(audio: Path, tmp_path: Path) -> None:
    plain, other = tmp_path / "plain.safetensors", tmp_path / "m.safetensors"
    settings = replace(FAST, augment=(), augment_copies=None)
    counts = [forest(audio, plain, settings).counts, forest(audio, other).counts]
    assert counts[0] == counts[1]
    without, with_copies = load_bundle(plain), load_bundle(other)
    assert with_copies.seen == without.seen
    assert without.held_out
    assert with_copies.held_out
    assert with_copies.held_out.ids == without.held_out.ids
    assert len(set(with_copies.held_out.ids)) == len(with_copies.held_out.ids)
    assert with_copies.metrics["folds"]["tracks"] == without.metrics["folds"]["tracks"]
    assert with_copies.metrics["tracks"] == without.metrics["tracks"]


def test_a_repeated_run_reads_them_from_the_cache_and_gives_the_same_bytes(
    audio: Path, tmp_path: Path, noted: Noted
) -> None:
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    forest(audio, one)
    assert noted.heard
    noted.heard.clear()
    forest(audio, other)
    assert not noted.heard
    assert one.read_bytes() == other.read_bytes()
    forest(audio, other, replace(FAST, augment_copies=3))
    assert {k for _, _, k in noted.heard} == {3}, "those that are there already are not made again"
    noted.heard.clear()
    forest(audio, other, replace(FAST, seed=1))
    assert {seed for seed, _, _ in noted.heard} == {1}


def test_several_recipes_each_have_copies_of_their_own(
    audio: Path, tmp_path: Path, given: list[tuple[Examples, Examples]]
) -> None:
    settings = replace(FAST, augment=["white@10", "gain@-20,6"], augment_copies=1)
    forest(audio, tmp_path / "m.safetensors", settings)
    [(train, _)] = given
    assert train.copies is not None
    assert np.bincount(train.copies).tolist() == [len(train) // 4] * 4


STRETCHED = """
name = "slower"
[[step]]
transform = "TimeStretch"
min_rate = 0.5
max_rate = 0.5
leave_length_unchanged = false
[[step]]
noise = "white"
snr = [5, 20]
"""


def test_a_recipe_that_lengthens_gives_copies_of_more_pieces(
    audio: Path, tmp_path: Path, given: list[tuple[Examples, Examples]]
) -> None:
    pytest.importorskip("torch")
    recipe = tmp_path / "slower.toml"
    recipe.write_text(STRETCHED)
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    parameters = {"epochs": 2, "width": 2, "views": 1, "batch": 4}
    asked = TrainSettings(augment=[str(recipe)], augment_copies=1, parameters=parameters)
    made = train("cnn", audio, one, replace(asked, device="cpu"))
    [(found, _)] = given
    assert found.copies is not None
    assert np.bincount(found.copies).tolist() == [16, 32]
    assert not made.failed
    assert made.bundle.card["augmentation"].startswith(
        "1 altered copy of each sound of train by sl"
    )
    train("cnn", audio, other, replace(asked, device="cpu"), options=Options(1))
    assert one.read_bytes() == other.read_bytes()


def test_without_a_number_there_are_a_few(audio: Path) -> None:
    asked = Augmentation.of(["white@10"], None, audio)
    assert asked
    assert asked.copies == COPIES


def test_noisy_copies_of_the_folder_stay_what_they_are(
    audio: Path, tmp_path: Path, noted: Noted, given: list[tuple[Examples, Examples]]
) -> None:
    augment(AugmentSettings(), audio, tmp_path / "noisy")
    for path in (tmp_path / "noisy").rglob("*.wav"):
        path.rename(audio / path.relative_to(tmp_path / "noisy"))
    forest(audio, tmp_path / "m.safetensors")
    assert not any("white" in path for _, path, _ in noted.heard)
    [(train, _)] = given
    assert train.copies is not None
    assert len(set(train.tracks[train.copies > 0])) == len({p for _, p, _ in noted.heard})
    assert len(set(train.tracks)) == 2 * len(set(train.tracks[train.copies > 0]))


def test_copies_that_fail_are_counted_and_the_others_learnt_from(
    audio: Path, tmp_path: Path, noted: Noted, monkeypatch: pytest.MonkeyPatch,
    given: list[tuple[Examples, Examples]],
) -> None:  # fmt: skip
    refusing = replace(noted, refused=("01.wav", "02.wav"))
    monkeypatch.setattr(augmenting, "conditions_of", lambda texts: [refusing])
    made = forest(audio, tmp_path / "m.safetensors")
    [(train, _)] = given
    lost = len([p for _, p, k in noted.heard if k == 1 and p.endswith(("01.wav", "02.wav"))])
    assert lost
    assert made.failed == 2 * lost
    [told] = [note for note in made.notes if "left out" in note]  # of both copies
    assert f"{2 * lost} silent" in told
    assert "01.wav" in told
    assert train.copies is not None
    assert np.bincount(train.copies).tolist() == [made.counts["train"], *[lost] * 2]
    asked = ["train", "random_forest", str(audio), "-o", str(tmp_path / "n.safetensors")]
    assert guarded(app, [*asked, "--augment", "noted", "-q", "--param", "trees=3"]) == 1


def test_what_can_be_done_to_no_sound_ends_the_run(
    audio: Path, tmp_path: Path, noted: Noted, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = replace(noted, refused=(".wav",), warnings=("one recording is passed over",))
    monkeypatch.setattr(augmenting, "conditions_of", lambda texts: [refusing])
    with pytest.raises(RunError, match=r"no sound of train can be heard under noted .*silent"):
        forest(audio, tmp_path / "m.safetensors")
    assert not (tmp_path / "m.safetensors").exists()


def test_the_bundle_and_the_result_say_what_was_learnt_from(
    audio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m.safetensors"
    asked = [
        "train", "random_forest", str(audio), "-o", str(out), "-q", "--replace",
        "--param", "trees=3", "--augment", "white@20,10", "--augment-copies", "1",
    ]  # fmt: skip
    assert guarded(app, [*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["augmentation"]
    assert (found["augment"], found["augment-copies"]) == (["white@20", "white@10"], 1)
    words = load_bundle(out).card["augmentation"]
    assert words == "1 altered copy of each sound of train by white@20 (float), white@10 (float)"
    assert found["augmentation's digest"] == ["white@20  float", "white@10  float"]
    assert guarded(app, asked) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"learnt from {' '.join(words.split())}" in shown
    forest(audio, out, TrainSettings(parameters={"trees": 3}))
    assert "augmentation" not in load_bundle(out).card


# What is refused.


def test_a_table_of_numbers_is_refused(tmp_path: Path) -> None:
    table = write(tmp_path / "features.csv", rows())
    with pytest.raises(UsageError, match=r"features.csv holds gtzan57: --augment alters sound"):
        forest(table, tmp_path / "m.safetensors")


def test_pictures_are_refused(audio: Path, tmp_path: Path) -> None:
    spectrograms(SpectrogramsSettings(front_end(n_mels=64)), [audio], tmp_path / "pictures")
    with pytest.raises(UsageError, match=r"mel pictures: --augment alters sound .*leave out"):
        train("picture_statistics", tmp_path / "pictures", tmp_path / "m.safetensors",
              TrainSettings(augment=["white@10"]))  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "copies", "message"),
    [
        (["hiss@10"], 1, "no condition 'hiss@10'"),
        (["white@10", "white@10"], 1, "two conditions are called white@10"),
        (["fone"], 1, r"no condition 'fone'"),
        (["white@10"], 0, "--augment-copies must be from 1 to 100, not 0"),
        (["white@10"], 101, "--augment-copies must be from 1 to 100, not 101"),
        ([], 2, "--augment-copies goes with --augment"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_read(
    texts: list[str], copies: int, message: str, tmp_path: Path
) -> None:
    settings = TrainSettings(augment=texts, augment_copies=copies)
    with pytest.raises(UsageError, match=message):
        train("svm", tmp_path / "none", tmp_path / "m.safetensors", settings)


def test_a_run_of_other_copies_is_named(tmp_path: Path) -> None:
    one, other = (Augmentation((Noted(digest=d),), 2, tmp_path).settings() for d in "ab")
    assert difference(one, other) == "another recipe of that name"
    assert difference({}, one) == "no --augment instead of noted, no --augment-copies instead of 2"
    more = Augmentation((Noted(digest="a"),), 3, tmp_path).settings()
    assert difference(one, more) == "--augment-copies 2 instead of 3"
