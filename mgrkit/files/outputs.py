"""Whether a file may be written where it is asked for, seen before the work and not after."""

from __future__ import annotations

from pathlib import Path

from mgrkit.errors import UsageError


def check_output(path: Path, suffix: str, option: str) -> None:
    """Refuse a name of another kind of file, and one in a folder that is not there.

    Parameters
    ----------
    suffix : with its dot, in lower case; the name may have it in capitals.
    option : what the path was given by, such as '--out'.

    Raises
    ------
    UsageError : the name does not end so, or there is no such folder.
    """
    if path.suffix.lower() != suffix:
        raise UsageError(f"{option} must end in {suffix}, not {path.name}")
    check_folder(path, option)


def check_folder(path: Path, option: str) -> None:
    """Raise UsageError if there is no folder that ``path`` could be made in."""
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", f"make it, or give another {option}")


def starts_with(path: Path, start: bytes) -> bool:
    """Whether a path is a file that begins so; raises OSError if it cannot be read."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(start)) == start
