"""Kind s2-images, and the two things it is made of: a floor at the least level, a border."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
import pytest

from mgrkit.errors import ItemError, UsageError
from mgrkit.frontend import Decibels, FrontEnd, Mel, Transform, front_end
from mgrkit.spectrograms import (
    decibels,
    encode_png,
    levels,
    read_foreign,
    read_picture,
    read_png,
    render,
    spectrum,
    write_png,
)
from mgrkit.spectrograms.palettes import painted, unpainted
from mgrkit.spectrograms.sizing import resampled, rows_of_mesh

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FRONT = front_end("s2-images")
RATE = 22050


def sound(seconds: float = 3.0) -> NDArray[np.float32]:
    """A rising tone in noise, which decays by 60 dB."""
    time = np.arange(int(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).standard_normal(len(time)) / 50
    tone = np.sin(2 * np.pi * (500 + 1500 * time / seconds) * time)
    return ((tone + noise) * np.logspace(-0.5, -3.5, len(time))).astype(np.float32)


def noise(seconds: float = 3.0) -> NDArray[np.float32]:
    samples = np.random.default_rng(0).standard_normal(int(seconds * RATE)) / 10
    return samples.astype(np.float32)


def test_front_end_comes_back_and_others_stay() -> None:
    assert FrontEnd.from_json(FRONT.to_json()) == FRONT
    assert FRONT.digest == "b185d7cae564acfd"  # it stands in files
    assert (FRONT.bands, FRONT.width, FRONT.border, FRONT.column_seconds) == (270, 370, 15, 0)
    assert "floor" not in front_end().to_json()
    assert front_end(floor="top-db") == front_end()
    least = front_end(floor="least")
    assert FrontEnd.from_json(least.to_json()) == least != front_end()
    assert least.options()["floor"] == "least"


@pytest.mark.parametrize(
    "options",
    [{"sample_rate": 44100}, {"n_fft": 4096}, {"hop_length": 256}, {"window": "hamming"},
     {"power": 1}, {"top_db": 60.0}],
)  # fmt: skip
def test_nothing_can_be_chosen(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(UsageError, match=f"{name} must be .* for kind s2-images"):
        front_end("s2-images", **options)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"transform": Transform(padding="reflect")}, "padding must be constant"),
        ({"decibels": Decibels()}, "floor must be least for kind s2-images"),
        ({"decibels": Decibels(floor="least", ref="one")}, "ref must be peak"),
        ({"mel": Mel()}, "mel must be empty"),
    ],
)
def test_not_even_by_records(part: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        dataclasses.replace(FRONT, **part)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("mel", {"floor": "lowest"}, "floor must be top-db or least, not 'lowest'"),
        ("mel", {"floor": "least", "log": "ln"}, "floor belongs to log db, not to ln"),
        ("chroma-stft", {"floor": "least"}, "floor belongs to kind mel, stft and cqt"),
        ("mfcc", {"floor": "least"}, "floor belongs to kind mel, stft and cqt, not to mfcc"),
        ("kaggle-images", {"floor": "least"}, "not to kaggle-images"),
        ("s2-images", {"floor": "least"}, "not to s2-images"),
    ],
)
def test_a_floor_that_cannot_be(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        front_end(kind, **options)
    mfcc = front_end("mfcc")
    with pytest.raises(UsageError, match="floor must be top-db"):
        dataclasses.replace(mfcc, decibels=Decibels(ref="one", floor="least"))


def law(values: NDArray[Any]) -> NDArray[np.float64]:
    """The steps of levels in dB from their least to 0, as matplotlib chooses colours."""
    least = values.min()
    return np.minimum(255, np.floor(256 * (values.astype(float) - least) / -least))


@pytest.mark.parametrize("kind", ["mel", "stft", "cqt"])
@pytest.mark.parametrize("made", [sound, noise])
def test_from_the_least_level_to_the_peak_in_256_steps(kind: str, made: Any) -> None:
    samples, front = made(), front_end(kind, floor="least")
    wanted = law(decibels(samples, front_end(kind))[0])
    image = render(samples, front)
    assert np.abs(image.values - wanted).max() <= 1
    assert (image.values != wanted).mean() < 0.001
    assert (image.values.min(), image.values.max()) == (0, 255)
    (span,) = image.scale
    assert span == pytest.approx(-decibels(samples, front)[0].min(), abs=0.01)
    if kind == "mel":
        assert (span == 80) == (made is sound)


@pytest.mark.parametrize("options", [{}, {"ref": 1.0}, {"power": 1}, {"size": "64x48"}])
def test_levels_come_back(options: dict[str, Any], tmp_path: Path) -> None:
    front = front_end(floor="least", **options)
    image = render(noise(), front)
    write_png(tmp_path / "a.png", image, front, "a.wav")
    picture = read_png(tmp_path / "a.png")
    assert (picture.frontend, picture.scale) == (front, image.scale)
    assert np.array_equal(picture.values, image.values)
    if "size" not in options:
        wanted = decibels(noise(), front)[0]
        assert np.abs(levels(picture, front) - wanted).max() <= image.scale[0] / 256 + 0.01


def test_a_sound_of_one_level_is_drawn_too() -> None:
    front = front_end(floor="least", n_mels=1, n_fft=16, hop_length=16)
    samples = np.zeros(16, np.float32)
    samples[[4, 12]] = 1  # one in either frame, as far from the middle of its window
    image = render(samples, front)
    assert image.scale == (80.0,)
    assert image.values.tolist() == [[255, 255]]


@pytest.mark.parametrize("scale", [[], [0.0], [-3.0], [1.0, 2.0], ["x"], None])
def test_a_lie_about_the_scale(scale: object, tmp_path: Path) -> None:
    front = front_end(floor="least")
    image = render(noise(), front)
    text = json.dumps(list(image.scale))
    content = encode_png(image, front, "a.wav")
    (tmp_path / "a.png").write_bytes(changed(content, f'"scale": {text}', f'"scale": {scale!r}'))
    with pytest.raises(ItemError, match="damaged"):
        read_png(tmp_path / "a.png")


def changed(content: bytes, was: str, now: str) -> bytes:
    """A PNG whose text chunk says something else, with a checksum that is right."""
    import struct
    import zlib

    at = content.index(b"tEXt")
    (size,) = struct.unpack(">I", content[at - 4 : at])
    body = content[at + 4 : at + 4 + size]
    assert was.encode() in body
    body = body.replace(was.encode(), now.replace("'", '"').replace("None", "null").encode())
    chunk = b"tEXt" + body
    whole = struct.pack(">I", len(body)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return content[: at - 4] + whole + content[at + 8 + size :]


@pytest.mark.parametrize("seconds", [0.1, 3.0, 10.0])
def test_rows_and_columns_are_those_in_the_middle_of_a_pixel(seconds: float) -> None:
    samples = sound(seconds)
    power = spectrum(samples, FRONT).astype(float)
    assert power.shape == (1025, 1 + len(samples) // 512)
    image = render(samples, FRONT)
    assert image.values.shape == (270, 370)
    db = np.maximum(10 * np.log10(np.maximum(power, 1e-10) / power.max()), -80)
    rows = [int((row + 0.5) * 1025 / 270) for row in range(270)]
    columns = [int((column + 0.5) * power.shape[1] / 370) for column in range(370)]
    wanted = law(db)[rows][:, columns]
    assert np.abs(image.values - wanted).max() <= 1
    assert (image.values != wanted).mean() < 0.001
    assert image.peak_db == pytest.approx(10 * np.log10(power.max()), abs=1e-3)


def test_peak_and_least_level_are_of_all_frequencies() -> None:
    """Of those, too, that no row shows."""
    hidden = next(b for b in range(20, 1025) if b not in set(rows_of_mesh(1025, 270)))
    time = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * hidden * RATE / 2048 * time).astype(np.float32)
    image = render(tone, FRONT)
    assert image.peak_db == pytest.approx(10 * np.log10(spectrum(tone, FRONT).max()), abs=1e-3)
    assert image.values.max() < 255


def test_the_picture_has_a_white_border_and_matplotlibs_colours(tmp_path: Path) -> None:
    image = render(sound(), FRONT)
    write_png(tmp_path / "a.png", image, FRONT, "blues/a.wav")
    with PIL.Image.open(tmp_path / "a.png") as picture:
        assert (picture.size, picture.mode) == ((400, 300), "RGB")
        pixels = np.asarray(picture)
    inside = pixels[15:285, 15:385]
    assert np.array_equal(inside, painted(image.values)[::-1])
    white = np.full_like(pixels, 255)
    white[15:285, 15:385] = inside
    assert np.array_equal(pixels, white)
    read = read_png(tmp_path / "a.png")
    assert np.array_equal(read.values, image.values)
    assert (read.frontend, read.source) == (FRONT, "blues/a.wav")
    assert (read.peak_db, read.scale) == (image.peak_db, image.scale)
    assert np.array_equal(read_picture(tmp_path / "a.png").values, image.values)
    with pytest.raises(UsageError, match="cmap must be magma for kind s2-images"):
        encode_png(image, FRONT, "a", cmap="grey")


def test_of_another_size_there_is_no_border(tmp_path: Path) -> None:
    front = front_end("s2-images", size="200x150")
    image = render(sound(), front)
    write_png(tmp_path / "a.png", image, front, "a", cmap="grey")
    with PIL.Image.open(tmp_path / "a.png") as picture:
        assert (picture.size, picture.mode) == ((200, 150), "L")
    assert np.array_equal(read_png(tmp_path / "a.png").values, image.values)


def test_damaged_colours_are_refused(tmp_path: Path) -> None:
    image = render(sound(), FRONT)
    ours, content = encode_png(image, FRONT, "a"), tmp_path / "a.png"
    pixels = PIL.Image.new("RGB", (400, 300), (1, 255, 1))
    pixels.save(content)
    text = ours[ours.index(b"tEXt") - 4 : ours.index(b"IDAT") - 4]
    other = content.read_bytes()
    at = other.index(b"IDAT") - 4
    content.write_bytes(other[:at] + text + other[at:])
    with pytest.raises(ItemError, match="damaged"):
        read_png(content)


def drawn(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As SpectroTune's script leaves values: with a border, and opaque."""
    pixels = np.full((300, 400, 4), 255, np.uint8)
    pixels[15:285, 15:385, :3] = painted(values)[::-1]
    return pixels


def test_pictures_of_the_script_are_known(tmp_path: Path) -> None:
    image = render(sound(), FRONT)
    PIL.Image.fromarray(drawn(image.values)).save(tmp_path / "a.png")
    picture = read_foreign(tmp_path / "a.png")
    assert picture.frontend == FRONT
    assert np.array_equal(picture.values, image.values)
    assert picture.values.dtype == np.uint8


@pytest.mark.parametrize("change", ["grey border", "other colour", "other size", "shifted"])
def test_other_pictures_are_not_the_scripts(change: str, tmp_path: Path) -> None:
    pixels = drawn(render(sound(), FRONT).values)
    if change == "grey border":
        outside = np.ones((300, 400), bool)
        outside[15:285, 15:385] = False
        pixels[outside, :3] = 250
    elif change == "other colour":
        pixels[100, 100, :3] = (12, 200, 12)
    elif change == "other size":
        pixels = np.pad(pixels, ((0, 1), (0, 0), (0, 0)), constant_values=255)
    else:
        pixels = np.roll(pixels, 3, axis=1)
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    assert read_foreign(tmp_path / "a.png").frontend is None


@pytest.mark.parametrize("kind", ["mel", "cqt", "chroma-stft"])
def test_fewer_bands_at_the_same_place_are_another_drawing(kind: str, tmp_path: Path) -> None:
    values = resampled(render(sound(), front_end(kind)).values, 370, 270, "matplotlib")
    PIL.Image.fromarray(drawn(values)).save(tmp_path / "a.png")
    assert read_foreign(tmp_path / "a.png").frontend is None


def test_rows_that_are_silent_are_no_sign_of_fewer_bands(tmp_path: Path) -> None:
    values = render(sound(), FRONT).values.copy()
    values[120:] = 0  # as in an MP3 without high frequencies
    values[140:, [30, 90, 300]] = 9  # with clicks
    PIL.Image.fromarray(drawn(values)).save(tmp_path / "a.png")
    picture = read_foreign(tmp_path / "a.png")
    assert picture.frontend == FRONT
    assert np.array_equal(picture.values, values)


def test_a_picture_of_one_colour_is_empty(tmp_path: Path) -> None:
    PIL.Image.fromarray(drawn(np.full((270, 370), 9, np.uint8))).save(tmp_path / "a.png")
    with pytest.raises(ItemError, match="empty"):
        read_foreign(tmp_path / "a.png")


def test_colours_come_back() -> None:
    values = np.arange(256, dtype=np.uint8)[::-1].reshape(16, 16)
    back = unpainted(painted(values))
    assert back is not None
    assert np.array_equal(back, values)
    assert unpainted(np.full((2, 3), 255, np.uint8)) is None


@pytest.mark.parametrize(("bands", "frames"), [(128, 647), (20, 30), (480, 640)])
def test_sizes_as_matplotlib_paints_them(bands: int, frames: int) -> None:
    values = np.random.default_rng(0).integers(0, 256, (bands, frames), np.uint8)
    found = resampled(values, 640, 480, "matplotlib")
    for row, column in ((0, 0), (7, 9), (22, 320), (479, 639)):
        wanted = values[int((row + 0.5) * bands / 480), int((column + 0.5) * frames / 640)]
        assert found[row, column] == wanted
    assert found.flags.c_contiguous


def test_as_a_plane(tmp_path: Path) -> None:
    front = front_end("rgb:s2-images,mel,stft", hop_length=1024)
    image = render(sound(), front)
    assert image.values.shape == (3, 1025, 370)
    write_png(tmp_path / "a.png", image, front, "a")
    assert read_png(tmp_path / "a.png").planes == image.planes
    least = front_end("rgb:mel,mel,stft", floor="least")
    image = render(noise(), least)
    assert [len(scale) for _, scale in image.planes] == [1, 1, 1]
    write_png(tmp_path / "b.png", image, least, "b")
    assert read_png(tmp_path / "b.png").planes == image.planes


def test_too_short() -> None:
    with pytest.raises(ItemError, match="too-short"):
        render(sound()[:2047], FRONT)
