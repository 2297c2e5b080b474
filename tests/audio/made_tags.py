"""Tags written byte by byte, in files that hold little else."""

from __future__ import annotations

import struct

MPEG = bytes.fromhex("fffb9064") + bytes(413)
"""One frame of an MP3."""
Fields = list[tuple[str, str]]


def synchsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def text_frame(name: str, text: str, encoding: int = 3, version: int = 4, marks: int = 0) -> bytes:
    content = bytes([encoding]) + text.encode(("latin-1", "utf-16", "utf-16-be", "utf-8")[encoding])
    return frame(name, content, version, marks)


def frame(name: str, content: bytes, version: int = 4, marks: int = 0) -> bytes:
    if version == 2:
        return name.encode() + len(content).to_bytes(3, "big") + content
    size = synchsafe(len(content)) if version == 4 else len(content).to_bytes(4, "big")
    return name.encode() + size + bytes([0, marks]) + content


def id3v2(*frames: bytes, version: int = 4, flags: int = 0) -> bytes:
    body = b"".join(frames)
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(len(body)) + body


def id3v1(artist: bytes) -> bytes:
    return b"TAG" + b"Song".ljust(30, b"\0") + artist.ljust(30, b"\0") + bytes(65)


def apev2(*fields: tuple[str, str], kind: int = 0, version: int = 2000) -> bytes:
    items = b""
    for name, value in fields:
        text = value.encode("utf-8" if version == 2000 else "latin-1")
        items += struct.pack("<II", len(text), kind << 1) + name.encode() + b"\0" + text
    footer = struct.pack("<IIII", version, len(items) + 32, len(fields), 0)
    return items + b"APETAGEX" + footer + bytes(8)


def vorbis(*fields: tuple[str, str]) -> bytes:
    texts = [f"{name}={value}".encode() for name, value in fields]
    parts = [b"maker", *texts]
    packed = [struct.pack("<I", len(part)) + part for part in parts]
    return packed[0] + struct.pack("<I", len(texts)) + b"".join(packed[1:])


def flac(*fields: tuple[str, str]) -> bytes:
    comments = vorbis(*fields)
    info = bytes.fromhex("10001000000000000000 0ac442f000000000") + bytes(16)
    return (
        b"fLaC" + b"\0" + len(info).to_bytes(3, "big") + info
        + b"\x84" + len(comments).to_bytes(3, "big") + comments
    )  # fmt: skip


def ogg(*packets: bytes, serial: int = 1) -> bytes:
    """A page for each packet; each is shorter than 255 x 255 bytes."""
    pages = b""
    for number, packet in enumerate(packets):
        lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
        kind = 2 if number == 0 else 4 if number == len(packets) - 1 else 0
        head = struct.pack("<BBqIII", 0, kind, 0, serial, number, 0)
        pages += b"OggS" + head + bytes([len(lacing)]) + lacing + packet
    return pages


def ogg_vorbis(*fields: tuple[str, str], serial: int = 1) -> bytes:
    first = b"\x01vorbis" + struct.pack("<IBIiiiBB", 0, 2, 44100, 0, 128000, 0, 0xB8, 1)
    return ogg(first, b"\x03vorbis" + vorbis(*fields) + b"\x01", bytes(50), serial=serial)


def opus(*fields: tuple[str, str]) -> bytes:
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 312, 48000, 0, 0)
    return ogg(head, b"OpusTags" + vorbis(*fields), bytes(50))


def box(name: bytes, *content: bytes) -> bytes:
    inside = b"".join(content)
    return struct.pack(">I", len(inside) + 8) + name + inside


def m4a(*items: tuple[bytes, list[str]]) -> bytes:
    made = [
        box(name, *(box(b"data", struct.pack(">II", 1, 0), text.encode()) for text in texts))
        for name, texts in items
    ]
    meta = box(b"meta", bytes(4), box(b"ilst", *made))
    return box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", box(b"udta", meta)) + box(b"mdat", bytes(9))


_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_DESCRIPTION = bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c")
_MORE = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")


def asf(author: str, *fields: tuple[str, str], behind: bytes = b"") -> bytes:
    """The header of a WMA, and what lies behind it."""
    text = author.encode("utf-16-le")
    description = struct.pack("<HHHHH", 0, len(text), 0, 0, 0) + text
    more = struct.pack("<H", len(fields))
    for words in fields:
        name, value = (f"{word}\0".encode("utf-16-le") for word in words)
        more += struct.pack("<H", len(name)) + name + struct.pack("<HH", 0, len(value)) + value
    objects = b"".join(
        kind + struct.pack("<Q", len(content) + 24) + content
        for kind, content in ((_DESCRIPTION, description), (_MORE, more))
    )
    return _HEADER + struct.pack("<QIBB", len(objects) + 30, 2, 1, 2) + objects + behind


def chunk(name: bytes, content: bytes, order: str = "<") -> bytes:
    return name + struct.pack(order + "I", len(content)) + content + b"\0" * (len(content) % 2)


def wav(*chunks: bytes) -> bytes:
    sound = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16))
    body = b"WAVE" + sound + chunk(b"data", bytes(20)) + b"".join(chunks)
    return chunk(b"RIFF", body)


def info(artist: bytes) -> bytes:
    return chunk(b"LIST", b"INFO" + chunk(b"ICMT", b"odd") + chunk(b"IART", artist))


def aiff(*chunks: bytes) -> bytes:
    return chunk(b"FORM", b"AIFF" + b"".join(chunks), ">")
