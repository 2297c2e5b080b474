"""Writing: other readers see what was written, and the bytes depend on nothing else."""

from __future__ import annotations

import errno
import struct
import sys
import wave
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from mgrkit.audio import Writer, lsb, open_sound, quantise
from mgrkit.errors import AudioError, UsageError

SUBTYPES = ["PCM_16", "PCM_24", "FLOAT"]


def music(channels: int, frames: int = 10_001) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1.01, 1.01, (channels, frames)).astype(np.float32)


def write(path, samples, subtype, kind="wav", rate=44100):
    with Writer(path, rate, len(samples), subtype, kind) as writer:
        for start in range(0, samples.shape[1], 4000):
            writer.write(samples[:, start : start + 4000])
    return path


@pytest.mark.parametrize("channels", [1, 2, 3, 8])
@pytest.mark.parametrize(
    ("subtype", "kind"), [(s, "wav") for s in SUBTYPES] + [("PCM_16", "flac"), ("PCM_24", "flac")]
)
def test_round_trip(tmp_path, channels, subtype, kind):
    samples = quantise(music(channels), subtype)
    path = write(tmp_path / "x.tmp", samples, subtype, kind)
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.frames) == (44100, channels, 10_001)
    assert info.subtype == subtype
    scale = 1.0 if subtype == "FLOAT" else 1 / lsb(subtype)
    expected = samples / np.float32(scale)
    found = soundfile.read(path, dtype="float32", always_2d=True)[0].T
    np.testing.assert_array_equal(found, expected)
    with open_sound(path) as sound:
        np.testing.assert_array_equal(np.concatenate(list(sound.blocks()), 1), expected)
    with av.open(str(path)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == 10_001


@pytest.mark.parametrize("channels", [1, 2])
def test_the_standard_library_reads_16_bits(tmp_path, channels):
    samples = quantise(music(channels), "PCM_16")
    with wave.open(str(write(tmp_path / "x.wav", samples, "PCM_16"))) as file:
        assert file.getparams()[:4] == (channels, 2, 44100, 10_001)
        assert file.readframes(20_000) == samples.T.tobytes()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="wave reads WAVE_EXTENSIBLE since 3.12")
def test_the_standard_library_reads_24_bits(tmp_path):
    samples = quantise(music(2), "PCM_24")
    with wave.open(str(write(tmp_path / "x.wav", samples, "PCM_24"))) as file:
        assert file.getparams()[:4] == (2, 3, 44100, 10_001)


@pytest.mark.parametrize(
    ("channels", "subtype", "tag"),
    [
        (1, "PCM_16", 1),
        (2, "PCM_16", 1),
        (3, "PCM_16", 0xFFFE),
        (1, "PCM_24", 0xFFFE),
        (2, "FLOAT", 0xFFFE),
    ],
)
def test_format_tag_and_chunks(tmp_path, channels, subtype, tag):
    samples = quantise(music(channels, 3), subtype)
    content = write(tmp_path / "x.wav", samples, subtype).read_bytes()
    names, at = [], 12
    while at < len(content):
        name, size = struct.unpack("<4sI", content[at : at + 8])
        names.append(name.decode())
        if name == b"fmt ":
            assert struct.unpack("<H", content[at + 8 : at + 10]) == (tag,)
        if name == b"fact":
            assert struct.unpack("<I", content[at + 8 : at + 12]) == (3,)
        at += 8 + size + size % 2
    assert at == len(content)
    assert struct.unpack("<I", content[4:8])[0] == len(content) - 8
    # No PEAK chunk, which would hold the time of day.
    assert names == ["JUNK", "fmt ", *(["fact"] if subtype == "FLOAT" else []), "data"]


@pytest.mark.parametrize(
    ("subtype", "kind"), [("PCM_16", "wav"), ("FLOAT", "wav"), ("PCM_16", "flac")]
)
def test_the_bytes_do_not_depend_on_the_blocks(tmp_path, subtype, kind):
    samples = quantise(music(2), subtype)
    one = write(tmp_path / "1", samples, subtype, kind).read_bytes()
    with Writer(tmp_path / "2", 44100, 2, subtype, kind) as writer:
        writer.write(samples)
    assert (tmp_path / "2").read_bytes() == one


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_rf64_beyond_the_limit(tmp_path, monkeypatch, subtype):
    samples = quantise(music(1), subtype)
    plain = write(tmp_path / "plain.wav", samples, subtype).read_bytes()
    monkeypatch.setattr("mgrkit.audio.writing.RIFF_LIMIT", len(plain) - 8)
    assert write(tmp_path / "fits.wav", samples, subtype).read_bytes() == plain
    monkeypatch.setattr("mgrkit.audio.writing.RIFF_LIMIT", len(plain) - 9)
    path = write(tmp_path / "x.wav", samples, subtype)
    assert len(path.read_bytes()) == len(plain)
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.frames) == ("RF64", subtype, 10_001)
    expected = soundfile.read(tmp_path / "plain.wav", dtype="float32")[0]
    with open_sound(path) as sound:
        np.testing.assert_array_equal(np.concatenate(list(sound.blocks()), 1)[0], expected)
    path.write_bytes(path.read_bytes()[:10_000])
    with pytest.raises(AudioError, match="truncated"), open_sound(path) as sound:
        list(sound.blocks())


def test_a_file_of_no_samples_is_valid(tmp_path):
    write(tmp_path / "x.wav", np.zeros((2, 0), np.int16), "PCM_16")
    assert soundfile.info(tmp_path / "x.wav").frames == 0


def test_quantise_rounds_to_the_nearest_and_stays_in_range():
    for subtype, kind, top in (("PCM_16", np.int16, 2**15), ("PCM_24", np.int32, 2**23)):
        levels = np.array([[-2, -1, -1.5 / top, -0.4 / top, 0, 0.6 / top, 1, 2]], np.float32)
        found = quantise(levels, subtype)
        assert found.dtype == kind
        assert found.tolist() == [[-top, -top, -2, 0, 0, 1, top - 1, top - 1]]
        assert lsb(subtype) == 1 / top
    block = music(2)
    assert quantise(block, "FLOAT") is block
    assert lsb("FLOAT") == 0.0


def test_wrong_calls(tmp_path):
    with pytest.raises(UsageError, match="PCM_24"):
        Writer(tmp_path / "x", 44100, 1, "FLOAT", "flac")
    with pytest.raises(UsageError, match="one of PCM_16"):
        Writer(tmp_path / "x", 44100, 1, "PCM_8", "wav")
    with pytest.raises(UsageError, match="one of wav"):
        Writer(tmp_path / "x", 44100, 1, "PCM_16", "mp3")
    for rate, channels in ((44100, 9), (700_000, 1)):
        with pytest.raises(AudioError, match="no-flac"):
            Writer(tmp_path / "x", rate, channels, "PCM_16", "flac")
    assert not list(tmp_path.iterdir())
    for kind in ("wav", "flac"):
        with pytest.raises(FileNotFoundError):
            Writer(tmp_path / "no" / "x", 44100, 1, "PCM_16", kind)


def fail_while_writing(path, kind):
    with Writer(path, 44100, 1, "PCM_16", kind) as writer:
        writer.write(quantise(music(1), "PCM_16"))
        raise ZeroDivisionError


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_an_exception_goes_through(tmp_path, kind):
    with pytest.raises(ZeroDivisionError):
        fail_while_writing(tmp_path / "x", kind)
    if kind == "wav":  # the header was not made to fit
        assert struct.unpack("<I", (tmp_path / "x").read_bytes()[4:8])[0] == 72 + 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("kind", ["wav", "flac"])
@pytest.mark.parametrize("frames", [1000, 1_000_000])
def test_a_full_disk_is_an_os_error(kind, frames):
    with pytest.raises(OSError, match="No space left") as caught:
        write("/dev/full", quantise(music(1, frames), "PCM_16"), "PCM_16", kind)
    assert caught.value.errno == errno.ENOSPC
