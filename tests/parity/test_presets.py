"""Presets against librosa, and the pictures of S2 and S3 against their drawing by matplotlib.

The scripts' calls are written down here once more, as they stand in their repositories.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
import pytest
import soundfile

from mgrkit.commands.spectrograms import SpectrogramsSettings
from mgrkit.frontend.presets import PRESETS
from mgrkit.spectrograms import (
    compressed,
    decibels,
    levels,
    read_foreign,
    render,
    spectrum,
    write_png,
)
from mgrkit.spectrograms.palettes import painted
from mgrkit.spectrograms.sizing import resampled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mgrkit.frontend import FrontEnd

    Floats = NDArray[np.float32]

librosa = pytest.importorskip("librosa")
matplotlib = pytest.importorskip("matplotlib")

RATE = 22050
CLIPS = ["blues.00006", "classical.00003", "metal.00007", "pop.00006", "reggae.00009"]
clips = pytest.mark.parametrize("name", CLIPS)


def clip(data: Path, name: str) -> Floats:
    samples: Floats = soundfile.read(data / f"gtzan/clips/{name}.flac", dtype="float32")[0]
    return samples


def front_of(preset: str) -> FrontEnd:
    return SpectrogramsSettings.of_preset(preset).frontend


@pytest.fixture
def plt() -> Iterator[Any]:
    """matplotlib's pyplot, drawing into memory, with nobody's own settings."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pytest.importorskip("librosa.display")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        pyplot.switch_backend("agg")
        yield pyplot
        pyplot.close("all")


def saved(plt: Any) -> NDArray[np.uint8]:
    file = io.BytesIO()
    plt.savefig(file, dpi=100)
    plt.close()
    with PIL.Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))


def s2(plt: Any, y: Floats) -> NDArray[np.uint8]:
    """image_gen_async.py of SpectroTune."""
    shown = librosa.amplitude_to_db(abs(librosa.stft(y)), ref=np.max)
    plt.figure(figsize=(4, 3))
    librosa.display.specshow(shown, sr=RATE)
    plt.axis("off")
    plt.tight_layout()
    return saved(plt)


def s3(plt: Any, y: Floats) -> NDArray[np.uint8]:
    """create_spectogram_dataset.py of Music-genre-classification, with its window and hop."""
    image = librosa.feature.melspectrogram(
        y=y, sr=RATE, n_fft=2048, hop_length=1024, n_mels=128, window="blackman"
    )
    plt.figure()
    shown = librosa.power_to_db(image, ref=np.max)
    librosa.display.specshow(shown, sr=RATE, hop_length=1024)
    plt.axis("off")
    plt.axis("tight")
    plt.tight_layout(pad=0)
    return saved(plt)


def ours(samples: Floats, preset: str, path: Path) -> NDArray[np.uint8]:
    front = front_of(preset)
    write_png(path, render(samples, front), front, "a.wav")
    with PIL.Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def hold_s2(plt: Any, samples: Floats, folder: Path) -> None:
    """Found is a difference of one step, of 256, in at most 16 of 99,900 pixels of the 44 clips."""
    wanted, found = s2(plt, samples), ours(samples, "s2", folder / "ours.png")
    assert found.shape == wanted.shape == (300, 400, 3)
    assert (wanted[found == 255].min(), (wanted[:15] == 255).all()) == (255, True)
    PIL.Image.fromarray(wanted).save(folder / "theirs.png")
    read = read_foreign(folder / "theirs.png")
    assert read.frontend == front_of("s2")
    values = render(samples, front_of("s2")).values
    assert np.abs(values.astype(int) - read.values).max() <= 1
    assert (values != read.values).mean() < 0.001
    same = np.pad((values == read.values)[::-1], 15, constant_values=True)
    assert np.array_equal(found[same], wanted[same])


def hold_s3(plt: Any, samples: Floats, folder: Path) -> None:
    """Steps as in S2's; colours are cut off in our palette and rounded in theirs, one less."""
    wanted, found = s3(plt, samples), ours(samples, "s3", folder / "ours.png")
    assert found.shape == wanted.shape == (480, 640, 3)
    values = render(samples, front_of("s3")).values
    PIL.Image.fromarray(wanted).save(folder / "theirs.png")
    read = read_foreign(folder / "theirs.png").values
    assert np.array_equal(painted(read)[::-1], wanted)
    assert np.abs(values.astype(int) - read).max() <= 1
    assert (values != read).mean() < 0.001
    same = (values == read)[::-1]
    assert np.abs(found[same].astype(int) - wanted[same]).max() <= 1


@clips
def test_s2_draws_as_its_script(plt: Any, data: Path, name: str, tmp_path: Path) -> None:
    whole = clip(data, name)
    # Of 1292 frames, two columns lie just between two, of 440 ten.
    hold_s2(plt, whole[: 1291 * 512] if name.startswith("metal") else whole, tmp_path)
    hold_s2(plt, whole[: 439 * 512], tmp_path)


@clips
def test_s3_draws_as_its_script(plt: Any, data: Path, name: str, tmp_path: Path) -> None:
    hold_s3(plt, clip(data, name), tmp_path)
    hold_s3(plt, clip(data, name)[: 3 * RATE], tmp_path)


def test_noise_is_stretched_as_matplotlib_stretches_it(plt: Any, tmp_path: Path) -> None:
    """Its least level is 67 and 24 dB below the peak, not 80."""
    noise = np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32) / 10
    hold_s2(plt, noise, tmp_path)
    hold_s3(plt, noise, tmp_path)


def mel(samples: Floats, rate: int = RATE, **options: Any) -> Any:
    """librosa's mel power in float64."""
    return librosa.feature.melspectrogram(y=samples.astype(float), sr=rate, **options)


@clips
def test_s0(data: Path, name: str) -> None:
    samples, front = clip(data, name), front_of("s0")
    wanted = librosa.power_to_db(mel(samples, n_fft=2048, hop_length=512), ref=np.max)
    assert np.abs(decibels(samples, front)[0] - wanted).max() < 0.01
    image = render(samples, front)
    assert np.abs(image.values - 255 * (wanted + 80) / 80).max() < 0.55
    assert len(wanted) == 128


@clips
def test_s1(data: Path, name: str) -> None:
    settings = SpectrogramsSettings.of_preset("s1")
    assert settings.piece_seconds
    samples = clip(data, name)[: round(settings.piece_seconds * RATE)]
    power = mel(samples, n_fft=2048, hop_length=1024, n_mels=128)
    assert power.shape == (128, 640)
    wanted = np.log(np.maximum(power, 1e-10))
    image = render(samples, settings.frontend)
    step = (wanted.max() - np.log(1e-10)) / 255
    shown = levels(image, settings.frontend)
    assert np.abs(shown - wanted).max() < 0.51 * step + 0.005


@clips
def test_s4(data: Path, name: str) -> None:
    """224 x 224 of the usual mel picture, by Pillow."""
    samples = clip(data, name)
    wanted = librosa.power_to_db(mel(samples, n_fft=2048, hop_length=512), ref=np.max)
    grey = PIL.Image.fromarray(np.rint(255 * (wanted + 80) / 80).astype(np.uint8)[::-1])
    small = np.asarray(grey.resize((224, 224), PIL.Image.Resampling.BILINEAR))
    found = render(samples, front_of("s4")).values
    assert found.shape == (224, 224)
    assert np.abs(found[::-1].astype(int) - small).max() <= 1


@clips
def test_pons(data: Path, name: str) -> None:
    settings = SpectrogramsSettings.of_preset("pons")
    assert settings.piece_seconds
    samples = clip(data, name)[: round(settings.piece_seconds * RATE)]
    # The Blackman-Harris window of three terms with the narrowest peak, 62 dB (Harris 1978).
    window = ("general_cosine", [0.44959, 0.49364, 0.05677])
    power = mel(samples, n_fft=2048, hop_length=1024, n_mels=40, window=window)
    assert power.shape == (40, 80)
    found = spectrum(samples, settings.frontend)
    assert np.abs(found - power).max() < 1e-4 * power.max()
    wanted = np.log10(1 + 10_000 * power)
    assert np.abs(compressed(samples, settings.frontend).T - wanted).max() < 1e-3
    image = render(samples, settings.frontend)
    assert np.abs(image.values - 255 * wanted / wanted.max()).max() < 0.55


@clips
def test_choi(data: Path, name: str) -> None:
    settings = SpectrogramsSettings.of_preset("choi")
    assert settings.piece_seconds
    samples = librosa.resample(clip(data, name), orig_sr=RATE, target_sr=12000)
    samples = samples[: round(settings.piece_seconds * 12000)]
    power = mel(samples, 12000, n_fft=512, hop_length=256, n_mels=96)
    assert power.shape == (96, 1366)
    wanted = librosa.power_to_db(power, ref=np.max)
    assert np.abs(decibels(samples, settings.frontend)[0] - wanted).max() < 0.01
    assert np.abs(render(samples, settings.frontend).values - 255 * (wanted + 80) / 80).max() < 0.55


def test_all_presets_are_held_here() -> None:
    """kaggle by test_kaggle_images."""
    held = {name.split("_")[1] for name in globals() if name.startswith("test_")}
    assert PRESETS.keys() - {"kaggle"} <= held


@pytest.mark.parametrize("bands", [9, 84, 128, 200])
@pytest.mark.parametrize("frames", [30, 440, 647, 1280, 1292, 1300])
def test_what_lies_between_two_pixels(plt: Any, bands: int, frames: int) -> None:
    """Sizes as matplotlib paints them: 1280 frames have an edge in the middle of each column."""
    values = np.random.default_rng(0).integers(0, 256, (bands, frames)).astype(np.uint8)
    values[0, :2] = 0, 255
    plt.figure()
    librosa.display.specshow(values / 255 - 1, sr=RATE)
    plt.axis("off")
    plt.axis("tight")
    plt.tight_layout(pad=0)
    steps = np.minimum(255, np.floor(256 * (values / 255))).astype(np.uint8)
    wanted = painted(resampled(steps, 640, 480, "matplotlib"))[::-1]
    assert np.array_equal(saved(plt), wanted)
