"""Pictures that other programs drew: the border taken off, the colours turned into values."""

from __future__ import annotations

import functools
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mgrkit.errors import ItemError
from mgrkit.frontend import KAGGLE, KINDS, S2, FrontEnd, front_end
from mgrkit.spectrograms.palettes import packed, unpainted
from mgrkit.spectrograms.png import FIGURE, Picture, is_png, read_png, texts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

    Colours = NDArray[np.uint8]

MAX_PIXELS = 2**24
"""No picture of more is decoded: 4096 x 4096."""
_MAX_BYTES = 4 * MAX_PIXELS
_JPEG = b"\xff\xd8\xff"

# matplotlib's names, in the order in which they are preferred where several fit equally.
PALETTES = ("magma", "viridis", "inferno", "plasma", "cividis", "turbo", "jet", "hot")
# How far pixels may be from their palette on average, in steps of 256 as Euclidean distance:
# resized pictures are up to 7 away, JPEG up to 12, those of other palettes 10 and more.
_FAR_PNG, _FAR_JPEG = 8.0, 12.0
_SAMPLE = 512
_JPEG_SLACK = 32
_GREY_SLACK = 4
# A picture's outermost lines may be a frame, or blended with what was around it.
_EDGE_LINES = 8
_AT_ONCE = 2**14

# Where Kaggle's pictures have their drawing; the lines around it are blended with the border.
_KAGGLE_SIZE = (288, 432)
_TOP, _BOTTOM, _LEFT, _RIGHT = 36, 252, 55, 389
_BAND_HEIGHT, _BAND_START = 217.44 / 128, 34.56
# Of S2's pictures at most so many neighbouring rows are equal, of those with fewer bands more. Rows
# with fewer changes of colour, as in silence with a click, tell nothing.
_TWINS, _CHANGES = 1 / 3, 30


class Foreign(NamedTuple):
    """A picture that another program drew.

    ``values`` is uint8 ``(bands, frames)``, row 0 the lowest, if low was at the bottom;
    ``frontend`` is None unless the drawing is a known one.
    """

    values: NDArray[np.uint8]
    frontend: FrontEnd | None


class AnyPicture(NamedTuple):
    """What stands in a picture, ours or foreign; ``source`` is empty for the latter."""

    values: NDArray[np.uint8]
    frontend: FrontEnd | None
    source: str


def read_picture(path: str | os.PathLike[str]) -> AnyPicture:
    """Read any picture of a spectrogram: ours by `read_png`, else as `read_foreign`.

    Raises
    ------
    ItemError : as either.
    """
    content = _content(path)
    if is_png(content) and b"mgrkit" in _texts(content, path):
        ours: Picture = read_png(path)
        return AnyPicture(ours.values, ours.frontend, ours.source)
    values, frontend = read_foreign(path)
    return AnyPicture(values, frontend, "")


def read_foreign(path: str | os.PathLike[str]) -> Foreign:
    """Read a PNG or JPEG that another program drew.

    The pictures of Kaggle's GTZAN dataset (``images_original``), and those of SpectroTune (kind
    's2-images'), are known by their layout and colours and give the values that were drawn,
    exactly, with their front end. Of any other the
    uniform border is removed, and each colour becomes its place in the palette that fits best
    (grey, or one of `PALETTES`); the lightest grey is the loudest.

    Raises
    ------
    ItemError : ``missing``, ``unreadable``, ``not-a-picture`` (neither PNG nor JPEG),
        ``too-large`` (beyond `MAX_PIXELS`; nothing is decoded), ``damaged`` (cut short, a
        checksum is wrong), ``for-people`` (drawn by mgrkit with axes), ``empty`` (one colour),
        ``unknown-palette``.
    """
    content = _content(path)
    if is_png(content) and FIGURE in _texts(content, path):
        raise ItemError(
            "for-people",
            f"{path} was drawn with axes, for people",
            "give plain pictures: mgrkit spectrograms without --axes",
        )
    pixels = _pixels(content, path)
    for kind, known in ((KAGGLE, _kaggle), (S2, _s2)):
        found = known(pixels)
        if found is not None:
            return Foreign(found, front_end(kind))
    slack, far = (0, _FAR_PNG) if is_png(content) else (_JPEG_SLACK, _FAR_JPEG)
    values = _inverted(_without_border(pixels, slack), far)
    if values is None:
        raise ItemError(
            "unknown-palette",
            f"the colours of {path} are those of no palette known",
            f"known are grey, {', '.join(PALETTES)}; a picture must be without axes and text",
        )
    if not values.size or (values == values[0, 0]).all():
        raise ItemError("empty", f"{path} shows one colour only")
    return Foreign(values, None)


def _content(path: str | os.PathLike[str]) -> bytes:
    try:
        if os.stat(path).st_size > _MAX_BYTES:
            raise ItemError("too-large", f"{path} has more than {_MAX_BYTES} bytes")
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise ItemError("missing", f"there is no {path}") from None
    except OSError as error:
        raise ItemError("unreadable", f"{path}: {error.strerror}") from None


def _texts(content: bytes, path: str | os.PathLike[str]) -> set[bytes]:
    try:
        return texts(content)
    except ItemError as error:
        raise ItemError(error.reason, f"{path}: {error.message}") from None


def _pixels(content: bytes, path: str | os.PathLike[str]) -> Colours:
    """The colours ``(height, width, 3)``; what is transparent lies on white."""
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    if not content.startswith(_JPEG) and not is_png(content):
        raise ItemError("not-a-picture", f"{path} is neither PNG nor JPEG")
    kind: type[ImageFile] = PngImageFile if is_png(content) else JpegImageFile
    try:
        # Not Image.open, whose warning of large pictures cannot be caught in one thread alone.
        with kind(io.BytesIO(content)) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise ItemError(
                    "too-large", f"{path} has {width} x {height} pixels, at most {MAX_PIXELS}"
                )
            return _rgb(image)
    except (OSError, SyntaxError, ValueError, KeyError, IndexError, EOFError) as error:
        raise ItemError("damaged", f"{path} cannot be decoded: {error}") from None


def _rgb(image: ImageFile) -> Colours:
    if image.mode.startswith("I"):  # 16 bits of grey
        grey = (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB"))
    pixels = np.asarray(image.convert("RGBA"))
    alpha = pixels[..., 3:]
    if (alpha == 255).all():
        return pixels[..., :3]
    on_white = pixels[..., :3] * (alpha / 255.0) + (255.0 - alpha)
    return np.rint(on_white).astype(np.uint8)


def _kaggle(pixels: Colours) -> NDArray[np.uint8] | None:
    """The values ``(128, 334)`` of a picture as Kaggle's, None for any other."""
    if pixels.shape[:2] != _KAGGLE_SIZE or not (pixels[: _TOP - 1] == 255).all():
        return None
    drawing = packed(pixels[_TOP:_BOTTOM, _LEFT:_RIGHT])
    rows = np.arange(_TOP, _BOTTOM)
    band = ((rows - _BAND_START) / _BAND_HEIGHT).astype(int)
    first = np.searchsorted(band, np.arange(128))
    shown = drawing[first]
    if not (drawing == shown[band]).all():
        return None
    values = unpainted(pixels[_TOP:_BOTTOM, _LEFT:_RIGHT][first])
    return None if values is None else np.ascontiguousarray(values[::-1])


def _s2(pixels: Colours) -> NDArray[np.uint8] | None:
    """The values ``(270, 370)`` of a picture as S2's, None for any other.

    Other things that are drawn at that size have fewer bands than rows, so that neighbours are
    equal.
    """
    border, rules = front_end(S2).border, KINDS[S2]
    inside = pixels[border:-border, border:-border]
    if inside.shape[:2] != (rules.bands, rules.width):
        return None
    outside = np.ones(pixels.shape[:2], bool)
    outside[border:-border, border:-border] = False
    values = unpainted(inside[::-1]) if (pixels[outside] == 255).all() else None
    if values is None:
        return None
    is_busy = (values[:, 1:] != values[:, :-1]).sum(axis=1) > _CHANGES
    twins = (values[1:] == values[:-1]).all(axis=1)[is_busy[1:]]
    return values if len(twins) and twins.mean() <= _TWINS else None


def _without_border(pixels: Colours, slack: int) -> Colours:
    """The picture inside a border of one colour on all four sides; all of it if there is none."""
    corner = pixels[0, 0].astype(np.int16)
    differs = (np.abs(pixels - corner) > slack).any(axis=2)
    sides = (differs[0], differs[-1], differs[:, 0], differs[:, -1])
    if any(side.any() for side in sides):
        return pixels
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        return pixels[:0]
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _inverted(pixels: Colours, far: float) -> NDArray[np.uint8] | None:
    """The places of colours ``(height, width, 3)`` in their palette, row 0 the lowest.

    None where all palettes are further away than ``far``; empty where there are no pixels.
    """
    if not pixels.size or np.ptp(pixels, axis=2).max() <= _GREY_SLACK:
        return np.ascontiguousarray(pixels[::-1, :, 1])
    numbers = packed(pixels).ravel()
    table = _best_palette(_colours(numbers[:: 1 + len(numbers) // _SAMPLE]), far)
    if table is None:
        return None
    codes, inverse = np.unique(numbers, return_inverse=True)
    at, away = _nearest(_colours(codes), table)
    shape = pixels.shape[:2]
    within = _without_bad_edges(away[inverse].reshape(shape))
    return np.ascontiguousarray(at[inverse].reshape(shape)[within][::-1])


def _colours(numbers: NDArray[np.uint32]) -> NDArray[np.float32]:
    return np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], axis=1).astype(np.float32)


def _best_palette(colours: NDArray[np.float32], far: float) -> NDArray[np.float32] | None:
    fits = [(float(_nearest(colours, table)[1].mean()), table) for table in _palettes()]
    away, best = min(fits, key=lambda fit: fit[0])
    return best if away <= far else None


@functools.cache
def _palettes() -> list[NDArray[np.float32]]:
    """Tables ``(256, 3)``: each palette with fractions cut off, as images have it, and rounded."""
    from matplotlib import colormaps

    exact = [255 * colormaps[name](np.arange(256))[:, :3] for name in PALETTES]
    return [law(table).astype(np.float32) for table in exact for law in (np.floor, np.rint)]


def _nearest(
    colours: NDArray[np.float32], table: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """For colours ``(n, 3)`` the nearest place in a palette, and the distance to it."""
    at = np.empty(len(colours), np.uint8)
    far = np.empty(len(colours), np.float32)
    # |c - t|^2 less |c|^2, which is the same for all t; whole numbers below 2^24, so exact.
    lengths = (table**2).sum(axis=1)
    for first in range(0, len(colours), _AT_ONCE):
        some = colours[first : first + _AT_ONCE]
        distances = lengths - 2 * (some @ table.T)
        at[first : first + len(some)] = nearest = distances.argmin(axis=1)
        squares = distances[np.arange(len(some)), nearest] + (some**2).sum(axis=1)
        far[first : first + len(some)] = np.sqrt(squares)
    return at, far


def _without_bad_edges(far: NDArray[np.float32]) -> tuple[slice, slice]:
    """Rows and columns less those at the edges that fit the palette much worse than the rest."""
    limit = 3 * (1 + float(far.mean()))
    within = []
    for axis in (1, 0):
        bad = far.mean(axis=axis) > limit
        before, after = (int(side[:_EDGE_LINES].cumprod().sum()) for side in (bad, bad[::-1]))
        within.append(slice(before, len(bad) - after))
    return within[0], within[1]
