"""How systems and papers of the field draw sound, by name: a new one is one entry here.

Their numbers are as published. What a source leaves open is mgrkit's usual, and free to choose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mgrkit.errors import UsageError, nearest


@dataclass(frozen=True)
class Preset:
    """A front end, a cut and a picture.

    Parameters
    ----------
    origin : what it comes from: a repository on GitHub, as OWNER/NAME, or a paper.
    about : what is drawn.
    leaves_open : what the source does not say, and is mgrkit's usual here.
    options : what it sets, by the names of `mgrkit.frontend.front_end`, and ``cmap`` and ``axes``
        by those of `mgrkit.commands.spectrograms.SpectrogramsSettings`; None or '' for none.
    frames : columns of a piece, where it is cut; 0 for mgrkit's usual pieces.
    """

    name: str
    origin: str
    about: str
    leaves_open: str
    options: Mapping[str, Any]
    frames: int = 0

    def with_others(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Its options and others that it leaves open.

        Raises
        ------
        UsageError : one that it sets has another value; both are named.
        """
        for name, value in given.items():
            if name in self.options and value != self.options[name]:
                sets = f"which sets {_said(name, self.options[name])}"
                raise UsageError(f"{_said(name, value)} contradicts preset {self.name}, {sets}")
        return {**self.options, **given}

    def says(self) -> str:
        """What it sets, in words."""
        told = ", ".join(_said(*option) for option in self.options.items())
        return f"preset {self.name} sets {told}"


def preset_of(name: str) -> Preset:
    """The preset of a name; UsageError for a name that is none."""
    if name not in PRESETS:
        raise UsageError(f"there is no preset {name!r}", nearest(name, PRESETS, "there are"))
    return PRESETS[name]


def _said(name: str, value: object) -> str:
    if not value:
        return f"no {name}"
    if name == "axes":
        return "notes" if value == "notes" else name
    return f"{name} {value}"


_TRANSFORM = {"sample_rate": 22050, "n_fft": 2048, "hop_length": 512, "window": "hann"}
_ENTRIES = (
    Preset(
        "s0",
        "cankocagil/Music-Genre-Recognition-from-Audio-Tracks-and-Metadata",
        "Mel pictures of FMA's clips, of which its networks take the first 1292 columns.",
        "window, range of frequencies, colours, cut",
        {
            "kind": "mel", "sample_rate": 22050, "n_fft": 2048, "hop_length": 512, "n_mels": 128,
            "log": "db", "ref": "peak",
        },
    ),
    Preset(
        "s1",
        "Giovanni-Caruso/Music-Genre-Recognition",
        "Mel pictures by the natural logarithm, pieces of 640 columns.",
        "window, range of frequencies, what the logarithm begins at (a power of 1e-10), colours",
        {
            "kind": "mel", "sample_rate": 22050, "n_fft": 2048, "hop_length": 1024, "n_mels": 128,
            "log": "ln",
        },
        frames=640,
    ),
    Preset(
        "s2",
        "nikhilnair31/SpectroTune---Genre-Classifier",
        "The pictures of 400x300 that its script draws by librosa and matplotlib: linear "
        "frequencies in 270 rows and 370 columns, 15 white pixels around.",
        "the cut of sounds that are longer than GTZAN's clips",
        {"kind": "s2-images", **_TRANSFORM, "size": None, "cmap": "magma", "axes": ""},
    ),
    Preset(
        "s3",
        "Intelligent-Systems-MSc/Music-genre-classification",
        "Mel pictures of 640x480 as its script draws them by librosa and matplotlib, without a "
        "border. Its networks shrink them.",
        "sample rate, power, cut",
        {
            "kind": "mel", "n_fft": 2048, "hop_length": 1024, "window": "blackman", "n_mels": 128,
            "log": "db", "ref": "peak", "floor": "least", "size": "640x480",
            "resample": "matplotlib", "cmap": "magma", "axes": "",
        },
    ),
    Preset(
        "s4",
        "celestinhermez/music-genre-classification",
        "Mel pictures of 224x224 for MobileNetV2.",
        "sample rate, transform, mel bands, law of levels, resampling, colours, cut",
        {"kind": "mel", "size": "224x224", "axes": ""},
    ),
    Preset(
        "pons",
        "Pons, Lidy, Serra 2016, Experimenting with musically motivated convolutional neural "
        "networks (CBMI)",
        "40 mel bands by log10(1 + 10000 x), pieces of 80 frames.",
        "sample rate, power or magnitude, what 255 is (the peak of the picture), colours",
        {
            "kind": "mel", "n_fft": 2048, "hop_length": 1024, "window": "blackmanharris62",
            "n_mels": 40, "log": "log10",
        },
        frames=80,
    ),
    Preset(
        "choi",
        "Choi, Fazekas, Sandler, Cho 2017, Convolutional recurrent neural networks for music "
        "classification (ICASSP); keunwoochoi/music-auto_tagging-keras",
        "96 mel bands at 12 kHz in decibels, pieces of 1366 frames (29.12 s).",
        "window, what 255 is (the peak of the picture), colours. The code there squares mel power "
        "before it takes decibels, which is left out",
        {
            "kind": "mel", "sample_rate": 12000, "n_fft": 512, "hop_length": 256, "n_mels": 96,
            "log": "db",
        },
        frames=1366,
    ),
    Preset(
        "kaggle",
        "images_original, the public pictures of GTZAN on Kaggle",
        "Mel as those pictures show it: 128 bands and 334 columns, without their empty axes.",
        "the cut of sounds that are longer than GTZAN's clips",
        {
            "kind": "kaggle-images", **_TRANSFORM, "n_mels": 128, "top_db": 80.0, "size": None,
            "cmap": "magma", "axes": "",
        },
    ),
)  # fmt: skip
PRESETS: dict[str, Preset] = {one.name: one for one in _ENTRIES}
