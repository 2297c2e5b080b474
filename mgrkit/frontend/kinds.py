"""The kinds of spectrograms, a line each: what is fixed of a kind and what can be chosen.

How a kind is computed and marked stands in the file of ``mgrkit/spectrograms/kinds`` that it names.
"""

from __future__ import annotations

from dataclasses import dataclass

KAGGLE = "kaggle-images"


@dataclass(frozen=True)
class Kind:
    """What holds for all front ends of a kind.

    Parameters
    ----------
    code : the module in ``mgrkit.spectrograms.kinds``.
    help : what it is, in a few words, where its name does not say.
    has_mel : whether its bands are those of a `Mel` record.
    bands : how many there are otherwise; 0 where each frequency of the transform is one.
    padding : of the transform.
    frames_a_column : of the transform, from one column of the picture to the next.
    is_fixed : whether nothing but its usual values is allowed.
    """

    code: str
    help: str
    has_mel: bool = False
    bands: int = 0
    padding: str = "constant"
    frames_a_column: float = 1.0
    is_fixed: bool = False


KINDS: dict[str, Kind] = {
    "mel": Kind("mel", "", has_mel=True),
    "stft": Kind("stft", "linear frequency"),
    KAGGLE: Kind(
        "kaggle",
        "as GTZAN's public pictures",
        has_mel=True,
        padding="reflect",
        frames_a_column=1293 / 334.8,  # in the pictures of most clips
        is_fixed=True,
    ),
}
"""By name. A new kind is a line here and a file there."""


def in_words() -> str:
    """All kinds, each with its help.

    >>> in_words()
    "mel, stft (linear frequency) or kaggle-images (as GTZAN's public pictures)"
    """
    *others, last = (f"{name} ({k.help})" if k.help else name for name, k in KINDS.items())
    return f"{', '.join(others)} or {last}"
