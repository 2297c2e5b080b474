"""A plugin whose feature set needs weights, and the wheel that holds them."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from mgrkit.classifiers import Bundle, Task, save_bundle
from mgrkit.frontend import front_end
from mgrkit.registry import Weights
from tests.registry.fakes import Site

DISTRIBUTION = "hum-net"
MODULE = "hum_net_hooks"
COLUMNS = ("low", "high")
FRONT_END = front_end(sample_rate=22050)

CODE = """
import time, zipfile
import numpy as np
from mgrkit.classifiers import Classifier
from mgrkit.frontend import front_end
from mgrkit.registry import ClassifierSpec, FeatureSetSpec, Weights, hookimpl

HUM = {weights!r}
FRONT_END = front_end(sample_rate=22050)

@hookimpl
def mgrkit_feature_sets():
    common = dict(frontend=FRONT_END, columns=("low", "high"))
    return [
        FeatureSetSpec("hum", "hears hum", "{module}:Hum", window=1.0, hop=1.0, batch_size=4,
                       weights=HUM, bundles=("hum_net_bundles:hum.safetensors",), **common),
        FeatureSetSpec("plain", "hears little", "{module}:plain",
                       bundles=("hum_net_bundles:plain.safetensors",), **common),
    ]

@hookimpl
def mgrkit_classifiers():
    return [ClassifierSpec("first", "names the first", "{module}:First", eats="features:plain")]

def convert(wheel, progress):
    if {talks!r}:
        print({talks!r})
    with zipfile.ZipFile(wheel) as file:
        values = np.frombuffer(file.read("hum/values.bin"), np.float32)
    for step in range(3):
        progress(step, 3)
        time.sleep({seconds})
    return {{"values": values, "turned": values[::-1]}}

def plain(samples):
    return np.zeros((1, 2))

class Hum:
    def __init__(self, weights, device):
        assert weights.stat().st_size

    def prepare(self, samples):
        return samples[:10]

    def embed(self, prepared):
        return [np.ones((3, 2)) for _ in prepared]

class First(Classifier):
    def fit(self, train, valid, run):
        pass

    def predict_proba(self, x):
        return np.tile(np.float32([0.75, 0.25]), (len(x), 1))

    def state(self):
        return {{"nothing": np.zeros(1)}}

    def restore(self, state, device="cpu"):
        pass
"""


@dataclass
class HumNet:
    """The plugin, once it is installed, and its wheel in ``index``, a folder for pip.

    Parameters
    ----------
    seconds : that each of the converter's three steps takes.
    talks : what the converter prints.
    """

    folder: Path
    size: int = 1000
    seconds: float = 0.0
    talks: str = ""

    def __post_init__(self) -> None:
        self.values = np.arange(self.size, dtype=np.float32)
        self.index = self.folder / "index"
        self.index.mkdir(parents=True)
        self.wheel = self.index / "hum_weights-1.2-py3-none-any.whl"
        write_wheel(self.wheel, self.values)
        self.wheel_bytes = self.wheel.read_bytes()
        self.content = save({"values": self.values, "turned": self.values[::-1].copy()})
        self.weights = Weights(
            name="hum",
            summary="a net that has heard hum",
            package="hum-weights",
            version="1.2",
            wheel_sha256=hashlib.sha256(self.wheel_bytes).hexdigest(),
            wheel_bytes=len(self.wheel_bytes),
            convert=f"{MODULE}:convert",
            sha256=hashlib.sha256(self.content).hexdigest(),
            licence="Do with it\n\nwhat you like.\n",
            authors="A. Bee and C. Dee",
        )

    @property
    def pip(self) -> dict[str, str]:
        """The environment in which pip sees nothing but the index."""
        return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.index), "PIP_CONFIG_FILE": ""}

    def install(self, site: Site) -> HumNet:
        """With two models: ``hum``, which needs the weights, is the better one."""
        values = {"module": MODULE, "seconds": self.seconds, "talks": self.talks}
        code = CODE.format(weights=self.weights, **values)
        site.install(DISTRIBUTION, code)
        bundles = site.folder / "hum_net_bundles"
        bundles.mkdir()
        (bundles / "__init__.py").write_text("")
        for name, eats, columns, accuracy in (
            ("hum", "features:hum:mean", tuple(f"{c}_mean" for c in COLUMNS), 0.75),
            ("plain", "features:plain", COLUMNS, 0.5),
        ):
            bundle = Bundle(
                "first", DISTRIBUTION, "1.0", {}, eats,
                Task(("calm", "loud"), (2,), columns, FRONT_END), {"nothing": np.zeros(1)},
                metrics={"accuracy": accuracy},
            )  # fmt: skip
            save_bundle(bundles / f"{name}.safetensors", bundle)
        return self


def write_wheel(path: Path, values: np.ndarray) -> None:
    """A wheel that pip takes; the same bytes each time."""
    name = "hum_weights-1.2.dist-info"
    inside = {
        "hum/values.bin": values.tobytes(),
        f"{name}/METADATA": b"Metadata-Version: 2.1\nName: hum-weights\nVersion: 1.2\n",
        f"{name}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w") as file:
        for each, content in inside.items():
            file.writestr(zipfile.ZipInfo(each), content)


def kept(cache: Path) -> set[str]:
    """What lies in the cache, hidden files too."""
    return {path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file()}
