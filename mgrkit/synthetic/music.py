"""Synthetic music in four styles, for tests and examples without data.

The styles differ as styles of music do, in rhythm, harmony and timbre at once:

=========  =========================  ===========================  =========================
ambient    no beat, 54-66 bpm         add9 and sus chords, major   slow detuned pads, air
blues      shuffled 4/4, 84-112 bpm   12 bars, dominant sevenths   walking bass, ride, snare
techno     straight 4/4, 124-138 bpm  four bars, minor             kick, sawtooth bass, hats
waltz      3/4, 150-186 bpm           eight bars, major            plucked strings
=========  =========================  ===========================  =========================

An artist is a key, a tempo, a brightness, a room, a lead instrument, a drum kit and a way to
swing, kept from song to song; a song has its own progression, melody and place in the form. So
songs of one artist resemble each other more than those of two, and a split that ignores artists
flatters a model here as it does in life.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mgrkit import seeds
from mgrkit.errors import UsageError

Samples = NDArray[np.float32]

PEAK = 0.8
_CYCLE = 16384
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


class Note(NamedTuple):
    """When (s), how long (s), which MIDI number, and how loud (amplitude)."""

    start: float
    length: float
    pitch: float
    level: float


class Instrument(Protocol):
    """Turns the pitch (MIDI number) and the length (s) of a note into samples."""

    def sound(self, pitch: float, length: float, rate: int) -> Samples: ...


Score = Iterator[tuple[Instrument, Note]]


@lru_cache(maxsize=256)
def _cycle(levels: tuple[float, ...]) -> Samples:
    """One period of a tone with these levels of its harmonics, power one."""
    spectrum = np.zeros(_CYCLE // 2 + 1, np.complex128)
    spectrum[1 : len(levels) + 1] = -1j * np.asarray(levels)
    wave = np.fft.irfft(spectrum)
    return (wave / (np.sqrt(np.mean(wave**2)) or 1.0)).astype(np.float32)


@dataclass(frozen=True)
class Tone:
    """A pitched instrument.

    Parameters
    ----------
    levels : amplitude of each harmonic, from the fundamental.
    attack, release : s of fading in and out; the release comes after the note's length.
    decay : s until a held note has fallen to 1/e.
    detune : cents between the instrument and each of two companions; 0 for none.
    vibrato : cents up and down, 5.5 times a second.
    """

    levels: tuple[float, ...]
    attack: float = 0.005
    release: float = 0.05
    decay: float = np.inf
    detune: float = 0.0
    vibrato: float = 0.0

    def sound(self, pitch: float, length: float, rate: int) -> Samples:
        frames = np.arange(max(1, round((length + self.release) * rate)), dtype=np.float32)
        cents = (0.0, self.detune, -self.detune) if self.detune else (0.0,)
        wave = np.zeros(len(frames), np.float32)
        when = np.arange(len(frames), dtype=np.float64)
        if self.vibrato:
            turn = 2 * np.pi * 5.5 / rate
            when += np.sin(turn * when - np.pi / 2) * (self.vibrato * np.log(2) / 1200 / turn)
        for cent in cents:
            hertz = 440.0 * 2.0 ** ((pitch + cent / 100 - 69) / 12)
            cycle = _cycle(self.levels[: int(rate / 2 / hertz)])
            steps = when * (hertz / rate * _CYCLE)
            wave += cycle[steps.astype(np.int64) & (_CYCLE - 1)]
        end = frames[-1] + 1
        wave *= np.minimum(frames / np.float32(self.attack * rate), 1)
        wave *= np.minimum((end - frames) / np.float32(self.release * rate), 1)
        if np.isfinite(self.decay):
            wave *= np.exp(frames * np.float32(-1 / (self.decay * rate)))
        return wave


@dataclass(frozen=True)
class Kick:
    """A bass drum: a sine that falls from 160 to 45 Hz. It knows neither pitch nor length."""

    punch: float = 0.03

    def sound(self, pitch: float, length: float, rate: int) -> Samples:  # noqa: ARG002
        time = np.arange(round(0.3 * rate), dtype=np.float32) / np.float32(rate)
        phase = 45 * time - 115 * self.punch * np.expm1(-time / self.punch)
        wave: Samples = 2 * np.sin(2 * np.pi * phase) * np.exp(-time / np.float32(0.09))
        return wave


@dataclass(frozen=True)
class Hiss:
    """Noise, high-passed ``order`` times, falling to 1/e in ``decay`` s; every hit the same."""

    decay: float
    order: int = 2

    def sound(self, pitch: float, length: float, rate: int) -> Samples:  # noqa: ARG002
        count = max(1, round(length * rate))
        rng = seeds.generator(0, "hiss", (self.decay,))
        wave: Samples = np.diff(rng.standard_normal(count + self.order, np.float32), self.order)
        wave *= np.exp(np.arange(count, dtype=np.float32) / np.float32(-self.decay * rate))
        return wave


@dataclass(frozen=True)
class Snare:
    """A drum skin at 185 Hz under noise that falls to 1/e in ``decay`` s."""

    decay: float

    def sound(self, pitch: float, length: float, rate: int) -> Samples:
        wires = Hiss(self.decay, 1).sound(pitch, length, rate)
        time = np.arange(len(wires), dtype=np.float32) / np.float32(rate)
        skin = np.sin(2 * np.pi * 185 * time) * np.exp(-time / 0.05)
        wave: Samples = (wires + 1.5 * skin).astype(np.float32)
        return wave


@dataclass(frozen=True)
class Artist:
    """What stays the same from song to song.

    Parameters
    ----------
    key : MIDI number of the tonic, 48 to 59.
    beat : s.
    bright : 0 (few overtones) to 1 (many).
    room : s until its echo has fallen to 1/e.
    lead : 0 to 2, which instrument of the style.
    kit : 0 (dry drums) to 1 (long ones).
    swing : share of the beat before its second part, 0.58 to 0.7; for styles that swing.
    """

    key: int
    beat: float
    bright: float
    room: float
    lead: int
    kit: float
    swing: float


def _pitch(key: int, scale: tuple[int, ...], degree: int) -> int:
    """The MIDI number of a degree, 0 the tonic; 7 and -7 are its octaves."""
    return key + 12 * (degree // 7) + scale[degree % 7]


def _rolloff(slope: float, count: int = 40) -> tuple[float, ...]:
    return tuple(n**-slope for n in range(1, count + 1))


def _waltz(artist: Artist, rng: np.random.Generator) -> Score:
    """Bass on one, plucked chord on two and three, above them a string, accordion or fiddle."""
    pluck = 0.13 + 0.1 * artist.bright
    levels = tuple(
        abs(np.sin(np.pi * n * pluck)) * n ** (artist.bright - 2.2) for n in range(1, 33)
    )
    string, bass = Tone(levels, 0.003, 0.08, 0.35), Tone(levels[:8], 0.004, 0.1, 0.6)
    accordion = Tone(_rolloff(1.8 - 0.5 * artist.bright, 20), 0.03, 0.05, detune=9)
    fiddle = Tone(_rolloff(2.0 - 0.5 * artist.bright, 24), 0.06, 0.08, vibrato=25)
    lead, loud = ((string, 0.9), (accordion, 0.22), (fiddle, 0.4))[artist.lead]
    forms = ([0, 0, 3, 3, 4, 4, 0, 0], [0, 5, 1, 4, 0, 3, 4, 0], [0, 3, 0, 4, 5, 1, 4, 0])
    form, step = forms[rng.integers(len(forms))], 7
    rhythms = ((3,), (2, 1), (1, 1, 1), (1.5, 0.5, 1))

    def pitch(degree: int) -> int:
        return _pitch(artist.key, _MAJOR, degree)

    for bar in _count():
        start, root = 3 * bar * artist.beat, form[bar % len(form)]
        yield bass, Note(start, artist.beat, pitch(root) - 12, 1.0)
        for beat in (1, 2):
            for third in (0, 2, 4):
                when = start + (beat + 0.008 * third) * artist.beat
                yield string, Note(when, 0.6 * artist.beat, pitch(root + third), 0.35)
        when = start
        for length in rhythms[rng.integers(len(rhythms))]:
            step = int(np.clip(step + rng.integers(-2, 3), 4, 14))
            if when == start:  # on the strong beat, a note of the chord
                step += next(up for up in range(7) if (step + up - root) % 7 in (0, 2, 4))
            yield lead, Note(when, length * artist.beat, pitch(step) + 12, loud)
            when += length * artist.beat


def _techno(artist: Artist, rng: np.random.Generator) -> Score:
    """Four on the floor, hats off the beat, a bass line in sixteenths over a minor stab."""
    saw = Tone(_rolloff(1.6 - 0.6 * artist.bright), 0.003, 0.02, 0.15)
    stab = (
        Tone(_rolloff(1.4 - 0.5 * artist.bright), 0.005, 0.1, 0.2, 8),
        Tone(tuple(n % 2 / n for n in range(1, 30)), 0.005, 0.05, 0.12),
        Tone((1, 0, 0.7, 0, 0, 0.5, 0, 0.3), 0.005, 0.3, 0.4, vibrato=12),
    )[artist.lead]
    kick, hat = Kick(0.02 + 0.02 * artist.kit), Hiss(0.02 + 0.04 * artist.kit)
    clap = Hiss(0.03 + 0.05 * artist.kit, 1)
    shaker = artist.kit * (0.03, 0.0, 0.06)[artist.lead]
    roots = ([0, 0, 0, 0], [0, 0, -2, -1], [0, 0, 2, -1], [0, 0, 3, 2])[rng.integers(4)]
    line = rng.choice([0, 0, 0, 7, 4, 2, 6], 16)
    rests = rng.random(16) < 0.25
    rests[::4] = True  # the kick's place
    stabs = np.sort(rng.choice(16, 3, replace=False))
    for bar in _count():
        root = roots[bar % 4]
        for sixteenth in range(16):
            when = (4 * bar + sixteenth / 4) * artist.beat
            if sixteenth % 4 == 0:
                yield kick, Note(when, 0.3, 0, 1.3)
            if sixteenth % 4 == 2:
                yield hat, Note(when, 0.15, 0, 0.12)
            elif shaker:
                yield hat, Note(when, 0.1, 0, shaker)
            if sixteenth % 8 == 4:
                yield clap, Note(when, 0.25, 0, 0.15)
            if not rests[sixteenth]:
                pitch = _pitch(artist.key, _MINOR, root + int(line[sixteenth]))
                yield saw, Note(when, 0.2 * artist.beat, pitch - 12, 0.5)
            if sixteenth in stabs:
                for third in (7, 9, 11):
                    pitch = _pitch(artist.key, _MINOR, root + third)
                    yield stab, Note(when, 0.3 * artist.beat, pitch, 0.12)


def _blues(artist: Artist, rng: np.random.Generator) -> Score:
    """Twelve bars of sevenths, a shuffle, a backbeat; an organ, guitar or harp answers."""
    drawbars = np.zeros(8)
    drawbars[[0, 1, 2, 3, 5, 7]] = 1, 0.8, 0.6, artist.bright, artist.bright / 2, artist.bright / 3
    organ = Tone(tuple(drawbars), 0.012, 0.04, detune=3)
    guitar = Tone(_rolloff(1.9 - 0.4 * artist.bright, 24), 0.004, 0.08, 0.5, vibrato=18)
    harp = Tone((1, 0.9, 0.8, 0.5, 0.4, 0.2, 0.2), 0.03, 0.05, detune=6, vibrato=30)
    lead, loud = ((organ, 0.3), (guitar, 0.8), (harp, 0.3))[artist.lead]
    bass, ride = Tone(_rolloff(2.2, 10), 0.006, 0.06, 0.5), Hiss(0.06 + 0.06 * artist.kit)
    kick, snare = Kick(0.015), Snare(0.04 + 0.08 * artist.kit)
    form = [0, 0, 0, 0, 5, 5, 0, 0, 7, 5, 0, 7]
    first = int(rng.integers(12))
    licks = np.array([0, 3, 5, 6, 7, 10, 12, 15])
    step = 4
    for bar in _count():
        root = artist.key + form[(bar + first) % 12]
        for beat in range(4):
            when = (4 * bar + beat) * artist.beat
            late = when + artist.beat * artist.swing
            yield bass, Note(when, 0.9 * artist.beat, root - 12 + (0, 4, 7, 9)[beat], 1.0)
            yield ride, Note(when, 0.3, 0, 0.05)
            yield ride, Note(late, 0.3, 0, 0.09 if beat % 2 else 0.05)
            if beat % 2 == 0:
                yield kick, Note(when, 0.3, 0, 0.35)
            else:
                yield snare, Note(when, 0.3, 0, 0.07 + 0.06 * artist.kit)
                for third in (4, 10, 16):
                    yield organ, Note(when, artist.beat / 2, root + third, 0.16)
            for place, length in ((when, 0.6), (late, 0.3)):
                if rng.random() < 0.6:
                    step = int(np.clip(step + rng.integers(-2, 3), 0, len(licks) - 1))
                    pitch = artist.key + 12 + int(licks[step])
                    yield lead, Note(place, length * artist.beat, pitch, loud)


def _ambient(artist: Artist, rng: np.random.Generator) -> Score:
    """A chord every eight beats that swells into the next, far bells, breath."""
    levels = (
        _rolloff(2.6 - artist.bright, 16),
        (1, 0, 0.35, 0, 0.2 * artist.bright, 0, 0.1 * artist.bright),
        (1, 0.5, 0.1, 0.1, 0.3 * artist.bright, 0.2 * artist.bright),
    )[artist.lead]
    pad = Tone(levels, 2.0, 3.0, detune=7, vibrato=10 if artist.lead else 0)
    bell = Tone((1.0, 0, 0.3, 0, 0.0, 0.2), 0.02, 2.0, 1.2)
    air = Hiss(1e3, 1)
    chords = np.array([[0, 7, 14, 16], [-3, 4, 12, 19], [5, 12, 14, 21], [-5, 7, 12, 17]])
    order = rng.permutation(4)
    for chord in _count():
        start, span = 8 * chord * artist.beat, 8 * artist.beat
        pitches = artist.key + chords[order[chord % 4]]
        for pitch in pitches:
            yield pad, Note(start, span, float(pitch), 0.3)
        yield air, Note(start, span, 0, 0.006 * (1 + artist.bright))
        for when in start + span * rng.random(2):
            yield bell, Note(float(when), 1.0, float(rng.choice(pitches)) + 24, 0.12)


def _count() -> Iterator[int]:
    bar = 0
    while True:
        yield bar
        bar += 1


_STYLES: dict[str, tuple[Callable[[Artist, np.random.Generator], Score], float, float, float]] = {
    # the composer, the tempo's range (beats a minute), the largest room (s)
    "ambient": (_ambient, 54, 66, 0.8),
    "blues": (_blues, 84, 112, 0.15),
    "techno": (_techno, 124, 138, 0.1),
    "waltz": (_waltz, 150, 186, 0.3),
}
STYLES = tuple(_STYLES)


def artist_name(style: str, artist: int) -> str:
    """The name of an artist, for a table's ``group``: ``waltz-artist-1`` for number 1."""
    return f"{style}-artist-{artist}"


def _echo(dry: Samples, room: float, rate: int, rng: np.random.Generator) -> Samples:
    """The sound in a room: a fifth of it through noise that falls to 1/e in ``room`` s."""
    count = round(4 * room * rate)
    answer = rng.standard_normal(count, np.float32) * np.exp(-np.arange(count) / (room * rate))
    answer /= np.sqrt(np.sum(answer**2)) or 1.0
    size = 1 << (len(dry) + count).bit_length()
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(answer, size), size)
    return dry + np.float32(0.3) * wet[: len(dry)].astype(np.float32)


def render(
    style: str, artist: int, song: int, seconds: float = 10.0, rate: int = 22050, seed: int = 0
) -> Samples:
    """A piece of music, the same for the same arguments.

    Parameters
    ----------
    style : one of ``STYLES``.
    artist, song : any numbers; each is another artist of the style, another song by them.
    seconds : length. Memory and time grow with it (2 to 10 ms of CPU a second of music).
    rate : Hz, 4,000 or more.
    seed : another seed is another world of artists.

    Returns
    -------
    float32 ``(frames,)``, mono, its largest magnitude ``PEAK``.

    Raises
    ------
    UsageError : an unknown style, less than one frame, a rate below 4,000 Hz.

    >>> render("waltz", artist=1, song=0, seconds=2).shape
    (44100,)
    """
    if style not in _STYLES:
        raise UsageError(f"there is no style {style!r}", f"one of {', '.join(STYLES)}")
    frames = round(seconds * rate) if np.isfinite(seconds) else 0
    if frames < 1 or rate < 4000:
        raise UsageError(f"no music of {seconds} s at {rate} Hz", "at least a frame and 4000 Hz")
    compose, slow, fast, largest = _STYLES[style]
    of_style = seeds.generator(seed, style)
    of_artist = seeds.generator(seed, artist_name(style, artist))
    of_song = seeds.generator(seed, artist_name(style, artist), (song,))
    who = Artist(
        key=int(of_artist.integers(48, 60)),
        beat=60 / of_artist.uniform(slow, fast) * of_song.uniform(0.98, 1.02),
        bright=of_artist.uniform(),
        room=largest * of_artist.uniform(0.3, 1),
        lead=(artist + int(of_style.integers(3))) % 3,
        kit=of_artist.uniform(),
        swing=of_artist.uniform(0.58, 0.7),
    )
    sound = np.zeros(frames, np.float32)
    played: dict[tuple[Instrument, float, float], Samples] = {}
    for instrument, note in compose(who, of_song):
        # composers never end; none goes back by more than eight beats from one note to the next
        if note.start > frames / rate + 8 * who.beat:
            break
        first = round(note.start * rate)
        if first >= frames:
            continue
        which = instrument, note.pitch, round(note.length, 6)
        if which not in played:
            played[which] = instrument.sound(note.pitch, note.length, rate)
        wave = played[which][: frames - first]
        sound[first : first + len(wave)] += wave * np.float32(note.level)
    sound = _echo(sound, who.room, rate, of_artist)
    sound *= PEAK / max(float(np.abs(sound).max()), 1e-9)
    return sound
