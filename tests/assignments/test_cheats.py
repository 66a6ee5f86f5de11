"""Answers that look right to a careless check: none gets the points that it is after.

One test a problem set, so that its course is made once. Objects that lie are handed in
as a student hands them in: what they say of themselves is asked in the student's
process, and the checks see only numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cheats import (
    STRANGE,
    AsArray,
    Equal,
    EqualNumber,
    Judge,
    LongList,
    LyingArray,
    Network,
    is_steep,
    slope_at,
)
from problem_set_course import course_of

import convexnn_lib as cnn
from assignments import hand_in


def test_arrangements() -> None:
    here = course_of("arrangements")
    judge = Judge(here)
    for number, strange in enumerate(STRANGE):
        for question, name in [("walk", "walk"), ("witnesses", "witnesses")]:
            judge.refuse(f"strange {number}", question, **{name: strange})
        judge.refuse(f"strange {number}", "n_draws", n_draws=strange)
        judge.refuse(f"strange {number}", "splits", n_splits=strange, n_rare=strange)
        judge.refuse(f"strange {number}", "matrices", matrices=[strange, strange])
    known = cnn.enumerate_patterns(here.X_path).patterns
    first, last = here.X_path @ here.start > 0, here.X_path @ here.end > 0
    judge.refuse("all patterns as a walk", "walk", walk=known)
    judge.refuse("only the ends", "walk", walk=np.array([first, last]))
    half = np.where(first == last, first.astype(float), 0.5)
    judge.refuse("between two patterns", "walk", walk=np.array([first, half, last]))
    judge.refuse("NaN for True", "walk", walk=np.full((5, len(first)), np.nan))
    judge.refuse("equal to all", "walk", walk=Equal())
    judge.refuse("an array by request", "walk", walk=AsArray())
    lying = known.astype(float).view(LyingArray)
    judge.refuse("an array of another shape", "walk", walk=lying)

    cells = cnn.count_patterns(here.X_int)
    fake = np.arange(3 * cells).reshape(-1, 3)
    judge.refuse("out of range", "witnesses", witnesses=fake + 2**31)
    judge.refuse("wraps to zero", "witnesses", witnesses=fake * 2**32)
    judge.refuse("unsigned", "witnesses", witnesses=(-fake).astype(np.uint8))
    judge.refuse("truncated", "witnesses", witnesses=fake % 7 + 0.4)
    judge.refuse("one cell, many lengths", "witnesses", witnesses=fake * 0 + 1)
    judge.refuse("a long list", "witnesses", witnesses=LongList([[1, 2, 3]]))
    judge.refuse("no rows", "witnesses", witnesses=np.zeros((0, 3), int))

    judge.refuse("no walls", "walls", walls=lambda X, u: np.zeros(len(X), bool))
    judge.refuse("negative for both", "walls", walls=lambda X, u: -np.ones(len(X)))
    judge.refuse("NaN", "walls", walls=lambda X, u: np.full(len(X), np.nan))
    judge.refuse("the nearest rows", "walls", walls=_nearest_walls)
    judge.refuse("changes its inputs", "walls", walls=_changes_its_inputs)
    judge.refuse("a number equal to all", "n_draws", n_draws=EqualNumber(3))
    judge.refuse("infinitely many", "n_draws", n_draws=1e300)
    judge.refuse("a number equal to all", "splits", n_splits=EqualNumber(1), n_rare=3)
    twins = [np.vstack([np.eye(3), np.eye(3) + 1e-9])] * 2
    judge.refuse("parallel up to rounding", "matrices", matrices=twins)
    judge.refuse("complex", "matrices", matrices=[np.eye(3) * 1j] * 2)
    judge.done(50)


def _nearest_walls(X: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Say that the hyperplanes that are nearest are the walls."""
    distance = np.abs(X @ u) / np.linalg.norm(X, axis=1)
    return distance <= np.sort(distance)[min(X.shape[1], len(X)) - 1]


def _changes_its_inputs(X: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Make the data those of an easier question; the checks have their own."""
    X[:] = 0.0
    X[:, 0] = 1.0
    u[:] = 1.0
    return np.ones(len(X), bool)


@pytest.mark.slow
def test_convex_equivalence() -> None:
    here = course_of("convex_equivalence")
    judge = Judge(here)
    shape = here.network_missed.W1.shape
    for number, strange in enumerate(STRANGE):
        judge.refuse(f"strange {number}", "between", lower=strange, upper=strange)
        judge.refuse(f"strange {number}", "better", witness=strange, better=strange)
        judge.refuse(
            f"strange {number}",
            "y_line",
            y_line=[1, 0, 0, 0, strange],
            beta_line=strange,
        )
        judge.refuse(
            f"strange {number}",
            "absolute",
            W_abs=strange,
            w_abs=strange,
            lam_abs=strange,
        )
    judge.refuse("equal to all", "between", lower=EqualNumber(0), upper=EqualNumber(9))
    judge.refuse("an interval around all", "between", lower=-1e300, upper=1e300)
    for value in (float("nan"), -float("inf"), 1e300, 0.0):
        answer = _constant(value)
        judge.refuse(f"always {value}", "huber_bound", huber_bound=answer)
    judge.refuse("too long", "better", witness=np.full(3, 1e200), better=None)
    judge.refuse("integers that wrap", "better", witness=[2**62, 0, 0], better=None)
    judge.refuse("NaN", "better", witness=np.full(3, np.nan), better=None)
    same = here.network_missed
    wide = same.split(0, [0.5, 0.5]).split(0, [0.5, 0.5])
    judge.refuse("the colleague's own", "better", witness=np.zeros(3), better=same)
    judge.refuse("split neurons", "better", witness=np.zeros(3), better=wide)
    lies = Network((same.W1, same.w2), (0 * same.W1, same.w2))
    judge.refuse("a changing network", "better", witness=np.zeros(3), better=lies)
    overflow = Network((np.full((3, 1), 1e200), np.array([1e200])))
    judge.refuse("overflow", "better", witness=np.zeros(3), better=overflow)
    underflow = Network((np.full(shape, 1e-200), np.full(shape[1], 1e200)))
    judge.refuse("underflow", "better", witness=np.zeros(3), better=underflow)
    for labels, beta in [
        (np.zeros(5), 1e-4),
        (np.full(5, 1e-300), 1e-4),
        (np.ones(5), 1e-4),
        (np.linspace(-1, 1, 5), 1e-4),
        (np.linspace(-1, 1, 5) + 1e-12 * np.array([1, -1, 1, -1, 1]), 1e-4),
        ([1, -1, 1, -1, 1], 1e-5),
        ([1, -1, 1, -1, 1], 1e300),
        ([1.0000001, -1, 1, -1, 1], 1e-3),
    ]:
        kind = f"labels {labels} at {beta}"
        judge.refuse(kind, "y_line", y_line=labels, beta_line=beta)
    W, w = np.ones((2, 1)), np.ones(1)
    y = here.y_abs
    for kind, lam in [
        ("a tiny dual point", 1e-9 * y),
        ("a denormal dual point", 1e-320 * np.sign(y)),
        ("against the labels", -1e-3 * y),
        ("a tiny random one", 1e-6 * np.random.default_rng(0).standard_normal(7)),
        ("NaN", np.full(7, np.nan)),
        ("overflow", np.full(7, 1e308)),
    ]:
        judge.refuse(kind, "absolute", W_abs=W, w_abs=w, lam_abs=lam)
    lam = (
        0.09 / cnn.dual_norm(np.vstack([here.X_abs, -here.X_abs]), np.tile(y, 2))[0] * y
    )
    for kind, weights in [
        ("an infinite network", (np.full((2, 1), 1e300), np.ones(1))),
        ("no network", (np.zeros((2, 0)), np.zeros(0))),
        ("a network that cancels", (np.full((2, 1), 1e-300), np.full(1, 1e300))),
    ]:
        W, w = weights
        judge.refuse(kind, "absolute", 0.4, W_abs=W, w_abs=w, lam_abs=lam)
    judge.done(50)


def _constant(value: Any) -> Callable[..., Any]:
    return lambda *arguments: value


@pytest.mark.slow
def test_landscape() -> None:
    here = course_of("landscape")
    judge = Judge(here)
    for number, strange in enumerate(STRANGE):
        judge.refuse(f"strange {number}", "kinds", kinds=[strange] * 5)
        judge.refuse(
            f"strange {number}",
            "ties",
            activations=[strange, strange],
            descent=[strange, strange],
        )
        judge.refuse(f"strange {number}", "minima", minima=[strange, -1.0])
        judge.refuse(f"strange {number}", "opinions", high=strange, low=strange)
    kinds = ["global", "local minimum", "saddle", "not stationary"]
    judge.refuse("all at once", "kinds", kinds=[kinds] * 5)
    judge.refuse("a long list", "kinds", kinds=LongList(kinds))
    judge.refuse("equal to all", "kinds", kinds=[Equal()] * 5)
    judge.refuse("one word for all", "kinds", 0.2, kinds=["saddle"] * 5)
    judge.refuse("a line", "kinds", kinds=[" ".join(kinds)] * 5)

    zero = [np.zeros((3, 1)), np.zeros(1)]
    for kind, move in [
        ("no move", zero),
        ("a denormal move", [np.full((3, 1), 5e-324), np.zeros(1)]),
        ("an infinite move", [np.full((3, 1), 1e308), np.full(1, 1e308)]),
        ("a move that is none", [np.full((3, 1), np.nan), np.zeros(1)]),
        ("along the scaling", [np.array([[1.0], [0], [0]]), np.array([-1.0])]),
    ]:
        judge.refuse(kind, "ties", activations=[0.5, 0.5], descent=move)
    for t in ([1 + 1e-9, 0.5], [-1e-9, 0.5], [np.nan, 0.5], [2.0**60, 0]):
        judge.refuse(f"activations {t}", "ties", activations=t, descent=zero)

    grid = np.geomspace(1e-3, 1e3, 5000)
    judge.refuse("a dense grid", "minima", minima=grid)
    judge.refuse("a denser grid", "minima", minima=np.geomspace(0.1, 20, 500_000))
    judge.refuse("infinite", "minima", minima=[np.inf, 1.0])
    judge.refuse("equal to all", "minima", minima=[EqualNumber(0.5)])
    judge.refuse("an interval", "minima", minima=[[0.0, 100.0]])

    best = cnn.solve(here.problem_polygon, tol=1e-10).network
    judge.refuse("one for both", "opinions", 1 / 3, high=best, low=best)
    far = cnn.ReLUNetwork(
        np.column_stack([best.W1, 1e-9 * here.x_new]), np.append(best.w2, 1e9)
    )
    judge.refuse("a long neuron for x_new", "opinions", high=far, low=best)
    lies = Network((best.W1, best.w2), (-best.W1, best.w2))
    judge.refuse("a changing network", "opinions", 1 / 3, high=lies, low=best)

    for kind, road, most in _roads():
        judge.refuse(kind, "road", most, road=road)
    judge.done(50)


def _roads() -> list[tuple[str, Callable[..., Any], float]]:
    def along(W1: Any, w2: Any, V1: Any, v2: Any, t: float) -> Any:
        here, there = np.sqrt(1 - t), np.sqrt(t)
        return np.column_stack([here * W1, there * V1]), np.append(
            here * w2, there * v2
        )

    def at(moment: Callable[[float], float]) -> Callable[..., Any]:
        return lambda W1, w2, V1, v2, t: along(W1, w2, V1, v2, moment(t))

    def dent(t: float) -> float:
        """Go back for a moment that a regular grid does not see."""
        return t - 0.02 * (0.3017 < t < 0.3079)

    def swapped(W1: Any, w2: Any, V1: Any, v2: Any, t: float) -> Any:
        """Exchange the neurons, one moment after the middle."""
        U1, u2 = along(W1, w2, V1, v2, t)
        return (U1[:, ::-1], u2[::-1]) if t > 0.51234 else (U1, u2)

    def turned(W1: Any, w2: Any, V1: Any, v2: Any, t: float) -> Any:
        """Change the balance of all neurons at once: the weights jump by 3 per cent."""
        U1, u2 = along(W1, w2, V1, v2, t)
        return (1.0 * U1, u2) if t < 0.4 else (U1 / 1.03, 1.03 * u2)

    def overflow(W1: Any, w2: Any, V1: Any, v2: Any, t: float) -> Any:
        U1, u2 = along(W1, w2, V1, v2, t)
        return (1e200 * U1, 1e-200 * u2) if 0 < t < 1 else (U1, u2)

    steps = [200, 10_000, 1_000_000]
    roads = [
        (f"{count} steps", at(lambda t, n=count: np.floor(t * n) / n), 0.7)
        for count in steps
    ]
    return [
        *roads,
        ("five per cent at once", at(lambda t: 0.95 * t + 0.05 * (t > 0.37)), 0.7),
        ("neurons exchanged", swapped, 0.7),
        ("goes back for a moment", at(dent), 0.2),
        ("rises a little", at(lambda t: t - 0.01 * np.sin(40 * np.pi * t)), 0.2),
        ("unbalanced at once", turned, 0.2),
        ("overflow in between", overflow, 0.2),
        (
            "NaN in between",
            lambda *a: along(*a[:4], a[4] if a[4] in (0, 1) else np.nan),
            0,
        ),
    ]


@pytest.mark.slow
def test_max_margin() -> None:
    here = course_of("max_margin")
    judge = Judge(here)
    nothing = cnn.ReLUNetwork(np.zeros((3, 1)), np.zeros(1))
    for number, strange in enumerate(STRANGE):
        kind = f"strange {number}"
        judge.refuse(kind, "moment", w1_then=[strange, 0], w2_then=strange)
        judge.refuse(kind, "margin", separator=strange, lam_margin=[strange] * 8)
        judge.refuse(kind, "endings", endings=_constant((strange, strange)))
        judge.refuse(kind, "trap", trap=strange)
        judge.refuse(
            kind, "stuck", lam_stuck=[strange] * 10, flip=strange, rescued=strange
        )
    y = here.y_margin
    for kind, lam in [
        ("a tiny dual point", 1e-12 * y),
        ("a denormal one", 5e-324 * y),
        ("zero", 0 * y),
        ("too long", 1e308 * y),
        (
            "a rounding error negative",
            1e-3 * y - 1e-18 * y.sum() * np.eye(8)[0] - 1e-2 * y * np.eye(8)[0],
        ),
        ("integers that wrap", (2**62 * y).astype(np.int64)),
    ]:
        judge.refuse(kind, "margin", separator=nothing, lam_margin=lam)
    big = cnn.ReLUNetwork(np.full((3, 2), 1e200), np.array([1e200, -1e200]))
    judge.refuse("infinite margins", "margin", separator=big, lam_margin=0 * y)
    x, w1 = here.x_single, here.w1_start
    product = here.output_single
    for kind, (a, b) in {
        "the right output alone": (x / (x @ x), product),
        "the other branch": (-w1, -product / (x @ w1)),
        "no neuron": (0 * w1, 0.0),
        "a long and a short one": (1e-200 * x, product / (1e-200 * (x @ x))),
        "NaN": (w1 * np.nan, 1.0),
    }.items():
        judge.refuse(kind, "moment", w1_then=a, w2_then=float(b))
    for pair in [(0.5, 0.5), (0, 1), (1, 0), (np.nan, np.nan), (EqualNumber(0), 0.0)]:
        judge.refuse(f"always {pair}", "endings", endings=_constant(pair))
    draw = np.random.default_rng(1)
    W1 = draw.standard_normal((3, 8))
    W1 /= np.linalg.norm(W1, axis=0)
    signs = np.array([1.0, -1.0] * 4)
    for size in (1e-12, 1e-300):
        trap = cnn.ReLUNetwork(size * W1, size * signs)
        judge.refuse(f"a start of size {size}", "trap", trap=trap)
    judge.refuse("one sign", "trap", trap=cnn.ReLUNetwork(W1, np.abs(signs)))
    judge.refuse(
        "almost zero", "trap", trap=cnn.ReLUNetwork(5e-324 * W1, 5e-324 * signs)
    )
    y = here.y_stuck
    sparse = y * np.eye(10)[0]
    judge.refuse("one sample", "stuck", lam_stuck=sparse, flip=0, rescued=nothing)
    judge.refuse(
        "a sum of zero",
        "stuck",
        lam_stuck=y * (np.arange(10) < 2),
        flip=0,
        rescued=nothing,
    )
    for kind, network in [
        ("infinite outputs", cnn.ReLUNetwork(np.full((3, 1), 1e200), [1e200])),
        (
            "opposite infinities",
            cnn.ReLUNetwork(np.column_stack([np.full(3, 1e200)] * 2), [1e200, -1e200]),
        ),
        ("nothing", nothing),
    ]:
        judge.refuse(kind, "stuck", lam_stuck=0 * y, flip=0, rescued=network)
    judge.refuse(
        "a sample of the other side", "stuck", lam_stuck=0 * y, flip=-1, rescued=nothing
    )
    judge.done(50)


@pytest.mark.slow
def test_real_data() -> None:
    here = course_of("real_data")
    judge = Judge(here)
    for number, strange in enumerate(STRANGE):
        kind = f"strange {number}"
        judge.refuse(kind, "line", line=[strange] * 3, cost=strange)
        judge.refuse(kind, "certified", certified=strange)
        judge.refuse(
            kind,
            "lipschitz",
            audited=strange,
            lipschitz=strange,
            pair=strange,
            n_safe=strange,
        )
    X, y = here.X_train, here.y_train
    known = cnn.enumerate_patterns(X)
    prices = np.where(y < 0, 5, 1)
    costs = (known.patterns != (y > 0)) @ prices
    best = known.witnesses[np.argmin(costs)]
    least = int(costs.min())
    judge.refuse("the right cost alone", "line", line=[0, 0, 1], cost=least)
    judge.refuse("equal to all", "line", line=[0, 0, 1], cost=EqualNumber(least))
    judge.refuse("no line", "line", line=np.zeros(3), cost=least)
    judge.refuse("less than possible", "line", line=best, cost=least - 1)
    judge.refuse(
        "too long", "line", line=1.7e308 * best / np.abs(best).max(), cost=least
    )
    judge.refuse("too short", "line", line=5e-324 * np.sign(best), cost=0)
    judge.refuse("integers that wrap", "line", line=[2**62, 2**62, -(2**62)], cost=0)
    zero = cnn.ReLUNetwork(np.zeros((3, 1)), np.zeros(1))
    problem = cnn.TrainingProblem(X, y, 0.3, "logistic")
    solution = cnn.solve(problem)
    right = solution.network
    other = cnn.solve(cnn.TrainingProblem(X, y, 0.6, "logistic")).network
    for kind, network in [
        ("nothing", zero),
        ("of another beta", other),
        ("scaled", cnn.ReLUNetwork(1.05 * right.W1, right.w2)),
        ("overflow", cnn.ReLUNetwork(1e200 * right.W1, 1e200 * right.w2)),
        ("unbalanced", cnn.ReLUNetwork(1e200 * right.W1, 1e-200 * right.w2)),
        ("a changing network", Network((right.W1, right.w2), (0 * right.W1, right.w2))),
        ("another's features", cnn.ReLUNetwork(right.W1[::-1], right.w2)),
    ]:
        judge.refuse(kind, "certified", certified=network)
    steepest = float(
        np.linalg.norm(
            (cnn.enumerate_patterns(right.W1.T).patterns * right.w2) @ right.W1[:2].T,
            axis=1,
        ).max()
    )
    away = {"audited": right, "lipschitz": 0.0, "n_safe": -1}
    high = 1.7e308
    draw = np.random.default_rng(0)
    far = draw.standard_normal((12, 2))
    pairs = [
        ("nearer than they may be", [[0, 0], [1e-7, 0]]),
        ("one point", [[0, 0], [0, 0]]),
        ("to infinity", [[high, 0], [0.999 * high, 0]]),
        ("from infinity to infinity", [[high, high], [-high, -high]]),
        ("no points", [[np.nan, 0], [0, 0]]),
        ("denormal", [[5e-324, 0], [0, 0]]),
        *(
            (f"far away, {k}", [1e10 * v, 1e10 * v + 1e-5 * v[::-1]])
            for k, v in enumerate(far)
        ),
    ]
    # those that go along the steepest slope by chance are right
    slope = slope_at(right, [0.0, 0.0])
    assert slope < 0.9 * steepest
    for kind, pair in pairs:
        rate = 0.3 if kind.startswith("far") and is_steep(right, pair, steepest) else 0
        judge.refuse(kind, "lipschitz", rate, pair=np.array(pair), **away)
    judge.refuse(
        "too large",
        "lipschitz",
        audited=right,
        lipschitz=2 * steepest,
        pair=[[0, 0], [1, 0]],
        n_safe=EqualNumber(3),
    )
    judge.done(50)


@pytest.mark.parametrize(
    "lie",
    [Equal(), AsArray(), LongList([1.0]), EqualNumber(2), np.ones(3).view(LyingArray)],
    ids=lambda lie: type(lie).__name__,
)
def test_lies_do_not_leave_the_notebook(lie: Any) -> None:
    """What is judged are plain data: of an object only its numbers are handed in."""
    try:
        found = hand_in.decode(hand_in.encode(lie))
    except (TypeError, ValueError):
        return  # it cannot be handed in
    assert type(found) in (float, list, np.ndarray)
    assert np.array_equal(
        np.size(found), {float: 1, list: 1, np.ndarray: 3}[type(found)]
    )
