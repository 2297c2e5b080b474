"""The contract checks: whether a classifier keeps every promise of `mgrkit.classifiers`.

In the tests of a plugin, one line is all it takes::

    from mgrkit.testing import contract

    test_contract = contract.checks("knn")

``checks`` takes the name of a classifier that is installed (``pip install -e .`` of your
package), or a `ClassifierSpec`, and gives a test function that pytest runs once for each
check. The checks fit it a dozen times to the small examples of `mgrkit.testing.toys`, made
for what it eats. For a model with many trees or epochs, give parameters that are enough for
those::

    test_contract = contract.checks("forest", parameters={"trees": 20})

A promise that your classifier cannot keep is said with a reason, which pytest shows; when the
check passes one day, the test fails until the excuse is taken out::

    test_contract = contract.checks(
        "knn", expected_failures={"stops": "a fit copies two arrays and takes no time"}
    )

What is promised, by the names of the checks (`CHECKS`; the docstring of each says what it
asks):

=======================  =========================================================================
specification            the spec is sound
parameters_have_ranges   numbers have a low and a high end and are refused beyond them
hooks_are_light          the hooks module and its hooks import no NumPy, torch, ...
construction_is_cheap    little memory, no heavy import
refuses_before_fit       UsageError from ``predict_proba`` before ``fit``
refuses_other_shapes     UsageError for examples of another shape
learns                   at least 90 % of held-out toys
gives_probabilities      float32, finite, rows sum to one
keeps_columns            a label missing from train keeps its column
rows_are_alone           one example at a time gives what all at once give
leaves_its_input         the arrays given are not changed
takes_memory_maps        the arrays given may be read-only memory maps
fits_without_valid       ``valid`` may be None
same_seed_same_answer    to the last bit
forgets                  a second fit is as a first one
stops                    ``Run.check`` is called often enough
resumes                  where ``resumable``: as if never stopped
state_is_arrays          numbers, no objects
loads_safely             nothing is unpickled
survives_saving          the same probabilities after saving and loading
refuses_damage           BundleError from ``restore`` when an array is missing
refuses_other_arrays     BundleError from ``restore`` for arrays of another shape or type
prints_nothing           on standard output
leaves_global_seeds      random choices come from ``Run.generator``
leaves_nothing_running   no thread, no process
devices_agree            CPU and CUDA, where there is one
=======================  =========================================================================

The usual mistakes: to standardise with the statistics of the batch (``rows_are_alone``), in
place (``leaves_its_input``), or to give one column for each label *seen* (``keeps_columns``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mgrkit.registry import ClassifierSpec, installed
from mgrkit.testing import keeping_promises, learning_promises, suite
from mgrkit.testing.case import Broken, Case, NotApplicable

__all__ = ["CHECKS", "Broken", "NotApplicable", "checks", "failures"]


CHECKS: dict[str, Callable[[Case], None]] = {
    check.__name__: check for check in (*learning_promises.CHECKS, *keeping_promises.CHECKS)
}
"""All checks by name."""


def checks(
    classifier: str | ClassifierSpec,
    *,
    parameters: Mapping[str, object] | None = None,
    shape: tuple[int, ...] = (),
    expected_failures: Mapping[str, str] | None = None,
) -> Callable[[str], None]:
    """A pytest function that holds a classifier to the contract, one test for each check.

    Parameters
    ----------
    classifier : its name, if its distribution is installed, or its spec.
    parameters : for all fits, in place of the defaults.
    shape : of the toy pictures or samples, for a classifier that takes no small ones; empty for
        64 bands x 64 frames, or 8192 samples.
    expected_failures : the reason for each check that is known to fail.

    Raises
    ------
    UsageError : an expected failure of an unknown check (the nearest is named), or one without
        a reason.
    """
    return suite.pytest_function(
        CHECKS, lambda: _case(classifier, parameters or {}, shape), expected_failures or {}
    )


def failures(
    classifier: str | ClassifierSpec, *, parameters: Mapping[str, object] | None = None
) -> dict[str, str]:
    """The checks that a classifier fails, each with what is wrong; empty if it keeps them all."""
    return suite.failed(CHECKS, _case(classifier, parameters or {}))


def _case(
    classifier: str | ClassifierSpec,
    parameters: Mapping[str, object],
    shape: tuple[int, ...] = (),
) -> Case:
    if isinstance(classifier, ClassifierSpec):
        return Case(classifier, parameters, (classifier.parameters.__module__,), shape)
    entry = installed().classifier(classifier)
    return Case(entry.spec, parameters, suite.hooks_of(entry.distribution), shape)
