"""Weights to and from PyTorch, which is loaded only when a module is made."""

from __future__ import annotations

from typing import Any

import numpy as np

from convexnn_lib._extras import extra
from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import InvalidDataError

__all__ = ["torch_module", "torch_weights"]


def torch_weights(module: Any) -> tuple[FloatArray, FloatArray]:
    """Return the (d, m) and (m,) weights of a two-layer ReLU module, in float64."""
    expected = "Sequential(Linear(bias=False), ReLU(), Linear(m, 1, bias=False))"
    layers = list(module) if _is_a(module, "Sequential") else []
    if [
        _is_a(layer, name)
        for layer, name in zip(layers, ("Linear", "ReLU", "Linear"), strict=False)
    ] != [True] * 3 or len(layers) != 3:
        found = ", ".join(type(layer).__name__ for layer in layers)
        raise InvalidDataError(
            f"expected a torch.nn.{expected}, got {type(module).__name__}({found})."
        )
    first, _, second = layers
    for position, layer in ((0, first), (2, second)):
        if layer.bias is not None:
            raise InvalidDataError(
                f"layer {position} has a bias, and this library's networks have "
                "none. For a bias in the first layer append a column of ones to X, "
                "numpy.column_stack([X, numpy.ones(len(X))]), and train with "
                "bias=False in both layers; it is then regularized like any weight."
            )
    if second.weight.shape[0] != 1:
        raise InvalidDataError(
            f"the network must have one output, got {second.weight.shape[0]}."
        )
    return (
        first.weight.detach().cpu().double().numpy().T,
        second.weight.detach().cpu().double().numpy()[0],
    )


def torch_module(W1: FloatArray, w2: FloatArray) -> Any:
    """Return the two-layer ReLU module with these weights, in float64."""
    with extra("torch", "A PyTorch module"):
        import torch

    if not len(w2):
        W1, w2 = np.zeros((len(W1), 1)), np.zeros(1)
    d, m = W1.shape
    module = torch.nn.Sequential(
        torch.nn.Linear(d, m, bias=False, dtype=torch.float64),
        torch.nn.ReLU(),
        torch.nn.Linear(m, 1, bias=False, dtype=torch.float64),
    )
    module.load_state_dict(
        {"0.weight": torch.tensor(W1.T), "2.weight": torch.tensor(w2[None])}
    )
    return module


def _is_a(value: Any, name: str) -> bool:
    """Tell whether the value has a class of this name, without importing torch."""
    return any(kind.__name__ == name for kind in type(value).__mro__)
