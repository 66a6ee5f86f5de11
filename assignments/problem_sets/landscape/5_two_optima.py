# %% [markdown]
# ## 5. Optimal, and of different opinions (15 points)
#
# The samples of `problem_polygon` are the corners of a regular polygon, with all
# labels 1. Its optimal networks agree on the samples, but not elsewhere. Assign to
# `high` and `low` two globally optimal networks (a certified relative gap of at most
# $10^{-6}$ each, 5 points) whose outputs at the new input `x_new` differ as much as
# those of optimal networks can, up to one per cent: $f_{\rm high}(x)-f_{\rm low}(x)$
# is at least 0.99 times the largest difference (10 points).

# %% answer="opinions"
### BEGIN SOLUTION
optima = cnn.OptimalSet(cnn.solve(problem_polygon, tol=1e-9))
# the output is linear on the polytope of optima: vertices are extreme
candidates = optima.vertex_networks
opinions = [float(network.predict(x_new[None])[0]) for network in candidates]
high = candidates[int(np.argmax(opinions))]
low = candidates[int(np.argmin(opinions))]
### END SOLUTION

# %% question="opinions" points=15
hand_in(high=high, low=low)
### BEGIN HIDDEN TESTS
high, low = network(high), network(low)
check(
    high is not None and low is not None and high.d == low.d == 2,
    "high and low are two networks for two features.",
)
gaps = [cnn.certify(network, problem_polygon).relative_gap for network in (high, low)]
check(
    all(gap <= 1e-6 for gap in gaps),
    f"The certified relative gaps of your networks are {gaps[0]:.3g} and "
    f"{gaps[1]:.3g}.",
)
part(5, True, "")
optima = cnn.OptimalSet(cnn.solve(problem_polygon, tol=1e-9))
heights = [float(net.predict(x_new[None])[0]) for net in optima.vertex_networks]
widest = max(heights) - min(heights)
reached = float((high.predict(x_new[None]) - low.predict(x_new[None]))[0])
part(
    10,
    reached >= 0.99 * widest,
    f"Both networks are optimal. Their outputs at x_new differ by {reached:.4g}, but "
    "there are optimal networks that differ by more.",
)
### END HIDDEN TESTS
