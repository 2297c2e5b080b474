"""Sounds joined end to end are read whole, whatever container they are in."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from av.error import PatchWelcomeError

from mgrkit.audio import open_sound
from mgrkit.audio.pyav import PyavDecoder
from mgrkit.audio.spans import Span
from mgrkit.errors import AudioError
from tests.audio.encoded import dsdiff, encode, encode_picture, sounds, tone
from tests.audio.test_whole_files import ID3V1, ID3V2, flac, joined, reason, seconds

RATE = 22050
# How FFmpeg makes each kind: suffix, codec, container.
ENCODED = {
    "m4a": ("aac", "ipod"),
    "mov": ("pcm_s16le", "mov"),
    "wma": ("wmav2", "asf"),
    "mka": ("aac", "matroska"),
    "webm": ("libopus", "webm"),
    "tta": ("tta", "tta"),
    "wv": ("wavpack", "wv"),
    "avi": ("pcm_s16le", "avi"),
    "flv": ("aac", "flv"),
    "aac": ("aac", "adts"),
    "mp3": ("libmp3lame", "mp3"),
}
WRITTEN = {
    "wav": "WAV", "rf64": "RF64", "aiff": "AIFF", "au": "AU", "caf": "CAF", "w64": "W64",
    "flac": "FLAC", "ogg": "OGG",
}  # fmt: skip

# With a header in front, so that it can be known from there.
APE = b"".join(
    b"APETAGEX" + struct.pack("<IIII", 2000, 32 + 5_000, 1, flags) + bytes(8) + body
    for flags, body in ((0xA0000000, bytes(5_000)), (0x80000000, b""))
)


def made(folder: Path, kind: str, length: float, channels: int = 1) -> bytes:
    """A sound of any kind above."""
    path = folder / f"part.{kind}"
    rate = 48_000 if kind == "webm" else RATE
    if kind in ENCODED:
        encode(path, tone(length, rate, channels), rate, *ENCODED[kind])
    else:
        soundfile.write(path, tone(length, rate, channels).T, rate, format=WRITTEN[kind])
    return path.read_bytes()


def samples(path: Path) -> np.ndarray:
    with open_sound(path) as sound:
        whole = np.concatenate(list(sound.blocks()), axis=1)
        assert not sound.warning
        return whole


@pytest.mark.parametrize("kind", [*ENCODED, *WRITTEN])
def test_joined_sounds_are_one(tmp_path, kind):
    parts = [made(tmp_path, kind, length) for length in (3, 2, 1)]
    each = [samples(joined(tmp_path / f"one.{kind}", part)) for part in parts]
    whole = samples(joined(tmp_path / f"all.{kind}", *parts))
    if kind == "aac":  # its frames follow each other as in one stream
        assert whole.shape[1] == sum(part.shape[1] for part in each)
    else:
        np.testing.assert_array_equal(whole, np.concatenate(each, axis=1))


@pytest.mark.parametrize("kind", ["m4a", "wma", "wv", "tta", "caf", "wav", "flac", "mka"])
def test_a_joined_sound_of_another_form_is_named(tmp_path, kind):
    parts = made(tmp_path, kind, 2), made(tmp_path, kind, 2, 2)
    assert reason(joined(tmp_path / f"two.{kind}", *parts)) == "channels-change"


@pytest.mark.parametrize("kind", ["m4a", "wma", "tta", "caf", "wav", "aiff", "flac", "mp3", "mka"])
def test_of_joined_sounds_none_may_be_cut(tmp_path, kind):
    part = made(tmp_path, kind, 5)
    cut = part[: len(part) * 2 // 3]
    # The tables of an MP4 are at its end, and sizes that miss half of the sound are wrong.
    assert reason(joined(tmp_path / f"last.{kind}", part, cut)) in {"truncated", "damaged"}


@pytest.mark.parametrize("kind", ["m4a", "avi", "wma", "tta", "wv", "wav", "flac", "mp3", "aac"])
@pytest.mark.parametrize(
    "between",
    [ID3V1, ID3V2, APE, bytes(5_000), ID3V1 + bytes(99) + ID3V2],
    ids=["id3v1", "id3v2", "ape", "zeros", "all"],
)
def test_tags_between_joined_sounds(tmp_path, kind, between):
    part = made(tmp_path, kind, 2)
    one = seconds(joined(tmp_path / f"one.{kind}", part))
    path = joined(tmp_path / f"two.{kind}", part, between, part)
    assert seconds(path) == pytest.approx(2 * one)


@pytest.mark.parametrize("kind", ["m4a", "mov", "mka", "webm", "wma", "caf", "wv", "rf64", "ogg"])
@pytest.mark.parametrize("front", [ID3V2, 6 * ID3V2], ids=["50 kB", "300 kB"])
def test_tags_in_front_of_joined_sounds(tmp_path, kind, front):
    part = made(tmp_path, kind, 2)
    one = seconds(joined(tmp_path / f"one.{kind}", part))
    path = joined(tmp_path / f"two.{kind}", front, part, ID3V2, part)
    assert seconds(path) == pytest.approx(2 * one)


def test_zeros_behind_joined_frames(tmp_path):
    part = made(tmp_path, "aac", 2)
    one = seconds(joined(tmp_path / "one.aac", part))
    with open_sound(joined(tmp_path / "two.aac", part, ID3V2, part, bytes(40_000))) as sound:
        assert sum(block.shape[1] for block in sound.blocks()) / RATE == pytest.approx(2 * one)
        assert sound.warning.startswith(f"unread-rest: {2 * one:.6g} s were decoded")


def test_joined_sounds_of_different_kinds(tmp_path):
    parts = [made(tmp_path, kind, 2) for kind in ("m4a", "wav", "tta", "flac")]
    assert seconds(joined(tmp_path / "all.m4a", *parts)) == pytest.approx(8, abs=0.1)


def test_what_follows_a_flash_video(tmp_path):
    parts = [made(tmp_path, kind, 2) for kind in ("flv", "m4a")]
    assert seconds(joined(tmp_path / "all.flv", parts[0], ID3V1, parts[1])) == pytest.approx(
        4, abs=0.2
    )
    holed = parts[0][: len(parts[0]) // 2] + parts[0][len(parts[0]) // 2 + 50 :]
    assert reason(joined(tmp_path / "holed.flv", holed)) == "damaged"


def test_joined_fragments(tmp_path):
    """As dashcams and streams give them: each box of sound has tables of its own."""
    import av

    path = tmp_path / "part.m4a"
    options = {"movflags": "frag_keyframe+empty_moov"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(2, RATE), "fltp", "mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    part = path.read_bytes()
    assert part.count(b"moof") == 1
    assert seconds(joined(tmp_path / "two.m4a", part, part)) == 2 * seconds(path)


@pytest.mark.parametrize("kind", ["m4a", "wma", "tta", "wv", "caf", "w64"])
def test_what_else_follows_is_told(tmp_path, kind):
    part = made(tmp_path, kind, 5)
    noise = np.random.default_rng(0).bytes(len(part))
    path = joined(tmp_path / f"noise.{kind}", part, noise)
    with open_sound(path, allow_truncated=True) as sound:
        assert sum(block.shape[1] for block in sound.blocks()) / RATE == pytest.approx(5, abs=0.1)
        assert sound.warning.startswith(("unread-rest: 5", "unread-rest: 4.9"))
    for nothing in (bytes(len(part)), ID3V1):
        samples(joined(tmp_path / f"nothing.{kind}", part, nothing))


def test_joined_dsdiff(tmp_path):
    dsdiff(tmp_path / "one.dff")
    one = (tmp_path / "one.dff").read_bytes()
    two = joined(tmp_path / "two.dff", one, one)
    assert seconds(two) == 2 * seconds(tmp_path / "one.dff")


MONKEY = b"MAC " + struct.pack("<HHIIIIIII", 3990, 0, 52, 24, 8, 44, 600, 0, 0) + bytes(692)
OLD_MONKEY = b"MAC " + struct.pack("<HH", 3970, 2000) + bytes(500)
SV8 = b"MPCK" + b"SH\x0f" + bytes(12) + b"AP\x81\x00" + bytes(124) + b"SE\x03"
SV7 = b"MP+\x07" + struct.pack("<I", 300) + bytes(772)  # its frames have a length of 0 each
DSF = b"DSD " + struct.pack("<QQQ", 28, 700, 0) + bytes(672)
AMR = b"#!AMR\n" + bytes(300)
TAK = b"tBaK\x01" + bytes(300)


@pytest.mark.parametrize("part", [MONKEY, OLD_MONKEY, SV8, SV7, DSF, AMR, TAK])
def test_where_other_kinds_end(tmp_path, part):
    """Of these there is no encoder at hand."""
    path = joined(tmp_path / "three", part, part, part)
    found = [member.span for member in sounds(path)]
    size = len(part)
    assert found == [(0, size), (size, 2 * size), (2 * size, 3 * size)]


def test_an_unknown_size_is_none(tmp_path):
    """Live streams of ASF and Matroska, joined or not, are read as FFmpeg reads them."""
    part = made(tmp_path, "mka", 2)
    at = part.index(b"\x18\x53\x80\x67") + 4
    live = part[:at] + b"\x01" + b"\xff" * 7 + part[at + 8 :]
    assert seconds(joined(tmp_path / "live.mka", live)) == pytest.approx(2, abs=0.1)
    assert seconds(joined(tmp_path / "two.mka", live, live)) == pytest.approx(4, abs=0.2)


def test_a_flac_whose_bit_depth_changes(tmp_path):
    parts = []
    for subtype in ("PCM_16", "PCM_24"):
        soundfile.write(tmp_path / "part.flac", tone(2).T, RATE, subtype)
        parts.append((tmp_path / "part.flac").read_bytes())
    whole = samples(joined(tmp_path / "two.flac", *parts))
    np.testing.assert_allclose(whole, np.tile(tone(2), 2), atol=2**-14)


def test_the_reason_is_that_of_the_first_sound(tmp_path):
    head, frames = flac(tmp_path / "a.flac", 1, RATE)
    broken = head + bytes(len(frames))
    with pytest.raises(AudioError, match=r"damaged|no-samples"):
        open_sound(joined(tmp_path / "two.flac", broken, head))


@pytest.mark.parametrize("kind", ["oga", "opus"])
def test_an_ogg_that_lacks_pages_in_the_middle(tmp_path, data, kind):
    """Those behind tell how much sound was in front of them."""
    if kind == "opus":
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 10 * 48_000)).astype(np.float32)
        encode(tmp_path / "whole.ogx", noise, 48_000, "libopus", "ogg")
        whole = (tmp_path / "whole.ogx").read_bytes()
    else:
        whole = (data / "cases" / "whole.oga").read_bytes()
    path = tmp_path / "some.ogx"  # a suffix that goes to FFmpeg
    assert seconds(joined(path, whole)) == pytest.approx(10 if kind == "opus" else 3, abs=0.02)
    pages = [found.start() for found in re.finditer(rb"OggS\0", whole)]
    half = len(pages) // 2
    assert half > 2
    assert reason(joined(path, whole[: pages[half]], whole[pages[half + 1] :])) == "truncated"


def test_what_a_decoder_lacks_is_not_the_fault_of_the_file(tmp_path, monkeypatch):
    """As FFmpeg says of some WMA Voice."""

    def lacking(*_):
        raise PatchWelcomeError(1, "Not yet implemented in FFmpeg, patches welcome")

    joined(tmp_path / "a.wma", made(tmp_path, "wma", 1))
    monkeypatch.setattr(PyavDecoder, "_decode", lacking)
    assert reason(tmp_path / "a.wma") == "not-audio"


def test_a_sound_of_no_length_is_not_followed_by_itself(tmp_path):
    path = joined(tmp_path / "broken.m4a", b"\0\0\0\4ftypM4A ", bytes(100))
    assert sounds(path) == [(Span(0, 112), None)]


def test_a_first_sound_that_no_decoder_takes_is_not_passed_over(tmp_path):
    encode_picture(tmp_path / "film.mp4")
    encode(tmp_path / "one.m4a", tone(2), RATE, "aac", "ipod")
    parts = [(tmp_path / name).read_bytes() for name in ("film.mp4", "one.m4a")]
    assert len(sounds(joined(tmp_path / "two.m4a", *parts))) == 2
    assert reason(tmp_path / "two.m4a") == reason(tmp_path / "film.mp4")


def test_each_of_joined_sounds_may_have_a_warning(tmp_path):
    for name, length in (("a", 20), ("b", 10)):
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, length * RATE)
        soundfile.write(tmp_path / name, noise, RATE, format="OGG", subtype="VORBIS")
    parts = [(tmp_path / name).read_bytes() for name in "ab"]
    path = joined(tmp_path / "two.ogg", *(part[: part.rindex(b"OggS")] for part in parts))
    with open_sound(path) as sound:
        for _ in sound.blocks():
            pass
    assert sound.warning.count("truncated: ") == 2
