"""Self-checks of the exercises on certificates without patterns."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.exercises.answers import agrees, as_list, as_matrix, as_number
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function

__all__ = [
    "best_weights",
    "eigenvalue_bound",
    "exact_rule",
    "lower_bound",
    "orthogonal_norm",
    "regular_factor",
    "repaired_rule",
    "spectral_value",
]

_NOISE = 1e-9  # relative, of what was computed in float64


@exercise
def spectral_value(value: Any) -> Feedback:
    r"""Check the spectral bound for the rows (3, 0), (0, 4), (1, 1) and (2, 1, -1).

    Parameters
    ----------
    value : float
        The bound on :math:`M(\lambda)`, to five significant digits or better.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the dual norm itself as certificate, which the bound exceeds.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.without_patterns.spectral_value(2**0.5)
    Not yet: that is the bound for one sign; the larger one of both counts
    """
    number = as_number(value)
    X, lam = np.array([[3.0, 0.0], [0.0, 4.0], [1.0, 1.0]]), np.array([2.0, 1.0, -1.0])
    if agrees(number, math.sqrt(2.0), 5):
        return wrong("that is the bound for one sign; the larger one of both counts")
    if agrees(number, float(np.linalg.norm(X, 2) * np.linalg.norm(lam)), 5):
        return wrong("that is with all rows; those of the other sign take away only")
    if agrees(number, 5.0 * math.sqrt(5.0), 5):
        return wrong("the largest singular value is not the root of all squares")
    if not agrees(number, 4.0 * math.sqrt(5.0), 5):
        return wrong("that is not the bound; which rows have positive entries?")
    norm = dual_norm_bounds(X, lam).lower
    return right("a singular value bounds the dual norm, the certificate", norm)


@exercise
def lower_bound(value: Any) -> Feedback:
    r"""Check the lower bound that follows from a bound on the dual norm of the labels.

    Parameters
    ----------
    value : float
        The bound for the squared loss, :math:`\|y\|^2=100`, :math:`\beta=2` and
        :math:`M(y)\le4`.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the factor of y as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.without_patterns.lower_bound(50)
    Not yet: y itself is not known to be feasible: its dual norm may exceed beta
    """
    number = as_number(value)
    if number == 50.0:
        return wrong(
            "y itself is not known to be feasible: its dual norm may exceed beta"
        )
    if number == 25.0:
        return wrong("the dual objective is not linear in the factor of y")
    if abs(number - 37.5) > _NOISE * 37.5:
        return wrong("that is not the dual objective at the largest feasible factor")
    return right("y times this factor is dual feasible", 0.5)


@exercise
def exact_rule(rule: Any) -> Feedback:
    r"""Check a sign rule for the rows (1, 0), (1, 0), (0, 2) and (3, -2, 1).

    Parameters
    ----------
    rule : (3, 4) array
        The matrix R, its first column for the constant.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the bound that the rule proves, over all signs, as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.without_patterns.exact_rule([[0, 3, 0, 0], [0] * 4, [0, 0, 0, 1]])
    Not yet: the rule is valid, but proves 2.82843 only; which row tells a sign?
    """
    R = as_matrix(rule, "R")
    if R.shape != (3, 4):
        return wrong(f"R should be a 3 by 4 matrix, got {R.shape[0]} by {R.shape[1]}")
    X, lam = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), np.array([3.0, -2.0, 1.0])
    short = _shortfall(lam, R)
    worst = int(np.argmax(short))
    if short[worst] > _NOISE * float(np.abs(R).max() + 1.0):
        return wrong(f"row {worst + 1} violates its condition by {short[worst]:.3g}")
    signs = np.array(list(product((1.0, -1.0), repeat=4)))
    bound = 0.5 * float(np.linalg.norm(signs @ _vectors(X, lam, R).T, axis=1).max())
    if bound > math.sqrt(5.0) * (1.0 + _NOISE):
        return wrong(
            f"the rule is valid, but proves {bound:.6g} only; which row tells a sign?",
            bound,
        )
    return right("the rule proves the exact value", bound)


@exercise
def repaired_rule(function: Any) -> Feedback:
    r"""Check a function that raises the diagonal of a rule until it is valid.

    Parameters
    ----------
    function : callable
        Takes :math:`\lambda` and an (n, 1 + n) matrix R; returns the repaired matrix.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the arguments on which the function fails as certificate, if there are any.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.without_patterns.repaired_rule(lambda lam, R: R)
    Not yet: row 1 violates its condition by 0.5
    """

    def fault(answer: Any, lam: FloatArray, R: FloatArray) -> str | None:
        given = as_matrix(answer, "R")
        if given.shape != R.shape:
            return f"the matrix should be {R.shape[0]} by {R.shape[1]}"
        noise = _NOISE * float(np.abs(R).max() + np.abs(lam).max() + 1.0)
        short = _shortfall(lam, given)
        worst = int(np.argmax(short))
        if short[worst] > noise:
            return f"row {worst + 1} violates its condition by {short[worst]:.3g}"
        rows = np.arange(len(R))
        wanted = R.copy()
        wanted[rows, 1 + rows] += np.maximum(_shortfall(lam, R), 0.0)
        changed = np.abs(given - wanted)
        if (np.delete(changed, 1 + rows + rows * R.shape[1]) > noise).any():
            return "an entry off the diagonal has changed"
        if changed.max() > noise:
            return "a diagonal entry is changed by more than is needed"
        return None

    random = np.random.default_rng(0)
    cases = [
        (np.array([1.0, -1.0]), np.array([[0.0, 0.5, 0.0], [0.0, 1.5, 0.0]])),
        (np.array([-2.0]), np.array([[-1.5, 0.0]])),
        (np.array([-1.0, 2.0]), np.array([[0.0, 5.0, -1.0], [2.0, -1.0, 0.0]])),
    ]
    cases += [
        (random.standard_normal(n), random.standard_normal((n, n + 1))) for n in (3, 5)
    ]
    return try_function(
        function, cases, fault, "{count} matrices are valid afterwards, and barely so"
    )


@exercise
def eigenvalue_bound(function: Any) -> Feedback:
    r"""Check a function that bounds the one-sided dual norm by an eigenvalue.

    Parameters
    ----------
    function : callable
        Takes X, :math:`\lambda`, a valid matrix R and positive weights a; returns the
        bound.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the arguments on which the function fails as certificate, if there are any.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.without_patterns.eigenvalue_bound(lambda X, lam, R, a: 7.0)
    Not yet: the bound is 2.23607, not 7
    """

    def fault(
        answer: Any, X: FloatArray, lam: FloatArray, R: FloatArray, a: FloatArray
    ) -> str | None:
        number = as_number(answer, "the bound")
        bound = _eigenvalue_bound(_vectors(X, lam, R), a)
        if abs(number - bound) <= 1e-6 * bound:
            return None
        if abs(number - 2.0 * bound) <= 1e-6 * bound:
            return "the factor one half is missing"
        if abs(number - 2.0 * bound**2) <= 1e-6 * bound**2:
            return "the root is missing"
        forgotten = _vectors(X, 0.0 * lam, R)
        if abs(number - _eigenvalue_bound(forgotten, a)) <= 1e-6 * bound:
            return "lam belongs to column 0"
        return f"the bound is {bound:.6g}, not {number:.6g}"

    random = np.random.default_rng(1)
    simple = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    cases = [(np.diag([1.0, 2.0]), np.ones(2), simple, np.array([5.0, 1.0, 4.0]))]
    for n, d in ((3, 2), (2, 4), (5, 3)):
        lam, R = random.standard_normal(n), random.standard_normal((n, n + 1))
        rows = np.arange(n)
        R[rows, 1 + rows] += np.maximum(_shortfall(lam, R), 0.0)
        weights = 0.5 + random.random(n + 1)
        cases.append((random.standard_normal((n, d)), lam, R, weights))
    return try_function(function, cases, fault, "right for {count} rules")


@exercise
def best_weights(weights: Any) -> Feedback:
    """Check the weights for the vectors (1, 0) and (0, 2).

    Parameters
    ----------
    weights : (2,) array
        Two positive numbers, up to a common factor.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the bound that they prove as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.without_patterns.best_weights([1, 2])
    Not yet: these weights prove 1.22474; the exact value is smaller
    """
    a = as_list(weights, 2, "weights")
    if not (a > 0.0).all():
        return wrong("the weights must be positive")
    bound = _eigenvalue_bound(np.diag([1.0, 2.0]), a / a.max())
    if bound > 0.5 * math.sqrt(5.0) * (1.0 + 1e-6):
        return wrong(
            f"these weights prove {bound:.6g}; the exact value is smaller", bound
        )
    return right("these weights prove the exact value", bound)


@exercise
def orthogonal_norm(value: Any) -> Feedback:
    """Check the dual norm of the diagonal matrix of 3, 4, 12 at (1, 1, -1).

    Parameters
    ----------
    value : float
        The dual norm.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With rigorous bounds on it as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.without_patterns.orthogonal_norm(13)
    Not yet: a neuron has one sign: rows of the other sign do not add to it
    """
    number = as_number(value)
    if agrees(number, 13.0, 5):
        return wrong("a neuron has one sign: rows of the other sign do not add to it")
    if agrees(number, 5.0, 5):
        return wrong("that is the value for one sign; the larger one of both counts")
    if agrees(number, 7.0, 5):
        return wrong("unit neurons: lengths of orthogonal vectors do not add")
    if abs(number - 12.0) > _NOISE * 12.0:
        return wrong("that is not the dual norm; what does each sign give?")
    bounds = dual_norm_bounds(np.diag([3.0, 4.0, 12.0]), np.array([1.0, 1.0, -1.0]))
    return right(
        "the dual norm lies between these bounds", (bounds.lower, bounds.upper)
    )


@exercise
def regular_factor(value: Any) -> Feedback:
    """Check by which factor the eigenvalue bound is off for three regular rows.

    Parameters
    ----------
    value : float
        The bound divided by the dual norm, to five significant digits or better.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the bound and the dual norm as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.without_patterns.regular_factor(0.94281)
    Not yet: that is the dual norm divided by the bound
    """
    number = as_number(value)
    angles = 2.0 * np.pi * np.arange(3) / 3.0
    X = np.column_stack([np.cos(angles), np.sin(angles)])
    bound = 3.0 / (2.0 * math.sqrt(2.0))
    if agrees(number, 1.0 / bound, 5):
        return wrong("that is the dual norm divided by the bound")
    if agrees(number, math.pi / (2.0 * math.sqrt(2.0)), 5):
        return wrong("that is the limit for many rows")
    if not agrees(number, bound, 5):
        return wrong("that is not the factor; what is the dual norm of three rows?")
    norm = dual_norm_bounds(X, np.ones(3)).lower
    return right("the bound and the dual norm have this quotient", (bound, norm))


def _shortfall(lam: FloatArray, R: FloatArray) -> FloatArray:
    """Return by how much each row of a rule violates its condition."""
    diagonal = np.diag(R[:, 1:])
    others = np.abs(R).sum(axis=1) - np.abs(diagonal)
    short: FloatArray = lam + others - diagonal
    return short


def _vectors(X: FloatArray, lam: FloatArray, R: FloatArray) -> FloatArray:
    """Return the vectors whose signed sums bound the dual norm, as columns."""
    vectors: FloatArray = X.T @ np.column_stack([lam + R[:, 0], R[:, 1:]])
    return vectors


def _eigenvalue_bound(vectors: FloatArray, weights: FloatArray) -> float:
    """Return the bound of a rule's vectors for given weights."""
    largest = float(np.linalg.eigvalsh((vectors / weights) @ vectors.T)[-1])
    return 0.5 * math.sqrt(float(weights.sum()) * max(largest, 0.0))
