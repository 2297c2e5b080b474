"""How many threads torch computes with on a CPU."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mgrkit_classical.arrays import Place


@contextlib.contextmanager
def one(place: Place) -> Iterator[None]:
    """On a CPU torch computes on this thread alone.

    A fit is very many small steps, between which other threads would wait spinning: on cores that
    have other work too, that takes many times as long. And sums are the same to the last digit on
    any number of cores.
    """
    usual = place.xp.get_num_threads()
    if place.device == "cpu":
        place.xp.set_num_threads(1)
    try:
        yield
    finally:
        place.xp.set_num_threads(usual)
