"""Answers leave a notebook as plain data, exactly, or are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from assignments import hand_in


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            True,
            False,
            0,
            -(2**70),
            1.5,
            "text",
            [1, [2.0, "a"]],
            {"a": {"b": 1}},
        ),
        *(float("inf"), np.float64(0.1), np.int64(3), np.bool_(True), (1, 2), []),
        *(np.arange(6.0).reshape(2, 3), np.array(2.5), np.zeros((0, 3), bool)),
        *(np.array([1, -2], np.int8), np.array([np.nan, -np.inf])),
        np.arange(12).reshape(3, 4)[:, ::2],
    ],
    ids=repr,
)
def test_answers_survive_handing_in(value: object) -> None:
    back = hand_in.decode(json.loads(json.dumps(hand_in.encode(value))))
    if isinstance(value, np.ndarray):
        assert back.dtype.kind == value.dtype.kind
        np.testing.assert_array_equal(back, value)
    else:
        assert back == (list(value) if isinstance(value, tuple) else value)


def test_networks_and_tensors_survive_handing_in() -> None:
    import torch

    import convexnn_lib as cnn

    network = cnn.ReLUNetwork(np.eye(2), np.array([1.0, -1.0]))
    back = hand_in.decode(json.loads(json.dumps(hand_in.encode(network))))
    np.testing.assert_array_equal(back.W1, network.W1)
    tensor = torch.tensor([1.5, 2.0], dtype=torch.float64, requires_grad=True)
    np.testing.assert_array_equal(hand_in.decode(hand_in.encode(tensor)), [1.5, 2.0])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "is none of"),
        (np.array([b"a"]), "is not one of numbers"),
        (np.array([2**63], dtype=np.uint64), "too large"),
        (np.array([object()]), "is not one of numbers"),
        ({1: 2}, "keys must be texts"),
        (np.zeros(5_000_000, bool), "more than"),
        (2**5000, "too large"),
        (1j, "is none of"),
    ],
    ids=[
        "object",
        "bytes",
        "unsigned",
        "objects",
        "keys",
        "large",
        "integer",
        "complex",
    ],
)
def test_what_cannot_be_handed_in_is_refused(value: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"x cannot.*{message}"):
        hand_in.hand_in(x=value)


def test_a_list_in_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="nested"):
        hand_in.hand_in(x=loop)


@pytest.mark.parametrize(
    "data",
    [
        {"array": {"dtype": "|O", "shape": [1], "data": ""}},
        {"array": {"dtype": "<f8", "shape": [10**9, 10**9], "data": ""}},
        {"array": {"dtype": "<f8", "shape": [-1], "data": "AAA"}},
        {"int": "5; import os"},
        {"network": [1, 2]},
        {"pickle": ""},
        {"a": 1, "b": 2},
        {},
    ],
    ids=repr,
)
def test_forged_answers_are_refused(data: object) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        hand_in.decode(data)


def test_ids_are_compared_without_case_and_spaces() -> None:
    assert hand_in.seed_of("AB 12") == hand_in.seed_of(" ab12\n")
    assert hand_in.seed_of("ab12") != hand_in.seed_of("ab13")
    with pytest.raises(ValueError, match="STUDENT_ID"):
        hand_in.seed_of("  ")


def test_examples_of_what_students_get_run() -> None:
    import doctest

    tested = doctest.testmod(hand_in)
    assert tested.attempted >= 3
    assert tested.failed == 0
