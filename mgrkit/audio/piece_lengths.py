"""How long the pieces of a track are; light enough for the texts of ``--help``."""

from __future__ import annotations

WHOLE_SECONDS = 45.0
"""A track of at most this length is one piece."""
PIECE_SECONDS = 30.0
"""Longer tracks are cut into pieces of this length..."""
REMAINDER_SECONDS = 15.0
"""...and what remains is a piece when it is at least this long."""
