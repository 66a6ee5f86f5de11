"""Self-checks of the exercises beyond the talk."""

from __future__ import annotations

from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.beyond.deep_linear import deep_linear_values
from convexnn_lib.beyond.flow_limit import flow_limit
from convexnn_lib.beyond.parallel_network import ParallelNetwork
from convexnn_lib.beyond.planted_recovery import planted_recovery
from convexnn_lib.beyond.sharpness import sharpness
from convexnn_lib.beyond.three_layer import solve_parallel
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.exercises._dual_points import ROUNDED, excess
from convexnn_lib.exercises._trap import trapped_share
from convexnn_lib.exercises.answers import (
    agrees,
    agrees_coarsely,
    as_list,
    as_matrix,
    as_network,
    as_number,
    as_numbers,
)
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.flow.margin import max_margin
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve

__all__ = [
    "balance_step",
    "copies_factor",
    "depth_gain",
    "linear_dual",
    "no_gap",
    "not_cheapest",
    "recovery_dual",
    "too_sharp",
    "trap_probability",
    "trapped_start",
]

_BETA = 0.1  # of the comparison of two and three layers


@exercise
def copies_factor(factor: Any) -> Feedback:
    """Check the factor by which nine copies of a hidden neuron change the path norm.

    Parameters
    ----------
    factor : float
        The path norm of the branch with nine copies, divided by that with one neuron.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the two path norms.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.beyond_the_talk.copies_factor(9.0)
    Not yet: the path norms are in another ratio; write down the product of each path
    """
    value = as_number(factor, "the factor")
    one = ParallelNetwork([[[3.0], [4.0]]], [[1.0]], [1.0])
    nine = ParallelNetwork([np.repeat([[3.0], [4.0]], 9, 1)], [np.full(9, 1 / 9)], [1])
    norms = one.path_norm(), nine.path_norm()
    ratio = norms[1] / norms[0]
    if agrees_coarsely(value, ratio, 4):
        return wrong("right as far as it goes: pass four digits, or a fraction")
    if not agrees(value, ratio, 4):
        return wrong(
            "the path norms are in another ratio; write down the product of each path"
        )
    return right("nine equal parts have the same outputs and that path norm", norms)


@exercise
def too_sharp(u: Any, a: Any) -> Feedback:
    r"""Check a minimizer of the toy that steps of 0.5 reach exactly or not at all.

    Parameters
    ----------
    u, a : float
        The weights, with :math:`ua=1` and :math:`u>0`.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the sharpness.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.beyond_the_talk.too_sharp(1.0, 1.0)
    Not yet: its sharpness allows steps of 0.5
    """
    u, a = as_number(u, "u"), as_number(a, "a")
    if u <= 0.0 or abs(u * a - 1.0) > ROUNDED:
        return wrong(
            "this is not a minimizer with u > 0: the product must be 1 (to six digits)"
        )
    a = 1.0 / u
    value = sharpness(ReLUNetwork([[u]], [a]), TrainingProblem([[1.0]], [1.0], 0.0))
    if value <= 4.0:
        return wrong("its sharpness allows steps of 0.5", value)
    return right("its sharpness exceeds 2/h, and nearby residuals grow", value)


@exercise
def no_gap(beta: Any) -> Feedback:
    """Check the least beta without a gap for the target diag(3, 2, 0) of rank two.

    Parameters
    ----------
    beta : float
        The least regularization strength for which one linear network of depth 3 has no
        duality gap.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the values at the answer and below it.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.beyond_the_talk.no_gap(1.0)
    Not yet: at this beta there is a gap
    """
    value = as_number(beta, "beta")
    if value <= 0.0:
        return wrong("beta must be positive")
    Y = np.diag([3.0, 2.0, 0.0])
    here = deep_linear_values(Y, value)
    below = deep_linear_values(Y, 0.9999 * value)
    if deep_linear_values(Y, 1.0001 * value).gap > 1e-9:
        return wrong("at this beta there is a gap", here)
    if below.gap <= 1e-9:
        return wrong("there is no gap, but a smaller beta has none either", below)
    return right("no gap from here on, and one just below", (here, below))


@exercise
def linear_dual(point: Any) -> Feedback:
    r"""Check a dual optimum for deep linear networks with the target diag(2, 1).

    Parameters
    ----------
    point : (2, 2) array
        The dual point :math:`\Lambda` for :math:`\beta=\frac12` and the squared loss.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the lower bound that the point proves.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.beyond_the_talk.linear_dual([[1.0, 0.0], [0.0, 1.0]])
    Not yet: the largest singular value is 1, above beta
    """
    Lam = as_numbers(point, "the dual point")
    if Lam.shape != (2, 2):
        return wrong(
            f"the dual point is a matrix of two rows and columns, not of shape "
            f"{Lam.shape}; write down all four entries"
        )
    Y = np.diag([2.0, 1.0])
    norm = float(np.linalg.norm(Lam, 2))
    if norm > 0.5 * (1.0 + ROUNDED):
        return wrong(f"the largest singular value is {norm:.6g}, above beta", norm)
    bound = float(np.sum(Lam * Y) - 0.5 * np.sum(Lam**2))
    optimum = deep_linear_values(Y, 0.5)
    if bound < optimum.dual * (1.0 - ROUNDED):
        return wrong("feasible, but a better bound exists", bound)
    return right(f"feasible, and parallel networks attain its bound {bound:.6g}", bound)


@exercise
def recovery_dual(lam: Any) -> Feedback:
    r"""Check a dual point that certifies a planted neuron on five samples.

    Parameters
    ----------
    lam : (5,) array
        A :math:`\lambda` with :math:`M(\lambda)\le1` and :math:`\lambda^Ty=1` for the
        samples of the exercise and :math:`w=(1,0)`.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the dual norm.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.beyond_the_talk.recovery_dual([1.0, 0.0, 0.0, 0.0, 0.0])
    Not yet: the dual norm is 1.11803, above 1: the point is not dual feasible
    """
    X = np.array([[1.0, 0.5], [1.0, -0.5], [0.5, 1.0], [-1.0, 0.4], [-0.6, -1.0]])
    point = as_list(lam, len(X), "lambda")
    norm = dual_norm_bounds(X, point).upper
    if norm > 1.0 + ROUNDED:
        return wrong(f"the dual norm is {excess(norm)}", norm)
    value = float(point @ np.maximum(X[:, 0], 0.0))
    if value < 1.0 - ROUNDED:
        return wrong(
            f"it is feasible, and only proves that networks cost at least {value:.8g}",
            norm,
        )
    return right("no network with these outputs costs less than the planted one", norm)


@exercise
def balance_step(function: Any) -> Feedback:
    r"""Check a function for the change of the balance in one step.

    Parameters
    ----------
    function : callable
        ``function(w1, w2, v, h)`` returns :math:`\Delta^+-\Delta` for the step
        :math:`w_1^+=w_1+hw_2v`, :math:`w_2^+=w_2+hv^Tw_1`.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement; if it is wrong, with an input on which the function fails.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.beyond_the_talk.balance_step(lambda w1, w2, v, h: 0.0)
    Not yet: wrong for w1 = [0. 0.], w2 = 1.0, v = [1. 0.], h = 0.5
    """
    rng = np.random.default_rng(0)
    inputs = [(np.zeros(2), 1.0, np.array([1.0, 0.0]), 0.5)]
    for d in (1, 2, 5):
        w1, v = rng.standard_normal((2, d))
        inputs.append((w1, float(rng.standard_normal()), v, float(rng.random())))

    def fault(
        answer: Any, w1: FloatArray, w2: float, v: FloatArray, h: float
    ) -> str | None:
        new1, new2 = w1 + h * w2 * v, w2 + h * float(v @ w1)
        change = float(new1 @ new1 - new2**2 - w1 @ w1 + w2**2)
        value = as_number(answer, "a value of the function")
        if abs(value - change) <= 1e-9 * (1.0 + abs(change)):
            return None
        return (
            f"wrong for w1 = {w1.round(3)}, w2 = {round(w2, 3)}, v = {v.round(3)}, "
            f"h = {round(h, 3)}"
        )

    return try_function(
        function, inputs, fault, "it agrees with the step on {count} inputs"
    )


@exercise
def not_cheapest(X: Any) -> Feedback:
    """Check data on which a planted neuron spans and is not the cheapest network.

    Parameters
    ----------
    X : (n, 2) array
        At most six samples, at least two independent ones with positive first entry,
        and none with first entry zero. The planted neuron is (1, 0).

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the recovery's bounds.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.beyond_the_talk.not_cheapest([[1.0, 0.5], [1.0, -0.5]])
    Not yet: no network with these outputs is cheaper than the planted neuron
    """
    samples = as_matrix(X)
    if samples.shape[1] != 2 or len(samples) > 6:
        return wrong(f"give at most six samples in the plane, not {samples.shape}")
    if np.any(samples[:, 0] == 0.0):
        return wrong("a sample has a tie with the planted neuron")
    active = samples[samples[:, 0] > 0.0]
    if len(active) < 2 or np.linalg.matrix_rank(active) < 2:
        return wrong("the samples that activate the planted neuron do not span R^2")
    result = planted_recovery(samples, [1.0, 0.0])
    if result.cheapest:
        return wrong(
            "no network with these outputs is cheaper than the planted neuron", result
        )
    if result.cheapest is None:
        return wrong(
            "the costs differ by less than 1e-7: move a sample a little", result
        )
    return right(
        f"a network of {result.network.width} neurons is cheaper by "
        f"{1.0 - result.upper:.2g}",
        result,
    )


@exercise
def trap_probability(function: Any) -> Feedback:
    r"""Check a function for the probability of the trap, with any share of positives.

    Parameters
    ----------
    function : callable
        ``function(m, degrees, share)`` returns the probability that no neuron with
        :math:`w_2>0` is active on both samples, and each sample has one, if
        :math:`w_2>0` has the probability ``share``.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement; if it is wrong, with an input on which the function fails.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.beyond_the_talk.trap_probability(lambda m, degrees, share: 0.5)
    Not yet: wrong for m = 1, degrees = 100.0, share = 0.5
    """
    cases = [
        (1, 100.0, 0.5),
        (2, 100.0, 0.5),
        (7, 110.0, 0.5),
        (3, 95.0, 1.0),
        (12, 105.0, 0.2),
    ]

    def fault(answer: Any, m: int, degrees: float, share: float) -> str | None:
        value = as_number(answer, "a value of the function")
        if abs(value - trapped_share(m, degrees, share)) <= 1e-9:
            return None
        return f"wrong for m = {m}, degrees = {degrees}, share = {share}"

    return try_function(
        function, cases, fault, "it agrees with a count over all neurons one by one"
    )


@exercise
def trapped_start(W1: Any, w2: Any = None) -> Feedback:
    """Check a start from which the flow misses the optimum of three samples.

    Parameters
    ----------
    W1 : (3, m) array, or network
        First-layer weights, a neuron in each column, for the samples (1, 0, 0),
        (-0.3, 1, 0) and (-0.3, -0.3, 1), all with label 1.
    w2 : (m,) array
        Second-layer weights, with ``|w2| >= |w1|`` for each neuron.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the KKT point at which the flow ends.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.beyond_the_talk.trapped_start([[1.0], [1.0], [1.0]], [2.0])
    Not yet: the flow ends within one percent of the best cost
    """
    start = as_network(W1, w2, d=3)
    if start.width == 0 or start.width > 50:
        return wrong("W1 must have three rows and from 1 to 50 columns")
    lengths = np.linalg.norm(start.W1, axis=0)
    if np.any(np.abs(start.w2) < lengths * (1.0 - ROUNDED)) or not np.all(start.w2):
        return wrong("a neuron has |w2| < |w1|, so that its sign may change")
    X = np.array([[1.0, 0.0, 0.0], [-0.3, 1.0, 0.0], [-0.3, -0.3, 1.0]])
    problem = TrainingProblem(X, np.ones(3), 0.0, "logistic")
    history = gradient_flow(
        problem,
        initial=start,
        method="rescaled_runge_kutta",
        t_max=200.0,
        stop_log_loss=-1000.0,
        n_records=2,
        tolerance=1e-3,
    )
    if history.loss[-1, 0] >= np.log(2.0):
        return wrong("the flow does not separate the samples by the time 200")
    limit = flow_limit(history.network(0), max_margin(X, problem.y))
    if limit.cost <= 1.01 * limit.best:
        return wrong("the flow ends within one percent of the best cost", limit)
    if limit.kind == "undecided":
        return wrong("no KKT point was found near the end of the flow", limit)
    return right(
        f"it ends at a KKT point of cost {limit.cost:.4f}; the best is "
        f"{limit.best:.4f}",
        limit,
    )


@exercise
def depth_gain(X: Any, y: Any) -> Feedback:
    r"""Check data on which a third layer gains more than copies do.

    Parameters
    ----------
    X : (n, 2) array
        Three or four samples in the plane, other than the chapter's.
    y : (n,) array
        Real labels.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the certified optimum of three layers.

    Examples
    --------
    >>> from convexnn_lib import datasets, exercises
    >>> exercises.beyond_the_talk.depth_gain(*datasets.xor())
    Not yet: the optimum of three layers is no more than 3 percent lower
    """
    samples = as_matrix(X)
    labels = as_list(y, len(samples), "y")
    if samples.shape[1] != 2 or not 3 <= len(samples) <= 4:
        return wrong(f"give three or four samples in the plane, not {samples.shape}")
    if not samples.any() or not labels.any():
        return wrong("all samples or all labels are zero")
    chapter = datasets.gaussian(4, 2, seed=8)[0]
    if samples.shape == chapter.shape and np.allclose(samples, chapter, atol=1e-3):
        return wrong("these are the chapter's samples: find others")
    deep = solve_parallel(samples, labels, _BETA)
    shallow = solve(TrainingProblem(samples, labels, _BETA / np.sqrt(2.0)))
    if deep.value >= 0.97 * shallow.certificate.lower_bound:
        return wrong(
            "the optimum of three layers is no more than 3 percent lower", deep
        )
    gain = 1.0 - deep.value / shallow.certificate.lower_bound
    return right(f"depth gains {100 * gain:.1f} percent, both sides certified", deep)
