"""What this plugin provides; importing it loads no model code."""

from __future__ import annotations

from dataclasses import dataclass

from mgrkit.features.sets.columns import (
    FMA518_COLUMNS,
    FMA518_FRONT_END,
    GTZAN57_COLUMNS,
    GTZAN57_FRONT_END,
)
from mgrkit.registry.hooks import hookimpl
from mgrkit.registry.space import Choice, Range
from mgrkit.registry.specs import ClassifierSpec, FeatureSetSpec, parameter
from mgrkit_classical import parameters
from mgrkit_classical.parameters import Reducible


@dataclass(frozen=True)
class SVMParameters(Reducible):
    """Defaults were chosen on artist-grouped folds of GTZAN's published train part."""

    kernel: str = parameter(
        "rbf",
        "how like two examples are",
        choices=("rbf", "linear", "poly"),
        search=Choice(("rbf", "linear", "poly")),
    )
    C: float = parameter(
        3.0, "price of a wrong example", low=1e-4, high=1e6, search=Range(0.01, 100, log=True)
    )
    gamma: float = parameter(
        0.25,
        "narrowness of rbf and poly, in units of 1 / columns (scikit-learn's 'scale')",
        low=1e-4,
        high=1e3,
        search=Range(0.01, 10, log=True),
    )
    degree: int = parameter(3, "degree of poly", low=1, high=6, search=Range(2, 5))
    coef0: float = parameter(1.0, "constant term of poly", low=0, high=100)
    class_weight: str = parameter(
        "balanced", "balanced: rare genres count as much", choices=("balanced", "none")
    )
    even_groups: float = parameter(
        0.5, "0: all examples count the same, 1: all artists", low=0, high=1, search=Range(0, 1)
    )
    power: bool = parameter(
        True,
        "make columns more normal by Yeo and Johnson's transform",
        search=Choice((True, False)),
    )
    whiten: float = parameter(
        0.5,
        "how much less counts wherein the tracks of one artist differ",
        low=0,
        high=0.95,
        search=Range(0, 0.9),
    )
    solver: str = parameter(
        "auto",
        "who fits; auto: sklearn on the CPU, torch on another device",
        choices=("auto", "sklearn", "torch"),
    )


@dataclass(frozen=True)
class RandomForestParameters(Reducible):
    """Defaults were chosen on artist-grouped folds of GTZAN's published train part."""

    trees: int = parameter(300, "number of trees", low=1, high=10_000)
    max_depth: int = parameter(0, "levels of a tree; 0 for no limit", low=0, high=1000)
    min_samples_leaf: int = parameter(
        2, "examples in a leaf at least", low=1, high=1_000_000, search=Range(1, 10)
    )
    max_features: float = parameter(
        0.25,
        "share of the columns looked at for a split; 0 for their square root",
        low=0,
        high=1,
        search=Range(0.05, 1),
    )
    class_weight: str = parameter(
        "none",
        "balanced: rare genres count as much",
        choices=("balanced", "none"),
        search=Choice(("balanced", "none")),
    )
    even_groups: float = parameter(
        0.5, "0: all examples count the same, 1: all artists", low=0, high=1, search=Range(0, 1)
    )
    solver: str = parameter(
        "auto",
        "who fits; auto: sklearn on the CPU, torch on another device",
        choices=("auto", "sklearn", "torch"),
    )


@dataclass(frozen=True)
class LogisticRegressionParameters(Reducible):
    """Defaults were chosen on artist-grouped folds of GTZAN's published train part."""

    C: float = parameter(
        0.03, "price of a wrong example", low=1e-6, high=1e4, search=Range(1e-4, 100, log=True)
    )
    class_weight: str = parameter(
        "balanced", "balanced: rare genres count as much", choices=("balanced", "none")
    )
    even_groups: float = parameter(
        0.5, "0: all examples count the same, 1: all artists", low=0, high=1, search=Range(0, 1)
    )
    power: bool = parameter(
        True,
        "make columns more normal by Yeo and Johnson's transform",
        search=Choice((True, False)),
    )
    whiten: float = parameter(
        0.5,
        "how much less counts wherein the tracks of one artist differ",
        low=0,
        high=0.95,
        search=Range(0, 0.9),
    )
    novelty: float = parameter(
        0.07,
        "share of train that counts as far from all genres, were its artist not heard; odds are "
        "even farther out; 0: nothing is far",
        low=0,
        high=0.5,
    )
    solver: str = parameter(
        "auto",
        "who fits; auto: sklearn on the CPU, torch on another device",
        choices=("auto", "sklearn", "torch"),
    )


@dataclass(frozen=True)
class PictureStatisticsParameters(LogisticRegressionParameters):
    """See `LogisticRegressionParameters`; here what is far keeps its odds, and is marked."""

    novelty: float = parameter(
        0.05,
        "share of train that counts as far from all genres, were its artist not heard; what is "
        "even farther is marked unsure; 0: nothing is far",
        low=0,
        high=0.5,
    )


_MADE = "; probabilities from decision values by the sigmoid that svm has for pairs"
_ZOO = (
    ("extra_trees", "forests:ExtraTrees", parameters.ExtraTreesParameters,
     "extremely randomized trees: the mean of trees that split at random",
     "Geurts, Ernst, Wehenkel 2006, Extremely randomized trees"),
    ("bagging", "forests:Bagging", parameters.BaggingParameters,
     "bagging: the mean of trees grown on draws of examples and columns",
     "Breiman 1996, Bagging predictors; Ho 1998, The random subspace method"),
    ("adaboost", "boosting:AdaBoost", parameters.AdaBoostParameters,
     "AdaBoost (SAMME): small trees, each for what those before it got wrong",
     "Hastie, Rosset, Zhu, Zou 2009, Multi-class AdaBoost"),
    ("gradient_boosting", "boosting:GradientBoosting", parameters.GradientBoostingParameters,
     "gradient boosting: small trees along the gradient, on histograms",
     "Friedman 2001, Greedy function approximation; Ke et al. 2017, LightGBM"),
    ("knn", "densities:KNN", parameters.KNNParameters,
     "k nearest neighbours: the tracks of train that are most alike vote",
     "Cover, Hart 1967, Nearest neighbor pattern classification"),
    ("nearest_centroid", "densities:NearestCentroid", parameters.NearestCentroidParameters,
     "nearest centroid: the genre whose mean is nearest" + _MADE,
     "Rocchio 1971, Relevance feedback in information retrieval"),
    ("naive_bayes", "densities:NaiveBayes", parameters.NaiveBayesParameters,
     "Gaussian naive Bayes: normal columns, each for itself",
     "Chan, Golub, LeVeque 1982, Updating formulae for computing sample variances"),
    ("lda", "densities:LDA", parameters.LDAParameters,
     "linear discriminant analysis: normal clouds of one covariance",
     "Fisher 1936, The use of multiple measurements in taxonomic problems"),
    ("qda", "densities:QDA", parameters.QDAParameters,
     "quadratic discriminant analysis: normal clouds, each of its covariance",
     "Friedman 1989, Regularized discriminant analysis"),
    ("decision_tree", "forests:DecisionTree", parameters.DecisionTreeParameters,
     "decision tree: one tree, to be looked at rather than believed",
     "Breiman, Friedman, Olshen, Stone 1984, Classification and regression trees"),
    ("mlp", "linear:MLP", parameters.MLPParameters,
     "multilayer perceptron: a small network of the columns",
     "Rumelhart, Hinton, Williams 1986, Learning representations by back-propagating errors"),
    ("ridge", "linear:Ridge", parameters.RidgeParameters,
     "ridge: least squares of one genre against the rest" + _MADE,
     "Hoerl, Kennard 1970, Ridge regression"),
    ("perceptron", "linear:Perceptron", parameters.PerceptronParameters,
     "perceptron: one genre against the rest, mended mistake by mistake" + _MADE,
     "Rosenblatt 1958, The perceptron; Freund, Schapire 1999, Large margin classification"),
    ("sgd", "linear:SGD", parameters.SGDParameters,
     "linear models by stochastic gradient descent" + _MADE + " (loss=hinge)",
     "Bottou 2010, Large-scale machine learning with stochastic gradient descent"),
    ("linear_svm", "linear:LinearSVM", parameters.LinearSVMParameters,
     "linear support vector machine, one genre against the rest" + _MADE,
     "Fan et al. 2008, LIBLINEAR"),
)  # fmt: skip
"""Name, factory, parameters, summary and reference of those that differ in nothing else."""


@hookimpl
def mgrkit_classifiers() -> list[ClassifierSpec]:
    """Support vector machine, random forest, logistic regression, that of pictures; the zoo."""
    zoo = [
        ClassifierSpec(
            name=name,
            summary=summary,
            factory=f"mgrkit_classical.{factory}",
            parameters=kind,
            reference=reference,
            devices=("cpu", "cuda"),
            requires=("sklearn",),
        )
        for name, factory, kind, summary, reference in _ZOO
    ]
    return [
        *zoo,
        ClassifierSpec(
            name="svm",
            summary="support vector machine: linear, RBF or polynomial",
            factory="mgrkit_classical.svm:SVM",
            parameters=SVMParameters,
            reference="Cortes, Vapnik 1995, Support-vector networks; columns whitened as in "
            "Hatch, Kajarekar, Stolcke 2006, Within-class covariance normalization; probabilities "
            "as in Wu, Lin, Weng 2004, Probability estimates for multi-class classification",
            devices=("cpu", "cuda"),
            requires=("sklearn",),
            bundles=("mgrkit_classical:bundles/svm.safetensors",),
        ),
        ClassifierSpec(
            name="random_forest",
            summary="random forest: the mean of trees grown on draws of the examples",
            factory="mgrkit_classical.forests:RandomForest",
            parameters=RandomForestParameters,
            reference="Breiman 2001, Random forests",
            devices=("cpu", "cuda"),
            requires=("sklearn",),
        ),
        ClassifierSpec(
            name="logistic_regression",
            summary="logistic regression: linear odds, even ones far from all that was learnt",
            factory="mgrkit_classical.logistic_regression:LogisticRegression",
            parameters=LogisticRegressionParameters,
            reference="Cox 1958, The regression analysis of binary sequences; columns whitened as "
            "in Hatch, Kajarekar, Stolcke 2006, Within-class covariance normalization; what is "
            "far as in Lee et al. 2018, A simple unified framework for detecting "
            "out-of-distribution samples",
            devices=("cpu", "cuda"),
            requires=("sklearn",),
        ),
        ClassifierSpec(
            name="picture_statistics",
            summary="logistic regression on 335 statistics of a picture; as quick as drawing it",
            factory="mgrkit_classical.picture_statistics:PictureStatistics",
            parameters=PictureStatisticsParameters,
            eats="image",
            reference="Pampalk, Rauber, Merkl 2002, Content-based organization and visualization "
            "of music archives; Jiang et al. 2002, Music type classification by spectral contrast "
            "feature; and that of logistic_regression",
            devices=("cpu", "cuda"),
            requires=("sklearn",),
        ),
    ]


@hookimpl
def mgrkit_feature_sets() -> list[FeatureSetSpec]:
    """The numbers of the Kaggle GTZAN table, and those of FMA's."""
    return [
        FeatureSetSpec(
            name="gtzan57",
            summary="57 means and variances: chroma, energy, spectrum, tempo, MFCC",
            factory="mgrkit.features.sets.gtzan57:gtzan57",
            frontend=GTZAN57_FRONT_END,
            columns=GTZAN57_COLUMNS,
            reference="Tzanetakis, Cook 2002, Musical genre classification of audio signals; "
            "columns of features_30_sec.csv in Kaggle's GTZAN dataset",
        ),
        FeatureSetSpec(
            name="fma518",
            summary="518 statistics of chroma, tonnetz, MFCC, spectrum, at the file's own rate",
            factory="mgrkit.features.sets.fma518:fma518",
            frontend=FMA518_FRONT_END,
            columns=FMA518_COLUMNS,
            reference="Defferrard, Benzi, Vandergheynst, Bresson 2017, FMA: a dataset for music "
            "analysis; columns of features.csv, as its script features.py makes them",
        ),
    ]
