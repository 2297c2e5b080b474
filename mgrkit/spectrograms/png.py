"""PNG in and out: 8 bit, one pixel per band and frame, the front end in a text chunk.

Written by hand, because it takes a tenth of Pillow's time; read by Pillow, after every
chunk's checksum was compared (Pillow itself lets damaged pixels pass).
"""

from __future__ import annotations

import io
import json
import math
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
from isal import isal_zlib

from mgrkit.errors import ItemError, UsageError
from mgrkit.frontend import CENTRED, DECIBELS, KINDS, FrontEnd
from mgrkit.spectrograms.palettes import CMAPS, painted, palette, unpainted
from mgrkit.spectrograms.transform import scratch

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from mgrkit.spectrograms.image import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"mgrkit\0"
FIGURE = b"mgrkit-figure"
"""Keyword of the text chunk of a picture for people, which no model may see."""
_GREY, _RGB, _PALETTE = 0, 2, 3
_SUB = 1
# DEFLATE never packs more than 1,032 to one.
_DENSEST = 1032


class Picture(NamedTuple):
    """What stands in a PNG of ours.

    ``values``, ``peak_db`` and ``scale`` are as in an `mgrkit.spectrograms.image.Image`; ``source``
    is what the writer named as the sound it was made from.
    """

    values: NDArray[np.uint8]
    frontend: FrontEnd
    peak_db: float | None
    source: str
    scale: tuple[float, ...] = ()
    planes: tuple[tuple[float | None, tuple[float, ...]], ...] = ()


def encode_png(image: Image, frontend: FrontEnd, source: str, cmap: str = "magma") -> bytes:
    """The PNG of an image; the same bytes for the same arguments.

    Parameters
    ----------
    source : any text; read back as it is.
    cmap : 'magma', 'viridis' or 'grey'; only colours depend on it. Planes are red, green and blue,
        and pictures with a border magma.
    """
    if cmap not in CMAPS:
        raise UsageError(f"cmap must be {', '.join(CMAPS)}, not {cmap!r}")
    if frontend.border and cmap != "magma":
        raise UsageError(f"cmap must be magma for kind {frontend.kind}, not {cmap!r}")
    values = _bordered(image.values, frontend.border) if frontend.border else image.values
    height, width = values.shape[-2:]
    text = json.dumps(_described(image, frontend, source))
    colour = _RGB if values.ndim == 3 else _GREY if cmap == "grey" else _PALETTE
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))]
    if colour == _PALETTE:
        chunks.append((b"PLTE", palette(cmap)))
    chunks.append((b"tEXt", _KEYWORD + text.encode("ascii")))
    chunks.append((b"IDAT", isal_zlib.compress(_filtered(values), 1)))
    chunks.append((b"IEND", b""))
    return _SIGNATURE + b"".join(part for kind, body in chunks for part in _chunk(kind, body))


def write_png(
    file: str | os.PathLike[str] | BinaryIO,
    image: Image,
    frontend: FrontEnd,
    source: str,
    cmap: str = "magma",
) -> None:
    """Write ``encode_png``'s bytes to a path or an open binary file."""
    content = encode_png(image, frontend, source, cmap)
    if hasattr(file, "write"):
        file.write(content)
    else:
        Path(file).write_bytes(content)


def read_png(path: str | os.PathLike[str]) -> Picture:
    """Read a PNG of ours, bit for bit.

    Raises
    ------
    ItemError : ``not-ours`` (no PNG, or not written by mgrkit, or by a newer one) or
        ``damaged`` (cut short, a checksum is wrong, parts that do not fit together).
    """
    content = Path(path).read_bytes()
    if not is_png(content):
        raise ItemError("not-ours", f"{path} is no PNG")
    try:
        return _decoded(content)
    except ItemError as error:
        raise ItemError(error.reason, f"{path}: {error.message}") from None


def is_png(content: bytes) -> bool:
    """Whether a file begins as PNG files do."""
    return content.startswith(_SIGNATURE)


def texts(content: bytes) -> set[bytes]:
    """The keywords of the text chunks of any PNG; ItemError ``damaged`` as for `read_png`."""
    return {text.partition(b"\0")[0] for text in _chunks(content).get(b"tEXt", [])}


def _bordered(values: NDArray[np.uint8], border: int) -> NDArray[np.uint8]:
    """Values ``(bands, frames)`` as planes of red, green and blue with white around."""
    planes = np.moveaxis(painted(values), -1, 0)
    sides = (border, border)
    return np.pad(planes, ((0, 0), sides, sides), constant_values=255)


def _unbordered(planes: NDArray[np.uint8], border: int) -> NDArray[np.uint8]:
    inside = planes[:, border:-border, border:-border]
    values = unpainted(np.moveaxis(inside, 0, -1))
    if values is None:
        raise ItemError("damaged", "a colour is not of its palette")
    return values


def _filtered(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The rows from the top, each value less its left neighbour, behind the filter's number."""
    top_down = values[..., ::-1, :]
    step = 1
    if values.ndim == 3:  # the channels of a pixel stand beside one another
        step = len(values)
        top_down = np.ascontiguousarray(np.moveaxis(top_down, 0, -1))
        top_down = top_down.reshape(len(top_down), -1)
    bands, width = top_down.shape
    rows: NDArray[np.uint8] = scratch("rows", (bands, width + 1), np.uint8)
    rows[:, 0] = _SUB
    rows[:, 1 : 1 + step] = top_down[:, :step]
    np.subtract(top_down[:, step:], top_down[:, :-step], out=rows[:, 1 + step :])
    return rows


def _chunk(kind: bytes, body: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)), kind, body, struct.pack(">I", checksum)


def _chunks(content: bytes) -> dict[bytes, list[bytes]]:
    """The chunks by kind, each with its checksum compared."""
    found: dict[bytes, list[bytes]] = {}
    at = len(_SIGNATURE)
    while b"IEND" not in found:
        head = content[at : at + 8]
        if len(head) < 8:
            raise ItemError("damaged", "cut short")
        size, kind = struct.unpack(">I4s", head)
        body = content[at + 8 : at + 8 + size]
        if content[at : at + 12 + size] != b"".join(_chunk(kind, body)):
            raise ItemError("damaged", "cut short, or a checksum is wrong")
        found.setdefault(kind, []).append(body)
        at += 12 + size
    return found


def _decoded(content: bytes) -> Picture:
    chunks = _chunks(content)
    texts = [text for text in chunks.get(b"tEXt", []) if text.startswith(_KEYWORD)]
    if not texts:
        raise ItemError("not-ours", "no text chunk 'mgrkit': not a picture of mgrkit's")
    read = _read(texts[0][len(_KEYWORD) :])
    frontend = read.frontend
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][0][:10])
    colours = b"".join(chunks.get(b"PLTE", []))
    palettes = (palette(name) for name in CMAPS if name != "grey")
    ours = colour == _GREY or (colour == _PALETTE and colours in palettes)
    if frontend.planes or frontend.border:
        ours = colour == _RGB
    if depth != 8 or not ours:
        raise ItemError("not-ours", "its pixels were written by another program")
    packed = sum(map(len, chunks.get(b"IDAT", [])))
    around = 2 * frontend.border
    fits = height == frontend.breadth[-1] + around
    fits &= width == frontend.width + around or not frontend.width
    if not fits or width * height > _DENSEST * packed:
        raise ItemError("damaged", f"{width} x {height} pixels do not fit its own description")
    values = _pixels(content)
    return read._replace(values=_unbordered(values, frontend.border) if frontend.border else values)


def _described(image: Image, frontend: FrontEnd, source: str) -> dict[str, Any]:
    """What stands in the text chunk."""
    fields: dict[str, Any] = {"frontend": json.loads(frontend.to_json())}
    if frontend.planes:
        both = zip(frontend.planes, image.planes, strict=True)
        fields["planes"] = [_law(plane, *own) for plane, own in both]
    return {**fields, **_law(frontend, image.peak_db, image.scale), "source": source}


def _law(frontend: FrontEnd, peak_db: float | None, scale: tuple[float, ...]) -> dict[str, Any]:
    """What is to be known of a picture beside its pixels: the peak of levels, a scale."""
    levels = {"peak_db": peak_db} if KINDS[frontend.kind].law == DECIBELS else {}
    return {**levels, "scale": scale} if scale else levels


def _read(text: bytes) -> Picture:
    """A picture without its pixels."""
    try:
        fields: dict[str, Any] = json.loads(text)
        frontend = FrontEnd.from_json(json.dumps(fields["frontend"])).of_pictures()
        source = fields["source"]
        peak_db, scale = _law_of(frontend, fields)
        own = fields["planes"] if frontend.planes else []
        planes = tuple(_law_of(*both) for both in zip(frontend.planes, own, strict=True))
    except UsageError as error:
        raise ItemError("not-ours", str(error)) from None
    except (ValueError, RecursionError, TypeError, KeyError):
        source = None
    if not isinstance(source, str):
        raise ItemError("damaged", "its text chunk is not as mgrkit writes it")
    return Picture(np.empty((0, 0), np.uint8), frontend, peak_db, source, scale, planes)


def _law_of(frontend: FrontEnd, fields: dict[str, Any]) -> tuple[float | None, tuple[float, ...]]:
    """What `_law` wrote; ValueError, TypeError or KeyError for what it did not."""
    law = KINDS[frontend.kind].law
    peak_db: float | None = fields["peak_db"] if law == DECIBELS else None
    has_scale = law == CENTRED or frontend.is_stretched
    scale: tuple[float, ...] = tuple(fields["scale"]) if has_scale else ()
    numbers = [*scale, *([peak_db] if law == DECIBELS else [])]
    if not all(isinstance(number, float) and math.isfinite(number) for number in numbers):
        raise ValueError
    if law == CENTRED and (len(scale) != frontend.bands or min(scale) < 0):
        raise ValueError
    if frontend.is_stretched and (len(scale) != 1 or min(scale) <= 0):
        raise ValueError
    return peak_db, scale


def _pixels(content: bytes) -> NDArray[np.uint8]:
    from PIL.PngImagePlugin import PngImageFile

    try:
        # Not Image.open: its limit on the number of pixels is for files that may lie.
        with PngImageFile(io.BytesIO(content)) as image:
            pixels = np.asarray(image)[::-1]
            return np.ascontiguousarray(np.moveaxis(pixels, -1, 0) if pixels.ndim == 3 else pixels)
    except (OSError, SyntaxError, ValueError) as error:
        raise ItemError("damaged", f"cannot be decoded: {error}") from None
