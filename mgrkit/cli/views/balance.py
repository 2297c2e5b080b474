"""How many tracks each genre has, for a person."""

from __future__ import annotations

from mgrkit.cli.terminal.printing import print_table
from mgrkit.tracks.balance import Balance
from mgrkit.tracks.splits import PARTS


def show_balance(found: Balance) -> None:
    """A line a genre, with its parts where there are any, then how unequal they are."""
    parted = any(any(one.parts) for one in found.genres)
    heads = ("tracks", *(PARTS if parted else ()), "genre")
    rows = [
        (f"{one.tracks:,}", *(f"{n:,}" for n in (one.parts if parted else ())), one.genre)
        for one in found.genres
    ]
    total = f"{sum(one.tracks for one in found.genres):,}"
    sums = (f"{sum(n):,}" for n in zip(*(one.parts for one in found.genres), strict=True))
    print_table(heads, [*rows, (total, *(sums if parted else ()), "all")])
    if found.unnamed:
        print(f"{found.unnamed:,} tracks have no genre")
    if len(found.genres) > 1:
        print(f"the largest genre has {found.ratio:,.1f} times the tracks of the smallest")
