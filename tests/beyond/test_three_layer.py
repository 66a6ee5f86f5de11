"""Parallel three-layer networks: the convex program against what it claims."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import (
    ParallelNetwork,
    TrainingProblem,
    certify_parallel,
    datasets,
    solve,
    solve_parallel,
    train_parallel,
)
from convexnn_lib.errors import (
    EnumerationTooLargeError,
    InvalidDataError,
    InvalidLabelsError,
    RegularizationError,
)

FOUR = datasets.gaussian(4, 2, seed=8)


def _objective(network: ParallelNetwork, X, y, beta: float) -> float:
    """Compute the objective branch by branch, in plain Python."""
    total, penalty = np.zeros(len(X)), 0.0
    for W1, w2, w3 in zip(network.W1, network.w2, network.w3, strict=True):
        second = np.zeros(len(X))
        squares = 0.0
        for j in range(len(w2)):
            second += w2[j] * np.maximum(X @ W1[:, j], 0)
            squares += w2[j] ** 2 * (W1[:, j] @ W1[:, j])
        total += w3 * np.maximum(second, 0)
        penalty += abs(w3) * np.sqrt(squares)
    return 0.5 * np.sum((total - y) ** 2) + beta * penalty


class TestSolve:
    @pytest.mark.parametrize("seed", range(4))
    def test_one_hidden_neuron_is_two_layers(self, seed: int) -> None:
        X, y = datasets.gaussian(4, 2, seed=seed)
        two = solve(TrainingProblem(X, y, 0.1))
        one = solve_parallel(X, y, 0.1, width=1)
        assert one.value == pytest.approx(two.value, rel=1e-6)

    @pytest.mark.parametrize("width", [2, pytest.param(3, marks=pytest.mark.slow)])
    def test_objective_bound_and_copies(self, width: int) -> None:
        X, y = FOUR
        solution = solve_parallel(X, y, 0.1, width=width)
        assert solution.value == pytest.approx(
            _objective(solution.network, X, y, 0.1), rel=1e-12
        )
        assert 0 <= solution.gap < 1e-6 * solution.value
        copies = solve(TrainingProblem(X, y, 0.1 / np.sqrt(width))).value
        assert solution.value <= copies * (1 + 1e-6)

    @pytest.mark.parametrize("width", [1, 2, 3])
    def test_xor_in_closed_form(self, width: int) -> None:
        """Copies are all that XOR needs: the gauge is 2 sqrt(2 / width)."""
        strength = 0.1 / np.sqrt(width)
        value = solve_parallel(*datasets.xor(), 0.1, width=width).value
        expected = 2 * np.sqrt(2) * strength - strength**2
        assert value == pytest.approx(expected, rel=1e-6)

    @pytest.mark.slow
    def test_no_trained_network_beats_the_bound(self) -> None:
        X, y = FOUR
        solution = solve_parallel(X, y, 0.1)
        networks = train_parallel(X, y, 0.1, branches=8, n_runs=20, seed=1)
        values = [_objective(network, X, y, 0.1) for network in networks]
        assert min(values) >= solution.lower_bound
        assert min(values) < 1.05 * solution.value  # descent comes near

    def test_large_beta_gives_the_zero_network(self) -> None:
        solution = solve_parallel(*FOUR, 100.0)
        assert solution.network.branches == 0
        assert solution.value == pytest.approx(0.5 * np.sum(FOUR[1] ** 2))

    def test_repeated_and_zero_rows(self) -> None:
        X = [[1.0, 0.5], [1.0, 0.5], [0.0, 0.0]]
        solution = solve_parallel(X, [1.0, 2.0, -1.0], 0.1)
        assert solution.gap < 1e-6 * solution.value

    def test_refuses_bad_input(self) -> None:
        X, y = FOUR
        with pytest.raises(RegularizationError, match="beta > 0"):
            solve_parallel(X, y, 0.0)
        with pytest.raises(InvalidDataError, match="tol"):
            solve_parallel(X, y, 0.1, tol=0.0)
        with pytest.raises(InvalidDataError, match="width"):
            solve_parallel(X, y, 0.1, width=0)
        with pytest.raises(EnumerationTooLargeError, match="max_configurations = 10"):
            solve_parallel(X, y, 0.1, max_configurations=10)
        with pytest.raises(InvalidDataError):
            solve_parallel(X, y[:2], 0.1)


class TestCertify:
    @settings(deadline=None, derandomize=True, max_examples=15)
    @given(st.integers(0, 10_000), st.integers(1, 4))
    def test_bound_holds_for_random_networks(self, seed: int, branches: int) -> None:
        rng = np.random.default_rng(seed)
        network = ParallelNetwork(
            rng.standard_normal((branches, 2, 2)),
            rng.standard_normal((branches, 2)),
            rng.standard_normal(branches),
        )
        bound = certify_parallel(network, *FOUR, 0.1)
        assert bound.value == pytest.approx(_objective(network, *FOUR, 0.1))
        assert bound.lower_bound <= 0.3030393 <= bound.value + 1e-6

    def test_dual_point_is_feasible_on_random_branches(self) -> None:
        solution = solve_parallel(*FOUR, 0.1)
        rng = np.random.default_rng(0)
        for _ in range(500):
            network = ParallelNetwork(
                rng.standard_normal((1, 2, 2)), rng.standard_normal((1, 2)), [1.0]
            )
            size = network.path_norm()
            assert abs(solution.dual @ network.predict(FOUR[0])) <= 0.1 * size * (
                1 + 1e-9
            )


class TestNetwork:
    def test_refuses_bad_shapes(self) -> None:
        with pytest.raises(InvalidDataError, match="shapes"):
            ParallelNetwork(np.ones((2, 2)), np.ones((1, 2)), [1.0])
        with pytest.raises(InvalidDataError, match="NaN"):
            ParallelNetwork([[[np.nan]]], [[1.0]], [1.0])
        with pytest.raises(InvalidDataError, match="features"):
            ParallelNetwork([[[1.0]]], [[1.0]], [1.0]).predict([[1.0, 2.0]])


class TestTrain:
    def test_descends_along_the_gradient(self) -> None:
        """One tiny step changes the objective as its square norm says."""
        X, y = FOUR
        options = {"branches": 2, "n_runs": 1, "seed": 3}
        values = []
        for steps in (1, 2):
            (network,) = train_parallel(X, y, 0.3, step=1e-6, n_steps=steps, **options)
            smooth = 0.5 * np.sum((network.predict(X) - y) ** 2) + 0.15 * (
                np.sum(network.w3**2)
                + np.sum(network.w2**2 * np.sum(network.W1**2, axis=1))
            )
            values.append((smooth, network))
        (before, first), (after, second) = values
        moved = sum(
            np.sum((a - b) ** 2)
            for a, b in [
                (first.W1, second.W1),
                (first.w2, second.w2),
                (first.w3, second.w3),
            ]
        )
        # the last fifth of a run has a tenth of the step
        assert before - after == pytest.approx(moved / 1e-6, rel=0.2) or (
            before - after == pytest.approx(moved / 1e-7, rel=0.2)
        )

    def test_refuses_bad_input(self) -> None:
        X, y = FOUR
        with pytest.raises(InvalidDataError, match="step"):
            train_parallel(X, y, 0.1, branches=1, step=-1.0, seed=0)
        with pytest.raises(InvalidDataError, match="diverged"):
            train_parallel(X, y, 0.1, branches=4, step=10.0, n_steps=100, seed=0)
        with pytest.raises(InvalidDataError, match="branches"):
            train_parallel(X, y, 0.1, branches=0, seed=0)
        with pytest.raises(RegularizationError):
            train_parallel(X, y, -0.1, branches=1, seed=0)


def test_labels_are_real() -> None:
    assert issubclass(InvalidLabelsError, InvalidDataError)
    with pytest.raises(InvalidDataError):
        solve_parallel(FOUR[0], [np.nan] * 4, 0.1)
