from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from convexnn_lib import TrainingProblem, datasets, solve
from convexnn_lib.errors import InvalidDataError


def exact_gram(X):
    rows = [[Fraction(v) for v in row] for row in X.tolist()]
    return [[sum(a * b for a, b in zip(r, s, strict=True)) for s in rows] for r in rows]


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        (datasets.talk_example, (3, 2)),
        (datasets.toy, (1, 1)),
        (datasets.xor, (4, 2)),
        (datasets.separable_pair, (2, 2)),
        (datasets.separable_quad, (4, 2)),
    ],
)
def test_examples_are_fresh_float64_arrays(data, shape):
    X, y = data()
    assert X.shape == shape
    assert y.shape == shape[:1]
    assert X.dtype == y.dtype == np.float64
    assert set(y) <= {-1.0, 1.0}
    X[:] = np.nan
    assert np.isfinite(data()[0]).all()


@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 1), (2, 4), (6, 3), (9, 2)])
@pytest.mark.parametrize("seed", range(3))
def test_orthogonally_separable_in_exact_arithmetic(n, d, seed):
    X, y = datasets.orthogonally_separable(n, d, seed)
    assert X.shape == (n, d)
    assert np.sum(y == 1) == (n + 1) // 2
    for i, row in enumerate(exact_gram(X)):
        for j, product in enumerate(row):
            assert product * int(y[i] * y[j]) > 0


def test_orthogonally_separable_is_signed_absolute_normal():
    X, y = datasets.orthogonally_separable(6, 3, 4)
    Z = np.random.default_rng(4).standard_normal((6, 3))
    np.testing.assert_array_equal(X, y[:, None] * np.abs(Z))


def test_separable_pair_and_quad_are_orthogonally_separable():
    for X, y in (datasets.separable_pair(), datasets.separable_quad()):
        gram = exact_gram(X)
        for i, row in enumerate(gram):
            for j, product in enumerate(row):
                assert product > 0 if y[i] == y[j] else product <= 0


def test_gaussian_draws_data_then_real_then_sign_labels():
    rng = np.random.default_rng(7)
    X, y, s = (
        rng.standard_normal((8, 3)),
        rng.standard_normal(8),
        rng.standard_normal(8),
    )
    for labels, expected in (("real", y), ("sign", np.sign(s))):
        X_drawn, y_drawn = datasets.gaussian(8, 3, 7, labels=labels)
        np.testing.assert_array_equal(X_drawn, X)
        np.testing.assert_array_equal(y_drawn, expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "seed", "loss", "value"),
    [
        (5, 0, "squared", 0.56547035),
        (5, 0, "logistic", 2.3548637),
        (6, 1, "squared", 0.23882110),
        (6, 1, "logistic", 3.0916544),
    ],
)
def test_gaussian_gives_the_optimal_values_of_the_book(n, seed, loss, value):
    labels = "real" if loss == "squared" else "sign"
    X, y = datasets.gaussian(n, 2, seed, labels=labels)
    solution = solve(TrainingProblem(X, y, 0.1, loss))
    assert solution.value == pytest.approx(value, rel=2e-7)


def test_generators_accept_a_numpy_generator():
    rng = np.random.default_rng(0)
    first, _ = datasets.gaussian(3, 2, rng)
    second, _ = datasets.gaussian(3, 2, rng)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("breast_cancer", (569, 30)),
        ("diabetes", (442, 10)),
        ("iris", (100, 4)),
        ("wine", (130, 13)),
    ],
)
def test_load_shapes_labels_and_standardization(name, shape):
    X, y = datasets.load(name)
    assert X.shape == shape
    assert X.flags.c_contiguous
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(X.std(axis=0), 1, atol=1e-13)
    if name == "diabetes":
        np.testing.assert_allclose([y.mean(), y.std()], [0, 1], atol=1e-13)
    else:
        assert set(y) == {-1.0, 1.0}


def test_load_raw_values_match_scikit_learn():
    from sklearn.datasets import load_iris

    data = load_iris()
    X, y = datasets.load("iris", standardize=False, classes=("setosa", "virginica"))
    kept = data.target != 1
    np.testing.assert_array_equal(X, data.data[kept])
    np.testing.assert_array_equal(y, data.target[kept] - 1.0)


def test_load_features_samples_and_ones():
    names = ["bmi", "s5"]
    X, y = datasets.load(
        "diabetes", features=names, n_samples=20, seed=3, ones=True, standardize=False
    )
    full, labels = datasets.load("diabetes", features=names, standardize=False)
    assert X.shape == (20, 3)
    np.testing.assert_array_equal(X[:, 2], 1)
    rows = [int(np.flatnonzero((full == row[:2]).all(axis=1))[0]) for row in X]
    assert rows == sorted(rows)
    np.testing.assert_array_equal(labels[rows], y)
    again, _ = datasets.load("diabetes", n_samples=20, seed=3, features=names)
    other, _ = datasets.load("diabetes", n_samples=20, seed=4, features=names)
    assert not np.array_equal(again, other)


def test_load_constant_columns_and_one_row():
    X, y = datasets.load("diabetes", n_samples=1)
    np.testing.assert_array_equal(X, np.zeros((1, 10)))
    np.testing.assert_array_equal(y, [0.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: datasets.load("mnist"), r"'mnist'; available: .*'iris'"),
        (
            lambda: datasets.load("iris", classes=("setosa", "rosa")),
            "'rosa'; available",
        ),
        (lambda: datasets.load("iris", classes=("setosa", "setosa")), "two different"),
        (lambda: datasets.load("diabetes", classes=("a", "b")), "real labels"),
        (lambda: datasets.load("iris", features=["colour"]), "'colour'; available"),
        (lambda: datasets.load("iris", features="bmi"), "sequence of names"),
        (lambda: datasets.load("iris", features=[]), "non-empty"),
        (lambda: datasets.load("iris", n_samples=101), "101, but iris has 100"),
        (lambda: datasets.load("iris", n_samples=0), "at least 1, got 0"),
        (lambda: datasets.load("iris", n_samples=9, seed=-1), "non-negative"),
        (lambda: datasets.orthogonally_separable(1, 2, 0), "n must be at least 2"),
        (lambda: datasets.orthogonally_separable(2, 0, 0), "d must be at least 1"),
        (lambda: datasets.orthogonally_separable(2, 2, None), "seed must be"),
        (lambda: datasets.gaussian(0, 2, 0), "n must be at least 1"),
        (lambda: datasets.gaussian(2, 2, 0, labels="class"), '"real" or "sign"'),
    ],
)
def test_errors(call, message):
    with pytest.raises(InvalidDataError, match=message):
        call()


def test_import_leaves_scikit_learn_alone():
    code = (
        "import sys, convexnn_lib.datasets;"
        "assert not {'sklearn', 'torch', 'cvxpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
