r"""What kind of stationary point a network is: global, local minimum or saddle.

For :math:`\beta>0` first-order information and the dual norm decide: a directionally
stationary network without zero neurons is a local minimum, and with one it is a local
minimum only if it is globally optimal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from convexnn_lib._validation import ArrayLike, FloatArray
from convexnn_lib.certificates.certificate import Certificate, in_users_units
from convexnn_lib.certificates.certify import certify
from convexnn_lib.errors import RegularizationError
from convexnn_lib.problem._arguments import check_network, check_problem
from convexnn_lib.problem._units import Units, units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity._tolerances import (
    COLLINEAR,
    DEPENDENT,
    NO_GAP,
    ZERO_NEURON,
)
from convexnn_lib.stationarity.clarke_residual import ClarkeResidual, clarke_residual

__all__ = ["Kind", "StationaryPoint", "classify_stationary", "same_directions"]

Kind = Literal["global", "local minimum", "saddle", "undecided", "not stationary"]


@dataclass(frozen=True, eq=False, repr=False)
class StationaryPoint:
    r"""A network with what is known about its place in the landscape.

    Attributes
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    kind : str
        ``"global"``: certified to be a global optimum. ``"local minimum"``: a local
        minimum that is not. ``"saddle"``: stationary, neither a local minimum nor a
        local maximum. ``"undecided"`` or ``"not stationary"``.
    reason : str
        What decides.
    strict : bool or None
        For a minimum without zero neurons: True if nearby networks of the same value
        are its splittings (redistributions among neurons of one direction and sign)
        and nothing else, False if it lies on a continuum of others; None if this is not
        decided.
    zero_neurons : int
        The number of neurons without weights.
    residual : convexnn_lib.ClarkeResidual
        The distance to stationarity and the steepest descent.
    certificate : convexnn_lib.Certificate
        The certified gap to the optimum over all widths.
    """

    network: ReLUNetwork
    kind: Kind
    reason: str
    strict: bool | None
    zero_neurons: int
    residual: ClarkeResidual
    certificate: Certificate

    @property
    def value(self) -> float:
        """The objective."""
        return self.certificate.primal

    @property
    def neurons(self) -> int:
        """The number of nonzero neurons."""
        return self.network.width - self.zero_neurons

    @property
    def ties(self) -> int:
        """The number of ties of the nonzero neurons."""
        return sum(self.network.w2[tie.neuron] != 0.0 for tie in self.residual.ties)

    def in_users_units(self, units: Units) -> StationaryPoint:
        """Return the point of a problem in units of order one in the user's."""
        return replace(
            self,
            network=units.outward(self.network),
            residual=self.residual.in_users_units(units),
            certificate=in_users_units(self.certificate, units),
        )

    def __repr__(self) -> str:
        """Return the kind, the value, the certified gap and the neurons."""
        return (
            f"StationaryPoint({self.kind!r}, value={self.value:.8g}, "
            f"gap={self.certificate.gap:.3g}, neurons={self.neurons}, "
            f"zero_neurons={self.zero_neurons}, ties={self.ties}, "
            f"strict={self.strict})"
        )


def classify_stationary(
    network: ReLUNetwork,
    problem: TrainingProblem,
    *,
    dual: ArrayLike | None = None,
    tolerance: float = 1e-8,
    tie_tolerance: float = 0.0,
) -> StationaryPoint:
    r"""Classify a network: global optimum, local minimum, saddle, or not stationary.

    The network is a stationary point of

    .. math:: \mathcal L(\theta)=\ell\big((XW_1)_+w_2,\,y\big)
              +\tfrac\beta2\|\theta\|^2

    if 0 is in the Clarke subdifferential, up to the tolerance.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    problem : convexnn_lib.TrainingProblem
        The problem, with ``beta > 0`` and any of the losses.
    dual : (n,) array, optional
        A dual point for the certificate, for example that of a
        :class:`convexnn_lib.Solution`, whose lower bound is the optimum itself.
    tolerance, tie_tolerance : float
        Passed to :func:`convexnn_lib.clarke_residual`.

    Returns
    -------
    StationaryPoint
        The kind, with the residual and the certificate that it rests on.

    Raises
    ------
    convexnn_lib.errors.RegularizationError
        If beta is 0.
    convexnn_lib.errors.InvalidDataError
        If the network has another number of features, a tolerance is out of range, or
        the network violates a constraint of the hard margin.

    Notes
    -----
    Let :math:`\beta>0`, let the loss be convex, and :math:`\theta` directionally
    stationary.

    *Without zero neurons* :math:`\theta` *is a local minimum.* Scaling directions show
    that it is balanced, :math:`u_k=|w_{2,k}|w_{1,k}\ne0`. In a nearby network each
    neuron has the same sign and lies in a closed cone :math:`K_{D_k}` next to
    :math:`w_{1,k}`. For a selection D of these cones,
    :math:`F_D(v)=\ell(\sum_ks_kD_kXv_k,y)+\beta\sum_k\|v_k\|` is convex on
    :math:`\prod_kK_{D_k}`, and its derivatives at u are directional derivatives of the
    objective at :math:`\theta`, none of them negative. So u minimizes it, and the
    nearby network has at least the objective :math:`F_D(|w'_2|w'_1)\ge F_D(u)`.

    *With a zero neuron* and a differentiable loss it is a local minimum only if the
    dual norm of :math:`\lambda=-\nabla\ell` is at most beta, that is only if it is a
    global optimum: the weights :math:`\varepsilon(u,\pm1)`, :math:`\|u\|=1`, in place
    of the zero neuron change the objective by
    :math:`\varepsilon^2(\beta\mp\lambda^T(Xu)_+)+o(\varepsilon^2)`. For the other
    losses this is undecided unless a certificate is found.

    *No stationary point is a local maximum,* as the objective is strictly convex in
    :math:`w_2`. So a stationary point that descends somewhere is a saddle.

    *Strictness.* For a differentiable and strictly convex loss let :math:`\theta` be a
    local minimum without zero neurons. A nearby network of the same value minimizes
    :math:`F_D` too. Hence it is balanced and has the same outputs, the loss being
    strictly convex, and each of its vectors attains
    :math:`s_k\lambda^TD_kXv\le\beta\|v\|`. The unit vectors of a cone that do so are
    one, for the midpoint of two would be shorter. So the directions are the same; the
    network is a splitting of :math:`\theta` if the features :math:`s(X\hat w)_+` of the
    distinct directions and signs are independent. Otherwise shifting along a dependence
    gives a continuum of minima.

    The words *local minimum* refer to networks of the same width, *global* to all
    widths. The best network of a width that is too small is a local minimum.

    Examples
    --------
    A strict local minimum on a convex kink, and the same network with a zero neuron:

    >>> from convexnn_lib import ReLUNetwork, TrainingProblem, classify_stationary
    >>> X = [[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]]
    >>> problem = TrainingProblem(X, [1.7, -4.0, 1.3], beta=1.0)
    >>> point = classify_stationary(ReLUNetwork([[1.0], [0.0]], [1.0]), problem)
    >>> point.kind, point.strict
    ('local minimum', True)
    >>> wide = ReLUNetwork([[1.0, 0.0], [0.0, 0.0]], [1.0, 0.0])
    >>> classify_stationary(wide, problem)
    StationaryPoint('saddle', value=9.29, gap=4.81, neurons=1, zero_neurons=1, ...
    """
    check_network(network)
    check_problem(problem)
    if problem.beta == 0.0:
        raise RegularizationError(
            "the classification needs beta > 0, got 0: without a penalty stationary "
            "networks need not be balanced, and no certificate bounds their value."
        )
    residual = clarke_residual(
        network, problem, tolerance=tolerance, tie_tolerance=tie_tolerance
    )
    certificate = certify(network, problem, dual=dual)
    units = units_of(problem)
    inner = units.inward(network)
    size = np.linalg.norm(inner.W1, axis=0) * np.abs(inner.w2)
    zeros = int(np.sum(size <= ZERO_NEURON * size.max(initial=0.0)))
    kind, reason = _kind(residual, certificate, zeros, problem)
    return StationaryPoint(
        network=network,
        kind=kind,
        reason=reason,
        strict=_is_strict(inner, units.problem)
        if kind in ("global", "local minimum") and zeros == 0
        else None,
        zero_neurons=zeros,
        residual=residual,
        certificate=certificate,
    )


def _kind(
    residual: ClarkeResidual,
    certificate: Certificate,
    zeros: int,
    problem: TrainingProblem,
) -> tuple[Kind, str]:
    """Return the kind and what decides."""
    if certificate.relative_gap <= NO_GAP:
        return "global", "the certified gap vanishes"
    if not residual.stationary:
        return "not stationary", "0 is not in the Clarke subdifferential"
    if residual.directionally_stationary is False:
        if residual.exact:
            return "saddle", "a direction across a concave kink descends"
        return "undecided", "only the neuron-wise conditions are known to hold"
    if residual.directionally_stationary is None:
        return "undecided", "too many completions of the concave kinks"
    if zeros == 0:
        return "local minimum", "directionally stationary without zero neurons"
    if problem.loss.differentiable:
        return "saddle", "the dual norm exceeds beta, and a neuron is zero"
    return "undecided", "a zero neuron, and no certificate for this loss"


def same_directions(network: ReLUNetwork) -> list[list[int]]:
    """Group the nonzero neurons of one sign and one direction.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.

    Returns
    -------
    list of list of int
        The groups.
    """
    length = np.linalg.norm(network.W1, axis=0)
    groups: list[list[int]] = []
    for k in np.flatnonzero((length > 0.0) & (network.w2 != 0.0)):
        unit = network.W1[:, k] / length[k]
        for group in groups:
            first = group[0]
            other = network.W1[:, first] / length[first]
            same_sign = (network.w2[k] > 0.0) == (network.w2[first] > 0.0)
            if same_sign and np.linalg.norm(unit - other) <= COLLINEAR:
                group.append(int(k))
                break
        else:
            groups.append([int(k)])
    return groups


def _is_strict(network: ReLUNetwork, problem: TrainingProblem) -> bool | None:
    """Tell whether a minimum without zero neurons has no neighbours but splittings."""
    if not (problem.loss.strictly_convex and problem.loss.differentiable):
        return None
    kept = [group[0] for group in same_directions(network)]
    features: FloatArray = np.maximum(problem.X @ network.W1[:, kept], 0.0)
    features = features / np.linalg.norm(features, axis=0)
    return bool(np.linalg.matrix_rank(features, tol=DEPENDENT) == len(kept))
