r"""How far a trained network is from a KKT point of the max-margin problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convexnn_lib._validation import ArrayLike, FloatArray, check_number
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._arguments import check_network
from convexnn_lib.problem._units import units_of
from convexnn_lib.problem.losses import HardMargin
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity._least_norm import least_norm_point
from convexnn_lib.stationarity._subdifferential import blocks
from convexnn_lib.stationarity._ties import find_ties, local_model

__all__ = ["KKTResidual", "kkt_residual"]


@dataclass(frozen=True, eq=False, repr=False)
class KKTResidual:
    r"""Multipliers of a network in the max-margin problem, and what they prove.

    Attributes
    ----------
    value : float
        The distance of :math:`\theta` from the best combination of multipliers and
        activations, divided by :math:`\|\theta\|`. It is between 0 and 1.
    dual : (n,) array
        The multipliers :math:`\lambda`, with :math:`y_i\lambda_i\ge0`.
    slack : float
        The largest :math:`y_if(x_i)-1` of a sample with a nonzero multiplier.
    cost : float
        :math:`\frac12\|\theta\|^2` of the network scaled to margin 1, at least
        :math:`P^*`.
    dual_norm : float
        :math:`M(\lambda)`. At a KKT point it is at least 1, and if it is 1 the network
        is globally optimal.
    lower_bound : float
        :math:`y^T\lambda/M(\lambda)`, a lower bound on :math:`P^*` whether or not the
        network is a KKT point.
    tolerance : float
        What counted as a tie and as an active constraint.
    """

    value: float
    dual: FloatArray
    slack: float
    cost: float
    dual_norm: float
    lower_bound: float
    tolerance: float

    @property
    def stationary(self) -> bool:
        """Whether the network is a KKT point up to the tolerance."""
        return self.value <= self.tolerance

    @property
    def dual_feasible(self) -> bool:
        r"""Whether :math:`M(\lambda)\le1` up to the tolerance."""
        return self.dual_norm <= 1.0 + self.tolerance

    def __repr__(self) -> str:
        """Return the residual, the dual norm and the interval of the optimal cost."""
        return (
            f"KKTResidual(value={self.value:.3g}, dual_norm={self.dual_norm:.6g}, "
            f"best cost in [{self.lower_bound:.6g}, {self.cost:.6g}], "
            f"slack={self.slack:.3g})"
        )


def kkt_residual(
    network: ReLUNetwork, X: ArrayLike, y: ArrayLike, *, tolerance: float = 1e-2
) -> KKTResidual:
    r"""Measure how far a network is from a KKT point of the max-margin problem.

    The network is scaled to smallest margin 1. It is a Karush-Kuhn-Tucker (KKT) point
    of :math:`\min\frac12\|\theta\|^2` subject to :math:`y_if(x_i)\ge1` if there are
    :math:`\lambda` with :math:`y_i\lambda_i\ge0` and
    :math:`\lambda_i(y_if(x_i)-1)=0`, and activations
    :math:`\tilde D_k=\operatorname{diag}(d_{1k},\dots,d_{nk})` with :math:`d_{ik}=1` on
    active samples, 0 on inactive ones and any number in [0, 1] on ties, with

    .. math::
        w_{1,k}=w_{2,k}X^T\tilde D_k\lambda,\qquad w_{2,k}=\lambda^T(Xw_{1,k})_+

    for all neurons. The residual is the least distance between the two sides. A limit
    direction of a gradient flow is such a point [1]_, but need not be optimal: the pair
    is, if and only if :math:`M(\lambda)=\max_{\|u\|\le1}|\lambda^T(Xu)_+|\le1` [2]_.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        A network with ``y * network.predict(X) > 0`` on every sample.
    X : (n, d) array
        Data.
    y : (n,) array
        Labels in {-1, 1}.
    tolerance : float, default 0.01
        A multiplier may be positive where :math:`y_if(x_i)\le1+` tolerance, and a
        sample is a tie where
        :math:`|x_i^Tw_{1,k}|\le\text{tolerance}\,\|x_i\|\|w_{1,k}\|`; such products
        count as 0. A trained network needs the accuracy that it has reached.

    Returns
    -------
    KKTResidual
        The residual, the multipliers, and their dual norm.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the network does not separate the data, also with its ties at 0, the
        tolerance is not a number from 0 to below 1, or ``X`` does not fit the network.
    convexnn_lib.errors.NotSeparableError
        If no network at all separates the data.
    convexnn_lib.errors.InvalidLabelsError
        If a label is not -1 or 1.
    convexnn_lib.errors.EnumerationTooLargeError
        If the samples with nonzero multipliers have too many activation patterns.

    Notes
    -----
    The multipliers, and the products :math:`q_{ik}=d_{ik}\lambda_i` on ties with
    :math:`0\le y_iq_{ik}\le y_i\lambda_i`, solve a non-negative least-squares problem.
    They need not be unique: where several :math:`\lambda` are multipliers of an optimal
    network, only some have :math:`M(\lambda)=1`, and the one found here may not be
    among them. So a dual norm above 1 alone does not prove that a network is not
    optimal; :func:`convexnn_lib.max_margin` decides.

    References
    ----------
    .. [1] Lyu & Li (2020), `lyu2020gradient`.
    .. [2] Wang & Pilanci (2022), `wang2022convex`.

    Examples
    --------
    Two neurons along two samples at an angle of 100 degrees. They are a KKT point, and
    one neuron along the bisector costs less.

    >>> import numpy as np
    >>> from convexnn_lib import ReLUNetwork, kkt_residual
    >>> half = np.radians(50)
    >>> X = np.array([[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]])
    >>> residual = kkt_residual(ReLUNetwork(X.T, [1.0, 1.0]), X, [1.0, 1.0])
    >>> residual.stationary, residual.dual_feasible
    (True, False)
    >>> round(residual.cost, 6), round(residual.dual_norm, 6), residual.dual.round(6)
    (2.0, 1.285575, array([1., 1.]))
    """
    check_network(network)
    tolerance = check_number(tolerance, "tolerance", "[0, 1)")
    units = units_of(TrainingProblem(X, y, 1.0, HardMargin()))
    problem = units.problem
    # by a power of two, which rounds nothing: squares of weights must not overflow
    size = max(np.abs(network.W1).max(initial=0.0), np.abs(network.w2).max(initial=0.0))
    exponent = -int(np.frexp(size)[1])
    network = ReLUNetwork(
        np.ldexp(network.W1, exponent), np.ldexp(network.w2, exponent)
    )
    tied = find_ties(network, problem, tolerance)
    features = np.where(tied, 0.0, np.maximum(problem.X @ network.W1, 0.0))
    margins = problem.y * (features @ network.w2)
    smallest = float(margins.min())
    if smallest <= 0.0:
        raise InvalidDataError(
            f"The network does not separate the data: the margin of sample "
            f"{int(margins.argmin())} is not positive with ties at 0. Train until "
            "every y_i f(x_i) > 0, or lower the tolerance."
        )
    root = np.sqrt(smallest)
    scaled = ReLUNetwork(network.W1 / root, network.w2 / root)
    model = local_model(scaled, problem, tolerance)
    (block,) = blocks(model)  # the active constraints couple all neurons
    element, alpha, _ = least_norm_point(block.subgradients)
    dual = np.zeros(problem.n)
    dual[model.kinked] = problem.y[model.kinked] * alpha
    bound = dual_norm_bounds(problem.X, dual)
    cost = scaled.penalty()
    lower = float(problem.y @ dual) / bound.upper if bound.upper > 0.0 else 0.0
    return KKTResidual(
        value=float(np.linalg.norm(element) / np.sqrt(2.0 * cost)),
        dual=dual * units.dual,
        slack=float(np.max(margins[dual != 0.0] / smallest - 1.0, initial=0.0)),
        cost=cost * units.objective,
        dual_norm=bound.lower,
        lower_bound=lower * units.objective,
        tolerance=tolerance,
    )
