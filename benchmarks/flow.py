"""Gradient flow of many networks against loops over single ones, in one run.

Usage::

    python benchmarks/flow.py [--quick] [--runs RUNS] [--device DEVICE]
                              [--results FILE]

The first table has gradient descent with the same initial weights, step and number of
steps, in float64 throughout, for

* this library, all runs in one batch, on one thread and on one a core;
* a loop over ``torch.nn`` modules with ``torch.optim.SGD``, one run at a time;
* torchdiffeq (``pip install torchdiffeq``), all runs as one system, with its ``euler``
  method on the same grid; left out where it is not installed.

Peers run on a few networks or steps and are scaled up to all of them, and all final
weights are compared. The second table has the flow itself at the same accuracy: this
library's adaptive method against torchdiffeq's ``bosh3``, the same Runge-Kutta pair,
and the largest difference of each from a solution at a far smaller tolerance. The
third has the time from a small start to a normalized margin within 1 % of the certified
optimum.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import _measure
import numpy as np
import torch
from _measure import Results, Table, Timed, Value, show, timed

from convexnn_lib import (
    FlowHistory,
    ReLUNetwork,
    TrainingProblem,
    certify_margin,
    datasets,
    gradient_flow,
    max_margin,
)

SIZES = [(4, 2, 10), (50, 5, 20), (100, 10, 50)]
QUICK_SIZES = [(4, 2, 10), (50, 5, 20)]


def main() -> None:
    """Run the benchmark and print its tables."""
    assert __doc__ is not None
    parser = _measure.options("flow", __doc__, quick="few steps, small sizes")
    parser.add_argument("--runs", type=int, default=1000, help="networks in the batch")
    parser.add_argument("--device", default="cpu", help='this library\'s, or "auto"')
    options = parser.parse_args()
    results = Results("flow", options)
    torch.set_num_threads(1)
    threads = os.cpu_count() or 1
    show(f"{options.runs} runs, {threads} cores, device {options.device}.")
    show("Times in seconds; ratio: peer / this library on all cores.")
    warm_up(options.device)
    compare_descent(options, threads, results)
    show()
    compare_flow(options, threads, results)
    show()
    time_to_margin(options, threads, results)
    results.write()


def warm_up(device: str) -> None:
    """Compile the kernels and start PyTorch's machinery."""
    problem = logistic(*SIZES[0][:2])
    start = gradient_flow(problem, 3, n_runs=2, seed=0, n_steps=2, device=device)
    descend_modules(problem, start, 1e-3, 2, 1)


def logistic(n: int, d: int) -> TrainingProblem:
    """Return Gaussian data with random labels and the logistic loss."""
    return TrainingProblem(*datasets.gaussian(n, d, 0, labels="sign"), 0.0, "logistic")


# ---- gradient descent ---------------------------------------------------------------


def compare_descent(
    options: argparse.Namespace, threads: int, results: Results
) -> None:
    """Print the table of gradient descent."""
    columns = {
        "n, d, m": (12, ""),
        "steps": (6, ""),
        "method": (30, ""),
        "seconds": (9, ".4g"),
        "ratio": (7, ",.4g"),
        "target": (11, ""),
        "largest diff": (12, ".1e"),
    }
    table = Table(results, "descent", columns)
    for size in QUICK_SIZES if options.quick else SIZES:
        compare_descent_at(size, options, threads, table)


def compare_descent_at(
    size: tuple[int, int, int], options: argparse.Namespace, threads: int, table: Table
) -> None:
    """Print the rows of one size."""
    n, d, m = size
    n_steps = 200 if options.quick else 1000
    some = 3 if options.quick else 10  # networks of the loop
    problem = logistic(n, d)
    step = 0.1 / float(np.linalg.norm(problem.X, 2)) ** 2

    def batched(jobs: int) -> FlowHistory:
        return gradient_flow(
            problem,
            m,
            n_runs=options.runs,
            init_scale=0.1,
            seed=0,
            device=options.device,
            n_jobs=jobs,
            step=step,
            n_steps=n_steps,
            n_records=2,
        )

    def show_row(
        method: str, seconds: float, cpu: float, target: Value, difference: Value
    ) -> None:
        first = method.endswith("all cores")
        head = (name, f"{n_steps}") if first else ("", "")
        ratio = seconds / ours.wall
        case = {"case": name, "n_steps": n_steps, "cpu": cpu}
        table.row(*head, method, seconds, ratio, target, difference, **case)

    name = f"{n}, {d}, {m}"
    ours = timed(partial(batched, threads), 3)
    single = timed(partial(batched, 1), 3)
    loop = timed(lambda: descend_modules(problem, ours.result, step, n_steps, some))
    difference = max(
        float(np.abs(W1 - ours.result.W1[-1, run]).max())
        for run, (W1, _) in enumerate(loop.result)
    )
    show_row("this library, all cores", ours.wall, ours.cpu, "", "")
    show_row("this library, one core", single.wall, single.cpu, "", "")
    scale = options.runs / some
    met = ">= 100: " + ("yes" if loop.wall * scale / ours.wall >= 100 else "NO")
    show_row("loop over torch.nn", loop.wall * scale, loop.cpu * scale, met, difference)
    few = max(10, n_steps // 20)
    peer = descend_torchdiffeq(problem, ours.result, step, few)
    if peer is None:
        table.row("", "", "torchdiffeq", "not installed", "", "", "", case=name)
        return
    short = gradient_flow(problem, initial=starts(ours.result), step=step, n_steps=few)
    difference = float(np.abs(peer.result - short.W1[-1]).max())
    scale = n_steps / few
    show_row("torchdiffeq euler", peer.wall * scale, peer.cpu * scale, None, difference)


def starts(history: FlowHistory) -> list[ReLUNetwork]:
    """Return the initial networks."""
    return [history.network(run, 0.0) for run in range(history.n_runs)]


def descend_modules(
    problem: TrainingProblem, history: FlowHistory, step: float, n_steps: int, runs: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Train the first networks one by one with torch.nn and torch.optim."""
    X, y = torch.tensor(problem.X), torch.tensor(problem.y)
    finals = []
    for run in range(runs):
        module = history.network(run, 0.0).to_torch()
        optimizer = torch.optim.SGD(module.parameters(), lr=step)
        for _ in range(n_steps):
            optimizer.zero_grad()
            outputs = module(X).squeeze(-1)
            torch.nn.functional.softplus(-y * outputs).sum().backward()
            optimizer.step()
        network = ReLUNetwork.from_torch(module)
        finals.append((network.W1, network.w2))
    return finals


def field(problem: TrainingProblem, runs: int, m: int) -> Callable[..., torch.Tensor]:
    """Return the slope of all runs as one system, for torchdiffeq, without autograd."""
    X, y = torch.tensor(problem.X), torch.tensor(problem.y)[:, None]

    def slope(_t: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        theta = state.view(problem.d + 1, runs, m)
        W1, w2 = theta[:-1], theta[-1]
        inputs = torch.einsum("nd,drm->nrm", X, W1)
        outputs = torch.einsum("nrm,rm->nr", torch.relu(inputs), w2)
        dual = y * torch.sigmoid(-y * outputs)
        pull = torch.einsum("nd,nrm->drm", X, (inputs > 0) * dual[:, :, None])
        return torch.cat([w2 * pull, torch.sum(W1 * pull, dim=0)[None]]).view(-1)

    return slope


def solve_torchdiffeq(
    problem: TrainingProblem, history: FlowHistory, t_max: float, **options: Any
) -> Timed[np.ndarray] | None:
    """Follow all runs as one system; return the final first layers."""
    try:
        from torchdiffeq import odeint
    except ImportError:
        return None
    W1, w2 = history.W1[0].transpose(1, 0, 2), history.w2[:1]
    runs, m = history.n_runs, history.width
    start = torch.tensor(np.concatenate([W1, w2])).reshape(-1)
    slope = field(problem, runs, m)
    times = torch.tensor([0.0, t_max], dtype=torch.float64)
    with torch.no_grad():
        found = timed(lambda: odeint(slope, start, times, **options))
    final = found.result[-1].view(problem.d + 1, runs, m)[:-1]
    return Timed(found.wall, found.cpu, final.permute(1, 0, 2).numpy())


def descend_torchdiffeq(
    problem: TrainingProblem, history: FlowHistory, step: float, n_steps: int
) -> Timed[np.ndarray] | None:
    """Take Euler steps with torchdiffeq."""
    return solve_torchdiffeq(
        problem,
        history,
        step * n_steps,
        method="euler",
        options={"step_size": step * (1 + 1e-12)},
    )


# ---- the flow -----------------------------------------------------------------------


def compare_flow(options: argparse.Namespace, threads: int, results: Results) -> None:
    """Print the table of the flow at equal accuracy."""
    X, y = datasets.separable_quad()
    problem, m = TrainingProblem(X, y, 0.0, "logistic"), 10
    runs = 100 if options.quick else options.runs
    t_max = 5.0

    def follow(tolerance: float, step: float | None = None) -> FlowHistory:
        return gradient_flow(
            problem,
            m,
            tolerance=tolerance,
            step=step,
            method="runge_kutta",
            t_max=t_max,
            n_records=2,
            n_steps=1_000_000,
            n_runs=runs,
            init_scale=0.3,
            seed=0,
            n_jobs=threads,
        )

    exact = follow(1e-8, 1e-3)

    def errors(W1: np.ndarray) -> tuple[float, float]:
        """Return the median and the largest relative error of the runs."""
        reference = exact.W1[-1]
        norm = np.linalg.norm(reference, axis=(1, 2))
        error = np.linalg.norm(W1 - reference, axis=(1, 2)) / norm
        return float(np.median(error)), float(error.max())

    columns = {
        "n, d, m": (12, ""),
        "runs": (6, ""),
        "method": (30, ""),
        "seconds": (13, ".3f"),
        "ratio": (7, ",.3g"),
        "median err": (10, ".1e"),
        "worst err": (10, ".1e"),
    }
    table = Table(results, "flow", columns)
    ours = timed(partial(follow, 1e-5), 2)
    head = (f"4, 2, {m}", f"{runs}", "this library, adaptive")
    table.row(*head, ours.wall, 1.0, *errors(ours.result.W1[-1]), cpu=ours.cpu)
    for tolerance in (1e-5, 1e-7):
        peer = solve_torchdiffeq(
            problem, ours.result, t_max, method="bosh3", rtol=tolerance, atol=tolerance
        )
        if peer is None:
            table.row("", "", "torchdiffeq", "not installed", "", "", "")
            return
        head = ("", "", f"torchdiffeq bosh3, {tolerance:g}")
        ratio = peer.wall / ours.wall
        table.row(*head, peer.wall, ratio, *errors(peer.result), cpu=peer.cpu)


# ---- time to the best margin --------------------------------------------------------


def time_to_margin(options: argparse.Namespace, threads: int, results: Results) -> None:
    """Print how long runs take to a margin within 1 % of the certified optimum."""
    columns = {
        "data": (13, ""),
        "width": (5, ""),
        "runs": (4, ""),
        "seconds": (7, ".2f"),
        "reached": (7, ""),
        "worst ratio": (24, ""),
    }
    table = Table(results, "margin", columns)
    cases = {
        "pair": datasets.separable_pair(),
        "quad": datasets.separable_quad(),
        "orth. (12, 4)": datasets.orthogonally_separable(12, 4, 0),
    }
    runs, width = 20 if options.quick else 100, 20

    def follow(X: np.ndarray, y: np.ndarray, best: float) -> FlowHistory:
        return gradient_flow(
            TrainingProblem(X, y, 0.0, "logistic"),
            width,
            n_runs=runs,
            init_scale=1e-3,
            seed=0,
            method="rescaled_runge_kutta",
            t_max=200.0,
            stop_margin=0.99 * best,
            n_records=2,
            device=options.device,
            n_jobs=threads,
        )

    for name, (X, y) in cases.items():
        found = timed(partial(follow, X, y, 1 / (2 * max_margin(X, y).value)))
        history = found.result
        reached = np.flatnonzero(history.status == "margin")
        checked = reached[: 10 if options.quick else 30]
        ratios = [certify_margin(history.network(run), X, y).ratio for run in checked]
        worst = f"{min(ratios):.4f} of {len(checked)} certified"
        head = (name, width, runs, found.wall, len(reached), worst)
        table.row(*head, cpu=found.cpu, ratios=ratios)


if __name__ == "__main__":
    main()
