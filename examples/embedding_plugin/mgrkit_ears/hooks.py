"""What mgrkit lists; the network itself is imported when it is used."""

from mgrkit.frontend import front_end
from mgrkit.registry import FeatureSetSpec, hookimpl

FRONT_END = front_end(sample_rate=16_000, n_fft=512, hop_length=320, n_mels=40)


@hookimpl
def mgrkit_feature_sets():
    yield FeatureSetSpec(
        name="made-ears",
        summary="two layers of random convolutions; windows of 2 s, one a second",
        factory="mgrkit_ears.ears:Ears",
        frontend=FRONT_END,
        columns=tuple(f"{how}{unit:02}" for how in ("mean", "max") for unit in range(16)),
        window=2.0,
        hop=1.0,
        reference="Pons, Serra 2019, Randomly weighted CNNs for (music) audio classification",
        requires=("torch",),
        devices=("cuda", "cpu"),
        batch_size=8,
        # To be raised whenever the numbers change: what is cached is then made again, and heads
        # that learnt from others are refused.
        revision=1,
        # A network that has learnt names its `mgrkit.registry.Weights` here, for everybody to
        # fetch by `mgrkit models fetch`; this one draws its own.
        weights=None,
    )
