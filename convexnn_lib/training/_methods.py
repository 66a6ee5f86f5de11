"""The methods of ``solve``: each returns a network with its certificate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from convexnn_lib._deadline import NEVER, Deadline, Polls, TimeUp
from convexnn_lib._validation import BoolArray
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates._pricing import too_many, warm_up
from convexnn_lib.certificates.certificate import Certificate, bound_by
from convexnn_lib.certificates.certify import certify_until
from convexnn_lib.problem._cones import project_on_cone
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._column_generation import (
    ActiveSetResult,
    Round,
    solve_by_active_set,
)
from convexnn_lib.training._newton_on_face import meet_hard_margin
from convexnn_lib.training._sparsify import sparsify
from convexnn_lib.training._tolerances import NORM_ROUNDING
from convexnn_lib.typing import SolveMethod

__all__ = ["METHODS", "Options", "Outcome"]

_CLOSED = 1e-10  # relative gap at which no better dual point is looked for
_FOR_THE_BOUND = 0.4  # of a time limit, where the patterns are too many to list
_FIRST = 0.25  # of a time limit, for column generation before CVXPY's model
_DIGITS = 9  # to which neurons' directions are compared when they are put in order


class Options(NamedTuple):
    """How a method is to work.

    Attributes
    ----------
    max_rounds : int
        The largest number of rounds of column generation.
    time_limit : float
        The seconds that it may take.
    start : convexnn_lib.ReLUNetwork or None
        A network to start from.
    reports : sequence of callables
        Called with each round.
    verbose : bool
        Whether a solver is to print what it does.
    """

    max_rounds: int
    time_limit: float
    start: ReLUNetwork | None
    reports: Sequence[Callable[[Round], None]]
    verbose: bool


class Outcome(NamedTuple):
    """What a method ended with.

    Attributes
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    patterns : (p, n) array of bool
        The patterns optimized over, or of the working set.
    certificate : convexnn_lib.Certificate
        Its certificate.
    reason : str
        Why the method stopped.
    restricted : convexnn_lib.Certificate or None
        The certificate over the patterns that were chosen, if not all were asked.
    """

    network: ReLUNetwork
    patterns: BoolArray
    certificate: Certificate
    reason: str
    restricted: Certificate | None = None


def _solve_by_active_set(
    problem: TrainingProblem,
    scope: BoolArray | None,
    tol: float,
    options: Options,
) -> Outcome:
    """Solve by column generation."""
    if np.isfinite(options.time_limit):
        warm_up()
    deadline = search = Deadline(options.time_limit)
    if np.isfinite(options.time_limit) and scope is None and too_many(problem.X):
        search = deadline.part(1.0 - _FOR_THE_BOUND)
    result = solve_by_active_set(
        problem,
        scope,
        tol=0.9 * tol,  # leaves room for what a sparser network may cost
        max_rounds=options.max_rounds,
        deadline=search,
        start=options.start,
        reports=options.reports,
    )
    network, reason = _in_order(result.network), result.reason
    certificate = _certificate(result, network, problem, tol, search.extended)
    if scope is not None:
        return Outcome(network, scope, certificate, reason)
    if certificate.patterns is None:
        return Outcome(network, result.patterns, certificate, reason)
    # trained over patterns that were chosen: how far from all others is that?
    duals = [certificate.dual]
    wide = certify_until(
        deadline.extended, network, problem, None, duals=duals, tol=tol
    )
    return Outcome(network, result.patterns, wide, reason, certificate)


def _certificate(
    result: ActiveSetResult,
    network: ReLUNetwork,
    problem: TrainingProblem,
    tol: float,
    deadline: Deadline,
) -> Certificate:
    """Return the best certificate that there is time for."""
    best = certify_until(
        deadline,
        network,
        problem,
        result.scope,
        duals=result.duals,
        # to look for a better one takes time, which a limit does not leave; two dual
        # points are those of a smooth loss, and there is no other to look for
        further=not result.limited and len(result.duals) < 2,
        tol=tol,
    )
    dual, norm = result.bound.dual, result.bound.norm
    if best.relative_gap <= tol or norm is None:
        return best
    norm = norm._replace(upper=norm.upper * (1.0 + NORM_ROUNDING))
    known = bound_by(dual, problem, result.scope, best.primal, norm=norm)
    return max(best, known, key=lambda one: one.lower_bound)


def _solve_with_cvxpy(
    problem: TrainingProblem,
    scope: BoolArray | None,
    tol: float,
    options: Options,
) -> Outcome:
    """Solve one model over all patterns; after a limit return what was there before."""
    if np.isinf(options.time_limit):
        return _solve_one_model(problem, scope, tol, options.verbose, NEVER)
    warm_up()
    deadline = Deadline(options.time_limit)
    part = options._replace(time_limit=_FIRST * options.time_limit)
    first = _solve_by_active_set(problem, scope, tol, part)
    try:
        return _solve_one_model(problem, scope, tol, options.verbose, deadline)
    except TimeUp:
        reason = f"the time limit of {options.time_limit:g} seconds"
        return first._replace(reason=reason)


def _solve_one_model(
    problem: TrainingProblem,
    scope: BoolArray | None,
    tol: float,
    verbose: bool,
    deadline: Deadline,
) -> Outcome:
    """Solve one model over all patterns, or give up when the deadline has passed."""
    from convexnn_lib.training._cvxpy_model import solve_by_cvxpy

    patterns = scope
    if patterns is None:
        patterns = enumerate_patterns(problem.X, progress=Polls(deadline)).patterns
    point = solve_by_cvxpy(
        problem,
        patterns,
        patterns,
        tol=min(1e-10, tol),
        verbose=verbose,
        deadline=deadline,
    )
    deadline = deadline.extended
    variables = [point.u, point.u_prime]
    if scope is not None:  # a network outside the scope would be no solution
        walls = [np.where(pattern[:, None], problem.X, -problem.X) for pattern in scope]
        variables = [
            np.array([project_on_cone(*pair) for pair in zip(walls, u, strict=True)])
            for u in variables
        ]
    raw = ReLUNetwork.from_convex(*variables)
    raw = meet_hard_margin(raw, problem)
    target = problem.objective(raw)
    target += 1e-2 * tol * abs(target)
    network = _in_order(sparsify(raw, problem, scope, target, deadline=deadline))
    certificate = None
    if problem.loss.differentiable:
        certificate = certify_until(deadline, network, problem, scope, tol=_CLOSED)
    if certificate is None or certificate.relative_gap > tol:
        certificate = certify_until(
            deadline, network, problem, scope, duals=[point.dual], tol=_CLOSED
        )
    if certificate.relative_gap > tol:
        deadline.check()  # no time for a good one: what was there before may be better
    return Outcome(network, patterns, certificate, "converged")


def _in_order(network: ReLUNetwork) -> ReLUNetwork:
    """Return a network with its neurons in an order that rounding does not choose.

    Those of positive sign come first, and of one sign those of smaller coordinates of
    the unit vector, as in an optimal set.
    """
    lengths = np.linalg.norm(network.W1, axis=0)
    units = (network.W1 / np.where(lengths > 0.0, lengths, 1.0)).round(_DIGITS)
    order = np.lexsort((*units[::-1], -np.sign(network.w2)))
    return ReLUNetwork(network.W1[:, order], network.w2[order])


METHODS: dict[
    SolveMethod,
    Callable[[TrainingProblem, BoolArray | None, float, Options], Outcome],
] = {"active_set": _solve_by_active_set, "cvxpy": _solve_with_cvxpy}
