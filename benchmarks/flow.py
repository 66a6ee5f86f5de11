"""Gradient flow of many networks against loops over single ones, in one run.

Usage::

    python benchmarks/flow.py [--quick] [--runs RUNS] [--device DEVICE]

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
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

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
WIDTHS = [12, 14, 30, 10, 10, 10, 12]


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few steps, small sizes")
    parser.add_argument("--runs", type=int, default=1000, help="networks in the batch")
    parser.add_argument("--device", default="cpu", help='this library\'s, or "auto"')
    options = parser.parse_args()
    torch.set_num_threads(1)
    threads = os.cpu_count() or 1
    show(f"{options.runs} runs, {threads} cores, device {options.device}.")
    show("Times in seconds; ratio: peer / this library on all cores.")
    warm_up(options.device)
    compare_descent(options, threads)
    show()
    compare_flow(options, threads)
    show()
    time_to_margin(options, threads)


def show(text: str = "") -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def row(entries: list[str]) -> None:
    """Print a row of a Markdown table."""
    cells = [entry.rjust(width) for entry, width in zip(entries, WIDTHS, strict=False)]
    show("| " + " | ".join(cells) + " |")


def header(entries: list[str]) -> None:
    """Print the head of a Markdown table."""
    row(entries)
    row(["---"] * len(entries))


def timed(function: Callable[[], Any], repeat: int = 1) -> tuple[float, Any]:
    """Return the least time of a few runs and the result."""
    best = np.inf
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return best, result


def warm_up(device: str) -> None:
    """Compile the kernels and start PyTorch's machinery."""
    problem = logistic(*SIZES[0][:2])
    start = gradient_flow(problem, 3, n_runs=2, seed=0, n_steps=2, device=device)
    descend_modules(problem, start, 1e-3, 2, 1)


def logistic(n: int, d: int) -> TrainingProblem:
    """Return Gaussian data with random labels and the logistic loss."""
    return TrainingProblem(*datasets.gaussian(n, d, 0, labels="sign"), 0.0, "logistic")


# ---- gradient descent ---------------------------------------------------------------


def compare_descent(options: argparse.Namespace, threads: int) -> None:
    """Print the table of gradient descent."""
    header(["n, d, m", "steps", "method", "seconds", "ratio", "target", "largest diff"])
    for size in QUICK_SIZES if options.quick else SIZES:
        compare_descent_at(size, options, threads)


def compare_descent_at(
    size: tuple[int, int, int], options: argparse.Namespace, threads: int
) -> None:
    """Print the rows of one size."""
    n, d, m = size
    n_steps = 200 if options.quick else 1000
    some = 3 if options.quick else 10  # networks of the loop
    problem = logistic(n, d)
    step = 0.1 / np.linalg.norm(problem.X, 2) ** 2

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

    seconds, history = timed(lambda: batched(threads), 3)
    single, _ = timed(lambda: batched(1), 3)
    loop, finals = timed(lambda: descend_modules(problem, history, step, n_steps, some))
    loop *= options.runs / some
    difference = max(
        float(np.abs(W1 - history.W1[-1, run]).max())
        for run, (W1, _) in enumerate(finals)
    )
    name = f"{n}, {d}, {m}"
    row([name, f"{n_steps}", "this library, all cores", f"{seconds:.3f}", "1"])
    ratio = single / seconds
    row(["", "", "this library, one core", f"{single:.3f}", f"{ratio:.1f}"])
    ratio = loop / seconds
    met = ">= 100: " + ("yes" if ratio >= 100 else "NO")
    entries = [f"{loop:.1f}", f"{ratio:,.0f}", met, f"{difference:.1e}"]
    row(["", "", "loop over torch.nn", *entries])
    few = max(10, n_steps // 20)
    found = descend_torchdiffeq(problem, history, step, few)
    if found is None:
        row(["", "", "torchdiffeq", "not installed"])
        return
    peer, W1 = found
    short = gradient_flow(problem, initial=starts(history), step=step, n_steps=few)
    difference = float(np.abs(W1 - short.W1[-1]).max())
    peer *= n_steps / few
    entries = [f"{peer:.1f}", f"{peer / seconds:,.1f}", "–", f"{difference:.1e}"]
    row(["", "", "torchdiffeq euler", *entries])


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
) -> tuple[float, np.ndarray] | None:
    """Follow all runs as one system; return seconds and final first layers."""
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
        seconds, states = timed(lambda: odeint(slope, start, times, **options))
    final = states[-1].view(problem.d + 1, runs, m)[:-1]
    return seconds, final.permute(1, 0, 2).numpy()


def descend_torchdiffeq(
    problem: TrainingProblem, history: FlowHistory, step: float, n_steps: int
) -> tuple[float, np.ndarray] | None:
    """Take Euler steps with torchdiffeq."""
    return solve_torchdiffeq(
        problem,
        history,
        step * n_steps,
        method="euler",
        options={"step_size": step * (1 + 1e-12)},
    )


# ---- the flow -----------------------------------------------------------------------


def compare_flow(options: argparse.Namespace, threads: int) -> None:
    """Print the table of the flow at equal accuracy."""
    X, y = datasets.separable_quad()
    problem, m = TrainingProblem(X, y, 0.0, "logistic"), 10
    runs = 100 if options.quick else options.runs
    t_max = 5.0
    common = {"method": "runge_kutta", "t_max": t_max, "n_records": 2}
    common |= {"n_steps": 1_000_000, "n_runs": runs, "init_scale": 0.3, "seed": 0}
    common |= {"n_jobs": threads}
    exact = gradient_flow(problem, m, tolerance=1e-8, step=1e-3, **common)

    def errors(W1: np.ndarray) -> list[str]:
        """Return the median and the largest relative error of the runs."""
        reference = exact.W1[-1]
        norm = np.linalg.norm(reference, axis=(1, 2))
        error = np.linalg.norm(W1 - reference, axis=(1, 2)) / norm
        return [f"{np.median(error):.1e}", f"{error.max():.1e}"]

    header(["n, d, m", "runs", "method", "seconds", "ratio", "median err", "worst err"])
    seconds, history = timed(
        lambda: gradient_flow(problem, m, tolerance=1e-5, **common), 2
    )
    entries = [f"{seconds:.3f}", "1", *errors(history.W1[-1])]
    row([f"4, 2, {m}", f"{runs}", "this library, adaptive", *entries])
    for tolerance in (1e-5, 1e-7):
        found = solve_torchdiffeq(
            problem, history, t_max, method="bosh3", rtol=tolerance, atol=tolerance
        )
        if found is None:
            row(["", "", "torchdiffeq", "not installed"])
            return
        peer, W1 = found
        entries = [f"{peer:.3f}", f"{peer / seconds:,.1f}", *errors(W1)]
        row(["", "", f"torchdiffeq bosh3, {tolerance:g}", *entries])


# ---- time to the best margin --------------------------------------------------------


def time_to_margin(options: argparse.Namespace, threads: int) -> None:
    """Print how long runs take to a margin within 1 % of the certified optimum."""
    header(["data", "width", "runs", "seconds", "reached", "worst ratio"])
    cases = {
        "pair": datasets.separable_pair(),
        "quad": datasets.separable_quad(),
        "orth. (12, 4)": datasets.orthogonally_separable(12, 4, 0),
    }
    runs = 20 if options.quick else 100
    for name, (X, y) in cases.items():
        best = 1 / (2 * max_margin(X, y).value)
        seconds, history = timed(
            lambda X=X, y=y, best=best: gradient_flow(
                TrainingProblem(X, y, 0.0, "logistic"),
                20,
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
        )
        reached = np.flatnonzero(history.status == "margin")
        checked = reached[: 10 if options.quick else 30]
        ratios = [certify_margin(history.network(run), X, y).ratio for run in checked]
        worst = f"{min(ratios):.4f} of {len(checked)} certified"
        row([name, "20", f"{runs}", f"{seconds:.2f}", f"{len(reached)}", worst])


if __name__ == "__main__":
    main()
