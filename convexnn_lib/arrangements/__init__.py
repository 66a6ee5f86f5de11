"""Hyperplane arrangements: exact counts, enumeration and sampling of activation patterns."""
