r"""Clarke stationarity of a two-layer ReLU network.

The Clarke subdifferential of the training objective is a convex polyhedral set. Its
least element says how far a network is from stationarity, and the same sets with the
concave kinks fixed say whether some direction descends although that distance is zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Literal, NamedTuple

import numpy as np

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import FloatArray, check_integer, check_number
from convexnn_lib.problem._arguments import check_network, check_problem
from convexnn_lib.problem._units import Units, units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity._least_norm import least_norm_point
from convexnn_lib.stationarity._subdifferential import (
    Block,
    blocks,
    cells_of,
    clarke_set,
    smooth_part,
)
from convexnn_lib.stationarity._ties import LocalModel, local_model
from convexnn_lib.stationarity._tolerances import EQUAL_SLOPES

__all__ = ["ClarkeResidual", "Tie", "clarke_residual"]


class Tie(NamedTuple):
    """A nonzero sample on the kink of a neuron.

    Attributes
    ----------
    neuron : int
        The neuron k.
    sample : int
        The sample i, with a zero product of row i of X and the neuron's weights.
    kind : {"convex", "concave", "none"}
        The sign of the coefficient of the kink, the product of the neuron's
        second-layer weight and the derivative of the loss at the sample: positive,
        negative or zero. At a sample where the loss has a kink too, the sign that the
        product can take. Kinks on parallel rows may cancel.
    activation : float
        The mean activation in [0, 1] of the sample in the least subgradient; 0 where
        there is no kink or the sample's derivative is 0.
    """

    neuron: int
    sample: int
    kind: Literal["convex", "concave", "none"]
    activation: float


@dataclass(frozen=True, eq=False, repr=False)
class ClarkeResidual(ReadOnlyArrays):
    r"""How far a network is from Clarke stationarity.

    Attributes
    ----------
    value : float
        The distance from 0 to the Clarke subdifferential, or to the larger set of the
        neuron-wise conditions if ``exact`` is False, which is then a lower bound.
    G1 : (d, m) array
        First-layer part of the element that attains the distance.
    g2 : (m,) array
        Second-layer part of that element.
    dual : (n,) array
        The point :math:`\lambda=-g` of that element, g the (sub)gradient of the loss.
    ties : tuple of Tie
        The ties of the network.
    exact : bool
        Whether ``value`` is the distance to the Clarke subdifferential itself.
    stationary : bool
        Whether ``value`` vanishes up to the tolerance. Without ``exact`` this is the
        necessary neuron-wise condition.
    slope : float
        The least directional derivative over unit directions; only an upper bound on it
        if ``directionally_stationary`` is None or ``exact_slope`` is False.
    descent : tuple of a (d, m) array and an (m,) array, or None
        The unit direction with that slope; None if the slope vanishes up to the
        tolerance.
    exact_slope : bool
        Whether all completions of the concave kinks were searched.
    directionally_stationary : bool or None
        Whether no direction descends, up to the tolerance; None if undecided.
    scale : float
        The size of the terms that cancel in a stationary point; tolerances are relative
        to it.
    """

    value: float
    G1: FloatArray
    g2: FloatArray
    dual: FloatArray
    ties: tuple[Tie, ...]
    exact: bool
    stationary: bool
    slope: float
    descent: tuple[FloatArray, FloatArray] | None
    exact_slope: bool
    directionally_stationary: bool | None
    scale: float

    def in_users_units(self, units: Units) -> ClarkeResidual:
        """Return the residual of a problem in units of order one in the user's."""
        return replace(
            self,
            value=self.value * units.gradient,
            G1=self.G1 * units.gradient,
            g2=self.g2 * units.gradient,
            dual=self.dual * units.dual,
            slope=self.slope * units.gradient,
            scale=self.scale * units.gradient,
        )

    def __repr__(self) -> str:
        """Return the distance, the slope and the number of ties."""
        return (
            f"ClarkeResidual(value={self.value:.6g}, exact={self.exact}, "
            f"stationary={self.stationary}, slope={self.slope:.6g}, "
            f"directionally_stationary={self.directionally_stationary}, "
            f"ties={len(self.ties)})"
        )


def clarke_residual(
    network: ReLUNetwork,
    problem: TrainingProblem,
    *,
    tolerance: float = 1e-8,
    tie_tolerance: float = 0.0,
    max_patterns: int = 10_000,
) -> ClarkeResidual:
    r"""Compute the distance from 0 to the Clarke subdifferential at a network.

    For the objective
    :math:`\mathcal L(\theta)=\ell(f(X),y)+\frac\beta2\|\theta\|^2` with a
    differentiable loss and :math:`g=\nabla\ell(f(X),y)`, the Clarke subdifferential,
    whose zeros [1]_ relates to convex programs, is

    .. math::

        \partial^\circ\mathcal L(\theta)=\prod_k\operatorname{conv}
        \{\beta w_{1,k}+w_{2,k}X^TDg: D\text{ adjacent}\}
        \times\{\beta w_{2,k}+g^T(Xw_{1,k})_+\},

    where D runs over the patterns of the open cells whose closures contain
    :math:`w_{1,k}`: the samples that are not tied keep their activation, the tied rows
    take the patterns of their own arrangement. A zero neuron is adjacent to all cells.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    problem : convexnn_lib.TrainingProblem
        The training problem, with any beta and a loss that is differentiable or about
        margins, as all four of the library are.
    tolerance : float, default 1e-8
        A distance or slope counts as zero below this multiple of the size of the terms
        that cancel in it.
    tie_tolerance : float, default 0
        A nonzero row is tied to a neuron if
        :math:`|x_i^Tw_{1,k}|\le\text{tie\_tolerance}\,\|x_i\|\|w_{1,k}\|` plus a bound
        on the rounding error of the product, and a hinge or a constraint is at its kink
        if :math:`|1-y_if(x_i)|` is at most the same tolerance plus 1e-12. A network
        from an iterative solver needs the accuracy of that solver here.
    max_patterns : int, default 10000
        The largest number of cells of tied rows to list.

    Returns
    -------
    ClarkeResidual
        The distance, the element that attains it, the ties, and the steepest descent.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the network has another number of features, a tolerance is out of range,
        the loss is neither differentiable nor a margin loss, or the network violates a
        constraint of the hard margin.

    Notes
    -----
    *Ties.* If the tied rows are independent, or all coefficients :math:`w_{2,k}g_i` at
    the ties have one sign, the hull is the zonotope
    :math:`\{\beta w_{1,k}+w_{2,k}X^T\tilde Dg\}` with any entries of
    :math:`\tilde D` in [0, 1] on the ties, and no cells need to be listed. Otherwise
    that *outer set* can be strictly larger. It is used, with ``exact=False``, if there
    are more cells than ``max_patterns``.

    *Hinge loss.* A sample with :math:`y_if(x_i)=1` has
    :math:`g_i=-y_i\alpha_i`, :math:`\alpha_i\in[0,1]` (times the slack cost of
    another margin loss), shared by all neurons, and a tied neuron contributes
    :math:`-y_iq_{ik}w_{2,k}x_i` with :math:`0\le q_{ik}\le\alpha_i`: again an outer
    set. It is exact if nothing is tied (the loss is convex and the outputs smooth), and
    if the ties of each neuron are as above and the features of the samples at the kink
    are independent.

    *Sandwich.* If ``exact_slope`` is True, the distance to the Clarke subdifferential
    lies between ``value`` and ``-slope``, for no directional derivative exceeds its
    Clarke counterpart. So an outer set is exact where the two agree, for example at
    every directionally stationary point.

    *Hard margin.* The set is that of the Karush-Kuhn-Tucker conditions of
    :math:`\min\frac12\|\theta\|^2` subject to :math:`y_if(x_i)\ge1` as in [2]_, where
    each active constraint contributes a multiplier :math:`\lambda_iy_i\ge0` times any
    of its own Clarke subgradients. The outer set with :math:`\alpha_i\ge0` describes
    just that, hence ``exact=True``.

    *Directions.* The objective has one-sided derivatives in all directions. A concave
    kink with coefficient :math:`c<0` adds :math:`c\,(t)_+=\min(0,ct)`, so the
    directional derivative is a minimum of support functions, one for each completion of
    the concave kinks, and the steepest slope on the unit ball is minus the largest of
    their distances to 0. Each local minimum is directionally stationary, each
    directionally stationary point is Clarke stationary; neither can be reversed.

    References
    ----------
    .. [1] Wang, Lacotte & Pilanci (2022), `wang2022hidden`.
    .. [2] Lyu & Li (2020), `lyu2020gradient`.

    Examples
    --------
    A network in a concave kink. Zero lies in the Clarke subdifferential, yet the
    objective falls in both directions across the kink.

    >>> from convexnn_lib import ReLUNetwork, TrainingProblem, clarke_residual
    >>> X = [[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]]
    >>> problem = TrainingProblem(X, [1.25, 1.0, 1.75], beta=1.0)
    >>> residual = clarke_residual(ReLUNetwork([[1.0], [0.0]], [1.0]), problem)
    >>> round(residual.value, 12), round(residual.slope, 12), residual.exact
    (0.0, -0.5, True)
    >>> residual.stationary, residual.directionally_stationary
    (True, False)
    >>> residual.ties[0].kind, round(residual.ties[0].activation, 12)
    ('concave', 0.5)
    """
    check_network(network)
    check_problem(problem)
    max_patterns = check_integer(max_patterns, "max_patterns", minimum=1)
    tolerance = check_number(tolerance, "tolerance", "[0, inf)")
    units = units_of(problem)
    model = local_model(units.inward(network), units.problem, tie_tolerance)
    return _residual(model, tolerance, max_patterns).in_users_units(units)


def _residual(model: LocalModel, tolerance: float, max_patterns: int) -> ClarkeResidual:
    """Return the distance and the steepest descent in units of order one."""
    samples, neurons = np.nonzero(model.tied)
    activation = np.zeros(model.tied.shape)
    alpha = np.zeros(model.kinked.size)
    least = smooth_part(model)
    steepest = smooth_part(model)
    exact = exact_slope = True
    for block in blocks(model):
        subgradients, block_exact = clarke_set(block, model, max_patterns)
        element, alpha, q = least_norm_point(subgradients)
        block.write(least, element)
        _write_activation(activation, block, alpha, q)
        exact &= block_exact
        descent = _steepest(block, model, max_patterns)
        exact_slope &= descent is not None
        block.write(steepest, element if descent is None else descent)
    gradient = model.gradient.copy()
    gradient[model.kinked] = -model.unit * model.y[model.kinked] * alpha
    scale = _scale(model, gradient)
    value = float(np.linalg.norm(least))
    slope = float(np.linalg.norm(steepest))
    descends = slope > tolerance * scale
    # the distance lies between the two: a slope is at most its Clarke slope
    exact |= exact_slope and _equal(slope, value, scale)
    kinds: dict[int, Literal["convex", "concave", "none"]]
    kinds = {1: "convex", -1: "concave", 0: "none"}
    d = model.X.shape[1]
    return ClarkeResidual(
        value=value,
        G1=least[:d],
        g2=least[d],
        dual=0.0 - gradient,  # not -gradient, which would show zeros as -0
        ties=tuple(
            Tie(
                neuron=int(k),
                sample=int(i),
                kind=kinds[int(np.sign(model.slopes[i, k]))],
                activation=float(activation[i, k]),
            )
            for k, i in sorted(zip(neurons, samples, strict=True))
        ),
        exact=exact,
        stationary=value <= tolerance * scale,
        slope=0.0 - slope,
        descent=(-steepest[:d] / slope, -steepest[d] / slope) if descends else None,
        exact_slope=exact_slope,
        directionally_stationary=(not descends) if descends or exact_slope else None,
        scale=scale,
    )


def _steepest(block: Block, model: LocalModel, max_patterns: int) -> FloatArray | None:
    """Return the farthest of the least elements over completions of concave kinks."""
    columns = block.concave
    listed = []
    for k in np.unique(block.tie_neurons[columns]):
        cells = cells_of(
            model.X[block.tie_samples[columns & (block.tie_neurons == k)]], max_patterns
        )
        if cells is None:
            return None
        listed.append(cells)
    if prod(map(len, listed)) > max_patterns:
        return None
    # ties are ordered by samples, the completions by neurons
    order = np.argsort(block.tie_neurons[columns], kind="stable")
    completions = np.empty((prod(map(len, listed)), int(columns.sum())), dtype=bool)
    for row, choice in enumerate(product(*listed)):
        completions[row, order] = np.concatenate([*choice, np.empty(0, dtype=bool)])
    subgradients = block.subgradients
    farthest = np.zeros(subgradients.base.size)
    best = -1.0
    # any element of a completion's set bounds its distance from above, so few of the
    # distances have to be computed
    bounds = np.full(len(completions), np.inf)
    while bounds.max() > best:
        row = int(np.argmax(bounds))
        completion = completions[row]
        element, alpha, q = least_norm_point(subgradients.fixed(columns, completion))
        distance = float(np.linalg.norm(element))
        if distance > best:
            best, farthest = distance, element
        owner = subgradients.owner
        weights = np.where(owner >= 0, np.append(alpha, 0.0)[owner], 1.0)[columns]
        offset = subgradients.base + subgradients.samples @ alpha
        offset = offset + subgradients.ties[:, ~columns] @ q
        switched = (completions * weights) @ subgradients.ties[:, columns].T
        bounds = np.minimum(bounds, np.linalg.norm(offset + switched, axis=1))
        bounds[row] = -1.0
    return farthest


def _write_activation(
    activation: FloatArray, block: Block, alpha: FloatArray, q: FloatArray
) -> None:
    """Write the mean activations of a block's ties."""
    owner = block.subgradients.owner
    total = np.where(owner >= 0, np.append(alpha, 1.0)[owner], 1.0)
    mean = np.divide(q, total, out=np.zeros_like(q), where=total > 0.0)
    activation[block.tie_samples, block.tie_neurons] = np.clip(mean, 0.0, 1.0)


def _equal(slope: float, value: float, scale: float) -> bool:
    """Tell whether a slope is a lower bound of it, up to rounding of its terms."""
    return slope - value <= EQUAL_SLOPES * scale


def _scale(model: LocalModel, gradient: FloatArray) -> float:
    """Return the size of the terms of the subgradient before they cancel."""
    strength = np.abs(gradient)
    lengths = np.linalg.norm(model.X, axis=1) * strength
    first = np.abs(model.w2) * (lengths @ (model.active | model.tied))
    second = strength @ model.features
    penalty = np.concatenate([model.penalty_first.ravel(), model.penalty_second])
    return float(np.linalg.norm(penalty) + np.linalg.norm(np.append(first, second)))
