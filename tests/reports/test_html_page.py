"""The file of a page: escaped, the same bytes each time, whole, and in nobody's place."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mgrkit.errors import UsageError
from mgrkit.reports.html.charts import Series, Span, calibration, curves, spans
from mgrkit.reports.html.page import (
    HEAD,
    Fact,
    Facts,
    Lines,
    Page,
    Section,
    as_json,
    check_report,
    rendered,
    write_page,
)
from mgrkit.reports.html.sources import Beside, page_of
from tests.reports import made_results as made
from tests.reports.made_results import WORSE


def test_nothing_in_a_block_of_data_is_markup() -> None:
    for text in (WORSE, "\u2029 \udc80 \0 ü", "]]><!--"):
        written = str(as_json([text]))
        assert written.isascii()
        assert not set("<>&") & set(written)
        assert json.loads(written) == [text]


def test_the_policy_names_the_style_and_the_script_that_are_there() -> None:
    text = rendered(Page("t", (), ())).decode()
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    policy = policy.replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        [content] = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(r'(src|href)="(?!#|data:)', text)
    assert "http" not in text.replace("http-equiv", "")


def test_a_page_is_the_same_bytes_each_time_and_whatever_its_names(tmp_path: Path) -> None:
    source = made.write(tmp_path / "songs.json", made.predictions())
    pages = [rendered(page_of(source, Beside())) for _ in range(2)]
    assert pages[0] == pages[1]
    odd = Page("a \udce4 name", ("\udce4",), (Section("s", (Lines(("\udce4",)),)),))
    assert b"a \\udce4 name" in rendered(odd)


def evaluation(path: Path) -> Path:
    return made.write(path, made.evaluation())


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda path: made.write(path, made.predictions()), "a\u202eb\nc.json"),
        (made.verdicts, "a.csv"), (evaluation, "a.json"), (made.tracks, "a.csv"),
        (lambda path: made.write(path, made.under()), "a.json"), (made.search, "a"),
        (made.run, "a.run"),
    ],
)  # fmt: skip
def test_nothing_on_a_page_is_unseen(
    make: Callable[[Path], Path], name: str, tmp_path: Path
) -> None:
    text = rendered(page_of(make(tmp_path / name), Beside())).decode()
    assert "\\x202e" in text
    for sign in made.UNSEEN:
        assert sign not in text
        assert json.dumps(sign)[1:-1] not in text  # in the block of data
    title = text.partition("<title>")[2].partition("</title>")[0]
    assert title.isprintable()


def test_a_text_of_several_lines_has_several(tmp_path: Path) -> None:
    facts = Facts((Fact("data", "one\ntwo\t\u3000three"),))
    assert b"<dd>one<br>two\\x09\xe3\x80\x80three</dd>" in rendered(
        Page("t", (), (Section("s", (facts,)),))
    )


def test_only_a_report_gives_way_without_being_asked(tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    check_report(path, replace=False)
    write_page(Page("t", (), (Section("s", (Facts(()),)),)), path)
    assert path.read_bytes().startswith(HEAD.encode())
    check_report(path, replace=False)
    path.write_text("<!doctype html><p>mine")
    with pytest.raises(UsageError, match="was not made by mgrkit report"):
        check_report(path, replace=False)
    check_report(path, replace=True)
    with pytest.raises(UsageError, match=r"must end in \.html"):
        check_report(tmp_path / "r.txt", replace=True)
    with pytest.raises(UsageError, match="there is no folder"):
        check_report(tmp_path / "gone" / "r.html", replace=True)
    (tmp_path / "d.html").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        check_report(tmp_path / "d.html", replace=True)


def test_what_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.html"
    write_page(Page("old", (), ()), path)
    old = path.read_bytes()

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_page(Page("new", (), ()), path)
    assert path.read_bytes() == old
    assert [one.name for one in tmp_path.iterdir()] == ["r.html"]


def test_drawings_stay_inside_their_frames() -> None:
    drawings = [
        spans("s", [Span("a" * 200, 0.5, 0.0, 1.0, (0.2, 0.9)), Span("b", 1.0, 1.0, 1.0)], ""),
        spans("none", [], ""),
        calibration([{"probability": 1.0, "right": 0.0, "tracks": 3}]),
        curves("c", [Series("x", [(1, 2.5)]), Series("y", [(1, 2.5)], "cross")], ("e", "l"), ""),
        curves("c", [Series("x", [(0, 1e-9), (999, 3e4)], "dot")], ("e", "l"), "", {"top": 5e4}),
    ]
    for drawing in drawings:
        for shape in drawing.shapes:
            for name in ("x", "x1", "x2", "cx"):
                assert 0 <= float(str(shape.attributes.get(name, 0))) <= drawing.width, shape
            for name in ("y", "y1", "y2", "cy"):
                assert 0 <= float(str(shape.attributes.get(name, 0))) <= drawing.height, shape
