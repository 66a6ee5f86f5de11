"""Bounds on the dual norm at any time: never on the wrong side, in every size."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import (
    GapWarning,
    Hinge,
    ReLUNetwork,
    TrainingProblem,
    beta_max,
    certify,
    dual_bound,
)
from convexnn_lib.certificates import _bound_steps as bound_steps
from convexnn_lib.certificates import _dual_ascent
from convexnn_lib.certificates import _pricing as pricing
from convexnn_lib.certificates import _relaxation as relaxation
from convexnn_lib.certificates._dual_ascent import relaxed_dual_points
from convexnn_lib.certificates._pricing import Scaled
from convexnn_lib.certificates._relaxation import project_rows, sign_rules
from convexnn_lib.certificates._sign_rules import (
    SignRule,
    largest_eigenvalue,
    rule_of_direction,
    sign_rule_bound,
)
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import EnumerationTooLargeError, InvalidDataError


def instance(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A small problem, often degenerate, in some unit."""
    n, d = int(rng.integers(1, 11)), int(rng.integers(1, 5))
    X = rng.standard_normal((n, d))
    lam = rng.standard_normal(n)
    kind = rng.integers(8)
    if kind == 1:
        X = rng.integers(-2, 3, (n, d)).astype(float)
    elif kind == 2:
        X[rng.integers(n)] = 0.0
    elif kind == 3:
        X[rng.integers(n)] = -2.0 * X[rng.integers(n)]
    elif kind == 4:
        X[rng.integers(n)] = 3.0 * X[rng.integers(n)]
    elif kind == 5:
        X = X[:, :1] @ rng.standard_normal((1, d))
    elif kind == 6:
        lam = rng.integers(-1, 2, n).astype(float)
    elif kind == 7:
        X *= 10.0 ** rng.uniform(-6, 6, (n, 1))
    return X * 10.0 ** rng.integers(-120, 121), lam * 10.0 ** rng.integers(-20, 21)


@pytest.mark.slow
def test_no_bound_is_on_the_wrong_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand problems: each step's bounds against the list of all vertices.

    The search for rules is stopped early, at a different moment each time: in one stage
    of smoothing after few steps, and now and then after all stages. Of each search all
    rules are looked at, also those that the bound has no use for.
    """
    searched: list[tuple[np.ndarray, np.ndarray, list[SignRule]]] = []

    def recorded(plus: np.ndarray, minus: np.ndarray, **named: object) -> object:
        rules = list(sign_rules(plus, minus))
        searched.append((plus, minus, rules))
        return iter(rules)

    monkeypatch.setattr(bound_steps, "sign_rules", recorded)
    monkeypatch.setattr(relaxation, "_FEWEST", 1)
    stages = relaxation._STAGES
    rng = np.random.default_rng(18)
    methods, checked = set(), 0
    for case in range(2000):
        stage = stages if case % 20 == 0 else stages[case % 5 : case % 5 + 1]
        monkeypatch.setattr(relaxation, "_STAGES", stage)
        monkeypatch.setattr(relaxation, "_STEPS", 1 + case % 19)
        X, lam = instance(rng)
        exact = dual_norm_bounds(X, lam)
        searched.clear()
        found = dual_bound(X, lam)
        slack = exact.upper - exact.lower
        for step in found.history:
            assert step.upper >= exact.lower
            assert step.lower <= exact.upper
            methods.add(step.method)
        assert found.upper >= found.lower
        assert found.upper <= exact.upper * (1.0 + 1e-8) + 100.0 * slack
        unit, u = Scaled(X, lam).unit, exact.neuron.direction
        for plus, minus, rules in searched:
            high, low = np.maximum(plus @ u, 0.0), np.maximum(minus @ u, 0.0)
            value = float(high.sum() - low.sum())
            for rule in rules:
                top = sign_rule_bound(plus, minus, rule)
                assert unit * top * (1.0 + 1e-14) + slack >= unit * value
                checked += 1
    assert {"spectral", "ascent", "sign rule"} <= methods
    assert checked > 10_000


def sides(seed: int, n: int, d: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Generators, and the exact value for the positive sign."""
    rng = np.random.default_rng(seed)
    X, lam = rng.standard_normal((n, d)), rng.standard_normal(n)
    plus, minus = X[lam > 0] * lam[lam > 0, None], -X[lam < 0] * lam[lam < 0, None]
    angles = rng.standard_normal((20000, d))
    angles /= np.linalg.norm(angles, axis=1, keepdims=True)
    values = np.maximum(angles @ plus.T, 0).sum(1) - np.maximum(
        angles @ minus.T, 0
    ).sum(1)
    return plus, minus, float(values.max())


@pytest.mark.slow
@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(0, 30), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.1, 5.0]))
def test_any_rule_and_any_weights_bound(seed: int, noise: int, size: float) -> None:
    """A solver that stopped early, or is wrong, costs tightness and nothing else."""
    plus, minus, value = sides(seed, 12, 3)
    rng = np.random.default_rng(noise)
    *_, good = sign_rules(plus, minus)
    rule = good.rule + size * rng.standard_normal(good.rule.shape)
    weights = good.weights * np.exp(size * rng.standard_normal(good.weights.shape))
    assert sign_rule_bound(plus, minus, SignRule(good.columns, rule, weights)) >= value
    few = good.columns[: len(good.columns) // 2]
    part = SignRule(few, rule[:, : 1 + len(few)], weights)
    assert sign_rule_bound(plus, minus, part) >= value


def test_no_bound_from_what_is_no_rule() -> None:
    plus, minus, _ = sides(0, 12, 3)
    *_, good = sign_rules(plus, minus)
    bad = [
        good._replace(weights=-good.weights),
        good._replace(weights=0.0 * good.weights),
        good._replace(weights=good.weights[1:]),
        good._replace(weights=np.nan * good.weights),
        good._replace(rule=np.nan * good.rule),
        good._replace(rule=good.rule[1:]),
        good._replace(columns=np.zeros_like(good.columns)),
    ]
    for witness in bad:
        assert sign_rule_bound(plus, minus, witness) == np.inf


def test_rules_beyond_the_box_are_scaled_into_it() -> None:
    """With rows of sum 2 the same formula would be below the maximum."""
    plus, minus = np.array([[1.0]]), np.array([[1.0]])
    witness = SignRule(np.array([0]), np.array([[0.0, 2.0]]), np.ones(2))
    assert sign_rule_bound(plus, minus, witness) >= 0.0
    plus = np.array([[1.0, 0.0], [0.0, 1.0]])
    minus = np.array([[0.6, 0.0]])
    exact = np.hypot(0.4, 1.0)
    for size in (1.0, 2.0, 3.0):
        rule = np.array([[0.0, size, 0.0]])
        bound = sign_rule_bound(plus, minus, SignRule(np.arange(2), rule, np.ones(3)))
        assert bound >= exact


@pytest.mark.parametrize("d", [1, 3, 30])
def test_largest_eigenvalue(d: int) -> None:
    rng = np.random.default_rng(d)
    rows = rng.standard_normal((2 * d, d)) * np.logspace(0, -8, d)
    largest = np.linalg.norm(rows, 2) ** 2
    bound = largest_eigenvalue(rows.T @ rows, terms=2 * d)
    assert largest * (1.0 - 1e-15) <= bound <= largest * (1.0 + 1e-10)
    assert largest_eigenvalue(np.zeros((d, d)), terms=1) == 0.0


def test_wrong_eigenvalues_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((9, 4))
    largest = np.linalg.norm(rows, 2) ** 2
    true = np.linalg.eigvalsh
    for factor in (0.0, 0.5, 1.0 - 1e-6):
        monkeypatch.setattr(np.linalg, "eigvalsh", lambda A, f=factor: f * true(A))
        assert largest_eigenvalue(rows.T @ rows, terms=9) >= largest


def test_projection_onto_the_ball_of_sums() -> None:
    rng = np.random.default_rng(2)
    rows = 3.0 * rng.standard_normal((50, 7))
    radii = rng.uniform(0.1, 20.0, 50)
    point = rows.copy()
    project_rows(point, radii)
    sums = np.abs(point).sum(axis=1)
    assert np.all(sums <= radii * (1.0 + 1e-12))
    outside = np.abs(rows).sum(axis=1) > radii
    assert outside.any()
    assert not outside.all()
    np.testing.assert_array_equal(point[~outside], rows[~outside])
    np.testing.assert_allclose(sums[outside], radii[outside])
    # the multiplier: what is left moved by one threshold, the rest was below it
    for before, after in zip(rows[outside], point[outside], strict=True):
        moved = np.abs(before) - np.abs(after)
        threshold = moved.max()
        np.testing.assert_allclose(moved[after != 0.0], threshold)
        assert np.all(np.abs(before[after == 0.0]) <= threshold * (1.0 + 1e-12))


def test_projection_onto_tiny_balls_ends() -> None:
    """Rounding must not let the count of entries above the threshold swing."""
    rng = np.random.default_rng(1)
    for m in range(1, 30):
        rows = np.vstack([np.full((1, m), 0.1), rng.uniform(0.1, 0.1 + 1e-16, (1, m))])
        for radius in (1e-300, 1e-30, 1e-17, 1e-16, 1e-15):
            point = rows.copy()
            project_rows(point, np.full(2, radius))
            assert np.all(np.abs(point).sum(axis=1) <= radius + 1e-15 * m)


@pytest.mark.parametrize(("n", "d"), [(40, 8), (60, 30), (20, 100)])
def test_rules_beat_the_spectral_bound(n: int, d: int) -> None:
    rng = np.random.default_rng(n)
    X, lam = rng.standard_normal((n, d)), rng.standard_normal(n)
    found = dual_bound(X, lam)
    first = found.history[0]
    assert first.method == "spectral"
    assert found.upper < 0.8 * first.upper
    assert found.relative_gap < 0.15
    assert found.verify(X, lam)
    uppers = [step.upper for step in found.history]
    lowers = [step.lower for step in found.history]
    assert uppers == sorted(uppers, reverse=True)
    assert lowers == sorted(lowers)


def test_any_direction_gives_a_rule() -> None:
    for seed in range(20):
        plus, minus, value = sides(seed, 12, 3)
        for u in (*np.eye(3), np.zeros(3), plus[0] / np.linalg.norm(plus[0])):
            rule = rule_of_direction(plus, minus, u)
            assert sign_rule_bound(plus, minus, rule) >= value


def test_limits(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(4)
    X, lam = rng.standard_normal((60, 12)), rng.standard_normal(60)
    whole = dual_bound(X, lam)
    short = dual_bound(X, lam, time_limit=1e-9)
    assert len(short.history) < len(whole.history)
    assert whole.upper <= short.upper
    assert short.upper >= whole.lower
    enough = dual_bound(X, lam, target=2.0 * whole.upper)
    assert enough.upper <= 2.0 * whole.upper
    assert len(enough.history) < len(whole.history)
    above = dual_bound(X, lam, target=0.5 * whole.lower)
    assert above.lower > 0.5 * whole.lower
    assert len(above.history) == 2
    rough = dual_bound(X, lam, gap=0.5)
    assert rough.relative_gap <= 0.5
    dual_bound(X, lam, gap=0.5, progress=True)
    assert "sign rule" in capsys.readouterr().out


def test_the_same_twice() -> None:
    rng = np.random.default_rng(5)
    X, lam = rng.standard_normal((50, 20)), rng.standard_normal(50)
    one, two = dual_bound(X, lam), dual_bound(X, lam)
    assert (one.lower, one.upper) == (two.lower, two.upper)


@pytest.mark.parametrize("unit", [1e-150, pytest.param(1e150, marks=pytest.mark.slow)])
def test_units_of_the_bound(unit: float) -> None:
    rng = np.random.default_rng(6)
    X, lam = rng.standard_normal((24, 10)), rng.standard_normal(24)
    found = dual_bound(X, lam)
    for scaled in (dual_bound(unit * X, lam), dual_bound(X, unit * lam)):
        assert scaled.upper == pytest.approx(unit * found.upper, rel=1e-6)
        assert scaled.lower == pytest.approx(unit * found.lower, rel=1e-6)


def test_what_was_tampered_with_does_not_verify() -> None:
    rng = np.random.default_rng(7)
    X, lam = rng.standard_normal((60, 20)), rng.standard_normal(60)
    found = dual_bound(X, lam)
    assert found.verify(X, lam)
    side = max(found.witnesses, key=lambda sign: sign * found.neuron.sign)
    rule = found.witnesses[side]
    cubes = rule.weights**3
    for wrong in (
        {"upper": found.upper * (1.0 - 1e-9)},
        {"lower": found.lower * (1.0 + 1e-9)},
        {"witnesses": {**found.witnesses, side: rule._replace(rule=0.0 * rule.rule)}},
        {"witnesses": {**found.witnesses, side: rule._replace(rule=-rule.rule)}},
        {"witnesses": {**found.witnesses, side: rule._replace(weights=cubes)}},
    ):
        assert not dataclasses.replace(found, **wrong).verify(X, lam), wrong
    # without a rule it is computed anew
    assert dataclasses.replace(found, witnesses={}).verify(X, lam)
    assert not found.verify(X, 1.1 * lam)


def test_what_is_no_witness_does_not_verify() -> None:
    rng = np.random.default_rng(16)
    X, lam = rng.standard_normal((40, 20)), rng.standard_normal(40)
    found = dual_bound(X, lam)
    (side, rule), *_ = found.witnesses.items()
    for wrong in (
        rule._replace(columns=rule.columns + 1000),
        rule._replace(columns=rule.columns - 1000),
        rule._replace(columns=1.0 * rule.columns),
        rule._replace(columns=rule.columns[:, None]),
        rule._replace(rule=rule.rule.astype(object)),
        rule._replace(weights=rule.weights.astype(str)),
        tuple(rule),
        None,
    ):
        witnesses = {**found.witnesses, side: wrong}
        assert not dataclasses.replace(found, witnesses=witnesses).verify(X, lam)
    for upper in (0.0, -1.0, np.nan):
        forged = dataclasses.replace(found, upper=upper, lower=0.0, witnesses={})
        assert not forged.verify(X, lam)
    assert dataclasses.replace(found, upper=np.inf).verify(X, lam)


@pytest.mark.slow
def test_numbers_that_are_none_do_not_verify() -> None:
    rng = np.random.default_rng(17)
    X = rng.standard_normal((30, 20))
    problem = TrainingProblem(X, X[:, 0], 2.0)
    network = ReLUNetwork(0.1 * rng.standard_normal((20, 2)), 0.1 * np.ones(2))
    certificate = certify(network, problem)
    assert certificate.verify(network, problem)
    for name in ("primal", "lower_bound", "scale"):
        forged = dataclasses.replace(certificate, **{name: np.nan})
        assert not forged.verify(network, problem)
    nothing = dataclasses.replace(certificate, dual=np.nan * certificate.dual)
    assert not nothing.verify(network, problem)


def test_nothing_to_bound() -> None:
    for X, lam in (
        (np.zeros((3, 2)), np.ones(3)),
        (np.ones((3, 2)), np.zeros(3)),
    ):
        found = dual_bound(X, lam)
        assert (found.lower, found.upper, found.method) == (0.0, 0.0, "zero")
        assert found.relative_gap == 0.0
        assert found.verify(X, lam)


@pytest.mark.parametrize(
    "wrong",
    [{"gap": -1.0}, {"time_limit": 0.0}, {"target": -1.0}, {"target": np.nan}],
)
def test_bad_limits(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidDataError):
        dual_bound(np.eye(2), np.ones(2), **wrong)


def test_large_rules_keep_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a whole rule would be too large, it uses the signs of some rows."""
    monkeypatch.setattr(relaxation, "MOST_ENTRIES", 300)
    plus, minus, value = sides(8, 60, 6)
    rules = list(sign_rules(plus, minus))
    assert rules[-1].rule.size <= 300
    bounds = [sign_rule_bound(plus, minus, rule) for rule in rules]
    assert value <= min(bounds) < 0.9 * bounds[0]


def test_a_high_rank_is_refused_before_anything_is_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def listing(*arguments: object, **named: object) -> None:
        raise AssertionError("this takes 2**300 steps")

    for name in ("quick_patterns", "enumerate_patterns", "branch_and_bound"):
        monkeypatch.setattr(pricing, name, listing)
    X = np.random.default_rng(9).standard_normal((500, 300))
    with pytest.raises(EnumerationTooLargeError, match="at least 2"):
        dual_norm_bounds(X, np.ones(500))


@pytest.mark.parametrize(
    "loss",
    [
        "squared",
        *(pytest.param(loss, marks=pytest.mark.slow) for loss in ("logistic", Hinge())),
    ],
)
def test_networks_on_many_features_are_certified(loss: object) -> None:
    rng = np.random.default_rng(10)
    X = rng.standard_normal((80, 30))
    y = np.sign(X[:, 0]) if loss != "squared" else X[:, 0]
    problem = TrainingProblem(X, y, 2.0, loss)
    network = ReLUNetwork(0.1 * rng.standard_normal((30, 4)), 0.1 * np.ones(4))
    certificate = certify(network, problem)
    assert certificate.scope == "all patterns"
    assert certificate.lower_bound <= certificate.primal
    assert certificate.verify(network, problem)
    better = dataclasses.replace(certificate, scale=certificate.scale * (1 + 1e-9))
    if certificate.dual_bound is not None:
        assert certificate.method == "sign rule"
        assert "method='sign rule'" in repr(certificate)
        assert "sign rule" in certificate.advice
        assert not better.verify(network, problem)


def test_beta_max_is_bounded_from_above() -> None:
    rng = np.random.default_rng(11)
    X, y = rng.standard_normal((80, 30)), rng.standard_normal(80)
    problem = TrainingProblem(X, y, 1.0)
    with pytest.warns(GapWarning, match="the larger number"):
        beta = beta_max(problem)
    found = dual_bound(X, y)
    assert found.lower < beta == found.upper
    nothing = ReLUNetwork(np.zeros((30, 0)), np.zeros(0))
    certificate = certify(nothing, TrainingProblem(X, y, beta))
    assert certificate.relative_gap < 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_no_time_for_a_single_rule_ends_the_relaxation(monkeypatch, seed):
    """Where the time is up before the first rule there is no point, and no error."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((12, 4)), rng.standard_normal(12)
    network = ReLUNetwork(rng.standard_normal((4, 2)), [1.0, -1.0])
    monkeypatch.setattr(_dual_ascent, "sign_rules", lambda *sides, **options: iter(()))
    assert not list(relaxed_dual_points(TrainingProblem(X, y, 0.5), network, y))
