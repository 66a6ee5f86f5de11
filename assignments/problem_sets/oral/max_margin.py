conserved = float(w1_start @ w1_start - w2_start**2)
ask(
    "What does gradient flow conserve for the single neuron, and what follows for the "
    "sign of its output weight?",
    f"|w1|^2 - w2^2 = {conserved:.4f}, for all time. Here it is positive, so w2 may "
    "pass through 0 and change its sign; it does, as the output grows to "
    f"{output_single:.3f}.",
    "When can the sign never change? (If |w2| >= |w1| at the start.)",
    "Does gradient descent with large steps conserve it? (No.)",
)

margin = cnn.max_margin(X_margin, y_margin)
weights = np.abs(margin.dual)
support = [int(i) + 1 for i in np.flatnonzero(weights > 1e-6 * weights.max())]
ask(
    "Draw, or write down, the dual point of the max-margin problem for `X_margin, "
    "y_margin`. Which samples does it not see?",
    "Its support is in the samples " + ", ".join(map(str, support)) + " (counted from "
    "1); the others lie beyond the margin, or on it without being needed.",
    f"The least total weight of a separating network is {margin.value:.4f}, with a "
    f"gap of at most {margin.gap:.0e}.",
    "What happens to the solution if a sample outside of the support is moved a "
    "little? (Nothing.)",
)

cosine = X_trap[0] @ X_trap[1] / np.linalg.norm(X_trap[0]) / np.linalg.norm(X_trap[1])
ask(
    "What is special about the first two samples of `X_trap`, and why can gradient "
    "flow from small weights end with a smaller margin than the best?",
    f"Their angle is {np.degrees(np.arccos(cosine)):.1f} degrees, more than a right "
    "angle. Early on the neurons align with a common direction for both; a neuron for "
    "each of them would be better.",
    "Why does the third sample not matter for this? (It is orthogonal to both.)",
)
