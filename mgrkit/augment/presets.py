"""How systems of the field make noisy copies, by name: a new one is one entry here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mgrkit.augment.colours import COLOURS
from mgrkit.errors import UsageError, nearest


@dataclass(frozen=True)
class Preset:
    """Options of ``mgrkit augment`` under one name.

    Parameters
    ----------
    origin : what it comes from: a repository on GitHub, as OWNER/NAME.
    about : what is made.
    leaves_open : what the source does not say, and is mgrkit's usual here.
    options : what it sets, by their names in the command.
    excludes : options that contradict it whatever their value, with one that it sets instead.
    """

    name: str
    origin: str
    about: str
    leaves_open: str
    options: Mapping[str, object]
    excludes: Mapping[str, str]

    def with_others(self, given: Mapping[str, object]) -> dict[str, object]:
        """Its options and others that it leaves open; None is an option that is not given.

        Raises
        ------
        UsageError : one that it sets has another value; both are named.
        """
        for name, value in given.items():
            own = self.excludes.get(name, name)
            if value is not None and own in self.options and value != self.options[own]:
                raise UsageError(
                    f"{said(name, value)} contradicts --preset {self.name}, which sets "
                    f"{said(own, self.options[own])}"
                )
        return {**given, **self.options}

    def check_noise(self, noises: Sequence[str]) -> None:
        """Raise UsageError unless there is one, and of a recording."""
        if len(noises) != 1 or noises[0] in COLOURS:
            given = " and ".join(noises) or "none is given"
            raise UsageError(
                f"--preset {self.name} mixes in one recording: {given}", "--noise FILE"
            )


def said(name: str, value: object) -> str:
    """An option and its value as they are typed.

    >>> said("--mono", True), said("--mix-gain", [0.3, 1.0])
    ('--mono', '--mix-gain 0.3 --mix-gain 1')
    """
    if isinstance(value, list | tuple):
        return " ".join(said(name, one) for one in value)
    if value is True:
        return name
    return f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"


PRESETS = {
    one.name: one
    for one in (
        Preset(
            "s2",
            "nikhilnair31/SpectroTune---Genre-Classifier",
            "The first 10 s as 22,050 Hz mono plus 0.3 times a recording from its start, clipped "
            "hard, in 16 bits, under the same name.",
            "the recording; one shorter than 10 s is looped",
            {
                "--mix-gain": [0.3],
                "--noise-start": 0.0,
                "--start": 0.0,
                "--seconds": 10.0,
                "--rate": 22_050,
                "--mono": True,
                "--clip": "hard",
                "--names": "same",
                "--copies": 1,
                "--subtype": "PCM_16",
                "--format": "wav",
            },
            {"--snr": "--mix-gain", "--recipe": "--names"},
        ),
    )
}


def preset_of(name: str) -> Preset:
    """The preset of a name; UsageError for a name that is none."""
    if name not in PRESETS:
        raise UsageError(f"there is no preset {name}", nearest(name, PRESETS, "there is"))
    return PRESETS[name]
