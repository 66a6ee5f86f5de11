"""Planted neurons, and whether they are the cheapest networks with their outputs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from convexnn_lib._least_squares import least_squares
from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    BoolArray,
    FloatArray,
    as_matrix,
    as_vector,
)
from convexnn_lib.beyond._tolerances import (
    AWAY,
    CHEAPER,
    EQUAL_COST,
    EXACT_FIT,
    LEAST_MARGIN,
)
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import GapWarning, InvalidDataError
from convexnn_lib.flow._margins import directions, lengths
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import Solution, solve

__all__ = ["PlantedRecovery", "planted_recovery"]

_STRENGTH = 1e-3  # of the regularization in training, relative
_CUTS = 200  # neurons that join the linear programs
_RANDOM = 4  # random neurons for each sample in the first of them
_FRESH = 2000  # samples on which the error is measured


@dataclass(frozen=True, eq=False, repr=False)
class PlantedRecovery(ReadOnlyArrays):
    r"""Bounds on the least cost of a network with the planted neuron's outputs.

    Attributes
    ----------
    cost : float
        The cost :math:`\|w\|` of the planted neuron.
    lower : float
        A lower bound on the cost of every network with these outputs,
        :math:`y^T\lambda/M(\lambda)`.
    upper : float
        The cost of ``network``.
    dual : (n,) array
        The dual point, with :math:`M(\lambda)\le1`.
    alone : bool or None
        True if the planted direction is certified to be the only unit vector that
        attains :math:`|\lambda^T(Xu)_+|=1`, False if ``network`` has other neurons,
        None if neither is known.
    network : convexnn_lib.ReLUNetwork
        A network with the outputs y, up to rounding: one other than the planted neuron
        if such a network costs no more.
    trained : convexnn_lib.ReLUNetwork
        The optimal network for a small regularization strength.
    error : float
        The root mean square of the difference of ``trained`` and the planted neuron
        on fresh standard normal samples, relative to that of the planted neuron.
    active : int
        The number of samples on which the planted neuron is active.
    """

    cost: float
    lower: float
    upper: float
    dual: FloatArray
    alone: bool | None
    network: ReLUNetwork
    trained: ReLUNetwork
    error: float
    active: int

    @property
    def cheapest(self) -> bool | None:
        """Whether no network costs less, by the bounds; None if they do not tell."""
        if self.lower >= (1.0 - EQUAL_COST) * self.cost:
            return True
        return False if self.upper < (1.0 - CHEAPER) * self.cost else None

    @property
    def recovered(self) -> bool | None:
        r"""Whether every cheapest network is the planted neuron, in all of space.

        True if no network costs less and the planted direction alone attains the dual
        norm, False if another network costs less or as much, None if neither is
        certified.
        """
        if self.alone is False or self.cheapest is False:
            return False
        return True if self.alone and self.cheapest else None

    def __repr__(self) -> str:
        """Return the verdict and the bounds, relative to the planted cost."""
        return (
            f"PlantedRecovery({self.recovered}, least cost in "
            f"[{self.lower / self.cost:.6f}, {self.upper / self.cost:.6f}] of the "
            f"planted one, active={self.active}, error={self.error:.2g})"
        )


def planted_recovery(X: ArrayLike, w: ArrayLike) -> PlantedRecovery:
    r"""Decide whether a planted neuron is the cheapest network with its outputs.

    .. math::

        \min\tfrac12\|\theta\|^2\quad\text{s.t.}\quad f_\theta(X)=y=(Xw)_+
        \qquad=\qquad\max\;y^T\lambda\quad\text{s.t.}\quad
        \max_{\|u\|\le1}|\lambda^T(Xu)_+|\le1 .

    The planted neuron costs :math:`\|w\|`. The recovery of planted neurons is studied
    in [1]_.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    w : (d,) array
        The planted neuron, active on some sample.

    Returns
    -------
    PlantedRecovery
        Certified bounds, with the dual point and the network that attain them.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X or w is not finite, the shapes do not agree, or w is not active on any
        sample.
    convexnn_lib.errors.EnumerationTooLargeError
        If the data have too many activation patterns.
    convexnn_lib.errors.SolverError
        If training ended without a usable point.

    Notes
    -----
    *Recovered* means that a dual point has :math:`M(\lambda)\le1` and
    :math:`y^T\lambda=\|w\|`, so that no network costs less, and that
    :math:`\hat w=w/\|w\|` alone attains :math:`|\lambda^T(Xu)_+|=1`: then every
    cheapest network is the planted neuron, for all inputs. Such a point satisfies
    :math:`\sum_{x_i^Tw>0}\lambda_ix_i=\hat w` if no sample has a tie with w, and a
    linear program over it maximizes the margin :math:`\varepsilon` in

    .. math::
        |\lambda^T(Xu)_+|\le1-\varepsilon\big(1-(\hat w^Tu)_+\big)

    for more and more unit neurons u. That it holds for all of them is one dual norm, of
    the data with the row :math:`\hat w` and the multiplier :math:`-\varepsilon` added.

    *Not recovered* is shown by a network of other neurons that fits y and costs no
    more, from the same neurons.

    References
    ----------
    .. [1] Wang, Hua, Candes & Pilanci (2025), `wang2025overparameterized`.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import planted_recovery
    >>> X = np.random.default_rng(0).standard_normal((12, 3))
    >>> planted_recovery(X, [1.0, 0.0, 0.0]).recovered
    True
    >>> planted_recovery(X[:4], [1.0, 0.0, 0.0]).recovered
    False
    """
    X = as_matrix(X)
    w = as_vector(w, X.shape[1], "w")
    # with units that are powers of two; they round nothing
    rows, weights = (int(np.frexp(np.abs(values).max())[1]) for values in (X, w))
    X, w = np.ldexp(X, -rows), np.ldexp(w, -weights)
    length = float(np.linalg.norm(w))
    unit = w / length if length > 0.0 else w
    sizes = lengths(X, 1)
    sizes[sizes == 0.0] = 1.0
    task = _Task.of(np.where(X.any(axis=1, keepdims=True), directions(X, 1), 0.0), unit)
    if not task.y.any():
        raise InvalidDataError("the planted neuron is not active on any sample.")
    solution = _train(X, sizes * task.y)
    cost = float(np.ldexp(length, weights))
    fresh = np.random.default_rng(0).standard_normal((_FRESH, X.shape[1]))
    target = np.maximum(fresh @ unit, 0.0)
    difference = solution.network.predict(fresh) - target
    neurons = _first_neurons(task, solution.network)
    dual, proved, neurons = _certify(task, sizes * solution.dual, neurons)
    other = None if proved else _other_network(task, neurons)
    network = ReLUNetwork(unit[:, None], [1.0]) if other is None else other
    alone = True if proved else None if other is None else False
    return PlantedRecovery(
        cost=cost,
        lower=cost * float(task.y @ dual),
        upper=cost * network.penalty(),
        dual=np.ldexp(dual / sizes, -rows),
        alone=alone,
        network=_times(network, cost),
        trained=_times(solution.network, cost),
        error=float(np.linalg.norm(difference) / np.linalg.norm(target)),
        active=int(np.sum(task.y > 0.0)),
    )


def _times(network: ReLUNetwork, factor: float) -> ReLUNetwork:
    """Return the network whose outputs are so many times larger."""
    root = np.sqrt(factor)
    return ReLUNetwork(root * network.W1, root * network.w2)


@dataclass(frozen=True, eq=False)
class _Task:
    """The planted direction, and the samples, of unit length, by their side of it.

    A network's output on a sample is in proportion to the sample's length, so that the
    lengths decide nothing.
    """

    X: FloatArray
    unit: FloatArray
    y: FloatArray
    active: BoolArray
    tied: BoolArray
    radius: float  # the sine of the angle to the nearest hyperplane without a tie

    @classmethod
    def of(cls, X: FloatArray, unit: FloatArray) -> _Task:
        products, present = X @ unit, X.any(axis=1)
        rounding = (len(unit) + 2) * np.finfo(np.float64).eps
        tied = (np.abs(products) <= rounding) & present
        y = np.where(tied, 0.0, np.maximum(products, 0.0))
        sines = np.abs(products[present & ~tied])
        return cls(X, unit, y, y > 0.0, tied, float(sines.min(initial=1.0)))


def _train(X: FloatArray, y: FloatArray) -> Solution:
    """Return the optimum for a small regularization strength."""
    scale = float(np.linalg.norm(X.T @ y)) / len(X)
    with warnings.catch_warnings():
        # the bounds are computed from the dual point, whatever the gap
        warnings.simplefilter("ignore", GapWarning)
        return solve(TrainingProblem(X, y, _STRENGTH * scale), tol=1e-8)


def _first_neurons(task: _Task, trained: ReLUNetwork) -> FloatArray:
    """Return unit neurons with which the linear programs begin."""
    n, d = task.X.shape
    random = np.random.default_rng(0).standard_normal((d, _RANDOM * n))
    neurons = np.column_stack([trained.W1, random, task.X.T, -task.X.T])
    return directions(neurons[:, neurons.any(axis=0)], 0)


def _certify(
    task: _Task, dual: FloatArray, neurons: FloatArray
) -> tuple[FloatArray, bool, FloatArray]:
    """Return the best dual point found, whether it proves recovery, and all neurons."""
    best = dual / (dual_norm_bounds(task.X, dual).upper or 1.0)
    for _ in range(_CUTS):
        found = _interior_point(task, neurons)
        if found is None:
            break
        dual, margin = found
        feasible = dual / max(1.0, dual_norm_bounds(task.X, dual).upper)
        if task.y @ feasible > task.y @ best:
            best = feasible
        if margin < LEAST_MARGIN:
            break
        # half of the margin, so that the program's tolerance does not matter
        bound = dual_norm_bounds(
            np.vstack([task.X, task.unit]), np.append(dual, -0.5 * margin)
        )
        excess = max(0.0, bound.upper - (1.0 - 0.5 * margin))
        # all u that attain 1 are this near, where the height is at most w @ u
        if np.sqrt(2.0 * excess / (0.5 * margin)) < 0.9 * task.radius:
            return feasible, True, neurons
        neurons = np.column_stack([neurons, bound.neuron.direction])
    return best, False, neurons


def _interior_point(
    task: _Task, neurons: FloatArray
) -> tuple[FloatArray, float] | None:
    r"""Return the dual point of largest margin on the given neurons, and the margin.

    None if there is none. With the multipliers :math:`t_i` of the samples with ties the
    height has a local maximum 1 at the planted direction if and only if
    :math:`\sum_{x_i^Tw>0}\lambda_ix_i+\sum_{x_i^Tw=0}t_ix_i=\hat w` and
    :math:`\lambda_i\le t_i\le0`.
    """
    X, active, tied = task.X, task.active, np.flatnonzero(task.tied)
    n, d = X.shape
    features = np.maximum(X @ neurons, 0.0).T
    along = np.maximum(task.unit @ neurons, 0.0)[:, None]
    # the variables: lambda, t, and the margin
    none = np.zeros((len(features), len(tied)))
    upper = np.hstack([features, none, 1.0 - along])
    lower = np.hstack([-features, none, 1.0 + along])
    below = np.zeros((len(tied), n + len(tied) + 1))
    below[np.arange(len(tied)), tied] = 1.0
    below[np.arange(len(tied)), n + np.arange(len(tied))] = -1.0
    result = linprog(
        np.append(np.zeros(n + len(tied)), -1.0),
        A_ub=np.vstack([upper, lower, below]),
        b_ub=np.concatenate([np.ones(2 * len(features)), np.zeros(len(tied))]),
        A_eq=np.hstack([(X * active[:, None]).T, X[tied].T, np.zeros((d, 1))]),
        b_eq=task.unit,
        bounds=[(None, None)] * n + [(None, 0.0)] * len(tied) + [(0.0, 0.5)],
        method="highs-ds",
    )
    if not result.success:
        return None
    # what HiGHS calls feasible is off by its tolerance: signs are mended, and equations
    dual, pulls = result.x[:n], np.minimum(result.x[n:-1], 0.0)
    dual[tied] = np.minimum(dual[tied], pulls)
    target = task.unit - pulls @ X[tied]
    dual[active] += least_squares(X[active].T, target - dual[active] @ X[active])
    sizes = np.abs(dual[active]) @ np.abs(X[active]) + np.abs(pulls) @ np.abs(X[tied])
    missing = np.linalg.norm(target - dual[active] @ X[active])
    if missing > EXACT_FIT * max(1.0, float(sizes.max())):
        return None
    return dual, float(result.x[-1])


def _other_network(task: _Task, neurons: FloatArray) -> ReLUNetwork | None:
    """Return a network with the outputs y that is not the planted neuron, if cheap.

    The planted neuron is left out, and what is close to it: a network without it that
    costs as much shows that the planted one is not alone.
    """
    shorter = _shorter_neuron(task)
    if shorter is not None:
        return shorter
    for _ in range(_CUTS):
        features = np.maximum(task.X @ neurons, 0.0)
        near = np.linalg.norm(neurons - task.unit[:, None], axis=0) <= AWAY
        # dearer only by what decides nothing, so that others come first
        costs = np.where(near, 1.0 + 10.0 * EQUAL_COST, 1.0)
        result = linprog(
            np.concatenate([costs, costs]),
            A_eq=np.hstack([features, -features]),
            b_eq=task.y,
            method="highs-ds",
            options={
                "primal_feasibility_tolerance": 1e-10,
                "dual_feasibility_tolerance": 1e-10,
            },
        )
        if not result.success:
            return None
        network = _exact_fit(task, neurons, result.x)
        if network is not None and network.penalty() <= 1.0 + EQUAL_COST:
            return network
        bound = dual_norm_bounds(task.X, result.eqlin.marginals)
        if bound.upper <= 1.0 + EQUAL_COST:
            return None
        neurons = np.column_stack([neurons, bound.neuron.direction])
    return None


def _shorter_neuron(task: _Task) -> ReLUNetwork | None:
    """Return a shorter neuron with the same outputs, if the samples admit one.

    The part of the planted neuron that is orthogonal to the active samples does not
    show in them. It is taken out as far as the others stay inactive.
    """
    span = task.X[task.active].T
    part = task.unit - span @ least_squares(span, task.unit)
    if np.linalg.norm(part) <= np.sqrt(CHEAPER):
        return None
    products, change = task.X @ task.unit, task.X @ part
    limits = (products / np.where(change < 0.0, change, 1.0))[
        ~task.active & (change < 0.0)
    ]
    step = min(1.0, float(limits.min(initial=1.0)))
    if step <= 0.0:
        return None
    return ReLUNetwork((task.unit - step * part)[:, None], [1.0]).balanced()


def _exact_fit(
    task: _Task, neurons: FloatArray, sizes: FloatArray
) -> ReLUNetwork | None:
    """Return the network of a linear program's solution, its outputs exact.

    None if the planted neuron takes part in it, or the outputs are not fitted.
    """
    signed = sizes[: neurons.shape[1]] - sizes[neurons.shape[1] :]
    units, signed = neurons[:, signed != 0.0], signed[signed != 0.0]
    if np.any(np.linalg.norm(units - task.unit[:, None], axis=0) <= AWAY):
        return None
    features = np.maximum(task.X @ units, 0.0)
    signed[...] = least_squares(features, task.y)
    error = np.linalg.norm(features @ signed - task.y)
    if error > EXACT_FIT * np.linalg.norm(task.y):
        return None
    return ReLUNetwork(units, signed).balanced()
