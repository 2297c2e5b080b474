"""asyncio-pool, and the only place that knows its traps (version 0.6).

``map`` and ``itermap`` keep every result, exceptions vanish into futures that nobody reads,
leaving its context joins but never cancels, and cancelling a task that waits in ``spawn`` is
swallowed. So: only ``spawn``, a handler that never raises, and items that end by themselves
when the run is to stop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TypeVar

from asyncio_pool import AioPool

T = TypeVar("T")


async def each(
    items: AsyncIterator[T],
    handle: Callable[[T], Coroutine[None, None, None]],
    size: int,
) -> None:
    """Run ``handle(item)`` for every item, at most ``size`` in flight, in the items' order.

    Items are drawn one by one as places become free; those in flight are waited for, also when
    drawing fails. ``handle`` must not raise.
    """
    pool = AioPool(size=size)
    try:
        async for item in items:
            await pool.spawn(handle(item))
    finally:
        await pool.join()
