"""Classifiers of pictures and of samples: from DATA of each kind to a bundle, and to songs."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import mgrkit
from mgrkit.classifiers import load_bundle
from mgrkit.commands.augment import AugmentSettings as Noise
from mgrkit.commands.augment import augment
from mgrkit.commands.evaluate import evaluate
from mgrkit.commands.predict import PredictSettings as Asked
from mgrkit.commands.predict import predict
from mgrkit.commands.spectrograms import SpectrogramsSettings as Drawing
from mgrkit.commands.spectrograms import spectrograms
from mgrkit.commands.train import TrainSettings, train
from mgrkit.datasets.dataset import parts_with_copies
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import RunError, UsageError
from mgrkit.experiments.training import Trained
from mgrkit.frontend import front_end
from mgrkit.inputs.kinds import Features, Pictures
from mgrkit.registry import installed
from mgrkit.synthetic.collection import write_collection
from tests.registry.fakes import installed_site

CODE = """\
from dataclasses import replace
from mgrkit.registry import hookimpl
from tests.testing.toy_specs import GOOD

@hookimpl
def mgrkit_classifiers():
    toys = (("blobs", "image"), ("waves", "samples"))
    return [replace(GOOD, name=n, eats=e, calibrate="valid") for n, e in toys]
"""
FRONT = front_end(n_mels=32)
ONE_STEP = {"steps": "1"}


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``audio``, ``noisy`` and pictures of both; four styles by two artists."""
    place = tmp_path_factory.mktemp("music")
    write_collection(place / "audio", songs=6, artists=3, seconds=2.5)
    augment(Noise(), place / "audio", place / "noisy")
    spectrograms(Drawing(FRONT), [place / "audio", place / "noisy"], place / "pictures")
    return place


@pytest.fixture(autouse=True)
def _plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "site"
    folder.mkdir()
    with installed_site(folder, monkeypatch) as site:
        site.install("toys", CODE)
        yield


def fit(data: Path, out: Path, name: str = "blobs", **settings: Any) -> Trained:
    return train(name, data, out, TrainSettings(parameters=ONE_STEP, **settings))


def test_a_folder_of_our_pictures(music: Path, tmp_path: Path) -> None:
    trained = fit(music / "pictures", tmp_path / "m.safetensors")
    bundle = load_bundle(trained.path)
    assert (bundle.eats, bundle.task.frontend) == ("image", FRONT)
    assert bundle.task.shape == (32, 108)
    assert bundle.metrics["split"] == "grouped split"
    result = evaluate(str(trained.path), music / "pictures")
    assert result["dropped_as_seen"] > 0
    assert result["failed"] == 0


def test_sound_gives_what_its_pictures_give(music: Path, tmp_path: Path) -> None:
    drawn = read_dataset(music / "pictures", Pictures(FRONT))
    drawn = drawn.take([i for i, entry in enumerate(drawn.entries) if not entry.is_copy])
    heard = read_dataset(music / "audio", Pictures(FRONT))
    assert np.array_equal(drawn.x, heard.x)
    assert [e.genre for e in drawn.entries] == [e.genre for e in heard.entries]
    assert [one.group for one in drawn.labelled] == [one.group for one in heard.labelled]


@pytest.mark.parametrize("name", ["blobs", "waves"])
def test_a_song_is_predicted_as_it_is_in_evaluate(music: Path, tmp_path: Path, name: str) -> None:
    trained = fit(music / "audio", tmp_path / "m.safetensors", name)
    model = mgrkit.load(trained.path)
    song = next((music / "audio").rglob("*.wav"))
    result = model.predict(song, timeline=True)
    assert result["genre"] in model.labels
    assert len(result["timeline"]) == 1
    [member] = model.members.values()
    data = read_dataset(music / "audio", member.input)
    at = next(i for i, entry in enumerate(data.entries) if entry.name.endswith(song.name))
    raw = member.classifier.predict_proba(data.take([at]).x).mean(0, keepdims=True)
    best = model.calibration.apply(raw)[0].max()
    assert result["probability"] == pytest.approx(float(best), abs=2e-4)


def test_pictures_of_sound_are_kept_in_the_cache(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    fit(music / "audio", tmp_path / "a.safetensors")
    kept = list((tmp_path / "cache" / "image").rglob("*.safetensors"))
    assert len(kept) == 24
    monkeypatch.setattr("mgrkit.datasets.describing.describe", lambda *_: pytest.fail("again"))
    fit(music / "audio", tmp_path / "b.safetensors")


def test_noisy_copies_stay_with_their_recording_and_in_train(music: Path) -> None:
    data = read_dataset(music / "pictures", Pictures(FRONT))
    copies = [i for i, entry in enumerate(data.entries) if entry.is_copy]
    assert len(copies) == len(data.entries) / 2
    ids = {data.labelled[i].id for i in range(len(data.entries)) if i not in copies}
    assert {data.labelled[i].id for i in copies} == ids
    parts = parts_with_copies(data, ["valid"] * len(data.entries))
    assert {parts[i] for i in copies} == {""}


def test_pieces_of_odd_sizes_are_windows_of_one(music: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    write_collection(tmp_path / "short", songs=2, artists=2, seconds=0.7)
    spectrograms(Drawing(FRONT), [music / "audio", tmp_path / "short"], pictures)
    data = read_dataset(pictures, Pictures(FRONT))
    assert data.x.shape[1:] == (32, 108)
    assert len(data.entries) == 24, "two of a name in one tree: one of them failed"


def test_every_clip_shorter_than_the_models_window(music: Path, tmp_path: Path) -> None:
    trained = fit(music / "audio", tmp_path / "m.safetensors")
    write_collection(tmp_path / "short", songs=2, artists=2, seconds=0.7)
    result = evaluate(str(trained.path), tmp_path / "short")
    assert result["tracks"] == 8
    song = next((tmp_path / "short").rglob("*.wav"))
    assert mgrkit.load(trained.path).predict(song)["seconds"] == 0.7


def test_pictures_without_a_table_go_by_their_folders(music: Path, tmp_path: Path) -> None:
    shutil.copytree(music / "pictures", tmp_path / "bare")
    (tmp_path / "bare" / "tracks.csv").unlink()
    data = read_dataset(tmp_path / "bare", Pictures(FRONT))
    assert {entry.genre for entry in data.entries} == {"ambient", "blues", "techno", "waltz"}
    assert all(one.id.startswith("sha256:") for one in data.labelled)


def test_pieces_of_one_song_are_one_track(music: Path, tmp_path: Path) -> None:
    spectrograms(Drawing(FRONT, 1.0), [music / "audio"], tmp_path / "pieces")
    data = read_dataset(tmp_path / "pieces", Pictures(FRONT))
    assert (len(data.entries), len(data.x)) == (24, 48)
    assert data.x.shape[2] == 44


def test_a_table_may_list_pictures(music: Path, tmp_path: Path) -> None:
    shutil.copytree(music / "pictures", tmp_path / "p")
    with (tmp_path / "p" / "tracks.csv").open() as file:
        listed = [row for row in csv.DictReader(file) if row["genre"] != "waltz"]
    with (tmp_path / "p" / "mine.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)
    data = read_dataset(tmp_path / "p" / "mine.csv", Pictures(FRONT))
    assert {entry.genre for entry in data.entries} == {"ambient", "blues", "techno"}


def test_two_front_ends_in_one_folder_are_refused(music: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    spectrograms(Drawing(FRONT), [music / "audio"], both / "a")
    spectrograms(Drawing(front_end("stft")), [music / "audio"], both / "b")
    with pytest.raises(UsageError, match=r"2 kinds: .*\(mel pictures\) and .*\(stft pictures\)"):
        fit(both, tmp_path / "m.safetensors")


def test_pictures_of_another_front_end_than_asked_for(music: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds mel pictures, --front-end asks for stft pictures"):
        fit(music / "pictures", tmp_path / "m.safetensors", frontend="stft")


def test_pictures_of_another_front_end_than_the_models(music: Path, tmp_path: Path) -> None:
    trained = fit(music / "audio", tmp_path / "m.safetensors")
    with pytest.raises(UsageError, match="--n-mels 32 instead of 128, m was trained on mel"):
        evaluate(str(trained.path), music / "pictures")


def test_another_colour_map_gives_the_same_numbers(music: Path, tmp_path: Path) -> None:
    spectrograms(Drawing(FRONT, cmap="grey"), [music / "audio"], tmp_path / "grey")
    spectrograms(Drawing(FRONT, cmap="viridis"), [music / "audio"], tmp_path / "viridis")
    one, other = (read_dataset(tmp_path / c, Pictures(FRONT)) for c in ("grey", "viridis"))
    assert np.array_equal(one.x, other.x)


def test_the_front_end_of_sound_can_be_chosen(music: Path, tmp_path: Path) -> None:
    trained = fit(music / "audio", tmp_path / "m.safetensors", frontend="stft")
    assert load_bundle(trained.path).task.shape[0] == 1025


def test_features_and_numbers_are_no_pictures(music: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds pictures, gtzan57 is made of sound"):
        read_dataset(music / "pictures", Features(installed().feature_set("gtzan57")))
    table = tmp_path / "features.csv"
    for text in ("genre,a,b\nrock,1,2\n", "filename,tempo,label\nblues.00000.wav,120,blues\n"):
        table.write_text(text)
        with pytest.raises(UsageError, match=r"holds numbers, not mel pictures .*--n-mels 32"):
            read_dataset(table, Pictures(FRONT))


def test_a_table_of_sound_and_pictures_is_refused(music: Path, tmp_path: Path) -> None:
    table = tmp_path / "mixed.csv"
    table.write_text("path,genre\na.wav,rock\nb.png,rock\n")
    with pytest.raises(UsageError, match="lists sound and pictures"):
        read_dataset(table, Pictures(FRONT))


def test_damaged_pictures_are_left_out_and_counted(music: Path, tmp_path: Path) -> None:
    shutil.copytree(music / "pictures", tmp_path / "p")
    first, second, third = sorted((tmp_path / "p").rglob("*.png"))[:3]
    first.write_bytes(first.read_bytes()[:-30])
    second.write_bytes(b"no picture")
    third.write_bytes(b"")
    data = read_dataset(tmp_path / "p", Pictures(FRONT))
    assert data.failed == 3
    assert "3 files left out" in data.notes[0]
    for path in (tmp_path / "p").rglob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(RunError, match=r"no picture in .* can be used"):
        read_dataset(tmp_path / "p", Pictures(FRONT))


def foreign(path: Path, bright: int, size: tuple[int, int] = (60, 40)) -> None:
    """A grey picture with a border and a bright line at a height of its own."""
    pixels = np.random.default_rng(bright).integers(0, 60, (size[1], size[0]), dtype=np.uint8)
    pixels[bright : bright + 5] += 180
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.pad(pixels, 8, constant_values=255)).convert("RGB").save(path)


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    folder = tmp_path / "strange"
    for number in range(8):
        foreign(folder / "low" / f"{number}.png", 33 - number)
        foreign(folder / "high" / f"{number}.png", 1 + number)
    return folder


def test_foreign_pictures_train_and_are_judged_but_hear_no_sound(
    strange: Path, music: Path, tmp_path: Path
) -> None:
    trained = fit(strange, tmp_path / "m.safetensors", split="random")
    bundle = load_bundle(trained.path)
    assert (bundle.task.frontend, bundle.task.shape) == (None, (40, 60))
    assert evaluate(str(trained.path), strange, part="all", seen=True)["accuracy"] == 1.0
    model = mgrkit.load(trained.path)
    with pytest.raises(UsageError, match="trained on foreign pictures of 40 bands"):
        model.predict(next((music / "audio").rglob("*.wav")))
    with pytest.raises(UsageError, match="trained on foreign pictures of 40 bands"):
        evaluate(str(trained.path), music / "audio")


def judged_by(model: Path, *paths: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    predict(Asked(str(model)), list(paths), rows.append, in_order=True)
    return rows


def test_a_network_of_foreign_pictures_predicts_such_pictures(
    strange: Path, music: Path, tmp_path: Path
) -> None:
    model = fit(strange, tmp_path / "m.safetensors", split="random").path
    rows = judged_by(model, strange, music / "pictures" / "blues" / "blues-01.png")
    assert [row["genre"] for row in rows[:16]] == ["high"] * 8 + ["low"] * 8
    assert rows[0]["seconds"] == 0.0
    assert "other-front-end" in rows[16]["error"]
    assert "trained on foreign pictures of 40 bands" in rows[16]["error"]


def test_a_picture_is_predicted_as_its_sound_is(music: Path, tmp_path: Path) -> None:
    model = fit(music / "pictures", tmp_path / "m.safetensors").path
    drawn, heard = judged_by(
        model, music / "pictures/blues/blues-01.png", music / "audio/blues/blues-01.wav"
    )
    assert (drawn["genre"], drawn["probability"]) == (heard["genre"], heard["probability"])
    assert drawn["seconds"] == pytest.approx(2.5, abs=0.05)
    timeline = mgrkit.load(model).predict(music / "pictures/blues/blues-01.png", timeline=True)
    assert len(timeline["timeline"]) == 1


def test_pictures_beside_sound_are_passed_over_and_said(music: Path, tmp_path: Path) -> None:
    shutil.copytree(music / "audio", tmp_path / "both")
    shutil.copy(music / "pictures" / "blues" / "blues-01.png", tmp_path / "both" / "cover.png")
    data = read_dataset(tmp_path / "both", Pictures(FRONT))
    assert len(data.entries) == 24
    assert any("1 pictures passed over" in note for note in data.notes)


def test_foreign_pictures_of_another_size(strange: Path, tmp_path: Path) -> None:
    trained = fit(strange, tmp_path / "m.safetensors", split="random")
    foreign(tmp_path / "tall" / "low" / "a.png", 30, (60, 80))
    with pytest.raises(UsageError, match="holds foreign pictures of 80 bands"):
        evaluate(str(trained.path), tmp_path / "tall", part="all")
    foreign(strange / "low" / "tall.png", 30, (60, 80))
    foreign(strange / "low" / "wide.png", 30, (90, 90))
    with pytest.raises(UsageError, match="3 kinds"):
        fit(strange, tmp_path / "n.safetensors", split="random")


def test_one_genre_is_refused(strange: Path, tmp_path: Path) -> None:
    shutil.rmtree(strange / "high")
    with pytest.raises(UsageError, match="all tracks are low"):
        fit(strange, tmp_path / "m.safetensors", split="random")


def test_a_run_folder_remembers_what_it_was_begun_with(music: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    fit(music / "audio", out)
    settings = json.loads((tmp_path / "m.run" / "settings.json").read_bytes())
    assert settings["finished"]
    assert settings["seed"] == 0
    del settings["finished"]
    (tmp_path / "m.run" / "settings.json").write_text(json.dumps({**settings, "seed": 7}))
    out.unlink()
    with pytest.raises(UsageError, match=r"unfinished run .*: --seed 7 instead of 0"):
        fit(music / "audio", out)
    train("blobs", music / "audio", out, TrainSettings(parameters=ONE_STEP), replace=True)
    assert out.exists()


def test_a_folder_of_somebody_elses_is_no_run(music: Path, tmp_path: Path) -> None:
    (tmp_path / "m.run").mkdir()
    (tmp_path / "m.run" / "diary.txt").write_text("dear diary")
    with pytest.raises(UsageError, match=r"m\.run holds something else"):
        fit(music / "audio", tmp_path / "m.safetensors")
    assert (tmp_path / "m.run" / "diary.txt").exists()


def test_the_same_picture_under_two_names_counts_once(strange: Path) -> None:
    shutil.copy(strange / "low" / "0.png", strange / "high" / "again.png")
    data = read_dataset(strange, Pictures(None))
    assert len(data.entries) == 16
    assert any("exact duplicates left out: 1" in note for note in data.notes)
    assert any("one recording under two genres" in note for note in data.notes)


def test_an_unfinished_run_on_other_data_is_not_gone_on_with(strange: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    fit(strange, out, split="random")
    file = tmp_path / "m.run" / "settings.json"
    file.write_text(file.read_text().replace('"finished": true', '"finished": false'))
    foreign(strange / "low" / "more.png", 20)
    out.unlink()
    with pytest.raises(
        UsageError, match=r"unfinished run with other settings: tracks of train and valid "
    ):
        fit(strange, out, split="random")


def test_a_precision_that_there_is_not(strange: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="auto, float32 or mixed, not 'half'"):
        fit(strange, tmp_path / "m.safetensors", precision="half")


def test_pictures_for_people_are_not_learnt_from(music: Path, tmp_path: Path) -> None:
    posters = tmp_path / "posters"
    drawing = Drawing(FRONT, axes="hz", size="320x240")
    spectrograms(drawing, [music / "audio" / "blues"], posters / "blues")
    with pytest.raises(RunError, match=r"no picture in .* can be used") as caught:
        fit(posters, tmp_path / "m.safetensors")
    assert "6 for-people" in str(caught.value)


def test_a_bomb_is_not_decoded(strange: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(strange / "low" / "bomb.png")
    data = read_dataset(strange, Pictures(None))
    assert "1 files left out: 1 too-large" in data.notes[0]
