"""Principal axes by a rule: not by the signs and rotations that LAPACK happens on."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib.problem._axes import settled_axes


def turned(rng: np.random.Generator, groups: list[np.ndarray]) -> np.ndarray:
    """The same subspaces, in other bases, up to rounding."""
    parts = []
    for group in groups:
        turn = np.linalg.qr(rng.standard_normal((len(group), len(group))))[0]
        parts.append(turn @ group)
    return np.vstack(parts) * (1.0 + 1e-15 * rng.uniform(-1, 1))


@pytest.mark.parametrize("sizes", [[1, 1, 1, 1], [2, 1, 1], [1, 3], [4], [2, 2, 1]])
@pytest.mark.parametrize("kind", ["generic", "units"])
def test_they_depend_on_the_subspaces_alone(sizes: list[int], kind: str) -> None:
    rng = np.random.default_rng(sum(sizes) + len(sizes))
    d = 5
    whole = np.linalg.qr(rng.standard_normal((d, d)))[0]
    if kind == "units":
        whole = np.eye(d)[rng.permutation(d)] * rng.choice([-1.0, 1.0], d)
    ends = np.cumsum(sizes)
    groups = np.split(whole[: ends[-1]], ends[:-1])
    extents = np.repeat(np.arange(len(sizes), 0.0, -1.0), sizes)
    expected = settled_axes(extents, np.vstack(groups), d)
    np.testing.assert_allclose(expected @ expected.T, np.eye(ends[-1]), atol=1e-12)
    for group, part in zip(groups, np.split(expected, ends[:-1]), strict=True):
        np.testing.assert_allclose(part.T @ part, group.T @ group, atol=1e-12)
    for _ in range(5):
        noise = 1e-14 * rng.uniform(-1.0, 1.0, len(extents))
        found = settled_axes(extents + noise, turned(rng, groups), d)
        np.testing.assert_allclose(found, expected, atol=1e-9)
        few = settled_axes(extents, turned(rng, groups), 2)
        np.testing.assert_allclose(few, expected[:2], atol=1e-9)


def test_an_axis_points_to_its_first_coordinate() -> None:
    axes = np.array([[-0.6, 0.8, 0.0], [1e-17, 0.0, -1.0]])
    np.testing.assert_allclose(
        settled_axes(np.array([2.0, 1.0]), axes, 2),
        [[0.6, -0.8, 0.0], [0.0, 0.0, 1.0]],
        atol=1e-15,
    )
