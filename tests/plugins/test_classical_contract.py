"""All classifiers of tables keep every promise of the contract."""

from __future__ import annotations

from mgrkit.testing import contract

FEW: dict[str, object] = {"n_estimators": 20}

test_svm = contract.checks("svm")
test_random_forest = contract.checks("random_forest", parameters={"trees": 20})
test_logistic_regression = contract.checks("logistic_regression")
test_picture_statistics = contract.checks("picture_statistics")
test_extra_trees = contract.checks("extra_trees", parameters=FEW)
test_bagging = contract.checks("bagging", parameters=FEW)
test_adaboost = contract.checks("adaboost", parameters=FEW)
test_gradient_boosting = contract.checks("gradient_boosting", parameters={"max_iter": 20})
test_knn = contract.checks("knn")
test_nearest_centroid = contract.checks("nearest_centroid")
test_naive_bayes = contract.checks("naive_bayes")
test_lda = contract.checks("lda")
test_qda = contract.checks("qda")
test_decision_tree = contract.checks("decision_tree")
test_mlp = contract.checks("mlp")
test_ridge = contract.checks("ridge")
test_perceptron = contract.checks("perceptron")
test_sgd = contract.checks("sgd")
test_linear_svm = contract.checks("linear_svm")
