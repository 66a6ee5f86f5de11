# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Problem set 2: the convex equivalence
#
# Chapter: *The convex equivalence*. You may use `convexnn_lib` (imported as `cnn`),
# NumPy, SciPy and CVXPY.
#
# Unless a question says otherwise, the loss is $\frac12\|z-y\|^2$, networks are
# $f(X)=(XW_1)_+w_2$ with $W_1\in\mathbb R^{d\times m}$, $w_2\in\mathbb R^m$, the
# objective is $\mathcal L=\ell(f(X),y)+\frac\beta2(\|W_1\|_F^2+\|w_2\|^2)$, $p(\beta)$
# is its infimum over all widths, and $M(\lambda)=\max_{\|u\|\le1}|\lambda^T(Xu)_+|$.
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


def draw_colleague(rng):
    """Draw data, and the optimum of a program over the patterns of six directions."""
    while True:
        X, y = rng.standard_normal((10, 3)), rng.standard_normal(10)
        patterns = cnn.sample_patterns(X, 6, seed=rng).patterns
        solution = cnn.solve(cnn.TrainingProblem(X, y, 0.2), patterns)
        residual = y - solution.network.predict(X)
        height, u = cnn.dual_norm(X, residual)
        feature = np.maximum(X @ u, 0)
        if (height - 0.2) ** 2 / (2 * feature @ feature) > 0.03 * solution.value:
            return X, y, solution.network


X_path, y_path = rng.standard_normal((8, 3)), rng.standard_normal(8)
largest_beta = cnn.beta_max(cnn.TrainingProblem(X_path, y_path, beta=1.0))
beta_low, beta_middle, beta_high = np.array([0.1, 0.16, 0.3]) * largest_beta
X_missed, y_missed, network_missed = draw_colleague(rng)
positions = np.cumsum(rng.uniform(0.5, 1.5, 5)) - 3
X_line = np.column_stack([positions, np.ones(5)])
X_abs, y_abs = rng.standard_normal((7, 2)), rng.standard_normal(7)

# %% [markdown]
# ## 1. Between two optima (10 points)
#
# You have solved the problem for `beta_low` and `beta_high` on the data
# `X_path, y_path`, and want to know what this tells about $p$ at `beta_middle`, which
# lies between them, **without solving a third problem**. $p$ is concave, and the
# networks that you have found give upper bounds for every other $\beta$. Assign to
# `lower` and `upper` the best bounds on $p(\beta)$ at `beta_middle` that follow in
# these two ways (5 points each, relative accuracy $10^{-4}$).

# %% answer="between"
### BEGIN SOLUTION
ends = [
    cnn.solve(cnn.TrainingProblem(X_path, y_path, b)) for b in (beta_low, beta_high)
]
weight = (beta_high - beta_middle) / (beta_high - beta_low)
lower = weight * ends[0].value + (1 - weight) * ends[1].value
middle = cnn.TrainingProblem(X_path, y_path, beta_middle)
upper = min(middle.objective(end.network) for end in ends)
### END SOLUTION

# %% question="between" points=10
hand_in(lower=lower, upper=upper)
### BEGIN HIDDEN TESTS
check(
    all(isinstance(v, (int, float)) and np.isfinite(v) for v in (lower, upper)),
    "lower and upper are two numbers.",
)
check(lower <= upper, "lower is larger than upper.")
middle = cnn.TrainingProblem(X_path, y_path, beta_middle)
optimum = cnn.solve(middle, tol=1e-8)
check(
    lower <= optimum.value * (1 + 1e-7),
    "lower is no lower bound: a network has a smaller objective at beta_middle.",
)
check(
    upper >= (optimum.value - optimum.gap) * (1 - 1e-7),
    "upper is no upper bound: weak duality gives a larger lower bound at beta_middle.",
)
ends = [
    cnn.solve(cnn.TrainingProblem(X_path, y_path, b), tol=1e-8)
    for b in (beta_low, beta_high)
]
values = np.array([end.value for end in ends])
chord = np.interp(beta_middle, [beta_low, beta_high], values)
line = min(middle.objective(end.network) for end in ends)
part(
    5,
    abs(lower - chord) <= 1e-4 * chord,
    "lower is a lower bound, but not the one that concavity gives.",
)
part(
    5,
    abs(upper - line) <= 1e-4 * line,
    "upper is an upper bound, but not the best one that your two networks give.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 2. A lower bound for a loss that is not in the library (20 points)
#
# Huber's loss is gentle on outliers:
# $\ell(z,y)=\sum_ih(z_i-y_i)$ with $h(t)=\frac12t^2$ for $|t|\le1$ and
# $h(t)=|t|-\frac12$ otherwise. It is convex and bounded below, so weak duality holds
# for it as for the others. Derive its conjugate, and write a function
# `huber_bound(X, y, beta, lam)` that returns the largest lower bound on the optimal
# value $\inf\,\ell(f(X),y)+\frac\beta2(\|W_1\|_F^2+\|w_2\|^2)$ that weak duality gives
# for the points $\tau\lambda$, $\tau\ge0$, where `lam` is **any** vector $\lambda$ of
# length $n$. It must be a valid lower bound always and as good as this method allows,
# up to a relative error of $10^{-6}$.


# %% answer="huber_bound"
### BEGIN SOLUTION
def huber_bound(X, y, beta, lam):
    # The conjugate is v^T y + |v|^2/2 for |v_i| <= 1 and infinite otherwise, so that
    # the dual objective at tau lam is tau y^T lam - tau^2 |lam|^2/2.
    y, lam = np.asarray(y, dtype=float), np.asarray(lam, dtype=float)
    if not lam.any():
        return 0.0
    height, _ = cnn.dual_norm(X, lam)
    largest = 1 / np.abs(lam).max()
    if height > 0:
        largest = min(largest, beta / height)
    tau = np.clip(y @ lam / (lam @ lam), 0, largest)
    return float(tau * (y @ lam) - tau**2 * (lam @ lam) / 2)


### END SOLUTION

# %% question="huber_bound" points=20
hand_in(huber_bound=huber_bound)
### BEGIN HIDDEN CASES
draw = np.random.default_rng([seed, 2])
cases = []
for n, d, beta, kind in [
    (6, 2, 0.3, "small"),
    (6, 2, 0.3, "large"),
    (8, 3, 1.0, "residual"),
    (5, 2, 5.0, "small"),
    (5, 2, 0.1, "opposite"),
    (4, 2, 0.5, "zero"),
    (7, 3, 0.2, "residual"),
    (3, 2, 0.7, "inactive"),
]:
    Z, labels = draw.standard_normal((n, d)), 3 * draw.standard_normal(n)
    point = {
        "small": 0.01 * labels,
        "large": 10 * draw.standard_normal(n) + 5 * labels,
        "residual": np.clip(labels - draw.standard_normal(n), -1, 1),
        "opposite": -labels,
        "zero": np.zeros(n),
        "inactive": labels,
    }[kind]
    if kind == "inactive":
        Z[:] = 0.0
    cases.append((Z, labels, beta, point))
### END HIDDEN CASES
### BEGIN HIDDEN TESTS
for (Z, labels, beta, point), answer in zip(cases, huber_bound, strict=True):
    check(
        isinstance(answer, (int, float)) and np.isfinite(answer),
        "huber_bound must return a finite number for every lam.",
    )
    height = cnn.dual_norm(Z, point)[0] if Z.any() and point.any() else 0.0
    limits = [1 / np.abs(point).max()] if point.any() else [0.0]
    if height > 0:
        limits.append(beta / height)
    tau = min(limits)
    if point.any():
        tau = min(tau, max(0.0, labels @ point / (point @ point)))
    best = tau * (labels @ point) - tau**2 * (point @ point) / 2
    size = 1e-6 * max(abs(best), 1e-3)
    what = f"On {len(Z)} samples with beta = {beta} "
    hints = []
    if point.any() and min(limits) == limits[0]:
        hints.append("where is the conjugate finite?")
    if labels @ point < 0:
        hints.append("here y^T lam is negative")
    if not point.any():
        hints.append("here lam is zero")
    if not Z.any():
        hints.append("here all samples are zero")
    hint = f" ({'; '.join(hints)})" if hints else ""
    check(
        answer <= best + size,
        f"{what}the number that you return does not follow from weak duality{hint}.",
    )
    check(
        answer >= best - size,
        f"{what}another multiple of lam gives a better bound{hint}.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 3. What a colleague missed (20 points)
#
# A colleague has trained on `X_missed, y_missed` with $\beta=0.2$. She sampled the
# activation patterns of six random directions and solved the convex program over
# these; the optimum is the network `network_missed`. She reports that the duality gap
# *of her program* is zero and concludes that the network is globally optimal.
#
# * Refute her: assign to `witness` a vector $u$ with $\|u\|\le1$ that shows that her
#   dual point $\lambda=y-f(X)$ is not feasible once all patterns are admitted, that is
#   $|\lambda^T(Xu)_+|>\beta$ (8 points).
# * Assign to `better` a `cnn.ReLUNetwork` with **at most one neuron more** than hers
#   and an objective of at most 0.99 times hers (12 points).

# %% answer="better"
### BEGIN SOLUTION
residual = y_missed - network_missed.predict(X_missed)
height, witness = cnn.dual_norm(X_missed, residual)
feature = np.maximum(X_missed @ witness, 0)
sign = np.sign(residual @ feature)
# along c -> f + c s a the objective is a parabola with slope beta - height at 0
c = (height - 0.2) / (feature @ feature)
better = cnn.ReLUNetwork(
    np.column_stack([network_missed.W1, np.sqrt(c) * witness]),
    np.append(network_missed.w2, sign * np.sqrt(c)),
)
### END SOLUTION

# %% question="better" points=20
hand_in(witness=witness, better=better)
### BEGIN HIDDEN TESTS
residual = y_missed - network_missed.predict(X_missed)
u = np.asarray(witness)
is_vector = u.shape == (3,) and u.dtype != object and bool(np.isfinite(u).all())
reached = abs(residual @ np.maximum(X_missed @ u, 0)) if is_vector else 0.0
part(
    8,
    is_vector and np.linalg.norm(u) <= 1 + 1e-9 and reached > 0.2 * (1 + 1e-6),
    "witness is not a vector of three finite numbers and of norm at most 1."
    if not is_vector or np.linalg.norm(u) > 1 + 1e-9
    else f"At your witness, |lambda^T (Xu)_+| = {reached:.4g}: no violation.",
)
better = network(better)
is_network = better is not None and better.W1.shape[0] == 3
problem = cnn.TrainingProblem(X_missed, y_missed, 0.2)
before = problem.objective(network_missed)
after = problem.objective(better) if is_network else np.inf
neurons = np.sum(np.any(better.W1 != 0, axis=0) & (better.w2 != 0)) if is_network else 0
part(
    12,
    is_network and neurons <= network_missed.width + 1 and after <= 0.99 * before,
    "better is not a network for three features."
    if not is_network
    else f"better has {neurons} neurons and {after / before:.4f} times the objective "
    "of network_missed.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 4. As many neurons as samples (10 points)
#
# The chapter proves that some optimal network has at most $n$ neurons. Show that this
# cannot be improved: the rows of `X_line` are five points of the line with a column
# of ones. Assign to `y_line` labels in $[-1,1]$ and to `beta_line` a number of at least
# $10^{-4}$ such that **every** optimal network has at least five neurons.

# %% answer="y_line"
### BEGIN SOLUTION
y_line = np.array([1.0, -1.0, 1.0, -1.0, 1.0])
beta_line = 1e-3
### END SOLUTION

# %% question="y_line" points=10
hand_in(y_line=y_line, beta_line=beta_line)
### BEGIN HIDDEN TESTS
check(
    np.shape(y_line) == (5,) and np.asarray(y_line).dtype != object,
    "y_line is a vector of five numbers.",
)
labels = np.asarray(y_line, dtype=float)
inside = bool(np.isfinite(labels).all()) and np.abs(labels).max() <= 1
check(inside, "The labels are finite numbers between -1 and 1.")
check(
    isinstance(beta_line, (int, float)) and 1e-4 <= beta_line < np.inf,
    "beta_line is a number of at least 1e-4.",
)
solution = cnn.solve(cnn.TrainingProblem(X_line, labels, beta_line), tol=1e-9)
active = solution.network.merged(X_line).width > 0
check(active, "The zero network is optimal for your labels and beta_line.")
least = cnn.OptimalSet(solution).min_width
check(least >= 5, f"There is an optimal network with {least} neurons.")
### END HIDDEN TESTS

# %% [markdown]
# ## 5. Training with the absolute value (20 points)
#
# Replace the ReLU by the absolute value: $f(X)=|XW_1|\,w_2$, entry by entry, with the
# same penalty and the squared loss. Question 6 proves that training is convex again.
# Train on `X_abs, y_abs` with $\beta=0.1$ to global optimality, and certify it.
#
# Assign to `W_abs` (2, m) and `w_abs` (m,) the weights of your network and to `lam_abs`
# a dual point $\lambda\in\mathbb R^7$. Your certificate is accepted if
# $\max_{\|u\|\le1}|\lambda^T|Xu||\le\beta$ and $2\lambda$ is not feasible with a better
# lower bound $y^T\lambda-\frac12\|\lambda\|^2$ (8 points), and if moreover the
# objective of the network exceeds the bound by at most $10^{-3}$ of itself (12 points).
# (*Hint:* $|t|=t_++(-t)_+$ lets you compute the maximum with `cnn.dual_norm`.)

# %% answer="absolute"
### BEGIN SOLUTION
patterns = cnn.enumerate_patterns(X_abs).patterns
patterns = patterns[patterns[:, 0]]  # u and -u have the same feature
signs = [np.where(pattern, 1.0, -1.0) for pattern in patterns]
plus = [cp.Variable(2) for _ in signs]
minus = [cp.Variable(2) for _ in signs]
fit = sum(
    cp.multiply(s, X_abs @ (v - w)) for s, v, w in zip(signs, plus, minus, strict=True)
)
cost = sum(cp.norm(v) for v in plus + minus)
walls = [
    cp.multiply(s, X_abs @ v) >= 0
    for s, pair in zip(signs, zip(plus, minus, strict=True), strict=True)
    for v in pair
]
objective = cp.Minimize(cp.sum_squares(fit - y_abs) / 2 + 0.1 * cost)
cp.Problem(objective, walls).solve(solver="CLARABEL")
vectors = np.array([v.value for v in plus + minus])
w2_signs = np.repeat([1.0, -1.0], len(plus))
lengths = np.linalg.norm(vectors, axis=1)
kept = lengths > 1e-6
W_abs = vectors[kept].T / np.sqrt(lengths[kept])
w_abs = w2_signs[kept] * np.sqrt(lengths[kept])

lam_abs = y_abs - np.abs(X_abs @ W_abs) @ w_abs
height, _ = cnn.dual_norm(np.vstack([X_abs, -X_abs]), np.tile(lam_abs, 2))
lam_abs = lam_abs * min(1, 0.1 / height)
### END SOLUTION

# %% question="absolute" points=20
hand_in(W_abs=W_abs, w_abs=w_abs, lam_abs=lam_abs)
### BEGIN HIDDEN TESTS
W_abs, w_abs, lam_abs = map(array, (W_abs, w_abs, lam_abs))
check(
    all(v is not None for v in (W_abs, w_abs, lam_abs))
    and W_abs.ndim == 2
    and W_abs.shape == (2, len(w_abs))
    and w_abs.ndim == 1
    and lam_abs.shape == (7,),
    "W_abs, w_abs and lam_abs are arrays of the shapes (2, m), (m,) and (7,).",
)
check(
    all(bool(np.isfinite(v).all()) for v in (W_abs, w_abs, lam_abs)),
    "Some entries are not finite.",
)
doubled = np.vstack([X_abs, -X_abs])
height, _ = (
    cnn.dual_norm(doubled, np.tile(lam_abs, 2)) if lam_abs.any() else (0.0, None)
)
feasible = height <= 0.1 * (1 + 1e-6)
bound = y_abs @ lam_abs - lam_abs @ lam_abs / 2
twice = 2 * y_abs @ lam_abs - 2 * lam_abs @ lam_abs
is_short = 2 * height <= 0.1 and twice > bound
part(
    8,
    feasible and bound > 0 and not is_short,
    f"The maximum for your dual point is {height:.6g}: it is not feasible."
    if not feasible
    else "Your dual point proves nothing."
    if bound <= 0
    else "Twice your dual point is feasible, and proves more.",
)
z = np.abs(X_abs @ W_abs) @ w_abs
primal = np.sum((z - y_abs) ** 2) / 2 + 0.05 * (np.sum(W_abs**2) + np.sum(w_abs**2))
gap = (primal - bound) / primal
part(
    12,
    feasible and gap <= 1e-3,
    f"The relative gap between your network and your dual point is {gap:.3g}."
    if feasible
    else "Without a feasible dual point there is no certificate for the network.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 6. The equivalence for the absolute value (20 points, marked by hand)
#
# Let $\ell(\cdot,y)$ be convex, let $\beta>0$, and
# $f_\theta(X)=\sum_{k=1}^m|Xw_{1,k}|\,w_{2,k}$. Let $D_1,\dots,D_p$ be the diagonal
# matrices of the patterns of all open cells of $X$, $S_i=2D_i-I$ and
# $K_i=\{u:S_iXu\ge0\}$ (suppose that $X$ has no zero row). Consider
#
# $$p_{\rm cvx}=\inf\ \ell\Big(\sum_{i}S_iX(u_i-u_i'),y\Big)
#   +\beta\sum_{i}(\|u_i\|+\|u_i'\|)\quad\text{over}\quad u_i,u_i'\in K_i .$$
#
# 1. Prove that $\mathcal L(\theta)\ge p_{\rm cvx}$ for every network of every width.
# 2. Prove that for every feasible point $(u_i,u_i')$ there is a network whose
#    objective is that of the point.
# 3. Show that half of the patterns suffice: the value does not change if from each pair
#    of opposite patterns $D_i$, $I-D_i$ only one is kept.

# %% [markdown] proof="halves" points=20
# ### BEGIN SOLUTION
# **1.** For every neuron
# $\frac12(\|w_{1,k}\|^2+w_{2,k}^2)\ge|w_{2,k}|\|w_{1,k}\|=\|v_k\|$ with
# $v_k=|w_{2,k}|w_{1,k}$. The closed cones of the open cells cover $\mathbb R^d$ (as the
# hyperplanes have no interior), so $v_k\in K_{i(k)}$ for some $i(k)$. There
# $S_{i(k)}Xv_k\ge0$, hence $S_{i(k)}Xv_k=|Xv_k|$ and
# $|Xw_{1,k}|w_{2,k}=\pm S_{i(k)}Xv_k$ with the sign of $w_{2,k}$. Let $u_i$ be the
# sum of the $v_k$ with $i(k)=i$ and $w_{2,k}>0$, and $u_i'$ that of the $v_k$ with
# $i(k)=i$ and $w_{2,k}<0$. A cone is closed under addition, so these points are
# feasible; on $K_i$ the map $v\mapsto S_iXv$ is linear, so the fit of the point is
# $f_\theta(X)$; and by the triangle inequality
# $\sum_i\|u_i\|+\|u_i'\|\le\sum_k\|v_k\|\le\frac12\|\theta\|^2$. So
# $\mathcal L(\theta)$ is at least the objective of a feasible point.
#
# **2.** For every nonzero $u_i$ take the neuron
# $w_1=u_i/\sqrt{\|u_i\|}$, $w_2=\sqrt{\|u_i\|}$; for every nonzero $u_i'$ the neuron
# $w_1=u_i'/\sqrt{\|u_i'\|}$, $w_2=-\sqrt{\|u_i'\|}$. Then
# $|Xw_1|w_2=\pm|Xu_i|=\pm S_iXu_i$ as $u_i\in K_i$, and
# $\frac12(\|w_1\|^2+w_2^2)=\|u_i\|$. Outputs and penalties add up to those of the
# point.
#
# **3.** If $D_j=I-D_i$, then $S_j=-S_i$ and $K_j=-K_i$. Replace $u_j$ by $-u_j\in K_i$:
# $S_iX(-u_j)=S_jXu_j$, the same output with the same norm. So $(u_i,u_j)$ may be
# replaced by $(u_i-u_j,0)$: the sum lies in the cone $K_i$, the output is the same, and
# $\|u_i-u_j\|\le\|u_i\|+\|u_j\|$; in the same way for $u'$. Hence the minimum over
# the smaller set of patterns is not larger, and it is not smaller since the set of
# feasible points shrinks. (The opposite of every pattern occurs: $-u$ lies in an open
# cell if $u$ does.)
#
# **Rubric**
#
# - 3 points: arithmetic-geometric mean, with the vectors v.
# - 3 points: every v lies in a closed cone, where the absolute value is linear.
# - 2 points: sums stay in the cones and keep the output.
# - 2 points: triangle inequality, and the conclusion for the objective.
# - 4 points: the map back, with output and penalty.
# - 4 points: opposite patterns have opposite cones; the exchange keeps the output.
# - 2 points: the exchange does not raise the cost, and both inequalities are concluded.
# ### END SOLUTION
