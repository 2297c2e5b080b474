"""Each suffix that is taken for sound: a file of it is read, or its decoder is there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from mgrkit.audio import SUFFIXES, open_sound
from mgrkit.errors import AudioError
from tests.audio.encoded import tone

SNDFILE = {
    ".8svx": "SVX", ".afc": "AIFF", ".aif": "AIFF", ".aifc": "AIFF", ".aiff": "AIFF", ".au": "AU",
    ".avr": "AVR", ".bwf": "WAV", ".caf": "CAF", ".flac": "FLAC", ".ircam": "IRCAM", ".mp3": "MP3",
    ".nist": "NIST", ".oga": "OGG", ".ogg": "OGG", ".paf": "PAF", ".pvf": "PVF", ".rf64": "RF64",
    ".sf": "IRCAM", ".snd": "AU", ".sph": "NIST", ".svx": "SVX", ".voc": "VOC", ".w64": "W64",
    ".wav": "WAV", ".wave": "WAV",
}  # fmt: skip
"""What soundfile writes, by its name of the format."""

FFMPEG = {
    ".3g2": ("aac", "3g2"), ".3ga": ("aac", "3gp"), ".3gp": ("aac", "3gp"),
    ".3gpp": ("aac", "3gp"), ".aac": ("aac", "adts"), ".ac3": ("ac3", "ac3"),
    ".adts": ("aac", "adts"), ".alac": ("alac", "ipod"), ".asf": ("wmav2", "asf"),
    ".avi": ("mp2", "avi"), ".eac3": ("eac3", "eac3"), ".ec3": ("eac3", "eac3"),
    ".f4a": ("aac", "f4v"), ".f4b": ("aac", "f4v"), ".f4v": ("aac", "f4v"), ".flv": ("aac", "flv"),
    ".isma": ("aac", "ismv"), ".latm": ("aac", "latm"), ".loas": ("aac", "latm"),
    ".m2a": ("mp2", "mp2"), ".m2t": ("mp2", "mpegts"), ".m2ts": ("mp2", "mpegts"),
    ".m4a": ("alac", "ipod"), ".m4b": ("aac", "ipod"), ".m4p": ("aac", "ipod"),
    ".m4r": ("aac", "ipod"), ".m4v": ("aac", "mp4"), ".mka": ("flac", "matroska"),
    ".mkv": ("libopus", "matroska"), ".mov": ("alac", "mov"), ".mp2": ("mp2", "mp2"),
    ".mp4": ("aac", "mp4"), ".mpa": ("mp2", "mp2"), ".mpeg": ("mp2", "mpeg"),
    ".mpg": ("mp2", "mpeg"), ".mpga": ("libmp3lame", "mp3"), ".mts": ("ac3", "mpegts"),
    ".ogv": ("libopus", "ogg"), ".ogx": ("libopus", "ogg"), ".opus": ("libopus", "opus"),
    ".qt": ("alac", "mov"), ".ra": ("ac3", "rm"), ".rm": ("ac3", "rm"), ".rmvb": ("ac3", "rm"),
    ".tta": ("tta", "tta"), ".vob": ("ac3", "vob"), ".weba": ("libopus", "webm"),
    ".webm": ("libopus", "webm"), ".wma": ("wmav2", "asf"), ".wmv": ("wmav2", "asf"),
    ".wv": ("wavpack", "wv"),
}  # fmt: skip
"""What FFmpeg writes: codec and container."""

DECODED = {
    ".amr": ("amr", "amrnb"), ".ape": ("ape", "ape"), ".awb": ("amr", "amrwb"),
    ".dsf": ("dsf", "dsd_lsbf"), ".dts": ("dts", "dca"), ".gsm": ("gsm", "gsm"),
    ".mlp": ("mlp", "mlp"), ".mp+": ("mpc", "mpc7"), ".mpc": ("mpc8", "mpc8"),
    ".mpp": ("mpc", "mpc7"), ".spx": ("ogg", "speex"), ".tak": ("tak", "tak"),
    ".thd": ("truehd", "truehd"),
}  # fmt: skip
"""What no library here writes: format and decoder."""

PROGRAM = {
    ".amr": ("libopencore_amrnb", 8000, 1), ".dts": ("dca", 44_100, 2), ".gsm": ("libgsm", 8000, 1),
    ".mlp": ("mlp", 48_000, 2), ".ra": ("real_144", 8000, 1), ".spx": ("libspeex", 16_000, 1),
    ".thd": ("truehd", 48_000, 2),
}  # fmt: skip
"""What the program ffmpeg writes, where it is built so: encoder, rate and channels."""

FFMPEG_PROGRAM = shutil.which("ffmpeg")
ELSEWHERE = {".dff", ".mp1"}
"""Made byte by byte in test_audio_reading."""


NAMED = {".ts": ("mp2", "mpegts")}
"""Read where a file is named, not looked for in folders: most of them are TypeScript."""


def test_each_suffix_is_tried_here() -> None:
    assert {*SNDFILE, *FFMPEG, *DECODED, *ELSEWHERE} == SUFFIXES
    assert not {*NAMED} & SUFFIXES


def seconds(path: Path) -> float:
    with open_sound(path) as sound:
        return sum(block.shape[1] for block in sound.blocks()) / sound.rate


@pytest.mark.parametrize("suffix", SNDFILE)
def test_what_libsndfile_writes_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    soundfile.write(path, tone(1.0)[0], 22_050, format=SNDFILE[suffix])
    assert seconds(path) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("suffix", [*FFMPEG, *NAMED])
def test_what_ffmpeg_writes_is_read(tmp_path: Path, suffix: str) -> None:
    codec, kind = {**FFMPEG, **NAMED}[suffix]
    path = tmp_path / f"a{suffix}"
    rate = 48_000 if codec == "libopus" else 44_100
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo")
        stream.bit_rate = 128_000
        form = stream.codec_context.codec.audio_formats[0]
        stream.codec_context.format = form
        whole = np.ascontiguousarray(tone(1.0, rate, 2))
        resampler = av.AudioResampler(form, "stereo", rate)
        for start in range(0, rate, 4096):
            part = np.ascontiguousarray(whole[:, start : start + 4096])
            frame = av.AudioFrame.from_ndarray(part, "fltp", "stereo")
            frame.sample_rate, frame.pts = rate, start
            for made in resampler.resample(frame):
                container.mux(stream.encode(made))
        container.mux(stream.encode(None))
    assert seconds(path) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("suffix", DECODED)
def test_what_nothing_here_writes_has_its_decoder(suffix: str) -> None:
    form, codec = DECODED[suffix]
    assert form in {name for names in av.formats_available for name in names.split(",")}
    assert av.codec.Codec(codec, "r").type == "audio"


@pytest.fixture(scope="module")
def built() -> str:
    """The encoders of the program ffmpeg; none where it is not installed."""
    if not FFMPEG_PROGRAM:
        return ""
    words = [FFMPEG_PROGRAM, "-hide_banner", "-encoders"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def by_program(path: Path, built: str) -> Path:
    """A tone of 3 s that the program ffmpeg has written."""
    codec, rate, channels = PROGRAM[path.suffix]
    if not FFMPEG_PROGRAM or f" {codec} " not in built:
        pytest.skip(f"there is no ffmpeg here that writes {codec}")
    wave = path.with_name("wave.wav")
    soundfile.write(wave, tone(3.0)[0], 22_050)
    kind = {".ra": "rm", ".spx": "ogg", ".thd": "truehd"}.get(path.suffix, path.suffix[1:])
    words = [FFMPEG_PROGRAM, "-v", "error", "-i", str(wave), "-c:a", codec, "-strict", "-2"]
    words += ["-ar", str(rate), "-ac", str(channels), "-f", kind, str(path)]
    subprocess.run(words, check=True)
    return path


@pytest.mark.parametrize("suffix", PROGRAM)
def test_what_the_program_ffmpeg_writes_is_read(tmp_path: Path, built: str, suffix: str) -> None:
    path = by_program(tmp_path / f"a{suffix}", built)
    assert seconds(path) == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize("suffix", [".mlp", ".thd"])
def test_a_hole_in_frames_of_mlp_is_seen(tmp_path: Path, built: str, suffix: str) -> None:
    raw = by_program(tmp_path / f"a{suffix}", built).read_bytes()
    at, size = len(raw) // 2, len(raw) // 5
    noise = np.random.default_rng(0).bytes(size)
    (tmp_path / f"b{suffix}").write_bytes(raw[:at] + noise + raw[at + size :])
    with pytest.raises(AudioError, match=r"unread-rest|damaged"):
        seconds(tmp_path / f"b{suffix}")


def test_a_realmedia_that_is_cut_is_not_taken_for_a_short_one(tmp_path: Path) -> None:
    test_what_ffmpeg_writes_is_read(tmp_path, ".rm")
    path = tmp_path / "a.rm"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match=r"truncated: the header promises 1.0"):
        seconds(path)


def test_gsm_is_known_by_the_mark_of_each_frame(tmp_path: Path) -> None:
    """FFmpeg's decoder makes noise of any bytes in a file of this name."""
    path = tmp_path / "a.gsm"
    frames = [b"\xd2" + np.random.default_rng(n).bytes(32) for n in range(100)]
    path.write_bytes(b"".join(frames))
    assert seconds(path) == 2.0
    path.write_bytes(b"".join(frames[:50]) + b"text" * 33 * 4 + b"".join(frames[66:]))
    with pytest.raises(AudioError, match=r"unread-rest: 1.68 s were decoded"):
        seconds(path)
    path.write_bytes(b"words" * 33 * 20)
    with pytest.raises(AudioError, match="not-audio: this begins with no frame of GSM"):
        seconds(path)
