"""What proves optimality: dual norms, lower bounds, and the gap of any network.

A dual point whose dual norm is at most beta bounds the training problem from below. The
room has the bounds on the dual norm (over listed patterns, over the vertices of
zonotopes, by branch and bound over directions), the search for good dual points, and
the certificate that holds the result and checks it anew.
"""
