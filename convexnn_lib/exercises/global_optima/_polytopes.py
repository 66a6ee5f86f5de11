"""The optimal polytope, and how the optimal networks of a width hang together."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.exercises.answers import agrees, as_list, as_number, as_numbers
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.exercises.global_optima._problems import (
    clock,
    orthonormal_samples,
    pair,
    square,
    talk,
)
from convexnn_lib.optima.optimal_set import OptimalSet
from convexnn_lib.problem.losses import Hinge
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve

__all__ = [
    "components",
    "disconnect",
    "hinge_slopes",
    "largest_output",
    "orthonormal",
    "symmetric",
]

_CLOSE = 1e-6  # relative, of what a reader's program returns


@exercise
def symmetric(numbers: Any) -> Feedback:
    """Check the optima of four samples that come in opposite pairs.

    Parameters
    ----------
    numbers : sequence of three int
        The dimension of the optimal polytope, m* and M*.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the optimal set.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.symmetric([0, 4, 4])
    Not yet: the dimension of P is another
    """
    given = as_list(numbers, 3, "the numbers")
    X = np.vstack([np.eye(2), -np.eye(2)])
    optima = OptimalSet(solve(TrainingProblem(X, np.ones(4), beta=0.1)))
    truths = [
        ("dimension of P", optima.dimension),
        ("least number of neurons", optima.min_width),
        ("largest number of neurons of a vertex", optima.max_width),
    ]
    for answer, (name, truth) in zip(given, truths, strict=True):
        if answer != truth:
            return wrong(f"the {name} is another")
    return right("all three are those of the optimal polytope", optima)


@exercise
def orthonormal(counts: Any) -> Feedback:
    """Check the components of the optimal networks for three orthonormal samples.

    Parameters
    ----------
    counts : sequence of three int
        The numbers of components for the widths 1, 2 and 3.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the optimal set.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.orthonormal([1, 2])
    Not yet: three numbers are asked for, for the widths 1, 2 and 3
    """
    given = as_numbers(counts, "the numbers of components").ravel()
    if len(given) != 3:
        return wrong("three numbers are asked for, for the widths 1, 2 and 3")
    optima = OptimalSet(orthonormal_samples())
    for width, count in enumerate(given, start=1):
        if count != optima.connectivity(width).components:
            return wrong(f"the count for width {width} is another")
    return right("the polytope and the orders of its neurons agree", optima)


@exercise
def hinge_slopes(betas: Any) -> Feedback:
    r"""Check all :math:`\beta` for which two samples on a line have many optima.

    Parameters
    ----------
    betas : sequence of float
        The values, in any order.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the optimal set of each value.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.hinge_slopes([1.0])
    Not yet: for beta = 1 all optimal networks are splittings of one
    """
    X, y = np.array([[1.0], [0.5]]), np.ones(2)
    # the loss is piecewise linear in v: many optima where beta cancels its slope
    middles = np.array([0.5, 1.5])
    loss = Hinge()
    slopes = [-float(loss.gradient(X[:, 0] * v, y) @ X[:, 0]) for v in middles]
    given = np.unique(as_numbers(betas, "betas"))
    optima = {}
    for beta in given:
        if beta <= 0.0:
            return wrong("without a penalty, beta = 0, there is no optimal polytope")
        near = [slope for slope in slopes if agrees(beta, slope, 4)]
        if not near:
            return wrong(
                f"for beta = {beta:g} all optimal networks are splittings of one"
            )
        optima[near[0]] = OptimalSet(solve(TrainingProblem(X, y, near[0], "hinge")))
    if not optima:
        return wrong("there is such a value")
    if len(optima) < len(slopes):
        return wrong("each of these has many optima, but there are more such values")
    return right(
        "the optimal sets of these values, and of no other, are segments", optima
    )


@exercise
def largest_output(function: Callable[[OptimalSet, FloatArray], float]) -> Feedback:
    """Check a function that computes the largest output of an optimal network.

    Parameters
    ----------
    function : callable
        Takes an optimal set and an input, a (d,) array, and returns the largest output
        of an optimal network at it.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the optimal set and the input on which the function fails.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.largest_output(lambda optima, x: 0.0)
    Not yet: for a problem with 2 features, at x = [0. 1.], the value is too small
    """
    rng = np.random.default_rng(0)
    line, product, unlisted, single = _optimal_sets()
    inputs = [(line, np.array(x)) for x in ([0.0, 1.0], [3.0, 1.0], [-1.0, 0.5])]
    inputs += [(product, x) for x in rng.standard_normal((5, 4))]
    inputs += [(unlisted, x) for _, x in inputs[-2:]]
    inputs += [(single, np.array([1.0, -1.0]))]

    def fault(answer: Any, optima: OptimalSet, x: FloatArray) -> str | None:
        value = as_number(answer)
        # linear in the point of the polytope, so the largest at a vertex
        listed = (product if optima is unlisted else optima).vertex_networks
        truth = max(net.predict(x[None])[0] for net in listed)
        if abs(value - truth) <= _CLOSE * max(1.0, abs(truth)):
            return None
        side = "small" if value < truth else "large"
        return (
            f"for a problem with {len(x)} features, at x = {x.round(3)}, the value is "
            f"too {side}"
        )

    return try_function(function, inputs, fault, "right at {count} inputs")


@cache
def _optimal_sets() -> tuple[OptimalSet, OptimalSet, OptimalSet, OptimalSet]:
    """Return a segment, a product of two, the same unlisted, and a point."""
    return (
        OptimalSet(pair(120.0)),
        OptimalSet(square()),
        OptimalSet(square(), max_vertices=1),
        OptimalSet(talk()),
    )


@exercise
def disconnect(widths: Any) -> Feedback:
    """Check two widths of which the larger one has a disconnected set of optima.

    Parameters
    ----------
    widths : pair of int
        The widths: for the first the optimal networks of the regular 12-gon are
        connected, for the second, which is larger, they are not.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with both connectivities.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.disconnect((9, 8))
    Not yet: the second width must be larger than the first
    """
    pair = as_numbers(widths, "the widths").ravel()
    if len(pair) != 2 or np.any(pair != np.round(pair)) or np.any(pair < 1):
        return wrong("two widths are asked for, positive integers")
    first, second = (int(width) for width in pair)
    if second <= first:
        return wrong("the second width must be larger than the first")
    optima = clock()
    steps = optima.connectivity(first), optima.connectivity(second)
    if not steps[0].connected:
        return wrong(
            f"the optimal networks of width {first} are not connected", steps[0]
        )
    if steps[1].connected:
        return wrong(f"the optimal networks of width {second} are connected", steps[1])
    return right("connected for the first width, not for the second", steps)


@exercise
def components(function: Callable[[FloatArray, Any, int], int]) -> Feedback:
    """Check a function that counts components of the set of optimal networks.

    Parameters
    ----------
    function : callable
        Takes the vertices of an optimal polytope, a (V, N) array, its edges, an (E, 2)
        array of pairs of vertices, and a width m; returns the number of components of
        the optimal networks of width m.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the three arguments on which the function fails.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.components(lambda vertices, edges, m: 1)
    Not yet: for a polytope with 1 vertices and the width 2 the count is another
    """
    truths = _components()

    def fault(answer: Any, vertices: FloatArray, edges: Any, m: int) -> str | None:
        truth = truths[len(vertices), m][1]
        if as_number(answer) == truth:
            return None
        return (
            f"for a polytope with {len(vertices)} vertices and the width {m} the "
            "count is another"
        )

    inputs = [arguments for arguments, _ in truths.values()]
    return try_function(
        function, inputs, fault, "it agrees with the theorem in {count} cases"
    )


@cache
def _components() -> dict[tuple[int, int], tuple[tuple[FloatArray, Any, int], int]]:
    """Return arguments and truth by the number of vertices and the width."""
    truths = {}
    line, product, _, _ = _optimal_sets()
    for optima in (OptimalSet(orthonormal_samples()), line, product, clock()):
        for m in range(optima.min_width, optima.max_width + 3):
            truth = optima.connectivity(m).components
            truths[len(optima.vertices), m] = (optima.vertices, optima.edges, m), truth
    return truths
