"""Self-checks of the exercises on what is hard."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from convexnn_lib.arrangements.counting import count_patterns
from convexnn_lib.beyond.hardness import (
    graph_arrangement,
    max_cut,
    max_cut_data,
    stationarity_test,
)
from convexnn_lib.certificates.dual_norm import beta_max, dual_norm_bounds
from convexnn_lib.exercises.answers import agrees, as_list, as_matrix, as_number
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.directional_derivative import directional_derivative

__all__ = [
    "best_factor",
    "cut_factor",
    "cycle_norm",
    "descending",
    "easy_graph",
    "eigenvalue_bound",
    "logistic_threshold",
    "orientations",
    "partition_data",
]

_PENTAGON = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)]
_PETERSEN = [
    *_PENTAGON,
    *((i, i + 5) for i in range(5)),
    *((5 + i, 5 + (i + 2) % 5) for i in range(5)),
]
_NOISE = 1e-9  # relative, of what was computed in float64


@exercise
def orientations(count: Any) -> Feedback:
    """Check the number of acyclic orientations of the complete bipartite graph K(3, 3).

    Parameters
    ----------
    count : int
        The number.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the exact number of cells of the graphical arrangement as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.what_is_hard.orientations(512)
    Not yet: that is the number of all orientations; some of them have a cycle
    """
    value = as_number(count)
    if value == 2**9:
        return wrong(
            "that is the number of all orientations; some of them have a cycle"
        )
    cells = count_patterns(
        graph_arrangement([(a, b) for a in range(3) for b in (3, 4, 5)])
    )
    if value != cells:
        return wrong("that is not the number; what does the chromatic polynomial say?")
    return right("the graphical arrangement has as many open cells", cells)


@exercise
def cycle_norm(value: Any) -> Feedback:
    r"""Check the dual norm of a cycle with nine vertices.

    Parameters
    ----------
    value : float
        :math:`M(\mathbf 1)` for the signed incidence matrix of the cycle, to five
        significant digits or better.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With rigorous bounds on the dual norm as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.what_is_hard.cycle_norm(3)
    Not yet: nine edges would be cut; is there such a cut of an odd cycle?
    """
    number = as_number(value)
    if agrees(number, 3.0, 5):
        return wrong("nine edges would be cut; is there such a cut of an odd cycle?")
    if agrees(number, 8.0, 5):
        return wrong("that is the largest cut; how does the dual norm depend on it?")
    bounds = dual_norm_bounds(*max_cut_data([(i, (i + 1) % 9) for i in range(9)]))
    if not agrees(number, bounds.lower, 5):
        return wrong("that is not the dual norm; which cut is the largest?")
    return right(
        "the dual norm lies between these bounds", (bounds.lower, bounds.upper)
    )


@exercise
def partition_data(function: Any) -> Feedback:
    r"""Check data whose dual norm tells whether integers can be split into equal sums.

    Parameters
    ----------
    function : callable
        Takes a list of at most six positive integers; returns X, :math:`\lambda` and a
        number t such that :math:`M(\lambda)\ge t` if the integers can be split into two
        parts of equal sum, and :math:`M(\lambda)<t` otherwise. Equality up to rounding
        counts as equality.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With a list on which the function fails as certificate, if there is one.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.what_is_hard.partition_data(lambda a: ([[1.0]], [1.0], 2.0))
    Not yet: M lies below t, but 1, 1 can be split into parts of equal sum
    """

    def fault(answer: Any, integers: list[int]) -> str | None:
        X, lam, t = answer
        X = as_matrix(X)
        bounds = dual_norm_bounds(X, as_list(lam, len(X), "lam"))
        threshold = as_number(t)
        told = bounds.upper >= threshold * (1.0 - _NOISE)
        text = ", ".join(map(str, integers))
        if told and not _splits(integers):
            return (
                f"M is at least t, but {text} cannot be split into parts of equal sum"
            )
        if not told and _splits(integers):
            return f"M lies below t, but {text} can be split into parts of equal sum"
        return None

    return try_function(
        function,
        [(list(integers),) for integers in _LISTS],
        fault,
        "the dual norm tells for {count} lists, with and without such a split",
    )


@exercise
def descending(direction: Any) -> Feedback:
    """Check a direction of descent at the network of a pentagon and the number 3.

    Parameters
    ----------
    direction : (7,) array
        A change of the neuron's first-layer weights, at
        ``stationarity_test([(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)], 3)``.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the directional derivative as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.what_is_hard.descending([1, -1, 1, 0, 0, 0, 0])
    Not yet: the objective rises at the rate 6
    """
    problem, network = stationarity_test(_PENTAGON, 3)
    delta = as_list(direction, 7, "direction")
    if not delta.any():
        return wrong("the direction is zero")
    across = np.r_[delta[:-1], 0.0]  # along the neuron itself the derivative is zero
    size = float(np.abs(across).max()) or 1.0
    slope = directional_derivative(network, problem, (across[:, None] / size, [0.0]))
    if abs(slope) <= _NOISE * problem.n:
        return wrong("the derivative vanishes in this direction", slope)
    if slope > 0.0:
        return wrong(f"the objective rises at the rate {slope * size:.6g}", slope)
    return right(
        "the objective falls, although 0 is in Clarke's subdifferential", slope
    )


@exercise
def best_factor(factor: Any) -> Feedback:
    r"""Check the factor within which the dual norm is hard, if unique games are.

    Parameters
    ----------
    factor : float
        The least factor that follows for the dual norm, if a largest cut is hard to
        find up to any factor better than :math:`\alpha=0.878\ldots` of random
        hyperplanes, to five significant digits or better.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the square of the factor, a factor of the cut, as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.what_is_hard.best_factor(0.87857)
    Not yet: that is the factor of the cut; the dual norm is its root
    """
    value = as_number(factor)
    alpha, _ = _worst_angle()
    if agrees(value, alpha, 5):
        return wrong("that is the factor of the cut; the dual norm is its root")
    if agrees(value, math.sqrt(16 / 17), 5):
        return wrong("that follows without the conjecture; with it, α is the factor")
    if agrees(value, 1 / math.sqrt(alpha), 5):
        return wrong("the dual norm times which number is below the semidefinite one?")
    if not agrees(value, math.sqrt(alpha), 5):
        return wrong("that does not follow; what is a factor of M for the cut, M²?")
    return right("its square is the factor of the cut", value**2)


@exercise
def eigenvalue_bound(nu: Any) -> Feedback:
    r"""Check numbers that prove a bound on the dual norm of a pentagon.

    Parameters
    ----------
    nu : (5,) array
        Numbers with :math:`\operatorname{diag}(\nu)\succeq BB^T` and a sum of at most
        18.1, B being the signed incidence matrix of the pentagon.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the bound on the dual norm, rounding errors included, as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.what_is_hard.eigenvalue_bound([4, 4, 4, 4, 4])
    Not yet: the matrix is positive semidefinite, but the sum is 20
    """
    diagonal = as_list(nu, 5, "nu")
    B, _ = max_cut_data(_PENTAGON)
    least = float(np.linalg.eigvalsh(np.diag(diagonal) - B @ B.T).min())
    if least < -5e-5:
        return wrong(f"diag(ν) - BBᵀ has the eigenvalue {least:.4g}", least)
    # rounded numbers prove a bound that is larger by their rounding
    total = float(diagonal.sum()) + 5.0 * max(0.0, 1e-12 - least)
    if diagonal.sum() > 18.1 * (1.0 + _NOISE):
        return wrong(
            f"the matrix is positive semidefinite, but the sum is {diagonal.sum():.6g}"
        )
    bound = 0.5 * math.sqrt(total)
    told = f"no neuron of unit length reaches more than {bound:.6g}"
    if least < -_NOISE:
        told += f" (with the rounding: diag(ν) - BBᵀ has the eigenvalue {least:.1e})"
    return right(told, bound)


@exercise
def cut_factor(factor: Any) -> Feedback:
    r"""Check the factor that random hyperplanes guarantee for cuts.

    Parameters
    ----------
    factor : float
        The minimum of :math:`\frac{2}{\pi}\frac{\theta}{1-\cos\theta}` over
        :math:`0<\theta\le\pi`, to four significant digits or better.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the angle of the minimum, in degrees, as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.what_is_hard.cut_factor(0.6366)
    Not yet: that is 2/π, the factor for all positive semidefinite forms
    """
    value = as_number(factor)
    if agrees(value, 2 / math.pi, 4):
        return wrong("that is 2/π, the factor for all positive semidefinite forms")
    alpha, degrees = _worst_angle()
    if agrees(value, degrees, 4) or agrees(value, math.radians(degrees), 4):
        return wrong("that is the angle; what is the factor there?")
    if not agrees(value, alpha, 4):
        return wrong("that is not the minimum; where does the derivative vanish?")
    return right("the worst angle between the ends of an edge", degrees)


@exercise
def logistic_threshold(beta: Any) -> Feedback:
    """Check the least beta at which the zero network is optimal for logistic loss.

    Parameters
    ----------
    beta : float
        The threshold for the signed incidence matrix of the Petersen graph, all labels
        1, to five significant digits or better. Its largest cut has twelve edges.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the library's threshold as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.what_is_hard.logistic_threshold(12**0.5)
    Not yet: that is the threshold of the squared loss; what is λ at zero?
    """
    value = as_number(beta)
    if agrees(value, math.sqrt(12), 5):
        return wrong("that is the threshold of the squared loss; what is λ at zero?")
    X, ones = max_cut_data(_PETERSEN)
    threshold = beta_max(TrainingProblem(X, ones, 1.0, "logistic"))
    if not agrees(value, threshold, 5):
        return wrong("that is not the threshold, the dual norm of λ at zero")
    return right("the dual norm at the zero network agrees", threshold)


@exercise
def easy_graph(edges: Any) -> Feedback:
    """Check a graph with a cycle and eight edges or more, all of which can be cut.

    Parameters
    ----------
    edges : list of (int, int)
        Pairs of different vertices from 0 to at most 9, each pair once.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the certified largest cut as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.what_is_hard.easy_graph([(i, (i + 1) % 9) for i in range(9)])
    Not yet: the largest cut has 8 of the 9 edges
    """
    numbers = [(as_number(a), as_number(b)) for a, b in edges]
    if any(vertex % 1 or vertex < 0 for pair in numbers for vertex in pair):
        return wrong("the vertices are numbered from 0 to at most 9")
    pairs = [(int(a), int(b)) for a, b in numbers]
    if len({frozenset(pair) for pair in pairs}) < max(len(pairs), 8):
        return wrong("pass at least eight edges, each of them once")
    if max(max(pair) for pair in pairs) > 9:
        return wrong("the vertices are numbered from 0 to at most 9")
    X = graph_arrangement(pairs)
    if np.linalg.matrix_rank(X) == len(X):
        return wrong("this graph has no cycle")
    cut = max_cut(pairs)
    if cut.value < len(pairs):
        return wrong(
            f"the largest cut has {cut.upper:g} of the {len(pairs)} edges", cut
        )
    return right("all edges are cut: no cycle has odd length", cut)


# the first eight can be split into parts of equal sum; the sum of the last ones is odd,
# or even and yet they cannot be
_LISTS = [
    *(
        [1, 1],
        [3, 3],
        [1, 2, 3],
        [5, 3, 2],
        [2, 2, 2, 2],
        [7, 5, 4, 2],
        [1, 4, 5, 6, 8],
    ),
    [9, 7, 5, 3, 1, 1],
    *(
        [1],
        [2, 1],
        [1, 3],
        [5, 1, 2],
        [3, 3, 3, 5],
        [2, 2, 2],
        [8, 1, 1, 2],
        [9, 2, 2, 2],
    ),
]


def _worst_angle() -> tuple[float, float]:
    """Return the factor that random hyperplanes guarantee, and its angle in degrees."""
    found = minimize_scalar(
        lambda theta: 2 / math.pi * theta / (1 - math.cos(theta)),
        bounds=(1.0, math.pi),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(found.fun), math.degrees(found.x)


def _splits(integers: list[int]) -> bool:
    """Tell whether integers can be split into two parts of equal sum."""
    sums = {0}
    for integer in integers:
        sums |= {total + integer for total in sums}
    return sum(integers) % 2 == 0 and sum(integers) // 2 in sums
