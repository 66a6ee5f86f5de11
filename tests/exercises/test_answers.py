"""Answers are read in every form that a reader may give them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import hostile
import numpy as np
import pytest

from convexnn_lib import ReLUNetwork, TrainingProblem, solve
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.exercises.answers import (
    agrees,
    agrees_coarsely,
    as_list,
    as_matrix,
    as_network,
    as_number,
    as_numbers,
)

sympy = pytest.importorskip("sympy", reason="SymPy is not installed")

NETWORK = ReLUNetwork([[1.0, 0.5], [2.0, -1.0], [0.0, 4.0]], [3.0, -2.0])


@pytest.mark.parametrize(
    "layers",
    [
        (NETWORK.W1.tolist(), [3, -2]),
        (NETWORK.W1, [[3], [-2]]),
        (NETWORK.W1, np.array([[3.0, -2.0]])),
        ([[1, Fraction(1, 2)], [2, -1], [0, 4]], (Fraction(3), Decimal(-2))),
        (sympy.Matrix([[1, sympy.Rational(1, 2)], [2, -1], [0, 4]]), [3, -2]),
    ],
    ids=["lists", "column", "row", "fractions", "sympy"],
)
def test_networks_and_pairs_of_layers_are_read(layers: tuple[object, object]) -> None:
    assert as_network(NETWORK, d=3) is NETWORK
    for network in (as_network(layers, d=3), as_network(*layers, d=3)):
        np.testing.assert_array_equal(network.W1, NETWORK.W1)
        np.testing.assert_array_equal(network.w2, NETWORK.w2)


def test_one_neuron_may_be_a_vector_and_a_number() -> None:
    network = as_network([1.0, 2.0], 3.0, d=2)
    assert network.W1.shape == (2, 1)
    assert as_network(([[1.0], [2.0]], 3.0)).width == 1


def test_rows_for_neurons_are_told_from_columns() -> None:
    with pytest.raises(ValueError, match="transpose it"):
        as_network(NETWORK.W1.T, NETWORK.w2, d=3)
    with pytest.raises(ValueError, match="the samples have 2 entries"):
        as_network(NETWORK, d=2)
    with pytest.raises(ValueError, match="give the network alone"):
        as_network(NETWORK, NETWORK.w2)


@pytest.mark.parametrize(
    "answer",
    [3, 3.0, np.int64(3), np.array([3.0]), Fraction(3), Decimal(3), sympy.sqrt(9)],
)
def test_numbers_are_read(answer: object) -> None:
    assert as_number(answer) == 3.0


def test_exact_numbers_are_rounded() -> None:
    assert as_number(sympy.sqrt(5)) == pytest.approx(5**0.5, rel=1e-15)
    mixed = [Fraction(3, 5), sympy.Rational(4, 5), -1]
    np.testing.assert_array_equal(as_numbers(mixed), [0.6, 0.8, -1.0])
    np.testing.assert_array_equal(as_numbers({1.5, 0.5}), [0.5, 1.5])
    for form in (mixed, sympy.Matrix(mixed), [mixed], np.array([[0.6], [0.8], [-1]])):
        np.testing.assert_array_equal(as_list(form, 3, "lam"), [0.6, 0.8, -1.0])


@pytest.mark.parametrize(
    "answer",
    [
        "three",
        "3",
        None,
        [1.0, 2.0],
        np.nan,
        [1, None],
        sympy.I,
        sympy.Symbol("x"),
        {},
    ],
)
def test_others_are_refused(answer: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        as_number(answer)


def test_networks_are_read_in_every_form() -> None:
    for form in hostile.networks(NETWORK.W1, NETWORK.w2):
        np.testing.assert_array_equal(as_network(form, d=3).W1, NETWORK.W1)
        np.testing.assert_array_equal(as_network(form).w2, NETWORK.w2)
    solution = solve(TrainingProblem(np.eye(2), [1.0, 1.0], 0.1))
    assert as_network(solution) is solution.network
    assert as_network((np.zeros((2, 0)), [])).width == 0


@pytest.mark.parametrize("value", [3, Fraction(1, 3), 0.1, 2**60 + 1])
def test_numbers_are_read_in_every_form(value: float) -> None:
    for form in hostile.numbers(value):
        assert as_number(form) == float(value)


def test_vectors_are_read_in_every_form() -> None:
    values = [Fraction(1, 3), Fraction(-2), Fraction(5, 7)]
    for form in hostile.vectors(values):
        np.testing.assert_array_equal(as_list(form, 3, "u"), np.float64(values))
    for wrong in ([1, 2], [[1, 2, 3]] * 2, 3.0, [[[1], [2], [3]]]):
        with pytest.raises(ValueError, match="shape"):
            as_list(wrong, 3, "u")


def test_matrices_are_read() -> None:
    values = [[Fraction(1, 3), 0, 0], [1, 2, 3]]
    for form in (values, iter(values), (tuple(row) for row in values)):
        np.testing.assert_array_equal(as_matrix(form), np.float64(values))
    with pytest.raises(ValueError, match="one feature"):
        as_matrix([1.0, 2.0])
    with pytest.raises(ValueError, match="infinite"):
        as_matrix([[sympy.oo]])


@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e9, -1.0])
def test_rounded_and_cut_numbers_agree(scale: float) -> None:
    truth = 0.051208 * scale
    for value in (truth, 0.05121 * scale, 0.05120 * scale):  # rounded, cut
        assert agrees(value, truth, 4)
    for value in (0.0512 * scale, 0.051 * scale):
        assert agrees_coarsely(value, truth, 5)
        assert not agrees(value, truth, 5)
    for value in (0.05119 * scale, 0.0514 * scale, 0.05 * scale, 0.0, np.nan, np.inf):
        assert not agrees(value, truth, 4)
        assert not agrees_coarsely(value, truth, 4)
    assert agrees(0.0, 0.0, 4)
    assert not agrees(1e-9, 0.0, 4)


def test_a_text_is_no_number() -> None:
    with pytest.raises(InvalidDataError, match="without quotation marks"):
        as_number("29/128")


def test_sets_are_lists_without_order() -> None:
    half = sympy.Rational(1, 2)
    for form in (
        {1.5, 0.5},
        frozenset({1.5, Fraction(1, 2)}),
        {0.5: "a", 1.5: "b"}.keys(),
        sympy.FiniteSet(3 * half, half),
    ):
        np.testing.assert_array_equal(as_numbers(form), [0.5, 1.5])
    for no_list in (sympy.Interval(0, 1), sympy.S.Reals):
        with pytest.raises(ValueError, match="numbers"):
            as_numbers(no_list)
