"""What ``explore`` writes, what it learns from, and what it refuses."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mgrkit.commands.explore import PLOTS, ExploreSettings, explore
from mgrkit.errors import RunError, UsageError
from mgrkit.inputs.columns import TableChoice
from mgrkit.reports.explore_page import Explored
from tests.tracks.made_fma import make_fma

FAST = [name for name in PLOTS if name not in ("tsne", "umap")]
Change = Callable[[dict[str, object]], None]


def songs(
    genres: Sequence[str] = ("blues", "jazz", "rock"), artists: int = 5
) -> list[dict[str, Any]]:
    """Rows of two numbers that tell the genre, a third like the first, noise and a whole number."""
    random = np.random.default_rng(2)
    made: list[dict[str, Any]] = []
    for number, genre in enumerate(genres):
        for artist in range(artists):
            part = ("train", "train", "train", "valid", "test")[artist % 5]
            for song in range(4):
                energy = 3.0 * number + random.normal()
                made.append(
                    {
                        "path": f"{genre}-{artist}-{song}.mp3",
                        "genre": genre,
                        "artist": f"{genre} {artist}",
                        "split": part,
                        "energy": energy,
                        "tempo": 3.0 * (number * 2 % len(genres)) + random.normal(),
                        "drive": energy + random.normal(0, 0.2),
                        "valence": random.normal(),
                        "listens": int(random.integers(0, 40)),
                    }
                )
    return made


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def run(table: Path, *plots: str, out: str = "out", **more: Any) -> Explored:
    settings = ExploreSettings(plots or FAST, **more)
    return explore(table, table.parent / out, settings)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "songs.csv", songs())


def test_every_plot_gives_a_picture_a_table_and_its_place_on_the_page(table: Path) -> None:
    steps: list[tuple[int, int]] = []
    settings = ExploreSettings([name for name in PLOTS if name != "umap"])
    out = table.parent / "out"
    found = explore(table, out, settings, progress=lambda n, of, _: steps.append((n, of)))
    assert (found.tracks, found.columns, found.genres, found.artists) == (60, 5, 3, 15)
    assert found.parts == {"train": 36, "valid": 12, "test": 12}
    assert not found.skipped
    assert steps == [(n, 11) for n in range(12)]
    assert sorted(found.files) == sorted(p.name for p in out.iterdir() if p.name != "settings.json")
    page = (out / "README.md").read_text()
    for section in found.sections.values():
        pictures = [name for name in section.files if name.endswith(".png")]
        tables = [name for name in section.files if name.endswith(".csv")]
        assert pictures
        assert tables
        assert all(f"]({name})" in page for name in section.files)
        for name in pictures:
            assert min(_size(out / name)) > 200
        for name in tables:
            assert read(out / name) or name in ("suspects.csv",)


def test_nothing_is_learnt_from_other_parts_than_train(table: Path) -> None:
    learnt = (
        "correlation.csv", "pca_variance.csv", "pca_loadings.csv", "lda_loadings.csv",
        "importance.csv", "similarity.csv",
    )  # fmt: skip
    run(table, out="before")
    rows = songs()
    for row in rows:
        if row["split"] != "train":
            row.update(energy=-50.0, tempo=row["tempo"] * 9, valence=1e6, listens=0)
    run(write(table, rows), out="after")
    before, after = table.parent / "before", table.parent / "after"
    for name in learnt:
        assert (before / name).read_bytes() == (after / name).read_bytes(), name
    both = [[r for r in read(f / "pca.csv") if r["part"] == "train"] for f in (before, after)]
    assert both[0] == both[1]
    both = [[r for r in read(f / "boxes.csv") if r["part"] == "test"] for f in (before, after)]
    assert both[0] != both[1], "the test part is shown, apart"


def test_the_same_call_writes_the_same_bytes(table: Path) -> None:
    plots = ("counts", "histograms", "pca", "lda", "tsne", "importance", "suspects", "outliers")
    for out in ("first", "again"):
        run(table, *plots, out=out, seed=3)
    first, again = table.parent / "first", table.parent / "again"
    names = sorted(path.name for path in first.iterdir())
    assert len(names) > 15
    for name in names:
        assert (first / name).read_bytes() == (again / name).read_bytes(), name
    run(table, "importance", out="other", seed=4)
    other = table.parent / "other" / "importance.csv"
    assert other.read_bytes() != (first / "importance.csv").read_bytes()


def test_a_second_call_replaces_its_own_files_and_no_other(table: Path) -> None:
    run(table, "counts", "boxes")
    out = table.parent / "out"
    (out / "mine.txt").write_text("mine")
    run(table, "counts", "pca")
    names = {path.name for path in out.iterdir()}
    assert not names & {"boxes.png", "boxes.csv"}
    assert {"mine.txt", "counts.png", "pca.csv", "README.md", "settings.json"} <= names
    (out / "lda.csv").write_text("mine, too")
    with pytest.raises(UsageError, match=r"lda.csv was not made by mgrkit explore"):
        run(table, "lda")
    assert (out / "lda.csv").read_text() == "mine, too"
    assert not (out / "lda.png").exists()


def test_a_folder_of_something_else_is_refused(table: Path) -> None:
    other = table.parent / "other"
    other.mkdir()
    (other / "README.md").write_text("mine")
    with pytest.raises(UsageError, match="other holds something else"):
        run(table, out="other")
    assert [path.name for path in other.iterdir()] == ["README.md"]
    with pytest.raises(UsageError, match="there is no folder"):
        run(table, out="no/such")


def test_a_swapped_label_and_a_strange_track_are_found(table: Path) -> None:
    rows = songs()
    rows[1]["genre"] = "rock"
    rows[22]["energy"], rows[22]["valence"], rows[22]["listens"] = 60, -40, 900
    out = table.parent / "out"
    run(write(table, rows), "suspects", "outliers")
    suspect, strange = read(out / "suspects.csv")[0], read(out / "outliers.csv")[0]
    assert (suspect["path"], suspect["genre"], suspect["likely"]) == (
        "blues-0-1.mp3", "rock", "blues",
    )  # fmt: skip
    assert strange["path"] == rows[22]["path"]
    assert "listens +" in strange["farthest"] or "valence -" in strange["farthest"]


def test_a_genre_of_one_artist_is_not_doubted(table: Path) -> None:
    rows = songs()
    for row in rows:
        if row["genre"] == "rock" and row["split"] == "train":
            row["artist"] = "only one"
    found = run(write(table, rows), "suspects")
    assert "of genres with one artist in train: 1 genres" in found.sections["suspects"].text
    assert not [r for r in read(table.parent / "out" / "suspects.csv") if r["genre"] == "rock"]


def test_columns_that_tell_stand_first_and_are_alike(table: Path) -> None:
    found = run(table, "importance", "correlation", "similarity")
    rows = read(table.parent / "out" / "importance.csv")
    assert rows[0]["column"] == "tempo", "energy and drive stand in for one another"
    by_itself = sorted(rows, key=lambda row: float(row["mutual_information"]))
    assert {row["column"] for row in by_itself[:2]} == {"valence", "listens"}
    shown = found.sections["correlation"].shown
    assert shown
    assert {*shown[1][0][:2]} == {"energy", "drive"}
    pairs = read(table.parent / "out" / "similarity.csv")
    assert [float(p["distance"]) for p in pairs] == sorted(float(p["distance"]) for p in pairs)


def test_categories_are_explored_where_they_are_named(table: Path) -> None:
    rows = [{**row, "key": "CDE"[place % 3]} for place, row in enumerate(songs())]
    write(table, rows)
    assert "key=C" not in {r["column"] for r in _boxes(table, TableChoice())}
    named = {r["column"] for r in _boxes(table, TableChoice(("energy", "key")))}
    assert named == {"energy", "key=C", "key=D", "key=E"}


def _boxes(table: Path, choice: TableChoice) -> list[dict[str, str]]:
    run(table, "boxes", choice=choice)
    return read(table.parent / "out" / "boxes.csv")


def test_one_column_has_a_histogram_and_no_map(table: Path) -> None:
    found = run(table, "histograms", "pca", "lda", choice=TableChoice(("listens",)))
    assert [*found.sections] == ["histograms"]
    assert found.skipped["pca"] == "it needs 2 columns that vary in train"
    assert "pca is not here" in (table.parent / "out" / "README.md").read_text()
    edges = [float(row["from"]) for row in read(table.parent / "out" / "histograms.csv")]
    assert all(edge % 1 == 0.5 for edge in edges), "whole numbers lie between the edges"
    with pytest.raises(RunError, match=r"nothing can be drawn of .*: pca: it needs 2 columns"):
        run(table, "pca", choice=TableChoice(("listens",)))


def test_umap_is_left_out_where_it_is_not_installed(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = importlib.util.find_spec
    monkeypatch.setattr(
        "mgrkit.reports.explore_maps.find_spec", lambda n: None if n == "umap" else of(n)
    )
    found = run(table, "counts", "umap")
    assert "pip install 'mgrkit[explore]'" in found.skipped["umap"]


def test_no_genre_is_lost_where_nothing_is_held_back(table: Path) -> None:
    rows = [{**row, "split": "train"} for row in songs()]
    rows[0]["split"] = "valid"
    found = run(write(table, rows), "counts", "pca", "lda", "histograms", "boxes")
    assert found.parts == {"train": 59, "valid": 1, "test": 0}


# Bad input


def test_a_plot_that_there_is_not_is_named_with_the_nearest(table: Path) -> None:
    with pytest.raises(UsageError, match=r"no plot 'pcaa' \(did you mean pca\?\)"):
        run(table, "pcaa")
    assert not (table.parent / "out").exists()


def test_a_table_of_texts_is_refused(tmp_path: Path) -> None:
    rows = [{**{k: row[k] for k in ("path", "genre")}, "mood": row["artist"]} for row in songs()]
    with pytest.raises(UsageError, match=r"no column of .*songs.csv that is chosen holds"):
        run(write(tmp_path / "songs.csv", rows))


def test_a_table_without_labels_is_refused(tmp_path: Path) -> None:
    rows = [{k: v for k, v in row.items() if k != "genre"} for row in songs()]
    with pytest.raises(UsageError, match="has no column genre or label"):
        run(write(tmp_path / "songs.csv", rows))
    rows = [{**row, "genre": ""} for row in songs()]
    with pytest.raises(RunError, match=r"no track in .*songs.csv has a genre"):
        run(write(tmp_path / "songs.csv", rows))


def test_one_genre_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="all tracks are jazz"):
        run(write(tmp_path / "songs.csv", songs(["jazz"])))
    rows = [row for row in songs() if row["genre"] == "jazz" or row["split"] != "train"]
    with pytest.raises(UsageError, match="the train part holds one genre only, jazz"):
        run(write(tmp_path / "songs.csv", rows))


def test_two_columns_of_one_name_are_refused(table: Path) -> None:
    text = table.read_text().replace("tempo", "energy", 1)
    table.write_text(text)
    with pytest.raises(UsageError, match="more than one column energy"):
        run(table)


def test_labels_that_are_numbers_are_taken_from_a_column_and_not_from_folders(
    tmp_path: Path,
) -> None:
    rows = songs()
    for row in rows:
        row["genre"] = {"blues": 3, "jazz": 4, "rock": 12}[row["genre"]]
    found = run(write(tmp_path / "songs.csv", rows), "counts")
    assert {r["genre"] for r in read(tmp_path / "out" / "counts.csv")} == {"3", "4", "12"}
    assert found.genres == 3
    for place, row in enumerate(rows):
        del row["genre"]
        row["path"] = f"{place % 3:03d}/{place:06d}.mp3"
    with pytest.raises(
        UsageError, match=r"no column genre or label \(folders of numbers .* are no genres: name"
    ):
        run(write(tmp_path / "songs.csv", rows), "counts")


def test_more_columns_than_rows(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = [
        {**row, **{f"n{k}": v for k, v in enumerate(random.normal(size=90))}} for row in songs()
    ]
    found = run(write(tmp_path / "songs.csv", rows), "correlation", "pca", "lda", "outliers",
                "similarity", "importance")  # fmt: skip
    assert not found.skipped
    assert "fewer tracks than columns" in found.sections["lda"].text
    permuted = [row["permutation"] for row in read(tmp_path / "out" / "importance.csv")]
    assert 60 <= sum(value != "" for value in permuted) < 95


def test_a_column_without_a_value_in_train_is_left_out_and_infinity_is_missing(
    tmp_path: Path,
) -> None:
    rows = songs()
    for place, row in enumerate(rows):
        row["gone"] = ""
        row["train_lacks"] = "" if row["split"] == "train" else place
        row["valence"] = ("inf", "-inf", "1e300")[place % 3] if place % 7 == 0 else row["valence"]
    found = run(write(tmp_path / "songs.csv", rows))
    assert not found.skipped
    notes = "\n".join(found.notes)
    assert "1 columns left out, no value: gone" in notes
    assert "missing values" in notes
    told = {row["column"] for row in read(tmp_path / "out" / "importance.csv")}
    assert told == {"energy", "tempo", "drive", "valence", "listens"}


@pytest.mark.parametrize("artists", [1, 2])
def test_a_few_tracks_give_what_can_be_made_of_them(tmp_path: Path, artists: int) -> None:
    rows = [row for row in songs(artists=artists) if row["path"].endswith(("0.mp3", "1.mp3"))]
    for row in rows:
        row["split"] = "train" if artists == 2 or row["path"].endswith("0.mp3") else "valid"
        row["tempo"] = 3e38 if row["genre"] == "jazz" else -3e38
    plots = [name for name in PLOTS if name != "umap"]
    found = run(write(tmp_path / "songs.csv", rows), *plots)
    assert {"counts", "histograms", "boxes", "correlation", "pca", "outliers"} <= {*found.sections}
    if artists == 1:
        assert found.skipped["similarity"] == "it needs more tracks of train than genres"
        assert "two genres of two artists" in found.skipped["importance"]


def test_161_genres_with_names_of_any_length(tmp_path: Path) -> None:
    genres = [f"genre {k} with a rather long name $x$ | \\ {'<b>' * (k % 3)}" for k in range(161)]
    rows = songs(genres)
    found = run(write(tmp_path / "songs.csv", rows), "counts", "histograms", "boxes", "similarity")
    out = tmp_path / "out"
    assert found.genres == 161
    assert len(read(out / "counts.csv")) == 161
    assert max(_size(out / "similarity.png")) < 3000
    assert {r["genre"] for r in read(out / "histograms.csv")} >= {"151 others"}
    assert len({r["genre"] for r in read(out / "boxes.csv")}) == 161


def test_the_tables_of_fma_are_explored_as_they_are(tmp_path: Path) -> None:
    make_fma(tmp_path / "fma", 900, echonest=600)
    table = tmp_path / "fma" / "echonest.csv"
    choice = TableChoice(("audio_features",))
    found = explore(
        table, tmp_path / "out", ExploreSettings(["counts", "histograms"], choice=choice)
    )
    columns = {row["column"] for row in read(tmp_path / "out" / "histograms.csv")}
    assert {f"audio_features_{name}" for name in ("acousticness", "tempo")} <= columns
    assert len(columns) == found.columns == 8
    assert found.split == "published split"
