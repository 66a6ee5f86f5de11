"""Dual points and the bounds that they prove."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates.dual_norm import beta_max, dual_norm
from convexnn_lib.exercises.answers import agrees, agrees_coarsely, as_list, as_number
from convexnn_lib.exercises.convex_equivalence._networks import orthonormal_problem
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.problem.losses import Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve

__all__ = [
    "blind_spot",
    "dual_point",
    "false_bound",
    "largest_beta",
    "lower_bound_function",
]


@exercise
def largest_beta(beta: Any) -> Feedback:
    """Check from which beta on the zero network is optimal for the talk's samples.

    Parameters
    ----------
    beta : float
        The least such beta for the loss ½‖z − y‖² and y = (1, -1, 1), to four
        significant digits or better.

    Returns
    -------
    Feedback
        With the direction of the first neuron that pays below this beta as
        certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.largest_beta(1.0)
    Not yet: at this beta some neuron lowers the objective of the zero network
    """
    value = as_number(beta)
    X, y = datasets.talk_example()
    truth = beta_max(TrainingProblem(X, y, 1.0))
    if agrees(value, truth, 4):
        return right(
            "it is the dual norm of y, attained by the certificate",
            certificate=dual_norm(X, y)[1],
        )
    if agrees_coarsely(value, truth, 4):
        return wrong("close: if this is rounded, give four digits")
    if value < truth:
        return wrong(
            "at this beta some neuron lowers the objective of the zero network"
        )
    return wrong("the zero network is optimal for smaller beta as well")


@exercise
def dual_point(lam: Any) -> Feedback:
    """Check a dual point that proves the optimum for X = I, y = (3, 4, -2), beta = 1.

    Parameters
    ----------
    lam : (3,) array
        The dual point.

    Returns
    -------
    Feedback
        With the lower bound that it proves, as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.dual_point([1.0, 0.0, 0.0])
    Not yet: this point proves the lower bound 2.5, but there is a better one
    """
    problem = orthonormal_problem()
    lam = as_list(lam, 3, "lam")
    norm, _ = dual_norm(problem.X, lam)
    if norm > problem.beta * (1 + 1e-9):
        return wrong(
            f"M(lambda) = {norm:.10g} exceeds beta, so nothing is proved",
            certificate=norm,
        )
    bound = problem.dual_objective(lam)
    if bound < solve(problem).value * (1 - 1e-6):
        hint = ""
        if problem.dual_objective(-lam) > max(bound, 0.0):
            hint = (
                "; -lambda would prove more: is your sign that of minus the gradient?"
            )
        return wrong(
            f"this point proves the lower bound {bound:.6g}, but there is a better one"
            + hint,
            certificate=bound,
        )
    return right(
        f"M(lambda) <= beta, and it proves the bound {bound:.9g}, which a network "
        "attains",
        certificate=bound,
    )


@exercise
def false_bound(lam: Any) -> Feedback:
    """Check a dual point of the toy whose dual objective exceeds the optimum.

    The loss is (1 - z)^2, X = 1, y = 1 and beta = 1.

    Parameters
    ----------
    lam : float
        A number with a dual objective above the optimal value.

    Returns
    -------
    Feedback
        With the dual objective, the dual norm, and the bound after scaling as
        certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.false_bound(0.5)
    Not yet: the dual objective 0.4375 does not exceed the optimum
    """
    X, y = datasets.toy()
    toy = TrainingProblem(X, y, 1.0, Squared(scale=2.0))
    point = np.array([as_number(lam)])
    value, norm = toy.dual_objective(point) + 0.0, dual_norm(X, point)[0]
    if value <= 0.75 * (1 + 1e-9):
        return wrong(
            f"the dual objective {value:.10g} does not exceed the optimum",
            certificate=value,
        )
    scaled = toy.dual_objective(point * min(1.0, toy.beta / norm))
    return right(
        f"{value:.10g} is no bound, since M(lambda) = {norm:.10g} exceeds beta; "
        f"scaled, the point proves {scaled:.6g}",
        certificate=(value, norm, scaled),
    )


@exercise
def blind_spot(lam: Any) -> Feedback:
    """Check a multiplier that no neuron sees, for the corners of the cube.

    Parameters
    ----------
    lam : callable or (8,) array
        The entry that belongs to a corner x, as a function of x, a (3,) array of signs;
        or all entries, for the corners in the order of `itertools.product`.

    Returns
    -------
    Feedback
        With the dual norm as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.blind_spot([1, 0, 0, 0, 0, 0, 0, 0])
    Not yet: M(lambda) = 1.73205, so some neuron sees it
    """
    X = _cube()
    entries = [as_number(lam(x)) for x in X] if callable(lam) else lam
    point = as_list(entries, 8, "lambda")
    size = float(np.max(np.abs(point)))
    if size == 0.0:
        return wrong("lambda is zero; M(0) = 0 is no news")
    norm = dual_norm(X, point)[0]
    if norm > 1e-9 * size:
        return wrong(f"M(lambda) = {norm:.6g}, so some neuron sees it", norm)
    return right("no neuron's feature has a product with it other than 0", norm)


@exercise
def lower_bound_function(function: Any) -> Feedback:
    """Check a function that bounds the optimum from below, given any network.

    It is tried with optimal networks, networks near them, random ones and the zero
    network, for labels of all signs, for a beta at which the zero network is optimal,
    for so many patterns that random directions miss the best one, and for a
    multiplier whose dual norm is 0.

    Parameters
    ----------
    function : callable
        Takes X, y, beta, W1, w2 and returns a lower bound on the optimal value for
        the loss ½‖z − y‖², which is the optimal value if the network is optimal.

    Returns
    -------
    Feedback
        With the problem and the network on which the function fails as certificate, if
        there are any.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.lower_bound_function(lambda *problem: 0.0)
    Not yet: for an optimal network the bound is not the optimal value
    """
    cases = {case.key: case for case in _cases()}

    def fault(answer: Any, *arguments: Any) -> str | None:
        case = cases[_key(*arguments)]
        bound, slack = as_number(answer), 1e-6 * case.value
        if bound > case.value + slack:
            return (
                f"it returns {bound:.6g}, but a network has the objective "
                f"{case.value:.6g}: no bound on all networks"
            )
        if bound > case.most + slack:
            return (
                "it returns more than any multiple of the network's own lambda can "
                "prove: is M(lambda) taken over all patterns and both signs?"
            )
        optimal = case.problem.objective(case.network) <= case.value + slack
        if optimal and bound < case.value - 10 * slack:
            return "for an optimal network the bound is not the optimal value"
        return None

    return try_function(
        function,
        [case.arguments for case in cases.values()],
        fault,
        "never above the optimum, and equal to it for optimal networks",
    )


class _Case(NamedTuple):
    """A problem, a network to certify, the optimal value, and the largest bound."""

    problem: TrainingProblem
    network: ReLUNetwork
    value: float
    most: float  # what a multiple of the network's own lambda can prove

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the reader's function is called with."""
        problem, network = self.problem, self.network
        return problem.X, problem.y, problem.beta, network.W1, network.w2

    @property
    def key(self) -> bytes:
        """What tells the case from the others."""
        return _key(*self.arguments)


def _key(*arguments: Any) -> bytes:
    """Return the bytes of all numbers."""
    return b"".join(np.asarray(argument).tobytes() for argument in arguments)


@cache
def _cases() -> tuple[_Case, ...]:
    """Return networks that are optimal, nearly so, far from it, and zero."""
    rng = np.random.default_rng(0)
    cases = []
    shapes = [(6, 2, 0.1), (8, 3, 0.5), (6, 2, 50.0), (10, 5, 0.1)]
    data = [(*datasets.gaussian(n, d, seed=n), beta) for n, d, beta in shapes]
    data += [(X, -y, beta) for X, y, beta in data[:2]]
    data += [(np.eye(2), np.array([-3.0, -1.0]), 0.1)]
    # one of 1024 patterns is the best, and few directions come near its neuron
    data += [(np.eye(10), np.linspace(1.0, 2.0, 10), 0.1)]
    for X, y, beta in data:
        problem = TrainingProblem(X, y, beta)
        best = solve(problem)
        d, m = best.network.W1.shape
        noise = 1e-3 * rng.standard_normal((d, m))
        networks = [best.network, ReLUNetwork(np.zeros((d, 1)), np.zeros(1))]
        networks += [ReLUNetwork(best.network.W1 + noise, best.network.w2)]
        networks += [
            ReLUNetwork(rng.standard_normal((d, m)), rng.standard_normal(m))
            for m in (1, 10)
        ]
        cases += [_case(problem, network, best.value) for network in networks]
    # the product of three signs, whose dual norm is 0: the zero network is optimal
    X = _cube()
    problem = TrainingProblem(X, X.prod(axis=1), 0.1)
    cases += [_case(problem, ReLUNetwork(np.zeros((3, 1)), np.zeros(1)), 4.0)]
    return tuple(cases)


def _cube() -> FloatArray:
    """Return the eight corners of the cube."""
    return np.array(list(itertools.product([-1.0, 1.0], repeat=3)))


def _case(problem: TrainingProblem, network: ReLUNetwork, value: float) -> _Case:
    """Return a case, with the largest bound that a multiple of its lambda proves."""
    lam = problem.y - network.predict(problem.X)
    norm, _ = dual_norm(problem.X, lam)
    size = float(lam @ lam)
    if size == 0.0:
        return _Case(problem, network, value, 0.0)
    limit = np.inf if norm == 0.0 else problem.beta / norm
    t = float(np.clip(problem.y @ lam / size, -limit, limit))
    most = t * float(problem.y @ lam) - 0.5 * t**2 * size
    return _Case(problem, network, value, most)
