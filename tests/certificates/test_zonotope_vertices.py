from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import lsq_linear

import convexnn_lib.certificates._zonotope_vertices as module
from convexnn_lib.certificates import _wolfe
from convexnn_lib.certificates._wolfe import Corral, nearest_in_corral, nearest_point
from convexnn_lib.certificates._zonotope_vertices import (
    _byte_sums,
    _distances,
    ascend,
    farthest_points,
)

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


def value(plus, minus, directions):
    rise = np.maximum(directions @ plus.T, 0.0).sum(axis=1)
    return rise - np.maximum(directions @ minus.T, 0.0).sum(axis=1)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(generators())
def test_agrees_with_box_constrained_least_squares(data):
    plus, minus = data
    patterns = all_patterns(len(plus))  # more points than vertices do no harm
    packed = np.packbits(patterns, axis=1)
    far = farthest_points(plus, minus, packed)
    expected = distance_by_least_squares(plus, minus, patterns)
    assert abs(far.upper - expected) <= 1e-7
    if len(far.values):
        assert -1e-14 <= far.upper - far.values.max() <= 1e-12
        np.testing.assert_allclose(
            value(plus, minus, far.directions), far.values, rtol=0, atol=1e-12
        )
        lengths = np.linalg.norm(far.directions, axis=1)
        np.testing.assert_allclose(lengths, 1.0, rtol=1e-14)
    else:
        assert far.upper <= 1e-12


@settings(deadline=None, max_examples=60, derandomize=True)
@given(generators(), st.floats(0.0, 3.0))
def test_a_floor_hides_what_is_below_it(data, floor):
    plus, minus = data
    packed = np.packbits(all_patterns(len(plus)), axis=1)
    whole = farthest_points(plus, minus, packed)
    part = farthest_points(plus, minus, packed, floor)
    assert np.all(part.values > floor)
    assert part.upper >= floor
    assert part.upper <= max(whole.upper, floor) + 1e-12
    if whole.upper > floor + 1e-12:
        assert abs(part.upper - whole.upper) <= 1e-12
        assert abs(part.values.max() - whole.upper) <= 1e-12


@settings(deadline=None, max_examples=60, derandomize=True)
@given(generators(), st.integers(0, 100))
def test_ascent_stays_below_the_maximum_and_never_falls(data, seed):
    plus, minus = data
    starts = np.random.default_rng(seed).standard_normal((5, plus.shape[1]))
    climbed = ascend(plus, minus, starts)
    packed = np.packbits(all_patterns(len(plus)), axis=1)
    upper = farthest_points(plus, minus, packed).upper
    assert np.all(climbed.values <= upper + 1e-12)
    np.testing.assert_allclose(
        value(plus, minus, climbed.directions), climbed.values, rtol=0, atol=1e-12
    )
    unit = starts / np.linalg.norm(starts, axis=1, keepdims=True)
    best_start = value(plus, minus, unit).max()
    assert climbed.values.max(initial=0.0) >= best_start - 1e-12


def test_compiled_and_plain_code_agree(monkeypatch):
    rng = np.random.default_rng(0)
    plus, minus = rng.standard_normal((4, 3)), rng.standard_normal((6, 3))
    packed = np.packbits(all_patterns(4), axis=1)
    table = _byte_sums(plus)
    for floor, ascents in ((0.0, 0), (1.0, 0), (0.0, 9)):
        rest = packed, table, plus, minus, floor, ascents
        compiled = _distances(*rest, Corral.empty(3))
        with monkeypatch.context() as patch:
            patch.setattr(module, "nearest_point", nearest_point.py_func)
            patch.setattr(_wolfe, "nearest_in_corral", nearest_in_corral.py_func)
            plain = _distances.py_func(*rest, Corral.empty(3))
        for a, b in zip(compiled, plain, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


def test_many_blocks_and_generators():
    rng = np.random.default_rng(1)
    plus, minus = rng.standard_normal((14, 3)), rng.standard_normal((20, 3))
    packed = np.packbits(all_patterns(14), axis=1)  # more than one block
    far = farthest_points(plus, minus, packed)
    starts = rng.standard_normal((2000, 3))
    climbed = ascend(plus, minus, starts)
    assert abs(climbed.values.max() - far.upper) <= 1e-12
    assert abs(far.values.max() - far.upper) <= 1e-12


def test_nothing_sticks_out():
    segment = np.array([[1.0, 2.0]])
    packed = np.packbits(all_patterns(1), axis=1)
    far = farthest_points(segment, segment, packed)
    assert far.upper == 0.0
    assert not len(far.values)
    assert not len(ascend(segment, segment, segment).values)
