"""A cluster of Dask: where it is, and a connection to it.

Passwords and TLS are Dask's own matter: its configuration files and variables
(``DASK_DISTRIBUTED__COMM__TLS__...``) are taken as they are.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgrkit.errors import RunError, UsageError

LONGEST_WAIT = 30.0
"""Seconds until a scheduler must answer, and until one without workers must have some."""
_PATIENCE = 5.0
_MOST_LOCAL = 256


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a cluster is; one of the three is given.

    Parameters
    ----------
    address : of a scheduler.
    file : that a scheduler wrote with ``--scheduler-file``.
    processes : of a cluster of our own on this machine, one thread each.
    """

    address: str = ""
    file: str = ""
    processes: int = 0

    @classmethod
    def of(cls, text: str) -> Cluster:
        """What ``--cluster`` names: ``tcp://HOST:PORT``, a scheduler file, or ``local:N``.

        Raises
        ------
        UsageError : anything else.
        """
        if match := re.fullmatch(r"local:([0-9]+)", text):
            processes = int(match[1])
            if not 1 <= processes <= _MOST_LOCAL:
                raise UsageError(f"--cluster local:N takes 1 to {_MOST_LOCAL}, not {processes}")
            return cls(processes=processes)
        if re.fullmatch(r"(tcp|tls|ws|wss|ucx)://[^/\s]+:[0-9]+", text):
            return cls(address=text)
        if Path(text).is_file():
            return cls(file=text)
        raise UsageError(
            f"--cluster must be tcp://HOST:PORT, a scheduler file or local:N, not {text!r}",
            "a scheduler file is what dask scheduler --scheduler-file writes",
        )

    def __str__(self) -> str:
        return self.address or self.file or f"local:{self.processes}"

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[Any]:
        """An asynchronous ``distributed.Client``; the cluster of others stays up after it.

        Raises
        ------
        RunError : Dask is not installed, nobody answers there, or one of another version.
        """
        distributed = _distributed()
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(_quiet())
            where: Any = self.address or None
            if self.processes:
                where = await stack.enter_async_context(
                    distributed.LocalCluster(
                        n_workers=self.processes, threads_per_worker=1, processes=True,
                        asynchronous=True, dashboard_address=":0", host="127.0.0.1",
                        silence_logs=logging.CRITICAL,
                    )
                )  # fmt: skip
            client = await self._answered(distributed, where)
            stack.push_async_callback(_left, client)
            if not self.processes:
                await self._check_version(client, distributed.__version__)
            yield client

    async def _answered(self, distributed: Any, where: Any) -> Any:
        given = {"scheduler_file": self.file} if self.file else {}
        try:
            return await distributed.Client(
                where, asynchronous=True, timeout=_PATIENCE, set_as_default=False, **given
            )
        except (OSError, ValueError, TypeError, KeyError) as error:
            told = f": {error}" if isinstance(error, ValueError | TypeError | KeyError) else ""
            raise RunError(
                f"no Dask scheduler answers at {self}{told}",
                "start one with: dask scheduler; and workers with: dask worker ADDRESS",
            ) from None

    async def _check_version(self, client: Any, own: str) -> None:
        try:
            there = (await client.get_versions())["scheduler"]["packages"]["distributed"]
        except Exception as error:  # what a scheduler of another time answers, nobody knows
            there = f"something else ({type(error).__name__})"
        if there != own:
            raise RunError(
                f"the scheduler at {self} runs distributed {there}, here is {own}",
                "install the same version on both",
            )


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise RunError(
            "--cluster needs Dask, which is not installed", "pip install 'mgrkit[cluster]'"
        ) from None
    return distributed


async def _left(client: Any) -> None:
    """Close a connection, also one whose other end is gone, without waiting for it."""
    await client.close(timeout=2)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What Dask logs on the way is for its own people; what goes wrong is said by us."""
    before = {}
    for name in ("distributed", "distributed.client", "tornado"):
        logger = logging.getLogger(name)
        before[logger] = logger.level
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)
