r"""Margins of two-layer ReLU networks and the best one, certified.

The normalized margin of a network with weights :math:`\theta` is
:math:`\min_iy_if(x_i)/\|\theta\|^2`; scaling the weights leaves it unchanged. The best
one, over all networks of all widths, is :math:`\bar\gamma^*=1/(2P^*)`, where
:math:`P^*` is the value of the max-margin problem

.. math:: P^*=\min\tfrac12\|\theta\|^2\quad\text{s.t.}\quad y_if(x_i)\ge1,

a convex program over the activation patterns of the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from convexnn_lib._validation import ArrayLike, FloatArray, as_matrix, as_vector
from convexnn_lib.certificates.certificate import Certificate
from convexnn_lib.certificates.certify import certify
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.flow._margins import Margins, margins_of, with_margin_one
from convexnn_lib.problem._arguments import check_network
from convexnn_lib.problem.losses import HardMargin
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import Solution, solve

__all__ = [
    "MarginCertificate",
    "certify_margin",
    "is_orthogonally_separable",
    "max_margin",
    "normalized_margin",
    "smoothed_margin",
]


def max_margin(X: ArrayLike, y: ArrayLike, **options: Any) -> Solution:
    r"""Find the network of least norm that has margin 1 on every sample.

    .. math::

        P^*=\min_{u_i,u'_i\in K_i}\sum_i\|u_i\|+\|u'_i\|\quad\text{s.t.}\quad
        y_j\Big(\sum_iD_iX(u_i-u'_i)\Big)_j\ge1,

    with the activation patterns :math:`D_i` of the data and their cones :math:`K_i`.
    Its dual is :math:`\max y^T\lambda` subject to :math:`y_j\lambda_j\ge0` and
    :math:`\max_{\|u\|\le1}|\lambda^T(Xu)_+|\le1` [1]_. The best normalized margin is
    :math:`1/(2P^*)`.

    Parameters
    ----------
    X : (n, d) array
        Data.
    y : (n,) array
        Labels in {-1, 1}.
    **options
        Passed on to :func:`convexnn_lib.solve`, such as ``method`` and
        ``tol``.

    Returns
    -------
    convexnn_lib.Solution
        ``value`` is :math:`P^*`, ``network`` attains it, ``dual`` and ``certificate``
        prove it.

    Raises
    ------
    convexnn_lib.errors.NotSeparableError
        If no network separates the data: a zero row, two positively parallel rows with
        different labels, or antiparallel rows with opposite labels whose lines
        contradict each other.
    convexnn_lib.errors.InvalidLabelsError
        If a label is not -1 or 1.
    convexnn_lib.errors.InvalidDataError
        If ``X`` or ``y`` is empty, not finite or of the wrong shape.

    References
    ----------
    .. [1] Wang & Pilanci (2022), `wang2022convex`.

    Examples
    --------
    >>> from convexnn_lib import datasets, max_margin
    >>> solution = max_margin(*datasets.separable_pair())
    >>> round(solution.value, 5)
    1.28243
    """
    return solve(TrainingProblem(X, y, 1.0, HardMargin()), **options)


def normalized_margin(network: ReLUNetwork, X: ArrayLike, y: ArrayLike) -> float:
    r"""Return :math:`\min_iy_if(x_i)/\|\theta\|^2`, negative if a sample is wrong.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        A network with some nonzero weight.
    X : (n, d) array
        Data.
    y : (n,) array
        Labels in {-1, 1}.

    Returns
    -------
    float

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If all weights are zero, or ``X`` does not fit the network.
    convexnn_lib.errors.InvalidLabelsError
        If a label is not -1 or 1.

    Examples
    --------
    >>> from convexnn_lib import ReLUNetwork, normalized_margin
    >>> network = ReLUNetwork([[1.0, -1.0]], [1.0, -1.0])
    >>> normalized_margin(network, [[2.0], [-1.0]], [1.0, -1.0])
    0.25
    """
    return float(_margins(network, X, y).normalized)


def smoothed_margin(network: ReLUNetwork, X: ArrayLike, y: ArrayLike) -> float:
    r"""Return :math:`-\log(e^{\mathcal L}-1)/\|\theta\|^2` of the logistic loss.

    With the summed logistic loss :math:`\mathcal L` this is at most the normalized
    margin, with equality for one sample, and the difference vanishes as
    :math:`\mathcal L\to0`. Along the gradient flow of the logistic loss it never falls
    once :math:`\mathcal L<\log2` [1]_. It is computed from logarithms and scaled
    weights, so it stays accurate where the loss, the margins or the norm of the weights
    under- or overflow.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        A network with some nonzero weight.
    X : (n, d) array
        Data.
    y : (n,) array
        Labels in {-1, 1}.

    Returns
    -------
    float

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If all weights are zero, or ``X`` does not fit the network.
    convexnn_lib.errors.InvalidLabelsError
        If a label is not -1 or 1.

    References
    ----------
    .. [1] Lyu & Li (2020), `lyu2020gradient`.

    Examples
    --------
    >>> from convexnn_lib import ReLUNetwork
    >>> from convexnn_lib.flow.margin import smoothed_margin
    >>> network = ReLUNetwork([[2.0]], [1.0])
    >>> round(smoothed_margin(network, [[5.0]], [1.0]), 12)
    2.0
    """
    return float(_margins(network, X, y).smoothed)


@dataclass(frozen=True)
class MarginCertificate:
    r"""How close a network's normalized margin is to the best one.

    Attributes
    ----------
    margin : float
        The network's normalized margin, a lower bound on the best one.
    upper_bound : float
        An upper bound on the normalized margin of every network of every width.
    ratio : float
        ``margin / upper_bound``: the network has at least this fraction of the best
        margin.
    certificate : convexnn_lib.Certificate
        The certificate of the max-margin problem for the network scaled to margin 1:
        its ``lower_bound`` L gives ``upper_bound`` = 1/(2L).
    """

    margin: float
    upper_bound: float
    ratio: float
    certificate: Certificate

    def __repr__(self) -> str:
        """Return the interval that contains the best margin, and the ratio."""
        return (
            f"MarginCertificate(best margin in [{self.margin:.8g}, "
            f"{self.upper_bound:.8g}], ratio={self.ratio:.6f})"
        )


def certify_margin(
    network: ReLUNetwork, X: ArrayLike, y: ArrayLike
) -> MarginCertificate:
    r"""Bound the best normalized margin from both sides with a trained network.

    Scaled to margin 1, the network is feasible for the max-margin problem, so
    :math:`P^*\le\frac12\|\theta\|^2`. From below, every :math:`\lambda` with
    :math:`y_i\lambda_i\ge0` gives :math:`P^*\ge y^T\lambda/M(\lambda)`,
    :math:`M(\lambda)=\max_{\|u\|\le1}|\lambda^T(Xu)_+|`. The dual point comes from a
    program over the network's own neurons. The softmax weights of the loss would do as
    well for an exact flow, but they depend on differences of margins, which are of the
    order of one where the margins are in the thousands: an integration with a relative
    error does not give them.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        A network with ``y * network.predict(X) > 0`` on every sample.
    X : (n, d) array
        Data.
    y : (n,) array
        Labels in {-1, 1}.

    Returns
    -------
    MarginCertificate
        The network's normalized margin and an upper bound on the best one.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the network's margin is not positive on every sample, all weights are zero,
        or ``X`` does not fit the network.
    convexnn_lib.errors.NotSeparableError
        If no network at all separates the data.
    convexnn_lib.errors.InvalidLabelsError
        If a label is not -1 or 1.

    Notes
    -----
    In many dimensions the dual norm can be computed only of dual points that few
    samples carry. Those of linear programs are such points. With their extreme neurons
    added one by one the upper bound tends to the best margin, but slowly: after a
    hundred of them it may be off by a percent, as for 130 samples in 14 dimensions.
    Where that leaves a gap, the dual norm is bounded (:func:`convexnn_lib.dual_bound`).

    Examples
    --------
    >>> from convexnn_lib import certify_margin, datasets, max_margin
    >>> X, y = datasets.separable_pair()
    >>> best = max_margin(X, y).network
    >>> certify_margin(best, X, y).ratio > 0.9999
    True
    """
    margins = _margins(network, X, y)
    problem = TrainingProblem(X, y, 1.0, HardMargin())
    if np.min(margins.values) <= 0:
        wrong = np.flatnonzero(margins.values <= 0)
        first = np.ldexp(margins.values[wrong[0]], int(margins.exponent))
        raise InvalidDataError(
            f"The network does not separate the data: the margin of {len(wrong)} of "
            f"{problem.n} samples is not positive (sample {wrong[0]}: "
            f"{first + 0.0:.3g}). Train until every y_i f(x_i) > 0."
        )
    certificate = certify(with_margin_one(network, margins), problem)
    margin = float(margins.normalized)
    upper_bound = 0.5 / float(certificate.lower_bound)
    return MarginCertificate(margin, upper_bound, margin / upper_bound, certificate)


def is_orthogonally_separable(X: ArrayLike, y: ArrayLike) -> bool:
    r"""Decide whether data are orthogonally separable.

    That is :math:`x_i^Tx_j>0` for all pairs with equal labels, :math:`i=j` included,
    and :math:`x_i^Tx_j\le0` for all pairs with different labels [1]_, with both classes
    present. The answer is exact for the given float64 numbers: where rounding leaves
    the sign of an inner product in doubt, it is computed in integer arithmetic.

    Parameters
    ----------
    X : (n, d) array
        Data.
    y : (n,) array
        Labels in {-1, 1}.

    Returns
    -------
    bool

    Raises
    ------
    convexnn_lib.errors.InvalidLabelsError
        If a label is not -1 or 1.
    convexnn_lib.errors.InvalidDataError
        If ``X`` or ``y`` is empty, not finite or of the wrong shape.

    Notes
    -----
    On such data every Karush-Kuhn-Tucker point of the max-margin problem with nonzero
    margins is globally optimal, so that a gradient flow of the logistic loss that ever
    reaches a loss below log 2 converges in direction to the best margin.

    References
    ----------
    .. [1] Phuong & Lampert (2021), `phuong2021inductive`.

    Examples
    --------
    >>> from convexnn_lib import datasets, is_orthogonally_separable
    >>> is_orthogonally_separable(*datasets.separable_quad())
    True
    >>> is_orthogonally_separable(*datasets.xor())
    False
    """
    X, y = _data(X, y)
    if np.all(y == y[0]):
        return False
    d = X.shape[1]
    same = y[:, None] == y[None, :]
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        products = X @ X.T
        rounding = (d + 2) * np.finfo(np.float64).eps * (np.abs(X) @ np.abs(X).T)
    # below the smallest normal number a product loses accuracy altogether
    certain = np.abs(products) > rounding + d * np.finfo(np.float64).tiny
    if np.any(certain & ((products > 0) != same)):
        return False
    rows: dict[int, list[int]] = {}
    for i, j in np.argwhere(~certain):
        if i > j:
            continue
        a, b = (rows.setdefault(k, _integer_multiple(X[k])) for k in (int(i), int(j)))
        if (sum(s * t for s, t in zip(a, b, strict=True)) > 0) != same[i, j]:
            return False
    return True


def _data(X: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    X = as_matrix(X)
    y = as_vector(y, len(X), "y")
    HardMargin().check_labels(y)
    return X, y


def _margins(network: ReLUNetwork, X: ArrayLike, y: ArrayLike) -> Margins:
    """Return the margins of a network that is not zero."""
    check_network(network)
    X, y = _data(X, y)
    if X.shape[1] != network.d:
        raise InvalidDataError(
            f"X has {X.shape[1]} features, the network has {network.d}."
        )
    if not (network.W1.any() or network.w2.any()):
        raise InvalidDataError(
            "The normalized margin is undefined: all weights of the network are zero."
        )
    return margins_of(X, y, network.W1, network.w2)


def _integer_multiple(row: FloatArray) -> list[int]:
    """Return the row times a power of two that makes every entry an integer."""
    ratios = [float(value).as_integer_ratio() for value in row]
    common = max(denominator for _, denominator in ratios)
    return [numerator * (common // denominator) for numerator, denominator in ratios]
