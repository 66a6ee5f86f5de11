"""The problem sets: solved a second time, from the students' text alone, and wrongly.

Answers are judged as in grading, by the course's own code and from plain data, but in
this process; ``test_rehearsal`` does all as in a course, in the sandbox.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.optimize

import convexnn_lib as cnn
from assignments import hand_in
from assignments.__main__ import main
from assignments.grader import judge as judging
from assignments.grader.problem_set import ProblemSet, read_problem_set
from assignments.grader.sandbox import sandbox_problem

SOURCES = sorted((Path(judging.__file__).parents[1] / "problem_sets").glob("[!_]*.py"))
NAMES = [source.stem for source in SOURCES]
IDS = ["ada", "emmy"]


class Course:
    """The course's data for one student, and its judgement of answers."""

    def __init__(self, problem_set: ProblemSet, student: str) -> None:
        sys.modules["hand_in"] = hand_in
        self._questions = {
            q.name: {
                "name": q.name,
                "points": q.points,
                "names": q.names,
                "cases": q.cases,
                "tests": q.tests,
            }
            for q in problem_set.questions
            if not q.by_hand
        }
        task = {
            "student_id": student,
            "setup": problem_set.setup,
            "questions": list(self._questions.values()),
        }
        self._shared, self._cases = judging._prepare(task)
        self.problem_set = problem_set

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["_shared"][name]

    def judge(self, name: str, **answers: Any) -> tuple[float, str]:
        """Return the share of the points, and what the student reads."""
        question = self._questions[name]
        given = {
            key: self._encoded(name, value)
            if callable(value)
            else hand_in.encode(value)
            for key, value in answers.items()
            if key in question["names"]
        }
        outcome = judging._judge(
            question, dict(self._shared), self._cases.get(name), given
        )
        assert not outcome.note, outcome.note  # the checks foresee all answers below
        return outcome.score / question["points"], " ".join(outcome.messages)

    def _encoded(self, name: str, function: Callable[..., Any]) -> dict[str, object]:
        return {
            "calls": [
                {"value": hand_in.encode(function(*case))} for case in self._cases[name]
            ]
        }


@pytest.fixture(scope="module")
def course() -> Callable[..., Course]:
    """Return a function that makes a course for a problem set and a student."""
    made: dict[tuple[str, str], Course] = {}

    def make(name: str, student: str = IDS[0]) -> Course:
        if (name, student) not in made:
            source = next(s for s in SOURCES if s.stem == name)
            made[name, student] = Course(read_problem_set(source), student)
        return made[name, student]

    return make


def refuse(result: tuple[float, str], share: float, *words: str) -> None:
    """Check what a wrong answer gets, and that the student is told why."""
    assert result[0] == pytest.approx(share)
    for word in words:
        assert word in result[1]


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_form(source: Path) -> None:
    problem_set = read_problem_set(source)
    assert problem_set.points == 100
    assert 5 <= len(problem_set.questions) <= 8
    assert any(question.by_hand for question in problem_set.questions)
    text = "\n".join(
        cell.source
        for cell in problem_set.notebook.cells
        if cell.cell_type == "markdown"
    )
    for question in problem_set.questions:
        assert f"({question.points:g} points" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_rehearsal(name: str, skip_on_laptop: Callable[[str], None]) -> None:
    """In the sandbox the solution gets all points, and the untouched release none."""
    if problem := sandbox_problem():
        skip_on_laptop(problem)
    assert main(["check", name, "--students", "1"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("student", IDS)
@pytest.mark.parametrize("name", [name for name in NAMES if name != "real_data"])
def test_solution(course: Callable[..., Course], name: str, student: str) -> None:
    here = course(name, student)
    names: dict[str, Any] = dict(here._shared)
    handed: dict[str, dict[str, Any]] = {}
    current: list[str] = []
    names["hand_in"] = lambda **answers: handed.setdefault(current[-1], answers)
    for cell in here.problem_set.notebook.cells:
        role, _, key = cell.id.partition("-")
        if role not in ("answer", "question") or cell.cell_type != "code":
            continue
        current.append(key)
        source = cell.source.split("### BEGIN HIDDEN")[0]
        exec(compile(source, f"<{cell.id}>", "exec"), names)
    for question, answers in handed.items():
        assert here.judge(question, **answers) == (1.0, "")


# ---------------------------------------------------------------- arrangements


def test_walk(course: Callable[..., Course]) -> None:
    here = course("arrangements")
    before, after = here.X_path @ here.start, here.X_path @ here.end
    times = [b / (b - a) for b, a in zip(before, after, strict=True) if a * b < 0]
    grid = np.array([0.0, *sorted(times), 1.0])
    middles = (grid[1:] + grid[:-1]) / 2
    walk = np.array([before + t * (after - before) > 0 for t in middles])
    assert here.judge("walk", walk=walk)[0] == 1
    assert here.judge("walk", walk=walk.astype(float).tolist())[0] == 1
    refuse(here.judge("walk", walk=[[True], [True, False]]), 0, "one row a cell")
    refuse(here.judge("walk", walk=walk[::-1]), 0, "first row")
    refuse(here.judge("walk", walk=walk[:, :-1]), 0, "one column a sample")
    refuse(here.judge("walk", walk=walk[[0, -1]]), 0, "exactly one sample")
    swapped = np.vstack([walk[:1], walk[:1], walk[1:]])
    refuse(here.judge("walk", walk=swapped), 0, "exactly one sample")
    back = np.vstack([walk[:2], walk])
    refuse(here.judge("walk", walk=back), 0, "in this order")


def test_witnesses(course: Callable[..., Course]) -> None:
    here = course("arrangements")
    arrangement = cnn.enumerate_patterns(here.X_int)
    directions = []
    for pattern, witness in zip(
        arrangement.patterns[:, :6], arrangement.witnesses, strict=True
    ):
        for scale in range(1, 101):
            u = np.round(scale * witness / np.abs(witness).max()).astype(int)
            products = here.X_int[:6] @ u
            if products.all() and np.array_equal(products > 0, pattern):
                directions.append(u)
                break
    right = np.array(directions)
    assert here.judge("witnesses", witnesses=right)[0] == 1
    assert here.judge("witnesses", witnesses=right.tolist())[0] == 1
    for huge in (-(2**63), 2**62, -(2**53) - 1):
        forged = np.vstack([right[:-1], [[huge, 0, 1]]])
        refuse(here.judge("witnesses", witnesses=forged), 0, "beyond 2**53")
    for large in (2**53, -(2**53), -101, 1e300, np.inf, np.nan):
        forged = np.vstack([right[:-1].astype(float), [[large, 0, 1]]])
        share, said = here.judge("witnesses", witnesses=forged)
        assert (share, bool(said)) == (0, True)
    refuse(here.judge("witnesses", witnesses=right[:-1]), 0, "there are more cells")
    refuse(
        here.judge("witnesses", witnesses=np.vstack([right, 2 * right[:1]])),
        0,
        "same cell" if np.abs(2 * right[:1]).max() <= 100 else "larger than 100",
    )
    refuse(here.judge("witnesses", witnesses=right / 3), 0, "not all integers")
    refuse(here.judge("witnesses", witnesses=101 * right), 0, "larger than 100")
    refuse(here.judge("witnesses", witnesses=0 * right), 0, "lies on a hyperplane")
    assert str(len(right)) not in here.judge("witnesses", witnesses=right[:-1])[1]


def test_walls(course: Callable[..., Course]) -> None:
    here = course("arrangements")

    def walls(X: np.ndarray, u: np.ndarray) -> list[bool]:
        """Row i is a wall if the others leave its side of the cell open."""
        inward = np.sign(X @ u)[:, None] * X
        found = []
        for row in inward:
            cosines = (
                inward @ row / np.linalg.norm(inward, axis=1) / np.linalg.norm(row)
            )
            others = inward[np.abs(cosines) < 1 - 1e-12]
            result = scipy.optimize.linprog(
                row,
                A_ub=-others if len(others) else None,
                b_ub=np.zeros(len(others)) if len(others) else None,
                bounds=(-1, 1),
            )
            found.append(result.fun < -1e-9)
        return found

    assert here.judge("walls", walls=walls)[0] == 1

    def all_rows(X: np.ndarray, u: np.ndarray) -> np.ndarray:
        return np.ones(len(X), dtype=bool)

    def forgets_parallel(X: np.ndarray, u: np.ndarray) -> list[bool]:
        unit = X / np.linalg.norm(X, axis=1, keepdims=True)
        twins = np.sum(np.abs(unit @ unit.T) > 1 - 1e-12, axis=1) > 1
        return [bool(w and not t) for w, t in zip(walls(X, u), twins, strict=True)]

    def good_without(X: np.ndarray, u: np.ndarray) -> list[bool]:
        """Is right where no rows are parallel."""
        unit = X / np.linalg.norm(X, axis=1, keepdims=True)
        parallel = np.sum(np.abs(unit @ unit.T) > 1 - 1e-12) > len(X)
        return [not wall for wall in walls(X, u)] if parallel else walls(X, u)

    refuse(here.judge("walls", walls=good_without), 0.6, "rows are parallel")
    refuse(here.judge("walls", walls=all_rows), 0, "are no walls")
    refuse(here.judge("walls", walls=lambda X, u: [1.0]), 0, "one entry a row")
    refuse(here.judge("walls", walls=lambda X, u: np.zeros(len(X), bool)), 0, "misses")
    # parallel rows are walls together; that some of the cases test this is not certain
    # for every id, so a miss is looked for among several
    shares = [
        course("arrangements", student).judge("walls", walls=forgets_parallel)[0]
        for student in ("ada", "emmy", "noether", "lovelace")
    ]
    assert min(shares) == 0.6


def test_n_draws(course: Callable[..., Course]) -> None:
    here = course("arrangements")
    arrangement = cnn.enumerate_patterns(here.X_flat)
    shares = []
    for pattern in arrangement.patterns:
        signed = np.where(pattern, 1.0, -1.0)[:, None] * here.X_flat
        turned = np.column_stack([-signed[:, 1], signed[:, 0]])
        edges = np.vstack([turned, -turned])
        edges = edges[(edges @ signed.T >= -1e-12).all(axis=1)]
        edges = edges / np.linalg.norm(edges, axis=1, keepdims=True)
        shares.append(
            math.acos(np.clip((edges @ edges.T).min(), -1, 1)) / (2 * math.pi)
        )
    assert sum(shares) == pytest.approx(1)
    high = 1.0
    while np.sum(np.exp(high * np.log1p(-np.array(shares)))) > 0.5:
        high *= 2
    n = math.ceil(
        scipy.optimize.brentq(
            lambda k: np.sum(np.exp(k * np.log1p(-np.array(shares)))) - 0.5, 0, high
        )
    )
    assert here.judge("n_draws", n_draws=n)[0] == 1
    refuse(here.judge("n_draws", n_draws=n + 1), 0, "not the smallest")
    refuse(here.judge("n_draws", n_draws=n - 1), 0, "not below")
    for junk in ("7", None, 3.5, math.nan, -1, [n]):
        refuse(here.judge("n_draws", n_draws=junk), 0, "positive integer")


def test_splits(course: Callable[..., Course]) -> None:
    here = course("arrangements")
    s, t = here.points.astype(float).T
    lifted = np.column_stack([s * t, t**2, s**2, 2 * s, 2 * t, np.ones(10)])
    right = len(cnn.enumerate_patterns(lifted))
    n = 6
    while sum(math.comb(n - 1, k) for k in range(6)) * 2 / 2**n >= here.percent / 100:
        n += 1
    assert here.judge("splits", n_splits=right, n_rare=n)[0] == 1
    wrong = cnn.cover_count(10, 6)
    refuse(here.judge("splits", n_splits=wrong, n_rare=n), 0.5, "general position")
    refuse(here.judge("splits", n_splits=right, n_rare=n + 1), 0.5, "not the smallest")
    for junk in (n - 1, 1, 0, -3, 2.5, math.inf, math.nan, "a", None):
        refuse(here.judge("splits", n_splits=right, n_rare=junk), 0.5, "dimension")
    # lines instead of conics
    lines = cnn.count_patterns(np.column_stack([here.points, np.ones(10)]))
    refuse(here.judge("splits", n_splits=lines, n_rare=n), 0.5, "not the number")


@pytest.mark.parametrize("student", ["ada", "emmy", "noether"])
def test_matrices(course: Callable[..., Course], student: str) -> None:
    here = course("arrangements", student)
    draw = np.random.default_rng(0)
    found: dict[int, np.ndarray] = {}
    while not set(here.targets) <= set(found):
        Z = draw.integers(-1, 2, (6, 3))
        if all(np.cross(Z[i], Z[j]).any() for i, j in combinations(range(6), 2)):
            found[cnn.count_patterns(Z)] = Z
        Z = draw.integers(-2, 3, (6, 3)) * draw.integers(0, 2, (6, 3))
        if all(np.cross(Z[i], Z[j]).any() for i, j in combinations(range(6), 2)):
            found[cnn.count_patterns(Z)] = Z
    right = [found[target] for target in here.targets]
    assert here.judge("matrices", matrices=right)[0] == 1
    refuse(here.judge("matrices", matrices=right[::-1]), 0, "open cells instead")
    parallel = right[0].copy()
    parallel[1] = -2 * parallel[0]
    refuse(here.judge("matrices", matrices=[parallel, right[1]]), 0.5, "parallel")
    flat = np.column_stack([np.arange(6), np.ones(6), np.zeros(6)])
    refuse(here.judge("matrices", matrices=[right[0], flat]), 0.5, "rank")
    refuse(here.judge("matrices", matrices=[right[0], right[1] / 3]), 0.5, "integers")
    refuse(here.judge("matrices", matrices=[right[0], np.eye(3)]), 0.5, "shape")
    refuse(here.judge("matrices", matrices=None), 0, "list of two")


# ---------------------------------------------------------- convex_equivalence


@pytest.mark.slow
def test_between(course: Callable[..., Course]) -> None:
    here = course("convex_equivalence")
    problem = cnn.TrainingProblem(here.X_path, here.y_path, 1.0)
    path = cnn.solution_path(problem, [here.beta_high, here.beta_low], tol=1e-8)
    (high, low), (b_high, b_low) = path.values, path.betas
    lower = low + (high - low) * (here.beta_middle - b_low) / (b_high - b_low)
    upper = min(
        solution.value + (here.beta_middle - beta) * solution.network.penalty()
        for solution, beta in zip(path.solutions, path.betas, strict=True)
    )
    assert here.judge("between", lower=lower, upper=upper)[0] == 1
    refuse(
        here.judge("between", lower=low, upper=high), 0, "not the best", "not the one"
    )
    refuse(here.judge("between", lower=upper, upper=lower), 0, "larger than upper")
    refuse(here.judge("between", lower=upper, upper=high), 0, "no lower bound")
    refuse(here.judge("between", lower=low, upper=lower), 0, "no upper bound")
    refuse(here.judge("between", lower=math.nan, upper=upper), 0, "two numbers")


def test_huber(course: Callable[..., Course]) -> None:
    here = course("convex_equivalence")

    def numerical(X: np.ndarray, y: np.ndarray, beta: float, lam: np.ndarray) -> float:
        if not np.any(lam):
            return 0.0
        largest = 1 / np.abs(lam).max()
        if np.any(X):
            height = max(cnn.zonotope_distance(X, lam).value, 1e-12)
            largest = min(largest, beta / height)

        def conjugate(tau: float) -> float:
            # sup over z of -tau lam^T z - l(z, y), entry by entry on a fine grid, then
            # exactly: the supremum is at z - y = -tau lam for |tau lam| <= 1
            v = -tau * lam
            return float(np.sum(v * (y + v) - v**2 / 2))

        best = scipy.optimize.minimize_scalar(
            conjugate, bounds=(0, largest), method="bounded", options={"xatol": 1e-12}
        )
        return float(max(-best.fun, -conjugate(largest), 0.0))

    assert here.judge("huber_bound", huber_bound=numerical)[0] == 1

    def squared(X: np.ndarray, y: np.ndarray, beta: float, lam: np.ndarray) -> float:
        """The bound of the squared loss: it forgets that |lam_i| <= 1."""
        if not np.any(lam):
            return 0.0
        height = cnn.dual_norm(X, lam)[0] if np.any(X) else 0.0
        tau = max(y @ lam / (lam @ lam), 0)
        tau = min(tau, beta / height) if height else tau
        return float(tau * y @ lam - tau**2 * lam @ lam / 2)

    def unscaled(X: np.ndarray, y: np.ndarray, beta: float, lam: np.ndarray) -> float:
        return float(y @ lam - lam @ lam / 2)

    def timid(X: np.ndarray, y: np.ndarray, beta: float, lam: np.ndarray) -> float:
        return 0.0

    refuse(
        here.judge("huber_bound", huber_bound=squared),
        0,
        "does not follow",
        "where is the",
    )
    refuse(here.judge("huber_bound", huber_bound=unscaled), 0, "lam")
    refuse(here.judge("huber_bound", huber_bound=timid), 0, "better bound")
    refuse(
        here.judge("huber_bound", huber_bound=lambda X, y, b, lam: math.nan),
        0,
        "finite number",
    )


@pytest.mark.slow
def test_huber_bound_is_a_bound() -> None:
    """Weak duality for Huber's loss holds for networks found by descent."""
    draw = np.random.default_rng(1)
    X, y, beta = draw.standard_normal((6, 2)), 2 * draw.standard_normal(6), 0.3

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        W1, w2 = theta[:16].reshape(2, 8), theta[16:]
        Z = np.maximum(X @ W1, 0)
        t = Z @ w2 - y
        loss = np.where(np.abs(t) <= 1, t**2 / 2, np.abs(t) - 0.5).sum()
        g = np.clip(t, -1, 1)
        slope = np.concatenate([(X.T @ ((Z > 0) * np.outer(g, w2))).ravel(), Z.T @ g])
        return float(loss + beta / 2 * np.sum(theta**2)), slope + beta * theta

    least = min(
        scipy.optimize.minimize(objective, draw.standard_normal(24), jac=True).fun
        for _ in range(20)
    )
    best = 0.0
    for _ in range(500):
        lam = np.clip(y + draw.standard_normal(6), -1, 1)
        height = cnn.dual_norm(X, lam)[0]
        tau = min(1, beta / height, max(y @ lam / (lam @ lam), 0))
        best = max(best, tau * (y @ lam) - tau**2 * (lam @ lam) / 2)
    assert 0.5 * least < best <= least


def test_better(course: Callable[..., Course]) -> None:
    here = course("convex_equivalence")
    problem = cnn.TrainingProblem(here.X_missed, here.y_missed, 0.2)
    old = here.network_missed
    residual = here.y_missed - old.predict(here.X_missed)
    # a violation found by random search, and descent from a small neuron along it
    draw = np.random.default_rng(0).standard_normal((20_000, 3))
    draw /= np.linalg.norm(draw, axis=1, keepdims=True)
    heights = np.maximum(draw @ here.X_missed.T, 0) @ residual
    u = draw[np.argmax(np.abs(heights))]
    sign = np.sign(heights[np.argmax(np.abs(heights))])
    start = cnn.ReLUNetwork(
        np.column_stack([old.W1, 0.1 * u]), np.append(old.w2, 0.1 * sign)
    )
    better = cnn.settle(start, problem).network
    assert here.judge("better", witness=u, better=better)[0] == 1
    refuse(here.judge("better", witness=-u, better=old), 0, "1.0000 times")
    inside = cnn.dual_norm(here.X_missed, residual)[1]
    refuse(here.judge("better", witness=2 * inside, better=better), 0.6, "at most 1")
    refuse(here.judge("better", witness=0.01 * u, better=better), 0.6, "no violation")
    wide = better.split(0, np.full(old.width + 2, 1 / (old.width + 2)))
    refuse(here.judge("better", witness=u, better=wide), 0.4, "neurons and")
    refuse(here.judge("better", witness="u", better=3.0), 0, "not a network")


def test_y_line(course: Callable[..., Course]) -> None:
    here = course("convex_equivalence")
    zigzag = np.array([0.0, 1.0, 0.0, 1.0, 0.0])
    assert here.judge("y_line", y_line=zigzag, beta_line=2e-4)[0] == 1
    refuse(
        here.judge("y_line", y_line=[0.1, 0.2, 0.3, 0.4, 0.5], beta_line=1e-3),
        0,
        "an optimal network with",
    )
    refuse(here.judge("y_line", y_line=zigzag, beta_line=100.0), 0, "zero network")
    refuse(here.judge("y_line", y_line=0 * zigzag, beta_line=0.1), 0, "zero network")
    refuse(here.judge("y_line", y_line=5 * zigzag, beta_line=0.1), 0, "between")
    refuse(here.judge("y_line", y_line=zigzag, beta_line=1e-6), 0, "at least 1e-4")
    refuse(here.judge("y_line", y_line=zigzag[:4], beta_line=1e-3), 0, "five")


@pytest.mark.slow
def test_absolute(course: Callable[..., Course]) -> None:
    here = course("convex_equivalence")
    X, y = here.X_abs, here.y_abs
    both = np.vstack([X, -X])
    columns, lam, c = [], y, np.zeros(0)
    # add the neuron that violates the dual constraint most, and fit all again
    for _ in range(60):
        height, u = cnn.dual_norm(both, np.tile(lam, 2))
        if height <= 0.1 * (1 + 1e-7):
            break
        columns.append((np.sign(lam @ np.abs(X @ u)), u))
        A = np.column_stack([s * np.abs(X @ v) for s, v in columns])
        c = scipy.optimize.minimize(
            lambda c, A=A: (
                np.sum((A @ c - y) ** 2) / 2 + 0.1 * c.sum(),
                A.T @ (A @ c - y) + 0.1,
            ),
            np.append(c, 0.0),
            jac=True,
            bounds=[(0, None)] * len(columns),
            options={"maxiter": 10_000, "ftol": 1e-16, "gtol": 1e-10},
        ).x
        lam = y - A @ c
    W = np.column_stack([v for _, v in columns]) * np.sqrt(c)
    w = np.array([s for s, _ in columns]) * np.sqrt(c)
    tight = lam * min(1, 0.1 / cnn.dual_norm(both, np.tile(lam, 2))[0])
    assert here.judge("absolute", W_abs=W, w_abs=w, lam_abs=tight)[0] == 1
    relu = cnn.solve(cnn.TrainingProblem(X, y, 0.1))
    refuse(
        here.judge(
            "absolute", W_abs=relu.network.W1, w_abs=relu.network.w2, lam_abs=tight
        ),
        0.4,
        "relative gap",
    )
    refuse(
        here.judge("absolute", W_abs=W, w_abs=w, lam_abs=3 * tight),
        0,
        "not feasible",
        "no certificate",
    )
    refuse(
        here.judge("absolute", W_abs=W, w_abs=w, lam_abs=0 * lam), 0, "proves nothing"
    )
    refuse(here.judge("absolute", W_abs=W.T, w_abs=w, lam_abs=lam), 0, "shapes")


# ------------------------------------------------------------------- landscape


def test_kinds(course: Callable[..., Course]) -> None:
    here = course("landscape")
    problem = here.problem_kinds
    kinds = []
    for network in here.networks:
        if cnn.certify(network, problem).relative_gap < 1e-8:
            kinds.append("global")
        elif not cnn.clarke_residual(network, problem).stationary:
            kinds.append("not stationary")
        else:  # a local minimum with a zero neuron is global
            zero = np.any(network.w2 == 0)
            kinds.append("saddle" if zero else "local minimum")
    assert sorted(kinds) == [
        "global",
        "global",
        "local minimum",
        "not stationary",
        "saddle",
    ]
    assert here.judge("kinds", kinds=kinds)[0] == 1
    turned = [
        {"saddle": "local minimum", "local minimum": "saddle"}.get(kind, kind)
        for kind in kinds
    ]
    refuse(here.judge("kinds", kinds=turned), 0.6, "Which theorem")
    refuse(here.judge("kinds", kinds=["global"] * 5), 0.4, "certificate")
    refuse(here.judge("kinds", kinds=["minimum", *kinds[1:]]), 0.8, "none of the four")
    refuse(here.judge("kinds", kinds="global"), 0, "list of five")


def test_ties(course: Callable[..., Course]) -> None:
    here = course("landscape")
    X, w = here.problem_ties.X, here.network_ties.W1[:, 0]
    g = here.network_ties.predict(X) - here.problem_ties.y
    right = np.linalg.solve((X[:2] * g[:2, None])[:, 1:].T, -(w + X[2:].T @ g[2:])[1:])
    # the kink with g_i < 0 is concave: descend to one of its sides
    steps = []
    for i in np.flatnonzero(g[:2] < 0):
        for side in (1.0, -1.0):
            aside = side * np.linalg.solve(X[:2, 1:], np.eye(2)[i])
            steps.append((np.append(0.0, aside)[:, None], np.zeros(1)))
    slopes = [
        cnn.directional_derivative(here.network_ties, here.problem_ties, step)
        for step in steps
    ]
    descent = steps[int(np.argmin(slopes))]
    assert here.judge("ties", activations=right, descent=descent)[0] == 1
    ascent = (-here.network_ties.W1, np.zeros(1))
    refuse(
        here.judge("ties", activations=[1.0, 1.0], descent=ascent),
        0,
        "leaves a residual",
        "the slope is",
    )
    refuse(here.judge("ties", activations=[2, 0], descent=descent), 8 / 15, "between 0")
    for junk in (None, [0.5], ["a", "b"], [math.nan, 0.5]):
        refuse(
            here.judge("ties", activations=junk, descent=descent), 8 / 15, "two finite"
        )
    for junk in (None, [1, 2], (np.zeros(3), np.zeros(1))):
        refuse(
            here.judge("ties", activations=right, descent=junk),
            7 / 15,
            "pair of arrays",
        )
    still = (np.zeros((3, 1)), np.zeros(1))
    refuse(here.judge("ties", activations=right, descent=still), 7 / 15, "is zero")


def heights_of_one_neuron(here: Course, angles: np.ndarray, sign: float) -> np.ndarray:
    """Return the least objective of a neuron with given directions, in closed form."""
    directions = np.stack([np.cos(angles), np.sin(angles)])
    features = np.maximum(here.X_one @ directions, 0)
    gain = np.maximum(sign * here.y_one @ features - here.beta_one, 0)
    squares = np.maximum(np.sum(features**2, axis=0), 1e-300)
    return here.y_one @ here.y_one / 2 - gain**2 / squares / 2


@pytest.mark.parametrize("student", IDS)
def test_minima(course: Callable[..., Course], student: str) -> None:
    here = course("landscape", student)
    # the local minima of a function of one angle and a sign, on a grid, then refined
    angles = np.linspace(0, 2 * np.pi, 20_001)[:-1]
    minima = []
    for sign in (1.0, -1.0):
        heights = heights_of_one_neuron(here, angles, sign)
        lower = (heights < np.roll(heights, 1)) & (heights < np.roll(heights, -1))
        for k in np.flatnonzero(lower):
            fine = angles[k] + np.linspace(-4e-4, 4e-4, 80_001)
            minima.append(heights_of_one_neuron(here, fine, sign).min())
    right = sorted(minima)
    assert here.judge("minima", minima=right)[0] == 1
    assert len(right) > 1
    assert here.judge("minima", minima=right[::-1])[0] == 1
    assert here.judge("minima", minima=np.round(right, 8))[0] == 1

    def share(right_ones: int, wrong_ones: int) -> float:
        """Return the share of the points, which are rounded down to halves."""
        points = 20 * max(right_ones - wrong_ones, 0) / len(right)
        return math.floor(2 * points) / 40

    count = len(right)
    missing = here.judge("minima", minima=right[:-1])
    refuse(missing, share(count - 1, 0), "at least one", "missing")
    refuse(here.judge("minima", minima=right[:1]), share(1, 0), "at least one")
    refuse(here.judge("minima", minima=[*right, right[0] * (1 + 1e-7)]), 0, "same")
    refuse(here.judge("minima", minima=[]), 0, "list of numbers")
    refuse(here.judge("minima", minima=[math.nan]), 0, "not finite")
    # the optimum over a cone that the neuron leaves
    problem = cnn.TrainingProblem(here.X_one, here.y_one, here.beta_one)
    others = [
        cnn.solve(problem, pattern[None]).value
        for pattern in cnn.enumerate_patterns(here.X_one).patterns
    ]
    extra = next(v for v in others if np.min(np.abs(np.array(right) / v - 1)) > 1e-3)
    one_more = here.judge("minima", minima=sorted([*right, extra]))
    refuse(one_more, share(count, 1), "leave its cone")
    guesses = np.linspace(right[0] * 0.9, right[-1] * 1.1, 5000)
    many = here.judge("minima", minima=guesses[np.diff(guesses, append=1e9) > 0])
    assert many[0] == 0


@pytest.mark.slow
def test_road(course: Callable[..., Course]) -> None:
    here = course("landscape")

    def slow_start(W1, w2, V1, v2, t):
        """Balance is not needed, and the outputs may move at any speed."""
        s = t**2
        here_, there = np.sqrt(1 - s), np.sqrt(s)
        return np.column_stack([here_ * W1, there * V1]), np.append(
            here_ * w2, there * v2
        )

    assert here.judge("road", road=slow_start)[0] == 1

    def straight(W1, w2, V1, v2, t):
        return np.column_stack([(1 - t) * W1, t * V1]), np.append((1 - t) * w2, t * v2)

    def jump(W1, w2, V1, v2, t):
        return slow_start(W1, w2, V1, v2, float(t >= 0.5))

    def narrow(W1, w2, V1, v2, t):
        return W1, w2

    def away(W1, w2, V1, v2, t):
        return slow_start(W1, w2, V1, v2, 0.9 * t)

    def steps(count: int) -> Callable[..., Any]:
        return lambda W1, w2, V1, v2, t: slow_start(
            W1, w2, V1, v2, np.sqrt(np.round(t * count) / count)
        )

    def between(W1, w2, V1, v2, t):
        """Be right at the moments of a grid only."""
        return slow_start(W1, w2, V1, v2, abs(t - 0.3 * np.sin(50 * np.pi * t) ** 2))

    def fast_start(W1, w2, V1, v2, t):
        return slow_start(W1, w2, V1, v2, t**0.25)

    def in_turns(W1, w2, V1, v2, t):
        """Rest, and go fast in between."""
        return slow_start(W1, w2, V1, v2, np.clip(3 * t - 1, 0, 1))

    for right in (fast_start, in_turns):
        assert here.judge("road", road=right)[0] == 1
    refuse(here.judge("road", road=straight), 0.2, "rises by")
    refuse(here.judge("road", road=between), 0.2, "rises by")
    for jumping in (jump, steps(3), steps(8), steps(20)):
        refuse(here.judge("road", road=jumping), 0.7, "jumps")
    refuse(here.judge("road", road=narrow), 0, "(d, m + m*)")
    refuse(here.judge("road", road=away), 0, "t = 1")
    refuse(here.judge("road", road=lambda *arguments: None), 0, "pair of arrays")


@pytest.mark.parametrize("student", IDS)
def test_opinions(course: Callable[..., Course], student: str) -> None:
    import cvxpy as cp

    here = course("landscape", student)
    problem, x_new = here.problem_polygon, here.x_new
    solution = cnn.solve(problem, tol=1e-10)
    fit = solution.network.predict(problem.X)
    # with the new input among the rows, its output is linear on the cones, too
    patterns = cnn.enumerate_patterns(np.vstack([problem.X, x_new])).patterns
    rows = np.vstack([problem.X, x_new])
    found = []
    for aim in (1.0, -1.0):
        u = [[cp.Variable(2) for _ in patterns] for _ in range(2)]
        outputs = sum(
            cp.multiply(p.astype(float), rows @ (a - b))
            for p, a, b in zip(patterns, *u, strict=True)
        )
        cost = sum(cp.norm(v) for part in u for v in part)
        limits = [outputs[:-1] == fit, cost <= solution.network.penalty() * (1 + 1e-7)]
        for part in u:
            for p, v in zip(patterns, part, strict=True):
                limits.append(cp.multiply(np.where(p, 1.0, -1.0), rows @ v) >= 0)
        cp.Problem(cp.Maximize(aim * outputs[-1]), limits).solve(solver="CLARABEL")
        parts = [np.array([v.value for v in part]) for part in u]
        found.append(cnn.ReLUNetwork.from_convex(*parts))
    assert here.judge("opinions", high=found[0], low=found[1])[0] == 1
    refuse(here.judge("opinions", high=found[1], low=found[0]), 1 / 3, "differ by more")
    one = solution.network
    refuse(here.judge("opinions", high=one, low=one), 1 / 3, "differ by 0,")
    worse = cnn.ReLUNetwork(1.01 * one.W1, one.w2)
    refuse(here.judge("opinions", high=worse, low=one), 0, "relative gaps")
    refuse(here.judge("opinions", high=1, low=one), 0, "two networks")


# ------------------------------------------------------------------ max_margin


def test_moment(course: Callable[..., Course]) -> None:
    from scipy.integrate import solve_ivp

    here = course("max_margin")
    x, target = here.x_single, here.output_single

    def output(t: float, theta: np.ndarray) -> float:
        return float(max(x @ theta[:2], 0) * theta[2])

    def flow(t: float, theta: np.ndarray) -> np.ndarray:
        weight = 1 / (1 + np.exp(output(t, theta)))
        return weight * np.append(theta[2] * x, max(x @ theta[:2], 0))

    def reached(t: float, theta: np.ndarray) -> float:
        return output(t, theta) - target

    reached.terminal = True
    start = np.append(here.w1_start, here.w2_start)
    end = solve_ivp(flow, (0, 1e4), start, events=reached, rtol=1e-11, atol=1e-12)
    w1, w2 = end.y[:2, -1], float(end.y[2, -1])
    assert here.judge("moment", w1_then=w1, w2_then=w2)[0] == 1
    refuse(here.judge("moment", w1_then=w1, w2_then=-w2), 0, "output")
    length = np.sqrt(target / np.linalg.norm(x))  # as if it had started at zero
    along = length * x / np.linalg.norm(x)
    refuse(here.judge("moment", w1_then=along, w2_then=length), 0, "direction")
    a = x @ here.w1_start
    refuse(
        here.judge("moment", w1_then=here.w1_start, w2_then=target / a), 0, "conserves"
    )
    refuse(here.judge("moment", w1_then="w", w2_then=w2), 0, "vector of two")
    refuse(here.judge("moment", w1_then=w1 * math.nan, w2_then=w2), 0, "not finite")


def test_margin(course: Callable[..., Course]) -> None:
    here = course("max_margin")
    X, y = here.X_margin, here.y_margin
    problem = cnn.TrainingProblem(X, y, 1.0, "hard_margin")
    solution = cnn.solve(problem, method="cvxpy", tol=1e-8)
    lam = y * np.maximum(y * solution.dual, 0)
    lam *= (1 - 1e-9) / cnn.dual_norm(X, lam)[0]
    root = np.sqrt(np.min(y * solution.network.predict(X)) * (1 - 1e-9))
    network = cnn.ReLUNetwork(solution.network.W1 / root, solution.network.w2 / root)
    assert here.judge("margin", separator=network, lam_margin=lam)[0] == 1
    refuse(
        here.judge("margin", separator=network, lam_margin=2 * lam), 0, "M(lambda) = 2"
    )
    refuse(here.judge("margin", separator=network, lam_margin=-lam), 0, "negative")
    refuse(here.judge("margin", separator=network, lam_margin=0 * lam), 0, "no lower")
    long = cnn.ReLUNetwork(1.1 * network.W1, network.w2)
    refuse(here.judge("margin", separator=long, lam_margin=lam), 0.4, "relative width")
    weak = cnn.ReLUNetwork(0.9 * network.W1, network.w2)
    refuse(here.judge("margin", separator=weak, lam_margin=lam), 0.4, "smallest margin")
    refuse(here.judge("margin", separator=None, lam_margin=lam), 0.4, "not a network")
    refuse(here.judge("margin", separator=network, lam_margin=lam[:3]), 0, "eight")


@pytest.mark.parametrize("student", IDS)
def test_endings(course: Callable[..., Course], student: str) -> None:
    here = course("max_margin", student)

    def by_runs(X: np.ndarray, y: np.ndarray, s: float) -> tuple[float, float]:
        """Follow every run of rises, and every run of falls backwards, on a grid."""
        grid = 2 * np.pi * np.arange(100_000) / 100_000
        h = s * y @ np.maximum(X @ np.stack([np.cos(grid), np.sin(grid)]), 0)
        rise = np.sign(np.round(np.roll(h, -1) - h, 13)).astype(int)
        lost, best = float(np.mean(rise == 0)), 0.0
        for sign in (1, -1):
            for i in np.flatnonzero((rise == sign) & (np.roll(rise, sign) != sign)):
                count, j = 0, i
                while rise[j] == sign:
                    count, j = count + 1, (j + sign) % len(h)
                end = h[j] if sign > 0 else h[(j + 1) % len(h)]
                if end <= 1e-7:
                    lost += count / len(h)
                elif end >= h.max() - 1e-7:
                    best += count / len(h)
        return lost, best

    assert here.judge("endings", endings=by_runs)[0] == 1

    def fixed_activations(
        X: np.ndarray, y: np.ndarray, s: float
    ) -> tuple[float, float]:
        return 0.5, 0.5

    def only_plateau(X: np.ndarray, y: np.ndarray, s: float) -> tuple[float, float]:
        """Count the dead cell as lost, and nothing that flows into it."""
        angles = 2 * np.pi * np.arange(100_000) / 100_000
        u = np.stack([np.cos(angles), np.sin(angles)])
        return float(np.mean((X @ u <= 0).all(axis=0))), by_runs(X, y, s)[1]

    refuse(here.judge("endings", endings=fixed_activations), 0, "is wrong")
    refuse(here.judge("endings", endings=only_plateau), 0, "`lost` is wrong")
    refuse(
        here.judge("endings", endings=lambda X, y, s: by_runs(X, y, -s)), 0, "is wrong"
    )
    refuse(here.judge("endings", endings=lambda X, y, s: None), 0, "pair of two")


@pytest.mark.slow
@pytest.mark.parametrize("student", IDS)
def test_trap(course: Callable[..., Course], student: str) -> None:
    here = course("max_margin", student)
    draw = np.random.default_rng(0)
    X = here.X_trap
    # neurons that see one sample of their own sign only, wherever in these cones
    columns: list[np.ndarray] = []
    signs: list[float] = []
    while len(columns) < 9 or set(signs[-3:]) == {0}:
        w = draw.standard_normal(3)
        w /= 4 * np.linalg.norm(w)
        own = [(True, False), (False, True), (False, False)][len(columns) % 3]
        seen = X @ w > 0.02
        if tuple(seen[:2]) != own or (len(columns) % 3 == 2) != seen[2]:
            continue
        if all(w @ c < 0.99 * np.linalg.norm(c) / 4 for c in columns):
            columns.append(w)
            signs.append(-1.0 if len(columns) % 3 == 0 else 1.0)
    W1 = np.array(columns).T
    trap = cnn.ReLUNetwork(W1, np.linalg.norm(W1, axis=0) * signs)
    assert here.judge("trap", trap=trap)[0] == 1
    if student != IDS[0]:
        return
    random = cnn.ReLUNetwork(*(draw.standard_normal(shape) for shape in ((3, 12), 12)))
    unit = random.W1 / np.linalg.norm(random.W1, axis=0)
    free = cnn.ReLUNetwork(0.01 * unit, 0.01 * np.sign(random.w2))
    refuse(here.judge("trap", trap=free), 0, "times the best cost")
    positive = cnn.ReLUNetwork(trap.W1, np.abs(trap.w2))
    refuse(here.judge("trap", trap=positive), 0, "does not separate")
    split = trap.split(0, [0.5, 0.5])
    refuse(here.judge("trap", trap=split), 0, "less than 5 degrees")
    narrow = cnn.ReLUNetwork(trap.W1[:, :3], trap.w2[:3])
    refuse(here.judge("trap", trap=narrow), 0, "3 neurons")
    uneven = cnn.ReLUNetwork(trap.W1, 2 * trap.w2)
    refuse(here.judge("trap", trap=uneven), 0, "not balanced")
    large = cnn.ReLUNetwork(9 * trap.W1, 9 * trap.w2)
    refuse(here.judge("trap", trap=large), 0, "too long")
    refuse(here.judge("trap", trap=[1]), 0, "not a network")


@pytest.mark.parametrize("student", IDS)
def test_stuck(course: Callable[..., Course], student: str) -> None:
    here = course("max_margin", student)
    X, y = here.X_stuck, here.y_stuck
    # pairs of opposite samples with opposite labels, and a dependence of them
    pairs = [
        (i, j)
        for i, j in combinations(range(10), 2)
        if y[i] != y[j] and not np.cross(X[i], X[j]).any() and X[i] @ X[j] < 0
    ]
    assert len(pairs) == 4
    vectors = np.array([y[i] * X[i] for i, _ in pairs]).T
    weights = np.abs(np.linalg.svd(vectors)[2][-1])
    lam = np.zeros(10)
    for (i, j), weight in zip(pairs, weights, strict=True):
        ratio = np.linalg.norm(X[i]) / np.linalg.norm(X[j])
        lam[i], lam[j] = y[i] * weight, y[j] * weight * ratio
    lam /= np.abs(lam).max()
    flip = pairs[0][1]
    labels = np.where(np.arange(10) == flip, -y, y)
    network = cnn.max_margin(X, labels).network
    rescued = cnn.ReLUNetwork(1.1 * network.W1, 1.1 * network.w2)
    assert here.judge("stuck", lam_stuck=lam, flip=flip, rescued=rescued)[0] == 1

    def judge(**changed: Any) -> tuple[float, str]:
        answers = {"lam_stuck": lam, "flip": flip, "rescued": rescued}
        return here.judge("stuck", **(answers | changed))

    refuse(judge(lam_stuck=y), 7 / 15, "lambda^T (Xu)_+")
    refuse(judge(lam_stuck=-lam), 7 / 15, "negative")
    refuse(judge(lam_stuck=0 * lam), 7 / 15, "absolute value 1")
    refuse(judge(lam_stuck="lam"), 7 / 15, "ten finite numbers")
    refuse(judge(flip=pairs[0][0]), 8 / 15, "smallest margin")
    refuse(judge(rescued=network.split(0, [1.0]), flip=10), 8 / 15, "from 0 to 9")
    half = cnn.ReLUNetwork(network.W1 / 2, network.w2)
    refuse(judge(rescued=half), 8 / 15, "smallest margin")


# ------------------------------------------------------------------- real_data


def test_line(course: Callable[..., Course]) -> None:
    here = course("real_data")
    X, y = here.X_train, here.y_train
    prices = np.where(y < 0, 5, 1)

    def cost_of(u: np.ndarray) -> int:
        return int(prices @ ((X @ u > 0) != (y > 0)))

    # the best split is made by a line through two samples, moved a little
    best, line = 999, np.zeros(3)
    for i, j in combinations(range(60), 2):
        normal = np.cross(X[i], X[j])
        normal /= np.linalg.norm(normal)
        for sides in ([1, 1], [1, -1], [-1, 1], [-1, -1]):
            moved = 1e-7 * np.linalg.lstsq(X[[i, j]], np.array(sides), rcond=None)[0]
            for u in (normal + moved, -normal + moved):
                if cost_of(u) < best:
                    best, line = cost_of(u), u
    assert here.judge("line", line=line, cost=best)[0] == 1
    refuse(here.judge("line", line=line, cost=best + 1), 0, "not what you say")
    usual = np.linalg.lstsq(X, y, rcond=None)[0]
    refuse(here.judge("line", line=usual, cost=cost_of(usual)), 0, "costs less")
    wrong = (cnn.enumerate_patterns(X).patterns != (y > 0)).sum(axis=1)
    fewest = cnn.enumerate_patterns(X).witnesses[np.argmin(wrong)]
    refuse(
        here.judge("line", line=fewest, cost=int(wrong.min())), 0, "not what you say"
    )
    refuse(here.judge("line", line=0 * line, cost=0), 0, "on your line")
    refuse(here.judge("line", line=[1, 2], cost=0), 0, "three finite")


def test_trained(course: Callable[..., Course]) -> None:
    here = course("real_data")
    X, y = here.X_train, here.y_train
    problem = cnn.TrainingProblem(X, y, 0.3, "logistic")
    model = cnn.ConvexReLUClassifier(beta=0.3, fit_intercept=False, tol=1e-5)
    model.fit(X, y)
    certified = model.network_
    assert here.judge("certified", certified=certified)[0] == 1
    local = cnn.find_stationary_points(problem, 2, n_starts=1, seed=0)[0].network
    refuse(here.judge("certified", certified=local), 0, "relative gap")
    refuse(here.judge("certified", certified=None), 0, "not a network")

    # the steepest place, by the gradients in the cells around crossings of the lines
    W, w = certified.W1, certified.w2
    points = [
        np.cross(W[:, i], W[:, j]) for i, j in combinations(range(certified.width), 2)
    ]
    points = [p[:2] / p[2] for p in points if abs(p[2]) > 1e-12]
    turns = 2 * np.pi * np.arange(720) / 720
    circle = np.column_stack([np.cos(turns), np.sin(turns)])
    tries = np.vstack([p + 1e-5 * circle for p in points] + [1e6 * circle])
    lifted = np.column_stack([tries, np.ones(len(tries))])
    slopes = ((lifted @ W > 0) * w) @ W[:2].T
    norms = np.linalg.norm(slopes, axis=1)
    L = float(norms.max())
    room = np.min(np.abs(lifted @ W) / np.linalg.norm(W[:2], axis=0), axis=1)
    top = int(np.argmax(np.where(norms > L * (1 - 1e-9), room, -1)))
    pair = [tries[top], tries[top] + 2e-6 * slopes[top] / L]
    safe = int(np.sum(here.y_valid * certified.predict(here.X_valid) > 0.1 * L))

    def judge(**changed: Any) -> tuple[float, str]:
        answers = {"audited": certified, "lipschitz": L, "pair": pair, "n_safe": safe}
        return here.judge("lipschitz", **(answers | changed))

    assert judge()[0] == 1, judge()
    product = float(np.sum(np.abs(w) * np.linalg.norm(W, axis=0)))
    assert norms.min() < L < product
    refuse(judge(lipschitz=float(norms.min())), 0.6, "too small")
    refuse(judge(lipschitz=product), 0.6, "upper bound")
    refuse(judge(pair=[pair[0], pair[0]]), 0.7, "closer")
    refuse(judge(pair=[[0, 0], [5, 5]]), 0.7, "at the rate")
    refuse(judge(pair=3), 0.7, "not a pair")
    refuse(judge(n_safe=120), 0.7, "n_safe")
    refuse(judge(audited=local), 0, "relative gap")


@pytest.mark.slow
def test_chosen(course: Callable[..., Course]) -> None:
    here = course("real_data")
    X, y = here.X_train, here.y_train
    problem = cnn.TrainingProblem(X, y, 1.0, "logistic")
    path = cnn.solution_path(problem, here.betas[::-1])
    networks = [solution.network for solution in path.solutions][::-1]
    losses = [
        float(cnn.Logistic().value(net.predict(here.X_valid), here.y_valid))
        for net in networks
    ]
    k = int(np.argmin(losses))
    right = {
        "beta_chosen": here.betas[k],
        "chosen": networks[k],
        "valid_losses": losses,
    }
    assert here.judge("chosen", **right)[0] == 1
    other = (k + 2) % 5
    refuse(
        here.judge("chosen", **(right | {"beta_chosen": here.betas[other]})),
        0.4,
        "relative gap",
        "another beta",
    )
    mean = [loss / 120 for loss in losses]
    refuse(here.judge("chosen", **(right | {"valid_losses": mean})), 0.6, "5 of your")
    refuse(here.judge("chosen", **(right | {"beta_chosen": 0.2})), 0, "one of betas")
    refuse(here.judge("chosen", **(right | {"valid_losses": 1.0})), 0, "five numbers")


@pytest.mark.slow
def test_small(course: Callable[..., Course]) -> None:
    here = course("real_data")
    problem = cnn.TrainingProblem(here.X_train, here.y_train, 1.0, "logistic")
    draw = np.random.default_rng(3)
    ends = [
        cnn.settle(
            cnn.ReLUNetwork(draw.standard_normal((3, 2)), draw.choice([-1.0, 1.0], 2)),
            problem,
        )
        for _ in range(15)
    ]
    ends.sort(key=lambda point: point.value)
    small = ends[0].network
    optimum = cnn.solve(problem)
    excess = ends[0].value / (optimum.value - optimum.gap) - 1 + 1e-6
    assert here.judge("small", small=small, excess=excess)[0] == 1
    own = cnn.certify(small, problem)  # the bound of the network's own dual point
    if own.primal / own.lower_bound - 1 > excess + 0.002:
        refuse(
            here.judge("small", small=small, excess=own.primal / own.lower_bound - 1),
            0.6,
            "better dual point",
        )
    refuse(here.judge("small", small=small, excess=-0.5), 0.6, "exceeds (1 + excess)")
    refuse(here.judge("small", small=small, excess=None), 0.6, "no number")
    worst = ends[-1].network
    assert ends[-1].value > 1.01 * ends[0].value
    refuse(here.judge("small", small=worst, excess=excess), 0, "eight random starts")
    wide = small.split(0, [0.3, 0.7])
    refuse(here.judge("small", small=wide, excess=excess), 0, "3 neurons")
