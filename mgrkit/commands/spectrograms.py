"""``mgrkit spectrograms``: one PNG per track or piece, and their table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.batch import (
    Fetched,
    FolderSink,
    Item,
    Options,
    Output,
    Report,
    Summary,
    Work,
    run,
    run_now,
)
from mgrkit.batch.model import Row
from mgrkit.commands.plan import Plan, audio_and_noisy
from mgrkit.compute.device import resolve_device
from mgrkit.errors import AudioError, ItemError, UsageError
from mgrkit.frontend import DECIBELS, KINDS, FrontEnd, front_end
from mgrkit.frontend.presets import Preset, preset_of
from mgrkit.tracks.find import SOUND, Search, Track

if TYPE_CHECKING:
    from mgrkit.audio import Piece
    from mgrkit.reports.figures import Canvas
    from mgrkit.spectrograms import Image

DEFAULT_OUT = Path("spectrograms")
COLUMNS = ("peak_db",)


@dataclass(frozen=True)
class SpectrogramsSettings:
    """What decides the bytes of the pictures.

    ``piece_seconds`` None: a track of at most 45 s is one picture, a longer one is cut every
    30 s; a number cuts exactly so many seconds. ``axes`` 'hz' or 'notes' makes pictures for
    people, of a ``size`` in pixels such as '1000x500' (the default); '' plain ones.
    ``allow_truncated`` draws what can be decoded of a file that is cut or damaged on the way;
    pictures that an earlier run made of such files stand with it or without. ``device`` 'cpu', or
    'cuda' and 'cuda:1': pictures of another device are the same within one level of 255.
    """

    frontend: FrontEnd
    piece_seconds: float | None = None
    cmap: str = "magma"
    axes: str = ""
    size: str | None = None
    allow_truncated: bool = False
    device: str = "cpu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "device", resolve_device(self.device, ("cpu", "cuda")))
        if self.device != "cpu":
            from mgrkit.spectrograms import on_a_device

            if not on_a_device(self.frontend):
                kind = self.frontend.kind
                raise UsageError(f"--kind {kind} is computed on the CPU", "give --device cpu")
        if self.axes:
            self.canvas()
        from mgrkit.spectrograms.palettes import CMAPS

        if self.cmap not in CMAPS:
            raise UsageError(f"--cmap must be {', '.join(CMAPS)}, not {self.cmap!r}")
        if self.frontend.planes and self.cmap != "magma":
            raise UsageError("--cmap is not for --kind rgb, whose planes are the colours")
        if self.frontend.border and self.cmap != "magma":
            raise UsageError(f"--cmap must be magma for --kind {self.frontend.kind}")
        if self.axes == "notes" and KINDS[self.frontend.kind].law != DECIBELS:
            raise UsageError(f"--kind {self.frontend.kind} has no frequencies for --notes")
        least = self.frontend.least_samples / self.frontend.rate
        if self.piece_seconds is not None and not least <= self.piece_seconds <= 3600:
            raise UsageError(
                f"--piece-seconds must be from {least:.3g} (the least that can be drawn) to 3600, "
                f"not {self.piece_seconds:g}"
            )

    @classmethod
    def of(cls, **options: Any) -> SpectrogramsSettings:
        """The settings of single options, by the names of `mgrkit.frontend.front_end` and of this.

        ``size`` is that of the plain picture, or with ``axes`` of all that is drawn.
        """
        of_this = {field.name for field in fields(cls)}
        if not options.get("axes"):
            of_this -= {"size"}
        own = {name: options.pop(name) for name in of_this & options.keys()}
        return cls(front_end(**options), **own)

    @classmethod
    def of_preset(cls, name: str, **given: Any) -> SpectrogramsSettings:
        """The settings of a preset, and others, as for `of`, that it leaves open.

        Parameters
        ----------
        name : one of `mgrkit.frontend.presets.PRESETS`.

        Raises
        ------
        UsageError : an unknown preset, an option that contradicts it, a value out of range.

        >>> SpectrogramsSettings.of_preset("pons").frontend.bands
        40
        """
        preset = preset_of(name)
        options = preset.with_others(given)
        try:
            settings = cls.of(**options)
        except UsageError as error:
            raise UsageError(error.message, error.hint or preset.says()) from None
        if preset.frames:
            settings = replace(settings, piece_seconds=_cut(preset, settings))
        return settings

    def as_json(self) -> dict[str, object]:
        """For the journal: names and values as a person would compare them."""
        values: dict[str, object] = {
            "command": "spectrograms",
            **self.frontend.options(),
            "piece-seconds": self.piece_seconds,
            "cmap": self.cmap,
            "front-end": self.frontend.digest,
        }
        if self.device != "cpu":
            values["device"] = self.device.partition(":")[0]
        if self.axes:
            canvas = self.canvas()
            values |= {
                "notes" if self.axes == "notes" else "axes": True,
                "size": f"{canvas.width}x{canvas.height}",
            }
        return values

    def canvas(self) -> Canvas:
        """Where pictures for people are drawn; UsageError for a size that cannot be."""
        from mgrkit.reports.figures import Canvas

        notes = self.axes == "notes"
        return Canvas(notes=notes) if self.size is None else Canvas.of(self.size, notes)


def _cut(preset: Preset, settings: SpectrogramsSettings) -> float:
    """The seconds of pieces of which a preset's number of frames is drawn."""
    rate, asked = settings.frontend.rate, settings.piece_seconds
    samples = (preset.frames - 1) * settings.frontend.transform.hop_length
    if asked is not None and round(asked * rate) != samples:
        raise UsageError(
            f"piece_seconds {asked:g} contradicts preset {preset.name}, which sets pieces of "
            f"{preset.frames} frames, {samples / rate:.6g} s"
        )
    return samples / rate


def spectrograms(
    settings: SpectrogramsSettings,
    sources: Sequence[Path] = (),
    out: Path = DEFAULT_OUT,
    *,
    files: Sequence[str] | None = None,
    search: Search = SOUND,
    table: Path | None = None,
    options: Options | None = None,
    replace: bool = False,
    report: Report | None = None,
) -> Summary:
    """Make the pictures of all tracks below ``sources`` in ``out``.

    Parameters
    ----------
    sources : folders, one sound file or track table; empty for ``audio`` and ``noisy``.
    files : relative paths below the first source, instead of all that is there.
    search : which files of a folder are taken; by default those with a suffix of sound.
    table : whose rows name the files of the only source.

    Raises
    ------
    UsageError : OUT is a source or around one, or holds pictures of other settings.
    RunError : there is no sound, or OUT cannot be written.
    """
    sources = sources or audio_and_noisy()
    plan = Plan(sources, out, COLUMNS, files, search=search, table=table)
    frontend = settings.frontend
    common = {"kind": frontend.name, "rate": frontend.rate, "channels": 1}
    common["settings"] = frontend.digest

    def make(track: Track, row: Row, key: str) -> Iterator[Item]:
        row = {**row, **common, "path": f"{track.prefix}.png"}
        yield Item(
            f"{key}\t{frontend.name}", track.file, row, (track.prefix,), track.prefix, track.problem
        )

    items = plan.items(make)
    sink = FolderSink(out, settings.as_json(), replace, search.shard)
    sink.journal.asked = {**plan.asked, "allow-truncated": settings.allow_truncated}
    job = Fetched(partial(draw, settings))
    count = plan.finder.count
    return plan.complete(run_now(run(items, job, sink, plan.columns, options, report, count)))


def draw(settings: SpectrogramsSettings, item: Item, work: Work) -> list[Output]:
    """The job: one output per piece; a silent piece fails alone."""
    from mgrkit.audio import SHORTFALLS, open_sound, pieces

    frontend = settings.frontend
    allowed = settings.allow_truncated
    try:
        with open_sound(item.source, work.allow, allow_truncated=allowed) as sound:
            cut = pieces(sound, frontend.rate, settings.piece_seconds)
            outputs = [_drawn(settings, item, work, piece) for piece in cut]
    except AudioError as error:
        error.again = error.reason in SHORTFALLS  # so that --allow-truncated finds it again
        raise
    for output in outputs:
        output.warning = sound.warning
    return outputs


def _drawn(settings: SpectrogramsSettings, item: Item, work: Work, piece: Piece) -> Output:
    from mgrkit.spectrograms import render, write_png

    frontend = settings.frontend
    number = "" if piece.index is None else f".{piece.index:03}"
    row: Row = {
        "path": f"{item.args[0]}{number}.png",
        "start": round(piece.start, 6),
        "seconds": round(len(piece.samples) / frontend.rate, 6),
    }
    try:
        image = render(piece.samples, frontend, settings.device)
    except ItemError as error:
        return Output(row, error=error)
    temp = work.temp()
    if settings.axes:
        _draw_for_people(settings, temp, image, row, item.row["source"])
    else:
        write_png(temp, image, frontend, item.row["source"], settings.cmap)
    peak_db = "" if image.peak_db is None else round(image.peak_db, 4)
    return Output({**row, "peak_db": peak_db}, temp)


def _draw_for_people(
    settings: SpectrogramsSettings, temp: str, image: Image, row: Row, source: str
) -> None:
    from mgrkit.reports.figures import draw_figure

    draw_figure(
        temp,
        image,
        settings.frontend,
        source,
        settings.canvas(),
        cmap=settings.cmap,
        start=float(row["start"]),
        seconds=float(row["seconds"]),
    )
