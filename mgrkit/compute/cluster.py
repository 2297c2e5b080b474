"""A cluster of Dask: where it is, and a connection to it.

Passwords and TLS are Dask's own matter: its configuration files and variables
(``DASK_DISTRIBUTED__COMM__TLS__...``) are taken as they are.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.errors import RunError, UsageError

if TYPE_CHECKING:
    import asyncio

LONGEST_WAIT = 30.0
"""Seconds until a scheduler must answer, and until one without workers must have some."""
_PATIENCE = 4.0
_MOST_LOCAL = 256
_ADDRESS = r"(tcp|tls|ws|wss|ucx)://[^/\s]+:([0-9]+)"
_USUAL = {0, 20, 30, 60}
"""Levels that Dask itself sets when it is imported, or we."""
_SILENT = 60
"""Above all levels of `logging`."""
_OWN_WORKER = (
    "import os, signal; os.dup2(2, 1); "
    "signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)"
)
"""What a worker of our own runs first: stdout is for results, and Ctrl-C is the client's to
handle, which a terminal sends to all. A worker ends with its client, whatever ends that."""


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
        if (match := re.fullmatch(_ADDRESS, text)) and 0 < int(match[2]) < 1 << 16:
            return cls(address=text)
        if Path(text).is_file():
            return cls(file=text)
        raise UsageError(
            "--cluster must be tcp://HOST:PORT, or tls://, a scheduler file or local:N, "
            f"not {text!r}",
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
            import dask

            # Dask keeps so many messages of each connection, arguments included; usually 1,000.
            stack.enter_context(dask.config.set({"distributed.admin.low-level-log-length": 10}))
            where: Any = self._filed() if self.file else self.address
            if self.processes:
                where = await stack.enter_async_context(_own(distributed, self.processes))
            client = await self._answered(distributed, where)
            stack.push_async_callback(_left, client)
            if not self.processes:
                await self._check_version(client, distributed.__version__)
            yield client

    async def _answered(self, distributed: Any, where: Any) -> Any:
        """A client that is connected; one that is not is closed again."""
        import asyncio

        try:
            client = distributed.Client(
                where, asynchronous=True, timeout=_PATIENCE, set_as_default=False
            )
        except Exception as error:  # TLS that is not set up, a transport that is not installed
            raise self._nobody(error) from None
        # Not `wait_for`: what answers otherwise than Dask leaves it waiting for ever.
        started = asyncio.ensure_future(client)
        try:
            with warnings.catch_warnings():  # of other versions, which are for us to judge
                warnings.simplefilter("ignore")
                await asyncio.wait({started}, timeout=2 * _PATIENCE)
            if not started.done():
                raise TimeoutError
            return started.result()
        except Exception as error:  # whatever an answer that is none of Dask's is taken for
            await self._give_up(client, started)
            raise self._nobody(error) from None
        except BaseException:
            await self._give_up(client, started)
            raise

    @staticmethod
    async def _give_up(client: Any, started: asyncio.Future[Any]) -> None:
        import asyncio

        started.cancel()
        await asyncio.wait({asyncio.ensure_future(_left(client))}, timeout=2)

    def _filed(self) -> str:
        """The address in the scheduler file."""
        try:
            address = json.loads(Path(self.file).read_bytes())["address"]
        except OSError as error:
            raise RunError(f"cannot read {self.file}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            address = None
        if not isinstance(address, str) or not re.fullmatch(_ADDRESS, address):
            what = f"{self.file} is no scheduler file"
            raise RunError(what, "dask scheduler --scheduler-file writes one")
        return address

    def _nobody(self, error: Exception) -> RunError:
        if self.address.startswith("tls:") and isinstance(error, TypeError):
            return RunError(
                f"{self} needs certificates, and Dask is given none",
                "set distributed.comm.tls in its configuration",
            )
        other = isinstance(error, OSError | MemoryError | AssertionError)
        told = "" if other else f": {type(error).__name__}: {error}"
        return RunError(
            f"no Dask scheduler answers at {self}{told}",
            "start one with: dask scheduler; and workers with: dask worker ADDRESS",
        )

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


@contextlib.asynccontextmanager
async def _own(distributed: Any, processes: int) -> AsyncIterator[Any]:
    """A cluster on this machine, of which nothing is left afterwards.

    There is no limit of memory for each worker, as there is none for a run without a cluster.
    """
    try:
        cluster = await distributed.LocalCluster(
            n_workers=processes, threads_per_worker=1, processes=True, asynchronous=True,
            host="127.0.0.1", dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=0, preload=_OWN_WORKER, silence_logs=_SILENT,
        )  # fmt: skip
    except (OSError, RuntimeError, TimeoutError) as error:
        raise RunError(f"no cluster can be started here: {error}") from None
    try:
        yield cluster
    except BaseException:
        # Who ends early does not wait for what is at work.
        for nanny in cluster.workers.values():
            with contextlib.suppress(Exception):
                nanny.auto_restart = False
                os.kill(nanny.pid, signal.SIGKILL)
        raise
    finally:
        await cluster.close()


async def _left(client: Any) -> None:
    """Close a connection, also one whose other end is gone, without waiting for it."""
    with contextlib.suppress(Exception):
        await client.close(timeout=2)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What Dask logs on the way is for its own people; what goes wrong is said by us.

    It goes on to log after the end, for instance of connections that it still closes. So only
    those who have set their levels themselves, and used Dask before, get them back.
    """
    import logging

    before = {}
    for name in ("distributed", "distributed.client", "tornado"):
        logger = logging.getLogger(name)
        before[logger] = logger.level
        logger.setLevel(_SILENT)
    try:
        yield
    finally:
        for logger, level in before.items():
            if level not in _USUAL:
                logger.setLevel(level)
