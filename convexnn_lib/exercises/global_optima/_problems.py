"""The problems of the exercises on all global optima, each solved once."""

from __future__ import annotations

from functools import cache

import numpy as np

from convexnn_lib import datasets
from convexnn_lib.optima.optimal_set import OptimalSet
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import Solution, solve

__all__ = ["clock", "pair", "square", "talk"]


@cache
def talk() -> Solution:
    """Solve the problem of the talk's samples."""
    X, y = datasets.talk_example()
    return solve(TrainingProblem(X, y, beta=0.1))


@cache
def pair(degrees: float) -> Solution:
    """Solve the problem of two unit samples at an angle, both with the label 1."""
    half = np.radians(degrees) / 2.0
    X = [[-np.sin(half), np.cos(half)], [np.sin(half), np.cos(half)]]
    return solve(TrainingProblem(X, [1.0, 1.0], beta=0.25))


@cache
def orthonormal_samples() -> Solution:
    """Solve the problem of three orthonormal samples."""
    return solve(TrainingProblem(np.eye(3), [3.0, 4.0, -2.0], beta=1.0))


@cache
def square() -> Solution:
    """Solve the problem of two such pairs in orthogonal planes, of opposite labels."""
    X = np.kron(np.eye(2), pair(120.0).problem.X)
    return solve(TrainingProblem(X, [1.0, 1.0, -1.0, -1.0], beta=0.25))


@cache
def clock() -> OptimalSet:
    """Return the optima of the corners of a regular 12-gon."""
    angles = np.pi / 6.0 * np.arange(12)
    corners = np.column_stack([np.cos(angles), np.sin(angles)])
    return OptimalSet(solve(TrainingProblem(corners, np.ones(12), beta=0.1)))
