# %% [markdown]
# ## 6. Six planes with a given number of cells (10 points)
#
# Six planes in general position in $\mathbb R^3$ have $C(6,3)=32$ open cells. In
# special positions they have fewer. For each of the two numbers in `targets` find an
# integer matrix with six rows, of rank 3, without two parallel rows (and without a
# zero row) that has exactly that number of open cells. Assign the two matrices to the
# list `matrices`, in this order (5 points each). Entries may be at most 1000 in
# absolute value.

# %% answer="matrices"
### BEGIN SOLUTION
# Each line in which m planes meet costs binom(m, 2) - (m - 1) pairs of cells
# (question 7). Below: four triple lines; one quadruple line; two triple lines; one.
examples = {
    24: [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, -1, 0], [1, 0, -1], [0, 1, -1]],
    26: [[1, 0, 0], [0, 1, 0], [1, 1, 0], [1, 2, 0], [0, 0, 1], [3, 5, 1]],
    28: [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1], [3, 7, 11]],
    30: [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [3, 7, 11], [5, -2, 3]],
}
matrices = [np.array(examples[target]) for target in targets]
### END SOLUTION

# %% question="matrices" points=10
hand_in(matrices=matrices)
### BEGIN HIDDEN TESTS
check(
    isinstance(matrices, list | np.ndarray) and len(matrices) == 2,
    "matrices is a list of two arrays.",
)
for target, answer in zip(targets, matrices, strict=True):
    shape = np.shape(answer)
    if shape != (6, 3):
        part(5, False, f"For {target}: the shape is {shape}, not six rows of three.")
        continue
    answer = np.asarray(answer, dtype=float)
    integers = bool(np.all(answer == np.round(answer)))
    if not (integers and np.all((answer >= -1000) & (answer <= 1000))):
        part(5, False, f"For {target}: the entries are not integers of at most 1000.")
        continue
    parallel = [
        (j, i)
        for i in range(6)
        for j in range(i)
        if not np.cross(answer[i], answer[j]).any()
    ]
    if parallel:
        part(5, False, f"For {target}: rows {parallel[0]} are parallel (or zero).")
        continue
    if np.linalg.matrix_rank(answer) < 3:
        part(5, False, f"For {target}: the rank is below 3.")
        continue
    cells = cnn.count_patterns(answer)
    part(
        5, cells == target, f"For {target}: your matrix has {cells} open cells instead."
    )
### END HIDDEN TESTS
