"""One file made of another: always the same bytes, and mostly few of them noted."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgrkit.files.delta import edits, restored


def noted(made_of: list[list[int] | str]) -> int:
    """Characters of Base64."""
    return sum(len(part) for part in made_of if isinstance(part, str))


def back(old: bytes, new: bytes) -> list[list[int] | str]:
    made_of = edits(old, new)
    assert b"".join(restored(new, made_of)) == old
    return made_of


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_whatever_the_two_are(old: bytes, new: bytes) -> None:
    back(old, new)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(0, 2**32))
def test_after_any_changes(data: st.DataObject, seed: int) -> None:
    rng = random.Random(seed)
    old = bytearray(rng.choices(rng.choice([b"ab\0", bytes(range(256))]), k=rng.randrange(5000)))
    new = bytearray(old)
    for _ in range(data.draw(st.integers(0, 5))):
        at, size = rng.randrange(len(new) + 1), rng.randrange(300)
        new[at : at + rng.choice([0, size])] = rng.choice([b"", rng.randbytes(size), bytes(size)])
    back(bytes(old), bytes(new))


SOUND = random.Random(1).randbytes(200_000)


@pytest.mark.parametrize(
    ("old", "new", "most"),
    [
        (b"ID3" + SOUND, b"ID3" + bytes(2000) + SOUND, 4),
        (b"ID3" + bytes(99) + SOUND + b"end", b"ID3" + b"x" * 50 + SOUND + b"longer end", 200),
        (SOUND, SOUND[:50] + b"four" + SOUND[54:] + b"TAG", 8),
        (b"RIFF1" + SOUND, b"RIFF2" + SOUND + b"id3 chunk", 8),
    ],
)
def test_what_tags_change_is_few_bytes(old: bytes, new: bytes, most: int) -> None:
    assert noted(back(old, new)) <= most


def test_numbers_that_change_all_along_are_few_bytes_too() -> None:
    """As in an Ogg whose pages are counted anew."""
    new = bytearray(SOUND)
    for at in range(0, len(new), 4000):
        new[at + 18 : at + 26] = b"\0new crc"
    assert noted(back(SOUND, bytes(new))) <= 36 + 49 * 12


@pytest.mark.parametrize("made_of", [[[0, 99]], [[-1, 2]], [[0, -1]], ["no base64!"]])
def test_edits_of_another_file_are_refused(made_of: list[list[int] | str]) -> None:
    with pytest.raises(ValueError, match=r"outside|base64|Only|Invalid|alphabet"):
        list(restored(b"short", made_of))
