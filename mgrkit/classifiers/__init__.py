"""What a model is: the interface that every classifier implements, and the file that keeps one.

A classifier of a plugin is a subclass of `Classifier` with four methods, named by a spec (see
`mgrkit.registry`)::

    class Nearest(Classifier):
        def fit(self, train, valid, run):  # Examples, Examples or None, Run
            run.check()  # every fraction of a second: raises Stopped when asked to end
            labels = range(len(self.task.labels))
            self.kept = {"means": np.array([train.x[train.y == y].mean(0) for y in labels])}

        def predict_proba(self, x): ...  # float32 (n, labels), rows sum to one

        def state(self):
            return self.kept  # arrays by name: all that a bundle keeps

        def restore(self, state, device="cpu"): ...  # BundleError for arrays that cannot be

What each is promised and has to promise is said in `mgrkit.classifiers.base` and checked by
`mgrkit.testing.contract`; `Run.generator` gives the random numbers. `save_bundle` and
`load_bundle` write and read a trained model without running any code, `restored` makes it a
classifier again.
"""

from mgrkit.classifiers.base import Classifier, Examples, Run, Task
from mgrkit.classifiers.bundle import Bundle, load_bundle, looks_like_bundle, save_bundle
from mgrkit.classifiers.calls import probabilities
from mgrkit.classifiers.heldout import HeldOut
from mgrkit.classifiers.restoring import provider, restored, restored_by
from mgrkit.errors import Stopped

__all__ = [
    "Bundle",
    "Classifier",
    "Examples",
    "HeldOut",
    "Run",
    "Stopped",
    "Task",
    "load_bundle",
    "looks_like_bundle",
    "probabilities",
    "provider",
    "restored",
    "restored_by",
    "save_bundle",
]
