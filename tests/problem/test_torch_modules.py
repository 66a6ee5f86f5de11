"""What is read from PyTorch is the function that the module computes, or an error."""

from __future__ import annotations

import warnings
from collections import OrderedDict

import numpy as np
import pytest

from convexnn_lib import ReLUNetwork
from convexnn_lib.errors import BiasWarning, InvalidDataError

torch = pytest.importorskip("torch", reason="torch is not installed")
nn = torch.nn


def build(bias_1=False, bias_2=False, out=1, activation=None, **options):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.Sequential(
            nn.Linear(3, 4, bias=bias_1, **options),
            activation or nn.ReLU(),
            nn.Linear(4, out, bias=bias_2, **options),
        )


def outputs(module, X, dtype=torch.float64):
    with torch.no_grad():
        return module(torch.tensor(X, dtype=dtype)).double().numpy()[:, 0]


@pytest.fixture(name="X")
def fixture_inputs():
    return np.random.default_rng(5).standard_normal((20, 3)).astype(np.float16) * 1.0


@pytest.mark.parametrize("bias_1", [False, True])
@pytest.mark.parametrize("bias_2", [False, True])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_biases_become_weights_of_a_column_of_ones(X, bias_1, bias_2, sign) -> None:
    module = build(bias_1, bias_2, dtype=torch.float64)
    if bias_2:
        module[2].bias.data.fill_(0.7 * sign)
    inputs = X
    if bias_1 or bias_2:
        inputs = np.column_stack([X, np.ones(len(X))])
        with pytest.warns(BiasWarning, match=r"4 in all; append a column of ones"):
            network = ReLUNetwork.from_torch(module)
    else:
        network = ReLUNetwork.from_torch(module)
    expected = outputs(module, X)
    np.testing.assert_allclose(network.predict(inputs), expected, rtol=0, atol=1e-14)
    assert network.width == 4 + bias_2


def test_a_zero_bias_needs_no_neuron(X) -> None:
    module = build(bias_2=True)
    module[2].bias.data.zero_()
    with pytest.warns(BiasWarning):
        assert ReLUNetwork.from_torch(module).width == 4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_weights_of_other_precisions_are_read_exactly(dtype) -> None:
    module = build(dtype=dtype)
    network = ReLUNetwork.from_torch(module)
    np.testing.assert_array_equal(network.W1, module[0].weight.double().detach().T)


def test_equal_forms_are_read(X) -> None:
    first, activation, second = build(dtype=torch.float64)
    nested = nn.Sequential(nn.Sequential(first, nn.Identity()), activation, second)
    named = nn.Sequential(
        OrderedDict(hidden=first, act=nn.ReLU(inplace=True), out=second)
    )
    for module in (nested, named, named.eval().requires_grad_(False)):
        network = ReLUNetwork.from_torch(module)
        np.testing.assert_allclose(network.predict(X), outputs(nested, X), atol=1e-14)


@pytest.mark.parametrize("default", ["float32", "float64"])
def test_the_default_type_of_torch_does_not_matter(default) -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, default))
    try:
        module = ReLUNetwork(np.eye(2), [1.0, -1 / 3]).to_torch()
        assert module[0].weight.dtype == torch.float64
        assert ReLUNetwork.from_torch(module).w2[1] == -1 / 3
    finally:
        torch.set_default_dtype(before)


def test_the_default_device_of_torch_does_not_matter() -> None:
    network = ReLUNetwork(np.eye(2), [1.0, 2.0])
    with torch.device("meta"):
        module = network.to_torch()
        assert module[0].weight.device.type == "cpu"
        assert ReLUNetwork.from_torch(module).w2[1] == 2.0


class MyLinear(nn.Linear):
    def forward(self, inputs):
        return 2.0 * super().forward(inputs)


class MyNetwork(nn.Sequential):
    def forward(self, inputs):
        return -super().forward(inputs)


class TwoLayers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(3, 4)
        self.out = nn.Linear(4, 1)

    def forward(self, inputs):
        return self.out(torch.relu(self.hidden(inputs)))


def parametrized():
    first, activation, second = build()
    return nn.Sequential(
        nn.utils.parametrizations.weight_norm(first), activation, second
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: build(activation=nn.Tanh()),
            r"expected a torch.nn.Sequential.* a Tanh",
        ),
        (lambda: build(activation=nn.ReLU6()), "got a ReLU6"),
        (lambda: nn.Linear(3, 1), r"got Linear\(Linear\)"),
        (lambda: nn.Sequential(*build(), nn.ReLU()), r"\(Linear, ReLU, Linear, ReLU\)"),
        (
            lambda: nn.Sequential(MyLinear(3, 4), nn.ReLU(), nn.Linear(4, 1)),
            "a MyLinear",
        ),
        (lambda: MyNetwork(*build()), r"got a MyNetwork.*module\[0\], .*module\[2\]"),
        (lambda: torch.fx.symbolic_trace(build()), r"got a torch\.fx\..*\.Sequential"),
        (TwoLayers, r"If it computes out\(relu\(hidden\(x\)\)\), pass torch.nn.Sequ"),
        (lambda: nn.DataParallel(build()), r"what it wraps, module\.module"),
        (lambda: torch.compile(build()), r"module\._orig_mod"),
        (parametrized, "remove_parametrizations first"),
        (lambda: nn.Sequential(nn.LazyLinear(4), nn.ReLU()), "Run it once on data"),
        (lambda: build().state_dict(), r"ReLUNetwork\(state\[\"0.weight\"\].T"),
        (lambda: "a string", "got a str"),
        (lambda: build(dtype=torch.complex64), "complex numbers"),
        (lambda: build(device="meta"), "without data"),
    ],
)
def test_other_modules_are_refused_with_a_remedy(make, message) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about its own features
        module = make()
    with pytest.raises(InvalidDataError, match=message):
        ReLUNetwork.from_torch(module)


@pytest.mark.parametrize("place", [None, 0, 1, 2])
def test_hooks_are_refused(place) -> None:
    for method in ("register_forward_hook", "register_forward_pre_hook"):
        module = build()
        target = module if place is None else module[place]
        getattr(target, method)(lambda *arguments: None)
        with pytest.raises(InvalidDataError, match=r"has hooks.* remove that first"):
            ReLUNetwork.from_torch(module)


def test_a_patched_forward_is_refused(monkeypatch) -> None:
    module = build()
    module[1].forward = lambda inputs: inputs
    with pytest.raises(InvalidDataError, match="ReLU has a forward of its own"):
        ReLUNetwork.from_torch(module)
    monkeypatch.setattr(nn.ReLU, "forward", lambda self, inputs: inputs)
    with pytest.raises(InvalidDataError, match="does not compute what its weights say"):
        ReLUNetwork.from_torch(build())


def test_weights_that_are_no_numbers_are_refused() -> None:
    module = build()
    module[0].weight.data[1, 2] = np.nan
    with pytest.raises(InvalidDataError, match="first layer's weight has 1 NaN"):
        ReLUNetwork.from_torch(module)
