"""Gradient flow from many starts at once, and the margins that it approaches.

The flow of all runs is integrated together, with histories of weights, losses and
margins; a margin comes with a certified interval around the largest one.
"""
