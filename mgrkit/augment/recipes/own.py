"""Steps that are not audiomentations': exact noise, codecs, rooms.

Each draws its parameters from a generator of its own, and none needs a further package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from mgrkit.augment.codecs import Codec
from mgrkit.augment.colours import COLOURS, Colour
from mgrkit.augment.mixing import check_snr
from mgrkit.augment.recipes.sounds import find_recordings
from mgrkit.augment.recipes.traits import Requirement
from mgrkit.augment.rooms import Reverb
from mgrkit.errors import ItemError, UsageError, most_like, nearest

if TYPE_CHECKING:
    from mgrkit.augment.recordings import Recordings
    from mgrkit.augment.sources import Noise

KINDS = ("noise", "codec", "reverb")
_CODECS = ("aac", "gsm", "mp3", "opus", "vorbis")


@dataclass(frozen=True)
class NoiseStep:
    """Exact noise, as `mgrkit.augment.mix` makes it.

    Parameters
    ----------
    noise : a colour or recordings.
    snr : from which it is drawn, in dB.
    p : how likely the step is taken.
    """

    noise: Colour | Recordings
    snr: tuple[float, float]
    p: float = 1.0
    requires: tuple[Requirement, ...] = ()

    @property
    def label(self) -> str:
        return f"noise {self.noise.name}"

    def as_json(self) -> Any:
        """All that decides what it does."""
        return ["noise", self.noise.name, self.noise.digest, *self.snr, self.p]

    def ready(self, folder: Path) -> tuple[ReadyNoise, list[str]]:
        """With recordings decoded into a folder, and what is to be said of them."""
        if isinstance(self.noise, Colour):
            return ReadyNoise(self.noise, self.snr, self.p), []
        spooled = self.noise.spooled(folder)
        return ReadyNoise(spooled, self.snr, self.p), list(spooled.warnings)


@dataclass(frozen=True)
class ReadyNoise:
    """A `NoiseStep` whose recordings are at hand."""

    noise: Noise
    snr: tuple[float, float]
    p: float
    kind = "noise"

    @property
    def name(self) -> str:
        return self.noise.name

    @property
    def label(self) -> str:
        return f"noise {self.name}"

    def draw(self, random: Random) -> dict[str, Any]:
        """The SNR."""
        return {"snr_db": random.uniform(*self.snr)}

    def check(self, drawn: Mapping[str, Any]) -> None:
        """Raise UsageError where a table says an SNR that is none."""
        if "snr_db" in drawn:
            check_snr(_drawn_number(drawn["snr_db"]))


@dataclass(frozen=True)
class CodecStep:
    """One of some codecs, each as likely."""

    codecs: tuple[Codec, ...]
    p: float = 1.0
    requires: tuple[Requirement, ...] = ()
    kind = "codec"

    @property
    def name(self) -> str:
        return ",".join(one.name for one in self.codecs)

    @property
    def label(self) -> str:
        return f"codec {self.name}" if len(self.codecs) == 1 else "codec"

    def as_json(self) -> Any:
        """All that decides what it does: the versions of the libraries too."""
        return ["codec", [one.digest for one in self.codecs], self.p]

    def ready(self, folder: Path) -> tuple[CodecStep, list[str]]:
        """Itself; RunError where the libraries here lack a codec."""
        for one in self.codecs:
            one.ready(folder)
        return self, []

    def draw(self, random: Random) -> dict[str, Any]:
        """Which codec."""
        return {"codec": random.choice(self.codecs).name}

    def check(self, drawn: Mapping[str, Any]) -> None:
        """Nothing to do: `condition` looks for the codec among its own."""

    def condition(self, drawn: Mapping[str, Any]) -> Codec:
        """The codec that was drawn; ItemError, if it is none of these."""
        for one in self.codecs:
            if one.name == drawn["codec"]:
                return one
        raise ItemError("other-recipe", f"{drawn['codec']} is none of {self.name}")


@dataclass(frozen=True)
class ReverbStep:
    """A room of a reverberation time that is drawn, in seconds."""

    seconds: tuple[float, float]
    p: float = 1.0
    requires: tuple[Requirement, ...] = ()
    kind = "reverb"

    @property
    def name(self) -> str:
        return "-".join(f"{one:g}" for one in dict.fromkeys(self.seconds))

    @property
    def label(self) -> str:
        return f"reverb {self.name}"

    def as_json(self) -> Any:
        """All that decides what it does."""
        return ["reverb", [Reverb(one).digest for one in self.seconds], self.p]

    def ready(self, folder: Path) -> tuple[ReverbStep, list[str]]:
        """Itself: it needs nothing."""
        del folder
        return self, []

    def draw(self, random: Random) -> dict[str, Any]:
        """The reverberation time."""
        return {"seconds": random.uniform(*self.seconds)}

    def check(self, drawn: Mapping[str, Any]) -> None:
        """Raise UsageError where a table says a reverberation time that is none."""
        if "seconds" in drawn:
            Reverb(_drawn_number(drawn["seconds"]))

    def condition(self, drawn: Mapping[str, Any]) -> Reverb:
        """The room that was drawn."""
        return Reverb(drawn["seconds"])


OwnStep = ReadyNoise | CodecStep | ReverbStep
"""In a recipe that is ready."""


def parse(table: Mapping[str, Any], folder: Path, p: float) -> NoiseStep | CodecStep | ReverbStep:
    """A ``[[step]]`` with one of `KINDS`; UsageError says what is wrong with it."""
    kind = next(one for one in KINDS if one in table)
    takes = ("noise", "snr", "p") if kind == "noise" else (kind, "p")
    for key in table:
        if key not in takes:
            raise UsageError(f"{kind} has no parameter {key!r}", f"it takes {', '.join(takes)}")
    if kind == "noise":
        return _noise(table["noise"], table.get("snr"), folder, p)
    if kind == "codec":
        names = table["codec"] if isinstance(table["codec"], list) else [table["codec"]]
        if not names:
            raise UsageError("codec = [] names none", 'as in codec = "mp3@64"')
        return CodecStep(tuple(_codec(one) for one in names), p)
    seconds = _range(table["reverb"], "reverb", "seconds", "reverb = 0.6")
    for one in seconds:
        Reverb(one)
    return ReverbStep(seconds, p)


def _range(value: Any, name: str, unit: str, example: str) -> tuple[float, float]:
    values = value if isinstance(value, list) else [value, value]
    if len(values) != 2 or any(
        isinstance(one, bool) or not isinstance(one, int | float) for one in values
    ):
        raise UsageError(f"{name} needs {unit}", f"{example}, or two numbers in [] to draw it")
    low, high = map(float, values)
    if low > high:
        raise UsageError(f"{name} [{low:g}, {high:g}]: the lower one comes first")
    return low, high


def _drawn_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e9:
        raise UsageError(f"{str(value)[:40]!r} is no number for this step")
    return value


def _noise(name: Any, snr: Any, folder: Path, p: float) -> NoiseStep:
    if not isinstance(name, str):
        raise UsageError(f"noise = {name!r} must be a colour or a path")
    values = _range(snr, "noise", "an snr in dB", "snr = 10")
    for one in values:
        check_snr(one)
    if name in COLOURS:
        return NoiseStep(Colour(name), values, p)
    try:
        return NoiseStep(find_recordings(name, folder), values, p)
    except UsageError as error:
        if most_like(name, COLOURS):
            raise UsageError(error.message, nearest(name, COLOURS, "")) from None
        raise


def _codec(text: Any) -> Codec:
    name, at, amount = text.partition("@") if isinstance(text, str) else ("", "", "")
    if name not in _CODECS:
        raise UsageError(f"no codec {text!r}", nearest(name, _CODECS, "there are"))
    if name == "gsm" and not at:
        return Codec(name)
    try:
        return Codec(name, float(amount))
    except ValueError:
        raise UsageError(f"codec {text!r} needs a number behind an @", "as in mp3@64") from None
