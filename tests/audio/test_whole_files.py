"""Valid files are read whole, whatever their headers tell or keep to themselves."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.audio import open_sound
from mgrkit.audio.probe import inspect
from mgrkit.audio.pyav import PyavDecoder
from mgrkit.audio.reading import SHORTFALLS
from mgrkit.errors import AudioError
from tests.audio.encoded import bare_mp3, encode, tone

RATE = 22050
FRAME = 1152 / RATE
APE = b"APETAGEX" + struct.pack("<IIII", 2000, 32 + 50_000, 1, 0x80000000) + bytes(8)
COVER = b"\xff" * 50_000 + APE
ID3V1 = b"TAG" + bytes(125)
ID3V2 = b"ID3\3\0\0" + bytes((0, 3, 6, 0x50)) + b"\xff" * (3 << 14 | 6 << 7 | 0x50)
LYRICS = b"LYRICSBEGIN" + b"la " * 500 + b"001511LYRICS200"


def seconds(path: Path) -> float:
    with open_sound(path) as sound:
        return sum(block.shape[1] for block in sound.blocks()) / sound.rate


def reason(path: Path) -> str:
    with pytest.raises(AudioError) as caught:
        seconds(path)
    return caught.value.reason


def joined(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts))
    return path


def wav(samples: np.ndarray, rate: int = RATE) -> bytes:
    """PCM 16 of one channel, the data chunk at byte 36."""
    data = (samples[0] * 32767).astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def claiming(whole: bytes, size: int) -> bytes:
    """A WAV as `wav` makes it whose data chunk claims another size."""
    return whole[:40] + struct.pack("<I", size) + whole[44:]


CASES = {
    "vbr_no_header_loud_quiet.mp3": 12.07,
    "vbr_no_header_quiet_loud.mp3": 12.07,
    "abr_no_header_loud_quiet.mp3": 12.07,
    "abr_no_header_quiet_loud.mp3": 12.07,
    "two_artists.mp3": 3.06,
    "ape_and_id3.mp3": 3.06,
    "id3v1_latin1.mp3": 3.06,
    "joined.mp3": 6.11,
    "joined.ogg": 6.0,
    "joined.opus": 6.0,
    "joined.oga": 6.0,
    "whole.3gp": 3.01,  # PyAV 19 takes the last frame's padding off
    "whole.ac3": 3.03,
    "whole.caf": 3.0,
    "whole.m4b": 3.01,
    "whole.mka": 3.01,
    "whole.mp2": 3.03,
    "whole.oga": 3.0,
    "whole.rf64": 3.0,
    "whole.tta": 3.0,
    "whole.w64": 3.0,
    "whole.wv": 3.0,
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_cases_are_whole(data, name):
    assert seconds(data / "cases" / name) == pytest.approx(CASES[name], abs=0.01)


@pytest.mark.parametrize("name", ["whole.caf", "whole.w64", "whole.wv", "whole.oga"])
@pytest.mark.parametrize("suffix", [".m4a", ".wav", ""])
def test_the_suffix_does_not_matter(data, tmp_path, name, suffix):
    path = joined(tmp_path / f"other{suffix}", (data / "cases" / name).read_bytes())
    assert seconds(path) == pytest.approx(3.0, abs=0.01)


@pytest.mark.parametrize("order", [(32, 160), (160, 32)])
def test_an_estimated_length_is_no_promise(tmp_path, order):
    """The frames change their bit rate, so libsndfile's estimate is far off, either way."""
    low, high = (bare_mp3(tmp_path / "part.mp3", tone(6, RATE), RATE, k) for k in order)
    path = joined(tmp_path / "two_rates.mp3", low, high)
    assert seconds(path) == pytest.approx(12, abs=4 * FRAME)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""), (ID3V2, b""), (b"", ID3V1), (b"", LYRICS + ID3V1), (b"", COVER),
        (ID3V2, COVER + ID3V1),
    ],
    ids=["bare", "id3v2", "id3v1", "lyrics", "ape", "all"],
)  # fmt: skip
def test_tags_are_no_sound(tmp_path, before, after):
    frames = bare_mp3(tmp_path / "part.mp3", tone(3, RATE), RATE, 32)
    path = joined(tmp_path / "tagged.mp3", before, frames, after)
    assert seconds(path) == pytest.approx(3, abs=3 * FRAME)


@pytest.mark.parametrize("between", [b"", ID3V1 + ID3V2], ids=["bare", "tags"])
def test_joined_mp3s_with_info_frames(tmp_path, between):
    encode(tmp_path / "one.mp3", tone(5, RATE), RATE, "libmp3lame")
    one = (tmp_path / "one.mp3").read_bytes()
    assert b"Info" in one or b"Xing" in one
    path = joined(tmp_path / "two.mp3", one, between, one)
    assert seconds(path) == pytest.approx(10, abs=0.15)


@pytest.mark.parametrize(
    "after", [bytes(5_000), b"foreign " * 500, LYRICS], ids=["zeros", "foreign", "lyrics"]
)
def test_what_lies_behind_the_promised_end_is_not_decoded(tmp_path, after):
    for suffix, how in ((".mp3", {"format": "MP3"}), (".flac", {})):
        sound = tmp_path / f"sound{suffix}"
        soundfile.write(sound, tone(20, RATE).T, RATE, **how)
        expected = seconds(sound)
        assert expected == pytest.approx(20, abs=0.1)
        assert seconds(joined(tmp_path / f"more{suffix}", sound.read_bytes(), after)) == expected


@pytest.mark.parametrize("kind", ["mp3", "aac"])
def test_a_cut_last_frame_is_let_pass_and_a_hole_is_not(tmp_path, kind):
    if kind == "mp3":
        frames = bare_mp3(tmp_path / "sound.mp3", tone(10, RATE), RATE, 64)
    else:
        encode(tmp_path / "sound.aac", tone(10, RATE), RATE, "aac", "adts")
        frames = (tmp_path / "sound.aac").read_bytes()
    half = len(frames) // 2
    cut = joined(tmp_path / f"cut.{kind}", frames[:half])
    assert seconds(cut) == pytest.approx(5, abs=0.3)
    noise = np.random.default_rng(0).bytes(half // 2)
    with open_sound(joined(tmp_path / f"zeros.{kind}", frames[:half], bytes(half // 2))) as sound:
        assert sum(block.shape[1] for block in sound.blocks()) / RATE == pytest.approx(5, abs=0.3)
        assert sound.warning.startswith("unread-rest: ")  # padding, or a lost half: who knows?
    for number, rest in enumerate((noise, noise + frames[half:])):
        path = joined(tmp_path / f"hole{number}.{kind}", frames[:half], rest)
        assert reason(path) == "unread-rest"


def test_an_info_frame_that_promises_bytes_alone_is_a_promise(tmp_path):
    encode(tmp_path / "one.mp3", tone(5, RATE), RATE, "libmp3lame")
    one = (tmp_path / "one.mp3").read_bytes()
    at = max(one.find(b"Info"), one.find(b"Xing"))
    frames = one[: at + 8] + bytes(4) + one[at + 12 :]  # no number of frames
    assert seconds(joined(tmp_path / "whole.mp3", frames)) == pytest.approx(5, abs=0.15)
    assert reason(joined(tmp_path / "cut.mp3", frames[: len(frames) // 2])) == "truncated"


@pytest.mark.parametrize("kind", ["VORBIS", "OPUS"])
def test_an_ogg_of_three_links(tmp_path, kind):
    rate = 48000 if kind == "OPUS" else RATE
    sound = tone(2, rate)
    soundfile.write(tmp_path / "one.ogg", sound.T, rate, format="OGG", subtype=kind)
    one = (tmp_path / "one.ogg").read_bytes()
    path = joined(tmp_path / "three.ogg", one, one, one)  # one serial number in all
    assert seconds(path) == pytest.approx(6, abs=0.02)
    with open_sound(path) as read:
        samples = np.concatenate(list(read.blocks()), axis=1)
    with open_sound(tmp_path / "one.ogg") as read:
        expected = np.concatenate(list(read.blocks()), axis=1)
    np.testing.assert_array_equal(samples, np.tile(expected, 3))


@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (RATE, 2)])
def test_links_of_another_form_are_named(tmp_path, rate, channels):
    for name, own, sound in (("a", RATE, tone(2)), ("b", rate, tone(2, rate, channels))):
        soundfile.write(tmp_path / f"{name}.ogg", sound.T, own, format="OGG", subtype="VORBIS")
    parts = [(tmp_path / f"{name}.ogg").read_bytes() for name in "ab"]
    assert reason(joined(tmp_path / "two.ogg", *parts)) == "channels-change"


def test_header_pages_that_stand_there_twice(tmp_path):
    soundfile.write(tmp_path / "one.ogg", tone(2).T, RATE, format="OGG", subtype="VORBIS")
    one = (tmp_path / "one.ogg").read_bytes()
    first_page = one[: one.index(b"OggS", 4)]
    second = one.index(b"OggS", len(first_page) + 4)
    path = joined(tmp_path / "twice.ogg", one[:second], one)
    assert seconds(path) == seconds(tmp_path / "one.ogg")


def test_two_sounds_side_by_side_in_an_ogg(tmp_path):
    """libsndfile reads the first one, and takes its length from the last page of all."""
    parts = []
    for length in (3, 20):
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, length * RATE)
        soundfile.write(tmp_path / "one.ogg", noise, RATE, format="OGG", subtype="VORBIS")
        parts.append((tmp_path / "one.ogg").read_bytes())
    begins = [part[: part.index(b"OggS", 4)] for part in parts]
    rests = [part[len(begin) :] for part, begin in zip(parts, begins, strict=True)]
    assert begins[0][14:18] != begins[1][14:18]  # the numbers of the streams
    joined(tmp_path / "two.ogg", *begins, *rests)
    assert seconds(tmp_path / "two.ogg") == pytest.approx(3, abs=0.02)


def test_an_ogg_that_ends_with_a_page_that_is_not_the_last(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 20 * RATE)
    soundfile.write(tmp_path / "whole.ogg", noise, RATE, format="OGG", subtype="VORBIS")
    whole = (tmp_path / "whole.ogg").read_bytes()
    path = joined(tmp_path / "cut.ogg", whole[: whole.rindex(b"OggS")])
    with open_sound(path) as sound:
        got = sum(block.shape[1] for block in sound.blocks()) / RATE
        assert 10 < got < 20
        assert "does not say that it is the last" in sound.warning
    with open_sound(tmp_path / "whole.ogg") as sound:
        assert sum(block.shape[1] for block in sound.blocks()) == 20 * RATE
        assert not sound.warning


@pytest.mark.parametrize("behind", [b"", bytes(20_000), ID3V1], ids=["none", "zeros", "tag"])
def test_an_ogg_cut_within_a_page_is_cut_whatever_follows(tmp_path, behind):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 20 * RATE)
    soundfile.write(tmp_path / "whole.ogg", noise, RATE, format="OGG", subtype="VORBIS")
    whole = (tmp_path / "whole.ogg").read_bytes()
    page = whole.rindex(b"OggS", 0, len(whole) // 2)
    cut = joined(tmp_path / "cut.ogg", whole[: page + 2_000], behind)
    assert reason(cut) in {"truncated", "damaged"}


def test_a_broken_later_link_is_damage(tmp_path):
    soundfile.write(tmp_path / "one.ogg", tone(2).T, RATE, format="OGG", subtype="VORBIS")
    one = (tmp_path / "one.ogg").read_bytes()
    second = one[:60] + bytes(200) + one[260:]
    assert reason(joined(tmp_path / "two.ogg", one, second)) == "damaged"


def flac(path: Path, seconds: float, rate: int, channels: int = 1) -> tuple[bytes, bytes]:
    """The metadata and the frames of a FLAC."""
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (round(seconds * rate), channels))
    soundfile.write(path, noise, rate, "PCM_16")
    content = path.read_bytes()
    at, last = 4, False
    while not last:
        last = content[at] >= 0x80
        at += 4 + int.from_bytes(content[at + 1 : at + 4], "big")
    return content[:at], content[at:]


@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (RATE, 2)])
def test_a_flac_that_changes_on_the_way_is_named(tmp_path, rate, channels):
    head, frames = flac(tmp_path / "a.flac", 3, RATE)
    _, others = flac(tmp_path / "b.flac", 3, rate, channels)
    assert reason(joined(tmp_path / "two.flac", head, frames, others)) == "channels-change"


def test_joined_flacs(tmp_path):
    head, frames = flac(tmp_path / "a.flac", 3, RATE)
    path = joined(tmp_path / "two.flac", head, frames, head, frames)
    assert seconds(path) == pytest.approx(6, abs=0.01)


def test_a_flac_of_unknown_length_with_a_tag(tmp_path):
    head, frames = flac(tmp_path / "a.flac", 3, RATE)
    total = int.from_bytes(head[18:26], "big") >> 36 << 36
    unknown = head[:18] + total.to_bytes(8, "big") + head[26:]
    assert seconds(joined(tmp_path / "b.flac", unknown, frames, ID3V1)) == 3


@pytest.mark.parametrize("promised", [0, 4096])
def test_a_flac_that_promises_too_little(tmp_path, promised):
    head, frames = flac(tmp_path / "a.flac", 3, RATE)
    total = int.from_bytes(head[18:26], "big") >> 36 << 36 | promised
    path = joined(tmp_path / "b.flac", head[:18], total.to_bytes(8, "big"), head[26:], frames)
    assert seconds(path) == pytest.approx(3, abs=0.001)


def test_a_wav_that_tells_of_a_part_only(tmp_path):
    whole = wav(tone(5))
    assert reason(joined(tmp_path / "part.wav", claiming(whole, RATE * 2))) == "unread-rest"


@pytest.mark.parametrize(
    "after",
    [
        b"LIST\x04\0\0\0INFO",
        ID3V1,
        bytes(50_000),
        b"odd " * 40,
        b"id3 \x03\0\0\0abc\0" + ID3V1,
        b"ID3 " + struct.pack("<I", 40_000) + b"x" * 40_000,
    ],
    ids=["chunk", "tag", "zeros", "little", "both", "large"],
)
def test_what_may_lie_behind_the_sound_of_a_wav(tmp_path, after):
    assert seconds(joined(tmp_path / "a.wav", wav(tone(1)), after)) == 1.0


@pytest.mark.parametrize(
    "size", [0xFFFFFFFF, 0xFFFFFFDB, 0x7FFFFFFF, 0x7FFFFFDB, 0x7FFFF000, 0x80000000, 0xFFFFF000]
)
def test_sizes_that_mean_unknown(tmp_path, size):
    assert seconds(joined(tmp_path / "a.wav", claiming(wav(tone(2)), size))) == 2.0


@pytest.mark.parametrize("bits", [24, 32])
@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("low", ["no", "signed", "unsigned"])
def test_24_bits_in_4_bytes(tmp_path, bits, extensible, low):
    values = (tone(1)[0] * 2**23).astype("<i4")
    data = {"no": values << 8, "signed": values, "unsigned": values & 0xFFFFFF}[low].tobytes()
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else 1, 1, RATE, 4 * RATE, 4, bits)
    if extensible:
        form += struct.pack("<HHIH", 22, 24, 4, 1) + bytes.fromhex("000000001000800000aa00389b71")
    elif bits == 32:
        pytest.skip("without the extension, 32 bits are 32")
    chunks = struct.pack("<4sI", b"fmt ", len(form)) + form
    chunks += struct.pack("<4sI", b"data", len(data)) + data
    head = struct.pack("<4sI4s", b"RIFF", len(chunks) + 4, b"WAVE")
    path = joined(tmp_path / "a.wav", head, chunks)
    np.testing.assert_allclose(samples_of(path), tone(1), atol=2**-22)


def test_64_bit_integers(tmp_path):
    values = (tone(1)[0].astype(np.float64) * 2**63).astype("<i8").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 8 * RATE, 8, 64)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(values)) + values
    path = joined(tmp_path / "a.wav", struct.pack("<4sI", b"RIFF", len(body)), body)
    np.testing.assert_allclose(samples_of(path), tone(1), atol=2**-22)


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_any_number_of_channels_through_ffmpeg(tmp_path, channels):
    """PyAV counts a plane too many of eight, and reads what is not there."""
    soundfile.write(
        tmp_path / "a.ogg", tone(1, RATE, channels).T, RATE, format="OGG", subtype="VORBIS"
    )
    decoder = PyavDecoder(tmp_path / "a.ogg")
    found = np.concatenate(list(decoder.blocks(4096)), axis=1)
    decoder.close()
    assert found.shape[0] == channels
    np.testing.assert_allclose(found[:, :RATE].std(axis=1), 0.5 / np.sqrt(2), rtol=0.1)


def test_the_encoders_delay_is_not_missed(tmp_path):
    """A container's duration holds it; at 8 kHz it is a quarter of a second."""
    encode(tmp_path / "a.mp4", tone(1, 8_000), 8_000, "aac")
    assert seconds(tmp_path / "a.mp4") == pytest.approx(1, abs=0.26)


@pytest.mark.parametrize("magic", [b"MAC \x96\x0f", b"MP+\x07", b"MPCK"])
def test_tags_in_front_that_ffmpeg_does_not_skip(tmp_path, magic):
    path = joined(tmp_path / "a.ape", ID3V2, magic, bytes(100))
    span = inspect(path)[0].span
    assert span
    assert span.start == len(ID3V2)
    assert inspect(joined(tmp_path / "a.mp3", ID3V2, b"\xff\xfb"))[0].span is None


@pytest.mark.parametrize(
    ("suffix", "codec", "kind"),
    [
        ("m4a", "aac", "ipod"),
        ("mkv", "aac", "matroska"),
        ("webm", "libopus", "webm"),
        ("wma", "wmav2", "asf"),
        ("avi", "pcm_s16le", "avi"),
        ("avi", "libmp3lame", "avi"),
        ("wv", "wavpack", "wv"),
        ("wav", "libmp3lame", "wav"),
        ("caf", "pcm_s16be", "caf"),
        ("voc", "pcm_u8", "voc"),
        ("ac3", "ac3", "ac3"),
        ("tta", "tta", "tta"),
    ],
)
def test_tags_in_front_of_any_sound(tmp_path, suffix, codec, kind):
    part = tmp_path / f"part.{suffix}"
    encode(part, tone(2, 48_000), 48_000, codec, kind)
    tagged = joined(tmp_path / f"tagged.{suffix}", ID3V2, part.read_bytes())
    np.testing.assert_array_equal(samples_of(tagged), samples_of(part))


@pytest.mark.parametrize(
    ("suffix", "codec", "kind"),
    [
        ("ac3", "ac3", "ac3"),
        ("eac3", "eac3", "eac3"),
        ("aac", "aac", "adts"),
        ("loas", "aac", "latm"),
        ("opus", "libopus", "opus"),
    ],
)
@pytest.mark.parametrize(
    "behind",
    [COVER, COVER[-3_000:-32] + APE[:12] + struct.pack("<I", 3_000) + APE[16:], ID3V1, bytes(300)],
    ids=["cover", "ape", "id3v1", "zeros"],
)
def test_what_follows_the_last_frame_costs_none(tmp_path, suffix, codec, kind, behind):
    part = tmp_path / f"part.{suffix}"
    encode(part, tone(2, 48_000), 48_000, codec, kind)
    path = joined(tmp_path / f"behind.{suffix}", part.read_bytes(), behind)
    lost = 0.04 if behind == bytes(300) and "ac3" in suffix else 0  # the last frame, with zeros
    assert seconds(path) == pytest.approx(seconds(part), abs=lost)


@pytest.mark.parametrize("behind", ["cover", "zeros", "noise"])
def test_what_follows_an_ogg_is_none_of_its_sound(tmp_path, data, behind):
    whole = data / "cases" / "whole.oga"  # FLAC, which FFmpeg reads
    bytes_behind = {
        "cover": COVER,
        "zeros": bytes(200_000),
        "noise": np.random.default_rng(0).bytes(200_000),
    }[behind]
    with open_sound(joined(tmp_path / "a.oga", whole.read_bytes(), bytes_behind)) as sound:
        found = np.concatenate(list(sound.blocks()), axis=1)
        assert sound.warning[:11] == ("unread-rest" if behind == "noise" else "")
    np.testing.assert_array_equal(found, samples_of(whole))


@pytest.mark.parametrize("text", [b"TAG", bytes(8) + APE], ids=["id3v1", "ape"])
def test_a_tag_that_would_begin_in_front_of_the_file(tmp_path, text):
    assert reason(joined(tmp_path / "a.wv", text)) == "not-audio"


def test_an_mp3_that_begins_some_bytes_behind_its_tags(tmp_path):
    part = bare_mp3(tmp_path / "part.mp3", tone(2), RATE)
    path = joined(tmp_path / "late.mp3", ID3V2, bytes(3_000), part)
    assert inspect(path)[0].span is None
    assert seconds(path) == pytest.approx(seconds(tmp_path / "part.mp3"), abs=2 * FRAME)


def samples_of(path: Path) -> np.ndarray:
    with open_sound(path) as sound:
        return np.concatenate(list(sound.blocks()), axis=1)


def test_opus_is_decoded_at_48_kilohertz(tmp_path):
    """The rate in its header only tells where the sound came from."""
    path = tmp_path / "a.opus"
    high = np.sin(2 * np.pi * 9_000 * np.arange(48_000) / 48_000) / 2
    soundfile.write(path, high, 48_000, format="OGG", subtype="OPUS")
    content = bytearray(path.read_bytes())
    at = content.index(b"OpusHead")
    content[at + 12 : at + 16] = struct.pack("<I", 8_000)
    content[22:26] = bytes(4)
    end = content.index(b"OggS", 4)
    content[22:26] = struct.pack("<I", ogg_checksum(bytes(content[:end])))
    path.write_bytes(content)
    with open_sound(path) as sound:
        assert sound.rate == 48_000
        samples = np.concatenate(list(sound.blocks()), axis=1)
    assert samples[0, 10_000:40_000].std() > 0.2


def ogg_checksum(page: bytes) -> int:
    """Of a page whose own checksum is zero (RFC 3533)."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def test_what_was_decoded_before_a_failure_is_told(tmp_path):
    """Less than a block of it, too."""
    head, frames = flac(tmp_path / "a.flac", 6, RATE)
    half = len(frames) // 2
    path = joined(tmp_path / "b.flac", head, frames[:half], bytes(len(frames) - half))
    with open_sound(path) as sound, pytest.raises(AudioError, match=r"damaged.* after 2\.[5-9]"):
        for _ in sound.blocks():
            pass


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_shortfall_can_be_allowed(tmp_path, share):
    head, frames = flac(tmp_path / "a.flac", 20, RATE)
    cut = int(len(frames) * share)
    wave, vorbis = tmp_path / "whole.wav", tmp_path / "whole.ogg"
    soundfile.write(wave, tone(20).T, RATE)
    soundfile.write(vorbis, tone(20).T, RATE, format="OGG", subtype="VORBIS")
    files = {"cut.flac": head + frames[:cut]}
    for path in (wave, vorbis):
        content = path.read_bytes()
        files[f"cut{path.suffix}"] = content[: int(len(content) * share)]
    for name, content in files.items():
        path = joined(tmp_path / name, content)
        assert reason(path) in SHORTFALLS
        with open_sound(path, allow_truncated=True) as sound:
            got = sum(block.shape[1] for block in sound.blocks()) / sound.rate
            assert got == pytest.approx(20 * share, abs=3)
            assert sound.warning.partition(":")[0] in SHORTFALLS


def test_nothing_else_is_allowed_with_it(tmp_path):
    sound = tone(5)
    sound[0, 100_000] = np.nan
    soundfile.write(tmp_path / "a.wav", sound.T, RATE, subtype="FLOAT")
    with (
        open_sound(tmp_path / "a.wav", allow_truncated=True) as opened,
        pytest.raises(AudioError, match="non-finite"),
    ):
        list(opened.blocks())


def test_the_length_of_a_wma_is_no_promise(tmp_path, data):
    """Its play duration holds the preroll; the size of the file is one."""
    content = (data / "songs" / "templeos_20s.wma").read_bytes()
    at = content.index(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    play = int.from_bytes(content[at + 64 : at + 72], "little") + 30_000_000
    longer = content[: at + 64] + play.to_bytes(8, "little") + content[at + 72 :]
    path = joined(tmp_path / "longer.wma", longer)
    assert seconds(path) == seconds(data / "songs" / "templeos_20s.wma")
    assert reason(joined(tmp_path / "cut.wma", content[: len(content) // 2])) in SHORTFALLS


@pytest.mark.parametrize("kind", ["CAF", "W64"])
def test_cut_caf_and_w64(tmp_path, kind):
    path = tmp_path / f"a.{kind.lower()}"
    soundfile.write(path, tone(5).T, RATE, format=kind, subtype="PCM_16")
    assert seconds(path) == 5
    content = path.read_bytes()
    assert reason(joined(tmp_path / path.name, content[: len(content) * 2 // 3])) == "truncated"


def test_what_lies_behind_an_mp3_that_tells_its_length_is_a_warning(tmp_path):
    encode(tmp_path / "one.mp3", tone(5, RATE), RATE, "libmp3lame")
    one = (tmp_path / "one.mp3").read_bytes()
    noise = np.random.default_rng(0).bytes(len(one))
    for behind, expected in ((noise, "unread-rest: 5"), (bytes(len(one)), ""), (COVER, "")):
        with open_sound(joined(tmp_path / "more.mp3", one, behind)) as sound:
            assert sum(block.shape[1] for block in sound.blocks()) / RATE == pytest.approx(
                5, abs=0.1
            )
            assert sound.warning.startswith(expected)
            assert bool(sound.warning) == bool(expected)


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".opus"])
def test_so_is_what_lies_behind_a_flac_or_an_ogg(tmp_path, suffix):
    rate = 48_000 if suffix == ".opus" else RATE
    how = {
        ".flac": {},
        ".ogg": {"subtype": "VORBIS"},
        ".opus": {"format": "OGG", "subtype": "OPUS"},
    }
    soundfile.write(tmp_path / f"one{suffix}", tone(5, rate).T, rate, **how[suffix])
    one = (tmp_path / f"one{suffix}").read_bytes()
    noise = np.random.default_rng(0).bytes(len(one))
    for behind in (noise, bytes(len(one)), ID3V1, b""):
        with open_sound(joined(tmp_path / f"more{suffix}", one, behind)) as sound:
            assert sum(block.shape[1] for block in sound.blocks()) / rate == 5
            assert sound.warning.startswith("unread-rest: 5 s" if behind == noise else "")
            assert bool(sound.warning) == (behind == noise)


def test_tags_that_begin_like_a_frame(tmp_path):
    """A decoder takes some bytes of a cover for frames, and fails only behind them."""
    frames = bare_mp3(tmp_path / "part.mp3", tone(5, RATE), RATE, 32)
    false = frames[:1_000] + np.random.default_rng(0).bytes(50_000)
    size = bytes(len(false) >> shift & 0x7F for shift in (21, 14, 7, 0))
    tag = ID3V1 + b"ID3\3\0\0" + size + false
    path = joined(tmp_path / "two.mp3", frames, tag, frames)
    assert seconds(path) == pytest.approx(10, abs=0.6)


def test_quiet_16_bit_material_in_24_of_32_bits(tmp_path):
    """The lower byte may be empty throughout; the upper one tells where the 24 bits are."""
    values = (tone(1)[0] * 2**15).astype("<i4") << 8
    data = values.tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 4 * RATE, 4, 24)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    path = joined(tmp_path / "a.wav", struct.pack("<4sI", b"RIFF", len(body)), body)
    np.testing.assert_allclose(samples_of(path), tone(1), atol=2**-14)


@pytest.mark.parametrize("suffix", [".wav", ".raw"])
def test_24_bits_in_4_bytes_without_samples(tmp_path, suffix):
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 4 * RATE, 4, 24)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", 0)
    path = joined(tmp_path / f"a{suffix}", struct.pack("<4sI", b"RIFF", len(body)), body)
    assert reason(path) in {"no-samples", "damaged"}
