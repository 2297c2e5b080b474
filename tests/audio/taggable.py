"""Small songs with tags and a picture, in every format that can carry a genre."""

from __future__ import annotations

import base64
import struct
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
import soundfile
from mutagen import apev2, asf, flac, id3, mp4

from tests.audio.encoded import encode, tone

RATE = 44_100
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
FORMATS = (
    "mp3", "23.mp3", "ape.mp3", "flac", "ogg", "opus", "oga", "m4a", "wma", "wav", "aiff", "wv",
    "tta",
)  # fmt: skip
"""``23.mp3`` has ID3v2.3 and ID3v1, ``ape.mp3`` APEv2 beside ID3v2.4."""


def song(path: Path, seconds: float = 1.0, pitch: float = 1.0) -> Path:
    """A song in the format that its name says, with the tags of `tagged`."""
    untagged(path, seconds, pitch)
    tagged(path)
    return path


def untagged(path: Path, seconds: float = 1.0, pitch: float = 1.0) -> Path:
    """Noise and tones, without any tag but what encoders write."""
    noise = np.random.default_rng(round(1000 * pitch)).normal(0, 0.05, (2, round(seconds * RATE)))
    wave = pitch * tone(seconds, RATE, 2) / max(1.0, pitch) + noise
    return coded(path, np.ascontiguousarray(wave, np.float32))


def coded(path: Path, samples: np.ndarray) -> Path:
    """Stereo float32 ``(2, frames)`` at `RATE`, in the format that the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    form = path.suffix[1:]
    if form in ("wav", "aiff", "flac", "ogg"):
        soundfile.write(path, samples.T, RATE)
    elif form in ("oga", "wv", "tta"):
        _whole_numbers(path, samples, {"oga": "flac", "wv": "wavpack", "tta": "tta"}[form])
    else:
        codec = {"mp3": "libmp3lame", "opus": "libopus", "m4a": "aac", "wma": "wmav2"}[form]
        rate = 48_000 if form == "opus" else RATE
        encode(path, samples, rate, codec, {"m4a": "ipod", "wma": "asf"}.get(form))
    return path


def _whole_numbers(path: Path, samples: np.ndarray, codec: str) -> None:
    kind = {"flac": "ogg", "wavpack": "wv"}.get(codec, codec)
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=RATE, layout="stereo")
        form = "s16p" if codec == "wavpack" else "s16"
        stream.codec_context.format = av.AudioFormat(form)
        whole = (samples * 20_000).astype(np.int16)
        for start in range(0, whole.shape[1], 4096):
            part = whole[:, start : start + 4096]
            if form == "s16":
                part = part.T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), form, "stereo")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def tagged(path: Path) -> None:
    """Add a title, an artist, a field of somebody's own, and a picture."""
    file: Any = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    tags = file.tags
    if isinstance(tags, id3.ID3):
        frames(tags)
        if path.name.endswith("23.mp3"):
            tags.add(id3.TYER(encoding=0, text=["1999"]))
            tags.update_to_v23()
            tags.save(path, v1=2, v2_version=3)
        else:
            file.save()
        if path.name.endswith("ape.mp3"):
            items(apev2.APEv2()).save(path)
    elif isinstance(tags, apev2.APEv2):
        items(tags)
        file.save()
    elif isinstance(tags, mp4.MP4Tags):
        tags["\xa9nam"], tags["\xa9ART"] = ["Tïtle"], ["Artist"]
        tags["trkn"] = [(3, 9)]
        tags["----:com.apple.iTunes:MOOD"] = [mp4.MP4FreeForm(b"calm")]
        tags["covr"] = [mp4.MP4Cover(PICTURE, mp4.MP4Cover.FORMAT_PNG)]
        file.save()
    elif isinstance(tags, asf.ASFTags):
        tags["Title"], tags["Author"], tags["MOOD"] = "Tïtle", "Artist", "calm"
        head = struct.pack("<bI", 3, len(PICTURE)) + "image/png\0\0".encode("utf-16-le")
        tags["WM/Picture"] = [asf.ASFByteArrayAttribute(head + PICTURE)]
        file.save()
    else:
        comments(file)
        file.save()


def frames(tags: Any) -> None:
    tags.add(id3.TIT2(encoding=1, text=["Tïtle"]))
    tags.add(id3.TPE1(encoding=0, text=["Artist"]))
    tags.add(id3.TXXX(encoding=0, desc="MOOD", text=["calm"]))
    tags.add(id3.APIC(encoding=0, mime="image/png", type=3, desc="Front", data=PICTURE))


def items(tags: Any) -> Any:
    tags["Title"], tags["Artist"], tags["Mood"] = "Tïtle", ["Artist", "Other"], "calm"
    tags["Cover Art (Front)"] = apev2.APEValue(b"front.png\0" + PICTURE, apev2.BINARY)
    return tags


def comments(file: Any) -> None:
    file.tags["TITLE"], file.tags["ARTIST"] = "Tïtle", ["Artist", "Other"]
    file.tags["Mood"] = "calm"
    picture = flac.Picture()
    picture.data, picture.type, picture.mime = PICTURE, 3, "image/png"
    if isinstance(file, flac.FLAC):
        file.add_picture(picture)
    else:
        file.tags["METADATA_BLOCK_PICTURE"] = base64.b64encode(picture.write()).decode()
