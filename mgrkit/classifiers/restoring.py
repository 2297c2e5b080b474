"""From a bundle back to a classifier that predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit.classifiers.calls import made
from mgrkit.classifiers.filling import MEDIANS, Filled
from mgrkit.errors import BundleError, MgrkitError, RunError, UsageError
from mgrkit.registry.guard import one_line
from mgrkit.registry.loader import installed, require, resolve, unable
from mgrkit.registry.specs import with_parameters

if TYPE_CHECKING:
    from mgrkit.classifiers.base import Classifier
    from mgrkit.classifiers.bundle import Bundle
    from mgrkit.registry import Provider
    from mgrkit.registry.specs import ClassifierSpec


def provider(bundle: Bundle) -> Provider:
    """The installed classifier that the bundle needs.

    Raises
    ------
    BundleError : there is none of its name; who provided it is named.
    """
    try:
        return installed().classifier(bundle.classifier)
    except UsageError as error:
        raise BundleError(
            f"the bundle needs the classifier {bundle.classifier!r}: {error.message}",
            f"it came with {bundle.distribution} {bundle.version}",
        ) from None


def restored(bundle: Bundle, device: str = "cpu") -> Classifier:
    """The bundle's classifier, found among the plugins, ready to predict on ``device``.

    Raises
    ------
    BundleError : no such classifier is installed, or its arrays are not what it takes.
    RunError : a module that it predicts with is not installed.
    """
    return restored_by(provider(bundle).spec, bundle, device)


def restored_by(spec: ClassifierSpec, bundle: Bundle, device: str = "cpu") -> Classifier:
    """The bundle's classifier, of a spec that is at hand; raises what `restored` does."""
    if spec.eats.partition(":")[0] != bundle.eats.partition(":")[0]:
        raise BundleError(
            f"the bundle's {bundle.classifier} eats {bundle.eats}, the installed one {spec.eats}",
            f"it came with {bundle.distribution} {bundle.version}",
        )
    require(f"the classifier {spec.name}", spec.predicting)
    factory = resolve(spec.factory)
    try:
        parameters = with_parameters(spec, bundle.parameters)
        model = made(lambda: factory(bundle.task, parameters), bundle.classifier)
        model = Filled(model) if MEDIANS in bundle.state else model
        model.restore(bundle.state, device)
    except (RunError, KeyboardInterrupt):
        raise
    except (ImportError, OSError) as error:
        raise unable(f"the classifier {spec.name}", error, spec.factory) from error
    except BaseException as error:
        # Whatever a classifier makes of arrays that it never gave, the file is at fault.
        why = str(error) if isinstance(error, MgrkitError) else one_line(error)
        raise BundleError(f"{bundle.classifier} cannot use the bundle: {why}") from error
    return model
