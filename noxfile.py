"""Sessions of nox. ``nox`` alone runs what a change must pass."""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.options.sessions = ["lint", "check", "docs"]
nox.options.reuse_existing_virtualenvs = True
nox.options.download_python = "never"
PYTHONS = ["3.11", "3.12", "3.13"]
NETWORKS = ["torch", "torchvision"]
TESTED = ["-c", "constraints.txt", "-e"]
ALL_CORES = ["-n", "auto", "--dist", "worksteal"]
ENDLESS = ["-o", "faulthandler_timeout=0"]
"""What is done thousands of times may take hours."""
WIDE = ["--bandwidth", "7000"]
"""The lowest of GTZAN's clips at hand reaches 8.5 kHz."""
MADE = {
    "svm": (".csv", "classical", ["svm", "--refit"]),
    "cnn": ("", "neural", ["cnn", "--refit", "--folds", "5", "--param", "members=3"]),
    "musicnn": (
        ".gz",
        "pretrained",
        ["logistic_regression", "--set", "musicnn-tags:mean-sd", "--split", "published"],
    ),
    "texture": ("", "", ["picture_statistics", "--refit"]),
}
"""The models that ship: the suffix of what each is trained on, the plugin that it lies in (texture
is a member of the vote alone), and how it is trained."""


@nox.session
def lint(session: nox.Session) -> None:
    """Style, spelling and types."""
    session.install(*TESTED, ".[test]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")
    session.run("mypy")


@nox.session
def check(session: nox.Session) -> None:
    """The test suite, style, types and docs included; arguments go to pytest."""
    session.install(*TESTED, ".[test]")
    session.run("pytest", *ALL_CORES, *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The site in ``site/``; a dead link or a page that nothing leads to is an error."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    # The help of the commands needs typer, and nothing else of what mgrkit depends on.
    session.install("-c", "constraints.txt", "typer", *project["optional-dependencies"]["docs"])
    session.install("--no-deps", "-e", ".")
    session.run("mkdocs", "build", "--quiet", *session.posargs, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session(venv_backend="none")
def findings(session: nox.Session) -> None:
    """Each script of findings/: whether libraries still surprise as they did."""
    for script in sorted(Path("findings").glob("*.sh")):
        session.run("bash", str(script), external=True)


@nox.session(python=PYTHONS)
def newest(session: nox.Session) -> None:
    """The test suite with the newest releases, on each Python.

    Torch alone is that of constraints.txt, for of others pip fetches several gigabytes. Where pip
    finds no build for CPUs even of that one, ``MGRKIT_TORCH=no nox -s newest`` goes without: what
    needs torch is skipped.
    """
    needs = session.run("python", "tests/needs.py", *NETWORKS, silent=True)
    session.install("--upgrade", "--upgrade-strategy", "eager", *needs.split())
    if os.environ.get("MGRKIT_TORCH") != "no":
        session.install("-c", "constraints.txt", *NETWORKS)
    session.install("--no-deps", "-e", ".")
    session.run("pytest", *ALL_CORES, *session.posargs)


@nox.session(python=PYTHONS[0])
def minimums(session: nox.Session) -> None:
    """The test suite with the oldest versions that pyproject.toml promises."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    oldest = [need.replace(">=", "==") for need in project["dependencies"]]
    session.install("-e", ".[test]", *oldest)
    session.run("pytest", *ALL_CORES, "--deselect", "tests/test_style.py", *session.posargs)


@nox.session
def crash(session: nox.Session) -> None:
    """500 kills at random moments."""
    session.install(*TESTED, ".[test]")
    session.run("pytest", *ENDLESS, "tests/crash", *session.posargs, env={"MGRKIT_KILLS": "500"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """100,000 mutated sound files and bundles."""
    session.install(*TESTED, ".[test]")
    session.run("pytest", *ENDLESS, "tests/fuzz", *session.posargs, env={"MGRKIT_FUZZ": "100000"})


@nox.session
def gpu(session: nox.Session) -> None:
    """What needs a CUDA device: learning, agreement with the CPU, time; skips itself elsewhere.

    constraints.txt names a torch that computes on CPUs where pip finds such a build; a matching
    CUDA build may be installed first (``pip install torch==2.13.0 torchvision==0.28.0``).
    """
    session.install(*TESTED, ".[test]")
    session.run("pytest", "tests/gpu", "tests/plugins", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """The figures of the docs: ours against the rivals, on real clips; needs sox for its rows."""
    session.install(*TESTED, ".[bench]")
    session.run("python", "tests/bench/bench.py", "--record", *session.posargs)
    if not session.posargs:
        session.run("python", "tests/bench/learning.py", "--record")


@nox.session
def models(session: nox.Session) -> None:
    """The models that ship, made again.

    The arguments are GTZAN's features_30_sec.csv, its images_original, and the table of
    musicnn's tags of its train part (of sklearn-audio-transfer-learning); any of them is enough
    for its own models, and all are for the vote.
    """
    session.install(*TESTED, ".")
    ours = ["features_30_sec.csv", "images_original", "msd_musicnn_tags_train.csv.gz"]
    made = {}
    for name, (suffix, plugin, how) in MADE.items():
        for data in session.posargs or ours:
            if Path(data).suffix == suffix:
                folder = f"plugins/mgrkit_{plugin}/bundles" if plugin else session.create_tmp()
                made[name] = f"{folder}/{name}.safetensors"
                out = ["--out", made[name], "--replace", *WIDE]
                session.run("mgrkit", "train", how[0], data, *how[1:], *out)
    if len(made) == len(MADE):
        vote = ["--out", "plugins/mgrkit_pretrained/bundles/vote.safetensors", "--replace"]
        members = [made[name] for name in ("musicnn", "cnn", "texture")]
        session.run("mgrkit", "vote", *members, *vote)
    session.run("mgrkit", "models")


@nox.session
def foreign(session: nox.Session) -> None:
    """Sound files of any folders, each held against FFmpeg: ``nox -s foreign -- FOLDER``."""
    session.install(*TESTED, ".")
    session.run("python", "tests/bench/foreign.py", *session.posargs)
