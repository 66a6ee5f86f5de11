# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Problem set 4: gradient flow and max margin
#
# Chapters: *Max margin and implicit bias* and *The convex max-margin problem*. You may
# use `convexnn_lib` (imported as `cnn`), NumPy, SciPy and PyTorch.
#
# The flow is gradient flow on the summed logistic loss
# $\mathcal L(\theta)=\sum_i\log(1+e^{-y_if_\theta(x_i)})$ without a penalty, networks
# are $f(X)=(XW_1)_+w_2$ with $W_1\in\mathbb R^{d\times m}$, $w_2\in\mathbb R^m$, and
# $P^*=\min\{\frac12\|\theta\|^2:y_if_\theta(x_i)\ge1\text{ for all }i\}$ over all
# widths.
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


def draw_single(rng):
    """Draw a sample and a neuron that is active on it, with a negative output."""
    x = rng.uniform(0.5, 1.5, 2)
    aside = np.array([-x[1], x[0]])
    w1 = rng.uniform(1.0, 2.0) * x + rng.uniform(-1.0, 1.0) * aside
    w2 = -rng.uniform(0.2, 0.6) * (x @ w1) / np.linalg.norm(x)
    return x, w1, float(w2)


def draw_trap(rng):
    """Draw two positive samples at an obtuse angle, and an orthogonal negative one."""
    half = np.radians(rng.uniform(94, 100)) / 2
    rows = np.array(
        [
            [np.cos(half), np.sin(half), 0.0],
            [np.cos(half), -np.sin(half), 0.0],
            [0.0, 0.0, 3.0],
        ]
    )
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    return rows @ turn.T, np.array([1.0, 1.0, -1.0])


def draw_inseparable(rng):
    """Draw integer samples that no network separates, in random order."""
    while True:
        lines = rng.integers(-3, 4, (3, 3))
        if abs(np.linalg.det(lines)) < 0.5:
            continue
        lines = np.vstack([lines, -rng.integers(1, 3, 3) @ lines])
        extra = rng.integers(-5, 6, (2, 3))
        different = np.vstack([lines, extra])
        unit = different / np.maximum(np.linalg.norm(different, axis=1), 1)[:, None]
        cosines = np.abs(unit @ unit.T) - 2 * np.eye(6)
        if cosines.max() > 1 - 1e-9 or not different.any(axis=1).all():
            continue
        rows = np.vstack([lines, -rng.integers(1, 4, 4)[:, None] * lines, extra])
        labels = np.concatenate([np.ones(4), -np.ones(4), rng.choice([-1.0, 1.0], 2)])
        order = rng.permutation(10)
        return rows[order].astype(float), labels[order]


x_single, w1_start, w2_start = draw_single(rng)
output_single = float(rng.uniform(2, 5))
X_margin, y_margin = cnn.datasets.gaussian(8, 3, seed=rng, labels="sign")
X_trap, y_trap = draw_trap(rng)
X_stuck, y_stuck = draw_inseparable(rng)

# %% [markdown]
# ## 1. Without an integrator (10 points)
#
# There is a single sample `x_single` $\in\mathbb R^2$ with the label 1, and a single
# neuron that starts at `w1_start`, `w2_start`, where $w_2<0<x^Tw_1$. Its output is
# negative at first, grows along the flow, and reaches `output_single` at some moment.
# Assign to `w1_then` (an array) and `w2_then` (a number) the weights at that moment, to
# a relative accuracy of $10^{-6}$. (*Hint:* find what the flow conserves.)

# %% answer="moment"
### BEGIN SOLUTION
length = np.linalg.norm(x_single)
unit = x_single / length
along = unit @ w1_start
# conserved: w1 orthogonal to x, and along^2 - w2^2; the output is length * along * w2
difference = along**2 - w2_start**2
product = output_single / length
along_then = np.sqrt((difference + np.sqrt(difference**2 + 4 * product**2)) / 2)
w1_then = w1_start + (along_then - along) * unit
w2_then = product / along_then
### END SOLUTION

# %% question="moment" points=10
hand_in(w1_then=w1_then, w2_then=w2_then)
### BEGIN HIDDEN TESTS
w = np.asarray(w1_then)
check(
    w.shape == (2,) and w.dtype.kind in "fiu" and isinstance(w2_then, (int, float)),
    "w1_then is a vector of two numbers, and w2_then a number.",
)
check(np.isfinite(w).all() and np.isfinite(w2_then), "The weights are not finite.")
size = np.linalg.norm(w1_start) + output_single
output = max(x_single @ w, 0) * w2_then
check(
    abs(output - output_single) <= 1e-6 * output_single,
    f"The output of your neuron is {output:.6g}, not output_single.",
)
turned = np.array([-x_single[1], x_single[0]]) / np.linalg.norm(x_single)
check(
    abs(turned @ (w - w1_start)) <= 1e-6 * size,
    "w1 has moved in a direction in which the gradient never points.",
)
check(
    abs((w @ w - w2_then**2) - (w1_start @ w1_start - w2_start**2)) <= 1e-6 * size**2,
    "A quantity that the flow conserves has changed.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 2. The best margin, from both sides (15 points)
#
# Assign to `separator` a network and to `lam_margin` a vector $\lambda$ that together
# enclose $P^*$ for `X_margin, y_margin` in an interval of relative width $10^{-4}$:
#
# * $y_i\lambda_i\ge0$ exactly (put rounding errors of the wrong sign to 0),
#   $\frac12\le M(\lambda)\le1$ (up to $10^{-7}$) and $y^T\lambda>0$, the lower end (6
#   points);
# * $y_if(x_i)\ge1$ (up to $10^{-7}$) for the network, whose cost
#   $\frac12\|\theta\|^2$, the upper end, exceeds the lower end by at most $10^{-4}$ of
#   itself (9 points).

# %% answer="margin"
### BEGIN SOLUTION
best = cnn.max_margin(X_margin, y_margin, tol=1e-8)
lam_margin = y_margin * np.maximum(y_margin * best.dual, 0)
lam_margin = lam_margin / cnn.dual_norm(X_margin, lam_margin)[0]
smallest = np.min(y_margin * best.network.predict(X_margin))
separator = cnn.ReLUNetwork(
    best.network.W1 / np.sqrt(smallest), best.network.w2 / np.sqrt(smallest)
)
### END SOLUTION

# %% question="margin" points=15
hand_in(separator=separator, lam_margin=lam_margin)
### BEGIN HIDDEN TESTS
lam = np.asarray(lam_margin)
check(
    lam.shape == (8,) and lam.dtype.kind in "fiu" and bool(np.isfinite(lam).all()),
    "lam_margin is a vector of eight finite numbers.",
)
height = cnn.dual_norm(X_margin, lam)[0] if lam.any() else 0.0
signs_right = np.min(y_margin * lam) >= 0
feasible = signs_right and 0.5 <= height <= 1 + 1e-7 and y_margin @ lam > 0
part(
    6,
    feasible,
    "Some y_i lambda_i is negative."
    if not signs_right
    else "lambda = 0 gives no lower bound."
    if height == 0
    else f"M(lambda) = {height:.8g}.",
)
separator = network(separator)
check(
    separator is not None and separator.d == 3,
    "separator is not a network for three features.",
)
smallest = np.min(y_margin * separator.predict(X_margin))
cost = (np.sum(separator.W1**2) + np.sum(separator.w2**2)) / 2
width = (cost - y_margin @ lam) / cost if cost > 0 else np.inf
part(
    9,
    feasible and smallest >= 1 - 1e-7 and width <= 1e-4,
    f"The smallest margin of your network is {smallest:.8g}."
    if smallest < 1 - 1e-7
    else f"The relative width of your interval is {width:.3g}."
    if feasible
    else "Without a lower bound there is no interval.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 3. Where the neurons go (20 points)
#
# At the beginning of training, the direction $\hat w\in\mathbb R^2$ of a small balanced
# neuron with the sign $s$ of $w_2$ ascends $G_s(u)=s\,y^T(Xu)_+$ on the unit circle,
# and its length grows only while $G_s(\hat w)>0$ (see the theorem on early alignment;
# where the slopes on both sides of a kink point to it, the direction stays at the
# kink).
#
# Write a function `endings(X, y, s)` for planar data $X$ (no zero row), labels $\pm1$
# and $s=\pm1$. It returns a pair `(lost, best)`: the fraction of all initial
# directions on the circle that end at a direction with $G_s\le0$, and the fraction
# that end at the global maximum of $G_s$ (0 if this is not positive). An absolute
# error of 0.002 is allowed.


# %% answer="endings"
### BEGIN SOLUTION
from itertools import pairwise


def endings(X, y, s):
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)

    def height(angle):
        u = np.array([np.cos(angle), np.sin(angle)])
        return s * y @ np.maximum(X @ u, 0)

    # Between the rays of the samples, G is the inner product with a fixed vector: its
    # critical angles are those of plus and minus this vector. The slope has one sign
    # between two consecutive critical angles or rays.
    normals = np.arctan2(X[:, 1], X[:, 0])
    rays = np.concatenate([normals + np.pi / 2, normals - np.pi / 2]) % (2 * np.pi)
    rays = np.unique(rays.round(12))
    ends = np.append(rays, rays[0] + 2 * np.pi)
    angles, slopes = [], []
    for low, high in pairwise(ends):
        middle = (low + high) / 2
        active = X @ [np.cos(middle), np.sin(middle)] > 0
        v = s * (X.T @ (active * y))
        cuts = [low]
        if v.any():
            critical = (np.arctan2(v[1], v[0]) + np.array([0, np.pi]) - low) % (
                2 * np.pi
            )
            cuts += sorted(low + critical[(critical > 1e-12) & (critical < high - low)])
        for a, b in zip(cuts, [*cuts[1:], high], strict=True):
            angles.append(a)
            inside = (a + b) / 2
            slope = v @ [-np.sin(inside), np.cos(inside)]
            slopes.append(0 if not v.any() else int(np.sign(slope)))
    n = len(angles)
    limits = [*angles, angles[0] + 2 * np.pi]
    top = max(height(angle) for angle in angles)
    lost = best = 0.0
    for start in range(n):
        length = (limits[start + 1] - limits[start]) / (2 * np.pi)
        arc, direction = start, slopes[start]
        while direction and slopes[(arc + direction) % n] == direction:
            arc = (arc + direction) % n
        end = limits[arc + 1] if direction > 0 else limits[arc]
        if not direction or height(end) <= 1e-9:
            lost += length
        elif height(end) >= top - 1e-9:
            best += length
    return lost, best


### END SOLUTION

# %% question="endings" points=20
assert np.allclose(endings(np.array([[1.0, 0.0]]), np.array([1.0]), 1), (0.5, 0.5))
hand_in(endings=endings)
### BEGIN HIDDEN CASES
draw = np.random.default_rng([seed, 3])
cases = []
for n, sign in [(2, 1), (3, -1), (4, 1), (5, -1), (6, 1)]:
    Z = draw.standard_normal((n, 2))
    cases.append((Z, draw.choice([-1.0, 1.0], n), sign))
# every direction is active on a sample; all samples have the other sign
Z = np.array([[1.0, 0.1], [-0.6, 0.9], [-0.5, -1.1]])
cases += [(Z, -np.ones(3), 1), (Z, np.array([1.0, -1.0, 1.0]), 1)]


### END HIDDEN CASES
### BEGIN HIDDEN TESTS
def ascend(Z, labels, sign, grid=40_000):
    """Follow the ascent on a fine grid of directions."""
    angles = 2 * np.pi * (np.arange(grid) + 0.5) / grid
    heights = np.zeros(grid)
    for row, label in zip(Z, labels, strict=True):
        along = row[0] * np.cos(angles) + row[1] * np.sin(angles)
        heights += sign * label * np.maximum(along, 0)
    after, before = np.roll(heights, -1), np.roll(heights, 1)
    move = np.where(after > heights, 1, 0)
    move = np.where((before > heights) & (before > after), -1, move)
    target = (np.arange(grid) + move) % grid
    while not np.array_equal(target, target[target]):
        target = target[target]
    reached = heights[target]
    top = heights.max()
    lost = np.mean(reached <= 1e-6)
    return lost, np.mean(reached >= top - 1e-6 * top) if top > 1e-6 else 0.0


for k, ((Z, labels, sign), answer) in enumerate(zip(cases, endings, strict=True)):
    check(
        np.shape(answer) == (2,) and np.isfinite(answer).all(),
        "endings must return a pair of two numbers.",
    )
    truth = ascend(Z, labels, sign)
    what = f"Case {k} ({len(Z)} samples, s = {sign})"
    if k >= 5:
        what += ", where every direction is active on some sample,"
    for part_name, value, right in zip(("lost", "best"), answer, truth, strict=True):
        check(abs(value - right) <= 2.2e-3, f"{what}: `{part_name}` is wrong.")
### END HIDDEN TESTS

# %% [markdown]
# ## 4. A trap (20 points)
#
# `X_trap` has two unit samples with the label 1 at an obtuse angle below 120°, and one
# with the label $-1$ that is orthogonal to both. Gradient flow from a start of your
# choice shall end far from the best margin. Assign to `trap` a network with
#
# * at least six neurons, each balanced ($\|w_{1,k}\|=|w_{2,k}|>0$, up to a relative
#   error of $10^{-9}$) and of length $\|w_{1,k}\|\le1$,
# * every two first-layer weights at an angle of at least 5°, whatever the signs
#   of their $w_{2,k}$ are,
#
# from which the flow separates the data, and ends at a cost
# $1/(2\bar\gamma)\ge1.2\,P^*$, where $\bar\gamma$ is the normalized margin at the end.
# The check runs the flow (`cnn.gradient_flow` with `method="rescaled_runge_kutta"`,
# `t_max=400`, `stop_log_loss=-300`), and it must end at this loss. (*Hint:* which cones
# does a neuron never leave?)

# %% answer="trap"
### BEGIN SOLUTION
x_1, x_2, x_3 = X_trap
unit_3 = x_3 / 3
# A positive neuron that is active on x_1 and not on x_2 moves along x_1 only (away from
# x_3 too), and x_2^T w falls because x_1^T x_2 < 0: it never sees x_2. Tilt x_1 a
# little to both sides of the plane of x_1 and x_2 to have different directions.
columns, signs = [], []
for x in (x_1, x_2):
    for tilt in (-0.3, 0.0, 0.3):
        columns.append(x + tilt * unit_3)
        signs.append(1.0)
for tilt in (0.0, 0.3):
    columns.append(unit_3 - tilt * (x_1 + x_2))
    signs.append(-1.0)
W1_trap = np.array(columns).T
W1_trap = 0.1 * W1_trap / np.linalg.norm(W1_trap, axis=0)
trap = cnn.ReLUNetwork(W1_trap, np.linalg.norm(W1_trap, axis=0) * np.array(signs))
### END SOLUTION

# %% question="trap" points=20
hand_in(trap=trap)
### BEGIN HIDDEN TESTS
trap = network(trap)
check(
    trap is not None and trap.d == 3,
    "trap is not a network for three features.",
)
check(
    6 <= trap.width <= 200, f"trap has {trap.width} neurons, not between six and 200."
)
lengths = np.linalg.norm(trap.W1, axis=0)
check(
    lengths.min() > 0 and lengths.max() <= 1 + 1e-12,
    "A first-layer weight is 0 or too long.",
)
check(
    np.all(np.abs(np.abs(trap.w2) - lengths) <= 1e-9 * lengths),
    "A neuron is not balanced.",
)
cosines = (trap.W1 / lengths).T @ (trap.W1 / lengths) - 2 * np.eye(trap.width)
check(
    np.max(cosines) <= np.cos(np.radians(5)) + 1e-9,
    "Two first-layer weights are at an angle of less than 5 degrees.",
)
flow = cnn.gradient_flow(
    cnn.TrainingProblem(X_trap, y_trap, 0.0, "logistic"),
    initial=trap,
    method="rescaled_runge_kutta",
    t_max=400,
    stop_log_loss=-300,
)
margin = float(np.ravel(flow.normalized_margin[-1])[0])
check(margin > 0, "The flow from your network does not separate the data.")
check(flow.status[0] == "loss", "The flow has not come to its end at t = 400.")
ratio = 1 / (2 * margin) / cnn.max_margin(X_trap, y_trap).value
check(
    ratio >= 1.2, f"The flow from your network ends at {ratio:.4f} times the best cost."
)
### END HIDDEN TESTS
