"""The solver that stands in for Clarabel in a browser, against Clarabel."""

from __future__ import annotations

import sys

import clarabel
import numpy as np
import pytest
from scipy import sparse

from convexnn_lib import TrainingProblem, datasets, enumerate_patterns, solve
from convexnn_lib.certificates import _conic, _interior_point
from convexnn_lib.certificates._cone_product import ConeProduct, Scaling
from convexnn_lib.errors import NotSeparableError


def random_program(seed):
    """A program with an optimum: data and the counts of its cones."""
    random = np.random.default_rng(seed)
    n, zeros, rays = random.integers([3, 0, 2], [12, 3, 9])
    balls = [int(k) for k in random.integers(1, 5, size=random.integers(1, 4))]
    kinds = [("zero", int(zeros))] * bool(zeros) + [("nonnegative", int(rays))]
    kinds += [("second-order", k) for k in balls]
    m = zeros + rays + sum(balls)

    def inside(free):
        parts = [free * random.standard_normal(zeros), random.random(rays)]
        for k in balls:
            tail = random.standard_normal(k - 1)
            parts.append([np.linalg.norm(tail) + random.random(), *tail])
        return np.concatenate(parts)

    A = random.standard_normal((m, n)) * 10.0 ** random.integers(-1, 2, size=(m, 1))
    root = random.standard_normal((random.integers(0, n), n))
    P, x = root.T @ root, random.standard_normal(n)
    return P, -P @ x - A.T @ inside(1.0), A, A @ x + inside(0.0), kinds


def run(module, program, tol=1e-10):
    P, q, A, b, kinds = program
    makers = {
        "zero": module.ZeroConeT,
        "nonnegative": module.NonnegativeConeT,
        "second-order": module.SecondOrderConeT,
    }
    settings = module.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tol
    cones = [makers[kind](count) for kind, count in kinds]
    upper, rows = sparse.csc_matrix(np.triu(P)), sparse.csc_matrix(A)
    return module.DefaultSolver(upper, q, rows, b, cones, settings).solve()


@pytest.mark.parametrize("seed", range(12))
def test_optima_are_those_of_clarabel(seed):
    program = random_program(seed)
    P, q, A, b, _ = program
    ours, theirs = run(_interior_point, program), run(clarabel, program)
    assert ours.status == str(theirs.status) == "Solved"
    values = [x @ P @ x / 2 + q @ x for x in map(np.array, (ours.x, theirs.x))]
    assert values[0] == pytest.approx(values[1], rel=1e-8, abs=1e-8)
    # the point and the multipliers close the gap by themselves
    assert np.allclose(A @ ours.x + ours.s, b, atol=1e-8 * (1.0 + abs(b).max()))
    assert np.allclose(P @ ours.x + A.T @ ours.z, -q, atol=1e-8 * (1.0 + abs(q).max()))
    assert abs(ours.s @ ours.z) < 1e-7 * (1.0 + abs(values[0]))


def test_infeasible_rows_are_proved():
    rows = np.array([[1.0, 0.0], [-1.0, 0.0]])  # x <= -1 and x >= 1
    program = (np.zeros((2, 2)), np.ones(2), rows, -np.ones(2), [("nonnegative", 2)])
    result = run(_interior_point, program)
    assert result.status == str(run(clarabel, program).status) == "PrimalInfeasible"
    assert np.all(result.z >= 0.0)
    # the sum of the multipliers' rows is zero, but for the tolerance of the proof
    proved = np.ones(2) @ result.z
    assert abs(rows.T @ result.z).max() <= 1e-8 * result.z.max() * proved


def test_time_limit():
    P, q, A, b, kinds = random_program(0)
    settings = _interior_point.DefaultSettings(time_limit=0.0)
    solver = _interior_point.DefaultSolver(
        sparse.csc_matrix(P), q, sparse.csc_matrix(A), b, kinds, settings
    )
    assert solver.solve().status == "MaxTime"


def test_scaling_takes_one_point_to_the_other():
    cones = ConeProduct([("nonnegative", 3), ("second-order", 4), ("second-order", 4)])
    random = np.random.default_rng(0)
    s, z = (cones.pushed_inside(random.standard_normal(11)) for _ in range(2))
    scaling = Scaling(cones, s, z)
    assert np.allclose(scaling.times(z), scaling.divided(s), rtol=1e-12)
    assert np.allclose(scaling.squared() @ z, s, rtol=1e-12)
    v = random.standard_normal(11)
    assert np.allclose(scaling.divided(scaling.times(v)), v, rtol=1e-11)
    assert np.allclose(cones.product(s, cones.quotient(s, v)), v, rtol=1e-11)


def test_longest_step_ends_on_the_boundary():
    cones = ConeProduct([("nonnegative", 2), ("second-order", 3)])
    random = np.random.default_rng(1)
    for _ in range(50):
        v = cones.pushed_inside(random.standard_normal(5))
        direction = random.standard_normal(5)
        step = cones.longest_step(v, direction)
        if not np.isfinite(step):
            step = 1e6
            end = v + step * direction
            depths = [*end[:2], end[2] - np.linalg.norm(end[3:])]
            assert min(depths) > -1e-9 * step
            continue
        end = v + step * direction
        depths = [*end[:2], end[2] - np.linalg.norm(end[3:])]
        assert min(depths) == pytest.approx(0.0, abs=1e-9 * (1.0 + step))


@pytest.fixture
def without_clarabel(monkeypatch):
    """The library as it is in a browser."""
    monkeypatch.setattr(_conic, "IN_BROWSER", True)
    monkeypatch.setitem(sys.modules, "clarabel", None)


def test_clarabel_is_missed_outside_browsers(monkeypatch):
    monkeypatch.setitem(sys.modules, "clarabel", None)
    with pytest.raises(ModuleNotFoundError, match="clarabel"):
        _conic._solver()


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
@pytest.mark.usefixtures("without_clarabel")
def test_training_is_certified(loss):
    kind = "regression" if loss == "squared" else "sign"
    labels = {} if loss == "squared" else {"labels": kind}
    X, y = datasets.gaussian(7, 2, seed=0, **labels)
    solution = solve(TrainingProblem(X, y, 0.1, loss), enumerate_patterns(X))
    assert solution.certificate.relative_gap < 1e-6


@pytest.mark.usefixtures("without_clarabel")
def test_hard_margins():
    X, y = datasets.separable_quad()
    solution = solve(TrainingProblem(X, y, 1.0, "hard_margin"))
    assert solution.certificate.relative_gap < 1e-6


@pytest.mark.usefixtures("without_clarabel")
def test_margins_that_nothing_meets():
    X, y = datasets.xor()
    one_pattern = np.ones((1, len(X)), dtype=bool)
    with pytest.raises(NotSeparableError):
        solve(TrainingProblem(X, y, 1.0, "hard_margin"), one_pattern)
