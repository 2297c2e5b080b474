"""What a call leaves behind beside its result: output, global seeds, threads, unsafe loads."""

from __future__ import annotations

import contextlib
import functools
import io
import multiprocessing
import os
import pickle
import random
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np


@dataclass
class Traces:
    """What was seen while `watched` was entered.

    Parameters
    ----------
    output : what went to standard output, by Python or to its descriptor.
    seeds : the global generators whose state is another than before.
    running : the threads and child processes that were started and have not ended.
    unsafe : the loaders called that can run code.
    """

    output: str = ""
    seeds: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    unsafe: list[str] = field(default_factory=list)


@contextlib.contextmanager
def watched() -> Iterator[Traces]:
    """Gives traces that are complete once the block has ended."""
    traces = Traces()
    _stir()
    states, threads, children = _generators(), set(threading.enumerate()), _children()
    with _output(traces), _loaders(traces.unsafe):
        yield traces
    after = _generators()
    traces.seeds = [name for name, state in states.items() if after[name] != state]
    traces.running = [t.name for t in threading.enumerate() if t not in threads]
    traces.running += [f"process {pid}" for pid in sorted(_children() - children)]


@contextlib.contextmanager
def _output(traces: Traces) -> Iterator[None]:
    """Take standard output twice over: Python's object, and the descriptor that C writes to."""
    sys.stdout.flush()
    kept, text = os.dup(1), io.StringIO()
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        try:
            with contextlib.redirect_stdout(text):
                yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            file.seek(0)
            traces.output = text.getvalue() + file.read().decode(errors="replace")


def _generators() -> dict[str, object]:
    """The state of each global generator that is loaded, comparable."""
    _, key, *rest = np.random.get_state()  # noqa: NPY002
    states: dict[str, object] = {
        "random": random.getstate(),
        "numpy.random": (np.asarray(key).tobytes(), *rest),
    }
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        states["torch"] = torch.get_rng_state().numpy().tobytes()
    return states


def _stir() -> None:
    """Move each global generator on: seeded twice alike, it would seem never to have moved."""
    random.random()  # noqa: S311
    np.random.uniform()  # noqa: NPY002
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.rand(1)


def _children() -> set[int]:
    """The processes that this one started; where there is no /proc, multiprocessing's."""
    found = {child.pid for child in multiprocessing.active_children() if child.pid}
    for children in Path("/proc/self/task").glob("*/children"):
        # A thread may end between the listing and the reading.
        with contextlib.suppress(OSError):
            found |= {int(pid) for pid in children.read_text().split()}
    return {pid for pid in found if not _is_tracker(pid)}


def _is_tracker(pid: int) -> bool:
    """Python's own watcher of shared memory stays for as long as the interpreter does."""
    try:
        return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


@contextlib.contextmanager
def _loaders(unsafe: list[str]) -> Iterator[None]:
    """Note the calls of loaders that can run code; a refusal could be caught and hidden."""
    with contextlib.ExitStack() as stack:
        for module, names in (("pickle", ("load", "loads")), ("torch", ("load",)),
                              ("joblib", ("load",)), ("numpy", ("load",))):  # fmt: skip
            for name in names if module in sys.modules else ():
                original = getattr(sys.modules[module], name)
                noting = _noting(f"{module}.{name}", original, unsafe)
                stack.enter_context(mock.patch.object(sys.modules[module], name, noting))

        class Unpickler(pickle.Unpickler):
            def __init__(self, *args: Any, **options: Any) -> None:
                unsafe.append("pickle.Unpickler")
                super().__init__(*args, **options)

        stack.enter_context(mock.patch.object(pickle, "Unpickler", Unpickler))
        yield


_listeners: list[list[str]] = []


@functools.cache
def _listen() -> None:
    """An audit hook cannot be taken away again, so there is one at most."""

    def hear(event: str, args: tuple[Any, ...]) -> None:
        if event == "pickle.find_class":
            for listener in _listeners:
                listener.append(f"unpickling {args[0]}.{args[1]}")

    sys.addaudithook(hear)


@contextlib.contextmanager
def unpickling(found: list[str]) -> Iterator[None]:
    """Note every object that is unpickled, by whichever name the loader was imported."""
    _listen()
    _listeners.append(found)
    try:
        yield
    finally:
        _listeners.remove(found)


def _noting(name: str, original: Callable[..., Any], unsafe: list[str]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        if name != "numpy.load" or options.get("allow_pickle"):
            unsafe.append(name)
        return original(*args, **options)

    return call
