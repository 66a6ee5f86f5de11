"""The self-checks on the max-margin problem accept what is right, and say why not."""

from __future__ import annotations

import math
from fractions import Fraction

import hostile
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


@pytest.mark.slow
def test_two_lengths():
    assert checks.two_lengths(lambda a, b: 1 / a + 1 / b)
    assert checks.two_lengths(lambda a, b: (a + b) / (a * b))
    above = checks.two_lengths(lambda a, b: 2 / min(a, b))
    assert "above the cost" in above.message
    below = checks.two_lengths(lambda a, b: 1 / max(a, b))
    assert "excludes" in below.message
    assert below.certificate == (1.0, 1.5)
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
    assert feedback.certificate == 3

    def scaled(*network):
        return 0.5 * dual_of_features(*network)

    assert "the program has the value" in checks.network_bound(scaled).message

    def negative(*network):
        return -dual_of_features(*network)

    assert "negative" in checks.network_bound(negative).message

    def concentrated(W1, w2, X, y):
        lam = dual_of_features(W1, w2, X, y)
        result = np.zeros(len(y))
        result[0] = y[0] * (y @ lam)
        return result

    assert "violated" in checks.network_bound(concentrated).message


@pytest.mark.slow
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
    wrong_signs = checks.cutting_planes(lambda X, y: (best(X, y)[0], -y))
    assert "negative" in wrong_signs.message
    assert not checks.cutting_planes(lambda X, y: best(X, y)[0])
    zero = checks.cutting_planes(lambda X, y: (best(X, y)[0], 0 * y))
    assert "the lower bound 0" in zero.message


HALF_T = 0.5 / np.cos(HALF)
DUALS = [
    (checks.xor_dual, datasets.xor()[1] / np.sqrt(2)),
    (checks.positive_class, np.array([1, 0, 0.25]) / np.sqrt(1.25)),
    (checks.second_class, np.array([HALF_T, HALF_T, -0.5])),
]


@pytest.mark.slow
@pytest.mark.parametrize(("check", "dual"), DUALS)
def test_dual_points_in_all_forms_and_rounded(check, dual):
    for form in hostile.vectors(dual):
        assert check(form), check(form).message
    assert check(dual.round(6))
    assert check(np.trunc(dual * 1e6) / 1e6)


@pytest.mark.parametrize(("check", "dual"), DUALS)
@pytest.mark.parametrize("digits", [2, 3])
def test_too_few_digits_are_told_as_such(check, dual, digits):
    """No message says that the dual norm is 1, above 1."""
    for cut in (np.round, lambda v, k: np.trunc(v * 10.0**k) / 10.0**k):
        feedback = check(cut(dual, digits))
        assert not feedback
        assert "if this is rounding" in feedback.message or "better" in feedback.message
        assert "is 1, above" not in feedback.message
    up = check(dual * (1 + 1e-4))
    assert "1 + 1.0e-04, above 1" in up.message


def test_xor_dual_exactly():
    root = hostile.sympy.sqrt(2) / 2
    assert checks.xor_dual([root * int(label) for label in datasets.xor()[1]])


def test_wrong_ideas_about_dual_points():
    y = datasets.xor()[1]
    for slip in (y / 2, y / (2 * np.sqrt(2)), np.abs(y) / np.sqrt(2), np.sqrt(2) * y):
        assert not checks.xor_dual(slip)
    w = np.array([1.0, 0.0, 0.25])  # alpha, not divided by the norm
    for slip in (w, w / 1.25, [1, 0.5, 0], np.ones(3) / 3, np.zeros(3)):
        assert not checks.positive_class(slip)
    t = HALF_T
    for slip in ([1, 1, -0.5], [t, t, -2], [t, t, -1], [t, t, 0], [0.5, 0.5, -0.5]):
        assert not checks.second_class(slip)


def test_largest_multiplier_in_all_forms():
    for form in hostile.numbers(Fraction(2, 5)):
        assert checks.largest_multiplier(form)
    assert "above 1" in checks.largest_multiplier(0.447).message  # of one outer row
    assert not checks.largest_multiplier([0.4, 0.2])
    for slip in (1 / 5, 1 / 3, -0.4, 1 / np.sqrt(5)):
        assert not checks.largest_multiplier(slip)


def test_impossible_labels_in_all_forms():
    for form in hostile.vectors([1, 1, 1, -1, -1, -1, -1, 1]):
        assert checks.impossible_labels(form)
    for slip in ([1, -1] * 4, [1, 1, 1, 1, -1, -1, -1, -1], [1] * 4 + [0] * 4, [1] * 4):
        assert not checks.impossible_labels(slip)


@pytest.mark.slow
def test_bent_data_in_other_forms():
    X, y = [[0.01, 1], [0.01, -1], [-1, 0]], [1, 1, -1]
    exact = [[Fraction(1, 100), 1], [Fraction(1, 100), -1], [-1, 0]]
    for samples in (X, exact, np.array(X), hostile.sympy.Matrix(exact)):
        for labels in hostile.vectors(y):
            assert checks.bent_data(samples, labels)
    assert not checks.bent_data(np.transpose(X), y)
    assert "labels are" in checks.bent_data(X, [1, 1, 0]).message
    # the line that goes between is not much dearer, as the network also pays
    assert "times as much" in checks.bent_data([[1, 0.01], [-1, 0.01]], [1, -1]).message


@pytest.mark.slow
def test_two_lengths_in_all_forms():
    for function in hostile.functions(lambda a, b: np.array([1 / a + 1 / b])):
        assert checks.two_lengths(function)
    assert checks.two_lengths(lambda a, b: 1 / Fraction(a) + 1 / Fraction(b))
    for message, function in hostile.spoilt(lambda a, b: 1 / a + 1 / b):
        feedback = checks.two_lengths(function)
        assert not feedback
        assert message in feedback.message
    for slip in (
        lambda a, b: 2 / min(a, b),
        lambda a, b: 2 / np.sqrt(a * b),
        lambda a, b: np.hypot(1 / a, 1 / b),
        lambda a, b: 4 / (a + b),
        lambda a, b: 1 / a**2 + 1 / b**2,
    ):
        assert not checks.two_lengths(slip)


@pytest.mark.slow
def test_antisymmetric_value_in_all_forms():
    def value(X, y):
        return 2 * np.linalg.norm(linear_margin(X, y))

    for function in hostile.functions(value):
        assert checks.antisymmetric_value(function)
    for message, function in hostile.spoilt(value):
        assert message in checks.antisymmetric_value(function).message
        assert not checks.antisymmetric_value(function)
    for slip in (
        lambda X, y: max_margin(X, y).value,  # of one half of the samples
        lambda X, y: 2 * max_margin(X, y).value,
        lambda X, y: np.linalg.norm(linear_margin(X, y)),
        lambda X, y: 2 * np.linalg.norm(np.linalg.pinv(X) @ y),  # margins equal to 1
    ):
        assert not checks.antisymmetric_value(slip)


def test_network_bound_in_all_forms():
    for function in hostile.functions(dual_of_features):
        assert checks.network_bound(function)
    assert checks.network_bound(lambda *inputs: dual_of_features(*inputs)[:, None])
    for message, function in hostile.spoilt(dual_of_features):
        assert message in checks.network_bound(function).message
        assert not checks.network_bound(function)

    def without(normalization=False, sign=False, labels=False):
        def dual(W1, w2, X, y):
            unit = W1 if normalization else W1 / np.linalg.norm(W1, axis=0)
            signs = w2 if sign else np.sign(w2)
            margins = y[:, None] * np.maximum(X @ unit, 0) * signs
            result = linprog(-np.ones(len(y)), A_ub=margins.T, b_ub=np.ones(len(w2)))
            return result.x if labels else y * result.x

        return dual

    assert not checks.network_bound(without(normalization=True))
    assert not checks.network_bound(without(sign=True))
    assert "y * lambda?" in checks.network_bound(without(labels=True)).message


@pytest.mark.slow
def test_cutting_planes_in_all_forms():
    def best(X, y):
        solution = max_margin(X, y)
        return solution.network, solution.dual

    def as_layers(X, y):
        network, dual = best(X, y)
        return [network.W1.tolist(), network.w2[:, None]], dual[:, None]

    assert checks.cutting_planes(best)  # zeros up to rounding in the dual point
    assert checks.cutting_planes(as_layers)
    for message, function in list(hostile.spoilt(best))[:6]:
        assert message in checks.cutting_planes(function).message
    linear = checks.cutting_planes(
        lambda X, y: (([[1.0]] * X.shape[1], [1.0]), best(X, y)[1])
    )
    assert "does not separate" in linear.message
    turned = checks.cutting_planes(
        lambda X, y: ((best(X, y)[0].W1.T, best(X, y)[0].w2), best(X, y)[1])
    )
    assert not turned
