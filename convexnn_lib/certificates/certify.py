"""How far a network is from the global optimum, by the best dual point found."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from convexnn_lib._deadline import NEVER, Deadline, TimeUp
from convexnn_lib._validation import (
    ArrayLike,
    BoolArray,
    FloatArray,
    PatternsLike,
    check_number,
)
from convexnn_lib.certificates._dual_ascent import relaxed_dual_points
from convexnn_lib.certificates._dual_search import search_dual_points
from convexnn_lib.certificates._margin_program import margin_program
from convexnn_lib.certificates._scope import patterns_in_scope
from convexnn_lib.certificates.certificate import (
    Certificate,
    bound_by,
    in_users_units,
)
from convexnn_lib.certificates.dual_bound import (
    bound_from_rules,
    dual_bound,
    spectral_bounds,
)
from convexnn_lib.certificates.output_norm import output_norm
from convexnn_lib.errors import EnumerationTooLargeError, RegularizationError
from convexnn_lib.problem._arguments import check_network, check_problem
from convexnn_lib.problem._units import units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["certify", "certify_until", "for_all_patterns"]

_ROUNDS, _PATIENCE = 30, 8  # dual points of the relaxation, in all and without gain
_ROUGH = 0.1  # relative gap of a dual norm that is bounded with little work
# of the time that is left: for a dual norm, and for a bound on one; the rest is for
# better dual points
_FOR_AN_EXACT_NORM, _FOR_A_BOUND = 0.5, 0.3
_LITTLE = 0.01  # of the gap or the bound, that is no gain


def certify(
    network: ReLUNetwork,
    problem: TrainingProblem,
    patterns: PatternsLike | None = None,
    *,
    dual: ArrayLike | None = None,
    tol: float = 1e-10,
) -> Certificate:
    r"""Certify how far a network is from the global optimum.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        Any network, however it was trained.
    problem : convexnn_lib.TrainingProblem
        The problem, with ``beta > 0``.
    patterns : (p, n) array of bool or Arrangement, optional
        Bound only the networks whose neurons lie in the closed cones of these patterns.
        By default, and for a complete arrangement of the same data, the bound holds for
        all networks.
    dual : (n,) array, or (n, c) for c outputs, optional
        A dual point to use where it gives a better bound than those found here.
    tol : float, default 1e-10
        The relative gap at which no better dual point is looked for.

    Returns
    -------
    convexnn_lib.Certificate
        The objective, a lower bound on the global optimum, and the gap between them.

    Raises
    ------
    convexnn_lib.errors.RegularizationError
        If ``beta`` is 0.
    convexnn_lib.errors.InvalidDataError
        If the network has another number of features, or the patterns or the dual point
        have the wrong shape.

    Notes
    -----
    For a differentiable loss the dual point is :math:`\lambda=-\nabla\ell(f(X),y)`, and
    the gap is 0 at every global optimum. For a margin loss, as the hinge loss and the
    hard margin, :math:`-\partial\ell` holds many dual points. Tried are the dual of
    the linear program over the network's own neurons
    (``certificates/_margin_program.py``) and, where that leaves a gap, the dual of the
    convex program over the cones of the network's neurons, to which those of the
    extreme neurons of its dual points are added for a few rounds. Where too
    many samples carry that one, the linear program goes on instead, with the extreme
    neurons as further neurons. Each dual point gives a valid bound, and the best is
    kept. Where its dual norm cannot be computed, for there are too many patterns to
    list, it is bounded from above (:func:`convexnn_lib.dual_bound`), and better dual
    points are found by a relaxation of the training problem
    (``certificates/_dual_ascent.py``): the certificate still holds for all patterns and
    says by which method.

    With several outputs the loss is differentiable, the dual point is
    :math:`\Lambda=-\nabla\ell(f(X),Y)`, and its dual norm is bounded by
    :func:`convexnn_lib.output_norm`: to seven digits for two outputs and for few on
    small data, and from above in any case.

    Examples
    --------
    >>> from convexnn_lib import ReLUNetwork, TrainingProblem, certify
    >>> problem = TrainingProblem([[1.0]], [1.0], beta=0.5)
    >>> certify(ReLUNetwork([[1.0]], [0.5]), problem)
    Certificate(gap=0.0625, relative_gap=0.143, primal=0.4375, lower_bound=0.375, ...
    """
    check_network(network, several_outputs=True)
    check_problem(problem, several_outputs=True)
    if problem.beta <= 0.0:
        raise RegularizationError(
            "a certificate needs beta > 0: without regularization the dual norm gives "
            "no bound. Use a positive beta, or certify the margin (certify_margin)."
        )
    tol = check_number(tol, "tol", "[0, inf)")
    scope = patterns_in_scope(problem.X, patterns)
    if dual is not None:
        dual = problem.as_dual(dual, "dual")
    units = units_of(problem)
    best = certify_until(
        NEVER,
        units.inward(network),
        units.problem,
        scope,
        duals=[] if dual is None else [dual / units.dual],
        tol=tol,
    )
    return in_users_units(best, units)


def for_all_patterns(
    certificate: Certificate, network: ReLUNetwork, problem: TrainingProblem
) -> Certificate:
    """Return a certificate for all patterns, by the dual point of another one.

    Parameters
    ----------
    certificate : convexnn_lib.Certificate
        The certificate, say for given patterns.
    network : convexnn_lib.ReLUNetwork
        The network that it certifies.
    problem : convexnn_lib.TrainingProblem
        The problem.

    Returns
    -------
    convexnn_lib.Certificate
        The same one if it is for all patterns already. Otherwise the dual norm is
        bounded with little work, and no better dual point is looked for, which
        :func:`certify` does.
    """
    if certificate.patterns is None:
        return certificate
    units = units_of(problem)
    inner = units.problem
    lam = inner.loss.project_dual(certificate.dual / units.dual, inner.y)
    norm_of = output_norm if lam.ndim == 2 else dual_bound
    bound = norm_of(inner.X, lam, gap=_ROUGH)
    primal = inner.objective(units.inward(network))
    found = bound_by(lam, inner, None, primal, norm=bound)
    return in_users_units(found, units)


def certify_until(
    deadline: Deadline,
    network: ReLUNetwork,
    problem: TrainingProblem,
    scope: BoolArray | None,
    *,
    duals: Sequence[FloatArray] = (),
    further: bool = True,
    tol: float,
) -> Certificate:
    """Certify a network with what can be found before a deadline.

    Parameters
    ----------
    deadline : Deadline
        The deadline. Where it has passed before any dual norm is known, dual norms are
        bounded without a search.
    network, problem, tol
        As for :func:`certify`.
    scope : (p, n) array of bool or None
        The patterns that the bound is for; None for all.
    duals : sequence of (n,) arrays
        Dual points to try first.
    further : bool, default True
        Whether to try others where these leave a gap.

    Returns
    -------
    convexnn_lib.Certificate
        The best certificate found.
    """
    primal = problem.objective(network)
    best: Certificate | None = None
    hard: list[FloatArray] = []  # dual points whose dual norm can only be bounded
    late: list[FloatArray] = []  # those for which there was no time
    given = [problem.loss.project_dual(dual, problem.y) for dual in duals]
    own = _dual_points(network, problem) if further else ()
    for lam in itertools.chain(given, own):
        part = _share(deadline, _FOR_AN_EXACT_NORM)
        try:
            found = bound_by(lam, problem, scope, primal, exact=True, deadline=part)
        except EnumerationTooLargeError:  # another point may be sparser
            hard.append(lam)
        except TimeUp:
            (hard if scope is None and not deadline.passed else late).append(lam)
        else:
            best = _better(best, found)
            if best.relative_gap <= tol:
                return best
    sparse = best is not None  # some dual point is carried by few samples
    for lam in [] if sparse else hard:
        if deadline.passed:
            late.append(lam)
            continue
        seconds = _share(deadline, _FOR_A_BOUND).remaining
        limit = seconds if np.isfinite(seconds) else None
        bound = dual_bound(problem.X, lam, time_limit=limit)
        best = _better(best, bound_by(lam, problem, None, primal, norm=bound))
    if best is None:
        return _certify_at_once(late, network, problem, scope)
    if not further or best.relative_gap <= tol:
        return best
    if sparse and problem.loss.slack_cost is not None:
        best = search_dual_points(
            best,
            network,
            problem,
            tol,
            lambda lam: bound_by(
                lam, problem, scope, primal, exact=True, deadline=deadline
            ),
            deadline,
        )
    if hard and scope is None and best.relative_gap > tol:
        best = _relax(best, network, problem, tol, deadline)
    return best


def _certify_at_once(
    duals: list[FloatArray],
    network: ReLUNetwork,
    problem: TrainingProblem,
    scope: BoolArray | None,
) -> Certificate:
    """Return the best certificate of some dual points, and the network's, at once."""
    if not problem.loss.is_constraint:
        outputs = network.predict(problem.X)
        duals = [*duals, -problem.loss.gradient(outputs, problem.y)]
    primal = problem.objective(network)
    return max(
        (
            bound_by(lam, problem, scope, primal, norm=spectral_bounds(problem.X, lam))
            for lam in duals
        ),
        key=lambda found: found.lower_bound,
    )


def _share(deadline: Deadline, share: float) -> Deadline:
    """Return a deadline after a share of the time that is left, if there is any."""
    return deadline if deadline.passed else deadline.part(share)


def _better(best: Certificate | None, found: Certificate) -> Certificate:
    """Return the certificate of the larger bound, the first of equal ones."""
    return found if best is None or found.lower_bound > best.lower_bound else best


def _relax(
    best: Certificate,
    network: ReLUNetwork,
    problem: TrainingProblem,
    tol: float,
    deadline: Deadline,
) -> Certificate:
    """Improve a certificate by dual points of the relaxed training problem."""
    chosen, value, idle = None, best.lower_bound, 0
    points = relaxed_dual_points(problem, network, best.dual, deadline)
    for point in itertools.islice(points, _ROUNDS):
        idle += 1
        if point.value > value:
            if point.value - value > _LITTLE * min(best.primal - value, abs(value)):
                idle = 0
            chosen, value = point, point.value
        if idle >= _PATIENCE or value >= best.primal * (1.0 - tol):
            break
    if chosen is None:
        return best
    bound = bound_from_rules(problem.X, chosen.dual, chosen.rules)
    return _better(best, bound_by(chosen.dual, problem, None, best.primal, norm=bound))


def _dual_points(
    network: ReLUNetwork, problem: TrainingProblem
) -> Iterator[FloatArray]:
    """Yield dual points in the order of what they cost; there is one in any case."""
    if not problem.loss.is_constraint:
        yield -problem.loss.gradient(network.predict(problem.X), problem.y)
    if problem.loss.slack_cost is not None:
        trained = margin_program(network, problem)
        if trained is not None:
            yield trained[1]
    if problem.loss.is_constraint:
        yield problem.y.copy()
