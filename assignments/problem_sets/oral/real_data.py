problem = cnn.TrainingProblem(X_train, y_train, 1.0, "logistic")
optimum = cnn.solve(problem)
pull = np.abs(optimum.dual)
decisive = int(np.argmax(pull))
kind = "benign" if y_train[decisive] > 0 else "malignant"
ask(
    f"Your features are {features[0]} and {features[1]}. At beta = 1, with the "
    "logistic loss, which training sample pulls most at the network, and what does "
    "that mean?",
    f"Sample {decisive + 1} of 60 (counted from 1), a {kind} tumour with the pull "
    f"{pull[decisive]:.3f}: its dual variable is one minus the probability that the "
    "network gives to the right label.",
    f"Is it misclassified? ({'Yes' if pull[decisive] > 0.5 else 'No'}: the pull is "
    f"{'more' if pull[decisive] > 0.5 else 'less'} than 1/2.)",
    f"How sure is it that the network is optimal? (Up to {optimum.gap:.0e}.)",
)

malignant = int((y_train < 0).sum())
ask(
    "To call all your training tumours malignant costs how much, and to call all of "
    "them benign? Why is neither a line's doing by accident?",
    f"{60 - malignant} for all malignant, {5 * malignant} for all benign. Both are "
    "patterns of a line: the constant feature alone gives them.",
    "How many patterns do 60 samples with two features and a constant have at most? "
    f"({cnn.cover_count(60, 3)}.)",
)

optimum = cnn.solve(cnn.TrainingProblem(X_train, y_train, 1.0, "logistic"))
weights = np.linalg.norm(optimum.network.W1, axis=0) * np.abs(optimum.network.w2)
ask(
    "Which number bounds how fast your network's output can change when a feature is "
    "measured wrongly, and how does beta act on it?",
    "The sum of |w1| |w2| over its neurons bounds the Lipschitz constant. It is what "
    "beta is the price of, so it does not grow when beta does.",
    f"How large is it at beta = 1? ({weights.sum():.2f}.)",
)
