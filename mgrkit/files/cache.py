"""The folder for what mgrkit can make or fetch again, and the key of a file's bytes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The user's cache folder for mgrkit, or what MGRKIT_CACHE names; it may not exist yet."""
    named = os.environ.get("MGRKIT_CACHE")
    return Path(named) if named else platformdirs.user_cache_path("mgrkit")


def content_key(path: str) -> str:
    """The SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
