"""The non-convex landscape: Clarke stationarity."""
