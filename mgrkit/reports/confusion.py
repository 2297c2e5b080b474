"""The confusion matrix as a picture for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mgrkit.errors import UsageError
from mgrkit.files.outputs import check_output
from mgrkit.reports.figures import drawn, drawn_by

_MAKER = "mgrkit evaluate"


def check_png(path: Path) -> None:
    """Before the work: whether the picture may be written there.

    Raises
    ------
    UsageError : the name does not end in .png, there is no such folder, or a file is there that
        was drawn by others.
    """
    check_output(path, ".png", "--png")
    if path.exists() and not drawn_by(path, _MAKER):
        raise UsageError(f"{path} was not drawn by {_MAKER}", "give another --png")


def draw_confusion(result: Mapping[str, Any], path: Path) -> None:
    """Draw what `mgrkit.commands.evaluate.evaluate` gave; rows are the truth, shares of a row.

    The file is written whole or not at all; an older one is replaced.
    """
    import numpy as np

    labels = result["labels"]
    counts = np.array(result["confusion"])
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = max(4.5, 0.55 * len(labels) + 2)
    as_text: dict[str, Any] = {"parse_math": False}  # a genre may hold dollar signs
    with drawn(path, _MAKER, (size, size), 120) as figure:
        axes = figure.add_subplot()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", **as_text)
        axes.set_yticks(range(len(labels)), labels, **as_text)
        axes.set_xlabel("verdict")
        axes.set_ylabel("truth")
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = "white" if shares[row, column] > 0.6 else "black"
            shown = str(counts[row, column])
            axes.text(column, row, shown, ha="center", va="center", color=colour)
        axes.set_title(
            f"{result['model']}: accuracy {result['accuracy']:.3f} "
            f"({result['accuracy_low']:.3f} to {result['accuracy_high']:.3f})\n"
            f"{result['tracks']} tracks, {result['split']}",
            fontsize="small",
            wrap=True,
            **as_text,
        )
