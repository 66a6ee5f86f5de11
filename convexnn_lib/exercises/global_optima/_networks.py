"""Optimal networks, and networks that are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from convexnn_lib.certificates.certificate import Certificate
from convexnn_lib.certificates.certify import certify
from convexnn_lib.certificates.dual_norm import dual_norm
from convexnn_lib.exercises.answers import agrees, agrees_coarsely, as_list, as_network
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.exercises.global_optima._problems import pair, talk
from convexnn_lib.optima.optimal_set import OptimalSet
from convexnn_lib.problem.network import ReLUNetwork

__all__ = ["angle", "dual_point", "many_neurons", "same_outputs", "three_neurons"]

_GAP = 1e-6  # relative; networks rounded to four digits are within it
_CLOSE = 1e-3  # relative gap of what may be right, and rounded too much
_ROUNDING = 5e-4  # relative, of numbers with four digits
_ANGLE = 1e-2  # between a rounded neuron and its direction
_WASTE = 2e-8  # of objective, by the directions of an optimum of four digits: 1e-9


@exercise
def three_neurons(network: Any, w2: Any = None) -> Feedback:
    """Check an optimal network of exactly three neurons for the talk's samples.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork or pair (W1, w2)
        The network, to four digits or better, or its first layer.
    w2 : (m,) array, optional
        The second layer, if the two are given one by one.

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
    answer = as_network(network, w2, d=2)
    used = len(_used(answer))
    if used != 3:
        return wrong(
            f"{used} of the network's neurons are nonzero in both layers, not 3"
        )
    certificate = certify(answer, talk().problem, dual=talk().dual)
    if certificate.relative_gap > _GAP:
        return wrong(_why_not(answer, OptimalSet(talk()), certificate), certificate)
    return right(
        f"three neurons, and the certified gap is {max(certificate.gap, 0.0):.1g}",
        certificate,
    )


@exercise
def dual_point(lam: Any) -> Feedback:
    r"""Check the optimal dual point of two unit samples at 100 degrees.

    Parameters
    ----------
    lam : (2,) array
        The point :math:`\lambda^*`, to four digits or better.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the lower bound that the point proves.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.dual_point([1.0, 1.0])
    Not yet: its dual norm is 1.28558, above beta = 0.25: scaled down until it is ...
    """
    solution = pair(100.0)
    problem = solution.problem
    point = as_list(lam, 2, "lambda")
    norm = dual_norm(problem.X, point)[0]
    bound = problem.dual_objective(point * min(1.0, problem.beta / max(norm, 1e-300)))
    truth = solution.dual
    if all(agrees(a, b, 4) for a, b in zip(point, truth, strict=True)):
        return right(
            f"scaled until M(lambda) <= beta it proves the bound {bound:.6g}, and a "
            f"network has the objective {solution.value:.6g}",
            bound,
        )
    if all(agrees_coarsely(a, b, 4) for a, b in zip(point, truth, strict=True)):
        return wrong("right, but rounded too much: give four digits")
    if all(agrees(-a, b, 4) for a, b in zip(point, truth, strict=True)):
        return wrong("lambda is minus the gradient: the sign is the other one")
    if norm > problem.beta * (1.0 + _GAP):
        return wrong(
            f"its dual norm is {norm:.6g}, above beta = {problem.beta}: scaled down "
            f"until it is feasible it proves {bound:.6g}, and a better point exists",
            bound,
        )
    return wrong(
        f"it is feasible, and proves only that no objective is below {bound:.6g}; "
        "a better point exists",
        bound,
    )


@exercise
def same_outputs(network: Any, w2: Any = None) -> Feedback:
    """Check a balanced network with the optimal outputs that is not optimal.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork or pair (W1, w2)
        The network for the talk's samples, to four digits or better, or its first
        layer.
    w2 : (m,) array, optional
        The second layer, if the two are given one by one.

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
    answer = as_network(network, w2, d=2)
    solution = talk()
    problem = solution.problem
    size = np.linalg.norm(answer.W1, axis=0)
    unbalanced = np.abs(size - np.abs(answer.w2)) > _ROUNDING * size.max(initial=1e-9)
    if np.any(unbalanced):
        k = int(np.argmax(unbalanced))
        return wrong(
            f"neuron {k} is not balanced: its layers have the norms {size[k]:.6g} and "
            f"{abs(answer.w2[k]):.6g}"
        )
    best = solution.network.predict(problem.X)
    off = float(np.max(np.abs(answer.predict(problem.X) - best)))
    if off > _ROUNDING * np.max(np.abs(best)):
        return wrong(
            f"the outputs differ from the optimal ones by up to {off:.3g}", off
        )
    # what the neurons lose because of their directions, whatever is rounded
    prices = solution.dual @ np.maximum(problem.X @ answer.W1, 0.0)
    waste = float(np.sum(problem.beta * size * np.abs(answer.w2) - prices * answer.w2))
    if waste <= _WASTE:
        return wrong("the network is optimal, up to rounding", waste)
    excess = problem.objective(answer) - solution.value
    return right(
        f"balanced, with the optimal outputs, and {excess:.4g} above the optimum",
        excess,
    )


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
        The judgement, with the angle on which it fails.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.angle(lambda phi: ([[0.0], [1.0]], [1.0]))
    Not yet: at 2 degrees the network is 0.0156 above the optimum: its objective is ...
    """

    def fault(answer: Any, phi: float) -> str | None:
        solution = pair(phi)
        network = as_network(answer, d=2)
        certificate = certify(network, solution.problem, dual=solution.dual)
        if certificate.relative_gap > _GAP:
            excess = certificate.primal - solution.value
            return (
                f"at {phi:g} degrees the network is {excess:.3g} above the optimum: "
                f"its objective is {certificate.primal:.6g}"
            )
        return None

    # close to 120 degrees as well, where the optimum changes
    angles = [2.0, 20.0, 60.0, 75.0, 90.0, 110.0, 119.0, 119.9, 119.99, 120.0]
    angles += [120.01, 120.1, 121.0, 135.0, 150.0, 170.0, 178.0]
    return try_function(
        network_of, [(phi,) for phi in angles], fault, "certified at {count} angles"
    )


@exercise
def many_neurons(network: Any, w2: Any = None) -> Feedback:
    """Check an optimum without parallel neurons of one sign that is no vertex.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork or pair (W1, w2)
        The network for the two unit samples at 120 degrees, to four digits or better,
        or its first layer.
    w2 : (m,) array, optional
        The second layer, if the two are given one by one.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the coefficients of the three directions.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.global_optima.many_neurons(([[0.0], [1.5**0.5]], [1.5**0.5]))
    Not yet: it is optimal, but its features are independent, so it is a vertex
    """
    answer = as_network(network, w2, d=2)
    optima = OptimalSet(pair(120.0))
    certificate = certify(answer, optima.problem, dual=optima.dual)
    if certificate.relative_gap > _GAP:
        return wrong(_why_not(answer, optima, certificate), certificate)
    used = _used(answer)
    units = answer.W1[:, used] / np.linalg.norm(answer.W1[:, used], axis=0)
    cosines = optima.directions @ units
    if np.any(cosines.max(axis=0) < np.cos(_ANGLE)):
        return wrong("one of its neurons is along none of the directions that touch")
    along = cosines.argmax(axis=0)
    if len(set(along)) < len(along):
        return wrong("two of its neurons are parallel and have the same sign")
    if len(along) < len(optima.signs):
        return wrong(
            "it is optimal, but its features are independent, so it is a vertex"
        )
    coefficients = np.zeros(len(optima.signs))
    coefficients[along] = np.linalg.norm(answer.W1[:, used], axis=0) * answer.w2[used]
    return right("an optimum with dependent features", coefficients)


def _used(network: ReLUNetwork) -> list[int]:
    """Return the neurons that are zero in neither layer."""
    used = network.W1.any(axis=0) & (network.w2 != 0.0)
    return [int(k) for k in np.flatnonzero(used)]


def _why_not(network: ReLUNetwork, optima: OptimalSet, found: Certificate) -> str:
    """Say what keeps a network from being optimal."""
    if found.relative_gap <= _CLOSE:
        return (
            f"it is {found.gap:.3g} above the optimum: give more digits if its numbers "
            f"are rounded; if not, {optima.contains(network).reason}"
        )
    return f"the network is not optimal: {optima.contains(network).reason}"
