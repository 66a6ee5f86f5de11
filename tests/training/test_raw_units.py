"""Data as they come: columns of years and incomes, and a penalty that hardly counts."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from convexnn_lib import GapWarning, TrainingProblem, certify, solve

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
@pytest.mark.parametrize("name", ["longley", "stackloss", "poverty", "trade"])
def test_raw_columns_end_with_a_small_gap(name: str, loss: str) -> None:
    X, y = {
        "longley": (LONGLEY[:, 1:], LONGLEY[:, 0]),
        "stackloss": (STACKLOSS[:, 1:], STACKLOSS[:, 0]),
        "poverty": poverty(),
        "trade": trade(),
    }[name]
    y = y if loss == "squared" else np.where(y > np.median(y), 1.0, -1.0)
    problem = TrainingProblem(X, y, 1.0, loss)
    solution = solve(problem, tol=1e-6)  # warnings are errors: the gap closes
    assert solution.certificate.verify(solution.network, problem)


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
