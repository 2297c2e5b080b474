"""Windows summed up to one example a piece: from sound, from our tables, from others'."""

from __future__ import annotations

import csv
import gzip
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mgrkit.commands.evaluate import evaluate
from mgrkit.commands.features import FeaturesSettings, features
from mgrkit.commands.train import TrainSettings as Training
from mgrkit.commands.train import train
from mgrkit.datasets import tables
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import BundleError, UsageError
from mgrkit.experiments.common import read_common
from mgrkit.files.cache import cache_folder
from mgrkit.frontend import FrontEnd
from mgrkit.inputs.columns import TableChoice
from mgrkit.inputs.kinds import Features, input_of
from mgrkit.models.model import Model
from mgrkit.registry import FeatureSetSpec, SummarySpec, installed
from mgrkit.registry.catalogue import Plugin, Registry

HERE = "tests.datasets.test_summaries"
RATE = 1000
calls: list[int] = []


def halves(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Level and crossings of each half second."""
    calls.append(len(samples))
    cut = samples[: len(samples) // 500 * 500].reshape(-1, 500).astype(float)
    return np.stack([np.abs(cut).mean(axis=1), (cut[:, 1:] * cut[:, :-1] < 0).mean(axis=1)], 1)


SPEC = FeatureSetSpec(
    "half-seconds", "for tests", f"{HERE}:halves", FrontEnd(sample_rate=RATE, mel=None,
    kind="stft"), ("level", "crossings"), window=0.5, hop=0.5,
)  # fmt: skip
MEAN, BOTH = (SummarySpec.of(SPEC, form) for form in ("mean", "mean-sd"))


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = Registry([*installed().plugins, Plugin("halves", "1", feature_sets=(SPEC,))])
    for module in ("datasets.tables", "inputs.kinds", "commands.features", "commands.train",
                   "models.choosing", "commands.plugins"):  # fmt: skip
        monkeypatch.setattr(f"mgrkit.{module}.installed", lambda: known)
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    calls.clear()


def sound(path: Path, seconds: float, hertz: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    moving = 1 + 0.3 * np.sin(np.arange(int(seconds * RATE)) / 4000)
    tone = np.sin(np.arange(int(seconds * RATE)) * 2 * np.pi * hertz / RATE * moving) * moving
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((tone * 9000).astype("<i2").tobytes())


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    for number in range(6):
        sound(tmp_path / "audio" / "low" / f"{number}.wav", 4 + number, 40 + number)
        sound(tmp_path / "audio" / "high" / f"{number}.wav", 4 + number, 160 + number)
    sound(tmp_path / "audio" / "low" / "long.wav", 75, 50)
    return tmp_path / "audio"


def table(audio: Path, name: str = "half-seconds", suffix: str = ".csv") -> Path:
    out = audio.parent / f"{name.replace(':', '-')}{suffix}"
    assert features(FeaturesSettings.of(name), [audio], out).failed == 0
    return out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def same(one: Dataset, other: Dataset) -> None:
    assert [e.name for e in one.entries] == [e.name for e in other.entries]
    assert one.tracks.tolist() == other.tracks.tolist()
    np.testing.assert_allclose(one.x, other.x, rtol=1e-6)
    assert one.input.digest == other.input.digest


@pytest.mark.parametrize("form", ["mean", "mean-sd"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_of_windows_gives_what_the_sound_gives(audio: Path, form: str, suffix: str) -> None:
    wanted = input_of("features:gtzan57", "svm", feature_set=f"half-seconds:{form}")
    heard = read_dataset(audio, wanted)
    assert heard.x.shape == (15, 2 * (1 + (form == "mean-sd"))), "the long one has three pieces"
    same(read_dataset(table(audio, suffix=suffix), wanted), heard)


def test_a_table_of_sums_is_what_it_is(audio: Path) -> None:
    made = table(audio, "half-seconds:mean-sd")
    assert [row["start"] for row in rows(made) if "long" in row["path"]] == ["0.0", "30.0", "60.0"]
    assert "piece_start" not in rows(made)[0]
    # Whatever the classifier usually eats: a table of ours says what it holds.
    dataset = read_dataset(made, input_of("features:gtzan57", "svm"))
    same(dataset, read_dataset(audio, Features(BOTH)))


def test_windows_one_by_one_need_no_sum(audio: Path) -> None:
    made = table(audio)
    assert {row["piece_start"] for row in rows(made)} == {"0.0", "30.0", "60.0"}
    dataset = read_dataset(made, input_of("features:gtzan57", "svm"))
    assert dataset.input.name == "half-seconds"
    assert len(dataset.x) == len(rows(made))
    same(dataset, read_dataset(audio, Features(SPEC)))


def test_columns_are_chosen_of_windows_and_of_their_sums(audio: Path) -> None:
    made, eats = table(audio), "features:gtzan57"
    for name, word, left in (
        ("half-seconds:mean-sd", "*_mean", 2),
        ("half-seconds:mean", "level", 1),
        ("half-seconds", "level", 1),
    ):
        wanted, choice = input_of(eats, "svm", feature_set=name), TableChoice((word,))
        heard = read_dataset(audio, wanted, choice=choice)
        assert heard.x.shape[1] == left
        same(read_dataset(made, wanted, choice=choice), heard)
        same(read_dataset(made, heard.input), heard)
    unnamed = read_dataset(made, input_of(eats, "svm"), choice=TableChoice(("level",)))
    same(unnamed, heard)


def test_all_forms_share_one_pass_over_the_sound(audio: Path) -> None:
    for spec in (SPEC, MEAN, BOTH):
        read_dataset(audio, Features(spec))
    assert len(calls) == 15
    assert len(list(cache_folder().rglob("*.safetensors"))) == 13


OTHERS = """\
path,piece,level,crossings
blues/blues.00029.au,0,1,10
blues/blues.00029.au,1,3,30
jazz/jazz.00002.au,0,5,50
jazz/jazz.00002.au,0,7,50
"""


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_a_table_of_others_numbers_its_windows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tags{suffix}"
    path.write_bytes(gzip.compress(OTHERS.encode()) if "gz" in suffix else OTHERS.encode())
    dataset = read_dataset(path, Features(MEAN))
    assert dataset.x.tolist() == [[2, 20], [5, 50]]
    assert [label.id for label in dataset.labelled] == ["gtzan:blues.00029", "gtzan:jazz.00002"]
    assert [entry.genre for entry in dataset.entries] == ["blues", "jazz"]
    assert any("1 rows that repeat a path" in note for note in dataset.notes)
    assert len(read_dataset(path, Features(SPEC)).x) == 3


def test_a_long_song_in_a_table_of_others_is_cut_as_its_sound_is(tmp_path: Path) -> None:
    lines = ["path,piece,level,crossings"]
    lines += [f"rock/long.wav,{k},{k},0" for k in range(150)]  # 75 s: 30, 30 and 15
    lines += [f"rock/whole.wav,{k},{k},0" for k in range(90)]
    lines += [f"pop/rest.wav,{k},{k},0" for k in range(148)]  # the rest is too short for a piece
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines))
    dataset = read_dataset(path, Features(MEAN))
    assert dataset.tracks.tolist() == [0, 0, 0, 1, 2, 2]
    assert dataset.x[:, 0].tolist() == [29.5, 89.5, 134.5, 44.5, 29.5, 103.5]


def test_windows_without_numbers_count_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(OTHERS.replace("piece", "window"))
    dataset = read_dataset(tmp_path / "t.csv", Features(MEAN))
    assert dataset.x.tolist() == [[2, 20], [6, 50]]


def test_windows_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    lines = [f"rock/{name}.wav,0,{k},0" for name in "ab" for k in range(9)]
    (tmp_path / "t.csv").write_text("\n".join(["path,piece,level,crossings", *lines]))
    with pytest.raises(UsageError, match="nothing tells their windows apart"):
        read_dataset(tmp_path / "t.csv", Features(MEAN))


@pytest.mark.parametrize(
    ("path", "genre"),
    [("/data/gtzan/blues/blues.00029.au", "blues"), ("x\\jazz\\jazz.00001.au", "jazz"),
     ("rock/a.wav", "rock")],
)  # fmt: skip
def test_any_path_may_tell_the_genre(tmp_path: Path, path: str, genre: str) -> None:
    (tmp_path / "t.csv").write_text(f"path,piece,level,crossings\n{path},0,1,2\n")
    assert [one.genre for one in read_dataset(tmp_path / "t.csv", Features(MEAN)).entries] == [
        genre
    ]


def test_a_head_of_other_numbers_of_that_name_is_refused(
    audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = audio.parent / "head.safetensors"
    train("svm", audio, out, Training(feature_set="half-seconds:mean", split="random"))
    assert Model(out).bundle.input_digest == MEAN.digest
    newer = replace(SPEC, revision=2)
    known = Registry([*installed().plugins, Plugin("halves", "2", feature_sets=(newer,))])
    monkeypatch.setattr("mgrkit.inputs.kinds.installed", lambda: known)
    with pytest.raises(BundleError, match="was trained on other features than half-seconds:mean"):
        Model(out)


def test_damage_in_the_cache_is_made_again(audio: Path) -> None:
    right = read_dataset(audio, Features(SPEC)).x
    for path in cache_folder().rglob("*.safetensors"):
        content = bytearray(path.read_bytes())
        content[-40] ^= 64
        path.write_bytes(content)
    assert np.array_equal(read_dataset(audio, Features(SPEC)).x, right)
    assert len(calls) == 30


def test_a_table_that_was_not_asked_for_by_its_set_names_the_option(tmp_path: Path) -> None:
    (tmp_path / "tags.csv").write_text(OTHERS)
    with pytest.raises(UsageError, match="--set half-seconds"):
        read_dataset(tmp_path / "tags.csv", input_of("features:gtzan57", "svm"))


def test_from_training_to_verdict(audio: Path) -> None:
    out = audio.parent / "head.safetensors"
    trained = train("svm", audio, out, Training(feature_set="half-seconds:mean", split="random"))
    assert trained.bundle.eats == "features:half-seconds:mean"
    assert trained.bundle.task.columns == ("level_mean", "crossings_mean")
    model = Model(out)
    result = model.predict(audio / "low" / "long.wav", timeline=True)
    assert result["genre"] == "low"
    assert len(result["timeline"]) == 3
    by_table = evaluate(str(out), table(audio), part="all", seen=True)
    assert by_table["tracks"] == 13
    assert by_table["accuracy"] == evaluate(str(out), audio, part="all", seen=True)["accuracy"]


def test_what_is_no_summary_is_refused() -> None:
    with pytest.raises(UsageError, match="no summary 'median'"):
        installed().feature_set("musicnn-tags:median")
    with pytest.raises(UsageError, match="gtzan57 has one row a piece"):
        installed().feature_set("gtzan57:mean")
    with pytest.raises(UsageError, match="cnn eats image, no features"):
        input_of("image", "cnn", feature_set="gtzan57")


def test_tables_know_the_sets_by_name() -> None:
    assert tables.installed().feature_set("half-seconds:mean") == MEAN


@pytest.mark.parametrize("asked", ["gtzan57", "half-seconds", "half-seconds:mean"])
def test_a_table_of_another_set_than_was_asked_for_is_refused(audio: Path, asked: str) -> None:
    made = table(audio, "half-seconds:mean-sd")
    message = f"holds half-seconds:mean-sd, --set asks for {asked} "
    wanted = input_of("features:gtzan57", "svm", feature_set=asked)
    with pytest.raises(UsageError, match=message):
        read_dataset(made, wanted)
    with pytest.raises(UsageError, match=message):
        read_common([made], {f"features:{asked}": "svm"}, feature_set=asked)
    own = input_of("features:gtzan57", "svm", feature_set="half-seconds:mean-sd")
    assert read_dataset(made, own).input.name == "half-seconds:mean-sd"
