from __future__ import annotations

import numpy as np
import pytest
from reference import LOSSES, random_problem

from convexnn_lib import datasets
from convexnn_lib.certificates.dual_norm import beta_max
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solution_path import solution_path
from convexnn_lib.training.solve import solve

NAMES = ("half squared", "squared", "logistic", "hinge")


@pytest.mark.parametrize("loss", LOSSES[:4], ids=NAMES)
def test_path(loss):
    problem = random_problem(1, 8, 3, loss)
    path = solution_path(problem, n_betas=8)
    assert len(path) == 8
    assert path.beta_max == beta_max(problem)
    assert path.betas[0] == path.beta_max
    np.testing.assert_allclose(path.betas, path.beta_max * np.geomspace(1, 1e-3, 8))
    assert np.all(path.relative_gaps <= 1e-6)
    np.testing.assert_array_equal(
        path.values, [solution.value for solution in path.solutions]
    )
    assert path.widths[0] == 0
    assert np.all(path.widths[1:] > 0)
    for beta, solution in zip(path.betas, path, strict=True):
        current = solution.problem
        assert current.beta == beta
        assert current.loss == loss
        assert solution.network.width <= problem.n
        assert solution.certificate.verify(solution.network, current)
        assert solution.certificate.scope == "all patterns"
        alone = solve(current)
        assert solution.value == pytest.approx(alone.value, rel=1e-6)
    # concave and nondecreasing in beta, up to the gaps
    slack = 2e-6 * path.values.max()
    slopes = np.diff(path.values) / np.diff(path.betas)
    assert np.all(np.diff(path.values) <= slack)
    assert np.all(-np.diff(slopes) * np.diff(path.betas[1:]) >= -slack)
    assert path[-1] is path.solutions[-1]


def test_value_is_an_infimum_of_lines():
    """The penalty of an optimum is a slope: tangents lie above the whole path."""
    problem = random_problem(2, 8, 3, LOSSES[0])
    path = solution_path(problem, np.geomspace(3.0, 1e-3, 12))
    for solution in path:
        network = solution.network
        tangent = (
            solution.value + (path.betas - solution.problem.beta) * network.penalty()
        )
        assert np.all(tangent >= path.values * (1.0 - 1e-9))


def test_order_and_repetition_of_strengths():
    problem = random_problem(0, 5, 2, LOSSES[0])
    path = solution_path(problem, [0.1, 2.0, 0.1, 100.0])
    np.testing.assert_array_equal(path.betas, [100.0, 2.0, 0.1, 0.1])
    assert path.values[2] == pytest.approx(path.values[3], rel=1e-12)
    assert path.values[2] == pytest.approx(0.56547035, rel=1e-7)
    assert path.widths[0] == 0
    assert path.values[0] == pytest.approx(0.5 * problem.y @ problem.y, rel=1e-15)


def test_closed_form_of_orthonormal_rows():
    """p(beta) = h(|y+|) + h(|y-|) with h(t) = beta t - beta^2/2 up to beta = t."""
    problem = TrainingProblem(np.eye(3), [3.0, 4.0, -2.0], 1.0)
    betas = np.array([6.0, 5.0, 4.0, 2.0, 1.0, 0.1])
    path = solution_path(problem, betas)

    def h(t):
        return np.where(betas <= t, betas * t - 0.5 * betas**2, 0.5 * t**2)

    np.testing.assert_allclose(path.values, h(5.0) + h(2.0), rtol=1e-12)
    np.testing.assert_array_equal(path.widths, [0, 0, 1, 1, 2, 2])
    assert path.beta_max == pytest.approx(5.0, rel=1e-15)


@pytest.mark.parametrize(
    ("y", "largest"), [((1, -1, 1), np.sqrt(5.0)), ((1, 2, -1), np.sqrt(85.0))]
)
def test_largest_strength_of_the_talk_data(y, largest):
    X = [[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]]
    path = solution_path(TrainingProblem(X, y, 1.0), n_betas=2)
    assert path.beta_max == pytest.approx(largest, rel=1e-14)
    np.testing.assert_array_equal(path.widths > 0, [False, True])


def test_hinge_loss_of_two_orthogonal_points():
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 1.0, "hinge")
    path = solution_path(problem, [2.0, 1.0, 0.5, 0.1])
    np.testing.assert_allclose(path.values, [2.0, 2.0, 1.0, 0.2], rtol=1e-9)


def test_scope_of_degenerate_data():
    X, y = datasets.xor()
    X = np.vstack([X, X[:1], np.zeros((1, 2))])
    y = np.r_[y, y[0], 1.0]
    path = solution_path(TrainingProblem(X, y, 1.0, "logistic"), n_betas=4)
    assert np.all(path.relative_gaps <= 1e-6)
    assert np.all(np.diff(path.values) <= 0.0)
    assert path.values[-1] >= np.log(2.0)  # the zero row has the output 0


def test_repr_and_progress(capsys):
    problem = TrainingProblem(np.eye(2), [3.0, 4.0], 1.0)
    path = solution_path(problem, [1.0, 6.0], progress=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("beta = 6: Solution(value=12.5, gap=")
    assert lines[1].startswith("beta = 1: Solution(value=4.5, gap=")
    head, columns, *rows = repr(path).splitlines()
    assert head == "SolutionPath(beta_max=5, 2 optima)"
    assert columns.split() == ["beta", "value", "neurons", "relative", "gap"]
    assert [row.split()[:3] for row in rows] == [["6", "12.5", "0"], ["1", "4.5", "1"]]


def test_errors():
    problem = random_problem(0, 5, 2, LOSSES[0])
    for n_betas in (1, 0, -3, 2.5, True, "3"):
        with pytest.raises(InvalidDataError, match="n_betas must be"):
            solution_path(problem, n_betas=n_betas)
    for betas in ([], 1.0, [[1.0, 2.0]]):
        with pytest.raises(InvalidDataError, match="non-empty vector"):
            solution_path(problem, betas)
    for betas in ([1.0, np.nan], [np.inf], ["a"]):
        with pytest.raises(InvalidDataError, match="betas"):
            solution_path(problem, betas)
    for beta in (0.0, -1.0):
        with pytest.raises(RegularizationError, match=r"positive, got -?\d\.0"):
            solution_path(problem, [1.0, beta])
    with pytest.raises(InvalidDataError, match="tol must be"):
        solution_path(problem, [1.0], tol=0.0)
    hard = TrainingProblem(np.eye(2), [1, -1], 1.0, "hard_margin")
    with pytest.raises(RegularizationError, match="no regularization path"):
        solution_path(hard)
    nothing = TrainingProblem(np.eye(2), [0.0, 0.0], 1.0)
    with pytest.raises(RegularizationError, match="optimal for every beta"):
        solution_path(nothing)
    assert solution_path(nothing, [1.0, 0.1]).values.tolist() == [0.0, 0.0]
