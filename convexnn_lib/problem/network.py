"""Two-layer ReLU networks and the maps between them and the convex program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    BoolArray,
    FloatArray,
    PatternsLike,
    as_features,
    as_float_array,
    as_matrix,
    as_outputs,
    check_integer,
    check_number,
)
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._cones import (
    cone_sides,
    group_by_cone,
    holding_cones,
    independent_combination,
    row_sides,
)
from convexnn_lib.problem._second_layer import atoms, directions, sizes
from convexnn_lib.problem._stored_weights import StoredWeights

__all__ = ["ReLUNetwork", "row_sides"]


@dataclass(frozen=True, init=False, eq=False, repr=False)
class ReLUNetwork(StoredWeights, ReadOnlyArrays):
    r"""The network :math:`f(x)=\sum_{k=1}^m(x^Tw_{1,k})_+w_{2,k}`, without bias.

    Parameters
    ----------
    W1 : (d, m) array
        First-layer weights, one neuron a column. The width m may be 0: the zero
        network.
    w2 : (m,) array, or (m, c) array for c outputs
        Second-layer weights, one neuron a row.

    Attributes
    ----------
    W1 : (d, m) array
        First-layer weights, a read-only copy in float64.
    w2 : (m,) or (m, c) array
        Second-layer weights, a read-only copy in float64.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the shapes do not agree or an entry is NaN or infinite.

    Examples
    --------
    >>> from convexnn_lib import ReLUNetwork
    >>> network = ReLUNetwork([[3.0], [4.0]], [1.0])
    >>> network
    ReLUNetwork(d=2, width=1)
    >>> network.predict([[1.0, 0.0], [-1.0, 0.0]])
    array([3., 0.])
    >>> network.penalty(), round(network.balanced().penalty(), 12)
    (13.0, 5.0)
    >>> ReLUNetwork([[3.0], [4.0]], [[1.0, 0.5]]).predict([[1.0, 0.0]])
    array([[3. , 1.5]])
    """

    W1: FloatArray
    w2: FloatArray

    def __init__(self, W1: ArrayLike, w2: ArrayLike) -> None:
        W1 = as_float_array(W1, "W1")
        if W1.ndim != 2 or W1.shape[0] == 0:
            raise InvalidDataError(
                "W1 must be a (d, m) array with d >= 1, one neuron a column, got shape "
                f"{W1.shape}."
            )
        w2 = as_outputs(w2, W1.shape[1], "w2")
        W1.setflags(write=False)
        w2.setflags(write=False)
        object.__setattr__(self, "W1", W1)
        object.__setattr__(self, "w2", w2)

    @property
    def d(self) -> int:
        """Number of features."""
        return int(self.W1.shape[0])

    @property
    def width(self) -> int:
        """Number of neurons, zero neurons included."""
        return int(self.W1.shape[1])

    def __repr__(self) -> str:
        """Return the sizes."""
        outputs = f", outputs={self.outputs}" if self.w2.ndim == 2 else ""
        return f"ReLUNetwork(d={self.d}, width={self.width}{outputs})"

    def predict(self, X: ArrayLike) -> FloatArray:
        """Return the outputs on the rows of X.

        Parameters
        ----------
        X : (n, d) array
            Data, one sample a row.

        Returns
        -------
        (n,) or (n, c) array
            The outputs.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If X is not a finite (n, d) array with this network's d.
        """
        outputs: FloatArray = (
            np.maximum(as_features(X, self.d) @ self.W1, 0.0) @ self.w2
        )
        return outputs

    def patterns(self, X: ArrayLike) -> BoolArray:
        r"""Return the activation pattern of each neuron on the rows of X.

        Parameters
        ----------
        X : (n, d) array
            Data, one sample a row.

        Returns
        -------
        (m, n) array of bool
            :math:`\mathbb 1(x_i^Tw_{1,k}\ge0)`, as computed in floating point. A zero
            neuron and a zero row give True.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If X is not a finite (n, d) array with this network's d.
        """
        active: BoolArray = as_features(X, self.d) @ self.W1 >= 0.0
        return np.ascontiguousarray(active.T)

    def penalty(self) -> float:
        r"""Return the penalty :math:`\frac12(\|W_1\|_F^2+\|w_2\|^2)`."""
        return 0.5 * (float(np.sum(self.W1**2)) + float(np.sum(self.w2**2)))

    def balanced(self) -> ReLUNetwork:
        r"""Return the network of least penalty that rescaling its neurons can reach.

        Each neuron is rescaled to :math:`\|w_{1,k}\|=\|w_{2,k}\|`, which leaves
        :math:`w_{2,k}(x^Tw_{1,k})_+` unchanged for every x. A neuron with
        :math:`w_{1,k}=0` or :math:`w_{2,k}=0` becomes zero in both layers.

        Returns
        -------
        convexnn_lib.ReLUNetwork
            A network of the same width.
        """
        u = self._vectors()
        size = np.sqrt(np.linalg.norm(u, axis=1))
        scale = np.where(size > 0.0, size, 1.0)
        second = (directions(self.w2).T * size).T
        return ReLUNetwork((u / scale[:, None]).T, second)

    def split(self, neuron: int, weights: ArrayLike) -> ReLUNetwork:
        r"""Replace a neuron by collinear parts of the same total penalty.

        Part j is :math:`\sqrt{c_j}\,(w_{1,k},w_{2,k})`. The parts stand where the
        neuron stood.

        Parameters
        ----------
        neuron : int
            Index k of the neuron.
        weights : (s,) array
            Nonnegative weights :math:`c_j` with sum 1.

        Returns
        -------
        convexnn_lib.ReLUNetwork
            A network with s - 1 more neurons, the same outputs and the same penalty.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If there is no such neuron, or the weights are negative or do not sum to 1.

        Examples
        --------
        >>> from convexnn_lib import ReLUNetwork
        >>> ReLUNetwork([[2.0]], [2.0]).split(0, [0.25, 0.75]).W1.round(6)
        array([[1.      , 1.732051]])
        """
        neuron = check_integer(neuron, "neuron", minimum=0)
        if neuron >= self.width:
            raise InvalidDataError(
                f"neuron must be below the width {self.width}, got {neuron}."
            )
        c = as_float_array(weights, "weights")
        if c.ndim != 1 or c.size == 0 or np.any(c < 0.0) or abs(c.sum() - 1.0) > 1e-12:
            raise InvalidDataError(
                "weights must be nonnegative numbers with sum 1, got "
                f"{np.array2string(c, threshold=8)} with sum {c.sum()}."
            )
        root = np.sqrt(c)
        before, after = self.W1[:, :neuron], self.W1[:, neuron + 1 :]
        parts = self.W1[:, [neuron]] * root
        second = np.multiply.outer(root, self.w2[neuron])
        return ReLUNetwork(
            np.hstack([before, parts, after]),
            np.concatenate([self.w2[:neuron], second, self.w2[neuron + 1 :]]),
        )

    def merged(
        self,
        X: ArrayLike,
        *,
        patterns: PatternsLike | None = None,
        tolerance: float = 0.0,
    ) -> ReLUNetwork:
        r"""Merge neurons of one sign that share a closed cone of the arrangement of X.

        With :math:`v_k=|w_{2,k}|w_{1,k}`, neurons of one sign whose vectors lie in a
        common closed cone :math:`\{u:(2D-I)Xu\ge0\}` are replaced by one balanced
        neuron with the sum of their vectors. The outputs on X stay the same, and by the
        triangle inequality the penalty does not rise. Neurons that are zero in a layer
        are dropped.

        Parameters
        ----------
        X : (n, d) array
            Data, one sample a row.
        patterns : (p, n) array of bool, optional
            Merge only neurons that share the closed cone of one of these patterns; the
            others stay as they are. By default any closed cone of the arrangement.
        tolerance : float, default 0
            Treat :math:`|x_i^Tv_k|\le\text{tolerance}\,\|x_i\|\|v_k\|` as a tie, beyond
            the rounding error of the product, which always counts as one. The outputs
            then may change by that order.

        Returns
        -------
        convexnn_lib.ReLUNetwork
            A balanced network in which no two neurons of one sign share a closed cone
            (of the given patterns).

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If X is not a finite (n, d) array with this network's d, the patterns are
            not a boolean (p, n) array, the tolerance is not a number in [0, 1), or the
            network has several outputs.

        Notes
        -----
        Two vectors share a closed cone if and only if no row of X has them strictly on
        opposite sides, and vectors that share one pairwise share one jointly. A vector
        on a common face of several cones may be merged into either of its neighbours:
        neurons with fewer ties are placed first, in the order of their index, and each
        joins the first group that it fits. All choices give the same outputs on X.
        """
        self._need_one_output("merged")
        X = as_features(X, self.d)
        tolerance = check_number(tolerance, "tolerance", "[0, 1)")
        vectors = self._vectors()
        alive = np.flatnonzero(vectors.any(axis=1))
        vectors, signs = vectors[alive], np.sign(self.w2[alive])
        sides = row_sides(X, vectors, tolerance)
        cones = None if patterns is None else cone_sides(patterns, len(X))
        groups = group_by_cone(sides, signs, cones)
        sums = np.array([vectors[group].sum(axis=0) for group in groups])
        sums = sums.reshape(-1, self.d)
        group_signs = np.array([signs[group[0]] for group in groups])
        nonzero = sums.any(axis=1)  # vectors on which X vanishes may cancel
        return ReLUNetwork(sums[nonzero].T, group_signs[nonzero]).balanced()

    def pruned(self, X: ArrayLike) -> ReLUNetwork:
        r"""Remove neurons until their features on X are linearly independent.

        The outputs on X stay the same and the penalty does not rise. At most
        :math:`\operatorname{rank}\{(Xw_{1,k})_+\}\le n` neurons remain, and with c
        outputs :math:`\operatorname{rank}\{(Xw_{1,k})_+w_{2,k}^T\}\le nc`.

        Parameters
        ----------
        X : (n, d) array
            Data, one sample a row.

        Returns
        -------
        convexnn_lib.ReLUNetwork
            A balanced network whose neurons are rescaled neurons of this one.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If X is not a finite (n, d) array with this network's d.

        Notes
        -----
        Write the outputs as :math:`z=\sum_kc_ka_k` with unit neurons
        :math:`a_k=\pm(X\hat w_{1,k})_+` and cost :math:`\sum_kc_k`. While
        :math:`\sum_k\gamma_ka_k=0` for some :math:`\gamma\ne0`, signed such that
        :math:`\sum_k\gamma_k\ge0`, move :math:`c\leftarrow c-t\gamma` until a
        coordinate vanishes: conic Carathéodory with a non-increasing cost [1]_.

        References
        ----------
        .. [1] Mishkin & Pilanci (2023), `mishkin2023optimal`.
        """
        X = as_features(X, self.d)
        vectors = self._vectors()
        features = np.maximum(X @ vectors.T, 0.0)
        size = np.linalg.norm(features, axis=0)
        # vector k is coefficient size[k] times a neuron with features of unit length,
        # which costs norm[k] / size[k] for each unit of its coefficient
        alive = np.flatnonzero(size > 0.0)
        outward = directions(self.w2[alive])
        unit = atoms(features[:, alive] / size[alive], outward)
        cost = np.linalg.norm(vectors[alive], axis=1) / size[alive]
        factor = independent_combination(unit, size[alive], cost) / size[alive]
        kept = factor > 0.0
        return ReLUNetwork(
            (vectors[alive] * factor[:, None])[kept].T, outward[kept]
        ).balanced()

    @classmethod
    def from_convex(
        cls, u: ArrayLike, u_prime: ArrayLike, *, tolerance: float = 0.0
    ) -> Self:
        r"""Build the network of a point of the convex program.

        Each nonzero :math:`u_i` becomes the balanced neuron
        :math:`w_1=u_i/\sqrt{\|u_i\|}`, :math:`w_2=\sqrt{\|u_i\|}`, each nonzero
        :math:`u'_i` the same with :math:`w_2=-\sqrt{\|u'_i\|}`.

        Parameters
        ----------
        u, u_prime : (p, d) arrays
            The variables of the convex program, one a row.
        tolerance : float, default 0
            Rows of norm at most ``tolerance`` times the largest norm count as zero.

        Returns
        -------
        convexnn_lib.ReLUNetwork
            A balanced network, first the neurons of ``u``, then those of ``u_prime``.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the arrays are not finite (p, d) arrays of one shape, or the tolerance
            is not in [0, 1).

        Examples
        --------
        >>> from convexnn_lib import ReLUNetwork
        >>> network = ReLUNetwork.from_convex([[3.0, 4.0]], [[0.0, 0.0]])
        >>> network.width, round(network.penalty(), 12)
        (1, 5.0)
        """
        u, u_prime = as_matrix(u, "u"), as_matrix(u_prime, "u_prime")
        if u.shape != u_prime.shape:
            raise InvalidDataError(
                f"u and u_prime must have one shape, got {u.shape} and {u_prime.shape}."
            )
        tolerance = check_number(tolerance, "tolerance", "[0, 1)")
        vectors = np.vstack([u, u_prime])
        norms = np.linalg.norm(vectors, axis=1)
        kept = norms > tolerance * norms.max()
        signs = np.repeat([1.0, -1.0], len(u))
        balanced = ReLUNetwork(vectors[kept].T, signs[kept]).balanced()
        return cls(balanced.W1, balanced.w2)

    def to_convex(
        self, X: ArrayLike, patterns: PatternsLike | None = None
    ) -> tuple[BoolArray, FloatArray, FloatArray]:
        r"""Return the point of the convex program that belongs to the network.

        Neuron k adds :math:`v_k=|w_{2,k}|w_{1,k}` to the variable :math:`u_i`
        (:math:`w_{2,k}>0`) or :math:`u'_i` (:math:`w_{2,k}<0`) of a pattern whose
        closed cone contains it. Zero neurons are left out.

        Parameters
        ----------
        X : (n, d) array
            Data, one sample a row.
        patterns : (p, n) array of bool, optional
            Patterns to use. By default those of open cells whose closures contain the
            neurons: where a neuron has a tie, a fixed generic direction decides.

        Returns
        -------
        patterns : (p, n) array of bool
            The patterns.
        u, u_prime : (p, d) arrays
            The variables.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the shapes do not agree, no given pattern's cone contains a neuron, or
            the network has several outputs.
        """
        self._need_one_output("to_convex")
        X = as_features(X, self.d)
        vectors = self._vectors()
        alive = np.flatnonzero(vectors.any(axis=1))
        sides = row_sides(X, vectors[alive])
        if patterns is None:
            # one direction for all ties, so that tied neurons agree with each other
            generic = X @ np.random.default_rng(0).standard_normal(self.d) >= 0.0
            cells = np.where(sides == 0, generic, sides > 0)
            listed, index = np.unique(cells, axis=0, return_inverse=True)
            index = index.reshape(-1)
        else:
            signs = cone_sides(patterns, len(X))
            listed = signs > 0
            index = np.empty(len(alive), dtype=np.intp)
            for k, side in enumerate(sides):
                fits = holding_cones(signs, side)
                if not fits.size:
                    raise InvalidDataError(
                        f"neuron {alive[k]} lies in the cone of none of the "
                        f"{len(listed)} given patterns; add its pattern, see "
                        "ReLUNetwork.patterns."
                    )
                index[k] = fits[0]
        u = np.zeros((len(listed), self.d))
        u_prime = np.zeros((len(listed), self.d))
        positive = self.w2[alive] > 0.0
        np.add.at(u, index[positive], vectors[alive][positive])
        np.add.at(u_prime, index[~positive], vectors[alive][~positive])
        return listed, u, u_prime

    def _vectors(self) -> FloatArray:
        """Return the (m, d) vectors ``|w2_k| * w1_k``."""
        vectors: FloatArray = (sizes(self.w2) * self.W1).T
        return vectors
