"""Ordinary data against scikit-learn's usual models, in one run.

Usage::

    python benchmarks/ordinary.py [--quick] [--results FILE]

The estimators of this library and scikit-learn's, each with its defaults (a random
state of 0, and enough iterations of the multi-layer perceptrons to converge), behind a
scaler. Three quarters of the samples train and the others test: accuracy for classes,
R^2 for numbers. Seconds of processor time are of the fit alone, after a first fit of
data of the same kind, which compiles kernels.

This library's rows also say which share of the objective its network can be above the
optimum, over the patterns that it trained over and over all patterns, at most: what
nobody else says. The data are scikit-learn's own; "housing" has the size of its
California data, 20,640 samples of eight features, and is made up: a sum of steps,
slopes and noise.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import _measure
import numpy as np
from _measure import Results, Table, show, timed
from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from convexnn_lib import ConvexReLUClassifier, ConvexReLURegressor
from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import GapWarning

COLUMNS = {
    "data": (16, ""),
    "n, d": (9, ""),
    "model": (21, ""),
    "seconds": (7, ".2f"),
    "train": (6, ".3f"),
    "test": (6, ".3f"),
    "gap": (7, ".0e"),
    "gap, all": (8, ".0%"),
}


class Data(NamedTuple):
    """A data set.

    Attributes
    ----------
    name : str
        What the table calls it.
    X : (n, d) array
        The samples.
    y : (n,) array
        Classes as integers, or numbers.
    """

    name: str
    X: FloatArray
    y: Any

    @property
    def classes(self) -> bool:
        """Whether these are classes."""
        return bool(np.issubdtype(self.y.dtype, np.integer))


def main() -> None:
    """Run the benchmark and print its table."""
    assert __doc__ is not None
    parser = _measure.options("ordinary", __doc__)
    options = parser.parse_args()
    results = Results("ordinary", options)
    show("Seconds of processor time.\n")
    table = Table(results, "ordinary", COLUMNS)
    for data in quick_data() if options.quick else all_data():
        compare(data, table)
    results.write()


def quick_data() -> Iterator[Data]:
    """Yield the smallest data sets."""
    X, y = datasets.load_wine(return_X_y=True)
    yield Data("wine", X, y)


def all_data() -> Iterator[Data]:
    """Yield the data sets."""
    yield from quick_data()
    yield Data("breast cancer", *datasets.load_breast_cancer(return_X_y=True))
    X, y = datasets.load_digits(return_X_y=True)
    yield Data("digits, even", X[:300], 1 - y[:300] % 2)
    yield Data("digits, ten", X, y)
    X, y = datasets.load_diabetes(return_X_y=True)
    yield Data("diabetes", X, y / 100.0)
    yield Data("housing", *housing(20_640))


def housing(n: int) -> tuple[FloatArray, FloatArray]:
    """Return eight features and a number that is no linear function of them."""
    random = np.random.default_rng(0)
    X = random.standard_normal((n, 8))
    y = np.maximum(X[:, 0] + 0.5 * X[:, 1], 0.0) - np.abs(X[:, 2])
    y += 0.5 * (X[:, 3] * X[:, 4] > 0.0) + 0.3 * X[:, 5]
    return X, y + 0.3 * random.standard_normal(n)


def models(classes: bool) -> dict[str, Any]:
    """Return the models, by the names of their classes."""
    if classes:
        chosen = [
            ConvexReLUClassifier(),
            MLPClassifier(max_iter=2000, random_state=0),
            SVC(),
            RandomForestClassifier(random_state=0),
        ]
    else:
        chosen = [
            ConvexReLURegressor(),
            MLPRegressor(max_iter=2000, random_state=0),
            SVR(),
            RandomForestRegressor(random_state=0),
        ]
    return {type(model).__name__: model for model in chosen}


def compare(data: Data, table: Table) -> None:
    """Fit all models to a data set and print their rows."""
    X, X_test, y, y_test = train_test_split(
        data.X,
        data.y,
        test_size=0.25,
        random_state=0,
        stratify=data.y if data.classes else None,
    )
    for name, model in models(data.classes).items():
        pipeline = make_pipeline(StandardScaler(), model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GapWarning)
            pipeline.fit(X[::10], y[::10])
            seconds = timed(partial(pipeline.fit, X, y)).cpu
        scores = pipeline.score(X, y), pipeline.score(X_test, y_test)
        size = f"{len(X)}, {X.shape[1]}"
        gaps = [largest_gap(model, name) for name in ("", "global_")]
        table.row(data.name, size, name, seconds, *scores, *gaps)


def largest_gap(model: Any, which: str) -> float | None:
    """Return the largest relative gap of a model's certificates, if it has some."""
    found = getattr(model, f"{which}certificate_", None)
    if found is None:
        return None
    return float(np.max([one.relative_gap for one in np.atleast_1d(found)]))


if __name__ == "__main__":
    main()
