"""Training where there are too many patterns to list, and on real data."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest
from column_problems import NAMES, in_scope, solved, wave_problem
from reference import LOSSES

from convexnn_lib import datasets
from convexnn_lib.arrangements.sampling import sample_patterns
from convexnn_lib.certificates import _pricing
from convexnn_lib.certificates.certify import certify
from convexnn_lib.errors import (
    EnumerationTooLargeError,
    GapWarning,
    NotSeparableError,
)
from convexnn_lib.optima.optimal_set import OptimalSet
from convexnn_lib.problem.losses import HardMargin, Squared
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training import _price_neurons
from convexnn_lib.training.solve import solve


@pytest.fixture
def no_lists(monkeypatch):
    """Let pricing find that there are too many patterns."""

    def refuse(*_, **options):
        raise EnumerationTooLargeError("too many", predicted=2, max_patterns=1)

    monkeypatch.setattr(_price_neurons, "price_all_neurons", refuse)


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
@pytest.mark.usefixtures("no_lists")
def test_chosen_patterns(loss):
    """Optimal over the patterns chosen, and better than as many that are drawn."""
    beta = 1.0 if isinstance(loss, HardMargin) else 0.1
    problem = wave_problem(loss, beta, 20, 4)
    solution = solved_locally(problem)
    chosen = solution.restricted
    assert chosen is not None
    assert chosen.patterns is not None
    count = len(chosen.patterns)
    assert chosen.scope == f"{count} given patterns"
    assert chosen.verify(solution.network, problem)
    assert in_scope(solution.network, problem.X, chosen.patterns) <= 1e-6
    # the program over all patterns is not below it by more than local search misses,
    # and here local search misses nothing
    assert solution.certificate.scope == "all patterns"
    assert solution.certificate.relative_gap <= 1e-6
    everything = certify(solution.network, problem, dual=solution.dual)
    assert everything.relative_gap <= 1e-6
    drawn = sample_patterns(problem.X, count, seed=0)
    try:
        assert solution.value < solve(problem, drawn).value
    except NotSeparableError:
        assert isinstance(loss, HardMargin)


def solved_locally(problem, **options):
    """The solution, checked; bounds start when the patterns have been chosen."""
    rounds = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        solution = solve(problem, callback=rounds.append, **options)
    certificate = solution.certificate
    assert (certificate.relative_gap > 1e-6) == bool(caught)
    assert certificate.verify(solution.network, problem)
    assert all(b.value <= a.value for a, b in pairwise(rounds))
    assert rounds[0].lower_bound == -np.inf
    # with patterns chosen, those alone are priced, and the bound holds for them
    chosen = [state for state in rounds if state.lower_bound > -np.inf]
    for state in chosen:
        assert state.lower_bound <= solution.value * (1.0 + 1e-12)
    return solution


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
@pytest.mark.usefixtures("no_lists")
def test_limits_before_the_patterns_are_chosen(loss):
    beta = 1.0 if isinstance(loss, HardMargin) else 0.1
    problem = wave_problem(loss, beta, 20, 4)
    for options in ({"max_rounds": 1}, {"max_rounds": 3}, {"time_limit": 1e-9}):
        solution = solved_locally(problem, **options)
        kind = "time limit of" if "time_limit" in options else "limit of"
        assert solution.reason.startswith(f"the {kind}")
        assert solution.certificate.scope == "all patterns"
        assert np.isfinite(solution.value)


@pytest.mark.usefixtures("no_lists")
def test_zero_networks_without_a_list():
    problem = wave_problem(Squared(), 1e3, 20, 4)
    solution = solved_locally(problem)
    assert solution.network.width == 0
    assert solution.gap <= 1e-12 * solution.value
    assert solution.patterns.shape == (1, 20)


@pytest.mark.slow
def test_sixty_samples_in_ten_dimensions():
    """Optimal over the patterns chosen, and certified to a few percent over all."""
    problem = wave_problem(Squared(), 5.0, 60, 10)
    solution = solved_locally(problem)
    assert solution.restricted.relative_gap <= 1e-6
    assert solution.certificate.scope == "all patterns"
    assert 1e-6 < solution.certificate.relative_gap <= 0.2
    drawn = sample_patterns(problem.X, len(solution.restricted.patterns), seed=0)
    assert solution.value < 0.95 * solve(problem, drawn).value


@pytest.mark.usefixtures("no_lists")
def test_the_optimal_set_over_chosen_patterns():
    problem = wave_problem(Squared(), 0.1, 12, 3)
    solution = solved_locally(problem)
    assert solution.restricted is not None
    optima = OptimalSet(solution)
    network = optima.sample(0)
    assert problem.objective(network) == pytest.approx(solution.value, rel=1e-9)


@pytest.mark.slow
def test_the_gap_over_all_patterns_warns():
    problem = wave_problem(Squared(), 8.0, 60, 30)
    with pytest.warns(GapWarning, match="chosen patterns"):
        solution = solve(problem)
    assert solution.certificate.method == "sign rule"
    assert solution.certificate.relative_gap < 0.5
    assert solution.certificate.verify(solution.network, problem)


def copper():
    """Years, prices, indices and ones, raw, as in statsmodels' set "copper"."""
    prices = (
        "26.56 27.31 32.95 33.9 42.7 46.11 31.7 27.23 32.89 33.78 31.66 32.28 32.38 "
        "33.75 36.25 36.24 38.23 40.83 44.62 52.27 45.16 42.5 43.7 47.88 36.33 "
    )
    incomes = (
        "0.7 0.71 0.72 0.7 0.74 0.74 0.74 0.72 0.75 0.77 0.76 0.79 0.83 0.85 0.89 "
        "0.93 0.95 0.99 1 1 1.02 1.07 1.12 1.1 1.07 "
    )
    aluminium = (
        "19.76 20.78 22.55 23.06 24.93 26.5 27.24 26.21 26.09 27.4 26.94 25.18 "
        "23.94 25.07 25.37 24.55 24.98 24.96 25.52 26.01 25.46 22.17 18.56 21.32 "
        "22.75 "
    )
    stocks = (
        "0.98 1.04 1.05 0.97 1.02 1.04 0.98 0.98 1.03 1.03 0.98 1 0.97 1.03 1.08 "
        "1.05 1.03 1.03 0.99 1 0.96 0.97 0.98 1.01 0.94 "
    )
    consumption = (
        "3173 3281.1 3135.7 3359.1 3755.1 3875.9 3905.7 3957.6 4279.1 4627.9 4910.2 "
        "4908.4 5327.9 5878.4 6075.2 6312.7 6056.8 6375.9 6974.3 7101.6 7071.7 "
        "7754.8 8480.3 8105.2 7157.2 "
    )
    read = [prices, incomes, aluminium, stocks, consumption]
    *columns, y = [np.array(text.split(), dtype=float) for text in read]
    return np.column_stack([np.arange(1951, 1976), *columns, np.ones(25)]), y


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES[1:], ids=NAMES[1:])
def test_branch_and_bound_of_nearly_parallel_rows_ends_early(loss, monkeypatch):
    """It would go on and on; their few patterns are listed exactly then."""
    spent = []
    search = _pricing._by_branch_and_bound

    def record(plus, minus, level, most, deadline):
        far, nodes = search(plus, minus, level, most, deadline)
        spent.append(nodes)
        return far, nodes

    monkeypatch.setattr(_pricing, "_by_branch_and_bound", record)
    monkeypatch.setattr(_pricing, "_FEW", 0)
    X, y = copper()
    y = y if loss.labels == "real" else np.where(y > np.median(y), 1.0, -1.0)
    assert solved(TrainingProblem(X, y, 1.0, loss)).reason == "converged"
    assert 0 < max(spent) <= 30_000


# -- real data, over all patterns


def check_real(X, y, loss, beta):
    solution = solved(TrainingProblem(X, y, beta, loss))
    assert solution.certificate.scope == "all patterns"
    assert solution.certificate.relative_gap <= 1e-6
    assert solution.network.width <= 25
    return solution


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_iris(loss):
    X, y = datasets.load("iris", ones=True)  # four features: 7,852,352 cells at most
    solution = check_real(X, y, loss, 1.0)
    assert np.mean(np.sign(solution.network.predict(X)) == y) >= 0.97


def test_diabetes():
    X, y = datasets.load("diabetes", features=["bmi", "bp", "s5"], n_samples=60, seed=0)
    solution = check_real(X, y, "squared", 1.0)
    assert solution.value < 0.5 * y @ y


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_breast_cancer(loss):
    X, y = datasets.load("breast_cancer")
    _, _, axes = np.linalg.svd(X, full_matrices=False)
    components = X @ axes[:2].T
    components /= components.std(axis=0)
    X = np.column_stack([components, np.ones(len(y))])
    solution = check_real(X, y, loss, 5.0)
    assert np.mean(np.sign(solution.network.predict(X)) == y) >= 0.93
