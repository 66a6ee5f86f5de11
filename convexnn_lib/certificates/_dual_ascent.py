r"""A lower bound on the optimum without patterns: the training problem, relaxed.

The bound N of ``_relaxation.py`` on the dual norm is a convex function of the dual
point, hence

.. math:: \max_\lambda\;-\ell^*(-\lambda,y)\quad\text{s.t.}\quad N(\pm\lambda)\le\beta

is a convex program whose value is below that of the training problem, for every loss.
N is the largest product of :math:`\lambda` with a *relaxed feature*, a vector that
stands for the outputs :math:`(Xu)_+` of a unit neuron. So the program is solved like
the training problem itself, by column generation: the sizes of the features found so
far are trained, which gives a dual point, and its best relaxed features join. A dual
point halfway to the best one so far is tried, so that the steps do not jump about.

Each dual point is a lower bound by itself, once it is scaled by a rigorous bound on its
dual norm. So nothing depends on how well anything was solved here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from convexnn_lib._deadline import NEVER, Deadline, TimeUp
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._few_threads import few_threads
from convexnn_lib.certificates._margin_program import feature_sizes
from convexnn_lib.certificates._pricing import Scaled
from convexnn_lib.certificates._relaxation import relaxed_outputs, sign_rules
from convexnn_lib.certificates._sign_rules import SignRule, sign_rule_bound
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["RelaxedPoint", "relaxed_dual_points"]

_ITERATIONS = 500  # of the program over the features


class RelaxedPoint(NamedTuple):
    """A dual point and what bounds its dual norm.

    Attributes
    ----------
    dual : (n,) array
        The dual point.
    norm : float
        A bound on its dual norm, not yet with all rounding errors.
    rules : mapping of float to SignRule
        What proves it, for each sign.
    value : float
        The lower bound that it gives.
    """

    dual: FloatArray
    norm: float
    rules: Mapping[float, SignRule]
    value: float


class _Known(NamedTuple):
    """A rule for one sign, and the samples that it is about."""

    rule: SignRule
    plus: npt.NDArray[np.intp]
    minus: npt.NDArray[np.intp]


def relaxed_dual_points(
    problem: TrainingProblem,
    network: ReLUNetwork,
    dual: FloatArray,
    deadline: Deadline = NEVER,
) -> Iterator[RelaxedPoint]:
    """Yield dual points whose lower bounds tend to the value of the relaxation.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The problem.
    network : convexnn_lib.ReLUNetwork
        A network, whose neurons are the first features.
    dual : (n,) array
        The dual point to start from.
    deadline : Deadline, optional
        When to stop.

    Yields
    ------
    RelaxedPoint
        The point of each step, better or not.
    """
    with few_threads(problem.X.size):
        size = np.linalg.norm(network.W1, axis=0)
        used = (size > 0.0) & (network.w2 != 0.0)
        units = network.W1[:, used] / size[used]
        features = np.maximum(problem.X @ units, 0.0) * np.sign(network.w2[used])
        known: dict[float, _Known] = {}
        best: RelaxedPoint | None = None
        while not deadline.passed:
            try:
                point, new, known = _examine(problem, dual, known, deadline)
            except TimeUp:
                return
            yield point
            if best is None or point.value > best.value:
                best = point
            features = np.hstack([features, new])
            following = _trained(problem, features, deadline)
            if following is None:
                return
            scale = problem.loss.best_scale(
                best.dual, problem.y, problem.beta / best.norm if best.norm else np.inf
            )
            dual = 0.5 * (scale * best.dual + following)


def _examine(
    problem: TrainingProblem,
    dual: FloatArray,
    known: Mapping[float, _Known],
    deadline: Deadline,
) -> tuple[RelaxedPoint, FloatArray, dict[float, _Known]]:
    """Bound the dual norm of a point, and return the features that attain the bound."""
    scaled = Scaled(problem.X, dual)
    norm, features = 0.0, []
    latest: dict[float, _Known] = {}
    for sign, plus, minus in scaled.sides():
        rows = np.flatnonzero(scaled.live & (sign * dual > 0.0))
        others = np.flatnonzero(scaled.live & (sign * dual < 0.0))
        start = _carried(known[sign], rows, others) if sign in known else None
        found = [
            (sign_rule_bound(plus, minus, rule), rule)
            for rule in sign_rules(plus, minus, start=start, deadline=deadline)
        ]
        if not found:
            raise TimeUp
        bound, rule = min(found, key=lambda pair: pair[0])
        norm = max(norm, scaled.unit * (bound + scaled.rounding))
        latest[sign] = _Known(rule, rows, others)
        feature = np.zeros(problem.n)
        feature[rows], feature[others] = relaxed_outputs(plus, minus, rule)
        weight = np.where(feature != 0.0, np.abs(dual), 1.0)
        features.append(sign * scaled.unit * feature / weight)
    limit = problem.beta / norm if norm > 0.0 else np.inf
    scale = problem.loss.best_scale(dual, problem.y, limit)
    value = problem.dual_objective(scale * dual) if np.isfinite(scale) else np.inf
    rules = {sign: entry.rule for sign, entry in latest.items()}
    columns = np.array(features).T.reshape(problem.n, -1)
    return RelaxedPoint(dual, norm, rules, value), columns, latest


def _carried(
    known: _Known, plus: npt.NDArray[np.intp], minus: npt.NDArray[np.intp]
) -> SignRule | None:
    """Return a rule for other samples, as far as they are the same ones."""
    columns = known.plus[known.rule.columns]
    kept = np.isin(columns, plus)
    if not kept.any():
        return None
    rule = np.zeros((len(minus), 1 + int(kept.sum())))
    same = np.isin(minus, known.minus)
    rows = np.searchsorted(known.minus, minus[same])
    rule[same] = known.rule.rule[rows][:, np.r_[True, kept]]
    return SignRule(np.searchsorted(plus, columns[kept]), rule, np.ones(1 + len(plus)))


def _trained(
    problem: TrainingProblem, features: FloatArray, deadline: Deadline
) -> FloatArray | None:
    """Return the dual point of the program over the sizes of features."""
    loss, y = problem.loss, problem.y
    if loss.slack_cost is not None:
        found = feature_sizes(y[:, None] * features, problem, deadline)
        return None if found is None else found[1]
    lengths = np.linalg.norm(features, axis=0)
    units = features / np.where(lengths > 0.0, lengths, 1.0)
    costs = problem.beta / np.where(lengths > 0.0, lengths, 1.0)

    def objective(sizes: FloatArray) -> tuple[float, FloatArray]:
        outputs = units @ sizes
        gradient = units.T @ loss.gradient(outputs, y) + costs
        return loss.value(outputs, y) + float(costs @ sizes), gradient

    found = minimize(
        objective,
        np.zeros(len(costs)),
        jac=True,
        bounds=[(0.0, None)] * len(costs),
        method="L-BFGS-B",
        options={"maxiter": _ITERATIONS, "ftol": 1e-12, "gtol": 1e-10},
    )
    return loss.project_dual(-loss.gradient(units @ found.x, y), y)
