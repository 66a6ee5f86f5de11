"""The problems that several exercises share."""

from __future__ import annotations

import numpy as np

from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["SAMPLES", "TOLERANCE", "convex_kink"]

TOLERANCE = 1e-6  # relative, of answers computed by hand or by a solver
SAMPLES = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]])
SAMPLES.flags.writeable = False


def convex_kink() -> TrainingProblem:
    """Return the chapter's problem of the convex kink."""
    return TrainingProblem(SAMPLES, [1.7, -4.0, 1.3], beta=1.0)
