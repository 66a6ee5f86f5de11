# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A tiny problem set
# It has every kind of cell, and needs nothing slow.

# %%
STUDENT_ID = ""  # your id, as in the course's list

# %% locked="setup"
import numpy as np
from hand_in import hand_in, seed_of

import convexnn_lib as cnn

seed = seed_of(STUDENT_ID)
rng = np.random.default_rng(seed)
X = rng.integers(-9, 10, size=(5, 3)).astype(float)
n_samples = int(rng.integers(6, 60))

# %% [markdown]
# ## 1. Counting (3 points)
# Assign to `count` the number of cells of `n_samples` hyperplanes in general position
# in three dimensions.

# %% answer="count"
### BEGIN SOLUTION
count = cnn.cover_count(n_samples, 3)
### END SOLUTION

# %% question="count" points=3
assert isinstance(count, int), "count is an integer"
hand_in(count=count)
### BEGIN HIDDEN TESTS
check(count == cnn.cover_count(n_samples, 3), "This is not the number of cells.")
### END HIDDEN TESTS

# %% [markdown]
# ## 2. Sums (3 points)
# Assign to `rows` the sums of the rows of `X`, and to `total` the sum of all entries.

# %% answer="sums"
### BEGIN SOLUTION
rows = np.sum(X, axis=1)
total = np.sum(X)
### END SOLUTION

# %% question="sums" points=3
hand_in(rows=rows, total=total)
### BEGIN HIDDEN TESTS
check(np.shape(rows) == (5,), "rows has five entries.")
part(2, np.allclose(rows, X.sum(axis=1), atol=1e-9), "rows are not the sums of rows.")
part(1, abs(total - X.sum()) <= 1e-9, "total is not the sum of all entries.")
### END HIDDEN TESTS

# %% [markdown]
# ## 3. A function (4 points)
# Write `rectify(Z)`, which returns the matrix `Z` with its negative entries set to 0.


# %% answer="rectify"
def rectify(Z):
    """Return max(Z, 0)."""
    ### BEGIN SOLUTION
    return np.maximum(Z, 0)
    ### END SOLUTION


# %% question="rectify" points=4
hand_in(rectify=rectify)
### BEGIN HIDDEN CASES
draw = np.random.default_rng(seed + 1)
cases = [(draw.standard_normal((n, 2)),) for n in (1, 3, 8)]
### END HIDDEN CASES
### BEGIN HIDDEN TESTS
for (Z,), value in zip(cases, rectify, strict=True):
    check(np.shape(value) == Z.shape, "rectify changes the shape.")
    check(np.array_equal(value, Z.clip(0)), "rectify is wrong for a random matrix.")
### END HIDDEN TESTS

# %% [markdown]
# ## 4. A proof (5 points)
# Show that the sum of two convex functions is convex.

# %% [markdown] proof="sum" points=5
# ### BEGIN SOLUTION
# Add the two inequalities that say that the functions are convex.
#
# **Rubric**
#
# - 2 points: the definition is stated.
# - 3 points: the inequalities are added.
# ### END SOLUTION
