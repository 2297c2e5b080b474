"""All families of the literature keep every promise of the contract."""

from __future__ import annotations

import pytest

from mgrkit.testing import contract

pytestmark = pytest.mark.torch

QUICK = {"epochs": 6, "batch": 16, "average": 0.8}

test_musically_motivated = contract.checks(
    "musically_motivated", parameters={**QUICK, "architecture": "frequency"}
)
test_lidy_schindler = contract.checks("lidy_schindler", parameters=QUICK, shape=(21, 40))
test_choi_fcn = contract.checks("choi_fcn", parameters={**QUICK, "pools": "fitted"}, shape=(24, 32))
test_choi_crnn = contract.checks(
    "choi_crnn", parameters={**QUICK, "width": 4, "learning_rate": 0.01}, shape=(96, 24)
)
test_short_chunk = contract.checks(
    "short_chunk",
    parameters={**QUICK, "width": 8, "crop_seconds": 0.75, "learning_rate": 0.01},
)
test_parallel_crnn = contract.checks(
    "parallel_crnn", parameters={**QUICK, "epochs": 2, "batch": 6}, shape=(128, 224)
)
test_sample_cnn = contract.checks(
    "sample_cnn",
    parameters={**QUICK, "architecture": "3^5", "width": 8, "learning_rate": 0.003},
)
test_vgg_small = contract.checks(
    "vgg_small", parameters={**QUICK, "architecture": "minimal"}, shape=(24, 32)
)
