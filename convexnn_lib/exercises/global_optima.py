"""Self-checks of the exercises on all global optima."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray, as_float_array, check_integer
from convexnn_lib.certificates.certify import certify
from convexnn_lib.certificates.dual_norm import dual_norm
from convexnn_lib.exercises.answers import as_network
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.optima.optimal_set import OptimalSet
from convexnn_lib.problem.losses import Hinge
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.classify_stationary import same_directions
from convexnn_lib.training.solve import Solution, solve

__all__ = [
    "angle",
    "components",
    "disconnect",
    "dual_point",
    "hinge_slopes",
    "largest_output",
    "many_neurons",
    "orthonormal",
    "same_outputs",
    "three_neurons",
]

_TOLERANCE = 1e-6  # relative, of answers computed by hand or by a solver


@exercise
def three_neurons(network: Any) -> Feedback:
    """Check an optimal network of exactly three neurons for the talk's samples.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork or pair (W1, w2)
        The network.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the network's certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.three_neurons(([[1.0], [0.0]], [1.0]))
    Not yet: 1 of the network's neurons are nonzero in both layers, not 3
    """
    answer = as_network(network)
    optima = OptimalSet(_talk())
    used = np.count_nonzero(answer.W1.any(axis=0) & (answer.w2 != 0.0))
    if used != 3:
        return wrong(
            f"{used} of the network's neurons are nonzero in both layers, not 3"
        )
    certificate = certify(answer, optima.problem, dual=_talk().dual)
    found = optima.contains(answer)
    if not found or certificate.relative_gap > _TOLERANCE:
        return wrong(f"the network is not optimal: {found.reason}", certificate)
    return right("three neurons, and the certified gap vanishes", certificate)


@exercise
def dual_point(lam: Any) -> Feedback:
    r"""Check the optimal dual point of two unit samples at 100 degrees.

    Parameters
    ----------
    lam : (2,) array
        The point :math:`\lambda^*`.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the lower bound that the point proves.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.dual_point([1.0, 1.0])
    Not yet: its dual norm is 1.29, above beta = 0.25: it proves nothing
    """
    solution = _pair(100.0)
    problem = solution.problem
    point = as_float_array(lam, "lambda")
    if point.shape != (2,):
        return wrong(
            f"lambda has one entry for each sample, not the shape {point.shape}"
        )
    norm = dual_norm(problem.X, point)[0]
    if norm > problem.beta * (1.0 + _TOLERANCE):
        return wrong(
            f"its dual norm is {norm:.3g}, above beta = {problem.beta}: it proves "
            "nothing"
        )
    bound = problem.dual_objective(point)
    if solution.value - bound > _TOLERANCE * solution.value:
        return wrong(
            f"it is feasible, and proves only that no objective is below {bound:.6g}; "
            "a better point exists",
            bound,
        )
    return right("no network is below the bound, and one attains it", bound)


@exercise
def same_outputs(network: Any) -> Feedback:
    """Check a balanced network with the optimal outputs that is not optimal.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork or pair (W1, w2)
        The network, for the talk's samples.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the amount by which the objective exceeds the optimum.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.same_outputs(([[1.0], [0.0]], [1.0]))
    Not yet: the outputs differ from the optimal ones by up to 2.75
    """
    answer = as_network(network)
    solution = _talk()
    problem = solution.problem
    size = np.linalg.norm(answer.W1, axis=0)
    unbalanced = np.abs(size - np.abs(answer.w2)) > _TOLERANCE * size.max(initial=1e-9)
    if np.any(unbalanced):
        k = int(np.argmax(unbalanced))
        return wrong(
            f"neuron {k} is not balanced: its layers have the norms {size[k]:.6g} and "
            f"{abs(answer.w2[k]):.6g}"
        )
    best = solution.network.predict(problem.X)
    off = float(np.max(np.abs(answer.predict(problem.X) - best)))
    if off > _TOLERANCE:
        return wrong(
            f"the outputs differ from the optimal ones by up to {off:.3g}", off
        )
    excess = problem.objective(answer) - solution.value
    # outputs that are off by the tolerance cost a multiple of its square
    if excess <= 1e-10:
        return wrong("the network is optimal, up to rounding", excess)
    return right(
        f"balanced, with the optimal outputs, and {excess:.4g} above the optimum",
        excess,
    )


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
    given = [check_integer(count, "a count", minimum=0) for count in counts]
    if len(given) != 3:
        return wrong("three numbers are asked for, for the widths 1, 2 and 3")
    problem = TrainingProblem(np.eye(3), [3.0, 4.0, -2.0], beta=1.0)
    optima = OptimalSet(solve(problem))
    for width, count in enumerate(given, start=1):
        if count != optima.connectivity(width).components:
            return wrong(f"the count for width {width} is another")
    return right("the polytope and the orders of its neurons agree", optima)


@exercise
def angle(network_of: Callable[[float], Any]) -> Feedback:
    """Check a formula for optimal networks of two unit samples at an angle.

    Parameters
    ----------
    network_of : callable
        Takes the angle in degrees, between 0 and 180, and returns an optimal network
        (or the pair of its layers).

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the certificates by angle, or the angle on which it fails.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.angle(lambda phi: ([[0.0], [1.0]], [1.0]))
    Not yet: at 20 degrees the network is 0.0125 above the optimum
    """
    certificates = {}
    for phi in (20.0, 75.0, 90.0, 110.0, 119.0, 120.0, 121.0, 135.0, 170.0):
        solution = _pair(phi)
        network = as_network(network_of(phi))
        certificate = certify(network, solution.problem, dual=solution.dual)
        if certificate.relative_gap > _TOLERANCE:
            excess = certificate.primal - solution.value
            return wrong(
                f"at {phi:g} degrees the network is {excess:.3g} above the optimum", phi
            )
        certificates[phi] = certificate
    return right(f"certified at {len(certificates)} angles", certificates)


@exercise
def many_neurons(network: Any) -> Feedback:
    """Check an optimum without parallel neurons of one sign that is no vertex.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork or pair (W1, w2)
        The network, for the two unit samples at 120 degrees.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the coefficients of a dependence of the features.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.many_neurons(([[0.0], [1.5**0.5]], [1.5**0.5]))
    Not yet: it is optimal, but its features are independent, so it is a vertex
    """
    answer = as_network(network)
    optima = OptimalSet(_pair(120.0))
    found = optima.contains(answer)
    if not found:
        return wrong(f"the network is not optimal: {found.reason}")
    groups = same_directions(answer)
    if any(len(group) > 1 for group in groups):
        return wrong("two of its neurons are parallel and have the same sign")
    kept = [group[0] for group in groups]
    features = np.maximum(optima.problem.X @ answer.W1[:, kept], 0.0)
    dependence = np.linalg.svd(features)[2][-1]
    if np.linalg.norm(features @ dependence) > _TOLERANCE * np.linalg.norm(features):
        return wrong(
            "it is optimal, but its features are independent, so it is a vertex"
        )
    return right("an optimum with dependent features", dependence)


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
    given = np.unique(as_float_array(betas, "betas").ravel())
    optima = {}
    for beta in given:
        if beta <= 0.0:
            return wrong("without a penalty, beta = 0, there is no optimal polytope")
        near = [slope for slope in slopes if abs(slope - beta) <= _TOLERANCE]
        if not near:
            return wrong(
                f"for beta = {beta:g} all optimal networks are splittings of one"
            )
        optima[near[0]] = OptimalSet(solve(TrainingProblem(X, y, near[0], "hinge")))
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
    line, square = OptimalSet(_pair(120.0)), OptimalSet(_square())
    inputs = [(line, np.array(x)) for x in ([0.0, 1.0], [3.0, 1.0], [-1.0, 0.5])]
    inputs += [(square, x) for x in rng.standard_normal((5, 4))]
    for optima, x in inputs:
        value = float(function(optima, x))
        # linear in the point of the polytope, so the largest at a vertex
        truth = max(net.predict(x[None])[0] for net in optima.vertex_networks)
        if not abs(value - truth) <= _TOLERANCE:
            side = "small" if value < truth else "large"
            return wrong(
                f"for a problem with {len(x)} features, at x = {x.round(3)}, the value "
                f"is too {side}",
                (optima, x),
            )
    return right(f"it agrees with the vertices at {len(inputs)} inputs")


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
    first, second = (check_integer(m, "a width", minimum=1) for m in widths)
    if second <= first:
        return wrong("the second width must be larger than the first")
    optima = _clock()
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
    point = OptimalSet(solve(TrainingProblem(np.eye(3), [3.0, 4.0, -2.0], beta=1.0)))
    total = 0
    for optima in (point, OptimalSet(_pair(120.0)), OptimalSet(_square()), _clock()):
        for m in range(optima.min_width, optima.max_width + 3):
            truth = optima.connectivity(m).components
            total += 1
            if function(optima.vertices, optima.edges, m) != truth:
                return wrong(
                    f"for a polytope with {len(optima.vertices)} vertices and the "
                    f"width {m} the count is another",
                    (optima.vertices, optima.edges, m),
                )
    return right(f"it agrees with the theorem in {total} cases")


@cache
def _talk() -> Solution:
    """Solve the problem of the talk's samples."""
    X, y = datasets.talk_example()
    return solve(TrainingProblem(X, y, beta=0.1))


@cache
def _pair(degrees: float) -> Solution:
    """Solve the problem of two unit samples at an angle, both with the label 1."""
    half = np.radians(degrees) / 2.0
    X = [[-np.sin(half), np.cos(half)], [np.sin(half), np.cos(half)]]
    return solve(TrainingProblem(X, [1.0, 1.0], beta=0.25))


@cache
def _square() -> Solution:
    """Solve the problem of two such pairs in orthogonal planes, of opposite labels."""
    X = np.kron(np.eye(2), _pair(120.0).problem.X)
    return solve(TrainingProblem(X, [1.0, 1.0, -1.0, -1.0], beta=0.25))


@cache
def _clock() -> OptimalSet:
    """Return the optima of the corners of a regular 12-gon."""
    angles = np.pi / 6.0 * np.arange(12)
    corners = np.column_stack([np.cos(angles), np.sin(angles)])
    return OptimalSet(solve(TrainingProblem(corners, np.ones(12), beta=0.1)))
