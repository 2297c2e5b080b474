"""What an answer costs beside scikit-learn's: start-up with one row, and 100,000 rows.

    python tests/bench/zoo.py [--only knn svm] [--rounds 3] [--record]

Each classifier of columns learns from GTZAN's table, and so does the pipeline that a user of
scikit-learn would keep by joblib: standardised columns made normal by Yeo and Johnson's transform
where ours are, then the same method with the same parameters. It has nothing that whitens; ours
does, and counts it. Processes of one thread take turns; times are of CPU, for the machine may be
busy. The rows are mixtures of two real ones each.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import numpy as np
from record import record

from mgrkit.classifiers import Bundle, Examples, Run, Task, load_bundle, restored, save_bundle
from mgrkit.datasets.reading import read_dataset
from mgrkit.inputs.kinds import input_of
from mgrkit.learning.fitting import predict_pieces
from mgrkit.registry import installed, resolve, with_parameters

DATA = Path(os.environ.get("MGRKIT_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
ROWS, SEED = 100_000, 1

NEW = {
    "ours": """
import sys
from pathlib import Path
import numpy as np
from mgrkit.classifiers import load_bundle, provider, restored
from mgrkit.learning.fitting import predict_pieces
bundle = load_bundle(Path(sys.argv[1]))
predict_pieces(restored(bundle), provider(bundle).spec, np.load(sys.argv[2]))
""",
    "theirs": """
import sys
import joblib, numpy as np
model, x = joblib.load(sys.argv[1]), np.load(sys.argv[2])
getattr(model, "predict_proba", model.predict)(x)
""",
}
"""What a new process does with a model and a file of rows."""


def estimator(name: str, asked: Any, columns: int) -> Any:
    """scikit-learn's, with the parameters of ours that it has."""
    import sklearn as sk

    def given(*wanted: str) -> dict[str, Any]:
        return {one: getattr(asked, one) for one in wanted}

    def split() -> dict[str, Any]:
        return given("min_samples_leaf", "max_features") | {"random_state": SEED}

    makers: dict[str, Callable[[], Any]] = {
        "svm": lambda: sk.svm.SVC(
            gamma=asked.gamma / columns, probability=True, random_state=SEED, **given("C")
        ),
        "random_forest": lambda: sk.ensemble.RandomForestClassifier(asked.trees, **split()),
        "logistic_regression": lambda: sk.linear_model.LogisticRegression(**given("C")),
        "extra_trees": lambda: sk.ensemble.ExtraTreesClassifier(asked.n_estimators, **split()),
        "bagging": lambda: sk.ensemble.BaggingClassifier(
            sk.tree.DecisionTreeClassifier(**given("min_samples_leaf")),
            random_state=SEED, **given("n_estimators", "max_samples", "max_features"),
        ),
        "adaboost": lambda: sk.ensemble.AdaBoostClassifier(
            sk.tree.DecisionTreeClassifier(**given("max_depth")),
            random_state=SEED, **given("n_estimators", "learning_rate"),
        ),
        "gradient_boosting": lambda: sk.ensemble.HistGradientBoostingClassifier(
            early_stopping=False, **split(),
            **given("max_iter", "learning_rate", "max_leaf_nodes", "l2_regularization"),
        ),
        "knn": lambda: sk.neighbors.KNeighborsClassifier(**given("n_neighbors", "weights")),
        "nearest_centroid": sk.neighbors.NearestCentroid,
        "naive_bayes": lambda: sk.naive_bayes.GaussianNB(**given("var_smoothing")),
        "lda": sk.discriminant_analysis.LinearDiscriminantAnalysis,
        "qda": lambda: sk.discriminant_analysis.QuadraticDiscriminantAnalysis(**given("reg_param")),
        "decision_tree": lambda: sk.tree.DecisionTreeClassifier(**split()),
        "mlp": lambda: sk.neural_network.MLPClassifier(
            (64,), random_state=SEED, **given("alpha", "batch_size", "max_iter")
        ),
        "ridge": lambda: sk.linear_model.RidgeClassifier(**given("alpha")),
        "perceptron": lambda: sk.linear_model.Perceptron(**given("penalty", "alpha")),
        "sgd": lambda: sk.linear_model.SGDClassifier(**given("loss", "alpha", "average")),
        "linear_svm": lambda: sk.svm.LinearSVC(**given("C")),
    }  # fmt: skip
    return makers[name]()


def learn(name: str, train: Examples, task: Task, tmp: Path) -> None:
    """Fit both; keep ``ours``, and ``theirs``, which scales as ours does."""
    import joblib
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PowerTransformer, StandardScaler

    spec = installed().classifier(name).spec
    asked = with_parameters(spec, {})
    model = resolve(spec.factory)(task, asked)
    model.fit(train, None, Run(SEED))
    bundle = Bundle(name, "mgrkit", "0", {}, "features:gtzan57", task, dict(model.state()))
    save_bundle(tmp / "ours", bundle)
    scalers = (StandardScaler(), PowerTransformer()) if hasattr(asked, "power") else ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rival = make_pipeline(*scalers, estimator(name, asked, len(task.columns)))
        joblib.dump(rival.fit(train.x.astype(np.float64), train.y), tmp / "theirs")


def started(code: str, model: Path, row: Path) -> float:
    """Seconds of CPU of a new process that answers for one row."""
    pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-c", code, model, row])
    _, status, used = os.wait4(pid, 0)
    if status:
        sys.exit(f"{model.name} did not answer")
    return used.ru_utime + used.ru_stime


def spent(ask: Callable[[], Any]) -> float:
    """Seconds of CPU."""
    began = time.process_time()
    ask()
    return time.process_time() - began


def measured(name: str, x: Any, tmp: Path, rounds: int) -> list[Any]:
    """Seconds of ours and of theirs, round by round: of start-up with one row, of all rows."""
    import joblib

    np.save(row := tmp / "row.npy", x[:1])
    starts = [tuple(started(code, tmp / who, row) for who, code in NEW.items())
              for _ in range(rounds + 2)]  # fmt: skip
    bundle, theirs = load_bundle(tmp / "ours"), joblib.load(tmp / "theirs")
    spec, classifier = installed().classifier(name).spec, restored(bundle)
    rival = getattr(theirs, "predict_proba", theirs.predict)
    # Each gets the numbers that it computes with, and turns none into others.
    given = x.astype(np.float64) if len(theirs) > 1 else x

    def ask(rows: int) -> tuple[float, float]:
        ours = spent(lambda: predict_pieces(classifier, spec, x[:rows]))
        return ours, spent(lambda: rival(given[:rows]))

    ask(2_000)
    return [starts, [ask(ROWS) for _ in range(rounds)]]


def main() -> None:
    specs = [one.spec for one in installed().classifiers()]
    zoo = [one.name for one in specs if one.factory.startswith("mgrkit_classical.")
           and one.eats.startswith("features")]  # fmt: skip
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=zoo, default=zoo, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="put them into docs/figures.csv")
    asked = parser.parse_args()
    source = input_of("features:gtzan57", "the zoo")
    table = read_dataset(DATA / "gtzan" / "features_30_sec.csv", source)
    labels = tuple(sorted({entry.genre for entry in table.entries}))
    task = Task(labels, table.x.shape[1:], source.columns, source.frontend)
    train, random = table.examples(labels), np.random.default_rng(SEED)
    one, other = random.integers(len(train), size=(2, ROWS))
    share = random.random((ROWS, 1), np.float32)
    x = train.x[one] * share + train.x[other] * (1 - share)
    told: tuple[list[str], list[str]] = ([], [])
    for name in asked.only:
        with tempfile.TemporaryDirectory() as folder:
            learn(name, train, task, Path(folder))
            found = measured(name, x, Path(folder), asked.rounds)
        for texts, pairs, turn in zip(told, found, (-1, 1), strict=True):
            ratio = median((a / b) ** turn for a, b in pairs)
            a, b = (median(times) for times in zip(*pairs, strict=True))
            texts.append(f"{name} **{ratio:.2f} x** ({a:.3g} and {b:.3g} s of CPU)")
            print(texts[-1], flush=True)
    if asked.record:
        who = f"against scikit-learn: {', '.join(asked.only)}"
        goals = (("start-up and one row", "at least 3 x as fast"),
                 (f"{ROWS:,} rows", "at most 1.5 x its time"))  # fmt: skip
        rows = [(f"{what} {who}", goal, ", ".join(texts))
                for (what, goal), texts in zip(goals, told, strict=True)]  # fmt: skip
        record("speed", rows)


if __name__ == "__main__":
    main()
