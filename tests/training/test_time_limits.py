"""Time limits, on a clock that the tests hold: nothing here depends on a machine."""

from __future__ import annotations

import warnings

import cvxpy
import numpy as np
import pytest
from reference import LOSSES, random_problem

from convexnn_lib import _deadline
from convexnn_lib._deadline import NEVER, Deadline, Polls, Stopwatch, TimeUp
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.arrangements.sampling import sample_patterns
from convexnn_lib.certificates import _conic
from convexnn_lib.certificates._branch_and_bound import branch_and_bound
from convexnn_lib.certificates._pricing import (
    price_all_neurons,
    price_cones,
    price_locally,
    warm_up,
)
from convexnn_lib.certificates._zonotope_vertices import farthest_points
from convexnn_lib.certificates.certify import certify_until
from convexnn_lib.certificates.dual_bound import spectral_bounds
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import GapWarning, SolverError
from convexnn_lib.problem.losses import Hinge, Logistic, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training import _first_network, _methods
from convexnn_lib.training._local_training import descend
from convexnn_lib.training._newton_on_face import newton_on_face
from convexnn_lib.training.solve import solve

NAMES = [type(loss).__name__ for loss in LOSSES]


class Clock:
    """A clock that shows how often it has been read, by ticks of its own."""

    def __init__(self):
        self.reads, self.now = 0, 0.0
        self.tick = lambda reads: 0.0

    def monotonic(self):
        self.now += self.tick(self.reads)
        self.reads += 1
        return self.now


@pytest.fixture
def clock(monkeypatch):
    warm_up()
    clock = Clock()
    monkeypatch.setattr(_deadline, "time", clock)
    return clock


def jump(clock, reads):
    """Let hours pass before a given reading, and a moment before the others."""
    clock.reads, clock.now = 0, 0.0
    clock.tick = lambda count: 1e6 if count == reads else 1e-3


def solve_in_time(problem, patterns=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GapWarning)
        return solve(problem, patterns, time_limit=100.0, **options)


def moments(clock, run):
    """Run with the jump before one reading after the other, until it is too late."""
    reads = 1  # the first reading starts the clock
    while True:
        jump(clock, reads)
        result = run()
        yield result
        if clock.reads <= reads:
            return
        reads += 1 if reads < 20 else reads // 6


def check(solution, problem, best):
    certificate = solution.certificate
    size = abs(best.value)
    assert solution.value == problem.objective(solution.network)
    assert solution.value >= best.certificate.lower_bound - 1e-9 * size
    assert certificate.lower_bound <= best.value + 1e-12 * size
    assert certificate.lower_bound > -np.inf
    assert certificate.verify(solution.network, problem)
    assert solution.reason in ("converged", "the time limit of 100 seconds")
    np.testing.assert_allclose(
        np.linalg.norm(solution.network.W1, axis=0), np.abs(solution.network.w2)
    )


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_whenever_the_time_is_up(loss, clock):
    """A network better than the zero one and a bound that holds, at any moment."""
    problem = random_problem(1, 12, 3, loss, 0.05)
    best = solve(problem)
    zero = problem.objective(ReLUNetwork(np.zeros((3, 0)), np.zeros(0)))
    values, reasons = [], set()
    for solution in moments(clock, lambda: solve_in_time(problem)):
        check(solution, problem, best)
        assert solution.certificate.scope == "all patterns"
        assert solution.value < zero
        values.append(solution.value)
        reasons.add(solution.reason)
    assert len(values) > 20
    assert len(reasons) == 2
    assert values[-1] == pytest.approx(best.value, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_whenever_the_time_is_up_with_given_patterns(loss, clock):
    problem = random_problem(2, 10, 3, loss, 0.05)
    cells = enumerate_patterns(problem.X).patterns
    patterns = cells[np.random.default_rng(0).permutation(len(cells))[:40]]
    best = solve(problem, patterns)
    zero = problem.objective(ReLUNetwork(np.zeros((3, 0)), np.zeros(0)))
    inward = np.where(patterns, 1.0, -1.0)
    better = []
    for solution in moments(clock, lambda: solve_in_time(problem, patterns)):
        check(solution, problem, best)
        assert np.isfinite(solution.value)
        assert solution.certificate.scope == "40 given patterns"
        depths = inward[:, :, None] * (problem.X @ solution.network.W1)
        inside = depths.min(axis=1).max(axis=0)
        assert np.all(inside >= -2e-6 * np.linalg.norm(problem.X, axis=1).max())
        better.append(solution.value < zero)
    # the first neurons of few patterns seldom meet a hard margin
    assert all(better[5:]) or (loss.is_constraint and all(better[-5:]))
    assert solution.value == pytest.approx(best.value, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("loss", [Squared(), Logistic(), Hinge()], ids=repr)
def test_whenever_the_time_is_up_with_too_many_patterns(loss, clock):
    """Large enough for descent, and for local ascent alone."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 40))
    y = np.sign(X[:, 0] * X[:, 1])
    problem = TrainingProblem(X, y, 3.0, loss)
    zero = problem.objective(ReLUNetwork(np.zeros((40, 0)), np.zeros(0)))
    for reads in (1, 10, 15):
        jump(clock, reads)
        solution = solve_in_time(problem)
        assert solution.reason == "the time limit of 100 seconds"
        assert solution.value < zero
        assert 0.0 < solution.certificate.lower_bound < solution.value
        assert solution.certificate.scope == "all patterns"


@pytest.mark.filterwarnings("ignore::convexnn_lib.errors.GapWarning")
@pytest.mark.parametrize(("n", "d"), [(1, 1), (60, 2), (200, 50), (800, 4)])
def test_a_hard_margin_is_met_at_once(n, d):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, d)), rng.choice([-1.0, 1.0], n)
    solution = solve(TrainingProblem(X, y, 1.0, "hard_margin"), time_limit=1e-9)
    assert np.min(y * solution.network.predict(X)) >= 1.0 - 1e-9
    assert np.isfinite(solution.value)
    assert solution.network.width <= n


@pytest.mark.filterwarnings("ignore::convexnn_lib.errors.GapWarning")
@pytest.mark.parametrize(("n", "d"), [(1001, 2), (1500, 3), (1200, 40)])
def test_a_hard_margin_of_many_samples_is_met_at_once(n, d):
    """By kinks in a plane, also where samples repeat and are opposite to each other."""
    rng = np.random.default_rng(n)
    X, y = rng.standard_normal((n, d)), rng.choice([-1.0, 1.0], n)
    X[7], X[8], y[7], y[8] = 3.0 * X[5], -0.1 * X[5], y[5], y[5]
    solution = solve(TrainingProblem(X, y, 1.0, "hard_margin"), time_limit=1e-9)
    assert np.min(y * solution.network.predict(X)) >= 1.0 - 1e-9
    assert np.isfinite(solution.value)
    assert 0.0 < solution.certificate.lower_bound < solution.value
    assert solution.network.width <= n + 2


def test_a_hard_margin_that_nothing_meets_in_time_is_an_error():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((6000, 2)), rng.choice([-1.0, 1.0], 6000)
    with pytest.raises(SolverError, match="no network that meets the hard margin"):
        solve(TrainingProblem(X, y, 1.0, "hard_margin"), time_limit=1e-9)


def test_a_step_that_takes_too_long_does_not_begin(monkeypatch, clock):
    """One step of Newton's method on thousands of unknowns is not interrupted."""
    assert NEVER.admits(1e300)
    assert Deadline(1.0).admits(1e6)
    assert not Deadline(1.0).admits(1e12)
    problem = random_problem(1, 12, 3, Squared(), 0.05)
    network = descend(ReLUNetwork(np.ones((3, 2)), [1.0, -1.0]), problem)
    monkeypatch.setattr(_deadline, "_SPEED", 1.0)
    assert newton_on_face(network, problem, deadline=Deadline(10.0)) is network
    refined = newton_on_face(network, problem)
    assert problem.objective(refined) < problem.objective(network)


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_a_network_to_start_from_is_never_lost(loss, clock):
    problem = random_problem(1, 12, 3, loss, 0.05)
    best = solve(problem)
    start = ReLUNetwork(2.0 * best.network.W1, best.network.w2)
    cells = enumerate_patterns(problem.X).patterns[::3]
    best_within = solve(problem, cells)
    for reads in (1, 2, 3, 5, 8, 13):
        jump(clock, reads)
        solution = solve_in_time(problem, start=start)
        check(solution, problem, best)
        assert solution.value <= problem.objective(start.balanced()) * (1.0 + 1e-9)
        jump(clock, reads)
        check(solve_in_time(problem, cells, start=start), problem, best_within)


@pytest.mark.slow
def test_time_is_kept_for_the_bound(clock):
    """Where patterns are too many, a bound that takes a search is found in any case."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal((60, 11)), np.ones(60)])
    y = np.sin(2.0 * X[:, 0]) + 0.1 * rng.standard_normal(60)
    problem = TrainingProblem(X, y, beta=2.0)
    clock.tick = lambda reads: 0.3
    solution = solve_in_time(problem)
    assert clock.now <= 1.2 * 100.0 + 1.0
    assert solution.reason == "the time limit of 100 seconds"
    certificate = solution.certificate
    assert certificate.scope == "all patterns"
    assert certificate.method == "sign rule"
    assert certificate.verify(solution.network, problem)
    cheap = spectral_bounds(X, certificate.dual).upper
    assert certificate.dual_bound.upper < 0.95 * cheap


def test_after_the_limit_there_are_few_steps(clock):
    """Whatever is begun looks at the clock; at the end nothing new is begun."""
    problem = random_problem(1, 12, 3, Squared(), 0.05)
    for limit in (0.5, 2.0, 5.0, 10.0):
        clock.reads, clock.now, clock.tick = 0, 0.0, lambda _: 0.02
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GapWarning)
            solve(problem, time_limit=limit)
        assert clock.now <= 1.2 * limit + 1.0


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_whenever_the_time_of_cvxpy_is_up(loss, clock):
    problem = random_problem(1, 8, 2, loss, 0.05)
    best = solve(problem)
    cells = enumerate_patterns(problem.X).patterns[::2]
    best_within = solve(problem, cells)
    reasons = set()
    # the first readings are those of column generation, the last ones CVXPY's
    jump(clock, 10**9)
    solve_in_time(problem, method="cvxpy")
    for reads in (1, 3, clock.reads - 8, clock.reads - 4, clock.reads + 1):
        jump(clock, reads)
        solution = solve_in_time(problem, method="cvxpy")
        check(solution, problem, best)
        assert np.isfinite(solution.value)
        reasons.add(solution.reason)
        jump(clock, reads)
        check(solve_in_time(problem, cells, method="cvxpy"), problem, best_within)
    assert len(reasons) == 2


def test_a_limit_for_cvxpys_solver(monkeypatch):
    """It is handed to Clarabel, and a run that it ends is not taken for a solution."""
    problem = random_problem(1, 8, 2, Squared(), 0.05)
    given = []

    def run(self, **options):
        given.append(options["time_limit"])
        self._status = cvxpy.USER_LIMIT
        clock.now += 1e6

    clock = Clock()
    warm_up()
    monkeypatch.setattr(_deadline, "time", clock)
    monkeypatch.setattr(cvxpy.Problem, "solve", run)
    solution = solve_in_time(problem, method="cvxpy")
    assert given == [100.0]
    assert solution.reason == "the time limit of 100 seconds"
    assert np.isfinite(solution.value)


def test_a_model_that_takes_too_long_to_write_is_not_begun(monkeypatch, clock):
    """CVXPY's own work is not interrupted; its clock stands still here."""
    problem = random_problem(1, 12, 3, Squared(), 0.05)
    patterns = enumerate_patterns(problem.X).patterns
    runs = []
    run = cvxpy.Problem.solve
    monkeypatch.setattr(
        cvxpy.Problem, "solve", lambda *a, **k: runs.append(run(*a, **k))
    )
    for limit, begun in ((1e-3, False), (10.0, True)):
        runs.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GapWarning)
            solution = solve(problem, patterns, method="cvxpy", time_limit=limit)
        assert bool(runs) == begun
        assert (solution.reason == "converged") == begun
        assert solution.certificate.verify(solution.network, problem)


def test_compilation_is_not_counted(clock, monkeypatch):
    def slow():
        clock.now += 1e6

    monkeypatch.setattr(_methods, "warm_up", slow)
    problem = random_problem(1, 12, 3, Squared(), 0.05)
    solution = solve(problem, time_limit=10.0)
    assert clock.now >= 1e6
    assert solution.reason == "converged"


def test_without_a_limit_the_clock_decides_nothing(clock):
    problem = random_problem(1, 12, 3, Hinge(), 0.05)
    runs = []
    for seconds in (0.0, 1e9):
        clock.tick = lambda _, seconds=seconds: seconds
        rounds = []
        solve(problem, callback=rounds.append)
        runs.append([(r.pairs, r.new, r.value, r.lower_bound) for r in rounds])
    assert len(runs[0]) > 2
    assert runs[0] == runs[1]


def test_local_training_comes_first_only_if_there_is_a_limit(monkeypatch):
    called = []
    first = _first_network.with_first_network

    def record(state, deadline):
        called.append(deadline)
        return first(state, deadline)

    from convexnn_lib.training import _column_generation

    monkeypatch.setattr(_column_generation, "with_first_network", record)
    problem = random_problem(1, 12, 3, Squared(), 0.05)
    plain = solve(problem)
    assert not called
    limited = solve(problem, time_limit=1e6)
    assert len(called) == 1
    assert limited.value == pytest.approx(plain.value, rel=1e-6)
    solve(problem, time_limit=1e6, start=plain.network)
    assert len(called) == 1


# -- the steps


def test_deadlines(clock):
    deadline = Deadline(10.0)
    assert not deadline.passed
    clock.now = 4.0
    assert deadline.remaining == 6.0
    assert deadline.part(0.5).remaining == 3.0
    assert deadline.extended.remaining == pytest.approx(7.5)
    # what is told to users is their limit
    assert deadline.part(0.5).limit == deadline.extended.limit == 10.0
    clock.now = 10.0
    assert deadline.passed
    assert 0.0 < deadline.part(0.5).remaining < 1.0
    with pytest.raises(TimeUp):
        deadline.check()
    reads = clock.reads
    for never in (NEVER, Deadline(), NEVER.part(0.5), NEVER.extended):
        assert not never.passed
        assert never.remaining == np.inf
        never.check()
    assert clock.reads == reads
    watch = Stopwatch()
    clock.now += 3.0
    assert watch.seconds == 3.0


def test_every_step_gives_up():
    late = Deadline(0.0)
    rng = np.random.default_rng(0)
    X, lam = rng.standard_normal((20, 3)), rng.standard_normal(20)
    with pytest.raises(TimeUp):
        price_all_neurons(X, lam, 0.0, deadline=late)
    with pytest.raises(TimeUp):
        price_locally(X, lam, rng.standard_normal((5, 3)), late)
    with pytest.raises(TimeUp):
        dual_norm_bounds(X, lam, deadline=late)
    packed = enumerate_patterns(X).packed
    with pytest.raises(TimeUp):
        farthest_points(X, X[:5], packed, deadline=late)
    patterns = sample_patterns(X, 10, seed=0).patterns
    cut = price_cones(X, lam, patterns, 0.0, late)
    assert cut.upper == np.inf
    assert not len(cut.values)
    with pytest.raises(TimeUp):
        dual_norm_bounds(X, lam, patterns, deadline=late)
    bounds = branch_and_bound(X[:10], X[10:], deadline=late)
    assert bounds.upper >= branch_and_bound(X[:10], X[10:]).lower
    for loss in LOSSES:
        problem = random_problem(0, 10, 3, loss)
        groups = [_conic.Group(problem.X, np.zeros((0, 3)))]
        with pytest.raises(TimeUp):
            _conic.solve_groups(problem, groups, deadline=late)
        network = ReLUNetwork(np.ones((3, 1)), [1.0])
        at_once = certify_until(late, network, problem, None, tol=1e-9)
        assert at_once.method == "spectral"
        assert at_once.verify(network, problem)
        assert at_once.lower_bound <= solve(problem).value


@pytest.mark.parametrize("degenerate", [False, True])
def test_an_enumeration_gives_up_on_its_way(degenerate, clock):
    """It looks at the clock while it lists cells, in general position and not."""
    X = np.random.default_rng(0).standard_normal((30, 4))
    if degenerate:
        X = np.kron(np.eye(4), [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    polls = Polls(Deadline(100.0))
    before = clock.reads
    assert enumerate_patterns(X, progress=polls).complete
    looks = clock.reads - before
    assert looks >= 4
    jump(clock, looks // 2)
    with pytest.raises(TimeUp):
        enumerate_patterns(X, progress=Polls(Deadline(100.0)))


def test_descent_stops_and_is_no_worse():
    problem = random_problem(0, 30, 3, Squared())
    rng = np.random.default_rng(0)
    start = ReLUNetwork(rng.standard_normal((3, 5)), rng.standard_normal(5))
    short = descend(start, problem, Deadline(0.0))
    long = descend(start, problem)
    assert problem.objective(long) < problem.objective(short)
    assert problem.objective(short) < problem.objective(start)
