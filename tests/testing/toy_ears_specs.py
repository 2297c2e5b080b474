"""What the toy feature sets say of themselves; imports no NumPy, as a hooks module must."""

from __future__ import annotations

from mgrkit.frontend import front_end
from mgrkit.registry import FeatureSetSpec, Weights, hookimpl

GOOD = FeatureSetSpec(
    name="toy-ears",
    summary="level, peak, change and bass of windows",
    factory="tests.testing.toy_ears:Ears",
    frontend=front_end(sample_rate=8000, n_fft=512, hop_length=250, n_mels=20),
    columns=("level", "peak", "change", "bass"),
    window=0.25,
    hop=0.125,
    devices=("cuda", "cpu"),
    batch_size=2,
)

WEIGHTS = Weights(
    name="toy-weights",
    summary="nothing learnt",
    package="toy",
    version="1",
    wheel_sha256="0" * 64,
    wheel_bytes=1,
    convert="tests.testing.toy_ears:ears",
    sha256="0" * 64,
    licence="none",
    authors="nobody",
)


@hookimpl
def mgrkit_feature_sets() -> list[FeatureSetSpec]:
    return [GOOD]
