"""Weights of networks: got once, when asked for, and kept in the user's cache."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.errors import MgrkitError, UsageError, WeightsError, nearest
from mgrkit.files.cache import cache_folder, content_key
from mgrkit.files.lock import lock
from mgrkit.files.replacing import replacing
from mgrkit.registry import Weights, installed, resolve
from mgrkit.registry.catalogue import OWN
from mgrkit.registry.guard import one_line
from mgrkit.weights.addresses import published
from mgrkit.weights.wheels import download

if TYPE_CHECKING:
    from numpy.typing import NDArray

Progress = Callable[[str, int, int], None]
"""Called with what is done, and how many of how many; both are 0 where nobody knows."""

_ASK_EVERY = 0.1


@dataclass(frozen=True)
class Fetched:
    """Weights that are here.

    Parameters
    ----------
    new : False where they have been here before.
    """

    weights: Weights
    path: Path
    new: bool

    @property
    def licence(self) -> Path:
        """Where licence and authors are kept."""
        return _licence(self.path)

    def as_json(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "name": self.weights.name,
            "path": os.fspath(self.path),
            "bytes": self.path.stat().st_size,
            "sha256": self.weights.sha256,
            "fetched": self.new,
            "licence": os.fspath(self.licence),
        }


def weights_path(weights: Weights) -> Path:
    """The file in the cache; it is hashed once in a process.

    Raises
    ------
    WeightsError : it is not there, cannot be read, or is not what was pinned.
    """
    path = place(weights)
    try:
        about = path.stat()
        found = _hash(path, about.st_size, about.st_mtime_ns)
    except (FileNotFoundError, NotADirectoryError):
        size = f"{weights.wheel_bytes / 1e6:.0f} MB"
        raise WeightsError(
            f"the weights {weights.name} are not here",
            f"{command(weights)} gets them ({size}), mgrkit predict --fetch too",
        ) from None
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from None
    if found != weights.sha256:
        raise WeightsError(
            f"{path} is damaged: its SHA-256 is {found}, not {weights.sha256}",
            f"{command(weights)} gets it again",
        )
    return path


def place(weights: Weights) -> Path:
    """Where they are kept, if they are."""
    return cache_folder() / "weights" / f"{weights.name}-{weights.sha256[:16]}{weights.suffix}"


def at_hand(weights: Weights) -> bool:
    """Whether they are in the cache, complete."""
    try:
        return weights_path(weights).is_file()
    except WeightsError:
        return False


def command(weights: Weights) -> str:
    """What gets them."""
    return f"mgrkit models fetch {weights.name}"


def all_weights() -> list[Weights]:
    """Those that feature sets need, each name once; those of mgrkit first."""
    found: dict[str, Weights] = {}
    for _, weights in _needed():
        found.setdefault(weights.name, weights)
    return list(found.values())


def list_weights() -> list[dict[str, Any]]:
    """One object for each of `all_weights`; ``path`` is empty where they are not here.

    ``error`` says what is wrong with a file that is.
    """
    sets = installed().feature_sets()
    return [
        {
            "name": one.name,
            "summary": one.summary,
            "here": at_hand(one),
            "path": os.fspath(place(one).absolute()) if at_hand(one) else "",
            "error": _damage(one),
            "wheel_bytes": one.wheel_bytes,
            "command": command(one),
            "feature_sets": [each.name for each in sets if each.weights == one],
        }
        for one in all_weights()
    ]


def _damage(weights: Weights) -> str:
    try:
        weights_path(weights)
    except WeightsError as error:
        return error.message if place(weights).exists() else ""
    return ""


def find_weights(name: str) -> Weights:
    """The weights of this name.

    Raises
    ------
    UsageError : no feature set needs such (the nearest name is named), or two distributions
        call different ones so, neither of which is mgrkit.
    """
    claimed = [(maker, weights) for maker, weights in _needed() if weights.name == name]
    if not claimed:
        known = [weights.name for weights in all_weights()]
        raise UsageError(f"there are no weights {name!r}", nearest(name, known, "there are"))
    first, weights = claimed[0]
    others = [maker for maker, other in claimed if other.sha256 != weights.sha256]
    if others and first != OWN:
        raise UsageError(
            f"the weights {name} are claimed by {first} and by {others[0]}",
            f"MGRKIT_PLUGINS={first} leaves only those",
        )
    return weights


def fetch(
    weights: Weights, file: Path | None = None, progress: Progress = lambda *_: None
) -> Fetched:
    """Get weights into the cache, unless they are there: whole and as pinned, or not at all.

    The wheel comes from the package index that pip is set to, what is in no wheel from its
    address. Of two processes at once the second waits for the first.

    Parameters
    ----------
    file : the wheel, or what another machine's cache holds; then nothing is downloaded.

    Raises
    ------
    WeightsError : there is no network, pip or room; another SHA-256; a converter that fails.
    Stopped : Ctrl-C or SIGTERM.
    """
    # Ctrl-C is asked for between steps, so that it cannot hit while something is put in place.
    from mgrkit.compute.stopping import stop_signals
    from mgrkit.errors import Stopped

    path = place(weights)
    with stop_signals() as stop_requested:

        def reported(step: str, done: int, total: int) -> None:
            if stop_requested():
                raise Stopped("stopped")
            progress(step, done, total)

        try:
            if file:  # a wrong one is told even where the weights are here
                _given(weights, file)
            if at_hand(weights) and _licence(path).is_file():
                return Fetched(weights, path, new=False)
            with _alone(path, reported):
                new = not at_hand(weights)
                with _emptied(path) as folder:
                    made = _made(weights, file, folder, reported) if new else path
                    _keep(weights, made, path)
        except OSError as error:
            raise WeightsError(
                f"cannot keep the weights {weights.name} in {path.parent}: "
                f"{error.strerror or error}",
                f"{2 * weights.wheel_bytes / 1e6:.0f} MB are needed there for a moment; "
                "MGRKIT_CACHE names another folder",
            ) from None
    return Fetched(weights, path, new)


def _needed() -> list[tuple[str, Weights]]:
    """Distributions and the weights that their feature sets need, mgrkit's first."""
    plugins = sorted(installed().plugins, key=lambda plugin: plugin.distribution != OWN)
    return [
        (plugin.distribution, spec.weights)
        for plugin in plugins
        for spec in plugin.feature_sets
        if spec.weights
    ]


def _licence(path: Path) -> Path:
    return path.with_suffix(".LICENSE.txt")


@functools.lru_cache(maxsize=16)
def _hash(path: Path, size: int, changed: int) -> str:
    """The SHA-256 of a file of this size and time."""
    del size, changed
    return content_key(os.fspath(path))


@contextlib.contextmanager
def _alone(path: Path, progress: Progress) -> Iterator[None]:
    """A context that one process at a time is in, for each path."""
    name = path.with_suffix(".lock")
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with name.open("ab") as file:
            if lock(file.fileno()) and _is_at(file.fileno(), name):
                try:
                    yield
                finally:
                    # Whoever waits for it opens another, see `_is_at`.
                    with contextlib.suppress(OSError):
                        name.unlink()
                return
        progress("waiting for another process that fetches them", 0, 0)
        time.sleep(_ASK_EVERY)


def _is_at(fd: int, path: Path) -> bool:
    """Whether the open file is what lies there, and not one that was deleted meanwhile."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _emptied(path: Path) -> Iterator[Path]:
    """A folder beside ``path`` that goes at the end; those that killed processes left go, too."""
    prefix = f".{path.stem}."
    for left in path.parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=prefix, dir=path.parent, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def _made(weights: Weights, file: Path | None, folder: Path, progress: Progress) -> Path:
    """A file in ``folder`` whose SHA-256 is the pinned one."""
    made = folder / f"weights{weights.suffix}"
    if file and _given(weights, file) == weights.sha256:
        shutil.copyfile(file, made)
    elif weights.url:
        os.replace(published(weights, folder, progress), made)
    else:
        wheel = file or _downloaded(weights, folder, progress)
        step = f"converting {weights.name}"
        progress(step, 0, 0)
        made.write_bytes(_arrays(weights, wheel, lambda done, total: progress(step, done, total)))
    found = content_key(os.fspath(made))
    if found != weights.sha256:
        raise WeightsError(
            f"what {weights.convert} made has the SHA-256 {found}, not {weights.sha256}",
            "please tell its author",
        )
    return made


def _downloaded(weights: Weights, folder: Path, progress: Progress) -> Path:
    size = weights.wheel_bytes
    step = f"fetching {weights.name} ({size / 1e6:.1f} MB)"
    return download(weights, folder, lambda done: progress(step, done, size))


def _given(weights: Weights, file: Path) -> str:
    """The SHA-256 of a file that is the wheel or the weights."""
    if not file.is_file():
        raise UsageError(f"there is no file {file}", "--weights names a wheel or the file itself")
    try:
        found = content_key(os.fspath(file))
        size = file.stat().st_size
    except OSError as error:
        raise WeightsError(f"cannot read {file}: {error.strerror}") from None
    if found not in (weights.wheel_sha256, weights.sha256):
        pinned = f"{weights.wheel_sha256} ({weights.wheel_bytes:,} bytes)"
        known = f"the wheel {weights.package} {weights.version} is {pinned}, that of the weights "
        known = f"{weights.url} is {pinned}" if weights.url else known + weights.sha256
        raise WeightsError(
            f"{file} is not what was pinned: its SHA-256 is {found} ({size:,} bytes), "
            f"that of {known}"
        )
    return found


def _arrays(weights: Weights, wheel: Path, progress: Callable[[int, int], None]) -> bytes:
    """The safetensors file of what the converter makes of the wheel."""
    import numpy as np
    from safetensors.numpy import save

    from mgrkit.errors import Stopped

    try:
        arrays: dict[str, NDArray[Any]] = resolve(weights.convert)(wheel, progress)
        return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    except (WeightsError, Stopped, KeyboardInterrupt):
        raise
    except MgrkitError as error:  # it cannot be loaded
        raise WeightsError(error.message, error.hint) from error
    except BaseException as error:
        hint = "" if isinstance(error, OSError | MemoryError) else "please tell its author"
        raise WeightsError(f"{weights.convert} failed: {one_line(error)}", hint) from error


def _keep(weights: Weights, made: Path, path: Path) -> None:
    """Put the weights into their place, licence and authors first."""
    source = f"{weights.name}: {weights.summary}\nfrom {weights.package} {weights.version}\n"
    source += f"{weights.url}\n" if weights.url else ""
    with replacing(_licence(path)) as temp:
        temp.write_text(f"{source}by {weights.authors}\n\n{weights.licence}", encoding="utf-8")
    # Not by `replacing`: the file lies beside it already, in a folder with what it was made of.
    os.replace(made, path)
