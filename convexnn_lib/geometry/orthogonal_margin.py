r"""Shortest separators, and the max-margin problem of orthogonally separable data.

The shortest w with :math:`y_ix_i^Tw\ge1` is the hard-margin support vector machine
without bias. On orthogonally separable data two of them, one for each class, solve the
max-margin problem of all two-layer ReLU networks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import ArrayLike, FloatArray, as_matrix, as_vector
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.flow.margin import is_orthogonally_separable
from convexnn_lib.problem._shortest_separator import shortest_separator
from convexnn_lib.problem.losses import HardMargin
from convexnn_lib.problem.network import ReLUNetwork

__all__ = ["OrthogonalMargin", "linear_margin", "orthogonal_margin"]


@dataclass(frozen=True, eq=False, repr=False)
class OrthogonalMargin(ReadOnlyArrays):
    r"""The best margin on orthogonally separable data, in closed form.

    Attributes
    ----------
    value : float
        :math:`P^*=\|w_+\|+\|w_-\|`; the best normalized margin is :math:`1/(2P^*)`.
    w_plus, w_minus : (d,) array
        The shortest vectors with :math:`x_i^Tw\ge1` on all samples of label 1 and -1.
    dual : (n,) array
        An optimal dual point: :math:`y_i\lambda_i\ge0`, :math:`M(\lambda)\le1`,
        :math:`y^T\lambda=P^*`.

    Examples
    --------
    >>> from convexnn_lib import datasets, orthogonal_margin
    >>> margin = orthogonal_margin(*datasets.separable_quad())
    >>> margin.w_plus.round(6), margin.w_minus.round(6)
    (array([0.5, 0.5]), array([-0.8, -0.4]))
    """

    value: float
    w_plus: FloatArray
    w_minus: FloatArray
    dual: FloatArray

    def __repr__(self) -> str:
        """Return the value and its two parts."""
        plus, minus = np.linalg.norm(self.w_plus), np.linalg.norm(self.w_minus)
        return f"OrthogonalMargin(value={self.value:.10g} = {plus:.6g} + {minus:.6g})"

    def network(self) -> ReLUNetwork:
        """Return the optimal network with one neuron along each vector.

        Returns
        -------
        convexnn_lib.ReLUNetwork
            Balanced, with margin 1 and cost ``value``.
        """
        zero = np.zeros_like(self.w_plus)
        return ReLUNetwork.from_convex([self.w_plus, zero], [zero, self.w_minus])


def orthogonal_margin(X: ArrayLike, y: ArrayLike) -> OrthogonalMargin:
    r"""Solve the max-margin problem on orthogonally separable data.

    .. math::

        P^*=\|w_+\|+\|w_-\|,\qquad
        w_\pm=\operatorname{argmin}\|w\|\;\text{ s.t. }\;x_i^Tw\ge1
        \text{ for all }i\text{ with }y_i=\pm1 .

    Parameters
    ----------
    X : (n, d) array
        Data, orthogonally separable [1]_: :math:`x_i^Tx_j>0` for equal labels and
        :math:`x_i^Tx_j\le0` for different ones.
    y : (n,) array
        Labels in {-1, 1}, both present.

    Returns
    -------
    convexnn_lib.OrthogonalMargin
        The value, the two vectors, and the dual point.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data are not orthogonally separable, or empty, not finite or of the wrong
        shape.
    convexnn_lib.errors.InvalidLabelsError
        If a label is not -1 or 1.

    Notes
    -----
    With :math:`w_\pm=\sum_i\alpha_i^\pm x_i` and :math:`\alpha^\pm\ge0`, the dual point
    is :math:`\lambda_i=\alpha_i^+/\|w_+\|` on the samples of label 1 and
    :math:`-\alpha_i^-/\|w_-\|` on the others. Every Karush-Kuhn-Tucker point of the
    max-margin problem is optimal, and its neurons lie along :math:`w_+` and
    :math:`w_-`.

    References
    ----------
    .. [1] Phuong & Lampert (2021), `phuong2021inductive`.

    Examples
    --------
    >>> from convexnn_lib import datasets, orthogonal_margin
    >>> orthogonal_margin(*datasets.separable_quad())
    OrthogonalMargin(value=1.601533972 = 0.707107 + 0.894427)
    """
    X, y = _labelled(X, y)
    if not is_orthogonally_separable(X, y):
        raise InvalidDataError(
            "the data are not orthogonally separable, so the closed form does not "
            "apply; use max_margin, which solves the problem for all data."
        )
    dual = np.zeros(len(y))
    vectors = {}
    for sign in (1.0, -1.0):
        w, alpha = shortest_separator(X[y == sign])
        vectors[sign] = w
        dual[y == sign] = sign * alpha / np.linalg.norm(w)
    value = float(sum(np.linalg.norm(w) for w in vectors.values()))
    return OrthogonalMargin(value, vectors[1.0], vectors[-1.0], dual)


def linear_margin(X: ArrayLike, y: ArrayLike) -> FloatArray:
    r"""Find the shortest vector that separates the data linearly with margin 1.

    .. math:: \operatorname{argmin}_w\;\|w\|\quad\text{s.t.}\quad y_ix_i^Tw\ge1 .

    Parameters
    ----------
    X : (n, d) array
        Data. There is no bias; append a column of ones for one.
    y : (n,) array
        Labels in {-1, 1}.

    Returns
    -------
    (d,) array
        The vector w. As :math:`x^Tw=(x^Tw)_+-(-x^Tw)_+`, two neurons of total cost
        :math:`2\|w\|` compute the same, so :math:`P^*\le2\|w\|`; if all labels are
        equal, one of them suffices.

    Raises
    ------
    convexnn_lib.errors.NotSeparableError
        If no vector separates the data, or float64 cannot hold it. For large data, with
        :math:`nd\min(n,d)^2>5\cdot10^5`, also if its margin is below about 1e-12 of the
        longest row.
    convexnn_lib.errors.InvalidLabelsError
        If a label is not -1 or 1.
    convexnn_lib.errors.InvalidDataError
        If ``X`` or ``y`` is empty, not finite or of the wrong shape.

    Examples
    --------
    >>> from convexnn_lib import datasets, linear_margin
    >>> linear_margin(*datasets.separable_quad()).round(9)
    array([0.8, 0.4])
    """
    X, y = _labelled(X, y)
    w, _ = shortest_separator(y[:, None] * X)
    return w


def _labelled(X: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    X = as_matrix(X)
    y = as_vector(y, len(X), "y")
    HardMargin().check_labels(y)
    return X, y
