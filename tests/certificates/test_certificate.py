from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reference import LOSSES, PUBLISHED, dual_norm_by_cone_programs, random_problem

from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates._scope import patterns_in_scope
from convexnn_lib.certificates.certify import certify
from convexnn_lib.certificates.dual_norm import beta_max, dual_norm, dual_norm_bounds
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.problem.losses import HardMargin, Logistic, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._newton_on_face import meet_hard_margin
from convexnn_lib.training.solve import solve

exact = settings(deadline=None, max_examples=40, derandomize=True)
integers = st.integers(-2, 2).map(float)
ZERO = ReLUNetwork(np.zeros((2, 0)), np.zeros(0))


@st.composite
def integer_data(draw, rows=4):
    n, d = draw(st.integers(1, rows)), draw(st.integers(1, 3))
    X = draw(arrays(np.float64, (n, d), elements=integers))
    return X, draw(arrays(np.float64, n, elements=integers))


# -- the dual norm


@pytest.mark.parametrize(
    ("n", "d", "value"),
    [
        (8, 2, 2.9307275493),
        (10, 3, 3.8698915684),
        (14, 3, 2.7919275630),
        (10, 4, 4.2893003771),
    ],
)
def test_published_dual_norms(n, d, value):
    rng = np.random.default_rng(n * d)
    X, lam = rng.standard_normal((n, d)), rng.standard_normal(n)
    norm, u = dual_norm(X, lam)
    assert norm == pytest.approx(value, rel=2e-11)
    assert np.linalg.norm(u) == pytest.approx(1.0, rel=1e-15)
    assert abs(lam @ np.maximum(X @ u, 0.0)) == pytest.approx(norm, rel=1e-14)


@pytest.mark.slow
@exact
@given(integer_data())
def test_dual_norm_agrees_with_cone_programs(data):
    X, lam = data
    lower, upper, neuron = dual_norm_bounds(X, lam)
    assert 0.0 <= lower <= upper <= lower + 1e-12
    assert lower == pytest.approx(dual_norm_by_cone_programs(X, lam), abs=1e-6)
    attained = neuron.sign * (lam @ np.maximum(X @ neuron.direction, 0.0))
    if lower > 0.0:
        assert attained == pytest.approx(lower, abs=1e-12)
    assert np.linalg.norm(neuron.direction) == pytest.approx(1.0, rel=1e-14)


@pytest.mark.slow
@exact
@given(integer_data(rows=3), st.integers(0, 2**8 - 1))
def test_dual_norm_over_given_patterns(data, subset):
    X, lam = data
    everything = np.array(np.meshgrid(*[[True, False]] * len(X))).reshape(len(X), -1).T
    patterns = everything[[k for k in range(len(everything)) if subset >> k & 1]]
    if not len(patterns):
        patterns = everything[:1]
    lower, upper, neuron = dual_norm_bounds(X, lam, patterns)
    expected = dual_norm_by_cone_programs(X, lam, patterns)
    assert lower <= upper <= lower + 1e-12
    assert upper == pytest.approx(expected, abs=1e-6)
    if lower > 1e-9:  # the direction lies in one of the closed cones
        inside = np.where(patterns, 1.0, -1.0) * (X @ neuron.direction)
        assert np.any(np.all(inside >= -1e-12, axis=1))


@exact
@given(integer_data())
def test_all_open_cells_give_the_dual_norm(data):
    X, lam = data
    assume(X.any())
    patterns = enumerate_patterns(X).patterns
    over_all, over_given = dual_norm_bounds(X, lam), dual_norm_bounds(X, lam, patterns)
    assert over_all.lower == pytest.approx(over_given.lower, abs=1e-11)
    assert dual_norm(X, lam)[0] == over_all.lower


def test_dual_norm_of_nothing():
    for X, lam in (
        (np.ones((2, 2)), np.zeros(2)),
        (np.zeros((2, 2)), np.ones(2)),
        (np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([0.0, 1.0])),
    ):
        norm, u = dual_norm(X, lam)
        assert norm == 0.0
        np.testing.assert_array_equal(u, [1.0, 0.0])
        assert dual_norm_bounds(X, lam).upper == 0.0


@pytest.mark.parametrize("scale", [1e-200, 1e-9, 1e9, 1e150])
def test_dual_norm_is_homogeneous(scale):
    rng = np.random.default_rng(0)
    X, lam = rng.standard_normal((6, 2)), rng.standard_normal(6)
    expected = dual_norm(X, lam)[0]
    assert dual_norm(X, scale * lam)[0] == pytest.approx(scale * expected, rel=1e-14)
    assert dual_norm(scale * X, lam)[0] == pytest.approx(scale * expected, rel=1e-13)


def test_dual_norm_errors():
    with pytest.raises(InvalidDataError, match="lam must have shape"):
        dual_norm(np.ones((2, 2)), np.ones(3))
    with pytest.raises(InvalidDataError, match="NaN"):
        dual_norm(np.ones((2, 2)), [np.nan, 1.0])


def test_beta_max_closed_forms():
    I2 = np.eye(2)
    seed = [[3, 3], [2, 2], [1, 0]]
    for X, y, expected in (
        (I2, [1, 1], np.sqrt(2.0)),
        (I2, [1, -1], 1.0),
        (seed, [1, -1, 1], np.sqrt(5.0)),
        (seed, [1, 2, -1], np.sqrt(85.0)),
    ):
        value = beta_max(TrainingProblem(X, y, 0.1))
        assert value == pytest.approx(expected, rel=1e-14)
        doubled = beta_max(TrainingProblem(X, y, 0.1, Squared(scale=2.0)))
        assert doubled == pytest.approx(2.0 * expected, rel=1e-14)
    halved = beta_max(TrainingProblem(I2, [1, 1], 0.1, "logistic"))
    assert halved == pytest.approx(np.sqrt(0.5), rel=1e-14)
    assert beta_max(TrainingProblem(I2, [1, 1], 0.1, "hinge")) == pytest.approx(
        np.sqrt(2.0), rel=1e-14
    )
    with pytest.raises(ValueError, match="no gradient"):
        beta_max(TrainingProblem(I2, [1, 1], 1.0, "hard_margin"))


# -- certificates


@pytest.mark.parametrize(
    "loss", [loss for loss in LOSSES if loss.name != "hard_margin"]
)
def test_zero_network_is_optimal_from_beta_max_on(loss):
    problem = random_problem(0, 5, 2, loss)
    largest = beta_max(problem)
    above = TrainingProblem(problem.X, problem.y, largest * (1 + 1e-9), loss)
    below = TrainingProblem(problem.X, problem.y, 0.9 * largest, loss)
    assert certify(ZERO, above).relative_gap <= 1e-12
    assert certify(ZERO, below).relative_gap > 1e-4


def test_worked_examples():
    X = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]])
    network = ReLUNetwork([[1.0], [0.0]], [1.0])
    for y, primal, norm, bound in (
        ((1.25, 1.0, 1.75), 1.8125, 1.274755, 1.559219),
        ((1.7, -4.0, 1.3), 9.29, 3.373426, 4.482849),
    ):
        problem = TrainingProblem(X, y, 1.0)
        certificate = certify(network, problem)
        assert certificate.primal == pytest.approx(primal, rel=1e-14)
        assert certificate.dual_norm == pytest.approx(norm, abs=5e-7)
        assert certificate.lower_bound == pytest.approx(bound, abs=5e-7)
        np.testing.assert_allclose(certificate.dual, y - network.predict(X))
        assert certificate.verify(network, problem)


def test_small_extreme_neuron_lowers_the_objective():
    problem = random_problem(0, 5, 2, Logistic())
    certificate = certify(ZERO, problem)
    direction, sign = certificate.extreme_neuron
    neuron = ReLUNetwork(1e-4 * direction[:, None], [1e-4 * sign])
    drop = problem.objective(ZERO) - problem.objective(neuron)
    expected = 1e-8 * (certificate.dual_norm - problem.beta)
    assert drop == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("key", PUBLISHED)
@pytest.mark.parametrize("kind", range(5))
def test_bounds_hold_for_random_networks(key, kind):
    seed, n, d = key
    problem = random_problem(seed, n, d, LOSSES[kind])
    rng = np.random.default_rng(99)
    for width in (1, 4, 20):
        network = ReLUNetwork(
            rng.standard_normal((d, width)), rng.standard_normal(width)
        )
        certificate = certify(network, problem)
        optimum = PUBLISHED[key][kind]
        assert certificate.lower_bound <= optimum * (1 + 1e-7)
        assert certificate.primal >= optimum * (1 - 1e-7)
        assert certificate.verify(network, problem)
        assert certificate.scope == "all patterns"
        assert certificate.patterns is None


def test_infeasible_hard_margin():
    problem = TrainingProblem(np.eye(2), [1, -1], 1, "hard_margin")
    certificate = certify(ZERO, problem)
    assert certificate.primal == certificate.gap == certificate.relative_gap == np.inf
    assert certificate.lower_bound == pytest.approx(2.0, rel=1e-12)
    assert "gap=inf" in repr(certificate)
    assert certificate.verify(ZERO, problem)
    # its own features cannot separate, hence no dual point from the linear program
    one_sign = ReLUNetwork([[1.0], [1.0]], [1.0])
    assert certify(one_sign, problem).lower_bound == pytest.approx(2.0, rel=1e-12)


def test_exact_hard_margin_optimum():
    problem = TrainingProblem(np.eye(2), [1, -1], 1, "hard_margin")
    certificate = certify(ReLUNetwork(np.eye(2), [1.0, -1.0]), problem)
    assert certificate.primal == 2.0
    assert certificate.relative_gap <= 1e-13


def test_given_dual_points_are_tried_and_never_trusted():
    problem = random_problem(0, 5, 2, LOSSES[3])
    network = ReLUNetwork(np.eye(2), [0.3, -0.3])
    alone = certify(network, problem)
    for dual in (alone.dual, 100.0 * alone.dual, -problem.y, np.zeros(5), problem.y):
        certificate = certify(network, problem, dual=dual)
        assert certificate.lower_bound >= alone.lower_bound - 1e-14
        assert certificate.lower_bound <= PUBLISHED[0, 5, 2][3] * (1 + 1e-7)
    with pytest.raises(InvalidDataError, match="dual must have shape"):
        certify(network, problem, dual=np.ones(4))


def test_tampering_shows():
    problem = random_problem(0, 5, 2, Squared())
    network = ReLUNetwork(np.eye(2), [0.3, -0.3])
    certificate = certify(network, problem)
    assert certificate.verify(network, problem)
    other = ReLUNetwork(np.eye(2), [0.3, -0.3000001])
    assert not certificate.verify(other, problem)
    fields = dict(vars(certificate))
    kind = type(certificate)
    higher = certificate.lower_bound + 1e-9
    assert not kind(**fields | {"lower_bound": higher}).verify(network, problem)
    longer = certificate.scale * (1 + 1e-9)
    assert not kind(**fields | {"scale": longer}).verify(network, problem)
    assert not kind(**fields | {"dual": 2 * certificate.dual}).verify(network, problem)


@pytest.mark.parametrize("kind", range(5))
def test_tampering_with_an_optimum_shows_in_the_right_direction(kind):
    problem = random_problem(0, 5, 2, LOSSES[kind])
    best = solve(problem)
    network, dual, optimum = best.network, best.dual, PUBLISHED[0, 5, 2][kind]
    fields, make = dict(vars(best.certificate)), type(best.certificate)
    rng = np.random.default_rng(0)
    # a perturbed network: a larger objective and a larger gap, and a bound that holds
    gaps = [best.certificate.gap]
    noise = rng.standard_normal(network.W1.shape)
    for size in (1e-3, 1e-2, 1e-1):
        perturbed = ReLUNetwork(network.W1 * (1.0 + size * noise), network.w2)
        perturbed = meet_hard_margin(perturbed, problem)
        certificate = certify(perturbed, problem)
        assert certificate.primal > best.value
        assert certificate.lower_bound <= optimum * (1.0 + 1e-7)
        assert not best.certificate.verify(perturbed, problem)
        gaps.append(certificate.gap)
    assert gaps == sorted(gaps)
    # a dual point scaled up is infeasible, and scaled back before it bounds anything
    for factor in (1.001, 2.0, 1e3):
        assert dual_norm(problem.X, factor * dual)[0] > problem.beta
        again = certify(network, problem, dual=factor * dual)
        assert again.lower_bound <= best.value
        assert again.verify(network, problem)
        forged = make(**fields | {"scale": factor * fields["scale"]})
        assert not forged.verify(network, problem)
    # a bound above the optimum does not verify, one below does
    for shift, holds in ((1e-6, False), (-1e-6, True)):
        moved = fields["lower_bound"] + shift * optimum
        forged = make(**fields | {"lower_bound": moved})
        assert forged.verify(network, problem) is holds
    # without the cones of its neurons fewer networks remain, which it may beat
    patterns = enumerate_patterns(problem.X).patterns
    inside = np.where(patterns, 1.0, -1.0)[:, :, None] * (problem.X @ network.W1)
    cut = patterns[~np.any(np.all(inside >= -1e-9, axis=1), axis=1)]
    assert 0 < len(cut) < len(patterns)
    dual = solve(problem, cut).dual if kind < 4 else dual
    certificate = certify(network, problem, cut, dual=dual)
    assert certificate.scope == f"{len(cut)} given patterns"
    assert certificate.verify(network, problem)
    if kind < 4:
        assert certificate.gap < 0.0
        forged = make(**dict(vars(certificate)) | {"patterns": None})
        assert not forged.verify(network, problem)


def test_fewer_patterns_give_higher_bounds_and_say_so():
    problem = random_problem(0, 5, 2, Squared())
    network = ReLUNetwork(np.eye(2), [0.3, -0.3])
    patterns = enumerate_patterns(problem.X).patterns
    bounds = []
    for count in (10, 5, 2, 1):
        certificate = certify(network, problem, patterns[:count])
        assert certificate.scope == f"{count} given patterns"
        assert certificate.verify(network, problem)
        bounds.append(certificate.lower_bound)
    assert bounds == sorted(bounds)
    assert bounds[0] == pytest.approx(certify(network, problem).lower_bound, rel=1e-12)
    # a bound for few patterns is no bound for all
    cut = dict(vars(certify(network, problem, patterns[:1]))) | {"patterns": None}
    assert not type(certificate)(**cut).verify(network, problem)


def test_patterns_in_scope():
    X = np.array([[1.0], [-1.0]])
    arrangement = enumerate_patterns(X)
    assert patterns_in_scope(X, None) is None
    assert patterns_in_scope(X, arrangement) is None
    assert len(patterns_in_scope(2.0 * X, arrangement)) == 2
    repeated = np.array([[True, False], [True, False]])
    np.testing.assert_array_equal(patterns_in_scope(X, repeated), repeated[:1])
    for bad in ([[1, 0]], [[True]], [True, False], np.zeros((0, 3), dtype=bool)):
        with pytest.raises(InvalidDataError, match="boolean"):
            patterns_in_scope(X, bad)
    with pytest.raises(InvalidDataError, match="empty"):
        patterns_in_scope(X, np.zeros((0, 2), dtype=bool))


def test_errors():
    problem = TrainingProblem(np.eye(2), [1.0, 1.0], 0.0)
    with pytest.raises(RegularizationError, match="beta > 0"):
        certify(ZERO, problem)
    problem = TrainingProblem(np.eye(2), [1.0, 1.0], 0.1)
    with pytest.raises(InvalidDataError, match="features"):
        certify(ReLUNetwork(np.ones((3, 1)), np.ones(1)), problem)


def test_zero_labels_and_zero_data():
    for X in (np.eye(2), np.zeros((2, 2))):
        certificate = certify(ZERO, TrainingProblem(X, [0.0, 0.0], 0.1))
        assert certificate.primal == certificate.gap == 0.0
        assert certificate.relative_gap == 0.0
    for loss in ("squared", "logistic", "hinge"):
        certificate = certify(
            ZERO, TrainingProblem(np.zeros((2, 2)), [1, -1], 0.1, loss)
        )
        assert certificate.relative_gap <= 1e-13


@exact
@given(integer_data(), st.sampled_from(LOSSES), st.integers(0, 100))
def test_weak_duality_on_degenerate_data(data, loss, seed):
    X, y = data
    if isinstance(loss, HardMargin):
        return  # few such data are separable; see the tests of the solver
    y = y if loss.labels == "real" else np.where(y > 0.0, 1.0, -1.0)
    problem = TrainingProblem(X, y, 0.5, loss)
    rng = np.random.default_rng(seed)
    d = X.shape[1]
    networks = [
        ReLUNetwork(rng.integers(-1, 2, (d, m)), rng.integers(-1, 2, m)) for m in (1, 3)
    ]
    lowest = min(problem.objective(network) for network in networks)
    for network in networks:
        assert certify(network, problem).lower_bound <= lowest


@pytest.mark.slow
def test_trained_torch_network():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.manual_seed(0)
    problem = random_problem(0, 5, 2, Squared())
    module = torch.nn.Sequential(
        torch.nn.Linear(2, 8, bias=False),
        torch.nn.ReLU(),
        torch.nn.Linear(8, 1, bias=False),
    ).double()
    X, y = torch.tensor(problem.X), torch.tensor(problem.y)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.02)
    gaps = []
    for _ in range(3):
        for _ in range(300):
            optimizer.zero_grad()
            penalty = sum((weight**2).sum() for weight in module.parameters())
            loss = 0.5 * ((module(X)[:, 0] - y) ** 2).sum()
            (loss + 0.5 * problem.beta * penalty).backward()
            optimizer.step()
        certificate = certify(ReLUNetwork.from_torch(module), problem)
        assert certificate.lower_bound <= PUBLISHED[0, 5, 2][0] + 1e-8
        assert certificate.primal >= PUBLISHED[0, 5, 2][0] - 1e-8
        gaps.append(certificate.gap)
    assert gaps[2] < gaps[0]


def test_dual_points_are_searched_for_where_they_are_not_unique():
    # the gradient selection, the linear program and the neuron's own cone all leave a
    # gap at this optimum; the cones of extreme neurons close it
    X = [[1.0, 0.0], [0.0, 1.0], [1.0, 2.0], [0.0, 0.0]]
    problem = TrainingProblem(X, [1.0, -1.0, 1.0, -1.0], 0.5, "hinge")
    certificate = certify(ReLUNetwork([[1.0], [0.0]], [1.0]), problem)
    assert certificate.primal == 2.5
    assert certificate.relative_gap <= 1e-8
