"""Dual points and the bounds that they prove."""

from __future__ import annotations

from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import as_vector
from convexnn_lib.certificates.dual_norm import beta_max, dual_norm
from convexnn_lib.exercises.answers import as_number
from convexnn_lib.exercises.convex_equivalence._networks import orthonormal_problem
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.problem.losses import Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve

__all__ = ["dual_point", "false_bound", "largest_beta", "lower_bound_function"]


@exercise
def largest_beta(beta: Any) -> Feedback:
    """Check from which beta on the zero network is optimal for the talk's samples.

    Parameters
    ----------
    beta : float
        The least such beta for the loss ½‖z − y‖² and y = (1, -1, 1), to five
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
    if value < truth * (1 - 2e-5):
        return wrong(
            "at this beta some neuron lowers the objective of the zero network"
        )
    if value > truth * (1 + 2e-5):
        return wrong("the zero network is optimal for smaller beta as well")
    return right(
        "it is the dual norm of y, attained by the certificate",
        certificate=dual_norm(X, y)[1],
    )


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
    lam = as_vector(lam, 3, "lam")
    norm, _ = dual_norm(problem.X, lam)
    if norm > problem.beta * (1 + 1e-9):
        return wrong(
            f"M(lambda) = {norm:.6g} exceeds beta, so nothing is proved",
            certificate=norm,
        )
    bound = problem.dual_objective(lam)
    if bound < solve(problem).value * (1 - 1e-6):
        return wrong(
            f"this point proves the lower bound {bound:.6g}, but there is a better one",
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
    value, norm = toy.dual_objective(point), dual_norm(X, point)[0]
    if value <= solve(toy).value * (1 + 1e-9):
        return wrong(
            f"the dual objective {value:.6g} does not exceed the optimum",
            certificate=value,
        )
    scaled = toy.dual_objective(point * min(1.0, toy.beta / norm))
    return right(
        f"{value:.6g} is no bound, since M(lambda) = {norm:.6g} exceeds beta; scaled, "
        f"the point proves {scaled:.6g}",
        certificate=(value, norm, scaled),
    )


@exercise
def lower_bound_function(function: Any) -> Feedback:
    """Check a function that bounds the optimum from below, given any network.

    Parameters
    ----------
    function : callable
        Takes X, y, beta, W1, w2 and returns a lower bound on the optimal value for
        the loss ½‖z − y‖², which is the optimal value if the network is optimal.

    Returns
    -------
    Feedback
        With the problem on which the function fails as certificate, if there is one.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.lower_bound_function(lambda *problem: 0.0)
    Not yet: for an optimal network the bound is not the optimal value
    """
    if not callable(function):
        return wrong("pass the function itself")
    rng = np.random.default_rng(0)
    cases = [(6, 2, 0.1), (8, 3, 0.5), (6, 2, 50.0)]
    for n, d, beta in cases:
        X, y = datasets.gaussian(n, d, seed=n)
        problem = TrainingProblem(X, y, beta)
        best = solve(problem)
        networks = [best.network] + [
            ReLUNetwork(rng.standard_normal((d, m)), rng.standard_normal(m))
            for m in (1, 3, 10)
        ]
        for network in networks:
            answer = function(X.copy(), y.copy(), beta, network.W1, network.w2)
            bound = as_number(answer)
            slack = 1e-6 * best.value
            if bound > best.value + slack:
                return wrong(
                    f"the bound {bound:.6g} exceeds the objective of a network",
                    certificate=problem,
                )
            if network is best.network and bound < best.value - 10 * slack:
                return wrong(
                    "for an optimal network the bound is not the optimal value",
                    certificate=problem,
                )
    return right("never above the optimum, and equal to it for optimal networks")
