"""Songs that are unlike what a model learnt are unsure, and a warning says why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

import mgrkit
from mgrkit.classifiers import Bundle, load_bundle, save_bundle
from mgrkit.commands.train import TrainSettings, train
from mgrkit.errors import RunError, UsageError
from mgrkit.models.bandwidth import RATE, bandwidth
from mgrkit.synthetic.collection import write_collection
from tests.cli.test_commands import mgrkit as cli


def noise(seconds: float = 4, rate: int = RATE) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.3, 0.3, int(seconds * rate)).astype(np.float32)


def narrowed(samples: np.ndarray, rate: int) -> np.ndarray:
    """As if it had been sampled at this rate."""
    back: np.ndarray = soxr.resample(soxr.resample(samples, RATE, rate, "VHQ"), rate, RATE, "VHQ")
    return back


@pytest.mark.parametrize(("rate", "reaches"), [(RATE, 11_000), (12_000, 6_000), (8_000, 4_000)])
def test_how_high_sound_reaches(rate: int, reaches: float) -> None:
    sound = noise() if rate == RATE else narrowed(noise(), rate)
    assert bandwidth(sound) == pytest.approx(reaches, abs=500)
    assert bandwidth(sound / 100) == bandwidth(sound)


def test_a_click_does_not_widen_a_song_and_short_sound_has_a_width() -> None:
    sound = narrowed(noise(), 8_000)
    sound[40_000] = 1.0
    assert bandwidth(sound) <= 4_500
    assert bandwidth(noise(0.01)) > 9_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    write_collection(folder / "audio", songs=4, artists=2, seconds=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MGRKIT_CACHE", str(folder / "cache"))
        train("svm", folder / "audio", folder / "svm.safetensors")
    soundfile.write(folder / "wide.wav", noise(), RATE)
    soundfile.write(folder / "narrow.wav", narrowed(noise(), 8_000), RATE)
    return folder


def asking(place: Path, hertz: float, name: str = "asking") -> Path:
    path = place / f"{name}.safetensors"
    save_bundle(path, replace(load_bundle(place / "svm.safetensors"), bandwidth=hertz))
    return path


def test_a_narrow_song_is_unsure_by_a_model_that_learnt_wider_ones(place: Path) -> None:
    model = mgrkit.load(asking(place, 7_000.0))
    narrow = model.predict(place / "narrow.wav", threshold=0)
    assert narrow["unsure"] is True
    assert narrow["warning"] == "nothing is above 4000 Hz, what was learnt reaches 7000 Hz"
    wide = model.predict(place / "wide.wav", threshold=0)
    assert (wide["unsure"], wide["warning"]) == (False, "")
    other = mgrkit.load(place / "svm.safetensors").predict(place / "narrow.wav", threshold=0)
    assert (other["unsure"], other["warning"]) == (False, "")


def test_what_was_asked_for_is_kept(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    trained = train("svm", place / "audio", out, TrainSettings(bandwidth=6_500))
    assert load_bundle(out).bandwidth == trained.bundle.bandwidth == 6_500
    for hertz in (-1, 12_000):
        with pytest.raises(UsageError, match="--bandwidth must be from 0 to 11025"):
            train(
                "svm", place / "audio", tmp_path / "n.safetensors", TrainSettings(bandwidth=hertz)
            )


@pytest.mark.parametrize(
    ("shares", "unsure"), [((0, 0, 0), False), ((1, 0, 0), False), ((1, 1, 0), True)]
)
def test_most_pieces_of_a_song_must_be_strange(
    place: Path, tmp_path: Path, shares: tuple[int, ...], unsure: bool
) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, np.tile(noise(30), 3), RATE)
    model = mgrkit.load(place / "svm.safetensors")
    model.only.classifier.strange = lambda x: np.array(shares, bool)  # type: ignore[method-assign]
    row = model.predict(song, threshold=0)
    assert row["unsure"] is unsure
    assert row["warning"] == ("unlike all that was learnt" if unsure else "")


@pytest.mark.parametrize("given", [None, [True], np.zeros(1), np.zeros(2, bool)])
def test_a_classifier_that_does_not_say_which_are_strange(place: Path, given: Any) -> None:
    model = mgrkit.load(place / "svm.safetensors")
    model.only.classifier.strange = lambda x: given  # type: ignore[method-assign]
    with pytest.raises(RunError, match=r"svm did not say which are strange.*author"):
        model.predict(place / "wide.wav")


def test_one_strange_member_makes_a_vote_unsure(place: Path, tmp_path: Path) -> None:
    one = load_bundle(asking(place, 7_000.0))
    vote = tmp_path / "vote.safetensors"
    members = {"one": one, "two": replace(one, bandwidth=0.0)}
    save_bundle(
        vote,
        Bundle(
            "vote",
            "mgrkit",
            "1",
            {"rule": "mean"},
            "vote",
            replace(one.task, shape=(), columns=(), frontend=None),
            {},
            members=members,
        ),
    )
    model = mgrkit.load(vote)
    assert model.predict(place / "narrow.wav", threshold=0)["unsure"]
    assert not model.predict(place / "wide.wav", threshold=0)["unsure"]
    two = model.members["two"].classifier
    two.strange = lambda x: np.ones(len(x), bool)  # type: ignore[method-assign]
    row = model.predict(place / "wide.wav", threshold=0)
    assert row["unsure"]
    assert row["warning"] == "unlike all that was learnt by two"


def test_strange_songs_are_one_line_and_each_row_says_why(
    place: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.wav").write_bytes((place / "narrow.wav").read_bytes())
    model = str(asking(place, 7_000.0))
    assert cli("predict", str(tmp_path), "--model", model, "--jsonl", "--workers", "1") == 0
    out, err = capfd.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    why = "nothing is above 4000 Hz, what was learnt reaches 7000 Hz"
    assert [(row["unsure"], row["warning"]) for row in rows] == [(True, why)] * 3
    assert err.count(why) == 1
    assert f"unsure, {why}; 2 more like it" in err
