"""``mgrkit doctor``: what is installed, what each command needs, and how to mend it.

Nothing but the standard library and what needs no more is imported here at the top: whatever else
is broken is what the doctor is asked about.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
import platform
import re
import struct
import tempfile
import wave
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import mgrkit
from mgrkit.commands.extras import EXTRAS, examine_extras
from mgrkit.compute.device import lacking
from mgrkit.errors import RunError
from mgrkit.registry import ClassifierSpec, FeatureSetSpec
from mgrkit.registry.catalogue import OWN, Plugin
from mgrkit.registry.guard import attempt
from mgrkit.registry.loader import how_to_install, installed, missing, resolve

_MODULES = {
    "asyncio-pool": "asyncio_pool",
    "pillow": "PIL",
    "scikit-learn": "sklearn",
}
"""The modules that are not called as their distributions are."""

_TORCH = ("torch", "torchvision")
_MEND_TORCH = "install torch as pytorch.org says for your machine; predicting on a CPU needs none"
"""pip alone may fetch gigabytes: which torch it is to be is a person's choice."""

_UNTRIED = ("torchvision",)
"""What importing alone does not show: without CUDA it fails, and a plugin mends that."""

_DECODERS = {"libsndfile": ("soundfile", "0.15"), "FFmpeg": ("av", "20")}
"""The distribution of each, and the first release that mgrkit has not been tried with."""

_SOUND = ("aiofiles", "asyncio-pool", "av", "numpy", "rich", "scipy", "soundfile", "soxr")
_FEATURES = (*_SOUND, "platformdirs", "pluggy", "polars")
_MODELS = (*_FEATURES, "isal", "pillow", "safetensors")
_NEEDS = {
    "augment": _SOUND,
    "spectrograms": (*_SOUND, "isal", "pillow"),
    "merge": (*_FEATURES, "tinytag"),
    "show": (*_SOUND, "isal", "pillow", "matplotlib"),
    "features": (*_FEATURES, "tinytag"),
    "train": (*_MODELS, "matplotlib", "scikit-learn", "tinytag"),
    "tune": (*_MODELS, "matplotlib", "scikit-learn", "tinytag"),
    "evaluate": (*_MODELS, "matplotlib", "tinytag"),
    "compare": (*_MODELS, "matplotlib", "scikit-learn", "tinytag"),
    "explore": (*_MODELS, "matplotlib", "scikit-learn", "threadpoolctl", "tinytag"),
    "predict": _MODELS,
    "tag": _MODELS,
    "vote": _MODELS,
    "duplicates": (*_FEATURES, "tinytag"),
    "report": (*_MODELS, "jinja2", "tinytag"),
    "data": (*_MODELS, "scikit-learn", "tinytag"),
    "demo": (*_MODELS, "matplotlib", "scikit-learn", "tinytag"),
    "classifiers": ("pluggy",),
    "plugins": ("pluggy",),
    "models": ("numpy", "platformdirs", "pluggy", "safetensors"),
    "chroma": ("librosa",),
    "recipes": ("audiomentations",),
    "networks": ("torch", "torchvision"),
}
"""The distributions that each command needs, besides typer, which all do.

Chroma, recipes and networks are no commands: to draw chroma of constant Q and tonnetz takes this
beside what the command needs, to augment by recipes, to train networks, and so does computing with
them or with musicnn on a GPU.
"""

_CLASSIFYING = ("train", "tune", "evaluate", "compare", "explore", "predict", "tag", "data", "demo")
_DECODING = ("augment", "spectrograms", "show", "features", *_CLASSIFYING)
_RATE = 8000


def examine() -> dict[str, Any]:
    """Everything that the doctor knows; ``exit_code`` is 1 if a command cannot work."""
    needed = [_needed(name, lowest) for name, lowest in sorted(_requirements().items())]
    decoders = _decoders()
    plugins = [found for plugin in installed().plugins if (found := _plugin(plugin))["error"]]
    unlisted = [p.distribution for p in installed().plugins if p.status == "broken"]
    faults = {one["name"]: one["error"] for one in needed if one["error"]}
    transforms = _transforms()
    extras = examine_extras(_version, transforms)
    wanting = {extra.command: one for extra, one in zip(EXTRAS, extras, strict=True)}
    commands = [
        _command(name, needs, faults, decoders, unlisted, wanting.get(name))
        for name, needs in _NEEDS.items()
    ]
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "mgrkit": mgrkit.__version__,
        "dependencies": needed,
        "commands": commands,
        "extras": extras,
        "decoders": decoders,
        "torch": _torch(),
        "devices": _devices(),
        "transforms": transforms,
        "cache": _cache(),
        "weights": _weights(),
        "plugins": plugins,
        "exit_code": int(any(one["status"] == "broken" for one in commands)),
    }


def _requirements() -> dict[str, str]:
    """mgrkit's dependencies, each with the lowest version that will do."""
    try:
        lines = metadata.requires(OWN) or []
    except metadata.PackageNotFoundError:  # a bare source tree
        lines = []
    found = dict.fromkeys({name for needs in _NEEDS.values() for name in needs}, "")
    for line in lines:
        match = re.fullmatch(r"([\w.-]+?)\s*(?:>=\s*([\d.]+))?", line)  # extras have a marker
        if match:
            found[match[1]] = match[2] or ""
    return found


def _needed(name: str, lowest: str) -> dict[str, Any]:
    """A dependency: its version, and what is wrong with it."""
    version = _version(name)
    error, how = "", "install"
    if not version:
        error = "not installed"
    elif _numbers(version) < _numbers(lowest):
        error, how = f"too old, {lowest} is needed", "install --upgrade"
    else:
        module = _MODULES.get(name, name)
        look = importlib.util.find_spec if name in _UNTRIED else importlib.import_module
        _, wrong = attempt(lambda: look(module))
        error = f"cannot be imported: {wrong}" if wrong else ""
        how = "install --force-reinstall"
    mend = _MEND_TORCH if name in _TORCH else f"pip {how} {name}"
    mend = mend if error else ""
    return {"name": name, "version": version, "lowest": lowest, "error": error, "mend": mend}


def _version(name: str) -> str:
    try:
        return metadata.version(name) or ""
    except metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version.partition("+")[0])]


def _command(
    name: str,
    needs: Sequence[str],
    faults: Mapping[str, str],
    decoders: Iterable[Mapping[str, Any]],
    broken: Sequence[str],
    extra: Mapping[str, Any] | None,
) -> dict[str, Any]:
    errors = [f"{need}: {faults[need]}" for need in needs if need in faults]
    if name in _DECODING:
        errors += [f"decoding with {d['name']}: {d['error']}" for d in decoders if d["error"]]
    if name in _CLASSIFYING and OWN in broken:
        errors.append(f"the plugin of {OWN} itself is broken")
    status = "broken" if errors else "ok"
    if extra and extra["lacks"]:
        status = "broken" if errors else "extra"
        errors.append(f"{', '.join(extra['lacks'])}: not installed, {extra['mend']}")
    return {
        "name": name,
        "status": status,
        "needs": list(needs),
        "error": "; ".join(errors),
    }


def _decoders() -> list[dict[str, Any]]:
    """libsndfile and FFmpeg, each tried on a WAV file of a tenth of a second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tone.wav")
        tone = [round(8000 * math.sin(i / 5)) for i in range(_RATE // 10)]
        with wave.open(os.fspath(path), "wb") as file:
            file.setparams((1, 2, _RATE, 0, "NONE", ""))
            file.writeframes(struct.pack(f"<{len(tone)}h", *tone))
        return [
            _decoder("libsndfile", "sndfile", "SndfileDecoder", path, len(tone)),
            _decoder("FFmpeg", "pyav", "PyavDecoder", path, len(tone)),
        ]


def _decoder(name: str, module: str, kind: str, path: Path, frames: int) -> dict[str, Any]:
    def decoded() -> int:
        decoder = getattr(importlib.import_module(f"mgrkit.audio.{module}"), kind)(path)
        try:
            return sum(block.shape[-1] for block in decoder.blocks(_RATE))
        finally:
            decoder.close()

    got, error = attempt(decoded)
    if not error and got != frames:
        error = f"{got} samples of {frames} came out"
    formats, wrong = attempt(_sndfile_formats if module == "sndfile" else _ffmpeg_formats)
    distribution, untried = _DECODERS[name]
    mend = f"pip install --force-reinstall '{distribution}<{untried}'" if error or wrong else ""
    return {"name": name, "formats": formats or [], "error": error or wrong, "mend": mend}


def _sndfile_formats() -> list[str]:
    import soundfile

    return sorted(soundfile.available_formats())


def _ffmpeg_formats() -> list[str]:
    """Those of FFmpeg's formats that mgrkit reads."""
    import av

    from mgrkit.audio.pyav import FORMATS

    there = {part for name in av.formats_available for part in name.split(",")}
    return [name for name in FORMATS.split(",") if name in there]


def _torch() -> str:
    """What the installed torch is built for, which decides how much pip has fetched."""

    def build() -> str:
        import torch

        if torch.version.cuda:
            return f"CUDA {torch.version.cuda}"
        if torch.version.hip:
            return f"ROCm {torch.version.hip}"
        return "CPUs and MPS" if torch.backends.mps.is_built() else "CPUs"

    # Why it cannot be imported stands with the dependencies.
    return (attempt(build)[0] if _version("torch") else "") or ""


def _devices() -> list[str]:
    """The devices that torch can compute on, with their names; why there is no GPU among them."""

    def seen() -> list[str]:
        import torch

        found = [
            f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())
        ]
        return found + (["mps"] if torch.backends.mps.is_available() else [])

    if not _version("torch"):
        return ["cpu", "no cuda: torch is not installed"]
    found, wrong = attempt(seen)
    if wrong:
        return ["cpu", f"torch cannot tell: {wrong}"]
    return ["cpu", *(found or [f"no cuda: {lacking('cuda')}"])]


def _transforms() -> list[dict[str, str]]:
    """What single transforms of audiomentations lack; recipes without them need none of it."""

    def lacking() -> list[dict[str, str]]:
        from mgrkit.augment.recipes import catalogue

        return [
            {"name": one.name, "lacks": need.name, "mend": need.how}
            for one in catalogue()
            for need in one.missing
        ]

    # Why audiomentations cannot be imported stands with the dependencies.
    return attempt(lacking)[0] or []


def _plugin(plugin: Plugin) -> dict[str, Any]:
    """What is wrong with a plugin: what its listing says, and each factory that is not there."""
    errors = [plugin.error] if plugin.error else []
    specs: tuple[ClassifierSpec | FeatureSetSpec, ...]
    specs = (*plugin.classifiers, *plugin.feature_sets)
    for spec in specs:
        if missing(spec.requires):  # mgrkit classifiers says so, with the cure
            continue
        try:
            resolve(spec.factory)
        except RunError as error:
            errors.append(f"{spec.name}: {error}")
    wrong = "; ".join(errors)
    return {
        "distribution": plugin.distribution,
        "version": plugin.version,
        "error": wrong,
        "mend": _mend(plugin.distribution, wrong, specs) if errors else "",
    }


def _mend(name: str, error: str, specs: Sequence[ClassifierSpec | FeatureSetSpec]) -> str:
    """The cure of a plugin: get what it lacks, or else another release of it."""
    try:
        points = metadata.distribution(name).entry_points
    except metadata.PackageNotFoundError:
        return "correct or unset MGRKIT_PLUGINS"
    places = {point.value for point in points} | {spec.factory for spec in specs}
    lacking = dict.fromkeys(re.findall(r"No module named '(\w+)", error))
    # A module of the plugin itself that it lacks is a mistake in it: nothing else to install.
    others = [one for one in lacking if one not in {re.split("[.:]", place)[0] for place in places}]
    if others:
        return how_to_install(others)
    if name == OWN:
        return f"pip install --force-reinstall {name}"
    return f"pip install --upgrade {name}, or pip uninstall {name}"


def _cache() -> dict[str, Any]:
    def examined() -> dict[str, Any]:
        from mgrkit.files.cache import cache_folder

        folder = cache_folder().absolute()
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        there = next(place for place in (folder, *folder.parents) if place.exists())
        writable = _takes_a_folder(there)
        mend = "" if writable else "set MGRKIT_CACHE to a folder that can be written"
        return {"path": os.fspath(folder), "bytes": size, "writable": writable, "mend": mend}

    found, wrong = attempt(examined)
    return found or {"path": "", "bytes": 0, "writable": False, "mend": wrong}


def _takes_a_folder(place: Path) -> bool:
    """Tried, for permissions do not say all; what is made for it is deleted."""
    try:
        with tempfile.TemporaryDirectory(prefix=".mgrkit-", dir=place):
            return True
    except OSError:
        return False


def _weights() -> list[dict[str, Any]]:
    """The weights that feature sets need; mgrkit itself needs none of them."""

    def examined() -> list[dict[str, Any]]:
        from mgrkit.weights.store import list_weights

        return list_weights()

    return attempt(examined)[0] or []
