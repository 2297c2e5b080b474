"""``mgrkit evaluate``: a bundle on tracks that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.commands.dataset import Dataset, artist_id, read_dataset
from mgrkit.commands.model import Model
from mgrkit.commands.models import find_model
from mgrkit.errors import RunError, UsageError
from mgrkit.learning.fitting import predict_tracks
from mgrkit.learning.metrics import scores
from mgrkit.tracks.collections import has_published_split
from mgrkit.tracks.splits import PARTS, UNKNOWN

if TYPE_CHECKING:
    from mgrkit.batch import Options, Report

PUBLISHED = "published split"
"""The words of a split that needs no more words."""


def evaluate(
    model: str,
    data: Path,
    *,
    part: str = "test",
    seen: bool = False,
    device: str = "auto",
    seed: int = 0,
    options: Options | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """How often a model is right on the tracks of DATA that it has not seen.

    Parameters
    ----------
    model : path or name of a bundle.
    data : a feature table, a track table, or a folder of sound or pictures by genre.
    part : 'test', 'valid' or 'all'; 'test' is everything where DATA has no published test part.
    seen : count tracks that the model was fit or chosen on, too.
    seed : of the bootstrap.

    Returns
    -------
    What `mgrkit.learning.metrics.scores` gives, and ``model``, ``part``, ``split`` (the words
    that go with every number of it), ``dropped_as_seen``, ``notes`` and ``failed`` (files that
    could not be used).

    Raises
    ------
    UsageError : DATA has no such part, or nothing in it is unseen.
    RunError, BundleError : DATA or the bundle cannot be used.
    """
    if part not in (*PARTS[1:], "all"):
        raise UsageError(f"--part must be test, valid or all, not {part!r}")
    loaded = Model(find_model(model), device)
    dataset = read_dataset(data, loaded.input, options, report)
    if dataset.input.digest != loaded.input.digest:
        raise UsageError(
            f"{data} holds {dataset.input.name}, {loaded.name} was trained on {loaded.input.name}",
            "make it again as the model wants it",
        )
    notes = list(dataset.notes)
    dataset, published = _part(dataset, part, data, notes)
    dataset = _of_genres(dataset, loaded.labels, notes)
    dropped = [i for i, label in enumerate(dataset.labelled) if label.id in loaded.seen]
    if not seen and dropped:
        kept = set(range(len(dataset.entries))) - set(dropped)
        if not kept:
            raise UsageError(
                f"{loaded.name} has seen all {len(dropped)} tracks of "
                f"{f'the published part {published}' if published else data}",
                "other DATA or another --part, or --seen to count them nevertheless",
            )
        dataset = dataset.take(sorted(kept))
    words = _words(dataset, published, loaded, len(dropped) if seen else 0)
    index = {label: i for i, label in enumerate(loaded.labels)}
    probabilities = predict_tracks(
        loaded.classifier, loaded.spec, loaded.calibration, dataset.x, dataset.tracks
    )
    result = scores(
        probabilities,
        [index[entry.genre] for entry in dataset.entries],
        dataset.groups(),
        loaded.labels,
        seed,
    )
    return {
        "model": loaded.name,
        "part": part,
        **result,
        "split": words,
        "dropped_as_seen": 0 if seen else len(dropped),
        "notes": notes,
        "failed": dataset.failed,
    }


def _part(dataset: Dataset, part: str, data: Path, notes: list[str]) -> tuple[Dataset, str]:
    """The original tracks of a part, and the published part they are; copies are never judged.

    Where DATA has no test part, 'test' is everything. But where it has others, tracks in none
    are no stand-in for it: published splits leave tracks out because they are faulty, or copies
    of others.
    """
    roots = [i for i, entry in enumerate(dataset.entries) if not entry.is_copy]
    if not roots:
        raise RunError(f"{data} holds noisy copies only", "evaluate on the recordings themselves")
    of_part = [i for i in roots if dataset.labelled[i].part == part]
    if of_part:
        return dataset.take(of_part), part
    if part == "valid":
        raise UsageError(
            f"{data} has no tracks of a published part valid",
            "--part all takes every track that the model has not seen",
        )
    if part == "test":
        listed = [i for i in roots if dataset.labelled[i].part]
        kept = listed or [i for i in roots if not has_published_split(dataset.labelled[i].id)]
        if not kept:
            raise UsageError(
                f"the published split leaves out all {len(roots)} tracks of {data}",
                "--part all takes them nevertheless",
            )
        if len(kept) < len(roots):
            lost = len(roots) - len(kept)
            notes.append(f"left out, in no part of the published split: {lost} tracks (--part all)")
        roots = kept
    return dataset.take(roots), ""


def _of_genres(dataset: Dataset, labels: Sequence[str], notes: list[str]) -> Dataset:
    """Without tracks of genres that the model cannot answer; said, not silent."""
    known = [i for i, entry in enumerate(dataset.entries) if entry.genre in labels]
    others = sorted({entry.genre for entry in dataset.entries} - set(labels))
    if others:
        count = len(dataset.entries) - len(known)
        notes.append(f"{count} tracks of genres unknown to the model left out: {', '.join(others)}")
    if not known:
        raise UsageError(
            f"DATA has none of the model's genres, but {', '.join(others)}",
            f"the model knows {', '.join(labels)}",
        )
    return dataset.take(known)


def _words(dataset: Dataset, published: str, model: Model, seen: int) -> str:
    """What must be said with the number: which tracks, and how far they are from training."""
    trained = str(model.bundle.metrics.get("split", "unknown split"))
    every = "all tracks" if seen else "all unseen tracks"
    words = [f"the published part {published}" if published else every]
    if not (published and trained == PUBLISHED):
        words.append(f"model trained on a {trained}")
    if seen:
        words.append(f"{seen} tracks seen in training included")
    groups = [label.group for label in dataset.labelled]
    known = sum(artist_id(group) in model.heard for group in groups if group)
    if known and not seen:
        words.append(f"artists heard in training for {known} of {len(dataset.entries)} tracks")
    if unknown := groups.count(""):
        words.append(f"{UNKNOWN} for {unknown} of {len(dataset.entries)} tracks")
    return ", ".join(words)
