"""Deep linear networks: values against training and against duality."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from convexnn_lib import deep_linear_values, train_deep_linear
from convexnn_lib.errors import InvalidDataError, RegularizationError


class TestValues:
    @settings(deadline=None, derandomize=True, max_examples=30)
    @given(
        st.floats(0.1, 3.0),
        st.floats(0.1, 3.0),
        st.floats(0.05, 2.0),
        st.integers(2, 5),
    )
    def test_gap_where_the_theorem_says(
        self, a: float, b: float, beta: float, depth: int
    ) -> None:
        values = deep_linear_values(np.diag([a, b]), beta, depth=depth)
        assert values.gap > -1e-9
        second = min(a, b)
        if depth == 2 or second <= beta:
            assert values.gap < 1e-7
        elif second > 1.05 * beta:
            assert values.gap > 0.0
        assert np.linalg.norm(values.dual_point, 2) <= beta * (1 + 1e-12)
        nuclear = np.linalg.svd(values.outputs, compute_uv=False).sum()
        primal = 0.5 * np.sum((values.outputs - np.diag([a, b])) ** 2) + beta * nuclear
        assert primal == pytest.approx(values.dual, abs=1e-9)

    def test_rotations_do_not_matter(self) -> None:
        rng = np.random.default_rng(0)
        left = np.linalg.qr(rng.standard_normal((4, 2)))[0]
        right = np.linalg.qr(rng.standard_normal((3, 2)))[0]
        rotated = deep_linear_values(left @ np.diag([2.0, 1.0]) @ right.T, 0.3)
        plain = deep_linear_values(np.diag([2.0, 1.0]), 0.3)
        assert rotated.standard == pytest.approx(plain.standard, abs=1e-9)
        assert rotated.dual == pytest.approx(plain.dual, abs=1e-9)

    @pytest.mark.parametrize("depth", [2, 3, 4, 7])
    @pytest.mark.parametrize(
        ("singular", "beta"),
        [
            ([3.0, 2.0, 1.0], 0.3),
            ([3.0, 2.9, 2.8], 1.0),
            ([1.0, 1.0, 1.0], 0.6),
            ([5.0, 0.4, 0.39], 0.02),
            ([2.0, 1.9, 0.1], 0.5),
        ],
    )
    def test_any_rank_against_descent_in_the_singular_values(
        self, singular: list[float], beta: float, depth: int
    ) -> None:
        """No local search finds less, and the best of them finds as much."""
        sigma, power = np.array(singular), 2.0 / depth

        def objective(roots: np.ndarray) -> float:
            # s = roots ** depth, so that zero is no kink
            cost = np.sum(roots**2) ** (depth / 2)
            return 0.5 * np.sum((np.abs(roots) ** depth - sigma) ** 2) + beta * cost

        starts = [
            np.array(shares) ** (power / 2) * sigma ** (power / 2)
            for shares in product((0.0, 0.2, 1.0), repeat=len(sigma))
        ]
        found = min(
            minimize(objective, start, method="BFGS", options={"gtol": 1e-9}).fun
            for start in starts
        )
        exact = deep_linear_values(np.diag(sigma), beta, depth=depth).standard
        assert exact == pytest.approx(found, rel=1e-9)

    def test_a_singular_value_below_beta_is_not_reached(self) -> None:
        """What is left of it is its own square, whatever the others are."""
        two = deep_linear_values(np.diag([2.0, 1.5]), 0.4)
        three = deep_linear_values(np.diag([2.0, 1.5, 0.39]), 0.4)
        assert three.standard == pytest.approx(two.standard + 0.39**2 / 2, rel=1e-12)

    def test_refuses_bad_input(self) -> None:
        with pytest.raises(InvalidDataError, match="Y is zero"):
            deep_linear_values(np.zeros((2, 2)), 0.5)
        with pytest.raises(InvalidDataError, match="depth"):
            deep_linear_values(np.eye(2), 0.5, depth=1)
        with pytest.raises(RegularizationError, match="beta"):
            deep_linear_values(np.eye(2), 0.0)


class TestTraining:
    @pytest.mark.slow
    def test_reaches_the_values_and_not_less(self) -> None:
        Y = np.diag([2.0, 1.5])
        exact = deep_linear_values(Y, 0.4)
        one, _ = train_deep_linear(Y, 0.4, n_runs=10, seed=0)
        two, outputs = train_deep_linear(Y, 0.4, branches=2, n_runs=10, seed=0)
        assert one.min() == pytest.approx(exact.standard, abs=1e-4)
        assert one.min() >= exact.standard - 1e-9
        assert two.min() == pytest.approx(exact.dual, abs=1e-4)
        assert two.min() >= exact.dual - 1e-9
        assert np.allclose(outputs[two.argmin()], exact.outputs, atol=1e-2)

    def test_rank_three(self) -> None:
        Y = np.diag([2.0, 1.8, 1.5])
        values, _ = train_deep_linear(Y, 0.4, n_runs=10, seed=0)
        exact = deep_linear_values(Y, 0.4)
        assert exact.gap > 0.1
        assert values.min() >= exact.standard - 1e-9
        assert values.min() == pytest.approx(exact.standard, abs=1e-3)

    def test_wide_targets(self) -> None:
        Y = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
        values, outputs = train_deep_linear(Y, 0.1, depth=4, branches=2, seed=0)
        assert outputs.shape == (1, 2, 3)
        assert values[0] >= deep_linear_values(Y, 0.1, depth=4).dual - 1e-9

    def test_refuses_bad_input(self) -> None:
        with pytest.raises(InvalidDataError, match="diverged"):
            train_deep_linear(np.eye(2), 0.1, step=50.0, n_steps=200, seed=0)
        with pytest.raises(InvalidDataError, match="step"):
            train_deep_linear(np.eye(2), 0.1, step=0.0, seed=0)
        with pytest.raises(RegularizationError):
            train_deep_linear(np.eye(2), -1.0, seed=0)


@pytest.mark.parametrize("unit", [4.0**-200, 2.0**-511, 1.0, 2.0**511])
def test_values_in_any_unit(unit):
    Y = np.array([[2.0, 1.0], [0.5, 3.0]])
    expected = deep_linear_values(Y, 0.5)
    values = deep_linear_values(Y * unit, 0.5 * unit)
    with np.errstate(under="ignore"):
        assert values.standard == expected.standard * unit * unit
        assert values.dual == expected.dual * unit * unit
    assert np.array_equal(values.outputs, expected.outputs * unit)
