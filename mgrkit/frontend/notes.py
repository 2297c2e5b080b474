"""Names of notes, and their frequencies."""

from __future__ import annotations

import re

from mgrkit.errors import UsageError

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NOTE = re.compile(r"([A-Ga-g])([#b]?)(-?[0-9])")


def midi(note: str) -> int:
    """The number of a note such as C1, F#2 or Bb3; C4 is the middle C, 60.

    >>> midi("A4"), midi("bb-1")
    (69, 10)

    Raises
    ------
    UsageError : any other text.
    """
    match = _NOTE.fullmatch(note)
    if not match:
        raise UsageError(f"{note!r} is no note", "a letter, # or b, and the octave: C1, F#2, Bb3")
    letter, sign, octave = match.groups()
    shift = {"#": 1, "b": -1, "": 0}[sign]
    return 12 * (int(octave) + 1) + _SEMITONES[letter.upper()] + shift


def hertz_of(note: str) -> float:
    """The frequency of a note in equal temperament, A4 at 440 Hz.

    >>> round(hertz_of("C1"), 3)
    32.703

    Raises
    ------
    UsageError : a text that is no note.
    """
    return float(440 * 2 ** ((midi(note) - 69) / 12))
