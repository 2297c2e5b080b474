"""Several processes that share a run: side by side, never twice, and united to the same bytes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mgrkit.batch import FolderSink, Options, Summary, TableSink, run
from mgrkit.batch.journal import Journal
from mgrkit.batch.merging import Merged, merge
from mgrkit.errors import RunError, UsageError
from mgrkit.files.shards import Shard
from tests.batch import toys
from tests.batch.test_engine import table, tree

ROOT = Path(__file__).parent.parent.parent
NUMBERS = ("length", "tenth")
SHARDS = [Shard(number, 4) for number in (1, 2, 3, 4)]


def go(source: Path, out: Path, shard: Shard | None = None, *, seed: int = 0) -> Summary:
    names = [name for name in sorted(os.listdir(source)) if shard is None or shard.takes(name)]
    sink = FolderSink(out, {"seed": seed}, shard=shard)
    return asyncio.run(run(toys.items(source, names), toys.copy, sink, toys.COLUMNS, Options(4)))


def described(source: Path, out: Path, shard: Shard | None = None) -> Summary:
    names = [name for name in sorted(os.listdir(source)) if shard is None or shard.takes(name)]
    sink = TableSink(out, NUMBERS, {"seed": 0}, shard=shard)
    return asyncio.run(run(toys.items(source, names), toys.numbers, sink, ["source", "status"]))


def united(out: Path, *others: Path) -> Merged:
    return asyncio.run(merge(FolderSink(out, {"seed": 0}), others))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return toys.fill(tmp_path / "in", 40)


@pytest.fixture
def whole(source: Path, tmp_path: Path) -> dict[str, bytes]:
    """What one process makes."""
    (source / "00007").write_text("refuse")
    go(source, tmp_path / "whole")
    return tree(tmp_path / "whole")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_shards_in_one_folder_make_what_one_process_makes(
    source: Path, out: Path, whole: dict[str, bytes]
) -> None:
    for shard in SHARDS:
        go(source, out, shard)
    assert not (out / "tracks.csv").exists(), "half a table would look like a whole one"
    merged = united(out)
    assert merged.is_complete
    assert (merged.made, merged.failed) == (39, 1)
    assert tree(out) == whole


def test_shards_in_folders_of_their_own_make_it_too(
    source: Path, out: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    others = [tmp_path / f"part{shard.number}" for shard in SHARDS]
    for shard, other in zip(SHARDS, others, strict=True):
        go(source, other, shard)
    before = [tree(other) for other in others]
    assert united(out, *others).is_complete
    assert tree(out) == whole
    assert [tree(other) for other in others] == before
    assert united(out, *others).is_complete, "again is nothing new"
    assert tree(out) == whole
    assert go(source, out).kept == 39, "a run of everything finds all but the bad file done"


def test_another_disk_gets_copies(
    source: Path,
    out: Path,
    whole: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go(source, tmp_path / "part")

    def link(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", link)
    assert united(out, tmp_path / "part").is_complete
    assert tree(out) == whole
    assert go(source, out).kept == 39


def test_a_table_of_numbers_is_united(source: Path, tmp_path: Path) -> None:
    described(source, tmp_path / "whole.csv")
    for shard in SHARDS:
        described(source, tmp_path / "shared" / "x.csv", shard)
        described(source, tmp_path / f"{shard.number}.csv", shard)
    asyncio.run(merge(TableSink(tmp_path / "shared" / "x.csv", NUMBERS, {"seed": 0}), []))
    parts = [tmp_path / f"{shard.number}.csv" for shard in SHARDS]
    asyncio.run(merge(TableSink(tmp_path / "new.csv", NUMBERS, {"seed": 0}), parts))
    wanted = (tmp_path / "whole.csv").read_bytes()
    assert (tmp_path / "shared" / "x.csv").read_bytes() == wanted
    assert (tmp_path / "new.csv").read_bytes() == wanted


def test_two_tables_of_one_shard_are_refused(source: Path, tmp_path: Path) -> None:
    described(source, tmp_path / "a.csv", SHARDS[0])
    (source / "00040").write_text("more")
    (source / "00001").write_text("another text")
    described(source, tmp_path / "b.csv", SHARDS[0])
    described(source, tmp_path / "a.csv", SHARDS[0])
    (tmp_path / ".mgrkit" / "b.csv" / "1of4.spool").write_bytes(b"12345678")
    with pytest.raises(UsageError, match="both made by shard 1/4"):
        asyncio.run(
            merge(TableSink(tmp_path / "a.csv", NUMBERS, {"seed": 0}), [tmp_path / "b.csv"])
        )


def test_what_is_missing_is_named_with_its_shard(source: Path, out: Path) -> None:
    go(source, out, SHARDS[0])
    go(source, out, SHARDS[2])
    cut = out / ".mgrkit" / "journal" / "3of4.jsonl"
    cut.write_text(re.sub('{"end".*\n', "", cut.read_text()))
    gone = next(name for name in os.listdir(source) if SHARDS[0].takes(name))
    (out / f"{gone}.out").unlink()
    merged = united(out)
    assert not merged.is_complete
    assert merged.unfinished == [SHARDS[2]]
    assert merged.absent == [SHARDS[1], SHARDS[3]]
    assert merged.lost == [(f"{gone}.out", SHARDS[0])]
    [row] = [row for row in table(out) if row["status"] == "failed"]
    assert row["reason"] == "missing: the file is not there"
    for shard in SHARDS:
        go(source, out, shard)
    assert united(out).is_complete
    go(source, out.with_name("other"))
    assert tree(out) == tree(out.with_name("other"))


def test_a_run_of_everything_that_was_cut_is_not_complete(source: Path, out: Path) -> None:
    go(source, out)
    cut = out / ".mgrkit" / "journal" / "0.jsonl"
    cut.write_text(re.sub('{"end".*\n', "", cut.read_text()))
    assert united(out).unfinished == [None]
    go(source, out)
    assert united(out).is_complete


def test_another_number_of_shards_redoes_nothing(source: Path, out: Path) -> None:
    for shard in SHARDS[:3]:
        go(source, out, shard)
    done = len(list(out.glob("*.out")))
    summaries = [go(source, out, Shard(number, 3)) for number in (1, 2, 3)]
    assert sum(one.kept for one in summaries) == done
    assert sum(one.made for one in summaries) == 40 - done
    assert united(out).is_complete


def test_a_shard_twice_at_once_is_refused_and_others_of_that_count_are_not(
    source: Path, out: Path
) -> None:
    first = FolderSink(out, {"seed": 0}, shard=SHARDS[0])
    first.open([])
    first.journal.began("x")
    with pytest.raises(RunError, match="shard 1/4 is writing there"):
        go(source, out, SHARDS[0])
    assert go(source, out, SHARDS[1]).exit_code == 0
    for other in (None, Shard(1, 3)):
        with pytest.raises(RunError, match="shard 1/4 is writing there"):
            go(source, out, other)
    with pytest.raises(RunError, match="shard 1/4 is writing there"):
        united(out)
    first.close()
    go(source, out)
    assert not (out / ".mgrkit" / "journal" / "2of4.jsonl").exists(), "its lines were taken over"


def test_shards_of_other_settings_are_refused_even_before_one_is_done(
    source: Path, out: Path
) -> None:
    first = FolderSink(out, {"seed": 1}, shard=SHARDS[0])
    first.open([])
    with pytest.raises(UsageError, match="other settings"):
        go(source, out, SHARDS[1])
    first.close()


def test_replacing_is_for_a_run_of_everything(source: Path, out: Path) -> None:
    sink = FolderSink(out, {"seed": 0}, replace=True, shard=SHARDS[0])
    with pytest.raises(UsageError, match="--shard takes no --replace"):
        sink.open([])
    go(source, out, SHARDS[0])
    whole = FolderSink(out, {"seed": 1}, replace=True)
    asyncio.run(run(toys.items(source), toys.copy, whole, toys.COLUMNS))
    assert go(source, out, seed=1).kept == 40, "what was replaced is not read again"


def test_no_shard_touches_the_temporary_files_of_another(source: Path, out: Path) -> None:
    first = FolderSink(out, {"seed": 0}, shard=SHARDS[0])
    first.open([])
    temporary = Path(first.prefix(0) + ".x")
    temporary.write_text("at work")
    go(source, out, SHARDS[1])
    assert temporary.read_text() == "at work"
    first.close()


def test_suspects_of_another_shard_are_its_own_and_of_another_count_everybody_s(
    out: Path,
) -> None:
    dead = FolderSink(out, {}, shard=SHARDS[0])
    dead.open([])
    dead.journal.began("x")
    dead.close()

    def suspects(shard: Shard | None) -> list[str]:
        sink = FolderSink(out, {}, shard=shard)
        sink.open([])
        sink.close()
        return sink.journal.suspects

    assert suspects(SHARDS[1]) == []
    assert suspects(SHARDS[0]) == ["x"]
    assert suspects(Shard(1, 3)) == ["x"]
    assert suspects(None) == ["x"], "those that were taken over, too"


def test_other_files_of_one_name_are_refused(source: Path, out: Path, tmp_path: Path) -> None:
    go(source, out, SHARDS[0])
    go(source, tmp_path / "part", SHARDS[1])
    name = next(path.name for path in (tmp_path / "part").glob("*.out"))
    (out / name).write_text("somebody's")
    with pytest.raises(UsageError, match="is not the same file as"):
        united(out, tmp_path / "part")
    assert (out / name).read_text() == "somebody's"


def test_more_journals_than_files_may_be_open(source: Path, out: Path) -> None:
    for number in range(1, 101):
        go(source, out, Shard(number, 100))
    journal = Journal(out / ".mgrkit" / "journal" / "0.jsonl")
    journal.look({"seed": 0})
    assert len(list(journal.entries())) == 40
    assert len(journal._streams) <= 64
    journal.close()


SHARE = """
import asyncio, sys
from pathlib import Path
from mgrkit.batch import FolderSink, Options, run
from mgrkit.files.shards import Shard
from tests.batch import toys
if __name__ == "__main__":
    source, out, shard = Path(sys.argv[1]), Path(sys.argv[2]), Shard.of(sys.argv[3])
    names = [path.name for path in sorted(source.iterdir()) if shard.takes(path.name)]
    sink = FolderSink(out, {"seed": 0}, shard=shard)
    going = run(toys.items(source, names), toys.copy, sink, toys.COLUMNS, Options(4))
    raise SystemExit(asyncio.run(going).exit_code)
"""


def start(source: Path, out: Path, shard: Shard) -> subprocess.Popen[bytes]:
    call = [sys.executable, "-c", SHARE, str(source), str(out), str(shard)]
    return subprocess.Popen(call, cwd=ROOT)


def test_four_at_once_of_which_one_is_killed_end_in_the_same_bytes(
    tmp_path: Path, out: Path
) -> None:
    source = toys.fill(tmp_path / "in", 200)
    for path in source.iterdir():
        path.write_text(f"slow {path.name}")
    waits = max((p for p in source.iterdir() if SHARDS[1].takes(p.name)), key=lambda p: p.name)
    waits.write_text("hang")  # so that it is at work when it is killed
    running = [start(source, out, shard) for shard in SHARDS]
    journal = out / ".mgrkit" / "journal" / "2of4.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if journal.exists() and journal.read_text().count('"done"') > 5:
            break
        time.sleep(0.005)
    running[1].send_signal(signal.SIGKILL)
    assert [one.wait(60) for one in running] == [0, -9, 0, 0]
    assert united(out).unfinished == [SHARDS[1]]
    done = {
        json.loads(line)["done"]: path.stat().st_mtime_ns
        for line in (out / ".mgrkit" / "journal" / "0.jsonl").read_text().splitlines()
        if '"done"' in line
        for path in [out / f"{json.loads(line)['done']}.out"]
    }
    waits.write_text("slow at last")
    assert start(source, out, SHARDS[1]).wait(60) == 0
    assert united(out).is_complete
    assert all((out / f"{name}.out").stat().st_mtime_ns == time for name, time in done.items())
    go(source, tmp_path / "whole")
    assert tree(out) == tree(tmp_path / "whole")


def copied(folder: Path, target: Path) -> Path:
    """As cp -r and tar leave it: other times."""
    shutil.copytree(folder, target, copy_function=shutil.copyfile)
    return target


def test_what_was_copied_with_other_times_is_what_it_was(
    source: Path, out: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    parts = [tmp_path / f"part{shard.number}" for shard in SHARDS]
    for shard, part in zip(SHARDS, parts, strict=True):
        go(source, part, shard)
    copies = [copied(part, tmp_path / f"copy-{part.name}") for part in parts]
    assert united(out, *copies).is_complete
    assert tree(out) == whole
    again = copied(out, tmp_path / "again")
    assert united(again).is_complete
    assert tree(again) == whole
    assert go(source, again).kept == 39


def test_a_file_of_another_size_is_not_what_it_was(source: Path, out: Path) -> None:
    for shard in SHARDS:
        go(source, out, shard)
    gone = next(out.glob("*.out"))
    gone.write_text("cut")
    assert [path for path, _ in united(out).lost] == [gone.name]


def test_a_table_that_is_not_ours_is_refused(source: Path, out: Path, tmp_path: Path) -> None:
    go(source, tmp_path / "part", SHARDS[0])
    out.mkdir()
    (out / "tracks.csv").write_text("precious")
    with pytest.raises(RunError, match="was not made by mgrkit"):
        united(out, tmp_path / "part")
    assert (out / "tracks.csv").read_text() == "precious"
    described(source, tmp_path / "x.csv", SHARDS[0])
    (tmp_path / "notes.csv").write_text("precious")
    sink = TableSink(tmp_path / "notes.csv", NUMBERS, {"seed": 0})
    with pytest.raises(RunError, match="was not made by mgrkit"):
        asyncio.run(merge(sink, [tmp_path / "x.csv"]))
    assert (tmp_path / "notes.csv").read_text() == "precious"


def test_a_journal_of_a_name_beyond_all_shards_counts_as_one_of_everything(
    source: Path, out: Path
) -> None:
    go(source, out)
    journals = out / ".mgrkit" / "journal"
    (journals / "0.jsonl").rename(journals / "1of1000000000000.jsonl")
    assert united(out).is_complete
