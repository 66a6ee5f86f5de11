"""The classifier among the scikit-learn estimators."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit, softmax

from convexnn_lib._estimator_base import (
    ConvexReLUEstimator,
    has_probabilities,
    is_joint,
    over_all_patterns,
    single,
)
from convexnn_lib._extras import extra
from convexnn_lib._validation import ArrayLike, FloatArray, check_readable
from convexnn_lib.certificates.certificate import Certificate
from convexnn_lib.errors import InvalidLabelsError
from convexnn_lib.problem.losses import Loss
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.typing import ClassifierLossName, SolveMethod

with extra("sklearn", "convexnn_lib.estimators"):
    from sklearn.base import ClassifierMixin
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import validate_data

__all__ = ["ConvexReLUClassifier"]


class ConvexReLUClassifier(ClassifierMixin, ConvexReLUEstimator):  # type: ignore[misc]
    r"""Classification by two-layer ReLU networks, trained to a certified optimum.

    Two classes are encoded as :math:`y_i=-1` and :math:`y_i=1`, the second of the
    sorted labels being 1. Solves, over networks of every width m,

    .. math::

        \min_{W_1,\,w_2}\;\sum_i\ell\big(((XW_1)_+w_2)_i,\,y_i\big)
        +\tfrac\beta2\big(\|W_1\|_F^2+\|w_2\|_2^2\big)

    by its equivalent convex program [1]_, see :func:`convexnn_lib.solve`. More classes
    are trained one against the rest, one network for each class, or, with the
    multinomial loss, all together: one network with an output for each class.

    Parameters
    ----------
    beta : float, default 1
        Regularization strength, positive. The loss is a sum over samples, so that the
        same regularization of more samples needs a larger ``beta``.
    loss : str or convexnn_lib.Loss, default "logistic"
        ``"logistic"``, ``"hinge"``, ``"squared"``: :math:`\log(1+e^{-yz})`,
        :math:`(1-yz)_+`, :math:`\frac12(z-y)^2`; ``"multinomial"`` for all classes in
        one program; or a loss object.
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
    classes_ : (k,) array
        The sorted labels.
    network_ : convexnn_lib.ReLUNetwork or list of them
        The trained network; for more than two classes a list, in the order of
        ``classes_``, unless the loss is multinomial. With ``fit_intercept``, the last
        row of ``W1`` holds the biases.
    certificate_ : convexnn_lib.Certificate or list of them
        How far each network is from its optimum, at most, and over which patterns.
    global_certificate_ : convexnn_lib.Certificate or list of them
        The same over all patterns: ``certificate_`` itself if that is its scope.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : (d,) array of str
        Names of the features, if X is a data frame whose column names are strings.

    Raises
    ------
    convexnn_lib.errors.RegularizationError
        By ``fit``, if ``beta`` is not a positive finite number.
    convexnn_lib.errors.InvalidLabelsError
        By ``fit``, if the labels have fewer than two classes.
    convexnn_lib.errors.InvalidDataError
        By ``fit``, if another parameter is not one of those admitted, or all rows are
        zero.
    convexnn_lib.errors.EnumerationTooLargeError
        By ``fit``, if the method is ``"cvxpy"`` and there are too many patterns.

    See Also
    --------
    convexnn_lib.ConvexReLURegressor, convexnn_lib.solve

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
    >>> from convexnn_lib import ConvexReLUClassifier
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> X, y = X[::5, 2:3], y[::5]
    >>> model = make_pipeline(StandardScaler(), ConvexReLUClassifier(beta=0.1))
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    >>> [certificate.scope for certificate in model[-1].certificate_]
    ['all patterns', 'all patterns', 'all patterns']
    >>> model.predict_proba(X[:1]).round(1)
    array([[1., 0., 0.]])

    All classes in one program, with one certificate:

    >>> joint = ConvexReLUClassifier(beta=0.1, loss="multinomial").fit(X, y)
    >>> joint.network_.outputs, bool(joint.certificate_.relative_gap <= 1e-3)
    (3, True)
    """

    _losses = ("logistic", "hinge", "squared", "multinomial")

    def __init__(
        self,
        beta: float = 1.0,
        *,
        loss: ClassifierLossName | Loss = "logistic",
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
        """Train the network, or one for each of more than two classes.

        Parameters
        ----------
        X : (n, d) array or data frame
            Data, one sample a row.
        y : (n,) array
            Class labels.
        sample_weight : (n,) array, optional
            Nonnegative weights of the samples, by default 1: the loss of a sample
            counts so many times, and a sample of weight 0 is left out. The certificates
            are those of the weighted problem of the samples that are left, see
            :class:`convexnn_lib.TrainingProblem`.

        Returns
        -------
        convexnn_lib.ConvexReLUClassifier
            The fitted estimator.
        """
        self._check_parameters()
        check_readable(X, "X")
        check_readable(y, "y", numbers=False)
        data, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        classes, codes = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise InvalidLabelsError(
                f"y has only one class, {classes[0]!r}; a classifier needs at least "
                "two classes."
            )
        weights = self._weights(sample_weight, data)
        kept = weights > 0.0
        inputs, codes, joint = (
            self._inputs(data[kept]),
            codes[kept],
            is_joint(self.loss),
        )
        patterns = self._patterns(inputs, several_outputs=joint)
        if joint:
            targets = [np.eye(len(classes))[codes]]
        else:
            first = 1 if len(classes) == 2 else 0
            each = range(first, len(classes))
            targets = [np.where(codes == code, 1.0, -1.0) for code in each]
        solutions = [
            self._solve(inputs, target, weights[kept], patterns) for target in targets
        ]
        self.classes_: npt.NDArray[Any] = classes
        networks = [solution.network for solution in solutions]
        self.network_: ReLUNetwork | list[ReLUNetwork] = single(networks)
        certificates = [solution.certificate for solution in solutions]
        self.certificate_: Certificate | list[Certificate] = single(certificates)
        wide = [over_all_patterns(solution) for solution in solutions]
        self.global_certificate_: Certificate | list[Certificate] = single(wide)
        return self

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """Return the networks' outputs.

        Parameters
        ----------
        X : (n, d) array or data frame
            Data, one sample a row.

        Returns
        -------
        (n,) or (n, k) array
            For two classes the network's output, positive for ``classes_[1]``, or the
            difference of its two outputs; for more, the output of each class.
        """
        inputs = self._checked(X)
        if isinstance(self.network_, ReLUNetwork):
            outputs = self.network_.predict(inputs)
            return np.diff(outputs)[:, 0] if outputs.shape[1:] == (2,) else outputs
        return np.column_stack([network.predict(inputs) for network in self.network_])

    def predict(self, X: ArrayLike) -> npt.NDArray[Any]:
        """Return the class of each sample.

        Parameters
        ----------
        X : (n, d) array or data frame
            Data, one sample a row.

        Returns
        -------
        (n,) array
            Entries of ``classes_``; that with the largest output.
        """
        outputs = self.decision_function(X)
        chosen = outputs > 0.0 if outputs.ndim == 1 else np.argmax(outputs, axis=1)
        labels: npt.NDArray[Any] = self.classes_[chosen.astype(np.intp)]
        return labels

    @available_if(has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: ArrayLike) -> FloatArray:
        r"""Return the probability of each class; only with a loss of log-odds.

        Parameters
        ----------
        X : (n, d) array or data frame
            Data, one sample a row.

        Returns
        -------
        (n, k) array
            Rows that sum to 1, in the order of ``classes_``. For two classes
            :math:`1/(1+e^{-z})` of the output z belongs to ``classes_[1]``; for more,
            these numbers of all networks are divided by their sum. With the multinomial
            loss they are those of the softmax of the outputs.
        """
        outputs = self.decision_function(X)
        if outputs.ndim == 1:
            return np.column_stack([expit(-outputs), expit(outputs)])
        # in logarithms, so that the sum cannot vanish
        logs = outputs if is_joint(self.loss) else log_expit(outputs)
        shares: FloatArray = softmax(logs, axis=1)
        return shares
