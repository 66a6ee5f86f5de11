r"""Two-layer ReLU networks with a certificate, as scikit-learn estimators.

Both train by :func:`convexnn_lib.solve` and keep the certificate of what they trained.
Data are used as they come: the penalty depends on the scale of the features, so put a
:class:`sklearn.preprocessing.StandardScaler` before the estimator in a pipeline.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np

from convexnn_lib._classifier import ConvexReLUClassifier
from convexnn_lib._estimator_base import ConvexReLUEstimator, over_all_patterns
from convexnn_lib._extras import extra
from convexnn_lib._validation import ArrayLike, FloatArray, check_readable
from convexnn_lib.certificates.certificate import Certificate
from convexnn_lib.problem.losses import Loss
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.typing import SolveMethod

with extra("sklearn", "convexnn_lib.estimators"):
    from sklearn.base import RegressorMixin
    from sklearn.utils.validation import validate_data

__all__ = ["ConvexReLUClassifier", "ConvexReLURegressor"]


class ConvexReLURegressor(RegressorMixin, ConvexReLUEstimator):  # type: ignore[misc]
    r"""Regression by a two-layer ReLU network, trained to a certified optimum.

    Solves, over networks of every width m,

    .. math::

        \min_{W_1,\,w_2}\;\tfrac12\|(XW_1)_+w_2-y\|_2^2
        +\tfrac\beta2\big(\|W_1\|_F^2+\|w_2\|_2^2\big)

    by its equivalent convex program [1]_, see :func:`convexnn_lib.solve`. Several
    targets, y (n, c), are fitted by one network with c outputs.

    Parameters
    ----------
    beta : float, default 1
        Regularization strength, positive. The loss is a sum over samples, so that the
        same regularization of more samples needs a larger ``beta``.
    loss : {"squared"} or convexnn_lib.Loss, default "squared"
        The loss, the squared one or a loss object of real labels.
    fit_intercept : bool, default True
        Whether to append a column of ones to X, which gives each neuron a bias. The
        bias is regularized like any weight.
    n_patterns : int, None or "auto", default "auto"
        The activation patterns to train over. None takes all: the optimum is the
        global one over all networks, or where there are too many patterns to list, that
        over those which :func:`convexnn_lib.solve` chooses, which can take minutes. An
        integer takes the patterns of that many random directions: the optimum, and the
        certificate, are those of networks with these patterns. The certificate's
        ``scope`` says what it covers. ``"auto"`` takes all if Cover's count
        (:func:`convexnn_lib.cover_count`), which bounds their number, is at most
        50,000, and the patterns of 30 random directions otherwise. With several outputs
        it takes all; where they are too many a warning says that a gap stays open.
    method : str, optional
        The method of :func:`convexnn_lib.solve`, by default its default.
    tol : float, optional
        The relative gap to certify; a larger one warns. By default 1e-6, and 1e-3 with
        several outputs, whose dual norm is costly to bound.
    random_state : int, numpy.random.RandomState or None, default 0
        Source of randomness of sampled patterns.

    Attributes
    ----------
    network_ : convexnn_lib.ReLUNetwork
        The trained network. With ``fit_intercept``, the last row of ``W1`` holds the
        biases.
    certificate_ : convexnn_lib.Certificate
        How far the network is from the optimum, at most, and over which patterns.
    global_certificate_ : convexnn_lib.Certificate
        The same over all patterns: ``certificate_`` itself if that is its scope.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : (d,) array of str
        Names of the features, if X is a data frame whose column names are strings.

    Raises
    ------
    convexnn_lib.errors.RegularizationError
        By ``fit``, if ``beta`` is not a positive finite number.
    convexnn_lib.errors.InvalidDataError
        By ``fit``, if another parameter is not one of those admitted, or all rows are
        zero.
    convexnn_lib.errors.EnumerationTooLargeError
        By ``fit``, if the method is ``"cvxpy"`` and there are too many patterns.

    See Also
    --------
    convexnn_lib.ConvexReLUClassifier, convexnn_lib.solve

    Notes
    -----
    Features are not scaled; put a scaler before the estimator in a pipeline. Beside a
    column of ones, small features also leave few patterns to random directions: most
    have the sign of their bias on all samples.

    References
    ----------
    .. [1] Pilanci & Ergen (2020), `pilanci2020neural`.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import ConvexReLURegressor
    >>> X = np.linspace(-1, 1, 9)[:, None]
    >>> regressor = ConvexReLURegressor(beta=0.01).fit(X, np.abs(X[:, 0]))
    >>> regressor.certificate_.scope, bool(regressor.certificate_.relative_gap < 1e-6)
    ('all patterns', True)
    >>> bool(regressor.score(X, np.abs(X[:, 0])) > 0.99)
    True

    The features are not scaled; a pipeline does it. Here ``beta`` is chosen by
    cross-validation on sixty patients with two features:

    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, y = X[:60, [2, 8]], y[:60] / 100
    >>> model = make_pipeline(StandardScaler(), ConvexReLURegressor(n_patterns=10))
    >>> betas = {"convexreluregressor__beta": [0.1, 1, 10]}
    >>> GridSearchCV(model, betas, cv=3).fit(X, y).best_params_
    {'convexreluregressor__beta': 1}
    """

    _losses = ("squared",)
    _labels = ("real",)

    def __init__(
        self,
        beta: float = 1.0,
        *,
        loss: Literal["squared"] | Loss = "squared",
        fit_intercept: bool = True,
        n_patterns: int | Literal["auto"] | None = "auto",
        method: SolveMethod | None = None,
        tol: float | None = None,
        random_state: Any = 0,
    ) -> None:
        super().__init__(
            beta,
            loss=loss,
            fit_intercept=fit_intercept,
            n_patterns=n_patterns,
            method=method,
            tol=tol,
            random_state=random_state,
        )

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : (n, d) array or data frame
            Data, one sample a row.
        y : (n,) array, or (n, c) array for c targets
            Targets.
        sample_weight : (n,) array, optional
            Nonnegative weights of the samples, by default 1: the loss of a sample
            counts so many times, and a sample of weight 0 is left out. The certificates
            are those of the weighted problem of the samples that are left, see
            :class:`convexnn_lib.TrainingProblem`.

        Returns
        -------
        convexnn_lib.ConvexReLURegressor
            The fitted estimator.
        """
        self._check_parameters()
        check_readable(X, "X")
        check_readable(y, "y")
        kind: dict[str, Any] = {"y_numeric": True, "multi_output": True}
        data, labels = validate_data(self, X, y, dtype=np.float64, **kind)
        weights = self._weights(sample_weight, data)
        kept = weights > 0.0
        inputs = self._inputs(data[kept])
        targets = np.asarray(labels, dtype=np.float64)[kept]
        self._one_column = targets.ndim == 2 and targets.shape[1] == 1
        if self._one_column:  # one output, whose outputs are a column as well
            targets = targets[:, 0]
        patterns = self._patterns(inputs, several_outputs=targets.ndim == 2)
        solution = self._solve(inputs, targets, weights[kept], patterns)
        self.network_: ReLUNetwork = solution.network
        self.certificate_: Certificate = solution.certificate
        self.global_certificate_: Certificate = over_all_patterns(solution)
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """Return the network's outputs.

        Parameters
        ----------
        X : (n, d) array or data frame
            Data, one sample a row.

        Returns
        -------
        (n,) or (n, c) array
            The outputs.
        """
        inputs = self._checked(X)
        outputs = self.network_.predict(inputs)
        return outputs[:, None] if self._one_column else outputs

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that several targets are taken."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
