# %% [markdown]
# ## 5. Data that no network separates (15 points)
#
# No two-layer ReLU network (without bias) separates `X_stuck, y_stuck`, whatever its
# width, although no two samples with different labels point in the same direction.
#
# * Prove it by a vector: assign to `lam_stuck` a $\lambda$ with $y_i\lambda_i\ge0$ for
#   all $i$, $\max_i|\lambda_i|=1$, and $\lambda^T(Xu)_+=0$ for all $u$ (up to
#   $10^{-9}$ for $\|u\|\le1$; 8 points). (Why is this a proof?)
# * Change **one** label such that the data can be separated: assign its index (from 0)
#   to `flip`, and to `rescued` a network that has $y_if(x_i)\ge1$ (up to $10^{-6}$) on
#   all samples with the changed labels (7 points).

# %% answer="stuck"
### BEGIN SOLUTION
from scipy.optimize import linprog

# On the cone of a pattern D the function is the linear one with the gradient X^T D lam.
patterns_stuck = cnn.enumerate_patterns(X_stuck).patterns
conditions = np.vstack([X_stuck.T * pattern for pattern in patterns_stuck])
program = linprog(
    np.zeros(10),
    A_eq=np.vstack([conditions * y_stuck, np.ones(10)]),
    b_eq=np.append(np.zeros(len(conditions)), 1.0),
    bounds=(0, None),
)
lam_stuck = y_stuck * program.x / program.x.max()

for flip in range(10):
    changed = y_stuck.copy()
    changed[flip] *= -1
    try:
        rescued = cnn.max_margin(X_stuck, changed).network
    except cnn.errors.NotSeparableError:
        continue
    # margins may fall short of 1 by the accuracy of the solver
    scale = np.sqrt(np.min(changed * rescued.predict(X_stuck)))
    rescued = cnn.ReLUNetwork(rescued.W1 / scale, rescued.w2 / scale)
    break
### END SOLUTION

# %% question="stuck" points=15
hand_in(lam_stuck=lam_stuck, flip=flip, rescued=rescued)
### BEGIN HIDDEN TESTS
lam = np.asarray(lam_stuck)
is_vector = (
    lam.shape == (10,) and lam.dtype.kind in "fiu" and bool(np.isfinite(lam).all())
)
signs_right = is_vector and np.min(y_stuck * lam) >= 0
scaled = is_vector and abs(np.abs(lam).max() - 1) <= 1e-9
height = cnn.dual_norm(X_stuck, lam)[0] if scaled else np.inf
part(
    8,
    signs_right and scaled and height <= 1e-9,
    "lam_stuck is not a vector of ten finite numbers."
    if not is_vector
    else "Some y_i lambda_i is negative."
    if not signs_right
    else "The largest entry is not of absolute value 1."
    if not scaled
    else f"For some u of norm 1, lambda^T (Xu)_+ is {height:.3g} in absolute value.",
)
is_index = isinstance(flip, int) and 0 <= flip < 10
rescued = network(rescued)
is_network = rescued is not None and rescued.d == 3
check(
    is_index and is_network,
    "flip is an index from 0 to 9, and rescued a network for three features.",
)
changed = np.where(np.arange(10) == flip, -y_stuck, y_stuck)
margins = changed * rescued.predict(X_stuck)
part(
    7,
    bool(np.all(margins >= 1 - 1e-6)),
    f"With the label of sample {flip} changed, the smallest margin of your network is "
    f"{margins.min():.6g}.",
)
### END HIDDEN TESTS
