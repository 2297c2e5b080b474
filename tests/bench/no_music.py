"""Sound that is no music, made: noise of many kinds, and what resembles speech.

Every sound is mono float32 at `RATE`, depends on nothing but its name and the seed, and lasts
10 to 30 s. Speech is a source (pulses of a gliding pitch, or noise) through four gliding
formants, in syllables of 0.15 to 0.3 s with consonants before them, in phrases with pauses
(Klatt 1980, "Software for a cascade/parallel formant synthesizer", in small).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mgrkit import seeds

RATE = 22_050
LEVELS = (-6, -20, -40)
"""Peaks in dB of full scale."""

NOISES = ("white", "pink", "brown", "blue", "violet")
HALVES = {
    "white": 0, "brown": 0, "violet": 0, "swelling": 0, "hum": 0, "clicks": 0,
    "low voice": 0, "high voice": 0, "whisper": 0, "talk in noise": 0,
    "pink": 1, "blue": 1, "band": 1, "bursts": 1, "tone": 1, "sweep": 1,
    "fast voice": 1, "child": 1, "telephone": 1, "babble": 1,
}  # fmt: skip
"""The kinds; what is chosen by a look at half 0 is measured on half 1."""
SPEECH = frozenset(
    ("low voice", "high voice", "whisper", "talk in noise", "fast voice", "child", "telephone",
     "babble")
)  # fmt: skip

_VOWELS = (
    (730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240),
    (490, 1350, 1690), (660, 1720, 2410), (400, 2000, 2550),
)  # fmt: skip
"""Formants in Hz of vowels of men (Peterson and Barney 1952)."""
_STEP = 110  # frames for which a formant stands still, 5 ms


def sounds(each: int, seed: int = 0) -> Iterator[tuple[str, str, Any]]:
    """Kind, name and samples of ``each`` sounds of every kind, from loud to soft."""
    for kind in HALVES:
        for number in range(each):
            random = seeds.generator(seed, "no music", (kind, number))
            length = int(RATE * random.uniform(10, 30))
            made = _MAKERS[kind](length, random)
            peak = 10 ** (LEVELS[number % len(LEVELS)] / 20)
            yield kind, f"{kind} {number}", (made * (peak / abs(made).max())).astype(np.float32)


def _coloured(name: str) -> Callable[[int, np.random.Generator], Any]:
    def make(length: int, random: np.random.Generator) -> Any:
        from mgrkit.augment.blocks import BLOCK, Draw
        from mgrkit.augment.colours import Colour

        draw = Draw(int(random.integers(2**31)), name, 1)
        out = np.empty(min(length, BLOCK), np.float32)
        Colour(name).take(draw, RATE, 1).channels[0](out)
        return out

    return make


def _swelling(length: int, random: np.random.Generator) -> Any:
    """Pink noise that swells and ebbs, like wind or surf."""
    rate = random.uniform(0.1, 3)
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * rate * np.arange(length) / RATE)
    return swell * _coloured("pink")(length, random)


def _band(length: int, random: np.random.Generator) -> Any:
    """White noise of an octave or two."""
    low = random.uniform(80, 3000)
    return _passed(_coloured("white")(length, random), low, low * 2 ** random.uniform(0.5, 2))


def _bursts(length: int, random: np.random.Generator) -> Any:
    """White noise that is switched on and off at odd moments."""
    edges = np.cumsum(random.exponential(0.5 * RATE, 200)).astype(int)
    switched = np.searchsorted(edges, np.arange(length)) % 2 == 0
    return np.where(switched, 1.0, 0.02) * _coloured("white")(length, random)


def _hum(length: int, random: np.random.Generator) -> Any:
    """Mains: 50 or 60 Hz, its harmonics, a little noise."""
    time = np.arange(length) / RATE
    first = random.choice([50, 60])
    tones = [np.sin(2 * np.pi * first * k * time) / k**1.5 for k in (1, 2, 3, 4, 5, 6, 8)]
    return sum(tones) + 0.01 * random.standard_normal(length)


def _tone(length: int, random: np.random.Generator) -> Any:
    hertz = 100 * 2 ** random.uniform(0, 5)
    return np.sin(2 * np.pi * hertz * np.arange(length) / RATE)


def _sweep(length: int, random: np.random.Generator) -> Any:
    """A tone that rises from 50 Hz to 8 kHz, again and again."""
    period = random.uniform(2, 10)
    phase = (np.arange(length) / RATE / period) % 1
    return np.sin(2 * np.pi * np.cumsum(50 * 160**phase) / RATE)


def _clicks(length: int, random: np.random.Generator) -> Any:
    """Crackle: single frames at odd moments, over faint noise."""
    out = 0.002 * random.standard_normal(length)
    where = random.integers(length, size=int(length / RATE * random.uniform(2, 40)))
    out[where] += random.uniform(-1, 1, len(where))
    return out


def _voice(
    pitch: tuple[float, float] = (85, 140), size: float = 1.0, tempo: float = 1.0, breath: float = 0
) -> Callable[[int, np.random.Generator], Any]:
    """One who speaks.

    Parameters
    ----------
    pitch : range of a speaker's mean in Hz.
    size : factor of the formants, above 1 for short vocal tracts.
    tempo : factor of the syllables' speed.
    breath : share of noise in the source, 1 for whispering.
    """

    def make(length: int, random: np.random.Generator) -> Any:
        steps = length // _STEP + 1
        hertz, formants, voiced, hiss = _score(steps, random, random.uniform(*pitch), size, tempo)
        noise = random.standard_normal(steps * _STEP)
        phase = np.cumsum(np.repeat(hertz, _STEP) / RATE)
        pulses = np.diff(np.floor(phase), prepend=0.0)
        # Pulses fall by some 6 dB an octave once a mouth has let them out.
        source = _leaky(pulses) * (1 - breath) + 0.1 * breath * noise
        spoken = _formed(source * np.repeat(voiced, _STEP), formants)
        spoken /= abs(spoken).max()
        hissed = _passed(noise * np.repeat(hiss, _STEP), 2500, 8000)
        return (spoken + 0.08 * hissed)[:length]

    return make


def _score(
    steps: int, random: np.random.Generator, pitch: float, size: float, tempo: float
) -> tuple[Any, Any, Any, Any]:
    """For each step: pitch in Hz, formants ``(steps, 4)`` in Hz, loudness of voice and of hiss."""
    hertz, voiced, hiss = np.full(steps, pitch), np.zeros(steps), np.zeros(steps)
    formants = np.full((steps, 4), (500.0, 1500.0, 2500.0, 3500.0)) * size
    last, at = formants[0], int(random.integers(20))
    while at < steps:
        phrase = int(random.integers(5, 16))
        for syllable in range(phrase):
            consonant = int(random.uniform(8, 20) / tempo)
            vowel = int(random.uniform(20, 44) / tempo)
            end = min(at + consonant + vowel, steps)
            if at >= end:
                break
            if random.random() < 0.5:
                hiss[at : min(at + consonant, steps)] = random.uniform(0.3, 1)
            length = max(end - at - consonant, 0)
            wanted = np.array([*_VOWELS[random.integers(len(_VOWELS))], 3500.0]) * size
            glide = np.minimum(np.arange(length) / 12, 1)[:, None]
            formants[end - length : end] = last + (wanted - last) * glide
            voiced[end - length : end] = np.sin(np.pi * np.linspace(0.05, 0.95, length)) ** 0.5
            fall = 1.15 - 0.3 * syllable / phrase
            accent = random.uniform(0.9, 1.15)
            bend = np.linspace(1.03, 0.97, length)
            hertz[end - length : end] = pitch * fall * accent * bend
            last, at = wanted, end
        at += int(random.uniform(40, 160) / tempo)
    return hertz * (1 + 0.01 * random.standard_normal(steps)), formants, voiced, hiss


def _leaky(pulses: Any) -> Any:
    from scipy.signal import lfilter

    return lfilter([1], [1, -0.9], pulses)


def _formed(source: Any, formants: Any) -> Any:
    """Through resonators of 60 to 200 Hz width, one after the other, step by step."""
    from scipy.signal import lfilter

    out = source
    for number, width in enumerate((60, 90, 130, 200)):
        radius = np.exp(-np.pi * width / RATE)
        turn = 2 * radius * np.cos(2 * np.pi * formants[:, number] / RATE)
        state, parts = np.zeros(2), []
        for step, part in enumerate(out.reshape(-1, _STEP)):
            poles = np.array([1, -turn[step], radius**2])
            part, state = lfilter([poles.sum()], poles, part, zi=state)
            parts.append(part)
        out = np.concatenate(parts)
    return out


def _passed(sound: Any, low: float, high: float) -> Any:
    from scipy.signal import butter, sosfilt

    top = min(high, 0.45 * RATE)
    return sosfilt(butter(4, [low, top], "bandpass", fs=RATE, output="sos"), sound)


def _telephone(length: int, random: np.random.Generator) -> Any:
    return _passed(_voice((100, 220))(length, random), 300, 3400)


def _talk_in_noise(length: int, random: np.random.Generator) -> Any:
    spoken, noise = _voice((90, 200))(length, random), _coloured("pink")(length, random)
    return spoken + noise * spoken.std() / noise.std() * 10 ** (-random.uniform(0, 15) / 20)


def _babble(length: int, random: np.random.Generator) -> Any:
    voices = [_voice((85, 240), s)(length, random) for s in (1.0, 1.15, 1.0, 1.2, 1.1, 1.0)]
    return sum(voice * random.uniform(0.5, 1) for voice in voices)


_MAKERS: dict[str, Callable[[int, np.random.Generator], Any]] = {
    **{name: _coloured(name) for name in NOISES},
    "swelling": _swelling,
    "band": _band,
    "bursts": _bursts,
    "hum": _hum,
    "tone": _tone,
    "sweep": _sweep,
    "clicks": _clicks,
    "low voice": _voice(),
    "high voice": _voice((165, 250), 1.17),
    "fast voice": _voice((90, 230), 1.05, 1.6),
    "child": _voice((250, 350), 1.35),
    "whisper": _voice(breath=1),
    "telephone": _telephone,
    "talk in noise": _talk_in_noise,
    "babble": _babble,
}
