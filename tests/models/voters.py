"""Models of made music that a vote can join: of pictures, samples and features, at two rates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mgrkit.classifiers import Bundle, load_bundle, save_bundle
from mgrkit.commands.spectrograms import SpectrogramsSettings as Drawing
from mgrkit.commands.spectrograms import spectrograms
from mgrkit.commands.train import TrainSettings, train
from mgrkit.frontend import front_end
from mgrkit.synthetic.collection import write_collection
from tests.models.shop import HEAVY
from tests.registry.fakes import installed_site

CODE = f"""\
from dataclasses import replace
from mgrkit.errors import ItemError
from mgrkit.frontend import front_end
from mgrkit.registry import FeatureSetSpec, Weights, hookimpl
from tests.testing.toy_ears_specs import GOOD as EARS
from tests.testing.toy_specs import GOOD

@hookimpl
def mgrkit_feature_sets():
    heavy = replace(EARS, name="heavy", weights={HEAVY!r})
    picky = FeatureSetSpec("picky", "hears long songs", "toys_hooks:picky", front_end(), ("a", "b"))
    return [EARS, heavy, picky]

@hookimpl
def mgrkit_classifiers():
    toys = dict(blobs="image", waves="samples", near="features:toy-ears", far="features:heavy",
                proud="features:picky")
    return [replace(GOOD, name=n, eats=e, calibrate="valid") for n, e in toys.items()]

def picky(samples):
    if len(samples) < 44100:
        raise ItemError("too-short", "two seconds at least")
    return [[abs(samples).mean(), samples.std()]]
"""
FRONT = front_end()
NAMES = ("blobs", "waves", "near", "far", "proud")
"""Of the members; far needs weights, and proud refuses short songs."""


@contextmanager
def plugin(folder: Path) -> Iterator[None]:
    """A context in which the classifiers are installed, and the cache is the folder's own."""
    (folder / "site").mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MGRKIT_CACHE", str(folder / "cache"))
        with installed_site(folder / "site", patch) as site:
            if not any((folder / "site").iterdir()):
                site.install("toys", CODE)
            yield


def make(folder: Path, names: tuple[str, ...] = NAMES, folds: int | None = 3) -> None:
    """``audio``, ``pictures`` of it, and a bundle of each name, in a folder."""
    write_collection(folder / "audio", songs=9, artists=9, seconds=2.5)
    spectrograms(Drawing(FRONT), [folder / "audio"], folder / "pictures")
    for name in names:
        settings = TrainSettings(parameters={"steps": 1, "sharpness": 0.01}, folds=folds)
        train(name, folder / "audio", folder / f"{name}.safetensors", settings)


def turned(path: Path, out: Path) -> Path:
    """The same model with its labels the other way round."""
    bundle = load_bundle(path)
    assert bundle.held_out
    held_out = replace(
        bundle.held_out,
        probabilities=bundle.held_out.probabilities[:, ::-1],
        y=len(bundle.task.labels) - 1 - bundle.held_out.y,
    )
    task = replace(bundle.task, labels=bundle.task.labels[::-1])
    state = {name: np.ascontiguousarray(array[::-1]) for name, array in bundle.state.items()}
    save_bundle(out, replace(bundle, task=task, state=state, held_out=held_out))
    return out


def with_member(vote: Path, out: Path, name: str, **changes: object) -> Path:
    """A vote of which one member is changed so."""
    bundle = load_bundle(vote)
    changed: Bundle = replace(bundle.members[name], **changes)  # type: ignore[arg-type]
    save_bundle(out, replace(bundle, members={**bundle.members, name: changed}))
    return out
