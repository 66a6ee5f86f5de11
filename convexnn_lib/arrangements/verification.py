"""Proofs that a list of activation patterns is right and complete."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from convexnn_lib._validation import FloatArray, PackedArray
from convexnn_lib.arrangements._closed import totally_cyclic_flats
from convexnn_lib.arrangements._deletion import whitney_numbers
from convexnn_lib.arrangements._exact import IntegerVector
from convexnn_lib.arrangements._reduction import reduce_rows
from convexnn_lib.arrangements._signs import packed_patterns
from convexnn_lib.arrangements.counting import count_patterns, cover_count
from convexnn_lib.errors import VerificationError

__all__ = ["Verification"]


@dataclass(frozen=True)
class Verification:
    """What has been proved about an arrangement.

    Attributes
    ----------
    n_patterns : int
        The number of patterns, all distinct, each with a witness whose signs are
        proved.
    exact_count : int or None
        The exact number of patterns that exist, equal to ``n_patterns``. None if the
        arrangement does not claim to be complete.
    exact_witnesses : int
        The number of witnesses that no float64 vector represents and that were checked
        as integer vectors.
    """

    n_patterns: int
    exact_count: int | None
    exact_witnesses: int


def verify_patterns(
    X: FloatArray,
    packed: PackedArray,
    chunks: Iterable[tuple[int, FloatArray, dict[int, IntegerVector]]],
    *,
    complete: bool,
    closed: bool,
) -> Verification:
    """Prove that patterns are distinct, attained by their witnesses, and complete.

    Nothing that the enumeration found out on its way is used.

    Parameters
    ----------
    X : (n, d) array
        The rows.
    packed : (p, ⌈n/8⌉) array of uint8
        The patterns.
    chunks : iterable of tuple
        Position of the first witness, witnesses, and the exact witnesses that replace
        some of them, by position.
    complete : bool
        Whether all patterns are claimed to be there.
    closed : bool
        Whether the patterns are closed ones.

    Raises
    ------
    convexnn_lib.errors.VerificationError
        If one of the claims is false.
    """
    n = X.shape[0]
    _check_distinct(packed)
    checked = exact_witnesses = 0
    for begin, directions, exact in chunks:
        checked += len(directions)
        listed = packed[begin : begin + len(directions)]
        if len(listed) < len(directions):
            break
        exact_witnesses += len(exact)
        here = {position - begin: direction for position, direction in exact.items()}
        proved, boundary = packed_patterns(X, directions, here)
        wrong = (proved != listed).any(axis=1)
        if not closed:
            wrong |= boundary
        if wrong.any():
            k = int(np.argmax(wrong))
            differing = np.unpackbits(proved[k] ^ listed[k], count=n)
            reason = (
                f"the entry of row {int(np.argmax(differing))} differs"
                if differing.any()
                else "it lies on the hyperplane of a row"
            )
            raise VerificationError(
                f"the witness of pattern {begin + k} does not attain it: {reason}."
            )
    if checked != len(packed):
        raise VerificationError(
            f"there are {len(packed)} patterns, but {checked} witnesses."
        )
    count = exact_count(X, packed, closed=closed) if complete else None
    if count is not None and count != len(packed):
        raise VerificationError(
            f"{count - len(packed)} patterns are missing: the list has {len(packed)}, "
            f"the exact count is {count}."
        )
    return Verification(len(packed), count, exact_witnesses)


def exact_count(X: FloatArray, packed: PackedArray, *, closed: bool) -> int:
    """Return the exact number of patterns, given distinct patterns that exist.

    Where as many open cells are known as Cover's formula allows at most, no more exist,
    and nothing has to be counted.
    """
    reduction = reduce_rows(X)
    if not closed:
        most = cover_count(len(reduction.rows), reduction.rank)
        return most if len(packed) == most else count_patterns(X)
    cells = total = count_patterns(X)
    for flat in totally_cyclic_flats(reduction, cells):
        total += sum(whitney_numbers(flat.rows, math.inf) or [1]) if flat.rows else 1
    return total


def _check_distinct(packed: PackedArray) -> None:
    """Raise an error if two patterns are equal."""
    width = packed.shape[1]
    padded = np.zeros((len(packed), 8 * ((width + 7) // 8)), dtype=np.uint8)
    padded[:, :width] = packed
    words = padded.view(np.uint64)
    order = np.lexsort(words.T)
    same = (words[order[1:]] == words[order[:-1]]).all(axis=1)
    if same.any():
        k = int(np.argmax(same))
        first, second = sorted((int(order[k]), int(order[k + 1])))
        raise VerificationError(f"patterns {first} and {second} are equal.")
