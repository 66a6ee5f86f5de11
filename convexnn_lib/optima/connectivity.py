r"""How the set of optimal networks of one width hangs together.

It is decided by the vertices and edges of the optimal polytope and the numbers of their
nonzero coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import BoolArray

__all__ = ["Connectivity", "connectivity_of"]

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False, repr=False)
class Connectivity(ReadOnlyArrays):
    """The components of the set of optimal networks of one width.

    Attributes
    ----------
    width : int
        The width m.
    components : int
        The number of connected components; 0 if no network of this width is optimal.
    isolated : int
        How many of them are single networks.
    labels : (V,) array of int
        The component of the polytope's points with at most m nonzero coefficients that
        each vertex belongs to, -1 for vertices with more.
    """

    width: int
    components: int
    isolated: int
    labels: IntArray

    @property
    def connected(self) -> bool:
        """Whether the set is not empty and has one component."""
        return self.components == 1

    def __repr__(self) -> str:
        """Return the width and the counts."""
        return (
            f"Connectivity(width={self.width}, components={self.components}, "
            f"isolated={self.isolated})"
        )


def connectivity_of(support: BoolArray, edges: IntArray, width: int) -> Connectivity:
    r"""Count the components of the optimal networks of one width.

    Parameters
    ----------
    support : (V, N) array of bool
        Where each vertex of the optimal polytope has a nonzero coefficient.
    edges : (E, 2) array of int
        The edges of the polytope.
    width : int
        The width m.

    Returns
    -------
    Connectivity
        The counts.

    Notes
    -----
    Let G be the graph of the vertices with at most m nonzero coefficients and of the
    edges on which at most m are nonzero. A component of G whose vertices all have
    exactly m stands for m! components of the optimal networks, any other one for one.

    *Proof.* The points c of the polytope with at most m nonzero coefficients are a
    union of faces :math:`F_S=\{c:c_j=0,\,j\notin S\}`, :math:`|S|\le m`; the graph of a
    face is connected, so the components of this union are those of G. Let c have s
    nonzero coefficients. If s < m, the networks that belong to it are connected: pour
    all parts of a direction into one neuron; as one of the m places is empty, neurons
    can be moved into it one after the other until they stand in any order. If s = m,
    there are m! of them, one for each order. Let C be a component of the union. If all
    its points have exactly m nonzero coefficients, C is a single :math:`F_S`, because
    two different ones can meet only where there are fewer, and the networks above it
    are m! copies of it. If not, every network above C is connected to one above a point
    with fewer: slide inside its :math:`F_S` or step over to another face, which it
    meets in such a point. Above those points all orders are connected.

    For a unique fit a component of G of the first kind is one vertex (a larger face on
    which no coefficient vanishes would have a boundary), and its m! networks are
    isolated. If the zero network is the only optimum, it is isolated for every m.
    """
    counts = np.count_nonzero(support, axis=1)
    present = counts <= width
    joint = np.count_nonzero(support[edges[:, 0]] | support[edges[:, 1]], axis=1)
    walked = edges[joint <= width]
    size = len(support)
    graph = coo_array(
        (np.ones(len(walked)), (walked[:, 0], walked[:, 1])), shape=(size, size)
    )
    _, found = connected_components(graph, directed=False)
    labels = np.full(size, -1, dtype=np.intp)
    kinds = np.unique(found[present])
    labels[present] = np.searchsorted(kinds, found[present])
    components = isolated = 0
    for label in range(len(kinds)):
        members = labels == label
        rigid = bool(np.all(counts[members] == width))
        copies = factorial(width) if rigid else 1
        components += copies
        if np.count_nonzero(members) == 1 and (rigid or not counts[members].any()):
            isolated += copies  # the zero network is isolated in every width
    return Connectivity(width, components, isolated, labels)
