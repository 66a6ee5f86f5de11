r"""The convex programs that stationary networks solve.

A network's nonzero neurons choose some activation patterns and signs. Restricted to
these, training is a convex program, and stationarity of the network makes it an optimum
of one such program or another: which one depends on the ties.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import null_space

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    BoolArray,
    check_integer,
    check_number,
    check_unused,
)
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._arguments import check_network, check_problem
from convexnn_lib.problem._units import units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity._restricted_program import (
    Group,
    RestrictedOptimum,
    solve_restricted,
)
from convexnn_lib.stationarity._ties import find_ties
from convexnn_lib.training.solve import Solution, solve

__all__ = ["SubsampledProblem", "subsampled_problem"]


@dataclass(frozen=True, eq=False, repr=False)
class SubsampledProblem(ReadOnlyArrays):
    r"""The (pattern, sign) pairs of a network's nonzero neurons.

    Attributes
    ----------
    problem : convexnn_lib.TrainingProblem
        The training problem.
    patterns : (k, n) array of bool
        The patterns of the pairs; a pattern with both signs occurs twice.
    signs : (k,) array of int
        The signs of the pairs, +1 or -1.
    neurons : (s,) array of int
        The network's neurons that are nonzero in both layers.
    tied : (s, n) array of bool
        The ties of these neurons, zero rows excluded.
    active : (s, n) array of bool
        Where these neurons are positive, ties excluded.
    """

    problem: TrainingProblem
    patterns: BoolArray
    signs: np.ndarray[tuple[int], np.dtype[np.int64]]
    neurons: np.ndarray[tuple[int], np.dtype[np.intp]]
    tied: BoolArray
    active: BoolArray

    @property
    def has_ties(self) -> bool:
        """Whether a nonzero neuron has a tie."""
        return bool(self.tied.any())

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.signs)

    def __repr__(self) -> str:
        """Return the numbers of pairs and neurons."""
        return (
            f"SubsampledProblem(pairs={len(self)}, neurons={self.neurons.size}, "
            f"has_ties={self.has_ties})"
        )

    def solve(self, *, tol: float = 1e-6) -> Solution:
        r"""Solve the convex program over the patterns, with both signs.

        Parameters
        ----------
        tol : float, default 1e-6
            The relative gap, see :func:`convexnn_lib.solve`.

        Returns
        -------
        convexnn_lib.Solution
            The optimum over the cones of the distinct patterns.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the network has no nonzero neuron, so that there is no pattern.

        Notes
        -----
        Without ties, a Clarke stationary network attains this value. With ties it need
        not: at a concave kink because the program can move into the neuron's cell, at a
        convex one because it can use the other sign there.
        """
        if not len(self):
            raise InvalidDataError(
                "the network has no neuron that is nonzero in both layers, hence no "
                "pattern to solve over; its value is the loss at zero outputs."
            )
        return solve(self.problem, np.unique(self.patterns, axis=0), tol=tol)

    def solve_signed(self, *, tol: float = 1e-6) -> RestrictedOptimum:
        r"""Solve the convex program over the pairs, each with its own sign.

        .. math::

            \min_{u_k\in K_{D_k}}\;\ell\Big(\sum_ks_kD_kXu_k,\,y\Big)
            +\beta\sum_k\|u_k\|.

        Parameters
        ----------
        tol : float, default 1e-6
            The largest relative gap to accept.

        Returns
        -------
        convexnn_lib.RestrictedOptimum
            The optimum; its variables are the vectors :math:`u_k`, one a pair.

        Raises
        ------
        convexnn_lib.errors.RegularizationError
            If beta is 0.
        convexnn_lib.errors.NotSeparableError
            If no point of the program satisfies the hard margin.
        convexnn_lib.errors.SolverError
            If the gap stays above ``tol``.

        Notes
        -----
        For a differentiable loss, a directionally stationary network, such as a local
        minimum, attains this value, whichever completions of its ties the pairs hold;
        and a network that attains it over all of them is directionally stationary.
        """
        tol = check_number(tol, "tol", "(0, inf)")
        units = units_of(self.problem)
        X = units.problem.X
        nonzero = X.any(axis=1)
        groups = []
        for pattern, sign in zip(self.patterns, self.signs, strict=True):
            side = np.where(pattern[nonzero], 1.0, -1.0)
            groups.append(
                Group(float(sign) * pattern[:, None] * X, side[:, None] * X[nonzero])
            )
        optimum = solve_restricted(units.problem, groups, tol=tol)
        return optimum.in_users_units(units)

    def solve_strata(
        self, *, cones: bool = False, tol: float = 1e-6
    ) -> RestrictedOptimum:
        r"""Solve the convex program over the tie strata of the neurons, both signs.

        .. math::

            \min_{u_k,u'_k\in V_k}\;\ell\Big(\sum_kD^\circ_kX(u_k-u'_k),\,y\Big)
            +\beta\sum_k(\|u_k\|+\|u'_k\|),

        where :math:`V_k=\{u:x_i^Tu=0\text{ at the ties of neuron }k\}` and
        :math:`D^\circ_k` holds the samples with :math:`x_i^Tw_{1,k}>0`.

        Parameters
        ----------
        cones : bool, default False
            Whether to keep the signs of the other samples as constraints.
        tol : float, default 1e-6
            The largest relative gap to accept.

        Returns
        -------
        convexnn_lib.RestrictedOptimum
            The optimum; its variables are the vectors in :math:`V_k`, for each distinct
            stratum one with the positive and one with the negative sign.

        Raises
        ------
        convexnn_lib.errors.RegularizationError
            If beta is 0.
        convexnn_lib.errors.NotSeparableError
            If no point of the program satisfies the hard margin.
        convexnn_lib.errors.SolverError
            If the gap stays above ``tol``.

        Notes
        -----
        Every Clarke stationary network attains this value, with and without the cone
        constraints and whatever its ties.
        """
        tol = check_number(tol, "tol", "(0, inf)")
        units = units_of(self.problem)
        X = units.problem.X
        groups, bases = [], []
        strata = np.unique(np.hstack([self.tied, self.active]), axis=0)
        for tied, active in (np.hsplit(stratum, 2) for stratum in strata):
            # lengths do not matter to the null space, but to its rank decision
            lengths = np.linalg.norm(X[tied], axis=1, keepdims=True)
            basis = null_space(X[tied] / lengths) if tied.any() else np.eye(X.shape[1])
            others = X.any(axis=1) & ~tied
            side = np.where(active[others], 1.0, -1.0)
            cone = side[:, None] * (X[others] @ basis) if cones else basis[:0]
            for sign in (1.0, -1.0):
                groups.append(Group(sign * active[:, None] * (X @ basis), cone))
                bases.append(basis)
        optimum = solve_restricted(units.problem, groups, tol=tol)
        vectors = zip(bases, optimum.variables, strict=True)
        variables = tuple(basis @ variable for basis, variable in vectors)
        return replace(optimum, variables=variables).in_users_units(units)


def subsampled_problem(
    network: ReLUNetwork,
    problem: TrainingProblem,
    *,
    completions: bool = False,
    tie_tolerance: float = 0.0,
    max_patterns: int | None = None,
) -> SubsampledProblem:
    r"""List the (pattern, sign) pairs of a network's nonzero neurons.

    Neuron k has the pattern :math:`\mathbb 1(Xw_{1,k}\ge0)`, in which ties are True,
    and the sign of :math:`w_{2,k}`. Neurons that are zero in a layer are left out: with
    them the statements below, which correct a theorem of [1]_, are false.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    problem : convexnn_lib.TrainingProblem
        The training problem.
    completions : bool, default False
        Whether to list, in place of that one pattern, those of all open cells whose
        closures contain the neuron.
    tie_tolerance : float, default 0
        A nonzero row is tied to a neuron if
        :math:`|x_i^Tw_{1,k}|\le\text{tie\_tolerance}\,\|x_i\|\|w_{1,k}\|` plus a bound
        on the rounding error of the product.
    max_patterns : int, default 10000
        The largest number of completions of one neuron; without ``completions`` it is
        an error.

    Returns
    -------
    SubsampledProblem
        The pairs, sorted and distinct, and the programs over them.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the network has another number of features, the tolerance is out of range, or
        ``max_patterns`` is given without ``completions``.
    convexnn_lib.errors.EnumerationTooLargeError
        If a neuron has more completions than ``max_patterns``.

    Notes
    -----
    Let :math:`\beta>0`. A Clarke stationary network without ties is optimal for the
    program over its patterns with both signs
    (:meth:`~convexnn_lib.SubsampledProblem.solve`). With ties it
    is optimal over the strata
    (:meth:`~convexnn_lib.SubsampledProblem.solve_strata`). If the
    loss is differentiable, a network is directionally stationary if and only if it is
    optimal over all completions of its pairs, ``completions=True``, each with its own
    sign (:meth:`~convexnn_lib.SubsampledProblem.solve_signed`). Over only some of them
    a directionally stationary network is optimal too, but there an optimum that
    presses against the wall of its cone need not be stationary.

    References
    ----------
    .. [1] Wang, Lacotte & Pilanci (2022), `wang2022hidden`.

    Examples
    --------
    A Clarke stationary network of value 1.8125 in a concave kink: it is optimal on its
    stratum, and not over the cone of its pattern.

    >>> from convexnn_lib import ReLUNetwork, TrainingProblem
    >>> from convexnn_lib.stationarity.subsampled_problem import subsampled_problem
    >>> X = [[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]]
    >>> problem = TrainingProblem(X, [1.25, 1.0, 1.75], beta=1.0)
    >>> subsampled = subsampled_problem(ReLUNetwork([[1.0], [0.0]], [1.0]), problem)
    >>> subsampled
    SubsampledProblem(pairs=1, neurons=1, has_ties=True)
    >>> round(subsampled.solve_strata().value, 6)
    1.8125
    >>> round(subsampled.solve_signed().value, 6)
    1.781205
    """
    check_network(network)
    check_problem(problem)
    if not completions:
        check_unused({"max_patterns": max_patterns}, "without completions")
    max_patterns = check_integer(
        10_000 if max_patterns is None else max_patterns, "max_patterns", minimum=1
    )
    units = units_of(problem)
    network = units.inward(network)
    tied = find_ties(network, units.problem, tie_tolerance)
    neurons = np.flatnonzero(network.W1.any(axis=0) & (network.w2 != 0.0))
    tied = np.ascontiguousarray(tied[:, neurons].T)
    active = ((units.problem.X @ network.W1[:, neurons]).T > 0.0) & ~tied
    zero_rows = ~problem.X.any(axis=1)
    pairs: set[tuple[int, bytes]] = set()
    for k, neuron in enumerate(neurons):
        listed = (active[k] | tied[k] | zero_rows)[None]
        if completions and tied[k].any():
            cells = enumerate_patterns(
                problem.X[tied[k]], max_patterns=max_patterns
            ).patterns
            listed = np.repeat(listed, len(cells), axis=0)
            listed[:, tied[k]] = cells
        sign = int(np.sign(network.w2[neuron]))
        pairs.update((sign, row.tobytes()) for row in listed)
    ordered = sorted(pairs, reverse=True)
    return SubsampledProblem(
        problem=problem,
        patterns=np.array(
            [np.frombuffer(row, dtype=bool) for _, row in ordered], dtype=bool
        ).reshape(len(ordered), problem.n),
        signs=np.array([sign for sign, _ in ordered], dtype=np.int64),
        neurons=neurons,
        tied=tied,
        active=active,
    )
