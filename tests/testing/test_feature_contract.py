"""The contract of feature sets: kept by a sound one, each promise broken by one that breaks no
other."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgrkit.errors import UsageError
from mgrkit.registry import FeatureSetSpec, Plugin, Registry
from mgrkit.testing import feature_contract, feature_promises
from mgrkit.testing.feature_case import FeatureCase
from tests.testing import toy_ears as toys
from tests.testing.test_contract import pytest_on
from tests.testing.toy_ears_specs import GOOD, WEIGHTS

WHOLE = dataclasses.replace(
    GOOD, factory=f"{toys.__name__}:loudness", columns=GOOD.columns[:2], window=None, hop=None,
    devices=("cpu",), batch_size=None,
)  # fmt: skip

test_good_network = feature_contract.checks(GOOD)
test_good_function_of_windows = feature_contract.checks(
    dataclasses.replace(GOOD, factory=f"{toys.__name__}:ears", batch_size=None)
)
test_good_function_of_pieces = feature_contract.checks(WHOLE)
test_good_one_at_a_time = feature_contract.checks(dataclasses.replace(GOOD, batch_size=1))


def broken(kind: type, **changes: object) -> FeatureSetSpec:
    return dataclasses.replace(GOOD, factory=f"{kind.__module__}:{kind.__name__}", **changes)


SABOTAGED = [
    ("specification", broken(toys.Ears, summary="two\nlines")),
    ("can_be_loaded", dataclasses.replace(GOOD, factory=f"{toys.__name__}:Nobody")),
    ("can_be_loaded", dataclasses.replace(GOOD, factory=f"{toys.__name__}:HOP")),
    ("can_be_loaded", broken(toys.Raises)),
    ("can_be_loaded", broken(toys.NoEmbed)),
    ("rows_are_numbers", broken(toys.Infinite)),
    ("rows_are_numbers", broken(toys.WholeNumbers)),
    ("rows_are_numbers", broken(toys.OneColumnMore)),
    ("rows_are_numbers", broken(toys.OneArray)),
    ("rows_are_numbers", dataclasses.replace(WHOLE, factory=f"{toys.__name__}:words")),
    ("rows_follow_windows", broken(toys.OneRow)),
    ("rows_follow_windows", dataclasses.replace(WHOLE, factory=f"{toys.__name__}:twice")),
    ("takes_any_length", broken(toys.WantsWholeHops)),
    ("takes_any_length", broken(toys.LosesTheBreath)),
    ("takes_any_level", broken(toys.OverflowsWhenLoud)),
    ("refuses_silence", broken(toys.DescribesSilence)),
    ("refuses_silence", broken(toys.StumblesOverSilence)),
    ("refuses_silence", broken(toys.StumblesOverConstants)),
    ("refuses_too_short", broken(toys.DescribesNothing)),
    ("refuses_too_short", broken(toys.StumblesWhenShort)),
    ("leaves_its_input", broken(toys.Normalises)),
    ("same_sound_same_rows", broken(toys.Dropout)),
    ("pieces_are_alone", broken(toys.LooksAtBatch)),
    ("pieces_are_alone", broken(toys.FirstIsBest)),
    ("threads_do_not_meet", broken(toys.SharesScratch)),
    ("threads_do_not_meet", broken(toys.EmbedsWhatIsPrepared)),
    ("loads_safely", broken(toys.Unpickles)),
    ("prints_nothing", broken(toys.Prints)),
    ("leaves_global_seeds", broken(toys.SeedsRandom)),
    ("leaves_global_seeds", broken(toys.DrawsGlobally)),
    ("leaves_nothing_running", broken(toys.LeavesThread)),
    ("leaves_nothing_running", broken(toys.LeavesProcess)),
    ("devices_agree", broken(toys.OtherOnCuda)),
]


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A GPU to disagree with; what was left running is ended."""
    monkeypatch.setattr(feature_promises, "has_cuda", lambda: True)
    toys.LeavesThread.end.clear()
    yield
    toys.LeavesThread.end.set()
    for process in toys.LeavesProcess.left:
        process.communicate(b"\n")
    toys.LeavesProcess.left.clear()


@pytest.mark.parametrize(
    ("promise", "spec"), SABOTAGED, ids=lambda v: getattr(v, "factory", v).rpartition(":")[2]
)
def test_each_sabotage_fails_its_own_check_and_no_other(promise, spec, surroundings) -> None:
    assert list(feature_contract.failures(spec)) == [promise]


def test_what_is_random_each_time_is_not_the_same_in_any_order() -> None:
    failed = feature_contract.failures(broken(toys.Dithers))
    assert set(failed) == {"same_sound_same_rows", "pieces_are_alone", "threads_do_not_meet"}


@pytest.mark.parametrize(
    ("hooks", "expected"),
    [
        ("tests.testing.toy_ears_specs", ""),
        ("tests.testing.ears_when_listed", "numpy, tests.testing.toy_ears"),
    ],
)
def test_listing_imports_neither_numpy_nor_the_code(hooks: str, expected: str) -> None:
    case = FeatureCase(GOOD, None, (hooks,))
    if expected:
        with pytest.raises(feature_contract.Broken, match=f"imports {expected}$"):
            feature_contract.CHECKS["hooks_are_light"](case)
    else:
        feature_contract.CHECKS["hooks_are_light"](case)


def test_every_check_has_a_sabotage() -> None:
    assert {promise for promise, _ in SABOTAGED} | {"hooks_are_light"} == set(
        feature_contract.CHECKS
    )


def test_every_check_says_what_it_asks() -> None:
    documented = inspect.getdoc(feature_contract) or ""
    for name, check in feature_contract.CHECKS.items():
        assert check.__doc__, name
        assert f"\n{name} " in documented, name


def test_weights_must_be_given_and_reach_the_factory(monkeypatch, tmp_path: Path) -> None:
    needy = dataclasses.replace(GOOD, weights=WEIGHTS)
    with pytest.raises(UsageError, match=r"toy-ears needs its weights .give weights=PATH"):
        feature_contract.failures(needy)
    given = []
    plain = toys.Ears.__init__
    monkeypatch.setattr(
        toys.Ears, "__init__", lambda self, w, d: (given.append((w, d)), plain(self, w, d))[1]
    )
    made = tmp_path / "made.safetensors"
    assert not feature_contract.failures(needy, weights=made)
    assert set(given) == {(made, "cpu")}


def test_no_more_pieces_at_once_than_the_spec_says(monkeypatch) -> None:
    sizes = []
    plain = toys.Ears.embed
    monkeypatch.setattr(
        toys.Ears, "embed", lambda self, p: (sizes.append(len(p)), plain(self, p))[1]
    )
    assert not feature_contract.failures(GOOD)
    assert set(sizes) == {1, 2}


def test_by_name_the_hooks_of_its_distribution_are_known(monkeypatch) -> None:
    known = Registry([Plugin("mgrkit", "1", feature_sets=(GOOD,))])
    monkeypatch.setattr(feature_contract, "installed", lambda: known)
    assert "mgrkit_classical.hooks" in feature_contract._case("toy-ears", None).hooks
    with pytest.raises(UsageError, match=r"toy-ears:mean is made .* .check toy-ears"):
        feature_contract.failures("toy-ears:mean")
    with pytest.raises(UsageError, match=r"no feature set 'toy-hears' .did you mean toy-ears"):
        feature_contract.failures("toy-hears")


def test_one_line_is_a_test_suite(tmp_path: Path) -> None:
    output = pytest_on(
        tmp_path,
        "from dataclasses import replace\n"
        "from mgrkit.testing import feature_contract\n"
        "from tests.testing.toy_ears_specs import GOOD\n"
        "GOOD = replace(GOOD, devices=('cpu',))\n"
        "one = replace(GOOD, factory='tests.testing.toy_ears:OneRow')\n"
        "excuse = {'rows_follow_windows': 'one does'}\n"
        "test_good = feature_contract.checks(GOOD)\n"
        "test_excused = feature_contract.checks(one, expected_failures=excuse)\n"
        "test_broken = feature_contract.checks(one)\n",
    )
    assert "PASSED test_mine.py::test_good[rows_are_numbers]" in output
    assert "XFAIL test_mine.py::test_excused[rows_follow_windows] - one does" in output
    assert "FAILED test_mine.py::test_broken[rows_follow_windows] - mgrkit.testing.case.B" in output
    assert "1 failed" in output


def test_excuses_need_a_check() -> None:
    with pytest.raises(UsageError, match=r"no check 'silence' .did you mean refuses_silence"):
        feature_contract.checks(GOOD, expected_failures={"silence": "it sings"})


def test_a_set_at_a_very_low_rate_can_be_held_to_it() -> None:
    slow = dataclasses.replace(GOOD.frontend, sample_rate=1000, mel=None, kind="stft")
    case = FeatureCase(dataclasses.replace(GOOD, frontend=slow), None, ())
    assert [len(song) for song in case.songs] == [250 + round(k * 125) for k in (3.3, 1.6, 5.2)]


def test_no_device_no_disagreement(monkeypatch) -> None:
    monkeypatch.setattr(feature_promises, "has_cuda", lambda: False)
    for spec in (GOOD, WHOLE):
        with pytest.raises(feature_contract.NotApplicable):
            feature_promises.devices_agree(FeatureCase(spec, None, ()))


def test_the_songs_are_not_described_more_often_than_needed(monkeypatch) -> None:
    # The time of a suite is that of its sound; this is the figure that may not grow unseen.
    seconds: list[float] = []
    plain = toys.Ears.prepare
    monkeypatch.setattr(
        toys.Ears,
        "prepare",
        lambda self, s: (seconds.append(len(s) / 8000), plain(self, s))[1],
    )
    monkeypatch.setattr(feature_promises, "has_cuda", lambda: False)
    assert not feature_contract.failures(GOOD)
    longest = max(seconds)
    assert sum(seconds) - longest < 40
