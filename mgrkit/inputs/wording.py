"""What examples are in words: how two kinds of them differ, and how to get one."""

from __future__ import annotations

from pathlib import Path

from mgrkit.errors import UsageError
from mgrkit.files.difference import difference
from mgrkit.frontend import front_end
from mgrkit.inputs.columns import Columns
from mgrkit.inputs.kinds import Features, Input, Pictures


def distinct_name(found: Input, wanted: Input) -> str:
    """What ``found`` is called, with the options that differ where ``wanted`` is called so, too.

    >>> distinct_name(Pictures(front_end(n_mels=64)), Pictures(front_end()))
    'mel pictures with --n-mels 64 instead of 128'
    """
    if found.name != wanted.name or found.frontend is None or wanted.frontend is None:
        return found.name
    options = difference(found.frontend.options(), wanted.frontend.options())
    return f"{found.name} with {options}" if options else f"{found.name} of another release"


def no_sound(model: str, wanted: Input) -> str:
    """Why a model cannot hear sound.

    >>> no_sound("ears", Columns(("danceability", "valence")))
    'ears was trained on 2 columns of a table (danceability, valence), which sound does not give'
    """
    if isinstance(wanted, Pictures):
        return f"{model} was trained on {wanted.name}; sound cannot be drawn like that"
    return f"{model} was trained on {wanted.name}, which sound does not give"


def how_to_get(wanted: Input) -> str:
    """What to give, or the command that makes such examples, as a hint.

    >>> how_to_get(Pictures(front_end("stft", n_fft=1024)))
    'give sound, or make such by mgrkit spectrograms SRC OUT --kind stft --n-fft 1024'
    """
    front = wanted.frontend
    if isinstance(wanted, Columns):
        return "give a table that has them"
    if front is None:
        return "give pictures that are drawn as those that it learnt from"
    if isinstance(wanted, Features):
        which = wanted.feature_set.name
        return f"give sound, or make such by mgrkit features SRC OUT.csv --set {which}"
    if not isinstance(wanted, Pictures):
        return "give sound"
    usual = {**front_end(front.name).options(), "fmax": front.rate / 2}
    options = front.options().items()
    other = [f" --{name} {value}" for name, value in options if value != usual.get(name)]
    command = f"mgrkit spectrograms SRC OUT --kind {front.name}{''.join(other)}"
    return f"give sound, or make such by {command}"


def check_drawing(data: Path, found: Input, wanted: Input) -> None:
    """Raise UsageError where DATA is drawn otherwise than ``--front-end`` asks for."""
    if found.digest != wanted.digest:
        raise UsageError(
            f"{data} holds {distinct_name(found, wanted)}, --front-end asks for {wanted.name}",
            "leave out --front-end, or give sound",
        )
