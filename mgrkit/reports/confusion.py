"""The confusion matrix as a picture for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mgrkit.errors import UsageError
from mgrkit.files.outputs import check_output
from mgrkit.reports.figures import drawn, drawn_by

FORMS = (".png", ".pdf", ".svg")
"""What a confusion matrix is drawn as, by suffix."""
_MAKER = "mgrkit evaluate"
_CELL, _LARGEST = 0.55, 40.0
"""Inches of a cell, and of the picture at most: then cells are smaller."""


def check_drawing(path: Path, option: str, forms: Sequence[str] = FORMS) -> None:
    """Before the work: whether the picture may be written there.

    Parameters
    ----------
    option : that the path was given by, such as '--png'.
    forms : the suffixes that will do.

    Raises
    ------
    UsageError : the name does not end so, there is no such folder, or a file is there that was
        drawn by others.
    """
    suffix = path.suffix.lower()
    if len(forms) > 1 and suffix not in forms:
        known = f"{', '.join(forms[:-1])} or {forms[-1]}"
        raise UsageError(f"{option} must end in {known}, not {path.name}")
    check_output(path, suffix if suffix in forms else forms[0], option)
    if path.exists() and not drawn_by(path, _MAKER):
        raise UsageError(f"{path} was not drawn by {_MAKER}", f"give another {option}")


def draw_confusion(result: Mapping[str, Any], path: Path, *, percent: bool = False) -> None:
    """Draw what `mgrkit.commands.evaluate.evaluate` gave; rows are the truth, colours shares of it.

    The file is written whole or not at all, the same bytes each time; an older one is replaced.

    Parameters
    ----------
    path : what it is drawn as, its suffix says, see `FORMS`.
    percent : write shares of the truth into the cells, and not how many tracks there are.
    """
    import numpy as np

    labels = result["labels"]
    counts = np.array(result["confusion"])
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = min(max(4.5, _CELL * len(labels) + 2), _LARGEST)
    letters = min(10.0, 10.0 * (size - 2) / (_CELL * len(labels)))
    as_text: dict[str, Any] = {"parse_math": False}  # a genre may hold dollar signs
    with drawn(path, _MAKER, (size, size), 120) as figure:
        axes = figure.add_subplot()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        places = range(len(labels))
        axes.set_xticks(places, labels, rotation=45, ha="right", fontsize=letters, **as_text)
        axes.set_yticks(places, labels, fontsize=letters, **as_text)
        axes.set_xlabel("verdict")
        axes.set_ylabel("truth")
        for row, column in zip(*np.nonzero(counts), strict=True):
            share = float(shares[row, column])
            shown = per_cent(share) if percent else str(counts[row, column])
            colour = "white" if share > 0.6 else "black"
            axes.text(
                column, row, shown, ha="center", va="center", color=colour, fontsize=letters
            )  # fmt: skip
        cells = "; in per cent of each genre" if percent else ""
        axes.set_title(
            f"{result['model']}: accuracy {result['accuracy']:.3f} "
            f"({result['accuracy_low']:.3f} to {result['accuracy_high']:.3f})\n"
            f"{result['tracks']} tracks, {result['split']}{cells}",
            fontsize="small",
            wrap=True,
            **as_text,
        )


def per_cent(share: float) -> str:
    """A share above 0 as whole per cent.

    >>> per_cent(0.284), per_cent(0.001), per_cent(1.0)
    ('28', '<1', '100')
    """
    return "<1" if share < 0.005 else f"{100 * share:.0f}"
