"""NumPy and PyTorch give the same flows, and the device alone decides between them."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest

from convexnn_lib import datasets
from convexnn_lib.errors import InvalidDataError, MissingExtraError
from convexnn_lib.flow import _backend
from convexnn_lib.flow._backend import Backend, backend_of
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

MODULE = sys.modules["convexnn_lib.flow.gradient_flow"]


@pytest.fixture(scope="module", autouse=True)
def backend():
    """Nothing: these tests choose for themselves."""


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch computes on GPUs only")


def on_both(monkeypatch, torch, *arguments, **options):
    """The histories of NumPy and of PyTorch on the CPU."""
    histories = []
    for chosen in (Backend(np, "cpu"), Backend(torch, "cpu")):
        monkeypatch.setattr(MODULE, "backend_of", lambda _, chosen=chosen: chosen)
        histories.append(gradient_flow(*arguments, **options))
    return histories


METHODS = [
    *itertools.product(
        ["squared", "logistic", "hinge"], ["euler", "descent", "runge_kutta"]
    ),
    ("logistic", "rescaled"),
    ("logistic", "rescaled_runge_kutta"),
]


@pytest.mark.parametrize(("loss", "method"), METHODS)
@pytest.mark.parametrize(
    ("data", "unit"),
    [
        ("talk_example", 1.0),
        pytest.param("separable_quad", 1.0, marks=pytest.mark.slow),
        pytest.param("separable_quad", 1e-5, marks=pytest.mark.slow),
    ],
)
def test_they_agree_to_rounding(loss, method, data, unit, monkeypatch, torch):
    X, y = getattr(datasets, data)()
    X = np.vstack([X, X[:1], 0 * X[:1]])  # a repeated row and a zero one
    problem = TrainingProblem(X * unit, np.append(y, [y[0], 1.0]), 0.0, loss)
    # this method slides along the kinks of this loss in short steps
    t_max = 0.3 if (loss, method) == ("hinge", "runge_kutta") else 1.0
    options = {"n_runs": 20, "seed": 0, "init_scale": 0.3 / np.sqrt(unit)}
    options |= {"step": 0.01 / unit, "t_max": t_max / unit, "method": method}
    numpy, pytorch = on_both(monkeypatch, torch, problem, 6, **options)
    size = np.abs(numpy.W1).max(), np.abs(numpy.w2).max()
    assert np.abs(pytorch.W1 - numpy.W1).max() <= 1e-13 * size[0]
    assert np.abs(pytorch.w2 - numpy.w2).max() <= 1e-13 * size[1]
    np.testing.assert_array_equal(pytorch.status, numpy.status)
    np.testing.assert_allclose(pytorch.stop_time, numpy.stop_time, rtol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize(("n", "d"), [(1, 1), (1, 3), (4, 1)])
def test_they_agree_on_one_sample_one_feature_one_neuron(
    n, d, width, monkeypatch, torch
):
    X, y = datasets.gaussian(n, d, 1, labels="sign")
    numpy, pytorch = on_both(
        monkeypatch, torch, TrainingProblem(X, y, 0.1, "logistic"), width, seed=2
    )
    np.testing.assert_allclose(pytorch.W1, numpy.W1, rtol=1e-13)
    np.testing.assert_allclose(pytorch.w2, numpy.w2, rtol=1e-13)


def test_they_see_the_same_steps_that_are_too_large(monkeypatch, torch):
    problem = TrainingProblem([[1.0]], [1.0], 0.0)
    starts = [ReLUNetwork([[u]], [0.5]) for u in (0.5, 3.0, 4.0, 9.0)]
    numpy, pytorch = on_both(
        monkeypatch, torch, problem, initial=starts, step=0.15, n_steps=300
    )
    assert numpy.status[0] == "completed"
    assert "step too large" in numpy.status
    np.testing.assert_array_equal(pytorch.status, numpy.status)
    np.testing.assert_array_equal(pytorch.stop_time, numpy.stop_time)


@pytest.mark.slow
def test_defaults_of_pytorch_do_not_matter(torch, monkeypatch):
    X, y = datasets.separable_quad()
    problem = TrainingProblem(X, y, 0.0, "logistic")
    options = {"n_runs": 3, "seed": 0, "method": "runge_kutta", "t_max": 3.0}
    plain = on_both(monkeypatch, torch, problem, 4, **options)
    torch.set_default_device("meta")  # holds no numbers at all
    torch.set_default_dtype(torch.float32)
    try:
        changed = on_both(monkeypatch, torch, problem, 4, **options)
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
    for before, after in zip(plain, changed, strict=True):
        np.testing.assert_array_equal(before.W1, after.W1)


def run_python(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_cpu_needs_no_pytorch():
    run_python(
        "import sys; sys.modules['torch'] = None\n"
        "from convexnn_lib import TrainingProblem, gradient_flow\n"
        "problem = TrainingProblem([[1.0], [2.0]], [1.0, -1.0], 0.1)\n"
        "history = gradient_flow(problem, 3, seed=0, n_steps=5)\n"
        "assert history.status[0] == 'completed'\n"
    )


@pytest.mark.slow
def test_a_cpu_does_not_import_pytorch():
    run_python(
        "import sys\n"
        "from convexnn_lib import TrainingProblem, gradient_flow\n"
        "problem = TrainingProblem([[1.0], [2.0]], [1.0, -1.0], 0.1)\n"
        "gradient_flow(problem, 3, seed=0, n_steps=5, device='cpu')\n"
        "assert 'torch' not in sys.modules\n"
    )


def test_without_numba_the_operations_of_numpy_do_the_same(monkeypatch):
    from convexnn_lib.flow import _vector_field

    X, y = datasets.gaussian(9, 3, 0, labels="sign")
    problem = TrainingProblem(X, y, 0.0, "logistic")
    monkeypatch.setattr(MODULE, "backend_of", lambda _: Backend(np, "cpu"))
    compiled = gradient_flow(problem, 6, n_runs=7, seed=0, n_steps=200)
    monkeypatch.setattr(_vector_field, "find_spec", lambda _: None)
    plain = gradient_flow(problem, 6, n_runs=7, seed=0, n_steps=200)
    np.testing.assert_allclose(plain.W1, compiled.W1, rtol=1e-12)


def test_devices():
    assert backend_of("cpu") == Backend(np, "cpu")
    for name in ("tpu", "mps", "cuda:", "cuda:x", "CUDA", None):
        with pytest.raises(InvalidDataError, match="device must be"):
            backend_of(name)


def test_a_device_without_pytorch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"convexnn-lib\[torch\]"):
        backend_of("cuda")
    monkeypatch.setattr(_backend, "find_spec", lambda _: None)
    assert backend_of("auto") == Backend(np, "cpu")


def test_a_gpu_has_threads_of_its_own(monkeypatch, torch):
    problem = TrainingProblem(*datasets.separable_pair(), 0.0, "logistic")
    monkeypatch.setattr(MODULE, "backend_of", lambda _: Backend(torch, "cpu"))
    options = {"seed": 0, "n_steps": 3}
    assert gradient_flow(problem, 2, device="cuda", **options).n_runs == 1
    assert gradient_flow(problem, 2, device="auto", n_jobs=1, **options).n_runs == 1
    with pytest.raises(InvalidDataError, match=r'n_jobs would .* "cuda"; leave'):
        gradient_flow(problem, 2, device="cuda", n_jobs=1, **options)
