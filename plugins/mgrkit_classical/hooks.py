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
from mgrkit.registry.specs import ClassifierSpec, FeatureSetSpec, parameter


@dataclass(frozen=True)
class SVMParameters:
    """Defaults were chosen on artist-grouped folds of GTZAN's published train part."""

    kernel: str = parameter("rbf", "how like two examples are", choices=("rbf", "linear", "poly"))
    C: float = parameter(3.0, "price of a wrong example", low=1e-4, high=1e4)
    gamma: float = parameter(
        0.25,
        "narrowness of rbf and poly, in units of 1 / columns (scikit-learn's 'scale')",
        low=1e-4,
        high=1e3,
    )
    degree: int = parameter(3, "degree of poly", low=1, high=6)
    coef0: float = parameter(1.0, "constant term of poly", low=0, high=100)
    class_weight: str = parameter(
        "balanced", "balanced: rare genres count as much", choices=("balanced", "none")
    )
    even_groups: float = parameter(
        0.5, "0: all examples count the same, 1: all artists", low=0, high=1
    )
    power: bool = parameter(True, "make columns more normal by Yeo and Johnson's transform")
    whiten: float = parameter(
        0.5, "how much less counts wherein the tracks of one artist differ", low=0, high=0.95
    )


@dataclass(frozen=True)
class RandomForestParameters:
    """Defaults were chosen on artist-grouped folds of GTZAN's published train part."""

    trees: int = parameter(300, "number of trees", low=1, high=10_000)
    max_depth: int = parameter(0, "levels of a tree; 0 for no limit", low=0, high=1000)
    min_samples_leaf: int = parameter(2, "examples in a leaf at least", low=1, high=1_000_000)
    max_features: float = parameter(
        0.25, "share of the columns looked at for a split; 0 for their square root", low=0, high=1
    )
    class_weight: str = parameter(
        "none", "balanced: rare genres count as much", choices=("balanced", "none")
    )
    even_groups: float = parameter(
        0.5, "0: all examples count the same, 1: all artists", low=0, high=1
    )


@dataclass(frozen=True)
class LogisticRegressionParameters:
    """Defaults were chosen on artist-grouped folds of GTZAN's published train part."""

    C: float = parameter(0.03, "price of a wrong example", low=1e-6, high=1e4)
    class_weight: str = parameter(
        "balanced", "balanced: rare genres count as much", choices=("balanced", "none")
    )
    even_groups: float = parameter(
        0.5, "0: all examples count the same, 1: all artists", low=0, high=1
    )
    power: bool = parameter(True, "make columns more normal by Yeo and Johnson's transform")
    whiten: float = parameter(
        0.5, "how much less counts wherein the tracks of one artist differ", low=0, high=0.95
    )
    novelty: float = parameter(
        0.07,
        "share of train that counts as far from all genres, were its artist not heard; odds are "
        "even farther out; 0: nothing is far",
        low=0,
        high=0.5,
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


@hookimpl
def mgrkit_classifiers() -> list[ClassifierSpec]:
    """Support vector machine, random forest, logistic regression, and that of pictures."""
    return [
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
            factory="mgrkit_classical.random_forest:RandomForest",
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
