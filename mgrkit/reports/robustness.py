"""What conditions cost models, as curves and as a table."""

from __future__ import annotations

import csv
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.errors import UsageError
from mgrkit.files.outputs import check_output, starts_with
from mgrkit.files.replacing import replacing
from mgrkit.reports.figures import drawn, shortened
from mgrkit.tracks.lineage import as_written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAKER = "mgrkit evaluate"
_FIRST = ("model", "condition", "family", "value", "unit", "tracks", "failed")
_LETTERS = 24
_WIDE = 3
_TICKS = 10
"""As many numbers as fit under a panel."""
_LOG = "kbit/s"


def check_csv(path: Path) -> None:
    """Before the work: whether the table may be written there.

    Raises
    ------
    UsageError : the name does not end in .csv, there is no such folder, or a file is there that
        is no such table.
    """
    check_output(path, ".csv", "--csv")
    if path.exists() and not starts_with(path, f"{','.join(_FIRST)},".encode()):
        raise UsageError(f"{path} was not written by {_MAKER} --under", "give another --csv")


def write_rows(results: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a row for each model and condition, whole or not at all.

    Parameters
    ----------
    results : of `mgrkit.commands.evaluate.evaluate_under`; the columns are those of ``under``.
    """
    columns = list(results[0]["under"][0])
    with replacing(path) as temp, temp.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["model", *columns])
        for result in results:
            for row in result["under"]:
                writer.writerow([as_written(result["model"]), *map(_cell, row.values())])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6f}" if isinstance(value, float) else as_written(str(value))


def draw_curves(results: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the accuracy of each model, a panel for each family of conditions with several values.

    All other conditions share the last panel. Bars are 95 % intervals, dashed lines the clean
    sounds. The file is written whole or not at all; an older one is replaced.
    """
    panels = _panels(results[0]["under"])
    wide = min(_WIDE, len(panels))
    high = -(-len(panels) // wide)
    with drawn(path, _MAKER, (4.2 * wide + 0.6, 3.2 * high + 0.6), 120) as figure:
        every = figure.subplots(high, wide, squeeze=False, sharey=True)
        for axes in every.ravel()[len(panels) :]:
            axes.set_axis_off()
        for axes, (title, names) in zip(every.ravel(), panels.items(), strict=False):
            _panel(axes, title, names, results)
        for axes in every[:, 0]:
            axes.set_ylabel("accuracy")
        lines, labels = every[0, 0].get_legend_handles_labels()
        figure.legend(lines, labels, loc="outside upper left", ncols=min(4, len(labels)))
        how = "dashed: clean, bars: 95 %"
        text = f"{results[0]['tracks']} tracks, {results[0]['split']}; {how}"
        figure.supxlabel(textwrap.fill(text, 60 * wide), fontsize="small", parse_math=False)


def _panels(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The conditions of each panel, in the order of their values; '' for those without others."""
    families: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows[1:]:
        if row["value"] is not None:  # a recipe may be called as a recording
            families.setdefault(row["family"], []).append(row)
    panels = {
        name: [row["condition"] for row in sorted(some, key=lambda row: float(row["value"]))]
        for name, some in families.items()
        if len(some) > 1
    }
    grouped = {name for some in panels.values() for name in some}
    alone = [row["condition"] for row in rows[1:] if row["condition"] not in grouped]
    return panels | ({"": alone} if alone else {})


def _panel(
    axes: Axes, title: str, names: Sequence[str], results: Sequence[Mapping[str, Any]]
) -> None:
    as_text: dict[str, Any] = {"parse_math": False}  # a name may hold dollar signs
    for number, result in enumerate(results):
        of = {row["condition"]: row for row in result["under"]}
        rows = [of[name] for name in names if of[name]["accuracy"] is not None]
        colour, clean = f"C{number}", result["under"][0]["accuracy"]
        places = [row["value"] if title else names.index(row["condition"]) for row in rows]
        shift = 0 if title else 0.12 * (number - (len(results) - 1) / 2)
        values = [row["accuracy"] for row in rows]
        below = [row["accuracy"] - row["accuracy_low"] for row in rows]
        above = [row["accuracy_high"] - row["accuracy"] for row in rows]
        axes.errorbar(
            [place + shift for place in places], values, (below, above), color=colour,
            label=shortened(result["model"], _LETTERS), marker="o", markersize=4, capsize=2,
            linestyle="-" if title else "",
        )  # fmt: skip
        axes.axhline(clean, color=colour, linestyle="--", linewidth=1)
    axes.set_ylim(0, 1.03)
    if not title:
        shown = [shortened(name, _LETTERS) for name in names]
        axes.set_xticks(range(len(names)), shown, rotation=30, ha="right", **as_text)
        axes.set_xlim(-0.5, len(names) - 0.5)
        return
    [unit] = {row["unit"] for row in results[0]["under"] if row["condition"] in names}
    axes.set_title(shortened(title, _LETTERS), fontsize="medium", **as_text)
    axes.set_xlabel(unit, **as_text)
    values = sorted(row["value"] for row in results[0]["under"] if row["condition"] in names)
    values = values[:: -(-len(values) // _TICKS)]
    if unit == _LOG:
        axes.set_xscale("log", base=2)
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.minorticks_off()
