"""Problems and short runs that the tests of gradient flow share."""

from __future__ import annotations

import itertools

import numpy as np

from convexnn_lib import datasets
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.problem.training_problem import TrainingProblem

LOG2 = np.log(2.0)


def numpy_descent(problem, W1, w2, step, n_steps):
    """Gradient descent in NumPy, with the loss's own gradient."""
    for _ in range(n_steps):
        inputs = problem.X @ W1
        g = problem.loss.gradient(np.maximum(inputs, 0) @ w2, problem.y)
        slope1 = problem.X.T @ (g[:, None] * (inputs > 0) * w2) + problem.beta * W1
        slope2 = np.maximum(inputs, 0).T @ g + problem.beta * w2
        W1, w2 = W1 - step * slope1, w2 - step * slope2
    return W1, w2


def separable_problem(name):
    return TrainingProblem(*getattr(datasets, name)(), 0.0, "logistic")


LOSSES_AND_METHODS = [
    *itertools.product(["squared", "logistic", "hinge"], ["euler", "runge_kutta"]),
    ("logistic", "rescaled"),
    ("logistic", "rescaled_runge_kutta"),
]


def short_runs(loss, method, **options):
    """Runs on two problems, for comparisons to rounding."""
    X, y = datasets.separable_quad()
    problems = [TrainingProblem(scale * X, y, 0.0, loss) for scale in (1.0, 0.6)]
    options = {"n_runs": 50, "seed": 0, "init_scale": 0.3, "method": method} | options
    return gradient_flow(problems, 6, t_max=2.0, step=0.01, **options)
