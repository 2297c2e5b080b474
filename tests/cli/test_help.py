"""Helps and refusals of wrong options: one kind of words in all commands."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from mgrkit.cli.app import app
from mgrkit.cli.group import COMMANDS, Command, command
from mgrkit.cli.terminal.errors import guarded
from mgrkit.errors import UsageError

Captured = pytest.CaptureFixture[str]
NAMES = re.compile(r"[A-Z]+([.=/][A-Z]+)*")
"""How arguments and values of options are called."""


def every() -> Iterator[tuple[str, Any]]:
    """All commands and those below them, as Typer has them."""
    for name in COMMANDS:
        one = command(name)
        yield name, one
        yield from ((f"{name} {k}", below) for k, below in getattr(one, "commands", {}).items())


def shown(*words: str) -> str:
    env = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-m", "mgrkit", *words], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_lines_say_what_it_is_and_what_each_command_does() -> None:
    text = shown("--help")
    usage, _, first, *_ = text.splitlines()
    assert usage == "Usage: mgrkit [OPTIONS] COMMAND [ARGS]..."
    assert first.strip().startswith("Music genre recognition")
    for name, line in COMMANDS.items():
        assert f"\n  {name:12}  {line}\n" in text
        assert line.endswith(".")
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_the_list_is_the_first_of_the_help(name: str) -> None:
    assert inspect.cleandoc(command(name).help).splitlines()[0] == COMMANDS[name]


@pytest.mark.parametrize(("words", "one"), list(every()))
def test_names_of_values_are_of_one_kind(words: str, one: Any) -> None:
    for param in one.params:
        if param.param_type_name == "argument" or not param.is_flag:
            assert NAMES.fullmatch(param.metavar or ""), param.name
    text = shown(*words.split(), "--help")
    assert not re.search(r"<(str|int|float|path|list)", text)
    assert not re.search(r"[{}]|x[<>]=", text)
    assert max(map(len, text.splitlines())) <= 80


def test_arguments_are_called_as_in_the_usage() -> None:
    text = shown("compare", "--help")
    assert "Usage: mgrkit compare [OPTIONS] DATA...\n" in text
    assert "Usage: mgrkit predict [OPTIONS] [FILE...]\n" in shown("predict", "--help")
    assert "\n  DATA...  Feature tables" in text


def test_short_options_mean_the_same_everywhere() -> None:
    short: dict[str, set[str]] = {}
    for _, one in every():
        for param in one.params:
            names = param.opts if param.param_type_name == "option" else []
            for name in names:
                if len(name) == 2:
                    short.setdefault(name, set()).update(set(names) - {name})
    assert short == {
        "-j": {"--workers"}, "-m": {"--model"}, "-n": {"--dry-run"}, "-o": {"--out"},
        "-q": {"--quiet"},
    }  # fmt: skip
    for _, one in every():
        for param in one.params:
            for name, (long,) in short.items():
                assert (long in param.opts) == (name in param.opts)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--top 0", "--top must be a whole number of at least 1, not '0'"),
        ("--top 1.5", "--top must be a whole number of at least 1, not '1.5'"),
        ("--workers 0", "--workers must be a whole number from 1 to 1024, not '0'"),
        ("-j many", "--workers must be a whole number from 1 to 1024, not 'many'"),
        ("--timeout 0", "--timeout must be a number of at least 0.1, not '0'"),
        ("--timeout nan", "--timeout must be a number of at least 0.1, not 'nan'"),
        ("--max-seconds 5", "--max-seconds must be a number of at least 30, not '5'"),
        ("--device tpu", "--device must be auto, cpu, cuda, cuda:N or mps, not 'tpu'"),
    ],
)
def test_wrong_values_are_refused_in_one_kind_of_words(
    capsys: Captured, words: str, expected: str
) -> None:
    assert guarded(app, ["predict", "a.wav", *words.split()]) == 2
    assert capsys.readouterr().err == f"mgrkit: {expected}\n"


def test_variables_are_options_that_stand(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGRKIT_WORKERS", "0")
    assert guarded(app, ["predict", "a.wav"]) == 2
    message = "MGRKIT_WORKERS must be a whole number from 1 to 1024, not '0'"
    assert capsys.readouterr().err == f"mgrkit: {message}\n"
    assert guarded(app, ["predict", "a.wav", "-j", "2", "--model", "svm"]) == 3  # no a.wav
    monkeypatch.setenv("MGRKIT_WORKERS", "3")
    monkeypatch.setenv("MGRKIT_DEVICE", "gpu")
    capsys.readouterr()
    assert guarded(app, ["predict", "a.wav"]) == 2
    message = "MGRKIT_DEVICE must be auto, cpu, cuda, cuda:N or mps, not 'gpu'"
    assert capsys.readouterr().err == f"mgrkit: {message}\n"
    text = " ".join(shown("predict", "--help").split())
    assert "[env var: MGRKIT_WORKERS; default: 4]" in text
    assert "[env var: MGRKIT_DEVICE; default: auto]" in text


def test_variables_reach_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def kept(workers: Any = None, *others: Any, **more: Any) -> None:
        seen["workers"] = workers
        raise typer.Exit(0)

    monkeypatch.setenv("MGRKIT_WORKERS", "3")
    monkeypatch.setattr("mgrkit.batch.Options", kept)
    assert guarded(app, ["augment", "audio"]) == 0
    assert seen == {"workers": 3}


def test_completion_is_shown_installed_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    env = {**os.environ, "HOME": str(tmp_path)}
    assert "complete -o default -F _mgrkit_completion mgrkit" in shown("--show-completion", "bash")
    words = [sys.executable, "-m", "mgrkit", "--install-completion", "bash"]
    done = subprocess.run(words, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    script = (tmp_path / ".bash_completions" / "mgrkit.sh").read_text()
    assert "_MGRKIT_COMPLETE=complete_bash" in script
    asked = {"_MGRKIT_COMPLETE": "complete_bash", "COMP_CWORD": "1"}
    for typed, words in (("mgrkit sp", "spectrograms"), ("mgrkit pl", "plugins")):
        env = {**os.environ, **asked, "COMP_WORDS": typed}
        done = subprocess.run([sys.executable, "-m", "mgrkit"], env=env, capture_output=True)
        assert done.stdout.decode().split() == [words]
    env |= {"COMP_WORDS": "mgrkit predict --max", "COMP_CWORD": "2"}
    done = subprocess.run([sys.executable, "-m", "mgrkit"], env=env, capture_output=True)
    assert done.stdout.decode().split() == ["--max-seconds"]


def test_the_list_of_commands_imports_none_of_them() -> None:
    code = (
        "import sys\nfrom mgrkit.cli.app import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "print('LOADED', *(name for name in sys.modules if name.startswith('mgrkit.cli.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split("LOADED")[1].split()) == {"mgrkit.cli.app", "mgrkit.cli.group"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("predict", "[default: the best model that can run here now]"),
        ("predict", "A bad file is reported; the others are done."),
        ("predict", "[default: the longer of 60 s and the sound's own length]"),
        ("evaluate", "Tracks that the model learnt from or was chosen on are left out"),
        ("demo", "Without the network: about 15 s."),
    ],
)
def test_helps_say_what_is_so(name: str, expected: str) -> None:
    assert expected in " ".join(shown(name, "--help").split())


@pytest.mark.parametrize(("words", "one"), list(every()))
def test_an_option_of_one_value_is_given_once(words: str, one: Any) -> None:
    """Whatever its value is, and whatever else the call lacks."""
    if not isinstance(one, Command):
        assert {"data": 0, "models": 1}[words] == len(one.params), "groups have no such options"
        return
    for option in one.params:
        if option.param_type_name == "option" and not option.is_flag and not option.multiple:
            name, short = max(option.opts, key=len), min(option.opts, key=len)
            with pytest.raises(UsageError) as error:
                one.make_context(words, [name, "1", short, "2"])
            assert str(error.value) == f"{name} is given more than once (it takes one value)"


def test_flags_lists_and_variables_may_be_there_again(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGRKIT_WORKERS", "3")
    words = ["train", "svm", "no.csv", "--out=m.safetensors", "-j", "2", "-q", "-q", "--json"]
    assert guarded(app, [*words, "--param", "C=1", "--param", "kernel=rbf"]) == 3
    assert "more than once" not in capsys.readouterr().err
    assert guarded(app, [*words, "--workers", "2"]) == 2
    message = "--workers is given more than once (it takes one value)"
    assert capsys.readouterr().err == f"mgrkit: {message}\n"
    assert guarded(app, [*words, "-j", "2", "--help"]) == 0
