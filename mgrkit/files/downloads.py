"""Files that are published somewhere, got over HTTP: what breaks off goes on from there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from mgrkit.errors import RunError, UsageError
from mgrkit.files.lock import lock
from mgrkit.files.published import Published
from mgrkit.files.replacing import replacing

Progress = Callable[[str, int, int], None]
"""Called with what is done, such as 'fetching fma_small.zip', the bytes that are done and all of
them (0: not known). What it raises ends the work, which goes on from there another time."""

_TRIES = 5
"""So often in a row a server may answer without a byte that is new."""
_STARTS = 3
"""So often one server may make all begin again."""
_TIMEOUT = 30.0
_CHUNK = 1 << 18
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class _FailedError(Exception):
    """A server has not got the file, or never all of it."""


class _BrokenError(Exception):
    """An answer that broke off, or none: worth another try."""


def download(
    wanted: Published,
    folder: Path,
    mirrors: Sequence[str] = (),
    progress: Progress = lambda *_: None,
    pause: Callable[[float], None] = time.sleep,
) -> Path:
    """The published file in ``folder``, whole and of the published sum.

    What is here of it lies in ``NAME.part`` and outlives a kill; the next call goes on from
    there if the server can. A file that is there already is checked, and not fetched.

    Parameters
    ----------
    mirrors : where else it lies, as addresses of the folder; tried one by one in the place of the
        published one.
    pause : waits some seconds before another try.

    Raises
    ------
    UsageError : a mirror that is no HTTP address.
    RunError : no server gives it, the sum is another, there is no room, or another process
        fetches it.
    """
    path = folder / wanted.name
    urls = [f"{mirror.rstrip('/')}/{wanted.name}" for mirror in mirrors] or [wanted.url]
    for url in urls:
        if not re.match(r"https?://", url):
            raise UsageError(f"no address of a mirror: {url}", "it begins with https://")
    if path.exists():
        if found := _other_digest(path, wanted, progress):
            raise RunError(f"{path} is not what was published: {found}", "move or delete it")
        return path
    folder.mkdir(parents=True, exist_ok=True)
    problems = []
    with _part_of(path) as part:
        for url in urls:
            try:
                _Download(wanted, url, part, progress, pause).run()
                break
            except _FailedError as error:
                problems.append(f"{url}: {error}")
        else:
            raise RunError(
                f"cannot get {wanted.name}: {'; '.join(problems)}",
                "the same command goes on from there; --mirror names another place",
            )
    part.finish(path)
    return path


class _Part:
    """The file of what is here so far, and beside it what the server said of the whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._state = path.with_name(f"{path.name}.json")
        self.file = path.open("ab", buffering=0)  # nothing is left to write when the disk is full
        if not lock(self.file.fileno()):
            self.file.close()
            raise RunError(f"another process fetches {path.stem}", "wait for it")

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.file.tell()

    @property
    def known(self) -> dict[str, Any]:
        """``url``, ``tag`` and ``total`` of what is here, as `begin` took them."""
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self._state.read_text("utf-8"))
            if isinstance(found, dict):
                return found
        return {}

    def begin(self, url: str, tag: str, total: int) -> None:
        """Keep what the server says, so that later answers can be held against it."""
        with replacing(self._state) as temp:
            temp.write_text(json.dumps({"url": url, "tag": tag, "total": total}), "utf-8")

    def empty(self) -> None:
        """Begin again."""
        self.file.truncate(0)
        self.file.seek(0)
        self._state.unlink(missing_ok=True)

    def finish(self, path: Path) -> None:
        """Put the whole file into its place."""
        os.replace(self.path, path)
        self._state.unlink(missing_ok=True)


@contextlib.contextmanager
def _part_of(path: Path) -> Iterator[_Part]:
    part = _Part(path.with_name(f"{path.name}.part"))
    try:
        yield part
    finally:
        part.file.close()


class _Download:
    """One file from one server."""

    def __init__(
        self,
        wanted: Published,
        url: str,
        part: _Part,
        progress: Progress,
        pause: Callable[[float], None],
    ) -> None:
        self._wanted, self._url, self._part = wanted, url, part
        self._progress, self._pause = progress, pause
        self._ranges = True
        self._starts = 0
        self._joined = part.size > 0

    def run(self) -> None:
        """Get all that is missing; what is then here has the published sum."""
        while True:
            self._all()
            found = _other_digest(self._part.path, self._wanted, self._progress)
            if not found:
                return
            self._part.empty()
            if not self._joined:
                raise _FailedError(found)
            self._ranges = False  # it may be the joint that is wrong

    def _all(self) -> None:
        tries = 0
        while not self._part.size or self._part.size != self._part.known.get("total"):
            before = self._part.size
            try:
                if self._once():
                    return
            except _BrokenError as error:
                tries = 0 if self._part.size > before else tries + 1
                if tries == _TRIES:
                    raise _FailedError(str(error)) from None
                self._pause(min(2.0**tries, 30.0))

    def _once(self) -> bool:
        """One answer; whether all is here then."""
        have = self._part.size if self._ranges else 0
        with self._answer(have) as answer:
            if answer is None:
                self._again("it has no such part of the file")
                return False
            if answer.status == 206 and not self._continues(answer, have):
                self._again("its answers do not fit together")
                return False
            total = self._checked_total(answer)
            self._joined = answer.status == 206
            if not self._joined:
                self._part.empty()
            self._part.begin(self._url, _tag(answer), total)
            return self._copy(answer, total)

    @contextlib.contextmanager
    def _answer(self, have: int) -> Iterator[HTTPResponse | None]:
        """The server's answer; None when the file has no part from ``have`` on."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "mgrkit"}
        known = self._part.known
        if have:
            headers["Range"] = f"bytes={have}-"
            if known.get("tag") and known.get("url") == self._url:
                headers["If-Range"] = known["tag"]
        try:
            request = Request(self._url, headers=headers)  # noqa: S310 - HTTP only, see download
            answer = urlopen(request, timeout=_TIMEOUT)  # noqa: S310
        except HTTPError as error:
            error.close()
            if error.code == 416 and have:
                yield None
                return
            kind = _BrokenError if error.code in _BUSY else _FailedError
            raise kind(f"it answers {error.code} {error.reason}") from None
        except (OSError, HTTPException) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise _BrokenError(f"it does not answer ({reason or type(reason).__name__})") from None
        with answer:
            yield answer

    def _continues(self, answer: HTTPResponse, have: int) -> bool:
        """Whether a part of a file is the one after ``have`` bytes, and of the same file."""
        match = _range(answer)
        known = self._part.known
        other_size = _total(answer) not in (0, known.get("total") or _total(answer))
        other_tag = known.get("url") == self._url and known.get("tag") != _tag(answer)
        return bool(match and have and int(match[1]) == have and not other_size and not other_tag)

    def _again(self, why: str) -> None:
        self._starts += 1
        if self._starts == _STARTS:
            raise _FailedError(why)
        self._ranges = self._starts == 1
        self._part.empty()

    def _checked_total(self, answer: HTTPResponse) -> int:
        """The size of the file, 0 for not known; what is here is kept where it cannot be right."""
        known, size = self._part.known.get("total", 0), self._wanted.size
        total = _total(answer) or (known if answer.status == 206 else 0)
        if known and not total:
            raise _FailedError("it begins again and does not say with how many bytes")
        if total and not size / 2 <= total <= size * 2:
            raise _FailedError(f"it has a file of {total:,} bytes, not of about {size:,}")
        missing = (total or size) - self._part.size
        check_space(self._part.path.parent, missing, self._wanted.name)
        return total

    def _copy(self, answer: HTTPResponse, total: int) -> bool:
        """Take what comes; whether it is all. It may break off at any place."""
        step = f"fetching {self._wanted.name}"
        most = total or 2 * self._wanted.size
        while True:
            self._progress(step, self._part.size, total or self._wanted.size)
            try:
                data = answer.read(_CHUNK)
            except (OSError, HTTPException) as error:
                raise _BrokenError(f"it breaks off ({error or type(error).__name__})") from None
            if not data:
                break
            if self._part.size + len(data) > most:
                self._part.empty()
                raise _FailedError(f"it sends more than the {most:,} bytes that it has")
            _write(self._part, data)
        if total and self._part.size < total:
            raise _BrokenError(f"it breaks off at {self._part.size:,} of {total:,} bytes")
        return True


def check_space(folder: Path, size: int, what: str) -> None:
    """Raise RunError if ``size`` bytes, which are ``what``, do not fit on the disk of a folder."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise RunError(
            f"{what} needs {size / 1e9:.1f} GB more in {folder}, {free / 1e9:.1f} GB are free",
            "make room, or give a folder on another disk",
        )


def how_to_go_on(error: OSError) -> str:
    """A hint for a person, after a file could not be written."""
    room = "make room; " if error.errno == errno.ENOSPC else ""
    return f"{room}the same command goes on from there"


def _write(part: _Part, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[part.file.write(view) :]
    except OSError as error:
        raise RunError(f"cannot write {part.path}: {error.strerror}", how_to_go_on(error)) from None


def _range(answer: HTTPResponse) -> re.Match[str] | None:
    return _RANGE.fullmatch(answer.headers.get("Content-Range", ""))


def _total(answer: HTTPResponse) -> int:
    """The size of the whole file; 0 where it is not said."""
    if answer.status == 206:
        match = _range(answer)
        return int(match[3]) if match and match[3] != "*" else 0
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else 0


def _tag(answer: HTTPResponse) -> str:
    """What changes when the file does: an entity tag, else a date; '' for neither."""
    tag = str(answer.headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(answer.headers.get("Last-Modified", ""))


def _other_digest(path: Path, wanted: Published, progress: Progress) -> str:
    """In words how a file's sum differs from the published one; '' where it does not."""
    algorithm, _, digits = wanted.digest.partition(":")
    # Published sums are what they are: one of MD5 or SHA-1 tells damage, not malice.
    digest = hashlib.new(algorithm, usedforsecurity=False)
    total = path.stat().st_size
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
            progress(f"checking {wanted.name}", file.tell(), total)
    found = digest.hexdigest()
    if found == digits:
        return ""
    return f"the {algorithm} of its {total:,} bytes is {found}, not {digits}"
