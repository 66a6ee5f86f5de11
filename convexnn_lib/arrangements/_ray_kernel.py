"""The kernel of the ray method: signs on the rays of a plane, with error bounds.

The method is described in ``_general_position``. The kernel takes one plane after the
other in which all but one of the rows of a ray vanish. On a basis a, b of the plane
every row is a pair of numbers, and the sign of row k on the ray where row i vanishes is
that of a determinant of two pairs, so that the work a sign is two multiplications.
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._kernels import jit
from convexnn_lib._validation import FloatArray, PackedArray
from convexnn_lib.arrangements._packing import packed_byte


@jit
def write_cells(
    columns: FloatArray,
    functionals: FloatArray,
    level: int,
    lead: int,
    first: int,
    packed: PackedArray,
) -> int:
    """Write the cells of one level and first row ``lead``, and their mirror images.

    Parameters
    ----------
    columns : (d, m) array
        The transposed rows, entries of magnitude at most 1.
    functionals : (d, d) array
        The functionals.
    level : int
        The level, at most d - 2.
    lead : int
        The first of the rows that meet in a ray; on level d - 2, where only one row is
        chosen, all of them are taken and ``lead`` is ignored.
    first : int
        Position in ``packed`` of the first cell.
    packed : (p, ⌈m/8⌉) array of uint8
        The output; with no columns nothing is written.

    Returns
    -------
    int
        0, or 1 if the sign of a row is in doubt, or 2 if that of a functional is.
    """
    d, m = columns.shape
    unit = 2.0**-53
    rounding = 1.1 * (d + 2) * unit  # of an inner product
    fixed = d - 2 - level  # rows chosen before the last one
    cells = packed.shape[0]
    width = packed.shape[1]
    last_byte = 256 - (1 << (8 * width - m)) if width > 0 else 0
    chosen = np.empty(fixed, dtype=np.int64)
    for t in range(fixed):
        chosen[t] = lead + t
    if fixed > 0 and chosen[fixed - 1] > m - 3:
        return 0
    system = np.empty((d - 1, d))
    work = np.empty((d - 1, 2 * d - 1))
    pivots = np.empty(d - 1, dtype=np.int64)
    free = np.empty(d, dtype=np.bool_)
    basis = np.empty((d, d))  # dual to the rows of the system, then the null vector
    values = np.empty((d, m))  # of the rows on the basis
    error = np.empty(m)
    a = np.empty(m)
    b = np.empty(m)
    positive = np.zeros(8 * ((m + 7) // 8), dtype=np.uint8)
    slopes = np.empty(d)  # of the next functional on the basis
    position = first
    while True:
        # 1. The plane in which the chosen rows and the functionals before vanish
        for t in range(d - 1):
            for c in range(d):
                if t < fixed:
                    system[t, c] = columns[c, chosen[t]]
                else:
                    system[t, c] = functionals[t - fixed, c]
                work[t, c] = system[t, c]
            for c in range(d, 2 * d - 1):
                work[t, c] = 1.0 if c == d + t else 0.0
        for c in range(d):
            free[c] = True
        for k in range(d - 1):
            best = 0.0
            row = k
            column = 0
            for t in range(k, d - 1):
                for c in range(d):
                    if free[c] and abs(work[t, c]) > best:
                        best = abs(work[t, c])
                        row = t
                        column = c
            if best == 0.0:
                return 1
            for c in range(2 * d - 1):
                swap = work[row, c]
                work[row, c] = work[k, c]
                work[k, c] = swap
            pivot = work[k, column]
            for c in range(2 * d - 1):
                work[k, c] /= pivot
            for t in range(d - 1):
                if t != k and work[t, column] != 0.0:
                    factor = work[t, column]
                    for c in range(2 * d - 1):
                        work[t, c] -= factor * work[k, c]
            free[column] = False
            pivots[k] = column
        rest = 0
        for c in range(d):
            if free[c]:
                rest = c
        for t in range(d):
            for k in range(d - 1):
                entry = work[k, d + t] if t < d - 1 else -work[k, rest]
                basis[t, pivots[k]] = entry
            basis[t, rest] = 0.0 if t < d - 1 else 1.0

        # 2. How far the basis is from the true one. With I + R the product of the
        # system (and the free coordinate) with the computed basis, the true basis is
        # the computed one times (I + R)^-1, whose columns differ from those of I by at
        # most |R| / (1 - |R|) in the 1-norm.
        residual = 0.0
        for t in range(d):
            total_error = 0.0
            for s in range(d - 1):
                product = -1.0 if s == t else 0.0
                size = 1.0
                for c in range(d):
                    product += system[s, c] * basis[t, c]
                    size += abs(system[s, c] * basis[t, c])
                total_error += abs(product) + rounding * size
            residual = max(residual, total_error)
        if not residual < 0.01:
            return 1
        residual = 1.02 * residual

        # 3. The rows on the basis, and normalised on the plane, with error bounds
        for k in range(m):
            error[k] = 0.0
        for t in range(d):
            for k in range(m):
                values[t, k] = 0.0
            for c in range(d):
                entry = basis[t, c]
                if entry != 0.0:
                    for k in range(m):
                        values[t, k] += entry * columns[c, k]
        for c in range(d):
            size = 0.0
            for t in range(d):
                size = max(size, abs(basis[t, c]))
            for k in range(m):
                error[k] += size * abs(columns[c, k])
        for k in range(m):
            size = 0.0
            for t in range(d):
                size = max(size, abs(values[t, k]))
            spread = rounding * error[k]
            error[k] = residual * (size + spread) + spread
        orientation = 1.0 if level == 0 else -1.0
        worst = 0.0
        for k in range(m - 1):
            size = abs(values[d - 2, k]) + abs(values[d - 1, k])
            for t in range(fixed):
                if chosen[t] == k:
                    size = 1.0
                    error[k] = 0.0
            if size == 0.0:
                return 1
            a[k] = orientation * values[d - 2, k] / size
            b[k] = values[d - 1, k] / size
            worst = max(worst, error[k] / size)
        if not worst < 0.01:
            return 1
        worst += unit
        doubt = 2.1 * worst + 4.0 * unit  # of a_k b_i - b_k a_i
        slope_error = 0.0
        size = 0.0
        for c in range(d):
            column_size = 0.0
            for t in range(d):
                column_size = max(column_size, abs(basis[t, c]))
            size += column_size * abs(functionals[level + 1, c])
        spread = rounding * size
        size = 0.0
        for t in range(d):
            slopes[t] = 0.0
            for c in range(d):
                slopes[t] += functionals[level + 1, c] * basis[t, c]
            size = max(size, abs(slopes[t]))
        slope_error = residual * (size + spread) + spread
        if not abs(slopes[d - 1]) > slope_error:
            return 2

        # 4. The rays of the plane: the last row i vanishes on a - (a_i / b_i) b
        begin = chosen[fixed - 1] + 1 if fixed > 0 else 0
        for i in range(begin, m - 1):
            if not abs(b[i]) > doubt:
                return 1
            side = 1.0 if b[i] > 0.0 else -1.0
            a_i, b_i = side * a[i], side * b[i]
            # what vanishes on the ray is given a value that raises no doubt
            kept_a, kept_b = a[i], b[i]
            a[i], b[i] = b_i, -a_i
            for t in range(fixed):
                a[chosen[t]], b[chosen[t]] = b_i, -a_i
            doubts = 0
            for k in range(m - 1):
                value = a[k] * b_i - b[k] * a_i
                positive[k] = value > 0.0
                doubts += abs(value) <= doubt
            a[i], b[i] = kept_a, kept_b
            if doubts > 0:
                return 1
            positive[m - 1] = 1
            # the cell above the ray: on each edge the next functional increases
            at_i = values[d - 1, i]
            for t in range(fixed):
                along = values[t, i]
                slope = slopes[t] * at_i - along * slopes[d - 1]
                bound = slope_error * (abs(at_i) + abs(along) + 2.0 * error[i])
                bound += error[i] * (abs(slopes[t]) + abs(slopes[d - 1]))
                size = abs(slopes[t] * at_i) + abs(along * slopes[d - 1])
                if not abs(slope) > bound + 4.0 * unit * size:
                    return 2
                positive[chosen[t]] = (slope > 0.0) == (at_i > 0.0)
            positive[i] = (slopes[d - 1] > 0.0) == (at_i > 0.0)
            if width > 0:
                mirror = cells - 1 - position
                for t in range(width):
                    byte = packed_byte(positive, 8 * t)
                    packed[position, t] = byte
                    packed[mirror, t] = 255 - byte
                packed[mirror, width - 1] &= last_byte
                position += 1

        # 5. The next choice of rows after the lead, in lexicographic order
        t = fixed - 1
        while t > 0 and chosen[t] == m - 2 - fixed + t:
            t -= 1
        if t <= 0:
            return 0
        chosen[t] += 1
        for s in range(t + 1, fixed):
            chosen[s] = chosen[s - 1] + 1
