"""The geometry of back-propagation: rectified ellipsoids, polar sets, zonotopes."""
