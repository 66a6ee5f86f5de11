r"""All global optima of a training problem: the optimal polytope."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from convexnn_lib._validation import (
    FloatArray,
    Seed,
    as_vector,
    check_integer,
    check_unused,
    random_generator,
)
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.optima._optimal_face import optimal_face
from convexnn_lib.optima._optimal_polytope import OptimalPolytope
from convexnn_lib.optima._polytope import random_vertex
from convexnn_lib.optima._tolerances import NO_POINT
from convexnn_lib.optima.membership import Membership, membership
from convexnn_lib.optima.optimal_path import (
    OptimalPath,
    Placement,
    lift_first,
    routes,
    sample_segments,
)
from convexnn_lib.problem._arguments import check_network, check_problem
from convexnn_lib.problem._units import units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.training._solution_argument import check_solution
from convexnn_lib.training.solve import Solution

__all__ = ["OptimalSet"]


class OptimalSet(OptimalPolytope):
    r"""The set of all globally optimal networks, as a polytope.

    For an optimal dual point :math:`\lambda^*` let
    :math:`(u_1,s_1),\dots,(u_N,s_N)` be all unit neurons with
    :math:`s_j\lambda^{*T}(Xu_j)_+=\beta`, and :math:`a_j=s_j(Xu_j)_+` their features. A
    network is a global optimum if and only if it is balanced, each of its nonzero
    neurons is a positive multiple of :math:`(u_j,s_j)` for some j, and the coefficients
    :math:`c_j=\sum_k|w_{2,k}|\|w_{1,k}\|`, summed over the neurons along
    :math:`u_j` of sign :math:`s_j`, lie in

    .. math:: P=\{c\ge0:\ Ac=z^*\},\qquad A=(a_1,\dots,a_N),

    where :math:`z^*` is the fit, unique for a strictly convex loss. So the optimal
    networks of width m are the splittings of the points of P into at most m neurons,
    and their permutations. For the hinge loss, the hard margin and losses that are
    linear somewhere the equation is replaced by what goes with :math:`\lambda^*` (see
    Notes).

    Parameters
    ----------
    solution : convexnn_lib.Solution
        A solution of the problem. If it has a scope of given patterns, so has the
        optimal set; and so it has where ``solve`` chose the patterns, since all of them
        were too many to search (``solution.restricted``).
    tolerance : float, default 1e-9
        A neuron belongs to the set if :math:`s\lambda^{*T}(Xu)_+` is at least
        (1 - tolerance) :math:`\beta` for the solution's dual point. ``separation`` says
        how clear that was.
    max_vertices : int, default 10_000
        The largest number of vertices to list.

    Attributes
    ----------
    problem : convexnn_lib.TrainingProblem
        The problem.
    solution : convexnn_lib.Solution
        The solution.
    directions : (N, d) array
        The unit vectors :math:`u_j`.
    signs : (N,) array
        The signs :math:`s_j` of the second layer.
    features : (n, N) array
        The matrix A.
    dual : (n,) array
        The dual point.
    separation : float
        By how much, relative to beta, the next best pattern and sign misses being one
        of the neurons, at most 0.01. If it is not far above ``tolerance``, the list of
        neurons is in doubt.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the solution is no optimum up to ``tolerance``, or the loss is neither
        differentiable nor strictly convex nor a margin loss.
    convexnn_lib.errors.EnumerationTooLargeError
        If there are too many activation patterns or, when they are first asked for,
        more than ``max_vertices`` vertices.

    Notes
    -----
    *Proof.* Let a network have unit neurons :math:`(\hat w_k,s_k)`, coefficients
    :math:`c_k=|w_{2,k}|\|w_{1,k}\|` and outputs z. Since
    :math:`p^*=-\ell^*(-\lambda^*)` and :math:`z=\sum_kc_ks_k(X\hat w_k)_+`,

    .. math::

        \ell(z)+\beta\sum_kc_k-p^*=
        \big[\ell(z)+\ell^*(-\lambda^*)+\lambda^{*T}z\big]
        +\sum_kc_k\big(\beta-s_k\lambda^{*T}(X\hat w_k)_+\big).

    The penalty is at least :math:`\sum_kc_k`, with equality if and only if every neuron
    is balanced. No term on the right is negative. So the network is optimal if and only
    if it is balanced, its neurons with :math:`c_k>0` touch beta, and
    :math:`-\lambda^*\in\partial\ell(z)`. This holds for every optimal
    :math:`\lambda^*`; none has to be singled out. For a strictly convex loss the last
    condition is :math:`z=z^*`. With :math:`\alpha=y\odot\lambda^*` it reads, for the
    hinge loss, :math:`y_iz_i\ge1` where :math:`\alpha_i=0`, :math:`y_iz_i\le1` where
    :math:`\alpha_i=1` and :math:`y_iz_i=1` in between; for the hard margin,
    :math:`y_iz_i\ge1` where :math:`\alpha_i=0` and :math:`y_iz_i=1` elsewhere. Another
    margin loss has its slack cost in place of 1 as the upper bound of
    :math:`\alpha_i`. A differentiable loss has the intervals of outputs on which its
    derivative is :math:`-\lambda_i`. The penalty bounds P.

    A vector on a common face of several cones is one neuron here, while the convex
    program has one optimum for each way to assign it to cones. Vertices of P and
    optimal networks without a proper subset of directions that suffices are the same
    for a unique fit: then their features are independent, and there are at most n
    [1]_, [2]_.

    *Numerical decisions.* Which neurons touch beta: ``tolerance``. Directions of one
    sign at most 1e-6 apart are one. Multipliers within 1e-6 of an end of their interval
    lie on it. Singular values, and coefficients of vertices, of at most 1e-9 of the
    largest are zero (1e-8 for the dimension). For the hinge loss and the hard margin
    the solver's dual point is first moved by Newton's method onto the equations that
    its touching neurons give.

    References
    ----------
    .. [1] Wang, Lacotte & Pilanci (2022), `wang2022hidden`.
    .. [2] Mishkin & Pilanci (2023), `mishkin2023optimal`.

    Examples
    --------
    Two unit samples at 120 degrees: one neuron along the bisector is as good as two
    along the samples.

    >>> import numpy as np
    >>> from convexnn_lib import OptimalSet, TrainingProblem, solve
    >>> X = [[np.sqrt(3) / 2, 0.5], [-np.sqrt(3) / 2, 0.5]]
    >>> optima = OptimalSet(solve(TrainingProblem(X, [1.0, 1.0], beta=0.25)))
    >>> optima
    OptimalSet(value=0.4375, dimension=1, directions=3)
    >>> optima.vertices.round(9)
    array([[0.  , 1.5 , 0.  ],
           [0.75, 0.  , 0.75]])
    >>> [optima.connectivity(m).components for m in (1, 2, 3)]
    [1, 3, 1]
    """

    def __init__(
        self, solution: Solution, *, tolerance: float = 1e-9, max_vertices: int = 10_000
    ) -> None:
        check_solution(solution, "solution")
        check_problem(solution.problem)
        max_vertices = check_integer(max_vertices, "max_vertices", minimum=1)
        units = units_of(solution.problem)
        inner = solution.in_users_units(units.problem, units.inverse)
        super().__init__(optimal_face(inner, tolerance), units, max_vertices)
        self.solution = solution
        self.problem = solution.problem
        self.separation = 1.0 - self._face.neurons.next_value / inner.problem.beta

    def __repr__(self) -> str:
        """Return the value, the dimension, the number of directions, and a scope."""
        narrow = "" if self.scope == "all patterns" else f", scope={self.scope!r}"
        return (
            f"OptimalSet(value={self.value:.10g}, dimension={self.dimension}, "
            f"directions={len(self.signs)}{narrow})"
        )

    @property
    def scope(self) -> str:
        """Whether these are the optima over all patterns, or over those searched."""
        return (self.solution.restricted or self.solution.certificate).scope

    @cached_property
    def value(self) -> float:
        """The optimal value, that of one point of the set."""
        point = self._face.point * self._units.coefficients
        return self.problem.objective(self.network(point))

    @property
    def vertex_networks(self) -> tuple[ReLUNetwork, ...]:
        """The networks of the vertices, one neuron for each direction."""
        return tuple(self.network(c) for c in self.vertices)

    @property
    def minimal_networks(self) -> tuple[ReLUNetwork, ...]:
        """All optimal networks of width ``min_width``, up to permutations."""
        return self.vertex_networks[: int(np.sum(self._sizes == self.min_width))]

    def network(
        self, coefficients: Any, *, width: int | None = None, seed: Seed | None = None
    ) -> ReLUNetwork:
        """Return an optimal network of a point of the polytope.

        Parameters
        ----------
        coefficients : (N,) array
            A point of P.
        width : int, optional
            Split the neurons at random into this many, and permute them. By default
            there is one neuron for each nonzero coefficient.
        seed : int or numpy.random.Generator
            Seed of the splitting; needed if ``width`` is given, and an error if not.

        Returns
        -------
        convexnn_lib.ReLUNetwork
            The network.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the coefficients are no point of P, the width is too small, or there is
            one of ``width`` and ``seed`` without the other.
        """
        c = as_vector(coefficients, len(self.signs), "coefficients")
        c = c / self._units.coefficients
        misfit = self._face.misfit(c)
        if np.any(c < 0.0) or misfit > NO_POINT * self._face.size(c):
            raise InvalidDataError(
                "the coefficients are no point of the optimal polytope: the least is "
                f"{c.min(initial=0.0) * self._units.coefficients:.3g}, and the outputs "
                f"are {misfit * self._units.outputs:.3g} away from optimal ones."
            )
        used = np.flatnonzero(c)
        if width is None:
            check_unused({"seed": seed}, "without width")
            return self._placed(used, c[used])
        width = check_integer(width, "width", minimum=len(used))
        return self._placed(*Placement.split(c, width, random_generator(seed)))

    def sample(self, seed: Seed, *, width: int | None = None) -> ReLUNetwork:
        """Return a random optimal network.

        Parameters
        ----------
        seed : int or numpy.random.Generator
            The seed.
        width : int, optional
            Split the neurons at random into this many, and permute them.

        Returns
        -------
        convexnn_lib.ReLUNetwork
            The network of a random convex combination of vertices, each the cheapest
            for a random cost. The distribution on P is not uniform.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the width is too small for the point drawn.
        """
        generator = random_generator(seed)
        columns, target = self._face.columns, self._face.target
        count = 2 * (self.dimension + 1)
        vertices = [random_vertex(columns, target, generator) for _ in range(count)]
        point = generator.dirichlet(np.ones(count)) @ np.array(vertices)
        point = point[: len(self.signs)] * self._units.coefficients
        return self.network(
            point, width=width, seed=None if width is None else generator
        )

    def contains(self, network: ReLUNetwork, *, tolerance: float = 1e-6) -> Membership:
        """Tell whether a network is a global optimum, which one, and why not.

        Parameters
        ----------
        network : convexnn_lib.ReLUNetwork
            A network of any width.
        tolerance : float, default 1e-6
            The tolerance, relative to the weights of a neuron for balance, in radians
            for directions, and relative to the outputs (for margins: absolute) for the
            fit. Neurons with weights smaller than the largest by this factor are zero.

        Returns
        -------
        convexnn_lib.Membership
            True or False, with the reason and the point of the polytope.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the network has another number of features, or ``tolerance`` is not in
            (0, 1).

        Examples
        --------
        >>> from convexnn_lib import OptimalSet, ReLUNetwork, TrainingProblem, solve
        >>> optima = OptimalSet(solve(TrainingProblem([[1.0]], [1.0], beta=0.5)))
        >>> optima.contains(ReLUNetwork([[0.5, 0.5]], [0.5, 0.5])).coefficients
        array([0.5])
        >>> optima.contains(ReLUNetwork([[1.0]], [0.5])).failure
        'balance'
        """
        return membership(network, self._units, self._face, self.value, tolerance)

    def path(
        self,
        start: ReLUNetwork,
        end: ReLUNetwork,
        *,
        n_points: int = 100,
        width: int | None = None,
    ) -> OptimalPath:
        """Return a path of optimal networks from one optimum to another.

        Parameters
        ----------
        start, end : convexnn_lib.ReLUNetwork
            Two global optima.
        n_points : int, default 100
            The number of samples to aim at; corners are sampled besides.
        width : int, optional
            The width m of all networks on the path, at least those of the ends, which
            get zero neurons up to it. With n + 1 there always is a path. By default m
            is large enough for a straight segment of the polytope.

        Returns
        -------
        convexnn_lib.OptimalPath
            The samples with their points of the polytope and their objectives.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If an end is no optimum, the width is too small for the ends, or the ends
            lie in different components of the optimal networks of this width.

        Notes
        -----
        Parts of a direction are merged, a segment leads to a vertex on the smallest
        face, edges with at most m nonzero coefficients to the vertex of the other end,
        and an empty place lets the neurons change places where the fewest are nonzero.
        If that fails, there is no path: see :meth:`connectivity`.
        """
        n_points = check_integer(n_points, "n_points", minimum=2)
        first, last = self._placement(start, "start"), self._placement(end, "end")
        size = len(self.signs)
        ends = first.coefficients(size), last.coefficients(size)
        least = max(start.width, end.width)
        if width is None:
            joint = int(np.count_nonzero(ends[0] + ends[1]))
            turn = min(int(np.count_nonzero(c)) for c in ends)
            width = max(least, joint, turn + 1)
        width = check_integer(width, "width", minimum=least)
        segments = lift_first(
            first.padded(width),
            last.padded(width),
            routes(lambda: (self._points[:, :size], self.edges), *ends, width),
        )
        if segments is None:
            raise InvalidDataError(
                f"no path of optimal networks of width {width} joins the two: they lie "
                f"in different components, see connectivity({width}). From the width "
                f"{self.connected_width} on there is one."
            )
        samples = [Placement(*pair) for pair in sample_segments(segments, n_points)]
        networks = tuple(self._placed(*sample) for sample in samples)
        return OptimalPath(
            networks,
            np.array([sample.coefficients(size) for sample in samples])
            * self._units.coefficients,
            np.array([self.problem.objective(network) for network in networks]),
            self.value,
        )

    def _placement(self, network: ReLUNetwork, name: str) -> Placement:
        """Return the directions and coefficients of the neurons of an optimum."""
        check_network(network, name)
        found, network = self.contains(network), self._units.inward(network)
        if not found:
            raise InvalidDataError(f"{name} is no global optimum: {found.reason}.")
        amounts = np.linalg.norm(network.W1, axis=0) * np.abs(network.w2)
        return Placement(found.labels, np.where(found.labels >= 0, amounts, 0.0))

    def _placed(self, labels: npt.NDArray[np.intp], amounts: FloatArray) -> ReLUNetwork:
        """Return the network of coefficients in units of order one."""
        units = np.vstack([self.directions, np.zeros(self.problem.d)])
        signs = np.append(self.signs, 0.0)
        root = np.sqrt(amounts)
        network = ReLUNetwork(units[labels].T * root, signs[labels] * root)
        return self._units.outward(network)
