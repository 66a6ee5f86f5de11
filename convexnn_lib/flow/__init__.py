"""Gradient flow and the max-margin implicit bias."""
