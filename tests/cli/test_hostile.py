"""Both commands over every hostile file: a sound result or a clear reason, none unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgrkit.cli.terminal.console import Shown
from tests.cli.test_commands import files, mgrkit, table

EXPECTED = {
    "bad_xing.mp3": "truncated",
    "empty_file.aiff": "empty",
    "excessive_alloc.aif": "not-audio",
    "excessive_alloc.mp3": "not-audio",
    "flac_192khz.flac": "",
    "flac_453s_silence.flac": "silent",
    "flac_channels_change_midstream.flac": "channels-change",
    "flac_inside_ogg.ogg": "",
    "flac_no_header.flac": "",
    "flac_wrong_channels.flac": "",
    "flac_wrong_max_blocksize.flac": "",
    "flac_wrong_total_samples.flac": "",
    "fuzz_flac_2e63_frames.flac": "damaged",
    "fuzz_oom.wav": "not-audio",
    "fuzz_smoother_friend_join.m4a": "not-audio",
    "garbage.mp3": "truncated",
    "git_lfs_pointer.au": "lfs-pointer",
    "ilbm_picture.aiff": "not-audio",
    "infloop.m4a": "no-samples",
    "infloop.wav": "",
    "invalid_sample_rate.aiff": "not-audio",
    "mp3_inside_wav.wav": "",
    "mp4_invalid_size_zero.m4a": "not-audio",
    "ms_adpcm_11024hz.wav": "",
    "negative_bitrate_6000hz.ogg": "",
    "non_ascii_filename_äää.mp3": "silent",
    "ooming_header.flac": "not-audio",
    "out_of_bounds.mp3": "",
    "overwritten_metadata.flac": "damaged",
    "segfault.oga": "not-audio",
    "truncated_64bit.mp4": "damaged",
    "wav_48_samples.wav": "too-short",
    "wav_header_only.wav": "no-samples",
    "wav_mp3_codec_no_audio.wav": "no-samples",
    "wavex_208_channels_no_data.wav": "damaged",
    "zero_channels.mp3": "not-audio",
    "zero_value_properties.flac": "damaged",
    "zero_value_properties.m4a": "damaged",
    "zero_value_properties.opus": "not-audio",
    "zero_value_properties.wav": "not-audio",
}
"""The reason of each file, "" where there is sound in it."""


@pytest.mark.parametrize("command", ["augment", "spectrograms"])
def test_every_hostile_file_has_its_row(data: Path, tmp_path: Path, command: str) -> None:
    source = data / "hostile"
    names = {path.name for path in source.iterdir()} - {"HOSTILE.md"}
    assert names == EXPECTED.keys()
    assert mgrkit(command, source, tmp_path / "out") == 1
    expected = dict(EXPECTED)
    if command == "augment":  # 1 ms is enough to mix with, but too quiet for 16 bits
        expected["wav_48_samples.wav"] = "noise-below-lsb"
    rows = table(tmp_path / "out")
    reasons = {row["source"]: row["reason"].partition(":")[0] for row in rows}
    assert reasons == expected
    for row in rows:
        assert (row["status"] == "failed") == bool(row["reason"])
    made = {row["path"] for row in rows if row["status"] == "ok"}
    assert files(tmp_path / "out") == {*made, "tracks.csv"}


def test_a_reason_cannot_steer_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    row = {"status": "failed", "source": "a.wav", "reason": "odd: \x1b[2J is no genre"}
    Shown("x", quiet=False, table=False).finished([row], kept=False)
    assert capfd.readouterr().err == "a.wav: odd: \\x1b[2J is no genre\n"
