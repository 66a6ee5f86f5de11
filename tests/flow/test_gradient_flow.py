"""What gradient flow computes: its steps, batches, starts and errors."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from flow_problems import (
    LOSSES_AND_METHODS,
    numpy_descent,
    separable_problem,
    short_runs,
)

from convexnn_lib import datasets
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.problem.losses import Hinge, Logistic, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem


@pytest.mark.parametrize("loss", [Squared(), Squared(2.0), Logistic(), Hinge()])
@pytest.mark.parametrize("beta", [0.0, 0.2])
def test_euler_is_gradient_descent_run_by_run(loss, beta):
    X, y = datasets.gaussian(6, 3, 2, labels="sign")
    problem = TrainingProblem(X, y, beta, loss)
    history = gradient_flow(
        problem, 4, n_runs=5, init_scale=0.5, seed=1, step=0.01, n_steps=150
    )
    assert history.times[-1] == pytest.approx(1.5)
    for run in range(5):
        W1, w2 = numpy_descent(
            problem, history.W1[0, run], history.w2[0, run], 0.01, 150
        )
        np.testing.assert_allclose(history.W1[-1, run], W1, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(history.w2[-1, run], w2, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("euler", {"step": 0.02, "n_steps": 400}),
        ("rescaled", {"step": 0.005, "n_steps": 400}),
        ("runge_kutta", {"t_max": 8.0}),
        ("rescaled_runge_kutta", {"t_max": 2.0}),
    ],
)
def test_a_batch_equals_single_runs(method, options):
    problem = separable_problem("separable_quad")
    options = {"method": method, "stop_log_loss": -1.0, **options}
    batch = gradient_flow(problem, 8, n_runs=40, init_scale=0.3, seed=4, **options)
    assert len(set(batch.stop_time)) > 5  # runs end at times of their own
    for run in (0, 7, 39):
        single = gradient_flow(problem, initial=batch.network(run, t=0.0), **options)
        assert single.status[0] == batch.status[run]
        assert single.stop_time[0] == pytest.approx(batch.stop_time[run], abs=1e-9)
        np.testing.assert_allclose(
            single.W1[-1, 0], batch.W1[-1, run], rtol=1e-9, atol=1e-12
        )


def test_many_runs_in_several_blocks_equal_fewer_runs():
    X, y = datasets.gaussian(40, 3, 0)
    problem = TrainingProblem(X, y, 0.1)
    options = {"init_scale": 0.1, "seed": 8, "step": 1e-3, "n_steps": 30}
    many = gradient_flow(problem, 20, n_runs=700, **options)  # in several blocks
    few = gradient_flow(problem, 20, n_runs=3, **options)
    np.testing.assert_allclose(many.W1[:, :3], few.W1, rtol=1e-11)
    assert set(many.status) == {"completed"}
    for n_jobs in (2, -1):
        shared = gradient_flow(problem, 20, n_runs=700, n_jobs=n_jobs, **options)
        np.testing.assert_allclose(shared.W1, many.W1, rtol=1e-11)
        np.testing.assert_allclose(shared.w2, many.w2, rtol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("euler", {"n_steps": 300, "stop_log_loss": -0.5}),
        ("rescaled_runge_kutta", {"t_max": 4.0, "stop_log_loss": -8.0}),
    ],
)
def test_problems_in_one_batch_equal_each_alone(method, options, monkeypatch):
    X, y = datasets.separable_quad()
    problems = [
        TrainingProblem(scale * X, sign * y, 0.0, "logistic")
        for scale, sign in [(1.0, 1), (0.5, 1), (0.7, -1)]
    ]
    options = {"method": method, "step": 0.02, **options}
    start = {"n_runs": 5, "init_scale": 0.3, "seed": 4}
    for entries in (100_000, 400, 80):  # one block, blocks of problems, blocks of runs
        module = sys.modules["convexnn_lib.flow.gradient_flow"]
        monkeypatch.setattr(module, "_CPU_BLOCK", entries)
        monkeypatch.setattr(module, "_GPU_BLOCK", entries)
        together = gradient_flow(problems, 6, n_jobs=2, **start, **options)
        assert [history.problem for history in together] == problems
        for history, problem in zip(together, problems, strict=True):
            alone = gradient_flow(problem, 6, **start, **options)
            np.testing.assert_array_equal(history.status, alone.status)
            np.testing.assert_allclose(history.times, alone.times, rtol=1e-9)
            np.testing.assert_allclose(history.W1, alone.W1, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(history.stop_time, alone.stop_time, rtol=1e-9)
    # from their own ends, all from one network, and a batch of one
    rest = gradient_flow(problems, initial=together, method=method, t_max=0.1)
    for history, before in zip(rest, together, strict=True):
        np.testing.assert_array_equal(history.W1[0], before.W1[-1])
    network = together[1].network(2)
    (same,) = gradient_flow(problems[:1], initial=network, n_steps=1)
    np.testing.assert_array_equal(same.W1[0, 0], network.W1)


def test_a_seed_for_each_run():
    problem = separable_problem("xor")
    options = {"init_scale": 0.3, "n_steps": 1}
    each = gradient_flow(problem, 4, n_runs=3, seed=[5, 6, 7], **options)
    for run, seed in enumerate([5, 6, 7]):
        single = gradient_flow(problem, 4, seed=seed, **options)
        np.testing.assert_array_equal(each.W1[0, run], single.W1[0, 0])
        np.testing.assert_array_equal(each.w2[0, run], single.w2[0, 0])
    with pytest.raises(InvalidDataError, match="one for each of the 2 runs, got 3"):
        gradient_flow(problem, 4, n_runs=2, seed=[5, 6, 7])


def test_problems_that_do_not_fit_into_one_batch():
    X, y = datasets.separable_quad()
    one = TrainingProblem(X, y, 0.0, "logistic")
    for other, message in [
        (TrainingProblem(X[:3], y[:3], 0.0, "logistic"), r"shapes of X.*\(3, 2\)"),
        (TrainingProblem(X, y, 0.0, "squared"), "losses"),
        (TrainingProblem(X, y, 0.5, "logistic"), "beta"),
    ]:
        with pytest.raises(InvalidDataError, match=message):
            gradient_flow([one, other], 3, seed=0)
    with pytest.raises(InvalidDataError, match="empty sequence"):
        gradient_flow([], 3, seed=0)
    histories = gradient_flow([one, one, one], 3, seed=0, n_steps=1)
    with pytest.raises(InvalidDataError, match="one history for each of the 3"):
        gradient_flow([one, one, one], initial=histories[:2], n_steps=1)
    wider = gradient_flow(one, 5, seed=0, n_steps=1)
    with pytest.raises(InvalidDataError, match="as many runs of the same width"):
        gradient_flow([one, one], initial=[histories[0], wider], n_steps=1)


def test_start_and_determinism():
    problem = separable_problem("xor")
    options = {"init_scale": 0.25, "n_steps": 5}
    first = gradient_flow(problem, 6, n_runs=4, seed=3, **options)
    again = gradient_flow(problem, 6, n_runs=2, seed=3, **options)
    np.testing.assert_array_equal(first.W1[0, :2], again.W1[0])
    np.testing.assert_array_equal(first.w2[0, :2], again.w2[0])
    rng = np.random.default_rng(3)  # the recipe of the book, for one run
    W1 = 0.25 * rng.standard_normal((6, 2)).T
    signs = np.where(rng.random(6) < 0.5, -1, 1)
    np.testing.assert_array_equal(first.W1[0, 0], W1)
    np.testing.assert_allclose(first.w2[0, 0], signs * np.linalg.norm(W1, axis=0))


@pytest.mark.parametrize("scale", [1e-250, 1e-8, 1.0, 50.0])
def test_balanced_at_any_scale(scale):
    history = gradient_flow(
        separable_problem("xor"), 5, n_runs=3, init_scale=scale, seed=0, n_steps=1
    )
    norms = scale * np.linalg.norm(history.W1[0] / scale, axis=1)
    np.testing.assert_allclose(np.abs(history.w2[0]), norms, rtol=1e-14)


def test_gaussian_start_is_not_balanced():
    history = gradient_flow(
        separable_problem("xor"), 5, init="gaussian", seed=0, n_steps=1, init_scale=1.0
    )
    assert np.abs(history.balancedness[0]).max() > 0.1


def test_continuing_equals_going_on():
    problem = separable_problem("separable_pair")
    options = {"step": 0.01}
    start = gradient_flow(problem, 4, n_runs=2, seed=0, n_steps=50, **options)
    rest = gradient_flow(problem, initial=start, n_steps=70, **options)
    whole = gradient_flow(problem, 4, n_runs=2, seed=0, n_steps=120, **options)
    np.testing.assert_allclose(rest.W1[-1], whole.W1[-1], rtol=1e-13)
    networks = [start.network(run) for run in range(2)]
    same = gradient_flow(problem, initial=networks, n_steps=70, **options)
    np.testing.assert_array_equal(rest.w2, same.w2)


# ---- the recipe of the book -------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first_steps", "published"),
    [
        ("separable_pair", 2062, [0.388479, 0.389824]),
        ("separable_quad", 1152, [0.306969, 0.311774]),
    ],
)
def test_published_normalized_margins(name, first_steps, published):
    problem = separable_problem(name)
    start = gradient_flow(
        problem,
        10,
        init_scale=1e-3,
        seed=0,
        step=5e-3,
        n_steps=10_000,
        stop_log_loss=np.log(0.5),
    )
    assert start.status[0] == "loss"
    assert start.stop_time[0] == pytest.approx(5e-3 * first_steps)
    history = gradient_flow(
        problem,
        initial=start,
        method="rescaled",
        step=2e-3,
        n_steps=2000,
        record_times=[2.0, 4.0],
    )
    # afterwards rounding decides: weights changed by 1e-15 at the start move the margin
    # after 4000 steps by 1e-3
    np.testing.assert_allclose(
        history.normalized_margin[1:, 0], published, rtol=0, atol=1e-6
    )
    assert history.alive[-1].sum() == (4 if name == "separable_pair" else 10)


@pytest.mark.slow
def test_adaptive_rescaled_flow_reaches_tiny_losses_and_the_best_margin():
    best = {"separable_pair": 0.3898842, "separable_quad": 0.3122007}
    for name, margin in best.items():
        history = gradient_flow(
            separable_problem(name),
            10,
            init_scale=1e-3,
            seed=0,
            method="rescaled_runge_kutta",
            t_max=100.0,
            tolerance=1e-5,
            stop_log_loss=-2000.0,
        )
        assert history.status[0] == "loss"
        assert history.log_loss[-1, 0] <= -2000
        assert history.loss[-1, 0] == 0  # it underflowed long ago
        reached = history.normalized_margin[-1, 0]
        assert margin * 0.999 < reached <= margin * (1 + 1e-6)


# ---- errors -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "adam"}, "method must be one of"),
        ({"method": "runge_kutta"}, "needs t_max"),
        ({"width": None}, "width is needed"),
        ({"width": 0}, "width must be at least 1"),
        ({"n_runs": 0}, "n_runs must be at least 1"),
        ({"n_steps": 0}, "n_steps must be at least 1"),
        ({"n_records": 1}, "n_records must be at least 2"),
        ({"seed": None}, "seed must be"),
        ({"init": "orthogonal"}, '"balanced" or "gaussian"'),
        ({"init_scale": 0.0}, "init_scale must be a positive finite number"),
        ({"init_scale": "big"}, "init_scale must be a positive finite number"),
        ({"step": -1.0}, "step must be a positive finite number"),
        ({"step": np.inf}, "step must be a positive finite number"),
        ({"t_max": 0.0}, "t_max must be a positive finite number"),
        (
            {"tolerance": np.nan, "method": "runge_kutta", "t_max": 1.0},
            "tolerance must be a positive finite number",
        ),
        ({"stop_gradient": -1.0}, "stop_gradient must be a non-negative number"),
        ({"stop_log_loss": np.nan}, "stop_log_loss must be a number"),
        ({"stop_margin": np.nan}, "stop_margin must be a number"),
        ({"record_times": [-1.0]}, "non-negative"),
        ({"record_times": [[1.0]]}, "non-negative"),
        ({"record_times": [np.nan]}, "NaN"),
        ({"device": "tpu-ish"}, "device must be"),
        ({"device": "mps"}, "float64 is needed"),
        ({"n_jobs": 0}, "n_jobs must be at least 1"),
        (
            {"initial": ReLUNetwork(np.ones((2, 1)), [1.0])},
            "width and seed would change nothing",
        ),
    ],
)
def test_errors(options, message):
    options = {"width": 3, "seed": 0, **options}
    with pytest.raises(InvalidDataError, match=message):
        gradient_flow(separable_problem("xor"), **options)


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ([], "at least one"),
        (ReLUNetwork(np.ones((3, 1)), [1.0]), "2 features"),
        (ReLUNetwork(np.ones((2, 0)), []), "at least one neuron"),
        (
            [ReLUNetwork(np.ones((2, 1)), [1]), ReLUNetwork(np.ones((2, 2)), [1, 1])],
            "all of one shape",
        ),
    ],
)
def test_errors_of_initial_networks(initial, message):
    with pytest.raises(InvalidDataError, match=message):
        gradient_flow(separable_problem("xor"), initial=initial)


def test_losses_without_gradient_and_rescaling():
    X, y = datasets.separable_pair()
    with pytest.raises(InvalidDataError, match="hard_margin loss has no gradient"):
        gradient_flow(TrainingProblem(X, y, 1.0, "hard_margin"), 3, seed=0)
    for method in ("rescaled", "rescaled_runge_kutta"):
        with pytest.raises(InvalidDataError, match="for the logistic loss"):
            gradient_flow(TrainingProblem(X, y, 0.0), 3, seed=0, method=method)
        with pytest.raises(RegularizationError, match="needs beta = 0"):
            gradient_flow(
                TrainingProblem(X, y, 0.1, "logistic"), 3, seed=0, method=method
            )
    with pytest.raises(InvalidDataError, match="labels -1 and 1"):
        gradient_flow(TrainingProblem(X, [0.5, 1.0], 0.0), 3, seed=0, stop_margin=0.1)


def cuda_devices():
    try:
        import torch
    except ImportError:
        return 0
    return torch.cuda.device_count()


@pytest.mark.skipif(cuda_devices() > 0, reason="a CUDA device is present")
def test_missing_cuda_device():
    pytest.importorskip("torch", reason="PyTorch says which CUDA devices there are")
    problem = separable_problem("xor")
    with pytest.raises(InvalidDataError, match="finds 0 CUDA devices"):
        gradient_flow(problem, 3, seed=0, device="cuda")
    history = gradient_flow(problem, 3, seed=0, device="auto", n_steps=2)
    assert history.n_runs == 1


@pytest.mark.cuda
@pytest.mark.skipif(cuda_devices() == 0, reason="needs a CUDA device")
@pytest.mark.parametrize(("loss", "method"), LOSSES_AND_METHODS)
def test_cuda_agrees_with_cpu(loss, method):
    on_cpu, on_gpu = (
        short_runs(loss, method, device=device) for device in ("cpu", "cuda")
    )
    for cpu, gpu in zip(on_cpu, on_gpu, strict=True):
        np.testing.assert_allclose(gpu.W1, cpu.W1, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(gpu.w2, cpu.w2, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(gpu.status, cpu.status)


def test_progress_bar(capsys):
    gradient_flow(
        separable_problem("xor"), 2, seed=0, n_steps=10, n_records=4, progress=True
    )
    assert "gradient flow" in capsys.readouterr().err
