"""All classifiers of tables keep every promise of the contract."""

from __future__ import annotations

from mgrkit.testing import contract

test_svm = contract.checks("svm")
test_random_forest = contract.checks("random_forest", parameters={"trees": 20})
test_logistic_regression = contract.checks("logistic_regression")
test_picture_statistics = contract.checks("picture_statistics")
