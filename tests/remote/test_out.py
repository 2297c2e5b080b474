"""OUT in an object store: whole or absent, resumed from any machine, nobody's work lost."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mgrkit.batch.sinks import mirror
from mgrkit.files import claims, objects
from tests.cli.test_commands import files, mgrkit, table, tone
from tests.remote.stores import BUCKET, Deny, Line, Store

Captured = pytest.CaptureFixture[str]
OUT = f"s3://{BUCKET}/out"


@pytest.fixture
def audio(store: Store, tmp_path: Path) -> Path:
    """Four tones of two genres."""
    audio = tmp_path / "audio"
    for number, name in enumerate(["high/a", "high/b", "low/c", "low/d"]):
        tone(audio / f"{name}.wav", hz=300 + 100 * number)
    return audio


def content(out: str) -> dict[str, bytes]:
    return {name: (Path(out) / name).read_bytes() for name in files(Path(out))}


def summary(capfd: Captured, *call: object) -> dict[str, Any]:
    """What a call says with --json."""
    capfd.readouterr()
    mgrkit(*call, "--json")
    said: dict[str, Any] = json.loads(capfd.readouterr().out)
    return said


@pytest.mark.parametrize(
    "call",
    [
        ["spectrograms"],
        ["augment"],
        ["augment", "--recipe", "phone"],
        ["data", "convert", "--to", "flac"],
    ],
    ids=["spectrograms", "augment", "recipes", "convert"],
)
@pytest.mark.parametrize("source", ["audio", f"s3://{BUCKET}/audio"])
def test_a_store_gets_the_tree_and_table_of_a_folder(
    store: Store, audio: Path, call: list[str], source: str, capfd: Captured
) -> None:
    store.upload(audio, "audio")
    assert mgrkit(*call, "audio", "here") == 0
    assert mgrkit(*call, source, OUT) == 0
    assert store.tree("out") == content("here")
    assert f"see {OUT}/tracks.csv" in capfd.readouterr().err
    assert summary(capfd, *call, source, OUT)["kept"] == len(table(Path("here")))


def test_the_same_call_makes_what_is_missing_or_changed(
    store: Store, audio: Path, capfd: Captured
) -> None:
    assert mgrkit("spectrograms", "audio", OUT) == 0
    before = store.times("out")
    store.client.delete_object(Bucket=BUCKET, Key="out/high/a.png")
    others = bytes(len(store.get("out/high/b.png")))
    store.put("out/high/b.png", others)
    tone(audio / "low" / "c.wav", hz=900)
    said = summary(capfd, "spectrograms", "audio", OUT)
    assert (said["made"], said["kept"], said["reasons"]) == (2, 1, {"exists": 1})
    assert store.get("out/high/b.png") == others
    assert store.times("out")["out/low/d.png"] == before["out/low/d.png"]
    store.client.delete_object(Bucket=BUCKET, Key="out/high/b.png")
    assert mgrkit("spectrograms", "audio", OUT) == 0
    assert mgrkit("spectrograms", "audio", "here") == 0
    assert store.tree("out") == content("here")


def test_replace_makes_all_again_and_deletes_the_rest(
    store: Store, audio: Path, capfd: Captured
) -> None:
    assert mgrkit("spectrograms", "audio", OUT) == 0
    (audio / "low" / "d.wav").unlink()
    said = summary(capfd, "spectrograms", "audio", OUT, "--replace", "--cmap", "grey")
    assert (said["made"], said["deleted"]) == (3, 1)
    assert mgrkit("spectrograms", "audio", "here", "--cmap", "grey") == 0
    assert store.tree("out") == content("here")


def test_other_settings_and_a_table_of_somebody_else_are_refused(
    store: Store, audio: Path, capfd: Captured
) -> None:
    assert mgrkit("spectrograms", "audio", OUT) == 0
    assert mgrkit("spectrograms", "audio", OUT, "--cmap", "grey") == 2
    assert "OUT was made with other settings: --cmap" in capfd.readouterr().err
    store.put("other/tracks.csv", b"path\n")
    assert mgrkit("spectrograms", "audio", f"s3://{BUCKET}/other") == 3
    assert f"s3://{BUCKET}/other/tracks.csv was not made by mgrkit" in capfd.readouterr().err


def test_another_machine_goes_on(
    store: Store, audio: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    assert mgrkit("spectrograms", "audio/high", OUT) == 0
    assert mgrkit("spectrograms", "audio", OUT, "--dry-run") == 0
    monkeypatch.setenv("MGRKIT_CACHE", "another")
    assert summary(capfd, "spectrograms", "audio/high", OUT, "--dry-run")["kept"] == 2
    assert not Path("another").exists()
    said = summary(capfd, "spectrograms", "audio/high", OUT)
    assert (said["made"], said["kept"]) == (0, 2)
    monkeypatch.setenv("MGRKIT_CACHE", "cache")  # and back, where less is known by now
    tone(audio / "high" / "e.wav", hz=700)
    said = summary(capfd, "spectrograms", "audio/high", OUT)
    assert (said["made"], said["kept"]) == (1, 2)


def test_what_is_deleted_in_the_store_is_forgotten_here(
    store: Store, audio: Path, capfd: Captured
) -> None:
    assert mgrkit("spectrograms", "audio", OUT) == 0
    store.empty()
    assert summary(capfd, "spectrograms", "audio", OUT, "--cmap", "grey")["made"] == 4


def test_a_journal_in_pieces_is_one_journal(
    store: Store, audio: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.setattr(mirror, "PUSHED", -1.0)
    monkeypatch.setattr(mirror, "_MOST_PIECES", 3)
    assert mgrkit("spectrograms", "audio", OUT) == 0
    # One after each file, of which the fourth is the whole, and one at the end.
    assert store.keys("out/.mgrkit/journal/0.jsonl/") == ["000003", "000004"]
    monkeypatch.setenv("MGRKIT_CACHE", "another")
    assert summary(capfd, "spectrograms", "audio", OUT)["kept"] == 4


SLOW = """
import sys, time
from mgrkit.batch.sinks import folder
from mgrkit.files import objects
from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded

put = objects.put
def slow(path, url, *more, **how):
    done = put(path, url, *more, **how)
    if url.endswith("low/c.png"):
        open("there", "w").close()
        time.sleep(60)  # uploaded, not journalled
    return done
objects.put = slow
sys.exit(guarded(app, ["spectrograms", "audio", sys.argv[1], "--workers", "1"]))
"""


@contextlib.contextmanager
def halted() -> Iterator[None]:
    """A run that has uploaded one file and not yet journalled it; killed afterwards."""
    with subprocess.Popen([sys.executable, "-c", SLOW, OUT]) as process:
        try:
            while not Path("there").exists():
                assert process.poll() is None
                time.sleep(0.01)
            yield
        finally:
            process.kill()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_after_a_kill_nothing_finished_is_written_again(
    store: Store,
    audio: Path,
    elsewhere: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Captured,
) -> None:
    """Elsewhere the journal lacks what was not uploaded of it: equal bytes are adopted."""
    with halted():
        pass
    before = store.times("out")
    assert len(before) == 3
    if elsewhere:
        monkeypatch.setenv("MGRKIT_CACHE", "another")
        assert mgrkit("spectrograms", "audio", OUT) == 3
        assert "another mgrkit is writing there (on " in capfd.readouterr().err
        monkeypatch.setattr(claims, "EXPIRES", 0.0)
    assert mgrkit("spectrograms", "audio", OUT) == 0
    after = store.times("out")
    assert {key: after[key] for key in before} == before
    assert mgrkit("spectrograms", "audio", "here") == 0
    assert store.tree("out") == content("here")


def test_two_runs_at_once_are_refused(
    store: Store, audio: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    with halted():
        assert mgrkit("spectrograms", "audio", OUT) == 3
        assert "another mgrkit is writing there (here)" in capfd.readouterr().err
        assert mgrkit("spectrograms", "audio", OUT, "--shard", "1/2") == 3
        assert "another mgrkit is writing there" in capfd.readouterr().err
        monkeypatch.setenv("MGRKIT_CACHE", "another")
        assert mgrkit("spectrograms", "audio", OUT) == 3
        assert "another mgrkit is writing there (on " in capfd.readouterr().err
        assert mgrkit("spectrograms", "audio", OUT, "--shard", "1/2") == 3
        assert "another mgrkit is writing there (wait" in capfd.readouterr().err


@pytest.mark.parametrize("unites", ["merge", "a run of all"])
def test_shards_write_side_by_side_and_are_united(
    store: Store, audio: Path, unites: str, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    for number in range(4):
        tone(audio / "more" / f"{number}.wav", hz=500 + 50 * number)
    assert mgrkit("spectrograms", "audio", OUT, "--shard", "1/2") == 0
    monkeypatch.setenv("MGRKIT_CACHE", "another")
    assert mgrkit("spectrograms", "audio", OUT, "--shard", "2/2") == 0
    assert "tracks.csv" not in store.tree("out")
    assert f"mgrkit merge {OUT} writes the table" in capfd.readouterr().err
    assert mgrkit("features", OUT, "f.csv") == 3
    assert f"{OUT} holds shard 1/2 of a run (mgrkit merge {OUT})" in capfd.readouterr().err
    monkeypatch.setenv("MGRKIT_CACHE", "third")
    if unites == "merge":
        assert mgrkit("merge", OUT) == 0
    assert summary(capfd, "spectrograms", "audio", OUT)["kept"] == 8
    assert mgrkit("spectrograms", "audio", "here") == 0
    assert store.tree("out") == content("here")
    assert {key.split("/")[0] for key in store.keys("out/.mgrkit/journal/")} == {"0.jsonl"}


def test_merge_names_what_was_lost_and_takes_nothing_else_for_it(
    store: Store, audio: Path, capfd: Captured
) -> None:
    assert mgrkit("spectrograms", "audio", OUT, "--shard", "1/1") == 0
    size = len(store.get("out/low/c.png"))
    store.put("out/low/c.png", bytes(size))
    capfd.readouterr()
    assert mgrkit("merge", OUT) == 1
    assert "low/c.png" in capfd.readouterr().err
    assert mgrkit("merge", OUT, "here") == 2
    assert "a store is merged alone" in capfd.readouterr().err
    assert mgrkit("merge", f"s3://{BUCKET}/nothing") == 3
    assert f"there is no s3://{BUCKET}/nothing" in capfd.readouterr().err


def test_a_run_that_another_machine_took_for_dead_ends(
    store: Store, audio: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.setattr(claims, "RENEWED", 0.01)
    put = objects.put

    def taken(path: str, url: str, *more: Any, **how: Any) -> Any:
        if url.endswith(".png"):
            store.put("out/.mgrkit/writers/0", b"{}")
            time.sleep(0.5)
        return put(path, url, *more, **how)

    monkeypatch.setattr(objects, "put", taken)
    assert mgrkit("spectrograms", "audio", OUT, "--workers", "1") == 3
    assert "another mgrkit has taken over" in capfd.readouterr().err
    assert store.get("out/.mgrkit/writers/0") == b"{}"


def test_a_store_without_conditions_is_refused(
    store: Store, audio: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    put = objects.put
    monkeypatch.setattr(objects, "put", lambda path, url, over="": put(path, url, always=True))
    assert mgrkit("spectrograms", "audio", OUT) == 3
    assert "does not keep to If-None-Match" in capfd.readouterr().err


@pytest.mark.parametrize("source", ["audio", f"s3://{BUCKET}/audio"])
def test_out_may_not_hold_src(store: Store, audio: Path, source: str, capfd: Captured) -> None:
    store.upload(audio, "audio")
    code = mgrkit("spectrograms", source, f"s3://{BUCKET}/audio")
    assert code == (0 if source == "audio" else 2)
    if code:
        assert f"OUT is SRC: s3://{BUCKET}/audio" in capfd.readouterr().err
        assert mgrkit("spectrograms", source, f"s3://{BUCKET}") == 2
        assert "SRC lies inside OUT" in capfd.readouterr().err


def test_an_out_inside_src_is_left_out(store: Store, audio: Path, capfd: Captured) -> None:
    store.upload(audio, "audio")
    call = ["augment", f"s3://{BUCKET}/audio", f"s3://{BUCKET}/audio/noisy"]
    assert summary(capfd, *call)["made"] == 4
    said = summary(capfd, *call)
    assert (said["made"], said["kept"]) == (0, 4)


def test_names_of_any_kind_are_names_there(store: Store, audio: Path) -> None:
    for name in (
        "Ünï/日本 #1 + 50%?&=.wav",
        "Ünï/back\\slash.wav",
        "e\u0301/x.wav",
    ):
        tone(audio / name, hz=500 + len(name))
    assert mgrkit("spectrograms", "audio", "here") == 0
    assert mgrkit("spectrograms", "audio", OUT) == 0
    assert store.tree("out") == content("here")
    assert mgrkit("data", "convert", "audio", f"s3://{BUCKET}/audio") == 0
    assert mgrkit("spectrograms", f"s3://{BUCKET}/audio", "there") == 0
    assert set(content("there")) == set(content("here"))


def test_a_name_that_no_store_takes_is_a_row(store: Store, audio: Path, capfd: Captured) -> None:
    tone(audio / os.fsdecode(b"\xff.wav"))
    said = summary(capfd, "spectrograms", "audio", OUT)
    assert (said["made"], said["reasons"]) == (4, {"name-encoding": 1})


# Bad stores and lines


def test_a_bucket_that_is_not_there(store: Store, audio: Path, capfd: Captured) -> None:
    assert mgrkit("spectrograms", "audio", "s3://no-such-bucket/out") == 3
    err = capfd.readouterr().err
    assert "s3://no-such-bucket/out cannot be read: there is no such bucket" in err
    assert len(err.splitlines()) == 1


def test_a_bucket_that_forbids_writing_is_known_before_anything_is_made(
    store: Store, audio: Path, denied: Deny, capfd: Captured
) -> None:
    denied("PutObject", "out/*")
    assert mgrkit("spectrograms", "audio", OUT) == 3
    err = capfd.readouterr().err
    assert f"cannot write to {OUT}/.mgrkit/writers/0: access is denied" in err
    assert store.keys("out") == []


def test_a_bucket_that_forbids_writing_on_the_way_ends_the_run(
    store: Store, audio: Path, denied: Deny, capfd: Captured
) -> None:
    denied("PutObject", "out/low/c.png")
    assert mgrkit("spectrograms", "audio", OUT, "--workers", "1") == 3
    assert f"cannot write: {OUT}/low/c.png: access is denied" in capfd.readouterr().err
    assert set(store.tree("out")) == {"high/a.png", "high/b.png", "tracks.csv"}


def test_a_bucket_that_forbids_the_journal_on_the_way_ends_the_run(
    store: Store,
    audio: Path,
    denied: Deny,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Captured,
) -> None:
    monkeypatch.setattr(mirror, "PUSHED", -1.0)
    denied("PutObject", "out/.mgrkit/journal/*")
    assert mgrkit("spectrograms", "audio", OUT, "--workers", "1") == 3
    assert f"cannot write: {OUT}/.mgrkit/journal/0.jsonl/000000: access is denied" in (
        capfd.readouterr().err
    )
    assert set(store.tree("out")) == {"high/a.png"}


def test_a_journal_that_does_not_get_through_goes_with_the_next(
    store: Store, audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PUSHED", -1.0)
    put, tried = objects.put, iter([True, True, False])

    def broken(path: str, url: str, *more: Any, **how: Any) -> Any:
        if "/journal/" in url and next(tried, False):
            raise OSError(5, "the line is down", url)
        return put(path, url, *more, **how)

    monkeypatch.setattr(objects, "put", broken)
    assert mgrkit("spectrograms", "audio", OUT) == 0
    journal = b"".join(store.get(f"out/{key}") for key in store.keys("out/") if "journal" in key)
    assert journal.count(b'"done"') == 4


@pytest.fixture
def long(audio: Path) -> Path:
    """A sound whose copy is uploaded in three parts."""
    return tone(audio / "low" / "long.wav", seconds=900)


def test_a_line_that_breaks_for_a_moment_in_an_upload_is_tried_again(
    line: Line, store: Store, audio: Path, long: Path
) -> None:
    line.up, line.breaks = 3_000_000, 1
    assert mgrkit("data", "convert", "audio", OUT) == 0
    assert line.breaks == 0
    assert mgrkit("data", "convert", "audio", "here") == 0
    assert store.tree("out") == content("here")


def test_an_upload_that_breaks_leaves_nothing_and_is_made_again(
    line: Line, store: Store, audio: Path, long: Path, capfd: Captured
) -> None:
    line.up, line.breaks = 3_000_000, 10_000
    said = summary(capfd, "data", "convert", "audio", OUT)
    assert said["reasons"] == {"upload": 1}
    assert "low/long.wav" not in store.tree("out")
    assert store.uploads() == []
    line.breaks = 0
    said = summary(capfd, "data", "convert", "audio", OUT)
    assert (said["made"], said["kept"]) == (1, 4)
    assert mgrkit("data", "convert", "audio", "here") == 0
    assert store.tree("out") == content("here")


def test_an_upload_whose_answer_is_lost_is_known_again(
    store: Store, audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second try finds the first one's object in its way: it has the same bytes."""
    put = objects.put

    def twice(path: str, url: str, *more: Any, **how: Any) -> Any:
        if url.endswith("c.png"):
            put(path, url, *more, **how)
        return put(path, url, *more, **how)

    monkeypatch.setattr(objects, "put", twice)
    assert mgrkit("spectrograms", "audio", OUT) == 0
    assert mgrkit("spectrograms", "audio", "here") == 0
    assert store.tree("out") == content("here")


def test_a_table_that_cannot_be_uploaded_ends_in_an_error_and_comes_with_the_next_run(
    store: Store, audio: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    put = objects.put

    def broken(path: str, url: str, *more: Any, **how: Any) -> Any:
        if url.endswith("tracks.csv"):
            raise OSError(5, "the line is down", url)
        return put(path, url, *more, **how)

    monkeypatch.setattr(objects, "put", broken)
    assert mgrkit("spectrograms", "audio", OUT) == 3
    assert f"cannot write: {OUT}/tracks.csv: the line is down" in capfd.readouterr().err
    monkeypatch.setattr(objects, "put", put)
    assert summary(capfd, "spectrograms", "audio", OUT)["kept"] == 4
    assert mgrkit("spectrograms", "audio", "here") == 0
    assert store.tree("out") == content("here")


def test_nothing_of_a_run_is_left_in_the_store_but_its_journal(store: Store, audio: Path) -> None:
    assert mgrkit("spectrograms", "audio", OUT) == 0
    state = [key for key in store.keys("out/") if key.startswith(".mgrkit/")]
    assert {key.rpartition("/")[0] for key in state} == {".mgrkit/journal/0.jsonl"}
    assert not list(Path(os.environ["MGRKIT_CACHE"]).rglob("tmp/*"))
