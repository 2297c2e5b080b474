"""Names and messages as people may see them, at a terminal and on a page."""

from __future__ import annotations

import unicodedata


def printable(name: object) -> str:
    r"""A text in which nothing is unseen: an escape stands for whatever cannot be.

    Such are bytes that are no UTF-8, control characters, those that turn the direction of a text
    around, and those without a width: by them a name can look like another. Spaces of any width
    stay.

    >>> print(printable("song\u202e3pm.exe"))
    song\x202e3pm.exe
    """
    text = str(name).encode("utf-8", "backslashreplace").decode()
    if text.isprintable():
        return text
    return "".join(char if _is_seen(char) else f"\\x{ord(char):02x}" for char in text)


def _is_seen(char: str) -> bool:
    return char.isprintable() or unicodedata.category(char) == "Zs"
