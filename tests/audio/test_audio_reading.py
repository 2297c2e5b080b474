"""Reading: the same samples as the decoders give in one go, each failure under its name."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tracemalloc
import wave
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from mgrkit.audio import SUFFIXES, check_audible, mono, open_sound, sndfile
from mgrkit.audio.reading import BLOCK_FRAMES
from mgrkit.errors import AudioError
from tests.audio.encoded import dsdiff, encode, encode_picture, tone


def read(path: Path | str) -> tuple[int, np.ndarray]:
    with open_sound(path) as sound:
        blocks = list(sound.blocks())
        for block in blocks:
            assert block.dtype == np.float32
            assert block.flags.c_contiguous
            assert len(block) == sound.channels
        return sound.rate, np.concatenate(blocks, axis=1)


def reason(path: Path | str) -> str:
    with pytest.raises(AudioError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) not in message
    assert "Libsndfile" not in message
    assert "regular file" not in message or not Path(path).is_file()
    return caught.value.reason


def cut(source: Path, target: Path, share: float = 0.6) -> Path:
    content = source.read_bytes()
    target.write_bytes(content[: int(len(content) * share)])
    return target


def in_one_go_soundfile(path: Path) -> tuple[int, np.ndarray]:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return rate, samples.T


def in_one_go_av(path: Path) -> tuple[int, np.ndarray]:
    with av.open(str(path)) as container:
        to_planar = av.AudioResampler(format="fltp")
        frames = [f for frame in container.decode(audio=0) for f in to_planar.resample(frame)]
        return frames[0].sample_rate, np.concatenate([f.to_ndarray() for f in frames], axis=1)


SONGS = [
    ("flac_44k_stereo.flac", in_one_go_soundfile),
    ("flac_8_channels_7.1.flac", in_one_go_soundfile),
    ("hungarian_dance_5.ogg", in_one_go_soundfile),
    ("templeos_20s.wma", in_one_go_av),
    ("templeos_30s.aac", in_one_go_av),
    ("templeos_30s.m4a", in_one_go_av),
    ("templeos_30s.opus", in_one_go_soundfile),
    ("templeos_4s_48k_24bit.wav", in_one_go_soundfile),
    ("templeos_5s.aiff", in_one_go_soundfile),
]


@pytest.mark.parametrize(("name", "in_one_go"), SONGS)
def test_songs_read_as_in_one_go(data, name, in_one_go):
    rate, expected = in_one_go(data / "songs" / name)
    assert read(data / "songs" / name)[0] == rate
    np.testing.assert_array_equal(read(data / "songs" / name)[1], expected)


def test_opus_begins_without_the_delay_of_its_encoder(tmp_path: Path) -> None:
    path = tmp_path / "a.opus"
    samples = tone(seconds=2, rate=48_000, channels=2)
    encode(path, samples, 48_000, "libopus", "ogg")
    found = read(path)[1]
    assert found.shape == samples.shape
    np.testing.assert_allclose(found[:, 2000:-2000], samples[:, 2000:-2000], atol=0.05)
    np.testing.assert_array_equal(found, in_one_go_soundfile(path)[1])


@pytest.mark.parametrize("good", [0, 1000, 123_456])
def test_ffmpeg_reads_the_rest_of_an_opus_file_that_libsndfile_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: int
) -> None:
    """As libsndfile 1.2.2 does with a quarter of what FFmpeg 9.0.2 encodes."""
    path = tmp_path / "a.opus"
    encode(path, tone(seconds=4, rate=48_000, channels=2), 48_000, "libopus", "ogg")
    whole = read(path)[1]
    ask = sndfile._Forward.buffer_read_into
    read_so_far: dict[int, int] = {}
    given_up = []

    def gives_up(self, buffer, dtype):
        read_so_far[id(self)] = read_so_far.get(id(self), 0) + len(buffer)
        if read_so_far[id(self)] > good:
            given_up.append(read_so_far.pop(id(self)))
            raise RuntimeError("Supported file format but file is malformed.")
        return ask(self, buffer, dtype)

    monkeypatch.setattr(sndfile._Forward, "buffer_read_into", gives_up)
    found = read(path)[1]
    assert given_up
    assert found.shape == whole.shape
    np.testing.assert_allclose(found, whole, atol=1e-6)


@pytest.mark.parametrize("name", ["000010.mp3", "000667.mp3"])
def test_mp3_clips_read_as_in_one_go(data, name):
    path = data / "fma" / "clips" / name
    rate, expected = in_one_go_soundfile(path)
    assert read(path)[0] == rate
    np.testing.assert_array_equal(read(path)[1], expected)


@pytest.mark.parametrize(
    ("suffix", "kind", "subtype"),
    [
        (".wav", "WAV", "PCM_16"),
        (".wav", "WAV", "PCM_U8"),
        (".wav", "WAV", "PCM_24"),
        (".wav", "WAV", "FLOAT"),
        (".wav", "RF64", "PCM_16"),
        (".au", "AU", "PCM_S8"),
        (".snd", "AU", "PCM_16"),
        (".aif", "AIFF", "PCM_16"),
        (".aifc", "AIFF", "ULAW"),
        (".flac", "FLAC", "PCM_16"),
        (".flac", "FLAC", "PCM_S8"),
        (".oga", "OGG", "VORBIS"),
        (".voc", "VOC", "PCM_16"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_integers_are_scaled_as_libsndfile_scales_them(tmp_path, suffix, kind, subtype, channels):
    path = tmp_path / f"x{suffix}"
    soundfile.write(path, tone(2.0, channels=channels).T, 22050, subtype, format=kind)
    assert suffix in SUFFIXES
    np.testing.assert_array_equal(read(path)[1], in_one_go_soundfile(path)[1])


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mp4", "aac"),
        (".mov", "aac"),
        (".mkv", "aac"),
        (".webm", "libopus"),
        (".m4v", "aac"),
        (".flv", "aac"),
        (".m2ts", "aac"),
        (".mpg", "mp2"),
        (".mpeg", "mp2"),
        (".vob", "ac3"),
        (".ogx", "libopus"),
        (".avi", "pcm_s24le"),
        (".mkv", "pcm_u8"),
        (".mkv", "pcm_s24le"),
        (".mkv", "pcm_f64le"),
    ],
)
def test_containers_of_films(tmp_path, suffix, codec):
    path, samples = tmp_path / f"x{suffix}", tone(1.0, 48000, 2)
    # What FFmpeg itself takes for films alone, or by another name.
    kinds = {".m2ts": "mpegts", ".m4v": "mp4", ".ogx": "ogg", ".vob": "vob"}
    encode(path, samples, 44100 if suffix == ".flv" else 48000, codec, kinds.get(suffix))
    rate, found = read(path)
    assert (rate, len(found)) == (44100 if suffix == ".flv" else 48000, 2)
    assert found.shape[1] == pytest.approx(samples.shape[1], abs=4096)
    assert suffix in SUFFIXES
    np.testing.assert_array_equal(found, in_one_go_av(path)[1])
    if codec.startswith("pcm"):
        np.testing.assert_allclose(found, samples, atol=1 / 100 if codec == "pcm_u8" else 1e-6)


def test_dsdiff_beside_dsf(tmp_path):
    dsdiff(tmp_path / "x.dff", seconds=0.5)
    rate, found = read(tmp_path / "x.dff")
    assert ".dff" in SUFFIXES
    assert (rate, found.shape) == (352_800, (1, 176_400))


def test_layer_1_beside_layers_2_and_3(tmp_path):
    # 384 kbit/s, 44.1 kHz, mono: 15 bits for each of 12 values of the lowest of 32 bands
    head = bytes([0xFF, 0xFF, 0xC0, 0xC0, 0xE0, *[0] * 15, 0x40])
    values = np.random.default_rng(0)
    (tmp_path / "x.mp1").write_bytes(b"".join(head + values.bytes(395) for _ in range(200)))
    rate, found = read(tmp_path / "x.mp1")
    assert ".mp1" in SUFFIXES
    assert (rate, found.shape) == (44_100, (1, 200 * 384))
    np.testing.assert_allclose(found, in_one_go_av(tmp_path / "x.mp1")[1], atol=1e-4)


def test_a_wrong_suffix_does_not_matter(tmp_path):
    for suffix in (".m4a", ".mp3", ".bin", ".raw", ""):
        path = tmp_path / f"x{suffix}"
        soundfile.write(path, tone()[0], 22050, "PCM_16", format="WAV")
        assert read(path)[1].shape == (1, 22050)


@pytest.mark.parametrize("name", ["concat:x.wav", "-x.wav", "é 'q\" .wav", b"\xff\xfe.wav"])
@pytest.mark.parametrize("decoder", ["sndfile", "ffmpeg"])
def test_odd_names(tmp_path, monkeypatch, name, decoder):
    monkeypatch.chdir(tmp_path)
    path = os.fsdecode(name)
    if decoder == "sndfile":
        soundfile.write("plain", tone()[0], 22050, "PCM_16", format="WAV")
    else:
        encode(Path("plain"), tone(), 22050, "aac", "ipod")
    Path("plain").rename(path)
    assert read(path)[1].shape[1] >= 22050


def test_each_pass_gives_the_same_samples(data):
    for path in (data / "fma/clips/000010.mp3", data / "songs/templeos_20s.wma"):
        with open_sound(path) as sound:
            first = next(sound.blocks(frames=1000))  # a pass left early
            passes = [np.concatenate(list(sound.blocks(frames=n)), 1) for n in (65536, 10_000)]
        assert first.shape == (2, 1000)
        np.testing.assert_array_equal(first, passes[0][:, :1000])
        np.testing.assert_array_equal(*passes)


def test_heard_is_told_after_every_block(tmp_path):
    soundfile.write(tmp_path / "x.wav", tone()[0], 22050)
    heard: list[float] = []
    with open_sound(tmp_path / "x.wav", heard.append) as sound:
        assert [block.shape[1] for block in sound.blocks(frames=11025)] == [11025, 11025]
    assert heard == [0.5, 1.0]


def test_missing_unreadable_empty_and_no_file(tmp_path, monkeypatch):
    assert reason(tmp_path / "x.wav") == "missing"
    assert reason(tmp_path) == "not-audio"
    os.mkfifo(tmp_path / "pipe.wav")
    assert reason(tmp_path / "pipe.wav") == "not-audio"
    (tmp_path / "x.wav").touch()
    assert reason(tmp_path / "x.wav") == "empty"

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("mgrkit.audio.probe.open", refuse, raising=False)  # root may read all
    assert reason(tmp_path / "x.wav") == "unreadable"


@pytest.mark.parametrize("suffix", [".wav", ".au", ".snd", ".mp3", ".raw", ".gsm", ".m4a"])
def test_text_is_not_sound(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1234567\n")
    assert reason(path) == "lfs-pointer"
    path.write_text("Dear diary, today I heard a song.\n" * 100)
    assert reason(path) == "not-audio"


def test_a_playlist_is_not_followed(tmp_path):
    encode(tmp_path / "x.aac", tone(), 22050, "aac", "adts")
    (tmp_path / "x.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nx.aac\n")
    assert reason(tmp_path / "x.mp4") == "not-audio"


def test_a_film_without_sound(tmp_path):
    encode_picture(tmp_path / "x.mp4")
    with pytest.raises(AudioError, match="no sound in this file"):
        open_sound(tmp_path / "x.mp4")


def test_no_samples_and_one(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros(0), 22050)
    assert reason(tmp_path / "x.wav") == "no-samples"
    soundfile.write(tmp_path / "x.wav", np.full(1, 0.5), 22050)
    assert read(tmp_path / "x.wav")[1].tolist() == [[0.5]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("suffix", [".wav", ".mkv"])
def test_non_finite(tmp_path, bad, suffix):
    samples = tone(4.0)
    samples[0, 50_000] = bad
    if suffix == ".wav":
        soundfile.write(tmp_path / "x.wav", samples[0], 22050, "FLOAT")
    else:
        encode(tmp_path / "x.mkv", samples, 22050, "pcm_f32le")
    assert reason(tmp_path / f"x{suffix}") == "non-finite"


def test_channels_change(tmp_path):
    for channels in (1, 2):
        encode(tmp_path / f"{channels}.aac", tone(channels=channels), 22050, "aac", "adts")
    joined = (tmp_path / "1.aac").read_bytes() + (tmp_path / "2.aac").read_bytes()
    (tmp_path / "x.aac").write_bytes(joined)
    assert reason(tmp_path / "x.aac") == "channels-change"


@pytest.mark.parametrize(("rate", "bad"), [(999, True), (1000, False), (768_000, False)])
def test_bad_rate(tmp_path, rate, bad):
    soundfile.write(tmp_path / "x.wav", tone()[0], rate)
    if bad:
        assert reason(tmp_path / "x.wav") == "bad-rate"
    else:
        assert read(tmp_path / "x.wav")[0] == rate
    soundfile.write(tmp_path / "y.wav", tone()[0], 768_001)
    assert reason(tmp_path / "y.wav") == "bad-rate"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("songs/templeos_5s.aiff", "truncated"),
        ("songs/templeos_4s_48k_24bit.wav", "truncated"),
        ("songs/hungarian_dance_5.ogg", "truncated"),
        ("songs/templeos_30s.opus", "truncated"),
        ("songs/templeos_20s.wma", "damaged"),
        ("songs/templeos_30s.m4a", "not-audio"),
        ("fma/clips/000010.mp3", "truncated"),
        ("gtzan/clips/blues.00006.flac", "damaged"),
    ],
)
def test_cut_files(data, tmp_path, name, expected):
    assert reason(cut(data / name, tmp_path / Path(name).name)) == expected


def test_cut_container_of_films(tmp_path):
    encode(tmp_path / "x.mkv", tone(5.0), 22050, "pcm_s16le")
    assert reason(cut(tmp_path / "x.mkv", tmp_path / "y.mkv")) == "truncated"


@pytest.mark.parametrize(("suffix", "kind"), [(".au", "AU"), (".wav", "RF64"), (".wav", "WAVEX")])
def test_cut_headers_with_a_size(tmp_path, suffix, kind):
    soundfile.write(tmp_path / "x", tone()[0], 22050, "PCM_16", format=kind)
    assert reason(cut(tmp_path / "x", tmp_path / f"y{suffix}")) == "truncated"


def test_a_shortfall_of_a_tenth_of_a_second_is_let_pass(tmp_path):
    soundfile.write(tmp_path / "x.wav", tone()[0], 22050)
    content = (tmp_path / "x.wav").read_bytes()
    (tmp_path / "y.wav").write_bytes(content[: -2 * 2205 + 100])
    assert read(tmp_path / "y.wav")[1].shape[1] == 22050 - 2205 + 50
    (tmp_path / "y.wav").write_bytes(content[: -2 * 2205 - 100])
    assert reason(tmp_path / "y.wav") == "truncated"


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
@pytest.mark.parametrize("whole", [8, 0x7FFFF024, 0xFFFFFFFF])
def test_streamed_wav_whose_size_was_never_filled_in(tmp_path, size, whole):
    soundfile.write(tmp_path / "x.wav", tone()[0], 22050, "PCM_16")
    content = bytearray((tmp_path / "x.wav").read_bytes())
    content[4:8] = struct.pack("<I", whole)
    content[40:44] = struct.pack("<I", size)
    (tmp_path / "x.wav").write_bytes(content)
    assert read(tmp_path / "x.wav")[1].shape == (1, 22050)


def test_streamed_flac_without_a_length(tmp_path):
    soundfile.write(tmp_path / "x.flac", tone()[0], 22050)
    content = bytearray((tmp_path / "x.flac").read_bytes())
    content[21] &= 0xF0  # STREAMINFO: 36 bits of length
    content[22:26] = bytes(4)
    (tmp_path / "x.flac").write_bytes(content)
    np.testing.assert_array_equal(
        read(tmp_path / "x.flac")[1], np.rint(tone() * 32768).astype(np.float32) / 32768
    )


def test_damage_on_the_way(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.1, 4 * BLOCK_FRAMES)
    soundfile.write(tmp_path / "x.flac", noise, 22050)
    content = bytearray((tmp_path / "x.flac").read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    (tmp_path / "x.flac").write_bytes(content)
    with pytest.raises(AudioError, match=r"damaged: the decoder fails after \d+\.\d+ s"):
        read(tmp_path / "x.flac")


def test_mono_adds_the_channels_and_divides():
    for channels in (1, 2, 3, 8):
        block = tone(0.1, channels=channels)
        before = block.copy()
        np.testing.assert_allclose(mono(block), block.mean(axis=0), atol=1e-7)
        np.testing.assert_array_equal(block, before)


def test_silence_lies_below_minus_90_dbfs_whatever_the_offset():
    check_audible(-(2**-14), 2**-14)
    check_audible(0.5, 0.5 + 2**-13)
    for lowest, highest in ((0.0, 0.0), (-(2**-15), 2**-15), (1.0, 1.0)):
        with pytest.raises(AudioError, match="silent"):
            check_audible(lowest, highest)


def test_memory_does_not_grow_with_the_length(tmp_path):
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        for _ in range(20):
            file.writeframes(bytes(60 * 8000 * 4))
    tracemalloc.start()
    with open_sound(tmp_path / "x.wav") as sound:
        frames = sum(block.shape[1] for block in sound.blocks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frames == 20 * 60 * 8000
    assert peak < 3 * 8 * BLOCK_FRAMES, "a few blocks, of 77 MB"


def test_many_channels_do_not_make_large_blocks(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.full((20_000, 500), 0.1), 8000, "PCM_16")
    with open_sound(tmp_path / "x.wav") as sound:
        assert max(block.nbytes for block in sound.blocks()) < 20e6


def test_importing_the_package_imports_no_heavy_library():
    code = (
        "import sys, mgrkit.audio; mgrkit.audio.SUFFIXES;"
        "print({'numpy', 'soundfile', 'av', 'soxr'} & set(sys.modules));"
        "mgrkit.audio.open_sound; print({'av', 'soxr'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\nset()\n"
