from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem.network import ReLUNetwork

exact = settings(deadline=None, max_examples=80, derandomize=True)
integers = st.integers(-2, 2).map(float)


@st.composite
def integer_networks(draw):
    n, d, m = (draw(st.integers(1, k)) for k in (5, 3, 7))
    X = draw(arrays(np.float64, (n, d), elements=integers))
    W1 = draw(arrays(np.float64, (d, m), elements=integers))
    w2 = draw(arrays(np.float64, m, elements=integers))
    return X, ReLUNetwork(W1, w2)


def random_network(seed, n=6, d=3, m=30):
    rng = np.random.default_rng(seed)
    X, W1 = rng.standard_normal((n, d)), rng.standard_normal((d, m))
    return X, ReLUNetwork(W1, rng.standard_normal(m))


def test_predict_is_the_definition():
    X, network = random_network(0)
    expected = [
        sum(
            max(x @ network.W1[:, k], 0.0) * network.w2[k] for k in range(network.width)
        )
        for x in X
    ]
    np.testing.assert_allclose(network.predict(X), expected, rtol=0, atol=1e-12)


def test_arrays_are_read_only_copies():
    W1, w2 = np.ones((2, 3)), np.ones(3)
    network = ReLUNetwork(W1, w2)
    W1[0, 0] = 7.0
    assert network.W1[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        network.W1[0, 0] = 7.0
    with pytest.raises(ValueError, match="read-only"):
        network.w2[0] = 7.0
    with pytest.raises(AttributeError):
        network.w2 = w2


@pytest.mark.parametrize(
    ("W1", "w2", "message"),
    [
        (np.ones(3), np.ones(3), "W1 must be a"),
        (np.ones((0, 3)), np.ones(3), "d >= 1"),
        (np.ones((2, 3)), np.ones(2), "shape"),
        (np.full((1, 1), np.nan), np.ones(1), "NaN"),
    ],
)
def test_bad_weights(W1, w2, message):
    with pytest.raises(InvalidDataError, match=message):
        ReLUNetwork(W1, w2)


def test_bad_inputs():
    network = ReLUNetwork(np.ones((2, 1)), np.ones(1))
    for method in (network.predict, network.patterns, network.merged, network.pruned):
        with pytest.raises(InvalidDataError, match="features"):
            method(np.ones((4, 3)))
    with pytest.raises(InvalidDataError, match="tolerance"):
        network.merged(np.ones((4, 2)), tolerance=1.0)


def test_patterns_are_one_at_ties():
    """A sample on a neuron's hyperplane is active, and so is everything for zeros."""
    X = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.0]])
    network = ReLUNetwork([[1.0, 0.0, -1.0], [0.0, 0.0, 1.0]], [1.0, 1.0, -1.0])
    expected = [[1, 1, 0, 1], [1, 1, 1, 1], [0, 1, 1, 1]]
    np.testing.assert_array_equal(network.patterns(X), np.array(expected, dtype=bool))


def test_width_zero_is_the_zero_network():
    network = ReLUNetwork(np.zeros((2, 0)), np.zeros(0))
    X = np.ones((3, 2))
    assert network.penalty() == 0.0
    np.testing.assert_array_equal(network.predict(X), np.zeros(3))
    for other in (network.balanced(), network.merged(X), network.pruned(X)):
        assert other.width == 0
    patterns, u, u_prime = network.to_convex(X)
    assert patterns.shape == (0, 3)
    assert u.shape == u_prime.shape == (0, 2)


@exact
@given(integer_networks())
def test_balanced_merged_and_pruned_keep_outputs(data):
    X, network = data
    z = network.predict(X)
    balanced = network.balanced()
    np.testing.assert_allclose(balanced.predict(X), z, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        np.linalg.norm(balanced.W1, axis=0), np.abs(balanced.w2), rtol=1e-14
    )
    assert balanced.penalty() <= network.penalty() + 1e-12
    for smaller in (network.merged(X), network.pruned(X)):
        np.testing.assert_allclose(smaller.predict(X), z, rtol=0, atol=1e-12)
        assert smaller.penalty() <= balanced.penalty() + 1e-12
        assert np.all(smaller.w2 != 0.0)


@exact
@given(integer_networks())
def test_merged_neurons_share_no_closed_cone(data):
    X, network = data
    merged = network.merged(X)
    sides = np.sign(np.where(np.abs(X @ merged.W1) < 1e-12, 0.0, X @ merged.W1))
    for j in range(merged.width):
        for k in range(j):
            if merged.w2[j] * merged.w2[k] > 0:
                assert np.any(sides[:, j] * sides[:, k] < 0)
    again = merged.merged(X)
    assert again.width == merged.width


@exact
@given(integer_networks())
def test_pruned_features_are_independent(data):
    X, network = data
    pruned = network.pruned(X)
    features = np.maximum(X @ pruned.W1, 0.0)
    if pruned.width:
        features /= np.linalg.norm(features, axis=0)
        assert np.linalg.matrix_rank(features) == pruned.width
    assert pruned.width <= len(X)


def test_pruning_thirty_neurons_to_six():
    rng = np.random.default_rng(0)
    X, W1 = rng.standard_normal((6, 3)), rng.standard_normal((30, 3))
    network = ReLUNetwork(W1.T, rng.standard_normal(30))
    pruned = network.pruned(X)
    assert network.balanced().penalty() == pytest.approx(36.06, abs=5e-3)
    assert pruned.width == 6
    assert pruned.penalty() < 36.06
    np.testing.assert_allclose(pruned.predict(X), network.predict(X), atol=1e-13)


def test_merged_uses_common_faces():
    # e1 lies on the common face of the two cones on either side of row (0, 1)
    X = np.array([[1.0, 0.0], [0.0, 1.0]])
    network = ReLUNetwork([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0]], [1.0, 1.0, 1.0])
    merged = network.merged(X)
    assert merged.width == 2
    np.testing.assert_allclose(merged.predict(X), network.predict(X), atol=1e-14)
    # with a tolerance the nearly tied neuron joins its neighbour too
    near = ReLUNetwork([[1.0, 1.0], [1.0, -1e-9]], [1.0, 1.0])
    assert near.merged(X).width == 2
    assert near.merged(X, tolerance=1e-8).width == 1


def test_merged_drops_opposite_vectors_that_the_data_do_not_see():
    X = np.array([[1.0, 0.0]])
    network = ReLUNetwork([[0.0, 0.0], [1.0, -1.0]], [1.0, 1.0])
    assert network.merged(X).width == 0


def test_split_keeps_outputs_and_penalty():
    X, network = random_network(1, m=4)
    parts = network.split(2, [0.2, 0.0, 0.8])
    assert parts.width == 6
    assert parts.penalty() == pytest.approx(network.penalty(), rel=1e-14)
    np.testing.assert_allclose(parts.predict(X), network.predict(X), atol=1e-13)
    for neuron, weights in ((4, [1.0]), (-1, [1.0]), (0, [0.5]), (0, [2.0, -1.0])):
        with pytest.raises(InvalidDataError):
            network.split(neuron, weights)
    with pytest.raises(InvalidDataError, match="sum 1"):
        network.split(0, [])


@pytest.mark.slow
@exact
@given(integer_networks())
def test_round_trip_through_the_convex_program(data):
    X, network = data
    patterns, u, u_prime = network.to_convex(X)
    assert len(np.unique(patterns, axis=0)) == len(patterns)
    cones = (2 * patterns - 1)[:, None, :]
    for group in (u, u_prime):
        inside = cones * (group[:, None, :] @ X.T)
        assert np.all(inside >= -1e-12)
    z = np.einsum("pn,np->n", patterns, X @ (u - u_prime).T)
    np.testing.assert_allclose(z, network.predict(X), atol=1e-12)
    assert np.all(patterns[:, ~X.any(axis=1)])
    if len(u):
        back = ReLUNetwork.from_convex(u, u_prime)
        np.testing.assert_allclose(back.predict(X), network.predict(X), atol=1e-12)
        assert back.penalty() <= network.penalty() + 1e-12
        _, v, v_prime = network.to_convex(X, patterns)
        z_again = np.einsum("pn,np->n", patterns, X @ (v - v_prime).T)
        np.testing.assert_allclose(z_again, z, atol=1e-12)


def test_open_cells_of_tied_neurons_exist():
    # rows in the plane: the tie completion must be the pattern of some direction
    X = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, -1.0]])
    network = ReLUNetwork([[1.0], [0.0]], [1.0])
    patterns, _, _ = network.to_convex(X)
    assert patterns.tolist() in (
        [[True, True, True, False]],
        [[True, False, False, True]],
    )


def test_to_convex_needs_the_neurons_patterns():
    X = np.array([[1.0], [-1.0]])
    network = ReLUNetwork([[1.0]], [1.0])
    with pytest.raises(InvalidDataError, match="neuron 0 lies in the cone of none"):
        network.to_convex(X, np.array([[False, True]]))
    for bad in (np.array([[1, 0]]), np.array([[True]]), np.array([True, False])):
        with pytest.raises(InvalidDataError, match="boolean"):
            network.to_convex(X, bad)
    patterns, u, _ = network.to_convex(X, np.array([[True, False], [False, True]]))
    assert patterns.shape == (2, 2)
    np.testing.assert_array_equal(u, [[1.0], [0.0]])


def test_from_convex_drops_small_rows():
    u = np.array([[3.0, 4.0], [1e-9, 0.0], [0.0, 0.0]])
    assert ReLUNetwork.from_convex(u, 0 * u).width == 2
    assert ReLUNetwork.from_convex(u, 0 * u, tolerance=1e-6).width == 1
    assert ReLUNetwork.from_convex(0 * u, 0 * u).width == 0
    negative = ReLUNetwork.from_convex(0 * u, u, tolerance=1e-6)
    assert negative.w2[0] == pytest.approx(-np.sqrt(5.0), rel=1e-15)
    with pytest.raises(InvalidDataError, match="one shape"):
        ReLUNetwork.from_convex(u, u[:1])


def test_width_zero_becomes_one_zero_neuron_in_torch():
    pytest.importorskip("torch", reason="torch is not installed")
    network = ReLUNetwork(np.zeros((2, 0)), np.zeros(0))
    assert ReLUNetwork.from_torch(network.to_torch()).penalty() == 0.0


def test_torch_round_trip():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    X, network = random_network(2, m=5)
    module = network.to_torch()
    with torch.no_grad():
        outputs = module(torch.tensor(X)).numpy()[:, 0]
    np.testing.assert_allclose(outputs, network.predict(X), atol=1e-13)
    back = ReLUNetwork.from_torch(module)
    np.testing.assert_array_equal(back.W1, network.W1)
    np.testing.assert_array_equal(back.w2, network.w2)


def test_save_and_load(tmp_path):
    _, network = random_network(3)
    path = tmp_path / "network.npz"
    network.save(path)
    loaded = ReLUNetwork.load(str(path))
    np.testing.assert_array_equal(loaded.W1, network.W1)
    np.testing.assert_array_equal(loaded.w2, network.w2)
    with pytest.raises(InvalidDataError, match=r"must end in \.npz"):
        network.save(tmp_path / "network.txt")
    np.savez(tmp_path / "other.npz", a=np.ones(2))
    with pytest.raises(InvalidDataError, match="does not hold the arrays"):
        ReLUNetwork.load(tmp_path / "other.npz")
