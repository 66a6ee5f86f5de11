"""Hyperplane arrangements: counts, enumeration, sampling of activation patterns."""
