"""What mgrkit lists; the classifier itself is imported when it is used."""

from dataclasses import dataclass

from mgrkit.registry import ClassifierSpec, hookimpl, parameter


@dataclass(frozen=True)
class Parameters:
    k: int = parameter(9, "how many neighbours vote", low=1, high=1000)


@hookimpl
def mgrkit_classifiers():
    yield ClassifierSpec(
        name="neighbours",
        summary="k nearest neighbours on standardised features",
        factory="mgrkit_knn.knn:NearestNeighbours",
        parameters=Parameters,
        reference="Cover and Hart, Nearest neighbor pattern classification, 1967",
    )
