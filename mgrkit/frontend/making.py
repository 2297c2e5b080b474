"""A front end from single options."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from mgrkit.errors import UsageError
from mgrkit.frontend.checks import belongs, check_belonging, one_of
from mgrkit.frontend.kinds import DECIBELS, KINDS, RGB, Kind
from mgrkit.frontend.notes import hertz_of
from mgrkit.frontend.parts import Compression, Decibels, Logarithm, Mel, Size, Transform
from mgrkit.frontend.record import PARTS, FrontEnd

LOGS = ("db", "log10", "ln")
REFS: dict[object, str] = {"peak": "peak", "1.0": "one", "1": "one", 1: "one"}
_USUAL: dict[str, Any] = {"n_fft": 2048, "hop_length": 512, "window": "hann", "power": 2.0}
_OF_A_THIRD = 36
"""Bins of an octave that are folded to twelve, as in librosa."""


def front_end(
    kind: str = "mel",
    *,
    sample_rate: int = 22050,
    n_fft: int = 2048,
    hop_length: int = 512,
    window: str = "hann",
    power: float = 2,
    n_mels: int | None = None,
    fmin: float | str | None = None,
    fmax: float | None = None,
    log: str | None = None,
    ref: str | float | None = None,
    top_db: float | None = None,
    floor: str | None = None,
    n_mfcc: int | None = None,
    dct_type: int | None = None,
    lifter: float | None = None,
    bins_per_octave: int | None = None,
    octaves: int | None = None,
    lags: int | None = None,
    size: str | None = None,
    resample: str | None = None,
) -> FrontEnd:
    """A checked front end.

    What a kind does not have must be left out; of 'kaggle-images' and 's2-images' nothing else than
    the defaults is taken.

    Parameters
    ----------
    kind : one of `mgrkit.frontend.KINDS`, or three as 'rgb:A,B,C'; an option is then for those that
        have what it is of.
    sample_rate : 1,000 to 384,000 Hz.
    n_fft : window and transform in samples, 16 to 65,536.
    hop_length : samples from one frame to the next, 1 to ``n_fft``.
    window : 'hann', 'hamming', 'blackman', 'blackmanharris' (92 dB) or 'blackmanharris62'.
    power : of the magnitudes, 2 or 1.
    n_mels : mel bands (128), no more than leaves each one a frequency of the transform.
    fmin, fmax : of mel, in Hz or the names of notes, 0 <= fmin < fmax <= sample_rate / 2 (0,
        sample_rate / 2). Of constant Q ``fmin`` is the note of the lowest bin ('C1').
    log : 'db'; 'log10' for log10(1 + 10,000 power); or 'ln' for ln(power), from 1e-10 on.
    ref : 'peak', or 1.0 for levels that can be compared between pictures; see `Decibels`.
    top_db : dB below the peak that are kept, above 0 and up to 200 (80).
    floor : what 0 is in a picture: 'top-db' below the peak, or 'least', its own least level, as
        matplotlib draws; see `Decibels`.
    n_mfcc, dct_type, lifter : of mfcc (20, 2, 0), see `Cepstrum`.
    bins_per_octave, octaves : of constant Q (12, of chroma and tonnetz 36; 7).
    lags : of tempogram, in frames (384).
    size : of pictures, in pixels from '8x8' to '4096x4096'; one pixel per band and frame else.
    resample : to that size: 'nearest', 'bilinear', 'area' or 'matplotlib' ('bilinear'); see `Size`.

    Raises
    ------
    UsageError : a value out of range, or that the kind does not have; the message says what is
        allowed.
    """
    transform = {"n_fft": n_fft, "hop_length": hop_length, "window": window, "power": power}
    options = {
        "n_mels": n_mels, "fmin": fmin, "fmax": fmax, "log": log, "ref": ref, "top_db": top_db,
        "floor": floor, "n_mfcc": n_mfcc, "dct_type": dct_type, "lifter": lifter,
        "bins_per_octave": bins_per_octave, "octaves": octaves, "lags": lags,
    }  # fmt: skip
    given = {name: value for name, value in options.items() if value is not None}
    pixels = _size(size, resample)
    if not str(kind).startswith(f"{RGB}:"):
        if kind == RGB:
            raise UsageError("kind rgb must name three kinds, such as rgb:mel,cqt,mfcc")
        return _of_one(kind, sample_rate, transform, given, pixels)
    planes = _planes(str(kind).removeprefix(f"{RGB}:").split(","), sample_rate, transform, given)
    return FrontEnd(
        kind=RGB,
        sample_rate=sample_rate,
        transform=planes[0].transform,
        mel=None,
        decibels=None,
        size=pixels,
        planes=planes,
    )


def _planes(
    kinds: list[str], sample_rate: int, transform: dict[str, Any], given: dict[str, Any]
) -> tuple[FrontEnd, ...]:
    """A front end of each kind, with those options that it has."""
    single = [kind for kind in KINDS if kind != RGB]
    if len(kinds) != 3:
        raise UsageError(f"kind rgb must name three kinds, not {len(kinds)}")
    for kind in kinds:
        one_of("each kind of rgb", kind, *single)
    for name in given:
        if not any(belongs(name, kind) for kind in kinds):
            raise UsageError(f"{name} belongs to none of kind {', '.join(kinds)}")
    have_mel = any(KINDS[kind].has_mel for kind in kinds)
    fixed = [set(transform if KINDS[k].is_fixed else KINDS[k].fixed) for k in kinds]
    made = []
    for kind, of_kind in zip(kinds, fixed, strict=True):
        own = {name: value for name, value in given.items() if belongs(name, kind)}
        in_hertz = not isinstance(own.get("fmin", ""), str)
        if have_mel and in_hertz and "constant_q" in KINDS[kind].parts:
            del own["fmin"]  # which is for mel
        # What is fixed in all of them is given to them, to be refused.
        free = {
            name: value
            for name, value in transform.items()
            if name not in of_kind or all(name in one for one in fixed)
        }
        made.append(_of_one(kind, sample_rate, _USUAL | free, own, None))
    return tuple(made)


def _of_one(
    kind: str,
    sample_rate: int,
    transform: dict[str, Any],
    given: dict[str, Any],
    size: Size | None,
) -> FrontEnd:
    rules = KINDS[one_of("kind", kind, *KINDS)]
    check_belonging(kind, given)
    parts: dict[str, Any] = {"mel": None}
    if rules.has_mel:
        low, high = _in_hertz(given.get("fmin", 0.0)), given.get("fmax", _half(sample_rate))
        parts["mel"] = Mel(given.get("n_mels", 128), low, _in_hertz(high))
    for name in rules.parts:
        of_part = {f.name for f in dataclasses.fields(PARTS[name])}
        usual = {"bins_per_octave": _OF_A_THIRD} if rules.bands else {}
        parts[name] = PARTS[name](**usual | {n: v for n, v in given.items() if n in of_part})
    power = transform["power"]
    return FrontEnd(
        kind=kind,
        sample_rate=sample_rate,
        transform=Transform(**transform | {"power": _float(power)}, padding=rules.padding),
        size=size,
        **parts,
        **_laws(rules, given),
    )


def _size(size: str | None, resample: str | None) -> Size | None:
    if size is None:
        if resample is not None:
            raise UsageError("resample is for a size, of pictures without axes")
        return None
    match = re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})", size)
    if not match:
        raise UsageError(f"size must be WxH in pixels such as 224x224, not {size!r}")
    return Size(int(match[1]), int(match[2]), "bilinear" if resample is None else resample)


def _laws(rules: Kind, given: dict[str, Any]) -> dict[str, Any]:
    """The law, or the decibels that are on the way to something else."""
    top_db = given.get("top_db", 80.0)
    if rules.law != DECIBELS:
        return {"decibels": Decibels(ref="one", top_db=top_db) if rules.has_mel else None}
    log, ref = one_of("log", given.get("log", "db"), *LOGS), given.get("ref", "peak")
    ref = REFS.get(ref) or one_of("ref", ref, "peak", 1.0)
    if log == "db":
        return {"decibels": Decibels(ref=ref, top_db=top_db, floor=given.get("floor", rules.floor))}
    for name in ("top_db", "floor"):
        if name in given:
            raise UsageError(f"{name} belongs to log db, not to {log}")
    if log == "log10":
        return {"decibels": None, "compression": Compression(ref=ref)}
    return {"decibels": None, "logarithm": Logarithm(ref=ref)}


def _float(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _in_hertz(value: Any) -> Any:
    return hertz_of(value) if isinstance(value, str) else value


def _half(sample_rate: object) -> float:
    # A sample rate that is no number is named by the check, not by a failed division.
    return sample_rate / 2 if isinstance(sample_rate, int) else 0.0
