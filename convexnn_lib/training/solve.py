"""Globally optimal training of two-layer ReLU networks, with a certificate."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from tqdm import tqdm

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    BoolArray,
    FloatArray,
    PatternsLike,
    check_callable,
    check_features,
    check_integer,
    check_number,
    check_unused,
)
from convexnn_lib.certificates._few_threads import one_thread
from convexnn_lib.certificates._scope import patterns_in_scope
from convexnn_lib.certificates.certificate import (
    Certificate,
    in_users_units,
)
from convexnn_lib.errors import (
    GapWarning,
    InvalidDataError,
    RegularizationError,
    SolverError,
)
from convexnn_lib.problem._arguments import check_network, check_problem
from convexnn_lib.problem._units import Units, units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._column_generation import Round
from convexnn_lib.training._methods import METHODS, Options
from convexnn_lib.training._several_outputs import solve_several_outputs
from convexnn_lib.training._tolerances import ON_A_WALL
from convexnn_lib.typing import SolveMethod

__all__ = ["Solution", "SolveOptions", "solve"]


_MAX_ROUNDS = 200


class SolveOptions(TypedDict, total=False):
    """Keyword arguments of :func:`solve`, for functions that hand them on."""

    patterns: PatternsLike | None
    method: SolveMethod
    tol: float
    progress: bool
    max_rounds: int | None
    time_limit: float
    start: ReLUNetwork | None
    callback: Callable[[Round], None] | None


@dataclass(frozen=True, eq=False, repr=False)
class Solution(ReadOnlyArrays):
    r"""A global optimum of a training problem, with its certificate.

    Attributes
    ----------
    network : convexnn_lib.ReLUNetwork
        An optimal network: balanced, neurons merged over common faces, and features on
        X linearly independent, hence at most n neurons (n + 2 where a time limit on the
        hard margin of thousands of samples came first). They are sorted: those of
        positive sign first, then by the coordinates of their directions.
    patterns : (p, n) array of bool
        The activation patterns optimized over; with ``method="active_set"`` over all
        patterns, those in the working set at the end.
    u, u_prime : (p, d) arrays, or (p, d, c) for c outputs
        The same optimum in the variables of the convex program: row i belongs to
        pattern i, ``u`` to neurons with positive second-layer weight. With several
        outputs ``u`` holds the sums of :math:`w_{1,k}w_{2,k}^T`, and ``u_prime`` is 0.
    certificate : convexnn_lib.Certificate
        The certificate of ``network``, computed apart from the solver. Without given
        patterns it is for all of them.
    problem : convexnn_lib.TrainingProblem
        The problem.
    reason : str
        Why the solver stopped: ``"converged"``, or the limit that it met.
    restricted : convexnn_lib.Certificate or None
        Where there were too many patterns to search, the certificate over those that
        the solver chose: among their networks this one is optimal, while
        ``certificate`` bounds what all others may gain. None if all were searched.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem, solve
    >>> solution = solve(TrainingProblem([[1.0]], [1.0], beta=0.5))
    >>> round(solution.value, 9), solution.network.width, solution.dual.round(9)
    (0.375, 1, array([0.5]))
    """

    network: ReLUNetwork
    patterns: BoolArray
    u: FloatArray
    u_prime: FloatArray
    certificate: Certificate
    problem: TrainingProblem
    reason: str = "converged"
    restricted: Certificate | None = None

    @property
    def value(self) -> float:
        """The objective of the network."""
        return self.certificate.primal

    @property
    def dual(self) -> FloatArray:
        """The dual feasible point that gives the lower bound, an (n,) array."""
        return self.certificate.feasible_dual

    @property
    def gap(self) -> float:
        """The duality gap, ``value`` minus the lower bound."""
        return self.certificate.gap

    def in_users_units(self, problem: TrainingProblem, units: Units) -> Solution:
        """Return the solution of a problem in units of order one in the user's."""
        narrow = self.restricted
        return Solution(
            units.outward(self.network),
            self.patterns,
            self.u * units.coefficients,
            self.u_prime * units.coefficients,
            in_users_units(self.certificate, units),
            problem,
            self.reason,
            None if narrow is None else in_users_units(narrow, units),
        )

    def __repr__(self) -> str:
        """Return the value, its gap, the number of neurons and the scope."""
        return (
            f"Solution(value={self.value:.10g}, gap={self.gap:.3g}, "
            f"neurons={self.network.width}, scope={self.certificate.scope!r})"
        )


def solve(
    problem: TrainingProblem,
    patterns: PatternsLike | None = None,
    *,
    method: SolveMethod = "active_set",
    tol: float = 1e-6,
    progress: bool = False,
    max_rounds: int | None = None,
    time_limit: float = np.inf,
    start: ReLUNetwork | None = None,
    callback: Callable[[Round], None] | None = None,
) -> Solution:
    r"""Train a two-layer ReLU network to the global optimum.

    Solves the convex program

    .. math::

        \min_{u_i,u'_i\in K_i}\;\ell\Big(\sum_iD_iX(u_i-u'_i),\,y\Big)
        +\beta\sum_i\big(\|u_i\|_2+\|u'_i\|_2\big),
        \qquad K_i=\{u:(2D_i-I)Xu\ge0\},

    which has the value of the training problem for every width of at least its least
    number of nonzero groups [1]_. The network is certified apart from the solver.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The problem, with ``beta > 0``.
    patterns : (p, n) array of bool or Arrangement, optional
        The patterns to optimize over; the optimum is then that of the networks whose
        neurons lie in their closed cones. A pattern that no direction attains is
        harmless: its cone still is one on which the program is exact. By default, and
        for a complete arrangement of the same data, all patterns.
    method : str, default "active_set"
        ``"active_set"`` is column generation: a small working set of patterns, and the
        dual norm to tell which others are worth adding. It certifies the optimum over
        millions of patterns. Where these are too many to list, it chooses patterns by
        local search, trains to the optimum over those (``restricted``), and bounds the
        optimum over all of them by a relaxation, which leaves a gap. ``"cvxpy"`` solves
        one model over all patterns with CVXPY and Clarabel, the reference for up to a
        few thousand patterns.
    tol : float, default 1e-6
        The relative gap to certify. If it is not reached, a warning says so, and the
        certificate holds the gap.
    progress : bool, default False
        Whether to print the solver's progress: for ``"active_set"`` the best objective
        and the lower bound after each round.
    max_rounds : int, default 200
        The largest number of rounds of ``"active_set"``. Like ``start`` and
        ``callback``, ``"cvxpy"`` refuses it.
    time_limit : float, default inf
        Seconds after which a method ends, whatever it is about to do, up to a tenth and
        half a second; the compilation of kernels is not counted. Local training comes
        first then, so that there is a network at any time (but maybe none that meets
        the hard margin on more than 5,000 samples, or in the cones of given patterns,
        which is an error), and the certificate is the best one that there was time for.
        ``"cvxpy"`` has column generation find that network; CVXPY's own work on a model
        is not interrupted, and begins only where it is likely to end in time.
    start : convexnn_lib.ReLUNetwork, optional
        A network to start ``"active_set"`` from, say the optimum for another beta.
    callback : callable, optional
        Called by ``"active_set"`` after each pricing with a `convexnn_lib.Round`.

    Returns
    -------
    convexnn_lib.Solution
        The optimal network, the variables of the convex program and the certificate.

    Raises
    ------
    convexnn_lib.errors.RegularizationError
        If ``beta`` is 0.
    convexnn_lib.errors.InvalidDataError
        If the patterns have the wrong shape or type, the method is unknown, ``tol``,
        ``time_limit`` or ``max_rounds`` is not positive, the network to start from has
        another number of features, all rows of X are zero, the loss does not suit the
        method, or the method does not take an argument.
    convexnn_lib.errors.EnumerationTooLargeError
        If the method is ``"cvxpy"`` and there are too many activation patterns to list.
    convexnn_lib.errors.MissingExtraError
        If the method is ``"cvxpy"`` and CVXPY is not installed, which the extra
        ``cvxpy`` brings.
    convexnn_lib.errors.NotSeparableError
        If the loss is the hard margin and no network of the given patterns is feasible.
    convexnn_lib.errors.SolverError
        If the solver ended without a usable point, or the loss is the hard margin and
        whether networks meet it is undecided within rounding, or a limit came before
        any network that does.

    Warns
    -----
    convexnn_lib.errors.GapWarning
        If the relative gap ``tol`` was not reached; the message says why.

    Notes
    -----
    The dual point :math:`\lambda` of the program restricted to a working set is
    feasible for the whole dual once it is scaled until
    :math:`M(\lambda)=\max_{\|u\|\le1}|\lambda^T(Xu)_+|\le\beta`, and then bounds the
    optimum from below. The neurons on which :math:`M(\lambda)` exceeds beta bring the
    patterns that join the working set. The dual norm is the Hausdorff distance of two
    zonotopes, see :func:`convexnn_lib.dual_norm`.

    References
    ----------
    .. [1] Pilanci & Ergen (2020), `pilanci2020neural`.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem, solve
    >>> problem = TrainingProblem([[3, 3], [2, 2], [1, 0]], [1, -1, 1], beta=0.1)
    >>> solution = solve(problem)
    >>> round(solution.value, 7), bool(solution.certificate.relative_gap < 1e-8)
    (1.0874743, True)
    """
    check_problem(problem, several_outputs=True)
    if not isinstance(method, str) or method not in METHODS:
        raise InvalidDataError(
            f"unknown method {method!r}; choose one of {', '.join(map(repr, METHODS))}."
        )
    tol = check_number(tol, "tol", "(0, inf)")
    if problem.beta <= 0.0:
        raise RegularizationError(
            "the convex program needs beta > 0, got 0: without regularization its "
            "optimum need not exist, and it bounds no network."
        )
    scope = patterns_in_scope(problem.X, patterns)
    if not problem.X.any():
        raise InvalidDataError(
            f"X has rank 0: all its {problem.n} rows are zero, and so are the outputs "
            "of every network."
        )
    if method != "active_set":
        unused = {"max_rounds": max_rounds, "start": start, "callback": callback}
        check_unused(unused, f"for method={method!r}")
        check_problem(problem)  # of one output
    max_rounds = check_integer(
        _MAX_ROUNDS if max_rounds is None else max_rounds, "max_rounds", minimum=1
    )
    time_limit = check_number(time_limit, "time_limit", "(0, inf]")
    check_callable(callback, "callback")
    if start is not None:
        check_network(start, "start", several_outputs=True)
        check_features(start.d, problem.d)
        problem.objective(start)  # which says if the numbers of outputs differ
    units = units_of(problem)
    if start is not None:
        start = units.inward(start)
    reports = [] if callback is None else [_reporting(callback, units)]
    if progress and method == "active_set":
        tqdm.write(_HEADER)
        reports.append(_reporting(_print_round, units))
    options = Options(max_rounds, time_limit, start, reports, progress)
    # on matrices as small as these, threads of the linear algebra wait for each other
    with one_thread():
        train = METHODS[method] if problem.y.ndim == 1 else solve_several_outputs
        found = train(units.problem, scope, tol, options)
    if not np.isfinite(found.certificate.primal):
        more = "a network to start from" if scope is None else "give more patterns"
        raise SolverError(
            f"no network that meets the hard margin was found within {found.reason}; "
            f"take a higher limit, or {more}."
        )
    solution = Solution(
        found.network,
        found.patterns,
        *_groups(found.network, units.problem.X, found.patterns),
        found.certificate,
        units.problem,
        found.reason,
        found.restricted,
    )
    solution = solution.in_users_units(problem, units)
    if not solution.certificate.relative_gap <= tol:
        warnings.warn(
            f"the certified relative gap {solution.certificate.relative_gap:.2g} "
            f"exceeds tol = {tol:.2g}; the certificate holds the gap. "
            + _advice(solution, tol),
            GapWarning,
            stacklevel=2,
        )
    return solution


def _advice(solution: Solution, tol: float) -> str:
    """Return why the gap is open and what helps; units of X and y as such do not."""
    narrow = solution.restricted
    if narrow is not None and narrow.relative_gap <= tol:
        return (
            f"Over the {narrow.scope.replace('given', 'chosen')} the network is "
            f"optimal to {max(narrow.relative_gap, 0.0):.1g}; all patterns are too "
            "many to list, so that their dual norm is only bounded."
        )
    X, reason = solution.problem.X, solution.reason
    met = "" if reason == "converged" else f"The solver met {reason}. "
    sizes = np.abs(X).max(axis=0)
    present = np.flatnonzero(sizes)
    shortest = present[int(np.argmin(sizes[present]))]
    ratios = sizes / sizes[shortest]
    longest_first = np.argsort(-ratios, kind="stable")
    long = [f"{k}" for k in longest_first if ratios[k] >= _UNEVEN]
    if not long:
        return met.rstrip() or "Raise tol."
    more = f" and {len(long) - 5} more" if len(long) > 5 else ""
    columns = f"column{'s' if len(long) > 1 else ''} {', '.join(long[:5])}{more}"
    return (
        f"{met}The entries of {columns} are up to {ratios.max():.0e} times those of "
        f"column {shortest}: divide each column by its size (the penalty then is one "
        "on other weights), or raise tol."
    )


def _reporting(
    callback: Callable[[Round], None], units: Units
) -> Callable[[Round], None]:
    """Return what tells a callback of rounds, in the user's units."""

    def report(state: Round) -> None:
        callback(
            state._replace(
                value=state.value * units.objective,
                lower_bound=state.lower_bound * units.objective,
                network=units.outward(state.network),
            )
        )

    return report


_UNEVEN = 1e3  # ratio of columns' lengths from which they are worth a word


_HEADER = "round  seconds  pairs  neurons        objective      lower bound  gap"


def _print_round(state: Round) -> None:
    """Print one line of progress."""
    tqdm.write(
        f"{state.number:5d} {state.seconds:8.2f} {state.pairs:6d} "
        f"{state.network.width:8d} {state.value:16.9g} {state.lower_bound:16.9g}  "
        f"{state.relative_gap:.1e}",
    )


def _groups(
    network: ReLUNetwork, X: FloatArray, patterns: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return the network in the variables of the convex program.

    A neuron goes to the first pattern in whose closed cone it lies up to rounding, else
    to the one whose cone it violates least: the tolerance with which neurons on common
    faces were merged may put it off every cone by as much.
    """
    u = np.zeros((len(patterns), X.shape[1], *network.w2.shape[1:]))
    u_prime = np.zeros_like(u)
    lengths = np.linalg.norm(X, axis=1)
    walls = X / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    packed = np.packbits(patterns, axis=1)
    for w1, w2 in zip(network.W1.T, network.w2, strict=True):
        products = walls @ w1
        off = np.packbits(np.abs(products) > ON_A_WALL * float(np.linalg.norm(w1)))
        outside = np.any((packed ^ np.packbits(products > 0.0)) & off, axis=1)
        chosen = int(np.argmin(outside))
        if outside[chosen]:
            depths = np.min(np.where(patterns, products, -products), axis=1)
            chosen = int(np.argmax(depths))
        if network.w2.ndim == 2:
            u[chosen] += np.outer(w1, w2)
        else:
            (u if w2 > 0.0 else u_prime)[chosen] += abs(w2) * w1
    return u, u_prime
