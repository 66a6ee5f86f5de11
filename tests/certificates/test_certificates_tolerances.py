"""What a certificate allows for, on either side of it."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from reference import random_problem

from convexnn_lib import (
    ExtremeNeuron,
    Squared,
    TrainingProblem,
    certify,
    dual_bound,
    dual_norm,
    output_norm,
    solve,
)
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates import _conic
from convexnn_lib.certificates import dual_norm as module
from convexnn_lib.certificates._branch_and_bound import branch_and_bound
from convexnn_lib.certificates._face_bound import face_bound
from convexnn_lib.certificates._one_line import one_line_bound
from convexnn_lib.certificates._tolerances import (
    ONE_LINE,
    OUTPUT_NORM_ACCURACY,
    RELAXATION_MARGIN,
)
from convexnn_lib.certificates.certificate import _largest_scale, bound_by
from convexnn_lib.certificates.dual_norm import DualNorm, dual_norm_bounds
from convexnn_lib.errors import NotSeparableError, SolverError

EPS = float(np.finfo(np.float64).eps)


def with_gap(monkeypatch: pytest.MonkeyPatch, size: float, gap: float) -> None:
    neuron = ExtremeNeuron(np.array([1.0, 0.0]), 1.0)
    monkeypatch.setattr(
        module, "dual_norm_bounds", lambda X, lam: DualNorm(size - gap, size, neuron)
    )


def test_dual_norm_accuracy(monkeypatch: pytest.MonkeyPatch) -> None:
    X, lam = np.eye(2), np.array([1.0, 1.0])
    with_gap(monkeypatch, 1.0, 0.9e-9)
    assert dual_norm(X, lam)[0] < 1.0
    with_gap(monkeypatch, 1.0, 1.2e-9)
    with pytest.raises(SolverError, match="the dual norm lies between"):
        dual_norm(X, lam)


def test_dual_norm_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where large terms cancel, no more is promised than their rounding admits."""
    X, lam = np.eye(2), np.array([1e6, 1e6])
    with_gap(monkeypatch, 1.0, 1e-9 + 1.5e-6)
    assert dual_norm(X, lam)[0] < 1.0
    with_gap(monkeypatch, 1.0, 1e-9 + 2.5e-6)
    with pytest.raises(SolverError, match="did not close the gap"):
        dual_norm(X, lam)


@pytest.mark.parametrize("seed", range(5))
def test_lower_bound_ulps(seed: int) -> None:
    """The bound is below the dual objective in exact numbers, and not far below."""
    problem = random_problem(seed, 8, 3, Squared())
    lam = problem.y + np.random.default_rng(seed).standard_normal(8)
    lam *= np.sign(lam @ problem.y)
    certificate = bound_by(lam, problem, None, np.inf)
    exact = sum(
        Fraction(a) * Fraction(b) - Fraction(a) ** 2 / 2
        for a, b in zip(certificate.feasible_dual, problem.y, strict=True)
    )
    terms = abs(float(exact)) + 2 * np.abs(certificate.feasible_dual * problem.y).sum()
    off = float(exact - Fraction(certificate.lower_bound))
    assert 8 * EPS * terms < off < 2 * (8 + 8) * EPS * terms


def test_what_is_changed_does_not_verify() -> None:
    problem = random_problem(1, 6, 2, Squared())
    network = solve(problem).network
    certificate = certify(network, problem)
    assert certificate.verify(network, problem)
    value = problem.dual_objective(certificate.feasible_dual)
    for wrong in (
        {"lower_bound": float(np.nextafter(value, np.inf))},
        {"scale": certificate.scale * (1.0 + 1e-9)},
        {"primal": certificate.primal * (1.0 + 1e-11)},
    ):
        changed = dataclasses.replace(certificate, **wrong)
        assert not changed.verify(network, problem), wrong


def test_relaxation_margin() -> None:
    """A rule proves the bound with room for another order of summation, and no more."""
    rng = np.random.default_rng(3)
    X, lam = rng.standard_normal((40, 30)), rng.standard_normal(40)
    found = dual_bound(X, lam)
    assert found.verify(X, lam)
    lower = dataclasses.replace(found, upper=found.upper * (1.0 - 0.9e-11))
    assert lower.verify(X, lam)
    wrong = dataclasses.replace(found, upper=found.upper * (1.0 - 1.1e-11))
    assert not wrong.verify(X, lam)


def test_tied_values() -> None:
    """Of neurons of both signs the positive one is named, up to this difference."""
    for excess, sign in ((0.9e-12, 1.0), (1.1e-12, -1.0)):
        lam = np.array([1.0, -1.0 - excess])
        assert dual_norm_bounds(np.eye(2), lam).neuron.sign == sign
        assert dual_bound(np.eye(2), lam).neuron.sign == sign


def test_tied_rounding() -> None:
    """Where a thousand terms cancel, a smaller difference is rounding."""
    X = np.vstack([np.tile(np.eye(1, 3), (1000, 1)), np.eye(3)[1:]])
    for excess, sign in ((0.9e-10, 1.0), (1.1e-10, -1.0)):
        lam = np.repeat([1.0, -1.0, 1e-9, -1e-9 - excess], [500, 500, 1, 1])
        assert dual_norm_bounds(X, lam).neuron.sign == sign
    # of two terms the sum is known much better
    lam = np.array([1e-14, -1.1e-14])
    assert dual_norm_bounds(np.eye(2), lam).neuron.sign == -1.0


def test_tied_coordinates() -> None:
    """Of u and -u the first coordinate decides, if it is clear."""
    for first, named in ((0.4e-6, -0.4e-6), (0.6e-6, 0.6e-6)):
        X = np.array([[first, -1.0], [-first, 1.0]])
        for found in (dual_norm_bounds(X, np.ones(2)), dual_bound(X, np.ones(2))):
            assert found.neuron.direction[0] == pytest.approx(named, rel=1e-6)


class Shifted(Squared):
    """A squared loss whose conjugate is too small, so that bounds are too large."""

    shift = 0.0

    def conjugate(self, lam: np.ndarray, y: np.ndarray) -> float:
        return super().conjugate(lam, y) - self.shift


def test_contradiction(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lower bound above an objective is no certificate, but an error."""
    problem = random_problem(2, 8, 2, Shifted(), 0.3)
    best = solve(problem)
    for excess in (0.3e-6, 3e-6, 1.0):
        monkeypatch.setattr(Shifted, "shift", excess * best.value + best.gap)
        if excess < 1e-6:
            assert certify(best.network, problem, dual=best.dual).gap < 0.0
        else:
            with pytest.raises(SolverError, match="do not belong together"):
                certify(best.network, problem, dual=best.dual)
    with pytest.raises(SolverError, match="do not belong together"):
        solve(problem)


def test_the_scale_keeps_a_dual_point_feasible() -> None:
    """In exact numbers scale * M(lambda) is at most beta, and hardly less."""
    rng = np.random.default_rng(0)
    for beta, norm in rng.uniform(0.1, 10.0, (300, 2)):
        scale = _largest_scale(beta, norm)
        assert Fraction(scale) * Fraction(norm) <= Fraction(beta)
        assert scale > beta / norm * (1.0 - 1e-15)


@pytest.mark.parametrize("seed", range(6))
def test_cones_are_divided_down_to_rounding(seed: int) -> None:
    """Without a tolerance the search ends where differences are rounding errors."""
    rng = np.random.default_rng(seed)
    plus, minus = rng.standard_normal((8, 3)), rng.standard_normal((7, 3))
    found = branch_and_bound(plus, minus, relative_gap=0.0, max_nodes=200_000)
    assert found.nodes < 200_000
    sizes = np.linalg.norm(np.vstack([plus, minus]), axis=1).sum()
    assert 0.0 <= found.upper - found.lower <= 4.0 * 16 * EPS * sizes


@pytest.mark.parametrize(("below", "found"), [(0.5, False), (2.0, True)])
@pytest.mark.parametrize("seed", [0, 1, 2, 5])
def test_what_is_better_by_rounding_errors_is_not_looked_for(
    seed: int, below: float, found: bool
) -> None:
    """A bound known before is improved where it is worse by more than these."""
    rng = np.random.default_rng(seed)
    plus, minus = rng.standard_normal((8, 3)), rng.standard_normal((7, 3))
    best = branch_and_bound(plus, minus, relative_gap=0.0).lower
    sizes = np.linalg.norm(np.vstack([plus, minus]), axis=1).sum()
    start = best - below * 16 * EPS * sizes
    bounds = branch_and_bound(plus, minus, relative_gap=0.0, start=start)
    assert bounds.direction.any() == found
    assert start <= bounds.lower <= bounds.upper
    assert bounds.upper >= best


@pytest.mark.parametrize(("change", "same"), [(0.9e-12, True), (1.1e-12, False)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_same_objective(change: float, same: bool, sign: float) -> None:
    problem = random_problem(1, 6, 2, Squared())
    network = solve(problem).network
    certificate = certify(network, problem)
    primal = certificate.primal * (1.0 + sign * change)
    changed = dataclasses.replace(certificate, primal=primal)
    assert changed.verify(network, problem) is same


@pytest.mark.parametrize(("mean", "error"), [(0.9e-8, NotSeparableError), (2e-8, None)])
def test_no_margin(mean: float, error: type[Exception] | None) -> None:
    """Both multipliers are 1/2, and the mean of the two rows has this length."""
    X = np.array([[1.0, mean], [-1.0, mean]])
    program = SimpleNamespace(
        problem=TrainingProblem(X, [1.0, 1.0], 1.0, "hard_margin"),
        groups=[_conic.Group(X, np.zeros((0, 2)))],
        unit=1.0,
    )
    with pytest.raises(error or SolverError) as found:
        _conic._Model._refuse(program, np.array([3.0, 3.0]), "said so")
    assert isinstance(found.value, NotSeparableError) is (error is not None)


def test_output_norm_accuracy() -> None:
    """Cones of directions are bisected until the bounds are so close, and no longer."""
    rng = np.random.default_rng(0)
    X, lam = rng.standard_normal((8, 2)), rng.standard_normal((8, 2))
    norm = output_norm(X, lam)
    assert 0.0 < norm.relative_gap <= OUTPUT_NORM_ACCURACY + 2.0 * RELAXATION_MARGIN
    rough = output_norm(X, lam, gap=100.0 * OUTPUT_NORM_ACCURACY)
    assert rough.evaluations < norm.evaluations


def test_face_rounding() -> None:
    """A bound over faces exceeds what is attained, and by little."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        X, lam = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))
        values = []
        bound = face_bound(
            X,
            lam,
            enumerate_patterns(X).patterns,
            0.0,
            lambda u, X=X, lam=lam, values=values: values.append(
                float(np.linalg.norm(lam.T @ np.maximum(X @ u, 0.0)))
            ),
        )
        terms = float(np.linalg.norm(X, axis=1) @ np.linalg.norm(lam, axis=1))
        excess = (bound - max(values)) / terms
        assert 5e-12 < excess < 2e-11


@pytest.mark.parametrize(("factor", "taken"), [(0.3, True), (3.0, False)])
def test_one_line(factor: float, taken: bool) -> None:
    """Generators off a line by more than rounding are not taken to be on it."""
    plus = np.array([[1.0, 0.0], [0.5, 0.0]])
    minus = np.array([[0.5, 2.0 * factor * ONE_LINE]])
    assert (one_line_bound(plus, minus) is not None) == taken
