"""Names as people may see them."""

from __future__ import annotations

import pytest

from mgrkit.files.names import printable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Où est-ce ?\u00a0.mp3", "Où est-ce ?\u00a0.mp3"),
        ("曲\u3000名.mp3", "曲\u3000名.mp3"),
        ("song\u202e3pm.exe", r"song\x202e3pm.exe"),
        ("a\u200bb\u200dc\ufeffd\u00ade", r"a\x200bb\x200dc\xfeffd\xade"),
        ("\u2066a\u2069\u2028\n\x1b[2J\x85", r"\x2066a\x2069\x2028\x0a\x1b[2J\x85"),
        ("\udce4\U000e0041", r"\udce4\xe0041"),
    ],
)
def test_what_cannot_be_seen_is_an_escape(name: str, shown: str) -> None:
    assert printable(name) == shown
