"""Weights to and from PyTorch, which is loaded only when a module is there or made.

A module is read only if it computes what its weights say: it is built of the classes
themselves, not of others derived from them, nothing is hooked into it, and its outputs
on random inputs are those of the network that was read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from convexnn_lib._extras import extra
from convexnn_lib._validation import FloatArray, as_matrix, as_vector
from convexnn_lib.errors import BiasWarning, InvalidDataError
from convexnn_lib.problem._second_layer import directions, sizes

__all__ = ["torch_module", "torch_weights"]

_EXPECTED = "torch.nn.Sequential(Linear(d, m), ReLU(), Linear(m, c))"
_KNOWN = {
    "torch.nn.modules.container.Sequential": "Sequential",
    "torch.nn.modules.linear.Identity": "Identity",
    "torch.nn.modules.linear.Linear": "Linear",
    "torch.nn.modules.activation.ReLU": "ReLU",
}
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_PROBES = 16  # random inputs on which the outputs are compared
_ROUNDING = 64.0  # of the module's own precision, relative to the terms of an output


def torch_weights(module: Any) -> tuple[FloatArray, FloatArray]:
    """Return the weights of a two-layer ReLU module, in float64.

    Biases become weights of one more feature, the constant 1: those of the first layer
    directly, that of the second layer by a neuron more, which is 1 everywhere.
    """
    layers = list(_layers(module))
    found = [name for name, _ in layers]
    if found != ["Linear", "ReLU", "Linear"]:
        raise InvalidDataError(
            f"expected a {_EXPECTED}, got {type(module).__name__}({', '.join(found)})."
        )
    first, second = layers[0][1], layers[2][1]
    W1 = as_matrix(first.weight, "the first layer's weight").T
    W2 = as_matrix(second.weight, "the second layer's weight").T
    if len(W2) != W1.shape[1]:
        raise InvalidDataError(
            f"the second layer takes {len(W2)} numbers, the first gives {W1.shape[1]}."
        )
    biases = [
        None if layer.bias is None else as_vector(layer.bias, size, f"the {name} bias")
        for layer, size, name in (
            (first, len(W2), "first"),
            (second, W2.shape[1], "second"),
        )
    ]
    if any(bias is not None for bias in biases):
        W1, W2 = _with_biases(W1, W2, *biases)
    _compare(module, first.weight, W1, W2)
    return W1, W2[:, 0] if W2.shape[1] == 1 else W2


def torch_module(W1: FloatArray, w2: FloatArray) -> Any:
    """Return the two-layer ReLU module with these weights, in float64."""
    with extra("torch", "A PyTorch module"):
        import torch

    W2 = w2 if w2.ndim == 2 else w2[:, None]
    if not len(W2):
        W1, W2 = np.zeros((len(W1), 1)), np.zeros((1, W2.shape[1]))
    d, m = W1.shape
    place: dict[str, Any] = {"dtype": torch.float64, "device": "cpu"}
    module = torch.nn.Sequential(
        torch.nn.Linear(d, m, bias=False, **place),
        torch.nn.ReLU(),
        torch.nn.Linear(m, W2.shape[1], bias=False, **place),
    )
    module.load_state_dict(
        {
            "0.weight": torch.tensor(W1.T, **place),
            "2.weight": torch.tensor(W2.T, **place),
        }
    )
    return module


def _layers(module: Any) -> Iterator[tuple[str, Any]]:
    """Yield the layers of nested sequences with their names, and refuse all else."""
    kind = type(module)
    name = _KNOWN.get(f"{kind.__module__}.{kind.__qualname__}")
    if name is None:
        raise InvalidDataError(
            f"expected a {_EXPECTED}, got {_described(module)}. {_remedy(module)}"
        )
    hooked = any(getattr(module, hooks, None) for hooks in _HOOKS)
    if hooked or "forward" in vars(module):
        raise InvalidDataError(
            f"the module's {name} has {'hooks' if hooked else 'a forward of its own'}, "
            "which may change what it computes; remove that first."
        )
    if name == "Sequential":
        for layer in module:
            yield from _layers(layer)
    elif name != "Identity":
        yield name, module


def _described(module: Any) -> str:
    kind = type(module)
    if any(name.endswith(f".{kind.__name__}") for name in _KNOWN):
        return f"a {kind.__module__}.{kind.__qualname__}"  # another one of that name
    return f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"


def _remedy(module: Any) -> str:
    """Return what to do with a module that is no sequence of known layers."""
    names = {kind.__name__ for kind in type(module).__mro__}
    if names & {"DataParallel", "DistributedDataParallel", "FullyShardedDataParallel"}:
        return "Pass what it wraps, module.module."
    if "OptimizedModule" in names:
        return "Pass what torch.compile was given, module._orig_mod."
    if "ScriptModule" in names:
        return "Pass the module that was scripted or traced."
    if any(name.startswith("Parametrized") for name in names):
        return "Call torch.nn.utils.parametrize.remove_parametrizations first."
    if any(name.startswith("Lazy") for name in names):
        return "Run it once on data, so that its sizes are known."
    if isinstance(module, dict):
        return (
            "From the weights of a state_dict build the network directly, "
            'ReLUNetwork(state["0.weight"].T, state["2.weight"][0]).'
        )
    linear = [
        name
        for name, layer in getattr(module, "named_modules", list)()
        if type(layer).__name__ == "Linear" and "." not in name and name
    ]
    if len(linear) == 2:
        first, second = linear
        parts = (f"[{name}]" if name.isdecimal() else f".{name}" for name in linear)
        return (
            f"If it computes {second}(relu({first}(x))), pass torch.nn.Sequential("
            f"module{next(parts)}, torch.nn.ReLU(), module{next(parts)})."
        )
    return "Build the network from its weights, ReLUNetwork(W1, w2)."


def _with_biases(
    W1: FloatArray, W2: FloatArray, first: FloatArray | None, second: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Return the weights of the same function of the data with a column of ones."""
    W1 = np.vstack([W1, np.zeros(len(W2)) if first is None else first])
    if second is not None and np.any(second != 0.0):
        constant = np.zeros(len(W1))
        constant[-1] = root = np.sqrt(sizes(second[None])[0])
        W1 = np.column_stack([W1, constant])
        W2 = np.vstack([W2, root * directions(second[None])])
    apart = "" if second is None else ", that of the output as one neuron more"
    warnings.warn(
        f"the module has biases: the network has one feature more, {len(W1)} in all; "
        "append a column of ones to X, numpy.column_stack([X, numpy.ones(len(X))]). "
        f"There biases are weights like the others and penalized like them{apart}.",
        BiasWarning,
        stacklevel=4,
    )
    return W1, W2


def _compare(module: Any, weight: Any, W1: FloatArray, W2: FloatArray) -> None:
    """Check that the module computes the function of the weights."""
    with extra("torch", "A PyTorch module"):
        import torch

    d = weight.shape[1]
    inputs = np.random.default_rng(0).standard_normal((_PROBES, d))
    given = torch.tensor(inputs, dtype=weight.dtype, device=weight.device)
    with torch.no_grad():
        outputs = np.asarray(module(given).cpu().double())
    inputs = np.asarray(given.cpu().double())
    if len(W1) > d:
        inputs = np.column_stack([inputs, np.ones(_PROBES)])
    with np.errstate(over="ignore", invalid="ignore"):
        expected = np.maximum(inputs @ W1, 0.0) @ W2
        terms = np.abs(inputs) @ np.abs(W1) @ np.abs(W2)
        error = _ROUNDING * len(W1) * torch.finfo(weight.dtype).eps * terms
        off = np.abs(outputs - expected) > error + torch.finfo(weight.dtype).tiny
    if np.any(off & np.isfinite(error)):
        raise InvalidDataError(
            "the module does not compute what its weights say: on a random input it "
            f"returns {outputs[off][0]:.6g}, and the two-layer network with its "
            f"weights {expected[off][0]:.6g}. Something was patched into it or into "
            "torch.nn."
        )
