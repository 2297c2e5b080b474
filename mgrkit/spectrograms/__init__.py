"""Samples to spectra to 8-bit pictures, and the pictures' PNG files in and out."""

from mgrkit.spectrograms.foreign import AnyPicture, Foreign, read_foreign, read_picture
from mgrkit.spectrograms.image import (
    Image,
    compressed,
    decibels,
    levels,
    on_a_device,
    render,
    spectrum,
)
from mgrkit.spectrograms.palettes import CMAPS
from mgrkit.spectrograms.png import Picture, encode_png, read_png, write_png

__all__ = [
    "CMAPS",
    "AnyPicture",
    "Foreign",
    "Image",
    "Picture",
    "compressed",
    "decibels",
    "encode_png",
    "levels",
    "on_a_device",
    "read_foreign",
    "read_picture",
    "read_png",
    "render",
    "spectrum",
    "write_png",
]
