"""What altered copies in train change: ``python tests/bench/robust_training.py DATA``.

A classifier is fit with and without ``--augment`` on the same folds by artist of a folder or track
table of sound; each track is then judged by the fits that have not heard its artist, plain and
under each ``--under``. So few songs are enough for a look, and no split is used up.

    python tests/bench/robust_training.py clips --classifier svm --augment white@20,10,5 \\
        --under white@10 --under white@0 --under gain@-20
    python tests/bench/robust_training.py clips --classifier cnn --param epochs=40 \\
        --augment phone --under phone --folds 5 --seeds 3

Printed is a row for each condition: accuracy without and with the copies, and the difference with
its interval by artist (`mgrkit.learning.comparing.difference`); macro F1, calibration error and
the share of tracks that are called strange of both. ``--json FILE`` keeps them. Conditions under
which the models are judged are drawn by another seed than the copies that were learnt from.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mgrkit.batch import Options
from mgrkit.classifiers import provider, restored
from mgrkit.cli.parameters import parameters
from mgrkit.datasets.altering import altered, tracks_kept
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.reading import read_dataset
from mgrkit.experiments.augmenting import Augmentation
from mgrkit.experiments.training import Recipe, Trained, fit_model
from mgrkit.inputs.kinds import input_of
from mgrkit.learning.calibration import Calibration
from mgrkit.learning.comparing import difference
from mgrkit.learning.fitting import predict_tracks
from mgrkit.learning.folds import group_folds
from mgrkit.learning.metrics import scores
from mgrkit.registry import installed
from mgrkit.tracks.sources import Source
from mgrkit.tracks.splits import Split

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

KINDS = ("without", "with")
JUDGED = 1_000_000
"""Above the seeds of training: a model is not judged by the very noise that it has heard."""


def main() -> None:
    asked = arguments()
    data: Path = asked.data
    entry = installed().classifier(asked.classifier)
    options = Options(asked.workers)
    dataset = read_dataset(data, input_of(entry.spec.eats, asked.classifier), options)
    dataset = dataset.take([i for i, e in enumerate(dataset.entries) if not e.is_copy])
    folder = Source.of(data).folder
    heard: dict[str, Dataset] = {"clean": dataset}
    if judged := Augmentation.of(asked.under, 1, folder):
        found = altered(folder, dataset, judged.conditions, seed=JUDGED, options=options)
        heard |= {name: one for (name, _), one in found.items()}
    copies = Augmentation.of(asked.augment, asked.augment_copies, folder, options)
    labels = sorted({entry.genre for entry in dataset.entries})
    y = np.array([labels.index(entry.genre) for entry in dataset.entries])
    table = Table(dataset, labels, y, heard)
    for seed in range(asked.seeds):
        recipe = Recipe.of(entry, parameters(asked.param), seed, device=asked.device)
        for number, held in enumerate(folds(dataset, y, asked.folds, seed)):
            split = Split("grouped", tuple(parts(len(y), held)), (), "folds by artist")
            for kind, augmentation in zip(KINDS, (None, copies), strict=True):
                print(f"seed {seed}, fold {number + 1}, {kind} copies", file=sys.stderr)
                with tempfile.TemporaryDirectory() as temp:
                    out = Path(temp) / "m.safetensors"
                    made = fit_model(
                        dataset, split, recipe, out, source=data, augmentation=augmentation
                    )
                table.add(kind, seed, made, held, recipe.device)
    rows = list(table.rows())
    show(rows, asked, len(y), len(set(dataset.groups())))
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


def arguments() -> Any:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--classifier", default="svm")
    parser.add_argument("--param", action="append", default=[])
    parser.add_argument("--augment", action="append", required=True)
    parser.add_argument("--augment-copies", type=int)
    parser.add_argument("--under", action="append", default=[])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def folds(dataset: Dataset, y: Any, count: int, seed: int) -> Iterator[Any]:
    """The tracks that each fold holds back; those whose genre no other artist has are in none."""
    for others, held in group_folds(y, np.array(dataset.groups()), count, seed):
        yield held[np.isin(y[held], y[others])]


def parts(count: int, held: Any) -> Iterator[str]:
    kept_back = set(held.tolist())
    for index in range(count):
        yield "test" if index in kept_back else "train"


class Table:
    """Probabilities of each kind of fit, under each condition, of each seed and track.

    A track that was never judged under a condition, or by one kind of fit only, counts for none.
    """

    def __init__(
        self, dataset: Dataset, labels: list[str], y: Any, heard: dict[str, Dataset]
    ) -> None:
        self.dataset, self.labels, self.y, self.heard = dataset, labels, y, heard
        self.found: dict[tuple[str, str, int], Any] = {}
        self.strange: dict[tuple[str, str, int], Any] = {}

    def add(self, kind: str, seed: int, made: Trained, held: Any, device: str) -> None:
        """Let a model judge the tracks that were held back from it."""
        bundle = made.bundle
        model, spec = restored(bundle, device), provider(bundle).spec
        column = [self.labels.index(label) for label in bundle.task.labels]
        for name, whole in self.heard.items():
            clean = whole is self.dataset
            places = list(range(len(self.y))) if clean else tracks_kept(self.dataset, whole, name)
            chosen = [i for i, place in enumerate(places) if place in set(held.tolist())]
            if not chosen:
                continue
            taken = whole.take(chosen)
            rows = [places[i] for i in chosen]
            calibration = Calibration.from_dict(bundle.calibration)
            raw = predict_tracks(model, spec, calibration, taken.x, taken.tracks)
            key, shape = (kind, name, seed), (len(self.y), len(self.labels))
            found = self.found.setdefault(key, np.full(shape, np.nan))
            found[rows] = 0
            found[np.ix_(rows, column)] = raw
            far = np.bincount(taken.tracks, model.strange(taken.x)) / np.bincount(taken.tracks)
            self.strange.setdefault(key, np.zeros(len(self.y)))[rows] = far > 0.5

    def rows(self) -> Iterator[dict[str, Any]]:
        """The scores of each condition."""
        seeds = sorted({seed for _, _, seed in self.found})
        for name in self.heard:
            if (KINDS[0], name, seeds[0]) not in self.found:
                continue
            every = np.array([[self.found[kind, name, s] for s in seeds] for kind in KINDS])
            known = np.flatnonzero(~np.isnan(every).any(axis=(0, 1, 3)))
            groups = [self.dataset.groups()[i] for i in known]
            right = {
                kind: every[n][:, known].argmax(2) == self.y[known] for n, kind in enumerate(KINDS)
            }
            gain = difference("with", "without", right, groups)
            row: dict[str, Any] = {"condition": name, "tracks": len(known)}
            for n, kind in enumerate(KINDS):
                each = [scores(one[known], self.y[known], groups, self.labels) for one in every[n]]
                for score in ("accuracy", "macro_f1", "ece"):
                    row[f"{score} {kind}"] = float(np.mean([one[score] for one in each]))
                far = [self.strange[kind, name, seed][known].mean() for seed in seeds]
                row[f"strange {kind}"] = float(np.mean(far))
            row |= {"difference": gain.difference, "low": gain.low, "high": gain.high}
            yield row


def show(rows: list[dict[str, Any]], asked: Any, tracks: int, artists: int) -> None:
    print(
        f"{asked.classifier}, {tracks} tracks of {artists} artists, {asked.folds} folds by artist, "
        f"{asked.seeds} seeds; copies: {', '.join(asked.augment)}"
    )
    print("| condition | tracks | accuracy without | with | difference (95 %) | macro F1 | "
          "calibration error | strange |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        pairs = [
            f"{row[f'{score} without']:.3f} / {row[f'{score} with']:.3f}"
            for score in ("macro_f1", "ece", "strange")
        ]
        print(
            f"| {row['condition']} | {row['tracks']} | {row['accuracy without']:.3f} | "
            f"{row['accuracy with']:.3f} | {row['difference']:+.3f} ({row['low']:+.3f} to "
            f"{row['high']:+.3f}) | {' | '.join(pairs)} |"
        )


if __name__ == "__main__":
    main()
