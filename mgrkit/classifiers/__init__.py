"""What a model is: the interface that every classifier implements, and the file that keeps one."""

from mgrkit.classifiers.base import Classifier, Examples, Run, Stopped, Task
from mgrkit.classifiers.bundle import Bundle, load_bundle, save_bundle
from mgrkit.classifiers.restoring import provider, restored, restored_by

__all__ = [
    "Bundle",
    "Classifier",
    "Examples",
    "Run",
    "Stopped",
    "Task",
    "load_bundle",
    "provider",
    "restored",
    "restored_by",
    "save_bundle",
]
