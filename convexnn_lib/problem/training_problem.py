"""The training problem that networks, solvers and certificates refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    FloatArray,
    PatternsLike,
    as_float_array,
    as_matrix,
    as_outputs,
    check_number,
)
from convexnn_lib.errors import (
    InvalidDataError,
    InvalidLabelsError,
    RegularizationError,
)
from convexnn_lib.problem._loss_check import check_attributes, check_loss
from convexnn_lib.problem._network_argument import check_network
from convexnn_lib.problem._separability import check_separable
from convexnn_lib.problem._weighted import Weighted, check_weights, weighted
from convexnn_lib.problem.losses import Loss, get_loss
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.typing import LossName

__all__ = ["TrainingProblem"]


@dataclass(frozen=True, init=False, eq=False, repr=False)
class TrainingProblem(ReadOnlyArrays):
    r"""Regularized training of a two-layer ReLU network.

    .. math::

        \min_{W_1\in\mathbb R^{d\times m},\,w_2\in\mathbb R^m}\;
        \ell\big((XW_1)_+w_2,\,y\big)
        +\tfrac\beta2\big(\|W_1\|_F^2+\|w_2\|_2^2\big),

    for any width m. For :math:`m` at least the number of nonzero groups of some optimum
    (at most n) it has the same value as the convex program [1]_

    .. math::

        \min_{u_i,u'_i\in K_i}\;\ell\Big(\sum_iD_iX(u_i-u'_i),\,y\Big)
        +\beta\sum_i\big(\|u_i\|_2+\|u'_i\|_2\big),
        \qquad K_i=\{u:(2D_i-I)Xu\ge0\},

    whose dual is :math:`\max_\lambda-\ell^*(-\lambda,y)` subject to
    :math:`\max_{\|u\|\le1}|\lambda^T(Xu)_+|\le\beta`.

    *Several outputs.* With labels Y (n, c) the networks have c outputs, a matrix
    :math:`W_2` (m, c) in place of :math:`w_2`, and the problem has the dual
    :math:`\max_\Lambda-\ell^*(-\Lambda,Y)` subject to
    :math:`\max_{\|u\|\le1}\|\Lambda^T(Xu)_+\|_2\le\beta`, see
    :func:`convexnn_lib.output_norm`. :func:`convexnn_lib.solve` and
    :func:`convexnn_lib.certify` take such problems.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row. There is no bias: append a column of ones for one; it is
        then regularized like any weight.
    y : (n,) array, or (n, c) array for c outputs
        Labels, real for the squared loss, -1 or +1 for the others; for the multinomial
        loss rows with a 1 for the class of the sample and zeros elsewhere.
    beta : float
        Regularization strength, at least 0. Convex solves and certificates need
        ``beta > 0``; the max-margin problem needs ``beta = 1``.
    loss : str or convexnn_lib.Loss, default "squared"
        ``"squared"``, ``"logistic"``, ``"hinge"``, ``"hard_margin"``,
        ``"multinomial"`` or a loss object. The first two, which then are sums over the
        outputs, and ``"multinomial"`` have several outputs.
        ``"hard_margin"`` is the max-margin problem :math:`\min\frac12\|\theta\|^2`
        subject to :math:`y_if(x_i)\ge1`.
    sample_weight : (n,) array, optional
        Positive weights of the samples: the loss is :math:`\sum_iw_i\ell_i`, so that
        2 is the same as the sample twice. Leave out samples of weight 0. A hard margin
        takes none: its constraints do not depend on weights.

    Attributes
    ----------
    X : (n, d) array
        Data, a read-only copy in float64.
    y : (n,) or (n, c) array
        Labels, a read-only copy in float64.
    beta : float
        Regularization strength.
    loss : convexnn_lib.Loss
        The loss object, with the weights of the samples in it.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X or y is empty, of the wrong shape, or has NaN or infinite entries, if a
        loss of your own contradicts itself, or if weights are not positive.
    convexnn_lib.errors.InvalidLabelsError
        If the loss does not admit the labels.
    convexnn_lib.errors.RegularizationError
        If beta is negative or not finite, or not 1 for the hard margin.
    convexnn_lib.errors.NotSeparableError
        If the loss is the hard margin and no network separates the data.

    References
    ----------
    .. [1] Pilanci & Ergen (2020), `pilanci2020neural`.

    Examples
    --------
    >>> from convexnn_lib import ReLUNetwork, TrainingProblem
    >>> problem = TrainingProblem([[1.0]], [1.0], beta=0.5)
    >>> problem
    TrainingProblem(n=1, d=1, beta=0.5, loss=Squared(scale=1.0))
    >>> problem.objective(ReLUNetwork([[1.0]], [0.5]))
    0.4375
    >>> TrainingProblem([[1.0], [2.0]], [[1.0, 0.0], [3.0, 1.0]], beta=0.5)
    TrainingProblem(n=2, d=1, outputs=2, beta=0.5, loss=Squared(scale=1.0))
    >>> twice = TrainingProblem([[1.0]], [1.0], beta=0.5, sample_weight=[2.0])
    >>> twice.objective(ReLUNetwork([[1.0]], [0.5]))
    0.5625
    """

    X: FloatArray
    y: FloatArray
    beta: float
    loss: Loss

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        beta: float,
        loss: LossName | Loss = "squared",
        *,
        sample_weight: ArrayLike | None = None,
    ) -> None:
        loss = get_loss(loss)
        if isinstance(loss, Weighted):  # that of another problem
            if sample_weight is not None:
                raise InvalidDataError(
                    f"the loss {loss!r} has weights already; pass {loss.loss!r}."
                )
            given = loss
            loss, sample_weight = given.loss, given.weights
        check_attributes(loss)
        X = as_matrix(X)
        y = as_outputs(y, len(X), "y")
        if y.ndim == 2 and not loss.several_outputs:
            raise InvalidLabelsError(
                f"the {loss.name.replace('_', '-')} loss is one of networks with one "
                f"output, got labels of shape {y.shape}; train one network for each "
                "column, y[:, k], or use the squared, the logistic or the multinomial "
                "loss."
            )
        loss.check_labels(y)
        beta = _check_beta(beta, loss)
        check_loss(loss, y)
        if loss.is_constraint:
            check_separable(X, y)
        if sample_weight is not None:
            if loss.is_constraint:
                raise InvalidDataError(
                    "sample_weight would change nothing: a hard margin is a constraint "
                    "on each sample. Leave it out."
                )
            loss = weighted(loss, check_weights(sample_weight, len(X)))
        self._set(X, y, beta, loss)

    def _set(self, X: FloatArray, y: FloatArray, beta: float, loss: Loss) -> None:
        """Take over what has been checked."""
        X.setflags(write=False)
        y.setflags(write=False)
        for name, value in {"X": X, "y": y, "beta": beta, "loss": loss}.items():
            object.__setattr__(self, name, value)

    def replaced(
        self, X: FloatArray, y: FloatArray, beta: float, loss: Loss | None = None
    ) -> TrainingProblem:
        """Return the problem with other numbers that need no check.

        Parameters
        ----------
        X, y : (n, d) and (n,) arrays
            New arrays, multiples of those of the problem.
        beta : float
            The regularization strength.
        loss : convexnn_lib.Loss, optional
            The loss, by default the same.

        Returns
        -------
        convexnn_lib.TrainingProblem
            The problem.
        """
        problem = object.__new__(TrainingProblem)
        problem._set(X, y, beta, self.loss if loss is None else loss)
        return problem

    @property
    def sample_weight(self) -> FloatArray | None:
        """The weights of the samples, None where they change nothing."""
        return self.loss.weights if isinstance(self.loss, Weighted) else None

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.X.shape[0])

    @property
    def d(self) -> int:
        """Number of features."""
        return int(self.X.shape[1])

    @property
    def outputs(self) -> int:
        """Number of outputs of the networks, 1 for labels (n,)."""
        return int(self.y.shape[1]) if self.y.ndim == 2 else 1

    def __repr__(self) -> str:
        """Return the sizes, the regularization strength and the loss."""
        outputs = f"outputs={self.outputs}, " if self.y.ndim == 2 else ""
        return (
            f"TrainingProblem(n={self.n}, d={self.d}, {outputs}beta={self.beta!r}, "
            f"loss={self.loss!r})"
        )

    def objective(self, network: ReLUNetwork) -> float:
        r"""Return the training objective of a network.

        Parameters
        ----------
        network : convexnn_lib.ReLUNetwork
            A network with d features.

        Returns
        -------
        float
            :math:`\ell(f(X),y)+\frac\beta2(\|W_1\|_F^2+\|w_2\|^2)`; ``inf`` if a hard
            margin is violated.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If it is no network, or has another number of features or of outputs.
        """
        check_network(network, several_outputs=True)
        if network.w2.shape[1:] != self.y.shape[1:]:
            raise InvalidDataError(
                f"the network's second layer has shape {network.w2.shape}, the labels "
                f"have shape {self.y.shape}: outputs are wanted as the labels are, "
                "w2 (m,) for y (n,), and W2 (m, c) for Y (n, c)."
            )
        loss = self.loss.value(network.predict(self.X), self.y)
        return loss + self.beta * network.penalty()

    def convex_objective(
        self, patterns: PatternsLike, u: ArrayLike, u_prime: ArrayLike
    ) -> float:
        r"""Return the objective of the convex program at a point.

        Parameters
        ----------
        patterns : (p, n) array of bool
            Activation patterns, the diagonals of :math:`D_1,\dots,D_p`.
        u, u_prime : (p, d) arrays
            The variables :math:`u_i` and :math:`u'_i`, one a row.

        Returns
        -------
        float
            :math:`\ell(\sum_iD_iX(u_i-u'_i),y)+\beta\sum_i(\|u_i\|+\|u'_i\|)`. The cone
            constraints are not checked.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the shapes do not agree, or the problem has several outputs.
        """
        if self.y.ndim == 2:
            raise InvalidDataError(
                "the convex program is one of networks with one output, got labels of "
                f"shape {self.y.shape}."
            )
        patterns = np.asarray(patterns)
        u, u_prime = as_matrix(u, "u"), as_matrix(u_prime, "u_prime")
        if (
            patterns.dtype != np.bool_
            or patterns.shape != (len(u), self.n)
            or u.shape != (len(u), self.d)
            or u_prime.shape != u.shape
        ):
            raise InvalidDataError(
                f"patterns must be a boolean (p, {self.n}) array and u, u_prime (p, "
                f"{self.d}) arrays, got shapes {patterns.shape} ({patterns.dtype}), "
                f"{u.shape} and {u_prime.shape}."
            )
        z = np.einsum("pn,np->n", patterns, self.X @ (u - u_prime).T)
        norms = np.linalg.norm(u, axis=1) + np.linalg.norm(u_prime, axis=1)
        return self.loss.value(z, self.y) + self.beta * float(np.sum(norms))

    def dual_objective(self, lam: ArrayLike) -> float:
        r"""Return the dual objective :math:`-\ell^*(-\lambda,y)`.

        It is a lower bound on every network's objective if in addition
        :math:`\max_{\|u\|\le1}|\lambda^T(Xu)_+|\le\beta`, see
        :func:`convexnn_lib.dual_norm`.

        Parameters
        ----------
        lam : (n,) array, or (n, c) for c outputs
            The dual point :math:`\lambda`.

        Returns
        -------
        float
            The dual objective, ``-inf`` outside its domain.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If ``lam`` is not finite or not of the shape of the labels.
        """
        return -self.loss.conjugate(-self.as_dual(lam, "lam"), self.y)

    def as_dual(self, lam: ArrayLike, name: str) -> FloatArray:
        """Return a dual point as a finite array of the shape of the labels.

        Parameters
        ----------
        lam : array
            The dual point.
        name : str
            What errors call it.

        Returns
        -------
        (n,) or (n, c) array
            The dual point in float64.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If it is not finite or has another shape.
        """
        array = as_float_array(lam, name)
        if array.shape != self.y.shape:
            raise InvalidDataError(
                f"{name} must have shape {self.y.shape}, got {array.shape}."
            )
        return array


def _check_beta(beta: Any, loss: Loss) -> float:
    """Return beta as a float that the loss admits."""
    value = check_number(beta, "beta", "[0, inf)", RegularizationError)
    loss.check_beta(value)
    return value
