"""What counts as outside a span, flat, or attained, on either side of it."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from convexnn_lib import hull_gauge
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.geometry.hull_gauge import _network
from convexnn_lib.geometry.shapes import _check_interior
from convexnn_lib.geometry.zonotope_distance import _is_nearest

module = import_module("convexnn_lib.geometry.hull_gauge")
REPEATED = [[1.0, 0.0], [1.0, 0.0]]


@pytest.mark.parametrize(("off", "possible"), [(0.9e-9, True), (1.1e-9, False)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_outside_span(off: float, possible: bool, size: float) -> None:
    """On two equal rows a network has equal outputs."""
    gauge = hull_gauge(REPEATED, [size, size * (1.0 + 2.0 * off)])
    assert np.isfinite(gauge.upper) == possible
    if gauge.network is not None:
        assert gauge.upper == pytest.approx(size, rel=1e-8)
        assert gauge.lower == pytest.approx(size, rel=1e-8)


@pytest.mark.parametrize(("off", "nearest"), [(0.9e-12, True), (1.1e-12, False)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_nearest(off: float, nearest: bool, size: float) -> None:
    """The lengths of generators and of the point add up to 3."""
    generators, point = np.array([[size, 0.0]]), np.array([2.0 * size, 0.0])
    found = np.array([size * (1.0 - 9.0 * off), 0.0])
    assert _is_nearest(generators, point, found) == nearest


@pytest.mark.parametrize(("off", "attained"), [(0.9e-10, True), (1.1e-10, False)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_attained(off: float, attained: bool, size: float) -> None:
    X, target = size * np.array(REPEATED), np.array([1.0, 1.0 + 2.0 * off])
    neurons, weights = np.array([[1.0], [0.0]]), np.array([1.0])
    network = _network(X, neurons, weights, target / np.sqrt(2.0))
    assert (network is not None) == attained


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_flat(size: float) -> None:
    _check_interior(size * np.diag([1.0, 1.1e-9]))
    with pytest.raises(InvalidDataError, match="the hull has no interior"):
        _check_interior(size * np.diag([1.0, 0.9e-9]))


@pytest.mark.parametrize(("least", "everything"), [(0.9e-6, False), (1.1e-6, True)])
def test_spanning(
    least: float, everything: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features diag(1, least) span the plane, or all patterns have to be listed."""

    def listing(X: np.ndarray) -> None:
        raise LookupError

    monkeypatch.setattr(module, "enumerate_patterns", listing)
    if everything:
        np.testing.assert_array_equal(
            module._span(np.eye(2), np.diag([1.0, least])), np.eye(2)
        )
    else:
        with pytest.raises(LookupError):
            module._span(np.eye(2), np.diag([1.0, least]))


@pytest.mark.parametrize(("weight", "used"), [(0.9e-12, False), (1.1e-12, True)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_unused(weight: float, used: bool, size: float) -> None:
    """Without the second neuron the output 1 on the second sample is missed."""
    weights, target = size * np.array([1.0, weight]), np.ones(2)
    network = _network(np.eye(2), np.eye(2), weights, target)
    assert (network is not None) is used
