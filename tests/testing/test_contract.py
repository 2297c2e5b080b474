"""The contract: kept by a sound classifier, and each promise broken by one that breaks no other."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from mgrkit.errors import UsageError
from mgrkit.registry import ClassifierSpec, parameter
from mgrkit.testing import case, contract, keeping_promises
from tests.testing import toy_classifiers as toys
from tests.testing.heavy_specs import HeavyParameters
from tests.testing.heavy_when_asked import HeavyWhenAsked
from tests.testing.toy_specs import GOOD, Endless

ROOT = Path(__file__).parent.parent.parent

test_good_on_features = contract.checks(GOOD)
test_good_on_images = contract.checks(dataclasses.replace(GOOD, eats="image"))
test_good_on_samples = contract.checks(dataclasses.replace(GOOD, eats="samples"))


def broken(kind: type, **changes: object) -> ClassifierSpec:
    return dataclasses.replace(GOOD, factory=f"{kind.__module__}:{kind.__name__}", **changes)


SABOTAGED = [
    ("specification", broken(toys.Centroid, summary="two\nlines")),
    ("parameters_have_ranges", broken(toys.Centroid, parameters=Endless)),
    ("hooks_are_light", broken(toys.Centroid, parameters=HeavyParameters)),
    ("hooks_are_light", broken(toys.Centroid, parameters=HeavyWhenAsked)),
    ("construction_is_cheap", broken(toys.ImportsScipy)),
    ("construction_is_cheap", broken(toys.TakesMemory)),
    ("refuses_before_fit", broken(toys.AnswersUnfitted)),
    ("refuses_before_fit", broken(toys.NamelessFault)),
    ("refuses_other_shapes", broken(toys.CutsToShape)),
    ("learns", broken(toys.LearnsNothing)),
    ("gives_probabilities", broken(toys.DoublePrecision)),
    ("gives_probabilities", broken(toys.Unnormalised)),
    ("gives_probabilities", broken(toys.BelowZero)),
    ("gives_probabilities", broken(toys.OverflowsFarAway)),
    ("keeps_columns", broken(toys.PacksColumns)),
    ("rows_are_alone", broken(toys.LooksAtNeighbours)),
    ("leaves_its_input", broken(toys.SpoilsTrain)),
    ("leaves_its_input", broken(toys.SpoilsX)),
    ("takes_memory_maps", broken(toys.WantsWriteable)),
    ("fits_without_valid", broken(toys.NeedsValid)),
    ("same_seed_same_answer", broken(toys.OwnRandomness)),
    ("forgets", broken(toys.StartsWarm)),
    ("stops", broken(toys.NeverAsks)),
    ("stops", broken(toys.CarriesOn, resumable=False)),
    ("resumes", broken(toys.CountsTwice)),
    ("resumes", broken(toys.KeepsNothing)),
    ("state_is_arrays", broken(toys.ListsAsState)),
    ("state_is_arrays", broken(toys.ObjectsAsState)),
    ("loads_safely", broken(toys.PicklesByModule)),
    ("loads_safely", broken(toys.PicklesByName)),
    ("survives_saving", broken(toys.RoundsState)),
    ("survives_saving", broken(toys.KeepsOutside)),
    ("refuses_damage", broken(toys.ForgivesMissing)),
    ("refuses_other_arrays", broken(toys.ForgivesShapes)),
    ("refuses_other_arrays", broken(toys.ForgivesTypes)),
    ("prints_nothing", broken(toys.Prints)),
    ("prints_nothing", broken(toys.WritesBelowPython)),
    ("leaves_global_seeds", broken(toys.SeedsNumpy)),
    ("leaves_global_seeds", broken(toys.DrawsGlobally)),
    ("leaves_global_seeds", broken(toys.SeedsTorch)),
    ("leaves_nothing_running", broken(toys.LeavesThread)),
    ("leaves_nothing_running", broken(toys.LeavesProcess)),
    ("devices_agree", broken(toys.OtherOnCuda, devices=("cpu", "cuda"))),
]


@functools.cache
def loaded_by_good() -> tuple[list[str], list[str]]:
    return contract._case(GOOD, {}).loaded


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A GPU to disagree with, a torch whose seed can be touched; what was left is ended."""
    state = itertools.count()
    torch = SimpleNamespace(
        get_rng_state=lambda: SimpleNamespace(numpy=lambda: SimpleNamespace(tobytes=lambda: at[0])),
        rand=lambda n: at.__setitem__(0, next(state)),
    )
    at: list[object] = [None]
    if "torch" not in sys.modules:
        monkeypatch.setitem(sys.modules, "torch", torch)
        torch.load = None
    monkeypatch.setattr(keeping_promises, "has_cuda", lambda: True)
    toys.LeavesThread.end.clear()
    yield
    toys.LeavesThread.end.set()
    for process in toys.LeavesProcess.left:
        process.kill()
        process.wait()
    toys.LeavesProcess.left.clear()


@pytest.mark.parametrize(
    ("promise", "spec"), SABOTAGED, ids=lambda v: getattr(v, "factory", v).rpartition(":")[2]
)
def test_each_sabotage_fails_its_own_check_and_no_other(
    promise, spec, surroundings, monkeypatch
) -> None:
    if promise not in ("hooks_are_light", "construction_is_cheap"):
        # They share a module; one new process says what it imports.
        monkeypatch.setattr(case.Case, "loaded", loaded_by_good())
    assert list(contract.failures(spec)) == [promise]


def test_every_check_has_a_sabotage() -> None:
    assert {promise for promise, _ in SABOTAGED} == set(contract.CHECKS)


def test_every_check_says_what_it_asks() -> None:
    documented = inspect.getdoc(contract) or ""
    for name, check in contract.CHECKS.items():
        assert check.__doc__, name
        assert f"\n{name} " in documented, name


def test_a_fit_that_asks_too_seldom_does_not_stop_in_time(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(case, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(
        toys, "time", SimpleNamespace(sleep=lambda s: now.__setitem__(0, now[0] + s))
    )
    assert "did not ask for 60 s" in contract.failures(broken(toys.Slow))["stops"]


def test_parameters_reach_the_fits() -> None:
    failed = contract.failures(GOOD, parameters={"sharpness": "0.01"})
    assert not failed
    with pytest.raises(UsageError, match="sharpness"):
        contract.failures(GOOD, parameters={"sharpness": 1000})


@pytest.mark.parametrize(
    ("excuses", "message"),
    [
        ({"stop": "why not"}, "no check 'stop' .did you mean stops"),
        ({"stops": " "}, "stops has no reason"),
    ],
)
def test_excuses_need_a_check_and_a_reason(excuses, message) -> None:
    with pytest.raises(UsageError, match=message):
        contract.checks(GOOD, expected_failures=excuses)


def pytest_on(tmp_path: Path, lines: str) -> str:
    """What pytest says of a test file of somebody else's."""
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
    (tmp_path / "test_mine.py").write_text(lines)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    return done.stdout


def test_one_line_is_a_test_suite(tmp_path: Path) -> None:
    output = pytest_on(
        tmp_path,
        "from dataclasses import replace\n"
        "from mgrkit.testing import contract\n"
        "from tests.testing.toy_specs import GOOD\n"
        "never = replace(GOOD, factory='tests.testing.toy_classifiers:NeverAsks')\n"
        "test_good = contract.checks(GOOD)\n"
        "test_excused = contract.checks(never, expected_failures={'stops': 'too fast to'})\n"
        "test_needless = contract.checks(GOOD, expected_failures={'stops': 'it was once so'})\n"
        "test_broken = contract.checks(never)\n"
        "test_nobody = contract.checks('nobody')\n",
    )
    many = len(contract.CHECKS)
    assert "PASSED test_mine.py::test_good[learns]" in output
    assert "XFAIL test_mine.py::test_excused[stops] - too fast to" in output
    assert "FAILED test_mine.py::test_needless[stops] - [XPASS(strict)] it was once so" in output
    assert (
        "FAILED test_mine.py::test_broken[stops] - mgrkit.testing.case.Broken: fit never" in output
    )
    assert "UsageError: no classifier 'nobody'" in output
    assert f"{2 + many} failed" in output


def test_checks_by_name_import_every_hooks_module(monkeypatch) -> None:
    entry = SimpleNamespace(spec=GOOD, distribution="mgrkit")
    monkeypatch.setattr(contract, "installed", lambda: SimpleNamespace(classifier=lambda n: entry))
    assert "mgrkit_classical.hooks" in contract._case("centroid", {}).hooks


def test_what_another_process_cannot_import_is_said(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Local:
        sharpness: float = parameter(1.0, "how fast", low=0.01, high=100.0)
        steps: int = parameter(8, "parts", low=1, high=1000)

    made = contract._case(dataclasses.replace(GOOD, parameters=Local), {})
    with pytest.raises(contract.NotApplicable, match="cannot be imported by another process"):
        contract.CHECKS["hooks_are_light"](made)
    made = contract._case(broken(toys.Centroid, parameters=Endless), {})
    made.hooks = ("no_such_module",)
    with pytest.raises(contract.Broken, match="No module named 'no_such_module'"):
        contract.CHECKS["hooks_are_light"](made)


def test_the_whole_contract_is_cheap_in_fits() -> None:
    # The time of a suite is that of its fits; this is the figure that may not grow unseen.
    fits: list[float] = []

    class Counting(toys.Centroid):
        def fit(self, train, valid, run) -> None:
            fits.append(time.monotonic())
            super().fit(train, valid, run)

    toys.Counting = Counting
    try:
        spec = dataclasses.replace(GOOD, factory=f"{toys.__name__}:Counting")
        contract.failures(spec)
    finally:
        del toys.Counting
    assert len(fits) <= 13
