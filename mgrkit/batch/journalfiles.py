"""Journals as files of lines, whoever writes them; `mgrkit.batch.journal` says what they mean."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from mgrkit.files.lock import lock

_LONGEST_END = 64
encoded = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode = json.JSONDecoder().decode


def parsed(line: bytes) -> object:
    """A line's value; None when it is torn."""
    try:
        return _decode(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None


def is_written(file: Path) -> bool:
    """Whether a process holds this journal's lock."""
    with file.open("rb") as stream:
        return not lock(stream.fileno())


def last_written(file: Path) -> tuple[int, str]:
    """What journals are ordered by."""
    return file.stat().st_mtime_ns, file.name


def runs(folder: Path) -> list[dict[str, Any]]:
    """The settings of each call in the journals of a folder, in the order of the files' names."""
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        with file.open("rb") as lines:
            for line in lines:
                if line.startswith(b'{"run":'):
                    match parsed(line):
                        case {"run": dict(settings)}:
                            found.append(settings)
    return found


def take_over(path: Path, others: list[Path]) -> None:
    """Add the lines of journals that nobody writes to another one.

    While both have them, they mean the same.
    """
    suspects = [key for file in [path, *others] if file.exists() for key in _begun(file)]
    with path.open("ab") as whole:
        for file in sorted(others, key=last_written):
            with file.open("rb") as lines:
                whole.write(b"\n")
                shutil.copyfileobj(lines, whole, 1 << 20)
        # The end of one does not clear what another began.
        again = [encoded({"began": key}) for key in suspects]
        whole.write("\n".join(["", *again, ""]).encode())


def _begun(file: Path) -> list[str]:
    """What a journal's last call began and neither finished nor left in order."""
    begun: dict[str, None] = {}
    with file.open("rb") as lines:
        lines.seek(max(0, file.stat().st_size - _LONGEST_END))
        if lines.read().rpartition(b"\n{")[2].startswith(b'"end":'):
            return []
        lines.seek(0)
        for line in lines:
            match parsed(line):
                case {"began": str(key)}:
                    begun[key] = None
                case {"done": str(key)}:
                    begun.pop(key, None)
                case {"end": int()}:
                    begun.clear()
    return list(begun)
