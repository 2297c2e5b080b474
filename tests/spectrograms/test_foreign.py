"""Pictures by other programs: borders, palettes, and what is refused."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
import pytest
from PIL.PngImagePlugin import PngInfo

from mgrkit.errors import ItemError
from mgrkit.frontend import front_end
from mgrkit.spectrograms import Image, encode_png, read_foreign, read_picture
from mgrkit.spectrograms.foreign import MAX_PIXELS, PALETTES
from mgrkit.spectrograms.palettes import magma_rounded, palette

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Colours = NDArray[np.uint8]

matplotlib = pytest.importorskip("matplotlib")

KAGGLE = front_end("kaggle-images")


def hills(bands: int = 60, frames: int = 90) -> NDArray[np.uint8]:
    """Smooth values that use the whole scale, all edges different."""
    rows, columns = np.mgrid[:bands, :frames]
    wave = np.sin(rows / 9) + np.cos(columns / 7) + rows / bands
    return np.rint(255 * (wave - wave.min()) / np.ptp(wave)).astype(np.uint8)


def coloured(values: NDArray[np.uint8], name: str, law: Callable[..., Any] = np.floor) -> Colours:
    table = law(255 * matplotlib.colormaps[name](np.arange(256))[:, :3])
    colours: Colours = table.astype(np.uint8)[values[::-1]]
    return colours


def bordered(pixels: Colours, colour: int = 255, frame: int | None = None) -> Colours:
    height, width, _ = pixels.shape
    whole = np.full((height + 30, width + 50, 3), colour, np.uint8)
    if frame is not None:
        whole[9 : 11 + height, 19 : 21 + width] = frame
    whole[10 : 10 + height, 20 : 20 + width] = pixels
    return whole


def saved(path: Path, pixels: Colours, **options: Any) -> Path:
    PIL.Image.fromarray(pixels).save(path, **options)
    return path


def kaggle(values: NDArray[np.uint8]) -> Colours:
    """A drawing as Kaggle's, in a border and a frame."""
    pixels = np.full((288, 432, 3), 255, np.uint8)
    pixels[35:253, 54:390] = 51
    band = ((np.arange(36, 252) - 34.56) * 128 / 217.44).astype(int)
    table = np.frombuffer(magma_rounded(), np.uint8).reshape(256, 3)
    pixels[36:252, 55:389] = table[values[::-1][band]]
    return pixels


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_kaggles_layout(tmp_path: Path, mode: str) -> None:
    values = np.random.default_rng(0).integers(0, 256, (128, 334), np.uint8)
    values[:, :200] //= 8
    whole = PIL.Image.fromarray(kaggle(values if mode != "P" else values // 8)).convert(
        mode, palette=PIL.Image.Palette.ADAPTIVE
    )
    whole.save(tmp_path / "a.png")
    picture = read_foreign(tmp_path / "a.png")
    assert picture.frontend == KAGGLE
    assert picture.values.dtype == np.uint8
    assert picture.values.flags.c_contiguous
    assert (picture.values == (values if mode != "P" else values // 8)).all()


def test_silent_kaggle_bands_stay(tmp_path: Path) -> None:
    values = np.zeros((128, 334), np.uint8)
    values[40:50, 100:200] = 200
    picture = read_foreign(saved(tmp_path / "a.png", kaggle(values)))
    assert (picture.values == values).all()


@pytest.mark.parametrize("at", [(100, 200), (36, 55), (251, 388)])
def test_almost_kaggles_layout_is_only_foreign(tmp_path: Path, at: tuple[int, int]) -> None:
    pixels = kaggle(np.repeat(hills(128, 111), 4, axis=1)[:, :334])
    pixels[at] = (12, 200, 12)
    assert read_foreign(saved(tmp_path / "a.png", pixels)).frontend is None


def test_rows_of_one_band_that_differ_are_not_kaggles(tmp_path: Path) -> None:
    pixels = kaggle(np.repeat(hills(128, 111), 4, axis=1)[:, :334])
    second = np.flatnonzero((pixels[36:251] == pixels[37:252]).all(axis=(1, 2)))[0] + 37
    pixels[second, 200] = pixels[second + 30, 200]
    assert read_foreign(saved(tmp_path / "a.png", pixels)).frontend is None


def test_rounded_magma_is_what_matplotlib_paints() -> None:
    table = np.rint(255 * matplotlib.colormaps["magma"](np.arange(256))[:, :3])
    assert magma_rounded() == table.astype(np.uint8).tobytes()


@pytest.mark.parametrize("law", [np.floor, np.rint])
@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("border", [True, False])
def test_palettes_are_inverted(
    tmp_path: Path, name: str, law: Callable[..., Any], border: bool
) -> None:
    pixels = coloured(hills(), name, law)
    picture = read_foreign(saved(tmp_path / "a.png", bordered(pixels) if border else pixels))
    assert picture.frontend is None
    # Some palettes have a colour several times.
    assert picture.values.shape == hills().shape
    assert np.abs(picture.values.astype(int) - hills()).max() <= 4
    assert (picture.values == hills()).mean() > 0.9


def test_grey_in_its_modes(tmp_path: Path) -> None:
    values = hills()
    grey = PIL.Image.fromarray(values[::-1])
    grey.save(tmp_path / "L.png")
    grey.convert("RGB").save(tmp_path / "RGB.png")
    PIL.Image.fromarray(values[::-1].astype(np.uint16) << 8).save(tmp_path / "16.png")
    for name in ("L", "RGB", "16"):
        assert (read_foreign(tmp_path / f"{name}.png").values == values).all()
    assert set(np.unique(read_foreign(bits(tmp_path, values)).values)) == {0, 255}


def bits(folder: Path, values: NDArray[np.uint8]) -> Path:
    PIL.Image.fromarray(values > 99).save(folder / "1.png")
    return folder / "1.png"


def test_transparent_border_and_frame(tmp_path: Path) -> None:
    pixels = bordered(coloured(hills(), "viridis"), colour=0, frame=51)
    alpha = np.where((pixels == 0).all(axis=2), 0, 255).astype(np.uint8)
    pixels[0, ::2] = 99  # what nobody sees
    picture = read_foreign(saved(tmp_path / "a.png", np.dstack([pixels, alpha])))
    assert (picture.values == hills()).mean() > 0.95


@pytest.mark.parametrize("border", [True, False])
@pytest.mark.parametrize("name", ["magma", "viridis", "inferno", "plasma", "jet"])
def test_jpeg(tmp_path: Path, name: str, border: bool) -> None:
    pixels = coloured(hills(128, 200), name)
    whole = bordered(pixels) if border else pixels
    picture = read_foreign(saved(tmp_path / "a.jpg", whole, quality=85))
    spare = np.array(picture.values.shape) - (128, 200)
    assert (np.abs(spare) <= 4).all()
    if not border:
        assert np.abs(picture.values.astype(int) - hills(128, 200)).mean() < 6


def test_black_border_of_a_picture_without_black(tmp_path: Path) -> None:
    pixels = bordered(coloured(hills(), "viridis"), colour=0)
    assert (read_foreign(saved(tmp_path / "a.png", pixels)).values == hills()).mean() > 0.95


def test_only_a_border_on_all_sides_is_one(tmp_path: Path) -> None:
    values = hills()
    values[40:] = 0
    picture = read_foreign(saved(tmp_path / "a.png", coloured(values, "magma")))
    assert (picture.values == values).all()


def reason(path: Path, reader: Callable[..., Any] = read_picture) -> str:
    with pytest.raises(ItemError) as caught:
        reader(path)
    assert str(path) in caught.value.message
    return caught.value.reason


@pytest.mark.parametrize("name", ["coolwarm", "bone", "cubehelix", "gnuplot2", "hsv"])
def test_unknown_palette(tmp_path: Path, name: str) -> None:
    assert reason(saved(tmp_path / "a.png", coloured(hills(), name))) == "unknown-palette"


def test_photograph(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    assert reason(saved(tmp_path / "a.png", pixels)) == "unknown-palette"
    assert reason(saved(tmp_path / "a.jpg", pixels)) == "unknown-palette"


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_cut_short(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / name, coloured(hills(), "magma"))
    content = path.read_bytes()
    for end in np.linspace(8, len(content) - 3, 50).astype(int):
        path.write_bytes(content[:end])
        assert reason(path) == "damaged"


def test_flipped_bits(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", coloured(hills(), "magma"))
    content = path.read_bytes()
    for at in range(8, len(content), 97):
        path.write_bytes(content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :])
        assert reason(path) == "damaged"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """65,535 x 65,535 pixels of grey in four megabytes: refused before a pixel is decoded."""
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("was decoded"))
    header = struct.pack(">IIBBBBB", 65535, 65535, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(2**22))
    path = tmp_path / "a.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    assert reason(path) == "too-large"


def test_bomb_of_text(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("a", "x" * 2**27, zip=True)
    file = io.BytesIO()
    PIL.Image.fromarray(coloured(hills(), "magma")).save(file, "png", pnginfo=info)
    (tmp_path / "a.png").write_bytes(file.getvalue())
    assert reason(tmp_path / "a.png") == "damaged"


def test_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.truncate(4 * MAX_PIXELS + 1)
    assert reason(path) == "too-large"


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"RIFF____WAVE", b"\x89PNG"])
def test_not_a_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert reason(tmp_path / "a.png") == "not-a-picture"


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (0, 0, 4), (77, 1, 200)])
@pytest.mark.parametrize("shape", [(288, 432), (1, 1)])
def test_one_colour(tmp_path: Path, colour: tuple[int, ...], shape: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), colour, np.uint8)
    assert reason(saved(tmp_path / "a.png", pixels)) == "empty"


def test_one_colour_in_a_border(tmp_path: Path) -> None:
    pixels = bordered(np.full((40, 40, 3), tuple(palette("magma")[300:303]), np.uint8))
    assert reason(saved(tmp_path / "a.png", pixels)) == "empty"


def test_missing_and_unreadable(tmp_path: Path) -> None:
    assert reason(tmp_path / "a.png") == "missing"
    assert reason(tmp_path) == "unreadable"


def test_pictures_for_people(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("mgrkit-figure", "{}")
    path = saved(tmp_path / "a.png", coloured(hills(), "magma"), pnginfo=info)
    assert reason(path) == "for-people"
    assert reason(path, read_foreign) == "for-people"


def test_ours_are_read_as_ours(tmp_path: Path) -> None:
    front = front_end(n_mels=60)
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(Image(hills(), -3.0), front, "a.wav", "viridis"))
    picture = read_picture(path)
    assert (picture.values == hills()).all()
    assert (picture.frontend, picture.source) == (front, "a.wav")


def test_ours_of_a_newer_mgrkit_are_not_guessed_at(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("mgrkit", '{"frontend": {"format": 2}, "peak_db": 0.0, "source": ""}')
    path = saved(tmp_path / "a.png", coloured(hills(), "magma"), pnginfo=info)
    assert reason(path) == "not-ours"


def test_a_foreign_picture_names_no_sound(tmp_path: Path) -> None:
    path = saved(tmp_path / "blues00001.png", coloured(hills(), "magma"))
    assert read_picture(path).source == ""
