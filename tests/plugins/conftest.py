"""What the tests of mgrkit's own plugins share."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As fast as more for networks this small; and the last digits hang on it."""
    if importlib.util.find_spec("torch") is None:
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves are not drawn, which takes longer than all else of a small fit."""
    from mgrkit_neural import curves

    monkeypatch.setattr(curves, "write_curves", lambda *_: None)
