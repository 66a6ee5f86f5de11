from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib.flow._log_loss import log_logistic_loss, smoothed_minimum
from convexnn_lib.problem.losses import Logistic

moderate = st.lists(st.floats(-300, 300), min_size=1, max_size=6)
any_size = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6)


@given(moderate)
@settings(deadline=None, max_examples=200, derandomize=True)
def test_log_loss_is_the_logarithm_of_the_logistic_loss(margins):
    q = np.array(margins)
    loss = Logistic().value(q, np.ones(len(q)))
    assert np.exp(log_logistic_loss(q)) == pytest.approx(loss, rel=1e-12)


@given(any_size)
@settings(deadline=None, max_examples=200, derandomize=True)
def test_smoothed_minimum_is_below_the_smallest_margin_by_a_bounded_amount(margins):
    q = np.array(margins)
    value = smoothed_minimum(q)
    slack = 1e-12 * (1 + np.abs(q).max())
    assert value <= q.min() + slack
    if q.min() > 0:
        # L <= n log(1 + exp(-min q)) and e^L - 1 >= L
        assert value >= q.min() - np.log(2.0 ** len(q) - 1) - slack
    if len(q) == 1:
        assert value == pytest.approx(q[0], rel=1e-12, abs=1e-12)


def test_against_exact_arithmetic():
    with localcontext() as context:
        context.prec = 1000  # 1 + e^-900 needs 400 digits
        for q in ([0.1, 3.0], [40.0, 41.0], [-5.0, 700.0], [900.0, 900.5, 1300.0]):
            loss = sum((1 + (-Decimal(value)).exp()).ln() for value in q)
            assert log_logistic_loss(np.array(q)) == pytest.approx(
                float(loss.ln()), rel=1e-14
            )
            assert smoothed_minimum(np.array(q)) == pytest.approx(
                float(-(loss.exp() - 1).ln()), rel=1e-13
            )


def test_leading_axes():
    q = np.random.default_rng(0).standard_normal((2, 3, 4))
    for function in (log_logistic_loss, smoothed_minimum):
        values = function(q)
        assert values.shape == (2, 3)
        assert values[1, 2] == function(q[1, 2])
