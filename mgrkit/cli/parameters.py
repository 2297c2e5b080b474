"""The texts of ``--param``, ``--map`` and ``--columns``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.errors import UsageError

if TYPE_CHECKING:
    from mgrkit.datasets.genres import GenreMap
    from mgrkit.inputs.columns import TableChoice

_LARGEST = 1 << 20
"""Characters of a file of names,"""
_SHOWN = 80
"""and of a text that is shown in an error."""


def parameters(texts: Sequence[str]) -> dict[str, object]:
    """NAME=VALUE texts by name.

    Raises
    ------
    UsageError : one is no such text, or a name is given twice.
    """
    pairs: dict[str, object] = {}
    for name, value in _named_values(texts, "name=value"):
        if name in pairs:
            hint = "give one value; mgrkit compare takes several"
            raise UsageError(f"--param {name} is given twice", hint)
        pairs[name] = value
    return pairs


def of_classifiers(
    texts: Sequence[str],
) -> tuple[dict[str, dict[str, object]], dict[str, dict[str, list[object]]]]:
    """CLASSIFIER.NAME=VALUE texts by classifier and name: those of one value, and grids of several.

    Raises
    ------
    UsageError : one is no such text.
    """
    form = "classifier.name=value"
    single: dict[str, dict[str, object]] = {}
    grids: dict[str, dict[str, list[object]]] = {}
    values: dict[str, list[object]] = {}
    for both, value in _named_values(texts, form):
        if "." not in both:
            raise UsageError(f"--param must be {form}, not {f'{both}={value}'!r}")
        values.setdefault(both, []).append(value)
    for both, given in values.items():
        classifier, _, name = both.partition(".")
        if len(given) > 1:
            grids.setdefault(classifier, {})[name] = given
        else:
            single.setdefault(classifier, {})[name] = given[0]
    return single, grids


def _named_values(texts: Sequence[str], form: str) -> Iterator[tuple[str, str]]:
    for text in texts:
        left, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--param must be {form}, not {text!r}")
        yield "".join(left.split()), value.strip()


def genre_map(texts: Sequence[str]) -> GenreMap:
    """THEIRS=OURS texts; one without an equals sign names a file of them, one a line.

    Blank lines of a file and those that begin with ``#`` are passed over.

    Raises
    ------
    UsageError : a text or a line is neither, or `GenreMap` refuses them.
    """
    from mgrkit.datasets.genres import GenreMap

    return GenreMap(tuple(pair for text in texts for pair in _pairs(text, "theirs=ours")))


def label_names(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """LABEL=NAME texts, or files of them as for `genre_map`: a label of ours, and its name there.

    Raises
    ------
    UsageError : a text or a line is neither, or a side of it is empty.
    """
    pairs = tuple(pair for text in texts for pair in _pairs(text, "label=name"))
    for ours, theirs in pairs:
        if not ours or not theirs:
            raise UsageError(f"--map must be label=name, not {f'{ours}={theirs}'[:_SHOWN]!r}")
    return pairs


def table_choice(
    columns: str = "", drop: str = "", label: str = "", group: str = "", subset: str = ""
) -> TableChoice:
    """What is asked for of a table; lists have commas between.

    Raises
    ------
    UsageError : a list that is given holds nothing.
    """
    from mgrkit.inputs.columns import TableChoice

    return TableChoice(_names("--columns", columns), _names("--drop", drop), label, group, subset)


def _names(option: str, text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if text and not names:
        raise UsageError(f"{option} names no column: {text!r}", "as in --columns mfcc,chroma")
    return names


def _pairs(text: str, form: str) -> Iterator[tuple[str, str]]:
    lines, where = [text], ""
    if "=" not in text:
        where = f"{text}: a line of "
        try:
            with Path(text).open(encoding="utf-8-sig") as file:
                content = file.read(_LARGEST + 1)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            what = f"--map must be {form}, or a file of such lines, not {text[:_SHOWN]!r}"
            raise UsageError(f"{what} ({reason})") from None
        if len(content) > _LARGEST:
            what = f"{text} is too large for --map, which has a line for each name"
            raise UsageError(what, "is this the right file?")
        stripped = map(str.strip, content.split("\n"))
        lines = [line for line in stripped if line and line[0] != "#"]
    for line in lines:
        theirs, *ours = line.split("=")
        if len(ours) != 1:
            raise UsageError(f"{where}--map must be {form}, one = only, not {line!r:.80}")
        yield theirs.strip(), ours[0].strip()
