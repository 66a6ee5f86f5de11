found = cnn.clarke_residual(network_ties, problem_ties)
tied = [int(i) + 1 for i in np.flatnonzero(problem_ties.X @ network_ties.W1[:, 0] == 0)]
ask(
    "Which samples are tied for the neuron of `network_ties`, and what does the Clarke "
    "subdifferential look like there?",
    f"Samples {tied[0]} and {tied[1]} (counted from 1). It is the image of a square: "
    "each of the two contributes with any factor between 0 and 1.",
    f"Is the network stationary? (The distance from 0 is {found.value:.1e}.)",
    "Does that make it a local minimum? (No; look at the directional derivatives.)",
)

objectives = [problem_kinds.objective(network) for network in networks]
best = cnn.solve(problem_kinds, tol=1e-9)
equal = [k + 1 for k, v in enumerate(objectives) if v <= best.value + 1e-6]
ask(
    "Of your five networks, which are global optima? How can two of them differ and "
    "have the same objective?",
    f"Number {' and '.join(map(str, equal))}, with the objective {best.value:.5f}. A "
    "neuron can be split into parallel ones, and zero neurons can be added.",
    "The objectives are " + ", ".join(f"{value:.4f}" for value in objectives) + ".",
    "Which of the others can be left on a road that never rises, at its own width?",
)

corners = len(problem_polygon.y)
ask(
    "`problem_polygon` has equal labels at the corners of a regular polygon. Why must "
    "its optimal networks come in families?",
    f"Turning the plane by {360 // corners} degrees maps the data to themselves, so it "
    "maps optimal networks to optimal networks, and averages of their convex weights "
    "are optimal as well.",
    "Must an optimal network itself be symmetric? (No: only the set of them is; their "
    "outputs on the data are the same.)",
)
