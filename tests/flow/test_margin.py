from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from convexnn_lib import datasets
from convexnn_lib.errors import (
    InvalidDataError,
    InvalidLabelsError,
    NotSeparableError,
)
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.flow.margin import (
    certify_margin,
    is_orthogonally_separable,
    max_margin,
    normalized_margin,
    smoothed_margin,
)
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem


def two_points(degrees, second_class):
    """Two unit vectors at an angle, both positive, and maybe e_3 as a negative one."""
    half = np.radians(degrees) / 2
    X = np.array([[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]])
    y = np.ones(2)
    if second_class:
        X = np.block([[X, np.zeros((2, 1))], [np.zeros((1, 2)), np.ones((1, 1))]])
        y = np.array([1.0, 1.0, -1.0])
    return X, y


# ---- the best margin --------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (datasets.separable_pair(), 1.2824322),
        (datasets.separable_quad(), 1 / np.sqrt(2) + 2 / np.sqrt(5)),
        (datasets.xor(), 2 * np.sqrt(2)),
        (two_points(100, second_class=False), 1.5557238),
        (two_points(140, second_class=False), 2.0),
        (two_points(100, second_class=True), 2.5557238),
        (two_points(140, second_class=True), 3.0),
        (([[2.0]], [-1.0]), 0.5),
    ],
)
def test_max_margin_values(data, value):
    solution = max_margin(*data)
    assert solution.value == pytest.approx(value, rel=2e-7)
    assert solution.gap <= 1e-6 * value
    assert normalized_margin(solution.network, *data) == pytest.approx(
        1 / (2 * value), rel=1e-6
    )


def test_max_margin_dual_of_orthogonally_separable_data():
    X, y = datasets.separable_quad()
    np.testing.assert_allclose(
        max_margin(X, y).dual, [0, np.sqrt(0.5), -2 / np.sqrt(5), 0], atol=1e-5
    )


@pytest.mark.parametrize("seed", range(3))
def test_orthogonally_separable_value_is_a_pair_of_support_vector_machines(seed):
    from sklearn.svm import SVC

    X, y = datasets.orthogonally_separable(7, 3, seed)
    value = 0.0
    for sign in (1.0, -1.0):
        # least norm with x w >= 1 on one class: add the mirror image as other class
        rows = X[y == sign]
        machine = SVC(kernel="linear", C=1e8, tol=1e-8)
        machine.fit(np.vstack([rows, -rows]), np.repeat([1, -1], len(rows)))
        value += np.linalg.norm(machine.coef_)
    assert max_margin(X, y).value == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (datasets.talk_example()[0], datasets.talk_example()[1]),
        ([[0.0, 0.0], [1.0, 0.0]], [1.0, -1.0]),
    ],
)
def test_data_that_no_network_separates(X, y):
    with pytest.raises(NotSeparableError):
        max_margin(X, y)


# ---- margins of networks ----------------------------------------------------------


def test_margins_of_a_network():
    network = ReLUNetwork([[1.0, -1.0], [0.0, 1.0]], [2.0, -1.0])
    X = np.array([[1.0, 0.0], [-1.0, 1.0], [0.0, 0.5]])
    y = np.array([1.0, -1.0, 1.0])
    # outputs 2, -2, -0.5; squared norm 3 + 5
    assert normalized_margin(network, X, y) == pytest.approx(-0.5 / 8)
    loss = np.log1p(np.exp(-np.array([2.0, 2.0, -0.5]))).sum()
    expected = -np.log(np.expm1(loss)) / 8
    assert smoothed_margin(network, X, y) == pytest.approx(expected)
    big = ReLUNetwork(100 * network.W1, 100 * network.w2)
    assert normalized_margin(big, X, y) == pytest.approx(-0.5 / 8)


def test_margin_errors():
    zero = ReLUNetwork([[0.0]], [0.0])
    network = ReLUNetwork([[1.0]], [1.0])
    for function in (normalized_margin, smoothed_margin, certify_margin):
        with pytest.raises(InvalidDataError, match="all weights"):
            function(zero, [[1.0]], [1.0])
        with pytest.raises(InvalidLabelsError):
            function(network, [[1.0]], [0.5])
        with pytest.raises(InvalidDataError, match="shape"):
            function(network, [[1.0]], [1.0, 1.0])
        with pytest.raises(InvalidDataError, match="features"):
            function(network, [[1.0, 2.0]], [1.0])


# ---- certified intervals ----------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("ones", [False, True])
def test_margins_in_many_dimensions_are_certified(ones):
    """The patterns of a class of 71 wines cannot be listed; few samples matter."""
    X, y = datasets.load("wine", ones=ones)
    network = gradient_flow(
        TrainingProblem(X, y, 0.0, "logistic"),
        20,
        init_scale=1e-2,
        seed=0,
        method="rescaled_runge_kutta",
        t_max=50,
        stop_log_loss=-500,
        tolerance=1e-3,
    ).network(0)
    certificate = certify_margin(network, X, y)
    assert certificate.margin == normalized_margin(network, X, y)
    assert 0.9 < certificate.ratio <= 1
    dual = certificate.certificate.feasible_dual
    assert np.all(y * dual >= 0)
    assert 0.5 / (y @ dual) == pytest.approx(certificate.upper_bound, rel=1e-12)
    # many random neurons do not violate the bound
    units = np.random.default_rng(0).standard_normal((X.shape[1], 20_000))
    units /= np.linalg.norm(units, axis=0)
    assert np.abs(dual @ np.maximum(X @ units, 0)).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "best"),
    [
        (
            datasets.separable_pair(),
            0.5 / (1 / np.hypot(1.65, 0.47) + 1 / np.hypot(0.47, 1.35)),
        ),
        (datasets.separable_quad(), 0.5 / (1 / np.sqrt(2) + 2 / np.sqrt(5))),
    ],
)
def test_trained_networks_are_certified(data, best):
    X, y = data
    history = gradient_flow(
        TrainingProblem(X, y, 0.0, "logistic"),
        10,
        n_runs=2,
        init_scale=1e-3,
        seed=0,
        method="rescaled",
        step=2e-3,
        n_steps=20_000,
        stop_log_loss=-200.0,
    )
    for run in range(2):
        network = history.network(run)
        result = certify_margin(network, X, y)
        assert result.margin == normalized_margin(network, X, y)
        assert 0.98 < result.ratio <= 1
        assert result.margin <= best <= result.upper_bound
        assert result.upper_bound == pytest.approx(best, rel=2e-3)
        assert result.certificate.primal == pytest.approx(1 / (2 * result.margin))
        assert repr(result).startswith("MarginCertificate(best margin in [0.3")


def test_flow_that_ends_at_a_point_that_is_not_the_best():
    # started in the two cones at 100 degrees the flow stays there: cost 2, best 1.5557
    X, y = two_points(100, second_class=False)
    history = gradient_flow(
        TrainingProblem(X, y, 0.0, "logistic"),
        initial=ReLUNetwork(X.T, [1.0, 1.0]),
        method="rescaled_runge_kutta",
        t_max=40.0,
        stop_log_loss=-300.0,
    )
    result = certify_margin(history.network(), X, y)
    assert 1 / (2 * result.margin) == pytest.approx(2.0, rel=2e-3)
    assert 1 / (2 * result.upper_bound) <= 1.5557239
    assert result.ratio < 0.8


def test_certificate_of_the_best_network():
    for X, y in (datasets.xor(), two_points(140, second_class=True)):
        assert certify_margin(max_margin(X, y).network, X, y).ratio > 1 - 2e-6


@pytest.mark.slow
@given(seed=st.integers(0, 1000), width=st.integers(1, 6))
@settings(deadline=None, max_examples=15, derandomize=True)
def test_interval_of_any_separating_network_contains_the_best_margin(seed, width):
    X, y = datasets.orthogonally_separable(5, 2, seed)
    rng = np.random.default_rng(seed)
    # neurons of both signs along their classes, of random sizes and balance
    W1 = np.vstack([X[y == 1].sum(axis=0), X[y == -1].sum(axis=0)]).T
    W1 = np.repeat(W1, width, axis=1) * rng.uniform(0.1, 2, 2 * width)
    network = ReLUNetwork(
        W1, np.repeat([1.0, -1.0], width) * rng.uniform(0.1, 2, 2 * width)
    )
    result = certify_margin(network, X, y)
    best = 1 / (2 * max_margin(X, y).value)
    assert result.margin <= best * (1 + 1e-6)
    assert result.upper_bound >= best * (1 - 1e-6)


def test_network_that_does_not_separate():
    X, y = datasets.separable_pair()
    with pytest.raises(InvalidDataError, match=r"1 of 2 samples is not .*sample 1"):
        certify_margin(ReLUNetwork([[1.0], [0.0]], [1.0]), X, y)
    X, y = datasets.talk_example()
    with pytest.raises(NotSeparableError):
        certify_margin(ReLUNetwork([[1.0], [0.0]], [1.0]), X, y)


# ---- orthogonal separability ------------------------------------------------------


def brute_force(X, y):
    rows = [[Fraction(value) for value in row] for row in X]
    if len(set(y)) < 2:
        return False
    for row, label in zip(rows, y, strict=True):
        for other, other_label in zip(rows, y, strict=True):
            product = sum(a * b for a, b in zip(row, other, strict=True))
            if (product > 0) != (label == other_label):
                return False
    return True


entries = st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.0, 0.1, -0.1, 1e-170, 1e200, 0.3])


@given(
    st.integers(1, 3).flatmap(
        lambda d: st.lists(
            st.tuples(st.lists(entries, min_size=d, max_size=d), st.booleans()),
            min_size=1,
            max_size=4,
        )
    )
)
@example([([1.0, 0.0], True), ([0.0, 1.0], False)])  # orthogonal across the classes
@example([([1.0, 0.0], True), ([0.0, 1.0], True), ([-1.0, -1.0], False)])  # within one
@example([([0.0], True), ([1.0], False)])  # a zero row
@settings(deadline=None, max_examples=300, derandomize=True)
def test_orthogonal_separability_in_exact_arithmetic(samples):
    X = [row for row, _ in samples]
    y = [1.0 if label else -1.0 for _, label in samples]
    assert is_orthogonally_separable(X, y) is brute_force(X, y)


def test_signs_that_rounding_hides():
    # 0.1 * 3 - 0.3 rounds to 5.6e-17; exactly, the float64 0.1 and 0.3 give 2.8e-17
    X = [[0.1, 1.0], [3.0, -0.3]]
    assert not is_orthogonally_separable(X, [1.0, -1.0])
    assert is_orthogonally_separable([[0.1, 1.0], [3.0, -0.3000000000000001]], [1, -1])
    tiny = 1e-170  # the products underflow
    assert is_orthogonally_separable([[tiny], [-tiny]], [1.0, -1.0])
    assert not is_orthogonally_separable([[tiny], [tiny]], [1.0, -1.0])


def test_orthogonal_rows_are_separable_across_but_not_within_classes():
    assert is_orthogonally_separable(np.eye(2), [1.0, -1.0])
    assert not is_orthogonally_separable(np.eye(3), [1.0, 1.0, -1.0])
    assert not is_orthogonally_separable([[1.0], [2.0]], [1.0, 1.0])  # one class
    assert not is_orthogonally_separable([[0.0], [1.0]], [1.0, -1.0])  # zero row


def test_orthogonal_separability_errors():
    with pytest.raises(InvalidLabelsError):
        is_orthogonally_separable([[1.0]], [2.0])
    with pytest.raises(InvalidDataError, match="NaN"):
        is_orthogonally_separable([[np.nan]], [1.0])
