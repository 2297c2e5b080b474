"""mgrkit data import: every published form, folders, tables and pictures as one track table."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mgrkit.commands import collect as module
from mgrkit.commands.collect import Collected, CollectSettings, collect
from mgrkit.commands.collecting import _all_of_gtzan
from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.collections import gtzan
from mgrkit.tracks.fma.metadata import read_fma
from mgrkit.tracks.table import read_tracks
from tests.cli.test_commands import mgrkit
from tests.files.made_archives import tar_of, write
from tests.files.servers import serving
from tests.tracks.made_fma import make_fma

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1323632\n"
TINY = b".snd" + bytes(40)
EVERY = [one.partition(":")[2] for one in _all_of_gtzan()]


def au(folder: str = "genres", names: list[str] = EVERY) -> dict[str, bytes]:
    """GTZAN as its authors publish it, of tiny files."""
    return {f"{folder}/{name.partition('.')[0]}/{name}.au": TINY for name in names}


def files(root: Path, content: dict[str, bytes]) -> Path:
    for path, data in content.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def imported(name: str, *places: Path, **more: Any) -> tuple[Collected, pl.DataFrame]:
    made = collect(CollectSettings(name, **more), *places)
    return made, read_tracks(made.table)


def row(frame: pl.DataFrame, path: str) -> dict[str, str]:
    found: dict[str, str] = frame.row(by_predicate=pl.col("path") == path, named=True)
    return found


def test_all_of_gtzan_from_its_archive(tmp_path: Path) -> None:
    archive = write(tmp_path / "gtzan.tar.gz", au())
    made, frame = imported("gtzan", archive)
    assert made.table == tmp_path / "gtzan" / "tracks.csv"
    assert len(frame) == 1000
    assert not made.missing
    assert not made.extra
    assert {one.tracks for one in made.balance.genres} == {100}
    one = row(frame, "genres/blues/blues.00006.au")
    assert (tmp_path / "gtzan" / one["path"]).read_bytes() == TINY
    assert (one["genre"], one["group"], one["split"]) == ("blues", "John Lee Hooker", "valid")
    assert (one["source_id"], one["status"], one["reason"]) == ("gtzan:blues.00006", "ok", "")
    assert frame["split"].value_counts().sort("split")["count"].to_list() == [70, 290, 443, 197]


def test_gtzan_as_kaggle_has_it(tmp_path: Path) -> None:
    sound = {p.replace("genres/", "genres_original/").replace(".au", ".wav"): d
             for p, d in au().items()}  # fmt: skip
    drawn = {f"images_original/{n.partition('.')[0]}/{n.replace('.', '')}.png": b"x" for n in EVERY}
    del drawn["images_original/jazz/jazz00054.png"]
    root = files(tmp_path, {**sound, **drawn, "features_30_sec.csv": b"filename,label\n"})
    made, frame = imported("gtzan", root)
    assert len(frame) == 1000
    bad = row(frame, "genres_original/jazz/jazz.00054.wav")
    assert (bad["status"], bad["reason"]) == ("ok", "undecodable: Kaggle's WAV is damaged")
    assert "999 .png" in " ".join(made.notes)
    made, frame = imported("pictures", root / "images_original")
    assert len(frame) == 999
    assert row(frame, "blues/blues00006.png")["group"] == "John Lee Hooker"


def test_what_of_gtzan_is_missing_or_not_of_it_is_named(tmp_path: Path) -> None:
    content = au(names=EVERY[5:]) | {"genres/blues/mine.wav": TINY}
    content |= {f"genres_original/jazz/{EVERY[505]}.wav": TINY}
    made, frame = imported("gtzan", files(tmp_path, content))
    assert made.missing == tuple(f"gtzan:{name}" for name in EVERY[:5])
    assert set(made.extra) == {"genres/blues/mine.wav", "genres_original/jazz/jazz.00005.wav"}
    assert len(frame) == 995  # a clip that is there twice is one row
    notes = " ".join(made.notes)
    assert "missing of GTZAN's 1,000 clips: 5 (gtzan:blues.00000, " in notes
    assert "and 2 more" in notes
    assert made.exit_code == 0


def test_slices_of_gtzan_belong_to_their_clip(tmp_path: Path) -> None:
    content = {f"blues/blues.00000.{n}.wav": TINY for n in range(3)}
    _, frame = imported("gtzan", files(tmp_path, content))
    assert frame["parent"].to_list() == ["blues.00000"] * 3
    assert frame["split"].to_list() == ["valid"] * 3


def test_gtzan_of_pointers(tmp_path: Path, data: Path) -> None:
    real = (data / "hostile" / "git_lfs_pointer.au").read_bytes()
    root = files(tmp_path, dict.fromkeys(au(names=EVERY[:20]), real))
    with pytest.raises(RunError, match=r"all 20 files in .* are Git LFS pointers") as caught:
        collect(CollectSettings("gtzan"), root)
    assert "git lfs pull" in caught.value.hint
    assert not (root / "tracks.csv").exists()
    files(tmp_path, au(names=EVERY[:17]) | {"genres/blues/blues.00017.au": b""})
    made, frame = imported("gtzan", root)
    assert made.reasons == {"lfs-pointer": 2, "empty": 1}
    assert made.exit_code == 1
    assert "Git LFS pointers instead of sound (run: git lfs pull): 2 (" in " ".join(made.notes)
    assert frame.filter(pl.col("status") == "failed")["path"].to_list() == [
        f"genres/blues/blues.000{n}.au" for n in (17, 18, 19)
    ]


@pytest.mark.parametrize("where", ["beside", "elsewhere.parquet"])
def test_a_table_elsewhere_names_the_files_from_there(tmp_path: Path, where: str) -> None:
    root = files(tmp_path / "music", au(names=EVERY[:3]))
    out = tmp_path / "tables" / ("t.csv" if where == "beside" else "t.parquet")
    _, frame = imported("gtzan", root, out)
    assert frame["path"][0] == "../music/genres/blues/blues.00000.au"
    assert (out.parent / frame["path"][0]).is_file()
    assert not (root / "tracks.csv").exists()


def test_no_table_is_overwritten_unasked(tmp_path: Path) -> None:
    root = files(tmp_path, au(names=EVERY[:3]))
    (root / "tracks.csv").write_text("path,genre\nmine.wav,polka\n")
    with pytest.raises(UsageError, match=r"tracks\.csv is there \(--replace writes it anew"):
        collect(CollectSettings("gtzan"), root)
    assert "polka" in (root / "tracks.csv").read_text()
    assert len(imported("gtzan", root, replace=True)[1]) == 3


def test_a_folder_by_genre(tmp_path: Path) -> None:
    names = [f"{genre}/{artist}" for genre in ("Rock", "jazz") for artist in "AB"]
    content = {f"{name}/{n}.wav": TINY for name in names for n in "xy"}
    content |= {f"jazz/A/tune_part{n}.wav": TINY for n in (1, 2)}
    made, frame = imported("folder", files(tmp_path, content))
    assert row(frame, "Rock/A/x.wav")["group"] == "A"
    assert row(frame, "jazz/A/tune_part1.wav")["parent"] == "jazz/A/tune"
    assert {one.genre: one.tracks for one in made.balance.genres} == {"jazz": 6, "Rock": 4}
    assert made.balance.ratio == 1.5
    assert "artists are taken from the folders below the genres" in made.notes


def test_a_folder_with_a_table_of_its_own(tmp_path: Path) -> None:
    root = files(tmp_path / "in", {"a.wav": TINY, "b.wav": TINY})
    (root / "tracks.csv").write_text(
        "path,genre,artist,mood\na.wav,Hip-Hop,X,calm\nb.wav,hip hop,Y,\n"
    )
    made, frame = imported("folder", root, tmp_path / "t.csv")
    assert frame["genre"].unique().to_list() == ["Hip-Hop"]
    assert frame["mood"].to_list() == ["calm", ""]
    assert any("one genre in several spellings" in note for note in made.notes)
    # The one that is made anew is not asked for itself.
    with pytest.raises(RunError, match="nothing of folder"):
        collect(CollectSettings("folder", replace=True), files(tmp_path / "n", {"n.txt": b"1"}))
    _, frame = imported("folder", root, replace=True)
    assert set(frame["genre"]) == {""}


def test_a_table_of_anybody(tmp_path: Path) -> None:
    root = files(tmp_path, {"deep/one.mp3": TINY, "two.mp3": TINY, "x/same.mp3": TINY,
                            "y/same.mp3": TINY})  # fmt: skip
    (root / "songs.csv").write_text(
        "song,style,by,fold,bpm\n"
        "one.mp3,Rock,A,validation,120\n"
        "two.mp3,jazz,B,train,99\n"
        "two.mp3,jazz,B,train,99\n"
        "same.mp3,rock,C,,1\n"
        "gone.mp3,unknown,,test,\n"
    )
    names = (("path", "song"), ("genre", "style"), ("artist", "by"), ("split", "fold"))
    made, frame = imported("table", root / "songs.csv", columns=names)
    assert made.table == root / "tracks.csv"
    assert row(frame, "deep/one.mp3") | {"bpm": "120"} == row(frame, "deep/one.mp3")
    assert frame["split"].to_list() == ["valid", "train", "", "test"]
    assert frame["group"].to_list() == ["A", "B", "C", ""]
    assert frame["genre"].to_list() == ["Rock", "jazz", "Rock", ""]
    assert frame["status"].to_list() == ["ok", "ok", "failed", "failed"]
    assert made.reasons == {"missing": 2}
    notes = " ".join(made.notes)
    assert "rows that repeat a path: 1" in notes
    assert "rows without a genre: 1 (gone.mp3)" in notes
    assert "files that are not there: 2 (same.mp3, gone.mp3)" in notes


def test_a_path_with_contradicting_genres_is_said(tmp_path: Path) -> None:
    root = files(tmp_path, {"a.mp3": TINY, "b.mp3": TINY})
    (root / "t.csv").write_text("path,genre\na.mp3,rock\nb.mp3,jazz\na.mp3,pop\n./a.mp3,rock\n")
    made, frame = imported("table", root / "t.csv")
    bad = row(frame, "a.mp3")
    assert (bad["status"], bad["reason"]) == ("failed", "contradicting: its rows say rock and pop")
    assert "paths with contradicting genres, which no command uses: 1 (a.mp3)" in made.notes
    assert made.exit_code == 1


BAD_TABLES = {
    b"a,b\n1,2\n": (UsageError, "has no column path or filename or .*--path COLUMN names it"),
    b"path,b\n1,2\n": (UsageError, "has no column genre or label or .*--genre COLUMN names it"),
    b"path,genre\n": (RunError, "has no rows"),
    b"": (RunError, "cannot read"),
    b"path,genre\nd\xe9j\xe0.mp3,rock\n": (RunError, "cannot read"),
    "path,genre\na,b\n".encode("utf-16"): (UsageError, "UTF-16"),
    b"path;genre\na;b\n": (UsageError, "semicolons"),
}


@pytest.mark.parametrize("content", BAD_TABLES)
def test_bad_tables(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    kind, words = BAD_TABLES[content]
    with pytest.raises(kind, match=words):
        collect(CollectSettings("table"), tmp_path / "t.csv")
    assert not (tmp_path / "tracks.csv").exists()


def test_wrong_calls(tmp_path: Path) -> None:
    for wrong, words in (
        ({"name": "gtzam"}, "did you mean gtzan"),
        ({"name": "folder", "download": True}, "published nowhere"),
        ({"name": "gtzan", "mirrors": ("https://a",)}, "--mirror goes with --download"),
        ({"name": "gtzan", "columns": (("path", "p"),)}, "columns are those of a table"),
    ):
        with pytest.raises(UsageError, match=words):
            CollectSettings(**wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="OUT is no table"):
        collect(CollectSettings("folder"), tmp_path, tmp_path / "out.txt")
    with pytest.raises(RunError, match=r"there is no .*none"):
        collect(CollectSettings("folder"), tmp_path / "none")
    (tmp_path / "song.rar").touch()
    with pytest.raises(UsageError, match="neither a folder nor an archive"):
        collect(CollectSettings("gtzan"), tmp_path / "song.rar")


def test_a_bad_archive_makes_no_table(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(tar_of({"../blues.00000.au": TINY})))
    with pytest.raises(RunError, match="leads out of its folder"):
        collect(CollectSettings("gtzan"), tmp_path / "a.tar.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


def test_gtzan_is_fetched_and_extracted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    content = gzip.compress(tar_of(au(names=EVERY[:30])), mtime=0)
    form = gtzan.COLLECTION.forms[0]
    one = replace(
        form.downloads[0], size=len(content), digest=f"md5:{hashlib.md5(content).hexdigest()}"
    )
    made_up = replace(gtzan.COLLECTION, forms=(replace(form, downloads=(one,)),))
    monkeypatch.setattr(module, "find_collection", lambda _: made_up)
    with serving(lambda asked, _: asked.well(content)) as server:
        code = mgrkit("data", "import", "gtzan", str(tmp_path / "new"), "--download",
                      "--mirror", server.url, "--quiet")  # fmt: skip
        assert code == 0
        assert len(server.asked) == 1
    assert len(read_tracks(tmp_path / "new" / "tracks.csv")) == 30


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = files(tmp_path / "m", {**au(names=EVERY[:3]), "genres/blues/blues.00001.au": POINTER})
    assert mgrkit("data", "import", "gtzan", str(root), "--json") == 1
    output = capsys.readouterr()
    told = json.loads(output.out)
    assert (told["rows"], told["failed"], told["reasons"]) == (3, 1, {"lfs-pointer": 1})
    assert len(told["missing"]) == 997
    assert "1 rows failed (1 lfs-pointer)" in output.err
    assert mgrkit("data", "import", "gtzan", str(root), "--replace") == 1
    output = capsys.readouterr()
    assert output.out.splitlines()[0].split() == ["tracks", "train", "valid", "test", "genre"]
    assert f"3 rows in {root / 'tracks.csv'}" in output.err


def test_the_real_clips(tmp_path: Path, data: Path) -> None:
    made, frame = imported("gtzan", data / "gtzan" / "clips", tmp_path / "t.csv")
    assert (len(frame), len(made.missing)) == (44, 956)
    shutil.copytree(data / "gtzan" / "clips", tmp_path / "clips")
    again = imported("gtzan", tmp_path / "clips")[1]
    assert again.drop("path").equals(frame.drop("path"))


def mp3(folder: str, numbers: list[str]) -> dict[str, bytes]:
    return {f"{folder}/{n[4:7]}/{n[4:]}.mp3": b"\xff\xfb" * 9 for n in numbers}


def test_noisy_copies_belong_to_their_recording_from_a_table_elsewhere(tmp_path: Path) -> None:
    root = files(tmp_path / "in", {"a.wav": TINY, "a.white_10dB_1.wav": TINY})
    _, frame = imported("folder", root, tmp_path / "t.csv")
    assert row(frame, "in/a.white_10dB_1.wav")["parent"] == "in/a.wav"


@pytest.mark.parametrize("subset", ["small", "medium"])
def test_fma_from_folders_zips_and_a_zip_alone(tmp_path: Path, subset: str) -> None:
    make_fma(tmp_path / "fma_metadata", 400)
    stated = read_fma(tmp_path / "fma_metadata", subset, [])
    numbers = stated["source_id"].to_list()
    assert len(numbers) > 9
    sound = mp3(f"fma_{subset}", numbers[3:]) | {f"fma_{subset}/155/155320.mp3": b"1"}
    files(tmp_path / "folders", sound)
    shutil.copytree(tmp_path / "fma_metadata", tmp_path / "folders" / "fma_metadata")
    (tmp_path / "zips").mkdir()
    metadata = {f"fma_metadata/{path.name}": path.read_bytes()
                for path in (tmp_path / "fma_metadata").iterdir()}  # fmt: skip
    write(tmp_path / "zips" / "fma_metadata.zip", metadata)
    write(tmp_path / "zips" / f"fma_{subset}.zip", sound)
    first, one = imported(f"fma-{subset}", tmp_path / "folders")
    assert first.missing == tuple(numbers[:3])
    assert len(first.extra) == 1
    texts = one.select("genre", "group", "split", "title", "album", "licence", "artist_id")
    assert texts.equals(stated.select(texts.columns)[3:])
    assert (tmp_path / "folders" / one["path"][0]).is_file()
    alone = imported(f"fma-{subset}", tmp_path / "zips" / f"fma_{subset}.zip")[1]
    assert alone.equals(one)
    assert imported(f"fma-{subset}", tmp_path / "zips")[1].equals(one)
    inside = tmp_path / "zips" / f"fma_{subset}"  # its metadata lies beside it
    assert imported(f"fma-{subset}", inside, replace=True)[1]["genre"].equals(one["genre"])


def test_fma_without_its_metadata(tmp_path: Path) -> None:
    root = files(tmp_path / "fma", mp3("fma_small", ["fma:000002"]))
    with pytest.raises(RunError, match="there is no fma_metadata in") as caught:
        collect(CollectSettings("fma-small"), root)
    assert "put fma_metadata.zip into the same folder" in caught.value.hint
