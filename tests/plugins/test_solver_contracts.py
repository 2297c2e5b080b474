"""What torch fits keeps every promise of the contract, as what scikit-learn fits does."""

from __future__ import annotations

import pytest

from mgrkit.testing import contract

pytestmark = pytest.mark.torch
TORCH: dict[str, object] = {"solver": "torch"}

test_svm = contract.checks("svm", parameters=TORCH)
test_random_forest = contract.checks("random_forest", parameters={**TORCH, "trees": 20})
test_logistic_regression = contract.checks("logistic_regression", parameters=TORCH)
