"""A comparison on disk: ``compare.csv`` for programs, the rest for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.experiments.records import write_record
from mgrkit.experiments.standings import Comparison, Standing
from mgrkit.files.replacing import replacing
from mgrkit.reports.figures import drawn
from mgrkit.reports.markdown import escaped, grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = ("compare.csv", "compare.md", "compare.png")
RECORD = "compare.json"
"""All that was found, as ``--json`` prints it: what an HTML report is made of."""

TIES = (
    "Classifiers that share a letter cannot be told apart by these tracks: the 95 % interval of "
    "their difference (paired, bootstrap by artist) holds zero."
)
TIES_OF_FOLDS = (
    "Classifiers that share a letter cannot be told apart by these folds: the 95 % interval of "
    "their difference (paired, t of the folds) holds zero. All intervals are corrected for what "
    "the fits of the folds learnt in common (Nadeau and Bengio 2003), and no standard error is "
    "less than what one more artist, judged the other way, would bring. Accuracies are means over "
    "the folds."
)
CHOSE = (
    "* chose its epoch and was calibrated on these tracks, so its accuracy here is rather too "
    "high and its calibration error too low."
)


def ties_of(found: Comparison) -> str:
    """What the letters mean."""
    return TIES_OF_FOLDS if found.folds else TIES


def spread_of(found: Comparison) -> str:
    """What the accuracies are spread over: 'seeds' or 'folds'."""
    return "folds" if found.folds else "seeds"


def write_report(found: Comparison, out: Path) -> list[Path]:
    """Write the files into ``out``, each whole or not at all; the paths of those for people.

    Beside them is the `RECORD`.
    """
    paths = [out / name for name in NAMES]
    for path, text in zip(paths, (_csv(found), _markdown(found)), strict=False):
        with replacing(path) as temp:
            temp.write_text(text, encoding="utf-8")
    _draw(found, paths[2])
    write_record(out / RECORD, found.as_json())
    return paths


def short(number: float) -> str:
    """A number in five characters: 999, 12.3k, 1.2M, 5G.

    >>> [short(n) for n in (7, 1234, 56789, 1234567, 2e9)]
    ['7', '1.2k', '57k', '1.2M', '2.0G']
    """
    for unit in ("", "k", "M", "G"):
        if number < 999.5 or unit == "G":
            break
        number /= 1000
    return f"{number:.1f}{unit}" if unit and number < 9.95 else f"{number:.0f}{unit}"


def _csv(found: Comparison) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            "classifier", "status", "accuracy", "accuracy_low", "accuracy_high", "seeds",
            "seeds_deviation", "seeds_low", "seeds_high", "ties", "macro_f1", "top3", "ece",
            "parameters", "training_seconds", "prediction_ms", "bytes", "device", "part", "split",
            "tracks", "artists", "reason", "folds", "folds_deviation", "folds_low", "folds_high",
        ]
    )  # fmt: skip
    common = [found.part, found.split, found.tracks, found.artists]
    for row in found.rows:
        if row.reason:
            failed = [row.classifier, "failed", *[""] * 16, *common, row.reason]
            writer.writerow([*failed, found.folds or "", "", "", ""])
            continue
        seeds = [found.seeds, row.seeds.deviation, row.seeds.low, row.seeds.high]
        costs = [row.parameters, row.training_seconds, row.prediction_ms, row.bytes, row.device]
        shares = [row.accuracy, row.low, row.high, *seeds]
        rest = [row.ties, row.macro_f1, row.top3, row.ece, *costs, *common, ""]
        spread = [found.folds, row.spread.deviation, row.spread.low, row.spread.high]
        rest += spread if found.folds else [""] * 4
        cells = [round(v, 6) if isinstance(v, float) else v for v in (*shares, *rest)]
        writer.writerow([row.classifier, "ok", *cells])
    return text.getvalue()


def _markdown(found: Comparison) -> str:
    lines = [f"# {found.judged[0].upper()}{found.judged[1:]}", ""]
    heads = [
        "classifier", "accuracy", "95 %", f"{spread_of(found)} ±", "ties", "macro F1", "top 3",
        "calibration error", "parameters", "training s", "ms per track", "bytes",
    ]  # fmt: skip
    lines += grid(heads, [_cells(row) for row in found.rows if not row.reason])
    lines += ["", f"{escaped(found.lead)} {ties_of(found)}".lstrip()]
    if any(row.chose for row in found.rows):
        lines += ["", CHOSE.replace("*", "\\*")]
    for row in found.rows:
        if row.reason:
            lines += ["", f"{escaped(row.classifier)} failed: {escaped(row.reason)}"]
    if found.folds:
        lines += ["", "## Folds", "", *_of_folds(found)]
    if found.pairs:
        lines += ["", "## Pairs", ""]
        heads = ["better", "worse", "difference", "95 %", "probability of none or the reverse"]
        lines += grid(
            heads,
            [
                [
                    pair.first, pair.second, f"{pair.difference:.3f}",
                    f"{pair.low:.3f} to {pair.high:.3f}", f"{pair.probability:.3f}",
                ]
                for pair in found.pairs
            ],
        )  # fmt: skip
    lines += ["", *(f"- {escaped(note)}" for note in found.notes)]
    return "\n".join(lines).rstrip() + "\n"


def _of_folds(found: Comparison) -> list[str]:
    """The accuracies, a row for each classifier and a column for each fold that judged any."""
    good = [row for row in found.rows if not row.reason]
    heads = ["classifier", *(str(n + 1) for n in range(len(good[0].folds) if good else 0))]
    return grid(heads, [[r.classifier, *(f"{v:.3f}" for v in r.folds)] for r in good])


def _cells(row: Standing) -> list[str]:
    return [
        row.classifier + ("*" if row.chose else ""),
        f"{row.accuracy:.3f}",
        f"{row.low:.3f} to {row.high:.3f}",
        f"{row.spread.deviation:.3f}",
        row.ties,
        f"{row.macro_f1:.3f}",
        f"{row.top3:.3f}",
        f"{row.ece:.3f}",
        f"{row.parameters:,}",
        f"{row.training_seconds:.1f}",
        f"{row.prediction_ms:.2f}",
        f"{row.bytes:,}",
    ]


def _draw(found: Comparison, path: Path) -> None:
    """Accuracies with their intervals, strokes for folds or ends of the seeds; ties joined."""
    rows = [row for row in found.rows if not row.reason]
    with drawn(path, "mgrkit compare", (8, 1.8 + 0.45 * max(2, len(rows))), 120) as figure:
        _plot(figure, found, rows)


def _plot(figure: Figure, found: Comparison, rows: Sequence[Standing]) -> None:
    axes = figure.add_subplot()
    places = range(len(rows))
    for place, row in zip(places, rows, strict=True):
        axes.plot([row.low, row.high], [place, place], color="tab:blue", linewidth=2)
        each = row.folds or (row.seeds.low, row.seeds.high)
        axes.plot(each, [place] * len(each), "|", color="black")
        axes.plot(row.accuracy, place, "o", color="tab:blue")
        shown = f"{row.accuracy:.3f}{'*' if row.chose else ''}"
        axes.annotate(
            shown, (row.accuracy, place), (0, 7), textcoords="offset points", ha="center",
            fontsize="small",
        )  # fmt: skip
    letters = sorted({letter for row in rows for letter in row.ties})
    ties = [[place for place in places if letter in rows[place].ties] for letter in letters]
    for column, members in enumerate(tie for tie in ties if len(tie) > 1):
        x = 1.02 + 0.03 * column
        at: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "clip_on": False}
        axes.plot([x] * len(members), members, "-o", color="tab:orange", markersize=4, **at)
    axes.set_yticks(list(places), [row.classifier for row in rows], parse_math=False)
    axes.set_ylim(len(rows) - 0.4, -0.7)
    spread = "each fold" if found.folds else "least and most of the seeds"
    axes.set_xlabel(f"accuracy with its 95 % interval; | {spread}")
    axes.grid(axis="x", alpha=0.3)
    stars = "; * chose its epoch on these tracks" if any(row.chose for row in rows) else ""
    how = "paired t of the folds, corrected" if found.folds else "paired bootstrap by artist"
    axes.set_title(
        f"{found.judged}\njoined in orange: not told apart ({how}){stars}",
        fontsize="small",
        wrap=True,
        parse_math=False,
    )
