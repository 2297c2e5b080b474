"""``mgrkit evaluate``: a bundle on tracks that it has not seen, plain and under conditions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.augment.asked import conditions_of
from mgrkit.datasets.genres import AS_SPELT, GenreMap
from mgrkit.errors import UsageError
from mgrkit.experiments.evaluating import Evaluation, Wanted, look_up
from mgrkit.experiments.grouping import KINDS, groups_of, together
from mgrkit.experiments.robustness import CLEAN, under
from mgrkit.inputs.columns import ALL, TableChoice
from mgrkit.models.model import load_model
from mgrkit.reports.verdicts import check_verdicts, write_verdicts
from mgrkit.tracks.splits import PARTS

if TYPE_CHECKING:
    from mgrkit.batch import Options, Report


def evaluate(
    model: str,
    *data: Path,
    table: Path | None = None,
    part: str = "test",
    seen: bool = False,
    copies: bool = False,
    genres: GenreMap = AS_SPELT,
    predictions: Path | None = None,
    device: str = "auto",
    seed: int = 0,
    options: Options | None = None,
    report: Report | None = None,
    choice: TableChoice = ALL,
    group: str = "",
    label_from: str = "",
) -> dict[str, Any]:
    """How often a model is right on the tracks of DATA that it has not seen.

    Parameters
    ----------
    data, table, part, seen, copies, genres, choice, label_from : see
        `mgrkit.experiments.evaluating.Wanted`.
    predictions : a CSV file to write, see `mgrkit.reports.verdicts.write_verdicts`.
    group : 'album' or 'folder': judge the tracks of one together, too; '' for neither.

    Returns
    -------
    ``model``, ``part``, what `mgrkit.experiments.evaluating.Evaluation.measured` gives, and of
    groups ``grouped``: what `mgrkit.experiments.grouping.together` gives.

    Raises
    ------
    UsageError : DATA or the model has nothing as asked for, or nothing in DATA is unseen.
    RunError, BundleError, OSError : DATA, bundle or place of the predictions cannot be used.
    """
    _check_part(part, group)
    if predictions:
        check_verdicts(predictions)
    wanted = Wanted(data, table, part, seen, copies, genres, choice, options, report, label_from)
    looked = look_up(load_model(model, device), wanted)
    names = _names(group, looked, wanted) if group else []
    probabilities = looked.probabilities()
    result = {"model": looked.model.name, "part": part, **looked.measured(probabilities, seed)}
    if group:
        result["grouped"] = together(group, names, looked, probabilities, seed)
    if predictions:
        write_verdicts(predictions, looked, probabilities, result.get("grouped"), names)
    return result


def _names(group: str, looked: Evaluation, wanted: Wanted) -> list[str]:
    folder = next(iter(looked.datasets.values()))[0]
    return groups_of(group, looked.dataset, folder, wanted.data, wanted.table)


def evaluate_under(
    models: Sequence[str],
    *data: Path,
    conditions: Sequence[str],
    part: str = "test",
    device: str = "auto",
    seed: int = 0,
    options: Options | None = None,
    report: Report | None = None,
    **wanted: Any,
) -> list[dict[str, Any]]:
    """How often models are right on tracks that they have not seen, under each condition.

    Parameters
    ----------
    models : each by its path or name, once.
    conditions : texts such as ``white@20,10`` or ``gsm``, see `mgrkit.augment.asked`.
    data, part, wanted : see `mgrkit.experiments.evaluating.Wanted`.

    Returns
    -------
    For each model what `evaluate` gives, and ``under``, see `mgrkit.experiments.robustness.under`.

    Raises
    ------
    UsageError : as `evaluate`; DATA is no sound; a condition that cannot be, or is there twice.
    RunError, BundleError, OSError : as `evaluate`; what a condition needs cannot be had.
    """
    _check_part(part)
    asked = conditions_of(conditions)
    if CLEAN in [one.name for one in asked]:
        what = f"a recipe is called {CLEAN}, as the row of the sounds as they are"
        raise UsageError(what, "give it another name")
    loaded = [load_model(model, device) for model in models]
    names = [model.name for model in loaded]
    if len(set(names)) < len(names):
        raise UsageError(f"two models are called {max(names, key=names.count)}", "each once")
    how = Wanted(data, part=part, options=options, report=report, **wanted)
    looked = [look_up(model, how) for model in loaded]
    results = under(looked, asked, seed, options, report)
    if len({tuple(one.id for one in each.dataset.labelled) for each in looked}) > 1:
        counts = ", ".join(f"{one['model']} {one['tracks']}" for one in results)
        for one in results:
            one["notes"].append(f"the models are not judged by the same tracks: {counts}")
    return [{"model": one.pop("model"), "part": part, **one} for one in results]


def _check_part(part: str, group: str = "") -> None:
    """What can be seen before anything is read."""
    if group and group not in KINDS:
        raise UsageError(f"--group must be album or folder, not {group!r}")
    if part not in (*PARTS[1:], "all"):
        raise UsageError(f"--part must be test, valid or all, not {part!r}")
