"""mgrkit's own feature sets keep every promise of the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.numpy import save_file

from mgrkit.testing import feature_contract
from tests.plugins.made_checkpoint import made_arrays

test_gtzan57 = feature_contract.checks("gtzan57")
test_fma518 = feature_contract.checks("fma518")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a made network as large as the published one."""
    path = tmp_path_factory.mktemp("weights") / "made.safetensors"
    save_file(made_arrays(), path)
    return path


@pytest.mark.parametrize("layer", ["tags", "penultimate", "pool"])
def test_musicnn(layer: str, weights: Path) -> None:
    assert not feature_contract.failures(f"musicnn-{layer}", weights=weights)
