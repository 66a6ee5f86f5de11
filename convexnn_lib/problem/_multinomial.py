"""The logistic loss of many classes, one output a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import softmax, xlogy

from convexnn_lib._validation import ArrayLike, FloatArray
from convexnn_lib.errors import InvalidLabelsError
from convexnn_lib.problem._loss import Loss, as_pair, cvxpy_functions
from convexnn_lib.problem._tolerances import PROBABILITIES
from convexnn_lib.typing import Labels

__all__ = ["Multinomial"]


@dataclass(frozen=True)
class Multinomial(Loss):
    r"""The multinomial logistic loss, or cross-entropy, of c classes.

    .. math:: \ell(Z,Y)=\sum_i\Big(\log\sum_ke^{Z_{ik}}-\sum_kY_{ik}Z_{ik}\Big)

    for outputs Z (n, c) and labels Y (n, c): a row of Y holds a 1 for the class of the
    sample and zeros elsewhere, or the probabilities of the classes. With :math:`P=V+Y`
    its conjugate is :math:`\sum_{ik}P_{ik}\log P_{ik}` where the rows of P are
    probabilities and infinite elsewhere: the dual objective is the entropy of
    :math:`P=Y-\Lambda`.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import Multinomial
    >>> Y = np.eye(3)[[0, 2]]  # of the labels 0 and 2
    >>> round(Multinomial().value([[0.0, 0.0, 0.0], [0.0, 0.0, 1000.0]], Y), 6)
    1.098612
    """

    name: ClassVar[str] = "multinomial"
    labels: ClassVar[Labels] = "classes"
    several_outputs: ClassVar[bool] = True

    def value(self, z: ArrayLike, y: ArrayLike) -> float:
        """Return the loss of the outputs ``z`` (n, c) for the labels ``y`` (n, c)."""
        z, y = as_pair(z, y)
        # differences, so that no digits are lost
        lower: FloatArray = np.subtract(z, z.max(axis=1, keepdims=True))
        others = np.exp(lower)
        others[np.arange(len(z)), np.argmax(lower, axis=1)] = 0.0
        return float(np.sum(np.log1p(others.sum(axis=1))) - np.sum(y * lower))

    def gradient(self, z: ArrayLike, y: ArrayLike) -> FloatArray:
        """Return the gradient, probabilities minus labels, an (n, c) array."""
        z, y = as_pair(z, y)
        gradient: FloatArray = softmax(z, axis=1) - y
        return gradient

    def curvature(self, z: ArrayLike, y: ArrayLike) -> FloatArray:
        """Return the Hessians of the samples, an (n, c, c) array."""
        z, y = as_pair(z, y)
        p: FloatArray = softmax(z, axis=1)
        diagonal: FloatArray = p[:, :, None] * np.eye(p.shape[1])
        hessians: FloatArray = diagonal - p[:, :, None] * p[:, None, :]
        return hessians

    def conjugate(self, lam: ArrayLike, y: ArrayLike) -> float:
        """Return the conjugate at ``lam`` (n, c): ``inf`` but for probabilities."""
        lam, y = as_pair(lam, y)
        p: FloatArray = np.add(lam, y)
        if not _are_probabilities(p):
            return np.inf
        return float(np.sum(xlogy(p, p)))

    def project_dual(self, lam: FloatArray, y: FloatArray) -> FloatArray:
        """Return the dual point near ``lam`` whose probabilities are some."""
        p = np.maximum(y - lam, 0.0)
        totals = p.sum(axis=1, keepdims=True)
        p = np.where(totals > 0.0, p / np.where(totals > 0.0, totals, 1.0), y)
        point: FloatArray = y - p
        return point

    def cvxpy_expression(self, z: Any, y: FloatArray) -> Any:
        """Return the loss of the outputs ``z``, a CVXPY expression of shape (n, c)."""
        cp = cvxpy_functions()
        return cp.sum(cp.log_sum_exp(z, axis=1)) - cp.sum(cp.multiply(y, z))

    def check_labels(self, y: FloatArray) -> None:
        """Raise an error unless the rows of the labels are probabilities.

        Parameters
        ----------
        y : (n, c) array
            Labels.

        Raises
        ------
        convexnn_lib.errors.InvalidLabelsError
            If the labels are not a matrix with at least two columns, whose rows are
            nonnegative with sum 1.

        Examples
        --------
        >>> import numpy as np
        >>> from convexnn_lib import Multinomial
        >>> Multinomial().check_labels(np.array([0.0, 2.0, 1.0]))
        Traceback (most recent call last):
        ...
        convexnn_lib.errors.InvalidLabelsError: the multinomial loss needs labels of ...
        """
        if y.ndim == 2 and y.shape[1] >= 2 and _are_probabilities(y):
            return
        raise InvalidLabelsError(
            "the multinomial loss needs labels of shape (n, c) with c >= 2 and rows of "
            "nonnegative numbers with sum 1, a 1 for the class of the sample and zeros "
            f"elsewhere, got shape {y.shape}. For classes 0, ..., c - 1 that is "
            "numpy.eye(c)[classes]."
        )


def _are_probabilities(p: FloatArray) -> bool:
    """Tell whether each row is nonnegative and has sum 1, up to rounding."""
    sums = np.abs(p.sum(axis=1) - 1.0)
    return bool(np.all(p >= 0.0) and np.all(sums <= PROBABILITIES))
