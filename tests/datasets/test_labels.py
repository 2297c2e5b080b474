"""Genres that are those in the files' own tags, and folders of artists that are none."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mgrkit.audio.tags import genre as tags
from mgrkit.batch import Options
from mgrkit.classifiers import load_bundle
from mgrkit.commands.compare import Asked, compare
from mgrkit.commands.evaluate import evaluate, evaluate_under
from mgrkit.commands.train import TrainSettings, train
from mgrkit.datasets import preparing
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.genres import GenreMap, genre_key
from mgrkit.datasets.labels import Labels, chosen_genre
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import RunError, UsageError
from mgrkit.inputs.kinds import Input, input_of
from tests.datasets.library import TONES, library, song
from tests.datasets.made_tables import rows, write

OWN = {"Rock": "Post-Rock; Rock", "Hip-Hop": "(7)", "Folk": "Folk"}
TAG = Labels("tag")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 songs of twelve artists and three genres."""
    return library(tmp_path_factory.mktemp("own"), OWN)


@pytest.fixture(scope="module")
def bundle(own: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle") / "own.safetensors"
    train("svm", own, out, TrainSettings(label_from="tag"))
    return out


def numbers() -> Input:
    return input_of("features:gtzan57", "svm")


def read(data: Path, labels: Labels = TAG, table: Path | None = None) -> Dataset:
    return read_dataset(data, numbers(), table=table, labels=labels)


def genres(dataset: Dataset) -> dict[str, str]:
    return {entry.name: entry.genre for entry in dataset.entries}


def only_genres(dataset: Dataset) -> set[str]:
    return set(genres(dataset).values())


@pytest.mark.parametrize(
    ("names", "genre"),
    [
        ([], ""),
        (["Chaabi"], "Chaabi"),
        (["Chaabi", "Rai"], "Chaabi"),
        (["Chaabi", "hip hop", "Rock"], "hip hop"),
        (["Pop/Rock", "Hip-Hop"], "Rock"),
        (["Pop, Chaabi | Rock"], "Rock"),
        (["Pop/Chaabi"], "Pop/Chaabi"),
        (["Soul / RnB", "Rock"], "Soul / RnB"),
        (["RnB"], "RnB"),
        (["/"], "/"),
    ],
)
def test_the_first_that_is_known_counts_else_the_first(names: list[str], genre: str) -> None:
    known = frozenset(map(genre_key, ["Rock", "hiphop", "Soul-R&B", "R&B"]))
    assert chosen_genre(names, known) == genre


def test_a_library_by_artist_has_the_genres_of_its_tags(own: Path) -> None:
    dataset = read(own)
    assert len(dataset.entries) == 24
    assert only_genres(dataset) == {"Post-Rock", "Hip-Hop", "Folk"}
    assert genres(dataset)["The Rock Band 1/First/0.flac"] == "Post-Rock"
    artists = {f"The {genre} Band {number}" for genre in TONES for number in range(4)}
    assert Counter(one.group for one in dataset.labelled) == dict.fromkeys(artists, 2)
    assert "the genres are those of the files' tags" in dataset.notes
    assert any(note.startswith("8 files name several genres") for note in dataset.notes)
    assert not any("hold one artist" in note for note in dataset.notes)
    assert only_genres(read(own, Labels("tag", ("rock",)))) == {"Rock", "Hip-Hop", "Folk"}


def test_the_result_is_the_same_for_any_number_of_workers(own: Path) -> None:
    one, many = (read_dataset(own, numbers(), Options(workers), labels=TAG) for workers in (1, 8))
    assert (one.entries, one.labelled, one.notes) == (many.entries, many.labelled, many.notes)
    assert one.x.tobytes() == many.x.tobytes()


def test_files_without_a_genre_are_left_out_named_and_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(tmp_path, {"Rock": "Rock", "Folk": "Folk"}, artists=1)
    names = [song(tmp_path / "Ann" / f"{n}.flac", 500, n, genre=tag).name
             for n, tag in enumerate(["", "\x01 ", "(255)"])]  # fmt: skip
    decoded: list[str] = []
    describe = preparing.describe_track

    def spied(wanted, item, work):  # type: ignore[no-untyped-def]
        decoded.append(item.row["path"])
        return describe(wanted, item, work)

    monkeypatch.setattr(preparing, "describe_track", spied)
    dataset = read(tmp_path)
    assert len(dataset.entries) == 4
    assert not any(path.startswith("Ann") for path in decoded)
    left = "3 files without a genre in their tags left out: "
    assert left + ", ".join(f"Ann/{name}" for name in names) in dataset.notes
    assert dataset.failed == 0
    song(tmp_path / "Ann" / "9.flac", 500, 9)
    left = "4 files without a genre in their tags left out (the first: Ann/0.flac)"
    assert left in read(tmp_path).notes


def test_a_file_that_cannot_be_read_failed_and_is_not_without_a_genre(tmp_path: Path) -> None:
    library(tmp_path, {"Rock": "Rock", "Folk": "Folk"}, artists=1)
    whole = song(tmp_path / "cut.flac", 400, 1, genre="Rock")
    whole.write_bytes(whole.read_bytes()[:9_000])
    (tmp_path / "gone.flac").symlink_to(tmp_path / "nowhere")
    dataset = read(tmp_path)
    assert dataset.failed == 2
    assert len(dataset.entries) == 4
    assert not any("without a genre" in note for note in dataset.notes)


def test_a_file_whose_tags_cannot_be_read_is_left_out_by_whoever_decodes_it(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(path: str) -> list[str]:
        if path.endswith("Band 1/First/0.flac"):
            raise OSError("this is too much for a tag")
        return ["Rock"]

    monkeypatch.setattr(tags, "genre_tags", failing)
    dataset = read(own)
    assert len(dataset.entries) == 21
    assert "3 tracks without a genre left out" in dataset.notes
    assert not any("files without a genre" in note for note in dataset.notes)


def test_a_library_without_any_genre_says_so(tmp_path: Path) -> None:
    library(tmp_path, {"Rock": "", "Folk": " "}, artists=1)
    with pytest.raises(RunError, match=r"no file in .* has a genre in its tags") as error:
        read(tmp_path)
    assert "tracks.csv" in error.value.hint


def test_tags_count_before_the_table_and_folders_which_still_say_artist_and_part(
    tmp_path: Path,
) -> None:
    song(tmp_path / "jazz" / "a.flac", 300, 1, genre="Bebop", artist="Ann")
    song(tmp_path / "jazz" / "b.flac", 310, 2, artist="Ann")
    song(tmp_path / "rock" / "c.flac", 600, 3, genre="Grunge", artist="Bob")
    lines = ["path,genre,group,split", "jazz/a.flac,jazz,Zoe,test", "jazz/b.flac,jazz,Zoe,train",
             "rock/c.flac,rock,,train"]  # fmt: skip
    (tmp_path / "tracks.csv").write_text("\n".join(lines) + "\n")
    by_tag = read(tmp_path)
    assert genres(by_tag) == {"jazz/a.flac": "Bebop", "rock/c.flac": "Grunge"}
    assert [one.group for one in by_tag.labelled] == ["Zoe", "Bob"]
    assert [one.part for one in by_tag.labelled] == ["test", "train"]
    assert only_genres(read(tmp_path, Labels("folder"))) == {"jazz", "rock"}
    listed = tmp_path / "some.csv"
    listed.write_text("path\njazz/a.flac\njazz/b.flac\n")
    for dataset in (read(listed), read(tmp_path, TAG, listed)):
        assert genres(dataset) == {"jazz/a.flac": "Bebop"}
        assert "1 files without a genre in their tags left out: jazz/b.flac" in dataset.notes
        assert not any("tracks without a genre" in note for note in dataset.notes), "decoded"


def test_a_noisy_copy_is_of_the_genre_of_its_recording(tmp_path: Path) -> None:
    song(tmp_path / "a.flac", 300, 1, genre="Bebop")
    song(tmp_path / "a.white_10dB_1.flac", 300, 7)
    song(tmp_path / "b.flac", 900, 2, genre="Grunge")
    assert genres(read(tmp_path)) == {
        "a.flac": "Bebop", "a.white_10dB_1.flac": "Bebop", "b.flac": "Grunge",
    }  # fmt: skip


def test_what_has_no_tags_is_refused(tmp_path: Path) -> None:
    table = write(tmp_path / "features.csv", rows())
    with pytest.raises(UsageError, match=r"--label-from tag is for sound, and .* holds numbers"):
        read(table)
    from PIL import Image

    for genre in ("rock", "jazz"):
        (tmp_path / "pictures" / genre).mkdir(parents=True)
        Image.new("L", (64, 128)).save(tmp_path / "pictures" / genre / "a.png")
    with pytest.raises(UsageError, match="holds pictures"):
        read_dataset(tmp_path / "pictures", input_of("images", "cnn"), labels=TAG)
    with pytest.raises(UsageError, match="--label-from must be tag or folder, not 'tags'"):
        Labels("tags")


def test_artists_are_not_learnt_as_genres_unless_asked(own: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.safetensors"
    artists = r"are artists, as tags say \(The Folk Band 0: The Folk Band 0\), and no genres"
    with pytest.raises(UsageError, match=artists) as error:
        train("svm", own, out)
    assert "--label-from tag" in error.value.hint
    assert "--label-from folder" in error.value.hint
    with pytest.raises(UsageError, match=artists):
        compare([own], tmp_path / "compare", Asked(["svm"]))
    assert any("hold one artist each" in note for note in read(own, Labels()).notes)
    asked = TrainSettings(label_from="folder", split="random")
    train("svm", own, out, asked)
    assert len(load_bundle(out).task.labels) == 12


def test_genres_in_a_table_let_folders_of_artists_be(tmp_path: Path) -> None:
    folder = library(tmp_path / "own", OWN)
    paths = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.flac"))]
    lines = [f"{path},{path.split()[1]}" for path in paths]
    (folder / "tracks.csv").write_text("\n".join(["path,genre", *lines]) + "\n")
    train("svm", folder, tmp_path / "a.safetensors")
    labels = load_bundle(tmp_path / "a.safetensors").task.labels
    assert set(labels) == {"Folk", "Hip-Hop", "Rock"}


def test_one_trains_on_ones_own_genres_with_artists_apart(own: Path, bundle: Path) -> None:
    assert set(load_bundle(bundle).task.labels) == {"Folk", "Hip-Hop", "Post-Rock"}
    result = evaluate(str(bundle), own, label_from="tag")
    heard = [note for note in result["split"].split(", ") if "by artists that it was" in note]
    assert (result["tracks"], heard) == (24 - result["dropped_as_seen"], [])
    assert result["dropped_as_seen"] > 0


def test_how_often_a_model_agrees_with_a_library_is_one_call(bundle: Path, tmp_path: Path) -> None:
    theirs = {"Rock": "Chamber Pop/post rock", "Hip-Hop": "Rap", "Folk": "Chaabi"}
    folder = library(tmp_path, theirs, artists=2, first=20)
    song(folder / "x.flac", 500, 1)
    result = evaluate(str(bundle), folder, label_from="tag", genres=GenreMap((("Rap", "Hip-Hop"),)))
    assert result["tracks"] == 8
    assert result["accuracy"] == 1.0
    notes = result["notes"]
    assert "1 files without a genre in their tags left out: x.flac" in notes
    assert any("4 tracks of genres unknown to the model left out: Chaabi" in one for one in notes)
    with pytest.raises(UsageError, match="none of the model's genres") as error:
        evaluate(str(bundle), folder)
    assert "--label-from tag takes the genres of the files' tags" in error.value.hint


def test_it_goes_with_conditions_and_compare(own: Path, bundle: Path, tmp_path: Path) -> None:
    [under] = evaluate_under([str(bundle)], own, conditions=["white@20"], label_from="tag")
    assert under["tracks"] == evaluate(str(bundle), own, label_from="tag")["tracks"]
    asked = Asked(["svm", "knn"], 1, label_from="tag", genres=GenreMap((("Rock", "Folk"),)))
    found = compare([own], tmp_path / "compare", asked)
    assert found.exit_code == 0
    again = Asked(["svm"], 1, label_from="tag")
    with pytest.raises(UsageError, match="made with other settings: --map"):
        compare([own], tmp_path / "compare", again)
