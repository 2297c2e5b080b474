"""What a check can find stands in the docs."""

from __future__ import annotations

from pathlib import Path

from mgrkit.tracks.findings import FAILURES, WARNINGS

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "collections.md"


def test_every_code_is_in_the_docs() -> None:
    text = PAGE.read_text()
    assert [code for code in (*FAILURES, *WARNINGS) if f"`{code}`" not in text] == []
