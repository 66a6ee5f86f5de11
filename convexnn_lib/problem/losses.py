r"""Convex losses with their gradients and conjugates.

A loss is a convex function :math:`\ell(z, y)` of the outputs :math:`z\in\mathbb R^n`
of a network and the labels :math:`y\in\mathbb R^n`, summed over the samples, never
averaged. With the conjugate in the first argument,

.. math:: \ell^*(v, y) = \sup_{z\in\mathbb R^n}\; v^Tz - \ell(z, y),

the dual objective at :math:`\lambda = -\nabla\ell` is
:math:`-\ell^*(-\lambda, y)`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, xlog1py, xlogy

from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import InvalidDataError, InvalidLabelsError

__all__ = ["HardMargin", "Hinge", "Logistic", "Loss", "Squared", "get_loss"]


class Loss(ABC):
    """A convex loss, bounded below, of the outputs of a network.

    A loss of your own derives from this class and defines the class attributes and
    the abstract methods below. Certificates then work; to train with
    ``method="cvxpy"`` as well, register its expression with
    ``convexnn_lib.training._cvxpy_model.loss_expression``.

    Attributes
    ----------
    name : str
        The name under which ``get_loss`` finds it.
    labels : {"real", "sign"}
        Whether labels may be any real number or must be -1 or +1.
    differentiable : bool
        Whether the loss has a gradient everywhere. Then the dual point of a network
        with outputs z is unique: it is the negative gradient at z.
    strictly_convex : bool
        Whether the loss is strictly convex in z. Then all optimal networks have the
        same outputs.

    Examples
    --------
    >>> from convexnn_lib import Hinge, Loss
    >>> isinstance(Hinge(), Loss), Hinge().labels, Hinge().differentiable
    (True, 'sign', False)
    """

    name: ClassVar[str]
    labels: ClassVar[Literal["real", "sign"]]
    differentiable: ClassVar[bool]
    strictly_convex: ClassVar[bool]

    @abstractmethod
    def value(self, z: Any, y: Any) -> float:
        """Return the loss of the outputs ``z`` (n,) for the labels ``y`` (n,)."""

    @abstractmethod
    def gradient(self, z: Any, y: Any) -> FloatArray:
        """Return the gradient in ``z``, or one subgradient at a kink, an (n,) array."""

    @abstractmethod
    def conjugate(self, lam: Any, y: Any) -> float:
        """Return the conjugate in the first argument at ``lam`` (n,), maybe ``inf``."""

    @abstractmethod
    def best_scale(self, lam: Any, y: Any, limit: float) -> float:
        r"""Return the best factor in :math:`[0, \text{limit}]` for a dual point.

        It maximizes the dual objective :math:`-\ell^*(-\tau\lambda, y)` over
        :math:`0\le\tau\le\text{limit}`. With :math:`\text{limit}=\beta/M(\lambda)`
        every such :math:`\tau\lambda` is dual feasible, and the maximum is the best
        lower bound that :math:`\lambda` gives.

        Parameters
        ----------
        lam : (n,) array
            The dual point.
        y : (n,) array
            Labels.
        limit : float
            The largest factor allowed, possibly ``inf``.

        Returns
        -------
        float
            The factor; ``inf`` if the dual objective grows without bound.
        """

    def curvature(self, z: Any, y: Any) -> FloatArray | None:
        """Return the diagonal of the Hessian in ``z``, an (n,) array.

        Returns
        -------
        (n,) array or None
            The second derivatives, or None for a loss that has none (or does not give
            them): its optima are then not refined by Newton's method.
        """
        return None

    def project_dual(self, lam: FloatArray, y: FloatArray) -> FloatArray:
        r"""Return the point nearest to a dual point in the dual objective's domain.

        Parameters
        ----------
        lam : (n,) array
            The dual point, say a solver's, outside the domain by its tolerance.
        y : (n,) array
            Labels.

        Returns
        -------
        (n,) array
            The nearest point with a finite dual objective; here ``lam`` itself.
        """
        return lam

    def check_labels(self, y: FloatArray) -> None:
        """Raise an error unless the loss admits the labels.

        Parameters
        ----------
        y : (n,) array
            Labels.

        Raises
        ------
        convexnn_lib.errors.InvalidLabelsError
            If the labels must be -1 or +1 and some are not.

        Examples
        --------
        >>> import numpy as np
        >>> from convexnn_lib import Logistic
        >>> Logistic().check_labels(np.array([0.0, 1.0, 1.0]))
        Traceback (most recent call last):
        ...
        convexnn_lib.errors.InvalidLabelsError: the logistic loss needs labels -1 or ...
        """
        if self.labels == "real":
            return
        offending = np.unique(y[np.abs(y) != 1.0])
        if offending.size:
            shown = ", ".join(str(float(value)) for value in offending[:5])
            more = f" and {offending.size - 5} more" if offending.size > 5 else ""
            zero_one = np.isin(y, (0.0, 1.0)).all()
            hint = (
                "use 2*y - 1 for labels 0 and 1"
                if zero_one
                else "map one class to -1 and the other to +1"
            )
            raise InvalidLabelsError(
                f"the {self.name.replace('_', '-')} loss needs labels -1 or +1, got "
                f"{shown}{more}; {hint}."
            )


@dataclass(frozen=True)
class Squared(Loss):
    r"""The squared loss :math:`\frac{\text{scale}}2\|z-y\|^2`.

    Its conjugate is :math:`v^Ty + \|v\|^2/(2\,\text{scale})`, so the dual objective is
    :math:`y^T\lambda-\|\lambda\|^2/(2\,\text{scale})`.

    Parameters
    ----------
    scale : float, default 1
        The default is the loss with the factor one half; ``scale=2`` is
        :math:`\|z-y\|^2`.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the scale is not a positive finite number.

    Examples
    --------
    >>> from convexnn_lib import Squared
    >>> Squared().value([1.0, 2.0], [0.0, 0.0]), Squared(scale=2).value([1.0], [3.0])
    (2.5, 4.0)
    """

    scale: float = 1.0

    name: ClassVar[str] = "squared"
    labels: ClassVar[Literal["real", "sign"]] = "real"
    differentiable: ClassVar[bool] = True
    strictly_convex: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the scale."""
        try:
            scale = float(self.scale)
        except (TypeError, ValueError) as error:
            raise InvalidDataError(
                f"scale must be a positive number, got {self.scale!r}."
            ) from error
        if not (0.0 < scale < np.inf):
            raise InvalidDataError(f"scale must be a positive number, got {scale}.")
        object.__setattr__(self, "scale", scale)

    def value(self, z: Any, y: Any) -> float:
        """Return the loss of the outputs ``z`` (n,) for the labels ``y`` (n,)."""
        z, y = _pair(z, y)
        return 0.5 * self.scale * float(np.sum((z - y) ** 2))

    def gradient(self, z: Any, y: Any) -> FloatArray:
        """Return the gradient ``scale * (z - y)``, an (n,) array."""
        z, y = _pair(z, y)
        gradient: FloatArray = self.scale * (z - y)
        return gradient

    def curvature(self, z: Any, y: Any) -> FloatArray:
        """Return the diagonal of the Hessian, ``scale`` for every sample."""
        z, y = _pair(z, y)
        return np.full(z.shape, self.scale)

    def conjugate(self, lam: Any, y: Any) -> float:
        """Return the conjugate in the first argument at ``lam`` (n,)."""
        lam, y = _pair(lam, y)
        return float(np.sum(lam * y)) + float(np.sum(lam**2)) / (2.0 * self.scale)

    def best_scale(self, lam: Any, y: Any, limit: float) -> float:
        """Return the best factor for a dual point, in closed form."""
        lam, y = _pair(lam, y)
        largest = float(np.max(np.abs(lam)))
        if largest == 0.0:
            return 0.0
        unit = lam / largest  # squares of tiny entries must not underflow
        best = self.scale * float(unit @ y) / float(unit @ unit) / largest
        return min(max(best, 0.0), limit)


@dataclass(frozen=True)
class Logistic(Loss):
    r"""The logistic loss :math:`\sum_i\log(1+e^{-y_iz_i})` for labels ±1.

    With :math:`\alpha=-y\odot v` its conjugate is
    :math:`\sum_i\alpha_i\log\alpha_i+(1-\alpha_i)\log(1-\alpha_i)` where
    :math:`0\le\alpha\le1` (with :math:`0\log0=0`) and infinite elsewhere: the dual
    objective is the entropy of :math:`\alpha=y\odot\lambda`.

    Examples
    --------
    >>> from convexnn_lib import Logistic
    >>> round(Logistic().value([0.0, 1000.0, -1000.0], [1.0, 1.0, 1.0]), 6)
    1000.693147
    """

    name: ClassVar[str] = "logistic"
    labels: ClassVar[Literal["real", "sign"]] = "sign"
    differentiable: ClassVar[bool] = True
    strictly_convex: ClassVar[bool] = True

    def value(self, z: Any, y: Any) -> float:
        """Return the loss of the outputs ``z`` (n,) for the labels ``y`` (n,)."""
        z, y = _pair(z, y)
        return float(np.sum(np.logaddexp(0.0, -y * z)))

    def gradient(self, z: Any, y: Any) -> FloatArray:
        """Return the gradient ``-y / (1 + exp(y * z))``, an (n,) array."""
        z, y = _pair(z, y)
        gradient: FloatArray = -y * expit(-y * z)
        return gradient

    def curvature(self, z: Any, y: Any) -> FloatArray:
        """Return the diagonal of the Hessian, ``s(z) * s(-z)`` with the logistic s."""
        z, y = _pair(z, y)
        curvature: FloatArray = y**2 * expit(z) * expit(-z)
        return curvature

    def conjugate(self, lam: Any, y: Any) -> float:
        """Return the conjugate at ``lam`` (n,): ``inf`` unless 0 <= -y * lam <= 1."""
        lam, y = _pair(lam, y)
        alpha = -y * lam
        if np.any((alpha < 0.0) | (alpha > 1.0)):
            return np.inf
        return float(np.sum(xlogy(alpha, alpha) + xlog1py(1.0 - alpha, -alpha)))

    def best_scale(self, lam: Any, y: Any, limit: float) -> float:
        """Return the best factor for a dual point: the root of a monotone function."""
        lam, y = _pair(lam, y)
        alpha = y * lam
        limit = min(limit, _box_limit(alpha))
        if limit == 0.0:
            return 0.0
        alpha = alpha[alpha > 0.0]

        def slope(tau: float) -> float:
            return float(np.sum(alpha * (np.log1p(-tau * alpha) - np.log(tau * alpha))))

        with np.errstate(divide="ignore"):  # the slope is -inf where tau * alpha = 1
            if slope(limit) >= 0.0:
                return limit
        # at half of the largest entropy's place every term is still increasing
        low = min(0.5 / float(np.max(alpha)), 0.5 * limit)
        high = limit * (1.0 - 1e-12)
        if slope(high) >= 0.0:
            return high
        return float(brentq(slope, low, high, xtol=1e-300, rtol=1e-14))

    def project_dual(self, lam: FloatArray, y: FloatArray) -> FloatArray:
        """Return the dual point with every ``y * lam`` clipped to [0, 1]."""
        return y * np.clip(y * lam, 0.0, 1.0)


@dataclass(frozen=True)
class Hinge(Loss):
    r"""The hinge loss :math:`\sum_i(1-y_iz_i)_+` for labels ±1.

    With :math:`\alpha=-y\odot v` its conjugate is :math:`-\sum_i\alpha_i` where
    :math:`0\le\alpha\le1` and infinite elsewhere.

    Examples
    --------
    >>> from convexnn_lib import Hinge
    >>> Hinge().value([2.0, 0.5, -1.0], [1.0, 1.0, 1.0])
    2.5
    """

    name: ClassVar[str] = "hinge"
    labels: ClassVar[Literal["real", "sign"]] = "sign"
    differentiable: ClassVar[bool] = False
    strictly_convex: ClassVar[bool] = False

    def value(self, z: Any, y: Any) -> float:
        """Return the loss of the outputs ``z`` (n,) for the labels ``y`` (n,)."""
        z, y = _pair(z, y)
        return float(np.sum(np.maximum(1.0 - y * z, 0.0)))

    def gradient(self, z: Any, y: Any) -> FloatArray:
        """Return a subgradient: -y where y * z < 1, and 0 elsewhere (kink included)."""
        z, y = _pair(z, y)
        return np.where(y * z < 1.0, -y, 0.0)

    def conjugate(self, lam: Any, y: Any) -> float:
        """Return the conjugate at ``lam`` (n,): ``inf`` unless 0 <= -y * lam <= 1."""
        lam, y = _pair(lam, y)
        alpha = -y * lam
        if np.any((alpha < 0.0) | (alpha > 1.0)):
            return np.inf
        return -float(np.sum(alpha))

    def best_scale(self, lam: Any, y: Any, limit: float) -> float:
        """Return the best factor for a dual point: the largest one in the domain."""
        lam, y = _pair(lam, y)
        return min(limit, _box_limit(y * lam))

    def project_dual(self, lam: FloatArray, y: FloatArray) -> FloatArray:
        """Return the dual point with every ``y * lam`` clipped to [0, 1]."""
        return y * np.clip(y * lam, 0.0, 1.0)


@dataclass(frozen=True)
class HardMargin(Loss):
    r"""The max-margin constraint :math:`y_iz_i\ge1` as a loss: zero or infinite.

    With :math:`\beta=1` the training problem is then the max-margin problem
    :math:`\min\frac12\|\theta\|^2` subject to :math:`y_if(x_i)\ge1`. With
    :math:`\alpha=-y\odot v` the conjugate is :math:`-\sum_i\alpha_i` where
    :math:`\alpha\ge0` and infinite elsewhere.

    Notes
    -----
    In floating point :math:`y_iz_i\ge1-10^{-12}` counts as feasible, so that
    rebalancing or merging neurons of a feasible network does not make it infeasible.

    Examples
    --------
    >>> from convexnn_lib import HardMargin
    >>> HardMargin().value([1.0, -2.0], [1.0, -1.0]), HardMargin().value([0.5], [1.0])
    (0.0, inf)
    """

    name: ClassVar[str] = "hard_margin"
    labels: ClassVar[Literal["real", "sign"]] = "sign"
    differentiable: ClassVar[bool] = False
    strictly_convex: ClassVar[bool] = False

    def value(self, z: Any, y: Any) -> float:
        """Return 0 if every ``y * z`` is at least 1, else ``inf``."""
        z, y = _pair(z, y)
        return 0.0 if np.all(y * z >= 1.0 - 1e-12) else np.inf

    def gradient(self, z: Any, y: Any) -> FloatArray:
        """Raise an error: a constraint has no gradient.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            Always.
        """
        raise InvalidDataError(
            "the hard margin is a constraint and has no gradient; its dual point comes "
            "from a convex program (solve, certify or certify_margin)."
        )

    def conjugate(self, lam: Any, y: Any) -> float:
        """Return the conjugate at ``lam`` (n,): ``inf`` unless -y * lam >= 0."""
        lam, y = _pair(lam, y)
        alpha = -y * lam
        return np.inf if np.any(alpha < 0.0) else -float(np.sum(alpha))

    def best_scale(self, lam: Any, y: Any, limit: float) -> float:
        """Return the best factor for a dual point: the largest one."""
        lam, y = _pair(lam, y)
        alpha = y * lam
        return 0.0 if np.any(alpha < 0.0) or not np.any(alpha) else limit

    def project_dual(self, lam: FloatArray, y: FloatArray) -> FloatArray:
        """Return the dual point with every negative ``y * lam`` set to 0."""
        return y * np.clip(y * lam, 0.0, None)


def get_loss(loss: str | Loss) -> Loss:
    """Return the loss with a given name, or the loss object itself.

    Parameters
    ----------
    loss : str or convexnn_lib.Loss
        ``"squared"``, ``"logistic"``, ``"hinge"``, ``"hard_margin"`` or a loss object.

    Returns
    -------
    convexnn_lib.Loss
        The loss.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no loss of that name.

    Examples
    --------
    >>> from convexnn_lib.problem.losses import get_loss
    >>> get_loss("squared")
    Squared(scale=1.0)
    """
    if isinstance(loss, Loss):
        return loss
    known = {kind.name: kind for kind in (Squared, Logistic, Hinge, HardMargin)}
    if not isinstance(loss, str) or loss not in known:
        raise InvalidDataError(
            f"unknown loss {loss!r}; choose one of {', '.join(map(repr, known))}, or "
            "pass a Loss object."
        )
    return known[loss]()


def _pair(z: Any, y: Any) -> tuple[FloatArray, FloatArray]:
    """Return both arguments as float64 vectors of the same length."""
    z = np.asarray(z, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64)
    if z.shape != y.shape or z.ndim != 1:
        raise InvalidDataError(
            f"outputs and labels must be vectors of one length, got shapes {z.shape} "
            f"and {y.shape}."
        )
    return z, y


def _box_limit(alpha: FloatArray) -> float:
    """Return the largest factor that keeps ``0 <= alpha <= 1``; 0 if ``alpha`` is 0."""
    largest = float(np.max(alpha))
    if np.any(alpha < 0.0) or largest == 0.0:
        return 0.0
    limit = 1.0 / largest
    # the rounded quotient may leave the box by one unit in the last place
    return limit if limit * largest <= 1.0 else float(np.nextafter(limit, 0.0))
