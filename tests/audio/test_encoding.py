"""Compressed files: as long as the sound, in its place, the same bytes, with tags."""

from __future__ import annotations

import re
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from mgrkit.audio import Resampler, open_sound
from mgrkit.audio.encoding import FORMATS, OPUS_RATE, RATES, Encoder
from mgrkit.audio.tags.every import NAMES, every_tag
from mgrkit.audio.writing import INFO
from mgrkit.errors import AudioError
from tests.audio.encoded import tone

RATE = 44_100
TAGS = {
    "title": "Tïtle", "artist": "Björk", "album": "Album", "album_artist": "All", "composer": "C",
    "genre": "Rock", "date": "1999", "track": "3/9", "disc": "1/2", "comment": "héllo",
    "copyright": "CC BY",
}  # fmt: skip


def encode(path: Path, samples: np.ndarray, rate: int = RATE, cut: int = 5000, **more) -> Encoder:
    with Encoder(path, path.suffix[1:], rate, len(samples), **more) as encoder:
        for at in range(0, samples.shape[1], cut):
            encoder.write(samples[:, at : at + cut])
    return encoder


def decode(path: Path) -> tuple[np.ndarray, int]:
    with open_sound(path) as sound:
        decoded = np.concatenate(list(sound.blocks()), 1)
        assert sound.warning == ""
    return decoded, sound.rate


def clicks(frames: int, rate: int) -> np.ndarray:
    """A soft tone with a loud click, of one sample at the start, the middle and near the end."""
    sound = 0.05 * tone(frames / rate, rate, 2)[:, :frames]
    for at in (100, frames // 2, frames - 100):
        sound[:, at] += 0.8
    return sound


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("frames", [44_100, 44_101, 46_079, 50_000])
def test_nothing_is_shifted_or_longer(tmp_path: Path, name: str, frames: int) -> None:
    """What an encoder puts around the sound is taken off; only AAC's last frame is filled up."""
    rate = OPUS_RATE if name == "opus" else RATE
    sound = clicks(frames, rate)
    encode(tmp_path / f"a.{name}", sound, rate, kbits=256 if name in ("mp3", "m4a") else 0)
    found, rate_found = decode(tmp_path / f"a.{name}")
    assert rate_found == rate
    extra = found.shape[1] - frames
    assert 0 <= extra < 1024 if name == "m4a" else extra == 0
    for at in (100, frames // 2, frames - 100):
        near = np.abs(found[0, max(0, at - 600) : at + 600])
        assert max(0, at - 600) + np.argmax(near) == at


@pytest.mark.parametrize("name", ["wav", "flac"])
def test_what_loses_nothing_loses_nothing(tmp_path: Path, name: str) -> None:
    sound = tone(1.3, RATE, 2)
    encode(tmp_path / f"a.{name}", sound, subtype="PCM_24", tags=TAGS)
    assert np.abs(decode(tmp_path / f"a.{name}")[0] - sound).max() <= 2**-24


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_bytes_however_the_sound_is_cut(tmp_path: Path, name: str) -> None:
    rate = OPUS_RATE if name == "opus" else RATE
    for part, cut in (("a", 5000), ("b", 5000), ("c", 333)):
        (tmp_path / part).mkdir()
        encode(tmp_path / part / f"x.{name}", tone(1.0, rate, 1), rate, cut, tags=TAGS)
    first = (tmp_path / "a" / f"x.{name}").read_bytes()
    assert (tmp_path / "b" / f"x.{name}").read_bytes() == first
    if name != "ogg":  # libvorbis feels the blocks
        assert (tmp_path / "c" / f"x.{name}").read_bytes() == first
    assert [path.name for path in (tmp_path / "a").iterdir()] == [f"x.{name}"]


@pytest.mark.parametrize("name", FORMATS)
def test_tags_come_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"a.{name}"
    encode(path, tone(1.0, OPUS_RATE, 1), OPUS_RATE, tags=TAGS)
    kept = {k: v for k, v in TAGS.items() if name != "wav" or k in INFO}
    if name == "wav":
        kept["track"] = "3"
    found = every_tag(path)
    assert found == kept
    assert tuple(TAGS) == NAMES
    without = tmp_path / f"b.{name}"
    encode(without, tone(1.0, OPUS_RATE, 1), OPUS_RATE)
    assert every_tag(without) == {}
    assert np.array_equal(decode(path)[0], decode(without)[0])


@pytest.mark.parametrize(
    ("name", "rate", "channels", "what", "cure"),
    [
        ("mp3", 96_000, 2, "sound at 96000 Hz", "--rate 48000"),
        ("mp3", 44_100, 3, "3 channels", "--channels 1"),
        ("m4a", 44_000, 1, "sound at 44000 Hz", "--rate 44100"),
        ("m4a", 7777, 8, "sound at 7777 Hz or 8 channels", "--rate 8000 --channels 1"),
        ("opus", 44_100, 2, "sound at 44100 Hz", "--rate 48000"),
        ("opus", 48_000, 8, "8 channels", "--channels 1"),
        ("ogg", 768_000, 1, "sound at 768000 Hz", "--rate 200000"),
        ("ogg", 44_100, 3, "3 channels", "--channels 1"),
        ("flac", 44_100, 9, "9 channels", "--channels 1"),
        ("flac", 700_000, 1, "sound at 700000 Hz", "--rate 655350"),
    ],
)
def test_what_a_format_cannot_hold_and_how_it_can(
    tmp_path: Path, name: str, rate: int, channels: int, what: str, cure: str
) -> None:
    path = tmp_path / f"a.{name}"
    with pytest.raises(AudioError, match=f"{name} cannot hold {what} \\(") as caught:
        encode(path, np.zeros((channels, 100), np.float32), rate)
    assert caught.value.hint == cure
    assert not any(tmp_path.iterdir())
    words = dict(re.findall(r"--(\w+) (\d+)", cure))
    rate, channels = int(words.get("rate", rate)), int(words.get("channels", channels))
    encode(path, np.zeros((channels, 100), np.float32), rate)
    assert decode(path)[1] == rate


def test_rates_are_those_of_the_encoders() -> None:
    for name, encoder in (("mp3", "libmp3lame"), ("m4a", "aac")):
        assert sorted(av.Codec(encoder, "w").audio_rates) == sorted(RATES[name])


@pytest.mark.parametrize(
    ("name", "rate", "channels", "least", "most"),
    [
        ("mp3", 8000, 1, 8, 64), ("mp3", 22_050, 2, 8, 160), ("mp3", 32_000, 1, 32, 320),
        ("opus", OPUS_RATE, 1, 1, 256), ("opus", OPUS_RATE, 2, 1, 512), ("m4a", 8000, 1, 1, 48),
        ("m4a", RATE, 2, 1, 529),
    ],
)  # fmt: skip
def test_bit_rates_that_an_encoder_would_change_are_refused(
    tmp_path: Path, name: str, rate: int, channels: int, least: int, most: int
) -> None:
    path = tmp_path / f"a.{name}"
    sound = np.random.default_rng(0).normal(0, 0.1, (channels, 3 * rate)).astype(np.float32)
    for kbits, cure in ((most + 1, most), *([(least - 1, least)] if least > 1 else [])):
        message = f"{name} at {rate} Hz in .* has {least} to {most} kbit/s, not {kbits}"
        with pytest.raises(AudioError, match=message) as caught:
            encode(path, sound, rate, kbits=kbits)
        assert caught.value.hint == f"--bit-rate {cure}"
    for kbits in (least, most) if name == "mp3" else ():
        encode(path, sound, rate, kbits=kbits)
        assert path.stat().st_size * 8 / 3000 == pytest.approx(kbits, rel=0.15), kbits
    encode(path, sound, rate)  # the usual one, or the most


def test_what_is_beyond_full_scale_is_counted_where_it_is_cut_off(tmp_path: Path) -> None:
    sound = tone(1.0, RATE, 2)
    sound[1, 500:507] = -1.01
    sound[0, 100] = 1
    for name, more, count in (
        ("wav", {}, 7), ("flac", {"subtype": "PCM_24"}, 7), ("wav", {"subtype": "FLOAT"}, 0),
        ("mp3", {}, 0),
    ):  # fmt: skip
        assert encode(tmp_path / f"a.{name}", sound, **more).beyond == count


def test_bit_rate_and_quality_count(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 3 * RATE)).astype(np.float32)
    for name, rate in (("mp3", RATE), ("m4a", RATE), ("opus", OPUS_RATE)):
        sizes = []
        for kbits in (64, 128):
            encode(tmp_path / f"a.{name}", sound, rate, kbits=kbits)
            sizes.append((tmp_path / f"a.{name}").stat().st_size)
        assert sizes[1] / sizes[0] == pytest.approx(2, abs=0.3), name
    sizes = []
    for quality in (0, 5, 10):
        encode(tmp_path / "a.ogg", sound, quality=quality)
        sizes.append((tmp_path / "a.ogg").stat().st_size)
    assert sizes[0] < 0.7 * sizes[1] < 0.5 * sizes[2]


@pytest.mark.parametrize("name", FORMATS)
def test_an_error_on_the_way_gets_through(tmp_path: Path, name: str) -> None:
    def torn() -> None:
        with Encoder(tmp_path / f"a.{name}", name, OPUS_RATE, 1) as encoder:
            encoder.write(tone(0.5, OPUS_RATE, 1))
            raise KeyError

    with pytest.raises(KeyError):
        torn()
    with pytest.raises(OSError, match="No such file"):
        encode(tmp_path / "none" / f"a.{name}", tone(0.5, OPUS_RATE, 1), OPUS_RATE)


def test_an_ogg_with_more_tags_than_a_page_holds(tmp_path: Path) -> None:
    tags = {"title": "T", "comment": "x" * 200_000}
    encode(tmp_path / "long.ogg", tone(1, RATE), tags=tags)
    encode(tmp_path / "short.ogg", tone(1, RATE))
    assert every_tag(tmp_path / "long.ogg") == tags
    assert np.array_equal(decode(tmp_path / "long.ogg")[0], decode(tmp_path / "short.ogg")[0])
    pages = re.findall(rb"OggS\0(.)(.{8})(....)(....)", (tmp_path / "long.ogg").read_bytes(), re.S)
    places = [int.from_bytes(place, "little", signed=True) for _, place, _, _ in pages]
    assert places[:3] == [0, -1, -1], "no packet ends in the pages that a long one fills"
    assert places[-1] == RATE
    assert {serial for _, _, serial, _ in pages} == {bytes(4)}
    assert [int.from_bytes(n, "little") for *_, n in pages] == list(range(len(pages)))
    counts = set()
    for name in ("long.ogg", "short.ogg"):
        with av.open(str(tmp_path / name)) as container:  # which checks the checksums
            counts.add(sum(frame.samples for frame in container.decode(audio=0)))
    assert len(counts) == 1
    for name in ("long.ogg", "short.ogg"):
        info = soundfile.info(str(tmp_path / name))
        assert (info.frames, info.samplerate, info.channels) == (RATE, RATE, 1)


def test_tags_of_real_files(data: Path) -> None:
    two = {"artist": "Art A", "genre": "Rock; Pop"}
    assert every_tag(data / "cases" / "two_artists.ogg") == two
    assert every_tag(data / "cases" / "id3v1_latin1.mp3")["artist"] == "Björnar"
    assert every_tag(data / "fma" / "clips" / "000010.mp3")["title"] == "Freeway"
    assert every_tag(data / "songs" / "vibe_ace.ogg")["album_artist"] == "Kevin MacLeod"
    assert every_tag(data / "songs" / "templeos_20s.wma")["album"] == "Summer"
    for path in (data / "hostile").iterdir():
        every_tag(path)


def test_resampled_sound_is_as_long_as_it_must_be(tmp_path: Path) -> None:
    sound, resampler = tone(1.37, RATE, 2), Resampler(RATE, OPUS_RATE)
    made = np.concatenate([resampler.push(sound), resampler.push(sound[:, :0], last=True)], 1)
    assert made.shape[1] == round(sound.shape[1] * OPUS_RATE / RATE)
