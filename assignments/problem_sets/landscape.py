# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Problem set 3: landscape and Clarke stationarity
#
# Chapters: *All global optima* and *Clarke stationarity*. You may use `convexnn_lib`
# (imported as `cnn`), NumPy, SciPy and CVXPY.
#
# The loss is $\ell(z,y)=\frac12\|z-y\|^2$ throughout, networks are
# $f(X)=(XW_1)_+w_2$ with $W_1\in\mathbb R^{d\times m}$, $w_2\in\mathbb R^m$, and
# the objective is $\mathcal L(\theta)=\ell(f(X),y)+\frac\beta2(\|W_1\|_F^2+\|w_2\|^2)$
# with $\beta>0$. A neuron whose weights $w_{1,k}$ and $w_{2,k}$ are all zero is a *zero
# neuron*.
#
# Your data depend on your id. Put it into the next cell, as it stands in the course's
# list. Each question ends with a cell that hands in your answer; do not change those
# cells. The points sum to 100.

# %%
STUDENT_ID = ""

# %% locked="setup"
import cvxpy as cp
import numpy as np
from hand_in import hand_in, seed_of

import convexnn_lib as cnn

seed = seed_of(STUDENT_ID)
rng = np.random.default_rng(seed)


def with_zero_neuron(network):
    """Append a zero neuron."""
    W1 = np.column_stack([network.W1, np.zeros(network.d)])
    return cnn.ReLUNetwork(W1, np.append(network.w2, 0.0))


def draw_kinds(rng):
    """Draw a problem, and five networks of different kinds in random order."""
    while True:
        X, y = rng.standard_normal((5, 2)), 1.5 * rng.standard_normal(5)
        problem = cnn.TrainingProblem(X, y, 0.2)
        best = cnn.solve(problem, tol=1e-10).network
        if best.width < 2:
            continue
        found = cnn.find_stationary_points(problem, 1, n_starts=8, seed=rng)
        narrow = [point.network for point in found if point.kind == "local minimum"]
        if not narrow:
            continue
        stretched = best.W1.copy()
        stretched[:, 0] *= 2
        w2 = best.w2.copy()
        w2[0] /= 2
        networks = [
            best.split(0, [0.3, 0.7]),
            with_zero_neuron(best),
            cnn.ReLUNetwork(stretched, w2),
            narrow[0],
            with_zero_neuron(narrow[0]),
        ]
        return problem, [networks[k] for k in rng.permutation(5)]


def draw_ties(rng):
    """Draw a problem and a neuron that is orthogonal to its first two samples."""
    while True:
        active = np.column_stack([rng.uniform(0.5, 2, 3), rng.standard_normal((3, 2))])
        tied = np.column_stack([np.zeros(2), rng.standard_normal((2, 2))])
        g_active = -rng.uniform(0.2, 1, 3)
        g_active /= -(g_active @ active[:, 0])
        if abs(np.linalg.det(tied[:, 1:])) < 0.3:
            continue
        t = rng.uniform(0.2, 0.8, 2)
        g_tied = np.linalg.solve(tied[:, 1:].T, -active[:, 1:].T @ g_active) / t
        if g_tied.min() < -0.1 and np.abs(g_tied).min() > 0.05:
            X = np.vstack([tied, active])
            network = cnn.ReLUNetwork([[1.0], [0.0], [0.0]], [1.0])
            y = network.predict(X) - np.concatenate([g_tied, g_active])
            return cnn.TrainingProblem(X, y, 1.0), network


def draw_polygon(rng):
    """Draw a rotated regular polygon with labels 1, and a new input."""
    corners = int(rng.choice([5, 8]))
    angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi / corners * np.arange(corners)
    X = np.column_stack([np.cos(angles), np.sin(angles)])
    middle = angles[0] + np.pi / corners * (1 + rng.uniform(-0.3, 0.3))
    x_new = rng.uniform(1.5, 2.5) * np.array([np.cos(middle), np.sin(middle)])
    return cnn.TrainingProblem(X, np.ones(corners), 0.1), x_new


problem_kinds, networks = draw_kinds(rng)
problem_ties, network_ties = draw_ties(rng)
X_one, y_one, beta_one = rng.standard_normal((6, 2)), 1.5 * rng.standard_normal(6), 0.3
problem_polygon, x_new = draw_polygon(rng)

# %% [markdown]
# ## 1. Five networks (10 points)
#
# `networks` is a list of five networks for `problem_kinds`. Assign to `kinds` a list of
# five strings in the same order, each of them `"global"` (a global optimum over all
# widths), `"local minimum"` (one that is not global, for the network's own width),
# `"saddle"` (Clarke stationary, but no local minimum), or `"not stationary"` (2 points
# each).

# %% answer="kinds"
### BEGIN SOLUTION
kinds = [cnn.classify_stationary(net, problem_kinds).kind for net in networks]
### END SOLUTION

# %% question="kinds" points=10
hand_in(kinds=kinds)
### BEGIN HIDDEN TESTS
check(isinstance(kinds, list) and len(kinds) == 5, "kinds is a list of five strings.")
allowed = ("global", "local minimum", "saddle", "not stationary")
hints = {
    "global": "Compute a certificate for it.",
    "local minimum": "Which theorem tells local minima from saddles?",
    "saddle": "Which theorem tells local minima from saddles?",
    "not stationary": "Does it satisfy the neuron-wise conditions?",
}
for k, (network, kind) in enumerate(zip(networks, kinds, strict=True)):
    truth = cnn.classify_stationary(network, problem_kinds).kind
    part(
        2,
        kind == truth,
        f"Network {k} is not what you say. {hints[kind]}"
        if kind in allowed
        else f"The entry for network {k} is none of the four kinds.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 2. At a kink (15 points)
#
# The network `network_ties` has one neuron, and the first two samples of `problem_ties`
# are orthogonal to it: they are ties.
#
# * Assign to `activations` a vector $(t_1,t_2)\in[0,1]^2$ such that the neuron-wise
#   conditions hold when the first two samples are active to the degrees $t_1$ and
#   $t_2$, with a residual of norm at most $10^{-5}$ (7 points).
# * All the same the network is no local minimum. Assign to `descent` a pair of arrays
#   $(\delta W_1,\delta w_2)$ of the shapes (3, 1) and (1,) such that the one-sided
#   directional derivative of $\mathcal L$ in this direction is negative, at most
#   $-10^{-4}$ times the norm of the direction (8 points).

# %% answer="ties"
### BEGIN SOLUTION
residual = cnn.clarke_residual(network_ties, problem_ties)
activations = np.array([tie.activation for tie in residual.ties])
descent = residual.descent
### END SOLUTION

# %% question="ties" points=15
hand_in(activations=activations, descent=descent)
### BEGIN HIDDEN TESTS
X, w = problem_ties.X, network_ties.W1[:, 0]
g = network_ties.predict(X) - problem_ties.y
t = np.asarray(activations)
is_pair = t.shape == (2,) and t.dtype.kind in "fiu" and bool(np.isfinite(t).all())
error = np.inf
if is_pair:
    degrees = np.concatenate([t, np.ones(3)])
    error = np.linalg.norm(w + X.T @ (degrees * g))
part(
    7,
    is_pair and t.min() >= -1e-12 and t.max() <= 1 + 1e-12 and error <= 1e-5,
    "activations is not a vector of two finite numbers."
    if not is_pair
    else "The activations must be between 0 and 1."
    if t.min() < -1e-12 or t.max() > 1 + 1e-12
    else f"With your activations the first condition leaves a residual of {error:.3g}.",
)
is_direction = (
    isinstance(descent, list)
    and len(descent) == 2
    and np.shape(descent[0]) == (3, 1)
    and np.shape(descent[1]) == (1,)
)
check(is_direction, "descent is not a pair of arrays of the shapes (3, 1) and (1,).")
moves = [np.asarray(move, dtype=float) for move in descent]
size = np.sqrt(sum(np.sum(move**2) for move in moves))
check(np.isfinite(size) and size > 0, "The direction is zero or not finite.")
slope = cnn.directional_derivative(network_ties, problem_ties, tuple(moves)) / size
part(8, slope <= -1e-4, f"Along your direction the slope is {slope:.3g}.")
### END HIDDEN TESTS

# %% [markdown]
# ## 3. All local minima of one neuron (20 points)
#
# Train a **single** neuron on `X_one, y_one` with $\beta$ = `beta_one`. Assign to
# `minima` a list with the objective of **every** local minimum (of width 1), each to a
# relative accuracy of $10^{-5}$. The points are shared out among the minima; a number
# that is none takes as many away. A search from random starts misses some: use that a
# local minimum is the optimum of a convex problem over each cone that it lies in, and
# that there are only finitely many (pattern, sign) pairs. Not every such optimum is a
# local minimum. (The zero network is none here, and is not asked for.)

# %% answer="minima"
### BEGIN SOLUTION
problem_one = cnn.TrainingProblem(X_one, y_one, beta_one)
single = []
for pattern in cnn.enumerate_patterns(X_one).patterns:
    for s in (1.0, -1.0):
        # from inside the cell, descend to a stationary point of one neuron
        inside = np.where(pattern, 1.0, -1.0)[:, None] * X_one
        u = cp.Variable(2)
        fit = s * (pattern[:, None] * X_one) @ u
        value = cp.sum_squares(fit - y_one) / 2 + beta_one * cp.norm(u)
        cp.Problem(cp.Minimize(value), [inside @ u >= 0]).solve(solver="CLARABEL")
        length = np.linalg.norm(u.value)
        if length < 1e-5:
            continue
        w1 = u.value[:, None] / np.sqrt(length)
        start = cnn.ReLUNetwork(w1, [s * np.sqrt(length)])
        point = cnn.settle(start, problem_one)
        if point.kind in ("global", "local minimum") and point.neurons == 1:
            single.append(point.value)
minima = []
for value in sorted(single):
    if not minima or value > minima[-1] * (1 + 1e-6):
        minima.append(float(value))
### END SOLUTION

# %% question="minima" points=20
hand_in(minima=minima)
### BEGIN HIDDEN TESTS
from itertools import pairwise

check(
    isinstance(minima, list | np.ndarray) and np.ndim(minima) == 1 and len(minima) > 0,
    "minima is a list of numbers.",
)
listed = np.asarray(minima, dtype=float)
check(bool(np.isfinite(listed).all()), "Some numbers of minima are not finite.")
different = [b for a, b in pairwise([-np.inf, *sorted(listed)]) if b > a]
check(
    bool(np.all(np.diff(different) > 1e-5 * np.abs(different[1:]))),
    "Two entries of minima are the same number.",
)
# In u = |w2| w1 the problem is one in the plane. Its local minima lie inside of a cell,
# where they are optima without constraints, or on the ray of a tie.
true_values = []
corners = np.arctan2(X_one[:, 1], X_one[:, 0])
rays = np.sort(np.concatenate([corners + np.pi / 2, corners - np.pi / 2]) % (2 * np.pi))
rays = np.append(rays, rays[0] + 2 * np.pi)
for s in (1.0, -1.0):
    for low, high in pairwise(rays):
        middle = np.array([np.cos((low + high) / 2), np.sin((low + high) / 2)])
        A = s * np.where(X_one @ middle > 0, 1.0, 0.0)[:, None] * X_one
        values, vectors = np.linalg.eigh(A.T @ A)
        target = vectors.T @ (A.T @ y_one)
        if np.linalg.norm(target) <= beta_one:
            continue  # zero is optimal
        bottom, top = 0.0, np.linalg.norm(y_one) ** 2 / beta_one
        for _ in range(200):  # the length of the optimum solves a secular equation
            length = (bottom + top) / 2
            scaled = np.linalg.norm(target / (values * length + beta_one))
            bottom, top = (length, top) if scaled > 1 else (bottom, length)
        u = vectors @ (target / (values + beta_one / length))
        angle = (np.arctan2(u[1], u[0]) - low) % (2 * np.pi)
        if 0 < angle < high - low:
            fit = A @ u
            true_values.append(np.sum((fit - y_one) ** 2) / 2 + beta_one * length)
    for k in range(len(rays) - 1):
        e = np.array([np.cos(rays[k]), np.sin(rays[k])])
        products = X_one @ e
        tie = np.abs(products) < 1e-12 * np.linalg.norm(X_one, axis=1)
        feature = np.where(tie, 0.0, np.maximum(products, 0.0))
        length = (s * feature @ y_one - beta_one) / max(feature @ feature, 1e-300)
        if length <= 0:
            continue
        g = s * length * feature - y_one
        slopes = []
        for turn in (1.0, -1.0):
            aside = turn * np.array([-e[1], e[0]])
            moved = np.where(
                tie, np.maximum(X_one @ aside, 0), (products > 0) * (X_one @ aside)
            )
            slopes.append(s * g @ moved)
        if min(slopes) > 0:
            true_values.append(np.sum(g**2) / 2 + beta_one * length)
true_values = np.array(true_values)
near = np.abs(np.array(different)[:, None] - true_values) <= 1e-5 * true_values
right, wrong = int(near.any(axis=0).sum()), int((~near.any(axis=1)).sum())
share = max(right - wrong, 0) / len(true_values)
part(np.floor(40 * share) / 2, True, "")
for value, known in zip(different, near.any(axis=1), strict=True):
    check(
        known,
        f"{value:.7g} is not the objective of a local minimum. Does it stay one when "
        "the neuron may leave its cone?",
    )
check(
    right == len(true_values),
    "All your numbers are right, but at least one local minimum is missing.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 4. A road that never rises (20 points)
#
# You are at any network $(W_1,w_2)$ with $m$ neurons, and a globally optimal network
# $(V_1,v_2)$ (over all widths) with $m^*$ neurons is known. On the straight line
# between their weights the objective may rise. Yet with $m+m^*$ neurons there is a
# continuous road between the two on which it never does.
#
# Write a function `road(W1, w2, V1, v2, t)` that returns the pair `(U1, u2)` of weights
# at $t\in[0,1]$, of the shapes (d, m + m*) and (m + m*,). At $t=0$ the network must be
# the function of $(W_1,w_2)$ with the same objective, at $t=1$ the same for
# $(V_1,v_2)$ (4 points); for all data, labels and $\beta$ for which $(V_1,v_2)$ is
# globally optimal the objective never increases from $t=0$ to $t=1$ (10 points); and
# for a fixed start and end it is then continuous in $t$ (6 points). (*Hint:* the
# function does not need the data. Find a road on which the outputs move on a straight
# line.)


# %% answer="road"
### BEGIN SOLUTION
def road(W1, w2, V1, v2, t):
    # The outputs are (1 - t) f + t f*, and the penalties move in the same way. So the
    # objective is a convex function of t, which has its minimum at t = 1.
    here, there = np.sqrt(1 - t), np.sqrt(t)
    return np.column_stack([here * W1, there * V1]), np.append(here * w2, there * v2)


### END SOLUTION

# %% question="road" points=20
hand_in(road=road)
### BEGIN HIDDEN CASES
draw = np.random.default_rng([seed, 4])
# Random moments: between those of a regular grid a road may rise. Many near both ends,
# where the speed of a road is often infinite.
inside = (np.arange(400) + draw.uniform(size=400)) / 400
ends = np.geomspace(1e-12, 1e-3, 30)
# Six moments close to each other, at all scales: a jump in between is most of the way.
places, widths = draw.uniform(0.01, 0.98, 100), 10.0 ** draw.uniform(-9, -2, 100)
near = places[:, None] + widths[:, None] * np.arange(6) / 5
times = np.sort(np.concatenate([[0.0, 1.0], ends, 1 - ends, inside]))
times = np.concatenate([times, near.ravel()])
cases = []
for n, d, width, beta in [(5, 2, 1, 0.3), (6, 3, 4, 0.1), (5, 2, 0, 0.2)]:
    Z, labels = draw.standard_normal((n, d)), 2 * draw.standard_normal(n)
    best = cnn.solve(cnn.TrainingProblem(Z, labels, beta), tol=1e-9).network
    start = draw.standard_normal((d, width)), draw.standard_normal(width)
    if width == 0:  # the optimal function, at a higher cost
        start = 1.3 * best.W1, best.w2 / 1.3
    cases += [(*start, best.W1, best.w2, float(t)) for t in times]
### END HIDDEN CASES
### BEGIN HIDDEN TESTS
from itertools import pairwise


def steps_of(nets):
    """Return how far the weights move from each network to the next."""
    return [
        np.hypot(np.linalg.norm(b.W1 - a.W1), np.linalg.norm(b.w2 - a.w2))
        for a, b in pairwise(nets)
    ]


draw = np.random.default_rng([seed, 4])
draw.uniform(size=400)
draw.uniform(0.01, 0.98, 100), draw.uniform(-9, -2, 100)
count = len(cases) // 3
rises, jumps = [], []
for k, (n, d, width, beta) in enumerate(
    [(5, 2, 1, 0.3), (6, 3, 4, 0.1), (5, 2, 0, 0.2)]
):
    Z, labels = draw.standard_normal((n, d)), 2 * draw.standard_normal(n)
    draw.standard_normal(d * width), draw.standard_normal(width)
    problem = cnn.TrainingProblem(Z, labels, beta)
    start = cnn.ReLUNetwork(*cases[count * k][:2])
    best = cnn.ReLUNetwork(*cases[count * k][2:4])
    width = start.width + best.width
    answers = [network(answer) for answer in road[count * k : count * (k + 1)]]
    check(
        all(n is not None and n.W1.shape == (problem.d, width) for n in answers),
        "road must return a pair of arrays, of the shapes (d, m + m*) and (m + m*,).",
    )
    trip, near = answers[:-600], answers[-600:]
    groups = [near[i : i + 6] for i in range(0, 600, 6)]
    heights = np.array([problem.objective(n) for n in trip])
    size = 1e-9 * (1 + heights[0])
    probe = np.random.default_rng(k).standard_normal((20, problem.d))
    for end, there, where in [(start, trip[0], "t = 0"), (best, trip[-1], "t = 1")]:
        check(
            np.allclose(there.predict(probe), end.predict(probe), atol=1e-9)
            and abs(problem.objective(there) - problem.objective(end)) <= size,
            f"At {where} the function or its objective is not that of the given "
            "network.",
        )
    climbs = [np.diff([problem.objective(n) for n in group]) for group in groups]
    rises.append(float(max(np.max(np.diff(heights)), np.max(climbs))) - size)
    steps = np.array(steps_of(trip))
    way = sum(
        np.hypot(np.linalg.norm(e.W1), np.linalg.norm(e.w2)) for e in (start, best)
    )
    # One step that is long, or many times as long as the three before and after it.
    inner = range(35, len(steps) - 35)  # at the ends the speed may be infinite
    around = [np.delete(steps[i - 3 : i + 4], 3).max() for i in inner]
    alone = (steps[35:-35] > 0.005 * way) & (steps[35:-35] > 20 * np.array(around))
    close = [steps_of(group) for group in groups]
    torn = [max(c) > 0.6 * sum(c) and sum(c) > 1e-12 * way for c in close]
    # where a road begins to move, one group may look like that
    jumps.append(max(steps) > 0.1 * way or bool(alone.any()) or sum(torn) > 1)
part(4, True, "")
rise = max(rises)
check(rise <= 0, f"On one of the roads the objective rises by {rise:.3g}.")
part(10, True, "")
part(6, not any(jumps), "The road jumps.")
### END HIDDEN TESTS
