"""Problems and networks with several outputs."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import softmax

import convexnn_lib as cnn
from convexnn_lib import (
    Hinge,
    Logistic,
    Multinomial,
    ReLUNetwork,
    Squared,
    TrainingProblem,
    solve,
)
from convexnn_lib.errors import BiasWarning, InvalidDataError, InvalidLabelsError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((6, 3))
NETWORK = ReLUNetwork(RNG.standard_normal((3, 5)), RNG.standard_normal((5, 2)))
REAL = RNG.standard_normal((6, 2))
SIGNS = np.sign(REAL)
CLASSES = np.eye(2)[[0, 1, 1, 0, 1, 0]]
LABELS = {"squared": REAL, "logistic": SIGNS, "multinomial": CLASSES}


def test_the_network_is_its_formula() -> None:
    outputs = np.maximum(X @ NETWORK.W1, 0.0) @ NETWORK.w2
    np.testing.assert_array_equal(NETWORK.predict(X), outputs)
    assert (NETWORK.outputs, NETWORK.width, NETWORK.d) == (2, 5, 3)
    assert repr(NETWORK) == "ReLUNetwork(d=3, width=5, outputs=2)"
    assert NETWORK.W2 is NETWORK.w2
    one = ReLUNetwork(NETWORK.W1, NETWORK.w2[:, 0])
    assert one.W2.shape == (5, 1)
    assert one.outputs == 1
    assert repr(one) == "ReLUNetwork(d=3, width=5)"


def test_balancing_splitting_and_pruning_keep_the_outputs() -> None:
    outputs, penalty = NETWORK.predict(X), NETWORK.penalty()
    balanced = NETWORK.balanced()
    np.testing.assert_allclose(balanced.predict(X), outputs, rtol=1e-12)
    lengths = np.linalg.norm(balanced.W1, axis=0), np.linalg.norm(balanced.w2, axis=1)
    np.testing.assert_allclose(*lengths, rtol=1e-12)
    products = np.linalg.norm(NETWORK.W1, axis=0) * np.linalg.norm(NETWORK.w2, axis=1)
    assert balanced.penalty() == pytest.approx(products.sum())
    assert balanced.penalty() <= penalty
    parts = NETWORK.split(1, [0.3, 0.7])
    np.testing.assert_allclose(parts.predict(X), outputs, rtol=1e-12)
    assert (parts.penalty(), parts.width) == (pytest.approx(penalty), 6)
    wide = ReLUNetwork(RNG.standard_normal((3, 40)), RNG.standard_normal((40, 2)))
    pruned = wide.pruned(X)
    np.testing.assert_allclose(pruned.predict(X), wide.predict(X), rtol=1e-9)
    assert pruned.width <= 12  # n * c
    assert pruned.penalty() <= wide.balanced().penalty() * (1.0 + 1e-12)


def test_balancing_survives_every_unit() -> None:
    for power in (-400, 400):
        scaled = ReLUNetwork(NETWORK.W1, np.ldexp(NETWORK.w2, power))
        balanced = scaled.balanced()
        expected = NETWORK.balanced()
        np.testing.assert_allclose(
            balanced.W1, np.ldexp(expected.W1, power // 2), rtol=1e-14
        )


def test_files_copies_and_pickles(tmp_path) -> None:
    NETWORK.save(tmp_path / "network.npz")
    for again in (
        ReLUNetwork.load(tmp_path / "network.npz"),
        pickle.loads(pickle.dumps(NETWORK)),
        copy.deepcopy(NETWORK),
    ):
        np.testing.assert_array_equal(again.w2, NETWORK.w2)
        assert not again.w2.flags.writeable


def test_torch_there_and_back() -> None:
    torch = pytest.importorskip("torch")
    module = NETWORK.to_torch()
    given = torch.tensor(X)
    np.testing.assert_allclose(module(given).detach(), NETWORK.predict(X), rtol=1e-12)
    again = ReLUNetwork.from_torch(module)
    np.testing.assert_array_equal(again.w2, NETWORK.w2)
    zero = ReLUNetwork(np.zeros((3, 0)), np.zeros((0, 2)))
    assert ReLUNetwork.from_torch(zero.to_torch()).w2.shape == (1, 2)


def test_torch_default_layers_with_several_outputs() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 7), torch.nn.ReLU(), torch.nn.Linear(7, 4)
    )
    with pytest.warns(BiasWarning):
        network = ReLUNetwork.from_torch(module)
    assert (network.d, network.width, network.outputs) == (4, 8, 4)
    ones = np.column_stack([X, np.ones(6)])
    expected = module(torch.tensor(X, dtype=torch.float32)).detach()
    np.testing.assert_allclose(network.predict(ones), expected, atol=1e-5)


@pytest.mark.parametrize("loss", sorted(LABELS))
def test_the_objective_is_its_formula(loss: str) -> None:
    Y = LABELS[loss]
    problem = TrainingProblem(X, Y, 0.5, loss)
    assert (problem.outputs, problem.n, problem.d) == (2, 6, 3)
    assert "outputs=2" in repr(problem)
    Z = NETWORK.predict(X)
    value = {
        "squared": lambda: 0.5 * np.sum((Z - Y) ** 2),
        "logistic": lambda: np.sum(np.log1p(np.exp(-Y * Z))),
        "multinomial": lambda: -np.sum(Y * np.log(softmax(Z, axis=1))),
    }[loss]()
    penalty = 0.25 * (np.sum(NETWORK.W1**2) + np.sum(NETWORK.w2**2))
    assert problem.objective(NETWORK) == pytest.approx(value + penalty)


@pytest.mark.parametrize("loss", [Squared(), Logistic(), Multinomial()])
def test_losses_of_several_outputs_belong_together(loss) -> None:
    Y = LABELS[loss.name]
    Z = 2.0 * RNG.standard_normal(Y.shape)

    def value(z):
        return loss.value(z.reshape(Y.shape), Y)

    def gradient(z):
        return loss.gradient(z.reshape(Y.shape), Y).ravel()

    assert check_grad(value, gradient, Z.ravel()) < 1e-5
    slope = loss.gradient(Z, Y)
    equal = loss.value(Z, Y) + loss.conjugate(slope, Y)
    assert equal == pytest.approx(float(np.sum(slope * Z)))
    step = 1e-5 * RNG.standard_normal(Y.shape)
    change = loss.gradient(Z + step, Y) - loss.gradient(Z - step, Y)
    bend = loss.curvature(Z, Y)
    if bend.ndim == 3:
        expected = np.einsum("nij,nj->ni", bend, 2.0 * step)
    else:
        expected = bend * 2.0 * step
    np.testing.assert_allclose(change, expected, atol=1e-9)
    scales = np.linspace(0.0, 1.0, 2001)
    values = [-loss.conjugate(scale * slope, Y) for scale in scales]
    best = loss.best_scale(-slope, Y, 1.0)
    assert -loss.conjugate(best * slope, Y) >= max(values) - 1e-9


def test_multinomial_with_two_classes_is_logistic() -> None:
    difference = REAL[:, 1] - REAL[:, 0]
    two = Multinomial().value(REAL, CLASSES)
    assert two == pytest.approx(Logistic().value(difference, 2.0 * CLASSES[:, 1] - 1.0))
    far = Multinomial().value([[0.0, 1000.0]], [[0.0, 1.0]])
    assert far == 0.0
    point = Multinomial().project_dual(np.array([[0.5, -0.9]]), np.array([[1.0, 0.0]]))
    assert np.isfinite(Multinomial().conjugate(-point, np.array([[1.0, 0.0]])))


def test_labels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidLabelsError, match="hinge loss is one of networks with"):
        TrainingProblem(X, SIGNS, 0.1, Hinge())
    with pytest.raises(InvalidLabelsError, match=r"numpy.eye\(c\)\[classes\]"):
        TrainingProblem(X, [0, 1, 2, 0, 1, 2], 0.1, "multinomial")
    with pytest.raises(InvalidLabelsError, match="-1 or"):
        TrainingProblem(X, CLASSES, 0.1, "logistic")
    for labels in (np.ones((5, 2)), np.ones((6, 0)), np.ones((6, 2, 1))):
        with pytest.raises(InvalidDataError, match="y must have shape"):
            TrainingProblem(X, labels, 0.1)

    class Doubled(Squared):
        """A loss that says nothing of several outputs."""

    with pytest.raises(InvalidLabelsError, match="one output"):
        TrainingProblem(X, REAL, 0.1, Doubled())


def refusing(problem: TrainingProblem):
    """Every public function for one output, on what has two."""
    signs = np.sign(X[:, 0])
    return {
        "beta_max": lambda: cnn.certificates.dual_norm.beta_max(problem),
        "clarke": lambda: cnn.clarke_residual(NETWORK, problem),
        "classify": lambda: cnn.classify_stationary(NETWORK, problem),
        "derivative": lambda: cnn.directional_derivative(
            NETWORK, problem, (NETWORK.W1, NETWORK.w2)
        ),
        "descent": lambda: cnn.descent_path(NETWORK, problem),
        "points": lambda: cnn.find_stationary_points(problem, 2, seed=0),
        "settle": lambda: cnn.settle(NETWORK, problem),
        "subsampled": lambda: cnn.subsampled_problem(NETWORK, problem),
        "path": lambda: cnn.solution_path(problem),
        "sharpness": lambda: cnn.sharpness(NETWORK, problem),
        "flow": lambda: cnn.gradient_flow(problem, 3, seed=0),
        "margin": lambda: cnn.normalized_margin(NETWORK, X, signs),
        "certify": lambda: cnn.certify_margin(NETWORK, X, signs),
        "kkt": lambda: cnn.kkt_residual(NETWORK, X, signs),
        "merged": lambda: NETWORK.merged(X),
        "to_convex": lambda: NETWORK.to_convex(X),
        "program": lambda: problem.convex_objective([[True] * 6], X[:1], X[:1]),
        "cvxpy": lambda: solve(problem, method="cvxpy"),
    }


@pytest.mark.parametrize("name", sorted(refusing(TrainingProblem(X, REAL, 0.5))))
def test_what_is_for_one_output_says_so(name: str) -> None:
    problem = TrainingProblem(X, REAL, 0.5)
    with pytest.raises(InvalidDataError, match="one output"):
        refusing(problem)[name]()
