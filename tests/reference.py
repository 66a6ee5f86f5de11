"""Small problems, and a dual norm by cone programs, shared by the tests of convex/."""

from __future__ import annotations

import itertools

import cvxpy as cp
import numpy as np
from scipy.optimize import minimize, nnls

from convexnn_lib.problem.losses import HardMargin, Hinge, Logistic, Squared
from convexnn_lib.problem.training_problem import TrainingProblem

# values of the convex program by another implementation, beta = 0.1:
# (seed, n, d), then 1/2 squared, squared, logistic, hinge, max-margin
PUBLISHED = {
    (0, 5, 2): (0.56547035, 0.6810756, 2.3548637, 1.1217633, 11.217633),
    (1, 6, 2): (0.23882110, 0.3162135, 3.0916544, 2.8727673, 32.606787),
}
LOSSES = (Squared(), Squared(scale=2.0), Logistic(), Hinge(), HardMargin())


def random_problem(seed, n, d, loss, beta=0.1):
    """Gaussian data; X, then real labels, then sign labels drawn in this order."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
    signs = np.sign(rng.standard_normal(n))
    hard = isinstance(loss, HardMargin)
    return TrainingProblem(
        X, y if loss.labels == "real" else signs, 1.0 if hard else beta, loss
    )


def dual_norm_by_cone_programs(X, lam, patterns=None):
    """The largest product over the cones of all 2^n sign vectors, attained or not."""
    n, d = X.shape
    if patterns is None:
        patterns = np.array(list(itertools.product([True, False], repeat=n)))
    best = 0.0
    variables, products, constraints = [], [], []
    for pattern in patterns:
        for sign in (1.0, -1.0):
            u = cp.Variable(d)
            signs = np.where(pattern, 1.0, -1.0)
            constraints += [cp.multiply(signs, X @ u) >= 0.0, cp.norm(u, 2) <= 1.0]
            products.append(sign * (X.T @ (pattern * lam)) @ u)
            variables.append(u)
    model = cp.Problem(cp.Maximize(cp.sum(cp.hstack(products))), constraints)
    model.solve(solver=cp.CLARABEL)
    for product in products:
        best = max(best, float(product.value))
    return best


def output_norm_by_search(X, lam, patterns=None):
    """The dual norm of several outputs: all sign vectors, and a grid of directions.

    In the cone of a pattern the best neuron for a direction of the outputs is a
    projection onto it. From each point of the grid the best neuron and its best
    outputs alternate; the highest ends are improved by a simplex search.
    """
    n, c = lam.shape
    if patterns is None:
        patterns = np.array(list(itertools.product([True, False], repeat=n)))
    walls = [(np.where(p, 1.0, -1.0)[:, None] * X).T for p in patterns]

    def neuron(v):
        v = v / np.linalg.norm(v)
        best, length = None, -1.0
        for p, wall in zip(patterns, walls, strict=True):
            force = X.T @ (p * (lam @ v))
            point = force + wall @ nnls(wall, -force)[0]
            if np.linalg.norm(point) > length:
                best, length = point, float(np.linalg.norm(point))
        return best, length

    if c == 2:
        angles = np.arange(0.0, 2.0 * np.pi, 0.15)
        ends = np.column_stack([np.cos(angles), np.sin(angles)])
    else:
        ends = np.random.default_rng(0).standard_normal((30, c))
    for _ in range(8):
        points = np.array([neuron(v)[0] for v in ends])
        better = np.maximum(points @ X.T, 0.0) @ lam
        ends = np.where(better.any(axis=1, keepdims=True), better, ends)
        ends /= np.linalg.norm(ends, axis=1, keepdims=True)
    heights = np.array([neuron(v)[1] for v in ends])
    best = float(heights.max())
    chosen = []
    for k in np.argsort(-heights):  # one of all that came to the same end
        if all(np.linalg.norm(ends[k] - ends[j]) > 1e-2 for j in chosen):
            chosen.append(k)
    for k in chosen[:4]:
        found = minimize(
            lambda v: -neuron(v)[1],
            ends[k],
            method="Nelder-Mead",
            options={"xatol": 1e-8, "fatol": 1e-13},
        )
        best = max(best, -float(found.fun))
    return best
