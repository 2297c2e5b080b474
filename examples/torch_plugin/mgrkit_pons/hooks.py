"""What mgrkit lists; the network itself is imported when it is used."""

from dataclasses import dataclass

from mgrkit_neural.recipe import Recipe

from mgrkit.registry import ClassifierSpec, hookimpl, parameter


@dataclass(frozen=True)
class Parameters(Recipe):
    filters: int = parameter(32, "filters of each of the two shapes", low=1, high=1024)
    # 80 frames of 512 samples at 22,050 Hz, as long as the paper's 80 of 1,024 at 44,100.
    crop_seconds: float = parameter(1.8576, "length of a crop", low=0.1, high=1000)
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
