"""How a fit went, for people: ``metrics.csv`` and ``curves.png`` in its folder."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.errors import RunError
from mgrkit.files.replacing import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = (
    "member", "epoch", "loss", "accuracy", "valid_loss", "valid_accuracy", "rate", "seconds",
    "outside",
)  # fmt: skip
"""``outside``: the share of the training steps' time that is neither forward nor backward."""


def write_metrics(folder: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Write one line an epoch, whole or not at all; without a look at valid its fields are empty.

    Raises
    ------
    RunError : the file cannot be written.
    """
    path = folder / "metrics.csv"
    with (
        _named(path),
        replacing(path) as temp,
        temp.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in history:
            writer.writerow([_text(row.get(name)) for name in COLUMNS])


def write_curves(folder: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Draw loss and accuracy over the epochs, of train and of valid, a line for each member.

    Raises
    ------
    RunError : the file cannot be written.
    """
    from matplotlib.ticker import MaxNLocator

    from mgrkit.reports.figures import drawn

    path = folder / "curves.png"
    with _named(path), drawn(path, "mgrkit train", (9, 3.6), 100) as figure:
        for place, name in enumerate(("loss", "accuracy")):
            axes = figure.add_subplot(1, 2, place + 1, xlabel="epoch", ylabel=name)
            _plot(axes, name, history)
            if history:
                axes.legend(frameon=False)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.3)


def _plot(axes: Axes, name: str, history: Sequence[Mapping[str, Any]]) -> None:
    """One measure over the epochs."""
    for part, colour in (("", "tab:blue"), ("valid_", "tab:orange")):
        label: str | None = "valid (used to choose)" if part else "train"
        for member in sorted({row["member"] for row in history}):
            of_member = [row for row in history if row["member"] == member]
            points = [(r["epoch"], r[part + name]) for r in of_member if part + name in r]
            if points:
                axes.plot(*zip(*points, strict=True), color=colour, label=label, lw=1.2)
                label = None


def _text(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """What goes wrong in writing a file, as an error that names it."""
    try:
        yield
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}") from error
