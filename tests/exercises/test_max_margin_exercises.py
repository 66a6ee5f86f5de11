"""The self-checks on the max-margin problem accept what is right, and say why not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import linprog

from convexnn_lib import datasets, dual_norm, linear_margin, max_margin
from convexnn_lib.exercises import max_margin as checks

JUNK = [
    ...,
    None,
    "many",
    3,
    [],
    [math.nan],
    ([[math.nan]], [1.0]),
    np.zeros((2, 2, 2)),
]
HALF = np.radians(50)


@pytest.mark.parametrize("name", checks.__all__)
@pytest.mark.parametrize("junk", JUNK, ids=str)
def test_junk_is_no_answer(name, junk):
    check = getattr(checks, name)
    for answer in ((junk,), (junk, junk)):
        feedback = check(*answer)
        assert not feedback
        assert repr(feedback).startswith("Not yet: ")


def test_two_lengths():
    assert checks.two_lengths(lambda a, b: 1 / a + 1 / b)
    assert checks.two_lengths(lambda a, b: (a + b) / (a * b))
    above = checks.two_lengths(lambda a, b: 2 / min(a, b))
    assert "above the cost" in above.message
    below = checks.two_lengths(lambda a, b: 1 / max(a, b))
    assert "excludes" in below.message
    assert below.certificate.lower_bound > 1
    assert not checks.two_lengths(lambda a, b: math.nan)


def test_xor_dual():
    X, y = datasets.xor()
    assert checks.xor_dual(y / np.sqrt(2)).certificate == pytest.approx(2 * np.sqrt(2))
    assert checks.xor_dual((y / np.sqrt(2)).tolist())
    assert "negative entry" in checks.xor_dual(-y / np.sqrt(2)).message
    assert "above 1" in checks.xor_dual(y).message
    assert "better one exists" in checks.xor_dual(0.5 * y).message
    assert not checks.xor_dual(y[:3])
    assert checks.xor_dual(max_margin(X, y).dual)


def test_positive_class():
    assert checks.positive_class(np.array([1, 0, 0.25]) / np.sqrt(1.25))
    assert "better one exists" in checks.positive_class([0.5, 0.1, 0.1]).message


def test_second_class():
    t = 1 / (2 * np.cos(HALF))
    assert checks.second_class([t, t, -0.5])
    assert "negative entry" in checks.second_class([t, t, 0.5]).message
    assert "above 1" in checks.second_class([1, 1, -0.5]).message
    assert "better one exists" in checks.second_class([t, t, 0]).message


def test_largest_multiplier():
    assert checks.largest_multiplier(0.4)
    assert checks.largest_multiplier(np.float64(2 / 5))
    assert "above 1" in checks.largest_multiplier(0.5).message
    assert "larger t" in checks.largest_multiplier(0.39).message
    assert "negative" in checks.largest_multiplier(0.6).message


def test_impossible_labels():
    feedback = checks.impossible_labels([1, 1, 1, -1, -1, -1, -1, 1])
    assert feedback
    half = np.vstack([np.eye(3), np.ones((1, 3))])
    assert dual_norm(np.vstack([half, -half]), feedback.certificate)[0] < 1e-9
    assert checks.impossible_labels([-1, -1, -1, 1, 1, 1, 1, -1])
    possible = checks.impossible_labels([1, 1, -1, 1, -1, -1, 1, -1])
    assert "a network separates them" in possible.message
    assert "same label" in checks.impossible_labels(np.ones(8)).message
    assert "1 and -1" in checks.impossible_labels(2 * np.ones(8)).message


def test_bent_data():
    def directions(*degrees):
        angles = np.radians(degrees)
        return np.column_stack([np.cos(angles), np.sin(angles)])

    feedback = checks.bent_data(directions(89, -89, 180), [1, 1, -1])
    assert feedback.certificate == pytest.approx(2 / (3 * np.cos(np.radians(89))))
    assert (
        "times as much"
        in checks.bent_data(directions(60, -60, 180), [1, 1, -1]).message
    )
    assert "no line" in checks.bent_data(*datasets.xor()).message
    assert "one class" in checks.bent_data(directions(89, -89), [1, 1]).message
    assert "six" in checks.bent_data(np.ones((7, 2)), np.ones(7)).message


def test_antisymmetric_value():
    def value(X, y):
        return 2 * np.linalg.norm(linear_margin(X, y))

    assert checks.antisymmetric_value(value)
    assert (
        "too small" in checks.antisymmetric_value(lambda X, y: value(X, y) / 2).message
    )
    assert "too large" in checks.antisymmetric_value(lambda X, y: 1e9).message


def dual_of_features(W1, w2, X, y):
    unit = W1 / np.linalg.norm(W1, axis=0)
    margins = y[:, None] * np.maximum(X @ unit, 0) * np.sign(w2)
    return y * linprog(-np.ones(len(y)), A_ub=margins.T, b_ub=np.ones(len(w2))).x


def test_network_bound():
    feedback = checks.network_bound(dual_of_features)
    assert feedback
    assert 0 < feedback.certificate[0] <= feedback.certificate[1] * (1 + 1e-9)

    def scaled(*network):
        return 0.5 * dual_of_features(*network)

    assert "not that of the program" in checks.network_bound(scaled).message

    def negative(*network):
        return -dual_of_features(*network)

    assert "negative" in checks.network_bound(negative).message

    def concentrated(W1, w2, X, y):
        lam = dual_of_features(W1, w2, X, y)
        result = np.zeros(len(y))
        result[0] = y[0] * (y @ lam)
        return result

    assert "violates" in checks.network_bound(concentrated).message


def test_cutting_planes():
    def best(X, y):
        solution = max_margin(X, y)
        return solution.network, y * np.maximum(y * solution.dual, 0)

    assert checks.cutting_planes(best)

    def as_pair(X, y):
        network, lam = best(X, y)
        return (3 * network.W1, 3 * network.w2), 7 * lam

    assert checks.cutting_planes(as_pair)  # scales play no role
    loose = checks.cutting_planes(lambda X, y: (best(X, y)[0], y))
    assert "the lower bound" in loose.message
    assert loose.certificate[0] < loose.certificate[1]
    wrong_signs = checks.cutting_planes(lambda X, y: (best(X, y)[0], -y))
    assert "negative" in wrong_signs.message
    assert not checks.cutting_planes(lambda X, y: best(X, y)[0])
    zero = checks.cutting_planes(lambda X, y: (best(X, y)[0], 0 * y))
    assert "the lower bound 0" in zero.message
