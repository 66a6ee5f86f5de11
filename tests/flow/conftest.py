"""Every test of flows runs with NumPy and with PyTorch, on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest

from convexnn_lib.flow import _backend
from convexnn_lib.flow._backend import Backend

# in the quick run test_backends compares the two
BACKENDS = ["numpy", pytest.param("torch", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=BACKENDS, autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Let the device "cpu" be computed by one of the two."""
    if request.param == "numpy":
        yield _backend.backend_of("cpu")
        return
    torch = pytest.importorskip("torch", reason="PyTorch computes on GPUs only")
    chosen = Backend(torch, "cpu")
    real = _backend.backend_of

    def replaced(device: str) -> Backend:
        found = real(device)
        return chosen if found.is_numpy else found

    with pytest.MonkeyPatch.context() as patch:
        module = import_module("convexnn_lib.flow.gradient_flow")
        patch.setattr(module, "backend_of", replaced)
        yield chosen
