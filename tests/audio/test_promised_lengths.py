"""What a header promises is held: a sound that is shorter is named."""

from __future__ import annotations

import struct

import av
import numpy as np
import pytest

from mgrkit.audio import musepack, open_sound
from tests.audio.encoded import encode, sounds, tone
from tests.audio.test_whole_files import joined, reason, seconds

RATE = 44100


@pytest.mark.parametrize("codec", ["pcm_s16le", "libmp3lame"])
def test_of_an_avi_nothing_may_be_missing(tmp_path, codec):
    encode(tmp_path / "whole.avi", tone(5, RATE), RATE, codec)
    whole = (tmp_path / "whole.avi").read_bytes()
    assert seconds(tmp_path / "whole.avi") == pytest.approx(5, abs=0.06)
    half, tenth = len(whole) // 2, len(whole) // 10
    assert reason(joined(tmp_path / "cut.avi", whole[:half])) == "truncated"
    holed = joined(tmp_path / "holed.avi", whole[:half], whole[half + tenth :])
    assert reason(holed) == "truncated"
    assert reason(joined(tmp_path / "blank.avi", whole[: -2 * tenth], bytes(tenth))) == "truncated"


def test_what_follows_an_avi_is_no_part_of_it(tmp_path):
    for name, codec in (("a.avi", "pcm_s16le"), ("b.mp3", "libmp3lame"), ("c.wv", "wavpack")):
        encode(tmp_path / name, tone(2, RATE), RATE, codec)
    parts = [(tmp_path / name).read_bytes() for name in ("a.avi", "b.mp3", "c.wv")]
    assert seconds(joined(tmp_path / "all.avi", *parts)) == pytest.approx(6, abs=0.1)
    live = parts[0][:4] + bytes(4) + parts[0][8:]  # of a size that nobody filled in
    assert seconds(joined(tmp_path / "live.avi", live)) == 2
    with open_sound(joined(tmp_path / "noise.avi", parts[0], b"noise" * 20_000)) as sound:
        assert sum(block.shape[1] for block in sound.blocks()) == 2 * RATE
        assert sound.warning.startswith("unread-rest: 2 s")


def test_a_film_whose_sound_begins_late_is_whole(tmp_path):
    """Its header counts chunks of no sound, too."""
    with av.open(str(tmp_path / "film.avi"), "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width = picture.height = 32
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono")
        sound = av.AudioFrame.from_ndarray(tone(2, RATE), "fltp", "mono")
        sound.sample_rate = RATE
        sound.pts = 3 * RATE
        image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
        packets = [packet for _ in range(50) for packet in picture.encode(image)]
        for packet in (
            *packets,
            *picture.encode(None),
            *stream.encode(sound),
            *stream.encode(None),
        ):
            container.mux(packet)
    assert seconds(tmp_path / "film.avi") == pytest.approx(2, abs=0.1)


def test_of_a_wavpack_no_block_may_be_missing(tmp_path):
    encode(tmp_path / "whole.wv", tone(5, RATE), RATE, "wavpack")
    whole = (tmp_path / "whole.wv").read_bytes()
    begins = [at for at in range(len(whole)) if whole.startswith(b"wvpk", at)]
    assert len(begins) > 2
    assert reason(joined(tmp_path / "cut.wv", whole[: begins[-1]])) == "truncated"
    middle = whole[: begins[1]] + whole[begins[2] :]
    assert reason(joined(tmp_path / "holed.wv", middle)) == "truncated"
    unknown = whole[:12] + b"\xff" * 4 + whole[16 : begins[-1]]
    assert 0 < seconds(joined(tmp_path / "live.wv", unknown)) < 5


def sv8(samples: int, silence: int = 0) -> bytes:
    def number(value: int) -> bytes:
        return bytes((0x80 | value >> 14, 0x80 | value >> 7 & 0x7F, value & 0x7F))

    body = bytes(4) + b"\x08" + number(samples) + number(silence) + b"\x20\x08"
    return b"MPCKSH" + bytes((3 + len(body),)) + body + b"AP\x81\x00" + bytes(124) + b"SE\x03"


def test_a_musepack_tells_its_length(tmp_path):
    for samples, told in ((96_000, 2), (0, 0)):
        with open(joined(tmp_path / "a.mpc", sv8(samples)), "rb") as file:
            assert musepack.seconds_8(file) == told
    with open(joined(tmp_path / "a.mpc", sv8(96_000, 48_000)), "rb") as file:
        assert musepack.seconds_8(file) == 1
    with open(joined(tmp_path / "a.mpc", sv8(96_000)[:12]), "rb") as file:
        assert musepack.seconds_8(file) == 0


@pytest.mark.parametrize("last", [0, 337, 796])
def test_an_old_musepack_ends_with_its_last_frame(tmp_path, last):
    """Frames are bits behind one another: their length in 20 bits, then so many.

    Where more samples count than the decoder's delay leaves of the last frame, one more follows.
    """
    lengths = [5, 700, 64, 333, 1]
    bits = "".join(f"{length:020b}" + "1" * length for length in lengths) + f"{last:011b}"
    bits += f"{170:020b}" + "1" * 170 if last == 796 else ""
    bits = "0" * 8 + bits + "0" * (-(len(bits) + 8) % 32)
    words = (int(bits[at : at + 32], 2) for at in range(0, len(bits), 32))
    frames = b"".join(struct.pack("<I", word) for word in words)
    whole = b"MP+\x17" + struct.pack("<I", len(lengths)) + bytes(16) + frames
    path = joined(tmp_path / "two.mpc", whole, whole.replace(b"\x17", b"\x07", 1))
    spans = [member.span for member in sounds(path)]
    assert spans == [(0, len(whole)), (len(whole), 2 * len(whole))]
    cut = joined(tmp_path / "cut.mpc", whole[:-60])
    assert (sounds(cut)[0].stated or 0) > len(whole) - 60
