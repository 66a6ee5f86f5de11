r"""Gated ReLU networks: fixed gates, no cones, and the ReLU network that they give.

A gated neuron is :math:`x\mapsto 1(g^Tx\ge0)\,x^Tu` with a gate g that is not trained
[1]_. With :math:`D_i=\operatorname{diag}1(Xg_i\ge0)` its training problem is a group
lasso, whose dual norm is a maximum of Euclidean lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from convexnn_lib._read_only import ReadOnlyArrays, read_only
from convexnn_lib._validation import (
    ArrayLike,
    BoolArray,
    FloatArray,
    ListedPatterns,
    as_features,
    as_matrix,
    check_features,
    check_number,
)
from convexnn_lib.certificates._conic import Group, solve_groups
from convexnn_lib.certificates._tolerances import LOWER_BOUND_ULPS
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.problem._arguments import check_problem
from convexnn_lib.problem._units import units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["GatedSolution", "solve_gated"]

_UNIT = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False, repr=False)
class GatedSolution(ReadOnlyArrays):
    r"""A gated ReLU network with a certificate.

    Attributes
    ----------
    gates : (p, d) array
        The gates :math:`g_i`.
    u : (p, d) array
        The vectors :math:`u_i`.
    value : float
        The objective :math:`\ell(\sum_iD_iXu_i,y)+\beta\sum_i\|u_i\|`.
    lower_bound : float
        A lower bound on that of all gated networks with these gates, and on the
        training objective of all ReLU networks whose neurons have these patterns.
    dual : (n,) array
        The dual point that proves the bound: :math:`\|X^TD_i\lambda\|\le\beta` for all
        i.
    problem : convexnn_lib.TrainingProblem
        The problem.
    """

    gates: FloatArray
    u: FloatArray
    value: float
    lower_bound: float
    dual: FloatArray
    problem: TrainingProblem

    @property
    def patterns(self) -> BoolArray:
        """The activation patterns of the gates on the data, a (p, n) array."""
        return read_only(_patterns(self.gates, self.problem.X))

    @property
    def gap(self) -> float:
        """The value less the lower bound."""
        return self.value - self.lower_bound

    def __repr__(self) -> str:
        """Return the value, its gap and how many gates are used."""
        used = int(np.count_nonzero(np.any(self.u != 0.0, axis=1)))
        return (
            f"GatedSolution(value={self.value:.10g}, gap={self.gap:.3g}, "
            f"gates={used} of {len(self.gates)})"
        )

    def predict(self, X: ArrayLike) -> FloatArray:
        """Return the outputs of the gated network.

        Parameters
        ----------
        X : (n, d) array
            Data, one sample a row.

        Returns
        -------
        (n,) array
            The outputs.
        """
        X = as_features(X, self.problem.d)
        return _outputs(_patterns(self.gates, X), X, self.u)

    def verify(self) -> bool:
        """Compute value and lower bound again.

        Returns
        -------
        bool
            Whether the dual point is feasible and proves the bound, and the network
            attains the value.
        """
        problem = self.problem
        norm = _dual_norm(self.patterns, problem.X, self.dual)
        proved = problem.dual_objective(self.dual)
        rounding = 8.0 * problem.n * _UNIT * (abs(self.value) + abs(proved))
        attained = _value(problem, self.patterns, self.u)
        return bool(
            norm <= problem.beta * (1.0 + 8.0 * problem.n * _UNIT)
            and self.lower_bound <= proved + rounding
            and abs(attained - self.value) <= rounding
        )

    def relu_network(self) -> ReLUNetwork:
        r"""Return a ReLU network with the same outputs on the data.

        A vector outside the cone :math:`K_i` of its pattern is a difference of two
        vectors in it, :math:`u=(u+tg)-tg` with the least :math:`t\ge0` for which both
        are, or :math:`u=tg-(tg-u)` if that costs less. The cost
        :math:`\|u+tg\|+\|tg\|` exceeds :math:`\|u\|` by at most :math:`2t\|g\|`. In
        a thin cone t is large: ``solve(problem, gated.patterns)`` trains over the
        cones.

        Returns
        -------
        convexnn_lib.ReLUNetwork
            A balanced network with at most two neurons a gate.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If a gate lies on the walls of samples that its vector does not suit: then
            no multiple of it leads into the cone.

        Examples
        --------
        >>> import numpy as np
        >>> from convexnn_lib import TrainingProblem, enumerate_patterns, solve_gated
        >>> X, y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), [1.0, -1.0, 2.0]
        >>> problem = TrainingProblem(X, y, beta=0.1)
        >>> gated = solve_gated(problem, enumerate_patterns(X))
        >>> network = gated.relu_network()
        >>> bool(np.allclose(network.predict(X), gated.predict(X)))
        True
        >>> bool(gated.lower_bound <= problem.objective(network))
        True
        """
        neurons, signs = [], []
        for k in np.flatnonzero(np.any(self.u != 0.0, axis=1)):
            for vector, sign in self._decomposed(int(k)):
                neurons.append(vector)
                signs.append(sign)
        W1 = np.array(neurons).reshape(-1, self.problem.d).T
        return ReLUNetwork(W1, np.array(signs, dtype=np.float64)).balanced()

    def _decomposed(self, k: int) -> list[tuple[FloatArray, float]]:
        """Return vectors in the cone of a gate with their signs."""
        sides = np.where(self.patterns[k], 1.0, -1.0)
        depths = sides * (self.problem.X @ self.gates[k])
        along = sides * (self.problem.X @ self.u[k])
        choices = []
        for sign in (1.0, -1.0):
            outside = sign * along < 0.0
            if np.any(depths[outside] <= 0.0):
                continue
            t = float(np.max(-sign * along[outside] / depths[outside], initial=0.0))
            shift = t * self.gates[k]
            parts = [(sign * self.u[k] + shift, sign)]
            if t > 0.0:
                parts.append((shift, -sign))
            choices.append(parts)
        if not choices:
            raise InvalidDataError(
                f"gate {k} lies on the wall of some samples, so that no multiple of it "
                "leads its vector into the cone of its pattern; take gates with "
                "X @ gate nonzero on all nonzero samples."
            )
        return min(choices, key=lambda parts: sum(np.linalg.norm(v) for v, _ in parts))


def solve_gated(
    problem: TrainingProblem,
    gates: ArrayLike | ListedPatterns,
    *,
    tol: float = 1e-9,
) -> GatedSolution:
    r"""Train a gated ReLU network to its optimum.

    .. math:: \min_{u_i\in\mathbb R^d}\;\ell\Big(\sum_iD_iXu_i,\,y\Big)
        +\beta\sum_i\|u_i\|_2,\qquad D_i=\operatorname{diag}1(Xg_i\ge0).

    That is the convex program of ReLU networks without its cones, and with one vector
    in place of the difference of two [1]_.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        A problem with one output, ``beta > 0`` and no hard margin.
    gates : (p, d) array or Arrangement
        The gates, one a row; of an arrangement its witnesses.
    tol : float, default 1e-9
        The tolerance handed to the solver; the certificate says what was reached.

    Returns
    -------
    convexnn_lib.GatedSolution
        The network and its certificate.

    Raises
    ------
    convexnn_lib.errors.RegularizationError
        If ``beta`` is 0.
    convexnn_lib.errors.InvalidDataError
        If the gates have another number of features, the loss is a hard margin or has
        no second derivatives, or the problem has several outputs.

    Notes
    -----
    The dual is :math:`\max_\lambda-\ell^*(-\lambda,y)` subject to
    :math:`\|X^TD_i\lambda\|\le\beta` for all i, since
    :math:`\lambda^TD_iXu\le\|X^TD_i\lambda\|\,\|u\|` with equality for some u. In the
    cone of :math:`D_i` the left side is :math:`\lambda^T(Xu)_+`: so a dual point that
    is feasible here is feasible for the ReLU networks with these patterns, and

    .. math:: \text{gated optimum}\le\text{ReLU optimum over these patterns}
        \le\text{objective of }\texttt{relu\_network()} .

    References
    ----------
    .. [1] Mishkin, Sahiner & Pilanci (2022), `mishkin2022fast`.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem, solve_gated
    >>> problem = TrainingProblem([[1.0], [2.0]], [1.0, 2.0], beta=0.5)
    >>> gated = solve_gated(problem, [[1.0], [-1.0]])
    >>> round(gated.value, 6), bool(gated.gap < 1e-8), gated.verify()
    (0.475, True, True)
    """
    check_problem(problem)
    if problem.beta <= 0.0:
        raise RegularizationError(
            "the convex program needs beta > 0, got 0: without regularization its "
            "optimum need not exist."
        )
    if problem.loss.is_constraint:
        raise InvalidDataError(
            "gated networks are not trained to a hard margin; take the hinge loss with "
            "a small beta."
        )
    tol = check_number(tol, "tol", "(0, 1]")
    listed: Any = gates
    directions = as_matrix(getattr(listed, "witnesses", listed), "gates")
    check_features(directions.shape[1], problem.d)
    patterns = _patterns(directions, problem.X)
    units = units_of(problem)
    inner, no_cone = units.problem, np.zeros((0, problem.d))
    groups = [Group(pattern[:, None] * inner.X, no_cone) for pattern in patterns]
    point = solve_groups(inner, groups, tol=tol)
    u = np.array(point.variables)
    lam = inner.loss.project_dual(point.dual, inner.y)
    norm = _dual_norm(patterns, inner.X, lam) * (1.0 + 4.0 * (inner.n + 8) * _UNIT)
    limit = inner.beta / norm if norm > 0.0 else np.inf
    lam = inner.loss.best_scale(lam, inner.y, limit) * lam
    lower = inner.dual_objective(lam)
    terms = abs(lower) + 2.0 * float(np.sum(np.abs(lam * inner.y)))
    lower -= (inner.n + LOWER_BOUND_ULPS) * _UNIT * terms
    u = u * units.coefficients
    return GatedSolution(
        gates=directions,
        u=u,
        value=_value(problem, patterns, u),
        lower_bound=lower * units.objective,
        dual=lam * units.dual,
        problem=problem,
    )


def _patterns(gates: FloatArray, X: FloatArray) -> BoolArray:
    """Return which gates are open for which samples, a (p, n) array."""
    found: BoolArray = gates @ X.T >= 0.0
    return found


def _outputs(patterns: BoolArray, X: FloatArray, u: FloatArray) -> FloatArray:
    """Return the outputs of a gated network."""
    outputs: FloatArray = np.sum(patterns.T * (X @ u.T), axis=1)
    return outputs


def _value(problem: TrainingProblem, patterns: BoolArray, u: FloatArray) -> float:
    """Return the objective of a gated network."""
    penalty = float(np.sum(np.linalg.norm(u, axis=1)))
    outputs = _outputs(patterns, problem.X, u)
    return problem.loss.value(outputs, problem.y) + problem.beta * penalty


def _dual_norm(patterns: BoolArray, X: FloatArray, lam: FloatArray) -> float:
    """Return the largest length of X^T D lam."""
    return float(np.linalg.norm((patterns * lam) @ X, axis=1).max())
