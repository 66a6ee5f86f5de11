"""All global optima: the polytope that they form, and paths between them.

From one optimum and its dual point follow the extreme neurons that any optimum may
use, the polytope of their coefficients, its vertices, the optimal networks of each
width, and how these are connected.
"""
