"""The global optimum as a function of the regularization strength."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from convexnn_lib._read_only import ReadOnlyArrays, read_only
from convexnn_lib._validation import (
    ArrayLike,
    FloatArray,
    as_float_array,
    check_integer,
    check_unused,
)
from convexnn_lib.certificates.dual_norm import beta_max
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.problem._arguments import check_problem
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import Solution, solve

__all__ = ["SolutionPath", "solution_path"]

_LEAST = 1e-3  # the least beta of the default grid, relative to beta_max


@dataclass(frozen=True, eq=False, repr=False)
class SolutionPath(ReadOnlyArrays):
    """Global optima for falling regularization strengths.

    Attributes
    ----------
    betas : (k,) array
        The regularization strengths, in falling order.
    solutions : tuple of convexnn_lib.Solution
        The certified optimum for each.
    beta_max : float
        The least strength for which the zero network is optimal.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem, solution_path
    >>> problem = TrainingProblem([[1.0, 0.0], [0.0, 1.0]], [3.0, 4.0], beta=1.0)
    >>> path = solution_path(problem, [6.0, 5.0, 1.0])
    >>> path
    SolutionPath(beta_max=5, 3 optima)
    ...
    >>> path.values.round(9), path.widths
    (array([12.5, 12.5,  4.5]), array([0, 0, 1]))
    """

    betas: FloatArray
    solutions: tuple[Solution, ...]
    beta_max: float

    @property
    def values(self) -> FloatArray:
        """The optimal objective for each beta, a (k,) array."""
        return read_only(np.array([found.value for found in self.solutions]))

    @property
    def widths(self) -> Any:
        """The number of neurons of each optimum, a (k,) array of int."""
        return read_only(np.array([found.network.width for found in self.solutions]))

    @property
    def relative_gaps(self) -> FloatArray:
        """The certified relative gap of each optimum, a (k,) array."""
        gaps = [solution.certificate.relative_gap for solution in self.solutions]
        return read_only(np.array(gaps))

    def __len__(self) -> int:
        """Return the number of strengths."""
        return len(self.solutions)

    def __iter__(self) -> Iterator[Solution]:
        """Iterate over the optima."""
        return iter(self.solutions)

    def __getitem__(self, index: int) -> Solution:
        """Return the optimum for one strength."""
        return self.solutions[index]

    def __repr__(self) -> str:
        """Return a table with one line for each strength."""
        lines = [
            f"SolutionPath(beta_max={self.beta_max:.6g}, {len(self)} optima)",
            "    beta    value  neurons  relative gap",
        ]
        for beta, solution in zip(self.betas, self.solutions, strict=True):
            lines.append(
                f"{beta:8.4g} {solution.value:8.6g} {solution.network.width:8d} "
                f"{solution.certificate.relative_gap:13.2g}"
            )
        return "\n".join(lines)


def solution_path(
    problem: TrainingProblem,
    betas: ArrayLike | None = None,
    *,
    n_betas: int | None = None,
    tol: float = 1e-6,
    progress: bool = False,
) -> SolutionPath:
    r"""Train to the global optimum for many regularization strengths.

    For each :math:`\beta` of a grid, from the largest to the smallest,

    .. math::

        p(\beta)=\min_{W_1,w_2}\;\ell\big((XW_1)_+w_2,\,y\big)
        +\tfrac\beta2\big(\|W_1\|_F^2+\|w_2\|_2^2\big)

    over networks of any width; each optimum starts the search for the next one.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The data and the loss; its ``beta`` plays no role.
    betas : (k,) array, optional
        The strengths, in any order. By default a geometric grid from
        :math:`\beta_{\max}` down to a thousandth of it.
    n_betas : int, default 20
        The number of strengths of the default grid; with ``betas`` it is an error.
    tol : float, default 1e-6
        The relative gap to certify for each.
    progress : bool, default False
        Whether to print a line for each optimum.

    Returns
    -------
    convexnn_lib.SolutionPath
        The certified optima.

    Raises
    ------
    convexnn_lib.errors.RegularizationError
        If the loss is the hard margin, a strength is not positive, or there is no
        default grid because the zero network is optimal for every strength.
    convexnn_lib.errors.InvalidDataError
        If ``betas`` is not a non-empty vector of finite numbers, or ``n_betas`` is not
        an integer of at least 2, or both are given.

    Warns
    -----
    convexnn_lib.errors.GapWarning
        If ``tol`` was not reached for some strength, or there are too many activation
        patterns to list: then the default grid begins at an upper bound on
        :math:`\beta_{\max}`, and each certificate says how it bounds the optimum.

    Notes
    -----
    :math:`\beta_{\max}=\max_{\|u\|\le1}|\nabla\ell(0,y)^T(Xu)_+|` is the dual norm of
    the gradient at the zero network (:func:`convexnn_lib.beta_max`). The value
    :math:`p(\beta)` is concave and nondecreasing, for it is an infimum of affine
    nondecreasing functions of :math:`\beta`, one for each network.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import TrainingProblem, solution_path
    >>> problem = TrainingProblem(np.eye(2), [3.0, 4.0], beta=1.0)
    >>> path = solution_path(problem, n_betas=3)
    >>> path.betas.round(9), path.widths
    (array([5.        , 0.15811388, 0.005     ]), array([0, 1, 1]))
    """
    check_problem(problem)
    if problem.loss.is_constraint:
        raise RegularizationError(
            "the hard margin has no regularization path: its optimal networks do not "
            "depend on beta. Use the hinge loss."
        )
    if betas is not None:
        check_unused({"n_betas": n_betas}, "beside betas")
    n_betas = check_integer(20 if n_betas is None else n_betas, "n_betas", minimum=2)
    grid = None if betas is None else _checked(betas)
    largest = beta_max(problem)
    if grid is None:
        if largest == 0.0:
            raise RegularizationError(
                "the zero network is optimal for every beta, so that there is no grid "
                "to start from; give betas."
            )
        grid = largest * np.geomspace(1.0, _LEAST, n_betas)
    solutions: list[Solution] = []
    for beta in grid:
        current = TrainingProblem(problem.X, problem.y, float(beta), problem.loss)
        start = solutions[-1].network if solutions else None
        solutions.append(solve(current, tol=tol, start=start))
        if progress:
            tqdm.write(f"beta = {beta:.4g}: {solutions[-1]}")
    return SolutionPath(grid, tuple(solutions), largest)


def _checked(betas: ArrayLike) -> FloatArray:
    """Return the strengths in falling order."""
    grid = as_float_array(betas, "betas")
    if grid.ndim != 1 or not grid.size:
        raise InvalidDataError(
            f"betas must be a non-empty vector, got shape {grid.shape}."
        )
    if not np.all(grid > 0.0):
        raise RegularizationError(
            f"every beta must be positive, got {grid[grid <= 0.0][0]}."
        )
    return np.sort(grid)[::-1]
