"""The checks on more networks accept right answers, and only these."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from convexnn_lib import TrainingProblem, output_norm, solve
from convexnn_lib.exercises import more_networks as checks


def test_one_sample() -> None:
    for answer in (4.5, Fraction(9, 2), [4.5], 4.50001):
        found = checks.one_sample(answer)
        assert found
    assert found.certificate.primal == pytest.approx(4.5)
    assert "two networks" in checks.one_sample(6).message
    assert "zero network" in checks.one_sample(12.5).message
    assert "perfect fit" in checks.one_sample(5).message
    for wrong in (4.6, -4.5, math.inf):
        assert not checks.one_sample(wrong)


def test_joint_norm() -> None:
    for answer in (math.sqrt(45), 6.7082, [[6.7082039]]):
        assert checks.joint_norm(answer)
    assert "one sample" in checks.joint_norm(5).message
    assert "parallel" in checks.joint_norm(math.sqrt(50)).message
    assert "square" in checks.joint_norm(45).message
    assert "axis" in checks.joint_norm(math.sqrt(41)).message
    for wrong in (6.7, -6.7082):
        assert not checks.joint_norm(wrong)


def test_multinomial_threshold() -> None:
    truth = 5 * math.sqrt(2 / 3)
    for answer in (truth, 4.0825, 4.08248):
        found = checks.multinomial_threshold(answer)
        assert found
    assert found.certificate[0] == pytest.approx(truth)
    assert "probabilities" in checks.multinomial_threshold(5).message
    assert "opposite" in checks.multinomial_threshold(2 * truth).message
    assert "own class" in checks.multinomial_threshold(10 / 3).message
    assert not checks.multinomial_threshold(4.08)
    # a problem just above and below it
    X, Y = np.array([[3.0, 4.0], [-3.0, -4.0]]), np.eye(2, 3)
    for beta, zero in ((0.99 * truth, False), (1.01 * truth, True)):
        value = solve(TrainingProblem(X, Y, beta, "multinomial")).value
        assert (value > 2 * math.log(3) * (1 - 1e-9)) == zero


def _merged(X: Any, y: Any) -> Any:
    pairs, counts = np.unique(np.column_stack([X, y]), axis=0, return_counts=True)
    return pairs[:, :-1], pairs[:, -1], counts


def test_merged_samples() -> None:
    assert checks.merged_samples(_merged)
    assert checks.merged_samples(lambda X, y: [p[::-1].tolist() for p in _merged(X, y)])

    def rows_alone(X: Any, y: Any) -> Any:  # forgets that labels tell samples apart
        rows, first, counts = np.unique(
            X, axis=0, return_index=True, return_counts=True
        )
        return rows, y[first], counts

    assert "different labels" in checks.merged_samples(rows_alone).message
    assert "twice" in checks.merged_samples(lambda X, y: (X, y, 1 + 0 * y)).message
    shares = checks.merged_samples(
        lambda X, y: (*_merged(X, y)[:2], _merged(X, y)[2] / len(y))
    )
    assert "times" in shares.message
    shifted = checks.merged_samples(
        lambda X, y: (_merged(X, y)[0] + 1, *_merged(X, y)[1:])
    )
    assert "none of the samples" in shifted.message
    wide = checks.merged_samples(lambda X, y: (np.column_stack([X, y]), y, y))
    assert "features" in wide.message


def _feasible(X: Any, lam: Any, beta: float) -> Any:
    centred = lam - lam.mean()
    norm = output_norm(X, centred[:, None]).upper
    return min(1.0, beta / norm) * centred


def test_feasible_point() -> None:
    assert checks.feasible_point(_feasible)
    assert checks.feasible_point(lambda *given: [[v] for v in _feasible(*given)])
    assert "add up" in checks.feasible_point(lambda X, lam, beta: lam).message
    assert (
        "dual norm"
        in checks.feasible_point(lambda X, lam, beta: lam - lam.mean()).message
    )
    small = checks.feasible_point(lambda *given: 0.5 * _feasible(*given))
    assert "is allowed" in small.message

    def by_its_own_norm(X: Any, lam: Any, beta: float) -> Any:  # that of λ itself
        norm = output_norm(X, lam[:, None]).upper
        return min(1.0, beta / norm) * (lam - lam.mean())

    assert not checks.feasible_point(by_its_own_norm)

    def scaled_up(X: Any, lam: Any, beta: float) -> Any:
        centred = lam - lam.mean()
        return beta / output_norm(X, centred[:, None]).upper * centred

    assert "larger than 1" in checks.feasible_point(scaled_up).message
    other = checks.feasible_point(lambda X, lam, beta: np.r_[1, -1, 0 * lam[2:]])
    assert "multiple" in other.message


def test_two_constants() -> None:
    for answers in ((12.5, 7), (Fraction(25, 2), 7.0), ([12.5], [[7]])):
        assert checks.two_constants(*answers)
    assert "neuron" in checks.two_constants(7, 7).message
    assert "penalty" in checks.two_constants(7.5, 7).message
    assert "mean" in checks.two_constants(13, 7).message
    assert "nothing" in checks.two_constants(12.5, 12.5).message
    assert "second" in checks.two_constants(12.5, 7.5).message
    assert not checks.two_constants(7, 12.5)


def test_cheaper_gates() -> None:
    assert checks.cheaper_gates([[1, 0], [0, 1]], [1, -1], 0.01)
    found = checks.cheaper_gates([[1, 0], [0, 1]], [[5], [-5]], Fraction(1, 2))
    assert found
    gated, exact = found.certificate
    assert gated < 0.8 * exact
    assert "1 times" in checks.cheaper_gates([[1], [2]], [1, 2], 0.1).message
    assert not checks.cheaper_gates([[1, 0], [0, 1]], [1, 1], 0.01)
    assert not checks.cheaper_gates([[1, 0], [0, 1]], [1, -1], 0)
    assert not checks.cheaper_gates([[1, 0], [0, 1]], [0, 0], 0.01)
    assert "at most" in checks.cheaper_gates(np.eye(7), np.ones(7), 1).message


def _two(X: Any, g: Any, u: Any) -> Any:
    t = max(0.0, np.max(-(X @ u) / (X @ g)))
    return u + t * g, t * g


def test_two_neurons() -> None:
    assert checks.two_neurons(_two)
    assert checks.two_neurons(lambda *given: [v.tolist() for v in _two(*given)])

    def more(X: Any, g: Any, u: Any) -> Any:  # a larger t does as well
        t = 5 + max(0.0, np.max(-(X @ u) / (X @ g)))
        return u + t * g, t * g

    assert checks.two_neurons(more)

    def opposite(X: Any, g: Any, u: Any) -> Any:
        a, b = _two(X, g, u)
        return b, a

    def active_alone(X: Any, g: Any, u: Any) -> Any:  # forgets the inactive samples
        on = X @ g > 0
        t = max(0.0, np.max(-(X @ u)[on] / (X @ g)[on], initial=0.0))
        return u + t * g, t * g

    def unshifted(X: Any, g: Any, u: Any) -> Any:
        return u, 0 * u

    for wrong in (opposite, active_alone, unshifted):
        assert "off by" in checks.two_neurons(wrong).message


def test_equal_columns() -> None:
    for answer in (3.5, Fraction(7, 2), [[3.5]]):
        found = checks.equal_columns(answer)
        assert found
    assert found.certificate.primal == pytest.approx(3.5)
    assert "four networks" in checks.equal_columns(6).message
    assert "share" in checks.equal_columns(0.875).message
    for wrong in (3.4, 7, -3.5):
        assert not checks.equal_columns(wrong)
