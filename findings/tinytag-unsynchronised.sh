#!/usr/bin/env bash
# tinytag takes the marks that an ID3v2 tag may hold for a part of the text.
#
# ID3v2 lets a writer put a zero behind each byte 255, so that no old player takes the tag for
# sound ("unsynchronisation", set by many taggers of the 2000s), and in version 2.4 name the true length
# before the text of a frame. One expects a reader of tags to take both out. tinytag 2.3 does not
# read these flags: the artist comes with control characters, or as other letters. mutagen
# reads all of them. No error is raised, so a library that sorts by artist gets a new artist.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q mutagen==1.48.1 tinytag==2.3.2
venv/bin/python - <<'PYTHON'
import struct

import mutagen.id3
import tinytag


def seven_bits(number):
    return bytes((number >> shift) & 127 for shift in (21, 14, 7, 0))


def tag(version, flags, frames):
    return b"ID3" + bytes([version, 0, flags]) + seven_bits(len(frames)) + frames


def frame(body, flags):  # of version 2.4
    return b"TPE1" + seven_bits(len(body)) + flags + body


latin, wide = b"\x03Art", b"\x01" + "\ufeffArt".encode("utf-16-le")
old = b"TPE1" + struct.pack(">I", len(wide)) + b"\0\0" + wide
cases = {
    "2.4": tag(4, 0, frame(latin, b"\0\0")),
    "2.4, true length": tag(4, 0, frame(seven_bits(len(latin)) + latin, b"\0\1")),
    "2.3, unsynchronised": tag(3, 0x80, old.replace(b"\xff\xfe", b"\xff\0\xfe")),
}
# Frames of silence: MPEG 1, layer 3, 128 kbit/s, 44.1 kHz.
sound = (b"\xff\xfb\x90\xc4" + bytes(413)) * 20
print("tinytag", tinytag.__version__, "mutagen", mutagen.version_string)
found = {}
for name, front in cases.items():
    open("song.mp3", "wb").write(front + sound)
    found[name] = tinytag.TinyTag.get("song.mp3").artist, str(mutagen.id3.ID3("song.mp3")["TPE1"])
    print(f"{name}: tinytag {found[name][0]!a}, mutagen {found[name][1]!a}")
assert all(artist == "Art" for _, artist in found.values()), found
assert found["2.4"][0] == "Art", found
assert found["2.4, true length"][0] == "\x04\x03Art", found
assert found["2.3, unsynchronised"][0] not in (None, "Art"), found
# Seen:
#   2.4: tinytag 'Art', mutagen 'Art'
#   2.4, true length: tinytag '\x04\x03Art', mutagen 'Art'
#   2.3, unsynchronised: tinytag '\xff\u41fe\u7200\u7400', mutagen 'Art'
PYTHON
