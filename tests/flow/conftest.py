"""Markers of the tests of flows."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, which ``-m cuda`` selects on a machine with a GPU."""
    config.addinivalue_line("markers", "cuda: needs a CUDA device")
