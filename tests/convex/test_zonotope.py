from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import lsq_linear

from convexnn_lib.convex.zonotope import _scan, farthest_point

integers = st.integers(-2, 2).map(float)


@st.composite
def generators(draw):
    d = draw(st.integers(1, 3))
    n, k = draw(st.integers(1, 4)), draw(st.integers(0, 5))
    plus = draw(arrays(np.float64, (n, d), elements=integers))
    return plus, draw(arrays(np.float64, (k, d), elements=integers))


def all_patterns(n):
    return np.array(list(itertools.product([True, False], repeat=n)))


def distance_by_least_squares(plus, minus, patterns):
    distances = []
    for vertex in patterns @ plus:
        if not len(minus):
            distances.append(np.linalg.norm(vertex))
            continue
        fit = lsq_linear(minus.T, vertex, bounds=(0.0, 1.0), method="bvls", tol=1e-14)
        distances.append(np.sqrt(2.0 * fit.cost))
    return max(distances)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(generators())
def test_agrees_with_box_constrained_least_squares(data):
    plus, minus = data
    patterns = all_patterns(len(plus))  # more points than vertices do no harm
    lower, upper, direction = farthest_point(plus, minus, patterns @ plus)
    expected = distance_by_least_squares(plus, minus, patterns)
    assert abs(upper - expected) <= 1e-7
    assert lower <= upper
    assert upper - lower <= 1e-12
    value = np.maximum(plus @ direction, 0.0).sum()
    value -= np.maximum(minus @ direction, 0.0).sum()
    assert abs(value - lower) <= 1e-12
    if lower > 1e-9:
        assert abs(np.linalg.norm(direction) - 1.0) <= 1e-14


def test_compiled_and_plain_code_agree():
    rng = np.random.default_rng(0)
    plus, minus = rng.standard_normal((4, 3)), rng.standard_normal((6, 3))
    vertices = all_patterns(4) @ plus
    compiled = _scan(vertices, plus, minus)
    plain = _scan.py_func(vertices, plus, minus)
    np.testing.assert_allclose(compiled[0], plain[0], rtol=1e-14)
    np.testing.assert_allclose(compiled[1], plain[1], rtol=1e-14)
    np.testing.assert_allclose(compiled[2], plain[2], rtol=0, atol=1e-12)


def test_nothing_sticks_out():
    segment = np.array([[1.0, 2.0]])
    lower, upper, direction = farthest_point(
        segment, segment, all_patterns(1) @ segment
    )
    assert lower == upper == 0.0
    assert not direction.any()
