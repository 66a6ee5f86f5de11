from __future__ import annotations

import sys
from fractions import Fraction

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import xlogy

from convexnn_lib.errors import InvalidDataError, InvalidLabelsError, MissingExtraError
from convexnn_lib.problem._loss import _maximizer
from convexnn_lib.problem.losses import (
    HardMargin,
    Hinge,
    Logistic,
    Loss,
    Squared,
    get_loss,
)

LOSSES = [Squared(), Squared(scale=2.0), Logistic(), Hinge(), HardMargin()]
DIFFERENTIABLE = [loss for loss in LOSSES if loss.differentiable]


def labels_for(loss, rng, n=4):
    return (
        rng.standard_normal(n) if loss.labels == "real" else rng.choice([-1.0, 1.0], n)
    )


def dual_point_for(loss, rng, y):
    """A dual point inside the domain of the dual objective."""
    if loss.labels == "real":
        return rng.standard_normal(len(y))
    return y * rng.uniform(0.0, 1.0, len(y))


def test_names_and_properties():
    assert [loss.name for loss in LOSSES[1:]] == [
        "squared",
        "logistic",
        "hinge",
        "hard_margin",
    ]
    for loss in LOSSES:
        assert get_loss(loss) is loss
        assert get_loss(loss.name).name == loss.name
        assert eval(repr(loss)) == loss
    assert Squared(scale=2) == Squared(scale=2.0) != Squared()
    assert [loss.strictly_convex for loss in LOSSES] == [True, True, True, False, False]
    for bad in ("mse", 3, None):
        with pytest.raises(InvalidDataError, match="unknown loss"):
            get_loss(bad)


@pytest.mark.parametrize("scale", [0.0, -1.0, np.inf, np.nan, "wide", None])
def test_bad_scale(scale):
    with pytest.raises(InvalidDataError, match="scale"):
        Squared(scale=scale)


def test_values():
    assert Squared().value([3.0], [1.0]) == 2.0
    assert Squared(scale=2.0).value([3.0], [1.0]) == 4.0
    assert Logistic().value([0.0], [1.0]) == pytest.approx(np.log(2.0), rel=1e-15)
    assert Logistic().value([-800.0, 800.0], [1.0, 1.0]) == 800.0
    assert Hinge().value([1.0, 0.0, -1.0], [1.0, 1.0, 1.0]) == 3.0
    assert HardMargin().value([1.0, -1.0], [1.0, -1.0]) == 0.0
    assert HardMargin().value([1.0, 0.999], [1.0, 1.0]) == np.inf
    with pytest.raises(InvalidDataError, match="vectors of one length"):
        Squared().value([1.0, 2.0], [1.0])


def test_stable_far_out():
    z, y = np.array([1e4, -1e4]), np.array([1.0, 1.0])
    np.testing.assert_array_equal(Logistic().gradient(z, y), [0.0, -1.0])
    np.testing.assert_array_equal(Logistic().curvature(z, y), [0.0, 0.0])


@pytest.mark.parametrize("loss", DIFFERENTIABLE)
def test_gradient_and_curvature_are_derivatives(loss):
    rng = np.random.default_rng(0)
    y, z = labels_for(loss, rng), rng.standard_normal(4)
    gradient, curvature = loss.gradient(z, y), loss.curvature(z, y)
    for i, e in enumerate(1e-5 * np.eye(4)):
        slope = (loss.value(z + e, y) - loss.value(z - e, y)) / 2e-5
        bend = (loss.gradient(z + e, y)[i] - loss.gradient(z - e, y)[i]) / 2e-5
        assert slope == pytest.approx(gradient[i], abs=1e-9)
        assert bend == pytest.approx(curvature[i], abs=1e-9)


def test_hinge_subgradient_and_hard_margin_gradient():
    gradient = Hinge().gradient([0.0, 1.0, 2.0], [1.0, 1.0, -1.0])
    np.testing.assert_array_equal(gradient, [-1.0, 0.0, 1.0])
    assert Hinge().curvature([0.0], [1.0]) is None
    with pytest.raises(ValueError, match="no gradient"):
        HardMargin().gradient([0.0], [1.0])


def test_conjugate_is_the_supremum():
    # by CVXPY, in one variable
    z = cp.Variable()
    for y in (-1.0, 1.0):
        for v in (-0.9, -0.3, 0.0, 0.4, 1.0):
            expressions = {
                Squared(): 0.5 * cp.square(z - y),
                Squared(scale=2.0): cp.square(z - y),
                Logistic(): cp.logistic(-y * z),
                Hinge(): cp.pos(1.0 - y * z),
                HardMargin(): 0.0 * z,
            }
            for loss, expression in expressions.items():
                value = loss.conjugate([v], [y])
                if not np.isfinite(value) or (
                    isinstance(loss, Logistic) and abs(v) in (0.0, 1.0)
                ):
                    continue  # unbounded, or attained only at infinity
                constraints = [y * z >= 1.0] if isinstance(loss, HardMargin) else []
                model = cp.Problem(cp.Maximize(v * z - expression), constraints)
                model.solve(solver=cp.CLARABEL)
                assert value == pytest.approx(model.value, abs=1e-6)


def test_conjugate_domains():
    assert Logistic().conjugate([0.0, -1.0], [1.0, 1.0]) == 0.0
    for loss in (Logistic(), Hinge()):
        assert loss.conjugate([0.1], [1.0]) == np.inf
        assert loss.conjugate([-1.1], [1.0]) == np.inf
    assert HardMargin().conjugate([-7.0], [1.0]) == -7.0
    assert HardMargin().conjugate([0.1], [1.0]) == np.inf


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from(LOSSES))
def test_fenchel_inequality(seed, loss):
    rng = np.random.default_rng(seed)
    y, z = labels_for(loss, rng), 3.0 * rng.standard_normal(4)
    v = -dual_point_for(loss, rng, y)
    assert loss.value(z, y) + loss.conjugate(v, y) >= v @ z - 1e-12
    if loss.differentiable:
        g = loss.gradient(z, y)
        total = loss.value(z, y) + loss.conjugate(g, y)
        assert total == pytest.approx(g @ z, abs=1e-11)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    st.integers(0, 10_000),
    st.sampled_from(LOSSES),
    st.sampled_from([1e-3, 0.3, 1.0, 1.7, 20.0, np.inf]),
)
def test_best_scale_maximizes_the_dual_objective(seed, loss, limit):
    rng = np.random.default_rng(seed)
    y = labels_for(loss, rng)
    lam = dual_point_for(loss, rng, y)
    tau = loss.best_scale(lam, y, limit)
    assert 0.0 <= tau <= limit
    if np.isinf(tau):
        assert isinstance(loss, HardMargin)
        return
    best = -loss.conjugate(-tau * lam, y)
    assert np.isfinite(best)
    end = limit if loss.labels == "real" else min(limit, 1.0 / np.max(np.abs(lam)))
    end = limit if isinstance(loss, HardMargin) else min(end, 1e3)
    found = minimize_scalar(
        lambda t: min(loss.conjugate(-t * lam, y), 1e9),
        bounds=(0.0, end),
        method="bounded",
    )
    assert best >= -found.fun - 1e-9


def test_best_scale_outside_the_domain_is_zero():
    y = np.array([1.0, 1.0])
    for loss in (Logistic(), Hinge(), HardMargin()):
        assert loss.best_scale([0.5, -0.1], y, 3.0) == 0.0
        assert loss.best_scale([0.0, 0.0], y, 3.0) == 0.0
    assert Squared().best_scale([0.0, 0.0], y, 3.0) == 0.0
    assert Squared().best_scale([-1.0, 0.0], y, 3.0) == 0.0
    # squares of these would underflow or overflow
    assert Squared().best_scale([1e-200, 0.0], y, np.inf) == pytest.approx(1e200)
    assert Squared().best_scale([1e200, 0.0], y, np.inf) == pytest.approx(1e-200)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_cvxpy_expression_has_the_value_of_the_loss(loss):
    rng = np.random.default_rng(0)
    for _ in range(5):
        y = labels_for(loss, rng)
        z = 2.0 * rng.standard_normal(4)
        for outputs in (z, y * (1.0 + np.abs(z))):  # the latter meet the margin
            expression = loss.cvxpy_expression(cp.Constant(outputs), y)
            assert expression.value == pytest.approx(loss.value(outputs, y), rel=1e-12)


def test_dual_points_with_zeros_are_in_the_domain_of_margin_losses():
    y, alpha = np.array([1.0, -1.0]), np.array([0.0, 0.5])
    assert Hinge().conjugate(-y * alpha, y) == -0.5
    assert Hinge().best_scale(y * alpha, y, np.inf) == pytest.approx(2.0, rel=1e-15)
    assert HardMargin().best_scale(y * alpha, y, 7.0) == 7.0


def test_project_dual():
    y = np.array([1.0, -1.0, 1.0])
    lam = np.array([1.5, -0.5, -0.1])
    np.testing.assert_array_equal(Squared().project_dual(lam, y), lam)
    np.testing.assert_array_equal(Hinge().project_dual(lam, y), [1.0, -0.5, 0.0])
    np.testing.assert_array_equal(Logistic().project_dual(lam, y), [1.0, -0.5, 0.0])
    np.testing.assert_array_equal(HardMargin().project_dual(lam, y), [1.5, -0.5, 0.0])


def test_project_dual_by_default_where_rounding_is_in_the_way():
    """Entries that are inside stay, also if the gradient misses the domain's end."""

    class Ends(Loss):
        def value(self, z, y):
            return float(np.sum(np.abs(z)))

        def gradient(self, z, y):
            return np.full(len(z), 1.0 + 1e-15)

        def conjugate(self, lam, y):
            return 0.0 if np.all(np.abs(lam) <= 1.0) else np.inf

    y, lam = np.zeros(9), np.append(np.linspace(-1.0, 1.0, 8) / 3.0, 3.0)
    found = Ends().project_dual(lam, y)
    np.testing.assert_array_equal(found[:8], lam[:8])
    assert found[8] == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize("loss", [Logistic(), Hinge(), HardMargin()])
def test_sign_labels(loss):
    loss.check_labels(np.array([1.0, -1.0]))
    with pytest.raises(InvalidLabelsError, match=r"got 0\.0; use 2\*y - 1"):
        loss.check_labels(np.array([0.0, 1.0]))
    with pytest.raises(InvalidLabelsError, match=r"got 2\.0, 3\.0; map one class"):
        loss.check_labels(np.array([3.0, 2.0, 1.0]))
    with pytest.raises(InvalidLabelsError, match="and 3 more"):
        loss.check_labels(np.arange(2.0, 10.0))
    Squared().check_labels(np.arange(8.0))


def test_losses_are_abstract():
    with pytest.raises(InvalidDataError, match="lacks conjugate, gradient, value"):
        Loss()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ma.array([1.0, 2.0], mask=[True, False]), "masked"),
        (np.array(["2020-01-01", "2020-01-02"], dtype="M8"), "dates"),
        ([1.0j, 2.0], "complex"),
        (["1", "2"], "text"),
        ([Fraction(1, 3), 1], "cannot represent exactly"),
        ([2**53 + 1, 1], "cannot represent exactly"),
        (None, "None"),
    ],
)
@pytest.mark.parametrize("loss", [Squared(), Logistic(), Hinge()])
def test_values_that_would_be_misread_are_refused(loss, values, message):
    for method in (loss.value, loss.gradient, loss.conjugate):
        with pytest.raises(InvalidDataError, match=message):
            method(values, [1.0, -1.0])


def test_exact_numbers_and_tensors_are_read():
    torch = pytest.importorskip("torch")
    assert Squared().value([Fraction(1, 2), 2], [0, 0]) == 2.125
    z = torch.tensor([0.5, 2.0], dtype=torch.bfloat16, requires_grad=True)
    assert Squared().value(z, [0.0, 0.0]) == 2.125


def test_a_loss_says_its_own_name_and_degree():
    """Neither is taken from a parent, of which the loss may be no multiple."""

    class Plain(Squared):
        pass

    class Told(Squared):
        name, degree, several_outputs = "told", 2.0, True

    for loss, said in (
        (Squared, ("squared", 2.0, True)),
        (Plain, ("Plain", None, False)),
        (Told, ("told", 2.0, True)),
    ):
        assert (loss.name, loss.degree, loss.several_outputs) == said


class Entropy(Loss):
    """The loss z log z - z + 1, whose conjugate overflows."""

    def value(self, z, y):
        return float(np.sum(xlogy(z, z) - z + 1.0))

    def gradient(self, z, y):
        return np.log(z)

    def conjugate(self, lam, y):
        return float(np.sum(np.exp(lam) - 1.0))


def test_a_conjugate_may_overflow_on_the_way():
    """The dual objective of lambda = -1000 is n (1 - exp(1000 t)), largest at 0."""
    lam, y = np.full(2, -1000.0), np.zeros(2)
    with np.errstate(all="raise"):
        assert Entropy().best_scale(lam, y, np.inf) == 0.0
        assert Entropy().best_scale(-lam, y, 2.0) == 2.0


@pytest.mark.parametrize("size", [1e-200, 1e-30, 1.0, 1e30, 1e200])
@pytest.mark.parametrize("outside", [-np.inf, np.nan])
@pytest.mark.parametrize("wide", [1.2, 3.0])
def test_the_best_scale_is_found_at_every_size(size, outside, wide):
    """A parabola with its top at the size, and nothing beyond the domain."""

    def height(place):
        share = place / size
        return share * (2.0 - share) if share <= wide else outside

    best = _maximizer(height, np.inf)
    assert best == pytest.approx(size, rel=1e-6, abs=0.0)
    assert _maximizer(height, 0.5 * size) == 0.5 * size


def test_messages_on_labels_name_five():
    wrong = np.array([2.0, 3.0, 4.0, 5.0, 6.0])
    with pytest.raises(InvalidLabelsError, match=r"2\.0, 3\.0, 4\.0, 5\.0, 6\.0;"):
        Logistic().check_labels(wrong)
    with pytest.raises(InvalidLabelsError, match=r"6\.0 and 1 more;"):
        Logistic().check_labels(np.append(wrong, 7.0))


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_what_brings_cvxpy(loss, monkeypatch):
    monkeypatch.setitem(sys.modules, "cvxpy", None)
    with pytest.raises(MissingExtraError, match=r"install 'convexnn-lib\[cvxpy\]'"):
        loss.cvxpy_expression(None, np.ones(2))
