"""All three networks keep every promise of the contract."""

from __future__ import annotations

import pytest

from mgrkit.testing import contract

pytestmark = pytest.mark.torch

QUICK = {"epochs": 6, "crop_seconds": 0.75, "batch": 16}

test_cnn = contract.checks("cnn", parameters={**QUICK, "width": 4})
test_crnn = contract.checks("crnn", parameters={**QUICK, "width": 4, "hidden": 8})
test_vit = contract.checks("vit", parameters={**QUICK, "depth": 2, "heads": 2})
