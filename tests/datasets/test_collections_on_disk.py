"""Folders of sound and pictures as people have them: one rule in every command."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from PIL import Image

from mgrkit.commands.augment import AugmentSettings as Noise
from mgrkit.commands.augment import augment
from mgrkit.commands.evaluate import evaluate
from mgrkit.commands.features import FeaturesSettings as Described
from mgrkit.commands.features import features
from mgrkit.commands.spectrograms import SpectrogramsSettings as Drawing
from mgrkit.commands.spectrograms import spectrograms
from mgrkit.commands.train import train
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import RunError, UsageError
from mgrkit.frontend import front_end
from mgrkit.inputs.kinds import Pictures

RATE = 22050
TONES = {"blues": 110, "jazz": 440, "metal": 220}


def write(path: Path, tone: int, number: int, artist: str = "") -> None:
    """A second of a tone; another number, another sound."""
    noise = np.random.default_rng(number * 1000 + tone).normal(0, 0.02, RATE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with sf.SoundFile(path, "w", RATE, 1) as file:
        if artist:
            file.artist = artist
        file.write(0.3 * np.sin(2 * np.pi * tone * np.arange(RATE) / RATE) + noise)


def collection(folder: Path, form: str, numbers: range = range(8), **more: str) -> Path:
    """Songs of three genres in files of these names."""
    for genre, tone in TONES.items():
        for n in numbers:
            write(folder / form.format(genre=genre, n=n), tone, n, **more)
    return folder


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


Told = tuple[list[tuple[str, str]], list[str]]


def by_features(folder: Path, place: Path) -> Told:
    summary = features(Described.of("gtzan57"), [folder], place / "f.csv")
    rows = table(place / "f.csv")
    return [(row["genre"], row["split"]) for row in rows], summary.warnings


def by_spectrograms(folder: Path, place: Path) -> Told:
    summary = spectrograms(Drawing(front_end(n_mels=32)), [folder], place / "pictures")
    rows = table(place / "pictures" / "tracks.csv")
    return [(row["genre"], row["split"]) for row in rows], summary.warnings


def by_augment(folder: Path, place: Path) -> Told:
    summary = augment(Noise(), folder, place / "noisy")
    rows = table(place / "noisy" / "tracks.csv")
    return [(row["genre"], row["split"]) for row in rows], summary.warnings


def by_train(folder: Path, place: Path) -> Told:
    """Reads as train and evaluate do."""
    try:
        data = read_dataset(folder, Pictures(front_end(n_mels=32)))
    except RunError as error:
        return [("", "")], [str(error)]
    return [(e.genre, one.part) for e, one in zip(data.entries, data.labelled, strict=True)], [
        *data.notes
    ]


COMMANDS = [by_features, by_spectrograms, by_augment, by_train]
Command = Callable[[Path, Path], Told]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("form", "note"),
    [
        ("{genre}/{n}.wav", ""),
        ("genres_original/{genre}/{n}.wav", "the genres are the folders in genres_original"),
        ("Data/genres_original/{genre}/{n}.wav", "the folders in Data/genres_original"),
        ("train/{genre}/{n}.wav", "the split is that of the folders train"),
        ("fma_small/00{n}/00{n}00{n}.wav", "folders of numbers"),
    ],
)
def test_all_commands_read_folders_alike(
    tmp_path: Path, command: Command, form: str, note: str
) -> None:
    folder = collection(tmp_path / "in", form, range(2))
    genres = ["", ""] if "00" in form else sorted([*TONES] * 2)
    found, notes = command(folder, tmp_path)
    assert {genre for genre, _ in found} == set(genres)
    assert {part for _, part in found} == {"train" if "train" in form else ""}
    assert any(note in one for one in notes) if note else notes == []


@pytest.mark.parametrize("command", COMMANDS)
def test_all_commands_say_that_first_folders_hold_artists(tmp_path: Path, command: Command) -> None:
    for number, artist in enumerate(("Ann", "Bob", "Cyd")):
        for song in range(3):
            write(tmp_path / "in" / artist / f"{song}.flac", 200 + number, song, artist)
    _, notes = command(tmp_path / "in", tmp_path)
    assert any("hold one artist each, as tags say (Ann: Ann)" in note for note in notes)


@pytest.mark.parametrize("command", COMMANDS)
def test_all_commands_read_the_table_of_another_system(tmp_path: Path, command: Command) -> None:
    folder = collection(tmp_path / "in", "{genre}/{n}.wav", range(2))
    lines = [f"{g}\\{n}.wav,folk {g},valid" for g in TONES for n in range(2)]
    (folder / "tracks.csv").write_text("\n".join(["path,genre,split", *lines]) + "\n")
    assert command(folder, tmp_path) == (
        sorted((f"folk {genre}", "valid") for genre in TONES for _ in range(2)), [],
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_all_commands_say_that_a_table_names_no_file(tmp_path: Path, command: Command) -> None:
    folder = collection(tmp_path / "in", "{genre}/{n}.wav", range(2))
    lines = [f"D:\\music\\{g}\\{n}.wav,a{n}" for g in TONES for n in range(2)]
    (folder / "tracks.csv").write_text("\n".join(["path,artist", *lines]) + "\n")
    _, notes = command(folder, tmp_path)
    message = (
        "0 of 6 rows name a sound file here: the table has D:\\music\\blues\\0.wav, the folder"
    )
    assert notes == [f"{folder / 'tracks.csv'}: {message} blues/0.wav"]


def test_a_table_that_names_no_file_is_said_where_no_track_has_a_genre(tmp_path: Path) -> None:
    folder = collection(tmp_path / "in", "{genre}-{n}.wav", range(2))
    (folder / "tracks.csv").write_text("path,genre\nmusic/blues-0.wav,blues\n")
    with pytest.raises(RunError) as raised:
        read_dataset(folder, Pictures(front_end(n_mels=32)))
    assert "no track in" in raised.value.message
    assert (
        f"{folder / 'tracks.csv'}: 0 of 1 rows name a sound file here: the table has "
        "music/blues-0.wav, the folder blues-0.wav; folders by genre, or a tracks.csv"
    ) in str(raised.value)


def test_a_tree_of_numbers_is_refused_with_the_way_to_give_labels(tmp_path: Path) -> None:
    folder = collection(tmp_path / "in", "fma_small/00{n}/00{n}00{n}.wav", range(3))
    with pytest.raises(RunError, match=r"no track .* has a genre.*tracks\.csv.*fma_metadata"):
        train("svm", folder, tmp_path / "m.safetensors")


NUMBERS = (6, 11, 13, 52, 56, 93)


@pytest.mark.parametrize("form", ["{0}.{1:05d}.{2}.wav", "{0}.{1:05d}_segment_{2}.wav"])
def test_slices_of_known_recordings_are_never_torn_and_are_known_again(
    tmp_path: Path, form: str
) -> None:
    for genre, tone in TONES.items():
        for n in NUMBERS:
            for k in range(3):
                write(tmp_path / "slices" / genre / form.format(genre, n, k), tone, n * 10 + k)
            write(tmp_path / "whole" / genre / f"{genre}.{n:05d}.wav", tone, n)
    out = tmp_path / "m.safetensors"
    trained = train("svm", tmp_path / "slices", out)
    assert sum(trained.counts.values()) == 18
    assert trained.bundle.metrics["split"].startswith("published split")
    seen = set(trained.bundle.seen)
    assert {one for one in seen if not one.startswith("artist:")} <= {
        f"gtzan:{genre}.{n:05d}" for genre in TONES for n in NUMBERS
    }
    for data in ("slices", "whole"):
        result = evaluate(str(out), tmp_path / data, part="all")
        assert result["dropped_as_seen"] == trained.counts["train"] + trained.counts["valid"]
    shutil.rmtree(tmp_path / "whole" / "jazz")
    with pytest.raises(UsageError, match="has seen all"):
        evaluate(str(out), tmp_path / "whole", part="valid")


def test_slices_as_pictures_are_pieces_of_one_track(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    for genre, tone in TONES.items():
        (folder / genre).mkdir(parents=True)
        for n in range(2):
            for k in range(3):
                pixels = np.random.default_rng(tone + n * 10 + k).integers(0, 255, (32, 64))
                path = folder / genre / f"{genre}0000{n}_{k}.png"
                Image.fromarray(pixels.astype(np.uint8)).convert("RGB").save(path)
    data = read_dataset(folder, Pictures(front_end(n_mels=32)))
    assert (len(data.entries), len(data.x)) == (6, 18)
    assert {one.id for one in data.labelled} == {
        f"gtzan:{genre}.0000{n}" for genre in TONES for n in range(2)
    }


def test_slices_of_songs_of_ones_own_stay_together(tmp_path: Path) -> None:
    folder = collection(tmp_path / "in", "{genre}/song{n}_000.wav", range(3))
    for k in (1, 2):
        for genre, tone in TONES.items():
            for n in range(3):
                write(folder / genre / f"song{n}_{k:03d}.wav", tone, n + 100 * k)
    data = read_dataset(folder, Pictures(front_end(n_mels=32)))
    assert (len(data.entries), len(set(data.groups()))) == (27, 9)


def test_copies_among_their_sources_are_no_tracks_of_their_own(tmp_path: Path) -> None:
    folder = collection(tmp_path / "in", "{genre}/{n}.wav", range(3))
    augment(Noise(), folder, tmp_path / "noisy")
    for copy in (tmp_path / "noisy").glob("*/*.wav"):
        shutil.copy(copy, folder / copy.parent.name / copy.name)
    data = read_dataset(folder, Pictures(front_end(n_mels=32)))
    assert sum(entry.is_copy for entry in data.entries) == 9
    assert len({one.id for one in data.labelled}) == 9
