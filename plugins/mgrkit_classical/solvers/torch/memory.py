"""How much memory a fit may take where it computes, asked before it is taken."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mgrkit.errors import RunError

if TYPE_CHECKING:
    from mgrkit_classical.arrays import Place

    Made = TypeVar("Made")

_SHARE = {"cuda": 0.8, "cpu": 0.4}
"""Of what is free: a device is there for the fit, a machine has other things to do."""

_UNKNOWN = 1 << 30
"""Bytes, where nothing says how much is free."""

_NO_MORE = "can't allocate memory"

_LESS = 4
"""After running out of memory, this part of it is granted."""

_CURE = "free some, leave tracks out, or choose another device"


def granted(place: Place) -> int:
    """Bytes that one fit may take on a torch device."""
    kind = place.device.partition(":")[0]
    share = _SHARE.get(kind, _SHARE["cpu"])
    if kind == "cuda":
        cuda = place.xp.cuda
        free = cuda.mem_get_info(place.device)[0]
        # Torch keeps what was freed, and gives it out again.
        kept = cuda.memory_reserved(place.device) - cuda.memory_allocated(place.device)
        return int(share * (free + kept))
    return int(share * _of_machine())


def within(place: Place, what: str, least: int, fit: Callable[[int], Made]) -> Made:
    """What ``fit`` makes of the bytes granted; tried a second time, with fewer, if they run out.

    Parameters
    ----------
    what : a name for people, e.g. 'the svm'.
    least : bytes below which it cannot be done at all.

    Raises
    ------
    RunError : fewer than ``least`` are granted, or they ran out twice; the device failed.
    """
    torch, bytes_ = place.xp, granted(place)
    if bytes_ < least:
        raise RunError(
            f"{what} does not fit in the memory of {place.device}: it takes {_megabytes(least)} at "
            f"least, {_megabytes(bytes_)} may be taken",
            _CURE,
        )
    for more in (bytes_, max(least, bytes_ // _LESS)):
        try:
            return fit(more)
        except torch.AcceleratorError as error:
            # Of its many lines, the others are for whoever wrote the kernel that failed.
            first = str(error).partition("\n")[0]
            raise RunError(
                f"{place.device} failed while it fit {what}: {first}",
                "see whether it is still there, or choose another device",
            ) from error
        except RuntimeError as error:
            # The CPU's allocator raises what only its message tells from other errors.
            if not isinstance(error, torch.OutOfMemoryError) and _NO_MORE not in str(error):
                raise
        # Out of the handler, for its error holds the arrays that did not fit.
        if place.device.startswith("cuda"):
            torch.cuda.empty_cache()
    raise RunError(
        f"{what} does not fit in the memory of {place.device}: it ran out with "
        f"{_megabytes(bytes_)} granted, and with {_megabytes(more)}; it takes {_megabytes(least)} "
        "at least",
        _CURE,
    )


def _of_machine() -> int:
    """Bytes of main memory that are free, in this container and to this process."""
    found = []
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")]
    group = Path("/sys/fs/cgroup")
    for most, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        # 'max' is no number: no limit.
        with contextlib.suppress(OSError, ValueError):
            found.append(int((group / most).read_text()) - int((group / used).read_text()))
    with contextlib.suppress(ImportError, OSError, ValueError, IndexError):  # none on Windows
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        if limit != resource.RLIM_INFINITY:
            found.append(limit - pages * resource.getpagesize())
    return max(0, min(found)) if found else _UNKNOWN


def _megabytes(count: int) -> str:
    return f"{-(-count >> 20):,} MB"
