"""The convex equivalence: losses, problems, networks, solvers and certificates."""
