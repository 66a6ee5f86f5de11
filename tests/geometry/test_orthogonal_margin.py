from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import SVC

from convexnn_lib import (
    OrthogonalMargin,
    ReLUNetwork,
    TrainingProblem,
    datasets,
    dual_norm,
    gradient_flow,
    hull_gauge,
    kkt_residual,
    linear_margin,
    max_margin,
    normalized_margin,
    orthogonal_margin,
)
from convexnn_lib.errors import (
    InvalidDataError,
    InvalidLabelsError,
    NotSeparableError,
)


def svm(rows):
    """The shortest w with rows @ w >= 1, by scikit-learn's support vector machine."""
    machine = SVC(kernel="linear", C=1e9, tol=1e-9)
    machine.fit(np.vstack([rows, -rows]), np.repeat([1, -1], len(rows)))
    return machine.coef_[0]


def check(margin: OrthogonalMargin, X, y):
    """Check the certificate: a feasible network and a feasible dual point meet."""
    assert np.all(y * margin.dual >= 0)
    assert dual_norm(X, margin.dual)[0] <= 1 + 1e-9
    assert y @ margin.dual == pytest.approx(margin.value, rel=1e-9)
    network = margin.network()
    assert network.penalty() == pytest.approx(margin.value, rel=1e-9)
    assert np.min(y * network.predict(X)) >= 1 - 1e-9
    assert normalized_margin(network, X, y) == pytest.approx(0.5 / margin.value)


@pytest.mark.parametrize(
    ("data", "value", "dual"),
    [
        (
            datasets.separable_pair(),
            1 / np.hypot(1.65, 0.47) + 1 / np.hypot(0.47, 1.35),
            [1 / np.hypot(1.65, 0.47), -1 / np.hypot(0.47, 1.35)],
        ),
        (
            datasets.separable_quad(),
            1 / np.sqrt(2) + 2 / np.sqrt(5),
            [0, np.sqrt(0.5), -2 / np.sqrt(5), 0],
        ),
    ],
)
def test_closed_forms(data, value, dual):
    X, y = data
    margin = orthogonal_margin(X, y)
    assert margin.value == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(margin.dual, dual, atol=1e-12)
    check(margin, X, y)


@pytest.mark.parametrize("seed", range(20))
def test_random_data(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2, 30)), int(rng.integers(1, 8))
    X, y = datasets.orthogonally_separable(n, d, seed)
    X = X * 10.0 ** rng.uniform(-3, 3)
    margin = orthogonal_margin(X, y)
    if n <= 12 or d <= 3:
        check(margin, X, y)
    for sign, w in ((1, margin.w_plus), (-1, margin.w_minus)):
        rows = X[y == sign]
        assert np.min(rows @ w) >= 1 - 1e-9
        # optimal: w is a nonnegative combination, and complementary
        alpha = np.abs(margin.dual[y == sign]) * np.linalg.norm(w)
        np.testing.assert_allclose(
            rows.T @ alpha, w, rtol=1e-8, atol=1e-12 * abs(w).max()
        )
        assert alpha @ (rows @ w - 1) == pytest.approx(0, abs=1e-8 * alpha.sum())


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_a_support_vector_machine_and_the_convex_program(seed):
    X, y = datasets.orthogonally_separable(6, 3, seed)
    margin = orthogonal_margin(X, y)
    np.testing.assert_allclose(margin.w_plus, svm(X[y > 0]), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(margin.w_minus, svm(X[y < 0]), rtol=1e-4, atol=1e-5)
    assert max_margin(X, y).value == pytest.approx(margin.value, rel=1e-6)


def test_degenerate_data():
    # repeated and parallel rows; the shortest one decides
    X = np.array([[1.0, 1.0], [1.0, 1.0], [3.0, 3.0], [-1.0, 0.0], [-2.0, 0.0]])
    y = np.array([1.0, 1.0, 1.0, -1.0, -1.0])
    margin = orthogonal_margin(X, y)
    assert margin.value == pytest.approx(np.sqrt(0.5) + 1, rel=1e-12)
    check(margin, X, y)
    # one feature
    margin = orthogonal_margin([[2.0], [-4.0]], [1.0, -1.0])
    assert margin.value == pytest.approx(0.75, rel=1e-12)
    # orthogonal classes
    X = np.eye(2)
    margin = orthogonal_margin(X, [1.0, -1.0])
    assert margin.value == pytest.approx(2.0, rel=1e-12)
    check(margin, X, np.array([1.0, -1.0]))


def test_one_sample_more_than_needed_changes_nothing():
    X, y = datasets.separable_quad()
    more = np.vstack([X, 3 * X[:1] + X[1:2]])
    assert orthogonal_margin(more, np.append(y, 1.0)).value == pytest.approx(
        orthogonal_margin(X, y).value, rel=1e-12
    )


def test_repr_shows_both_parts():
    text = repr(orthogonal_margin(*datasets.separable_quad()))
    assert text == "OrthogonalMargin(value=1.601533972 = 0.707107 + 0.894427)"


def test_linear_margin_against_a_support_vector_machine():
    petals = ["petal length (cm)", "petal width (cm)"]
    X, y = datasets.load(
        "iris", classes=("setosa", "versicolor"), features=petals, ones=True
    )
    w = linear_margin(X, y)
    assert np.min(y * (X @ w)) == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(w, svm(y[:, None] * X), rtol=1e-4)


@pytest.mark.parametrize("seed", range(10))
def test_linear_margin_is_optimal(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 12)), int(rng.integers(1, 6))
    X = rng.standard_normal((n, d))
    y = np.where(X @ rng.standard_normal(d) < 0, -1.0, 1.0)
    w = linear_margin(X, y)
    rows = y[:, None] * X
    assert np.min(rows @ w) >= 1 - 1e-8
    # w / |w|**2 is the point of least norm of the convex hull of the rows
    support = rows[rows @ w < 1 + 1e-7]
    assert len(support)  # SciPy's nnls ends the interpreter on a matrix of no column
    from scipy.optimize import nnls

    alpha, error = nnls(support.T, w)
    assert error < 1e-7 * np.linalg.norm(w)
    assert alpha.sum() == pytest.approx(w @ w, rel=1e-7)


def test_labels_of_one_kind():
    np.testing.assert_allclose(linear_margin([[2.0, 0.0]], [1.0]), [0.5, 0.0])
    np.testing.assert_allclose(linear_margin([[2.0, 0.0]], [-1.0]), [-0.5, 0.0])


def test_errors():
    with pytest.raises(InvalidDataError, match="not orthogonally separable"):
        orthogonal_margin(*datasets.xor())
    with pytest.raises(InvalidDataError, match="not orthogonally separable"):
        orthogonal_margin([[1.0], [2.0]], [1.0, 1.0])
    for function in (orthogonal_margin, linear_margin):
        with pytest.raises(InvalidLabelsError):
            function([[1.0]], [0.5])
        with pytest.raises(InvalidDataError, match="shape"):
            function([[1.0]], [1.0, 1.0])
        with pytest.raises(InvalidDataError, match="NaN"):
            function([[np.nan]], [1.0])
    with pytest.raises(NotSeparableError, match="linearly"):
        linear_margin(*datasets.xor())
    with pytest.raises(NotSeparableError, match="linearly"):
        linear_margin([[1.0], [0.0]], [1.0, 1.0])
    with pytest.raises(NotSeparableError, match="all samples are zero"):
        linear_margin([[0.0]], [1.0])


@pytest.mark.parametrize("degrees", [179.9, 179.999, 179.99971, 179.9999999])
def test_samples_at_nearly_opposite_angles(degrees):
    half = np.radians(degrees) / 2
    X = np.array([[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]])
    w = linear_margin(X, [1.0, 1.0])
    assert w == pytest.approx([1 / np.cos(half), 0.0], rel=1e-9, abs=1e-6)


def exposed(margin: OrthogonalMargin, X):
    """The two extreme points that the dual optimum exposes."""
    return tuple(
        sign * np.maximum(X @ w, 0) / np.linalg.norm(w)
        for sign, w in ((1, margin.w_plus), (-1, margin.w_minus))
    )


@pytest.mark.parametrize("seed", range(6))
def test_no_other_direction_attains_the_dual_norm(seed):
    """The dual optimum exposes the segment between two extreme points."""
    X, y = datasets.orthogonally_separable(6, 3, seed)
    margin = orthogonal_margin(X, y)
    ends = exposed(margin, X)
    for end, sign in zip(ends, (1, -1), strict=True):
        assert margin.dual @ end == pytest.approx(1)
        assert np.all(sign * end >= 0)
    assert dual_norm(X, margin.dual)[0] == pytest.approx(1)
    U = np.random.default_rng(seed).standard_normal((3, 20_000))
    U /= np.linalg.norm(U, axis=0)
    heights = margin.dual @ np.maximum(X @ U, 0)
    for w, sign in ((margin.w_plus, 1), (margin.w_minus, -1)):
        cosines = w @ U / np.linalg.norm(w)
        assert np.all(sign * heights <= 1 + 1e-12)
        # the loss of height is of the second order in the angle at least
        assert np.all(sign * heights <= 1 - 0.5 * (1 - np.maximum(cosines, 0.9)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 3])
def test_flows_converge_to_the_extreme_points_of_the_dual_optimum(seed):
    X, y = datasets.orthogonally_separable(6, 3, seed)
    margin = orthogonal_margin(X, y)
    plus, minus = exposed(margin, X)
    history = gradient_flow(
        TrainingProblem(X, y, 0.0, "logistic"),
        12,
        seed=seed,
        init_scale=1e-3,
        method="rescaled_runge_kutta",
        t_max=200,
        stop_log_loss=-3000,
        n_records=2,
    )
    assert history.loss[-1, 0] < np.log(2)
    network = history.network(0)
    lengths = np.linalg.norm(network.W1, axis=0)
    shares = lengths * np.abs(network.w2) / (lengths @ np.abs(network.w2))
    features = np.sign(network.w2) * np.maximum(X @ network.W1 / lengths, 0)
    large = shares > 0.02
    for positive, end in ((True, plus), (False, minus)):
        kind = large & ((network.w2 > 0) == positive)
        assert kind.any()
        distance = np.linalg.norm(features[:, kind] - end[:, None], axis=0)
        assert np.all(distance < 0.05 * np.linalg.norm(end))


def test_a_feature_that_ends_inside_of_the_hull():
    """Where the data are not orthogonally separable, the end need not be extreme."""
    half = np.radians(70)
    X = np.array([[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]])
    start = ReLUNetwork([[1e-3], [0.0]], [1e-3])
    history = gradient_flow(
        TrainingProblem(X, [1.0, 1.0], 0.0, "logistic"),
        initial=start,
        method="rescaled_runge_kutta",
        t_max=100,
        stop_log_loss=-100,
        n_records=2,
    )
    network = history.network(0)
    unit = network.W1 / np.linalg.norm(network.W1, axis=0)
    assert unit[0, 0] == pytest.approx(1)  # still along the bisector
    scaled = ReLUNetwork.from_convex(unit.T / np.cos(half), 0 * unit.T)
    assert kkt_residual(scaled, X, np.ones(2)).stationary
    feature = np.maximum(X @ unit[:, 0], 0)
    assert hull_gauge(X, feature).upper < 0.7
