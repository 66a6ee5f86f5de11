"""Whether a given network is one of the global optima, and which one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import FloatArray, check_features, check_number
from convexnn_lib.optima._extreme_neurons import ExtremeNeurons
from convexnn_lib.optima._optimal_face import OptimalFace
from convexnn_lib.problem._arguments import check_network
from convexnn_lib.problem._cones import row_sides
from convexnn_lib.problem._units import Units
from convexnn_lib.problem.network import ReLUNetwork

__all__ = ["Membership", "membership"]

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False, repr=False)
class Membership(ReadOnlyArrays):
    r"""Whether a network is globally optimal, which optimum it is, and why not.

    Attributes
    ----------
    member : bool
        Whether the network is a global optimum, up to the tolerance.
    failure : str
        The first condition that fails: ``"balance"``, ``"direction"``,
        ``"collinearity"`` or ``"fit"``; empty for a member.
    reason : str
        The same in words and numbers.
    coefficients : (N,) array or None
        The point of the polytope that the network stands for: the sums of
        :math:`|w_{2,k}|\|w_{1,k}\|` over the neurons of each direction. None if a
        neuron has none of the directions.
    labels : (m,) array of int
        The direction of each neuron, -1 for neurons that are zero or have none.
    excess : float
        The objective of the network less that of the optimum.
    """

    member: bool
    failure: str
    reason: str
    coefficients: FloatArray | None
    labels: IntArray
    excess: float

    def __bool__(self) -> bool:
        """Return whether the network is a global optimum."""
        return self.member

    def __repr__(self) -> str:
        """Return the answer, its reason and the excess."""
        return (
            f"Membership({self.member}, reason={self.reason!r}, "
            f"excess={self.excess:.3g})"
        )


def membership(
    network: ReLUNetwork,
    units: Units,
    face: OptimalFace,
    value: float,
    tolerance: float,
) -> Membership:
    r"""Test the conditions of a global optimum one after the other.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    units : convexnn_lib.problem._units.Units
        The problem in units of order one.
    face : OptimalFace
        The description of its optima in these units.
    value : float
        The optimal value in the user's units.
    tolerance : float
        The tolerance, relative to the weights of a neuron for balance, in radians for
        directions, and relative to the outputs (for margins: absolute) for the fit.
        Neurons whose weights are smaller by this factor than the largest are zero.

    Returns
    -------
    Membership
        The answer.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the network has another number of features, or the tolerance is not positive.
    """
    problem = units.problem
    check_network(network)
    check_features(network.d, problem.d)
    tolerance = check_number(tolerance, "tolerance", "(0, 1)")
    network = units.inward(network)
    excess = problem.objective(network) * units.objective - value
    first, second = np.linalg.norm(network.W1, axis=0), np.abs(network.w2)
    largest = np.maximum(first, second)
    alive = largest > tolerance * float(np.max(largest, initial=0.0))
    labels = np.full(network.width, -1, dtype=np.intp)

    def answer(
        failure: str, reason: str, coefficients: FloatArray | None = None
    ) -> Membership:
        if coefficients is not None:
            coefficients = coefficients * units.coefficients
        return Membership(not failure, failure, reason, coefficients, labels, excess)

    unbalanced = np.flatnonzero(alive & (np.abs(first - second) > tolerance * largest))
    if len(unbalanced):
        k = unbalanced[0]
        return answer(
            "balance",
            f"neuron {k} is not balanced: its layers have the norms "
            f"{first[k] * units.weights:.6g} and {second[k] * units.weights:.6g}",
        )
    neurons = face.neurons
    failures: dict[str, str] = {}
    for k in np.flatnonzero(alive):
        unit, sign = network.W1[:, k] / first[k], np.sign(network.w2[k])
        distances = np.linalg.norm(neurons.directions - unit, axis=1)
        distances[neurons.signs != sign] = np.inf
        if np.min(distances, initial=np.inf) > tolerance:
            worth = sign * float(face.dual @ np.maximum(problem.X @ unit, 0.0))
            failure, reason = _misdirected(
                int(k), unit, distances, worth, units, neurons, tolerance
            )
            failures.setdefault(failure, reason)
        else:
            labels[k] = np.argmin(distances)
    for failure in ("direction", "collinearity"):  # whatever the order of the neurons
        if failure in failures:
            return answer(failure, failures[failure])
    size = len(neurons.signs)
    used = labels >= 0
    parts = (first * second)[used]
    coefficients = np.bincount(labels[used], parts, size).astype(np.float64)
    misfit = face.misfit(coefficients)
    if misfit > tolerance * face.size(coefficients):
        return answer(
            "fit",
            "balanced, with the right directions, but the outputs are "
            f"{misfit * units.outputs:.3g} away from optimal ones",
            coefficients,
        )
    count = int(np.count_nonzero(coefficients))
    return answer(
        "",
        f"global optimum: {np.count_nonzero(used)} neurons along {count} of the "
        f"{size} directions",
        coefficients,
    )


def _misdirected(
    k: int,
    unit: FloatArray,
    distances: FloatArray,
    worth: float,
    units: Units,
    neurons: ExtremeNeurons,
    tolerance: float,
) -> tuple[str, str]:
    """Return why a neuron has none of the directions: the failure and the reason.

    One that has come to rest on a wall lies in the cones on both sides of it.
    """
    X, size = units.problem.X, units.data * units.dual
    sides = row_sides(X, unit[None], tolerance)[0]
    others = row_sides(X, neurons.directions, tolerance)
    together = np.all(others * sides >= 0, axis=1) & np.isfinite(distances)
    if np.any(together):
        j = int(np.argmin(np.where(together, distances, np.inf)))
        angle = 2.0 * np.arcsin(min(1.0, 0.5 * float(distances[j])))
        return (
            "collinearity",
            f"neuron {k} shares a cone with direction {j}, the only one there, but "
            f"makes an angle of {np.degrees(angle):.3g} degrees with it",
        )
    return (
        "direction",
        f"neuron {k} lies in a cone without neurons of optimal networks: the dual "
        f"point gives it {worth * size:.6g}, less than beta = "
        f"{units.problem.beta * size:.6g}",
    )
