"""``mgrkit vote``: trained models joined to one that answers by all of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mgrkit
from mgrkit.classifiers import Bundle, load_bundle, provider, save_bundle
from mgrkit.errors import BundleError, UsageError
from mgrkit.experiments.training import check_out
from mgrkit.experiments.voting import joined
from mgrkit.files.cache import content_key
from mgrkit.learning.voting import RULES
from mgrkit.models.choosing import choose


@dataclass(frozen=True)
class Vote:
    """What was made.

    Parameters
    ----------
    bundle : what was written to ``path``.
    members, gain : see `mgrkit.experiments.voting.joined`.
    notes : what a person should know.
    """

    path: Path
    bundle: Bundle
    members: Sequence[dict[str, Any]]
    gain: dict[str, Any] | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        bundle = self.bundle
        return {
            "bundle": str(self.path),
            "rule": bundle.parameters["rule"],
            "labels": list(bundle.task.labels),
            "members": list(self.members),
            "metrics": dict(bundle.metrics),
            "calibration": dict(bundle.calibration),
            "gain": self.gain,
            "notes": list(self.notes),
        }


def vote(
    models: Sequence[str], out: Path, *, rule: str = "geometric", replace: bool = False
) -> Vote:
    """Join trained models to one bundle, which keeps each as it is.

    Parameters
    ----------
    models : two or more paths or names of models that know the same genres.
    out : a new file NAME.safetensors; an existing one only with ``replace``.
    rule : 'geometric', 'mean', 'majority' or 'stacked'.

    Raises
    ------
    UsageError : an unknown rule or model, fewer than two, one twice, a vote among them, other
        genres, or 'stacked' without out-of-fold predictions of the same tracks.
    BundleError : a file is damaged, or its classifier is not installed.
    RunError : ``out`` cannot be written.
    """
    if rule not in RULES:
        raise UsageError(f"--rule must be {', '.join(RULES)}, not {rule!r}")
    if len(models) < 2:
        raise UsageError("a vote needs two models at least")
    check_out(out, replace=replace)
    members = _members(models, out)
    bundle, found = joined(members, rule, mgrkit.__version__)
    save_bundle(out, bundle)
    return Vote(out, bundle, found["members"], found["gain"], _notes(bundle))


def _notes(bundle: Bundle) -> tuple[str, ...]:
    """Why a vote is not measured, if it is not."""
    if bundle.metrics["part"] != "none":
        return ()
    lacking = [name for name, one in bundle.members.items() if one.held_out is None]
    why = f"no predictions by folds in {', '.join(lacking)}" if lacking else "no track is common"
    return (f"not calibrated and not measured: {why} (mgrkit train ... --folds 5 keeps some)",)


def _members(models: Sequence[str], out: Path) -> dict[str, Bundle]:
    """The bundles by their files' names; of two that are alike the later one gets a number."""
    members: dict[str, Bundle] = {}
    contents = set[str]()
    for model in models:
        path, _ = choose(model)
        if out.exists() and path.samefile(out):
            raise UsageError(f"{model} would be written over by its vote", "give another --out")
        bundle = load_bundle(path)
        if bundle.members:
            raise UsageError(f"{model} is a vote itself", "name its members instead")
        try:
            provider(bundle)
        except BundleError as error:
            raise BundleError(f"{path}: {error.message}", error.hint) from None
        if (content := content_key(str(path))) in contents:
            raise UsageError(f"{model} is there twice")
        contents.add(content)
        first = next(iter(members.values()), bundle)
        if sorted(bundle.task.labels) != sorted(first.task.labels):
            ours, theirs = set(first.task.labels), set(bundle.task.labels)
            odd = ", ".join(sorted(ours ^ theirs))
            raise UsageError(
                f"{model} and {next(iter(members))} know other genres: {odd}",
                "a vote is of models with the same ones",
            )
        numbered = (f"{path.stem} {number}" for number in itertools.count(2))
        names = itertools.chain([path.stem], numbered)
        members[next(name for name in names if name not in members)] = bundle
    return members
