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
from mgrkit.spectrograms.palettes import CMAPS, palette
from mgrkit.spectrograms.transform import scratch

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from mgrkit.spectrograms.image import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"mgrkit\0"
FIGURE = b"mgrkit-figure"
"""Keyword of the text chunk of a picture for people, which no model may see."""
_GREY, _PALETTE = 0, 3
_SUB = 1
# DEFLATE never packs more than 1,032 to one.
_DENSEST = 1032
_OTHERWISE = "its text chunk is not as mgrkit writes it"


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


def encode_png(image: Image, frontend: FrontEnd, source: str, cmap: str = "magma") -> bytes:
    """The PNG of an image; the same bytes for the same arguments.

    Parameters
    ----------
    source : any text; read back as it is.
    cmap : 'magma', 'viridis' or 'grey'; only colours depend on it.
    """
    if cmap not in CMAPS:
        raise UsageError(f"cmap must be {', '.join(CMAPS)}, not {cmap!r}")
    bands, frames = image.values.shape
    text = json.dumps(_described(image, frontend, source))
    colour = _GREY if cmap == "grey" else _PALETTE
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", frames, bands, 8, colour, 0, 0, 0))]
    if colour == _PALETTE:
        chunks.append((b"PLTE", palette(cmap)))
    chunks.append((b"tEXt", _KEYWORD + text.encode("ascii")))
    chunks.append((b"IDAT", isal_zlib.compress(_filtered(image.values), 1)))
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


def _filtered(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The rows from the top, each value less its left neighbour, behind the filter's number."""
    bands, frames = values.shape
    rows: NDArray[np.uint8] = scratch("rows", (bands, frames + 1), np.uint8)
    top_down = values[::-1]
    rows[:, 0] = _SUB
    rows[:, 1] = top_down[:, 0]
    np.subtract(top_down[:, 1:], top_down[:, :-1], out=rows[:, 2:])
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
    if depth != 8 or not ours:
        raise ItemError("not-ours", "its pixels were written by another program")
    packed = sum(map(len, chunks.get(b"IDAT", [])))
    if height != frontend.bands or width * height > _DENSEST * packed:
        raise ItemError("damaged", f"{width} x {height} pixels do not fit its own description")
    return read._replace(values=_pixels(content))


def _described(image: Image, frontend: FrontEnd, source: str) -> dict[str, Any]:
    """What stands in the text chunk, besides pixels: of levels their peak, else their scale."""
    fields: dict[str, Any] = {"frontend": json.loads(frontend.to_json())}
    if KINDS[frontend.kind].law == DECIBELS:
        fields["peak_db"] = image.peak_db
    elif image.scale:
        fields["scale"] = image.scale
    return {**fields, "source": source}


def _read(text: bytes) -> Picture:
    """A picture without its pixels."""
    try:
        fields: dict[str, Any] = json.loads(text)
        frontend = FrontEnd.from_json(json.dumps(fields["frontend"])).of_pictures()
        law, source = KINDS[frontend.kind].law, fields["source"]
        peak_db = fields["peak_db"] if law == DECIBELS else None
        scale = tuple(fields["scale"]) if law == CENTRED else ()
    except UsageError as error:
        raise ItemError("not-ours", str(error)) from None
    except (ValueError, RecursionError, TypeError, KeyError):
        raise ItemError("damaged", _OTHERWISE) from None
    numbers = [*scale, *([peak_db] if law == DECIBELS else [])]
    good = all(isinstance(number, float) and math.isfinite(number) for number in numbers)
    if law == CENTRED:
        good = good and len(scale) == frontend.bands and min(scale) >= 0
    if not good or not isinstance(source, str):
        raise ItemError("damaged", _OTHERWISE)
    return Picture(np.empty((0, 0), np.uint8), frontend, peak_db, source, scale)


def _pixels(content: bytes) -> NDArray[np.uint8]:
    from PIL.PngImagePlugin import PngImageFile

    try:
        # Not Image.open: its limit on the number of pixels is for files that may lie.
        with PngImageFile(io.BytesIO(content)) as image:
            return np.ascontiguousarray(np.asarray(image)[::-1])
    except (OSError, SyntaxError, ValueError) as error:
        raise ItemError("damaged", f"cannot be decoded: {error}") from None
