"""What examples are in words: how two kinds of them differ, and how to get one."""

from __future__ import annotations

from mgrkit.files.difference import difference
from mgrkit.frontend import front_end
from mgrkit.inputs.kinds import Input, Pictures


def distinct_name(found: Input, wanted: Input) -> str:
    """What ``found`` is called, with the options that differ where ``wanted`` is called so, too.

    >>> distinct_name(Pictures(front_end(n_mels=64)), Pictures(front_end()))
    'mel pictures with --n-mels 64 instead of 128'
    """
    if found.name != wanted.name or found.frontend is None or wanted.frontend is None:
        return found.name
    options = difference(found.frontend.options(), wanted.frontend.options())
    return f"{found.name} with {options}" if options else f"{found.name} of another release"


def how_to_get(wanted: Input) -> str:
    """What to give, or the command that makes such examples, as a hint.

    >>> how_to_get(Pictures(front_end("stft", n_fft=1024)))
    'give sound, or make such by mgrkit spectrograms SRC OUT --kind stft --n-fft 1024'
    """
    front = wanted.frontend
    if front is None:
        return "give pictures that are drawn as those that it learnt from"
    if wanted.columns:
        return f"give sound, or make such by mgrkit features SRC OUT.csv --set {wanted.name}"
    if not isinstance(wanted, Pictures):
        return "give sound"
    usual = {**front_end(front.kind).options(), "fmax": front.rate / 2}
    options = front.options().items()
    other = [f" --{name} {value}" for name, value in options if value != usual.get(name)]
    command = f"mgrkit spectrograms SRC OUT --kind {front.kind}{''.join(other)}"
    return f"give sound, or make such by {command}"
