"""The commands and the Python of the README and of the docs run."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands import demo
from mgrkit.registry import installed
from mgrkit.tracks.splits import PARTS

ROOT = Path(__file__).parent.parent.parent
DOCS = [
    ROOT / "docs" / line.split(": ")[1]
    for line in (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2].splitlines()
    if line.endswith(".md")
]
"""The pages in the order of the site."""
README = ROOT / "README.md"


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


def few_epochs(call: list[str]) -> list[str]:
    """One epoch is enough to see that a command is right."""
    every = (entry.spec for entry in installed().classifiers())
    networks = [spec.name for spec in every if hasattr(spec.parameters, "epochs")]
    if call[0] == "compare":
        asked = [n for n in networks if n in call[call.index("--classifiers") + 1].split(",")]
        return [word for n in asked for word in ("--param", f"{n}.epochs=1")]
    if call[0] != "train" or call[1] not in networks or "epochs=1" in call:
        return []
    return ["--param", "epochs=1"]


def have_ears(request: pytest.FixtureRequest) -> bool:
    """Whether the real weights of musicnn can be had."""
    try:
        request.getfixturevalue("ears")
    except pytest.skip.Exception:
        return False
    return True


def have_eyes(request: pytest.FixtureRequest) -> bool:
    """Whether the real weights of EfficientNet-Lite0 can be had; they are put into the cache."""
    from mgrkit_pretrained.imagenet import BACKBONES

    from mgrkit.weights.store import place

    try:
        path = request.getfixturevalue("lite0_weights")
    except pytest.skip.Exception:
        return False
    kept = place(BACKBONES["efficientnet_lite0"].weights)
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, kept)
    return True


def commands(block: str) -> list[tuple[list[str], str]]:
    """The words of each command that a person types, and the file that its output goes to."""
    both = [
        command.partition(" > ") for line in block.splitlines() for command in line.split(" && ")
    ]
    return [(shlex.split(words, comments=True), out.strip()) for words, _, out in both]


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``mgrkit demo --quick`` leaves, of less music, and the DATA that examples name."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        two = ("train", *PARTS)  # out-of-fold predictions need two artists in train
        little = dataclasses.replace(demo.QUICK, songs=4, seconds=4.0, parts=two)
        patch.setattr(demo, "QUICK", little)
        assert guarded(app, ["demo", "--quick"]) == 0
    made = folder / "mgrkit-demo"
    shutil.copytree(made / "spectrograms", made / "images_original")
    shutil.copytree(made / "audio", made / "genres")
    shutil.copy(made / "features.csv", made / "features_30_sec.csv")
    shutil.copy(made / "new" / "blues.wav", made / "song.mp3")  # a suffix does not count
    return made


def can_run(call: list[str], *, ears: bool, eyes: bool) -> bool:
    """Not: the demo again, plugins of the examples, what needs weights that are not at hand."""
    words = " ".join(call)
    if "--install-completion" in words or call[0] == "demo":
        return False
    return not ({"neighbours", "made-ears"} & set(re.split(r"[ ,:]", words))) and (
        (ears or not any(one in words for one in ("musicnn", "tags.", "--tags")))
        and (eyes or "lite0" not in words)
    )


def run_page(path: Path, ears: bool, eyes: bool) -> int:
    """Run the commands and then the Python of a page; how many.

    What it shows of a file whose name stands in the first line is written before.
    """
    for block in blocks(path, "toml"):
        if named := re.match(r"# (\S+\.toml)\n", block):
            Path(named[1]).write_text(block)
    typed = [one for block in blocks(path, "sh") for one in commands(block) if one[0]]
    run = 0
    for (program, *call), out in typed:
        if program == "torchrun":  # tests/compute/test_ranks.py has several processes
            program, call = "mgrkit", call[call.index("mgrkit") + 1 :]
        if program.removeprefix(".venv/bin/") != "mgrkit":
            assert program in ("cd", ".", "python3", "pip", ".venv/bin/pip", ".venv/bin/pytest")
            continue
        if can_run(call, ears=ears, eyes=eyes):
            call = [re.sub(r"^epochs=\d+$", "epochs=1", word) for word in call]
            with contextlib.ExitStack() as stack:
                if out:
                    file = stack.enter_context(Path(out).open("w", encoding="utf-8"))
                    stack.enter_context(contextlib.redirect_stdout(file))
                assert guarded(app, [*call, *few_epochs(call)]) == 0, call
            run += 1
    for block in blocks(path, "python"):
        if "neighbours" not in block:
            subprocess.run([sys.executable, "-c", block], check=True)
            run += 1
    return run


@pytest.mark.torch
@pytest.mark.parametrize("path", [README, *DOCS], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_the_commands_and_the_python_of_each_page_run(
    path: Path,
    demo_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """In order, each page in a folder of its own, as the demo leaves it."""
    written = blocks(path, "sh") + blocks(path, "python")
    if not written:
        return
    folder = shutil.copytree(demo_folder, tmp_path / "mgrkit-demo")
    monkeypatch.chdir(folder)
    run = run_page(path, have_ears(request), "lite0" in "".join(written) and have_eyes(request))
    assert run or "examples/" in "".join(written) or "musicnn" in "".join(written)


def test_the_first_command_ends_in_the_demo() -> None:
    assert blocks(README, "sh")[0].rstrip().endswith(" && .venv/bin/mgrkit demo --quick")


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 130


def test_ci_runs_the_readme_s_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    extract = re.search(r'"\$\((sed .*)\)"', script)
    assert extract
    command = subprocess.run(
        ["bash", "-c", extract[1]], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout
    assert command == blocks(README, "sh")[-1]
    assert command.rstrip().endswith(" && .venv/bin/pytest -n auto --dist worksteal")


def test_the_build_fills_the_pages_that_are_empty_in_the_checkout() -> None:
    """They say that they are empty to those who read them there, and not on the site."""
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    assert spec
    assert spec.loader
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    shown = {}
    for path in DOCS:
        if "\n<!-- " in (raw := path.read_text()):
            assert "\n> Not built: " in raw, path
            shown[path.name] = hooks.on_page_markdown(raw)
            assert "Not built" not in shown[path.name]
    assert "Usage: mgrkit predict" in shown["commands.md"]
    assert "mp3-in-blocks.sh" in shown["findings.md"]
    with (ROOT / "docs" / "figures.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert f"| {row['what']} | {row['asked']} | {row['measured']} |" in shown["figures.md"]
