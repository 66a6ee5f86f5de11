"""Planted neurons, and whether they are the cheapest networks with their outputs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from convexnn_lib._validation import ArrayLike, FloatArray, as_matrix, as_vector
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import GapWarning, InvalidDataError
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve

__all__ = ["PlantedRecovery", "planted_recovery"]

# strengths, relative, and rounds of the linear program; each where the one before
# does not decide
_ATTEMPTS = ((1e-3, 3), (1e-4, 3), (1e-5, 100))
_CLOSE = 1e-4  # relative distance at which the lower bound counts as the planted cost
_RANDOM = 4  # random neurons for each sample in the linear program
_FRESH = 2000  # samples on which the error is measured


@dataclass(frozen=True, eq=False, repr=False)
class PlantedRecovery:
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
    network : convexnn_lib.ReLUNetwork
        A network with the outputs y, up to rounding.
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
    network: ReLUNetwork
    trained: ReLUNetwork
    error: float
    active: int

    @property
    def recovered(self) -> bool | None:
        """True if no network costs less (up to 1e-4), False if one does, else None."""
        if self.lower >= (1.0 - _CLOSE) * self.cost:
            return True
        if self.upper < (1.0 - _CLOSE) * self.cost:
            return False
        return None

    def __repr__(self) -> str:
        """Return the verdict and the bounds, relative to the planted cost."""
        return (
            f"PlantedRecovery({self.recovered}, least cost in "
            f"[{self.lower / self.cost:.6f}, {self.upper / self.cost:.6f}] of the "
            f"planted one, active={self.active}, error={self.error:.2g})"
        )


def planted_recovery(X: ArrayLike, w: ArrayLike) -> PlantedRecovery:
    r"""Decide whether a planted neuron has the least cost of all that fit its outputs.

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
    Training for a small beta gives a dual point and neurons. The dual point, scaled to
    :math:`M(\lambda)=1`, is a lower bound. A linear program over these neurons, the
    planted one and random ones gives a network that fits y exactly, and neurons that
    its multipliers ask for join in. Where the bounds do not decide, ``recovered`` is
    None.

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
    n, d = X.shape
    w = as_vector(w, d, "w")
    y = np.maximum(X @ w, 0.0)
    if not y.any():
        raise InvalidDataError("the planted neuron is not active on any sample.")
    unit = float(np.linalg.norm(X.T @ y)) / (n * float(np.linalg.norm(w)))
    for beta, cuts in _ATTEMPTS:
        result = _attempt(X, y, w, beta * unit, cuts)
        if result.recovered is not None:
            break
    return result


def _attempt(
    X: FloatArray, y: FloatArray, w: FloatArray, beta: float, cuts: int
) -> PlantedRecovery:
    """Return the bounds that training with one beta gives."""
    n, d = X.shape
    with warnings.catch_warnings():
        # the bounds below are computed from the dual point, whatever the gap
        warnings.simplefilter("ignore", GapWarning)
        solution = solve(TrainingProblem(X, y, beta), tol=1e-8)
    trained = solution.network
    dual = solution.dual / dual_norm_bounds(X, solution.dual).upper
    rng = np.random.default_rng(0)
    cost = float(np.linalg.norm(w))
    network = ReLUNetwork(w[:, None], [1.0]).balanced()
    if y @ dual < (1.0 - _CLOSE) * cost:
        neurons = np.column_stack(
            [w, trained.W1, rng.standard_normal((d, _RANDOM * n)), X.T]
        )
        network, dual = _fit(X, y, neurons, dual, cuts)
    fresh = rng.standard_normal((_FRESH, d))
    target = np.maximum(fresh @ w, 0.0)
    return PlantedRecovery(
        cost=cost,
        lower=float(y @ dual),
        upper=network.penalty(),
        dual=dual,
        network=network,
        trained=trained,
        error=float(
            np.linalg.norm(trained.predict(fresh) - target) / np.linalg.norm(target)
        ),
        active=int(np.sum(y > 0.0)),
    )


def _fit(
    X: FloatArray, y: FloatArray, neurons: FloatArray, dual: FloatArray, cuts: int
) -> tuple[ReLUNetwork, FloatArray]:
    """Return a cheap network with the outputs y, and a dual point.

    They are at least as good as the first neuron, which has these outputs, and the
    given point. The linear program over the neurons prices all others, and the best one
    joins, until the network is cheaper than the first neuron or the dual point proves
    that none is.
    """
    lengths = np.linalg.norm(neurons, axis=0)
    unit = neurons[:, lengths > 0.0] / lengths[lengths > 0.0]
    network = ReLUNetwork(unit[:, :1] * lengths[0], [1.0]).balanced()
    for _ in range(cuts):
        features = np.maximum(X @ unit, 0.0)
        result = linprog(
            np.ones(2 * unit.shape[1]),
            A_eq=np.hstack([features, -features]),
            b_eq=y,
            method="highs-ds",
            options={
                "primal_feasibility_tolerance": 1e-10,
                "dual_feasibility_tolerance": 1e-10,
            },
        )
        if not result.success:
            break
        sizes = result.x[: unit.shape[1]] - result.x[unit.shape[1] :]
        kept = sizes != 0.0
        network = ReLUNetwork(unit[:, kept], sizes[kept]).balanced()
        bound = dual_norm_bounds(X, result.eqlin.marginals)
        scaled = result.eqlin.marginals / bound.upper
        if y @ scaled > y @ dual:
            dual = scaled
        cheaper = network.penalty() < (1.0 - 2.0 * _CLOSE) * lengths[0]
        if cheaper or y @ dual >= (1.0 - _CLOSE) * lengths[0]:
            break
        unit = np.column_stack([unit, bound.neuron.direction])
    return network, dual
