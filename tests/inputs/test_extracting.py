"""Feature sets that are networks: one lane for all threads, and what they must have."""

from __future__ import annotations

import dataclasses
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mgrkit.errors import ItemError, RunError, UsageError, WeightsError
from mgrkit.frontend import FrontEnd
from mgrkit.inputs import extracting
from mgrkit.inputs.extracting import Lane, extractor
from mgrkit.registry import FeatureSetSpec, SummarySpec, Weights

HERE = "tests.inputs.test_extracting"


class Ears:
    """Rows (level, size of the batch); NaN makes a batch fail, silence a piece."""

    made: list[tuple[Path | None, str]] = []  # noqa: RUF012
    last: Ears

    def __init__(self, weights: Path | None = None, device: str = "cpu") -> None:
        self.made.append((weights, device))
        Ears.last = self
        self.inside = 0
        self.batches: list[int] = []
        self.hold = threading.Event()
        self.hold.set()

    def prepare(self, samples: NDArray[np.float32]) -> NDArray[Any]:
        if not samples.any():
            raise ItemError("silent", "nothing")
        return samples.reshape(2, -1).mean(axis=1)

    def embed(self, prepared: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        self.inside += 1
        self.hold.wait(5)
        self.batches.append(len(prepared))
        if any(np.isnan(one).any() for one in prepared):
            raise ValueError("not a number")
        return [np.stack([one, one * 2], axis=1) for one in prepared]


class Short(Ears):
    def embed(self, prepared: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        return []


RATE = 22050
SPEC = FeatureSetSpec(
    name="ears", summary="for tests", factory=f"{HERE}:Ears", frontend=FrontEnd(),
    columns=("one", "two"), window=0.5, hop=0.5, batch_size=4, devices=("cuda", "cpu"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _new_each_time() -> Iterator[None]:
    Ears.made.clear()
    extracting._loaded.cache_clear()
    yield
    extracting._loaded.cache_clear()


def piece(level: float) -> NDArray[np.float32]:
    return np.full(8, level, np.float32)


def test_what_waits_goes_through_together_and_everyone_gets_his_own() -> None:
    ears = Ears()
    lane = Lane(ears, 4)
    ears.hold.clear()
    with ThreadPoolExecutor(12) as pool:
        futures = [pool.submit(lane, piece(level)) for level in range(1, 13)]
        while len(lane._queue) < 11:  # one is inside
            threading.Event().wait(0.001)
        ears.hold.set()
        rows = [future.result() for future in futures]
    for level, found in enumerate(rows, 1):
        assert found.tolist() == [[level, 2 * level]] * 2
    assert sum(ears.batches) == 12
    assert sorted(ears.batches)[-2:] == [4, 4]


def test_a_piece_that_fails_in_a_batch_fails_alone() -> None:
    ears = Ears()
    lane = Lane(ears, 4)
    ears.hold.clear()
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(lane, piece(level)) for level in (1, np.nan, 3, 4)]
        while len(lane._queue) < 3:
            threading.Event().wait(0.001)
        ears.hold.set()
        errors = [future.exception() for future in futures]
    assert [type(error) for error in errors] == [type(None), ValueError, type(None), type(None)]


def test_silence_is_told_and_holds_nobody_up() -> None:
    lane = Lane(Ears(), 4)
    with pytest.raises(ItemError, match="silent"):
        lane(piece(0))
    assert lane(piece(1)).tolist() == [[1, 2]] * 2


def test_a_network_that_forgets_a_piece_is_told() -> None:
    with pytest.raises(ItemError, match="0 results for 1 pieces"):
        Lane(Short(), 4)(piece(1))


def test_on_a_cpu_pieces_go_singly_and_need_not_wait() -> None:
    extract = extractor(SPEC)
    ears = Ears.last
    ears.hold.clear()
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(extract, piece(level), RATE) for level in (1, 2, 3)]
        while ears.inside < 3:
            threading.Event().wait(0.001)
        ears.hold.set()
        rows = [future.result().tolist() for future in futures]
    assert rows == [[[level, 2 * level]] * 2 for level in (1, 2, 3)]
    assert ears.batches == [1, 1, 1]


def test_a_set_is_made_once_for_all_its_forms() -> None:
    assert extractor(SPEC)(piece(3), RATE).tolist() == [[3, 6]] * 2
    assert extractor(SummarySpec.of(SPEC, "mean"))(piece(3), RATE).tolist() == [[3, 6]]
    assert extractor(SummarySpec.of(SPEC, "mean-sd"))(piece(3), RATE).tolist() == [[3, 6, 0, 0]]
    assert Ears.made == [(None, "cpu")]


def test_a_device_that_the_set_cannot_use_leaves_it_on_the_cpu() -> None:
    extractor(dataclasses.replace(SPEC, devices=("cpu",)), "cuda")
    assert Ears.made == [(None, "cpu")]
    with pytest.raises(UsageError, match="there is no device"):
        extractor(SPEC, "hamster")


def test_weights_that_are_not_here_are_asked_for_before_any_sound() -> None:
    weights = Weights(
        "ears", "s", "ears", "1", "0" * 64, 1, "nowhere:convert", "0" * 64, "free", "nobody"
    )
    with pytest.raises(WeightsError, match="mgrkit models fetch ears"):
        extractor(dataclasses.replace(SPEC, weights=weights))
    assert not Ears.made


def test_code_that_is_not_there_is_told() -> None:
    with pytest.raises(RunError, match="cannot load nowhere:x"):
        extractor(dataclasses.replace(SPEC, factory="nowhere:x"))


def test_a_module_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    needy = dataclasses.replace(SPEC, requires=("torch",))
    with pytest.raises(RunError, match=r"the feature set ears needs torch.*\(pip install torch\)"):
        extractor(needy)


def test_a_broken_module_is_said_with_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("libtorch.so: cannot open shared object file")

    monkeypatch.setattr(Ears, "__init__", broken)
    message = r"the feature set ears cannot run: OSError: libtorch\.so: .*\(mgrkit doctor says what"
    with pytest.raises(RunError, match=message):
        extractor(SPEC)
