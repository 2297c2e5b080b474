"""Small jobs without sound, for tests of the engine and for the crash harness."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

from mgrkit.batch import Item, Output, Work
from mgrkit.errors import ItemError

COLUMNS = ["path", "status", "reason", "source", "digest"]


def items(source: Path, names: Sequence[str] | None = None) -> Iterator[Item]:
    """One item per file of a folder, lazily, in the order of their names."""
    for name in names or sorted(os.listdir(source)):
        yield Item(name, str(source / name), {"path": f"{name}.out", "source": name})


def fill(folder: Path, count: int) -> Path:
    """A folder of small files whose names say what the job shall do with them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number:05}").write_text(f"content {number}")
    return folder


def copy(item: Item, work: Work) -> list[Output]:
    """Writes the digest of the source, in two steps; obeys orders in the source's text."""
    text = Path(item.source).read_text()
    obey(text, item, work)
    digest = hashlib.sha256(text.encode()).hexdigest()
    temp = work.temp()
    with open(temp, "w") as file:
        file.write(digest[:32])
        file.flush()
        if "slow" in text:
            time.sleep(0.01)
        file.write(digest[32:])
    return [Output({"digest": digest[:8]}, temp)]


def hang() -> None:
    """For longer than any test goes on."""
    time.sleep(3600)


def linger() -> None:
    """What an item does with the time it asked for."""


def obey(text: str, item: Item, work: Work) -> None:
    """abort, hang, raise, exit, touch, allow: what a file may do to a run."""
    if "abort" in text:
        os.abort()
    if "hang" in text:
        hang()
    if "raise" in text:
        Path(work.temp()).write_text("left behind")
        raise ValueError("a bad file")
    if "refuse" in text:
        raise ItemError("silent", "nothing to hear")
    if "exit" in text:
        raise SystemExit(3)
    if "stopiteration" in text:
        raise StopIteration
    if "touch" in text:
        Path(item.source).write_text(text + "!")
    if "allow" in text:
        work.allow(120.0)
        linger()


def parts(item: Item, work: Work) -> list[Output]:
    """Three outputs, the second of which fails."""
    outputs = []
    for number in range(3):
        row = {"path": f"{item.key}.{number}.out"}
        if number == 1:
            outputs.append(Output(row, error=ItemError("silent", "nothing to hear")))
            continue
        temp = work.temp()
        Path(temp).write_text(f"{item.key} {number}")
        outputs.append(Output(row, temp))
    return outputs


def numbers(item: Item, work: Work) -> list[Output]:
    """Two numbers per file, for the table sink."""
    text = Path(item.source).read_text()
    obey(text, item, work)
    return [Output({}, values=array("d", [len(text), 0.1]))]


def full(item: Item, work: Work) -> list[Output]:
    """As if the disk were full."""
    raise OSError(errno.ENOSPC, "No space left on device")


def nothing(item: Item, work: Work) -> list[Output]:
    """The trivial job: what remains is the engine."""
    return [Output({})]
