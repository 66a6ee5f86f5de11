"""A list of activation patterns, each with a direction that attains it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    BoolArray,
    FloatArray,
    PackedArray,
    PatternsLike,
    as_matrix,
)
from convexnn_lib.arrangements._directions import CHUNK, Directions
from convexnn_lib.arrangements._exact import IntegerVector, integer_row
from convexnn_lib.arrangements._reduction import reduce_rows
from convexnn_lib.arrangements.adjacency import Adjacency, adjacent_cells
from convexnn_lib.arrangements.counting import affordable_count
from convexnn_lib.arrangements.verification import Verification, verify_patterns
from convexnn_lib.errors import InvalidDataError

__all__ = ["Arrangement"]


class Arrangement(ReadOnlyArrays):
    """Activation patterns of a data matrix, with a direction that attains each.

    :func:`~convexnn_lib.enumerate_patterns` and
    :func:`~convexnn_lib.sample_patterns` make arrangements; the
    constructor takes patterns from elsewhere, which ``verify`` can then check.

    Parameters
    ----------
    X : (n, d) array
        Data matrix.
    patterns : (p, n) array of bool
        The patterns.
    witnesses : (p, d) array
        For each pattern a direction u with the pattern 1(Xu >= 0).
    complete : bool
        Whether these are claimed to be all patterns.
    closed : bool
        Whether they are closed patterns instead of those of open cells.

    Attributes
    ----------
    X : (n, d) array
        Data matrix, read-only.
    packed : (p, ⌈n/8⌉) array of uint8
        The patterns, as ``numpy.packbits`` packs them along axis 1.
    complete : bool
        Whether these are all patterns.
    closed : bool
        Whether they are closed patterns instead of those of open cells.

    Raises
    ------
    InvalidDataError
        If the shapes do not fit together or the patterns are not boolean.

    Notes
    -----
    Iteration yields the patterns as boolean rows in the order of ``packed``, ``len``
    counts them, and ``in`` looks a boolean row up.
    """

    def __init__(
        self,
        X: ArrayLike,
        patterns: PatternsLike,
        witnesses: ArrayLike,
        *,
        complete: bool = False,
        closed: bool = False,
    ) -> None:
        X = as_matrix(X)
        patterns = np.asarray(patterns)
        witnesses = as_matrix(witnesses, "witnesses")
        if patterns.dtype != np.bool_ or patterns.shape != (len(witnesses), len(X)):
            raise InvalidDataError(
                f"patterns must be a boolean array of shape ({len(witnesses)}, "
                f"{len(X)}), a row for each witness, got {patterns.dtype} "
                f"{patterns.shape}."
            )
        if witnesses.shape[1] != X.shape[1]:
            raise InvalidDataError(
                f"witnesses must have {X.shape[1]} columns, as X has, got shape "
                f"{witnesses.shape}."
            )
        self._set(X, np.packbits(patterns, axis=1), complete, closed)
        witnesses.setflags(write=False)
        self._witnesses: FloatArray | None = witnesses

    def _set(
        self, X: FloatArray, packed: PackedArray, complete: bool, closed: bool
    ) -> None:
        X.setflags(write=False)
        packed.setflags(write=False)
        self.X = X
        self.packed = packed
        self.complete = complete
        self.closed = closed
        self._patterns: BoolArray | None = None
        self._witnesses = None
        self._exact: dict[int, IntegerVector] = {}
        self._directions: Directions | None = None

    @classmethod
    def _listed(
        cls,
        X: FloatArray,
        packed: PackedArray,
        directions: Directions,
        *,
        closed: bool,
    ) -> Arrangement:
        """Make a complete arrangement whose witnesses are computed when asked for."""
        arrangement = cls.__new__(cls)
        arrangement._set(X, packed, True, closed)
        arrangement._directions = directions
        return arrangement

    @property
    def patterns(self) -> BoolArray:
        """The patterns, a read-only (p, n) boolean array, unpacked at first use."""
        if self._patterns is None:
            bits = np.unpackbits(self.packed, axis=1, count=self.X.shape[0])
            bits.setflags(write=False)
            self._patterns = bits.view(np.bool_)
        return self._patterns

    @property
    def witnesses(self) -> FloatArray:
        """For each pattern a direction that attains it, (p, d), computed at first use.

        Cells may be so narrow that no float64 vector nearby lies inside. The witnesses
        of such cells are rounded, and ``exact_witness`` gives the true ones.
        """
        if self._witnesses is None:
            witnesses = np.empty((len(self), self.X.shape[1]))
            exact: dict[int, IntegerVector] = {}
            for begin, directions, exceptions in self._witness_chunks():
                witnesses[begin : begin + len(directions)] = directions
                exact |= exceptions
            witnesses.setflags(write=False)
            self._witnesses, self._exact = witnesses, exact
            self._directions = None  # the rays are no longer needed
        result: FloatArray = self._witnesses
        return result

    def exact_witness(self, index: int) -> tuple[int, ...]:
        """Return a direction that attains a pattern, as an exact integer vector.

        Parameters
        ----------
        index : int
            Position of the pattern.

        Returns
        -------
        tuple of int
            A direction of d entries; its signs on the rows, computed in integers, are
            those of the pattern.
        """
        witness = self.witnesses[index]
        if index < 0:
            index += len(self)
        exact = self._exact.get(index)
        return integer_row(witness.tolist()) if exact is None else exact

    def __len__(self) -> int:
        """Return the number of patterns."""
        return len(self.packed)

    def __iter__(self) -> Iterator[BoolArray]:
        """Yield the patterns as boolean rows."""
        for row in self.packed:
            yield np.unpackbits(row, count=self.X.shape[0]).view(np.bool_)

    def __contains__(self, pattern: object) -> bool:
        """Tell whether a boolean row is among the patterns."""
        row = np.asarray(pattern)
        if row.shape != (self.X.shape[0],) or row.dtype != np.bool_:
            raise InvalidDataError(
                f"a pattern is a boolean row of {self.X.shape[0]} entries, got shape "
                f"{row.shape} and type {row.dtype}."
            )
        return bool((self.packed == np.packbits(row)).all(axis=1).any())

    def __repr__(self) -> str:
        """Return the number of patterns and the shape of the data."""
        n, d = self.X.shape
        kind = "closed patterns" if self.closed else "open cells"
        extent = "complete" if self.complete else "not known to be complete"
        return f"Arrangement({len(self)} {kind} of {n} rows in R^{d}, {extent})"

    @property
    def share(self) -> float | None:
        """The share of all open cells that is listed, None if counting takes long.

        1.0 for a complete arrangement. Otherwise the exact count is computed, in about
        a second at most; ``len(arrangement) / count_patterns(X)`` takes its time.
        """
        if self.complete:
            return 1.0
        if self.closed:
            return None
        count = affordable_count(self.X, reduce_rows(self.X))
        return None if count is None else len(self) / count

    def verify(self) -> Verification:
        """Prove what the arrangement claims, or raise an error with the reason.

        The patterns are distinct; the signs of every row on every witness are those of
        the pattern, proved by floating-point error bounds and, where these leave a
        doubt, in exact integers; and if the arrangement claims to be complete, the
        number of patterns equals the exact count, which is computed independently of
        the enumeration (deletion and restriction, or Cover's formula where as many
        patterns are at hand as it allows at most).

        Returns
        -------
        Verification
            What has been proved.

        Raises
        ------
        convexnn_lib.errors.VerificationError
            If two patterns are equal, a witness does not attain its pattern, or
            patterns are missing.
        """
        return verify_patterns(
            self.X,
            self.packed,
            self._witness_chunks(),
            complete=self.complete,
            closed=self.closed,
        )

    def _witness_chunks(
        self,
    ) -> Iterator[tuple[int, FloatArray, dict[int, IntegerVector]]]:
        """Yield positions, witnesses and exact witnesses, a chunk at a time."""
        if self._witnesses is None:
            assert self._directions is not None
            yield from self._directions.chunks()
            return
        for begin in range(0, len(self), CHUNK):
            end = begin + CHUNK
            exact = {i: self._exact[i] for i in range(begin, end) if i in self._exact}
            yield begin, self._witnesses[begin:end], exact

    def adjacency(self) -> Adjacency:
        """Return the pairs of listed cells that share a facet.

        Cells are adjacent if they differ in the side of one hyperplane only, that is in
        one row of X and the rows parallel to it.

        Returns
        -------
        Adjacency
            Arrays ``below``, ``above`` (positions of the two cells) and ``row`` (the
            first row of X on the hyperplane between them).

        Raises
        ------
        InvalidDataError
            If the patterns are closed ones, which do not stand for cells.

        Examples
        --------
        The four cells of the talk's example form a ring, each next to two others.

        >>> from convexnn_lib import enumerate_patterns
        >>> talk = enumerate_patterns([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]])
        >>> pairs = talk.adjacency()
        >>> sorted(pairs.row.tolist())
        [0, 0, 2, 2]
        """
        if self.closed:
            raise InvalidDataError(
                "closed patterns do not stand for cells; list the open cells "
                "(closed=False) for their adjacency."
            )
        return adjacent_cells(self.packed, reduce_rows(self.X))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the arrangement to a file that ``load`` reads, in NumPy's npz format.

        Parameters
        ----------
        path : str or path
            Where to write; an existing file is replaced once the new one is complete.
        """
        witnesses = self.witnesses
        partial = f"{os.fspath(path)}.partial"
        with open(partial, "wb") as file:
            np.savez(
                file,
                X=self.X,
                packed=self.packed,
                witnesses=witnesses,
                flags=np.array([self.complete, self.closed]),
                exact_positions=np.array(sorted(self._exact), dtype=np.int64),
                exact_witnesses=np.array(
                    [" ".join(map(str, self._exact[i])) for i in sorted(self._exact)],
                    dtype=np.str_,
                ),
            )
        os.replace(partial, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Arrangement:
        """Read an arrangement that ``save`` has written.

        Parameters
        ----------
        path : str or path
            The file.

        Returns
        -------
        Arrangement
            The arrangement as it was saved; ``verify`` proves it again.

        Raises
        ------
        InvalidDataError
            If the file does not hold an arrangement.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                content = {name: file[name] for name in file.files}
            complete, closed = content["flags"].tolist()
            arrangement = cls.__new__(cls)
            arrangement._set(content["X"], content["packed"], complete, closed)
            arrangement._witnesses = content["witnesses"]
            arrangement._exact = {
                position: tuple(map(int, text.split()))
                for position, text in zip(
                    content["exact_positions"].tolist(),
                    content["exact_witnesses"].tolist(),
                    strict=True,
                )
            }
        except (KeyError, ValueError, AttributeError) as error:
            raise InvalidDataError(
                f"{os.fspath(path)} does not hold an arrangement: {error}."
            ) from error
        return arrangement
