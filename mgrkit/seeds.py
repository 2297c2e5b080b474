"""Random generators that depend on nothing but what they are for.

A choice is drawn from ``generator(run_seed, relative path, variant)``: never from a global
generator, so that neither the number of workers nor the order, a resumed run or the place
of the folder changes a result.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Part = str | int | float


def entropy(run_seed: int, path: str, variant: tuple[Part, ...] = ()) -> int:
    """A 128-bit number for a run seed, a relative POSIX path and a variant.

    The parts are hashed (SHA-256 of their canonical JSON), so that neighbouring seeds and
    paths give unrelated streams.
    """
    text = json.dumps([run_seed, path, list(variant)], ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16])


def bit_generator(run_seed: int, path: str, variant: tuple[Part, ...] = ()) -> np.random.SFC64:
    """The raw generator (SFC64, the fastest of NumPy's) for this choice."""
    import numpy as np

    return np.random.SFC64(np.random.SeedSequence(entropy(run_seed, path, variant)))


def generator(run_seed: int, path: str, variant: tuple[Part, ...] = ()) -> np.random.Generator:
    """A generator for this choice and no other.

    >>> int(generator(0, "blues/a.wav", ("white", 1)).integers(100)) == int(
    ...     generator(0, "blues/a.wav", ("white", 1)).integers(100))
    True
    """
    import numpy as np

    return np.random.Generator(bit_generator(run_seed, path, variant))
