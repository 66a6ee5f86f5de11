"""Activation patterns of the data: counted, enumerated, sampled, verified.

The rows of the data cut the space of neurons into the cells of a central hyperplane
arrangement; a cell is an activation pattern. Everything here is exact, or says that it
is not: counts are integers, each pattern has a witness, and an arrangement can prove
that it is complete.
"""
