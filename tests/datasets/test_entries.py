"""Which tracks of DATA are recordings, and which slices or noisy copies of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgrkit.commands.evaluate import evaluate
from mgrkit.commands.train import TrainSettings, train
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.entries import DataTrack, belonging, labelled
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import RunError, UsageError
from mgrkit.inputs.kinds import Features, input_of
from tests.datasets.made_tables import rows, write


def read(folder: Path, made: list[dict[str, object]]) -> Dataset:
    wanted = input_of("features:gtzan57", "svm")
    assert isinstance(wanted, Features)
    return read_dataset(write(folder / "t.csv", made), wanted)


def parts(folder: Path, made: list[dict[str, object]]) -> dict[str, int]:
    """How many tracks a random split has in each part."""
    write(folder / "t.csv", made)
    settings = TrainSettings(split="random")
    return dict(train("svm", folder / "t.csv", folder / "m.safetensors", settings).counts)


def test_an_album_as_parent_makes_no_noisy_copies(tmp_path: Path) -> None:
    made = [{**row, "parent": f"albums/{row['group']}", "group": ""} for row in rows()]
    data = read(tmp_path, made)
    assert not any(entry.is_copy for entry in data.entries)
    assert len({one.id for one in data.labelled}) == len(made)
    assert len(set(data.groups())) == 16, "an album is not torn"
    assert parts(tmp_path, made)["none"] == 0
    assert evaluate(str(tmp_path / "m.safetensors"), tmp_path / "t.csv")["tracks"] > 0


@pytest.mark.parametrize("expected", [{"kind": "noisy"}, {"noise": "white"}])
def test_a_table_that_says_noisy_is_believed(tmp_path: Path, expected: dict[str, str]) -> None:
    made = [{**row, **expected, "parent": f"x/{row['path']}"} for row in rows()]
    assert all(entry.is_copy for entry in read(tmp_path, made).entries)


def test_a_parent_of_a_known_collection_is_the_recording(tmp_path: Path) -> None:
    names = {"ambient": "blues", "blues": "jazz", "techno": "metal", "waltz": "pop"}
    made = [
        {**row, "path": f"x/{n}.wav", "parent": f"{names[str(row['genre'])]}.{n // 16:05d}.wav"}
        for n, row in enumerate(rows())
    ]
    data = read(tmp_path, made)
    assert (len(data.entries), len(data.x)) == (4, 64)
    assert data.labelled[0].id == "gtzan:blues.00000"
    assert not data.entries[0].is_copy


def test_a_parent_that_is_the_end_of_its_own_path_is_itself(tmp_path: Path) -> None:
    made = [{**row, "path": f"all/{row['path']}", "parent": row["path"]} for row in rows()]
    assert not any(entry.is_copy for entry in read(tmp_path, made).entries)


def test_a_copy_that_is_called_as_its_recording_is_none(tmp_path: Path) -> None:
    """Copies of --names same: alone, and beside the recordings."""
    made = rows()
    alone = [{**row, "parent": row["path"], "noise": "cafe"} for row in made]
    assert all(entry.is_copy for entry in read(tmp_path, alone).entries)
    write(tmp_path / "alone.csv", alone)
    copies = [{**row, "path": f"noisy/{row['path']}", "group": ""} for row in alone]
    below = read(tmp_path, copies).entries
    assert [(entry.is_copy, entry.parent) for entry in below] == [
        (True, row["path"]) for row in made
    ]
    own = {"parent": "", "noise": ""}
    both = [*({**row, **own, "path": f"audio/{row['path']}"} for row in made), *copies]
    data = read(tmp_path, both)
    assert [entry.is_copy for entry in data.entries] == [False] * 64 + [True] * 64
    assert [one.group for one in data.labelled[:64]] == [one.group for one in data.labelled[64:]]
    plain = parts(tmp_path, made)
    result = evaluate(str(tmp_path / "m.safetensors"), tmp_path / "alone.csv")
    assert result["split"].startswith(f"noisy copies of {result['tracks']} recordings, all unseen")
    assert result["tracks"] == 64 - plain["train"] - plain["valid"]
    (tmp_path / "m.safetensors").unlink()
    counts = parts(tmp_path, both)
    assert (counts["train"], counts["valid"]) == (2 * plain["train"], plain["valid"])


def test_noise_in_a_table_that_names_no_parent_makes_no_copy(tmp_path: Path) -> None:
    made = [{**row, "noise": "0.1"} for row in rows()]
    assert not any(entry.is_copy for entry in read(tmp_path, made).entries)


def test_noisy_copies_are_known_by_their_names(tmp_path: Path) -> None:
    made = rows()
    copies = [
        {**row, "path": f"{str(row['path'])[:-4]}.{noise}_10dB_1.wav", "group": ""}
        for row in made
        for noise in ("white", "my rain.v2")
    ]
    data = read(tmp_path, [*made, *copies])
    assert [entry.is_copy for entry in data.entries] == [False] * 64 + [True] * 128
    assert {entry.parent for entry in data.entries} == {row["path"] for row in made}
    assert len({one.id for one in data.labelled}) == 64
    assert "128 tracks are noisy copies of others, as their names tell" in data.notes
    plain = parts(tmp_path, made)
    (tmp_path / "m.safetensors").unlink()
    counts = parts(tmp_path, [*made, *copies])
    assert (counts["train"], counts["valid"]) == (3 * plain["train"], plain["valid"])
    result = evaluate(str(tmp_path / "m.safetensors"), tmp_path / "t.csv")
    assert result["tracks"] == plain["test"]


def test_a_copy_in_another_part_of_the_split_is_of_its_recording() -> None:
    names = [
        "test/rock/song.flac", "train/rock/song.white_10dB_1.wav", "train/rock/other.flac",
        "train/pop/song.white_10dB_1.wav", "test/rock/twice.wav", "train/rock/twice.wav",
        "train/rock/twice.pink_0dB_1.wav",
    ]  # fmt: skip
    settled, _ = belonging([DataTrack(name, name, name.split("/")[1]) for name in names], [])
    parents = [entry.parent for entry in settled]
    assert parents == [*names[:1], names[0], names[2], "train/pop/song", *names[4:6], names[5]]


def sliced(form: str, **more: object) -> list[dict[str, object]]:
    """Each of eight songs of each genre as eight slices of three seconds."""

    def path(genre: object, n: int) -> str:
        start = n % 8 * 3
        return form.format(genre=genre, song=n // 8, k=n % 8, start=start, end=start + 3)

    return [
        {**row, **more, "path": path(row["genre"], n), "group": ""}
        for n, row in enumerate(rows(artists=8, songs=8))
    ]


def test_slices_of_songs_stay_together_and_none_is_lost(tmp_path: Path) -> None:
    made = sliced("{genre}/song{song}_part{k}.wav")
    data = read(tmp_path, made)
    assert len(data.entries) == len(data.x) == len(made)
    assert len(set(data.groups())) == 32
    assert any(
        "256 slices stay with the others of their recordings (ambient/song0, ambient/song1, ...)"
        in note
        for note in data.notes
    )
    counts = parts(tmp_path, made)
    assert all(counts[part] % 8 == 0 for part in counts)


def test_numbers_alone_count_with_one_length_and_are_named_without(tmp_path: Path) -> None:
    made = sliced("{genre}/song{song}_{k:03d}.wav")
    assert len(set(read(tmp_path, [{**row, "seconds": 3.0} for row in made]).groups())) == 32
    data = read(tmp_path, made)
    assert len(set(data.groups())) == len(made)
    assert any(
        note.startswith(
            "256 tracks may be slices of 32 recordings (ambient/song0_000.wav, "
            "ambient/song0_001.wav, ...): a column parent"
        )
        for note in data.notes
    )
    found = [{**row, "parent": str(row["path"])[:-8]} for row in made]
    assert len(set(read(tmp_path, found).groups())) == 32


@pytest.mark.parametrize(
    "name",
    ["{song}a_{start}_{end}", "{song}a_s{k}", "{song}aPart{k}", "{song}a[{k}]", "{song}a_t{start}"],
)
@pytest.mark.parametrize("seconds", [3.0, None])
def test_no_slices_are_split_in_silence(tmp_path: Path, name: str, seconds: float | None) -> None:
    data = read(tmp_path, sliced(f"{{genre}}/{name}.wav", seconds=seconds))
    warned = any("256 tracks may be slices of 32 recordings" in note for note in data.notes)
    assert (len(set(data.groups())) == 32) != warned


def test_slices_that_the_folders_of_a_split_tear_are_told(tmp_path: Path) -> None:
    made = [
        {**row, "path": f"{part}/{row['path']}", "split": part}
        for n, row in enumerate(sliced("{genre}/song{song}_part{k}.wav"))
        for part in [("train", "test")[n % 8 > 4]]
    ]
    data = read(tmp_path, made)
    assert any(
        "the folders of the split tear 32 recordings, so that slices of what is learnt are tested "
        "(test/ambient/song0_part7.wav, train/ambient/song0_part4.wav)" in note
        for note in data.notes
    )
    whole = [{**row, "path": f"{('train', 'test')[n // 8 % 2]}/{str(row['path']).split('/', 1)[1]}"}
             for n, row in enumerate(made)]  # fmt: skip
    notes = read(tmp_path, whole).notes
    assert not any("tear" in note for note in notes)
    assert any("256 slices stay with" in note for note in notes)


def test_slices_that_their_artists_keep_together_are_no_doubt(tmp_path: Path) -> None:
    made = sliced("{genre}/{genre}{song}/song_{song}_{k:03d}.wav", seconds=3.0)
    assert not any("may be slices" in note for note in read(tmp_path, made).notes)
    artists = [{**row, "group": f"artist {n % 8}"} for n, row in enumerate(made)]
    assert any("may be slices" in note for note in read(tmp_path, artists).notes)


def test_albums_are_no_slices(tmp_path: Path) -> None:
    data = read(tmp_path, sliced("{genre}/album {song}/track {k:02d}.wav", seconds=3.0))
    assert not any("slices" in note for note in data.notes)


def test_an_artist_in_two_unicode_forms_is_one(tmp_path: Path) -> None:
    made = [
        {**row, "group": f"{row['group']} {form}", "genre": f"{row['genre']} {form}"}
        for row, form in zip(rows(), ["caf\u00e9", "cafe\u0301"] * 32, strict=True)
    ]
    data = read(tmp_path, made)
    assert len(set(data.groups())) == 16
    assert len({entry.genre for entry in data.entries}) == 4


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (
            "fma_small/{n:03d}/{n:03d}{n:03d}.mp3",
            "numbers are no genres: .*tracks.csv.*FMA's are in its fma_metadata",
        ),
        ("{n:03d}/{n}.wav", "folders of numbers are no genres.*tracks.csv"),
        ("{n}.wav", "folders by genre"),
    ],
)
def test_what_has_no_genre_is_refused_with_the_way_to_give_them(
    tmp_path: Path, form: str, expected: str
) -> None:
    made = [{**row, "path": form.format(n=n), "genre": ""} for n, row in enumerate(rows())]
    with pytest.raises((RunError, UsageError), match=expected):
        read(tmp_path, made)


def test_parts_as_folders_are_the_published_split(tmp_path: Path) -> None:
    names = {0: "training", 1: "training", 2: "dev", 3: "eval"}
    made = [
        {k: v for k, v in row.items() if k not in ("genre", "group")}
        | {"path": f"{names[n // 4 % 4]}/{row['genre']}/{n}.wav"}
        for n, row in enumerate(rows())
    ]
    table = write(tmp_path / "t.csv", made)
    trained = train("svm", table, tmp_path / "m.safetensors")
    assert trained.bundle.task.labels == ("ambient", "blues", "techno", "waltz")
    assert trained.bundle.metrics["split"] == "given split"
    assert dict(trained.counts) == {"train": 32, "valid": 16, "test": 16, "none": 0}


def test_a_name_that_several_files_have_tells_nothing() -> None:
    paths = ["one/01.mp3", "two/01.mp3", "two/02.mp3"]
    ids = [one.id for one in labelled([DataTrack(path, path, "jazz") for path in paths])]
    assert ids == ["name:one/01.mp3", "name:two/01.mp3", "name:02.mp3"]


@pytest.mark.parametrize(
    "nobody", ["unknown", "Unknown Artist", "N/A", "Various Artists", "various", "NONE", "-", " "]
)
def test_a_name_that_stands_for_nobody_is_no_artist(nobody: str) -> None:
    names = ["Unknown Mortal Orchestra", "!!!", nobody, nobody]
    entries = [DataTrack(f"{n}.wav", f"{n}.wav", "jazz", who) for n, who in enumerate(names)]
    labels = labelled(entries)
    assert [one.group for one in labels] == [*names[:2], "", ""]
    assert len({one.unit for one in labels}) == 4
    one = "blues.00000.wav"
    told, untold = (DataTrack(one, one, "jazz", who).labelled() for who in (nobody, ""))
    assert told.group == untold.group != ""
