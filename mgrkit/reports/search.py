"""A search on disk: its trials and what they say of the parameters, as CSV and PNG."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.experiments.searches import Tuned
from mgrkit.files.replacing import replacing
from mgrkit.reports.figures import drawn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRIALS, IMPORTANCE = "trials.csv", "importance.csv"
HISTORY_PICTURE, IMPORTANCE_PICTURE = "history.png", "importance.png"
_MAKER = "mgrkit tune"
_HEADS = ("search", "trial", "status", "accuracy", "seconds")


def write_report(found: Tuned, out: Path) -> list[Path]:
    """Write the files into ``out``, each whole or not at all, and give their paths.

    Where the trials say nothing of the parameters, nothing is drawn or written of that.
    """
    names = list(found.result["parameters"])
    heads = [*_HEADS, *names, "reason"]
    rows = [[_cell(row.get(name, "")) for name in heads] for row in found.rows]
    paths = [_write(out / TRIALS, heads, rows)]
    paths.append(out / HISTORY_PICTURE)
    with drawn(paths[-1], _MAKER, (8, 4.2), 120) as figure:
        _history(figure, found)
    importance = found.result["importance"]
    if importance:
        pairs = [[name, f"{value:.6f}"] for name, value in importance.items()]
        paths.append(_write(out / IMPORTANCE, ["parameter", "importance"], pairs))
        paths.append(out / IMPORTANCE_PICTURE)
        with drawn(paths[-1], _MAKER, (8, 1.4 + 0.36 * max(2, len(pairs))), 120) as figure:
            _importance(figure, found)
    return paths


def _write(path: Path, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([heads, *rows])
    with replacing(path) as temp:
        temp.write_text(text.getvalue(), encoding="utf-8")
    return path


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _history(figure: Figure, found: Tuned) -> None:
    """The score of each trial in turn, and the best so far; those ended early by what they had."""
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    inner, nested = found.result["inner"], found.result["nested"]
    rows = [row for row in found.rows if row["search"] == "search"]
    scored = [(row["trial"], row["accuracy"]) for row in rows if row["status"] == "ok"]
    early = [(r["trial"], r["accuracy"]) for r in rows if r["status"] == "ended early"]
    axes.plot(*zip(*scored, strict=True), "o", color="tab:blue", markersize=5, label="trial")
    if early:
        label = "ended early: score by then"
        axes.plot(*zip(*early, strict=True), "x", color="tab:gray", markersize=5, label=label)
    best = [max(value for at, value in scored if at <= upto) for upto, _ in scored]
    axes.step([at for at, _ in scored], best, where="post", color="tab:orange", label="best so far")
    if inner["defaults"] is not None:
        axes.axhline(inner["defaults"], color="black", linestyle=":", label="defaults")
    if nested:
        axes.axhline(nested["accuracy"], color="tab:green", linestyle="--", label="nested estimate")
        axes.axhspan(nested["accuracy_low"], nested["accuracy_high"], color="tab:green", alpha=0.08)
    axes.set_xlabel("trial")
    axes.set_ylabel(f"accuracy, {inner['folds']} folds of train by artist")
    axes.grid(alpha=0.3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(fontsize="small", loc="outside lower center", ncols=5)
    axes.set_title(f"{found.result['classifier']}: the best is chosen, so its score is too high",
                   fontsize="medium", parse_math=False)  # fmt: skip


def _importance(figure: Figure, found: Tuned) -> None:
    axes = figure.add_subplot()
    pairs = list(found.result["importance"].items())[::-1]
    bars = axes.barh([name for name, _ in pairs], [value for _, value in pairs], color="tab:blue")
    axes.bar_label(bars, fmt="%.2f", padding=3, fontsize="small")
    axes.set_xlim(0, max(value for _, value in pairs) * 1.12 or 1)
    axes.set_xlabel("share of the differences between trials that it explains")
    axes.set_title(f"{found.result['classifier']}: importance of parameters (fANOVA)",
                   fontsize="medium", parse_math=False)  # fmt: skip
