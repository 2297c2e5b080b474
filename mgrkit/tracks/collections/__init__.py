"""Collections that everyone knows, a file each: their names, artists, splits and faults.

A file has one name for others, ``COLLECTION``.
"""

COLLECTIONS = (
    "gtzan",
    "fma",
)
"""The files. A new collection is a line here and a file there."""
