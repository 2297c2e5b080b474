"""mgrkit data import: every published form, folders, tables and pictures as one track table."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile

from mgrkit.commands import collect as module
from mgrkit.commands.collect import Collected, CollectSettings, collect
from mgrkit.commands.collecting import _all_of_gtzan
from mgrkit.errors import RunError, Stopped, UsageError
from mgrkit.files import archives
from mgrkit.tracks.collections import gtzan
from mgrkit.tracks.fma.metadata import read_fma
from mgrkit.tracks.table import read_tracks
from tests.cli.test_commands import mgrkit
from tests.files.made_archives import tar_of, write
from tests.files.servers import Asked, serving
from tests.tracks.made_fma import make_fma, write_tracks_csv

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
    told = "listed: gtzan has undecodable: Kaggle's WAV is damaged"
    assert (bad["status"], bad["reason"]) == ("ok", told)
    assert f"known to be bad (mgrkit data check decodes them): 1 ({bad['path']})" in made.notes
    (root / bad["path"]).write_bytes(b"")
    worse = row(imported("gtzan", root, replace=True)[1], bad["path"])
    assert (worse["status"], worse["reason"]) == ("failed", "empty: the file has 0 bytes")
    assert "999 .png" in " ".join(made.notes)
    made, frame = imported("pictures", root / "images_original")
    assert len(frame) == 999
    assert row(frame, "blues/blues00006.png")["group"] == "John Lee Hooker"


def test_gtzan_as_kaggles_zip_has_it(tmp_path: Path) -> None:
    archive = write(tmp_path / "archive.zip", au("Data/genres_original"))
    made, frame = imported("gtzan", archive, tmp_path / "out" / "tracks.csv")
    assert len(frame) == 1000
    assert frame["path"][0] == "Data/genres_original/blues/blues.00000.au"
    assert (tmp_path / "out" / frame["path"][0]).is_file()
    assert not made.extra


def test_an_import_that_a_person_ends_goes_on(tmp_path: Path) -> None:
    archive = write(tmp_path / "genres.tar", au(names=EVERY[:9]))

    def ended(step: str, done: int, total: int) -> None:
        assert step == "extracting genres.tar (0 MB)"
        if done > total / 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Stopped, match="the same command goes on from there") as caught:
        collect(CollectSettings("gtzan"), archive, progress=ended)
    assert caught.value.exit_code == 130
    assert not (tmp_path / "genres" / "tracks.csv").exists()
    assert len(imported("gtzan", archive)[1]) == 9


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
    assert made.reasons == {"pointer": 2, "empty": 1}
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
    seen: list[tuple[str, int, int]] = []
    made = collect(
        CollectSettings("folder"), files(tmp_path, content), progress=lambda *one: seen.append(one)
    )
    assert seen == [("reading tags", n + 1, 10) for n in range(10)]
    frame = read_tracks(made.table)
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
    assert "rows that repeat a path, of which the first counts: 1" in notes
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
    b"path,genre\nd\xe9j\xe0.mp3,rock\n": (RunError, "cannot read .*utf-8"),
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
        ({"name": "fma-small", "genres": "mostly"}, "no --genres 'mostly'"),
        ({"name": "gtzan", "genres": "most"}, "--genres goes with FMA"),
    ):
        with pytest.raises(UsageError, match=words):
            CollectSettings(**wrong)  # type: ignore[arg-type]
    (tmp_path / "folder.csv").mkdir()
    for out in ("out.txt", "out.csv.gz", "folder.csv"):
        with pytest.raises(UsageError, match="OUT is no table"):
            collect(CollectSettings("folder", replace=True), tmp_path, tmp_path / out)
    (tmp_path / "genres.zip").touch()
    with pytest.raises(UsageError, match="--download: SRC is a file"):
        collect(CollectSettings("gtzan", download=True), tmp_path / "genres.zip")
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


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """An archive of 30 clips that is published as GTZAN's."""
    monkeypatch.setenv("no_proxy", "*")
    content = gzip.compress(tar_of(au(names=EVERY[:30])), mtime=0)
    form = gtzan.COLLECTION.forms[0]
    one = replace(
        form.downloads[0], size=len(content), digest=f"md5:{hashlib.md5(content).hexdigest()}"
    )
    made_up = replace(gtzan.COLLECTION, forms=(replace(form, downloads=(one,)),))
    monkeypatch.setattr(module, "find_collection", lambda _: made_up)
    return content


def fetched(folder: Path, *mirrors: str) -> int:
    asked = [word for url in mirrors for word in ("--mirror", url)]
    return mgrkit("data", "import", "gtzan", str(folder), "--download", *asked, "--quiet")


def test_gtzan_is_fetched_and_extracted(tmp_path: Path, archive: bytes) -> None:
    with serving(lambda asked, _: asked.well(archive)) as server:
        assert fetched(tmp_path / "new", server.url) == 0
        assert len(server.asked) == 1
        frame = read_tracks(tmp_path / "new" / "tracks.csv")
        assert len(frame) == 30
        assert (tmp_path / "new" / frame["path"][0]).read_bytes() == TINY
        # What is there is fetched no more, and nothing is overwritten.
        assert fetched(tmp_path / "new", server.url) == 2
        (tmp_path / "new" / "tracks.csv").unlink()
        assert fetched(tmp_path / "new", server.url) == 0
        assert len(server.asked) == 1


def test_a_download_that_broke_off_goes_on(
    tmp_path: Path, archive: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(asked: Asked, number: int) -> None:
        if number == 1:
            asked.well(archive, upto=300)
        else:
            asked.head(404, 0)

    with serving(breaks) as server:
        assert fetched(tmp_path, server.url) == 3
    assert "the same command goes on from there" in capsys.readouterr().err
    assert not (tmp_path / "tracks.csv").exists()
    with serving(lambda asked, _: asked.well(archive)) as server:
        assert fetched(tmp_path, server.url) == 0
        assert server.asked == [300]


def test_a_download_of_another_sum_makes_nothing(
    tmp_path: Path, archive: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = archive[:-9] + bytes(9)
    with serving(lambda asked, _: asked.well(wrong)) as bad:
        assert fetched(tmp_path, bad.url) == 3
        assert "the md5 of its" in capsys.readouterr().err
        assert not [path for path in tmp_path.iterdir() if not path.name.endswith(".part")]
        with serving(lambda asked, _: asked.well(archive)) as good:
            assert fetched(tmp_path, bad.url, good.url) == 0


def test_nothing_is_fetched_unasked(tmp_path: Path, archive: bytes) -> None:
    with pytest.raises(RunError, match="give SRC, or --download it"):
        collect(CollectSettings("gtzan"), tmp_path / "gtzan")
    (tmp_path / "gtzan").mkdir()
    with pytest.raises(RunError, match="nothing of gtzan"):
        collect(CollectSettings("gtzan"), tmp_path / "gtzan")


def test_a_disk_that_is_full_leaves_no_table_and_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = write(tmp_path / "genres.tar.gz", au(names=EVERY[:9]))
    written: list[Path] = []
    put = os.replace

    def full(src: Path, place: Path) -> None:
        written.append(place)
        if len(written) > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        put(src, place)

    monkeypatch.setattr(archives.os, "replace", full)
    with pytest.raises(RunError, match="No space left") as caught:
        collect(CollectSettings("gtzan"), archive)
    assert caught.value.hint == "make room; the same command goes on from there"
    there = {path for path in (tmp_path / "genres").rglob("*") if path.is_file()}
    assert there == set(written[:5])
    monkeypatch.undo()
    assert len(imported("gtzan", archive)[1]) == 9


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = files(tmp_path / "m", {**au(names=EVERY[:3]), "genres/blues/blues.00001.au": POINTER})
    assert mgrkit("data", "import", "gtzan", str(root), "--json") == 1
    output = capsys.readouterr()
    told = json.loads(output.out)
    assert (told["rows"], told["failed"], told["reasons"]) == (3, 1, {"pointer": 1})
    assert len(told["missing"]) == 997
    assert "1 rows failed (1 pointer)" in output.err
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


def test_of_several_forms_of_fma_the_one_that_is_asked_for_counts(tmp_path: Path) -> None:
    make_fma(tmp_path / "fma_metadata", 400)
    numbers = read_fma(tmp_path / "fma_metadata", "small", [])["source_id"].to_list()
    files(tmp_path, mp3("fma_full", numbers) | mp3("fma_small", numbers[1:]))
    made, frame = imported("fma-small", tmp_path)
    tops = [path.partition("/")[0] for path in frame["path"]]
    assert sorted(tops) == ["fma_full", *["fma_small"] * (len(numbers) - 1)]
    assert len(made.extra) == len(numbers) - 1


def test_the_real_clips_of_fma(tmp_path: Path, data: Path) -> None:
    made = make_fma(tmp_path / "fma_metadata", 400)
    rows = [one for one in made.rows if one["set.subset"] == "small"][:9]
    clips = sorted((data / "fma" / "clips").iterdir())
    for one, clip in zip(rows, clips, strict=False):
        one["track_id"] = str(int(clip.stem))
    write_tracks_csv(tmp_path / "fma_metadata", rows)
    shutil.copytree(data / "fma" / "clips", tmp_path / "fma_small")
    got, frame = imported("fma-small", tmp_path)
    assert frame["path"].to_list() == [f"fma_small/{clip.name}" for clip in clips]
    assert (len(got.missing), got.reasons) == (2, {})


def test_fma_without_its_metadata(tmp_path: Path) -> None:
    root = files(tmp_path / "fma", mp3("fma_small", ["fma:000002"]))
    with pytest.raises(RunError, match="there is no fma_metadata in") as caught:
        collect(CollectSettings("fma-small"), root)
    assert "put fma_metadata.zip into the same folder" in caught.value.hint


def test_parts_are_said_to_be_published_where_they_are(tmp_path: Path) -> None:
    _, frame = imported("gtzan", files(tmp_path / "g", au(names=EVERY[:300:3])))
    kinds = dict(frame.group_by("split").agg(pl.col("split_by").unique().first()).iter_rows())
    assert kinds == {"": "", "train": "published", "valid": "published", "test": "published"}
    root = files(
        tmp_path / "f", {f"{p}/{g}/{g}.wav": TINY for p in ("train", "test") for g in "ab"}
    )
    _, frame = imported("folder", root)
    assert set(frame["split"]) == {"train", "test"}
    assert set(frame["split_by"]) == {""}


def test_what_a_folders_own_table_says_is_kept(tmp_path: Path) -> None:
    root = files(tmp_path / "in", {f"{n}.wav": TINY for n in "abcd"})
    (root / "tracks.csv").write_text(
        "path,genre,title,source_id,split,split_by,status,reason\n"
        "a.wav,rock,Song,mine:1,train,random,,\n"
        "b.wav,jazz,Tune,mine:2,test,random,,\n"
        "c.wav,jazz,Tune,mine:3,test,random,failed,silent: nothing\n"
    )
    made, frame = imported("folder", root, tmp_path / "t.csv")
    assert frame["path"].to_list() == ["in/a.wav", "in/b.wav", "in/d.wav"]
    assert frame["title"].to_list() == ["Song", "Tune", ""]
    assert frame["source_id"].to_list() == ["mine:1", "mine:2", ""]
    assert frame["split_by"].to_list() == ["random", "random", ""]
    assert any("passed over: 1 failed" in note for note in made.notes)


def test_a_clip_that_was_moved_to_another_genre_is_said(tmp_path: Path) -> None:
    root = files(tmp_path, {**au(names=EVERY[:3]), f"genres/jazz/{EVERY[3]}.au": TINY})
    made, frame = imported("gtzan", root)
    moved = row(frame, "genres/jazz/blues.00003.au")
    assert (moved["genre"], moved["status"]) == ("blues", "ok")
    assert moved["reason"] == "label: the table says blues, the folder jazz"
    assert "folder or name speak of another genre: 1 (genres/jazz/blues.00003.au)" in made.notes


def test_a_table_with_another_genre_than_a_clips_own_is_said(tmp_path: Path) -> None:
    root = files(tmp_path, au(names=EVERY[:2]))
    (root / "t.csv").write_text(
        "path,genre\ngenres/blues/blues.00000.au,polka\nblues.00001.au,blues\n"
    )
    _, frame = imported("table", root / "t.csv")
    reasons = frame["reason"].to_list()
    assert reasons == [
        "label: the table says polka, the folder blues and the file's name blues",
        "",
    ]
    assert frame["path"].to_list()[1] == "genres/blues/blues.00001.au"
    assert frame["source_id"].to_list() == ["gtzan:blues.00000", "gtzan:blues.00001"]


def test_rows_that_failed_before_stay_failed(tmp_path: Path) -> None:
    root = files(tmp_path, {"a.mp3": TINY, "b.mp3": TINY})
    (root / "t.csv").write_text(
        "path,genre,status,reason\n"
        "a.mp3,rock,failed,silent: x\nb.mp3,jazz,ok,\nc.mp3,jazz,failed,\n"
    )
    made, frame = imported("table", root / "t.csv")
    found = [("failed", "silent: x"), ("ok", ""), ("failed", "failed: as the table says")]
    assert frame.select("status", "reason").rows() == found
    assert made.reasons == {"silent": 1, "failed": 1}


def test_one_genre_in_two_spellings_contradicts_nothing(tmp_path: Path) -> None:
    root = files(tmp_path, {"a.mp3": TINY})
    (root / "t.csv").write_text("path,genre\na.mp3,Hip-Hop\na.mp3,hiphop\n")
    made, _ = imported("table", root / "t.csv")
    assert made.exit_code == 0


def test_rules_and_columns_are_told_by_options(tmp_path: Path) -> None:
    make_fma(tmp_path / "fma_metadata", 400)
    stated = read_fma(tmp_path / "fma_metadata", "large", [], "first")
    files(tmp_path, mp3("fma_large", stated["source_id"].to_list()))
    assert mgrkit("data", "import", "fma-large", str(tmp_path), "--genres", "first", "-q") == 0
    assert read_tracks(tmp_path / "tracks.csv")["genre"].equals(stated["genre"])
    root = files(tmp_path / "t", {"a.mp3": TINY})
    (root / "t.csv").write_text("p,g,a,s\na.mp3,rock,Me,dev\n")
    names = ("--path", "p", "--genre", "g", "--artist", "a", "--split", "s")
    assert mgrkit("data", "import", "table", str(root / "t.csv"), *names, "-q") == 0
    one = row(read_tracks(root / "tracks.csv"), "a.mp3")
    assert (one["genre"], one["group"], one["split"]) == ("rock", "Me", "valid")


@pytest.mark.parametrize("rule", ["top", "most", "first"])
def test_the_genre_of_fmas_tracks_by_a_rule(tmp_path: Path, rule: str) -> None:
    make_fma(tmp_path / "fma_metadata", 400)
    stated = read_fma(tmp_path / "fma_metadata", "large", [], rule)
    files(tmp_path, mp3("fma_large", stated["source_id"].to_list()))
    _, frame = imported("fma-large", tmp_path, genres=rule)
    assert frame["genre"].equals(stated["genre"])
    assert set(frame["split_by"]) == {"published"}


def test_what_is_known_to_be_bad_of_fma_is_said(tmp_path: Path) -> None:
    made = make_fma(tmp_path / "fma_metadata", 400)
    rows = [one for one in made.rows if one["set.subset"] == "small"]
    rows[0]["track_id"] = "99134"
    write_tracks_csv(tmp_path / "fma_metadata", rows)
    numbers = [f"fma:{int(one['track_id']):06d}" for one in rows]
    files(tmp_path, mp3("sound", numbers))  # the folder does not say which form it is
    got, frame = imported("fma-small", tmp_path)
    assert row(frame, "sound/099/099134.mp3")["reason"].startswith("listed: fma has empty: cut")
    assert "known to be bad (mgrkit data check decodes them): 1" in " ".join(got.notes)


def test_files_of_a_table_are_found_by_their_names(tmp_path: Path) -> None:
    root = files(tmp_path, {"x/song.flac": TINY, "x/deep/tune.mp3": TINY, "y/tune.mp3": TINY})
    (root / "t.csv").write_text(
        "track_id,genre\nsong,rock\nsong.wav,rock\ndeep/tune.mp3,jazz\ntune,pop\n"
    )
    made, frame = imported("table", root / "t.csv", columns=(("path", "track_id"),))
    assert frame["path"].to_list() == ["x/song.flac", "deep/tune.mp3", "tune"]
    assert "files found by their names alone: 2 (x/song.flac, x/song.flac)" in made.notes


def test_a_table_of_which_no_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,genre\na.mp3,rock\n")
    with pytest.raises(RunError, match=r"none of the 1 files of .*t\.csv is there .*a\.mp3"):
        collect(CollectSettings("table"), tmp_path / "t.csv")
    assert not (tmp_path / "tracks.csv").exists()


def test_whole_paths_of_a_table(tmp_path: Path) -> None:
    here = files(tmp_path / "in", {"a.mp3": TINY}) / "a.mp3"
    gone = (tmp_path / "b.mp3").as_posix()
    text = f"path,genre\n{here.as_posix()},rock\n{gone},jazz\n"
    (tmp_path / "in" / "t.csv").write_text(text)
    _, frame = imported("table", tmp_path / "in" / "t.csv", tmp_path / "out" / "t.csv")
    assert frame["path"].to_list() == ["../in/a.mp3", gone]
    assert frame["status"].to_list() == ["ok", "failed"]


def test_a_row_without_a_path(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,genre\n,rock\n")
    with pytest.raises(UsageError, match="not all rows have a path"):
        collect(CollectSettings("table"), tmp_path / "t.csv")


def test_parts_that_are_none(tmp_path: Path) -> None:
    root = files(tmp_path, {"a.mp3": TINY})
    (root / "t.csv").write_text("path,genre,split\na.mp3,rock,fold3\n")
    with pytest.raises(UsageError, match="a split has no part 'fold3'"):
        collect(CollectSettings("table"), root / "t.csv")


GENRES = ("blues", "jazz", "rock")


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small collection of sound by genre, imported to a table elsewhere."""
    root = tmp_path_factory.mktemp("sounds")
    draw = np.random.default_rng(0)
    for g, genre in enumerate(GENRES):
        for n in range(8):
            part = ("train", "train", "valid", "test")[n // 2]
            path = root / "music" / part / genre / f"{genre}{n // 2}" / f"{genre}-{n}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            tone = np.sin(np.arange(22050) * 0.05 * (g + 1)) + draw.normal(0, 0.1, 22050)
            soundfile.write(path, 0.3 * tone, 22050)
    collect(CollectSettings("folder"), root / "music", root / "tracks.csv")
    return root


@pytest.mark.parametrize(
    "words",
    [
        "train svm {t} --out {o}.safetensors",
        "features {t} {o}.csv",
        "spectrograms {t} {o}",
        "augment {t} {o}",
        "data check {t} {o}.csv",
        "data split {t} {o}.csv --ratio 60/20/20",
        "data audit {t}",
        "compare {t} --classifiers svm,random_forest --seeds 1 --out {o}",
    ],
)
def test_every_command_takes_the_table(sounds: Path, tmp_path: Path, words: str) -> None:
    asked = words.format(t=sounds / "tracks.csv", o=tmp_path / "out").split()
    assert mgrkit(*asked, "--quiet") == 0
