"""Who hears a signal, one within another."""

from __future__ import annotations

import asyncio
import os
import signal

from mgrkit.batch.signals import Signals


def test_the_inner_one_hears_and_gives_the_signals_back() -> None:
    heard: list[str] = []

    async def kill() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.05)

    async def going() -> None:
        with Signals(lambda _: heard.append("outer")):
            with Signals(lambda _: heard.append("inner")):
                pass
            await kill()
            with Signals(lambda _: heard.append("inner")):
                await kill()
        assert Signals._current is None

    before = signal.getsignal(signal.SIGTERM)
    try:
        asyncio.run(going())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == ["outer", "inner"]


def test_alone_it_leaves_the_signals_as_they_are_usually() -> None:
    async def going() -> None:
        with Signals(lambda _: None):
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    before = signal.getsignal(signal.SIGTERM)
    try:
        asyncio.run(going())
    finally:
        signal.signal(signal.SIGTERM, before)
