flat = cnn.enumerate_patterns(X_flat)
here = X_flat @ np.array([1.0, 0.0]) > 0
walls = sorted(
    i + 1
    for i in range(len(X_flat))
    if np.where(np.arange(len(X_flat)) == i, ~here, here) in flat
)
ask(
    "Draw the eight lines of `X_flat` roughly. How many cells are there, and between "
    "which two of the lines does the direction (1, 0) lie?",
    f"{len(flat)} cells. Its cell is bounded by the lines of the samples "
    f"{walls[0]} and {walls[-1]} (counted from 1).",
    "How many cells are left if one of these two samples is taken away? "
    f"({len(flat) - 2}.)",
    "And if a sample is doubled instead? (None is lost or won: the line is the same.)",
)

count = cnn.count_patterns(X_int)
ask(
    "`X_int` has seven samples in three dimensions. Why does it have fewer cells than "
    "Cover's formula gives for seven, and how many are there?",
    f"{count}. The sixth sample is antiparallel to the second and has the same plane, "
    "and the zero sample has none: at most five planes are different.",
    f"Cover's formula gives {cnn.cover_count(7, 3)} for seven, and "
    f"{cnn.cover_count(5, 3)} for five.",
    "What stands in the seventh column of all patterns? (True: 0 >= 0.)",
)

before, after = X_path @ start, X_path @ end
crossed = np.flatnonzero(before * after < 0)
times = before[crossed] / (before - after)[crossed]
first = crossed[np.argmin(times)]
ask(
    "The neuron walks from `start` to `end`. Which sample changes its side first, and "
    "is it switched on or off?",
    f"Sample {first + 1} (counted from 1), after {times.min():.3f} of the way; it is "
    f"switched {'off' if before[first] > 0 else 'on'}.",
    f"How many cells does the walk meet? ({len(crossed) + 1}.)",
    "Can a straight walk change the same sample twice? (No: the product is affine on "
    "it.)",
)
