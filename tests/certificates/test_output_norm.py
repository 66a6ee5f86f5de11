"""The dual norm of several outputs, against all sign vectors and a grid."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from reference import output_norm_by_search

from convexnn_lib import ReLUNetwork, TrainingProblem, certify, dual_norm, output_norm
from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates._joint_bound import joint_bound, joint_weights
from convexnn_lib.certificates._output_bounds import OutputBounds
from convexnn_lib.certificates.output_norm import OutputNeuron, OutputNorm
from convexnn_lib.errors import ConvexNNError, InvalidDataError

# the package's attribute of this name is the function
module = sys.modules["convexnn_lib.certificates.output_norm"]


def random_data(seed: int, n: int, d: int, c: int):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), rng.standard_normal((n, c))


@pytest.mark.parametrize("seed", range(5))
def test_one_output_is_the_dual_norm(seed: int) -> None:
    X, lam = random_data(seed, 9, 3, 1)
    norm = output_norm(X, lam)
    value = dual_norm(X, lam[:, 0])[0]
    assert norm.lower == pytest.approx(value, rel=1e-12)
    assert value <= norm.upper <= value * (1.0 + 1e-10)
    doubled = output_norm(X, np.hstack([lam, lam]))  # of rank 1 as well
    assert doubled.upper == pytest.approx(2.0**0.5 * value, rel=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "d", "c"), [(6, 2, 2), (5, 3, 2), (6, 2, 3), (5, 3, 3)])
def test_bounds_enclose_the_maximum_over_all_sign_vectors(n: int, d: int, c: int):
    X, lam = random_data(n + c, n, d, c)
    norm = output_norm(X, lam)
    value = output_norm_by_search(X, lam)
    assert norm.lower <= norm.upper <= norm.lower * (1.0 + 1.1e-7)
    assert norm.lower == pytest.approx(value, rel=1e-6)
    assert norm.verify(X, lam)
    u, v = norm.neuron
    assert np.linalg.norm(u) == pytest.approx(1.0)
    assert v @ lam.T @ np.maximum(X @ u, 0.0) == pytest.approx(norm.lower)


@pytest.mark.slow
def test_over_given_patterns() -> None:
    X, lam = random_data(3, 6, 2, 2)
    patterns = enumerate_patterns(X).patterns
    largest = [output_norm(X, lam, patterns[[k]]) for k in range(len(patterns))]
    for pattern, norm in zip(patterns, largest, strict=True):
        value = output_norm_by_search(X, lam, pattern[None])
        assert norm.upper == pytest.approx(value, rel=1e-6)
    whole = output_norm(X, lam)
    assert max(norm.upper for norm in largest) == pytest.approx(whole.upper, rel=1e-6)
    least = min(largest, key=lambda norm: norm.upper)
    assert least.upper < 0.9 * whole.lower
    assert not least.verify(X, lam)  # it is no bound over all patterns


@pytest.mark.parametrize("seed", range(20))
def test_joint_bound_holds_whatever_its_weights(seed: int) -> None:
    X, lam = random_data(seed, 7, 2, 3)
    value = output_norm(X, lam).lower
    rng = np.random.default_rng(seed)
    good = joint_weights(X, lam)
    assert value <= joint_bound(X, lam, *good)
    for _ in range(5):
        weights = np.exp(rng.standard_normal(7))
        bound = joint_bound(X, lam, weights, float(rng.standard_normal()))
        assert bound >= value
        assert joint_bound(X, lam, *good) <= 1.001 * bound
    assert joint_bound(X, lam, -weights, 0.0) == np.inf


def test_large_data_have_a_bound_and_a_witness() -> None:
    X, lam = random_data(0, 60, 20, 6)
    norm = output_norm(X, lam, gap=0.5)
    assert 0.0 < norm.lower < norm.upper < 2.5 * norm.lower
    assert norm.method == "joint"
    assert norm.verify(X, lam)
    assert not replace(norm, upper=0.999 * norm.lower).verify(X, lam)
    assert not replace(norm, weights=np.ones(60)).verify(X, lam)
    assert not replace(norm, lower=1.01 * norm.lower).verify(X, lam)


def test_no_more_norms_of_one_output_than_asked_for() -> None:
    X, lam = random_data(2, 7, 5, 3)  # too many features for the faces
    few, more = (output_norm(X, lam, max_norms=most) for most in (6, 12))
    assert (few.evaluations, more.evaluations) == (6, 12)
    assert more.lower <= more.upper < few.upper
    with pytest.raises(InvalidDataError, match=r"max_norms must be at least 1, got 0"):
        output_norm(X, lam, max_norms=0)
    with pytest.raises(InvalidDataError, match=r"^gap must be a non-negative"):
        output_norm(X, lam, gap=-1.0)
    with pytest.raises(InvalidDataError, match=r"^target must be a non-negative"):
        output_norm(X, lam, target=np.nan)


def test_what_is_bounded_well_enough_is_bounded_no_further() -> None:
    X, lam = random_data(0, 60, 20, 6)
    rough = output_norm(X, lam, gap=10.0)
    assert (rough.method, rough.evaluations) == ("joint", 0)
    gap = rough.relative_gap
    assert 0.4 < gap < 10.0
    assert output_norm(X, lam, gap=1.01 * gap, max_norms=6).evaluations == 0
    assert output_norm(X, lam, gap=0.99 * gap, max_norms=6).evaluations == 6
    for share, norms in ((1.01, 0), (0.99, 6)):
        target = share * rough.upper
        assert output_norm(X, lam, target=target, max_norms=6).evaluations == norms


def test_what_bounds_the_norm_and_in_which_order() -> None:
    few = ["directions", "faces", "directions"]
    for d, c, names in ((2, 2, few), (4, 3, few), (2, 1, few[:1]), (5, 2, few[:1])):
        work = OutputBounds(*random_data(0, 6, d, c), None)
        assert [name for name, _ in module._methods(work, 3000)] == names
    large = OutputBounds(*random_data(0, 60, 4, 2), None)  # more cells than faces can
    assert [name for name, _ in module._methods(large, 3000)] == few[:1]


def test_nothing_follows_the_faces() -> None:
    """No bound meets the norm exactly, and what faces leave, directions leave too."""
    norm = output_norm(*random_data(1, 6, 2, 2), gap=0.0)
    assert norm.relative_gap <= 1e-9
    assert norm.evaluations <= module._FEW_NORMS


def test_up_to_where_faces_are_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = []
    monkeypatch.setattr(
        module, "face_bound", lambda *given: levels.append(given[3]) or np.inf
    )
    work = OutputBounds(*random_data(1, 6, 2, 2), None)
    work.lower = 4.0
    for target, gap in ((1.0, 0.5), (7.0, 0.5)):
        module._over_faces(work, target, gap, NEVER, np.ones((1, 6), dtype=bool))
    assert levels == [6.0, 7.0]
    assert module._over_faces(work, 1.0, 0.5, Deadline(0.0), work.patterns) == np.inf
    assert len(levels) == 2


@pytest.mark.parametrize("power", [-500, -40, 40, 500])
def test_units_are_the_users(power: int) -> None:
    X, lam = random_data(1, 6, 2, 2)
    here = output_norm(X, lam)
    there = output_norm(X * 2.0**power, lam * 2.0 ** (power // 2))
    factor = 2.0**power * 2.0 ** (power // 2)
    assert (there.lower, there.upper) == (here.lower * factor, here.upper * factor)


def test_nothing_has_the_norm_zero() -> None:
    for X, lam in ((np.zeros((3, 2)), np.ones((3, 2))), (np.eye(3), np.zeros((3, 2)))):
        norm = output_norm(X, lam)
        assert (norm.lower, norm.upper, norm.evaluations) == (0.0, 0.0, 0)
        assert np.array_equal(norm.neuron.direction, np.eye(X.shape[1])[0])
        assert np.array_equal(norm.neuron.outward, np.eye(lam.shape[1])[0])


def test_bounds_as_they_are_told() -> None:
    neuron = OutputNeuron(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    bounds = OutputNorm(2.0, 3.0, neuron, "faces", 7)
    assert bounds.relative_gap == 0.5
    assert replace(bounds, lower=0.0).relative_gap == np.inf
    assert replace(bounds, lower=0.0, upper=0.0).relative_gap == 0.0
    assert repr(bounds) == "OutputNorm(2 <= M <= 3, method='faces')"
    half = bounds.scaled(0.5)
    assert (half.lower, half.upper) == (1.0, 1.5)
    assert (half.method, half.evaluations) == ("faces", 7)
    assert np.array_equal(half.neuron, neuron)


def test_what_is_no_proof() -> None:
    X, lam = random_data(1, 6, 2, 2)
    norm = output_norm(X, lam)
    assert norm.verify(X, lam)
    u, v = norm.neuron
    assert not replace(norm, lower=norm.lower * (1.0 + 1e-9)).verify(X, lam)
    # twice the neuron attains no more than the neuron
    for longer in (OutputNeuron(2.0 * u, v), OutputNeuron(u, 2.0 * v)):
        assert replace(norm, neuron=longer).verify(X, lam)
        twice = replace(norm, neuron=longer, lower=2.0 * norm.lower)
        assert not replace(twice, upper=2.1 * norm.upper).verify(X, lam)
    # nothing is bounded by 0, and zeros are bounded by everything
    zero = output_norm(np.zeros((6, 2)), lam)
    assert zero.verify(np.zeros((6, 2)), lam)
    assert replace(zero, upper=1.0).verify(np.zeros((6, 2)), lam)
    assert not zero.verify(X, lam)


@pytest.mark.parametrize(("d", "method"), [(4, "faces"), (5, "directions")])
def test_faces_bound_the_norm_of_few_features(d: int, method: str) -> None:
    X, lam = random_data(4, 6, d, 3)
    norm = output_norm(X, lam, max_norms=8)
    assert norm.method == method
    if method == "faces":
        assert norm.relative_gap <= 1e-9
        late = output_norm(X, lam, max_norms=8, deadline=Deadline(0.0))
        assert late.method != "faces"
        assert norm.lower <= late.upper


@pytest.mark.parametrize(
    "lam", [np.ones(3), np.ones((2, 2)), np.ones((3, 0)), np.full((3, 2), np.nan)]
)
def test_bad_dual_points_are_refused(lam) -> None:
    with pytest.raises(InvalidDataError, match="lam"):
        output_norm(np.eye(3), lam)


def a_certificate(loss: str = "squared", patterns=None):
    X, Y = random_data(4, 8, 2, 3)
    if loss == "multinomial":
        Y = np.eye(3)[np.argmax(Y, axis=1)]
    problem = TrainingProblem(X, Y, 0.3, loss)
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((2, 3)), rng.standard_normal((3, 3))
    network = ReLUNetwork(*weights)
    return certify(network, problem, patterns), network, problem


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["squared", "multinomial"])
def test_a_certificate_that_was_tampered_with_is_invalid(loss: str) -> None:
    true, network, problem = a_certificate(loss)
    assert true.verify(network, problem)
    assert true.lower_bound <= true.primal
    bound = true.dual_bound
    assert isinstance(bound, OutputNorm)
    forged = {
        "lower bound": replace(true, lower_bound=true.lower_bound + 1e-6),
        "primal": replace(true, primal=true.primal * (1.0 - 1e-6)),
        "scale": replace(true, scale=true.scale * (1.0 + 1e-6)),
        "dual": replace(true, dual=true.dual * 1.01),
        "norm": replace(true, dual_bound=replace(bound, upper=0.99 * bound.upper)),
        "no norm": replace(true, dual_bound=None),
        "entry": replace(true, dual=true.dual + 0.1 * np.eye(8, 3)),
        "weights": replace(
            true, dual_bound=replace(bound, weights=np.ones(8), upper=bound.lower)
        ),
    }
    for what, certificate in forged.items():
        assert not certificate.verify(network, problem), what
    other = ReLUNetwork(network.W1, 2.0 * network.w2)
    assert not true.verify(other, problem)


def test_a_bound_over_some_patterns_is_none_over_all() -> None:
    patterns = np.ones((1, 8), dtype=np.bool_)
    true, network, problem = a_certificate(patterns=patterns)
    assert true.scope == "1 given patterns"
    assert true.verify(network, problem)
    wide = certify(network, problem)
    assert true.lower_bound > wide.lower_bound
    assert not replace(true, patterns=None).verify(network, problem)


def test_networks_and_problems_must_have_the_same_outputs() -> None:
    _, network, problem = a_certificate()
    with pytest.raises(ConvexNNError, match=r"W2 \(m, c\) for Y \(n, c\)"):
        certify(ReLUNetwork(network.W1, network.w2[:, 0]), problem)
    with pytest.raises(ConvexNNError, match=r"w2 \(m,\) for y \(n,\)"):
        certify(network, TrainingProblem(problem.X, problem.y[:, 0], 0.3))
    with pytest.raises(ConvexNNError, match=r"dual must have shape \(8, 3\)"):
        certify(network, problem, dual=np.ones(8))
