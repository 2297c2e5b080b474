"""What musicnn hears and tells, import-light: front end, windows, names of the columns."""

from __future__ import annotations

from mgrkit.frontend import Compression, FrontEnd, Mel, Transform

FRONT_END = FrontEnd(
    sample_rate=16_000,
    transform=Transform(512, 256, padding="reflect"),
    mel=Mel(n_mels=96, fmax=8_000.0),
    decibels=None,
    compression=Compression(10_000.0),
)

WINDOW, HOP = 187, 61
"""Frames of a window and from one to the next: 2.992 s and 0.976 s."""

FRAME_SECONDS = FRONT_END.transform.hop_length / FRONT_END.sample_rate
POOLED, UNITS = 753, 200

TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s",
    "alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists",
    "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s", "chill",
    "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic", "experimental",
    "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening", "sexy",
    "catchy", "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop",
    "sad", "House", "happy",
)  # fmt: skip
PENULTIMATE = tuple(f"unit{number:03}" for number in range(UNITS))
POOL = tuple(f"{how}{number:03}" for how in ("max", "mean") for number in range(POOLED))
