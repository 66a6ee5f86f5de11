"""An argument that would change nothing beside the others is an error that names it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import convexnn_lib
from convexnn_lib import (
    OptimalSet,
    ReLUNetwork,
    TrainingProblem,
    datasets,
    gradient_flow,
    gradient_flow_ensemble,
    max_margin,
    solution_path,
    solve,
    subsampled_problem,
)
from convexnn_lib.errors import ConvexNNError

X, Y = datasets.talk_example()
PROBLEM = TrainingProblem(X, Y, 0.1)
NETWORK = ReLUNetwork(np.eye(2), [1.0, -1.0])
CONSTANT = ("euler", "descent", "rescaled")
LOGISTIC = TrainingProblem(*datasets.separable_pair(), 0.0, "logistic")


def flow(**options: Any) -> Any:
    return gradient_flow(LOGISTIC, **options)


def random_flow(**options: Any) -> Any:
    return gradient_flow(LOGISTIC, 2, seed=0, **options)


# what is called, the arguments that are right by themselves, and the one too many;
# each is given its usual value, so that nothing can be told from the value
CASES: list[tuple[Callable[..., Any], dict[str, Any], dict[str, Any]]] = [
    *(
        (flow, {"initial": NETWORK, "n_steps": 3}, {name: value})
        for name, value in [
            ("width", 2),
            ("n_runs", 1),
            ("init_scale", 1e-2),
            ("seed", 0),
            ("init", "balanced"),
        ]
    ),
    *(
        (random_flow, {"method": method, "n_steps": 3}, {"tolerance": 1e-4})
        for method in CONSTANT
    ),
    *(
        (random_flow, {"method": method, "t_max": 0.1}, {"n_steps": 10_000})
        for method in CONSTANT
    ),
    (random_flow, {"n_steps": 3, "record_times": [0.1]}, {"n_records": 100}),
    (
        random_flow,
        {"method": "runge_kutta", "t_max": 0.1, "record_times": [0.1]},
        {"n_records": 100},
    ),
    (solution_path, {"problem": PROBLEM, "betas": [0.1]}, {"n_betas": 20}),
    (datasets.load, {"name": "iris"}, {"seed": 0}),
    *(
        (solve, {"problem": PROBLEM, "method": "cvxpy"}, {name: value})
        for name, value in [
            ("max_rounds", 200),
            ("start", NETWORK),
            ("callback", print),
        ]
    ),
    (
        max_margin,
        dict(zip("Xy", datasets.separable_pair(), strict=True)) | {"method": "cvxpy"},
        {"max_rounds": 200},
    ),
    (
        subsampled_problem,
        {"network": NETWORK, "problem": PROBLEM},
        {"max_patterns": 10_000},
    ),
]


@pytest.mark.parametrize(("call", "right", "more"), CASES)
def test_an_argument_that_would_change_nothing(
    call: Callable[..., Any], right: dict[str, Any], more: dict[str, Any]
) -> None:
    if call is datasets.load:
        pytest.importorskip("sklearn")
    if right.get("method") == "cvxpy":
        pytest.importorskip("cvxpy")
    call(**right)
    (name,) = more
    with pytest.raises(ConvexNNError, match=f"^{name} would change nothing .* leave"):
        call(**right, **more)


def test_several_of_them_are_named() -> None:
    with pytest.raises(
        ConvexNNError, match=r"^n_runs and init would .* leave them out"
    ):
        flow(initial=NETWORK, n_runs=3, init="gaussian")


def test_a_seed_without_a_width() -> None:
    optima = OptimalSet(solve(PROBLEM))
    point = optima.vertices[0]
    assert optima.network(point).width <= optima.network(point, width=9, seed=0).width
    with pytest.raises(
        ConvexNNError, match=r"^seed would change nothing without width"
    ):
        optima.network(point, seed=0)
    assert optima.sample(0).width <= 9


def test_of_an_ensemble() -> None:
    pytest.importorskip("joblib")
    options: dict[str, Any] = {"n_runs": 2, "seed": 0, "n_steps": 3}
    assert len(gradient_flow_ensemble(LOGISTIC, 2, **options)) == 1
    with pytest.raises(ConvexNNError, match=r"^tolerance would change nothing"):
        gradient_flow_ensemble(LOGISTIC, 2, **options, tolerance=1e-4)


def test_what_a_figure_would_leave_out() -> None:
    pytest.importorskip("matplotlib")
    from convexnn_lib.plotting import arrangements, convex, landscape, optimal_set

    listed = convexnn_lib.enumerate_patterns(X)
    for draw in (arrangements.plot_cones, arrangements.plot_zonotopes):
        for titles in (("a", "b"), ("a", "b", "c")):
            with pytest.raises(ConvexNNError, match=r"titles has \d entries for 1"):
                draw(listed, titles=titles)
    runs = {str(k): [1.0, 2.0] for k in range(9)}
    with pytest.raises(ConvexNNError, match="up to 8 groups of runs, got 9"):
        convex.plot_gaps(runs, 0.5)
    with pytest.raises(ConvexNNError, match="they must be the same"):
        convex.plot_gaps({"a": [1.0]}, 0.5, own={"b": [0.4]})
    found = convexnn_lib.find_stationary_points(PROBLEM, 1, n_starts=1, seed=0)
    with pytest.raises(ConvexNNError, match="missed has 2 entries for 1 searches"):
        landscape.plot_stationary_points([found], [(), ()])
    line = TrainingProblem([[-1.0, 1.0], [1.0, 1.0]], [1.0, 1.0], 0.1)
    optima = OptimalSet(solve(line))
    with pytest.raises(ConvexNNError, match="vertices to draw as lines, got 40 names"):
        optimal_set.plot_optimal_functions(optima, X[:, 0], names=["name"] * 40)


# what the optional arguments of public functions that are not refused above act on:
# each of them counts beside every other one
COUNTS = {
    "certify": ["patterns", "dual", "tol"],
    "certify_parallel": ["max_configurations"],
    "clarke_residual": ["tolerance", "tie_tolerance", "max_patterns"],
    "classify_stationary": ["dual", "tolerance", "tie_tolerance"],
    "deep_linear_values": ["depth"],
    "descent_path": ["solution", "width", "n_points"],
    "directional_derivative": ["tie_tolerance"],
    "dual_bound": ["target", "time_limit", "gap", "progress"],
    "enumerate_patterns": ["closed", "max_patterns", "n_jobs", "progress"],
    "find_stationary_points": ["n_starts", "escape", "solution"],
    "gradient_flow": [
        "initial",
        "method",
        "step",
        "t_max",
        "stop_log_loss",
        "stop_gradient",
        "stop_margin",
        "record_times",
        "device",
        "n_jobs",  # refused on a GPU: tests/flow/test_backends.py
        "progress",
    ],
    "gradient_flow_ensemble": ["summarize", "batch_size", "n_jobs"],
    "hull_gauge": ["tol"],
    "kkt_residual": ["tolerance"],
    "max_cut": ["weights"],
    "max_cut_data": ["weights"],
    "output_norm": ["patterns", "target", "gap", "max_norms", "deadline"],
    "solution_path": ["betas", "tol", "progress"],
    "solve": ["patterns", "method", "tol", "progress", "time_limit"],
    "solve_gated": ["tol"],
    "solve_parallel": ["width", "tol", "max_configurations"],
    "solve_with_constant": ["patterns", "tol"],
    "stationarity_test": ["beta"],
    "subsampled_problem": ["completions", "tie_tolerance"],
    "train_deep_linear": [
        "depth",
        "branches",
        "n_runs",
        "init_scale",
        "step",
        "n_steps",
    ],
    "train_parallel": ["width", "n_runs", "init_scale", "step", "n_steps"],
}


def test_each_optional_argument_is_looked_at() -> None:
    """A new one stands here, or above where it is refused."""
    refused: dict[str, set[str]] = {}
    for call, _, more in CASES:
        if call is max_margin:  # hands its arguments to solve
            continue
        name = "gradient_flow" if call in (flow, random_flow) else call.__name__
        refused.setdefault(name, set()).update(more)
    for name in sorted(convexnn_lib.__all__):
        public = getattr(convexnn_lib, name)
        if inspect.isfunction(public):
            optional = {
                argument.name
                for argument in inspect.signature(public).parameters.values()
                if argument.default is not argument.empty
            }
            assert optional == refused.get(name, set()) | set(COUNTS.get(name, [])), (
                name
            )
