"""The problem sets: solved a second time, from the students' text alone, and wrongly.

Answers are judged as in grading, by the course's own code and from plain data, but in
this process. ``test_rehearsal`` does it as in a course, in the sandbox.
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
from assignments.grader import judge as judging
from assignments.grader.problem_set import ProblemSet, read_problem_set

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


@pytest.mark.parametrize("student", IDS)
@pytest.mark.parametrize("name", NAMES)
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

    refuse(here.judge("walls", walls=all_rows), 0, "are no walls")
    refuse(here.judge("walls", walls=lambda X, u: [1.0]), 0, "one entry a row")
    refuse(here.judge("walls", walls=lambda X, u: np.zeros(len(X), bool)), 0, "misses")
    # parallel rows are walls together; that some of the cases test this is not certain
    # for every id, so a miss is looked for among several
    shares = [
        course("arrangements", student).judge("walls", walls=forgets_parallel)[0]
        for student in ("ada", "emmy", "noether", "lovelace")
    ]
    assert 0 in shares


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
        here.judge("huber_bound", huber_bound=squared), 0, "does not follow", "exceed 1"
    )
    refuse(here.judge("huber_bound", huber_bound=unscaled), 0, "lam")
    refuse(here.judge("huber_bound", huber_bound=timid), 0, "better bound")
    refuse(
        here.judge("huber_bound", huber_bound=lambda X, y, b, lam: math.nan),
        0,
        "finite number",
    )


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
    wide = better.split(0, [0.5, 0.5])
    refuse(here.judge("better", witness=u, better=wide), 0.4, f"{wide.width} neurons")
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


def test_absolute(course: Callable[..., Course]) -> None:
    here = course("convex_equivalence")
    X, y, d = here.X_abs, here.y_abs, 2
    draw = np.random.default_rng(0)

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        W, w = theta[: d * 12].reshape(d, 12), theta[d * 12 :]
        Z = X @ W
        r = np.abs(Z) @ w - y
        slope = X.T @ (np.sign(Z) * np.outer(r, w)) + 0.1 * W
        return (
            float(r @ r / 2 + 0.05 * (theta @ theta)),
            np.concatenate([slope.ravel(), np.abs(Z).T @ r + 0.1 * w]),
        )

    # descent of a wide network, many times; it ends near kinks
    best = min(
        (
            scipy.optimize.minimize(
                objective, draw.standard_normal(36), jac=True, method="L-BFGS-B",
                options={"maxiter": 4000, "ftol": 1e-15, "gtol": 1e-10},
            )
            for _ in range(30)
        ),
        key=lambda result: result.fun,
    ).x  # fmt: skip
    W, w = best[: d * 12].reshape(d, 12), best[d * 12 :]
    lam = y - np.abs(X @ W) @ w
    height = cnn.dual_norm(np.vstack([X, -X]), np.tile(lam, 2))[0]
    tight = lam * min(1, 0.1 / height)
    result = here.judge("absolute", W_abs=W, w_abs=w, lam_abs=tight)
    assert result[0] >= 0.4, result
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
