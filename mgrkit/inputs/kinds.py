"""What a classifier eats: how the pieces of a track become its examples.

An input turns a piece of sound into values whose first axis is time (`piece`): rows of features,
frames of a picture. Tracks are kept so in the cache. Once it is known how long pieces usually are
(`fitted`), values are cut into the examples that a classifier sees (`examples`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mgrkit.errors import UsageError
from mgrkit.frontend import FrontEnd, front_end
from mgrkit.inputs.columns import Columns, TableChoice, digest_of, some
from mgrkit.inputs.extracting import extractor, summed
from mgrkit.inputs.windows import over_time, starts, windows
from mgrkit.registry import FeatureSetSpec, SummarySpec, installed
from mgrkit.registry.specs import TABLE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mgrkit.classifiers import Task


PICTURES = (".png", ".jpg", ".jpeg")
"""Suffixes of pictures; those of a folder count only where it holds no sound."""


def is_picture(path: str | Path) -> bool:
    """Whether a file's name is that of a picture."""
    return os.path.splitext(path)[1].lower() in PICTURES


class Input(Protocol):
    """One kind of example.

    Attributes
    ----------
    eats : as in a `mgrkit.registry.ClassifierSpec`.
    name : for people.
    frontend : how sound becomes examples; None where nobody knows, so that sound cannot.
    columns : the names of features; empty for other examples.
    digest : changes whenever the examples may.
    kept_under : the folder of the cache, relative to it, where the values of pieces are kept.
    breadth : of the values of a piece: their shape without the first axis, which is time.
    shape : of one example; as in a `mgrkit.classifiers.Task`.
    dtype : of examples.
    fills : whether values may be missing (NaN), so that a `mgrkit.classifiers.filling.Filled`
        takes them.
    """

    @property
    def eats(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def frontend(self) -> FrontEnd | None: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def digest(self) -> str: ...
    @property
    def kept_under(self) -> str: ...
    @property
    def breadth(self) -> tuple[int, ...]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> type[np.generic]: ...
    @property
    def fills(self) -> bool: ...

    def check(self) -> None:
        """Raise RunError if what `piece` needs cannot be had: once, not for each track."""

    def piece(self, samples: NDArray[np.float32], rate: int) -> NDArray[Any]:
        """The values of a piece, ``(n, *breadth)``.

        Parameters
        ----------
        samples : mono float32 ``(frames,)``.
        rate : of the samples, in Hz: the front end's, where it has one.

        Raises
        ------
        ItemError : sound that cannot be described, such as silence.
        """

    def fitted(self, sizes: Sequence[int]) -> Input:
        """The same, for pieces whose values are mostly of these lengths."""

    def count(self, size: int) -> int:
        """How many examples a piece with ``size`` values gives, at least 1."""

    def examples(self, values: NDArray[Any]) -> NDArray[Any]:
        """The examples ``(count(n), *shape)`` of the values ``(n, *breadth)`` of one piece."""


@dataclass(frozen=True)
class Features:
    """Rows of a feature set, or of a summary of its windows: float32 ``(columns,)``.

    Values of a piece are always the windows, so that all summaries share what is kept of them.

    Parameters
    ----------
    device : where the set's network runs, if it has one.
    asked : the set was asked for by name, so that a table of another set will not do.
    chosen : those of the set's columns that are taken, in its order; none takes all.
    """

    feature_set: FeatureSetSpec
    device: str = "auto"
    asked: bool = False
    chosen: tuple[str, ...] = ()

    @property
    def eats(self) -> str:
        return f"features:{self.feature_set.name}"

    @property
    def name(self) -> str:
        every, columns = self.feature_set.columns, self.columns
        part = f"{len(columns)} of the {len(every)} columns of " if columns != every else ""
        return f"{part}{self.feature_set.name}"

    @property
    def frontend(self) -> FrontEnd:
        return self.feature_set.frontend

    @property
    def columns(self) -> tuple[str, ...]:
        return self.chosen or self.feature_set.columns

    @property
    def digest(self) -> str:
        every, taken = self.feature_set, self.columns
        whole = taken == every.columns
        return every.digest if whole else digest_of(every.digest, *taken)

    @property
    def fills(self) -> bool:
        return bool(self.chosen)

    @property
    def kept_under(self) -> str:
        windows = self.feature_set.windows
        return f"features/{windows.name}-{windows.digest}"

    @property
    def breadth(self) -> tuple[int, ...]:
        return (len(self.feature_set.windows.columns),)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.columns),)

    @property
    def dtype(self) -> type[np.float32]:
        return np.float32

    def check(self) -> None:
        extractor(self.feature_set.windows, self.device)

    def piece(self, samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
        extract = extractor(self.feature_set.windows, self.device)
        return extract(samples, rate).astype(np.float32)

    def fitted(self, sizes: Sequence[int]) -> Features:
        del sizes
        return self

    def count(self, size: int) -> int:
        return 1 if isinstance(self.feature_set, SummarySpec) else size

    def examples(self, values: NDArray[Any]) -> NDArray[np.float32]:
        return summed(self.feature_set, values).astype(np.float32)[:, self.places]

    def of(self, columns: Sequence[str]) -> Features:
        """The same with these columns only; UsageError if the set lacks one."""
        if lacking := [name for name in columns if name not in self.feature_set.columns]:
            raise UsageError(f"{self.feature_set.name} has no column {some(lacking)}")
        return replace(self, chosen=tuple(columns))

    def chosen_by(self, choice: TableChoice, columns: Sequence[str] = ()) -> Features:
        """The same with the columns that a person chooses, else with those that a model names."""
        if choice:
            columns = choice.of(self.feature_set.columns, self.feature_set.name)
        return self.of(columns) if columns else self

    @property
    def places(self) -> list[int]:
        """Where the columns stand among those of the set."""
        place = {name: index for index, name in enumerate(self.feature_set.columns)}
        return [place[name] for name in self.columns]


@dataclass(frozen=True)
class Pictures:
    """Windows of pictures: uint8 ``(bands, frames)``, or ``(3, bands, frames)`` of planes.

    Parameters
    ----------
    frontend : None for pictures that others drew in a way that is not known.
    frames : of a window; 0 until `fitted`.
    foreign_bands : the height of pictures without a front end.
    device : what draws them; those of two kinds of device differ in single levels.
    """

    frontend: FrontEnd | None
    frames: int = 0
    foreign_bands: int = 0
    columns: tuple[str, ...] = ()
    fills: bool = False
    device: str = "cpu"

    @property
    def eats(self) -> str:
        return "image"

    @property
    def name(self) -> str:
        if self.frontend is None:
            return f"foreign pictures of {self.foreign_bands} bands"
        size = self.frontend.size
        of_size = f" of {size.width}x{size.height}" if size else ""
        return f"{self.frontend.name} pictures{of_size}"

    @property
    def digest(self) -> str:
        return self.frontend.digest if self.frontend else f"foreign-{self.foreign_bands}"

    @property
    def kept_under(self) -> str:
        kind = self.device.partition(":")[0]
        return f"image/image-{self.digest}" + ("" if kind == "cpu" else f"-{kind}")

    @property
    def breadth(self) -> tuple[int, ...]:
        return self.frontend.breadth if self.frontend else (self.foreign_bands,)

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.breadth, self.frames)

    @property
    def dtype(self) -> type[np.uint8]:
        return np.uint8

    def check(self) -> None:
        pass

    def piece(self, samples: NDArray[np.float32], rate: int) -> NDArray[np.uint8]:
        from mgrkit.spectrograms import render

        assert self.frontend is not None
        assert rate == self.frontend.sample_rate
        return over_time(render(samples, self.frontend, self.device).values)

    def fitted(self, sizes: Sequence[int]) -> Pictures:
        return self if self.frames else replace(self, frames=int(np.median(sizes)))

    def count(self, size: int) -> int:
        return len(starts(size, self.frames))

    def examples(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        cut: NDArray[np.uint8] = np.ascontiguousarray(
            np.moveaxis(windows(values, self.frames), 1, -1)
        )
        return cut


@dataclass(frozen=True)
class Samples:
    """Windows of sound itself: float32 ``(frames,)``."""

    frontend: FrontEnd
    frames: int = 0
    columns: tuple[str, ...] = ()
    fills: bool = False

    @property
    def eats(self) -> str:
        return "samples"

    @property
    def name(self) -> str:
        return f"samples at {self.frontend.rate} Hz"

    @property
    def digest(self) -> str:
        return f"samples-{self.frontend.rate}"

    @property
    def kept_under(self) -> str:
        return f"samples/samples-{self.digest}"

    @property
    def breadth(self) -> tuple[int, ...]:
        return ()

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.frames,)

    @property
    def dtype(self) -> type[np.float32]:
        return np.float32

    def check(self) -> None:
        pass

    def piece(self, samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
        if rate != self.frontend.rate:
            raise UsageError(f"sound at {rate} Hz for a model of {self.name}", "resample it before")
        return samples

    def fitted(self, sizes: Sequence[int]) -> Samples:
        return self if self.frames else replace(self, frames=int(np.median(sizes)))

    def count(self, size: int) -> int:
        return len(starts(size, self.frames))

    def examples(self, values: NDArray[Any]) -> NDArray[np.float32]:
        return windows(values, self.frames)


def input_of(
    eats: str,
    name: str,
    frontend: FrontEnd | None = None,
    feature_set: str | None = None,
    device: str = "auto",
) -> Input:
    """What a classifier eats when it is trained.

    Parameters
    ----------
    name : of the classifier, for the error.
    frontend : how sound becomes pictures or samples; None for the usual way.
    feature_set : instead of the classifier's usual one; may be a summary, ``SET:mean-sd``.
    device : where a feature set's network runs; one that is named draws pictures, too.

    Raises
    ------
    UsageError : an unknown set; a front end for features, or a feature set for what eats none.
    """
    kind, _, which = eats.partition(":")
    if kind == "features":
        if frontend:
            what = f"{name} eats features, which have a front end of their own"
            raise UsageError(what, "leave out --front-end")
        asked = feature_set is not None
        return Features(installed().feature_set(feature_set or which), device, asked)
    if feature_set:
        raise UsageError(f"{name} eats {kind}, no features", "leave out --set")
    if kind == "image":
        return Pictures(frontend or front_end(), device=_drawing(device))
    return Samples(frontend or front_end())


def input_of_task(eats: str, task: Task, device: str = "auto", *, fills: bool = False) -> Input:
    """What a trained classifier eats.

    Parameters
    ----------
    fills : its columns were chosen, and what they lack is filled.

    Raises
    ------
    UsageError : a feature set that no plugin provides, or that lacks columns that were chosen.
    """
    kind, _, which = eats.partition(":")
    if which == TABLE:
        return Columns(task.columns)
    if kind == "features":
        found = Features(installed().feature_set(which), device)
        return found.of(task.columns) if fills else found
    if kind == "image":
        bands = 0 if task.frontend else task.shape[0]
        return Pictures(task.frontend, task.shape[-1], bands, device=_drawing(device))
    return Samples(task.frontend or front_end(), task.shape[0])


def _drawing(device: str) -> str:
    """Where pictures are drawn: on CUDA if it is named; what 'auto' finds changes no picture."""
    return device if device.startswith("cuda") else "cpu"
