"""The contract of feature sets: whether one keeps every promise of `mgrkit.registry.Embedder`.

In the tests of a plugin, one line is all it takes::

    from mgrkit.testing import feature_contract

    test_contract = feature_contract.checks("made-ears")

``checks`` takes the name of a feature set that is installed (``pip install -e .`` of your
package), or a `FeatureSetSpec`, and gives a test function that pytest runs once for each
check. The checks describe a few short songs of `mgrkit.synthetic.music`, on a CPU. For a set with
weights give a file of them; small made ones are as good as those that were learnt::

    test_contract = feature_contract.checks("ears", weights=Path("tests/small.safetensors"))

A promise that your set cannot keep is said with a reason, which pytest shows; when the check
passes one day, the test fails until the excuse is taken out::

    test_contract = feature_contract.checks(
        "ears", expected_failures={"pieces_are_alone": "one network for all lengths, padded"}
    )

What is promised, by the names of the checks (`CHECKS`; the docstring of each says what it
asks):

======================  ==========================================================================
specification           the spec is sound
can_be_loaded           the factory is there, and makes what it should
hooks_are_light         listing imports no NumPy, torch, ..., and none of the set's code
rows_are_numbers        finite floating-point ``(rows, columns)``
rows_follow_windows     as many rows as windows fit in; one without windows
takes_any_length        from one window up
takes_any_level         quiet, loud, clipped
refuses_silence         ItemError
refuses_too_short       ItemError
leaves_its_input        the samples given are not changed
same_sound_same_rows    to the last bit
pieces_are_alone        on a CPU, the same rows whichever pieces are beside it
threads_do_not_meet     all is called on several threads at the same time
loads_safely            nothing is unpickled
prints_nothing          on standard output
leaves_global_seeds     random choices come from `mgrkit.seeds`
leaves_nothing_running  no thread, no process
devices_agree           CPU and CUDA, where there is one
======================  ==========================================================================

The usual mistakes: to make layers by ``torch.nn`` and fill them afterwards, which draws from the
global generator (``leaves_global_seeds``: call `torch.nn.utils.skip_init`, or the functions of
``torch.nn.functional``), and to run the windows of several pieces on a CPU as one batch, which
changes the last digits (``pieces_are_alone``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mgrkit.errors import UsageError
from mgrkit.registry import FeatureSetSpec, SummarySpec, installed
from mgrkit.testing import feature_promises, suite
from mgrkit.testing.case import Broken, NotApplicable
from mgrkit.testing.feature_case import FeatureCase

__all__ = ["CHECKS", "Broken", "NotApplicable", "checks", "failures"]

CHECKS: dict[str, Callable[[FeatureCase], None]] = {
    check.__name__: check for check in feature_promises.CHECKS
}
"""All checks by name."""


def checks(
    feature_set: str | FeatureSetSpec,
    *,
    weights: Path | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> Callable[[str], None]:
    """A pytest function that holds a feature set to the contract, one test for each check.

    Parameters
    ----------
    feature_set : its name, if its distribution is installed, or its spec; then
        ``hooks_are_light`` is skipped.
    weights : a file of weights, for a set that needs them.
    expected_failures : the reason for each check that is known to fail.

    Raises
    ------
    UsageError : an expected failure of an unknown check (the nearest is named), or one without
        a reason.
    """
    return suite.pytest_function(
        CHECKS, lambda: _case(feature_set, weights), expected_failures or {}
    )


def failures(feature_set: str | FeatureSetSpec, *, weights: Path | None = None) -> dict[str, str]:
    """The checks that a set fails, each with what is wrong; empty if it keeps them all.

    Raises
    ------
    UsageError : there is no such set, or it needs weights and none are given.
    """
    return suite.failed(CHECKS, _case(feature_set, weights))


def _case(feature_set: str | FeatureSetSpec, weights: Path | None) -> FeatureCase:
    if isinstance(feature_set, FeatureSetSpec):
        return FeatureCase(feature_set, weights, ())
    known = installed()
    spec = known.feature_set(feature_set)
    if isinstance(spec, SummarySpec):
        base = feature_set.partition(":")[0]
        raise UsageError(f"{feature_set} is made of the windows of {base}", f"check {base}")
    (owner,) = [plugin for plugin in known.plugins if spec in plugin.feature_sets]
    return FeatureCase(spec, weights, suite.hooks_of(owner.distribution))
