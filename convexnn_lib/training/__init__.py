"""How the global optimum is found: column generation over activation patterns.

A small restricted program is trained to high accuracy, the certificate's dual point
prices the patterns that it lacks, and those that violate the bound join, until the gap
is closed. The convex program over a given list of patterns can also be written out for
CVXPY.
"""
