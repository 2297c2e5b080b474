"""One of two processes that fit together: ``python -m tests.plugins.fit_together RANK FOLDER``.

For each scenario of ``order.json`` in FOLDER it writes what came of it to ``RANK.json``.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mgrkit_neural import resuming
from torch import Tensor, distributed

from mgrkit.errors import MgrkitError, Stopped
from tests.plugins.small_network import fit, small


def scenario(kind: str, rank: int, folder: Path, recipe: dict[str, Any]) -> dict[str, Any]:
    """What came of one fit in which the second process fails in this way, or does not."""
    told: dict[str, Any] = {"progress": [], "notes": []}
    steps: list[Tensor] = []

    def call(x: Tensor) -> object:
        steps.append(x)
        late = rank == 1 and len(steps) > 7
        if late and kind == "memory":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return float("nan") if late and kind == "not finite" else None

    run: dict[str, Any] = {
        "rank": rank,
        "world_size": 2,
        "progress": lambda step, *_: told["progress"].append(step),
        "note": told["notes"].append,
        "stop_requested": lambda: kind == "stop" and rank == 1 and len(steps) > 7,
    }
    if kind == "whole":
        run["folder"] = folder / "run"
    try:
        told["probabilities"] = fit(small(call, drop=0.0, **recipe), **run).tolist()
        told["steps"] = len(steps)
    except Stopped:
        told["stopped"] = len(steps)
    except MgrkitError as error:
        told["error"] = str(error)
    return told


def main(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    resuming.EVERY = 0.0
    order = json.loads((folder / "order.json").read_text())
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{folder / order['meeting']}",
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=120),
    )
    np.seterr(all="raise")
    try:
        told = [scenario(kind, rank, folder, order["recipe"]) for kind in order["kinds"]]
    finally:
        distributed.destroy_process_group()  # or its threads may be alive when the process ends
    (folder / f"{rank}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
