"""Each suffix that is taken for sound: a file of it is read, or its decoder is there."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from mgrkit.audio import SUFFIXES, open_sound
from tests.audio.encoded import tone

SNDFILE = {
    ".8svx": "SVX", ".afc": "AIFF", ".aif": "AIFF", ".aifc": "AIFF", ".aiff": "AIFF", ".au": "AU",
    ".avr": "AVR", ".caf": "CAF", ".flac": "FLAC", ".ircam": "IRCAM", ".mp3": "MP3",
    ".nist": "NIST", ".oga": "OGG", ".ogg": "OGG", ".paf": "PAF", ".pvf": "PVF", ".rf64": "RF64",
    ".sf": "IRCAM", ".snd": "AU", ".sph": "NIST", ".svx": "SVX", ".voc": "VOC", ".w64": "W64",
    ".wav": "WAV", ".wave": "WAV",
}  # fmt: skip
"""What soundfile writes, by its name of the format."""

FFMPEG = {
    ".3g2": ("aac", "3g2"), ".3gp": ("aac", "3gp"), ".3gpp": ("aac", "3gp"),
    ".aac": ("aac", "adts"), ".ac3": ("ac3", "ac3"), ".adts": ("aac", "adts"),
    ".asf": ("wmav2", "asf"), ".avi": ("mp2", "avi"),
    ".eac3": ("eac3", "eac3"), ".f4a": ("aac", "f4v"), ".f4b": ("aac", "f4v"),
    ".f4v": ("aac", "f4v"), ".flv": ("aac", "flv"), ".isma": ("aac", "ismv"),
    ".latm": ("aac", "latm"), ".loas": ("aac", "latm"), ".m2a": ("mp2", "mp2"),
    ".m2t": ("mp2", "mpegts"), ".m2ts": ("mp2", "mpegts"), ".m4a": ("alac", "ipod"),
    ".m4b": ("aac", "ipod"), ".m4r": ("aac", "ipod"), ".m4v": ("aac", "mp4"),
    ".mka": ("flac", "matroska"), ".mkv": ("libopus", "matroska"), ".mov": ("alac", "mov"),
    ".mp2": ("mp2", "mp2"), ".mp4": ("aac", "mp4"), ".mpa": ("mp2", "mp2"),
    ".mpeg": ("mp2", "mpeg"), ".mpg": ("mp2", "mpeg"), ".mts": ("ac3", "mpegts"),
    ".ogv": ("libopus", "ogg"), ".ogx": ("libopus", "ogg"), ".opus": ("libopus", "opus"),
    ".tta": ("tta", "tta"), ".vob": ("ac3", "vob"), ".weba": ("libopus", "webm"),
    ".webm": ("libopus", "webm"), ".wma": ("wmav2", "asf"), ".wmv": ("wmav2", "asf"),
    ".wv": ("wavpack", "wv"),
}  # fmt: skip
"""What FFmpeg writes: codec and container."""

DECODED = {
    ".amr": ("amr", "amrnb"), ".ape": ("ape", "ape"), ".awb": ("amr", "amrwb"),
    ".dsf": ("dsf", "dsd_lsbf"), ".dts": ("dts", "dca"), ".mp+": ("mpc", "mpc7"),
    ".mpc": ("mpc8", "mpc8"), ".mpp": ("mpc", "mpc7"), ".spx": ("ogg", "speex"),
    ".tak": ("tak", "tak"),
}  # fmt: skip
"""What nothing here writes: format and decoder."""

ELSEWHERE = {".dff", ".mp1"}
"""Made byte by byte in test_audio_reading."""


def test_each_suffix_is_tried_here() -> None:
    assert {*SNDFILE, *FFMPEG, *DECODED, *ELSEWHERE} == SUFFIXES


def seconds(path: Path) -> float:
    with open_sound(path) as sound:
        return sum(block.shape[1] for block in sound.blocks()) / sound.rate


@pytest.mark.parametrize("suffix", SNDFILE)
def test_what_libsndfile_writes_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    soundfile.write(path, tone(1.0)[0], 22_050, format=SNDFILE[suffix])
    assert seconds(path) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("suffix", FFMPEG)
def test_what_ffmpeg_writes_is_read(tmp_path: Path, suffix: str) -> None:
    codec, kind = FFMPEG[suffix]
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
