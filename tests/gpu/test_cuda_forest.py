"""The forest in torch on a CUDA device; skipped where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from mgrkit.classifiers import Run
from mgrkit.testing.keeping_promises import has_cuda

pytestmark = pytest.mark.skipif(not has_cuda(), reason="no CUDA device is here")


@pytest.mark.parametrize("granted", [None, 64 << 20])
def test_cuda_and_the_cpu_grow_the_same_forest(
    granted: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from mgrkit_classical.arrays import Place
    from mgrkit_classical.hooks import RandomForestParameters
    from mgrkit_classical.solvers.torch import forest, memory

    rng = np.random.default_rng(0)
    y = np.arange(4000) % 8
    x = (rng.normal(size=(8, 60))[y] + 2 * rng.normal(size=(4000, 60))).astype(np.float32)
    weight = rng.uniform(0.5, 1.5, 4000)
    if granted:
        monkeypatch.setattr(memory, "granted", lambda place: granted)
    there, here = (
        forest.grown(
            x, y, 8, weight, RandomForestParameters(trees=20), Place(torch, device), Run(0, device)
        )
        for device in ("cuda", "cpu")
    )
    for mine, other in zip(there, here, strict=True):
        for some, others in zip(mine, other, strict=True):
            assert all(map(np.array_equal, some, others))
