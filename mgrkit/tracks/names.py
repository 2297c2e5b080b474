"""Names of outputs: what a source's outputs begin with, without two sources sharing one."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

_PIECE = re.compile(r"(.+)\.\d{3,}")


def prefixes(names: Sequence[str]) -> list[str]:
    """What the outputs of each file of one folder begin with.

    The stem where it occurs once, else the full name, for all of them. Letter case and
    Unicode form do not count, since some file systems do not tell them apart. A stem such as
    ``song.001`` beside a ``song`` counts as occurring twice: it is the name of a piece of it.
    """
    stems = [PurePosixPath(name).stem for name in names]
    times = Counter(map(fold, stems))
    result = []
    for name, stem in zip(names, stems, strict=True):
        piece = _PIECE.fullmatch(fold(stem))
        alone = times[fold(stem)] == 1 and not (piece and piece[1] in times)
        result.append(stem if alone else name)
    return result


def fold(name: str) -> str:
    """A name as the least careful file system sees it."""
    return unicodedata.normalize("NFC", name).casefold()
