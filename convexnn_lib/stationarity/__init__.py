"""Stationary points: Clarke's subdifferential, and the programs that they solve.

The distance of a network from stationarity with the element that attains it, its
directional derivatives, the subsampled convex program of its activation patterns, its
class among the stationary points, and a path from it on which the objective never
rises.
"""
