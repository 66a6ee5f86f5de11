"""What is trained: losses, the training problem, and the network.

The problem is the data, the labels, the penalty and a loss that says what it can do; a
network is two matrices of weights, with the maps between the networks and the points of
the convex program.
"""
