"""PNG files: what comes back, and what is refused."""

from __future__ import annotations

import io
import json
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL.PngImagePlugin import PngInfo

from mgrkit.errors import ItemError, UsageError
from mgrkit.frontend import front_end
from mgrkit.spectrograms import CMAPS, Image, encode_png, read_png, write_png
from mgrkit.spectrograms.palettes import palette

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FRONT = front_end(n_mels=6)


def image(width: int = 9, seed: int = 0) -> Image:
    values = np.random.default_rng(seed).integers(0, 256, (6, width), np.uint8)
    return Image(values, -12.345678901234567)


@pytest.mark.parametrize("cmap", CMAPS)
@pytest.mark.parametrize(
    "source", ["blues/a.wav", "päivä 音楽 \N{MUSICAL NOTE}.wav", "\udce4.wav", ""]
)
def test_round_trip(tmp_path: Path, cmap: str, source: str) -> None:
    write_png(tmp_path / "a.png", image(), FRONT, source, cmap)
    picture = read_png(tmp_path / "a.png")
    assert picture.values.dtype == np.uint8
    assert (picture.values == image().values).all()
    assert picture.values.flags.c_contiguous
    assert picture.frontend == FRONT
    assert picture.peak_db == image().peak_db
    assert picture.source == source


@given(
    width=st.integers(1, 70),
    seed=st.integers(0, 2**32),
    peak_db=st.floats(allow_nan=False, allow_infinity=False),
    source=st.text(),
    cmap=st.sampled_from(CMAPS),
)
def test_any_image_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    width: int,
    seed: int,
    peak_db: float,
    source: str,
    cmap: str,
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.png"
    values = image(width, seed).values
    write_png(path, Image(values, peak_db), FRONT, source, cmap)
    picture = read_png(path)
    assert (picture.values == values).all()
    assert (picture.frontend, picture.peak_db, picture.source) == (FRONT, peak_db, source)


@pytest.mark.parametrize("cmap", CMAPS)
def test_other_readers_see_the_colours_low_at_the_bottom(cmap: str) -> None:
    with PIL.Image.open(io.BytesIO(encode_png(image(), FRONT, "a", cmap))) as seen:
        seen.verify()
    with PIL.Image.open(io.BytesIO(encode_png(image(), FRONT, "a", cmap))) as seen:
        assert seen.size == (9, 6)
        colours = np.asarray(seen.convert("RGB"))
    grey = bytes(k for k in range(256) for _ in range(3))
    table = np.frombuffer(grey if cmap == "grey" else palette(cmap), np.uint8).reshape(256, 3)
    assert (colours == table[image().values[::-1]]).all()


def test_same_arguments_same_bytes() -> None:
    assert encode_png(image(), FRONT, "a") == encode_png(image(), FRONT, "a")


def test_writes_to_an_open_file() -> None:
    file = io.BytesIO()
    write_png(file, image(), FRONT, "a", "viridis")
    assert file.getvalue() == encode_png(image(), FRONT, "a", "viridis")


def test_unknown_palette() -> None:
    with pytest.raises(UsageError, match="magma, viridis, grey, not 'jet'"):
        encode_png(image(), FRONT, "a", "jet")


@pytest.mark.parametrize("name", ["magma", "viridis"])
def test_palettes_are_matplotlibs(name: str) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    table = matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3]
    assert palette(name) == table.tobytes()


def reason(path: Path) -> str:
    with pytest.raises(ItemError) as caught:
        read_png(path)
    assert str(path) in caught.value.message
    return caught.value.reason


def test_every_flipped_bit_is_seen(tmp_path: Path) -> None:
    content = encode_png(image(), FRONT, "a")
    path = tmp_path / "a.png"
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :])
        assert reason(path) in {"damaged", "not-ours"}


def test_every_cut_is_seen(tmp_path: Path) -> None:
    content = encode_png(image(), FRONT, "a")
    path = tmp_path / "a.png"
    for end in range(len(content)):
        path.write_bytes(content[:end])
        assert reason(path) == ("damaged" if end >= 8 else "not-ours")


def foreign(pixels: NDArray[np.uint8], text: str | None) -> bytes:
    """A PNG by Pillow, with our text chunk or without."""
    info = PngInfo()
    if text is not None:
        info.add_text("mgrkit", text)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "png", pnginfo=info)
    return file.getvalue()


def described(content: bytes) -> str:
    start = content.index(b"tEXtmgrkit\0")
    (size,) = struct.unpack(">I", content[start - 4 : start])
    return content[start + 11 : start + 4 + size].decode()


def at_the_rate_of_the_file(text: str) -> str:
    fields = json.loads(text)
    fields["frontend"] |= {"kind": "stft", "mel": None, "sample_rate": None}
    return json.dumps(fields)


def test_foreign_files(tmp_path: Path) -> None:
    text = described(encode_png(image(), FRONT, "a"))
    pixels = image().values[::-1]
    cases = [
        (b"", "not-ours"),
        (b"GIF89a", "not-ours"),
        (foreign(pixels, None), "not-ours"),
        (foreign(np.dstack([pixels] * 3), text), "not-ours"),
        (foreign(pixels, text.replace('"format": 1', '"format": 2')), "not-ours"),
        (foreign(pixels, "{}"), "damaged"),
        (foreign(pixels, "[]"), "damaged"),
        (foreign(pixels, "[" * 99_999), "damaged"),
        (foreign(pixels, text.replace("-12.345678901234567", "NaN")), "damaged"),
        (foreign(pixels, text.replace('"source": "a"', '"source": 1')), "damaged"),
        (foreign(pixels[1:], text), "damaged"),
        (foreign(pixels, at_the_rate_of_the_file(text)), "not-ours"),
    ]
    for number, (content, expected) in enumerate(cases):
        path = tmp_path / f"{number}.png"
        path.write_bytes(content)
        assert reason(path) == expected


def test_rewritten_by_another_program_but_the_same(tmp_path: Path) -> None:
    text = described(encode_png(image(), FRONT, "a", "grey"))
    path = tmp_path / "a.png"
    path.write_bytes(foreign(image().values[::-1], text))
    assert (read_png(path).values == image().values).all()


def test_a_header_that_lies_costs_no_memory(tmp_path: Path) -> None:
    content = encode_png(image(), FRONT, "a", "grey")
    header = b"IHDR" + struct.pack(">IIBBBBB", 2**31 - 1, 6, 8, 0, 0, 0, 0)
    lie = content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
    path = tmp_path / "a.png"
    path.write_bytes(lie)
    assert reason(path) == "damaged"
