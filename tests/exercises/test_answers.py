"""Answers are read in every form that a reader may give them."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import ReLUNetwork
from convexnn_lib.exercises.answers import as_network, as_number


def test_networks_and_pairs_of_layers_are_read() -> None:
    network = ReLUNetwork([[1.0], [2.0]], [3.0])
    assert as_network(network) is network
    np.testing.assert_array_equal(as_network(([[1], [2]], [3])).W1, network.W1)


@pytest.mark.parametrize("answer", [3, 3.0, np.int64(3), np.array([3.0])])
def test_numbers_are_read(answer: object) -> None:
    assert as_number(answer) == 3.0


@pytest.mark.parametrize("answer", ["three", None, [1.0, 2.0], np.nan])
def test_others_are_refused(answer: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        as_number(answer)
