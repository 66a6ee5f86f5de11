"""The scikit-learn estimators, by scikit-learn's own checks and by ``solve``."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from convexnn_lib import TrainingProblem, certify, sample_patterns, solve
from convexnn_lib.errors import (
    EnumerationTooLargeError,
    InvalidDataError,
    InvalidLabelsError,
    RegularizationError,
)
from convexnn_lib.estimators import ConvexReLUClassifier, ConvexReLURegressor


def _regression() -> tuple[Any, Any]:
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X[:25, [2]]), y[:25] / 100.0


def _two_irises(features: tuple[int, ...] = (3,)) -> tuple[Any, Any]:
    X, y = load_iris(return_X_y=True)
    rows = np.arange(50, 150, 5)
    return StandardScaler().fit_transform(X[rows][:, features]), y[rows]


# the check of several targets has five of ten samples, and its gap stays open
@pytest.mark.filterwarnings("ignore:the certified relative gap")
@pytest.mark.slow
@parametrize_with_checks(
    [
        ConvexReLURegressor(),
        ConvexReLUClassifier(),
        ConvexReLUClassifier(beta=10.0, loss="multinomial", tol=0.1),
    ]
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_regressor_agrees_with_solve(fit_intercept: bool) -> None:
    X, y = _regression()
    regressor = ConvexReLURegressor(beta=0.5, fit_intercept=fit_intercept).fit(X, y)
    inputs = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    problem = TrainingProblem(inputs, y, 0.5)
    solution = solve(problem)
    certificate = regressor.certificate_
    assert certificate.scope == "all patterns"
    assert certificate.relative_gap < 1e-6
    assert certificate.verify(regressor.network_, problem)
    assert certificate.primal == pytest.approx(solution.value, rel=1e-6)
    assert np.allclose(regressor.predict(X), regressor.network_.predict(inputs))


@pytest.mark.parametrize("loss", ["logistic", "hinge", "squared"])
def test_classifier_agrees_with_solve(loss: str) -> None:
    X, y = _two_irises()
    labels = np.array(["no", "yes"])[(y == 2).astype(int)]
    classifier = ConvexReLUClassifier(beta=0.3, loss=loss).fit(X, labels)
    inputs = np.column_stack([X, np.ones(len(X))])
    signs = np.where(y == 2, 1.0, -1.0)
    problem = TrainingProblem(inputs, signs, 0.3, loss)
    assert classifier.certificate_.relative_gap < 1e-6
    assert classifier.certificate_.primal == pytest.approx(
        solve(problem).value, rel=1e-6
    )
    assert certify(classifier.network_, problem).scope == "all patterns"
    decision = classifier.decision_function(X)
    assert classifier.predict(X).tolist() == [
        "yes" if value > 0.0 else "no" for value in decision
    ]
    assert hasattr(classifier, "predict_proba") == (loss == "logistic")


def test_sampled_patterns_are_the_scope() -> None:
    X, y = _two_irises((0, 1, 2, 3))
    classifier = ConvexReLUClassifier(n_patterns=20, random_state=3).fit(X, y)
    again = clone(classifier).fit(X, y)
    assert classifier.certificate_.scope == again.certificate_.scope
    assert classifier.certificate_.scope.endswith("given patterns")
    assert np.array_equal(classifier.network_.W1, again.network_.W1)
    patterns = classifier.certificate_.patterns
    inputs = np.column_stack([X, np.ones(len(X))])
    seed = int(np.random.RandomState(3).randint(2**31 - 1))
    expected = sample_patterns(inputs, 20, seed=seed).patterns
    assert np.array_equal(patterns, np.unique(expected, axis=0))
    assert classifier.certificate_.relative_gap < 1e-6


def test_auto_takes_all_patterns_of_small_data_only() -> None:
    X, y = _two_irises()
    small = ConvexReLUClassifier().fit(X, y)
    assert small.certificate_.scope == "all patterns"
    X, y = _two_irises((0, 1, 2, 3))
    assert ConvexReLUClassifier().fit(X, y).certificate_.scope == "all patterns"
    X, y = load_iris(return_X_y=True)
    large = ConvexReLUClassifier().fit(X[50:], y[50:])
    assert 1 <= len(large.certificate_.patterns) <= 30
    # what it lacks to the optimum over all patterns is bounded as well
    everything = large.global_certificate_
    assert everything.scope == "all patterns"
    assert everything.relative_gap >= large.certificate_.relative_gap
    assert everything.lower_bound > 0.0
    assert small.global_certificate_ is small.certificate_


def test_iris_with_three_classes() -> None:
    X, y = load_iris(return_X_y=True)
    X, y = StandardScaler().fit_transform(X[::3]), y[::3]
    classifier = ConvexReLUClassifier(beta=0.1, n_patterns=15).fit(X, y)
    assert len(classifier.network_) == len(classifier.certificate_) == 3
    assert all(c.relative_gap < 1e-6 for c in classifier.certificate_)
    assert classifier.score(X, y) >= 0.95
    decision, shares = classifier.decision_function(X), classifier.predict_proba(X)
    assert decision.shape == shares.shape == (50, 3)
    assert np.allclose(shares.sum(axis=1), 1.0)
    assert np.array_equal(shares.argmax(axis=1), decision.argmax(axis=1))


def test_probabilities_rise_with_the_decision() -> None:
    X, y = _two_irises()
    classifier = ConvexReLUClassifier().fit(X, y)
    grid = np.linspace(-3.0, 3.0, 40)[:, None]
    order = np.argsort(classifier.decision_function(grid))
    shares = classifier.predict_proba(grid)
    assert np.allclose(shares.sum(axis=1), 1.0)
    assert np.all(np.diff(shares[order, 1]) >= 0.0)


def test_probabilities_far_out_stay_finite() -> None:
    X, y = load_iris(return_X_y=True)
    classifier = ConvexReLUClassifier(n_patterns=5).fit(X[::10], y[::10])
    for sign in (-1.0, 1.0):
        shares = classifier.predict_proba(np.full((1, 4), sign * 1e6))
        assert np.allclose(shares.sum(axis=1), 1.0)


def test_pickle_round_trip() -> None:
    X, y = _two_irises()
    classifier = ConvexReLUClassifier().fit(X, y)
    copy = pickle.loads(pickle.dumps(classifier))
    assert np.array_equal(copy.predict_proba(X), classifier.predict_proba(X))
    assert copy.certificate_.gap == classifier.certificate_.gap


def test_grid_search_over_beta_on_real_data() -> None:
    X, y = load_iris(return_X_y=True)
    X, y = X[50:, 2:], y[50:]
    model = make_pipeline(StandardScaler(), ConvexReLUClassifier(n_patterns=10))
    betas = [0.1, 1.0, 1000.0]
    search = GridSearchCV(model, {"convexreluclassifier__beta": betas}, cv=2)
    search.fit(X, y)
    assert search.best_score_ > 0.9
    # beyond beta_max the network is zero, and one class is predicted for all
    assert search.cv_results_["mean_test_score"].tolist()[2] == 0.5
    assert search.best_estimator_[-1].certificate_.relative_gap < 1e-6


def test_one_sample_zero_rows_and_repeated_rows() -> None:
    single = ConvexReLURegressor(beta=0.1).fit([[2.0]], [1.0])
    assert single.certificate_.relative_gap < 1e-6
    X = np.array([[0.0, 0.0], [1.0, 2.0], [1.0, 2.0], [-1.0, -2.0]])
    for intercept in (True, False):
        regressor = ConvexReLURegressor(beta=0.1, fit_intercept=intercept)
        regressor.fit(X, [0.0, 1.0, 2.0, 1.0])
        assert regressor.certificate_.relative_gap < 1e-6


@pytest.mark.parametrize("beta", [0.0, -1.0, np.nan, np.inf, None, "one"])
@pytest.mark.parametrize("estimator", [ConvexReLURegressor, ConvexReLUClassifier])
def test_beta_must_be_positive(estimator: Any, beta: Any) -> None:
    with pytest.raises(RegularizationError, match="positive"):
        estimator(beta=beta).fit([[1.0], [2.0]], [0, 1])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "hard_margin"}, "unknown loss"),
        ({"n_patterns": "all"}, "n_patterns"),
        ({"n_patterns": 0}, "n_patterns"),
        ({"n_patterns": 2.5}, "n_patterns"),
        ({"method": "none"}, "unknown method"),
        ({"tol": 0.0}, "tol"),
    ],
)
@pytest.mark.parametrize("estimator", [ConvexReLURegressor, ConvexReLUClassifier])
def test_bad_parameters(estimator: Any, parameters: Any, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        estimator(**parameters).fit([[1.0], [2.0]], [0, 1])


def test_bad_data() -> None:
    with pytest.raises(InvalidLabelsError, match="only one class"):
        ConvexReLUClassifier().fit([[1.0], [2.0]], [1, 1])
    with pytest.raises(ValueError, match="NaN"):
        ConvexReLURegressor().fit([[np.nan], [2.0]], [1.0, 2.0])
    with pytest.raises(InvalidDataError, match="zero"):
        ConvexReLURegressor(fit_intercept=False).fit([[0.0], [0.0]], [1.0, 2.0])
    for estimator in (ConvexReLURegressor(), ConvexReLUClassifier()):
        with pytest.raises(NotFittedError):
            estimator.predict([[1.0]])


def test_all_patterns_of_large_data_are_refused() -> None:
    X = np.random.default_rng(0).standard_normal((200, 10))
    with pytest.raises(EnumerationTooLargeError):
        ConvexReLURegressor(n_patterns=None, method="cvxpy").fit(X, X[:, 0])


def test_importing_the_library_leaves_scikit_learn_out() -> None:
    code = "import sys, convexnn_lib; assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_several_targets_are_fitted_by_one_network() -> None:
    X, y = _regression()
    targets = np.column_stack([y, y[::-1]])
    regressor = ConvexReLURegressor(beta=2.0, tol=1e-5).fit(X, targets)
    inputs = np.column_stack([X, np.ones(len(X))])
    problem = TrainingProblem(inputs, targets, 2.0)
    assert regressor.certificate_.verify(regressor.network_, problem)
    assert regressor.certificate_.relative_gap <= 1e-5
    assert regressor.predict(X).shape == targets.shape
    alone = [ConvexReLURegressor(beta=2.0).fit(X, column) for column in targets.T]
    # together they share neurons, and cost no more than two networks do
    apart = sum(one.certificate_.primal for one in alone)
    assert regressor.certificate_.lower_bound < apart
    assert 0.0 < regressor.score(X, targets) <= 1.0


@pytest.mark.slow
def test_all_classes_in_one_program() -> None:
    X, y = load_iris(return_X_y=True)
    X, y = StandardScaler().fit_transform(X[::5, 2:3]), y[::5]
    names = np.array(["a", "b", "c"])[y]
    model = ConvexReLUClassifier(beta=0.5, loss="multinomial", tol=1e-6).fit(X, names)
    assert model.network_.outputs == 3
    assert model.certificate_.relative_gap <= 1e-6
    shares = model.predict_proba(X)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    np.testing.assert_array_equal(model.classes_[shares.argmax(axis=1)], names)
    loss = -np.log(shares[np.arange(len(y)), y]).sum()
    assert model.certificate_.primal > loss
    two = ConvexReLUClassifier(beta=0.5, loss="multinomial").fit(X[y > 0], y[y > 0])
    assert two.decision_function(X).shape == (len(X),)
    positive = two.decision_function(X) > 0.0
    np.testing.assert_array_equal(two.predict(X) == 2, positive)
    np.testing.assert_array_equal(two.predict_proba(X)[:, 1] > 0.5, positive)


def test_one_target_in_a_column_is_one_output() -> None:
    X, y = _regression()
    one = ConvexReLURegressor().fit(X, y)
    column = ConvexReLURegressor().fit(X, y[:, None])
    np.testing.assert_array_equal(column.predict(X), one.predict(X)[:, None])


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_weights_of_samples_are_those_of_the_problem(loss: str) -> None:
    X, y = _two_irises()
    weights = np.arange(len(y)) % 4  # zeros among them
    model = ConvexReLUClassifier(beta=0.3, loss=loss).fit(X, y, sample_weight=weights)
    kept = weights > 0
    inputs = np.column_stack([X, np.ones(len(X))])[kept]
    signs = np.where(y[kept] == 2, 1.0, -1.0)
    problem = TrainingProblem(inputs, signs, 0.3, loss, sample_weight=weights[kept])
    assert model.certificate_.verify(model.network_, problem)
    assert model.certificate_.relative_gap < 1e-6
    twice = ConvexReLUClassifier(beta=0.3, loss=loss).fit(
        X.repeat(weights, axis=0), y.repeat(weights)
    )
    np.testing.assert_allclose(model.decision_function(X), twice.decision_function(X))


def test_weights_that_are_all_zero_are_refused() -> None:
    X, y = _regression()
    with pytest.raises(ValueError, match="zero"):
        ConvexReLURegressor().fit(X, y, sample_weight=np.zeros(len(y)))
