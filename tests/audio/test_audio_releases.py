"""What differs between releases of PyAV is the same with whichever is installed."""

from __future__ import annotations

from pathlib import Path

from mgrkit.audio.pyav import open_container
from tests.audio.encoded import encode, tone


def test_a_container_opens_whose_tags_are_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    encode(path, tone(channels=1), 22050, "libmp3lame")
    tag = b"TAG" + b"Title".ljust(30, b"\0") + "Café".encode("latin-1").ljust(30, b"\0")
    sound = path.read_bytes()
    sound = sound[sound.index(b"\xff\xf3") :]  # its own tags would hide ours
    path.write_bytes(sound + tag.ljust(128, b"\0"))
    with open_container(path) as container:
        assert container.metadata["artist"].startswith("Caf")
