r"""Certificates of global optimality: dual norms and duality gaps.

Every dual point :math:`\lambda`, scaled until :math:`M(\lambda)\le\beta` with the dual
norm

.. math:: M(\lambda)=\max_{\|u\|_2\le1}|\lambda^T(Xu)_+|,

bounds the objective of every network from below by :math:`-\ell^*(-\lambda,y)`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._read_only import ReadOnlyArrays, read_only
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates._tolerances import (
    CONTRADICTION,
    LOWER_BOUND_ULPS,
    SAME_OBJECTIVE,
)
from convexnn_lib.certificates.dual_bound import DualBound, dual_bound
from convexnn_lib.certificates.dual_norm import DualNorm, dual_norm_bounds
from convexnn_lib.certificates.extreme_neuron import ExtremeNeuron
from convexnn_lib.certificates.output_norm import (
    OutputNeuron,
    OutputNorm,
    output_norm,
)
from convexnn_lib.errors import (
    EnumerationTooLargeError,
    SolverError,
)
from convexnn_lib.problem._arguments import check_network, check_problem
from convexnn_lib.problem._units import Units
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = [
    "Certificate",
    "bound_by",
    "in_users_units",
]


@dataclass(frozen=True, eq=False, repr=False)
class Certificate(ReadOnlyArrays):
    r"""How far a network is from the global optimum.

    The certificate is a dual point :math:`\lambda` and a factor :math:`\tau` with
    :math:`\tau M(\lambda)\le\beta`. It proves that no network in its scope has an
    objective below ``lower_bound``, and it can be checked on its own by ``verify``.

    Attributes
    ----------
    primal : float
        Objective of the network; ``inf`` if it violates a hard margin.
    lower_bound : float
        Lower bound on the global optimum,
        :math:`-\ell^*(-\tau\lambda,y)` less its rounding error.
    dual : (n,) array, or (n, c) for c outputs
        The dual point :math:`\lambda`; :math:`-\nabla\ell(f(X),y)` for a
        differentiable loss.
    scale : float
        The factor :math:`\tau`.
    dual_norm : float
        The dual norm :math:`M(\lambda)`, attained by ``extreme_neuron``.
    extreme_neuron : convexnn_lib.ExtremeNeuron or OutputNeuron
        The direction and sign, or with several outputs the two directions, that attain
        the dual norm. Where ``dual_norm`` exceeds beta, adding a small neuron there
        lowers the objective.
    patterns : (p, n) array of bool or None
        The patterns in scope; None for all.
    dual_bound : convexnn_lib.DualBound, OutputNorm or None
        What bounds the dual norm from above where the patterns are too many to list,
        time was up, or the outputs are several; None where ``dual_norm`` is exact up to
        rounding.

    Examples
    --------
    >>> from convexnn_lib import ReLUNetwork, TrainingProblem, certify
    >>> problem = TrainingProblem([[1.0]], [1.0], beta=0.5)
    >>> network = ReLUNetwork([[1.0]], [0.5])
    >>> certificate = certify(network, problem)
    >>> certificate.primal, round(certificate.lower_bound, 12), certificate.scope
    (0.4375, 0.375, 'all patterns')
    >>> certificate.verify(network, problem)
    True
    """

    primal: float
    lower_bound: float
    dual: FloatArray
    scale: float
    dual_norm: float
    extreme_neuron: ExtremeNeuron | OutputNeuron
    patterns: BoolArray | None = None
    dual_bound: DualBound | OutputNorm | None = None

    @property
    def gap(self) -> float:
        """The duality gap ``primal - lower_bound``.

        The network's objective exceeds the optimum by at most this much. With given
        patterns it is negative if the network beats every network of these patterns.
        """
        return self.primal - self.lower_bound

    @property
    def relative_gap(self) -> float:
        """The gap divided by the primal value; 0 if both are 0."""
        if not np.isfinite(self.primal):
            return np.inf
        if self.gap == 0.0:
            return 0.0
        return self.gap / max(abs(self.primal), float(np.finfo(np.float64).tiny))

    @property
    def scope(self) -> str:
        """Whether the bound holds for all patterns or only for those given."""
        if self.patterns is None:
            return "all patterns"
        return f"{len(self.patterns)} given patterns"

    @property
    def method(self) -> str:
        """What bounds the dual norm: ``"exact"``, or a method of ``dual_bound``."""
        return "exact" if self.dual_bound is None else self.dual_bound.method

    @property
    def advice(self) -> str:
        """What the bound is, over what, and how it could be improved."""
        over = f"The lower bound holds for {self.scope}"
        if self.dual_bound is None:
            return (
                f"{over}. The dual norm is exact: a better bound takes another dual "
                "point, which a network nearer to the optimum has."
            )
        factor = 1.0 + self.dual_bound.relative_gap
        return (
            f"{over}. The dual norm is bounded by the method {self.method!r}, and may "
            f"be smaller by a factor of up to {factor:.3g}. A dual point of a network "
            "nearer to the optimum may bound better, and so may fewer features or "
            "samples."
        )

    @property
    def feasible_dual(self) -> FloatArray:
        """The dual feasible point, ``scale * dual``."""
        return read_only(self.scale * self.dual)

    def __repr__(self) -> str:
        """Return the gap, what it is made of, and its scope."""
        method = "" if self.dual_bound is None else f", method={self.method!r}"
        return (
            f"Certificate(gap={self.gap:.3g}, relative_gap={self.relative_gap:.3g}, "
            f"primal={self.primal:.10g}, lower_bound={self.lower_bound:.10g}, "
            f"dual_norm={self.dual_norm:.6g}, scope={self.scope!r}{method})"
        )

    def verify(self, network: ReLUNetwork, problem: TrainingProblem) -> bool:
        r"""Check the certificate again from nothing but its dual point.

        Parameters
        ----------
        network : convexnn_lib.ReLUNetwork
            The network that it certifies.
        problem : convexnn_lib.TrainingProblem
            The problem.

        Returns
        -------
        bool
            Whether the network has the stated objective, and the scaled dual point is
            feasible and gives the stated lower bound.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If these are no network and no problem, or do not fit each other.
        """
        check_network(network, several_outputs=True)
        check_problem(problem, several_outputs=True)
        primal = problem.objective(network)
        same = primal == self.primal or bool(
            np.isclose(primal, self.primal, rtol=SAME_OBJECTIVE, atol=0.0)
        )
        if not (same and np.all(np.isfinite(self.dual))):
            return False
        # computed anew: the largest factor that the dual norm allows
        if not self.scale <= _largest_scale(problem.beta, self._norm_anew(problem)):
            return False
        return bool(self.lower_bound <= problem.dual_objective(self.feasible_dual))

    def _norm_anew(self, problem: TrainingProblem) -> float:
        """Return a bound on the dual norm; infinite if what bounds it does not hold."""
        X = problem.X
        bound = self.dual_bound
        if self.dual.ndim == 2:
            if not isinstance(bound, OutputNorm):
                return np.inf
            holds = bound.verify(X, self.dual, self.patterns)
            return bound.upper if holds else np.inf
        if bound is not None and self.patterns is None:
            return bound.upper if bound.verify(X, self.dual) else np.inf
        try:
            return dual_norm_bounds(X, self.dual, self.patterns).upper
        except EnumerationTooLargeError:
            return dual_bound(X, self.dual).upper


def _largest_scale(beta: float, norm: float) -> float:
    """Return the largest factor that keeps the dual norm at most beta."""
    return float(np.nextafter(beta / norm, 0.0)) if norm > 0.0 else np.inf


def bound_by(
    lam: FloatArray,
    problem: TrainingProblem,
    scope: BoolArray | None,
    primal: float,
    *,
    norm: DualNorm | DualBound | OutputNorm | None = None,
    exact: bool = False,
    deadline: Deadline = NEVER,
) -> Certificate:
    """Return the certificate that one dual point gives.

    Parameters
    ----------
    lam : (n,) array
        The dual point, in the domain of the dual objective.
    problem : convexnn_lib.TrainingProblem
        The problem.
    scope : (p, n) array of bool or None
        The patterns that the bound is for; None for all.
    primal : float
        The objective of the network to certify.
    norm : DualNorm, DualBound or OutputNorm, optional
        Bounds on the dual norm, if they are known already.
    exact : bool, default False
        Whether to refuse a dual norm that is only bounded.
    deadline : Deadline, optional
        When to give up to find them.

    Returns
    -------
    convexnn_lib.Certificate
        The certificate.

    Raises
    ------
    convexnn_lib.errors.EnumerationTooLargeError
        If the dual norm is to be exact, and there are too many patterns to list.
    convexnn_lib._deadline.TimeUp
        If the deadline has passed.
    """
    if norm is None:
        norm = _bounds(lam, problem, scope, exact, deadline)
    limit = _largest_scale(problem.beta, norm.upper)
    scale = problem.loss.best_scale(lam, problem.y, limit)
    lower = problem.dual_objective(scale * lam)
    terms = abs(lower) + 2.0 * float(np.sum(np.abs(scale * lam * problem.y)))
    rounding = (lam.size + LOWER_BOUND_ULPS) * np.finfo(np.float64).eps * terms
    lower -= rounding
    above = lower - primal - rounding
    if scope is None and above > CONTRADICTION * max(abs(lower), abs(primal)):
        raise SolverError(
            f"the lower bound {lower:.9g} lies above the objective {primal:.9g}: "
            f"value, gradient and conjugate of the loss {problem.loss!r} do not "
            "belong together. For a convex value, value(z, y) + conjugate(g, y) is "
            "z @ g at g = gradient(z, y)."
        )
    return Certificate(
        primal=primal,
        lower_bound=float(lower),
        dual=lam,
        scale=scale,
        dual_norm=norm.lower,
        extreme_neuron=norm.neuron,
        patterns=scope,
        dual_bound=None if isinstance(norm, DualNorm) else norm,
    )


def _bounds(
    lam: FloatArray,
    problem: TrainingProblem,
    scope: BoolArray | None,
    exact: bool,
    deadline: Deadline,
) -> DualNorm | DualBound | OutputNorm:
    """Return the dual norm, or bounds on it where the patterns are too many."""
    if lam.ndim == 2:
        return output_norm(problem.X, lam, scope, deadline=deadline)
    try:
        return dual_norm_bounds(problem.X, lam, scope, deadline=deadline)
    except EnumerationTooLargeError:
        if exact:
            raise
    deadline.check()
    seconds = deadline.remaining
    limit = seconds if np.isfinite(seconds) else None
    return dual_bound(problem.X, lam, time_limit=limit)


def in_users_units(certificate: Certificate, units: Units) -> Certificate:
    """Return a certificate of a problem in units of order one in the user's units.

    Parameters
    ----------
    certificate : convexnn_lib.Certificate
        The certificate.
    units : convexnn_lib.problem._units.Units
        What the user's units are.

    Returns
    -------
    convexnn_lib.Certificate
        The same with all numbers multiplied by powers of two.
    """
    bound = certificate.dual_bound
    return replace(
        certificate,
        primal=certificate.primal * units.objective,
        lower_bound=certificate.lower_bound * units.objective,
        dual=certificate.dual * units.dual,
        dual_norm=certificate.dual_norm * units.data * units.dual,
        dual_bound=None if bound is None else bound.scaled(units.data * units.dual),
    )
