"""The geometry of back-propagation: rectified ellipsoids, polar sets, zonotopes.

The outputs of one neuron of unit weights form the rectified ellipsoid of the data; its
convex hull is the unit ball of the convex program, its polar set the dual feasible set,
and the dual norm is a distance between zonotopes. Where the data are orthogonally
separable or free of spikes, closed forms follow.
"""
