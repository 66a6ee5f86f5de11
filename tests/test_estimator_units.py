"""Estimators on data in any unit: the same predictions, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import ConvexReLUClassifier, ConvexReLURegressor

random = np.random.default_rng(0)
X, AMOUNTS = random.standard_normal((8, 2)), random.standard_normal(8)
SIGNS = np.sign(AMOUNTS)
PLAIN = {"fit_intercept": False, "n_patterns": None}


def regressor(c: float, s: float) -> ConvexReLURegressor:
    return ConvexReLURegressor(0.1 * (c * s), **PLAIN).fit(c * X, s * AMOUNTS)


@pytest.mark.parametrize(
    ("c", "s"),
    [(4.0**249, 1.0), (4.0**-249, 4.0**249), (4.0**3, 4.0**-249), (1.0, 4.0**249)],
)
def test_a_regressor_does_not_depend_on_units(c: float, s: float) -> None:
    expected, found = regressor(1.0, 1.0), regressor(c, s)
    assert np.array_equal(found.predict(c * X) / s, expected.predict(X))
    score = found.score(c * X, s * AMOUNTS)
    assert score == pytest.approx(expected.score(X, AMOUNTS), rel=1e-12)


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
@pytest.mark.parametrize("c", [4.0**-249, 1e-150, 4.0**3, 1e150, 4.0**249])
def test_a_classifier_does_not_depend_on_units(c: float, loss: str) -> None:
    expected = ConvexReLUClassifier(0.1, loss=loss, **PLAIN).fit(X, SIGNS)
    found = ConvexReLUClassifier(0.1 * c, loss=loss, **PLAIN).fit(c * X, SIGNS)
    decisions = found.decision_function(c * X)
    np.testing.assert_allclose(decisions, expected.decision_function(X), rtol=1e-9)
    assert np.array_equal(found.predict(c * X), expected.predict(X))
