"""A spawned process that runs one job after the other, and may crash or hang.

Used for suspects of an unclean end, and for jobs that hold the interpreter lock.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from mgrkit.batch.executors.memory import keep_pages
from mgrkit.batch.executors.threads import overdue
from mgrkit.batch.model import Item, Job, Output, Work
from mgrkit.errors import ItemError


def _serve(pipe: multiprocessing.connection.Connection, job: Job) -> None:
    """The child: items come in, outputs or errors go out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    keep_pages()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    pipe.send("ready")
    while True:
        try:
            item, prefix = pipe.recv()
        except EOFError:
            return
        try:
            outputs = job(item, Work(prefix, allow=lambda seconds: pipe.send(("allow", seconds))))
            answer: tuple[str, Any] = ("done", outputs)
        except BaseException as error:
            answer = ("error", _sendable(error))
        pipe.send(answer)


def _sendable(error: BaseException) -> BaseException:
    if isinstance(error, ItemError | OSError | MemoryError):
        return error
    return ItemError("internal", f"{type(error).__name__}: {error}")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def prepare(preload: Sequence[str]) -> Any:
    """The `multiprocessing` context of processes that need modules which take long to import.

    None of them is forked from this process. On Linux a server that does nothing else imports the
    modules, once, beside what this process does meanwhile, and they are forked from it; the
    earlier this is called, the earlier it begins. Elsewhere, and without modules, each is spawned.
    """
    if not (preload and sys.platform.startswith("linux")):
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    forkserver.ensure_running()
    return context


class Isolated:
    """Runs ``job`` in a process of its own, started at the first call and after each crash."""

    def __init__(self, job: Job, preload: Sequence[str] = ()) -> None:
        self.job, self._preload = job, preload
        self._process: multiprocessing.process.BaseProcess | None = None

    def __call__(self, item: Item, prefix: str, limit: float, fixed: bool) -> Sequence[Output]:
        """The job's outputs, or its error.

        Raises
        ------
        ItemError : ``crashed`` when the process ended, ``timeout`` when it was over its limit
            of ``limit`` seconds, which the job may extend unless it is ``fixed``.
        """
        try:
            if self._process is None:
                self._spawn()
                self._pipe.recv()  # an interpreter's start is not the item's time
            began = time.monotonic()
            self._pipe.send((item, prefix))
            while True:
                left = began + limit - time.monotonic()
                if left < 0 or not self._pipe.poll(left):
                    self.close()
                    raise overdue(limit)
                kind, value = self._pipe.recv()
                if kind == "allow":
                    limit = limit if fixed else max(limit, value)
                elif kind == "error":
                    raise value
                else:
                    outputs: Sequence[Output] = value
                    return outputs
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise self._crashed() from None

    def _spawn(self) -> None:
        context = prepare(self._preload)
        # A worker of Dask is a daemon, which may have no children; ours ends with its parent.
        multiprocessing.current_process().daemon = False
        self._pipe, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self.job), daemon=True)
        process.start()
        self._process = process
        theirs.close()

    def _crashed(self) -> ItemError:
        assert self._process is not None
        self._process.join(5)
        code = self._process.exitcode
        self.close()
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return ItemError("crashed", f"reading it ends the process natively ({how})")

    def close(self) -> None:
        """End the process, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = None
