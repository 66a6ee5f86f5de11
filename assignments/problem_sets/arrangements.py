# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Problem set 1: arrangements and counting
#
# Chapters: *Hyperplane arrangements* and *Cover's count*. You may use
# `convexnn_lib` (imported as `cnn`), NumPy and SciPy. Patterns are activation
# patterns of **open cells**, as everywhere in the book: boolean rows of length $n$,
# with the entry True for a zero row of the data.
#
# Your data depend on your id. Put it into the next cell, as it stands in the course's
# list. Each question ends with a cell that hands in your answer; do not change those
# cells. The points sum to 100.

# %%
STUDENT_ID = ""

# %% locked="setup"
import numpy as np
from hand_in import hand_in, seed_of

import convexnn_lib as cnn

seed = seed_of(STUDENT_ID)
rng = np.random.default_rng(seed)


def draw_segment(rng):
    """Draw samples, and a segment that crosses at least four of their hyperplanes."""
    while True:
        X = rng.integers(-9, 10, (9, 3))
        ends = rng.integers(-9, 10, (2, 3))
        before, after = X @ ends[0], X @ ends[1]
        crossed = before * after < 0
        if np.any(before * after == 0) or crossed.sum() < 4:
            continue
        times = np.sort(before[crossed] / (before - after)[crossed])
        if np.diff(times).min() > 1e-3:
            return X, ends[0], ends[1]


def draw_degenerate(rng):
    """Draw seven integer samples: the sixth is antiparallel, the seventh zero."""
    while True:
        rows = rng.integers(-3, 4, (5, 3))
        if np.all(np.any(rows != 0, axis=1)) and np.linalg.matrix_rank(rows) == 3:
            return np.vstack([rows, -2 * rows[1], np.zeros(3, dtype=rows.dtype)])


def draw_points(rng):
    """Draw ten distinct points with integer coordinates, the first five collinear."""
    while True:
        line = np.arange(-2, 3)
        steps = rng.integers(-2, 3, 2)
        first = np.column_stack([line * steps[0], line * steps[1]])
        points = np.vstack([first, rng.integers(-6, 7, (5, 2))])
        if len(np.unique(points, axis=0)) == 10:
            return points


X_path, start, end = draw_segment(rng)
X_int = draw_degenerate(rng)
X_flat = rng.standard_normal((8, 2))
points = draw_points(rng)
percent = int(rng.choice([1, 2, 5, 10]))
targets = [int(rng.choice([24, 26])), int(rng.choice([28, 30]))]

# %% [markdown]
# ## 1. A walk through the cells (10 points)
#
# A neuron moves on the straight segment from `start` to `end` (both lie in open cells
# of `X_path`). Assign to `walk` the patterns of the open cells that it meets, in the
# order of the walk, as a boolean array with one row a cell. No two hyperplanes are
# crossed at the same moment.

# %% answer="walk"
### BEGIN SOLUTION
before, after = X_path @ start, X_path @ end
crossed = np.flatnonzero(before * after < 0)
times = before[crossed] / (before - after)[crossed]
row = before > 0
rows = [row]
for i in crossed[np.argsort(times)]:
    row = row.copy()
    row[i] = ~row[i]
    rows.append(row)
walk = np.array(rows)
### END SOLUTION

# %% question="walk" points=10
hand_in(walk=walk)
### BEGIN HIDDEN TESTS
walk = array(walk)
check(
    walk is not None and walk.ndim == 2 and walk.shape[1] == len(X_path),
    "walk is an array with one row a cell and one column a sample.",
)
check(
    np.isin(walk, [False, True]).all() and len(walk) > 0,
    "The entries of walk are True or False.",
)
rows = walk.astype(bool)
check(np.array_equal(rows[0], X_path @ start > 0), "The first row is not start's cell.")
check(np.array_equal(rows[-1], X_path @ end > 0), "The last row is not end's cell.")
flips = (rows[1:] != rows[:-1]).sum(axis=1)
check(
    np.all(flips == 1),
    "Two consecutive rows must differ in exactly one sample: one hyperplane is crossed "
    "at a time.",
)
known = set(map(tuple, cnn.enumerate_patterns(X_path).patterns.tolist()))
check(
    all(tuple(row) in known for row in rows.tolist()),
    "One of your rows is the pattern of no open cell at all.",
)
at_start, at_end = X_path @ start, X_path @ end
moments = np.full(len(X_path), np.inf)
moving = at_start * at_end < 0
moments[moving] = at_start[moving] / (at_start[moving] - at_end[moving])
changed = (rows[1:] != rows[:-1]).argmax(axis=1)
check(
    len(changed) == moving.sum() and np.all(np.diff(moments[changed]) > 0),
    "Your rows are patterns, but the segment does not cross the hyperplanes in this "
    "order.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 2. Witnesses that need no rounding (15 points)
#
# A witness proves that a pattern occurs, but in floating point only up to rounding.
# The data `X_int` are integers (among its rows are two antiparallel ones and a zero
# row). Assign to `witnesses` an integer array with **exactly one direction for every
# open cell** of `X_int`, one a row, with entries of absolute value at most 100. Then
# the products $x_i^Tu$ are exact, and anybody can check your list without trusting
# arithmetic.

# %% answer="witnesses"
### BEGIN SOLUTION
# An open cell is a cone of dimension 3 with three independent extreme rays, which are
# cross products of two rows: integers of absolute value at most 18, up to a common
# factor. Their sum lies inside: entries of at most 54 suffice.
for bound in (6, 18, 54):
    axis = np.arange(-bound, bound + 1)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    directions = grid.reshape(-1, 3)
    products = directions @ X_int[:6].T
    inside = np.all(products != 0, axis=1)
    codes = (products[inside] > 0) @ (1 << np.arange(6))
    _, first = np.unique(codes, return_index=True)
    witnesses = directions[inside][first]
    if len(witnesses) == cnn.count_patterns(X_int):
        break
### END SOLUTION

# %% question="witnesses" points=15
hand_in(witnesses=witnesses)
### BEGIN HIDDEN TESTS
witnesses = array(witnesses)
check(
    witnesses is not None
    and witnesses.ndim == 2
    and witnesses.shape[1] == 3
    and len(witnesses) > 0
    and witnesses.dtype != bool,
    "witnesses is an array of numbers with three columns.",
)
check(
    np.isfinite(witnesses).all() and np.all(witnesses == np.round(witnesses)),
    "The entries of witnesses are not all integers.",
)
check(
    bool(np.all((witnesses >= -100) & (witnesses <= 100))),
    "An entry is larger than 100 in absolute value.",
)
exact = witnesses.astype(np.int64)
nonzero_rows = X_int[np.any(X_int != 0, axis=1)]
products = exact @ nonzero_rows.T
for k, row in enumerate(products):
    check(
        np.all(row != 0),
        f"Row {k} of your list lies on a hyperplane, in no open cell.",
    )
signs = products > 0
check(
    len(np.unique(signs, axis=0)) == len(signs),
    "Two of your directions lie in the same cell.",
)
check(
    len(signs) == cnn.count_patterns(X_int),
    f"Your {len(signs)} directions lie in different cells, but there are more cells.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 3. The walls of a cell (20 points)
#
# Row $i$ of $X$ is a *wall* of an open cell if the closure of the cell and the
# hyperplane $x_i^\perp$ meet in a set of dimension $d-1$, so that one can leave the
# cell through it. Most hyperplanes do not touch a given cell in this way.
#
# Write a function `walls(X, u)` for data $X$ (no zero rows) and a direction $u$ in an
# open cell. It returns a boolean array of length $n$ that says which rows are walls of
# the cell of $u$ (12 points). Rows may be parallel; then they have the same hyperplane,
# and are walls together or not at all (8 points). (*Hint:* what is on the other side of
# a wall? Linear programs, `scipy.optimize.linprog`, decide whether it exists.)

# %% answer="walls"
### BEGIN SOLUTION
from scipy.optimize import linprog


def walls(X, u):
    X = np.asarray(X, dtype=float)
    signs = np.sign(X @ u)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    result = []
    for i in range(len(X)):
        flipped = signs.copy()
        flipped[np.abs(unit @ unit[i]) > 1 - 1e-12] *= -1
        # is there v with flipped_j x_j^T v >= 1 for all j?
        program = linprog(
            np.zeros(X.shape[1]),
            A_ub=-flipped[:, None] * X,
            b_ub=-np.ones(len(X)),
            bounds=(None, None),
        )
        result.append(program.status == 0)
    return np.array(result)


### END SOLUTION

# %% question="walls" points=20
assert walls(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.ones(2)).tolist() == [
    True,
    True,
    False,
]
hand_in(walls=walls)
### BEGIN HIDDEN CASES
draw = np.random.default_rng([seed, 3])
cases = []
for n, d, parallel in [
    (6, 2, 0),
    (7, 3, 0),
    (9, 3, 2),
    (9, 4, 0),
    (8, 4, 2),
    (1, 3, 0),
]:
    Z = draw.integers(-9, 10, (n, d)).astype(float)
    Z[~Z.any(axis=1)] = 1.0
    if parallel:
        Z[n - 2], Z[n - 1] = 2 * Z[0], -Z[1]
    v = draw.standard_normal(d)
    cases.append((Z, v))
### END HIDDEN CASES
### BEGIN HIDDEN TESTS
said = {False: [], True: []}  # of matrices without and with parallel rows
for (Z, v), answer in zip(cases, walls, strict=True):
    size = f"a matrix with {Z.shape[0]} rows and {Z.shape[1]} columns"
    answer = array(answer)
    check(
        answer is not None and answer.shape == (len(Z),),
        f"For {size}, walls must return an array with one entry a row.",
    )
    check(np.isin(answer, [False, True]).all(), "walls must return True and False.")
    known = set(map(tuple, cnn.enumerate_patterns(Z).patterns.tolist()))
    pattern = Z @ v > 0
    pairs = [[np.linalg.matrix_rank(np.vstack([a, b])) == 1 for b in Z] for a in Z]
    truth = [tuple((pattern ^ np.array(same)).tolist()) in known for same in pairs]
    answer = answer.astype(bool)
    missed, extra = np.sum(truth > answer), np.sum(answer > np.array(truth))
    parallel = bool(np.sum(pairs) > len(Z))
    note = " Some of its rows are parallel." if parallel else ""
    if missed:
        said[parallel].append(f"For {size}, walls misses {missed} of the walls.{note}")
    if extra:
        said[parallel].append(
            f"For {size}, {extra} of the rows that walls returns are no walls.{note}"
        )
part(12, not said[False], said[False][0] if said[False] else "")
part(8, not said[True] and not said[False], said[True][0] if said[True] else "")
### END HIDDEN TESTS

# %% [markdown]
# ## 4. How long to sample (15 points)
#
# Draw $N$ directions independently and uniformly on the unit circle. Each open cell of
# the planar data `X_flat` is missed by all of them with some probability. Assign to
# `n_draws` the smallest integer $N$ for which the **expected number of open cells
# that no direction hits** is below $\frac12$.

# %% answer="n_draws"
### BEGIN SOLUTION
normals = np.arctan2(X_flat[:, 1], X_flat[:, 0])
borders = np.sort(
    np.concatenate([normals + np.pi / 2, normals - np.pi / 2]) % (2 * np.pi)
)
arcs = np.diff(np.append(borders, borders[0] + 2 * np.pi)) / (2 * np.pi)
low, high = 0, 1
while np.sum((1 - arcs) ** high) >= 0.5:
    low, high = high, 2 * high
while high - low > 1:
    middle = (low + high) // 2
    if np.sum((1 - arcs) ** middle) < 0.5:
        high = middle
    else:
        low = middle
n_draws = high
### END SOLUTION

# %% question="n_draws" points=15
hand_in(n_draws=n_draws)
### BEGIN HIDDEN TESTS
check(
    isinstance(n_draws, (int, float))
    and 1 <= n_draws <= 1e15
    and float(n_draws).is_integer(),
    "n_draws is a positive integer.",
)
turned = np.column_stack([-X_flat[:, 1], X_flat[:, 0]])
turned = np.vstack([turned, -turned])
borders = np.sort(np.arctan2(turned[:, 1], turned[:, 0]))
shares = np.diff(np.append(borders, borders[0] + 2 * np.pi)) / (2 * np.pi)


def missed(draws):
    return np.exp(draws * np.log1p(-shares)).sum()


check(
    missed(n_draws) < 0.5 + 1e-9,
    f"With {int(n_draws)} directions the expected number of missed cells is not below "
    "1/2. The smallest cells decide.",
)
check(
    missed(n_draws - 1) > 0.5 - 1e-9,
    f"{int(n_draws)} directions are enough, but it is not the smallest such number.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 5. Splitting by conics (10 points)
#
# A *conic neuron* is active where
# $a+bs+ct+ds^2+est+ft^2>0$ at the point $(s,t)$ of the plane. A *split* of given points
# is a way to make some of them active and the others inactive, with no point on the
# conic. Assign
#
# * to `n_splits` the number of splits of your ten `points` by conic neurons (5 points);
# * to `n_rare` the smallest number $n$ such that conic neurons realize less than
#   `percent` per cent of the $2^n$ labelings of $n$ points in general position, where
#   general position is meant for conics: no six of the points lie on a common conic
#   (5 points).

# %% answer="splits"
### BEGIN SOLUTION
s, t = points.T.astype(float)
features = np.column_stack([np.ones(10), s, t, s * s, s * t, t * t])
n_splits = cnn.count_patterns(features)
n_rare = 1
while (
    cnn.cover_count(n_rare, 6 if n_rare >= 6 else n_rare) >= percent * 2**n_rare / 100
):
    n_rare += 1
### END SOLUTION

# %% question="splits" points=10
hand_in(n_splits=n_splits, n_rare=n_rare)
### BEGIN HIDDEN TESTS
a, b = points.T.astype(float)
lifted = np.column_stack([a * a, b * b, a * b, a, b, np.ones(len(a))])
part(
    5,
    isinstance(n_splits, (int, float)) and n_splits == cnn.count_patterns(lifted),
    "n_splits is not the number of splits."
    + (
        " Are your points in general position for conics? Look at the first five."
        if n_splits == cnn.cover_count(10, 6)
        else ""
    ),
)


def share(n):
    """Which part of the labelings of n points in general position is realized?"""
    return cnn.cover_count(n, min(n, 6)) / 2**n


is_integer = (
    isinstance(n_rare, (int, float))
    and 2 <= n_rare <= 500
    and float(n_rare).is_integer()
)
below = is_integer and share(int(n_rare)) < percent / 100
part(
    5,
    below and share(int(n_rare) - 1) >= percent / 100,
    "n_rare is large enough, but it is not the smallest such number."
    if below
    else "n_rare is not an integer for which the share of the labelings is below your "
    "percentage. Which dimension do the features of a conic have?",
)
### END HIDDEN TESTS
