"""What musicnn hears and gives, import-light: front end, windows, names of the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mgrkit.frontend import Compression, FrontEnd, Mel, Transform

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

FRONT_END = FrontEnd(
    sample_rate=16_000,
    transform=Transform(512, 256, padding="reflect"),
    mel=Mel(n_mels=96, fmax=8_000.0),
    decibels=None,
    compression=Compression(10_000.0),
)

WINDOW, HOP = 187, 61
"""Frames of a window and from one to the next: 2.992 s and 0.976 s."""

FRAME_SECONDS = FRONT_END.transform.hop_length / FRONT_END.rate
TIMBRAL = ((7, 38), (7, 67))
"""Frames and bands of the kernels that see the colour of sound, 204 filters of each..."""
TEMPORAL = ((128, 1), (64, 1), (32, 1))
"""...and of those that see its course within a band, 51 filters of each."""
HEARD, MIDDLE, UNITS = 2 * 204 + 3 * 51, 64, 200
"""Feature maps of the front end and of each of three layers in the middle; penultimate units."""
POOLED = HEARD + 3 * MIDDLE

TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s",
    "alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists",
    "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s", "chill",
    "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic", "experimental",
    "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening", "sexy",
    "catchy", "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop",
    "sad", "House", "happy",
)  # fmt: skip
PENULTIMATE = tuple(f"unit{number:03}" for number in range(UNITS))
POOL = tuple(f"{how}{number:03}" for how in ("max", "mean") for number in range(POOLED))


class Layers(NamedTuple):
    """Of ``n`` windows: tags ``(n, 50)``, penultimate ``(n, 200)``, pool ``(n, 1506)``."""

    tags: Floats
    penultimate: Floats
    pool: Floats


def numbered(kind: str, number: int) -> str:
    """The name of a layer as the checkpoint has it: ``conv2d``, ``conv2d_1``, ..."""
    return f"{kind}_{number}" if number else kind


def _tensors() -> dict[str, tuple[int, ...]]:
    kernels: dict[str, list[tuple[int, ...]]] = {
        "conv2d": [
            *((*size, 1, 204) for size in TIMBRAL),
            *((*size, 1, 51) for size in TEMPORAL),
            *((7, maps, 1, MIDDLE) for maps in (HEARD, MIDDLE, MIDDLE)),
        ],
        "dense": [(2 * POOLED, UNITS), (UNITS, len(TAGS))],
    }
    shapes: dict[str, tuple[int, ...]] = {}
    for kind, sizes in kernels.items():
        for number, size in enumerate(sizes):
            shapes[f"{numbered(kind, number)}/kernel"] = size
            shapes[f"{numbered(kind, number)}/bias"] = size[-1:]
    convolved = [size[-1] for size in kernels["conv2d"]]
    for number, width in enumerate([1, *convolved, 2 * POOLED, UNITS]):
        for moment in ("gamma", "beta", "moving_mean", "moving_variance"):
            shapes[f"{numbered('batch_normalization', number)}/{moment}"] = (width,)
    return shapes


TENSORS = _tensors()
"""Names and shapes of what the network has learnt, as its checkpoint has them."""
