"""What becomes of every odd, lying and corrupt file that we hold."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mgrkit.audio import open_sound
from mgrkit.errors import AudioError

# A reason, or what is heard: rate, channels, frames.
EXPECTED: dict[str, str | tuple[int, int, int]] = {
    "bad_xing.mp3": "truncated",
    "empty_file.aiff": "empty",
    "excessive_alloc.aif": "not-audio",
    "excessive_alloc.mp3": "not-audio",
    "flac_192khz.flac": (192000, 2, 1336184),
    "flac_453s_silence.flac": (44100, 2, 20000000),
    "flac_channels_change_midstream.flac": "channels-change",
    "flac_inside_ogg.ogg": (44100, 1, 133632),
    "flac_no_header.flac": (44100, 1, 664669),
    "flac_wrong_channels.flac": (24000, 1, 97391),
    "flac_wrong_max_blocksize.flac": (24000, 1, 101999),
    "flac_wrong_total_samples.flac": (24000, 1, 109487),
    "fuzz_flac_2e63_frames.flac": "damaged",
    "fuzz_oom.wav": "not-audio",
    "fuzz_smoother_friend_join.m4a": "not-audio",
    "garbage.mp3": "truncated",
    "git_lfs_pointer.au": "lfs-pointer",
    "ilbm_picture.aiff": "not-audio",
    "infloop.m4a": "no-samples",
    "infloop.wav": (11025, 1, 14083),
    "invalid_sample_rate.aiff": "not-audio",
    "mp3_inside_wav.wav": (44100, 1, 222336),
    "mp4_invalid_size_zero.m4a": "not-audio",
    "ms_adpcm_11024hz.wav": (11024, 1, 895500),
    "negative_bitrate_6000hz.ogg": (6000, 1, 45981),
    "non_ascii_filename_äää.mp3": (44100, 2, 220500),
    "ooming_header.flac": "not-audio",
    # Without a Xing frame nothing promises more than the frames that are there.
    "out_of_bounds.mp3": (44100, 2, 18432),
    "overwritten_metadata.flac": "damaged",
    "segfault.oga": "not-audio",
    "truncated_64bit.mp4": "damaged",
    "wav_48_samples.wav": (48000, 1, 48),
    "wav_header_only.wav": "no-samples",
    "wav_mp3_codec_no_audio.wav": "no-samples",
    "wavex_208_channels_no_data.wav": "damaged",
    "zero_channels.mp3": "not-audio",
    "zero_value_properties.flac": "damaged",
    "zero_value_properties.m4a": "damaged",
    "zero_value_properties.opus": "not-audio",
    "zero_value_properties.wav": "not-audio",
}


def test_the_table_names_every_file(data):
    files = {path.name for path in (data / "hostile").iterdir() if path.suffix != ".md"}
    assert files == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_hostile_file(data, name):
    try:
        with open_sound(data / "hostile" / name) as sound:
            frames = sum(block.shape[1] for block in sound.blocks())
            assert (sound.rate, sound.channels, frames) == EXPECTED[name]
    except AudioError as error:
        assert error.reason == EXPECTED[name], error  # noqa: PT017


READ_ALL = """
import pathlib, resource, sys
from mgrkit.audio import open_sound
from mgrkit.audio.pyav import PyavDecoder  # FFmpeg's own 60 MB are not in question
from mgrkit.errors import AudioError
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        with open_sound(path) as sound:
            for block in sound.blocks():
                pass
    except AudioError:
        pass
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    assert after - before < 100e6, (path, after - before)
"""


def test_no_hostile_file_takes_much_memory(data):
    """20,000,000 frames in 84 KB, and headers that ask for gigabytes."""
    subprocess.run([sys.executable, "-c", READ_ALL, data / "hostile"], check=True, timeout=60)
