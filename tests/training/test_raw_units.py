"""Data as they come: columns of years and incomes, and a penalty that hardly counts."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from convexnn_lib import (
    GapWarning,
    TrainingProblem,
    certify,
    sample_patterns,
    solve,
)

# Longley (1967), "An appraisal of least squares programs for the electronic computer
# from the point of view of the user": total employment, and the deflator, the national
# product, the unemployed, the armed forces, the population and the year.
LONGLEY = np.array(
    [
        [60323, 83, 234289, 2356, 1590, 107608, 1947],
        [61122, 88.5, 259426, 2325, 1456, 108632, 1948],
        [60171, 88.2, 258054, 3682, 1616, 109773, 1949],
        [61187, 89.5, 284599, 3351, 1650, 110929, 1950],
        [63221, 96.2, 328975, 2099, 3099, 112075, 1951],
        [63639, 98.1, 346999, 1932, 3594, 113270, 1952],
        [64989, 99, 365385, 1870, 3547, 115094, 1953],
        [63761, 100, 363112, 3578, 3350, 116219, 1954],
        [66019, 101.2, 397469, 2904, 3048, 117388, 1955],
        [67857, 104.6, 419180, 2822, 2857, 118734, 1956],
        [68169, 108.4, 442769, 2936, 2798, 120445, 1957],
        [66513, 110.8, 444546, 4681, 2637, 121950, 1958],
        [68655, 112.6, 482704, 3813, 2552, 123366, 1959],
        [69564, 114.2, 502601, 3931, 2514, 125368, 1960],
        [69331, 115.7, 518173, 4806, 2572, 127852, 1961],
        [70551, 116.9, 554894, 4007, 2827, 130081, 1962],
    ]
)


def incomes(n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Return years, incomes and a rate with a column of ones, and an amount."""
    random = np.random.default_rng(0)
    income, rate = random.integers(15_000, 90_000, n), random.uniform(0.0, 0.1, n)
    X = np.column_stack([1990 + np.arange(n), income, rate, np.ones(n)])
    return X, 2e4 + income * rate + 10.0 * random.standard_normal(n)


@pytest.mark.parametrize("ones", [False, True])
@pytest.mark.parametrize("beta", [1.0, 1e3])
def test_longley(ones: bool, beta: float) -> None:
    X, y = LONGLEY[:, 1:], LONGLEY[:, 0]
    problem = TrainingProblem(np.column_stack([X, np.ones(16)]) if ones else X, y, beta)
    solution = solve(problem)
    assert solution.certificate.relative_gap < 1e-6
    assert solution.certificate.verify(solution.network, problem)


@pytest.mark.slow
def test_the_optimum_does_not_depend_on_the_unit_of_the_penalty() -> None:
    """For a penalty that hardly counts it is proportional to beta."""
    X, y = LONGLEY[:, 1:], LONGLEY[:, 0]
    values = [solve(TrainingProblem(X, y, beta)).value / beta for beta in (1e-2, 1e-3)]
    assert values[0] == pytest.approx(values[1], rel=1e-4)


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge", "hard_margin"])
def test_years_and_incomes(loss: str) -> None:
    X, amounts = incomes()
    signs = np.where(amounts > np.median(amounts), 1.0, -1.0)
    problem = TrainingProblem(X, amounts if loss == "squared" else signs, 1.0, loss)
    solution = solve(problem)
    assert solution.certificate.relative_gap < 1e-6
    # the outputs' own gradient has lost more digits than the solver's dual point
    assert certify(solution.network, problem).relative_gap < 1e-3
    assert solution.certificate.verify(solution.network, problem)


@pytest.mark.parametrize("ratio", [1e3, 1e6, 1e9])
def test_one_column_much_longer_than_the_others(ratio: float) -> None:
    """The gap closes, or stays open and honest; nothing false is said of the data."""
    random = np.random.default_rng(1)
    X = random.standard_normal((12, 3)) * [1.0, ratio, 1.0]
    y = random.standard_normal(12)
    problem = TrainingProblem(X, y, 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GapWarning)
        solution = solve(problem)
    best = solve(TrainingProblem(X / [1.0, ratio, 1.0], y, 0.1)).value
    assert solution.certificate.lower_bound <= solution.value
    # a longer column can only help: the same outputs cost less
    assert solution.certificate.lower_bound <= best * (1.0 + 1e-9)
    if ratio <= 1e3:
        assert solution.certificate.relative_gap < 1e-6


# Brownlee (1965): stack loss of a plant that oxidizes ammonia, the flow of air, the
# temperature of the cooling water and the concentration of the acid
STACKLOSS = np.array(
    [
        [42, 80, 27, 89], [37, 80, 27, 88], [37, 75, 25, 90], [28, 62, 24, 87],
        [18, 62, 22, 87], [18, 62, 23, 87], [19, 62, 24, 93], [20, 62, 24, 93],
        [15, 58, 23, 87], [14, 58, 18, 80], [14, 58, 18, 89], [13, 58, 17, 88],
        [11, 58, 18, 82], [12, 58, 19, 93], [8, 50, 18, 89], [7, 50, 18, 86],
        [8, 50, 19, 72], [8, 50, 19, 79], [9, 50, 20, 80], [15, 56, 20, 82],
        [15, 70, 20, 91],
    ]
)  # fmt: skip


# Gill (2001): executions of 1997 in 17 states, with incomes, shares of the poor and of
# the black population, violent crimes, the South and degrees
CPUNISH = np.array(
    [
        [37, 34453, 16.7, 12.2, 644, 1, 0.16], [9, 41534, 12.5, 20, 351, 1, 0.27],
        [6, 35802, 10.6, 11.2, 591, 0, 0.21], [4, 26954, 18.4, 16.1, 524, 1, 0.16],
        [3, 31468, 14.8, 25.9, 565, 1, 0.19], [2, 32552, 18.8, 3.5, 632, 0, 0.25],
        [2, 40873, 11.6, 15.3, 886, 0, 0.25], [2, 34861, 13.1, 30.1, 997, 1, 0.21],
        [1, 42562, 9.4, 4.3, 405, 0, 0.31], [1, 31900, 14.3, 15.4, 1051, 1, 0.24],
        [1, 37421, 8.2, 8.2, 537, 0, 0.19], [1, 33305, 16.4, 7.2, 321, 0, 0.16],
        [1, 32108, 18.4, 32.1, 929, 1, 0.18], [1, 45844, 9.3, 27.4, 931, 0, 0.29],
        [1, 34743, 10, 4, 435, 0, 0.24], [1, 29709, 15.2, 7.7, 597, 0, 0.21],
        [1, 36777, 11.7, 1.8, 463, 0, 0.25],
    ]
)  # fmt: skip

# the market for copper from 1951 to 1975: consumption, its price, an index of incomes,
# the price of aluminium, an index of stocks and the year
COPPER = np.array(
    [
        [3173, 26.56, 0.7, 19.76, 0.98, 1], [3281.1, 27.31, 0.71, 20.78, 1.04, 2],
        [3135.7, 32.95, 0.72, 22.55, 1.05, 3], [3359.1, 33.9, 0.7, 23.06, 0.97, 4],
        [3755.1, 42.7, 0.74, 24.93, 1.02, 5], [3875.9, 46.11, 0.74, 26.5, 1.04, 6],
        [3905.7, 31.7, 0.74, 27.24, 0.98, 7], [3957.6, 27.23, 0.72, 26.21, 0.98, 8],
        [4279.1, 32.89, 0.75, 26.09, 1.03, 9], [4627.9, 33.78, 0.77, 27.4, 1.03, 10],
        [4910.2, 31.66, 0.76, 26.94, 0.98, 11], [4908.4, 32.28, 0.79, 25.18, 1, 12],
        [5327.9, 32.38, 0.83, 23.94, 0.97, 13], [5878.4, 33.75, 0.85, 25.07, 1.03, 14],
        [6075.2, 36.25, 0.89, 25.37, 1.08, 15], [6312.7, 36.24, 0.93, 24.55, 1.05, 16],
        [6056.8, 38.23, 0.95, 24.98, 1.03, 17], [6375.9, 40.83, 0.99, 24.96, 1.03, 18],
        [6974.3, 44.62, 1, 25.52, 0.99, 19], [7101.6, 52.27, 1, 26.01, 1, 20],
        [7071.7, 45.16, 1.02, 25.46, 0.96, 21], [7754.8, 42.5, 1.07, 22.17, 0.97, 22],
        [8480.3, 43.7, 1.12, 18.56, 0.98, 23], [8105.2, 47.88, 1.1, 21.32, 1.01, 24],
        [7157.2, 36.33, 1.07, 22.75, 0.94, 25],
    ]
)  # fmt: skip


def poverty(n: int = 17) -> tuple[np.ndarray, np.ndarray]:
    """Return data as uneven as those of states: incomes, shares, rates, a dummy."""
    random = np.random.default_rng(7)
    columns = [
        random.integers(26_000, 41_000, n),
        random.uniform(8.0, 20.0, n).round(1),
        random.uniform(0.5, 35.0, n).round(1),
        random.integers(180, 900, n),
        random.integers(0, 2, n),
        random.uniform(0.1, 0.2, n).round(3),
        np.ones(n),
    ]
    return np.column_stack(columns), random.poisson(4.0, n).astype(float)


def trade(n: int = 25) -> tuple[np.ndarray, np.ndarray]:
    """Return data as of a market: prices, indices near one, years, an amount."""
    random = np.random.default_rng(8)
    years = np.arange(n)
    columns = [
        700.0 + 20.0 * years + 50.0 * random.standard_normal(n),
        0.7 + 0.02 * years + 0.01 * random.standard_normal(n),
        1000.0 + 200.0 * random.standard_normal(n),
        1.0 + 0.1 * random.standard_normal(n),
        1951.0 + years,
    ]
    return np.column_stack(columns), 3000.0 + 150.0 * years


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge", "hard_margin"])
@pytest.mark.parametrize(
    "name",
    ["longley", "stackloss", "poverty", "trade", "copper", "cpunish"],
)
def test_raw_columns_end_with_a_small_gap(name: str, loss: str) -> None:
    X, y = {
        "longley": (LONGLEY[:, 1:], LONGLEY[:, 0]),
        "stackloss": (STACKLOSS[:, 1:], STACKLOSS[:, 0]),
        "poverty": poverty(),
        "trade": trade(),
        "copper": (COPPER[:, 1:], COPPER[:, 0]),
        "cpunish": (CPUNISH[:, 1:], CPUNISH[:, 0]),
    }[name]
    y = y if loss == "squared" else np.where(y > np.median(y), 1.0, -1.0)
    problem = TrainingProblem(X, y, 1.0, loss)
    solution = solve(problem, tol=1e-6)  # warnings are errors: the gap closes
    assert solution.certificate.verify(solution.network, problem)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cpunish", "copper", "stackloss", "trade"])
def test_margins_with_a_column_of_ones(name: str) -> None:
    """Thin cones, in which a conic solver loses digits: linear programs go on."""
    X, y = {
        "stackloss": (STACKLOSS[:, 1:], STACKLOSS[:, 0]),
        "trade": trade(),
        "copper": (COPPER[:, 1:], COPPER[:, 0]),
        "cpunish": (CPUNISH[:, 1:], CPUNISH[:, 0]),
    }[name]
    X = np.column_stack([X, np.ones(len(X))])
    problem = TrainingProblem(X, np.where(y > np.median(y), 1.0, -1.0), 1.0, "hinge")
    solution = solve(problem)  # warnings are errors: the gap closes
    assert solution.certificate.verify(solution.network, problem)
    limited = solve(problem, time_limit=1e3)
    assert limited.value == pytest.approx(solution.value, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("stackloss", "squared"),
        ("cpunish", "logistic"),
        ("poverty", "hinge"),
        ("copper", "hard_margin"),
    ],
)
def test_both_methods_on_raw_columns(name: str, loss: str) -> None:
    X, y = {
        "stackloss": (STACKLOSS[:, 1:], STACKLOSS[:, 0]),
        "poverty": poverty(),
        "copper": (COPPER[:, 1:], COPPER[:, 0]),
        "cpunish": (CPUNISH[:, 1:], CPUNISH[:, 0]),
    }[name]
    y = y if loss == "squared" else np.where(y > np.median(y), 1.0, -1.0)
    problem, patterns = TrainingProblem(X, y, 1.0, loss), sample_patterns(X, 30, seed=0)
    ours, other = (
        solve(problem, patterns, method=method) for method in ("active_set", "cvxpy")
    )  # warnings are errors: both gaps close
    assert other.value == pytest.approx(ours.value, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("factors", "named"),
    [
        ([1.0, 1e9, 1.0], "The entries of column 1 are up to"),
        ([1e7, 1.0, 1e5], "The entries of columns 0, 2 are up to"),
        ([0.0, 1e-6, 1.0], "The entries of column 2 are up to"),
        ([1.0, 2.0, 3.0], "Raise tol|raise tol"),
    ],
)
def test_an_open_gap_names_the_columns_to_rescale(
    factors: list[float], named: str
) -> None:
    random = np.random.default_rng(1)
    X, y = random.standard_normal((12, 3)) * factors, random.standard_normal(12)
    with pytest.warns(GapWarning, match=named):
        solve(TrainingProblem(X, y, 0.1), tol=1e-17)
