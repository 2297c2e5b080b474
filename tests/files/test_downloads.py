"""Downloads from servers that break off, lie about ranges and sizes, and send other bytes."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mgrkit.errors import RunError, Stopped, UsageError
from mgrkit.files import downloads
from mgrkit.files.downloads import download
from tests.files.servers import CONTENT, NAME, Answer, Asked, Server, published, serving

HALF = len(CONTENT) // 2


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def got(folder: Path, server: Server, **more: Any) -> Path:
    return download(published(server.url), folder, pause=lambda _: None, **more)


def refused(folder: Path, server: Server, **more: Any) -> str:
    with pytest.raises(RunError) as caught:
        got(folder, server, **more)
    assert not (folder / NAME).exists()
    return str(caught.value)


def half(folder: Path, url: str, tag: str = '"1"', content: bytes = CONTENT) -> None:
    """What an earlier call that was killed in the middle has left."""
    (folder / f"{NAME}.part").write_bytes(content[:HALF])
    state = {"url": f"{url}/{NAME}", "tag": tag, "total": len(CONTENT)}
    (folder / f"{NAME}.part.json").write_text(json.dumps(state))


def well(asked: Asked, number: int) -> None:
    asked.well()


@pytest.fixture
def good() -> Iterator[Server]:
    with serving(well) as server:
        yield server


def test_a_file_comes_whole_and_nothing_else_stays(tmp_path: Path, good: Server) -> None:
    seen: list[tuple[str, int, int]] = []
    path = got(tmp_path / "new", good, progress=lambda *step: seen.append(step))
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert seen[0] == (f"fetching {NAME}", 0, len(CONTENT))
    assert (f"fetching {NAME}", len(CONTENT), len(CONTENT)) in seen
    assert seen[-1] == (f"checking {NAME}", len(CONTENT), len(CONTENT))


def test_what_is_there_is_checked_and_not_fetched(tmp_path: Path, good: Server) -> None:
    (tmp_path / NAME).write_bytes(CONTENT)
    got(tmp_path, good)
    (tmp_path / NAME).write_bytes(b"another")
    with pytest.raises(RunError, match="is not what was published: the sha1 of its 7 bytes is"):
        got(tmp_path, good)
    assert (tmp_path / NAME).read_bytes() == b"another"
    assert not good.asked


def test_it_goes_on_where_a_killed_call_ended(tmp_path: Path, good: Server) -> None:
    half(tmp_path, good.url)
    assert got(tmp_path, good).read_bytes() == CONTENT
    assert good.asked == [HALF]
    assert good.headers[0]["If-Range"] == '"1"'


def test_what_came_whole_before_a_kill_is_not_fetched_again(tmp_path: Path, good: Server) -> None:
    half(tmp_path, good.url)
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT)
    assert got(tmp_path, good).read_bytes() == CONTENT
    assert not good.asked


def test_a_person_who_ends_it_loses_nothing(tmp_path: Path, good: Server) -> None:
    def stop(step: str, done: int, total: int) -> None:
        if done > HALF:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        got(tmp_path, good, progress=stop)
    assert HALF < (tmp_path / f"{NAME}.part").stat().st_size < len(CONTENT)
    assert got(tmp_path, good).read_bytes() == CONTENT
    assert good.asked[1] > HALF


def breaks_off(asked: Asked, number: int) -> None:
    asked.well(upto=asked.first + HALF // 2 if number < 4 else None)


def ignores_ranges(asked: Asked, number: int) -> None:
    asked.first = 0
    asked.well(upto=None if number > 1 else HALF)


def another_place(asked: Asked, number: int) -> None:
    if asked.first:
        asked.head(206, 10, Content_Range=f"bytes 0-9/{len(CONTENT)}", ETag='"1"')
        asked.wfile.write(CONTENT[:10])
    else:
        asked.well(upto=None if number > 2 else HALF)


def no_place(asked: Asked, number: int) -> None:
    if asked.first:
        asked.head(206, HALF, ETag='"1"')
        asked.wfile.write(CONTENT[HALF:])
    else:
        asked.well(upto=None if number > 1 else HALF)


def another_total(asked: Asked, number: int) -> None:
    if asked.first:
        asked.head(206, 9, Content_Range=f"bytes {asked.first}-{asked.first + 8}/{asked.first + 9}")
        asked.wfile.write(bytes(9))
    else:
        asked.well(upto=None if number > 1 else HALF)


def wrong_rest(asked: Asked, number: int) -> None:
    """The right head, the wrong bytes: nothing but the sum shows it."""
    if asked.first:
        asked.well(CONTENT[:HALF] + bytes(HALF))
    else:
        asked.well(upto=None if number > 1 else HALF)


def no_such_part(asked: Asked, number: int) -> None:
    if asked.first:
        asked.head(416, 0)
    else:
        asked.well(upto=None if number > 1 else HALF)


def changed(asked: Asked, number: int) -> None:
    """A newer file lies there from the second question on; If-Range is not heard."""
    if asked.first:
        span = f"bytes {asked.first}-{len(CONTENT) - 1}/{len(CONTENT)}"
        asked.head(206, len(CONTENT) - asked.first, Content_Range=span, ETag='"2"')
        asked.wfile.write(CONTENT[asked.first :])
    elif number == 1:
        asked.well(bytes(len(CONTENT)), upto=HALF)
    else:
        asked.well(tag='"2"')


def busy(asked: Asked, number: int) -> None:
    if number < 3:
        asked.head(503, 0)
    else:
        asked.well()


def short_parts(asked: Asked, number: int) -> None:
    """It gives a quarter at a time."""
    end = min(len(CONTENT), asked.first + HALF // 2)
    if not asked.first:
        asked.well(upto=end)
        return
    span = f"bytes {asked.first}-{end - 1}/{len(CONTENT)}"
    asked.head(206, end - asked.first, Content_Range=span, ETag='"1"')
    asked.wfile.write(CONTENT[asked.first : end])


def no_length(asked: Asked, number: int) -> None:
    asked.head(200, None)
    asked.wfile.write(CONTENT)


def unknown_total(asked: Asked, number: int) -> None:
    if not asked.first:
        asked.well(upto=HALF)
        return
    span = f"bytes {asked.first}-{len(CONTENT) - 1}/*"
    asked.head(206, len(CONTENT) - asked.first, Content_Range=span, ETag='"1"')
    asked.wfile.write(CONTENT[asked.first :])


BAD_BUT_DONE = (
    breaks_off, ignores_ranges, another_place, no_place, another_total, wrong_rest, no_such_part,
    changed, busy, short_parts, no_length, unknown_total,
)  # fmt: skip


@pytest.mark.parametrize("answer", BAD_BUT_DONE, ids=lambda one: one.__name__)
def test_a_bad_server_gives_the_right_file_in_the_end(tmp_path: Path, answer: Answer) -> None:
    with serving(answer) as server:
        path = got(tmp_path, server)
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]


def test_parts_of_two_releases_are_not_joined(tmp_path: Path) -> None:
    """The tag shows it before the sum could."""
    checked: list[int] = []

    def count(step: str, done: int, total: int) -> None:
        if step.startswith("checking") and done == total:
            checked.append(total)

    with serving(changed) as server:
        half(tmp_path, server.url, content=bytes(len(CONTENT)))
        server.asked.append(0)
        assert got(tmp_path, server, progress=count).read_bytes() == CONTENT
    assert checked == [len(CONTENT)]


def wrong_bytes(asked: Asked, number: int) -> None:
    asked.well(bytes(len(CONTENT)))


def too_short(asked: Asked, number: int) -> None:
    asked.well(CONTENT[:-9])


def too_long(asked: Asked, number: int) -> None:
    asked.head(200, None)
    asked.wfile.write(CONTENT * 3)


def a_page(asked: Asked, number: int) -> None:
    asked.head(200, 12, Content_Type="text/html")
    asked.wfile.write(b"please login")


def gone(asked: Asked, number: int) -> None:
    asked.head(404, 0)


def always_breaks_off(asked: Asked, number: int) -> None:
    asked.first = 0
    asked.well(upto=HALF)


def promises_more(asked: Asked, number: int) -> None:
    if asked.first:
        asked.head(416, 0)
    else:
        asked.head(200, len(CONTENT) + 9)
        asked.wfile.write(CONTENT)


def always_busy(asked: Asked, number: int) -> None:
    asked.head(503, 0)


def says_nothing(asked: Asked, number: int) -> None:
    """The connection ends."""


BAD = [
    (wrong_bytes, f"the sha1 of its {len(CONTENT):,} bytes is "),
    (too_short, f"the sha1 of its {len(CONTENT) - 9:,} bytes is "),
    (too_long, "it sends more than the"),
    (a_page, "it has a file of 12 bytes, not of about 1,048,576"),
    (gone, "it answers 404 Not Found"),
    (always_breaks_off, f"it breaks off at {HALF:,} of {len(CONTENT):,} bytes"),
    (promises_more, "it breaks off at|no such part"),
    (always_busy, "it answers 503 Service Unavailable"),
    (says_nothing, "it does not answer"),
]


@pytest.mark.parametrize(("answer", "reason"), BAD, ids=lambda one: getattr(one, "__name__", ""))
def test_a_worse_one_gives_none(tmp_path: Path, answer: Answer, reason: str) -> None:
    with serving(answer) as server:
        text = refused(tmp_path, server)
    assert len(server.asked) < 20  # it ends
    assert any(part in text for part in reason.split("|")), text
    assert f"cannot get {NAME}: {server.url}/{NAME}: " in text


def test_a_page_in_between_does_not_cost_what_is_here(tmp_path: Path) -> None:
    with serving(a_page) as server:
        half(tmp_path, server.url)
        refused(tmp_path, server)
    assert (tmp_path / f"{NAME}.part").read_bytes() == CONTENT[:HALF]

    def page_without_length(asked: Asked, number: int) -> None:
        asked.head(200, None)
        asked.wfile.write(b"please login")

    with serving(page_without_length) as server:
        half(tmp_path, server.url)
        assert "does not say with how many bytes" in refused(tmp_path, server)
    assert (tmp_path / f"{NAME}.part").read_bytes() == CONTENT[:HALF]


def test_mirrors_take_the_place_of_the_published_address(tmp_path: Path, good: Server) -> None:
    with serving(gone) as first, serving(always_breaks_off) as published_there:
        mirrors = [f"{first.url}/", good.url]
        path = got(tmp_path, published_there, mirrors=mirrors)
    assert path.read_bytes() == CONTENT
    assert not published_there.asked
    assert first.asked == [0]


def test_another_server_goes_on_from_what_one_gave(tmp_path: Path, good: Server) -> None:
    half(tmp_path, "http://elsewhere", tag='"other"')
    assert got(tmp_path, good).read_bytes() == CONTENT
    assert good.asked == [HALF]
    assert "If-Range" not in good.headers[0]


@pytest.mark.parametrize("mirror", ["file:///etc", "ftp://example.org", "example.org"])
def test_only_http_is_asked(tmp_path: Path, good: Server, mirror: str) -> None:
    with pytest.raises(UsageError, match="no address of a mirror"):
        got(tmp_path, good, mirrors=[mirror])


def test_room_is_looked_for_first_and_what_is_here_counts(
    tmp_path: Path, good: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=HALF)
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage)
    assert "needs 0.0 GB more" in refused(tmp_path, good)
    assert not (tmp_path / f"{NAME}.part").stat().st_size
    half(tmp_path, good.url)
    assert got(tmp_path, good).read_bytes() == CONTENT


def test_a_full_disk_keeps_what_is_here(
    tmp_path: Path, good: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullDisk(io.FileIO):
        def write(self, data: Any) -> int:
            if self.tell() > HALF:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data[:1000])  # not all at once, as the system may

    begin = downloads._Part.__init__

    def on_full_disk(part: Any, path: Path) -> None:
        begin(part, path)
        part.file.close()
        part.file = FullDisk(path, "ab")

    monkeypatch.setattr(downloads._Part, "__init__", on_full_disk)
    assert "No space left" in refused(tmp_path, good)
    assert len(good.asked) == 1  # it is not the server that is at fault
    monkeypatch.undo()
    assert got(tmp_path, good).read_bytes() == CONTENT


def test_one_process_at_a_time(tmp_path: Path, good: Server) -> None:
    with (
        downloads._part_of(tmp_path / NAME),
        pytest.raises(RunError, match=f"another process fetches {NAME}"),
    ):
        got(tmp_path, good)
