middle = cnn.TrainingProblem(X_path, y_path, beta_middle)
optimum = cnn.solve(middle, tol=1e-9)
residual = optimum.dual
largest = int(np.argmax(np.abs(residual)))
ask(
    "I hand you the optimal network for `beta_middle`. How do you convince me, without "
    "solving anything again, that it is optimal?",
    "The dual point is its residual, lambda = y - f(X). Its dual norm is "
    f"{cnn.dual_norm(X_path, residual)[0]:.4f}, which is beta = {beta_middle:.4f}: so "
    "lambda is feasible, and its dual value is the objective, "
    f"{optimum.value:.5f}.",
    f"Which sample is fitted worst? (Sample {largest + 1} of 8, counted from 1; its "
    f"residual is {residual[largest]:.3f}.)",
    "Where are the active neurons of the optimum among all directions? (They maximize "
    "|lambda^T (Xu)_+|.)",
)

ask(
    "From which beta on is the zero network optimal for `X_path, y_path`, and what "
    "happens just below it?",
    f"From beta = {largest_beta:.4f}, the dual norm of y. Just below it one neuron "
    "appears, in the direction that attains this dual norm (or several, where it is "
    "attained more than once).",
    "What happens to this number if y is doubled? (It doubles.)",
    "And if X is doubled? (It doubles as well.)",
)

ask(
    "How many activation patterns does `X_line` have, and why not 32?",
    f"{cnn.count_patterns(X_line)}: five points on a line are divided in ten ways, as "
    "only the first k or the last k can be switched on, none and all among them.",
    "Which of these patterns belong to a direction with the first weight zero? (None "
    "and all.)",
)
