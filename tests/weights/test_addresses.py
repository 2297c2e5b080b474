"""Weights that are in no wheel: got from their address, and kept as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mgrkit.errors import WeightsError
from mgrkit.registry import FeatureSetSpec, Weights
from mgrkit.registry.checks import fault
from mgrkit.weights import addresses
from mgrkit.weights.store import fetch, place, weights_path
from tests.files.servers import CONTENT, NAME, Server, serving
from tests.weights.made_weights import FRONT_END, kept

DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(addresses, "_LONGEST_PAUSE", 0.0)
    return tmp_path / "cache"


@pytest.fixture
def good() -> Iterator[Server]:
    with serving(lambda asked, number: asked.well()) as server:
        yield server


def of(url: str) -> Weights:
    """Weights whose file lies there."""
    return Weights(
        name="eye", summary="sees", package="eyes", version="1", wheel_sha256=DIGEST,
        wheel_bytes=len(CONTENT), convert="", sha256=DIGEST, licence="Look.", authors="E. Ye",
        url=f"{url}/{NAME}.pth",
    )  # fmt: skip


def test_the_file_is_kept_as_it_is(good: Server, cache: Path) -> None:
    weights = of(good.url)
    steps: list[str] = []
    got = fetch(weights, progress=lambda step, *_: steps.append(step))
    assert got.path == cache / "weights" / f"eye-{DIGEST[:16]}.pth"
    assert got.path.read_bytes() == CONTENT
    assert got.licence.read_text() == (f"eye: sees\nfrom eyes 1\n{weights.url}\nby E. Ye\n\nLook.")
    assert kept(cache) == {f"weights/{got.path.name}", f"weights/{got.licence.name}"}
    assert steps[0] == f"fetching {NAME}.pth"
    assert weights_path(weights) == got.path
    assert not fetch(weights).new
    assert len(good.asked) == 1


def test_another_file_there_is_refused_and_not_kept(good: Server, cache: Path) -> None:
    other = replace(of(good.url), sha256="a" * 64, wheel_sha256="a" * 64)
    with pytest.raises(WeightsError, match=f"is {DIGEST}, not {'a' * 64}"):
        fetch(other)
    assert kept(cache) == set()


def test_no_network_names_the_address_and_the_way_round_it(cache: Path) -> None:
    with serving(lambda asked, number: asked.well()) as server:
        weights = of(server.url)
    with pytest.raises(WeightsError) as caught:
        fetch(weights)
    assert str(caught.value).startswith(f"cannot get {NAME}.pth: {weights.url}: ")
    assert caught.value.hint == (
        f"where there is a network: get {weights.url}, then here: "
        "mgrkit models fetch eye --weights FILE"
    )
    assert kept(cache) == set()


def test_a_server_that_has_not_got_it(cache: Path) -> None:
    with (
        serving(lambda asked, number: asked.head(404, 0)) as server,
        pytest.raises(WeightsError, match="404"),
    ):
        fetch(of(server.url))
    assert kept(cache) == set()


def test_a_file_that_was_brought_here(tmp_path: Path, cache: Path) -> None:
    file = tmp_path / "any name"
    file.write_bytes(CONTENT)
    weights = of("https://nowhere.invalid")
    assert fetch(weights, file).path.read_bytes() == CONTENT
    assert place(weights).suffix == ".pth"


def test_a_truncated_file_that_was_brought_here(tmp_path: Path, cache: Path) -> None:
    file = tmp_path / "short.pth"
    file.write_bytes(CONTENT[:-1])
    weights = of("https://nowhere.invalid")
    with pytest.raises(WeightsError) as caught:
        fetch(weights, file)
    for words in (str(file), weights.url, DIGEST, f"({len(CONTENT):,} bytes)"):
        assert words in str(caught.value)
    assert "wheel" not in str(caught.value)
    assert kept(cache) == set()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "http://host/net.pth"}, "an address such as https://"),
        ({"url": "https://host/net.zip"}, "an address such as https://"),
        ({"wheel_bytes": 0}, "a number of bytes"),
        ({"convert": "made:up"}, "no convert"),
        ({"sha256": "b" * 64}, "twice the same SHA-256"),
    ],
)
def test_a_spec_whose_weights_cannot_be(change: dict[str, object], words: str) -> None:
    weights = replace(of("https://host/folder"), **change)  # type: ignore[arg-type]
    spec = FeatureSetSpec("eye", "sees", "made:up", FRONT_END, ("a",), batch_size=1)
    assert not fault(replace(spec, weights=of("https://host/folder")))
    assert words in fault(replace(spec, weights=weights))
