"""The tags that a network gives a song, beside a genre or without one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.batch import Work
from mgrkit.errors import ItemError, UsageError
from mgrkit.inputs.kinds import Features, Input
from mgrkit.models.listening import Known, listen, values
from mgrkit.models.prediction_fields import strongest
from mgrkit.registry import FeatureSetSpec, installed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Tagger:
    """A feature set whose columns are tags.

    Parameters
    ----------
    feature_set : with ``tags``.
    device : where its network runs.
    """

    def __init__(self, feature_set: FeatureSetSpec, device: str = "auto") -> None:
        self.name = feature_set.name
        self._input = Features(feature_set, device)

    @property
    def rate(self) -> int | None:
        """Of the sound that it hears; None for that of the file."""
        return self._input.frontend.sample_rate

    @property
    def tags(self) -> tuple[str, ...]:
        """The names of all tags."""
        return tuple(self._input.columns)

    def check(self) -> None:
        """Raise WeightsError or RunError for what cannot be loaded."""
        self._input.check()

    def described(
        self, samples: NDArray[np.float32], rate: int, known: Known
    ) -> NDArray[Any] | ItemError:
        """The values ``(windows, tags)`` of a piece, or why there are none; see `Listener`."""
        return values(self._input, samples, rate, known)

    def why_none(self, pieces: Sequence[NDArray[Any] | ItemError]) -> str:
        """Why a song without tags has none."""
        errors = [str(one) for one in pieces if isinstance(one, ItemError)]
        return next(iter(errors), f"{self.name} is for sound")

    def judged(self, pieces: Sequence[NDArray[Any] | ItemError]) -> dict[str, Any]:
        """``tags``: the mean of each over all windows of a song, by name; none without any."""
        rows = [values for values in pieces if not isinstance(values, ItemError)]
        if not rows:
            return {"tags": {}}
        means = np.concatenate(rows).mean(0).tolist()
        named = zip(self._input.columns, means, strict=True)
        return {"tags": {name: round(value, 6) for name, value in named}}


def tag_sets() -> list[FeatureSetSpec]:
    """The installed feature sets whose columns are tags."""
    sets = (spec for plugin in installed().plugins for spec in plugin.feature_sets)
    return [spec for spec in sets if spec.tags]


def tag_set(name: str) -> FeatureSetSpec | None:
    """That of this name, if there is one."""
    return next((spec for spec in tag_sets() if spec.name == name), None)


def tagger_of(inputs: Sequence[Input], device: str = "auto") -> Tagger:
    """That of a model's own network, else the first that is installed.

    Raises
    ------
    UsageError : no plugin has one.
    """
    ours = [one.feature_set.windows for one in inputs if isinstance(one, Features)]
    found = next((spec for spec in (*ours, *tag_sets()) if spec.tags), None)
    if found is None:
        raise UsageError("no feature set that is installed gives tags", "leave out --tags")
    return Tagger(found, device)


class TagModel:
    """Tags and no genre: what ``--model`` means by the name of such a feature set.

    It answers as `mgrkit.models.model.Model` does, without genres.
    """

    labels: tuple[str, ...] = ()
    takes_pictures = False

    def __init__(self, feature_set: FeatureSetSpec, device: str) -> None:
        self.name = feature_set.name
        self._tagger = Tagger(feature_set, device)

    def tag_names(self) -> tuple[str, ...]:
        """The tags that it knows."""
        return self._tagger.tags

    def ready(self, *, tags: bool = True) -> None:
        """Load what is needed for sound; raises WeightsError or RunError."""
        del tags
        self._tagger.check()

    def judged(
        self,
        path: str | Path,
        *,
        tags: bool = True,
        max_seconds: float | None = None,
        allow_truncated: bool = True,
        work: Work | None = None,
        pictures: bool = False,
    ) -> dict[str, Any]:
        """``path``, ``seconds``, ``warning`` and ``tags``, the value of each by name."""
        del tags, pictures
        heard = listen(
            path, [], [self._tagger],
            max_seconds=max_seconds, allow_truncated=allow_truncated, work=work,
        )  # fmt: skip
        pieces = heard.others[self.name]
        judged = self._tagger.judged(pieces)
        if not judged["tags"]:
            errors = [one for one in pieces if isinstance(one, ItemError)]
            raise next(iter(errors), ItemError("too-short", "it holds no piece"))
        return {
            "path": str(path),
            "seconds": round(heard.seconds, 3),
            "warning": heard.warning,
            **judged,
        }

    def answer(
        self,
        judged: Mapping[str, Any],
        *,
        tags: int = 0,
        **_: object,
    ) -> dict[str, Any]:
        """``path``, ``seconds``, ``model``, ``warning`` and ``tags``, the strongest first."""
        fields = {key: judged[key] for key in ("path", "seconds")}
        fields |= {"model": self.name, "warning": judged["warning"]}
        return fields | {"tags": strongest(judged["tags"], tags)}
