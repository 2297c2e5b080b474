"""Sessions of nox. ``nox`` alone runs what a change must pass."""

from __future__ import annotations

import nox

nox.options.sessions = ["tests"]
nox.options.reuse_existing_virtualenvs = True
TESTED = ["-c", "constraints.txt", "-e"]


@nox.session
def tests(session: nox.Session) -> None:
    """Style, types and the test suite; arguments go to pytest."""
    session.install(*TESTED, ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def minimums(session: nox.Session) -> None:
    """The test suite with the oldest versions that pyproject.toml promises."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    oldest = [need.replace(">=", "==") for need in project["dependencies"]]
    session.install("-e", ".[test]", *oldest)
    session.run("pytest", "--deselect", "tests/test_style.py", *session.posargs)


@nox.session
def crash(session: nox.Session) -> None:
    """500 kills at random moments."""
    session.install(*TESTED, ".[test]")
    session.run("pytest", "tests/crash", *session.posargs, env={"MGRKIT_KILLS": "500"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """100,000 mutated sound files and bundles."""
    session.install(*TESTED, ".[test]")
    session.run("pytest", "tests/fuzz", *session.posargs, env={"MGRKIT_FUZZ": "100000"})


@nox.session
def bench(session: nox.Session) -> None:
    """The README's table: ours against the rivals, on real clips; needs sox for its rows."""
    session.install(*TESTED, ".[bench]")
    session.run("python", "tests/bench/bench.py", *session.posargs)
    if not session.posargs:
        session.run("python", "tests/bench/learning.py")


@nox.session
def models(session: nox.Session) -> None:
    """The model that ships, made again; the argument is GTZAN's features_30_sec.csv."""
    session.install(*TESTED, ".")
    table = session.posargs[0] if session.posargs else "features_30_sec.csv"
    bundle = "plugins/mgrkit_classical/bundles/svm.safetensors"
    session.run("mgrkit", "train", "svm", table, "--out", bundle, "--refit", "--replace")
    session.run("mgrkit", "models")
