"""Fingerprints by the programs that have Chromaprint, and what they are made of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mgrkit.audio import chromaprint
from mgrkit.audio.chromaprint import RATE, SECONDS, Beginning, fingerprint, words_of
from mgrkit.audio.codec import codec
from mgrkit.audio.measuring import measure
from mgrkit.errors import ItemError, RunError
from tests.audio.encoded import encode, tone
from tests.audio.test_measuring import write

PROGRAMS = chromaprint._commands()


@pytest.fixture(autouse=True)
def _sought_anew() -> Iterator[None]:
    chromaprint.program.cache_clear()
    yield
    chromaprint.program.cache_clear()


def chords(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """A new chord every half a second, float32 (frames,)."""
    random = np.random.default_rng(seed)
    time = np.arange(rate // 2) / rate
    made = [
        sum(
            np.sin(2 * np.pi * 110 * 2 ** (pitch / 12) * time)
            for pitch in random.integers(0, 36, 3)
        )
        for _ in range(round(2 * seconds))
    ]
    return (np.concatenate(made) / 4).astype(np.float32)


def beginning(samples: np.ndarray, rate: int, block: int = 1 << 18) -> np.ndarray:
    heard = Beginning()
    for start in range(0, samples.shape[1], block):
        heard.push(samples[:, start : start + block], rate)
    return heard.samples()


def test_a_beginning_is_mono_at_full_scale_however_it_is_cut_into_blocks() -> None:
    sound = np.stack([chords(4, 22_050), chords(4, 22_050, seed=1)]) / 100
    whole = beginning(sound, 22_050)
    assert (whole.dtype, whole.shape) == (np.int16, (4 * RATE,))
    assert np.abs(whole).max() == 32_767
    np.testing.assert_array_equal(beginning(sound, 22_050, block=1000), whole)
    np.testing.assert_array_equal(beginning(sound.mean(0, keepdims=True), 22_050), whole)


def test_a_beginning_ends_after_two_minutes() -> None:
    heard = Beginning()
    for _ in range(SECONDS + 10):
        heard.push(np.full((1, RATE), 0.5, np.float32), RATE)
    assert len(heard.samples()) == SECONDS * RATE


def test_nothing_has_no_fingerprint() -> None:
    silence = beginning(np.zeros((1, RATE), np.float32), RATE)
    assert not silence.any()
    assert len(Beginning().samples()) == 0
    assert [words_of(n) for n in (0, 4096, 4096 + 19 * 1365 - 1, 4096 + 19 * 1365)] == [0, 0, 0, 1]


@pytest.mark.skipif(not PROGRAMS, reason="neither imageio-ffmpeg nor fpcalc is here")
def test_every_program_that_is_here_gives_the_same_words() -> None:
    samples = beginning(chords(20)[None], RATE)
    found = [chromaprint._made(command, samples) for command in PROGRAMS]
    assert (found[0].dtype, len(found[0])) == (np.uint32, words_of(len(samples)))
    assert len(np.unique(found[0])) > 20
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
    np.testing.assert_array_equal(fingerprint(samples), found[0])


@pytest.mark.skipif(not PROGRAMS, reason="neither imageio-ffmpeg nor fpcalc is here")
def test_level_does_not_count_and_a_soft_sound_keeps_its_bits() -> None:
    loud = fingerprint(beginning(chords(20)[None], RATE))
    soft = fingerprint(beginning(chords(20)[None] / 1000, RATE))
    assert np.bitwise_count(loud ^ soft).sum() <= len(loud) // 20


def program(text: str) -> tuple[str, ...]:
    return sys.executable, "-c", f"import sys; data = sys.stdin.buffer.read(); {text}"


WORDS = "sys.stdout.buffer.write(bytes(4 * ((len(data) // 2 - 4096) // 1365 - 18)))"
"""A program that gives as many words as it should, all zero."""


def test_without_a_program_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromaprint, "_commands", list)
    with pytest.raises(RunError, match="no program with Chromaprint") as error:
        fingerprint(np.zeros(RATE * 10, np.int16))
    assert "mgrkit[duplicates]" in error.value.hint
    assert "fpcalc" in error.value.hint


@pytest.mark.parametrize(
    "bad", [program("sys.exit(1)"), program("print('no muxer')"), ("/nowhere/ffmpeg",)]
)
def test_a_program_that_lacks_chromaprint_gives_way_to_the_next(
    bad: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromaprint, "_commands", lambda: [bad, program(WORDS)])
    assert chromaprint.program() == program(WORDS)
    monkeypatch.setattr(chromaprint, "_commands", lambda: [bad])
    chromaprint.program.cache_clear()
    with pytest.raises(RunError, match=f"no program here makes fingerprints: {bad[0]}"):
        chromaprint.program()


def test_a_program_that_is_here_and_fails_is_told_with_what_it_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = {"sys.stderr.write('no library')": "no library", "sys.exit(3)": "it ended with 3"}
    for text, why in said.items():
        monkeypatch.setattr(chromaprint, "_commands", lambda text=text: [program(text)])
        chromaprint.program.cache_clear()
        with pytest.raises(RunError, match=rf"fingerprints: .* gave 0 of 11 words: {why} \("):
            chromaprint.program()


def test_exit_codes_do_not_count_and_numbers_are_read_as_words() -> None:
    """fpcalc 1.5.1 ends with 3 where FFmpeg 5 comes to the end of the samples."""
    words = "print(','.join(['4294967295'] * 81)); print('ERROR', file=sys.stderr); sys.exit(3)"
    samples = np.zeros(4096 + 99 * 1365, np.int16)
    found = chromaprint._made((*program(words), "-plain"), samples)
    assert found.tolist() == [2**32 - 1] * 81


def test_words_that_are_missing_are_an_error_with_what_the_program_said() -> None:
    cut = program("sys.stdout.buffer.write(bytes(4 * 80 + 1)); sys.stderr.write('broken\\nmore')")
    with pytest.raises(ItemError, match=r"gave 80 of 81 words: broken$") as error:
        chromaprint._made(cut, np.zeros(4096 + 99 * 1365, np.int16))
    assert (error.value.reason, error.value.again) == ("fingerprint", True)


def test_a_listener_gets_each_block_and_its_rate(tmp_path: Path) -> None:
    heard: list[tuple[tuple[int, ...], int]] = []
    path = write(tmp_path / "a.wav", tone(1.5, 22_050, 2))
    measure(path, None, lambda block, rate: heard.append((block.shape, rate)))
    assert heard == [((2, 33_075), 22_050)]


def test_codecs(tmp_path: Path) -> None:
    import soundfile

    sound = tone(1, 44_100)
    for name in ("a.flac", "a.wav", "a.ogg"):
        soundfile.write(tmp_path / name, sound.T, 44_100)
    soundfile.write(tmp_path / "law.wav", sound.T, 44_100, "ULAW")
    soundfile.write(tmp_path / "24.flac", sound.T, 44_100, "PCM_24")
    encode(tmp_path / "a.mp3", sound, 44_100, "libmp3lame")
    encode(tmp_path / "a.m4a", sound, 44_100, "aac")
    encode(tmp_path / "a.tta", sound, 44_100, "wavpack", "wv")
    (tmp_path / "no.mp3").write_text("no sound")
    found = {path.name: codec(path) for path in tmp_path.iterdir()}
    assert found.pop("a.tta")[:2] == ("wavpack", True)
    assert found == {
        "a.flac": ("flac", True, 16), "24.flac": ("flac", True, 32),
        "a.wav": ("pcm_s16le", True, 16), "a.ogg": ("vorbis", False, 32),
        "law.wav": ("pcm_mulaw", False, 16), "a.mp3": ("mp3", False, 32),
        "a.m4a": ("aac", False, 32), "no.mp3": ("", False, 0),
    }  # fmt: skip
    assert codec(tmp_path / "missing.mp3") == ("", False, 0)
