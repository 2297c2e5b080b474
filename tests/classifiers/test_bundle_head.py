"""What a bundle says of itself, read without the rest of it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.classifiers import save_bundle
from mgrkit.classifiers.bundle import read_head
from mgrkit.errors import BundleError
from tests.classifiers.test_bundle import FULL, TINY, equal

LIKE_A_BUNDLE = {"__metadata__": {"mgrkit": "{}"}, "seen": {"data_offsets": [0, 0]}}


@pytest.mark.parametrize("bundle", [TINY, FULL])
def test_it_is_the_bundle_without_its_arrays(tmp_path: Path, bundle: Any) -> None:
    save_bundle(tmp_path / "m", bundle)
    assert equal(read_head(tmp_path / "m"), dataclasses.replace(bundle, state={}, seen=()))


def test_no_array_is_read(tmp_path: Path) -> None:
    """What lies behind the header may be anything of that size."""
    path = tmp_path / "m"
    save_bundle(path, dataclasses.replace(TINY, state={"w": np.ones(9)}))
    content = path.read_bytes()
    head = 8 + int.from_bytes(content[:8], "little")
    path.write_bytes(content[:head] + bytes(len(content) - head))
    assert read_head(path).classifier == TINY.classifier


@pytest.mark.parametrize(
    "header",
    [
        [], {}, {"__metadata__": {}}, {"__metadata__": None}, {"__metadata__": {"mgrkit": 3}},
        LIKE_A_BUNDLE, {**LIKE_A_BUNDLE, "seen": []}, {**LIKE_A_BUNDLE, "seen": {}},
        {**LIKE_A_BUNDLE, "seen": {"data_offsets": ["a", "b"]}}, {"__metadata__": "mgrkit"},
    ],
)  # fmt: skip
def test_what_is_no_bundle_is_refused(tmp_path: Path, header: Any) -> None:
    text = json.dumps(header).encode()
    (tmp_path / "m").write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(BundleError, match=str(tmp_path)):
        read_head(tmp_path / "m")


@pytest.mark.parametrize("size", [0, 1, 8, 40, -1])
def test_what_is_cut_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "m"
    save_bundle(path, FULL)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(BundleError, match=r"damaged"):
        read_head(path)


def test_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"none cannot be read: No such file"):
        read_head(tmp_path / "none")
