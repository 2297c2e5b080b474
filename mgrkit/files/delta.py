"""How one file is made of another: what was, of what is and the few bytes that differ."""

from __future__ import annotations

import base64
import mmap
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Edits = list["list[int] | str"]
"""``[place, length]`` of bytes that are taken over, and others in Base64, in their order."""

_KEY = 32
"""So many bytes that are the same are taken for the same part of a file."""
_STEP = 16
_NEAR = 256
"""Numbers and checksums that differ are shorter: anywhere is looked for behind that only."""
_FEW = 4
"""A key of fewer different bytes, such as silence, is found anywhere."""
_BLOCK, _LARGEST = 1 << 12, 1 << 22

Bytes = bytes | mmap.mmap


def edits(old: Bytes, new: Bytes) -> Edits:
    """What ``restored`` makes ``old`` of, given ``new``.

    A part of ``old`` is sought where the one before it leads, then where the ends of both lie
    one on the other, then anywhere; how many bytes are taken over is a matter of luck, that the
    result is ``old`` is not.
    """
    found: Edits = []
    search = _Search(old, new)
    at, shift = 0, 0
    while at < len(old):
        run = search.forward(at, at + shift)
        if run >= _KEY or run == len(old) - at:
            found.append([at + shift, run])
            at += run
            continue
        start, shift = search.next(at, shift)
        found.append(base64.b64encode(old[at:start]).decode())
        at = start
    return found


def restored(new: Bytes, made_of: Sequence[list[int] | str]) -> Iterator[bytes]:
    """The pieces of the former file.

    Raises
    ------
    ValueError : these are no edits of such a file.
    """
    for part in made_of:
        if isinstance(part, str):
            yield base64.b64decode(part, validate=True)
            continue
        place, length = part
        if place < 0 or length < 0 or place + length > len(new):
            raise ValueError("a part lies outside of the file")
        for start in range(place, place + length, _LARGEST):
            yield new[start : min(start + _LARGEST, place + length)]


class _Search:
    """Looks for what is the same in both."""

    def __init__(self, old: Bytes, new: Bytes) -> None:
        self.old, self.new = old, new
        self._old: NDArray[np.uint8] = np.frombuffer(old, np.uint8)
        self._new: NDArray[np.uint8] = np.frombuffer(new, np.uint8)

    def forward(self, at: int, there: int) -> int:
        """How many bytes from ``at`` are those from ``there`` in the new file."""
        if there < 0:
            return 0
        run, block = 0, _BLOCK
        while True:
            left = self._old[at + run : at + run + block]
            right = self._new[there + run : there + run + block]
            size = min(len(left), len(right))
            differ = left[:size] != right[:size]
            first = int(differ.argmax()) if size else 0
            if size and differ[first]:
                return run + first
            run += size
            if size < block:
                return run
            block = min(4 * block, _LARGEST)

    def next(self, at: int, shift: int) -> tuple[int, int]:
        """The next place from ``at`` that is in the new file, and by how much it is shifted."""
        ends = len(self.new) - len(self.old)
        sought = at + _NEAR
        for place in range(at, len(self.old) - _KEY + 1, _STEP):
            key = self.old[place : place + _KEY]
            for other in (shift, ends):
                there = place + other
                if there >= 0 and self.new[there : there + _KEY] == key:
                    return self._earliest(place, at, other), other
            if place >= sought and len(set(key)) >= _FEW:
                # Each costs a walk through all of the file: ever fewer of them.
                sought = 2 * place - at + _KEY
                there = self.new.find(key)
                if there >= 0:
                    return self._earliest(place, at, there - place), there - place
        return len(self.old), shift

    def _earliest(self, place: int, least: int, shift: int) -> int:
        """Where the bytes begin to be the same that are so at ``place``."""
        least = max(least, -shift)
        differ = self._old[least:place][::-1] != self._new[least + shift : place + shift][::-1]
        return place - (int(differ.argmax()) if differ.any() else len(differ))
