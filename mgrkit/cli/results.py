"""What training and measuring gave, as lines for a person."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.tracks.splits import PARTS

if TYPE_CHECKING:
    from mgrkit.commands.train import Trained


def show_trained(trained: Trained, notes: Iterable[str], *, on_stdout: bool, quiet: bool) -> None:
    """The scores of a training run and where the bundle lies."""
    if not quiet:
        _tell(f"note: {note}" for note in notes)
    if not on_stdout:
        return
    bundle, counts = trained.bundle, trained.counts
    parts = ", ".join(f"{counts[part]} {part}" for part in PARTS if counts[part])
    print(f"{bundle.classifier}: {parts} tracks, {bundle.metrics['split']}")
    metrics = bundle.metrics
    if metrics["part"] == "valid":
        _print_scores("valid (used to choose)", metrics)
    if metrics["folds"]:
        _print_scores("folds of train", metrics["folds"])
    if metrics["refit"]:
        print("fit again on train + valid; the numbers are those from before")
    print(f"wrote {trained.path} ({trained.path.stat().st_size / 1000:,.0f} kB)")


def show_evaluation(
    result: Mapping[str, Any], png: Path | None, *, on_stdout: bool, quiet: bool
) -> None:
    """The scores of an evaluation and its confusion matrix."""
    if not quiet:
        _tell(f"note: {note}" for note in result["notes"])
        if result["dropped_as_seen"]:
            _tell([f"{result['dropped_as_seen']} tracks left out: the model has seen them"])
        if png:
            _tell([f"wrote {png}"])
    if not on_stdout:
        return
    _print_scores(result["model"], result)
    print(f"{result['tracks']} tracks: {result['split']}")
    print()
    print("\n".join(_confusion(result["labels"], result["confusion"], result["per_genre"])))


def _print_scores(what: str, scores: Mapping[str, Any]) -> None:
    """Two lines, for one would be too long for 80 columns."""
    low, high = scores["accuracy_low"], scores["accuracy_high"]
    print(f"{what}: accuracy {scores['accuracy']:.3f} ({low:.3f} to {high:.3f})")
    print(
        f"  macro F1 {scores['macro_f1']:.3f}, top 3 {scores['top3']:.3f}, "
        f"calibration error {scores['ece']:.3f}"
    )


def _confusion(
    labels: Sequence[str], confusion: Sequence[Sequence[int]], per_genre: Mapping[str, Any]
) -> list[str]:
    """Rows are the truth, columns the verdict; without the matrix where it does not fit."""
    first = max(map(len, labels))
    wide = [max(3, len(str(max(row[i] for row in confusion)))) for i in range(len(labels))]
    fits = first + sum(wide) + len(wide) + 16 <= shutil.get_terminal_size((80, 24)).columns
    head = "".join(f" {label[:w]:>{w}}" for label, w in zip(labels, wide, strict=True))
    lines = [f"{'':{first}}{head if fits else ''}  recall  prec."]
    for label, row in zip(labels, confusion, strict=True):
        cells = "".join(f" {n or '.':>{w}}" for n, w in zip(row, wide, strict=True))
        told = per_genre.get(label, {})
        recall, precision = (_share(told.get(name)) for name in ("recall", "precision"))
        lines.append(f"{label:{first}}{cells if fits else ''}  {recall:>6} {precision:>6}")
    return lines


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)
