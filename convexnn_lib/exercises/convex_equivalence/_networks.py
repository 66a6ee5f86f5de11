"""Networks, their objectives and their optimal values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates.certify import certify
from convexnn_lib.exercises.answers import (
    agrees,
    agrees_coarsely,
    as_fractions,
    as_list,
    as_network,
    as_number,
)
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve

__all__ = [
    "logistic_value",
    "neuron",
    "not_convex",
    "one_sample",
    "orthonormal_network",
    "orthonormal_problem",
    "patients_network",
    "prune_function",
]


@exercise
def neuron(w1: Any, w2: Any) -> Feedback:
    """Check the neuron of least penalty that belongs to the vector u = (3, 4).

    Parameters
    ----------
    w1 : (2,) array
        First-layer weights, to four digits or better.
    w2 : float
        Second-layer weight, positive.

    Returns
    -------
    Feedback
        With the penalty as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.neuron([3.0, 4.0], 1.0)
    Not yet: the product is right, but the penalty 13 can be lowered
    """
    first, second = as_list(w1, 2, "w1"), as_number(w2, "w2")
    if second <= 0:
        return wrong("w2 has to be positive")
    penalty = (float(first @ first) + second**2) / 2
    root = np.sqrt(5.0)
    pairs = list(zip([*first, second], [3 / root, 4 / root, root], strict=True))
    if all(agrees(value, truth, 4) for value, truth in pairs):
        return right(
            "the penalty is the norm of u, and none is smaller since (a² + b²)/2 >= ab",
            certificate=penalty,
        )
    if all(
        agrees(value, truth, 4) or agrees_coarsely(value, truth, 4)
        for value, truth in pairs
    ):
        return wrong("right, but rounded too much: give four digits")
    if not np.allclose(second * first, [3.0, 4.0], rtol=1e-3, atol=0.0):
        return wrong("w2 w1 is not (3, 4)", certificate=second * first)
    return wrong(
        f"the product is right, but the penalty {penalty:.6g} can be lowered",
        certificate=penalty,
    )


@exercise
def not_convex(first: Any, second: Any) -> Feedback:
    """Check two points that show that the toy's objective is not convex.

    The objective is (1 - max(u, 0) a)^2 + (u^2 + a^2)/2.

    Parameters
    ----------
    first, second : (2,) array
        Two points (u, a).

    Returns
    -------
    Feedback
        With the objective at the midpoint and the mean at the ends as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.not_convex([0.0, 0.0], [1.0, 1.0])
    Not yet: at the midpoint the objective is 0.8125, the mean at the ends 1
    """
    ends = []
    for answer, name in ((first, "first"), (second, "second")):
        floats, exact = as_fractions(answer, name)
        as_list(floats, 2, name)
        ends.append(exact)
    middle = _toy(*(sum(pair, Fraction(0)) / 2 for pair in zip(*ends, strict=True)))
    mean = (_toy(*ends[0]) + _toy(*ends[1])) / 2
    shown, other = f"{float(middle):.6g}", f"{float(mean):.6g}"
    message = f"at the midpoint the objective is {shown}, the mean at the ends {other}"
    if shown == other and middle != mean:
        excess = float(abs(middle - mean))
        message += f", which is {'less' if middle > mean else 'more'} by {excess:.1e}"
    judge = right if middle > mean else wrong
    return judge(message, certificate=(float(middle), float(mean)))


def _toy(u: Fraction, a: Fraction) -> Fraction:
    """Return the toy's objective, without rounding."""
    return (1 - max(u, Fraction(0)) * a) ** 2 + (u**2 + a**2) / 2


@exercise
def one_sample(function: Any) -> Feedback:
    """Check the optimal value for the sample (3, 4) with the label 1.5.

    Parameters
    ----------
    function : callable
        Takes beta > 0 and returns the optimal value for the loss ½(z − y)².

    Returns
    -------
    Feedback
        With a beta for which the function fails as certificate, if there is one.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.one_sample(lambda beta: 1.125)
    Not yet: at beta = 0.01 the value 1.125 is above a network's objective
    """
    return _judge_values(
        function,
        lambda beta: TrainingProblem([[3.0, 4.0]], [1.5], beta),
        (0.01, 0.5, 2.0, 6.0, 7.4, 8.0, 20.0),
    )


@exercise
def logistic_value(function: Any) -> Feedback:
    """Check the optimal value of logistic training on the unit vectors in the plane.

    Parameters
    ----------
    function : callable
        Takes beta > 0 and returns the optimal value for X = I and y = (1, -1).

    Returns
    -------
    Feedback
        With a beta for which the function fails as certificate, if there is one.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.logistic_value(lambda beta: 0.0)
    Not yet: at beta = 0.1 the value 0 is below a certified lower bound
    """
    return _judge_values(
        function,
        lambda beta: TrainingProblem(np.eye(2), [1.0, -1.0], beta, "logistic"),
        (0.1, 0.3, 0.45, 0.55, 2.0),
    )


@exercise
def orthonormal_network(W1: Any, w2: Any = None) -> Feedback:
    """Check the smallest optimal network for X = I, y = (3, 4, -2) and beta = 1.

    Parameters
    ----------
    W1 : (3, m) array, or ReLUNetwork
        First layer, one neuron a column, or the network.
    w2 : (m,) array
        Second layer.

    Returns
    -------
    Feedback
        With the network's certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.orthonormal_network([[1.0], [1.0], [0.0]], [1.0])
    Not yet: the objective exceeds the optimum by up to 4
    """
    network, problem = as_network(W1, w2, d=3), orthonormal_problem()
    certificate = certify(network, problem, dual=solve(problem).dual)
    if certificate.relative_gap > 1e-6:
        return wrong(
            f"the objective exceeds the optimum by up to {certificate.gap:.3g}",
            certificate=certificate,
        )
    # the optimal outputs have both signs, so one neuron cannot be enough
    if _nonzero(network) > 2:
        return wrong("it is optimal, but has more neurons than needed", certificate)
    return right("optimal, with as few neurons as possible", certificate=certificate)


@exercise
def prune_function(function: Any) -> Feedback:
    """Check a function that removes neurons as in the proof of the width bound.

    Parameters
    ----------
    function : callable
        Takes X, W1 (d, m), w2 (m,) and returns W1, w2 of a network with at most n
        neurons, the same outputs on X, and no larger penalty.

    Returns
    -------
    Feedback
        With the data on which the function fails as certificate, if there are any.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.prune_function(lambda X, W1, w2: (W1, w2))
    Not yet: 12 neurons are left for 4 samples
    """

    def fault(answer: Any, X: Any, W1: Any, w2: Any) -> str | None:
        network = ReLUNetwork(W1, w2)
        small = as_network(answer, d=network.d)
        if small.width > len(X):
            return f"{small.width} neurons are left for {len(X)} samples"
        error = np.max(np.abs(small.predict(X) - network.predict(X)))
        if error > 1e-7:
            return f"the outputs change by {error:.3g}"
        if small.penalty() > network.penalty() * (1 + 1e-9):
            return (
                f"the penalty grows from {network.penalty():.6g} to "
                f"{small.penalty():.6g}"
            )
        return None

    return try_function(
        function,
        [(X, network.W1, network.w2) for X, network in _wide_networks()],
        fault,
        "at most n neurons, the same outputs, no larger penalty, in {count} cases",
    )


def _wide_networks() -> Iterator[tuple[FloatArray, ReLUNetwork]]:
    """Yield data and networks: balanced or not, some with zeros, or with few neurons.

    If a network is balanced, its penalty cannot be lowered by balancing: nothing hides
    that removing neurons has raised it.
    """
    rng = np.random.default_rng(1)
    shapes = [(4, 2, 12), (6, 3, 30), (5, 3, 5), (8, 2, 40), (1, 1, 3), (3, 3, 2)]
    for n, d, m in [*shapes, *[(4, 2, 12)] * 20]:
        X = rng.standard_normal((n, d))
        W1, w2 = rng.standard_normal((d, m)), rng.standard_normal(m)
        yield X, ReLUNetwork(W1, w2)
        yield X, ReLUNetwork(W1, w2).balanced()
    W1[:, 3], w2[3] = 0.0, 0.0
    yield X, ReLUNetwork(W1, w2).balanced()
    W1[:, 5], w2[7] = 0.0, 0.0
    yield X, ReLUNetwork(W1, w2)


@exercise
def patients_network(W1: Any, w2: Any = None) -> Feedback:
    """Check a network that is optimal for the 60 patients within 0.01 percent.

    The problem is that of the section on the width: ``X, y = datasets.load("diabetes",
    features=["bmi", "bp", "s5"], n_samples=60, ones=True)`` with the squared loss and
    beta = 4.

    Parameters
    ----------
    W1 : (4, m) array, or ReLUNetwork
        First layer, one neuron a column, or the network. At most four neurons.
    w2 : (m,) array
        Second layer.

    Returns
    -------
    Feedback
        With the network's certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.convex_equivalence.patients_network([[0.0]] * 4, [0.0])
    Not yet: the objective may exceed the optimum by 91 percent
    """
    network = as_network(W1, w2, d=4)
    if _nonzero(network) > 4:
        return wrong(f"four neurons are enough, these are {_nonzero(network)}")
    X, y = datasets.load(
        "diabetes", features=["bmi", "bp", "s5"], n_samples=60, ones=True
    )
    problem = TrainingProblem(X, y, 4.0)
    certificate = certify(network, problem, dual=solve(problem).dual)
    excess = certificate.primal / certificate.lower_bound - 1
    if excess > 1e-4:
        return wrong(
            f"the objective may exceed the optimum by {100 * excess:.3g} percent",
            certificate=certificate,
        )
    return right(
        "no network of any width is better by more than 0.01 percent",
        certificate=certificate,
    )


def orthonormal_problem() -> TrainingProblem:
    """Return the problem with orthonormal samples and three labels."""
    return TrainingProblem(np.eye(3), [3.0, 4.0, -2.0], 1.0)


def _judge_values(
    function: Any,
    problem: Callable[[float], TrainingProblem],
    betas: tuple[float, ...],
) -> Feedback:
    """Compare a function of beta with certified optima."""

    def fault(answer: Any, beta: float) -> str | None:
        value = as_number(answer)
        certificate = solve(problem(beta)).certificate
        slack = 2e-6 * max(1.0, certificate.primal)
        for excess, text in [
            (value - certificate.primal, "above a network's objective"),
            (certificate.lower_bound - value, "below a certified lower bound"),
        ]:
            if excess > slack:
                return f"at beta = {beta:g} the value {value:.6g} is {text}"
        return None

    return try_function(
        function,
        [(beta,) for beta in betas],
        fault,
        "it lies between certified bounds at {count} values of beta",
    )


def _nonzero(network: ReLUNetwork) -> int:
    """Return the number of neurons that are zero in neither layer."""
    return int(np.count_nonzero(network.W1.any(axis=0) & (network.w2 != 0.0)))
