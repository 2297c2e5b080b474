"""Which spellings are one genre, and what --map does and refuses."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mgrkit.classifiers import load_bundle
from mgrkit.commands.compare import Asked, compare
from mgrkit.commands.evaluate import evaluate
from mgrkit.commands.train import TrainSettings, train
from mgrkit.datasets.genres import ALIASES, GenreMap, genre_key, one_spelling, spelt_as
from mgrkit.errors import UsageError
from tests.datasets.made_tables import rows, write

Spell = Callable[[str, int], str]


def spelt(path: Path, spell: Spell) -> Path:
    """The usual table with its genres spelt otherwise, each row by its genre and number."""
    made = [{**row, "genre": spell(str(row["genre"]), n)} for n, row in enumerate(rows())]
    return write(path, made)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Knows ambient, blues, hiphop and waltz."""
    folder = tmp_path_factory.mktemp("genres")
    table = spelt(folder / "t.csv", lambda genre, _: genre.replace("techno", "hiphop"))
    return train("svm", table, folder / "m.safetensors").path


def judged(bundle: Path, table: Path, *pairs: tuple[str, str], **more: Any) -> dict[str, Any]:
    return evaluate(str(bundle), table, seen=True, genres=GenreMap(pairs), **more)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Hip-Hop", "hip hop", True),
        ("HIPHOP", "hip_hop", True),
        ("Hip\u2010Hop", "hip\u2013hop", True),
        ("Fran\u00e7ais", "franc\u0327ais", True),
        ("r'n'b", "R&B", True),
        ("RnB", "R & B", True),
        ("Soul-RnB", "soul/r&b", True),
        ("Old-Time / Historic", "Old-Time _ Historic", True),
        ("Old-Time / Historic", "old_time-historic", True),
        ("Drum and Bass", "drum & bass", True),
        ("Rock n Roll", "ROCK & ROLL", True),
        ("R&B", "Soul-RnB", False),
        ("R&B", "Rhythm and Blues", False),
        ("Old-Time", "Old-Time / Historic", False),
        ("Rock", "Rock & Roll", False),
        ("Hip-Hop", "Rap", False),
        ("Soul", "Soul-RnB", False),
        ("Electronic", "Electronica", False),
        ("R&B", "RB", False),
        ("R&B", "R and B", False),
        ("rock", "rocks", False),
        ("-", "_", False),
    ],
)
def test_case_spaces_and_hyphens_do_not_count(one: str, other: str, same: bool) -> None:
    assert (genre_key(one) == genre_key(other)) is same


def test_the_usual_spelling_is_kept_and_the_other_said() -> None:
    notes: list[str] = []
    assert one_spelling(["rock", "Rock", "Rock", "jazz"], notes) == ["Rock", "Rock", "Rock", "jazz"]
    assert notes == ["one genre in several spellings: rock is Rock"]
    assert one_spelling(["Rock", "rock"], []) == ["Rock", "Rock"]
    notes.clear()
    assert one_spelling(["a", "b"], notes) == ["a", "b"]
    assert notes == []


def test_every_alias_is_needed_and_in_one_line_of_the_table() -> None:
    keys = [{genre_key(name) for name in names} for names in ALIASES]
    assert all(len(one) == 1 for one in keys)
    assert len(set.union(*keys)) == len(ALIASES)
    for names in ALIASES:
        bare = [re.sub(r"[\s_-]", "", name).casefold() for name in names]
        assert len(set(bare)) == len(names)


def test_no_two_genres_of_a_known_collection_become_one(data: Path) -> None:
    with (data / "fma" / "genres.csv").open(newline="", encoding="utf-8") as file:
        titles = [row["title"] for row in csv.DictReader(file)]
    gtzan = [
        "blues", "classical", "country", "disco", "hiphop",
        "jazz", "metal", "pop", "reggae", "rock",
    ]  # fmt: skip
    assert len(titles) == 163
    assert len({genre_key(title) for title in titles}) == 163
    assert len({genre_key(genre) for genre in gtzan}) == 10
    assert {genre_key(genre) for genre in gtzan} & {genre_key(title) for title in titles} == {
        "blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "rock",
    }  # fmt: skip


def test_a_model_of_two_spellings_keeps_both() -> None:
    labels = ["Rock", "jazz", "rock"]
    assert spelt_as(labels, ["rock", "JAZZ"]) == ("Rock", "JAZZ", "rock")
    assert spelt_as(labels, ["ROCK"]) == ("ROCK", "jazz", "rock")


def test_evaluate_compares_without_case_and_hyphens_and_reports_as_data_spells(
    bundle: Path, tmp_path: Path
) -> None:
    plain = spelt(tmp_path / "p.csv", lambda genre, _: genre.replace("techno", "hiphop"))
    names = {"blues": "Blues", "techno": "Hip-Hop"}
    other = spelt(tmp_path / "o.csv", lambda genre, _: names.get(genre, genre))
    found, wanted = judged(bundle, other), judged(bundle, plain)
    assert found["labels"] == ["ambient", "Blues", "Hip-Hop", "waltz"]
    assert list(found["per_genre"]) == found["labels"]
    assert found["confusion"] == wanted["confusion"]
    assert found["tracks"] == 64
    assert not any("spelling" in note or "unknown" in note for note in found["notes"])


def test_labels_of_one_data_that_differ_by_case_are_merged_and_that_is_said(
    bundle: Path, tmp_path: Path
) -> None:
    table = spelt(tmp_path / "t.csv", lambda genre, n: genre.title() if n % 4 == 0 else genre)
    trained = train("svm", table, tmp_path / "m.safetensors")
    assert trained.bundle.task.labels == ("ambient", "blues", "techno", "waltz")
    said = "one genre in several spellings: Ambient is ambient, Blues is blues, Techno is techno"
    assert f"{said} and 1 more" in trained.notes
    assert judged(trained.path, table)["tracks"] == 64


def test_map_counts_their_genres_as_ours(bundle: Path, tmp_path: Path) -> None:
    table = spelt(tmp_path / "t.csv", lambda genre, _: genre.replace("techno", "Rap"))
    result = judged(bundle, table)
    assert result["tracks"] == 48
    assert result["per_genre"]["hiphop"]["recall"] is None
    assert result["macro_f1_genres"] == 3
    result = judged(bundle, table, ("rap", "Hip-Hop"))
    assert result["tracks"] == 64
    assert result["labels"] == ["ambient", "blues", "Hip-Hop", "waltz"]
    assert result["per_genre"]["Hip-Hop"]["tracks"] == 16
    assert "tracks counted by --map: Rap is Hip-Hop (16)" in result["notes"]


def test_a_mapped_genre_is_spelt_as_data_spells_it_where_it_has_it(
    bundle: Path, tmp_path: Path
) -> None:
    def half(genre: str, n: int) -> str:
        return genre.replace("techno", "Rap" if n % 2 else "Hip Hop")

    result = judged(bundle, spelt(tmp_path / "t.csv", half), ("Rap", "hiphop"))
    assert result["labels"][2] == "Hip Hop"
    assert result["per_genre"]["Hip Hop"]["tracks"] == 16


def test_train_and_compare_merge_genres(tmp_path: Path) -> None:
    table = spelt(tmp_path / "t.csv", lambda genre, _: genre)
    merged = GenreMap((("techno", "Ambient"), ("Waltz", "dance"), ("blues", "BLUES")))
    trained = train("svm", table, tmp_path / "m.safetensors", TrainSettings(genres=merged))
    assert trained.bundle.task.labels == ("BLUES", "ambient", "dance")
    found = compare([table], tmp_path / "out", Asked(("svm",), seeds=1, genres=merged))
    assert not found.rows[0].reason
    kept = load_bundle(tmp_path / "out" / "svm-0.safetensors")
    assert kept.task.labels == ("BLUES", "ambient", "dance")


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("Rap", "hiphop"), ("rap", "blues")], "--map makes rap two genres, hiphop and blues"),
        ([("a", "b"), ("b", "a")], "--map leads from a to b, and from there to a"),
        ([("a", "b"), ("B", "c")], "--map leads from a to b, and from there to c"),
        ([("a", "b"), ("b", "c"), ("c", "a")], "--map leads from a to b"),
        ([("", "b")], "--map must be theirs=ours"),
        ([("a", "")], "--map must be theirs=ours"),
    ],
)
def test_a_map_that_leads_nowhere_is_refused(pairs: list[tuple[str, str]], expected: str) -> None:
    with pytest.raises(UsageError) as refused:
        GenreMap(tuple(pairs))
    assert expected in str(refused.value)


def test_a_map_may_say_one_thing_twice_and_a_genre_its_own_spelling() -> None:
    GenreMap((("Rap", "Hip-Hop"), ("rap", "hiphop"), ("Hip-Hop", "hiphop")))


def test_a_map_of_unknown_genres_names_the_nearest(bundle: Path, tmp_path: Path) -> None:
    table = spelt(tmp_path / "t.csv", lambda genre, _: genre.replace("techno", "Rap"))
    with pytest.raises(UsageError, match=r"not know hiphp \(did you mean hiphop\?\)"):
        judged(bundle, tmp_path / "not read.csv", ("Rap", "hiphp"))
    with pytest.raises(UsageError, match=r"no track of DATA is Walzt \(did you mean waltz\?\)"):
        judged(bundle, table, ("Walzt", "blues"))
    for call in (
        lambda asked: train("svm", table, tmp_path / "m.safetensors", TrainSettings(genres=asked)),
        lambda asked: compare([table], tmp_path / "o", Asked(("svm",), seeds=1, genres=asked)),
    ):
        with pytest.raises(UsageError, match=r"no track of DATA is Rep \(did you mean Rap\?\)"):
            call(GenreMap((("Rep", "blues"),)))
