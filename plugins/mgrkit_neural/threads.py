"""torch's threads do not outlive a fork: what a forked process must not try.

torch computes on a pool of threads, which a fork does not copy. A child of a process that has used
them waits for them for ever, and nothing that can be called in the child brings them back. On one
thread it computes as before.
"""

from __future__ import annotations

import os

import torch

from mgrkit.errors import RunError

_started = False
"""Whether this process has computed on several threads."""
_lost = False
"""Whether it was forked from one that had."""


def check() -> None:
    """To be called before torch computes.

    Raises
    ------
    RunError : it would never end, because this process is a fork of one that had computed.
    """
    global _started
    if torch.get_num_threads() == 1:
        return
    if _lost:
        raise RunError(
            "torch cannot compute in this process: it was forked from one where torch had begun",
            "start processes by multiprocessing.get_context('spawn'), or call "
            "torch.set_num_threads(1) in each",
        )
    _started = True


def _forked() -> None:
    global _lost
    _lost = _lost or _started


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_forked)
