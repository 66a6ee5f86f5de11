r"""Graphs as data: what is hard about counting, certifying and testing.

A graph becomes a data matrix, and a question about the graph, known to be hard, becomes
one that this library answers: how many cells an arrangement has, what a dual norm is,
whether a network is stationary. The reductions are polynomial, so that no algorithm for
these questions is, unless P = NP; the certified answers solve the graph's question.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    FloatArray,
    as_vector,
    check_integer,
    check_number,
)
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = [
    "MaxCut",
    "graph_arrangement",
    "max_cut",
    "max_cut_data",
    "stationarity_test",
]

Edges = Iterable[tuple[int, int]]
_LAST_VERTEX = 2**31 - 1  # every vertex is a column: more of them fit into no memory


@dataclass(frozen=True, eq=False, repr=False)
class MaxCut(ReadOnlyArrays):
    """A cut of a graph, and how much larger another one could be.

    Attributes
    ----------
    side : (n_vertices,) array of bool
        The side of each vertex; the first vertex is on the side ``True``.
    value : float
        The weight of the edges between the sides.
    upper : float
        A certified upper bound on the weight of every cut.
    """

    side: npt.NDArray[np.bool_]
    value: float
    upper: float

    def __repr__(self) -> str:
        """Return the weight of the cut and its bound."""
        return f"MaxCut(value={self.value:.6g}, upper={self.upper:.6g})"


def graph_arrangement(edges: Edges) -> FloatArray:
    r"""Return the graphical arrangement of a graph: a row :math:`e_a-e_b` an edge.

    The open cells of the arrangement correspond to the acyclic orientations of the
    graph: an edge points to the larger of :math:`u_a,u_b`. Counting these is
    #P-complete [1]_, hence so is counting activation patterns.

    Parameters
    ----------
    edges : iterable of (int, int)
        Pairs of different vertices 0, 1, ...; the largest one that appears is the last.

    Returns
    -------
    (n_edges, n_vertices) array
        The data matrix.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no edge, or an edge is not a pair of different vertices.

    References
    ----------
    .. [1] N. Linial, "Hard enumeration problems in geometry and combinatorics", SIAM
       Journal on Algebraic and Discrete Methods 7, 1986.

    Examples
    --------
    A triangle has 2^3 orientations, of which two are cyclic.

    >>> from convexnn_lib import count_patterns, graph_arrangement
    >>> count_patterns(graph_arrangement([(0, 1), (1, 2), (2, 0)]))
    6
    """
    pairs = _as_edges(edges)
    rows = np.arange(len(pairs))
    X = np.zeros((len(pairs), int(pairs.max()) + 1))
    X[rows, pairs[:, 0]] = 1.0
    X[rows, pairs[:, 1]] = -1.0
    return X


def max_cut_data(
    edges: Edges, weights: ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    r"""Return data whose dual norm is the root of the largest cut of a graph.

    X is the signed incidence matrix B, a row a vertex and a column an edge, and
    :math:`\lambda=\mathbf 1`. Its rows add up to zero, so that

    .. math::

        \lambda^T(Xu)_+=\tfrac12\sum_v|b_v^Tu|=\tfrac12\max_{s\in\{\pm1\}^V}(B^Ts)^Tu,
        \qquad M(\lambda)=\tfrac12\max_s\|B^Ts\|_2=\sqrt{\text{largest cut}},

    since an edge of weight w adds :math:`w(s_a-s_b)^2`, which is 4w if it is cut.

    Parameters
    ----------
    edges : iterable of (int, int)
        Pairs of different vertices 0, 1, ...
    weights : (n_edges,) array, optional
        Positive weights of the edges, by default 1.

    Returns
    -------
    X : (n_vertices, n_edges) array
        The data, with entries 0 and plus or minus the roots of the weights.
    lam : (n_vertices,) array
        The dual point, all ones.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the edges are not as in :func:`graph_arrangement`, or the weights are not
        positive or not one an edge.

    Examples
    --------
    The largest cut of a triangle has two edges.

    >>> from convexnn_lib import dual_norm, max_cut_data
    >>> value, _ = dual_norm(*max_cut_data([(0, 1), (1, 2), (2, 0)]))
    >>> round(value**2, 9)
    2.0
    """
    incidence = graph_arrangement(edges)
    if weights is not None:
        weights = as_vector(weights, len(incidence), "weights")
        if not np.all(weights > 0.0):
            raise InvalidDataError("weights must be positive; leave other edges out")
        if not np.all(weights < np.finfo(float).max / len(weights) / 4.0):
            raise InvalidDataError("the weights are so large that their sum overflows")
        incidence = np.sqrt(weights)[:, None] * incidence
    return incidence.T.copy(), np.ones(incidence.shape[1])


def max_cut(edges: Edges, weights: ArrayLike | None = None) -> MaxCut:
    r"""Find a largest cut of a graph by a dual norm, with a certificate.

    The neuron that attains the dual norm of :func:`max_cut_data` is on one side of the
    hyperplane of a vertex, and so tells its side; its bounds are those of the cut.

    Parameters
    ----------
    edges, weights
        As in :func:`max_cut_data`.

    Returns
    -------
    MaxCut
        A cut, and a bound on all others, which for weights 1 is a whole number.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        As in :func:`max_cut_data`.

    Notes
    -----
    The rank of X is the number of vertices less that of connected components. This is a
    demonstration, not a solver: the time grows exponentially with the vertices, as it
    must for a certain answer unless P = NP.

    Examples
    --------
    >>> from convexnn_lib import max_cut
    >>> pentagon = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)]
    >>> max_cut(pentagon)
    MaxCut(value=4, upper=4)
    """
    pairs = _as_edges(edges)
    X, lam = max_cut_data(map(tuple, pairs.tolist()), weights)
    bounds = dual_norm_bounds(X, lam)
    side = X @ bounds.neuron.direction >= 0.0
    side = side == side[0]
    cut = side[pairs[:, 0]] != side[pairs[:, 1]]
    upper = bounds.upper**2
    if weights is None:
        return MaxCut(side, float(np.sum(cut)), float(math.floor(upper)))
    value = math.fsum(as_vector(weights, len(pairs), "weights")[cut])
    # the roots of the weights, and the square, are rounded by half an eps each
    return MaxCut(side, value, max(value, upper * (1.0 + 4.0 * np.finfo(float).eps)))


def stationarity_test(
    edges: Edges, cut: int, *, beta: float = 1.0
) -> tuple[TrainingProblem, ReLUNetwork]:
    r"""Return a network that is stationary exactly if no cut has more than some edges.

    The data have, besides one sample on which the only neuron is active, pairs
    :math:`\pm x` of samples at its kink, with equal labels. On these the directional
    derivative is that of

    .. math::

        g(u)=\sum_{ab\in E}|u_a-u_b|-K\sum_{a\in V}\big(|u_a+u_0|+|u_a-u_0|-2|u_0|\big)
             -(2k+1)|u_0|

    with the opposite sign, K being the largest degree and k the number of edges. The
    network is Clarke stationary in any case; a direction of descent exists if and only
    if some cut has more than k edges.

    Parameters
    ----------
    edges : iterable of (int, int)
        Pairs of different vertices 0, 1, ...
    cut : int
        The number k of edges that is asked about; at least their number is taken as
        their number, which no cut exceeds either.
    beta : float, default 1
        The penalty of the training problem. The slopes do not depend on it, but its
        gradients do: far above the labels it drowns the slopes in rounding.

    Returns
    -------
    problem : convexnn_lib.TrainingProblem
        Squared loss, integer data of ``n_vertices + 2`` features.
    network : convexnn_lib.ReLUNetwork
        One neuron, along the last feature.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the edges are not as in :func:`graph_arrangement` or ``cut`` is negative.
    convexnn_lib.errors.RegularizationError
        If ``beta`` is negative.

    Examples
    --------
    The largest cut of a triangle has two edges.

    >>> from convexnn_lib import clarke_residual, stationarity_test
    >>> triangle = [(0, 1), (1, 2), (2, 0)]
    >>> for cut in (1, 2):
    ...     problem, network = stationarity_test(triangle, cut)
    ...     residual = clarke_residual(network, problem)
    ...     print(residual.stationary, residual.directionally_stationary)
    True False
    True True
    """
    differences = graph_arrangement(edges)
    cut = min(check_integer(cut, "cut", minimum=0), len(differences))
    beta = check_number(beta, "beta", "[0, inf)", RegularizationError)
    vertices = differences.shape[1]
    degree = float(np.abs(differences).sum(axis=0).max())
    unit = np.eye(vertices + 2)
    root, active = unit[vertices], unit[vertices + 1]
    padded = np.hstack([differences, np.zeros((len(differences), 2))])
    rows = np.vstack([padded, unit[:vertices] + root, unit[:vertices] - root, [root]])
    labels = np.r_[
        np.ones(len(differences)),
        np.full(2 * vertices, -degree),
        2.0 * degree * vertices - (2.0 * cut + 1.0),
    ]
    X = np.vstack([rows, -rows, [active]])
    problem = TrainingProblem(X, np.r_[labels, labels, 1.0 + beta], beta)
    return problem, ReLUNetwork(active[:, None], [1.0])


def _as_edges(edges: Edges) -> npt.NDArray[np.intp]:
    """Return the edges as an array of pairs, checked."""
    try:
        pairs = [
            [check_integer(vertex, "a vertex", minimum=0) for vertex in edge]
            for edge in edges
        ]
    except TypeError as error:
        raise InvalidDataError(
            f"edges must be a list of pairs of vertices: {error}"
        ) from error
    if not pairs:
        raise InvalidDataError("a graph without edges has no data: pass at least one")
    for pair in pairs:
        if len(pair) != 2 or pair[0] == pair[1]:
            raise InvalidDataError(
                f"an edge is a pair of different vertices, not {tuple(pair)}"
            )
        if max(pair) > _LAST_VERTEX:
            raise InvalidDataError(
                f"vertices are numbered 0, 1, ...; {max(pair)} is too large a number"
            )
    return np.array(pairs, dtype=np.intp)
