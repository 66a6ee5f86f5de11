"""What the scikit-learn estimators of this library share."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import numpy as np

from convexnn_lib._extras import extra
from convexnn_lib._validation import (
    ArrayLike,
    FloatArray,
    PatternsLike,
    check_integer,
    check_number,
    check_readable,
)
from convexnn_lib.arrangements.counting import cover_count
from convexnn_lib.arrangements.sampling import sample_patterns
from convexnn_lib.certificates.certificate import Certificate
from convexnn_lib.certificates.certify import for_all_patterns
from convexnn_lib.errors import (
    InvalidDataError,
    RegularizationError,
)
from convexnn_lib.problem.losses import Loss, get_loss
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import Solution, solve
from convexnn_lib.typing import LossName, SolveMethod

with extra("sklearn", "convexnn_lib.estimators"):
    from sklearn.base import BaseEstimator
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import (
        _check_sample_weight,
        check_is_fitted,
        validate_data,
    )

__all__ = [
    "ConvexReLUEstimator",
    "has_probabilities",
    "is_joint",
    "over_all_patterns",
    "single",
]

_T = TypeVar("_T")

_ALL_UP_TO = 50_000  # "auto" trains over all patterns if there are at most so many
_SAMPLED = 30  # and over those of so many random directions otherwise
_TOL_OF_SEVERAL = 1e-3  # by default, of several outputs


class ConvexReLUEstimator(BaseEstimator):  # type: ignore[misc]
    """What the regressor and the classifier share."""

    _losses: tuple[str, ...]  # those that go by their names
    _labels: tuple[str, ...] = ("real", "sign", "classes")  # of losses that it takes

    def __init__(
        self,
        beta: float = 1.0,
        *,
        loss: LossName | Loss,
        fit_intercept: bool = True,
        n_patterns: int | Literal["auto"] | None = "auto",
        method: SolveMethod | None = None,
        tol: float | None = None,
        random_state: Any = 0,
    ) -> None:
        self.beta = beta
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.n_patterns = n_patterns
        self.method = method
        self.tol = tol
        self.random_state = random_state

    def _check_parameters(self) -> None:
        """Refuse parameters out of range before any work."""
        check_number(self.beta, "beta", "(0, inf)", RegularizationError)
        if isinstance(self.loss, str) and self.loss not in self._losses:
            raise InvalidDataError(
                f"unknown loss {self.loss!r} for {type(self).__name__}; choose one of "
                f"{', '.join(map(repr, self._losses))}, or pass a Loss object."
            )
        if get_loss(self.loss).labels not in self._labels:
            raise InvalidDataError(
                f"{type(self).__name__} needs a loss of {' or '.join(self._labels)} "
                f"labels, got {self.loss!r}."
            )
        if self.n_patterns is None:
            return
        if isinstance(self.n_patterns, str):
            if self.n_patterns != "auto":
                raise InvalidDataError(
                    'n_patterns must be "auto", None or a positive integer, got '
                    f"{self.n_patterns!r}."
                )
        else:
            check_integer(self.n_patterns, "n_patterns", minimum=1)

    def _inputs(self, X: FloatArray) -> FloatArray:
        """Append the column of ones."""
        return np.column_stack([X, np.ones(len(X))]) if self.fit_intercept else X

    def _patterns(self, X: FloatArray, *, several_outputs: bool) -> Any:
        """Return the patterns to train over, None for all of them."""
        automatic = isinstance(self.n_patterns, str)
        if self.n_patterns is None or (automatic and several_outputs):
            return None
        if isinstance(self.n_patterns, str):
            rows = np.unique(X, axis=0)  # a sample that is there twice cuts once
            rank = max(1, int(np.linalg.matrix_rank(rows)))
            if cover_count(len(rows), rank) <= _ALL_UP_TO:
                return None
            n_directions = _SAMPLED
        else:
            n_directions = self.n_patterns
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        return sample_patterns(X, n_directions, seed=seed)

    def _weights(self, sample_weight: Any, X: FloatArray) -> FloatArray:
        """Return the weights of the samples, zeros among them."""
        check_readable(sample_weight, "sample_weight")
        weights: FloatArray = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        if not weights.any():
            raise InvalidDataError(
                f"sample_weight is 0 for all {len(X)} samples; there is nothing to fit."
            )
        return weights

    def _solve(
        self, X: FloatArray, y: FloatArray, weights: FloatArray, patterns: PatternsLike
    ) -> Solution:
        """Train on inputs that have their column of ones."""
        given = None if np.all(weights == 1.0) else weights
        problem = TrainingProblem(X, y, self.beta, self.loss, sample_weight=given)
        options: dict[str, Any] = {} if self.method is None else {"method": self.method}
        if self.tol is not None:
            options["tol"] = self.tol
        elif y.ndim == 2:
            options["tol"] = _TOL_OF_SEVERAL
        return solve(problem, patterns, **options)

    def _checked(self, X: ArrayLike) -> FloatArray:
        """Return the inputs of a fitted estimator."""
        check_is_fitted(self)
        check_readable(X, "X")
        return self._inputs(validate_data(self, X, reset=False, dtype=np.float64))


def over_all_patterns(solution: Solution) -> Certificate:
    """Return the certificate of a solution over all patterns."""
    return for_all_patterns(solution.certificate, solution.network, solution.problem)


def is_joint(loss: LossName | Loss) -> bool:
    """Tell whether a loss is one of all classes together."""
    return get_loss(loss).labels == "classes"


def has_probabilities(estimator: ConvexReLUEstimator) -> bool:
    """Tell whether the loss models probabilities, as far as its parameter is one."""
    loss = estimator.loss
    if isinstance(loss, str):
        return loss in ("logistic", "multinomial")
    return isinstance(loss, Loss) and (loss.log_odds or is_joint(loss))


def single(values: list[_T]) -> _T | list[_T]:
    """Return the only one of some values, or all where there are more."""
    return values[0] if len(values) == 1 else values
