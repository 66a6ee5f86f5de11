"""Every public door reads arrays in one way: nothing is misread without a word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from convexnn_lib import (
    Arrangement,
    ConvexReLUClassifier,
    ConvexReLURegressor,
    ParallelNetwork,
    ReLUNetwork,
    TrainingProblem,
    certify,
    certify_margin,
    characteristic_polynomial,
    classify_stationary,
    count_patterns,
    deep_linear_values,
    directional_derivative,
    dual_bound,
    dual_norm,
    enumerate_patterns,
    gradient_flow,
    hull_gauge,
    is_orthogonally_separable,
    is_spike_free,
    kkt_residual,
    linear_margin,
    max_cut,
    max_cut_data,
    max_margin,
    normalized_margin,
    orthogonal_margin,
    output_norm,
    planted_recovery,
    sample_patterns,
    sample_spikes,
    smoothed_margin,
    solution_path,
    solve_gated,
    solve_parallel,
    train_deep_linear,
    train_parallel,
    zonotope_distance,
)
from convexnn_lib.errors import ConvexNNError

X = np.array([[1.0, 2.0], [-1.0, 1.0], [2.0, -1.0], [0.5, 1.0]])
y = np.array([1.0, -1.0, 1.0, -1.0])
NET = ReLUNetwork([[1.0, -1.0], [0.5, 1.0]], [1.0, -1.0])
PROBLEM = TrainingProblem(X, y, 0.1)
EDGES = [(0, 1), (1, 2), (0, 2)]
ALL = [[True] * 4]

# a right value of an argument, and what is called with it or with a wrong one
DOORS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "Arrangement": (X, lambda v: Arrangement(v, ALL, [[1.0, 1.0]])),
    "Arrangement witnesses": ([[1.0, 1.0]], lambda v: Arrangement(X, ALL, v)),
    "ReLUNetwork": (NET.W1, lambda v: ReLUNetwork(v, NET.w2)),
    "ReLUNetwork w2": (NET.w2, lambda v: ReLUNetwork(NET.W1, v)),
    "predict": (X, NET.predict),
    "patterns": (X, NET.patterns),
    "merged": (X, NET.merged),
    "pruned": (X, NET.pruned),
    "split": ([0.5, 0.5], lambda v: NET.split(0, v)),
    "from_convex": ([[1.0, 2.0]], lambda v: ReLUNetwork.from_convex(v, [[1.0, 2.0]])),
    "from_convex u'": ([[1.0, 2.0]], lambda v: ReLUNetwork.from_convex([[1.0, 2]], v)),
    "TrainingProblem": (X, lambda v: TrainingProblem(v, y, 0.1)),
    "TrainingProblem y": (y, lambda v: TrainingProblem(X, v, 0.1)),
    "sample_weight": (y**2, lambda v: TrainingProblem(X, y, 0.1, sample_weight=v)),
    "dual_objective": (y, PROBLEM.dual_objective),
    "convex_objective": (
        [[1.0, 2.0]],
        lambda v: PROBLEM.convex_objective(ALL, v, [[1.0, 2.0]]),
    ),
    "certify": (y, lambda v: certify(NET, PROBLEM, dual=v)),
    "certify_margin": (X, lambda v: certify_margin(NET, v, y)),
    "certify_margin y": (y, lambda v: certify_margin(NET, X, v)),
    "normalized_margin": (X, lambda v: normalized_margin(NET, v, y)),
    "smoothed_margin y": (y, lambda v: smoothed_margin(NET, X, v)),
    "characteristic_polynomial": (X, characteristic_polynomial),
    "count_patterns": (X, count_patterns),
    "classify_stationary": (y, lambda v: classify_stationary(NET, PROBLEM, dual=v)),
    "deep_linear_values": (X, lambda v: deep_linear_values(v, 0.1)),
    "train_deep_linear": (X, lambda v: train_deep_linear(v, 0.1, seed=0, n_steps=2)),
    "direction": (NET.W1, lambda v: directional_derivative(NET, PROBLEM, (v, NET.w2))),
    "direction w2": (
        NET.w2,
        lambda v: directional_derivative(NET, PROBLEM, (NET.W1, v)),
    ),
    "dual_bound": (X, lambda v: dual_bound(v, y)),
    "dual_bound lam": (y, lambda v: dual_bound(X, v)),
    "dual_norm": (X, lambda v: dual_norm(v, y)),
    "dual_norm lam": (y, lambda v: dual_norm(X, v)),
    "enumerate_patterns": (X, enumerate_patterns),
    "sample_patterns": (X, lambda v: sample_patterns(v, 3, seed=0)),
    "hull_gauge": (X, lambda v: hull_gauge(v, y)),
    "hull_gauge z": (y, lambda v: hull_gauge(X, v)),
    "is_orthogonally_separable": (X, lambda v: is_orthogonally_separable(v, y)),
    "is_spike_free": (X, is_spike_free),
    "sample_spikes": (X, sample_spikes),
    "kkt_residual": (X, lambda v: kkt_residual(NET, v, y)),
    "linear_margin y": (y, lambda v: linear_margin(X, v)),
    "max_cut": ([1.0, 2.0, 1.0], lambda v: max_cut(EDGES, v)),
    "max_cut_data": ([1.0, 2.0, 1.0], lambda v: max_cut_data(EDGES, v)),
    "max_margin": (X, lambda v: max_margin(v, y)),
    "orthogonal_margin": (X, lambda v: orthogonal_margin(v, y)),
    "output_norm": (X, lambda v: output_norm(v, X)),
    "output_norm lam": (X, lambda v: output_norm(X, v)),
    "planted_recovery": (X, lambda v: planted_recovery(v, [1.0, 0.0])),
    "planted_recovery w": ([1.0, 0.0], lambda v: planted_recovery(X, v)),
    "solution_path": ([0.1, 0.2], lambda v: solution_path(PROBLEM, v)),
    "solve_gated": (X, lambda v: solve_gated(PROBLEM, v)),
    "solve_parallel": (X[:2], lambda v: solve_parallel(v, y[:2], 0.1)),
    "train_parallel y": (
        y,
        lambda v: train_parallel(X, v, 0.1, branches=1, seed=0, n_steps=1),
    ),
    "zonotope_distance lam": (y, lambda v: zonotope_distance(X, v)),
    "record_times": (
        [0.1, 0.2],
        lambda v: gradient_flow(PROBLEM, 2, seed=0, n_steps=3, record_times=v),
    ),
    "ParallelNetwork": (
        np.ones((1, 2, 2)),
        lambda v: ParallelNetwork(v, np.ones((1, 2)), np.ones(1)),
    ),
}
FITTED = ConvexReLURegressor().fit(X, y)
ESTIMATORS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "regressor": (X, lambda v: ConvexReLURegressor().fit(v, y)),
    "regressor y": (y, lambda v: ConvexReLURegressor().fit(X, v)),
    "regressor predict": (X, FITTED.predict),
    "regressor score": (X, lambda v: FITTED.score(v, y)),
    "regressor weights": (y**2, lambda v: ConvexReLURegressor().fit(X, y, v)),
    "classifier": (X, lambda v: ConvexReLUClassifier().fit(v, y)),
    "classifier weights": (y**2, lambda v: ConvexReLUClassifier().fit(X, y, v)),
}


def misread(right: Any) -> Iterator[tuple[str, Any]]:
    """Yield arrays of the right shape that a plain conversion would misread."""
    right = np.array(right, dtype=np.float64)
    masked = np.ma.masked_array(right, mask=np.zeros(right.shape, bool))
    masked.mask.flat[0] = True
    yield "masked", masked
    digits = right.astype(np.longdouble)
    digits.flat[0] += np.longdouble(1) / 3
    if digits.flat[0] != float(digits.flat[0]):  # where it is longer than double
        yield "longdouble", digits
    yield "dates", np.full(right.shape, np.datetime64("2020-01-01"))
    yield "complex", right + 0j
    yield "text", right.astype(str)
    third = right.astype(object)
    third.flat[0] = Fraction(1, 3)
    yield "a third", third
    large = right.astype(object)
    large.flat[0] = 2**53 + 1
    yield "a large integer", large
    nan = right.copy()
    nan.flat[0] = np.nan
    yield "nan", nan
    if right.ndim == 2:
        yield "sparse", sparse.csr_matrix(right)


@pytest.mark.parametrize("door", DOORS)
def test_doors_refuse_what_they_would_misread(door: str) -> None:
    right, call = DOORS[door]
    for _, value in misread(right):
        with pytest.raises(ConvexNNError):
            call(value)


@pytest.mark.parametrize("door", ESTIMATORS)
def test_estimators_refuse_what_they_would_misread(door: str) -> None:
    """With an error of this library, or where scikit-learn has one, with that."""
    right, call = ESTIMATORS[door]
    call(right)
    for kind, value in misread(right):
        own = kind not in ("complex", "sparse", "nan")
        with pytest.raises(ConvexNNError if own else (ValueError, TypeError)):
            call(value)


def test_a_classifier_reads_classes_of_any_kind_but_no_mask() -> None:
    days = np.array(["2020-01-01", "2021-01-01"] * 2, dtype="datetime64[D]")
    for classes in (["a", "b", "a", "b"], days.astype(str)):
        assert set(ConvexReLUClassifier().fit(X, classes).classes_) == set(classes)
    masked = np.ma.masked_array(y, mask=[True, False, False, False])
    with pytest.raises(ConvexNNError, match="1 masked entries"):
        ConvexReLUClassifier().fit(X, masked)
