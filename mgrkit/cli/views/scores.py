"""What training and measuring gave, as lines for a person."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.cli.terminal.printing import printable
from mgrkit.reports.confusion import per_cent
from mgrkit.tracks.splits import PARTS

if TYPE_CHECKING:
    from mgrkit.commands.vote import Vote
    from mgrkit.experiments.training import Trained

_NAME = 16
"""The longest name of a noise that leaves room for its numbers in 80 columns."""


def show_trained(trained: Trained, notes: Iterable[str], *, on_stdout: bool, quiet: bool) -> None:
    """The scores of a training run and where the bundle lies."""
    if not quiet:
        _note(f"note: {note}" for note in notes)
    if not on_stdout:
        return
    bundle, counts = trained.bundle, trained.counts
    parts = ", ".join(f"{counts[part]} {part}" for part in PARTS if counts[part])
    print(printable(f"{bundle.classifier}: {parts} tracks, {bundle.metrics['split']}"))
    if copies := bundle.card.get("augmentation"):
        print(textwrap.fill(printable(f"learnt from {copies}"), _width(), subsequent_indent="  "))
    metrics = bundle.metrics
    if metrics["part"] == "valid":
        _print_scores("valid (used to choose)" if trained.chose else "valid", metrics)
    if metrics["folds"]:
        _print_scores("folds of train", metrics["folds"])
    if metrics["refit"]:
        print("fit again on train + valid; the numbers are those from before")
    print(f"wrote {printable(trained.path)} ({trained.path.stat().st_size / 1000:,.0f} kB)")


def show_vote(made: Vote, *, on_stdout: bool, quiet: bool) -> None:
    """What a vote gains over its members, and where the bundle lies."""
    if not quiet:
        _note(f"note: {note}" for note in made.notes)
    if not on_stdout:
        return
    bundle = made.bundle
    if made.gain:
        metrics = bundle.metrics
        print(f"{metrics['tracks']} tracks of {printable(metrics['part'])}")
        _print_scores(f"{bundle.parameters['rule']} vote", metrics)
    for row in made.members:
        known = "" if row["accuracy"] is None else f": accuracy {row['accuracy']:.3f}"
        weight = "" if row["weight"] is None else f", weight {row['weight']:.2f}"
        print(printable(f"  {row['name']}{known}{weight}"))
    if gain := made.gain:
        points, low, high = (100 * gain[key] for key in ("difference", "low", "high"))
        print(printable(f"{points:+.1f} points over {gain['over']} ({low:+.1f} to {high:+.1f})"))
    print(f"wrote {printable(made.path)} ({made.path.stat().st_size / 1000:,.0f} kB)")


def show_evaluation(
    result: Mapping[str, Any],
    written: Iterable[Path | None],
    *,
    on_stdout: bool,
    quiet: bool,
    percent: bool = False,
) -> None:
    """The scores of an evaluation, those of each noise if there is one, and its confusion matrix.

    ``written`` are the files that were made; None for one that was not asked for. The matrix is in
    ``percent`` of each genre or in tracks.
    """
    grouped = result.get("grouped")
    if not quiet:
        notes = [*result["notes"], *(grouped["notes"] if grouped else [])]
        _note(f"note: {note}" for note in notes)
        if result["dropped_as_seen"]:
            _note([f"{result['dropped_as_seen']} tracks left out: the model has seen them"])
        _note(f"wrote {path}" for path in written if path)
    if not on_stdout:
        return
    _print_scores(printable(result["model"]), result)
    width = _width()
    print(textwrap.fill(printable(f"{result['tracks']} tracks: {result['split']}"), width))
    if grouped:
        print(textwrap.fill(_grouped(grouped), width, subsequent_indent="  "))
    print()
    if result["by_noise"]:
        print("\n".join(_by_noise(result["by_noise"], width)))
        print()
    print("\n".join(_confusion(result, width, percent=percent)))


def _grouped(one: Mapping[str, Any]) -> str:
    """The accuracy of albums or folders, beside that of their tracks."""
    low, high = one["accuracy_low"], one["accuracy_high"]
    counted = f"{one['groups']} {one['by']}{'s' * (one['groups'] > 1)}"
    return (
        f"by {one['by']}: accuracy {one['accuracy']:.3f} ({low:.3f} to {high:.3f}) of {counted}; "
        f"track by track {one['tracks_accuracy']:.3f} of their {one['tracks']} tracks"
    )


def _width() -> int:
    return max(20, shutil.get_terminal_size((80, 24)).columns)


def _print_scores(what: str, scores: Mapping[str, Any]) -> None:
    """Two lines, for one would be too long for 80 columns."""
    low, high = scores["accuracy_low"], scores["accuracy_high"]
    print(f"{what}: accuracy {scores['accuracy']:.3f} ({low:.3f} to {high:.3f})")
    genres = scores.get("macro_f1_genres", 0)  # a bundle does not keep it
    over = f" over {genres} genre{'s' * (genres > 1)}" if genres else ""
    print(
        f"  macro F1 {scores['macro_f1']:.3f}{over}, top 3 {scores['top3']:.3f}, "
        f"calibration error {scores['ece']:.3f}"
    )


def _by_noise(rows: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    """A line for each noise and SNR, or several in a narrow terminal; long names are cut."""
    names = [printable(row["noise"] or "unknown") for row in rows]
    first = min(max(map(len, ("noise", *names))), _NAME)
    folded = []
    lines = [f"{'noise':{first}}  {'SNR':>7}  accuracy  95 % interval   macro F1  genres  tracks"]
    for name, row in zip(names, rows, strict=True):
        shown = name if len(name) <= first else f"{name[: first - 1]}~"
        snr = "unknown" if row["snr"] is None else f"{row['snr']:g} dB"
        lines.append(
            f"{shown:{first}}  {snr:>7}  {row['accuracy']:8.3f}  {row['accuracy_low']:.3f} to "
            f"{row['accuracy_high']:.3f}  {row['macro_f1']:8.3f}  {row['macro_f1_genres']:6}  "
            f"{row['tracks']:6}"
        )
        low, high = row["accuracy_low"], row["accuracy_high"]
        folded += [
            f"{shown}, {snr}: {row['tracks']} tracks",
            f"  accuracy {row['accuracy']:.3f} ({low:.3f} to {high:.3f})",
            f"  macro F1 {row['macro_f1']:.3f} over {row['macro_f1_genres']} genres",
        ]
    return lines if max(map(len, lines)) <= width else folded


def _confusion(result: Mapping[str, Any], width: int, *, percent: bool) -> list[str]:
    """Rows are the truth, columns the verdict; without the matrix where it does not fit."""
    confusion, per_genre = result["confusion"], result["per_genre"]
    if percent:
        confusion = [
            [per_cent(n / sum(row)) if n else "" for n in row] for row in result["confusion"]
        ]
    labels = list(map(printable, result["labels"]))
    first = max(map(len, labels))
    wide = [max(3, *(len(str(row[i])) for row in confusion)) for i in range(len(labels))]
    fits = first + sum(wide) + len(wide) + 16 <= width
    head = "".join(f" {label[:w]:>{w}}" for label, w in zip(labels, wide, strict=True))
    lines = [f"{'':{first}}{head if fits else ''}  recall  prec."]
    for genre, label, row in zip(result["labels"], labels, confusion, strict=True):
        cells = "".join(f" {n or '.':>{w}}" for n, w in zip(row, wide, strict=True))
        measured = per_genre.get(genre, {})
        recall, precision = (_share(measured.get(name)) for name in ("recall", "precision"))
        lines.append(f"{label:{first}}{cells if fits else ''}  {recall:>6} {precision:>6}")
    if not fits:
        why = "matrix left out: the terminal is too narrow; --png draws it"
        lines += ["", *textwrap.wrap(why, width)]
    return lines


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _note(lines: Iterable[str]) -> None:
    for line in lines:
        print(printable(line), file=sys.stderr)
