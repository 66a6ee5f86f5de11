"""Vectors and the cones of activation patterns: what merging and pruning rest on."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import lsq_linear, nnls

from convexnn_lib._validation import BoolArray, FloatArray, PatternsLike
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._tolerances import NEAREST_POINT

__all__ = [
    "as_patterns",
    "cone_sides",
    "group_by_cone",
    "holding_cones",
    "independent_combination",
    "nonnegative_fit",
    "project_on_cone",
    "row_sides",
]

_FAR = 1e-3  # a distance from a span, of unit vectors, that is no rounding error


def row_sides(
    X: FloatArray, vectors: FloatArray, tolerance: float = 0.0
) -> npt.NDArray[np.int8]:
    """Return on which side of each vector the rows of X lie.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    vectors : (m, d) array
        Directions, one a row.
    tolerance : float, default 0
        Products of at most this size, relative to the lengths, count as ties, as does
        whatever lies within the rounding error of the product.

    Returns
    -------
    (m, n) array of int8
        The signs of the products, 0 for ties.
    """
    products = vectors @ X.T
    rounding = (X.shape[1] + 2) * np.finfo(np.float64).eps
    ties = rounding * (np.abs(vectors) @ np.abs(X).T)
    if tolerance:
        lengths = np.linalg.norm(vectors, axis=1)[:, None] * np.linalg.norm(X, axis=1)
        ties += tolerance * lengths
    return np.where(np.abs(products) <= ties, 0, np.sign(products)).astype(np.int8)


def cone_sides(patterns: PatternsLike, n: int) -> npt.NDArray[np.int8]:
    """Return (p, n) patterns as signs, 1 on active samples and -1 on the others."""
    return np.where(as_patterns(patterns, n), 1, -1).astype(np.int8)


def as_patterns(patterns: Any, n: int) -> BoolArray:
    """Return patterns as a boolean (p, n) array of its own, possibly an empty one."""
    wanted = f"patterns must be a boolean (p, {n}) array"
    try:
        listed = np.array(patterns)
    except (TypeError, ValueError) as error:  # such as rows of different lengths
        raise InvalidDataError(f"{wanted}, and cannot be read as one.") from error
    if listed.dtype != np.bool_ or listed.ndim != 2 or listed.shape[1] != n:
        raise InvalidDataError(f"{wanted}, got shape {listed.shape} of {listed.dtype}.")
    return listed


def holding_cones(
    cones: npt.NDArray[np.int8], side: npt.NDArray[np.int8]
) -> npt.NDArray[np.intp]:
    """Return the indices of the closed cones that hold a vector with these signs."""
    return np.flatnonzero(np.all(cones * side >= 0, axis=1))


def group_by_cone(
    sides: npt.NDArray[np.int8],
    signs: FloatArray,
    cones: npt.NDArray[np.int8] | None,
) -> list[list[int]]:
    """Group vectors of one sign that share a closed cone.

    Parameters
    ----------
    sides : (m, n) array of int8
        On which side of each vector the rows of X lie, 0 for ties.
    signs : (m,) array
        The sign of each vector.
    cones : (p, n) array of int8 or None
        Patterns as signs; the members of a group share one of these cones. None for any
        closed cone of the arrangement.

    Returns
    -------
    list of list of int
        The groups. Vectors with fewer ties are placed first, in the order of their
        index, and each joins the first group that it fits.
    """
    groups: list[list[int]] = []
    joint_sides, joint_signs = np.zeros_like(sides), np.zeros_like(signs)
    for k in np.argsort(np.sum(sides == 0, axis=1), kind="stable").tolist():
        known = joint_sides[: len(groups)]
        clash = np.any(known * sides[k] < 0, axis=1)
        fits = np.flatnonzero(~clash & (joint_signs[: len(groups)] == signs[k]))
        if cones is not None:
            joint = known[fits] + sides[k]
            fits = fits[[bool(holding_cones(cones, side).size) for side in joint]]
        if fits.size:
            group = int(fits[0])
            groups[group].append(k)
        else:
            group = len(groups)
            groups.append([k])
            joint_signs[group] = signs[k]
        joint_sides[group] = np.where(sides[k] != 0, sides[k], joint_sides[group])
    return groups


def project_on_cone(walls: FloatArray, vector: FloatArray) -> FloatArray:
    r"""Return the point of the cone ``walls @ u >= 0`` that is nearest to a vector.

    It is :math:`v+W^T\alpha` with the least length over :math:`\alpha\ge0`.
    """
    size = float(np.linalg.norm(vector))
    if size == 0.0 or not len(walls) or np.all(walls @ vector >= 0.0):
        return vector
    unit = vector / size
    nearest: FloatArray = unit + walls.T @ nonnegative_fit(walls.T, -unit)
    return size * nearest


def nonnegative_fit(columns: FloatArray, target: FloatArray) -> FloatArray:
    r"""Return nonnegative coefficients whose combination is nearest to a target.

    On dependent columns, active-set nonnegative least squares can end early, give up,
    or return coefficients that have blown up. A nearest combination z is orthogonal to
    what it misses, and no column has a positive product with that; where the first
    method's is neither, a second one's counts if it is nearer to that.

    Parameters
    ----------
    columns : (r, N) array
        The columns.
    target : (r,) array
        The target.

    Returns
    -------
    (N,) array
        The coefficients.
    """
    if not columns.size:  # nnls of an empty matrix crashes the interpreter
        return np.zeros(columns.shape[1])
    height = float(np.linalg.norm(target))
    if height == 0.0:
        return np.zeros(columns.shape[1])
    lengths = np.linalg.norm(columns, axis=0)
    lengths = np.where(lengths > 0.0, lengths, 1.0)
    A, b = columns / lengths, target / height

    def violation(x: FloatArray) -> float:
        z = A @ x
        missed = b - z
        if np.linalg.norm(missed) <= NEAREST_POINT:
            return 0.0
        return max(abs(float(z @ missed)), float(np.max(A.T @ missed)))

    best = np.zeros(columns.shape[1])
    with suppress(RuntimeError):  # its iterations are used up
        best = nnls(A, b, maxiter=100 * A.shape[1])[0]
    off = violation(best)
    if off > NEAREST_POINT:
        bounded = lsq_linear(A, b, (0.0, np.inf), method="bvls", tol=1e-14)
        other = np.maximum(bounded.x, 0.0)
        best = other if violation(other) < off else best
    coefficients: FloatArray = best * (height / lengths)
    return coefficients


def independent_combination(
    columns: FloatArray, coefficients: FloatArray, cost: FloatArray
) -> FloatArray:
    """Reach independent columns with the same nonnegative combination, at no more cost.

    Columns have unit length. They join a working set one by one; whenever the set has
    become dependent, moving along its null vector removes one of them.
    """
    if not columns.size:
        return coefficients.copy()
    tolerance = max(columns.shape) * float(np.finfo(np.float64).eps)
    # products among the columns are all that counts, and R has the same ones
    columns = np.asarray(np.linalg.qr(columns, mode="r"))
    c, working = _reduced(columns, coefficients, cost, tolerance, _FAR)
    # distances that are not small one by one can still add up to dependence
    if working and not _independent(columns[:, working], tolerance):
        c, _ = _reduced(columns, coefficients, cost, tolerance, np.inf)
    return c


def _independent(columns: FloatArray, tolerance: float) -> bool:
    """Return whether columns are independent, up to rounding."""
    singular = np.linalg.svd(columns, compute_uv=False)
    enough = columns.shape[1] <= len(columns)
    return bool(enough and singular[-1] > tolerance * singular[0])


def _reduced(
    columns: FloatArray,
    coefficients: FloatArray,
    cost: FloatArray,
    tolerance: float,
    far: float,
) -> tuple[FloatArray, list[int]]:
    """Return the coefficients and the working set.

    A column at a distance of more than ``far`` from the span of the set joins it
    without a look at singular values.
    """
    c = coefficients.copy()
    working: list[int] = []
    basis = np.zeros((len(columns), 0))
    for k in range(columns.shape[1]):
        column = columns[:, k]
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        size = np.linalg.norm(rest)
        working.append(k)
        if basis.shape[1] < len(columns) and size > far:
            basis = np.column_stack([basis, rest / size])
            continue
        _, singular, rows = np.linalg.svd(columns[:, working])
        if len(working) <= len(columns) and singular[-1] > tolerance * singular[0]:
            basis = np.linalg.qr(columns[:, working])[0]
            continue
        gamma = rows[-1]
        if gamma @ cost[working] < 0.0:
            gamma = -gamma
        if not np.any(gamma > 0.0):  # the cost of gamma is zero, up to rounding
            gamma = -gamma
        ratios = np.full(len(working), np.inf)
        falling = gamma > 0.0
        ratios[falling] = c[working][falling] / gamma[falling]
        leaving = int(np.argmin(ratios))
        c[working] = np.maximum(c[working] - ratios[leaving] * gamma, 0.0)
        c[working[leaving]] = 0.0
        working = [j for j in working if c[j] > 0.0]
        basis = np.linalg.qr(columns[:, working])[0]
    return c, working
