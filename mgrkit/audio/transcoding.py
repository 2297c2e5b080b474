"""Sound through a lossy codec and back, in memory: as long as before, and nothing later.

MP3, Opus and AAC are encoded and decoded by FFmpeg's libraries (PyAV), packet by packet without a
container: an encoder says by the time of its first packet how much it puts in front of the sound,
and that is taken off. Ogg Vorbis and GSM 06.10 are libsndfile's, since not all builds of PyAV have
an encoder of these, or one worth using.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mgrkit.audio.encoding import RATES
from mgrkit.audio.reading import mono
from mgrkit.audio.resampling import Resampler
from mgrkit.errors import ItemError, RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

GSM_RATE = 8_000
_FRAMES_AT_ONCE = 64
_BLOCK = 2**16
_LAYOUTS = {1: "mono", 2: "stereo"}


class Coded(NamedTuple):
    """What came out of a codec.

    Parameters
    ----------
    samples : float32 ``(channels, frames)``.
    kbits : of all that was encoded, in kbit/s.
    """

    samples: Floats
    kbits: float


class Codec(NamedTuple):
    """A codec of FFmpeg's.

    Parameters
    ----------
    encoder, decoder : FFmpeg's names.
    sent, heard : the formats of samples that they take and give.
    options : of the encoder.
    """

    encoder: str
    decoder: str
    sent: str
    heard: str
    options: dict[str, str]


CODECS = {
    "mp3": Codec("libmp3lame", "mp3float", "fltp", "fltp", {}),
    # Otherwise the bit rate is an aim that music misses by a quarter.
    "opus": Codec("libopus", "libopus", "flt", "flt", {"vbr": "off"}),
    "aac": Codec("aac", "aac", "fltp", "fltp", {}),
}
_MPEG_1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
MP3_KBITS = tuple(sorted({*_MPEG_1, *_MPEG_2}))
"""In kbit/s (ISO/IEC 11172-3, 13818-3)."""


def mp3_kbits(rate: int) -> tuple[int, ...]:
    """The bit rates of MP3 at a sample rate: of MPEG-1, of MPEG-2, of what was added to it."""
    return _MPEG_1 if rate >= 32_000 else _MPEG_2 if rate >= 16_000 else _MPEG_2[:8]


def rate_for(name: str, rate: int, channels: int, kbits: int) -> int:
    """The sample rate nearest to a sound's at which a codec has this bit rate.

    Parameters
    ----------
    name : mp3, opus or aac.
    kbits : one that it has at some rate.
    """

    def has(one: int) -> bool:
        if name == "mp3":
            return kbits in mp3_kbits(one)
        return name != "aac" or 1000 * kbits <= 6 * one * channels  # 6144 bits a frame of 1024

    rates = RATES["m4a" if name == "aac" else name]
    return min(filter(has, rates), key=lambda one: abs(one - rate))


def check_codec(name: str) -> None:
    """Raise RunError if this build of PyAV, or of libsndfile, lacks the codec."""
    lacking = ""
    if name in CODECS:
        import av

        codec = CODECS[name]
        try:
            av.codec.Codec(codec.encoder, "w")
            av.codec.Codec(codec.decoder, "r")
        except ValueError as error:  # which names it
            lacking = f"PyAV here: {error}"
    else:
        import soundfile

        kind, subtype = ("OGG", "VORBIS") if name == "vorbis" else ("WAV", "GSM610")
        if subtype not in soundfile.available_subtypes(kind):
            lacking = f"libsndfile here has no {subtype}"
    if lacking:
        raise RunError(f"{lacking}, which {name} needs", "install PyAV and soundfile from PyPI")


def transcoded(samples: Floats, rate: int, name: str, amount: float = 0) -> Coded:
    """Encode and decode a sound; what comes back is as long, and aligned to the sample.

    The sound is resampled where the codec lacks its rate, or the bit rate at it. Of more than two
    channels each pair is encoded by itself, the last alone where it is odd, and each at the full
    bit rate. What is beyond full scale is encoded softer.

    Parameters
    ----------
    samples : float32 ``(channels, frames)``.
    rate : samples per second.
    name : mp3, opus, aac, vorbis or gsm, which has one channel: all get it.
    amount : the bit rate in kbit/s; of vorbis the quality, 0 to 10, as ``oggenc -q``; of gsm
        nothing.

    Raises
    ------
    ItemError : ``no-codec``, when the encoder refuses the sound.
    """
    peak = max(1.0, float(np.abs(samples).max(initial=0)))
    soft = samples / np.float32(peak) if peak > 1 else samples
    if name == "gsm":
        parts = [_resampling(_gsm, mono(soft)[None], rate, GSM_RATE)]
        parts *= len(samples)
    else:
        pairs = [soft[first : first + 2] for first in range(0, len(soft), 2)]
        parts = [_of_pair(pair, rate, name, amount) for pair in pairs]
    joined = np.concatenate([part.samples for part in parts])
    kbits = sum(part.kbits for part in parts) if name != "gsm" else parts[0].kbits
    return Coded(joined * np.float32(peak) if peak > 1 else joined, kbits)


def _of_pair(samples: Floats, rate: int, name: str, amount: float) -> Coded:
    if name == "vorbis":
        highest = min(rate, 192_000)  # libsndfile 1.2.2 crashes beyond 200 kHz
        return _resampling(lambda x, at: _vorbis(x, at, amount), samples, rate, highest)
    kbits = round(amount)
    best = rate_for(name, rate, len(samples), kbits)
    return _resampling(lambda x, at: _ffmpeg(x, at, CODECS[name], kbits), samples, rate, best)


def _resampling(
    through: Callable[[Floats, int], Coded], samples: Floats, rate: int, at: int
) -> Coded:
    """A codec at another rate; what comes back has the sound's own, and its length."""
    coded = through(Resampler(rate, at).push(samples, last=True), at)
    back = Resampler(at, rate).push(coded.samples, last=True)
    return Coded(_fitted(back, samples.shape[1], slack=1 + rate // at), coded.kbits)


def _fitted(samples: Floats, frames: int, slack: int = 0) -> Floats:
    """Exactly so many frames; so few as resampling rounds away may be missing at the end."""
    missing = frames - samples.shape[1]
    if missing > slack:
        raise ItemError("no-codec", f"the decoder gave {missing} samples less than were encoded")
    if missing > 0:
        return np.pad(samples, ((0, 0), (0, missing)))
    return np.ascontiguousarray(samples[:, :frames])


def _ffmpeg(samples: Floats, rate: int, codec: Codec, kbits: int) -> Coded:
    import av

    packets: list[Any] = []
    try:
        encoder = _context(codec, "w", rate, len(samples))
        encoder.format, encoder.bit_rate = codec.sent, 1000 * kbits
        encoder.time_base, encoder.options = Fraction(1, rate), codec.options
        encoder.open()
        step = _FRAMES_AT_ONCE * encoder.frame_size
        for at in range(0, samples.shape[1], step):
            packets += encoder.encode(_frame(samples[:, at : at + step], codec, rate, at))
        packets += encoder.encode(None)
        heard = _decoded(packets, codec, rate, len(samples), encoder.extradata)
    except (av.error.FFmpegError, ValueError) as error:
        raise ItemError("no-codec", f"{codec.encoder} refuses it: {error}") from error
    encoded = len(packets) * encoder.frame_size
    # Some decoders take off by themselves what the encoder has put in front.
    before = -packets[0].pts - (encoded - heard.shape[1])
    kbits = 8 * sum(packet.size for packet in packets) * rate / encoded / 1000
    return Coded(_fitted(heard[:, before:], samples.shape[1]), kbits)


def _context(codec: Codec, mode: str, rate: int, channels: int) -> Any:
    import av

    name = codec.encoder if mode == "w" else codec.decoder
    context: Any = av.CodecContext.create(name, mode)  # type: ignore[call-overload]
    context.sample_rate, context.layout, context.thread_count = rate, _LAYOUTS[channels], 1
    context.flags |= av.codec.context.Flags.bitexact
    return context


def _frame(samples: Floats, codec: Codec, rate: int, at: int) -> Any:
    import av

    planar = codec.sent.endswith("p")
    data = np.ascontiguousarray(samples if planar else samples.T.reshape(1, -1))
    frame = av.AudioFrame.from_ndarray(data, codec.sent, _LAYOUTS[len(samples)])
    frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
    return frame


def _decoded(
    packets: list[Any], codec: Codec, rate: int, channels: int, extra: bytes | None
) -> Floats:
    """All that a decoder gives, what the encoder put around the sound too."""
    import av

    decoder = _context(codec, "r", rate, channels)
    decoder.options = {"request_sample_fmt": codec.heard}
    if extra:
        decoder.extradata = extra
    blocks = []
    # Of bytes alone, for beside them some packets say what a decoder is to leave out.
    for packet in [*(av.Packet(bytes(packet)) for packet in packets), None]:
        for frame in decoder.decode(packet):
            block = frame.to_ndarray()
            if not frame.format.is_planar:
                block = block.reshape(-1, channels).T
            blocks.append(block if block.dtype == np.float32 else block / np.float32(2**15))
    heard: Floats = np.concatenate(blocks, axis=1).astype(np.float32, copy=False)
    return heard


def _vorbis(samples: Floats, rate: int, quality: float) -> Coded:
    level = 1 - quality / 10
    return _sndfile(samples, rate, format="OGG", subtype="VORBIS", compression_level=level)


def _gsm(samples: Floats, rate: int) -> Coded:
    return _sndfile(samples, rate, format="WAV", subtype="GSM610")


def _sndfile(samples: Floats, rate: int, **form: Any) -> Coded:
    import soundfile

    held = io.BytesIO()
    try:
        with soundfile.SoundFile(held, "w", rate, len(samples), **form) as file:
            for at in range(0, samples.shape[1], _BLOCK):
                file.write(np.ascontiguousarray(samples[:, at : at + _BLOCK].T))
        size = held.tell()
        held.seek(0)
        heard, _ = soundfile.read(held, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ItemError("no-codec", f"libsndfile refuses it: {error}") from error
    frames = samples.shape[1]
    return Coded(_fitted(heard.T, frames), 8 * size * rate / max(1, frames) / 1000)
