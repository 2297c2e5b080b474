"""The listings: what is installed, what is wrong with it, and how a listing survives it."""

from __future__ import annotations

import importlib
import json
import os
import pty
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mgrkit.audio import chromaprint
from mgrkit.cli.app import app
from mgrkit.cli.group import COMMANDS
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands import doctor
from mgrkit.commands.extras import EXTRAS, examine_extras
from mgrkit.errors import RunError
from tests.datasets.made_tables import rows, write
from tests.registry.fakes import Site, installed_site, offering

Captured = pytest.CaptureFixture[str]
ROOT = Path(__file__).parent.parent.parent


def mgrkit(*words: object) -> int:
    return guarded(app, [str(word) for word in words])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with installed_site(tmp_path, monkeypatch) as one:
        one.install("neighbours", offering("hubness"), version="2.1")
        yield one


def listed(capsys: Captured, *words: str) -> Any:
    """What a command prints as JSON; it must end well."""
    capsys.readouterr()
    assert mgrkit(*words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_plugins_as_json(site: Site, capsys: Captured) -> None:
    found = {one["distribution"]: one for one in listed(capsys, "plugins")}
    assert next(iter(found)) == "mgrkit"
    assert found["neighbours"] == {
        "distribution": "neighbours",
        "version": "2.1",
        "status": "ok",
        "error": "",
        "classifiers": ["hubness"],
        "feature_sets": [],
    }


def test_mgrkits_own_plugin_is_well(site: Site, capsys: Captured) -> None:
    own = listed(capsys, "plugins")[0]
    assert (own["status"], own["error"]) == ("ok", "")
    assert {"svm", "random_forest"} <= set(own["classifiers"])
    assert "gtzan57" in own["feature_sets"]
    assert "musicnn-tags" in own["feature_sets"]


def test_a_broken_plugin_is_shown_and_breaks_no_listing(site: Site, capsys: Captured) -> None:
    site.install("wreck", "1 / 0", version="0.3")
    found = {one["distribution"]: one for one in listed(capsys, "plugins")}
    assert (found["wreck"]["version"], found["wreck"]["status"]) == ("0.3", "broken")
    assert "ZeroDivisionError" in found["wreck"]["error"]
    assert found["neighbours"]["status"] == "ok"
    assert mgrkit("plugins") == 0
    shown = capsys.readouterr()
    assert "ZeroDivisionError" in shown.out
    assert shown.err == "warning: broken plugins: wreck 0.3\n"
    assert mgrkit("classifiers") == 0
    shown = capsys.readouterr()
    assert "hubness" in shown.out
    assert shown.err == "warning: broken plugins: wreck 0.3 (mgrkit plugins says why)\n"


def test_json_stays_json_when_a_plugin_prints(site: Site, capsys: Captured) -> None:
    site.install("loud", "print('{')\n" + offering("loud"))
    assert "loud" in {one["name"] for one in listed(capsys, "classifiers")}


def test_classifiers_as_json(site: Site, capsys: Captured) -> None:
    found = {one["name"]: one for one in listed(capsys, "classifiers")}
    assert found["hubness"] == listed(capsys, "classifiers", "hubness")
    shown = {key: found["hubness"][key] for key in ("summary", "eats", "distribution", "version")}
    assert shown == {
        "summary": "k nearest neighbours",
        "eats": "samples",
        "distribution": "neighbours",
        "version": "2.1",
    }
    assert (found["hubness"]["status"], found["hubness"]["error"]) == ("ok", "")
    assert found["hubness"]["parameters"] == [
        {
            "name": "k",
            "type": "int",
            "default": 5,
            "help": "neighbours that vote",
            "low": 1,
            "high": 99,
        },
        {
            "name": "vote",
            "type": "str",
            "default": "even",
            "help": "how they vote",
            "choices": ["even", "distance"],
        },
    ]


def test_errors_reach_the_terminal_on_one_short_line(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "first\x1b[2J\nsecond " + "x" * 10_000

    def fail() -> None:
        raise RunError(text, "mend it")

    monkeypatch.setattr("mgrkit.models.listing.list_models", fail)
    assert mgrkit("models") == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("mgrkit: first\\x1b[2J\\x0asecond xxx")
    assert shown.err.endswith("xxx (mend it)\n")
    assert " ... " in shown.err
    assert len(shown.err) < 900
    assert shown.err.count("\n") == 1
    assert mgrkit("models", "--json") == 3
    assert json.loads(capsys.readouterr().out)["error"] == f"{text} (mend it)"


FAILING = """
import numpy as np
from mgrkit.classifiers import Classifier
from mgrkit.registry import ClassifierSpec, hookimpl

@hookimpl
def mgrkit_classifiers():
    return [ClassifierSpec("failing", "fails", "failing_hooks:Failing")]

class Failing(Classifier):
    def fit(self, train, valid, run):
        raise SystemExit(0)

    predict_proba = state = restore = fit
"""


def test_a_classifier_that_exits_ends_training_with_its_name(
    site: Site, capsys: Captured, tmp_path: Path
) -> None:
    site.install("failing", FAILING)
    write(tmp_path / "features.csv", rows())
    out = tmp_path / "failing.safetensors"
    words = ["train", "failing", tmp_path / "features.csv", "--out", out]
    assert mgrkit(*words, "--json") == 3
    shown = capsys.readouterr()
    message = "the classifier failing failed: SystemExit: 0 (please tell its author)"
    assert json.loads(shown.out) == {"error": message, "exit_code": 3}
    assert f"mgrkit: {message}\n" in shown.err
    assert not out.exists()


def test_a_classifier_that_needs_what_is_not_installed(site: Site, capsys: Captured) -> None:
    site.install(
        "distant", offering("far").replace("spec('far'", "spec('far', requires=('faraway',)")
    )
    one = listed(capsys, "classifiers", "far")
    assert one["status"] == "unavailable"
    assert one["error"] == "needs faraway (pip install faraway)"


def test_a_classifier_of_features_that_nobody_provides(site: Site, capsys: Captured) -> None:
    site.install(
        "distant", offering("far").replace("spec('far'", "spec('far', eats='features:far'")
    )
    one = listed(capsys, "classifiers", "far")
    assert one["status"] == "unavailable"
    assert "no feature set 'far'" in one["error"]


def test_a_classifier_that_two_distributions_claim(site: Site, capsys: Captured) -> None:
    site.install("other", offering("hubness"))
    found = [one for one in listed(capsys, "classifiers") if one["name"] == "hubness"]
    assert [one["status"] for one in found] == ["broken", "broken"]
    assert mgrkit("classifiers", "hubness") == 2
    assert "claimed by neighbours and by other" in capsys.readouterr().err


def test_an_unknown_classifier(site: Site, capsys: Captured) -> None:
    assert mgrkit("classifiers", "hubnes") == 2
    assert "no classifier 'hubnes' (did you mean hubness?" in capsys.readouterr().err


def test_the_page_of_a_classifier(site: Site, capsys: Captured) -> None:
    assert mgrkit("classifiers", "hubness") == 0
    page = capsys.readouterr().out
    for words in (
        "k nearest neighbours", "neighbours 2.1", "samples", "Cover and Hart 1967",
        "k        int   5", "neighbours that vote", "from 1 to 99", "one of even, distance",
    ):  # fmt: skip
        assert words in page


def too_long(text: str) -> list[str]:
    """Lines of more than 80 characters; a path is never broken, however long it is."""
    return [line for line in text.splitlines() if len(line) > 80 and " " in line.strip()]


def test_listings_fit_80_columns(site: Site, capsys: Captured) -> None:
    code = f"raise ValueError('{'what went wrong here was long to tell ' * 9}')"
    site.install("a-distribution-with-quite-a-name", code)
    for words in (["plugins"], ["classifiers"], ["classifiers", "hubness"], ["models"]):
        assert mgrkit(*words) == 0
        out = capsys.readouterr().out
        assert not too_long(out), out


def test_control_characters_of_a_plugin_do_not_reach_the_terminal(
    site: Site, capsys: Captured
) -> None:
    site.install("coloured", "raise ValueError('\\x1b[31mred')")
    assert mgrkit("plugins") == 0
    assert "\\x1b[31mred" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["plugins"], ["classifiers", "svm"], ["models"]])
def test_listings_fit_a_terminal_of_80_columns(words: list[str]) -> None:
    leader, follower = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm", "NO_COLOR": "1"}
    subprocess.run(
        [sys.executable, "-m", "mgrkit", *words], stdout=follower, env=environment, check=True
    )
    os.close(follower)
    text = b""
    try:
        while part := os.read(leader, 65536):
            text += part
    except OSError:  # the last writer is gone
        pass
    os.close(leader)
    lines = re.sub(r"\x1b\[[\d;]*m", "", text.decode()).splitlines()
    assert lines
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("words", [["plugins"], ["classifiers"], ["classifiers", "svm"]])
def test_listings_import_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\n"
        "from mgrkit.cli.app import app\n"
        f"app({words!r}, standalone_mode=False)\n"
        "print('LOADED', *sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in out.stdout.split("LOADED")[1].split()}
    assert not loaded & {"numpy", "sklearn", "torch", "scipy", "polars", "rich", "asyncio"}


# --- doctor


@pytest.fixture
def healthy(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Without what takes seconds to import."""
    monkeypatch.setattr(doctor, "_devices", lambda: ["cpu"])
    imported = importlib.import_module
    slow = ("sklearn", "polars", "scipy", "audiomentations")

    def quick(name: str, package: str | None = None) -> object:
        return None if name in slow else imported(name, package)

    monkeypatch.setattr(doctor.importlib, "import_module", quick)
    return site


@pytest.mark.torch
def test_doctor_says_what_is_there(healthy: Site, capsys: Captured) -> None:
    healthy.install("wreck", "1 / 0")
    found = listed(capsys, "doctor")
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {one["name"]: one["error"] for one in found["dependencies"]}["soundfile"] == ""
    assert {one["status"] for one in found["commands"]} == {"ok"}
    assert {"augment", "predict", "plugins"} <= {one["name"] for one in found["commands"]}
    sndfile, ffmpeg = found["decoders"]
    assert (sndfile["error"], ffmpeg["error"]) == ("", "")
    assert "FLAC" in sndfile["formats"]
    assert "mp3" in ffmpeg["formats"]
    assert found["cache"]["writable"]
    # The factory of neighbours is nowhere, of which its listing knows nothing.
    neighbours, wreck = found["plugins"]
    assert neighbours["error"].startswith(
        "hubness: cannot load nowhere.model:Model: ModuleNotFound"
    )
    assert neighbours["mend"] == "pip install --upgrade neighbours, or pip uninstall neighbours"
    assert (wreck["distribution"], wreck["version"]) == ("wreck", "1.0")


def test_doctor_recommends_nothing_that_only_a_checkout_has(
    healthy: Site, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: "0.1")
    assert mgrkit("doctor") == 1
    text = capsys.readouterr().out
    assert "pip install --upgrade soxr" in text
    for word in ("constraints", "nox", "hypothesis"):
        assert word not in text


@pytest.mark.torch
def test_doctor_says_which_torch_is_there(
    healthy: Site, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    for cuda, hip, found in (
        (None, None, "CPUs"), ("12.8", None, "CUDA 12.8"), (None, "6.4", "ROCm 6.4"),
    ):  # fmt: skip
        monkeypatch.setattr(torch.version, "cuda", cuda)
        monkeypatch.setattr(torch.version, "hip", hip)
        assert doctor._torch().startswith(found)
    mgrkit("doctor")
    assert re.search(r"\ntorch +built for ROCm 6.4\n", capsys.readouterr().out)


def test_the_cure_of_a_decoder_is_a_release_that_was_tried(
    healthy: Site, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    for distribution, untried in doctor._DECODERS.values():
        tried = [re.split("==|;", line)[1] for line in lines if line.startswith(f"{distribution}=")]
        assert max(map(doctor._numbers, tried)) < doctor._numbers(untried)
    monkeypatch.setattr("mgrkit.audio.pyav.PyavDecoder.blocks", lambda *_: iter(()))
    assert mgrkit("doctor", "--json") == 1
    broken = json.loads(capsys.readouterr().out)["decoders"][1]
    assert broken["mend"] == "pip install --force-reinstall 'av<20'"


@pytest.mark.torch
def test_doctor_in_words(healthy: Site, capsys: Captured) -> None:
    assert mgrkit("doctor") == 0
    text = capsys.readouterr().out
    assert "decoder libsndfile  ok" in text
    assert max(map(len, text.splitlines())) <= 80


def test_doctor_knows_every_command() -> None:
    assert COMMANDS.keys() - {"doctor"} <= set(doctor._NEEDS)


def test_doctor_knows_every_dependency() -> None:
    assert set(doctor._requirements()) == {n for need in doctor._NEEDS.values() for n in need} | {
        "typer"
    }


def test_doctor_knows_every_extra() -> None:
    """But for those of mgrkit's own development."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = project["optional-dependencies"]
    assert {extra.name for extra in EXTRAS} == named.keys() - {"docs", "test", "bench"}
    for extra in EXTRAS:
        listed = [re.split("[>=[]", need)[0] for need in named[extra.name]]
        assert [*extra.needs] == [name for name in listed if name != "audiomentations"]


@pytest.mark.parametrize("away", [name for extra in EXTRAS for name in extra.needs])
def test_doctor_says_what_an_extra_is_for_and_how_to_get_it(
    healthy: Site, monkeypatch: pytest.MonkeyPatch, capsys: Captured, away: str
) -> None:
    def version(name: str) -> str:
        return "" if name == away else "9999"

    monkeypatch.setattr(doctor, "_version", version)
    monkeypatch.setattr("mgrkit.audio.chromaprint._commands", list)
    chromaprint.program.cache_clear()
    extra = next(extra for extra in EXTRAS if away in extra.needs)
    assert mgrkit("doctor") in (0, 1)
    said = rf"\n{extra.name} +- +{re.escape(extra.use)}\n +lacks {away}: (pip .*)\n"
    found = re.search(said, capsys.readouterr().out)
    assert found
    assert found[1] == f"pip install 'mgrkit[{extra.name}]'"


def test_a_program_fpcalc_stands_for_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mgrkit.audio.chromaprint.program", lambda: ("fpcalc",))
    lacking = {one["name"] for one in examine_extras(lambda _: "", []) if one["lacks"]}
    assert lacking == {"cluster", "explore", "remote", "tags", "tune", "watch"}


def test_the_extra_of_recipes_is_what_transforms_lack() -> None:
    lacks = {"name": "Limiter", "lacks": "numpy-audio-limiter", "mend": "pip"}
    (recipes,) = (one for one in examine_extras(lambda _: "1", [lacks] * 2) if one["lacks"])
    assert recipes["lacks"] == ["numpy-audio-limiter"]
    assert recipes["mend"] == "pip install 'mgrkit[recipes]'"


def test_doctor_finds_a_missing_library(
    healthy: Site, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: "" if name == "soxr" else real(name))
    assert mgrkit("doctor", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    broken = {one["name"] for one in found["commands"] if one["status"] == "broken"}
    assert {"augment", "predict"} <= broken
    assert not {"plugins", "models"} & broken
    soxr = next(one for one in found["dependencies"] if one["name"] == "soxr")
    assert soxr["error"] == "not installed"
    assert soxr["mend"] == "pip install soxr"


def test_what_cannot_be_imported_sends_to_the_doctor(
    healthy: Site, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mgrkit.commands.plugins", None)
    assert mgrkit("plugins") == 3
    output = capsys.readouterr().err
    assert "mgrkit.commands.plugins" in output
    assert output.endswith("(mgrkit doctor says what is missing or broken, and the cure)\n")


@pytest.mark.parametrize(
    ("away", "command", "extra"),
    [
        ("optuna", "tune", "tune"),
        ("mutagen", "tag", "tags"),
        ("imageio-ffmpeg", "duplicates", "duplicates"),
    ],
)
def test_without_an_extra_nothing_is_broken_but_one_command_wants_it(
    healthy: Site,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
    away: str,
    command: str,
    extra: str,
) -> None:
    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: "" if name == away else version(name))
    monkeypatch.setattr("mgrkit.audio.chromaprint._commands", list)
    chromaprint.program.cache_clear()
    found = listed(capsys, "doctor")
    wanting = [one for one in found["commands"] if one["status"] != "ok"]
    assert [one["name"] for one in wanting] == [command]
    assert wanting[0]["error"] == f"{away}: not installed, pip install 'mgrkit[{extra}]'"
    assert found["exit_code"] == 0


def test_without_torch_the_doctor_names_the_networks_alone(
    healthy: Site, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: "" if name == "torch" else real(name))
    assert mgrkit("doctor", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    broken = [one for one in found["commands"] if one["status"] == "broken"]
    assert [one["name"] for one in broken] == ["networks"]
    assert "torch: not installed" in broken[0]["error"]


def test_doctor_finds_a_library_that_is_too_old(
    healthy: Site, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: "0.9" if name == "isal" else real(name))
    assert mgrkit("doctor") == 1
    assert "too old, 1.6 is needed" in capsys.readouterr().out


def test_doctor_finds_a_library_that_cannot_be_imported(
    healthy: Site, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    for name in ("mgrkit.audio.sndfile", "mgrkit.audio.pyav"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert mgrkit("doctor", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    shown = {one["name"]: one["error"] for one in found["dependencies"]}["soundfile"]
    assert shown.startswith("cannot be imported: ModuleNotFoundError")
    assert found["decoders"][0]["error"]


def test_doctor_finds_a_decoder_that_loses_samples(
    healthy: Site, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mgrkit.audio.sndfile.SndfileDecoder.blocks", lambda *_: iter(()))
    assert mgrkit("doctor") == 1
    assert "0 samples of 800 came out" in capsys.readouterr().out


def test_the_cure_of_a_plugin_that_is_not_there_is_the_variable(
    healthy: Site, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("MGRKIT_PLUGINS", "nix")
    [nix] = listed(capsys, "doctor")["plugins"]
    assert nix["mend"] == "correct or unset MGRKIT_PLUGINS"


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        ("import not_here.part", "pip install not_here"),
        ("import lacks_hooks.part", "pip install --upgrade lacks, or pip uninstall lacks"),
    ],
)
def test_the_cure_of_a_plugin_that_lacks_a_module_is_that_module(
    healthy: Site, code: str, mend: str, capsys: Captured
) -> None:
    healthy.install("lacks", code)
    lacks = next(p for p in listed(capsys, "doctor")["plugins"] if p["distribution"] == "lacks")
    assert "ModuleNotFoundError" in lacks["error"]
    assert lacks["mend"] == mend


def test_a_torch_that_cannot_be_imported_is_not_built_for_anything(
    healthy: Site, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: "9" if name == "torch" else real(name))
    monkeypatch.setitem(sys.modules, "torch", None)
    assert mgrkit("doctor") == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "torch cannot be imported: ModuleNotFoundError" in text
    assert "as pytorch.org says for your machine; predicting on a CPU needs none" in text
    assert "pip install --force-reinstall torch" not in text
    assert "built for" not in text


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
def test_the_cache_is_tried(
    healthy: Site, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MGRKIT_CACHE", "/proc/x")
    assert not listed(capsys, "doctor")["cache"]["writable"]
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "some" / "where"))
    there = set(tmp_path.iterdir())
    assert listed(capsys, "doctor")["cache"]["writable"]
    assert set(tmp_path.iterdir()) == there


@pytest.mark.torch
def test_doctor_finds_that_the_cache_cannot_be_written(
    healthy: Site, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "file").chmod(0o777)
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "file" / "cache"))
    found = listed(capsys, "doctor")
    assert not found["cache"]["writable"]
    assert "MGRKIT_CACHE" in found["cache"]["mend"]
