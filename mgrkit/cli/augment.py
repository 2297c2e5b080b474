"""``mgrkit augment``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mgrkit.cli.mixing import (
    Clip,
    MixGain,
    Mono,
    Names,
    NoiseStart,
    Preset,
    Presets,
    Rate,
    Seconds,
    Start,
)
from mgrkit.cli.options import (
    Cluster,
    Debug,
    DryRun,
    FilesFrom,
    FilesFrom0,
    Json,
    ListIgnored,
    Quiet,
    Replace,
    ShardOf,
    SourceTable,
    Suffix,
    Timeout,
    Workers,
    number,
    read_list,
)
from mgrkit.errors import UsageError

if TYPE_CHECKING:
    from mgrkit.commands.copying import AugmentSettings

_LISTS = "it lists, and makes nothing"


def augment(
    src: Annotated[
        Path | None,
        typer.Argument(
            metavar="SRC",
            readable=False,
            help="Folder, sound file or track table. [default: audio]",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the copies.")] = Path(
        "noisy"
    ),
    noise: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NOISE",
            help="white, pink, brown, blue, violet, or a recording or a folder of recordings; "
            "may be repeated. [default: white, if there is no --recipe]",
            show_default=False,
        ),
    ] = None,
    snr: Annotated[
        list[float] | None,
        typer.Option(
            metavar="DB",
            help="Signal-to-noise ratio in dB, -20 to 80; may be repeated. [default: 10]",
            show_default=False,
            **number(float, -20, 80),
        ),
    ] = None,
    mix_gain: MixGain = None,
    noise_start: NoiseStart = None,
    clip: Clip = None,
    start: Start = None,
    seconds: Seconds = None,
    rate: Rate = None,
    mono: Mono = False,
    names: Names = None,
    preset: Preset = None,
    presets: Presets = False,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RECIPE",
            help="phone, radio, cassette, club, streaming-low, pitch-and-stretch, or a TOML file "
            "of your own; may be repeated.",
            show_default=False,
        ),
    ] = None,
    copies: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Copies of each noise and SNR, and by each recipe. [default: 1, or what the "
            "recipe says]",
            show_default=False,
            **number(int, 1, 100_000),
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Another seed, another noise. [default: 0]",
            show_default=False,
            **number(int),
        ),
    ] = None,
    subtype: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE", help="PCM_16, PCM_24 or FLOAT. [default: PCM_16]", show_default=False
        ),
    ] = None,
    format: Annotated[  # noqa: A002
        str | None,
        typer.Option(metavar="TYPE", help="wav or flac. [default: wav]", show_default=False),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE",
            help="Make the copies again that this table of an earlier call lists: the same names, "
            "the same bytes. Name recordings and recipe files of your own again.",
            show_default=False,
        ),
    ] = None,
    transforms: Annotated[
        bool,
        typer.Option(
            "--transforms",
            help="List the transforms that a recipe can name, or with a name in the place of SRC "
            "show that one, and make nothing.",
        ),
    ] = False,
    workers: Workers = 4,
    timeout: Timeout = None,
    table: SourceTable = None,
    files_from: FilesFrom = None,
    files_from0: FilesFrom0 = None,
    suffix: Suffix = None,
    list_ignored: ListIgnored = False,
    shard: ShardOf = None,
    cluster: Cluster = None,
    replace: Replace = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Make copies of sound files: with exact noise, by recipes.

    \b
    mgrkit augment                                audio -> noisy, white, 10 dB
    mgrkit augment --noise pink --noise white --snr 0 --snr 10 --copies 2
    mgrkit augment audio noisy --noise cafe.wav --snr 5
    mgrkit augment audio noisy --noise cafe.wav --mix-gain 0.3 --noise-start 0
    mgrkit augment audio genres_noisy --preset s2 --noise cafe.wav
    mgrkit augment song.mp3 out --subtype FLOAT
    mgrkit augment audio altered --recipe phone --recipe mine.toml
    mgrkit augment audio again --replay altered/tracks.csv --recipe mine.toml
    mgrkit augment --presets                      whose copies can be made
    mgrkit augment --transforms PitchShift        what a recipe can do

    Noisy copies are called <stem>.<noise>_<snr>dB_<k>.wav and keep rate, length and channels of
    their source, unless told otherwise. The SNR holds in the written file, of power above 20 Hz:
    an offset or rumble is neither signal nor noise. OUT/tracks.csv gives it as measured, with the
    gain that the finished mix got against clipping. With --mix-gain the SNR is what comes out;
    names then have gain<G> instead of <snr>dB.

    A recipe is an ordered list of steps: transforms of audiomentations, noise, codecs. Its copies
    are called <stem>.<recipe>_<k>.wav; OUT/tracks.csv says what was drawn for each.
    """
    from mgrkit.augment.presets import preset_of
    from mgrkit.batch import Options
    from mgrkit.cli.terminal.console import Console
    from mgrkit.commands.augment import DEFAULT_SOURCE
    from mgrkit.commands.augment import augment as command
    from mgrkit.commands.augment import replay as again
    from mgrkit.tracks.find import Search

    root = src or (Path() if files_from or files_from0 else DEFAULT_SOURCE)
    search = Search.of(suffix or (), lists_ignored=list_ignored, shard=shard)
    options = Options(workers, timeout, dry=dry_run, cluster=cluster)
    decided: dict[str, Any] = {
        "--snr": snr, "--mix-gain": mix_gain, "--noise-start": noise_start, "--clip": clip,
        "--start": start, "--seconds": seconds, "--rate": rate, "--mono": mono or None,
        "--names": names, "--copies": copies, "--seed": seed, "--subtype": subtype,
        "--format": format,
    }  # fmt: skip
    others = {
        "--preset": preset, "--table": table, "--files-from": files_from,
        "--files-from0": files_from0, "--shard": shard,
    }  # fmt: skip
    several = {"--noise": noise, "--recipe": recipe, "--replay": replay, **decided, **others}
    if transforms:
        from mgrkit.cli.views.transforms import show_transforms

        _refuse("--transforms", _LISTS, several)
        return show_transforms(str(src or ""), as_json=as_json)
    if presets:
        from mgrkit.cli.views.mixes import show_presets

        _refuse("--presets", _LISTS, {"SRC": src, **several})
        return show_presets(as_json=as_json)
    if replay:
        _refuse("--replay", "its table says it", decided | others)
    if preset:
        decided = preset_of(preset).with_others({**decided, "--recipe": recipe})
        preset_of(preset).check_noise(noise or ())
    with Console("augment", quiet=quiet, debug=debug) as console:
        if replay:
            summary = again(
                replay,
                root,
                out,
                noises=noise or (),
                recipes=recipe or (),
                search=search,
                options=options,
                replace=replace,
                report=console.report,
            )
            return console.show(summary, out, as_json=as_json)
        summary = command(
            _settings(decided),
            root,
            out,
            noises=noise or (),
            snrs=decided["--snr"] or (),
            gains=decided["--mix-gain"] or (),
            recipes=recipe or (),
            copies=decided["--copies"],
            files=read_list(files_from, files_from0, root),
            search=search,
            table=table,
            options=options,
            replace=replace,
            report=console.report,
        )
        return console.show(summary, out, as_json=as_json, shard=shard)


def _refuse(name: str, why: str, others: Mapping[str, object]) -> None:
    """Raise UsageError for the first option that is given beside this one."""
    if given := [other for other, value in others.items() if value is not None]:
        raise UsageError(f"{name} takes no {given[0]}", why)


def _settings(decided: Mapping[str, Any]) -> AugmentSettings:
    """The settings of the options that are given, by their names."""
    from mgrkit.augment import Excerpt
    from mgrkit.commands.copying import AugmentSettings

    part = Excerpt(
        decided["--start"] or 0.0, decided["--seconds"], decided["--rate"], bool(decided["--mono"])
    )
    return AugmentSettings(
        decided["--seed"] or 0,
        decided["--subtype"] or "PCM_16",
        decided["--format"] or "wav",
        part,
        decided["--noise-start"],
        decided["--clip"] or "gain",
        decided["--names"] or "own",
    )
