"""A loss of one's own that contradicts itself is refused by what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from good_losses import REAL, SIGNS, Good, X, broken, returns
from scipy.special import logsumexp, softmax, xlogy

from convexnn_lib import (
    Hinge,
    Logistic,
    Loss,
    MarginLoss,
    ReLUNetwork,
    Squared,
    TrainingProblem,
    certify,
    gradient_flow,
    solve,
)
from convexnn_lib.errors import ConvexNNError, InvalidDataError, InvalidLabelsError
from convexnn_lib.problem._loss_check import check_loss


def raises(error: BaseException) -> Any:
    def method(self: Any, z: Any, y: Any) -> Any:
        raise error

    return method


def writes(self: Any, z: Any, y: Any) -> Any:
    z -= y
    return z


NUMBER = "must return one real number, got"
VECTOR = r"must return a NumPy array of float64 and of the shape \(7,\), got"
METHODS: list[tuple[str, Any, str]] = [
    (
        "value",
        lambda z, y: 0.5 * (z - y) ** 2,
        f"value .*{NUMBER}.*sum it over the sam",
    ),
    ("value", lambda z, y: np.array([0.5 * np.sum((z - y) ** 2)]), f"value .*{NUMBER}"),
    ("value", None, f"value .*{NUMBER} None"),
    ("value", "1.0", f"value .*{NUMBER} '1.0'"),
    ("value", True, f"value .*{NUMBER} True"),
    ("value", 1j, f"value .*{NUMBER} 1j"),
    ("value", lambda z, y: [1.0], f"value .*{NUMBER} an object of type list"),
    ("value", np.nan, "the value of the loss Broken is nan at outputs between"),
    ("value", np.inf, "the value of the loss Broken is inf"),
    ("value", -np.inf, "the value of the loss Broken is -inf"),
    ("value", 3, "the gradient of the loss Broken is not that of its value"),
    (
        "value",
        lambda z, y: int(0.5 * np.sum((z - y) ** 2)),
        "of the loss Broken is not",
    ),
    ("value", lambda z, y: -0.5 * float(np.sum((z - y) ** 2)), "is not convex"),
    ("gradient", None, f"gradient .*{VECTOR} None"),
    ("gradient", 1.0, f"gradient .*{VECTOR} 1.0"),
    ("gradient", lambda z, y: (z - y).sum(), f"gradient .*{VECTOR} np.float"),
    ("gradient", lambda z, y: (z - y)[:, None], rf"gradient .*{VECTOR} .*\(7, 1\)"),
    ("gradient", lambda z, y: (z - y)[1:], rf"gradient .*{VECTOR} .*\(6,\)"),
    ("gradient", lambda z, y: list(z - y), f"gradient .*{VECTOR} an object of type l"),
    ("gradient", lambda z, y: np.rint(z - y).astype(int), f"gradient .*{VECTOR} .*int"),
    ("gradient", lambda z, y: (z - y).astype("f4"), f"gradient .*{VECTOR} .*float32"),
    ("gradient", lambda z, y: np.nan * z, "the gradient of the loss Broken is nan"),
    ("gradient", lambda z, y: y - z, "the gradient of the loss Broken is not that"),
    ("gradient", lambda z, y: 2.0 * (z - y), "the gradient of the loss Broken is not"),
    ("gradient", lambda z, y: 0.9 * (z - y), "of the loss Broken is not that of its v"),
    ("gradient", lambda z, y: (z - y) / len(z), "of the loss Broken is not that of it"),
    ("conjugate", None, f"conjugate .*{NUMBER} None"),
    ("conjugate", lambda z, y: z * y + 0.5 * z**2, f"conjugate .*{NUMBER}"),
    ("conjugate", np.nan, "the conjugate of the loss Broken is not .* got nan"),
    ("conjugate", np.inf, "the conjugate of the loss Broken is not .* got inf"),
    ("conjugate", -np.inf, "the conjugate of the loss Broken is not .* got -inf"),
    ("conjugate", 0.0, "the conjugate of the loss Broken is not that of its value"),
    (
        "conjugate",
        lambda z, y: float(0.5 * z @ z - z @ y),
        "the conjugate of the loss Broken is not that of its value",
    ),
    ("curvature", 1.0, f"curvature .*{VECTOR} 1.0"),
    ("curvature", lambda z, y: np.eye(len(z)), rf"curvature .*{VECTOR} .*\(7, 7\)"),
    ("curvature", lambda z, y: np.ones(len(z), int), f"curvature .*{VECTOR} .*int64"),
    (
        "curvature",
        lambda z, y: -np.ones(len(z)),
        "curvature of .* is -1 .* never negat",
    ),
    ("curvature", lambda z, y: np.nan * z, "curvature of the loss Broken is nan"),
    (
        "curvature",
        lambda z, y: 2.0 * np.ones(len(z)),
        "is not the derivative of its gr",
    ),
    ("curvature", lambda z, y: 0.0 * z, "is not the derivative of its gradient"),
]


@pytest.mark.parametrize(("name", "result", "message"), METHODS)
def test_a_method_that_returns_something_else(
    name: str, result: Any, message: str
) -> None:
    TrainingProblem(X, REAL, 0.3, Good())
    with pytest.raises(InvalidDataError, match=message):
        TrainingProblem(X, REAL, 0.3, broken(**{name: returns(result)})())


@pytest.mark.parametrize("name", ["value", "gradient", "conjugate", "curvature"])
def test_a_method_that_raises_or_changes_its_arguments(name: str) -> None:
    for error in (ValueError("no"), ZeroDivisionError("no"), KeyError("no"), OSError()):
        loss = broken(**{name: raises(error)})()
        kind = type(error).__name__
        with pytest.raises(
            InvalidDataError, match=f"{name} of the loss .* {kind}"
        ) as at:
            TrainingProblem(X, REAL, 0.3, loss)
        assert at.value.__cause__ is error
    with pytest.raises(InvalidDataError, match=f"{name} .* arguments as they are"):
        TrainingProblem(X, REAL, 0.3, broken(**{name: writes})())
    own = broken(**{name: raises(InvalidDataError("of their own"))})()
    with pytest.raises(InvalidDataError, match=r"^of their own$"):
        TrainingProblem(X, REAL, 0.3, own)
    with pytest.raises(KeyboardInterrupt):
        TrainingProblem(X, REAL, 0.3, broken(**{name: raises(KeyboardInterrupt())})())


def test_a_method_that_fails_later() -> None:
    """Beyond the outputs that the door asks for, it is named too."""

    class Later(Good):
        def gradient(self, z: Any, y: Any) -> Any:
            if np.abs(z).max() > 50.0:
                raise ArithmeticError("too large")
            return z - y

    class Changed(Good):
        def value(self, z: Any, y: Any) -> Any:
            return None if np.abs(z).max() > 50.0 else super().value(z, y)

    far = ReLUNetwork(np.full((3, 1), 100.0), [1.0])
    with pytest.raises(InvalidDataError, match=r"gradient .* raised ArithmeticError"):
        certify(far, TrainingProblem(X, REAL, 0.3, Later()))
    with pytest.raises(InvalidDataError, match=f"value .* {NUMBER} None"):
        TrainingProblem(X, REAL, 0.3, Changed()).objective(far)
    with pytest.raises(ConvexNNError, match=r"gradient .* raised ArithmeticError"):
        gradient_flow(
            TrainingProblem(X, REAL, 0.3, Later()), initial=far, n_steps=3, step=1e-9
        )


def test_an_expression_that_cvxpy_cannot_minimize() -> None:
    cp = pytest.importorskip("cvxpy")
    for expression, found in [
        (None, "None"),
        (lambda z, y: cp.square(z - y), r"one of the shape \(7,\)"),
        (lambda z, y: -cp.sum_squares(z - y), "the curvature CONCAVE"),
        (raises(ZeroDivisionError("no")), "raised ZeroDivisionError: no"),
    ]:
        method = expression if found.startswith("raised") else returns(expression)
        problem = TrainingProblem(X, REAL, 0.3, broken(cvxpy_expression=method)())
        with pytest.raises(
            InvalidDataError, match=f"method cvxpy_expression .*{found}"
        ):
            solve(problem, method="cvxpy")


@pytest.mark.parametrize("missing", ["value", "gradient", "conjugate"])
def test_a_method_that_is_missing(missing: str) -> None:
    names = {"value", "gradient", "conjugate"} - {missing}
    parts = {name: vars(Good)[name] for name in names}
    with pytest.raises(
        InvalidDataError, match=f"Broken lacks {missing}; define this m"
    ):
        broken(Loss, **parts)()


@pytest.mark.parametrize("name", ["value", "gradient", "conjugate", "curvature"])
def test_what_is_no_method(name: str) -> None:
    for part in (None, 1.0, "z", property(lambda self: 1.0), staticmethod(np.sum)):
        with pytest.raises(
            InvalidDataError, match=f"^{name} of the loss Broken must be"
        ):
            broken(**{name: part})


ATTRIBUTES: list[tuple[type[Loss], str, Any, str]] = [
    (
        Good,
        "labels",
        "binary",
        'labels .* must be "real", "sign" or "classes", got \'binary\'',
    ),
    (Good, "labels", "classes", "has labels of classes, .* several_outputs = True"),
    (Good, "several_outputs", "yes", "several_outputs .* must be True or False"),
    (Good, "labels", None, "labels of the loss Broken must be"),
    (Good, "differentiable", "yes", "differentiable .* must be True or False"),
    (Good, "strictly_convex", None, "strictly_convex .* must be True or False"),
    (Good, "log_odds", 1.0, "log_odds .* must be True or False"),
    (Good, "degree", "2", "degree of the loss Broken must be a number"),
    (Good, "degree", np.nan, "degree of the loss Broken must be a number"),
    (Good, "degree", 1.0, "the degree of the loss Broken is not 1.0"),
    (Good, "of_residuals", "yes", "of_residuals .* must be True or False"),
    (Logistic, "of_residuals", True, "Broken is not one of residuals"),
    (Good, "slack_cost", 1.0, "has a slack_cost, hence a kink"),
    (MarginLoss, "slack_cost", None, "slack_cost .* must be a positive number or inf"),
    (MarginLoss, "slack_cost", "1", "slack_cost .* positive number or inf, got '1'"),
    (MarginLoss, "slack_cost", 0.0, "slack_cost .* positive number or inf, got 0.0"),
    (MarginLoss, "slack_cost", -1.0, "slack_cost .* positive number or inf, got -1.0"),
    (MarginLoss, "slack_cost", np.nan, "slack_cost .* positive number or inf, got nan"),
    (MarginLoss, "slack_cost", [1.0], r"slack_cost .* number or inf, got \[1.0\]"),
]


@pytest.mark.parametrize(("kind", "name", "value", "message"), ATTRIBUTES)
def test_an_attribute_that_is_something_else(
    kind: type[Loss], name: str, value: Any, message: str
) -> None:
    with pytest.raises(InvalidDataError, match=message):
        TrainingProblem(X, SIGNS, 0.3, broken(kind, **{name: value})())


class Double(Hinge):
    """A hinge loss that says that it counts once, and counts twice."""

    def value(self, z: Any, y: Any) -> float:
        return 2.0 * super().value(z, y)

    def gradient(self, z: Any, y: Any) -> Any:
        return 2.0 * super().gradient(z, y)

    def conjugate(self, lam: Any, y: Any) -> float:
        return 2.0 * super().conjugate(0.5 * lam, y)


class OneSided(Hinge):
    """A hinge loss with a conjugate that is finite everywhere."""

    def conjugate(self, lam: Any, y: Any) -> float:
        return float(y @ lam)


class Soft(MarginLoss):
    """A hard margin that is not one."""

    slack_cost = np.inf

    def value(self, z: Any, y: Any) -> float:
        return float(np.sum(np.maximum(1.0 - y * z, 0.0)))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (Double(), "the value of the loss Double is not that of its slack_cost 1"),
        (
            OneSided(),
            "the conjugate of the loss OneSided is not that of its slack_cost",
        ),
        (Soft(), "the value of the loss Soft is not that of its slack_cost inf"),
    ],
)
def test_a_slack_cost_that_is_another(loss: Loss, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        TrainingProblem(X, SIGNS, 1.0 if loss.is_constraint else 0.3, loss)


class Norm(Loss):
    """Convex, with a right conjugate, but no sum over the samples."""

    def value(self, z: Any, y: Any) -> float:
        return float(np.sqrt(1.0 + (z - y) @ (z - y)))

    def gradient(self, z: Any, y: Any) -> Any:
        return (z - y) / self.value(z, y)

    def conjugate(self, lam: Any, y: Any) -> float:
        room = 1.0 - lam @ lam
        return float(lam @ y - np.sqrt(room)) if room >= 0.0 else np.inf


class Capped(Loss):
    """A loss of outliers, which is not convex."""

    def value(self, z: Any, y: Any) -> float:
        return float(np.sum(np.log1p((z - y) ** 2)))

    def gradient(self, z: Any, y: Any) -> Any:
        return 2.0 * (z - y) / (1.0 + (z - y) ** 2)

    def conjugate(self, lam: Any, y: Any) -> float:
        return float(lam @ y)


def test_no_sum_and_not_convex() -> None:
    with pytest.raises(InvalidDataError, match="Norm is not a sum over the samples"):
        TrainingProblem(X, REAL, 0.3, Norm())
    TrainingProblem(X[:1], REAL[:1], 0.3, Norm())  # of one sample it is
    with pytest.raises(InvalidDataError, match="the value is not convex"):
        TrainingProblem(X, REAL, 0.3, Capped())


def test_labels_that_a_loss_refuses_in_its_own_words() -> None:
    class Counts(Good):
        def check_labels(self, y: Any) -> None:
            if np.any(y < 0.0):
                raise ValueError("counts are at least 0")

    with pytest.raises(InvalidLabelsError, match=r"^Counts: counts are at least 0$"):
        TrainingProblem(X, REAL, 0.3, Counts())


class Classes(Loss):
    """The cross-entropy, of one's own; what follows breaks one thing of it."""

    labels = "classes"
    several_outputs = True

    def check_labels(self, y: Any) -> None:
        pass

    def value(self, z: Any, y: Any) -> Any:
        return float(np.sum(logsumexp(z, axis=1)) - np.sum(y * z))

    def gradient(self, z: Any, y: Any) -> Any:
        return softmax(z, axis=1) - y

    def curvature(self, z: Any, y: Any) -> Any:
        p = softmax(z, axis=1)
        return p[:, :, None] * np.eye(y.shape[1]) - p[:, :, None] * p[:, None, :]

    def conjugate(self, lam: Any, y: Any) -> Any:
        p = lam + y
        if np.any(p < 0.0) or np.any(np.abs(p.sum(axis=1) - 1.0) > 1e-12):
            return np.inf
        return float(np.sum(xlogy(p, p)))


def diagonal(z: Any, y: Any) -> Any:
    p = softmax(z, axis=1)
    return p * (1.0 - p)


OUTPUTS: list[tuple[str, Any, str]] = [
    ("gradient", lambda z, y: y - softmax(z, axis=1), "gradient .* is not that of its"),
    ("gradient", lambda z, y: np.ones(7), r"shape \(7, 3\), got one of float64"),
    ("value", lambda z, y: float(np.sum(logsumexp(z, axis=1))), "gradient .* is not"),
    ("conjugate", lambda lam, y: 0.0, "conjugate .* is not that of its value"),
    ("curvature", diagonal, "curvature .* is not the derivative of its gradient"),
    (
        "curvature",
        lambda z, y: 1.01 * Classes().curvature(z, y),
        "curvature .* is not the derivative of its gradient",
    ),
    (
        "curvature",
        lambda z, y: -Classes().curvature(z, y),
        "that of a convex loss is never negative",
    ),
    (
        "curvature",
        lambda z, y: np.ones(7),
        r"of the shape \(7, 3\) or \(7, 3, 3\), got one",
    ),
    (
        "gradient",
        lambda z, y: softmax(z[::-1], axis=1) - y,
        "is not that of its value|is not a sum over the samples",
    ),
]


@pytest.mark.slow
def test_several_outputs_of_a_good_loss() -> None:
    Y = np.eye(3)[np.arange(7) % 3]
    ours = solve(TrainingProblem(X, Y, 0.5, "multinomial"))
    theirs = solve(TrainingProblem(X, Y, 0.5, Classes()))
    assert theirs.value == pytest.approx(ours.value, rel=1e-6)
    for loss, labels in ((Squared(), Y), (Logistic(), 2.0 * Y - 1.0)):
        check_loss(loss, labels)


@pytest.mark.parametrize(("name", "result", "message"), OUTPUTS)
def test_several_outputs_of_a_broken_loss(name: str, result: Any, message: str) -> None:
    loss = broken(Classes, several_outputs=True, **{name: returns(result)})()
    with pytest.raises(InvalidDataError, match=message):
        TrainingProblem(X, np.eye(3)[np.arange(7) % 3], 0.5, loss)


def test_what_is_no_loss() -> None:
    class Duck:
        value = gradient = conjugate = None

    with pytest.raises(InvalidDataError, match=r"the class Squared; .* Squared\(\)"):
        TrainingProblem(X, REAL, 0.3, Squared)  # type: ignore[arg-type]
    with pytest.raises(InvalidDataError, match=r"derives from convexnn_lib\.Loss"):
        TrainingProblem(X, REAL, 0.3, Duck())  # type: ignore[arg-type]
