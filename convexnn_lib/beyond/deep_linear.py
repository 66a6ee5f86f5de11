r"""Deep linear networks with vector outputs: the duality gap of the standard ones.

On the data X = I a linear network of depth L has the outputs
:math:`Z=W_1\cdots W_L`, and its weights cost :math:`\frac1L\sum_l\|W_l\|_F^L`. A
parallel network is a sum of K such products.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    FloatArray,
    as_matrix,
    check_integer,
    check_number,
    random_generator,
)
from convexnn_lib.errors import InvalidDataError, RegularizationError

__all__ = ["DeepLinearValues", "deep_linear_values", "train_deep_linear"]


@dataclass(frozen=True, eq=False, repr=False)
class DeepLinearValues(ReadOnlyArrays):
    r"""Optimal values of deep linear networks, and the bound of their dual.

    Attributes
    ----------
    standard : float
        The optimal value of one network.
    dual : float
        The value of the Lagrangian dual, which is the same for one network and for
        parallel ones, and the optimal value of parallel networks with at least as many
        branches as ``outputs`` has rank.
    outputs : (a, b) array
        The optimal outputs of parallel networks.
    dual_point : (a, b) array
        The dual optimum, with spectral norm at most beta.
    """

    standard: float
    dual: float
    outputs: FloatArray
    dual_point: FloatArray

    @property
    def gap(self) -> float:
        """The duality gap of one network."""
        return self.standard - self.dual

    def __repr__(self) -> str:
        """Return the values."""
        return (
            f"DeepLinearValues(standard={self.standard:.7g}, dual={self.dual:.7g}, "
            f"gap={self.gap:.3g})"
        )


def deep_linear_values(
    Y: ArrayLike, beta: float, *, depth: int = 3
) -> DeepLinearValues:
    r"""Compute what standard and parallel deep linear networks attain on X = I.

    .. math::

        \min_{W_1,\dots,W_L}\tfrac12\|W_1\cdots W_L-Y\|_F^2
        +\tfrac\beta L\sum_l\|W_l\|_F^L
        =\min_Z\tfrac12\|Z-Y\|_F^2+\beta\Big(\sum_i\sigma_i(Z)^{2/L}\Big)^{L/2},

    for hidden layers of any widths of at least the rank of Y, while for a sum of
    products (parallel networks) the sum of singular values takes the place of the last
    term [1]_.

    Parameters
    ----------
    Y : (a, b) array
        Target outputs, not all zero.
    beta : float
        Regularization strength, positive.
    depth : int, default 3
        Number L of layers, at least 2.

    Returns
    -------
    DeepLinearValues
        The two optimal values, the dual optimum, and the gap.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If Y is not finite or zero, or the depth is below 2.
    convexnn_lib.errors.RegularizationError
        If ``beta`` is not a positive number.

    Notes
    -----
    The parallel problem is soft thresholding of the singular values. That of one
    network is, by von Neumann's trace inequality, to minimize over
    :math:`s_1\ge\dots\ge s_r\ge0`, with the singular values
    :math:`\sigma_1\ge\dots\ge\sigma_r` of Y and p = 2 / L,

    .. math::

        \tfrac12\sum_i(s_i-\sigma_i)^2+\beta q,\qquad q=\Big(\sum_is_i^p\Big)^{1/p}.

    At a minimum the first k are positive, with :math:`s_i+\mu s_i^{p-1}=\sigma_i` for
    :math:`\mu=\beta q^{1-p}`. For p < 1 the left side is convex in :math:`s_i` and has
    at most two such roots. The matrix of second derivatives is diagonal plus one of
    rank one; it would have a negative eigenvalue if two entries were smaller roots, and
    by the order only the last can be one. So :math:`s_k` determines :math:`\mu` and all
    others: for each k with :math:`\sigma_k>\beta`, which is necessary as
    :math:`\mu s_k^{p-1}\ge\beta`, a function of one number is minimized, on a fine grid
    that is then refined twice. Every point of the grid is attained by a network; that
    none between two of them is better is not proved.

    References
    ----------
    .. [1] Wang, Ergen & Pilanci (2023), `wang2023parallel`.

    Examples
    --------
    >>> from convexnn_lib import deep_linear_values
    >>> deep_linear_values([[2.0, 0.0], [0.0, 2.0]], 0.5)
    DeepLinearValues(standard=2.328427, dual=1.75, gap=0.578)
    >>> deep_linear_values([[2.0, 0.0], [0.0, 2.0]], 0.5, depth=2).gap < 1e-12
    True
    """
    Y = as_matrix(Y, "Y")
    beta = check_number(beta, "beta", "(0, inf)", RegularizationError)
    depth = check_integer(depth, "depth", minimum=2)
    # squares of the entries must not overflow; a power of two rounds nothing
    unit = float(np.ldexp(1.0, int(np.frexp(np.abs(Y).max())[1])))
    Y, beta = Y / unit, beta / unit
    left, singular, right = np.linalg.svd(Y, full_matrices=False)
    if singular[0] == 0.0:
        raise InvalidDataError("Y is zero: there is nothing to fit.")
    kept = np.maximum(singular - beta, 0.0)
    outputs = (left * kept) @ right
    dual_point = (left * np.minimum(singular, beta)) @ right
    dual = float(np.sum(dual_point * Y) - 0.5 * np.sum(dual_point**2))

    standard = _least_value(singular, beta, 2.0 / depth)
    return DeepLinearValues(
        standard * unit * unit, dual * unit * unit, outputs * unit, dual_point * unit
    )


def _least_value(singular: FloatArray, beta: float, power: float) -> float:
    """Minimize half the squared distance plus beta times the cost of one network."""
    least = 0.5 * float(np.sum(singular**2))  # of the zero network
    for count in range(1, 1 + int(np.sum(singular > beta))):
        missed = 0.5 * float(np.sum(singular[count:] ** 2))
        # shares of its singular value that the last direction keeps
        shares = np.union1d(np.geomspace(1e-12, 1.0, 1001), np.linspace(1e-3, 1, 1000))
        for _ in range(3):
            values = _values(singular[:count], shares, beta, power)
            best = int(np.argmin(values))
            least = min(least, missed + float(values[best]))
            last = len(shares) - 1
            shares = np.linspace(
                shares[max(best - 1, 0)], shares[min(best + 1, last)], 1001
            )
    return least


def _values(
    singular: FloatArray, shares: FloatArray, beta: float, power: float
) -> FloatArray:
    """Return the objective where the last direction keeps a share of its value."""
    smallest = singular[-1] * shares
    weight = (singular[-1] - smallest) * smallest ** (1.0 - power)
    kept = np.vstack([_larger_roots(singular[:-1, None], weight, power), smallest])
    distance = np.sum((kept - singular[:, None]) ** 2, axis=0)
    cost = np.sum(kept**power, axis=0) ** (1.0 / power)
    values: FloatArray = 0.5 * distance + beta * cost
    return values


def _larger_roots(targets: FloatArray, weight: FloatArray, power: float) -> FloatArray:
    """Solve s + weight * s ** (power - 1) = target for the larger s, by Newton."""
    roots = np.broadcast_to(targets, (len(targets), len(weight))).copy()
    for _ in range(60):  # from above, so without overshooting; halved at a double root
        slope = 1.0 - weight * (1.0 - power) * roots ** (power - 2.0)
        excess = roots + weight * roots ** (power - 1.0) - targets
        steps = np.divide(excess, slope, out=np.zeros_like(roots), where=slope > 0.0)
        roots -= np.maximum(steps, 0.0)
    return roots


def train_deep_linear(
    Y: ArrayLike,
    beta: float,
    *,
    depth: int = 3,
    branches: int = 1,
    n_runs: int = 1,
    init_scale: float = 0.7,
    step: float = 0.02,
    n_steps: int = 4000,
    seed: int | np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    r"""Train deep linear networks on X = I by gradient descent.

    The objective is the one of :func:`convexnn_lib.deep_linear_values`, with square
    hidden layers as wide as the smaller side of Y.

    Parameters
    ----------
    Y : (a, b) array
        Target outputs.
    beta : float
        Regularization strength, positive.
    depth : int, default 3
        Number L of layers, at least 2.
    branches : int, default 1
        Number K of parallel networks whose outputs are added.
    n_runs : int, default 1
        Number of runs from random weights.
    init_scale : float, default 0.7
        Standard deviation of the normal initial weights.
    step : float, default 0.02
        The step.
    n_steps : int, default 4000
        Number of steps.
    seed : int or numpy.random.Generator
        Source of the initial weights.

    Returns
    -------
    values : (n_runs,) array
        The objectives at the end.
    outputs : (n_runs, a, b) array
        The outputs at the end.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If an argument is out of range, or a run diverges.
    convexnn_lib.errors.RegularizationError
        If ``beta`` is not a positive number.

    Examples
    --------
    >>> from convexnn_lib import train_deep_linear
    >>> values, _ = train_deep_linear([[2.0, 0.0], [0.0, 2.0]], 0.5, seed=1)
    >>> values.round(4)
    array([2.3284])
    """
    Y = as_matrix(Y, "Y")
    beta = check_number(beta, "beta", "(0, inf)", RegularizationError)
    depth = check_integer(depth, "depth", minimum=2)
    branches = check_integer(branches, "branches", minimum=1)
    n_runs = check_integer(n_runs, "n_runs", minimum=1)
    n_steps = check_integer(n_steps, "n_steps", minimum=1)
    init_scale = check_number(init_scale, "init_scale", "(0, inf)")
    step = check_number(step, "step", "(0, inf)")
    rng = random_generator(seed)
    sizes = [len(Y), *[min(Y.shape)] * (depth - 1), Y.shape[1]]
    layers = [
        init_scale * rng.standard_normal((n_runs, branches, *shape))
        for shape in pairwise(sizes)
    ]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(n_steps):
            before, after = _partial_products(layers)
            residual = (before[-1].sum(axis=1) - Y)[:, None]
            layers = [
                W
                - step * (_transposed(left) @ residual @ _transposed(right))
                - step * beta * _norms(W) ** (depth - 2) * W
                for W, left, right in zip(layers, before, after, strict=False)
            ]
        outputs = _partial_products(layers)[0][-1].sum(axis=1)
        cost = sum(np.sum(_norms(W) ** depth, axis=(1, 2, 3)) for W in layers) / depth
        values = 0.5 * np.sum((outputs - Y) ** 2, axis=(1, 2)) + beta * cost
    if not np.all(np.isfinite(values)):
        raise InvalidDataError(
            f"a run diverged with step {step:g}; take a shorter one."
        )
    return values, outputs


def _partial_products(
    layers: list[FloatArray],
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return the products of the layers before each one (and of all), and after it."""
    rows, columns = layers[0].shape[-2], layers[-1].shape[-1]
    before: list[FloatArray] = [
        np.broadcast_to(np.eye(rows), (*layers[0].shape[:2], rows, rows))
    ]
    for W in layers:
        before.append(before[-1] @ W)
    after: list[FloatArray] = [
        np.broadcast_to(np.eye(columns), (*layers[0].shape[:2], columns, columns))
    ]
    for W in layers[:0:-1]:
        after.insert(0, W @ after[0])
    return before, after


def _transposed(W: FloatArray) -> FloatArray:
    return W.swapaxes(-2, -1)


def _norms(W: FloatArray) -> FloatArray:
    norms: FloatArray = np.linalg.norm(W, axis=(-2, -1), keepdims=True)
    return norms
