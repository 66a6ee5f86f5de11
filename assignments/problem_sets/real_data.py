# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Problem set 5: a small project on real data
#
# Chapters: *Hyperplane arrangements*, *The convex equivalence*, *Clarke stationarity*
# and *Max margin and implicit bias*. You may use `convexnn_lib` (imported as `cnn`),
# NumPy, SciPy, scikit-learn, PyTorch and Matplotlib.
#
# The data are tumours, some benign (label 1) and some malignant (label $-1$), described
# by two measurements (`features`, which depend on your id) and a column of ones: 60
# of them for training, 120 for validation, standardized by the training data. In all
# questions the loss is the summed logistic loss, networks are $f(X)=(XW_1)_+w_2$
# with $W_1\in\mathbb R^{3\times m}$, the objective is
# $\ell(f(X),y)+\frac\beta2(\|W_1\|_F^2+\|w_2\|^2)$ on the **training** data, and
# $\operatorname{sign}f(x)$ is the class that a network predicts.
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

measurements = [
    "radius",
    "texture",
    "smoothness",
    "compactness",
    "concavity",
    "symmetry",
]
features = [f"mean {measurements[k]}" for k in np.sort(rng.choice(6, 2, replace=False))]
raw, labels = cnn.datasets.load("breast_cancer", features=features, standardize=False)
rows = rng.permutation(len(labels))[:180]
raw, labels = raw[rows], labels[rows]
raw = (raw - raw[:60].mean(axis=0)) / raw[:60].std(axis=0)
raw = np.column_stack([raw, np.ones(180)])
X_train, y_train = raw[:60], labels[:60]
X_valid, y_valid = raw[60:], labels[60:]
betas = [0.1, 0.3, 1.0, 3.0, 10.0]

# %% [markdown]
# ## 1. The best line, when mistakes differ (10 points)
#
# Before you train a network: how well can a straight line do? A line with the
# coefficients $u\in\mathbb R^3$ predicts 1 (benign) where $x^Tu>0$ and $-1$ where
# $x^Tu<0$. To call a malignant tumour benign costs 5, to call a benign one malignant
# costs 1. To find the line of the least total cost is hard in high dimension, but here
# you can list all that a line can do. Assign to `line` a vector $u$, with $x_i^Tu\ne0$
# for all training samples, whose **total cost on the training data** is the least
# possible, and to `cost` this cost.

# %% answer="line"
### BEGIN SOLUTION
arrangement = cnn.enumerate_patterns(X_train)
missed = (arrangement.patterns & (y_train < 0)).sum(axis=1)
alarms = (~arrangement.patterns & (y_train > 0)).sum(axis=1)
costs = 5 * missed + alarms
line = arrangement.witnesses[np.argmin(costs)]
cost = int(costs.min())
### END SOLUTION

# %% question="line" points=10
hand_in(line=line, cost=cost)
### BEGIN HIDDEN TESTS
u = np.asarray(line)
check(
    u.shape == (3,) and u.dtype.kind in "fiu" and bool(np.isfinite(u).all()),
    "line is a vector of three finite numbers.",
)
products = X_train @ u
check(bool(np.isfinite(products).all()), "line is too long for floating point.")
check(np.all(products != 0), "A training sample lies on your line.")
prices = np.where(y_train < 0, 5, 1)
paid = int(prices @ ((products > 0) != (y_train > 0)))
check(
    isinstance(cost, (int, float)) and cost == paid,
    f"Your line costs {paid}, not what you say.",
)
known = cnn.enumerate_patterns(X_train).patterns
least = int(((known != (y_train > 0)) @ prices).min())
check(paid == least, f"Your line costs {paid}, and some line costs less.")
### END HIDDEN TESTS

# %% [markdown]
# ## 2. A certified optimum (10 points)
#
# Train a network of any width with $\beta=0.3$. Assign to `certified` a network with a
# certified relative gap to the global optimum of at most $10^{-4}$ (`cnn.certify`).

# %% answer="certified"
### BEGIN SOLUTION
certified = cnn.solve(cnn.TrainingProblem(X_train, y_train, 0.3, "logistic")).network
### END SOLUTION

# %% question="certified" points=10
hand_in(certified=certified)
### BEGIN HIDDEN TESTS
certified = network(certified)
check(
    certified is not None and certified.d == 3,
    "certified is not a network for the two features and the ones.",
)
problem = cnn.TrainingProblem(X_train, y_train, 0.3, "logistic")
gap = cnn.certify(certified, problem).relative_gap
check(gap <= 1e-4, f"The certified relative gap of your network is {gap:.3g}.")
### END HIDDEN TESTS

# %% [markdown]
# ## 3. Choosing $\beta$ (15 points)
#
# A certificate says nothing about new data. Train to the global optimum (a certified
# relative gap of at most $10^{-4}$) for each $\beta$ in `betas`, and choose the one
# whose optimal network has the smallest **logistic loss on the validation data**.
# Assign to `beta_chosen` this $\beta$, to `chosen` the optimal network for it, and to
# `valid_losses` the list of the five validation losses, in the order of `betas` (summed
# over the 120 samples, without the penalty; relative accuracy $10^{-2}$).

# %% answer="chosen"
### BEGIN SOLUTION
optimal = [
    cnn.solve(cnn.TrainingProblem(X_train, y_train, b, "logistic")).network
    for b in betas
]
valid_losses = [
    float(np.logaddexp(0, -y_valid * net.predict(X_valid)).sum()) for net in optimal
]
beta_chosen = betas[int(np.argmin(valid_losses))]
chosen = optimal[int(np.argmin(valid_losses))]
### END SOLUTION

# %% question="chosen" points=15
hand_in(beta_chosen=beta_chosen, chosen=chosen, valid_losses=valid_losses)
### BEGIN HIDDEN TESTS
check(beta_chosen in betas, "beta_chosen is not one of betas.")
chosen = network(chosen)
check(
    chosen is not None and chosen.d == 3,
    "chosen is not a network for the two features and the ones.",
)
given = np.asarray(valid_losses)
check(
    given.shape == (5,) and given.dtype.kind in "fiu",
    "valid_losses is a list of five numbers.",
)
true_losses = []
for b in betas:
    optimum = cnn.solve(cnn.TrainingProblem(X_train, y_train, b, "logistic"))
    outputs = optimum.network.predict(X_valid)
    true_losses.append(np.logaddexp(0, -y_valid * outputs).sum())
true_losses = np.array(true_losses)
right = np.abs(given / true_losses - 1) <= 1e-2
part(
    6,
    right.all(),
    f"{int(np.sum(~right))} of your five validation losses are not right.",
)
gap = cnn.certify(
    chosen, cnn.TrainingProblem(X_train, y_train, beta_chosen, "logistic")
).relative_gap
part(
    4,
    gap <= 1e-4,
    f"The certified relative gap of your network for beta_chosen is {gap:.3g}.",
)
part(
    5,
    true_losses[betas.index(beta_chosen)] <= true_losses.min() * 1.01,
    "The optimal network for another beta does better on the validation data.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 4. Two neurons (15 points)
#
# Take $\beta=1$, and find a network with **at most two neurons** whose objective is as
# small as you can make it. Assign it to `small`. It is accepted if it is at most 1 per
# cent above the best network of two neurons that the check finds in a search of its
# own, from eight random starts (9 points).
#
# Assign to `excess` a number $e$ for which you can **prove** that the objective of
# `small` is at most $(1+e)$ times the globally optimal value over all widths; it must
# follow from a certificate, and be at most 0.001 larger than the true relative excess
# (6 points).

# %% answer="small"
### BEGIN SOLUTION
problem_small = cnn.TrainingProblem(X_train, y_train, 1.0, "logistic")
optimum_small = cnn.solve(problem_small)
found = cnn.find_stationary_points(
    problem_small, 2, n_starts=16, seed=0, solution=optimum_small
)
small = found[0].network
certificate = cnn.certify(small, problem_small, dual=optimum_small.dual)
excess = certificate.primal / certificate.lower_bound - 1 + 1e-9
### END SOLUTION

# %% question="small" points=15
hand_in(small=small, excess=excess)
### BEGIN HIDDEN TESTS
small = network(small)
check(
    small is not None and small.d == 3,
    "small is not a network for the two features and the ones.",
)
neurons = int(np.sum(np.any(small.W1 != 0, axis=0) & (small.w2 != 0)))
check(neurons <= 2, f"small has {neurons} neurons.")
problem = cnn.TrainingProblem(X_train, y_train, 1.0, "logistic")
optimum = cnn.solve(problem, tol=1e-9)
height = problem.objective(small)
search = cnn.find_stationary_points(problem, 2, n_starts=8, seed=0, solution=optimum)
part(
    9,
    height <= 1.01 * search[0].value,
    f"The objective of small is {height:.6g}; eight random starts find a network of "
    "two neurons that is better by more than 1 per cent.",
)
is_number = isinstance(excess, (int, float)) and np.isfinite(excess)
part(
    6,
    is_number
    and height <= (1 + excess) * optimum.value * (1 + 1e-7)
    and height >= (1 + excess - 0.001) * optimum.value * (1 - 1e-7),
    "excess is no number."
    if not is_number
    else "The objective exceeds (1 + excess) times the optimal value."
    if height > (1 + excess) * optimum.value * (1 + 1e-7)
    else "excess is valid, but more than 0.001 too large: use a better dual point.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 5. How fast can it change its mind? (20 points)
#
# As a function of the two measurements $v=(v_1,v_2)$, a network
# $h(v)=f\big((v_1,v_2,1)\big)$ is piecewise linear. Its *Lipschitz constant* $L$ is the
# smallest number with $|h(v)-h(v')|\le L\|v-v'\|$ for all $v,v'\in\mathbb R^2$, hence
# the largest norm of the gradient. For your network `certified` of question 2 (it is
# judged again here), assign
#
# * to `lipschitz` its exact Lipschitz constant (relative accuracy $10^{-6}$, 8 points);
# * to `pair` a pair $(v,v')$ of points with $\|v-v'\|\ge10^{-6}$ and
#   $|h(v)-h(v')|\ge0.999\,L\|v-v'\|$ (6 points);
# * to `n_safe` the number of validation samples that are classified rightly by it, and
#   would still be after **any** change of the two measurements of length at most
#   0.1, as far as $L$ can prove: $y\,h(v)>0.1\,L$ (6 points).
#
# (*Hint:* on which sets is the gradient constant? The neurons' weights are the rows
# of an arrangement, and the last coordinate of the input is positive.)

# %% answer="lipschitz"
### BEGIN SOLUTION
# The neurons cut the space of inputs into cells; add the row (0, 0, 1) to see which
# of them contain inputs with a positive last coordinate.
neurons_in = np.vstack([certified.W1.T, [0.0, 0.0, 1.0]])
cells = cnn.enumerate_patterns(neurons_in)
above = cells.patterns[:, -1]
active = cells.patterns[above, :-1]
gradients = (active * certified.w2) @ certified.W1[:2].T
norms = np.linalg.norm(gradients, axis=1)
steepest = int(np.argmax(norms))
lipschitz = float(norms[steepest])
u = cells.witnesses[above][steepest]
v = u[:2] / u[2]
# walk along the gradient, half the way to the next wall
along = gradients[steepest] / lipschitz
values = certified.W1.T @ np.append(v, 1)
speeds = certified.W1[:2].T @ along
reach = np.abs(values[speeds != 0] / speeds[speeds != 0]).min()
pair = (v, v + min(0.5 * reach, 1.0) * along)
n_safe = int(np.sum(y_valid * certified.predict(X_valid) > 0.1 * lipschitz))
### END SOLUTION

# %% question="lipschitz" points=20
hand_in(audited=certified, lipschitz=lipschitz, pair=pair, n_safe=n_safe)
### BEGIN HIDDEN TESTS
from fractions import Fraction

audited = network(audited)
check(
    audited is not None and audited.d == 3,
    "certified is not a network for the two features and the ones.",
)
problem = cnn.TrainingProblem(X_train, y_train, 0.3, "logistic")
gap = cnn.certify(audited, problem).relative_gap
check(gap <= 1e-4, f"The certified relative gap of your network is {gap:.3g}.")
check(
    audited.width <= 200, f"The network has {audited.width} neurons: merge some first."
)


def exact_output(net, v):
    """Return the output of a network at a point of the plane, a fraction."""
    columns = [[Fraction(w) for w in column] for column in net.W1.T.tolist()]
    place = [*map(Fraction, v), 1]
    sums = [sum(w * x for w, x in zip(c, place, strict=True)) for c in columns]
    weights = map(Fraction, net.w2.tolist())
    return sum(w * max(s, 0) for w, s in zip(weights, sums, strict=True))


cuts = np.vstack([[0.0, 0.0, 1.0], audited.W1.T])
patterns = cnn.enumerate_patterns(cuts).patterns
patterns = patterns[patterns[:, 0], 1:]
slopes = patterns.astype(float) * audited.w2 @ audited.W1[:2].T
steepest = np.linalg.norm(slopes, axis=1).max()
is_number = isinstance(lipschitz, (int, float)) and np.isfinite(lipschitz)
part(
    8,
    is_number and abs(lipschitz - steepest) <= 1e-6 * steepest,
    "lipschitz is no number."
    if not is_number
    else "Your number is too small: somewhere the network is steeper."
    if lipschitz < steepest
    else "Your number is an upper bound, but not the smallest one. Are all your cells "
    "met by inputs with last coordinate 1, and does the ones' weight count?",
)
ends = np.asarray(pair, dtype=float) if np.shape(pair) == (2, 2) else None
is_pair = ends is not None and bool(np.isfinite(ends).all())
# In exact arithmetic: far away rounding can be steeper than any network.
distance, rate = 0.0, 0.0
if is_pair:
    moved = [Fraction(b) - Fraction(a) for a, b in zip(*ends.tolist(), strict=True)]
    squared = sum(move**2 for move in moved)
    distance = 1.0 if squared >= 1 else float(squared) ** 0.5
    if distance >= 1e-6:
        heights = [exact_output(audited, end) for end in ends.tolist()]
        ratio = (heights[1] - heights[0]) ** 2 / squared
        rate = float(ratio) ** 0.5
part(
    6,
    rate >= 0.999 * steepest,
    "pair is not a pair of points of the plane."
    if not is_pair
    else "The two points are closer than 1e-6."
    if distance < 1e-6
    else f"Between your points the network changes at the rate {rate:.6g} only.",
)
margins = y_valid * audited.predict(X_valid)
close = np.sum(np.abs(margins - 0.1 * steepest) <= 1e-6 * steepest)
part(
    6,
    isinstance(n_safe, (int, float))
    and abs(n_safe - np.sum(margins > 0.1 * steepest)) <= close,
    "n_safe is not the number of these samples.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 6. A radius that nothing can break (15 points, marked by hand)
#
# Let $f$ be a network with the weights $\theta$, $h$ the function of the measurements
# as in question 5, and $L$ its Lipschitz constant.
#
# 1. Prove that $h$ is continuous and linear on finitely many polygons that cover
#    the plane (write *affine* for linear with a constant), and that $L$ is the largest
#    norm of its gradients there.
# 2. Prove that $h(v')$ has the same sign as $h(v)$ whenever $\|v-v'\|<|h(v)|/L$.
# 3. Prove that $L\le\frac12\|\theta\|^2$, and conclude: if $f$ separates the training
#    data, then no change of the measurements of a training sample by less than
#    $2\bar\gamma$ changes its class, where
#    $\bar\gamma=\min_iy_if(x_i)/\|\theta\|^2$ is the normalized margin. What does this
#    say about maximizing the margin?

# %% [markdown] proof="radius" points=15
# ### BEGIN SOLUTION
# **1.** Write $w_{1,k}=(a_k,b_k)$ with $a_k\in\mathbb R^2$. Then
# $h(v)=\sum_kw_{2,k}(a_k^Tv+b_k)_+$ is a sum of continuous functions. The lines
# $a_k^Tv+b_k=0$ (for $a_k\ne0$) cut the plane into finitely many closed convex
# polygons, some of them unbounded. On each of them every $a_k^Tv+b_k$ keeps its sign,
# so every term is affine and so is $h$, with the gradient $\sum_{k\text{
# active}}w_{2,k}a_k$. Let $G$ be the largest norm of these gradients. Take $v,v'$. The
# segment between them meets each polygon in a segment (or not at all), so it is
# divided by points $v=p_0,p_1,\dots,p_r=v'$ in its order, with $p_{j-1},p_j$ in one
# polygon. There $|h(p_j)-h(p_{j-1})|\le G\|p_j-p_{j-1}\|$ by the inequality of
# Cauchy-Schwarz; the sum over $j$ is $|h(v)-h(v')|\le G\|v-v'\|$. So $L\le G$.
# Conversely, inside the polygon with the longest gradient two points in its direction
# show $L\ge G$.
#
# **2.** Suppose $h(v)>0$ (else take $-h$). Then
# $h(v')\ge h(v)-L\|v-v'\|>h(v)-h(v)=0$. (If $L=0$, $h$ is constant.)
#
# **3.** A gradient has norm at most
# $\sum_k|w_{2,k}|\|a_k\|\le\sum_k|w_{2,k}|\|w_{1,k}\|
# \le\frac12\sum_k(w_{2,k}^2+\|w_{1,k}\|^2)=\frac12\|\theta\|^2$. For a training sample
# $|h(v_i)|=y_if(x_i)\ge\bar\gamma\|\theta\|^2\ge2\bar\gamma L$, so
# $|h(v_i)|/L\ge2\bar\gamma$, and 2 applies. A network of the largest normalized margin
# has the largest radius that this bound guarantees, the same for all training samples.
# It is a lower bound: other networks may be more robust in fact, and nothing is said
# about new samples.
#
# **Rubric**
#
# - 3 points: cells of the lines, and the network affine on each.
# - 3 points: the upper bound along a segment that crosses several cells.
# - 1 point: the lower bound inside a cell.
# - 3 points: the sign does not change.
# - 3 points: the bound by the weights.
# - 2 points: the radius from the normalized margin, and what it does not say.
# ### END SOLUTION

# %% [markdown]
# ## 7. Report (15 points, marked by hand)
#
# Write a report of at most one page for a doctor who knows statistics but not this
# book: what you trained and how $\beta$ was chosen; a comparison of the best line, the
# small and the chosen network on training and validation data; **what the certificates
# prove and what they do not**; one weakness of the study and an experiment that would
# address it. Figures may be made in cells that you add above.

# %% [markdown] proof="report" points=15
# ### BEGIN SOLUTION
# A good report has the validation mistakes of the three classifiers with a measure of
# their uncertainty (120 samples: a standard error of 3 per cent for an error of 15 per
# cent), and says that the line of the least training cost is optimal for a
# different quantity than the networks. The certificates prove that no network of any
# width has a smaller objective on the training data, up to the gap; they prove nothing
# about new patients, and nothing about another loss. The validation data have been
# used to choose $\beta$, so the validation loss of the chosen network is optimistic: a
# third set is needed, or cross-validation within the training data. The choice of two
# of thirty measurements, the single split, and that a missed malignant tumour weighs
# more than a false alarm are other weaknesses.
#
# **Rubric**
#
# - 3 points: data, model, penalty and the choice of beta are described so that it
#   could be repeated.
# - 4 points: a table or figure that compares the three on both sets, with numbers that
#   agree with the notebook, and with their uncertainty.
# - 4 points: right about the certificates: optimal for the training objective over all
#   widths, nothing about new data.
# - 2 points: the validation data have been used for the choice.
# - 2 points: a weakness, and an experiment that addresses it.
# ### END SOLUTION
