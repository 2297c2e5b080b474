"""Archives for tests of what is refused; none of them does harm to a program that believes it."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

Files = Mapping[str, bytes]


def entry(
    name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tarfile.TarInfo:
    """The header of a file in a tar."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info


def tar_of(files: Files, more: Iterable[tarfile.TarInfo] = ()) -> bytes:
    """A tar of files, and entries without content in front of them."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for info in more:
            tar.addfile(info)
        for name, content in files.items():
            tar.addfile(entry(name, len(content)), io.BytesIO(content))
    return made.getvalue()


def zip_of(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def write(path: Path, files: Files) -> Path:
    """An archive of the kind that its name says."""
    if path.suffix == ".zip":
        path.write_bytes(zip_of(files))
    elif path.suffix == ".tar":
        path.write_bytes(tar_of(files))
    else:
        path.write_bytes(gzip.compress(tar_of(files), 1))
    return path
