"""``mgrkit train``: from DATA to a bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.classifiers.base import silent
from mgrkit.compute.ranks import Ranks
from mgrkit.datasets.genres import AS_SPELT, GenreMap
from mgrkit.datasets.labels import Labels
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import UsageError
from mgrkit.experiments.augmenting import Augmentation
from mgrkit.experiments.training import Recipe, Trained, check_out, fit_model
from mgrkit.frontend import front_end
from mgrkit.inputs.columns import ALL, TableChoice, check_choice
from mgrkit.inputs.kinds import input_of
from mgrkit.inputs.wording import check_drawing
from mgrkit.registry.loader import installed
from mgrkit.tracks.leaks import checked
from mgrkit.tracks.sources import Source
from mgrkit.tracks.splits import check_split, make_split

if TYPE_CHECKING:
    from mgrkit.batch import Options, Report
    from mgrkit.datasets.dataset import Dataset
    from mgrkit.inputs.kinds import Input
    from mgrkit.registry import Provider


@dataclass(frozen=True)
class TrainSettings:
    """How to train.

    Parameters
    ----------
    split : 'published', 'grouped', 'random', or None for the first of them that DATA allows.
    refit : whether to fit again on train + valid once everything is measured.
    folds : 2 to 20: predict each track of train by a fit on other artists, so many fits in all;
        None for five where the classifier does so by itself.
    frontend : how sound becomes pictures: 'mel', 'stft', 'kaggle-images'; None for mel, or for
        what pictures are.
    precision : 'float32', 'mixed', or 'auto': mixed on CUDA.
    feature_set : what sound becomes for a classifier that eats features, and what a table is
        read as that does not say so itself; None for the classifier's usual one.
    genres : what genres of DATA count as.
    bandwidth : Hz that a song must reach, else its verdict is unsure; 0 for any.
    table : a track table whose rows name the files of the folder DATA that are taken.
    choice : which columns of a table, or of the feature set, are learnt from.
    augment : what is done to copies of the sounds of train: recipes by name or file, conditions.
    augment_copies : of each sound by each of those, 1 to 100; None for 3.
    label_from : as the ``by`` of `mgrkit.datasets.labels.Labels`.
    """

    seed: int = 0
    parameters: Mapping[str, object] = field(default_factory=dict)
    split: str | None = None
    refit: bool = False
    device: str = "auto"
    frontend: str | None = None
    precision: str = "auto"
    feature_set: str | None = None
    genres: GenreMap = AS_SPELT
    folds: int | None = None
    bandwidth: float = 0.0
    table: Path | None = None
    choice: TableChoice = ALL
    augment: Sequence[str] = ()
    augment_copies: int | None = None
    label_from: str = ""

    @property
    def labels(self) -> Labels:
        """Where genres are from; raises what `Labels` does."""
        return Labels(self.label_from, self.genres.names, learns=True)

    def recipe(self, entry: Provider, ranks: Ranks) -> Recipe:
        """What is fit; raises what `Recipe.of` does."""
        return Recipe.of(
            entry, self.parameters, self.seed, refit=self.refit,
            device=self.device, precision=self.precision, folds=self.folds,
            bandwidth=self.bandwidth, ranks=ranks,
        )  # fmt: skip

    def augmentation(
        self, data: Path, options: Options | None, report: Report | None
    ) -> Augmentation | None:
        """What is done to copies; raises what `Augmentation.of` does."""
        folder = Source.of(data, self.table).folder if self.augment else data
        return Augmentation.of(self.augment, self.augment_copies, folder, options, report)


def train(
    classifier: str,
    data: Path,
    out: Path,
    settings: TrainSettings | None = None,
    *,
    replace: bool = False,
    options: Options | None = None,
    report: Report | None = None,
    progress: Callable[[int, int, Mapping[str, float]], None] = silent,
) -> Trained:
    """Fit a classifier on DATA's train part and write the bundle ``out``.

    Parameters
    ----------
    classifier : a name of ``mgrkit classifiers``.
    data : a feature table, a track table, or a folder of sound or pictures by genre.
    out : a new file NAME.safetensors; an existing one only with ``replace``.

    Raises
    ------
    UsageError : an unknown classifier or parameter, a value out of range, or DATA that cannot be
        split so or learnt from.
    RunError : DATA cannot be read, ``out`` not written, or a module that is needed is not here.
    Stopped : a person ended it; ``out`` was not written.
    """
    settings = settings or TrainSettings()
    entry = installed().classifier(classifier)
    check_out(out, replace=replace)
    check_split(settings.split)
    labels = settings.labels
    front = front_end(settings.frontend) if settings.frontend else None
    wanted = input_of(entry.spec.eats, classifier, front, settings.feature_set, settings.device)
    check_choice(settings.choice, entry.spec.eats, classifier)
    augmentation = settings.augmentation(data, options, report)
    ranks = Ranks.here()
    recipe = settings.recipe(entry, ranks)
    with ranks.together(recipe.device):
        with ranks.first_alone():
            dataset = read_dataset(
                data, wanted, options, report, settings.table, settings.choice, labels
            )
        [dataset] = settings.genres.applied(dataset)
        _check(data, dataset, settings, wanted)
        split = make_split(dataset.labelled, settings.split, settings.seed)
        return fit_model(
            dataset, checked(dataset.labelled, split), recipe, out,
            source=data, replace=replace, ranks=ranks, augmentation=augmentation,
            progress=progress,
        )  # fmt: skip


def _check(data: Path, dataset: Dataset, settings: TrainSettings, wanted: Input) -> None:
    """Raise UsageError for options that DATA of this kind cannot have."""
    if settings.augment and not dataset.files:
        raise UsageError(
            f"{data} holds {dataset.input.name}: --augment alters sound",
            "give the sound that they were made of, or leave out --augment",
        )
    if settings.frontend:
        check_drawing(data, dataset.input, wanted)
