"""SRC in an object store: the same results as from a folder, and all that may be wrong there."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from mgrkit.batch import Item, Output, Work, fetching
from mgrkit.files import objects
from tests.cli.test_commands import files, mgrkit, table, tone
from tests.remote.stores import BUCKET, Deny, Line, Store

Captured = pytest.CaptureFixture[str]
URL = f"s3://{BUCKET}/audio"


@pytest.fixture
def audio(store: Store, tmp_path: Path) -> Path:
    """Three tones, a table that knows two of them, and what is passed over; in the store, too."""
    audio = tmp_path / "audio"
    for number, name in enumerate(["jazz/a", "jazz/deep/b", "rock/c"]):
        tone(audio / f"{name}.wav", hz=300 + 100 * number)
    tone(audio / ".hidden" / "d.wav")
    (audio / "rock" / "cover.jpg").write_bytes(b"1")
    (audio / "tracks.csv").write_text(
        "path,genre,group,split,mood\njazz/a.wav,Jazz,Nina,train,blue\nrock/c.wav,Rock,,test,\n"
    )
    store.upload(audio, "audio")
    return audio


def content(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in files(out)}


CALLS = {
    "spectrograms": ["spectrograms"],
    "augment": ["augment"],
    "recipes": ["augment", "--recipe", "phone"],
    "convert": ["data", "convert", "--to", "flac"],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_source_in_a_store_gives_the_bytes_of_a_folder(
    store: Store, audio: Path, call: list[str]
) -> None:
    assert mgrkit(*call, audio, "here") == 0
    assert mgrkit(*call, URL, "there") == 0
    assert content(Path("there")) == content(Path("here"))
    assert len(content(Path("there"))) > 3


def test_features_of_a_source_in_a_store(store: Store, audio: Path) -> None:
    assert mgrkit("features", audio, "here.csv") == 0
    assert mgrkit("features", URL, "there.csv") == 0
    assert Path("there.csv").read_bytes() == Path("here.csv").read_bytes()


def test_workers_of_a_cluster_read_from_a_store(store: Store, audio: Path, capfd: Captured) -> None:
    pytest.importorskip("distributed")
    assert mgrkit("spectrograms", audio, "here") == 0
    assert mgrkit("spectrograms", URL, "there", "--cluster", "local:1") == 0
    assert content(Path("there")) == content(Path("here"))
    assert mgrkit("spectrograms", URL, f"s3://{BUCKET}/out", "--cluster", "local:1") == 2
    assert "workers of a cluster do not write to s3://music/out" in capfd.readouterr().err


def test_what_is_passed_over_is_said_as_of_a_folder(
    store: Store, audio: Path, capfd: Captured
) -> None:
    assert mgrkit("spectrograms", audio, "here", "--list-ignored") == 0
    here = capfd.readouterr().err.replace(str(audio), URL)
    assert mgrkit("spectrograms", URL, "there", "--list-ignored") == 0
    there = capfd.readouterr().err

    def said(text: str) -> list[str]:
        return [line for line in text.splitlines() if "passed over" in line]

    assert said(there) == said(here)
    assert f"passed over: {URL}/.hidden (hidden)" in there


def test_only_what_has_changed_is_made_again(store: Store, audio: Path, capfd: Captured) -> None:
    assert mgrkit("spectrograms", URL, "out") == 0
    tone(audio / "rock" / "c.wav", hz=900)
    store.put("audio/rock/c.wav", (audio / "rock" / "c.wav").read_bytes())
    store.put("audio/jazz/a.wav", (audio / "jazz" / "a.wav").read_bytes())  # the same bytes
    capfd.readouterr()
    assert mgrkit("spectrograms", URL, "out", "--json") == 0
    summary = json.loads(capfd.readouterr().out)
    assert (summary["made"], summary["kept"]) == (1, 2)


@pytest.mark.parametrize("names", [["jazz/deep/b.wav", "rock/gone.wav"], None])
def test_files_of_a_list(store: Store, audio: Path, names: list[str] | None) -> None:
    """A few are asked for by name; of many the folder is listed."""
    names = names or ["jazz/deep/b.wav", "rock/gone.wav", *(f"rock/no{k}.wav" for k in range(9))]
    Path("list").write_text("\n".join([*names, f"{URL}/rock/c.wav"]))
    assert mgrkit("spectrograms", URL, "out", "--files-from", "list") == 1
    reasons = {row["source"]: row["reason"].partition(":")[0] for row in table(Path("out"))}
    missing = dict.fromkeys(names[1:], "missing")
    assert reasons == {"jazz/deep/b.wav": "", "rock/c.wav": "", **missing}


@pytest.mark.parametrize("source", ["audio/jazz/a.wav", "audio/tracks.csv"])
def test_a_file_or_a_table_of_a_store(store: Store, audio: Path, source: str) -> None:
    assert mgrkit("spectrograms", source, "here") == 0
    assert mgrkit("spectrograms", f"s3://{BUCKET}/{source}", "there") == 0
    assert content(Path("there")) == content(Path("here"))


def test_songs_of_a_store_are_predicted(store: Store, audio: Path, capfd: Captured) -> None:
    call = ["predict", "--model", "svm", "--csv"]
    for folder in ("audio/jazz", "audio/rock"):
        store.put(f"{folder}/", b"")  # as a console marks a folder
    assert mgrkit(*call, "audio/jazz", "audio/rock/c.wav") == 0
    here = capfd.readouterr().out
    assert mgrkit(*call, f"{URL}/jazz", f"{URL}/rock/c.wav") == 0
    there = list(csv.reader(capfd.readouterr().out.splitlines()))
    expected = csv.reader(here.splitlines())
    assert sorted(there) == sorted(
        [cell.replace("audio/", f"{URL}/", 1) for cell in row] for row in expected
    )


def test_an_object_that_changes_while_it_is_read_is_tried_again(
    store: Store, audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = objects.fetch

    def changed(url: str, *others: Any) -> None:
        if url.endswith("c.wav"):
            tone(audio / "rock" / "c.wav", hz=900)
            store.put("audio/rock/c.wav", (audio / "rock" / "c.wav").read_bytes())
        fetch(url, *others)

    monkeypatch.setattr(fetching, "fetch", changed)
    assert mgrkit("spectrograms", URL, "out") == 1
    (bad,) = (row for row in table(Path("out")) if row["status"] == "failed")
    assert bad["reason"].startswith("changed: the object changed while it was read")
    monkeypatch.setattr(fetching, "fetch", fetch)
    assert mgrkit("spectrograms", URL, "out") == 0
    assert mgrkit("spectrograms", audio, "here") == 0
    assert content(Path("out")) == content(Path("here"))


def test_an_object_that_goes_before_it_is_read_is_missing(
    store: Store, audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = objects.fetch

    def gone(url: str, *others: Any) -> None:
        store.client.delete_object(Bucket=BUCKET, Key="audio/rock/c.wav")
        fetch(url, *others)

    monkeypatch.setattr(fetching, "fetch", gone)
    assert mgrkit("spectrograms", f"{URL}/rock", "out") == 1
    assert table(Path("out"))[0]["reason"].startswith("missing:")


def test_a_line_that_breaks_while_an_object_is_read_goes_on_behind_what_came(
    line: Line, store: Store, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 12_000
    store.put("big", content)
    line.down, line.breaks = 1_000_000, 2
    version = objects.version(f"s3://{BUCKET}/big")
    assert version
    with (tmp_path / "big").open("wb") as file:
        objects.fetch(f"s3://{BUCKET}/big", version, file)
    assert line.breaks == 0
    assert (tmp_path / "big").read_bytes() == content


def test_a_line_that_does_not_hold_fails_the_item_for_this_time(
    line: Line, store: Store, audio: Path
) -> None:
    store.put("audio/rock/c.wav", (audio / "rock" / "c.wav").read_bytes() + bytes(1_000_000))
    line.down, line.breaks = 30_000, 1000
    assert mgrkit("spectrograms", f"{URL}/rock", "out") == 1
    assert table(Path("out"))[0]["reason"].startswith("unreadable:")
    line.breaks = 0
    mgrkit("spectrograms", f"{URL}/rock", "out")
    assert table(Path("out"))[0]["reason"].partition(":")[0] != "unreadable"


def test_the_time_that_fetching_takes_is_not_the_jobs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow line gives no item up as long as bytes come."""
    store.put("big", bytes(3_000_000))
    clock = itertools.count(0, 100)
    monkeypatch.setattr(fetching, "monotonic", lambda: float(next(clock)))
    allowed: list[float] = []
    url = f"s3://{BUCKET}/big"

    def job(item: Item, work: Work) -> list[Output]:
        assert Path(item.source).stat().st_size == 3_000_000
        work.allow(90)
        return []

    item = Item("k", url, {}, version=objects.version(url))
    fetching.Fetched(job)(item, Work("", allowed.append))
    *blocks, last = allowed
    assert blocks == [100 * n + 60 for n in range(1, len(blocks) + 1)]
    assert len(blocks) >= 3
    assert last == 100 * (len(blocks) + 1) + 90


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("s3://no-such-bucket/audio", "s3://no-such-bucket/audio cannot be read: there is no such"),
        (f"s3://{BUCKET}/nothing", f"there is no s3://{BUCKET}/nothing"),
        (f"s3://{BUCKET}/text", f"no sound files in s3://{BUCKET}/text (1 .txt passed over)"),
        ("s3://", "s3:// names no place"),
        (f"s3://{BUCKET}/a/../b", f"s3://{BUCKET}/a/../b names no place"),
        ("gs://bucket/a", "SRC takes no URL such as gs://bucket/a"),
    ],
)
def test_sources_that_are_not_there(store: Store, source: str, said: str, capfd: Captured) -> None:
    store.put("text/a.txt", b"1")
    assert mgrkit("spectrograms", source, "out") in (2, 3)
    err = capfd.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1


def test_an_object_that_may_not_be_read_is_a_row(store: Store, audio: Path, denied: Deny) -> None:
    denied("GetObject", "audio/rock/c.wav")
    assert mgrkit("spectrograms", URL, "out") == 1
    (bad,) = (row for row in table(Path("out")) if row["status"] == "failed")
    assert (bad["source"], bad["reason"]) == ("rock/c.wav", "unreadable: access is denied")


def test_a_source_without_credentials(
    store: Store, audio: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert mgrkit("spectrograms", URL, "out") == 3
    assert f"{URL} cannot be read: there are no credentials" in capfd.readouterr().err


def test_a_store_that_is_not_there(
    store: Store, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert mgrkit("spectrograms", URL, "out") == 3
    assert f"{URL} cannot be read: Could not connect" in capfd.readouterr().err


@pytest.mark.parametrize(
    "call",
    [
        ["train", "svm", URL, "--out", "model.safetensors"],
        ["show", f"{URL}/a.wav"],
        ["merge", "out", f"s3://{BUCKET}/out"],
        ["data", "check", URL],
        ["spectrograms", "audio", "out", "--table", f"s3://{BUCKET}/t.csv"],
        ["features", "audio", f"s3://{BUCKET}/f.csv"],
    ],
    ids=lambda call: call[0],
)
def test_what_takes_no_url_says_so(store: Store, call: list[str], capfd: Captured) -> None:
    assert mgrkit(*call) == 2
    assert " takes no URL such as s3://music" in capfd.readouterr().err


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, capfd: Captured) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "s3fs", None)
    objects._store.cache_clear()
    assert mgrkit("spectrograms", URL, "out") == 3
    assert "s3:// needs s3fs, not installed here (pip install 'mgrkit[remote]')" in (
        capfd.readouterr().err
    )
