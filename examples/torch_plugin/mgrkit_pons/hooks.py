"""What mgrkit lists; the network itself is imported when it is used."""

from dataclasses import dataclass

from mgrkit_neural.recipe import Recipe

from mgrkit.registry import ClassifierSpec, hookimpl, parameter


@dataclass(frozen=True)
class Parameters(Recipe):
    filters: int = parameter(32, "filters of each of the two shapes", low=1, high=1024)
    crop: int = parameter(80, "columns of the random crop that is learnt from", low=1, high=10_000)
    views: int = parameter(8, "crops averaged for a prediction", low=1, high=1000)


@hookimpl
def mgrkit_classifiers():
    yield ClassifierSpec(
        name="pons",
        summary="filters along time beside filters along frequency, and one dense layer",
        factory="mgrkit_pons.pons:Pons",
        parameters=Parameters,
        eats="image",
        reference="Pons, Lidy, Serra 2016, Experimenting with musically motivated convolutional "
        "neural networks",
        devices=("cuda", "mps", "cpu"),
        batch_size=256,
        calibrate="valid",
        resumable=True,
        parallel=True,
        requires=("torch",),
    )
